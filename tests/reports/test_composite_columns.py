"""ASB and AMB in tables: derived from columns of the section, in every medium, and never more than they are."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from bench.metrics.composite import over_methods
from reports.load import load
from reports.model import Cell, Section
from reports.render import records, terminal, to_csv, to_markdown
from reports.table import build
from reports.write import write

# Polyphonia's table on MusicDelta: CLAP, CQT1-PCC, LPAPS -> ASB, AMB
PUBLISHED = {
    "sdedit": (0.119, 0.090, 6.907, 0.0, 0.0),
    "melodia": (0.380, 0.513, 3.540, 0.903, 0.864),
    "polyphonia": (0.437, 0.547, 4.096, 0.910, 0.991),
    "steermusic": (0.317, 0.556, 3.614, 0.761, 0.767),
}
RELATIVE, FIXED = ["ASB@polyphonia", "AMB@polyphonia"], ["ASB@anchored", "AMB@anchored"]


def metric(name: str, direction: str = "higher", parameters: str = "x") -> dict[str, str]:
    return {"name": name, "identity": f"{name}@1[{parameters}]", "direction": direction, "unit": "", "summary": name}


CLAP = metric("clap:laion-clap")
LPAPS = metric("lpaps@manor2024:laion-clap", "lower")
CQT = metric("cqt1-pcc@steermusic")
MEASURED = (CLAP, CQT, LPAPS)


def values(clap: Any, cqt: Any, lpaps: Any, **more: Any) -> dict[str, Any]:
    return {CLAP["name"]: clap, CQT["name"]: cqt, LPAPS["name"]: lpaps, **more}


def run(rack: Any, suite: Any, name: str, found: Mapping[str, Any], **more: Any) -> Path:
    return rack.run(suite, name, found, **{"metrics": MEASURED, **more})


def section(*paths: Path) -> Section:
    (only,) = build([load(path) for path in paths]).sections
    return only


def column(found: Section, heading: str) -> dict[str, Cell]:
    place = [column.heading for column in found.columns].index(heading)
    return {row.label: row.cells[place] for row in found.rows}


def means(found: Section, heading: str) -> dict[str, float | None]:
    return {label: cell.estimate and cell.estimate.mean for label, cell in column(found, heading).items()}


@pytest.fixture
def published(rack) -> list[Path]:
    suite = rack.shelf()
    return [run(rack, suite, name, values(*row[:3])) for name, row in PUBLISHED.items()]


def headings(found: Section) -> list[str]:
    return [column.heading for column in found.columns]


def test_the_published_values_come_out_of_the_columns(published: list[Path]) -> None:
    """The four methods hold the worst and the best of all eight in every criterion but CQT1-PCC's worst."""
    found = section(*published)
    assert headings(found)[-2:] == RELATIVE
    assert means(found, "ASB@polyphonia") == pytest.approx({name: row[3] for name, row in PUBLISHED.items()}, abs=0.002)
    cqt = over_methods(*([row[place] for row in PUBLISHED.values()] for place in (0, 1)))
    assert list(means(found, "AMB@polyphonia").values()) == pytest.approx(cqt.tolist())


def test_the_company_is_in_the_identity_and_in_a_note(published: list[Path]) -> None:
    all_four, three = section(*published), section(*published[:3])
    identities = [found.columns[-2].identity for found in (all_four, three)]
    assert identities[0] != identities[1]
    assert all(f"of {CLAP['identity']} and {LPAPS['identity']}" in identity for identity in identities)
    (note,) = (note.text for note in three.notes if note.text.startswith("ASB@polyphonia"))
    assert "derived, not measured, and never in bold" in note
    assert "of the 3 methods and baselines here" in note


def test_they_are_never_bold_and_controls_are_not_in_the_company(rack, published: list[Path]) -> None:
    suite = rack.shelf()
    copy = run(rack, suite, "copy-source", values(0.05, 1.0, 0.0), role="control")
    found = section(*published, copy)
    assert means(found, "ASB@polyphonia")["copy-source"] is None
    assert means(found, "ASB@polyphonia")["polyphonia"] == pytest.approx(0.910, abs=0.002)
    derived = [cell for row in found.rows for cell in row.cells[-2:]]
    assert not any(cell.best for cell in derived)


@pytest.mark.parametrize(
    "rows",
    [
        {"one": values(0.3, 0.5, 4.0)},
        {"one": values(0.3, 0.5, 4.0), "two": values(("silent", "x"), 0.5, 4.0)},
    ],
    ids=["alone", "the other has no value"],
)
def test_one_method_is_no_company(rack, rows: Mapping[str, Any]) -> None:
    suite = rack.shelf()
    copy = run(rack, suite, "copy-source", values(0.1, 1.0, 0.0), role="control")
    paths = [run(rack, suite, name, found) for name, found in rows.items()]
    assert not set(headings(section(*paths, copy))) & {*RELATIVE, *FIXED}


def test_a_method_without_a_value_has_a_dash_and_does_not_stretch_the_scale(rack, published: list[Path]) -> None:
    dumb = run(rack, rack.shelf(), "dumb", values(("silent", "x"), 0.9, 0.1))
    found = section(*published, dumb)
    assert means(found, "ASB@polyphonia")["dumb"] is None
    assert means(found, "ASB@polyphonia")["melodia"] == pytest.approx(0.903, abs=0.002)


def test_networks_are_not_mixed(rack) -> None:
    """CLAP of one network and LPAPS of another say nothing together; AMB needs no second network."""
    suite = rack.shelf()
    other = metric("lpaps:nano-clap", "lower")
    paths = [
        rack.run(suite, name, {**values(clap, 0.5 - clap, 0.0), other["name"]: 5.0}, metrics=(CLAP, CQT, other))
        for name, clap in (("a", 0.2), ("b", 0.4))
    ]
    assert headings(section(*paths))[-1:] == ["AMB@polyphonia"]
    assert "ASB@polyphonia" not in headings(section(*paths))


def test_the_published_variants_are_preferred(rack) -> None:
    suite = rack.shelf()
    corrected = metric("lpaps:laion-clap", "lower")
    paths = [
        rack.run(
            suite, name, {**values(clap, 0.5, lpaps), corrected["name"]: 1.0}, metrics=(CLAP, CQT, corrected, LPAPS)
        )
        for name, clap, lpaps in (("a", 0.2, 3.0), ("b", 0.4, 5.0))
    ]
    assert LPAPS["identity"] in section(*paths).columns[-2].identity


TRUE = metric("clap-true-edit:laion-clap")
PLAIN = metric("cqt1-pcc")
ANCHORED = (TRUE, PLAIN, metric("lpaps:laion-clap", "lower"))


def anchored(true: Any, cqt: Any, lpaps: Any) -> dict[str, Any]:
    return dict(zip((m["name"] for m in ANCHORED), (true, cqt, lpaps), strict=True))


def between_controls(rack, *, copy: float = 0.6) -> Section:
    suite = rack.shelf()
    rows = {
        "half": (anchored(0.8, 0.5, 4.0), "method"),
        "perfect": (anchored(1.0, 1.2, 0.0), "method"),
        "copy-source": (anchored(copy, 1.0, 0.0), "control"),
        "random-clip": (anchored(0.2, 0.0, 8.0), "control"),
    }
    return section(*(rack.run(suite, n, v, metrics=ANCHORED, role=role) for n, (v, role) in rows.items()))


def test_between_controls_a_value_is_a_methods_own(rack) -> None:
    found = between_controls(rack)
    assert headings(found)[-2:] == FIXED
    expected = {"half": 0.5, "perfect": 1.0, "copy-source": 0.0, "random-clip": 0.0}
    for heading in FIXED:
        assert means(found, heading) == pytest.approx(expected)


def test_controls_out_of_order_scale_nothing(rack) -> None:
    """An untouched source as near to the true edit as the true edit itself: adherence has no ends."""
    found = between_controls(rack, copy=1.0)
    assert set(means(found, "ASB@anchored").values()) == {None}


def test_without_both_controls_nothing_is_anchored(rack) -> None:
    suite = rack.shelf()
    paths = [
        rack.run(suite, name, anchored(0.5, 0.5, 4.0), metrics=ANCHORED, role=role)
        for name, role in (("a", "method"), ("b", "method"), ("copy-source", "control"))
    ]
    assert not set(headings(section(*paths))) & set(FIXED)


def test_intervals_come_from_songs_drawn_for_all_runs_together(rack) -> None:
    """Both methods vary with the song by the same amount: their order, and so the composite, is never in doubt."""
    suite = rack.shelf(songs=tuple("ABCDEFGH"))

    def by_song(base: float, step: float = 0.1):
        return lambda item: base + step * "ABCDEFGH".index(item.song)

    together = [
        run(rack, suite, name, values(by_song(clap), by_song(0.3), 4.0)) for name, clap in (("a", 0.1), ("b", 0.2))
    ] + [run(rack, suite, "c", values(0.15, by_song(0.1), 4.0))]
    cells = column(section(*together), "AMB@polyphonia")
    assert (cells["b"].estimate.low, cells["b"].estimate.high) == pytest.approx((1.0, 1.0))
    third = cells["c"].estimate
    assert third.low <= third.mean <= third.high
    assert (third.n, third.songs) == (16, 8)
    again = column(section(*together), "AMB@polyphonia")["c"].estimate
    assert again == third, "the draws are seeded"
    alone = [
        run(rack, rack.shelf(songs=("Only",), name="one"), name, values(c, c, 1 - c), folder=f"one-{name}")
        for name, c in (("a", 0.1), ("b", 0.2))
    ]
    assert column(section(*alone), "AMB@polyphonia")["b"].estimate.low is None


def test_every_medium_has_them_and_says_what_they_are(published: list[Path], tmp_path: Path) -> None:
    runs = [load(path) for path in published]
    table = build(runs)
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(terminal(table))
    page = tmp_path / "site"
    write(runs, page, examples=0)
    for text in (console.export_text(), to_markdown(table), (page / "index.html").read_text()):
        assert "0.910" in text
        assert "derived, not measured" in " ".join(text.replace("\\", "").split())
    rows = [row for row in csv.DictReader(io.StringIO(to_csv(table))) if row["metric"] == "ASB@polyphonia"]
    assert [row["run"] for row in rows] == list(PUBLISHED)
    assert float(rows[2]["mean"]) == pytest.approx(0.910, abs=0.002)
    assert rows[0]["identity"].startswith("ASB@polyphonia@1[over 4 methods (runs ")
    assert {r["metric"] for r in records(table)} >= set(RELATIVE)


def test_a_split_scales_within_its_groups(rack) -> None:
    suite = rack.shelf(describe=lambda song, edit: {"flags": ("soft",) if edit else ()})
    rng = np.random.default_rng(0)
    noise = {name: rng.uniform(0, 0.1, 4) for name in "abc"}

    def of(name: str, base: float):
        tasks = {task.id: place for place, task in enumerate(suite.tasks)}
        return lambda item: base + float(noise[name][tasks[item.task]])

    paths = [
        run(rack, suite, name, values(of(name, b), of(name, 1 - b), 4 - b))
        for name, b in zip("abc", (0, 0.2, 0.5), strict=True)
    ]
    (found,) = build([load(path) for path in paths], ["flag"]).sections
    (split,) = found.splits
    assert split.columns == found.columns
    for group in split.groups:
        place = [c.heading for c in split.columns].index("AMB@polyphonia")
        clap, cqt = ([row.cells[k].estimate.mean for row in group.rows] for k in (0, 1))
        expected = over_methods(clap, cqt)
        assert [row.cells[place].estimate.mean for row in group.rows] == pytest.approx(expected.tolist())


def with_sets(path: Path, **row: Any) -> Path:
    """A scored run, with FAD beside its means."""
    base = {"low": 0.1, "high": 0.3, "n": 4, "reference_n": 2, "floor": None, "songs": 2, "missing": None}
    rows = [{**metric("fad:vggish", "lower"), **base, **row}]
    (path / "corpus.json").write_text(json.dumps({"schema": "timbrebench-corpus@1", "metrics": rows}))
    return path


def test_values_on_sets_stand_with_their_numbers_and_their_floor(rack) -> None:
    suite = rack.shelf()
    rows = {"a": {"value": 0.2, "floor": 0.051}, "b": {"value": 0.4, "floor": 0.051}, "copy": {"value": 0.0, "n": 2}}
    found = section(*(with_sets(run(rack, suite, name, values(0.3, 0.5, 4.0)), **row) for name, row in rows.items()))
    assert means(found, "fad:vggish") == {"a": 0.2, "b": 0.4, "copy": 0.0}
    (note,) = (note.text for note in found.notes if note.text.startswith("fad:vggish"))
    assert note.endswith("reference: 4 against 2, floor 0.051 (a, b); 2 against 2, floor none (copy).")


def test_where_all_runs_agree_the_numbers_stand_once(rack) -> None:
    suite = rack.shelf()
    paths = [with_sets(run(rack, suite, name, values(0.3, 0.5, 4.0)), value=0.2, floor=0.1) for name in "ab"]
    (note,) = (note.text for note in section(*paths).notes if note.text.startswith("fad:vggish"))
    assert note.endswith("reference: 4 against 2, floor 0.100.")


def test_a_set_without_a_value_has_no_numbers_to_tell(rack) -> None:
    missing = {"code": "too-few-clips", "why": "fewer than 4 clips in one of the sets"}
    path = with_sets(
        run(rack, rack.shelf(), "a", values(0.3, 0.5, 4.0)), value=None, low=None, high=None, missing=missing
    )
    assert not [note for note in section(path).notes if note.text.startswith("fad:vggish")]
