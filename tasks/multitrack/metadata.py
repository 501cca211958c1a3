"""Small YAML and JSON files from anyone, such as those that say what the recordings of a song are, read with suspicion.

Bounded in size before they are parsed and in depth before anything is built; no aliases, which can stand for any amount
of data ("billion laughs"); no name given twice, where YAML lets the last one win; and nothing used that a model has not
checked.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from bench.errors import DataError
from bench.store import strict_json

MAX_BYTES = 1 << 20
"""Of a file. Real metadata have under 20 kB."""

MAX_DEPTH = 16
"""Of lists and mappings within each other."""

Model = TypeVar("Model", bound=BaseModel)

_SHOWN = 300  # characters of what a parser has to say, which may quote the file


def read_yaml(path: Path, model: type[Model], *, remedy: str, code: str) -> Model:
    """A YAML file as a model.

    Args:
        path: the file.
        model: what it must be; a model that forbids extra fields makes misspelt ones errors.
        remedy: of the error.
        code: of the error.

    Raises:
        DataError: if it cannot be read, is too large, or is not what the model says, with the field.
    """
    return _read(path, _parse_yaml, model, remedy=remedy, code=code)


def read_json(path: Path, model: type[Model], *, remedy: str, code: str) -> Model:
    """A JSON file as a model; arguments and errors as of `read_yaml`."""
    return _read(path, strict_json.parse_object, model, remedy=remedy, code=code)


def _read(path: Path, parse: Callable[[bytes], Any], model: type[Model], *, remedy: str, code: str) -> Model:
    try:
        with path.open("rb") as handle:
            data = handle.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ValueError(f"it is larger than {MAX_BYTES} bytes")
        return model.model_validate(parse(data))
    except OSError as error:
        raise _unusable(path, error.strerror or str(error), remedy, code) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "top level"
        message = first["msg"].removeprefix("Value error, ")
        raise _unusable(path, f"{field}: {message}", remedy, code) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _unusable(path, str(error), remedy, code) from error


def _unusable(path: Path, cause: str, remedy: str, code: str) -> DataError:
    told = " ".join(cause.split())
    told = told if len(told) <= _SHOWN else told[:_SHOWN] + " …"
    return DataError(f"the file cannot be used: {told}", where=str(path), remedy=remedy, code=code)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml's where it is there
    """`yaml.safe_load` without names given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            line = _line(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                raise ValueError(f"{line}: a list or mapping cannot be a name")
            key = self.construct_object(key_node)
            if key in seen:
                raise ValueError(f"{line}: the name {key!r} is given twice")
            seen.add(key)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return mapping


def _parse_yaml(data: bytes) -> Any:
    depth = 0
    # The events come one after the other, so what is refused here has never been built.
    for event in yaml.parse(data, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(f"{_line(event)}: aliases (*{event.anchor}) are not allowed")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ValueError(f"{_line(event)}: nested more than {MAX_DEPTH} deep")
    return yaml.load(data, Loader=_Loader)


def _line(part: yaml.Event | yaml.Node) -> str:
    return f"line {part.start_mark.line + 1}" if part.start_mark else "a line"
