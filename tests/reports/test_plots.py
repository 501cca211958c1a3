from __future__ import annotations

import warnings
from xml.etree import ElementTree

import pytest

from reports.load import load
from reports.plots import heatmap, tradeoff
from reports.table import build
from reports.write import write

CLAP = {"name": "clap-true-edit:n", "identity": "c@1[n]", "direction": "higher", "unit": "", "summary": "alignment"}
LEFT = {"name": "background-logmel", "identity": "b@1[x]", "direction": "lower", "unit": "dB", "summary": "distance"}
HOSTILE = "_$\\frac{1}$ <script>&\x1b 🎻"


@pytest.fixture
def runs(rack):
    instruments = ("cello", "flute", "$x^{$")
    suite = rack.shelf(songs=("A", "B"), edits=3, describe=lambda song, edit: {"target_instrument": instruments[edit]})

    def run(name, clap, left, role="method", **options):
        values = {"clap-true-edit:n": clap, "background-logmel": left}
        return load(rack.run(suite, name, values, metrics=(CLAP, LEFT), role=role, **options))

    def clap(item):
        return ("silent-edit", "no sound") if item.task.endswith("1") else 0.5

    return [
        run("ours", 0.8, 3.0),
        run("other", clap, 6.0, label=HOSTILE),
        run("copy-source", 0.2, 0.0, "control"),
        run("codec", 0.2, 1.5, "control"),
    ]


def test_the_plane_has_every_system_and_its_ceilings(runs) -> None:
    plane = tradeoff.tradeoff(build(runs).sections[0])
    assert (plane.alignment.name, plane.preservation.name) == ("clap-true-edit:n", "background-logmel")
    first = plane.points[0]
    assert (first.label, first.role, first.x, first.y) == ("ours", "method", 3.0, pytest.approx(0.8))
    assert len(plane.points) == 4
    assert [(c.axis, c.value) for c in plane.ceilings] == [("x", 0.0), ("x", 1.5), ("y", 1.0)]
    assert plane.ceilings[1].label == "codec round trip: 1.500"


def test_one_system_or_one_side_is_no_trade_off(runs) -> None:
    assert tradeoff.tradeoff(build(runs[:1]).sections[0]) is None
    assert tradeoff.plot(build([runs[0], runs[2]]).sections[0], 1) is None


def test_a_heat_map_has_a_row_a_system_and_a_column_a_group(runs) -> None:
    (split,) = build(runs, ["target-instrument"]).sections[0].splits
    alignment, preservation = heatmap.heatmaps(split)
    assert preservation.groups == ("$x^{$ (2)", "cello (2)", "flute (2)")
    assert alignment.means[1] == (0.5, 0.5, None)
    assert [line[0] for line in preservation.means] == [3.0, 6.0, 0.0, 1.5]


def test_a_report_has_the_plots_and_takes_old_ones_away(runs, tmp_path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write(runs, tmp_path / "a", examples=0, splits=["target-instrument"])
        write(runs, tmp_path / "b", examples=0, splits=["target-instrument"])
    plots = {path.name for path in (tmp_path / "a").glob("*.svg")}
    stems = ("heatmap-1-target-instrument-1", "heatmap-1-target-instrument-2", "tradeoff-1")
    assert plots == {f"{stem}.svg" for stem in stems}
    for stem in stems:
        for ending in ("svg", "png"):
            assert (tmp_path / "a" / f"{stem}.{ending}").read_bytes() == (
                tmp_path / "b" / f"{stem}.{ending}"
            ).read_bytes()
    svg = (tmp_path / "a" / "tradeoff-1.svg").read_text("utf-8")
    words = " ".join(text for e in ElementTree.fromstring(svg).iter() if (text := e.text))
    assert "ours" in words and "_$\\frac{1}$ <script>&␛ 🎻" in words and "<script>" not in svg
    page = (tmp_path / "a" / "index.html").read_text("utf-8")
    assert page.count('<figure class="plot"') == 3
    (tmp_path / "a" / "mine.svg").write_text("mine")
    write(runs, tmp_path / "a", examples=0, figures=False)
    assert [path.name for path in (tmp_path / "a").glob("*.[sp][vn]g")] == ["mine.svg"]
