"""Gate files: by which metrics a comparison decides, how large a difference matters, and how strictly.

::

    schema: timbrebench-gate@1
    alpha: 0.05                  # chance of any false alarm, over all metrics together
    seed: 0                      # of resampling
    metrics:
      - name: clap               # with or without its embedder (clap:laion-clap)
        smallest_effect: 0.01    # in the metric's unit; left out: the metric's own
        direction: higher        # checked against the runs; may be left out
      - name: background-logmel
    calibration: …               # written by `timbrebench calibrate`

Anything else in it is an error. Without a file, the default gate asks one metric for each of three questions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bench.errors import IncompleteError, UsageError
from bench.identity import digest
from bench.store.atomic import write_text
from reports.compare.model import Calibration, Gate, GateMetric
from reports.load import Estimate, RunReport

SCHEMA = "timbrebench-gate@1"
MOST_BYTES = 64 * 1024
BLOCK = "calibration:"

Effects = Mapping[str, float | None]
"""Smallest effects of interest by the metric's name, embedder included, as the metrics themselves declare them."""

QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "did the new timbre arrive?": ("clap-phrase", "clap-true-edit", "clap", "true-edit-logmel"),
    "was the rest left alone?": ("background-logmel", "background-logmel@htdemucs", "lpaps", "lpaps@manor2024"),
    "is it still the same music?": ("cqt1-pcc", "cqt1-pcc@steermusic", "chroma-cosine", "onset-f1"),
}
"""The default gate: of each question the first metric that a run has values of."""


class GateFile(BaseModel):
    """What a gate file holds. Attributes: see the module, and `GateMetric`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: Literal["timbrebench-gate@1"] = Field(alias="schema")
    metrics: tuple[GateMetric, ...] = Field(min_length=1)
    alpha: float = Field(0.05, gt=0, le=0.5)
    seed: int = Field(0, ge=0, lt=2**32)
    calibration: Calibration | None = None

    @model_validator(mode="after")
    def _each_once(self) -> GateFile:
        names = [metric.name for metric in self.metrics]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"metrics: {name} is named twice")
        return self


def read(path: Path) -> GateFile:
    """Read a gate file.

    Raises:
        UsageError: if it is not there, too large, no YAML, or not a gate; says which field.
    """
    return _parsed(_text(path), path)


def default(base: RunReport, new: RunReport) -> GateFile:
    """The gate where none is given. A metric that only one of the runs has counts: it is not passed over in silence.

    Raises:
        IncompleteError: if neither run has a value of any metric.
    """
    estimates = [each for run in (base, new) for each in run.estimates if each.mean is not None]
    there = dict.fromkeys(base_name(each.name) for each in estimates)
    chosen = [next((name for name in names if name in there), None) for names in QUESTIONS.values()]
    names = [name for name in chosen if name is not None] or list(there)
    if not names:
        raise IncompleteError(
            "neither run has a value of any metric",
            where=f"{base.path} and {new.path}",
            remedy=f"Score them: timbrebench score {base.path} {new.path}",
            code="incomplete/no-values",
        )
    return GateFile(schema=SCHEMA, metrics=tuple(GateMetric(name=name) for name in names))


def base_name(name: str) -> str:
    """A metric's name without its embedder.

    >>> base_name("clap:laion-clap")
    'clap'
    """
    return name.partition(":")[0]


def find(run: RunReport, name: str) -> Estimate | None:
    """A run's metric of a name, which may leave out the embedder.

    Raises:
        UsageError: if it leaves out the embedder, and the run has the metric with several.
    """
    named = [each for each in run.estimates if each.name == name]
    found = named or [each for each in run.estimates if base_name(each.name) == name]
    if len({each.identity for each in found}) > 1:
        raise UsageError(
            f"'{name}' may be any of {', '.join(sorted({each.name for each in found}))}",
            where=str(run.path),
            remedy="Name the metric in the gate with its embedder.",
            code="gate/ambiguous",
        )
    return found[0] if found else None


def resolve(
    gate: GateFile, source: str | None, effects: Effects, base: RunReport, new: RunReport, allowed: Collection[str]
) -> Gate:
    """A gate as it is used for two runs: with the metrics' full names and smallest effects.

    Args:
        gate: as declared.
        source: path of its file, if it has one.
        effects: of the metrics themselves, for those where the gate names none.
        base: one run.
        new: the other.
        allowed: fields in which the runs were allowed to differ.

    Raises:
        UsageError: if a metric's direction is not what the gate says, or its name is ambiguous.
    """
    metrics = tuple(_resolved(metric, effects, (base, new)) for metric in gate.metrics)
    used = used_digest(metrics, gate.alpha)
    stale = _stale(gate.calibration, used, base, allowed)
    return Gate(
        source=source, metrics=metrics, alpha=gate.alpha, seed=gate.seed, calibration=gate.calibration,
        calibration_stale=stale, digest=used,
    )  # fmt: skip


def used_digest(metrics: Sequence[GateMetric], alpha: float) -> str:
    """What a calibration is bound to: metrics, smallest effects and alpha. Their order does not matter."""
    rows = sorted([metric.name, metric.smallest_effect] for metric in metrics)
    return digest({"metrics": rows, "alpha": alpha})


def write_calibration(path: Path, calibration: Calibration, gate: GateFile) -> GateFile:
    """Put a calibration into a gate file, in the place of an earlier one; all else stays as it stands, comments too.

    Args:
        path: of the file; one that is not there is made.
        calibration: to be put in.
        gate: what a new file says besides.

    Raises:
        UsageError: if the file cannot be used or written.
        IncompleteError: if the disk is full.
    """
    text = _text(path) if path.exists() else _as_yaml(_plain(gate))
    kept = _without_block(text).rstrip("\n")
    written = f"{kept}\n{_as_yaml({'calibration': calibration.model_dump(mode='json')})}"
    found = _parsed(written, path)
    if found.calibration != calibration or (path.exists() and _plain(found) != _plain(_parsed(text, path))):
        raise UsageError(
            "the calibration cannot be put into this gate file without changing the rest of it",
            where=str(path),
            remedy="Write the file in block style, as `timbrebench calibrate` makes it where there is none.",
            code="gate/not-writable",
        )
    write_text(path, written)
    return found


def _resolved(metric: GateMetric, effects: Effects, runs: Sequence[RunReport]) -> GateMetric:
    found = [each for run in runs if (each := find(run, metric.name)) is not None]
    for each in found:
        if metric.direction not in (None, each.direction):
            raise UsageError(
                f"the gate says that {metric.direction} is better in {each.name}, the runs say {each.direction}",
                where="gate",
                remedy="Correct the gate's direction, or leave it out.",
                code="gate/direction",
            )
    name = found[0].name if found else metric.name
    smallest = metric.smallest_effect if metric.smallest_effect is not None else effects.get(name)
    return GateMetric(name=name, smallest_effect=smallest, direction=found[0].direction if found else metric.direction)


def _stale(calibration: Calibration | None, used: str, base: RunReport, allowed: Collection[str]) -> str:
    if calibration is None:
        return ""
    if calibration.gate != used:
        return "the gate was changed after it was calibrated"
    if calibration.suite_digest != base.identity.suite.digest:
        return f"it was calibrated on another suite ({calibration.suite})"
    return ""


def _text(path: Path) -> str:
    try:
        with path.open("rb") as handle:
            data = handle.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES:,} bytes")
        return data.decode("utf-8")
    except (OSError, ValueError) as error:
        raise _unusable(path, str(error)) from error


def _parsed(text: str, path: Path) -> GateFile:
    import yaml

    try:
        value = yaml.safe_load(text)
        if not isinstance(value, dict):
            raise ValueError("it is no mapping")
        return GateFile.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise _unusable(path, f"{place}: {first['msg']}" if place else first["msg"]) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _unusable(path, " ".join(str(error).split())) from error


def _unusable(path: Path, cause: str) -> UsageError:
    return UsageError(
        f"the gate file cannot be used: {cause}",
        where=str(path),
        remedy="docs/compare.md has an example of a gate file.",
        code="gate/unusable",
    )


def _plain(gate: GateFile) -> dict[str, Any]:
    return gate.model_dump(mode="json", by_alias=True, exclude={"calibration"}, exclude_none=True)


def _as_yaml(value: Mapping[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True, width=120)


def _without_block(text: str) -> str:
    """A YAML text without its top-level `calibration`: from that line to the next one that is not indented."""
    kept, inside = [], False
    for line in text.splitlines(keepends=True):
        if not line.startswith((" ", "\t", "\n", "\r")):
            inside = line.startswith(BLOCK)
        if not inside:
            kept.append(line)
    return "".join(kept)
