"""`timbrebench nano eval`: how good the embedded models are, on songs that nothing was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.output import Output, output
from bench.errors import IncompleteError, UsageError, did_you_mean

if TYPE_CHECKING:
    from rich.table import Table

    from bench.evaluation.figures import Findings
    from bench.stats.bootstrap import Interval

PARTS = ("judge", "codec", "clap", "generation")

HELD_OUT_SEED = 880_001
"""Of the songs that are rendered for evaluation: training uses others."""

EDITS, SECONDS = 15, 10.0
"""Of each song: takes beside its own four, and its length."""

SONGS_A_CLIP = 8
"""So many songs are there for each generated clip of an instrument, unless `--clips` says how many."""


def eval_(  # noqa: PLR0913, PLR0917  one parameter an option
    context: typer.Context,
    takes: Annotated[
        Path | None, typer.Option(help="rendered songs that nothing was trained on; default: rendered and kept")
    ] = None,
    songs: Annotated[int, typer.Option(min=1, help="how many of them, the first in order")] = 64,
    only: Annotated[str, typer.Option(help="parts, with commas between: " + ", ".join(PARTS))] = ",".join(PARTS),
    clips: Annotated[int, typer.Option(min=0, help="generated for each instrument; 0 is one for every 8 songs")] = 0,
    steps: Annotated[int, typer.Option(min=1, help="of DDIM")] = 25,
    guidance: Annotated[float, typer.Option(min=0, help="classifier-free, of generation")] = 3.5,
    run: Annotated[
        list[Path] | None, typer.Option(help="a scored run whose table is added; may be given several times")
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="folder of weights; default: the package's")] = None,
    out: Annotated[Path | None, typer.Option(help="file for all that was found, as JSON")] = None,
    seed: Annotated[int, typer.Option(help="of all that is drawn")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1")] = "auto",
) -> None:
    """Evaluate nano and nano-clap on held-out songs: codec, retrieval, generation, with 95 % intervals over songs."""
    parts = _parts(only)
    out_ = output(context)
    from bench.backbones.nano.ship import SHIPPED
    from bench.backbones.nano.train.takes import read_takes
    from bench.evaluation.evaluate import Evaluation, document
    from bench.evaluation.generation import Sampling
    from bench.runner.run import resolve_devices
    from bench.store.atomic import write_json

    edited = [_scored(path) for path in run or []]
    folder = takes if takes is not None else rendered(out_, songs)
    sampling = Sampling(each=clips or max(1, songs // SONGS_A_CLIP), steps=steps, guidance=guidance, seed=seed)
    what = Evaluation(
        read_takes(folder)[:songs], weights or SHIPPED, resolve_devices(device)[0], sampling, track=out_.track
    )
    found = [*(what.part(name) for name in parts), *edited]
    written = document(what, found)
    if out is not None:
        write_json(out, written)
    out_.give(written, table(found))
    if not written["figures"]:
        raise IncompleteError(
            "nothing could be measured", where=str(folder), remedy="Give more songs (--songs).", code="nano/no-figures"
        )


def _parts(only: str) -> list[str]:
    asked = [word.strip() for word in only.split(",") if word.strip()]
    for word in asked:
        if word not in PARTS:
            raise UsageError(f"the evaluation has no part '{word}'", where="--only", remedy=did_you_mean(word, PARTS))
    if not asked:
        raise UsageError("no part is named", where="--only", remedy=f"Known: {', '.join(PARTS)}.")
    return [part for part in PARTS if part in asked]


def rendered(out: Output, songs: int) -> Path:
    """The first songs of the held-out seed, from the cache, or rendered now.

    Raises:
        DataError: if the samples are not installed.
    """
    from bench.store.cache import Cache
    from tasks.synth.studio import sampler
    from tasks.synth.takes import VERSION, TakesOrder, record_takes

    def render(folder: Path) -> None:
        for number in out.track(range(songs), "songs rendered", songs):
            record_takes(TakesOrder(HELD_OUT_SEED, number, EDITS, SECONDS, folder / "takes"))

    key = {"stage": "held-out takes", "version": VERSION, "seed": HELD_OUT_SEED, "songs": songs, "edits": EDITS}
    return Cache().directory({**key, "seconds": SECONDS, **sampler()}, render) / "takes"


def _scored(path: Path) -> Findings:
    """The metrics of a scored run: editing is measured by the benchmark itself.

    Raises:
        IncompleteError, CorruptStoreError, BenchError: as `reports.load.load`.
    """
    from bench.evaluation.figures import Figure, Findings
    from bench.stats.bootstrap import Interval
    from reports.load import load

    loaded = load(path)
    found = Findings(f"editing: {loaded.label}")
    for each in loaded.estimates:
        if each.mean is not None:
            value = Interval(each.mean, each.low, each.high, each.n, each.songs)
            found.figures.append(Figure(found.part, each.name, value, unit=each.unit))
    return found


def table(found: Sequence[Findings]) -> Table:
    """The figures for people, in eighty columns; numbers of clips and the rest are in the JSON."""
    from rich.table import Table
    from rich.text import Text

    shown = Table(title="nano on held-out songs", title_justify="left")
    shown.add_column("figure")
    for heading in ("mean, 95 % interval", "real", "target"):
        shown.add_column(heading, justify="right")
    for findings in found:
        shown.add_row(Text(_clean(findings.part), style="bold"))
        for figure in findings.figures:
            words = (
                f"{figure.name} ({figure.unit})" if figure.unit else figure.name,
                f"{figure.value.mean:.3f} {_between(figure.value)}".rstrip(),
                "" if figure.ceiling is None else f"{figure.ceiling.mean:.3f}",
                "" if figure.target is None else f"{figure.target} {figure.verdict}",
            )
            shown.add_row(*(Text(_clean(word)) for word in words), end_section=figure is findings.figures[-1])
    return shown


def _between(interval: Interval) -> str:
    return "" if interval.low is None or interval.high is None else f"[{interval.low:.3f}, {interval.high:.3f}]"


def _clean(word: str) -> str:
    """Labels of runs come from anyone, and terminals obey control characters."""
    from reports.escape import clean

    return clean(word)
