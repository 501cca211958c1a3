"""A comparison on a terminal: the verdict first, then the gate's metrics, the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from reports.compare import figures
from reports.compare.model import Comparison, MetricComparison, PairDelta, Verdict
from reports.escape import clean

STYLES = {
    Verdict.REGRESSED: "bold red",
    Verdict.IMPROVED: "bold green",
    Verdict.EQUIVALENT: "green",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.NOT_COMPARABLE: "bold magenta",
    Verdict.INCOMPLETE: "bold magenta",
}
_FIELDS = 8
_GROUPS = 4
_PAIRS = 5


class TerminalComparison:
    """What to print on a console."""

    def __init__(self, comparison: Comparison):
        self.comparison = comparison

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Rich's protocol."""
        found = self.comparison
        yield _headline(found)
        yield Text(clean(f"base {found.base.label} ({found.base.path})  new {found.new.label} ({found.new.path})"))
        if found.pairs:
            yield Text(figures.coverage(found), style="dim")
        yield from _differences(found)
        if found.metrics:
            yield from _metrics("gate", found.gated)
            yield from _metrics("not in the gate, p not corrected", found.exploratory)
            yield from _groups(found)
            yield from _pairs("lost most", found.worst)
            yield from _pairs("won most", found.best)
        yield from _notes(found)


def _headline(comparison: Comparison) -> Text:
    word, _, rest = clean(comparison.headline).partition(":")
    return Text.assemble((word, STYLES[comparison.verdict]), f":{rest}" if rest else "")


def _differences(comparison: Comparison) -> Iterator[Text]:
    for each in comparison.differences[:_FIELDS]:
        text = f"· differs: {each.field}: {each.base} / {each.new}"
        yield Text(clean(text), style="dim" if each.allowed else "magenta")
    left = [each.field for each in comparison.differences[_FIELDS:]]
    if left:
        yield Text(clean(f"· differ, too: {', '.join(left)}"), style="dim")


def _metrics(title: str, metrics: Sequence[MetricComparison]) -> Iterator[Table | Text]:
    if not metrics:
        return
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column(Text(title), overflow="fold", max_width=30)
    for heading in ("base", "new", "new - base [95 %]", "p", "smallest", "detectable", "pairs", "n_eff"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for metric in metrics:
        table.add_row(*map(Text, _cells(metric)), Text(metric.verdict, STYLES[metric.verdict]))
    yield Text("")
    yield table
    for metric in metrics:
        if metric.reason:
            told = "; ".join(filter(None, [f"{metric.name}: {metric.reason}", figures.decisive(metric)]))
            yield Text(clean(f"· {told}"), style="dim")


def _cells(metric: MetricComparison) -> Iterator[str]:
    places = figures.decimals(metric)
    yield clean(figures.heading(metric.name, metric.direction, metric.unit))
    for value in (metric.base_mean, metric.new_mean):
        yield figures.number(value, places)
    yield figures.change(metric, places)
    yield figures.probability(metric.p if metric.p_holm is None else metric.p_holm)
    for value in (metric.smallest_effect, metric.mde):
        yield figures.number(value, places)
    yield f"{metric.n:,}" if metric.n else ""
    yield "" if metric.n_eff is None else f"{metric.n_eff:,.0f}"


def _groups(comparison: Comparison) -> Iterator[Table | Text]:
    """Of each breakdown the groups that lost most, where the metric may have lost."""
    lost = {metric.name for metric in comparison.gated if metric.verdict in (Verdict.REGRESSED, Verdict.INCONCLUSIVE)}
    rows = [
        (each, group)
        for each in comparison.breakdowns
        if each.metric in lost
        for group in each.groups[:_GROUPS]
        if (group.difference < 0) == (each.direction == "higher") and group.difference != 0
    ]
    if not rows:
        return
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for heading in ("metric", "by", "groups that lost"):
        table.add_column(heading, overflow="fold")
    for heading in ("new - base", "pairs", "songs"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each, group in rows:
        texts = (each.metric, each.by, group.name, f"{group.difference:+.3g}", f"{group.n:,}", f"{group.songs:,}")
        table.add_row(*(Text(clean(text)) for text in texts))
    yield Text("")
    yield table


def _pairs(title: str, pairs: Sequence[PairDelta]) -> Iterator[Table | Text]:
    if not pairs:
        return
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column(Text(title), overflow="fold")
    table.add_column("seed", justify="right")
    table.add_column("most by")
    table.add_column("base", justify="right")
    table.add_column("new", justify="right")
    for pair in pairs[:_PAIRS]:
        value = next(each for each in pair.values if each.metric == pair.metric)
        numbers = map(figures.value, (value.base, value.new))
        texts = (pair.task, figures.seeds(pair), pair.metric, *numbers)
        table.add_row(*(Text(clean(text)) for text in texts))
    yield Text("")
    yield table


def _notes(comparison: Comparison) -> Iterator[Text]:
    yield Text("")
    for reason in comparison.incomplete:
        yield Text(clean(f"· missing: {reason}"), style="magenta")
    for caveat in comparison.caveats:
        yield Text(clean(f"· {caveat}"), style="yellow")
    told = figures.false_alarms(comparison)
    if told:
        yield Text(clean(told), style="dim")
