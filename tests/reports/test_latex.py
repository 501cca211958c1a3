from __future__ import annotations

import pytest
from read_latex import Reader

from reports.latex import COLUMNS_A_TABULAR, escaped, figures, to_latex
from reports.load import load
from reports.table import build

HOSTILE = (
    r"\input{/etc/passwd} \end{document} 100% $x^2$ a_b {c} & #1 ~ ^ | <b> --- '' `` [opt]" + "\n\x1b[31m\u202e 🎻 中 é"
)


def metric(name: str, direction: str = "higher") -> dict[str, str]:
    return {"name": name, "identity": f"{name}@1[x]", "direction": direction, "unit": "", "summary": f"{name} says"}


def build_of(*paths, **options):
    return build([load(path) for path in paths], **options)


@pytest.fixture
def table(rack):
    suite = rack.shelf(songs=("N", "S", "W"))
    metrics = (metric("clap:laion-clap"), metric("dpd-pesto-cents", "lower"))
    good = rack.run(suite, "ours", {"clap:laion-clap": 0.9, "dpd-pesto-cents": 3.25}, metrics=metrics)
    bad = rack.run(
        suite, "sdedit", {"clap:laion-clap": -0.2, "dpd-pesto-cents": 80.5}, metrics=metrics, role="baseline"
    )
    copy = rack.run(
        suite, "copy-source", {"clap:laion-clap": 0.1, "dpd-pesto-cents": 0.0}, metrics=metrics, role="control"
    )
    return build_of(good, bad, copy, published=["polyphonia-musicdelta"])


def test_it_is_a_booktabs_table_that_tex_can_read(table) -> None:
    text = to_latex(table)
    (found,) = Reader(text).read()
    assert (found.columns, set(found.rows)) == ("lrrr", {4})
    assert text.index(r"\toprule") < text.index(r"\midrule") < text.index(r"\bottomrule")
    assert r"ours & 6/6 & \textbf{0.900}\textsuperscript{1} & " in text
    assert r"{\scriptsize {[}0.850, 0.950]}" in text


def test_numbers_have_a_minus_and_names_a_hyphen(table) -> None:
    text = to_latex(table)
    assert "$-$0.200" in text and "copy-source" in text


def test_controls_and_published_numbers_stand_apart(table) -> None:
    text = to_latex(table)
    measured, controls, published = (text.index(word) for word in ("ours &", "Controls, not ranked", "As published"))
    assert measured < text.index("sdedit &") < controls < text.index("copy-source &") < published
    assert published < text.index(r"Melodia &  & \emph{0.380} & ")
    assert r"\textsuperscript" not in text[controls : text.index(r"\end{tabular}")]


def test_many_columns_go_into_several_tabulars(rack) -> None:
    metrics = tuple(metric(f"m{n}") for n in range(COLUMNS_A_TABULAR + 2))
    path = rack.run(rack.shelf(), "x", {m["name"]: 0.5 for m in metrics}, metrics=metrics)
    first, second = Reader(to_latex(build_of(path))).read()
    assert (set(first.rows), set(second.rows)) == ({COLUMNS_A_TABULAR + 2}, {4})


def test_hostile_names_everywhere(rack) -> None:
    hostile = metric(HOSTILE)
    hostile["identity"] = "m@1[x]"
    suite = rack.shelf(name="s", songs=(HOSTILE, "[x]"))
    paths = [
        rack.run(suite, "x", {HOSTILE: 0.5}, metrics=(hostile,), label=label, folder=f"r{n}", config={"knob": value})
        for n, (label, value) in enumerate([(HOSTILE, 1), ("[1ex]", HOSTILE), ("*", 3)])
    ]
    text = to_latex(build_of(*paths, splits=["song"]))
    tables = Reader(text).read()
    assert len(tables) == 3
    assert "[U+1F3BB]" in text and "中" in text and "\x1b" not in text and "\u202e" not in text
    assert to_latex(build_of(*paths, splits=["song"])) == text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("---", "-{}-{}-"),
        (",,", ",{},"),
        ("?`", r"?\textasciigrave{}"),
        (" [x", "{[}x"),
        ("a [x]", "a [x]"),
        ("ρ → ∞", r"$\rho$ $\rightarrow$ $\infty$"),
        ("e\u0301", "é"),
    ],
)
def test_signs(name, shown) -> None:
    assert escaped(name) == shown


def test_hyphens_inside_words_are_no_minus() -> None:
    assert figures("cqt1-2 -3 +-4") == "cqt1-2 $-$3 +$-$4"
