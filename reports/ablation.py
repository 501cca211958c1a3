"""Ablation tables: what happens if one knob of a method is turned, everything else being the same.

The first run of a method is the base. A run that differs from it in exactly one field of its configuration is a row:
the mean paired difference to the base in every column, with its interval by songs. A run that differs in more, or in
anything else (another checkpoint, another version), is no ablation; a note says in what it differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.stats.clusters import cluster_sums
from bench.stats.holm import holm
from bench.stats.paired import MeanTest, paired_test
from reports import cells
from reports.knobs import Difference, differences
from reports.load import Estimate, RunReport
from reports.model import Column, Note
from reports.sheet import Sheet, SheetCell, SheetRecord

if TYPE_CHECKING:
    import pandas as pd

ALPHA = 0.05
_SHOWN_FIELDS = 4


@dataclass(frozen=True)
class _Delta:
    """A difference to the base, new minus base; a test only where there are values edit by edit."""

    base: float
    mean: float
    n: int
    test: MeanTest | None
    corrected: float | None = None

    @property
    def clear(self) -> bool:
        return self.corrected is not None and self.corrected < ALPHA


def ablations(runs: Sequence[RunReport], labels: Sequence[str], columns: Sequence[Column]) -> tuple[Sheet, ...]:
    """One table for each method of which a run differs from the first in one knob.

    Args:
        runs: of one suite, one plan and one set of seeds.
        labels: of each run.
        columns: of their table; derived ones are left out, since they depend on all runs at once.
    """
    by_method: dict[str, list[int]] = {}
    for number, run in enumerate(runs):
        if run.about.role != "control":
            by_method.setdefault(run.identity.method.name, []).append(number)
    measured = [column for column in columns if not column.derived]
    found = (_ablation([runs[n] for n in group], [labels[n] for n in group], measured) for group in by_method.values())
    return tuple(sheet for sheet in found if sheet is not None)


def _ablation(runs: Sequence[RunReport], labels: Sequence[str], columns: Sequence[Column]) -> Sheet | None:
    base, others = runs[0], list(zip(runs[1:], labels[1:], strict=True))
    compared = [(run, label, differences(base, run)) for run, label in others]
    turned = [(run, label, what[0]) for run, label, what in compared if len(what) == 1 and what[0].knob]
    if not turned:
        return None
    wanted = [column for column in columns if _estimate(base, column) is not None]
    deltas = _corrected([[_delta(base, run, column) for column in wanted] for run, _, _ in turned])
    rows = [(f"{labels[0]} (base)", tuple(_base_cell(base, column) for column in wanted))]
    records: list[SheetRecord] = []
    for (_, label, knob), line in zip(turned, deltas, strict=True):
        rows.append((_turned(knob), tuple(_cell(d, column) for d, column in zip(line, wanted, strict=True))))
        records += [_record(label, knob, d, column) for d, column in zip(line, wanted, strict=True) if d is not None]
    return Sheet(
        kind="ablation",
        title=f"Ablations of {base.identity.method.name}: one knob at a time",
        heads=("", *(f"{column.heading} {cells.direction(column)}" for column in wanted)),
        rows=tuple(rows),
        notes=tuple(_notes(labels[0], compared)),
        records=tuple(records),
    )


def _turned(knob: Difference) -> str:
    return f"{knob.name}: {knob.base} → {knob.new}"


def _delta(base: RunReport, run: RunReport, column: Column) -> _Delta | None:
    before, after = _estimate(base, column), _estimate(run, column)
    if before is None or after is None or before.mean is None or after.mean is None:
        return None
    if before.corpus or after.corpus:
        return _Delta(before.mean, after.mean - before.mean, after.n, None)
    both = _values(base, column).join(_values(run, column), how="inner", lsuffix="_base", rsuffix="_new")
    if both.empty:
        return None
    sums = cluster_sums((both["value_new"] - both["value_base"]).to_numpy("float64"), both["song_base"].tolist())
    test = paired_test(*sums.arrays, alpha=ALPHA)
    return _Delta(before.mean, test.mean, sums.n, test)


def _estimate(run: RunReport, column: Column) -> Estimate | None:
    return next((estimate for estimate in run.estimates if estimate.identity == column.identity), None)


def _values(run: RunReport, column: Column) -> pd.DataFrame:
    scores = run.scores
    rows = scores[(scores["identity"] == column.identity) & scores["missing"].isna()]
    return rows.set_index(["task", "seed"])[["value", "song"]]


def _corrected(deltas: Sequence[Sequence[_Delta | None]]) -> list[list[_Delta | None]]:
    """The same with p corrected over the whole table (Holm)."""
    flat = [(r, c, d.test.p) for r, line in enumerate(deltas) for c, d in enumerate(line) if d and d.test]
    tested = [(r, c, p) for r, c, p in flat if p is not None]
    table = [list(line) for line in deltas]
    for (r, c, _), p in zip(tested, holm([p for _, _, p in tested]), strict=True):
        delta = table[r][c]
        assert delta is not None
        table[r][c] = _Delta(delta.base, delta.mean, delta.n, delta.test, p)
    return table


def _base_cell(base: RunReport, column: Column) -> SheetCell:
    estimate = _estimate(base, column)
    return SheetCell(
        cells.NOTHING if estimate is None or estimate.mean is None else cells.number(estimate.mean, column)
    )


def _cell(delta: _Delta | None, column: Column) -> SheetCell:
    if delta is None:
        return SheetCell(cells.NOTHING)
    span = delta.test
    below = "" if span is None or span.low is None or span.high is None else _span(span.low, span.high, column)
    return SheetCell(_signed(delta.mean, column), below, delta.clear)


def _span(low: float, high: float, column: Column) -> str:
    return f"[{_signed(low, column)}, {_signed(high, column)}]"


def _signed(value: float, column: Column) -> str:
    return f"{round(value, column.decimals) + 0.0:+.{column.decimals}f}"


def _record(label: str, knob: Difference, delta: _Delta, column: Column) -> SheetRecord:
    test = delta.test
    return {
        "run": label,
        "knob": knob.name,
        "base_setting": knob.base,
        "setting": knob.new,
        "metric": column.name,
        "identity": column.identity,
        "direction": column.direction,
        "unit": column.unit,
        "base": delta.base,
        "difference": delta.mean,
        "low": test.low if test else None,
        "high": test.high if test else None,
        "p": test.p if test else None,
        "p_holm": delta.corrected,
        "n": delta.n,
        "songs": test.clusters if test else None,
    }


def _notes(base: str, compared: Sequence[tuple[RunReport, str, tuple[Difference, ...]]]) -> Iterator[Note]:
    yield Note(
        f"First row: means of {base}. Below: mean paired difference to it [95 % interval, by songs], over the edits "
        f"that both have. Bold: p < {ALPHA:g} after Holm's correction over this table. Metrics with one value for a "
        "run have no interval here."
    )
    for _, label, what in compared:
        if len(what) == 1 and what[0].knob:
            continue
        shown = ", ".join(f"{d.name}: {d.base} → {d.new}" for d in what[:_SHOWN_FIELDS])
        more = f", and {len(what) - _SHOWN_FIELDS} more" if len(what) > _SHOWN_FIELDS else ""
        why = f"differs in {shown}{more}" if what else "is the same thing as the base"
        yield Note(f"Not in this table: {label}, which {why}.")
