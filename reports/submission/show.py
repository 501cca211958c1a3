"""A check's result as people and CI systems read it."""

from __future__ import annotations

from collections.abc import Iterator

from reports.model import count
from reports.submission.model import CheckResult, Finding


def text(result: CheckResult) -> Iterator[str]:
    """Lines for a terminal: what is wrong, what to do about each kind of it, the verdict."""
    for finding in result.findings:
        place = f" [{finding.where}]" if finding.where else ""
        yield f"{finding.severity}: {finding.code}: {finding.what}{place}"
    remedies = {(finding.code, finding.remedy): None for finding in result.findings}
    for code, remedy in remedies:
        yield f"do ({code}): {remedy}"
    yield verdict(result)


def verdict(result: CheckResult) -> str:
    """The last line."""
    errors = sum(finding.severity == "error" for finding in result.findings)
    warnings = len(result.findings) - errors
    if errors:
        return f"refused: {count(errors, 'error')}, {count(warnings, 'warning')}"
    assert result.submission is not None
    heard = f"{count(result.decoded, 'edit')} heard, {result.failed} declared as failed"
    copies = "" if result.copies is None else f", {result.copies:.0%} copies of the source"
    card = result.submission.card
    told = f" ({count(warnings, 'warning')})" if warnings else ""
    return f"accepted{told}: {card.system} {card.version}, {card.division}: {heard}{copies}"


def github(result: CheckResult) -> Iterator[str]:
    """Workflow commands, which GitHub shows as annotations of a change.

    They are one line each, and begin a line: a name with a line break must not be able to write one of its own.
    """
    for finding in result.findings:
        kind = "error" if finding.severity == "error" else "warning"
        yield f"::{kind} file={_property(result.file)},title={_property(finding.code)}::{_message(finding)}"
    level = "notice" if result.accepted else "error"
    yield f"::{level} file={_property(result.file)},title=timbrebench submit check::{_data(verdict(result))}"


def _message(finding: Finding) -> str:
    place = f" [{finding.where}]" if finding.where else ""
    return _data(f"{finding.what}{place}. {finding.remedy}")


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
