"""`timbrebench show`: all there is to know about one method, suite, metric, embedder, backbone or run."""

from __future__ import annotations

import inspect
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from bench.cli import catalogue, metric_sets
from bench.cli.output import output
from bench.errors import ModelError, UnknownNameError, did_you_mean

if TYPE_CHECKING:
    from pydantic import BaseModel

    from bench.embedder import Embedder
    from bench.metric import Metric

KINDS = ("method", "suite", "metric", "embedder", "backbone", "run")


def show(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="method, suite, metric, embedder, backbone or run")],
    name: Annotated[str, typer.Argument(help="its name, or the run directory")],
) -> None:
    """Show a method's knobs, a suite's options, a metric's identity, or how a run stands."""
    if kind not in KINDS:
        raise UnknownNameError(f"there is no kind '{kind}'", remedy=did_you_mean(kind, KINDS))
    shown = {"method": _method, "suite": _suite, "metric": _metric, "embedder": _embedder, "backbone": _backbone}
    facts, parts = {**shown, "run": _run}[kind](name)
    output(context).give(facts, *parts)


Shown = tuple[dict[str, Any], list[str | Table]]


def _method(name: str) -> Shown:
    found = catalogue.methods().get(name)
    about = {"name": found.name, "version": found.version, "role": found.role, "needs": sorted(found.needs)}
    about |= {"status": found.status, "presets": {name: dict(knobs) for name, knobs in found.presets.items()}}
    fields = _fields(found.Config)
    uses = ", ".join(sorted(found.needs)) or "the mixture alone"
    head = f"{found.name} (version {found.version}, {found.role}); uses: {uses}"
    head += f"\nstatus: {found.status}" if found.status else ""
    head += f"\npresets (--preset NAME): {', '.join(sorted(found.presets))}" if found.presets else ""
    return {**about, "knobs": fields}, [head, _doc(found), *_table("knobs (--set NAME=VALUE)", fields)]


def _suite(name: str) -> Shown:
    found = catalogue.suites().get(name)
    fields = _fields(found.Options)
    for field in fields:
        field["name"] = "--" + field["name"].replace("_", "-")
    head = f"{found.name} (version {found.version})"
    facts = {"name": found.name, "version": found.version, "options": fields}
    return facts, [head, _doc(found), *_table("options of `tasks build`", fields)]


def _metric(name: str) -> Shown:
    from bench.runner.scoring.load import make

    found = make(metric_sets.target(name))
    identity = _identity(found)
    facts = {
        "name": found.name,
        "identity": identity,
        "direction": found.direction,
        "unit": found.unit,
        "range": [str(bound) for bound in found.range],
        "needs": sorted(found.needs),
        "summary": found.summary,
        "source": found.source,
        "smallest_effect": found.smallest_effect,
    }
    unit = f", in {found.unit}" if found.unit else ""
    spread = f"from {found.range[0]:g} to {found.range[1]:g}"
    effect = found.smallest_effect
    return facts, [
        f"{found.name}: {found.summary}; {found.direction} is better{unit}, {spread}",
        f"identity: {identity}",
        f"needs: {', '.join(sorted(found.needs))}",
        f"source: {found.source or 'see below'}",
        f"smallest effect of interest: {'not known' if effect is None else f'{effect:g} {found.unit}'.strip()}",
        _doc(type(found)),
    ]


def _embedder(name: str) -> Shown:
    found = catalogue.embedders().get(name)()
    facts = {
        "name": found.name,
        "identity": _identity(found),
        "rate": found.rate,
        "reads_text": found.reads_text,
        "inner_layers": found.inner,
        "licence": found.licence,
    }
    can = [what for what, able in (("texts", found.reads_text), ("inner layers", found.inner)) if able]
    return facts, [
        f"{found.name}: mono audio at {found.rate:,} Hz" + "".join(f", {what}" for what in can),
        f"identity: {facts['identity']}",
        f"licence of the weights: {found.licence}",
        _doc(type(found)),
    ]


def _identity(found: Metric | Embedder) -> str:
    """All that moves its values; the definition stands without the checkpoint, whose hash would be part of it."""
    try:
        return found.identity
    except ModelError as error:
        return f"not known without the checkpoint: {error.cause}"


def _backbone(name: str) -> Shown:
    entry = catalogue.backbones().entry(name)
    found = catalogue.backbones().get(name)
    return {"name": entry.name, "target": entry.target}, [f"{entry.name}: {entry.summary}", _doc(found)]


def _run(name: str) -> Shown:
    from bench.store.rundir import RunDirectory

    run = RunDirectory.open(Path(name))
    outcomes = run.outcomes()
    counts = Counter(outcome.status for outcome in outcomes.values())
    failures = [
        {"task": task, "seed": seed, "attempts": outcome.attempts, **dict(outcome.error or {})}
        for (task, seed), outcome in outcomes.items()
        if outcome.status == "failed"
    ]
    facts = {"identity": dict(run.identity), "about": dict(run.about), "outcomes": dict(counts), "failures": failures}
    method = run.identity["method"]
    backbone = run.identity["backbone"]
    lines: list[str | Table] = [
        f"{run.about['label']}: {method['name']} version {method['version']} on {run.identity['suite']['name']}",
        f"knobs: {method['config']}",
        f"backbone: {backbone['name']}" if backbone else "backbone: none",
        "edits: " + ", ".join(f"{count} {status}" for status, count in sorted(counts.items())),
    ]
    lines += [f"failed ({f['attempts']} attempts): {f['task']}: {f['cause']}" for f in failures]
    return facts, lines


def _fields(model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = model.model_json_schema().get("properties", {})
    fields = []
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else str(field.get_default(call_default_factory=True))
        limits = {
            sign: value
            for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))
            if (value := schema.get(name, {}).get(key)) is not None
        }
        spread = " ".join(f"{sign} {value:g}" for sign, value in limits.items())
        fields.append({"name": name, "default": default, "range": spread, "description": field.description or ""})
    return fields


def _table(title: str, fields: list[dict[str, Any]]) -> list[str | Table]:
    if not fields:
        return []
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for heading in ("name", "default", "range", "description"):
        table.add_column(heading, style="cyan" if heading == "name" else None)
    for field in fields:
        table.add_row(*(field[key] for key in ("name", "default", "range", "description")))
    return ["", table]


def _doc(found: type) -> str:
    """The class's own docstring, and its module's: that is where a method or metric is explained."""
    own, module = inspect.getdoc(found) or "", inspect.getdoc(inspect.getmodule(found)) or ""
    return f"\n{own}\n\n{module}" if module else f"\n{own}"
