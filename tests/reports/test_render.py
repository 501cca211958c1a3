from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from rich.console import Console
from rich.text import Text

from reports.load import load
from reports.model import Table
from reports.render import terminal, to_csv, to_markdown
from reports.table import build

HOSTILE = "[red]=x|<b>\x1b[31m @you\n`z`"


def metric(name: str, identity: str | None = None, direction: str = "higher") -> dict[str, str]:
    described = {"name": name, "identity": identity or f"{name}@1[16 kHz]", "direction": direction, "unit": ""}
    return {**described, "summary": f"what {name} says"}


def printed(table: Table, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(terminal(table))
    return console.file.getvalue()


def plain(table: Table, width: int = 110) -> str:
    return Text.from_ansi(printed(table, width)).plain


def build_of(*paths) -> Table:
    return build([load(path) for path in paths])


@pytest.fixture
def table(rack) -> Table:
    """Two methods and a control; one metric separates, one is partly missing, one is missing for the control."""
    suite = rack.shelf()
    metrics = (metric("cqt1-pcc"), metric("onset-f1"), metric("dpd-pesto-cents", direction="lower"))

    def mono(value):
        return lambda item: value if item.task.endswith("0") else ("not-monophonic", "the stem is polyphonic")

    def made(cqt, f1, dpd):
        return {"cqt1-pcc": cqt, "onset-f1": f1, "dpd-pesto-cents": dpd}

    return build_of(
        rack.run(suite, "ours", made(0.91, 0.5, mono(41.25)), metrics=metrics, failed=("shelf/0/edit1",)),
        rack.run(suite, "sdedit", made(0.42, 0.52, mono(112.5)), metrics=metrics, role="baseline", untrained=True),
        rack.run(
            suite, "silence", made(("silent", "no sound"), 0.0, ("silent", "no sound")), metrics=metrics, role="control"
        ),
    )


class TestTerminal:
    @pytest.mark.parametrize("width", [60, 100, 120, 200])
    def test_it_fits(self, table, width) -> None:
        lines = plain(table, width).splitlines()
        assert max(map(len, lines)) <= width
        for heading in ("cqt1-pcc", "onset-f1", "cents"):
            assert any(heading in line for line in lines)

    def test_many_metrics_go_into_blocks_with_the_labels_repeated(self, rack) -> None:
        metrics = tuple(metric(f"metric-number-{n}") for n in range(12))
        path = rack.run(rack.shelf(), "ours", {m["name"]: n / 20 for n, m in enumerate(metrics)}, metrics=metrics)
        text = plain(build_of(path), 100)
        assert max(map(len, text.splitlines())) <= 100
        assert len([line for line in text.splitlines() if line.startswith("ours ")]) >= 2
        for number in range(12):
            assert f"{number / 20:.3f}" in text

    def test_what_a_reader_needs_is_there(self, table) -> None:
        text = plain(table)
        for part in ("0.910", "[0.860, 0.960]", "41.2", "3/4", "1 failed (", "sdedit †", "2 missing (", "4 missing ("):
            assert part in text, part
        assert "n=2 · 2 songs" in text
        assert "—" in text and not re.search(r"\bnan\b|None", text, re.IGNORECASE)

    def test_a_column_without_any_value_is_a_note(self, rack) -> None:
        metrics = (metric("cqt1-pcc"), metric("true-edit", direction="lower"))
        values = {"cqt1-pcc": 0.5, "true-edit": ("no-true-edit", "this task has no true edit")}
        text = plain(build_of(rack.run(rack.shelf(), "ours", values, metrics=metrics)), 100)
        heading = next(line for line in text.splitlines() if "cqt1-pcc" in line)
        assert "true-edit" not in heading
        assert "Not shown: true-edit, of which no run has a value (a)" in text

    def test_hostile_names_neither_format_nor_move_the_cursor(self, rack) -> None:
        table = build_of(rack.run(rack.shelf(), "x", {"cqt1-pcc": 0.5}, metrics=(metric("cqt1-pcc"),), label=HOSTILE))
        text = printed(table, 110)
        assert "\x1b[31m" not in text
        assert "[red]=x|<b>␛" in Text.from_ansi(text).plain.replace("\n", "")


class _Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def parsed(text: str) -> _Cells:
    cells = _Cells()
    cells.feed(MarkdownIt("commonmark").enable("table").render(text))
    return cells


class TestMarkdown:
    def test_rows_and_columns_survive_a_reader(self, table) -> None:
        rows = [[cell.strip() for cell in row] for row in parsed(to_markdown(table)).rows]
        assert rows[0] == ["", "edits", "cqt1-pcc ↑", "onset-f1 ↑", "dpd-pesto-cents ↓"]
        assert [row[0] for row in rows[1:4]] == ["ours", "sdedit †", "silence"]
        assert rows[1][1].startswith("3/4, 1 failed (")
        # ours has failed on an edit, so it is not counted as better than this one.
        assert rows[2][2] == "0.420 [0.370, 0.470], rank 1–2"
        assert rows[3][2].startswith("—, 4 missing (")

    def test_bold_marks_the_separated_cell_only(self, rack) -> None:
        suite, metrics = rack.shelf(), (metric("cqt1-pcc"), metric("onset-f1"))
        good = rack.run(suite, "a", {"cqt1-pcc": 0.9, "onset-f1": 0.5}, metrics=metrics)
        bad = rack.run(suite, "b", {"cqt1-pcc": 0.2, "onset-f1": 0.5}, metrics=metrics)
        line = next(line for line in to_markdown(build_of(good, bad)).splitlines() if line.startswith("| a"))
        assert line == "| a | 4/4 | **0.900** [0.850, 0.950], rank 1 | 0.500 [0.450, 0.550], rank 1–2 |"

    def test_every_note_and_every_identity_is_there(self, table) -> None:
        text = to_markdown(table)
        assert "Untrained weights" in text and "Only 2 songs" in text and "the stem is polyphonic" in text
        assert "onset-f1@1\\[16 kHz\\]" in text

    def test_hostile_names(self, rack) -> None:
        hostile = metric("m|<i>", "m@1[a|b <script>]")
        path = rack.run(rack.shelf(name="s<x>|y"), "x", {"m|<i>": 0.5}, metrics=(hostile,), label=HOSTILE)
        found = parsed(to_markdown(build_of(path)))
        assert found.tags <= {"h2", "p", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "strong"}
        assert {len(row) for row in found.rows} == {3}
        assert "@you" not in to_markdown(build_of(path))


class TestCsv:
    def read(self, table: Table) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(to_csv(table))))

    def test_one_line_for_each_run_and_metric(self, table) -> None:
        lines = self.read(table)
        assert [(line["run"], line["metric"]) for line in lines] == [
            (run, name) for run in ("ours", "sdedit", "silence") for name in ("cqt1-pcc", "onset-f1", "dpd-pesto-cents")
        ]
        first, third, last = lines[0], lines[2], lines[-1]
        assert float(first["mean"]) == pytest.approx(0.91) and float(first["low"]) == pytest.approx(0.86)
        assert (first["n"], first["songs"], first["expected"], first["failed"]) == ("3", "2", "4", "1")
        assert third["missing"] == "failed: 1; not-monophonic: 1"
        assert (last["mean"], last["low"], last["n"], last["missing"]) == ("", "", "0", "silent: 4")
        assert {line["untrained"] for line in lines if line["run"] == "sdedit"} == {"yes"}
        assert first["identity"] == "cqt1-pcc@1[16 kHz]"

    def test_an_identity_that_a_run_lacks_is_said_to_be_not_scored(self, rack) -> None:
        suite, old, new = rack.shelf(), metric("m", "m@1[x]"), metric("m", "m@2[x]")
        paths = [rack.run(suite, label, {"m": 0.5}, metrics=(which,)) for label, which in (("a", old), ("b", new))]
        found = {
            (line["run"], line["identity"]): (line["mean"], line["missing"]) for line in self.read(build_of(*paths))
        }
        assert found["a", "m@2[x]"] == found["b", "m@1[x]"] == ("", "not-scored")

    @pytest.mark.parametrize("label", ["=cmd|'/c calc'!A1", "+1", "-1", "@x", "\t=1"])
    def test_labels_are_no_formulas(self, rack, label) -> None:
        path = rack.run(rack.shelf(), "x", {"cqt1-pcc": -0.5}, metrics=(metric("cqt1-pcc"),), label=label)
        (line,) = self.read(build_of(path))
        assert line["run"].startswith("'")
        assert line["mean"] == "-0.5"
