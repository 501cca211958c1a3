"""The table of several runs, as data: what stands in it, and what must be said under it.

Rules, which every medium in `reports.render` and the page inherit:

* Runs of one suite, one plan and one set of seeds stand in one section; others get a section of their own.
* A column is a metric *identity*. One metric with two identities is two columns, and a note shows the difference.
* A cell is a mean with its interval, or says why there is none. Nothing is filled in.
* The best cell of a column is marked only if its interval overlaps no rival's and it rests on no fewer edits.
  Rivals are methods and baselines; controls stand in the table to be looked at, not to be ranked.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from bench.identity import canonical_json
from reports.labels import distinct_labels
from reports.load import Estimate, Role, RunReport
from reports.model import Cell, Column, Row, Section, Table
from reports.notes import section_notes

Span = tuple[float | None, float | None, int]
_ORDER: dict[Role, int] = {"method": 0, "baseline": 1, "control": 2}
UNTRAINED = "†"
NOT_MADE = ("failed", "pending")


def build(runs: Sequence[RunReport]) -> Table:
    """The table of some runs: methods first, then baselines, controls last, each in the order given."""
    return Table(tuple(_section(group) for group in group_runs(runs)))


def group_runs(runs: Iterable[RunReport]) -> list[list[RunReport]]:
    """The runs of each section, in the order of its rows."""
    groups: dict[str, list[RunReport]] = {}
    for run in runs:
        key = canonical_json([run.identity.suite.digest, run.identity.seeds, run.plan_digest])
        groups.setdefault(key, []).append(run)
    return [sorted(group, key=lambda run: _ORDER[run.about.role]) for group in groups.values()]


def _section(runs: Sequence[RunReport]) -> Section:
    identity = runs[0].identity
    columns = _columns(runs)
    marks = _missing_marks(runs)
    grid = [[_cell(run, column, marks) for column in columns] for run in runs]
    ranked = [number for number, run in enumerate(runs) if run.about.role != "control"]
    for place, column in enumerate(columns):
        winner = _separated({number: grid[number][place].estimate for number in ranked}, column)
        if winner is not None:
            grid[winner][place] = replace(grid[winner][place], best=True)
    labels = distinct_labels(runs)
    rows = tuple(_row(run, label, cells, marks) for run, label, cells in zip(runs, labels, grid, strict=True))
    return Section(
        suite=f"{identity.suite.name}@{identity.suite.version}",
        suite_digest=identity.suite.digest,
        seeds=identity.seeds,
        expected=runs[0].coverage.expected,
        songs=len({item.song for item in runs[0].directory.plan}),
        columns=columns,
        rows=rows,
        notes=section_notes(runs, labels, columns, marks),
    )


def _row(run: RunReport, label: str, cells: Sequence[Cell], marks: Mapping[str, str]) -> Row:
    return Row(
        label=label,
        mark=UNTRAINED if run.untrained else "",
        role=run.about.role,
        method=f"{run.identity.method.name}@{run.identity.method.version}",
        needs=run.about.needs,
        coverage=run.coverage,
        shortfall=tuple((n, code, marks.get(code, "")) for code in NOT_MADE if (n := getattr(run.coverage, code))),
        songs=run.songs,
        digest=run.digest,
        cells=tuple(cells),
    )


def _columns(runs: Sequence[RunReport]) -> tuple[Column, ...]:
    """One column an identity, in the order of the first run that has it; identities of one name side by side."""
    found: dict[str, dict[str, Estimate]] = {}
    for estimate in (estimate for run in runs for estimate in run.estimates):
        found.setdefault(estimate.name, {}).setdefault(estimate.identity, estimate)
    columns = []
    for name, identities in found.items():
        for number, (identity, first) in enumerate(identities.items(), start=1):
            heading = f"{name} ({number})" if len(identities) > 1 else name
            decimals = _decimals(e.mean for run in runs for e in run.estimates if e.identity == identity)
            columns.append(Column(name, heading, identity, first.direction, first.unit, first.summary, decimals))
    return tuple(columns)


def _decimals(means: Iterable[float | None]) -> int:
    """Decimals that give the largest value four digits or so, as the field's tables do (0.912, 3.540, 87.31)."""
    largest = max((abs(mean) for mean in means if mean is not None), default=0.0)
    if largest == 0.0:
        return 3
    return min(max(3 - max(math.floor(math.log10(largest)), 0), 0), 3) if largest >= 0.1 else 4


def _missing_marks(runs: Sequence[RunReport]) -> dict[str, str]:
    """A letter for each code by which a value is missing in these runs: a, b, …, z, aa, bb, …"""
    codes = dict.fromkeys(code for run in runs for estimate in run.estimates for code in sorted(estimate.missing))
    return {code: chr(ord("a") + number % 26) * (1 + number // 26) for number, code in enumerate(codes)}


def _cell(run: RunReport, column: Column, marks: dict[str, str]) -> Cell:
    estimate = next((e for e in run.estimates if e.identity == column.identity), None)
    if estimate is None:
        return Cell(None)
    missing = [(marks[code], n) for code, n in sorted(estimate.missing.items()) if n and code not in NOT_MADE]
    return Cell(estimate, missing=tuple(missing))


def _separated(rivals: dict[int, Estimate | None], column: Column) -> int | None:
    """The rival whose interval lies wholly on the better side of every other's, if there is one."""
    spans = {
        number: (estimate.low, estimate.high, estimate.n)
        for number, estimate in rivals.items()
        if estimate is not None and estimate.mean is not None
    }
    for number, mine in spans.items():
        others = [span for other, span in spans.items() if other != number]
        if others and all(_beats(mine, other, column.direction) for other in others):
            return number
    return None


def _beats(mine: Span, other: Span, direction: str) -> bool:
    """Whether an interval lies wholly on the better side of another, and rests on no fewer edits."""
    (low, high, n), (other_low, other_high, other_n) = mine, other
    if low is None or high is None or other_low is None or other_high is None or n < other_n:
        return False
    return low > other_high if direction == "higher" else high < other_low
