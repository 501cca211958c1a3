"""Results as they come from webMUSHRA's service, or in our own columns, read as the files of strangers that they are.

Three layouts, told apart by their columns; further columns are passed over:

* webMUSHRA, MUSHRA pages: ``trial_id, rating_stimulus, rating_score``
* webMUSHRA, five-point pages: ``trial_id, stimuli, stimuli_rating``
* ours, for any other program: ``trial, stimulus, rating``

A listener is the column ``listener``, which our configurations ask for; where there is none, ``session_uuid``.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import DataError, UsageError
from reports.listening_test.design import CHECK, Design, Trial

MOST_BYTES = 64 << 20
MOST_ROWS = 1_000_000
LISTENER_COLUMNS = ("listener", "session_uuid")

_LAYOUTS = (
    ("trial_id", "rating_stimulus", "rating_score"),
    ("trial_id", "stimuli", "stimuli_rating"),
    ("trial", "stimulus", "rating"),
)
_UNANSWERED = frozenset({"", "na", "null", "undefined"})
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(\.[0-9]{1,9})?")
_LONGEST = 200
_TOLD = 3


@dataclass(frozen=True)
class Rating:
    """One answer, with what the design knows of it. `correct` is of attention checks only."""

    listener: str
    trial: str
    question: str
    task: str
    song: str
    condition: str
    value: float
    correct: bool | None = None


@dataclass(frozen=True)
class Answers:
    """All answers of all files.

    Attributes:
        ratings: of systems and what stands beside them. checks: of attention.
        unanswered: questions that were shown and not answered, by listener.
    """

    ratings: tuple[Rating, ...]
    checks: tuple[Rating, ...]
    unanswered: Mapping[str, int]

    @property
    def listeners(self) -> tuple[str, ...]:
        """Everybody who answered or saw anything, sorted."""
        answered = {rating.listener for rating in (*self.ratings, *self.checks)}
        return tuple(sorted(answered | set(self.unanswered)))


@dataclass(frozen=True)
class _Row:
    """A line of a file: where it is, and its four cells as text."""

    where: str
    listener: str
    trial: str
    sound: str
    rating: str


def read(files: Sequence[Path], design: Design, listener: str | None = None) -> Answers:
    """The answers in some files, each checked against the design.

    Args:
        files: CSV; several are one test (webMUSHRA writes one for each kind of page).
        design: of the test.
        listener: column that says who answered; None for the first of `LISTENER_COLUMNS` that a file has.

    Raises:
        UsageError: if a file cannot be read.
        DataError: if a file is too large, is no such table, or has rows that are not of this test, are there twice or
            have a rating that its scale does not have; the first few are told, with file and line.
    """
    problems: list[str] = []
    seen: dict[tuple[str, str, str], str] = {}
    trials = {trial.id: trial for trial in design.trials}
    songs, ratings, unanswered = design.songs, list[Rating](), dict[str, int]()
    for row in (row for file in files for row in _rows(file, listener)):
        trial = trials.get(row.trial)
        problem = _misplaced(row, trial) or _again(row, seen)
        if trial is None or problem:
            problems.append(f"{row.where}: {problem}")
        elif row.rating.lower() in _UNANSWERED:
            unanswered[row.listener] = unanswered.get(row.listener, 0) + 1
        else:
            value = _value(row, design.scale(trial), whole=design.kind != "mushra" or trial.question == CHECK)
            if isinstance(value, str):
                problems.append(f"{row.where}: {value}")
            else:
                ratings.append(_rating(row, trial, songs[trial.task], value))
    if problems:
        raise _refused(files, problems)
    rated = tuple(rating for rating in ratings if rating.correct is None)
    return Answers(rated, tuple(rating for rating in ratings if rating.correct is not None), unanswered)


def _rating(row: _Row, trial: Trial, song: str, value: float) -> Rating:
    correct = None if trial.expected is None else value == trial.expected
    condition = dict(trial.heard)[row.sound]
    return Rating(row.listener, trial.id, trial.question, trial.task, song, condition, value, correct)


# -- rows -------------------------------------------------------------------------------------------------------------


def _rows(path: Path, listener: str | None) -> Iterator[_Row]:
    """The rows of a file, by its layout."""
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        places = _places(path, header, listener)
        for number, cells in enumerate(reader, start=1):
            where = f"{path.name} line {reader.line_num}"
            if not cells:
                continue
            if len(cells) != len(header) or number > MOST_ROWS:
                what = f"{len(cells)} cells under {len(header)} names" if number <= MOST_ROWS else "too many rows"
                raise ValueError(f"line {reader.line_num}: {what}")
            found = _Row(where, *(cells[place].strip() for place in places))
            if not found.listener or len(found.listener) > _LONGEST:
                raise ValueError(f"line {reader.line_num}: it does not say who the listener is, in {_LONGEST} letters")
            yield found
    except (csv.Error, ValueError) as error:
        raise DataError(
            f"the results cannot be read: {error}",
            where=str(path),
            remedy="Give the CSV as webMUSHRA's service wrote it, or the columns that docs/listening.md names.",
            code="listening/results",
        ) from error


def _text(path: Path) -> str:
    try:
        with path.open("rb") as handle:
            data = handle.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ValueError(f"they have more than {MOST_BYTES:,} bytes")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(
            f"the results cannot be read ({error.strerror or error})",
            where=str(path),
            remedy="Name the CSV that webMUSHRA's service wrote below results/.",
            code="listening/no-results",
        ) from error
    except ValueError as error:
        raise DataError(
            f"the results cannot be used: {error}",
            where=str(path),
            remedy="Give CSV in UTF-8; results of several tests must be ingested apart.",
            code="listening/results",
        ) from error


def _places(path: Path, header: Sequence[str], listener: str | None) -> tuple[int, ...]:
    """Where listener, trial, sound and rating stand."""
    layout = next((names for names in _LAYOUTS if set(names) <= set(header)), None)
    if layout is None:
        raise ValueError(f"columns are lacking: {', '.join(' + '.join(names) for names in _LAYOUTS)} would do")
    asked = LISTENER_COLUMNS if listener is None else (listener,)
    who = next((name for name in asked if name in header), None)
    if who is None:
        raise ValueError(f"there is no column {' or '.join(asked)} that says who answered (--listener names another)")
    twice = [name for name in (who, *layout) if header.count(name) > 1]
    if twice:
        raise ValueError(f"the column {twice[0]} is there twice")
    return tuple(header.index(name) for name in (who, *layout))


# -- what may be wrong with one ---------------------------------------------------------------------------------------


def _misplaced(row: _Row, trial: Trial | None) -> str | None:
    if trial is None:
        return f"the test has no trial {_cut(row.trial)}"
    if row.sound not in dict(trial.heard):
        return f"trial {trial.id} has no stimulus {_cut(row.sound)}"
    return None


def _again(row: _Row, seen: dict[tuple[str, str, str], str]) -> str | None:
    key = (row.listener, row.trial, row.sound)
    if key in seen:
        return f"listener {_cut(row.listener)} has answered this already ({seen[key]})"
    seen[key] = row.where
    return None


def _value(row: _Row, scale: tuple[int, int], *, whole: bool) -> float | str:
    """The rating, or what is wrong with it."""
    low, high = scale
    if not _NUMBER.fullmatch(row.rating):
        return f"{_cut(row.rating)} is no rating"
    value = float(row.rating)
    if not low <= value <= high or (whole and not value.is_integer()):
        return f"the rating {_cut(row.rating)} is not {'a whole number ' if whole else ''}from {low} to {high}"
    return value


def _cut(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")


def _refused(files: Sequence[Path], problems: Sequence[str]) -> DataError:
    more = f"; and {len(problems) - _TOLD:,} more" if len(problems) > _TOLD else ""
    rows = "1 row" if len(problems) == 1 else f"{len(problems):,} rows"
    return DataError(
        f"{rows} cannot be used: {'; '.join(problems[:_TOLD])}{more}",
        where=", ".join(map(str, files)),
        remedy="Give the results of this test, each file once. Two listeners of one code: --listener session_uuid.",
        code="listening/rows",
    )
