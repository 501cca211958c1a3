"""`submission.json` from a stranger: bounded, strict, and every field that is wrong named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bench.store import strict_json
from reports.submission.model import SCHEMA, SUBMISSION, Submission
from reports.submission.rules import Findings

MOST_BYTES = 32 << 20
"""Of `submission.json`: an entry has about 250 bytes."""

MAX_DEPTH = 24


def read_claims(data: bytes, findings: Findings) -> Submission | None:
    """The submission that some bytes spell; None, and findings, if they do not."""
    try:
        value = strict_json.parse_object(data)
        _check_shape(value)
    except ValueError as error:
        deep = "nested" in str(error)
        findings.add("json/nested" if deep else "json/malformed", SUBMISSION, f"it cannot be read: {error}")
        return None
    if value.get("schema") != SCHEMA:
        findings.add("json/schema", SUBMISSION, f"its schema is {value.get('schema')!r}, and {SCHEMA} is read here")
        return None
    try:
        return Submission.parsed(value)
    except ValidationError as error:
        for each in error.errors(include_url=False, include_context=False, include_input=False):
            field = ".".join(str(part) for part in each["loc"])
            message = each["msg"].removeprefix("Value error, ")
            code = "card/field" if each["loc"][:1] == ("card",) else "json/field"
            findings.add(code, f"{SUBMISSION}: {field}" if field else SUBMISSION, message)
        return None


def _check_shape(value: Mapping[str, Any]) -> None:
    """Refuse what is nested too deeply, and text that is none (lone surrogates).

    Raises:
        ValueError: for either.
    """
    todo: list[tuple[Any, int]] = [(value, 1)]
    while todo:
        item, depth = todo.pop()
        if depth > MAX_DEPTH:
            raise ValueError(f"nested over {MAX_DEPTH} deep")
        if isinstance(item, str):
            _check_text(item)
        elif isinstance(item, Mapping):
            todo += [(each, depth + 1) for pair in item.items() for each in pair]
        elif isinstance(item, list):
            todo += [(each, depth + 1) for each in item]


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("it has text that is not Unicode (a lone surrogate)") from None
