"""What a comparison is made of. `reports.compare.compare` builds it; terminal, JSON, Markdown, JUnit and page write it.

Signs: a *difference* is new minus base, in the metric's unit, whatever the direction. A *gain* is the difference
turned so that more is better (`MetricComparison.gain`, `PairDelta.gain`).

Text in here (labels, task ids, stems, flags, reasons, identities) comes from runs and data sets, and is not escaped:
each medium does that for itself, see `reports.escape`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA: Final = "timbrebench-comparison@1"


class Verdict(StrEnum):
    """What a comparison says, of one metric or of the whole gate."""

    REGRESSED = "REGRESSED"
    """Worse: p (Holm) within alpha, and by at least the smallest effect. The only one that fails CI with code 1."""
    IMPROVED = "IMPROVED"
    """Better, by the same rule. Of the whole gate: some metric is, and none REGRESSED."""
    EQUIVALENT = "EQUIVALENT"
    """The 95 % interval lies within plus and minus the smallest effect. Of the whole gate: of every metric."""
    INCONCLUSIVE = "INCONCLUSIVE"
    """None of these: there are too few songs or seeds to tell."""
    NOT_COMPARABLE = "NOT_COMPARABLE"
    """The runs, or the metric's identities in them, are not of one kind (exit code 4)."""
    INCOMPLETE = "INCOMPLETE"
    """Results are missing in one of the runs (exit code 3)."""


EXIT_CODES: Mapping[Verdict, int] = {Verdict.REGRESSED: 1, Verdict.INCOMPLETE: 3, Verdict.NOT_COMPARABLE: 4}
"""All others are 0."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RunSide(_Record):
    """One of the two runs.

    Attributes:
        path: of the run directory, as it was given. label: its name in tables, not unique.
        digest: sha256 of its whole identity. timbrebench: version of the code that made it.
        method, version, config: of its method; `config` holds every knob.
        suite: ``name@version``. suite_digest: sha256. backbone: name, or None. seeds: of the run.
        scored: when, in ISO 8601. songs: in its plan.
        expected, generated, failed, pending: edits of its plan, and what became of them.
        untrained: whether the backbone has random weights, so that the numbers say nothing about the method.
    """

    path: str
    label: str
    digest: str
    timbrebench: str
    method: str
    version: int | str
    config: Mapping[str, object]
    suite: str
    suite_digest: str
    backbone: str | None
    seeds: tuple[int, ...]
    scored: str
    songs: int
    expected: int
    generated: int
    failed: int
    pending: int
    untrained: bool = False


class FieldDifference(_Record):
    """A field in which the identities of the two runs, or of a metric in them, differ.

    Attributes:
        field: dotted path in the runs' identity (``method.config.lam``), ``plan``, or ``metric NAME``.
        base, new: both values as short text; ``absent`` where a run does not have the field.
        allowed: whether runs may differ in it and still be compared.
    """

    field: str
    base: str
    new: str
    allowed: bool


class Calibration(_Record):
    """How often the gate raises a false alarm, measured by `timbrebench calibrate` on runs of one code (A/A).

    Attributes:
        gate: digest of the gate that was calibrated (`Gate.digest`).
        suite, suite_digest, method: of the runs. runs: their number. songs: in them.
        pairs: comparisons of two whole runs. pair_alarms: those with REGRESSED or IMPROVED.
        comparisons: simulated ones, of songs drawn with replacement. alarms: REGRESSED or IMPROVED.
        regressed: of the alarms, those that would have failed CI.
        rate: alarms / comparisons. low, high: its 95 % Clopper-Pearson interval.
        alpha: what the rate should not exceed.
        seed: of the simulation. created: when, in ISO 8601.
    """

    gate: str
    suite: str
    suite_digest: str
    method: str
    runs: int = Field(ge=2)
    songs: int = Field(ge=1)
    pairs: int = Field(ge=1)
    pair_alarms: int = Field(ge=0)
    comparisons: int = Field(ge=1)
    alarms: int = Field(ge=0)
    regressed: int = Field(ge=0)
    rate: float = Field(ge=0, le=1)
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)
    alpha: float = Field(gt=0, lt=1)
    seed: int
    created: str

    @property
    def trusted(self) -> bool:
        """Whether the rate may be alpha: its interval does not lie above."""
        return self.low <= self.alpha


class GateMetric(_Record):
    """A metric that the gate decides by, as the gate declares it.

    Attributes:
        name: as a run has it (``clap:laion-clap``), or without the embedder (``clap``).
        smallest_effect: the smallest difference that matters, in the metric's unit; None for the metric's own.
        direction: if given, checked against the runs.
    """

    name: str = Field(min_length=1)
    smallest_effect: float | None = Field(None, gt=0)
    direction: Literal["higher", "lower"] | None = None


class Gate(_Record):
    """By which metrics, and how strictly, a comparison decides.

    Attributes:
        source: path of the gate file; None for the default gate.
        metrics: at least one; Holm's correction is over these. alpha: its family-wise error rate. seed: of resampling.
        calibration: as the gate file has it, or None.
        calibration_stale: why the calibration does not speak for this comparison (another gate or suite); else empty.
        digest: of metrics and alpha, with the smallest effects that were used.
    """

    source: str | None
    metrics: tuple[GateMetric, ...]
    alpha: float
    seed: int
    calibration: Calibration | None
    calibration_stale: str
    digest: str


class Needed(_Record):
    """What would decide an INCONCLUSIVE metric: EQUIVALENT would then come out in 80 % of comparisons of equal runs.

    Attributes:
        songs: in all, with as many edits each as now; None where no smallest effect is known, or there is one song.
        seeds: in all, on the same songs; None where that would never do, or cannot be known from one seed.
        why: what to say where both are None; empty otherwise.
    """

    songs: int | None
    seeds: int | None
    why: str = ""


class MissingCounts(_Record):
    """Pairs of the plan that a metric has no difference for, by code.

    Attributes:
        base: no value in the base run, by its code, where the new run has one or has another reason. These, and `new`,
            make a comparison INCOMPLETE.
        new: the same of the new run.
        neither: no value in either run for one reason that lies in the task (``no-true-edit``); no fault of a run.
    """

    base: Mapping[str, int] = {}
    new: Mapping[str, int] = {}
    neither: Mapping[str, int] = {}


class MetricComparison(_Record):
    """One metric in both runs.

    Attributes:
        name, identity, unit, direction, summary: of the metric. Where identities differ, `identity` is the base run's
            and `new_identity` the other's; else that is None.
        corpus: whether it is one value for all edits (FAD, KAD), so that there are no pairs: then `n` counts clips,
            means are values, and the interval leaves songs out jointly in both runs.
        gated: whether the gate decides by it. Others are exploratory: their p is not corrected.
        smallest_effect: that was used; None if nobody knows one, which then counts as 0.
        verdict: of this metric. reason: why it is NOT_COMPARABLE, INCOMPLETE or INCONCLUSIVE, in words; else empty.
        n: pairs with a value on both sides. songs: in them.
        n_eff: independent pairs that they are worth. design_effect: n / n_eff.
        base_mean, new_mean: over the pairs. difference: new minus base.
        low, high: 95 % interval of the difference, t with songs - 1 degrees of freedom: the verdict's. None with a
            single song.
        bootstrap_low, bootstrap_high: percentile interval by bootstrap over songs; too narrow with few songs.
        p: two-sided. p_method: ``sign-flip`` (of songs), or ``t`` where the songs are too few for it, or there are no
            pairs. p_holm: corrected over the gate's metrics; None if not gated.
        mde: smallest true difference that would be found in 80 % of comparisons, at the level of Holm's first step.
        needed: what would decide; None unless INCONCLUSIVE.
        missing: pairs without a difference.
    """

    name: str
    identity: str
    new_identity: str | None = None
    unit: str
    direction: Literal["higher", "lower"]
    summary: str
    corpus: bool = False
    gated: bool
    smallest_effect: float | None
    verdict: Verdict
    reason: str = ""
    n: int
    songs: int
    n_eff: float | None = None
    design_effect: float | None = None
    base_mean: float | None = None
    new_mean: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    bootstrap_low: float | None = None
    bootstrap_high: float | None = None
    p: float | None = None
    p_method: Literal["sign-flip", "t"] | None = None
    p_holm: float | None = None
    mde: float | None = None
    needed: Needed | None = None
    missing: MissingCounts = MissingCounts()

    @property
    def gain(self) -> float | None:
        """The difference turned so that more is better."""
        if self.difference is None:
            return None
        return self.difference if self.direction == "higher" else -self.difference


class GroupDelta(_Record):
    """A metric over the pairs of one group of tasks. Exploratory: nothing is corrected for the number of groups.

    Attributes:
        name: of the group. n: pairs. songs: in them.
        base_mean, new_mean, difference: as in `MetricComparison`. low, high: 95 % t interval; None with one song.
    """

    name: str
    n: int
    songs: int
    base_mean: float
    new_mean: float
    difference: float
    low: float | None
    high: float | None


class Breakdown(_Record):
    """A gate metric taken apart by something its tasks have.

    Attributes:
        by: ``stem``, ``source-instrument``, ``target-instrument`` or ``flag``. title: the same for a heading.
        metric: name of the metric. unit, direction: its own.
        groups: the one that lost most first. None is empty.
    """

    by: str
    title: str
    metric: str
    unit: str
    direction: Literal["higher", "lower"]
    groups: tuple[GroupDelta, ...]


class ValueDelta(_Record):
    """One metric of one pair. `difference` is new minus base; None where a value is missing (`base` or `new` None)."""

    metric: str
    unit: str
    direction: Literal["higher", "lower"]
    base: float | None
    new: float | None
    difference: float | None


class PairDelta(_Record):
    """One edit in both runs, among the worst or the best.

    Attributes:
        task, song, stem: of the edit. seed, new_seed: in the base and in the new run; equal unless seeds were allowed
            to differ.
        gain: mean over the gate's sample metrics of the gain, each divided by its standard deviation over all pairs:
            by this they are ranked; negative is worse.
        metric: name of the gate metric with the largest share in it.
        values: the gate's metrics first, then all others.
        base_audio, new_audio: keys for `RunDirectory.read_audio` of the two runs; None where there is none.
    """

    task: str
    song: str
    stem: str
    seed: int
    new_seed: int
    gain: float
    metric: str
    values: tuple[ValueDelta, ...]
    base_audio: str | None
    new_audio: str | None


class Comparison(_Record):
    """Two runs against each other.

    As JSON: `as_json`, and back by `Comparison.model_validate`.

    Attributes:
        format: of the JSON. base, new: the runs.
        gate: what it was decided by.
        verdict: of the gate. headline: the same in one sentence, numbers included, for the first line of any medium.
        metrics: the gate's first, worst first; then the exploratory ones, worst first. Empty if NOT_COMPARABLE as runs.
        breakdowns: of the gate's sample metrics, in that order.
        worst, best: at most ten pairs each, the most extreme first; only worse pairs in `worst`, better in `best`.
        differences: fields of the identities that differ, those that forbid a comparison first.
        incomplete: reasons, one sentence each, if INCOMPLETE; else empty.
        caveats: what must be said beside the numbers, one sentence each (few songs, untrained weights, …).
        pairs: (task, seed) aligned. songs: in them. level: of the intervals.
    """

    format: Literal["timbrebench-comparison@1"] = Field(SCHEMA, alias="schema", serialization_alias="schema")
    base: RunSide
    new: RunSide
    gate: Gate
    verdict: Verdict
    headline: str
    metrics: tuple[MetricComparison, ...] = ()
    breakdowns: tuple[Breakdown, ...] = ()
    worst: tuple[PairDelta, ...] = ()
    best: tuple[PairDelta, ...] = ()
    differences: tuple[FieldDifference, ...] = ()
    incomplete: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    pairs: int = 0
    songs: int = 0
    level: float = 0.95

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return self.model_dump(mode="json", by_alias=True)

    @property
    def exit_code(self) -> int:
        """Of the command: 0, 1 (REGRESSED), 3 (INCOMPLETE) or 4 (NOT_COMPARABLE)."""
        return EXIT_CODES.get(self.verdict, 0)

    @property
    def gated(self) -> tuple[MetricComparison, ...]:
        """The metrics of the gate, worst first."""
        return tuple(metric for metric in self.metrics if metric.gated)

    @property
    def exploratory(self) -> tuple[MetricComparison, ...]:
        """All others, worst first."""
        return tuple(metric for metric in self.metrics if not metric.gated)
