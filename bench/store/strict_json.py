"""JSON as the store reads and writes it: UTF-8, objects only, no NaN, no name twice.

Python's own reader takes `NaN`, lets the second of two equal names win and turns `1e999` into infinity. In a file
that says what was measured each of these is damage, so here they are errors.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn


def dump(value: Mapping[str, Any], *, indent: int | None = None, sort_keys: bool = False) -> bytes:
    """A value as JSON in UTF-8, without a final newline.

    Raises:
        TypeError: for a value that JSON does not know.
        ValueError: for NaN or infinity.
    """
    text = json.dumps(value, indent=indent, sort_keys=sort_keys, ensure_ascii=False, allow_nan=False)
    # File names that are not UTF-8 reach us as lone surrogates. "backslashreplace" writes them as \udcXX, which is
    # how JSON spells them, so they are readable and come back as they were.
    return text.encode("utf-8", errors="backslashreplace")


def parse_object(data: bytes) -> dict[str, Any]:
    """The object that some bytes spell.

    Raises:
        ValueError: for bad UTF-8, bad JSON, anything but an object, a name given twice, NaN or infinity.

    >>> parse_object(b'{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ValueError: the name 'a' is given twice
    """
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_distinct,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError(f"not an object but {type(value).__name__}")
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for name, item in pairs:
        if name in value:
            raise ValueError(f"the name {name!r} is given twice")
        value[name] = item
    return value


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is beyond the range of a float")
    return value
