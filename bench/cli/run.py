"""`timbrebench run`: one method on one suite, into a run directory. The same command again goes on."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli import catalogue
from bench.cli.output import Output, output
from bench.errors import IncompleteError, UsageError
from bench.registry import load_object

if TYPE_CHECKING:
    from bench.method import Method
    from bench.runner.progress import Listener
    from bench.runner.run import RunResult
    from bench.runner.spec import RunSpec


def run(  # noqa: PLR0913, PLR0917  one parameter an option
    context: typer.Context,
    method: Annotated[str, typer.Option(help="name (`timbrebench list methods`) or package.module:Class")],
    tasks: Annotated[Path | None, typer.Option(help="task file from `timbrebench tasks build`")] = None,
    suite: Annotated[str | None, typer.Option(help="or a suite by name, with its default options")] = None,
    out: Annotated[Path | None, typer.Option(help="run directory; default out/METHOD")] = None,
    backbone: Annotated[str, typer.Option(help="backbone, for methods that need one")] = "nano",
    model: Annotated[
        str | None, typer.Option(help="weights: folder or hub id, where the backbone has a choice")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="revision of a hub id")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32, float16 or bfloat16")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda:1, or several: cuda:0,cuda:1")] = "auto",
    batch_size: Annotated[int | None, typer.Option(min=1, help="edits at once; default: found")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="run seed; may be given several times  [default: 0]")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE: a knob of the method")] = None,
    only: Annotated[str | None, typer.Option(help="only tasks whose id matches this pattern, as '*/vocals2*'")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="only the first N tasks")] = None,
    root: Annotated[list[str] | None, typer.Option(help="NAME=FOLDER: where audio lies on this machine")] = None,
    label: Annotated[str | None, typer.Option(help="what tables call this run")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print plan, disk and time, and do nothing")] = False,
) -> None:
    """Run a method on a suite. An interrupted run goes on with the same command."""
    out_ = output(context)
    entry = catalogue.methods().entry(method)
    method_class = catalogue.methods().get(method)

    from bench.cli.selection import choose_suite
    from bench.runner.run import resolve_devices
    from bench.runner.spec import RunSpec, needs_backbone, parse_config

    config = parse_config(method_class, set_ or [])
    chosen, absences = choose_suite(tasks, suite, only=only, limit=limit, roots=root or [])
    network = catalogue.backbones().entry(backbone).target if needs_backbone(method_class) else None
    spec = RunSpec(
        method=entry.target,
        suite=chosen,
        out=out or Path("out") / (label or method_class.name),
        backbone=network,
        model=_model_options(network, model=model, revision=revision, dtype=dtype),
        absences=absences,
        seeds=tuple(dict.fromkeys(seed or [0])),
        devices=resolve_devices(device),
        batch_size=batch_size,
        label=label,
    )
    if dry_run:
        _dry_run(out_, spec, config)
    else:
        execute(out_, spec, config)


def execute(out: Output, spec: RunSpec, config: Method.Config) -> RunResult:
    """Run a spec, tell how it ended, and raise if edits are missing."""
    from bench.runner.run import run as run_spec

    if (spec.out / "run.json").is_file():
        out.say(f"{spec.out} holds a run already: going on where it stopped")
    result = run_spec(spec, config, _listener(out))
    facts = {
        "out": str(spec.out),
        "expected": result.expected,
        "before": result.before,
        "generated": result.generated,
        "failed": result.failed,
        "pending": result.pending,
        "quarantined": result.quarantined,
        "clipped": result.clipped,
        "clipped_share": result.clipped_share,
        "resumed": result.resumed,
        "absent": sum(spec.absences.values()),
    }
    out.give(facts, _told(spec, result))
    if not result.complete:
        raise IncompleteError(
            f"{result.expected - result.before - result.generated} of {result.expected} edits are missing",
            where=f"{spec.out} ({result.failed} failed, {result.pending} not run)",
            remedy="The same command tries them again; the journal says why they failed (timbrebench show run DIR).",
        )
    return result


def _told(spec: RunSpec, result: RunResult) -> str:
    name = spec.label or spec.method_class().name
    parts = [f"{result.expected} edits expected"]
    if result.resumed:
        parts.append(f"{result.before} were there")
    parts.append(f"{result.generated} made")
    if result.failed:
        parts.append(f"{result.failed} failed")
    if result.quarantined:
        parts.append(f"{result.quarantined} damaged and made again")
    if result.clipped:
        parts.append(f"{result.clipped:,} samples clipped")
    absent = sum(spec.absences.values())
    if absent:
        parts.append(f"{absent:,} tasks of the suite have no audio here")
    return f"{name}: {', '.join(parts)} -> {spec.out}"


def _dry_run(out: Output, spec: RunSpec, config: Method.Config) -> None:
    from bench.runner.estimate import estimate

    found = estimate(spec, config)
    seconds = "not estimated (no network)" if found.seconds is None else f"about {_duration(found.seconds)}"
    out.give(
        {**vars(found), "out": str(spec.out), "devices": list(spec.devices), "config": config.model_dump(mode="json")},
        f"plan   {found.edits:,} edits of {found.sources} sources, {found.songs} songs; seeds {list(spec.seeds)}",
        f"knobs  {config.model_dump_json()}",
        f"time   {seconds} on {', '.join(spec.devices)} ({found.network_rows:,} network rows)",
        f"disk   about {found.disk_bytes / 1e6:,.0f} MB of {found.disk_free / 1e9:,.0f} GB free, in {spec.out}",
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _model_options(target: str | None, **options: str | None) -> dict[str, Any]:
    given = {name: value for name, value in options.items() if value is not None}
    if target is None:
        return {}
    taken = inspect.signature(load_object(target, kind="backbone").load).parameters
    for name in given:
        if name not in taken:
            raise UsageError(
                f"this backbone takes no --{name}",
                remedy="Leave it out, or choose another --backbone.",
                code="bad-model",
            )
    return given


def _listener(out: Output) -> Listener:
    from bench.runner.progress import Bar, Lines, Silent

    if out.quiet or out.json:
        return Silent()
    return Bar(out.progress) if out.progress.is_terminal else Lines(out.progress)
