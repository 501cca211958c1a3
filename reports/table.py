"""The table of several runs, as data: what stands in it, and what must be said under it.

Rules, which every medium in `reports.render` and the page inherit:

* Runs of one suite, one plan and one set of seeds stand in one section; others get a section of their own.
* A column is a metric *identity*. One metric with two identities is two columns, and a note shows the difference.
* A cell is a mean with its interval, or says why there is none. Nothing is filled in.
* The best cell of a column is marked only if its interval overlaps no rival's and it rests on no fewer edits.
  Rivals are methods and baselines; controls stand in the table to be looked at, not to be ranked.
* Columns derived from others (ASB, AMB) come last, say so, and have no best cell.
* Methods and baselines have rank sets in a section as a whole; controls and published numbers have none.
* Published numbers stand below the rows, apart, and only where they are asked for.
* A section is followed by its splits: the same columns and rows, over groups of its tasks. Then come the tables that
  only some runs allow for: ablations and grids of knobs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from bench.identity import canonical_json
from reports.ablation import ablations
from reports.composite import Composite, composites
from reports.grid import grids
from reports.groups import Grouping, check, group
from reports.labels import distinct_labels
from reports.load import Estimate, Role, RunReport
from reports.model import Column, Group, Note, Section, Split, Table
from reports.notes import group_mark, section_notes, split_notes
from reports.parts import part
from reports.published.rows import block
from reports.ranks import RULE, ranks
from reports.rows import rows

_ORDER: dict[Role, int] = {"method": 0, "baseline": 1, "control": 2}


def build(runs: Sequence[RunReport], splits: Iterable[str] = (), published: Iterable[str] = ()) -> Table:
    """The table of some runs: methods first, then baselines, controls last, each in the order given.

    Args:
        runs: as `reports.load.load` gives them, or parts of them.
        splits: by what to split each section, see `reports.groups.SPLITS`; a flag of a single section will do.
        published: tables of papers to stand below each section, see `reports.published.names`.

    Raises:
        UsageError: if there is nothing to split by. UnknownNameError: if there is no such published table.
    """
    wanted, papers = tuple(dict.fromkeys(splits)), tuple(dict.fromkeys(published))
    grouped = group_runs(runs)
    if wanted:
        check(wanted, [task for section in grouped for task in section[0].tasks.values()])
    return Table(tuple(_section(section, wanted, papers) for section in grouped))


def group_runs(runs: Iterable[RunReport]) -> list[list[RunReport]]:
    """The runs of each section, in the order of its rows."""
    groups: dict[str, list[RunReport]] = {}
    for run in runs:
        key = canonical_json([run.identity.suite.digest, run.identity.seeds, run.plan_digest])
        groups.setdefault(key, []).append(run)
    return [sorted(group, key=lambda run: _ORDER[run.about.role]) for group in groups.values()]


def split(runs: Sequence[RunReport], by: str) -> Split:
    """The table of the runs of one section, taken apart.

    Args:
        runs: of one suite, one plan and one set of seeds.
        by: one of `reports.groups.SPLITS`.

    Raises:
        UsageError: if there is no such split.
    """
    derived = composites(runs, measured_columns(runs))
    return _split(runs, distinct_labels(runs), derived, group(runs[0].tasks.values(), by))


def _section(runs: Sequence[RunReport], splits: Sequence[str], papers: Sequence[str]) -> Section:
    identity = runs[0].identity
    derived, labels, marks = composites(runs, measured_columns(runs)), distinct_labels(runs), _marks(runs)
    columns = _with(runs, derived)
    tasks = runs[0].tasks.values() if splits else ()
    ranked = ranks(runs, columns)
    return Section(
        suite=f"{identity.suite.name}@{identity.suite.version}",
        suite_digest=identity.suite.digest,
        seeds=identity.seeds,
        only=runs[0].only,
        expected=runs[0].coverage.expected,
        songs=len({item.song for item in runs[0].plan}),
        columns=columns,
        rows=rows(runs, labels, columns, marks, derived, ranked),
        notes=(*section_notes(runs, labels, columns, marks), *([Note(RULE)] if any(ranked) else [])),
        splits=tuple(_split(runs, labels, derived, group(tasks, by)) for by in splits),
        published=tuple(block(name, columns) for name in papers),
        sheets=(*ablations(runs, labels, columns), *grids(runs, columns)),
    )


def _split(runs: Sequence[RunReport], labels: Sequence[str], derived: Sequence[Composite], grouping: Grouping) -> Split:
    columns = _with(runs, derived)
    parts = [[part(run, found.tasks) for run in runs] for found in grouping.groups]
    explained = _marks(runs)
    marks = _marks([*runs, *(run for members in parts for run in members)])
    groups = tuple(
        Group(
            found.name,
            group_mark(members[0].songs),
            len(found.tasks),
            members[0].songs,
            rows(members, labels, columns, marks, derived),
        )
        for found, members in zip(grouping.groups, parts, strict=True)
    )
    new = {code: mark for code, mark in marks.items() if code not in explained}
    notes = split_notes([run for members in parts for run in members], groups, new, overlapping=grouping.overlapping)
    return Split(grouping.by, grouping.title, columns, groups, notes)


def _with(runs: Sequence[RunReport], derived: Sequence[Composite]) -> tuple[Column, ...]:
    """The measured columns, then the derived ones."""
    return (*measured_columns(runs), *(composite.column for composite in derived))


def measured_columns(runs: Sequence[RunReport]) -> tuple[Column, ...]:
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


def _marks(runs: Sequence[RunReport]) -> dict[str, str]:
    """A letter for each code by which a value is missing in these runs: a, b, …, z, aa, bb, …"""
    codes = dict.fromkeys(code for run in runs for estimate in run.estimates for code in sorted(estimate.missing))
    return {code: chr(ord("a") + number % 26) * (1 + number // 26) for number, code in enumerate(codes)}
