from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from made_comparison import breakdown, comparison, hostile, metric, side
from markdown_it import MarkdownIt
from parsed_page import EVIL

from bench.errors import UsageError
from reports.compare.markdown import LIMIT_BYTES, marker, render_markdown
from reports.compare.model import FieldDifference, Verdict

OURS = {"h3", "p", "table", "thead", "tbody", "tr", "th", "td", "strong", "details", "summary", "ul", "li"}
TRICKS = [
    EVIL,
    "@octocat and é@octocat and @org/team",
    "owner/repo#12 #12 GH-12 !3 https://evil.example www.evil.example",
    "![pixel](https://evil.example/x.png) [click](javascript:alert(1))",
    "a | b | c\n| d |",
    "`code` **bold** _it_ ~~no~~ $x$ \\| <!-- comment -->",
    "--> <details open> </summary></details>",
    "# heading",
    "\n\n# heading\n\n- item\n1. one\n> quoted\n```\ncode",
    "1. one",
    "+ item",
    "    code",
    "=====",
    "[x]: https://evil.example",
    "\x1b[31mred \u202e \ud800",
]


class Seen(HTMLParser):
    """What a reader makes of the Markdown: tags, links, and the text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.comments: list[str] = []
        self.text = ""
        # HTML is let through, as GitHub does it: what must not be there has to be escaped.
        self.feed(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(source))

    def handle_starttag(self, tag, attrs) -> None:
        assert not attrs or tag in {"th", "td"}, (tag, attrs)
        self.tags.append(tag)

    def handle_comment(self, data) -> None:
        self.comments.append(data)

    def handle_data(self, data) -> None:
        self.text += data


def rows(text: str, head: str) -> list[list[str]]:
    """Cells of the rows of the table whose head begins so."""
    lines = text.split(f"| {head}", 1)[1].split("\n")[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[: lines.index("")]]


def test_the_verdict_comes_first_and_says_what_it_means() -> None:
    lines = render_markdown(comparison()).split("\n")
    assert lines[0] == marker()
    assert lines[1] == "### timbrebench: REGRESSED"
    assert lines[3].startswith("clap fell by 0.050")
    assert lines[5].endswith("This fails the check.")


def test_the_gate_table_has_differences_intervals_and_corrected_p() -> None:
    (clap, lpaps) = rows(render_markdown(comparison()), "gate metric")
    assert clap == ["clap ↑", "0.510", "0.460", "-0.050 [-0.070, -0.030]", "0.012", "0.020", "**REGRESSED**"]
    assert lpaps[0] == "lpaps ↓" and lpaps[-1] == "INCONCLUSIVE"


def test_three_of_the_worst_edits_stand_open_and_the_rest_is_folded() -> None:
    text = render_markdown(comparison())
    seen = rows(text, "edit")
    assert [row[0] for row in seen] == [f"ci/s0/vocals2violin{n}" for n in range(3)]
    assert seen[0][1:] == ["vocals", "0", "-1.50", "clap", "0.5", "0.25"]
    assert text.count("vocals2violin9") == 1
    assert text.index("vocals2violin2") < text.index("<details>") < text.index("vocals2violin3")


def test_power_false_alarms_identities_and_breakdowns_are_there() -> None:
    text = render_markdown(comparison())
    power = rows(text, "metric | rests on")
    assert power[0][1:3] == ["12 pairs of 4 songs, n_eff 6.4", "0.031"]
    assert power[1][3] == "about 40 songs would decide"
    assert power[2][4] == "neither run: 3 no-true-edit"
    assert "4.5 % \\[2.7, 7.0\\] of 400 simulated comparisons of equal runs, and 1 of 15 real ones" in text
    assert [row[0] for row in rows(text, "group")] == ["vocals", "bass"]
    assert ["clap", "clap@1\\[48 kHz\\]"] in rows(text, "metric | identity")
    assert rows(text, "field") == [["method.config.lam", "0.5", "0.0"]]


def test_runs_of_another_kind_show_what_differs_first() -> None:
    field = FieldDifference(field="backbone.digest", base="aa", new="bb", allowed=False)
    text = render_markdown(
        comparison(Verdict.NOT_COMPARABLE, metrics=(), breakdowns=(), worst=(), best=(), differences=(field,))
    )
    assert "### timbrebench: NOT_COMPARABLE" in text
    assert rows(text, "field") == [["backbone.digest", "aa", "bb"]]
    assert text.index("backbone.digest") < text.index("<details>")


def test_missing_results_are_told_with_their_reasons() -> None:
    lost = side("new", generated=9, failed=1, pending=2)
    text = render_markdown(comparison(Verdict.INCOMPLETE, new=lost, incomplete=("3 of 12 edits are missing",)))
    assert "- **3 of 12 edits are missing**" in text
    assert "new 9 of 12 edits (1 failed, 2 not run)" in text


@pytest.mark.parametrize("text", TRICKS)
@pytest.mark.parametrize("limit", [LIMIT_BYTES, 4_000])
def test_hostile_names_are_text_and_nothing_else(text, limit) -> None:
    source = render_markdown(hostile(text), limit_bytes=limit)
    seen = Seen(source)
    assert set(seen.tags) <= OURS
    assert seen.comments == [marker()[4:-3]]
    assert seen.tags.count("h3") == 1
    assert not re.search(r"(?<![A-Za-z0-9_])@\w|#\d|GH-\d|://|www\.", seen.text)
    assert "\x1b" not in source and "\u202e" not in source
    source.encode("utf-8")


@pytest.mark.parametrize(("limit", "rows_"), [(4_000, 1), (4_000, 60), (10_000, 8), (30_000, 60)])
def test_the_limit_holds_whatever_is_in_it(limit, rows_) -> None:
    text = render_markdown(hostile("&" * 3_000, rows_), limit_bytes=limit)
    assert len(text.encode()) <= limit
    assert text.startswith(f"{marker()}\n### timbrebench: REGRESSED")


def test_what_had_to_go_is_told_and_what_stays_is_whole() -> None:
    names = tuple(f"instrument {n}" for n in range(300))
    many = comparison(breakdowns=(breakdown("target-instrument", names),))
    assert len(rows(render_markdown(many, limit_bytes=200_000), "group")) == 300
    text = render_markdown(many, limit_bytes=20_000)
    assert len(rows(text, "group")) in (100, 30, 10, 3)
    assert re.search(r"^and \d+ more$", text, re.MULTILINE)
    assert "shortened: by target instrument" in text and "comparison.json has all." in text
    assert rows(text, "gate metric") and rows(text, "edit")
    assert Seen(text).tags.count("details") == text.count("</details>")
    for table in re.findall(r"(?m)(?:^\|.*\n)+", text):
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_the_gate_outlives_everything_else() -> None:
    long = comparison(metrics=(metric("m" * 90),) * 12, caveats=("c" * 390,) * 12)
    text = render_markdown(long, limit_bytes=4_000)
    assert "gate metric" in text and "left out:" in text


def test_a_limit_that_nothing_fits_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        render_markdown(comparison(), limit_bytes=3_000)
    assert caught.value.code == "compare/limit"


@pytest.mark.parametrize("key", ["a b", "-->", "a--b", "x" * 65, "a\nb"])
def test_a_key_cannot_leave_its_comment(key) -> None:
    with pytest.raises(UsageError):
        marker(key)


def test_numbers_of_any_size_do_no_harm() -> None:
    huge = metric(difference=1e308, low=-1.7e308, high=1.7e308, base_mean=5e-324, n=10**4000, smallest_effect=None)
    text = render_markdown(comparison(metrics=(huge,), pairs=10**4000))
    assert len(text.encode()) <= LIMIT_BYTES
