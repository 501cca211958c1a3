from __future__ import annotations

import csv
import io
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reports.escape import clean, csv_cell, markdown

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a|b|c",
    "`code` **bold** _it_ ~~no~~ [x](javascript:alert(1)) ![y](http://evil)",
    "\x1b[31mred\x1b[0m \x1b]8;;http://evil\x07link\x1b]8;;\x07",
    "two\nlines\r\nand\ttab",
    "safe\u202egnp.exe",
    "&lt;b&gt; &amp; \\| \\\\| $x$",
    "# heading",
    "\ud800 lone",
]
marked = st.text(alphabet=st.one_of(st.sampled_from("`*_[]()<>|~#&!$\\@:/\n\x1b-+ab1. "), st.characters()), max_size=40)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def _as_cell(text: str) -> _Text:
    """What a Markdown reader makes of a table with the text in one cell."""
    source = f"| head | b |\n| -- | -- |\n| x{markdown(text)}x | last |\n"
    seen = _Text()
    seen.feed(MarkdownIt("commonmark").enable("table").enable("strikethrough").render(source))
    return seen


@given(marked)
def test_clean_text_is_one_visible_line(text: str) -> None:
    shown = clean(text)
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs"}]
    assert len(shown.splitlines()) <= 1
    assert clean(shown) == shown
    shown.encode("utf-8")


def test_clean_keeps_what_people_write() -> None:
    title = "Jóga (日本語 mix) — “Ünïcode” №5 🎻"
    assert clean(title) == title


@given(marked)
def test_markdown_shows_the_text_and_nothing_else(text: str) -> None:
    seen = _as_cell(text)
    assert set(seen.tags) <= {"table", "thead", "tbody", "tr", "th", "td"}
    cells = [part for part in seen.text.split("\n") if part]
    assert cells[:2] == ["head", "b"] and cells[-1] == "last"
    assert " ".join(cells[2].replace("\u2060", "").split()) == " ".join(
        f"x{clean(text)}x".replace("\u2060", "").split()
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_of_hostile_names(text: str) -> None:
    seen = _as_cell(text)
    assert set(seen.tags) <= {"table", "thead", "tbody", "tr", "th", "td"}
    assert seen.tags.count("td") == 2


@pytest.mark.parametrize(
    "name",
    [
        *("@someone", "by @org/team", "é@someone", "#12", "owner/repo#12", "GH-12"),
        *("see http://evil.example", "www.evil.example"),
    ],
)
def test_what_code_hosts_link_after_markdown_is_broken_up(name: str) -> None:
    escaped = markdown(name)
    assert name not in escaped
    assert escaped.replace("\u2060", "") == name


def test_metric_identities_stay_copyable() -> None:
    assert "\u2060" not in markdown("cqt1-pcc@1[16 kHz mono]")


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "  =1", "\r=1", "＝1", '=HYPERLINK("x","y")']
)
def test_no_csv_cell_starts_a_formula(text: str) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([csv_cell(text), "after"])
    cell, after = next(csv.reader(io.StringIO(buffer.getvalue())))
    assert cell.startswith("'") and after == "after"


def test_plain_text_is_not_changed_in_csv() -> None:
    assert csv_cell("guitar → violin, 50 %") == "guitar → violin, 50 %"
