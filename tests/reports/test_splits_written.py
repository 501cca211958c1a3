"""Splits in every medium, and through the command."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from rich.console import Console
from rich.text import Text

from bench.cli.app import run as run_cli
from reports.load import load
from reports.model import Table
from reports.render import TERMINAL_GROUPS, records, terminal, to_csv, to_markdown
from reports.table import build
from reports.write import write

HOSTILE = "[red]=x|<b>\x1b[31m @you\n`z` **x** </th><script>alert(1)</script>"
VALUES: dict[str, Any] = {
    "cqt1-pcc": lambda item: int(item.task[-1]) / 10,
    "dpd-pesto-cents": lambda item: 40.0 if item.task[-1] == "0" else ("not-monophonic", "the stem is polyphonic"),
}
COMMAND = Path(sys.executable).with_name("timbrebench")


def described(song: int, edit: int) -> dict[str, Any]:
    return {"stem": ("bass", "vocals")[edit], "flags": ("seen",) * (song == 0)}


@pytest.fixture
def run(rack) -> Path:
    """Two songs, North and South, North flagged; edit 0 is of the bass (cqt 0.0), edit 1 of the vocals (0.1)."""
    return rack.run(rack.shelf(describe=described), "ours", VALUES)


@pytest.fixture
def hostile(rack) -> Path:
    shelf = rack.shelf(describe=lambda song, edit: {"flags": (HOSTILE,) * edit, "target_instrument": f"=1+{HOSTILE}"})
    return rack.run(shelf, "ours", VALUES)


def table(path: Path, *splits: str) -> Table:
    return build([load(path)], splits)


def printed(table: Table, width: int = 110) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(terminal(table))
    return console.file.getvalue()


def plain(table: Table, width: int = 110) -> str:
    return Text.from_ansi(printed(table, width)).plain


class TestTerminal:
    @pytest.mark.parametrize("width", [60, 110])
    def test_the_main_table_stays_first_and_all_fits(self, run, width) -> None:
        text = plain(table(run, "stem", "flag:seen"), width)
        assert max(map(len, text.splitlines())) <= width
        places = [text.index(part) for part in ("shelf@1", "ours", "By stem", "vocals", "With and without seen")]
        assert places == sorted(places)
        assert "2 tasks, 2 songs" in text and "with seen §" in text and "without seen §" in text

    def test_only_the_largest_groups_of_many(self, rack) -> None:
        songs = tuple(f"Song {n:02}" for n in range(TERMINAL_GROUPS + 3))
        found = table(rack.run(rack.shelf(songs=songs, edits=1), "ours", VALUES), "song")
        text, written = plain(found), to_markdown(found)
        assert [song for song in songs if song in text] == list(songs[:TERMINAL_GROUPS])
        assert "3 groups of at most 1 task not shown here: see table.md" in text
        assert all(song in written for song in songs)

    def test_hostile_groups_neither_format_nor_move_the_cursor(self, hostile) -> None:
        text = printed(table(hostile, "flag", "target-instrument"))
        assert "\x1b[31m" not in text
        assert "[red]=x|<b>␛[31m" in Text.from_ansi(text).plain.replace("\n", "")


class _Cells(HTMLParser):
    """Texts of table rows, and all tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self._inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self._inside = True
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.rows[-1][-1] += data


def parsed(text: str) -> _Cells:
    return _Cells(MarkdownIt("commonmark").enable("table").render(text))


class TestMarkdown:
    def test_each_group_has_a_line_of_its_own(self, run) -> None:
        text = to_markdown(table(run, "stem"))
        _, _, split = text.partition("### By stem")
        rows = [[cell.strip() for cell in row] for row in parsed(split).rows]
        assert rows == [
            ["", "edits", "cqt1-pcc ↑", "dpd-pesto-cents ↓ cents"],
            ["bass ‡ (2 tasks, 2 songs)", "", "", ""],
            ["ours", "2/2", "0.0000 [0.0000, 0.0000]", "40.00 [40.00, 40.00]"],
            ["vocals ‡ (2 tasks, 2 songs)", "", "", ""],
            ["ours", "2/2", "0.1000 [0.1000, 0.1000]", "—, 2 missing (a)"],
        ]
        assert "- ‡ **Fewer than 10 songs: intervals are rough, and likely too narrow.**" in split

    def test_hostile_groups(self, hostile) -> None:
        text = to_markdown(table(hostile, "flag", "target-instrument", f"flag:{HOSTILE}"))
        found = parsed(text)
        assert found.tags <= {"h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "strong"}
        assert {len(row) for row in found.rows} == {4}
        assert "@you" not in text


class TestRecords:
    def test_groups_follow_the_whole(self, run) -> None:
        lines = list(csv.DictReader(io.StringIO(to_csv(table(run, "stem", "flag:seen")))))
        assert [(line["split"], line["group"], line["metric"], line["mean"], line["n"]) for line in lines[:6]] == [
            ("", "", "cqt1-pcc", "0.05", "4"),
            ("", "", "dpd-pesto-cents", "40.0", "2"),
            ("stem", "bass", "cqt1-pcc", "0.0", "2"),
            ("stem", "bass", "dpd-pesto-cents", "40.0", "2"),
            ("stem", "vocals", "cqt1-pcc", "0.1", "2"),
            ("stem", "vocals", "dpd-pesto-cents", "", "0"),
        ]
        assert [line["group"] for line in lines[6:]] == ["with seen"] * 2 + ["without seen"] * 2
        assert lines[5]["missing"] == "not-monophonic: 2"
        assert {line["absent"] for line in lines} == {"0", ""}

    def test_they_are_json(self, run) -> None:
        found = list(records(table(run, "stem")))
        assert json.loads(json.dumps(found, allow_nan=False)) == found
        assert [record["mean"] for record in found[-2:]] == [0.1, None]

    def test_groups_are_no_formulas(self, hostile) -> None:
        lines = list(csv.DictReader(io.StringIO(to_csv(table(hostile, "target-instrument")))))
        assert {line["group"][:4] for line in lines if line["split"]} == {"'=1+"}
        assert not any("\x1b" in value or "\n" in value for line in lines for value in line.values())


class TestPage:
    def page(self, path: Path, out: Path, *splits: str) -> tuple[str, _Cells]:
        write([load(path)], out, examples=0, splits=splits)
        html = (out / "index.html").read_text("utf-8")
        return html, _Cells(html)

    def test_groups_stand_between_the_table_and_the_players(self, run, tmp_path) -> None:
        html, found = self.page(run, tmp_path / "site", "stem", "flag:seen")
        rows = [" ".join(row[0].split()) for row in found.rows]
        assert rows == [
            *("run", "ours method"),
            *("run", "bass ‡ 2 tasks, 2 songs", "ours method", "vocals ‡ 2 tasks, 2 songs", "ours method"),
            *("run", "with seen § 2 tasks, 1 song", "ours method", "without seen § 2 tasks, 1 song", "ours method"),
        ]
        assert html.count("<details") == html.count("</details>") == 3
        assert "Only 1 song: there is no interval" in html

    def test_a_split_of_many_groups_is_folded_up(self, rack, tmp_path) -> None:
        path = rack.run(rack.shelf(songs=tuple(map(str, range(13))), edits=1), "ours", VALUES)
        html, _ = self.page(path, tmp_path / "site", "song", "stem")
        assert html.count('<details class="split">') == html.count('<details class="split" open>') == 1

    def test_hostile_groups_are_shown_and_do_nothing(self, hostile, tmp_path) -> None:
        html, found = self.page(hostile, tmp_path / "site", "flag", "target-instrument", f"flag:{HOSTILE}")
        assert "<script>alert" not in html and "\x1b" not in html and html.count("<script>") == 1
        assert "<b>␛" not in html and "&lt;b&gt;␛[31m" in html
        assert {len(row) for row in found.rows if len(row) > 1} == {4}


class TestCommand:
    """`timbrebench report`."""

    @pytest.fixture
    def cli(self, capsys, monkeypatch, tmp_path) -> Callable[..., tuple[int, str, str]]:
        monkeypatch.setenv("COLUMNS", "120")
        monkeypatch.chdir(tmp_path)

        def call(*words: object) -> tuple[int, str, str]:
            with pytest.raises(SystemExit) as ended:
                run_cli([str(word) for word in words])
            captured = capsys.readouterr()
            return int(ended.value.code or 0), captured.out, captured.err

        return call

    def test_through_the_entry_point(self, run, tmp_path) -> None:
        words = [COMMAND, "report", run, "--out", tmp_path / "site", "--split", "stem", "--split", "flag", "--json"]
        done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=True)
        rows = json.loads(done.stdout)["rows"]
        assert [row["group"] for row in rows[::2]] == ["", "bass", "vocals", "seen", "no flag"]
        assert "### By stem" in (tmp_path / "site" / "table.md").read_text("utf-8")

    def test_tables_are_printed(self, cli, run) -> None:
        code, out, _ = cli("report", run, "--out", "site", "--split", "stem", "--only", "*/edit1")
        assert code == 0
        assert "By stem" in out and "vocals" in out and "bass" not in out
        assert "Only tasks like */edit1: 2 of 4 edits." in out

    def test_only_limits_what_can_be_heard(self, cli, run) -> None:
        assert cli("report", run, "--out", "site", "--only", "shelf/0/*")[0] == 0
        page = Path("site/index.html").read_text("utf-8")
        assert "shelf/0/edit1" in page and "shelf/1/edit1" not in page

    @pytest.mark.parametrize(
        ("words", "cause", "remedy"),
        [
            (("--split", "stm"), "a report cannot be split by 'stm'", "Did you mean stem?"),
            (("--split", "flag:sean"), "no task of these runs has the flag 'sean'", "Did you mean seen?"),
            (("--only", "vocals*"), "no task matches 'vocals*'", "Task ids look like shelf/0/edit0."),
        ],
    )
    def test_a_wrong_request_is_answered_before_anything_is_written(self, cli, run, words, cause, remedy) -> None:
        code, _, said = cli("report", run, "--out", "site", *words)
        assert code == 2
        assert cause in said and remedy in said
        assert not Path("site").exists()
