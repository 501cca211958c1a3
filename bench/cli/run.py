"""`timbrebench run`: one method on one suite, into a run directory. The same command again goes on."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli import catalogue
from bench.cli.output import Output, output
from bench.errors import IncompleteError, UsageError, did_you_mean
from bench.registry import load_object

if TYPE_CHECKING:
    from bench.method import Method
    from bench.runner.progress import Listener
    from bench.runner.run import RunResult
    from bench.runner.spec import RunSpec


def run(  # noqa: PLR0913, PLR0917  one parameter an option
    context: typer.Context,
    method: Annotated[
        str | None, typer.Option(help="name (`timbrebench list methods`) or package.module:Class")
    ] = None,
    methods: Annotated[
        str | None, typer.Option(help="several, scored and tabled at the end: names with commas between, or all")
    ] = None,
    tasks: Annotated[Path | None, typer.Option(help="task file from `timbrebench tasks build`")] = None,
    suite: Annotated[str | None, typer.Option(help="or a suite by name, as synth or synth:50@7")] = None,
    out: Annotated[
        Path | None, typer.Option(help="run directory, default out/METHOD; with --methods the folder of them all")
    ] = None,
    backbone: Annotated[str, typer.Option(help="backbone, for methods that need one")] = "nano",
    model: Annotated[
        str | None, typer.Option(help="weights: folder or hub id, where the backbone has a choice")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="revision of a hub id")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32, float16 or bfloat16")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda:1, or several: cuda:0,cuda:1")] = "auto",
    batch_size: Annotated[int | None, typer.Option(min=1, help="edits at once; default: found")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="run seed; may be given several times  [default: 0]")] = None,
    preset: Annotated[str | None, typer.Option(help="knobs as published, or another preset of the method")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE: a knob of the method")] = None,
    only: Annotated[str | None, typer.Option(help="only tasks whose id matches this pattern, as '*/vocals2*'")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="only the first N tasks")] = None,
    root: Annotated[list[str] | None, typer.Option(help="NAME=FOLDER: where audio lies on this machine")] = None,
    label: Annotated[str | None, typer.Option(help="what tables call this run")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print plan, disk and time, and do nothing")] = False,
) -> None:
    """Run a method on a suite. An interrupted run goes on with the same command."""
    out_ = output(context)
    names = chosen_methods(method, methods)

    from bench.cli.selection import choose_suite
    from bench.runner.run import resolve_devices
    from bench.runner.spec import RunSpec, needs_backbone

    kinds = {name: catalogue.methods().get(name) for name in names}
    configs = {name: configured(kind, preset, set_ or [], strict=methods is None) for name, kind in kinds.items()}
    chosen, absences = choose_suite(tasks, suite, only=only, limit=limit, roots=root or [], track=out_.track)
    devices = resolve_devices(device)
    work: list[tuple[RunSpec, Method.Config]] = []
    for name, kind in kinds.items():
        network = catalogue.backbones().entry(backbone).target if needs_backbone(kind) else None
        folder = Path("out") / (label or kind.name) if methods is None else (out or Path("out")) / kind.name
        spec = RunSpec(
            method=catalogue.methods().entry(name).target,
            suite=chosen,
            out=out or folder if methods is None else folder,
            backbone=network,
            model=model_options(network, model=model, revision=revision, dtype=dtype),
            absences=absences,
            seeds=tuple(dict.fromkeys(seed or [0])),
            devices=devices,
            batch_size=batch_size,
            label=label if methods is None else None,
        )
        work.append((spec, configs[name]))
    with out_.together() if methods is not None else nullcontext():
        if dry_run:
            for spec, config in work:
                _dry_run(out_, spec, config)
        elif methods is None:
            execute(out_, *work[0])
        else:
            from bench.cli import many  # which is built on this module

            many.execute(out_, work, (out or Path("out")) / "site")


def chosen_methods(method: str | None, methods: str | None) -> list[str]:
    """The names that --method or --methods give; `all` leaves out those that need more than a suite to run.

    Raises:
        UsageError: if both or neither are given, or a name is not known.
    """
    if (method is None) == (methods is None):
        raise UsageError(
            "which method? Both --method and --methods were given" if method else "which method?",
            remedy="Give --method NAME (`timbrebench list methods`), or --methods NAME,NAME or all.",
            code="which-method",
        )
    if method is not None:
        return [method]
    names = [name.strip() for name in str(methods).split(",") if name.strip()]
    if names == ["all"]:
        entries = catalogue.methods().entries()
        return [entry.name for entry in entries if entry.name not in catalogue.NEED_MORE]
    return list(dict.fromkeys(catalogue.methods().entry(name).name for name in names))


def configured(
    kind: type[Method], preset: str | None, settings: Sequence[str], *, strict: bool = True
) -> Method.Config:
    """A method's configuration from a preset and `KEY=VALUE` texts, which win.

    Args:
        kind: the method.
        preset: one of its presets; None for its defaults.
        settings: its knobs. A knob that names a method may have a registered name.
        strict: whether a knob or preset that it does not have is an error, or is passed over.

    Raises:
        UsageError: for an unknown preset or knob, or a value out of its range.
    """
    from bench.method import METHOD_NAME
    from bench.runner.spec import parse_config

    if preset is not None and preset not in kind.presets and strict:
        raise UsageError(
            f"{kind.name} has no preset '{preset}'", remedy=did_you_mean(preset, kind.presets), code="unknown-preset"
        )
    known = kind.Config.model_fields
    wanted = [text for text in settings if strict or text.partition("=")[0] in known]
    named = [key for key, field in known.items() if METHOD_NAME in field.metadata]
    resolved = []
    for text in wanted:
        key, _, value = text.partition("=")
        resolved.append(f"{key}={catalogue.methods().entry(value).target}" if key in named else text)
    return parse_config(kind, resolved, kind.presets.get(preset or "", {}))


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
    back = f", {found.backward_rows:,} of them also backward" if found.backward_rows else ""
    out.give(
        {**vars(found), "out": str(spec.out), "devices": list(spec.devices), "config": config.model_dump(mode="json")},
        f"plan   {found.edits:,} edits of {found.sources} sources, {found.songs} songs; seeds {list(spec.seeds)}",
        f"knobs  {config.model_dump_json()}",
        f"time   {seconds} on {', '.join(spec.devices)} ({found.network_rows:,} network rows{back})",
        f"disk   about {found.disk_bytes / 1e6:,.0f} MB of {found.disk_free / 1e9:,.0f} GB free, in {spec.out}",
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def model_options(target: str | None, **options: str | None) -> dict[str, Any]:
    """Those options of `load` that were given; none without a backbone.

    Raises:
        UsageError: for one that the backbone does not take.
    """
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
