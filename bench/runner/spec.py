"""RunSpec: everything a run is, as data that can be sent to another process."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench import __version__
from bench.backbone import Backbone
from bench.errors import UsageError, validated
from bench.method import Context, Method, Need
from bench.registry import load_object
from bench.store.rundir import PlanItem
from bench.suite import Suite

_REPORTED_PACKAGES = ("torch", "diffusers", "transformers", "numpy", "soundfile", "soxr")


@dataclass(frozen=True)
class RunSpec:
    """One method on one suite with one set of seeds.

    Attributes:
        method: "module:Class".
        backbone: "module:Class", or None where the method needs none. model: keyword arguments of its `load`.
        suite: the tasks to run, already selected; all of them have audio.
        absences: number of tasks of the full suite without audio, by reason.
        seeds: run seeds; every task is edited once a seed.
        out: the run directory.
        devices: torch devices, one worker process each if there are several.
        batch_size: edits at once; None tries all tasks of a source and halves when memory runs out.
        label: what tables call this run; None for the method's name.
    """

    method: str
    suite: Suite
    out: Path
    backbone: str | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    absences: Mapping[str, int] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    devices: tuple[str, ...] = ("cpu",)
    batch_size: int | None = None
    label: str | None = None

    def method_class(self) -> type[Method]:
        """The method's class, imported now."""
        found: type[Method] = load_object(self.method, kind="method")
        return found

    def load_backbone(self, device: str) -> Backbone:
        """The backbone, loaded on a device.

        Raises:
            UsageError: if the run names no backbone.
            ModelError: if its weights are absent or unusable.
        """
        if self.backbone is None:
            raise UsageError("this method needs a backbone", remedy="Name one with --backbone.", code="no-backbone")
        loaded: Backbone = load_object(self.backbone, kind="backbone").load(device=device, **self.model)
        return loaded

    def plan(self) -> list[PlanItem]:
        """Every edit that the run owes: each task once a seed."""
        return [
            PlanItem(task=task.id, seed=seed, source=task.source, song=task.song)
            for task in self.suite.tasks
            if task.source is not None
            for seed in self.seeds
        ]

    def identity(self, config: Method.Config, backbone: Backbone | None) -> dict[str, Any]:
        """All that may change the audio. Two runs with one identity are the same run."""
        loader = None if backbone is None else lambda: backbone
        method = self.method_class()(config, Context(self.devices[0], self.suite, loader))
        return {
            "timbrebench": __version__,
            "method": {
                "name": method.name,
                "version": method.version,
                "target": self.method,
                "config": config.model_dump(mode="json"),
                "networks": dict(method.networks()),
            },
            "backbone": dict(backbone.identity) if backbone is not None else None,
            "suite": {"name": self.suite.name, "version": self.suite.version, "digest": self.suite.digest},
            "seeds": list(self.seeds),
        }

    def about(self, backbone: Backbone | None) -> dict[str, Any]:
        """What else a reader wants to know; none of it is part of the identity."""
        method = self.method_class()
        licences = sorted({ref.licence for ref in self.suite.sources.values()})
        return {
            "label": self.label or method.name,
            "role": method.role,
            "status": method.standing(backbone),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "needs": sorted(method.needs),
            "absences": dict(self.absences),
            "licences": licences + ([f"weights: {backbone.licence}"] if backbone is not None else []),
            "devices": list(self.devices),
            "environment": environment(),
        }


def parse_config(
    method: type[Method], settings: Sequence[str], defaults: Mapping[str, Any] | None = None
) -> Method.Config:
    """A method's configuration from `KEY=VALUE` texts.

    Args:
        method: whose configuration.
        settings: what was asked for.
        defaults: values of knobs that `settings` leave out, in place of the method's own defaults.

    Raises:
        UsageError: for an unknown knob (with the nearest), or a value out of its range.
    """
    values: dict[str, Any] = dict(defaults or {})
    for setting in settings:
        key, separator, value = setting.partition("=")
        if not separator:
            raise UsageError(f"'{setting}' is not KEY=VALUE", remedy="Write --set steps=50.", code="bad-setting")
        values[key] = value
    see = f"timbrebench show method {method.name}"
    return validated(method.Config, values, of=method.name, kind="knob", see=see)


def needs_backbone(method: type[Method]) -> bool:
    """Whether a method cannot run without a backbone."""
    return Need.BACKBONE in method.needs


def environment() -> dict[str, str]:
    """Versions that explain a difference between two machines."""
    found = {"python": platform.python_version(), "platform": platform.platform(), "timbrebench": __version__}
    for package in _REPORTED_PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
