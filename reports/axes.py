"""The two sides of an edit: which columns of a table say whether the new timbre arrived, and what was left alone."""

from __future__ import annotations

from collections.abc import Sequence

from reports.model import Column

ALIGNMENT = ("clap-phrase", "clap-reference", "clap-true-edit", "clap", "clap@manor2024", "true-edit-logmel")
"""Target alignment, the preferred first."""

PRESERVATION = (
    *("background-logmel", "background-logmel@htdemucs", "lpaps@manor2024", "lpaps"),
    *("cqt1-pcc@steermusic", "cqt1-pcc", "dpd-pesto-cents", "onset-f1", "chroma-cosine"),
)
"""What should stay as it was, the preferred first."""


def sides(columns: Sequence[Column]) -> tuple[Column, Column] | None:
    """The preferred column of each side that is there: target alignment, preservation. None if a side has none.

    Args:
        columns: of a section, or those of them that have values; derived ones do not count.
    """
    alignment, preservation = (_first(columns, names) for names in (ALIGNMENT, PRESERVATION))
    return None if alignment is None or preservation is None else (alignment, preservation)


def _first(columns: Sequence[Column], names: Sequence[str]) -> Column | None:
    measured = [column for column in columns if not column.derived]
    found = (c for name in names for c in measured if c.name.partition(":")[0] == name)
    return next(found, None)
