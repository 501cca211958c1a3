"""ASB and AMB: columns that are derived from other columns of a section.

Both balance adherence (did the new timbre arrive?) with preservation (of structure or melody), see
`bench.metrics.composite`. Two forms of each:

* `ASB@polyphonia`, `AMB@polyphonia`, as published: CLAP score against LPAPS or CQT1-PCC, each scaled from the worst to
  the best *of the methods and baselines in the section*. They move when one joins or leaves. Controls have none.
* `ASB@anchored`, `AMB@anchored`: the same scaled between controls. Preservation runs from the random clip's to the
  untouched source's, adherence from the untouched source's closeness to the true edit (`clap-true-edit`) to 1, which
  is the true edit's own. So they need both controls in the section and a suite with true edits: without these nobody
  knows which CLAP score full adherence would have.

Where a metric is there in several variants, the one that was published with the composite comes first. CLAP and LPAPS
must be of one network. Intervals come from songs drawn jointly for all runs; no cell is ever marked as best.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.identity import derive_seed
from bench.metrics.composite import over_methods, with_anchors
from reports.load import Estimate, RunReport
from reports.model import Column

UNTOUCHED, UNRELATED = "copy-source", "random-clip"
DECIMALS = 3
DRAWS = 10_000

Floats = npt.NDArray[np.float64]
Estimates = Mapping[str, Estimate]
"""By identity of the column."""


@dataclass(frozen=True)
class Composite:
    """One derived column: which two measured columns it is made of, and how."""

    column: Column
    adherence: Column
    preserved: Column
    anchored: bool


@dataclass(frozen=True)
class _Kind:
    """A composite by name, and the metrics it can be made of, the preferred first."""

    name: str
    adherence: tuple[str, ...]
    preserved: tuple[str, ...]
    anchored: bool
    balance: str


_KINDS = (
    _Kind("ASB@polyphonia", ("clap", "clap@manor2024"), ("lpaps@manor2024", "lpaps"), False, "structure"),
    _Kind("AMB@polyphonia", ("clap", "clap@manor2024"), ("cqt1-pcc@steermusic", "cqt1-pcc"), False, "melody"),
    _Kind("ASB@anchored", ("clap-true-edit",), ("lpaps", "lpaps@manor2024"), True, "structure"),
    _Kind("AMB@anchored", ("clap-true-edit",), ("cqt1-pcc", "cqt1-pcc@steermusic"), True, "melody"),
)


def composites(runs: Sequence[RunReport], columns: Sequence[Column]) -> tuple[Composite, ...]:
    """The composites that the columns of a section allow for.

    Args:
        runs: of the section.
        columns: that were measured.
    """
    found = []
    for kind in _KINDS:
        pairs = [pair for pair in _pairs(kind, columns) if _computable(runs, *pair, anchored=kind.anchored)]
        if pairs:
            # Runs may differ in a metric's identity: the pair that serves most of them, the preferred among equals.
            adherence, preserved = max(pairs, key=lambda pair: len(_served(runs, *pair)))
            column = _column(kind, runs, adherence, preserved)
            found.append(Composite(column, adherence, preserved, kind.anchored))
    return tuple(found)


def derive(wanted: Sequence[Composite], runs: Sequence[RunReport]) -> list[Estimates]:
    """The values of composites for some runs, or for the parts of runs in a group; one mapping a run, in order.

    A run without a value has an estimate without a mean, so that its cell says that there is none.
    """
    found: list[dict[str, Estimate]] = [{} for _ in runs]
    for composite in wanted:
        values = _Values(composite, runs)
        for number, estimate in enumerate(values.estimates()):
            found[number][composite.column.identity] = estimate
    return list(found)


def _pairs(kind: _Kind, columns: Sequence[Column]) -> Iterator[tuple[Column, Column]]:
    """Columns that a composite can be made of, preferred first."""
    for name in kind.adherence:
        for preserved_name in kind.preserved:
            for adherence in (column for column in columns if _base(column) == name):
                for preserved in (column for column in columns if _base(column) == preserved_name):
                    if _network(preserved) in ("", _network(adherence)):
                        yield adherence, preserved


def _base(column: Column) -> str:
    return column.name.partition(":")[0]


def _network(column: Column) -> str:
    return column.name.partition(":")[2]


def _computable(runs: Sequence[RunReport], adherence: Column, preserved: Column, *, anchored: bool) -> bool:
    served = _served(runs, adherence, preserved)
    if anchored:
        return _place(runs, served, UNTOUCHED) is not None and _place(runs, served, UNRELATED) is not None
    return len([number for number in served if runs[number].about.role != "control"]) >= 2


def _served(runs: Sequence[RunReport], adherence: Column, preserved: Column) -> list[int]:
    """Numbers of the runs that have values in both columns."""
    return [
        number
        for number, run in enumerate(runs)
        if all(_mean(run, column) is not None for column in (adherence, preserved))
    ]


def _mean(run: RunReport, column: Column) -> float | None:
    estimate = _estimate(run, column)
    return None if estimate is None else estimate.mean


def _estimate(run: RunReport, column: Column) -> Estimate | None:
    return next((estimate for estimate in run.estimates if estimate.identity == column.identity), None)


def _place(runs: Sequence[RunReport], among: Sequence[int], control: str) -> int | None:
    """The number of the first run of a control."""
    named = (n for n in among if runs[n].about.role == "control" and runs[n].identity.method.name == control)
    return next(named, None)


def _column(kind: _Kind, runs: Sequence[RunReport], adherence: Column, preserved: Column) -> Column:
    served = _served(runs, adherence, preserved)
    pair = f"{adherence.heading} and {preserved.heading}"
    if kind.anchored:
        ends = [n for control in (UNTOUCHED, UNRELATED) if (n := _place(runs, served, control)) is not None]
        between = "between controls"
        told = (
            f"each scaled between fixed ends and cut to 0 … 1: {preserved.heading} from the random clip's to the "
            f"untouched source's, {adherence.heading} from the untouched source's to 1, the true edit's own"
        )
    else:
        ends = [number for number in served if runs[number].about.role != "control"]
        between = f"over {len(ends)} methods"
        told = (
            f"each scaled from 0 for the worst to 1 for the best of the {len(ends)} methods and baselines here, so "
            "that it moves when one joins or leaves; controls have none"
        )
    digests = " ".join(runs[number].digest[:8] for number in ends)
    return Column(
        name=kind.name,
        heading=kind.name,
        identity=f"{kind.name}@1[{between} (runs {digests}), of {adherence.identity} and {preserved.identity}]",
        direction="higher",
        unit="",
        summary=f"derived: balance of adherence and {kind.balance}, {between}",
        decimals=DECIMALS,
        derived=f"harmonic mean of {pair}, {told}",
    )


class _Values:
    """One composite over some runs."""

    def __init__(self, composite: Composite, runs: Sequence[RunReport]):
        self.composite, self.runs = composite, runs
        served = _served(runs, composite.adherence, composite.preserved)
        ends = [_place(runs, served, control) for control in (UNTOUCHED, UNRELATED)]
        ranked = [number for number in served if runs[number].about.role != "control"]
        if composite.anchored:
            self.served, self.ends = served, [served.index(end) for end in ends if end is not None]
            self.enough = len(self.ends) == 2
        else:
            self.served, self.ends, self.enough = ranked, [], len(ranked) >= 2

    def estimates(self) -> list[Estimate]:
        """One a run."""
        found = [self._estimate(number, None, None) for number in range(len(self.runs))]
        if not self.enough:
            return found
        columns = self.composite.adherence, self.composite.preserved
        means = [np.array([_mean(self.runs[n], column) for n in self.served], np.float64) for column in columns]
        try:
            values = self._combined(*means)
        except ValueError:  # controls that are not in order: nothing can be scaled between them
            return found
        spans = self._spans()
        for place, number in enumerate(self.served):
            found[number] = self._estimate(number, float(values[place]), spans[place] if spans else None)
        return found

    def _combined(self, adherence: Floats, preserved: Floats) -> Floats:
        """The composite of means, (..., runs)."""
        kept = -preserved if self.composite.preserved.direction == "lower" else preserved
        if not self.composite.anchored:
            return over_methods(adherence, kept)
        copy, alien = self.ends
        untouched = {"clap": adherence[..., [copy]], "preserved": kept[..., [copy]]}
        return with_anchors(
            adherence, kept, untouched=untouched, unrelated={"preserved": kept[..., [alien]]}, target=1.0
        )

    def _spans(self) -> list[tuple[float, float]]:
        """Ends of each run's 95 % interval, songs drawn jointly; none with fewer than two songs."""
        tables = [self._by_song(column) for column in (self.composite.adherence, self.composite.preserved)]
        songs = sorted({song for table in tables for run in table for song in run})
        if len(songs) < 2:
            return []
        rng = np.random.default_rng(derive_seed(0, "composite"))
        draws = rng.multinomial(len(songs), np.full(len(songs), 1 / len(songs)), size=DRAWS).astype(np.float64)
        means = []
        for table in tables:
            sums, counts = (
                np.array([[run.get(song, (0.0, 0))[part] for song in songs] for run in table], np.float64)
                for part in (0, 1)
            )
            drawn = draws @ counts.T
            means.append(np.divide(draws @ sums.T, drawn, out=np.full_like(drawn, np.nan), where=drawn > 0))
        whole = np.isfinite(means[0]).all(axis=1) & np.isfinite(means[1]).all(axis=1)
        if not whole.any():
            return []
        try:
            values = self._combined(means[0][whole], means[1][whole])
        except ValueError:
            return []
        low, high = np.quantile(values, [0.025, 0.975], axis=0)
        return list(zip(low.tolist(), high.tolist(), strict=True))

    def _by_song(self, column: Column) -> list[dict[str, tuple[float, int]]]:
        """Sum and number of the values of each song, for each run that takes part."""
        found = []
        for number in self.served:
            scores = self.runs[number].scores
            rows = scores[(scores["identity"] == column.identity) & scores["missing"].isna()]
            by_song = rows.groupby("song")["value"].agg(["sum", "count"])
            found.append({str(song): (float(row["sum"]), int(row["count"])) for song, row in by_song.iterrows()})
        return found

    def _estimate(self, number: int, value: float | None, span: tuple[float, float] | None) -> Estimate:
        column = self.composite.column
        parts = [_estimate(self.runs[number], c) for c in (self.composite.adherence, self.composite.preserved)]
        there = [part for part in parts if part is not None and value is not None]
        return Estimate(
            name=column.name,
            identity=column.identity,
            direction="higher",
            summary=column.summary,
            mean=value,
            low=span[0] if span else None,
            high=span[1] if span else None,
            n=min((part.n for part in there), default=0),
            songs=min((part.songs for part in there), default=0),
        )


def notes(columns: Sequence[Column]) -> Iterator[str]:
    """What must be said of derived columns, a line each."""
    for column in columns:
        if column.derived:
            yield f"{column.heading} is derived, not measured, and never in bold: {column.derived}."
