"""The trade-off grid of MI-guided inpainting: the share of timbre channels k against the clamped fraction ρ.

One table a metric, for the two sides of the trade-off (`reports.axes`): k in rows, ρ in columns. It is made of runs of
one method that differ in these two knobs alone, whichever method has them.

Source: Lee et al., ICASSP 2026, arXiv 2601.01294, the ablation over k and the clamp.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.identity import canonical_json
from reports import cells
from reports.axes import sides
from reports.knobs import leaves
from reports.load import Estimate, RunReport
from reports.model import Column, Note
from reports.sheet import Sheet, SheetCell, SheetRecord

KNOBS = ("k", "rho")
SYMBOLS = ("k", "ρ")

_Places = Mapping[tuple[float, float], RunReport]


def grids(runs: Sequence[RunReport], columns: Sequence[Column]) -> tuple[Sheet, ...]:
    """The grids of some runs: none unless at least two values of one knob and three runs are there.

    Args:
        runs: of one suite, one plan and one set of seeds; the first of several at one place counts.
        columns: of their table.
    """
    found: dict[str, dict[tuple[float, float], RunReport]] = {}
    for run in runs:
        config = run.identity.method.config
        place = tuple(config.get(knob) for knob in KNOBS)
        if all(isinstance(value, int | float) and not isinstance(value, bool) for value in place):
            k, rho = (float(str(value)) for value in place)
            found.setdefault(_rest(run), {}).setdefault((k, rho), run)
    return tuple(
        _grid(places, column)
        for places in found.values()
        if len(places) >= 3
        for column in sides([c for c in columns if _filled(places, c)]) or ()
    )


def _rest(run: RunReport) -> str:
    """All of a run's identity but the two knobs."""
    knobs = {f"method.config.{knob}" for knob in KNOBS}
    return canonical_json({key: v for key, v in leaves(run.directory.identity).items() if key not in knobs})


def _filled(places: _Places, column: Column) -> bool:
    return any((e := _estimate(run, column)) is not None and e.mean is not None for run in places.values())


def _estimate(run: RunReport, column: Column) -> Estimate | None:
    return next((estimate for estimate in run.estimates if estimate.identity == column.identity), None)


def _grid(places: _Places, column: Column) -> Sheet:
    ks, rhos = (sorted({place[axis] for place in places}, reverse=axis == 0) for axis in (0, 1))
    name = next(iter(places.values())).identity.method.name
    return Sheet(
        kind="grid",
        title=f"{name}: {column.heading} {cells.direction(column)} by {SYMBOLS[0]} and {SYMBOLS[1]}",
        heads=(f"{SYMBOLS[0]} \\ {SYMBOLS[1]}", *(f"{rho:g}" for rho in rhos)),
        rows=tuple((f"{k:g}", tuple(_cell(places.get((k, rho)), column) for rho in rhos)) for k in ks),
        notes=(
            Note(
                f"{SYMBOLS[0]}: share of channels that are timbre, falling downwards; {SYMBOLS[1]}: fraction of the "
                "steps that are clamped to the source. Mean [95 % interval over songs]; a dash where there was no run. "
                "Nothing is bold: a cell chosen from a grid looks better than it is."
            ),
        ),
        records=tuple(_record(place, run, column) for place, run in sorted(places.items(), key=lambda item: item[0])),
    )


def _cell(run: RunReport | None, column: Column) -> SheetCell:
    estimate = None if run is None else _estimate(run, column)
    if estimate is None or estimate.mean is None:
        return SheetCell(cells.NOTHING)
    if estimate.low is None or estimate.high is None:
        return SheetCell(cells.number(estimate.mean, column))
    span = f"[{cells.number(estimate.low, column)}, {cells.number(estimate.high, column)}]"
    return SheetCell(cells.number(estimate.mean, column), span)


def _record(place: tuple[float, float], run: RunReport, column: Column) -> SheetRecord:
    estimate = _estimate(run, column)
    numbers = {key: getattr(estimate, key) if estimate else None for key in ("mean", "low", "high", "n", "songs")}
    shared: dict[str, str | float | int | None] = {
        "run": run.label,
        "method": run.identity.method.name,
        "k": place[0],
        "rho": place[1],
    }
    return {**shared, "metric": column.name, "identity": column.identity, "direction": column.direction, **numbers}
