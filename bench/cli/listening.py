"""`timbrebench listening`: from runs to a listening test, and from its results to tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bench.cli.output import output

if TYPE_CHECKING:
    from reports.listening_test.design import Design

app = typer.Typer(help="Make a listening test of runs, and tables of its results.", no_args_is_help=True)


@app.command("export")
def export(  # noqa: PLR0913, PLR0917  one parameter an option
    context: typer.Context,
    runs: Annotated[list[Path], typer.Argument(help="run directories of one suite, one a system", metavar="RUN...")],
    out: Annotated[Path, typer.Option(help="folder to make")],
    test: Annotated[
        Literal["auto", "mushra", "ratings", "mos"],
        typer.Option(help="auto: mushra where all tasks have a true edit, else ratings (TTA, CTI, GAC)"),
    ] = "auto",
    tasks: Annotated[int, typer.Option(min=1, help="that each listener hears, drawn by lot, spread over songs")] = 10,
    per_task: Annotated[
        int | None, typer.Option(min=1, help="systems of each task that a listener hears  [default: all]")
    ] = None,
    sets: Annotated[
        int | None, typer.Option(min=1, max=99, help="listener sets  [default: as many as the orders need]")
    ] = None,
    checks: Annotated[int, typer.Option(min=0, max=20, help="attention checks for each listener")] = 3,
    seconds: Annotated[float, typer.Option(min=1.0, max=12.0, help="of each clip, at most")] = 12.0,
    lufs: Annotated[float, typer.Option(min=-40.0, max=-10.0, help="loudness of each clip")] = -23.0,
    rate: Annotated[int, typer.Option(help="of the files in Hz: 44100 or 48000, as the sound card's")] = 48_000,
    name: Annotated[str, typer.Option(help="of the test, in webMUSHRA")] = "listening",
    seed: Annotated[int, typer.Option(min=0, help="of all that is by lot")] = 0,
) -> None:
    """Write loudness-matched stimuli, and a webMUSHRA configuration for each listener set.

    webMUSHRA is not part of it: docs/listening.md says how the two come together. Keep design.json from listeners: it
    says who is behind which sound.
    """
    from reports.listening_test.export import Options
    from reports.listening_test.export import export as write

    out_ = output(context)
    options = Options(
        kind=None if test == "auto" else test,
        tasks=tasks,
        sets=sets,
        heard=per_task,
        checks=checks,
        rate=rate,
        lufs=lufs,
        seconds=seconds,
        name=name,
        seed=seed,
    )
    design = write(runs, out, options, track=out_.track)
    facts = {"out": str(out), **design.model_dump(mode="json", exclude={"sounds", "trials", "items"}, by_alias=True)}
    unmatched = [sound.id for sound in design.sounds if not sound.matched]
    counts = {"tasks": len(design.items), "stimuli": len(design.sounds), "unmatched": unmatched}
    out_.give({**facts, **counts}, *_told(design, out))


@app.command("ingest")
def ingest(
    context: typer.Context,
    results: Annotated[
        list[Path], typer.Argument(help="CSV of webMUSHRA, all kinds of pages, or ours", metavar="RESULTS.csv...")
    ],
    test: Annotated[Path, typer.Option("--export", help="folder that `listening export` made")],
    out: Annotated[Path, typer.Option(help="folder for results.json, results.md, results.csv")] = Path("out/listening"),
    baseline: Annotated[
        str | None, typer.Option(help="system that the others are compared with  [default: the first]")
    ] = None,
    listener: Annotated[
        str | None, typer.Option(help="column that says who answered  [default: listener, else session_uuid]")
    ] = None,
) -> None:
    """Check the answers against the test, screen the listeners, and write the tables."""
    from reports.listening_test.ingest import ingest as read
    from reports.listening_test.render import TerminalAnalysis, to_json

    analysis = read(results, test, out, baseline=baseline, listener=listener)
    output(context).give(to_json(analysis), TerminalAnalysis(analysis), f"-> {out}")


def _told(design: Design, out: Path) -> list[str]:
    pages = sum(trial.set == 1 for trial in design.trials)
    systems = ", ".join(system.label for system in design.systems)
    lines = [
        f"{design.kind}: {systems}",
        f"{len(design.items)} tasks of {len({item.song for item in design.items})} songs, {design.sets} listener sets "
        f"of {pages} trials -> {out}",
    ]
    lines += [f"left out: {count} tasks: {reason}" for reason, count in design.left_out.items()]
    unmatched = sum(not sound.matched for sound in design.sounds)
    if unmatched:
        lines.append(f"{unmatched} clips have no loudness, or too little, and could not be matched")
    lines.append(f"next: copy {out / 'configs' / design.name} into webMUSHRA's configs/ (docs/listening.md)")
    return lines
