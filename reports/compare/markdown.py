"""A comparison as Markdown for a pull request: what it says first, the rest folded up, and never too long.

Names in it come from anyone (the author of a pull request among them), so every one is cleaned, cut and escaped:
no mention, link, image, HTML or table row can come out of them. If the whole is too long, the least important blocks
get fewer rows and then go, and the last lines say what went; no block is cut in its middle.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.errors import UsageError
from reports.compare import figures
from reports.compare.model import (
    Breakdown,
    Comparison,
    FieldDifference,
    GroupDelta,
    MetricComparison,
    PairDelta,
    Verdict,
)
from reports.escape import markdown

LIMIT_BYTES = 60_000
"""GitHub takes 65,536 characters."""
SMALLEST_LIMIT = 4_000
WORST_SHOWN = 3

_KEY = re.compile(r"[A-Za-z0-9._-]{0,64}")
_NAME, _SENTENCE = 100, 400
_ROWS = (100, 30, 10, 3)
_BLOCK_START = tuple("#+-=>*:|~`0123456789")
_WORD_JOINER = "\u2060"


def marker(key: str = "") -> str:
    """The first line, which GitHub does not show, and by which our comment is found again.

    Args:
        key: tells several comparisons of one pull request apart.

    Raises:
        UsageError: if the key has other than letters, digits, dots, hyphens and underscores, or more than 64.

    >>> marker("polyphonia")
    '<!-- timbrebench-compare polyphonia -->'
    """
    if not _KEY.fullmatch(key) or "--" in key:
        raise UsageError(
            f"{key!r} cannot be a key of a comment",
            where="key",
            remedy="Use letters, digits, '.', '_' and single '-', at most 64.",
            code="compare/key",
        )
    return f"<!-- timbrebench-compare{f' {key}' if key else ''} -->"


def render_markdown(comparison: Comparison, *, limit_bytes: int = LIMIT_BYTES, key: str = "") -> str:
    """A comparison as GitHub-flavoured Markdown.

    Args:
        comparison: of any origin; its texts may be hostile.
        limit_bytes: most bytes of the result in UTF-8.
        key: see `marker`.

    Raises:
        UsageError: if the limit is below `SMALLEST_LIMIT`, or the key will not do.
    """
    if limit_bytes < SMALLEST_LIMIT:
        raise UsageError(
            f"no comparison fits into {limit_bytes} bytes",
            where="limit_bytes",
            remedy=f"Allow at least {SMALLEST_LIMIT}.",
            code="compare/limit",
        )
    first, blocks = marker(key), list(_blocks(comparison))
    chosen = [0] * len(blocks)
    text = _joined(first, blocks, chosen)
    # The most important block goes last; the head has one form only, and is shorter than any limit.
    for place in sorted(range(len(blocks)), key=lambda place: -blocks[place].rank):
        while len(text.encode()) > limit_bytes and chosen[place] < len(blocks[place].forms) - 1:
            chosen[place] += 1
            text = _joined(first, blocks, chosen)
    return text


# -- blocks -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Block:
    """A part of the text that is there, there with fewer rows, or not.

    Attributes:
        name: what the note on what was left out calls it.
        rank: the larger, the sooner it goes.
        forms: the longest first; the last is empty, or can always be kept.
    """

    name: str
    rank: int
    forms: tuple[str, ...]


def _joined(first: str, blocks: Sequence[_Block], chosen: Sequence[int]) -> str:
    texts = [block.forms[chosen[place]] for place, block in enumerate(blocks)]
    gone = [block.name for place, block in enumerate(blocks) if chosen[place] and not texts[place]]
    cut = [block.name for place, block in enumerate(blocks) if chosen[place] and texts[place]]
    told = [f"shortened: {', '.join(cut)}"] * bool(cut) + [f"left out: {', '.join(gone)}"] * bool(gone)
    note = f"To keep this short, {'; '.join(told)}. comparison.json has all." if told else ""
    return "\n\n".join([first + "\n" + texts[0], *filter(None, texts[1:]), *filter(None, [note])]) + "\n"


def _blocks(comparison: Comparison) -> Iterator[_Block]:
    """All blocks, in the order of the text."""
    allowed, forbidden = (
        [_field(each) for each in comparison.differences if each.allowed is may] for may in (True, False)
    )
    worst, more = comparison.worst[:WORST_SHOWN], comparison.worst[WORST_SHOWN:]
    yield _Block("verdict", 0, (_head(comparison),))
    yield from _lists(comparison)
    yield _table("fields that differ", 2, _FIELDS, forbidden, above="**What differs**")
    yield _table("gate", 1, _GATE, map(_gate_row, comparison.gated))
    yield _Block("coverage", 2, (figures.coverage(comparison), ""))
    yield _table("worst edits", 3, _PAIRS, map(_pair, worst), above="**Edits that lost most**")
    yield _table("more of the worst edits", 6, _PAIRS, map(_pair, more), fold="More edits that lost")
    yield _table("best edits", 6, _PAIRS, map(_pair, comparison.best), fold="Edits that gained most")
    yield from _breakdowns(comparison)
    fold = "Other metrics, which decide nothing"
    yield _table("other metrics", 6, _OTHERS, map(_other, comparison.exploratory), fold=fold)
    yield _table("power", 4, _POWER, map(_power, comparison.metrics), fold="What could have been found")
    if alarms := figures.false_alarms(comparison):
        yield _Block("false alarms", 3, (_sentence(alarms), ""))
    yield _table("the two runs", 4, _RUNS, _runs(comparison), fold="The two runs")
    yield _table("fields that may differ", 5, _FIELDS, allowed, fold="In what the runs differ")
    yield _table("identities", 7, _IDENTITIES, _identities(comparison), fold="What moves each metric's value")


def _head(comparison: Comparison) -> str:
    verdict = comparison.verdict
    return f"### timbrebench: {verdict}\n\n{_sentence(figures.told(comparison))}\n\n{figures.MEANINGS[verdict]}"


def _lists(comparison: Comparison) -> Iterator[_Block]:
    for name, rank, texts in (("what is missing", 2, comparison.incomplete), ("caveats", 2, comparison.caveats)):
        if texts:
            yield _Block(name, rank, tuple(_list(texts, kept) for kept in _kept(len(texts))))


def _list(texts: Sequence[str], kept: int) -> str:
    shown = [f"- **{_text(text, _SENTENCE)}**" for text in texts[:kept]]
    more = [f"- and {len(texts) - kept:,} more"] if 0 < kept < len(texts) else []
    return "\n".join([*shown, *more])


def _folded_pairs(name: str, fold: str, pairs: Sequence[PairDelta]) -> _Block:
    return _table(name, 6, _PAIRS, map(_pair, pairs), fold=fold)


def _table(
    name: str, rank: int, heads: Sequence[str], rows: Iterable[Sequence[str]], *, above: str = "", fold: str = ""
) -> _Block:
    """A table of ready cells, above it a line, all of it folded up below one if that is given (our own words).

    It is as empty as its rows.
    """
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return _Block(name, rank, ("",))
    words = heads in (_FIELDS, _RUNS)
    sides = (":--" if words or head in _WORDS else "--:" for head in heads)
    top = [f"| {' | '.join(heads)} |", f"| {' | '.join(sides)} |"]

    def form(kept: int) -> str:
        if kept == 0:
            return ""
        more = [f"\nand {len(lines) - kept:,} more"] if kept < len(lines) else []
        body = "\n".join([*([f"{above}\n"] if above else []), *top, *lines[:kept], *more])
        # GitHub reads Markdown within HTML only after a blank line.
        return f"<details><summary>{fold}</summary>\n\n{body}\n\n</details>" if fold else body

    return _Block(name, rank, tuple(form(kept) for kept in _kept(len(lines))))


def _kept(number: int) -> tuple[int, ...]:
    """How many rows the forms of a block have."""
    return (number, *(kept for kept in _ROWS if kept < number), 0)


# -- rows -------------------------------------------------------------------------------------------------------------

_GATE = ("gate metric", "base", "new", "difference [95 %]", "p (Holm)", "matters from", "verdict")
_OTHERS = ("metric", "base", "new", "difference [95 %]", "p", "reads as")
_POWER = ("metric", "rests on", "could find", "to decide", "no value")
_PAIRS = ("edit", "stem", "seed", "gain", "most of it", "base", "new")
_GROUPS = ("group", "metric", "pairs", "songs", "base", "new", "difference [95 %]")
_FIELDS = ("field", "base", "new")
_RUNS = ("", "base", "new")
_IDENTITIES = ("metric", "identity")
_WORDS = frozenset({*_IDENTITIES, *_POWER, "gate metric", "verdict", "reads as", "edit", "stem", "most of it", "group"})
"""Columns that do not hold numbers."""
_FOLDS: Mapping[str, str] = {
    "stem": "By stem",
    "source-instrument": "By source instrument",
    "target-instrument": "By target instrument",
    "flag": "By flag",
}


def _gate_row(metric: MetricComparison) -> Sequence[str]:
    places = figures.decimals(metric)
    verdict = metric.verdict.value if metric.verdict is not Verdict.REGRESSED else f"**{metric.verdict.value}**"
    reason = f": {_text(metric.reason)}" if metric.reason else ""
    return (
        *_measured(metric),
        figures.probability(metric.p_holm),
        figures.number(metric.smallest_effect, places),
        verdict + reason,
    )


def _other(metric: MetricComparison) -> Sequence[str]:
    return (*_measured(metric), figures.probability(metric.p), metric.verdict.value)


def _measured(metric: MetricComparison) -> Sequence[str]:
    places = figures.decimals(metric)
    means = (figures.number(value, places) for value in (metric.base_mean, metric.new_mean))
    return (_text(figures.heading(metric.name, metric.direction, metric.unit)), *means, figures.change(metric, places))


def _power(metric: MetricComparison) -> Sequence[str]:
    needs = _text(figures.decisive(metric), _SENTENCE)
    could = figures.number(metric.mde, figures.decimals(metric))
    return (_text(metric.name), figures.basis(metric), could, needs, _text(figures.missing(metric.missing), _SENTENCE))


def _pair(pair: PairDelta) -> Sequence[str]:
    mine = next((value for value in pair.values if value.metric == pair.metric), None)
    values = ("", "") if mine is None else (figures.value(mine.base), figures.value(mine.new))
    return (_text(pair.task), _text(pair.stem), figures.seeds(pair), f"{pair.gain:+.2f}", _text(pair.metric), *values)


def _breakdowns(comparison: Comparison) -> Iterator[_Block]:
    """One table a property, with the gate's metrics below each other."""
    places = {metric.name: figures.decimals(metric) for metric in comparison.metrics}
    by_property: dict[str, list[Breakdown]] = {}
    for breakdown in comparison.breakdowns:
        by_property.setdefault(breakdown.by, []).append(breakdown)
    for by, mine in by_property.items():
        fold = _FOLDS.get(by, "By another property")
        rows = (_group(each, group, places.get(each.metric, 3)) for each in mine for group in each.groups)
        above = "" if by in _FOLDS else _sentence(mine[0].title)
        yield _table(fold[0].lower() + fold[1:], 5, _GROUPS, rows, above=above, fold=fold)


def _group(breakdown: Breakdown, group: GroupDelta, places: int) -> Sequence[str]:
    metric = figures.heading(breakdown.metric, breakdown.direction, breakdown.unit)
    means = (figures.number(value, places) for value in (group.base_mean, group.new_mean))
    sizes = (f"{group.n:,}", f"{group.songs:,}")
    return (_text(group.name), _text(metric), *sizes, *means, figures.change(group, places))


def _field(difference: FieldDifference) -> Sequence[str]:
    return (_text(difference.field), _text(difference.base), _text(difference.new))


def _runs(comparison: Comparison) -> Iterator[Sequence[str]]:
    sides = (comparison.base, comparison.new)
    yield ("run", *(_text(side.label) for side in sides))
    yield ("identity", *(_text(side.digest[:16]) for side in sides))
    yield ("method", *(_text(f"{side.method}@{side.version}") for side in sides))
    yield ("backbone", *(_text(side.backbone or "none") for side in sides))
    yield ("suite", *(_text(f"{side.suite} {side.suite_digest[:12]}") for side in sides))
    yield ("seeds", *(_text(", ".join(map(str, side.seeds))) for side in sides))
    yield ("timbrebench", *(_text(side.timbrebench) for side in sides))
    yield ("scored", *(_text(side.scored) for side in sides))


def _identities(comparison: Comparison) -> Iterator[Sequence[str]]:
    for metric in comparison.metrics:
        yield (_text(metric.name), _text(metric.identity, _SENTENCE))
        if metric.new_identity is not None:
            yield (f"{_text(metric.name)} in the new run", _text(metric.new_identity, _SENTENCE))


# -- text -------------------------------------------------------------------------------------------------------------


def _text(text: str, most: int = _NAME) -> str:
    """A name as a cell, or within a line."""
    return markdown(text if len(text) <= most else f"{text[: most - 1]}…")


def _sentence(text: str) -> str:
    """A paragraph of its own, which begins no heading, list, quotation or block of code."""
    escaped = _text(text.strip(), _SENTENCE).strip()
    return f"{_WORD_JOINER}{escaped}" if escaped.startswith(_BLOCK_START) else escaped
