"""`card.yaml`: what the authors of a system say of it, read with the same suspicion as everything that is a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from bench.errors import DataError, UsageError
from reports.submission.model import Card

MOST_BYTES = 64 << 10

MAX_DEPTH = 8

_SHOWN = 300


def read_card(path: Path) -> Card:
    """A card from a YAML file.

    Raises:
        UsageError: if there is no such file.
        DataError: if it is too large, not plain YAML, or not a card; every field that is wrong is named.
    """
    try:
        with path.open("rb") as handle:
            data = handle.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"the card cannot be read ({error.strerror or error})",
            where=str(path),
            remedy="Give a card.yaml; `docs/submissions.md` has one to copy.",
            code="no-card",
        ) from error
    try:
        if len(data) > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
        # By way of JSON: then lists are tuples, and dates and other things that YAML knows are errors.
        return Card.model_validate_json(json.dumps(_plain(data.decode("utf-8")), allow_nan=False))
    except ValidationError as error:
        raise _unusable(path, "; ".join(_told(error))) from error
    except yaml.YAMLError as error:
        raise _unusable(path, str(error)[:_SHOWN]) from error
    except TypeError as error:
        raise _unusable(path, f"{error}: put quotes around dates") from error
    except ValueError as error:
        raise _unusable(path, str(error)) from error


def _plain(text: str) -> Any:
    """What YAML without aliases, and without one name given twice, says.

    Raises:
        yaml.YAMLError: if it is not YAML. ValueError: if it is not plain.
    """
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):  # a step at a time: what follows a fault is not parsed
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("it has aliases (*name), which a card does not need")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ValueError(f"it is nested over {MAX_DEPTH} deep")
    for name in _twice(yaml.compose(text, yaml.SafeLoader)):
        raise ValueError(f"{name!r} is given twice")
    return yaml.safe_load(text)


def _twice(node: Any) -> Iterator[str]:
    """Names that a mapping has twice, of which YAML lets the last win."""
    if isinstance(node, yaml.MappingNode):
        names = [str(key.value) for key, _ in node.value]
        yield from (name for number, name in enumerate(names) if name in names[:number])
        for _, value in node.value:
            yield from _twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _twice(value)


def _told(error: ValidationError) -> Iterator[str]:
    for each in error.errors(include_url=False, include_context=False, include_input=False):
        field = ".".join(str(part) for part in each["loc"]) or "the card"
        yield f"{field}: {each['msg'].removeprefix('Value error, ')}"


def _unusable(path: Path, why: str) -> DataError:
    return DataError(
        f"the card cannot be used: {why}",
        where=str(path),
        remedy="`docs/submissions.md` lists the fields, and has a card to copy.",
        code="data/card",
    )
