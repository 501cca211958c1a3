"""`index.html` of a comparison, and the `assets/` beside it."""

from __future__ import annotations

from pathlib import Path

from bench.store.atomic import make_folder, write_text
from reports.assets import FOLDER, Assets
from reports.compare import figures
from reports.compare.html.pairs import Booth
from reports.compare.html.plots import Plot, of_group, of_metric
from reports.compare.model import Breakdown, Comparison, GroupDelta, MetricComparison
from reports.html import frame
from reports.load import RunReport

_HERE = Path(__file__).parent
TEMPLATE = _HERE / "comparison.html.j2"
STYLE = _HERE / "comparison.css"


def write_page(comparison: Comparison, base_run: RunReport, new_run: RunReport, out: Path) -> Path:
    """Write the page of a comparison into a folder, over an earlier one if there is one.

    The page needs no network and no server. It is replaced after its new assets are there and before old ones go.

    Args:
        comparison: of the two runs.
        base_run: with its audio. What cannot be read is told in the place of its player.
        new_run: likewise.
        out: the folder; made if it is not there.

    Returns:
        The page's file.

    Raises:
        UsageError: if the folder cannot be written to. IncompleteError: if the disk is full.
        CorruptStoreError: if a run's plan or suite is damaged.
    """
    assets = Assets(out / FOLDER)
    make_folder(assets.folder)
    booth = Booth(comparison, base_run, new_run, assets.put)
    page = frame.render(
        TEMPLATE,
        more_style=STYLE,
        title=f"{comparison.verdict}: {comparison.new.label} against {comparison.base.label}",
        comparison=comparison,
        figures=figures,
        forbidden=[each for each in comparison.differences if not each.allowed],
        allowed=[each for each in comparison.differences if each.allowed],
        rows=[_row(metric) for metric in comparison.gated],
        other_rows=[_row(metric) for metric in comparison.exploratory],
        breakdowns=[(each, _groups(each, comparison)) for each in comparison.breakdowns],
        heard=[
            ("worst", "Edits that lost most", [booth.example(pair) for pair in comparison.worst]),
            ("best", "Edits that gained most", [booth.example(pair) for pair in comparison.best]),
        ],
    )
    path = out / "index.html"
    write_text(path, page)
    assets.remove_others()
    return path


def _row(metric: MetricComparison) -> tuple[MetricComparison, int, Plot | None]:
    """A metric, its decimals, and its picture."""
    return metric, figures.decimals(metric), of_metric(metric)


def _groups(breakdown: Breakdown, comparison: Comparison) -> list[tuple[GroupDelta, int, Plot]]:
    """The groups of a breakdown with their decimals, and pictures on one axis."""
    whole = next(metric for metric in comparison.metrics if metric.name == breakdown.metric)
    return [(each, figures.decimals(whole), of_group(each, breakdown, whole)) for each in breakdown.groups]
