"""The figures of a comparison as documents show them: Markdown, JUnit and the page.

Only the model is imported here: the job that comments on a pull request installs neither numpy nor torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from reports.compare.model import Comparison, GroupDelta, MetricComparison, MissingCounts, PairDelta, Verdict

NOTHING = "—"
MAX_DECIMALS = 6

MEANINGS: Mapping[Verdict, str] = {
    Verdict.REGRESSED: "At least one gate metric got worse by no less than the smallest difference that matters, and "
    "chance is an unlikely reason. This fails the check.",
    Verdict.IMPROVED: "At least one gate metric got better by no less than the smallest difference that matters, and "
    "none got worse so.",
    Verdict.EQUIVALENT: "Every gate metric moved, if at all, by less than the smallest difference that matters.",
    Verdict.INCONCLUSIVE: "There are too few songs or seeds to tell a difference that matters from none. This is no "
    "proof that nothing got worse.",
    Verdict.NOT_COMPARABLE: "The two runs differ in more than the method, so their numbers must not be compared.",
    Verdict.INCOMPLETE: "Results are missing, and what is missing never counts as better: nothing was decided.",
}


def told(comparison: Comparison) -> str:
    """The headline without the verdict before it."""
    return comparison.headline.removeprefix(f"{comparison.verdict}: ")


def decimals(metric: MetricComparison) -> int:
    """Decimals that show two digits of the smaller of half the interval and the smallest effect: between 0 and 6."""
    half = None if metric.low is None or metric.high is None else metric.high / 2 - metric.low / 2
    scales = [scale for scale in (half, metric.smallest_effect) if scale]
    scale = min(map(abs, scales), default=abs(metric.difference or 0.0)) or 0.01
    return min(max(1 - math.floor(math.log10(scale)), 0), MAX_DECIMALS)


def number(value: float | None, places: int) -> str:
    """A value; never a negative zero. The minus sign is the ASCII one, so that it can be copied as a number."""
    return NOTHING if value is None else f"{round(value, places) + 0.0:.{places}f}"


def signed(value: float | None, places: int) -> str:
    """A difference, with its sign."""
    return NOTHING if value is None else f"{round(value, places) + 0.0:+.{places}f}"


def interval(of: MetricComparison | GroupDelta, places: int) -> str:
    """``[+0.010, +0.031]``, or nothing where there are too few songs for one."""
    if of.low is None or of.high is None:
        return ""
    return f"[{signed(of.low, places)}, {signed(of.high, places)}]"


def change(of: MetricComparison | GroupDelta, places: int) -> str:
    """A difference and its interval."""
    return f"{signed(of.difference, places)} {interval(of, places)}".rstrip()


def probability(p: float | None) -> str:
    """A p value: ``0.031``, ``<0.001``."""
    return NOTHING if p is None else "<0.001" if p < 0.001 else f"{p:.3f}" if p < 0.0995 else f"{p:.2f}"


def value(measured: float | None) -> str:
    """One value of one edit."""
    return NOTHING if measured is None else f"{measured:.4g}"


def seeds(pair: PairDelta) -> str:
    """The seed of an edit; both, where they differ."""
    return f"{pair.seed}" if pair.seed == pair.new_seed else f"{pair.seed} / {pair.new_seed}"


def arrow(direction: str) -> str:
    """Which way is better."""
    return "↑" if direction == "higher" else "↓"


def heading(name: str, direction: str, unit: str) -> str:
    """``dpd ↓ cents``."""
    return f"{name} {arrow(direction)} {unit}".rstrip()


def counted(amount: int, noun: str) -> str:
    """A number and its noun, in the plural where it must be."""
    return f"{amount:,} {noun}{'' if amount == 1 else 's'}"


def basis(metric: MetricComparison) -> str:
    """What a difference rests on: ``60 pairs of 12 songs, n_eff 21.3``."""
    worth = "" if metric.n_eff is None else f", n_eff {metric.n_eff:.1f}"
    return f"{counted(metric.n, 'clip' if metric.corpus else 'pair')} of {counted(metric.songs, 'song')}{worth}"


def missing(counts: MissingCounts) -> str:
    """Pairs without a difference, by the side that has no value and its code."""
    sides = (("base", counts.base), ("new", counts.new), ("neither run", counts.neither))
    return "; ".join(
        f"{side}: {', '.join(f'{n:,} {code}' for code, n in sorted(codes.items()))}" for side, codes in sides if codes
    )


def decisive(metric: MetricComparison) -> str:
    """What would decide a metric that is open: ``about 40 songs would decide``; or why nothing would."""
    needed = metric.needed
    if needed is None:
        return ""
    ways = [counted(n, noun) for n, noun in ((needed.songs, "song"), (needed.seeds, "seed")) if n is not None]
    return f"about {' or '.join(ways)} would decide" if ways else needed.why


def coverage(comparison: Comparison) -> str:
    """What was compared, and what there is of the two plans."""
    sides = []
    for name, side in (("base", comparison.base), ("new", comparison.new)):
        rest = ", ".join(f"{n:,} {what}" for n, what in ((side.failed, "failed"), (side.pending, "not run")) if n)
        made = f"{name} {side.generated:,} of {counted(side.expected, 'edit')}"
        sides.append(f"{made} ({rest})" if rest else made)
    pairs = f"{counted(comparison.pairs, 'pair')} of {counted(comparison.songs, 'song')}"
    return f"Compared: {pairs}. Made: {', '.join(sides)}."


def false_alarms(comparison: Comparison) -> str:
    """How often the gate raises a false alarm; nothing if nobody has measured it, which is among the caveats."""
    found = comparison.gate.calibration
    if found is None:
        return ""
    return (
        f"False alarms of this gate: {100 * found.rate:.1f} % [{100 * found.low:.1f}, {100 * found.high:.1f}] of "
        f"{counted(found.comparisons, 'simulated comparison')} of equal runs, and {found.pair_alarms:,} of "
        f"{counted(found.pairs, 'real one')} ({found.method} on {found.suite}, {counted(found.songs, 'song')}, "
        f"{counted(found.runs, 'run')}); wanted: at most {100 * found.alpha:g} %."
    )
