"""The configuration that a submission says it was made with, as far as a stranger's word may choose what runs here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from bench.errors import DataError
from bench.method import METHOD_NAME, Method


def claimed_config(
    kind: type[Method], claim: Mapping[str, Any], given: Mapping[str, Any], targets: Collection[str]
) -> Method.Config:
    """A method's configuration from a claim.

    Args:
        kind: the method, chosen by name from those installed here.
        claim: `made.method.config` of a submission.
        given: knobs that the auditor sets, which win.
        targets: "module:Class" of the methods that a knob may name.

    Raises:
        DataError: for a knob that the method does not have, that names a file or code that is not registered here, or
            whose value does not fit.
    """
    fields = kind.Config.model_fields
    for knob in set(claim) - set(given):
        if knob not in fields:
            raise _refused(kind, f"{knob} is not a knob of {kind.name}", "Use the version that the submission names.")
        if _is_path(fields[knob].annotation):
            raise _refused(kind, f"{knob} names a file, and a submission may not choose files", f"Give --set {knob}=….")
        if METHOD_NAME in fields[knob].metadata and str(claim[knob]) not in targets:
            raise _refused(kind, f"{knob} names code that is not registered here", f"Give --set {knob}=NAME.")
    try:
        return kind.Config.model_validate({**claim, **given})
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        knob = ".".join(str(part) for part in first["loc"])
        raise _refused(kind, f"{knob}: {first['msg']}", "Give the knobs with --set.") from error


def _is_path(annotation: Any) -> bool:
    return annotation is Path or any(_is_path(part) for part in get_args(annotation))


def _refused(kind: type[Method], cause: str, remedy: str) -> DataError:
    return DataError(
        f"the submission's configuration of {kind.name} cannot be used: {cause}",
        where="made.method.config",
        remedy=remedy,
        code="data/claimed-config",
    )
