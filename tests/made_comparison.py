"""Comparisons made by hand, with any text in the place of every name."""

from __future__ import annotations

from typing import Any

from reports.compare.model import (
    Breakdown,
    Calibration,
    Comparison,
    FieldDifference,
    Gate,
    GateMetric,
    GroupDelta,
    MetricComparison,
    MissingCounts,
    Needed,
    PairDelta,
    RunSide,
    ValueDelta,
    Verdict,
)


def side(name: str = "ours", **changes: Any) -> RunSide:
    fields = {
        "path": f"/runs/{name}",
        "label": name,
        "digest": "ab" * 32,
        "timbrebench": "0.1.0",
        "method": name,
        "version": 1,
        "config": {"lam": 0.5},
        "suite": "ci@1",
        "suite_digest": "cd" * 32,
        "backbone": "nano",
        "seeds": (0, 1),
        "scored": "2025-01-02T03:04:05+00:00",
        "songs": 4,
        "expected": 12,
        "generated": 12,
        "failed": 0,
        "pending": 0,
    }
    return RunSide(**{**fields, **changes})


def metric(name: str = "clap", verdict: Verdict = Verdict.EQUIVALENT, **changes: Any) -> MetricComparison:
    fields = {
        "name": name,
        "identity": f"{name}@1[48 kHz]",
        "unit": "",
        "direction": "higher",
        "summary": f"what {name} says",
        "gated": True,
        "smallest_effect": 0.02,
        "verdict": verdict,
        "n": 12,
        "songs": 4,
        "n_eff": 6.4,
        "design_effect": 1.875,
        "base_mean": 0.51,
        "new_mean": 0.46,
        "difference": -0.05,
        "low": -0.07,
        "high": -0.03,
        "bootstrap_low": -0.065,
        "bootstrap_high": -0.035,
        "p": 0.004,
        "p_method": "sign-flip",
        "p_holm": 0.0123,
        "mde": 0.031,
    }
    return MetricComparison(**{**fields, **changes})


def pair(number: int, name: str = "ci/s0/vocals2violin", gain: float = -1.5, **changes: Any) -> PairDelta:
    fields = {
        "task": f"{name}{number}",
        "song": "North",
        "stem": "vocals",
        "seed": 0,
        "new_seed": 0,
        "gain": gain,
        "metric": "clap",
        "values": (
            ValueDelta(metric="clap", unit="", direction="higher", base=0.5, new=0.25, difference=-0.25),
            ValueDelta(metric="dpd", unit="cents", direction="lower", base=41.0, new=None, difference=None),
        ),
        "base_audio": None,
        "new_audio": None,
    }
    return PairDelta(**{**fields, **changes})


def breakdown(by: str = "stem", names: tuple[str, ...] = ("vocals", "bass"), title: str = "By stem") -> Breakdown:
    groups = tuple(
        GroupDelta(name=each, n=6, songs=3, base_mean=0.5, new_mean=0.4, difference=-0.1, low=-0.2, high=0.0)
        for each in names
    )
    return Breakdown(by=by, title=title, metric="clap", unit="", direction="higher", groups=groups)


def calibration(**changes: Any) -> Calibration:
    fields = {
        "gate": "ef" * 32,
        "suite": "ci@1",
        "suite_digest": "cd" * 32,
        "method": "polyphonia",
        "runs": 6,
        "songs": 12,
        "pairs": 15,
        "pair_alarms": 1,
        "comparisons": 400,
        "alarms": 18,
        "regressed": 9,
        "rate": 0.045,
        "low": 0.027,
        "high": 0.07,
        "alpha": 0.05,
        "seed": 0,
        "created": "2025-01-02T03:04:05+00:00",
    }
    return Calibration(**{**fields, **changes})


def gate(**changes: Any) -> Gate:
    fields = {
        "source": None,
        "metrics": (GateMetric(name="clap"),),
        "alpha": 0.05,
        "seed": 0,
        "calibration": calibration(),
        "calibration_stale": "",
        "digest": "ef" * 32,
    }
    return Gate(**{**fields, **changes})


def comparison(verdict: Verdict = Verdict.REGRESSED, **changes: Any) -> Comparison:
    """A regression in one of two gate metrics, unless told otherwise."""
    needed = Needed(songs=40, seeds=None)
    fields: dict[str, Any] = {
        "base": side(),
        "new": side(config={"lam": 0.0}),
        "gate": gate(),
        "verdict": verdict,
        "headline": f"{verdict}: clap fell by 0.050 [0.030, 0.070], more than the 0.020 that matter",
        "metrics": (
            metric("clap", Verdict.REGRESSED),
            metric("lpaps", Verdict.INCONCLUSIVE, direction="lower", needed=needed, difference=0.001),
            metric("chroma", gated=False, p_holm=None, missing=MissingCounts(neither={"no-true-edit": 3})),
        ),
        "breakdowns": (breakdown(), breakdown("flag", ("no flag",), "By flag")),
        "worst": tuple(pair(number) for number in range(10)),
        "best": tuple(pair(number, gain=1.0) for number in range(2)),
        "differences": (FieldDifference(field="method.config.lam", base="0.5", new="0.0", allowed=True),),
        "caveats": ("Only 4 songs: intervals are rough.",),
        "pairs": 12,
        "songs": 4,
    }
    return Comparison.model_validate({**fields, **changes}, by_name=True)


def hostile(text: str, rows: int = 1, verdict: Verdict = Verdict.REGRESSED) -> Comparison:
    """A comparison in which every name is `text`, and every list `rows` long."""
    run = {
        key: text
        for key in ("path", "label", "digest", "timbrebench", "method", "suite", "suite_digest", "backbone", "scored")
    }
    named = {"identity": text, "new_identity": text, "unit": text, "summary": text, "reason": text}
    counts = MissingCounts(base={text: 1}, new={text: 2}, neither={text: 3})
    needed = Needed(songs=None, seeds=None, why=text)
    values = (ValueDelta(metric=text, unit=text, direction="higher", base=0.5, new=None, difference=None),)
    groups = tuple(each.model_copy(update={"name": text}) for each in breakdown().groups)
    apart = Breakdown(by=text, title=text, metric=text, unit=text, direction="lower", groups=groups * rows)
    pairs = tuple(pair(n, text, song=text, stem=text, metric=text, values=values) for n in range(10))
    measured = metric(text, verdict, **named, missing=counts, needed=needed)
    fields = tuple(FieldDifference(field=text, base=text, new=text, allowed=allowed) for allowed in (True, False))
    return comparison(
        verdict,
        base=side(text, **run),
        new=side(text, **run),
        gate=gate(source=text, calibration=calibration(method=text, suite=text, created=text), calibration_stale=text),
        headline=text,
        metrics=(measured,) * rows + (measured.model_copy(update={"gated": False}),) * rows,
        breakdowns=(apart, apart.model_copy(update={"by": "stem"})),
        worst=pairs,
        best=pairs,
        differences=fields * rows,
        caveats=(text,) * rows,
        incomplete=(text,) * rows,
    )
