"""From answers to tables: within-listener z-scores, cluster-robust Wald tests, Holm within each question.

As in the paper on MI-guided inpainting: the answers of a listener to a question are brought to mean 0 and standard
deviation 1, which takes out how high and how wide each of them uses the scale; each system is then compared with a
baseline by a two-sided Wald test on the z-scores, and Holm's correction is over the comparisons of a question. What
the paper does not say is decided here: z-scores are over all that a listener rated in answer to a question, reference
and anchor too, with n - 1 in the standard deviation; listeners are the clusters, since the answers of one resemble each
other; and as a claim about music is also one about other songs, the same test with songs as clusters stands beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.errors import IncompleteError, UnknownNameError, did_you_mean
from bench.stats.holm import holm
from reports.listening_test.design import ANCHOR, REFERENCE, Design
from reports.listening_test.results import Answers, Rating
from reports.listening_test.screening import Excluded, Screened, screen
from reports.listening_test.wald import CellMeans, Floats, Wald, cell_means

ALPHA = 0.05


@dataclass(frozen=True)
class Contrast:
    """A system minus the baseline, in z-scores.

    Attributes:
        listeners, songs: the difference with each of them as clusters; the estimate is one.
        p_holm, p_holm_songs: corrected over the systems of a question; None where there is no p.
    """

    listeners: Wald
    songs: Wald
    p_holm: float | None = None
    p_holm_songs: float | None = None

    @property
    def found(self) -> bool:
        """Whether both corrected p are within alpha: it should hold for other listeners, and for other songs."""
        return all(p is not None and p <= ALPHA for p in (self.p_holm, self.p_holm_songs))


@dataclass(frozen=True)
class Row:
    """A condition's answers to a question.

    Attributes:
        condition, label: its key and its name.
        rating: mean on the scale of the test. z: mean of z-scores. Listeners are the clusters of both intervals.
        n: answers. contrast: with the baseline; None for that itself, for the hidden reference and for the anchor.
    """

    condition: str
    label: str
    rating: Wald
    z: Wald
    n: int
    contrast: Contrast | None = None


@dataclass(frozen=True)
class Block:
    """The table of a question.

    Attributes:
        name, asks: of the question. rows: the systems in the order of the test, then reference and anchor.
        listeners, songs, tasks, n: how many there are of each, and of answers.
        flat: listeners whose answers were all the same or a single one: they have no z-score, and do not count here.
    """

    name: str
    asks: str
    rows: tuple[Row, ...]
    listeners: int
    songs: int
    tasks: int
    n: int
    flat: tuple[str, ...]


@dataclass(frozen=True)
class Analysis:
    """What a test has found.

    Attributes:
        design: of it. baseline: label of the system that all others are compared with.
        blocks: one a question that was answered.
        listeners: all that there are results of. excluded: those that do not count, and why.
        checked: how many of them saw attention checks.
        unanswered: number of questions that were shown and not answered, of those who count.
        sets: how many of those who count answered each listener set; equal numbers keep the balance.
    """

    design: Design
    baseline: str
    blocks: tuple[Block, ...]
    listeners: int
    excluded: tuple[Excluded, ...]
    checked: int
    unanswered: int
    sets: Mapping[int, int]


def analyse(answers: Answers, design: Design, baseline: str | None = None) -> Analysis:
    """Screen the listeners, then make a table for each question.

    Args:
        answers: as `reports.listening_test.results.read` gives them.
        design: of the test.
        baseline: label or key of the system that the others are compared with; None for the first.

    Raises:
        UnknownNameError: if there is no such system.
        IncompleteError: if no answer is left.
    """
    base = _baseline(design, baseline)
    screened = screen(answers, design.kind)
    blocks = tuple(
        _block(design, question.name, question.asks, mine, base)
        for question in design.questions
        if (mine := [rating for rating in screened.ratings if rating.question == question.name])
    )
    if not blocks:
        raise IncompleteError(
            "no answer is left to be analysed",
            where=f"{len(answers.listeners)} listeners, of whom {len(screened.excluded)} were screened out",
            remedy=_remedy(answers, screened),
            code="listening/no-answers",
        )
    out = {each.listener for each in screened.excluded}
    unanswered = sum(number for listener, number in answers.unanswered.items() if listener not in out)
    return Analysis(
        design,
        design.labels[base],
        blocks,
        len(answers.listeners),
        screened.excluded,
        screened.checked,
        unanswered,
        _sets(screened.ratings, design),
    )


def zscores(values: Floats, listeners: Sequence[str]) -> Floats:
    """Each listener's values with mean 0 and standard deviation 1 (n - 1); NaN for one whose values do not differ.

    Args:
        values: (N,).
        listeners: of each value, (N,).

    >>> zscores(np.array([1.0, 3.0, 10.0, 10.0]), ["a", "a", "b", "b"]).round(3).tolist()
    [-0.707, 0.707, nan, nan]
    """
    _, who = np.unique(np.asarray(listeners, dtype=str), return_inverse=True)
    counts = np.bincount(who)
    apart = values - (np.bincount(who, values) / counts)[who]
    spread = np.sqrt(np.bincount(who, np.square(apart)) / np.maximum(counts - 1, 1))
    return np.divide(apart, spread[who], out=np.full(len(values), np.nan), where=spread[who] > 1e-9)


# -- a question -------------------------------------------------------------------------------------------------------


def _block(design: Design, name: str, asks: str, ratings: Sequence[Rating], base: str) -> Block:
    z = zscores(np.array([rating.value for rating in ratings]), [rating.listener for rating in ratings])
    there = np.isfinite(z)
    flat = sorted({rating.listener for rating, fine in zip(ratings, there, strict=True) if not fine})
    kept = [rating for rating, fine in zip(ratings, there, strict=True) if fine]
    present = {rating.condition for rating in kept}
    conditions = [key for key in design.labels if key in present]
    rows = _rows(design, kept, z[there], conditions, base) if kept else ()
    return Block(
        name,
        asks,
        rows,
        listeners=len({rating.listener for rating in kept}),
        songs=len({rating.song for rating in kept}),
        tasks=len({rating.task for rating in kept}),
        n=len(kept),
        flat=tuple(flat),
    )


def _rows(
    design: Design, ratings: Sequence[Rating], z: Floats, conditions: Sequence[str], base: str
) -> tuple[Row, ...]:
    cells = [conditions.index(rating.condition) for rating in ratings]
    who, songs = [rating.listener for rating in ratings], [rating.song for rating in ratings]
    plain = cell_means([rating.value for rating in ratings], cells, who, len(conditions))
    by_listener, by_song = (cell_means(z, cells, clusters, len(conditions)) for clusters in (who, songs))
    counts = np.bincount(cells, minlength=len(conditions))
    labels = design.labels
    rows = [
        Row(
            condition,
            labels[condition],
            plain.mean(place),
            by_listener.mean(place),
            int(counts[place]),
            _contrast(by_listener, by_song, place, conditions, base),
        )
        for place, condition in enumerate(conditions)
    ]
    return _corrected(rows)


def _contrast(
    by_listener: CellMeans, by_song: CellMeans, place: int, conditions: Sequence[str], base: str
) -> Contrast | None:
    if conditions[place] in (base, REFERENCE, ANCHOR) or base not in conditions:
        return None
    other = conditions.index(base)
    return Contrast(by_listener.difference(place, other), by_song.difference(place, other))


def _corrected(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows with Holm's correction over their contrasts, for either kind of clusters."""
    found = [row.contrast for row in rows if row.contrast is not None]
    by_listener = iter(_holm([contrast.listeners.p for contrast in found]))
    by_song = iter(_holm([contrast.songs.p for contrast in found]))
    return tuple(
        row
        if row.contrast is None
        else replace(row, contrast=replace(row.contrast, p_holm=next(by_listener), p_holm_songs=next(by_song)))
        for row in rows
    )


def _holm(p: Sequence[float | None]) -> list[float | None]:
    """Holm's correction; all have a p, or none has, for want of a second cluster."""
    there = [each for each in p if each is not None]
    return [*holm(there)] if len(there) == len(p) else [None] * len(p)


def _sets(ratings: Sequence[Rating], design: Design) -> dict[int, int]:
    """How many listeners answered each set."""
    of = {trial.id: trial.set for trial in design.trials}
    counts = Counter(number for _, number in {(rating.listener, of[rating.trial]) for rating in ratings})
    return {number: counts[number] for number in range(1, design.sets + 1)}


# -- what was asked for -----------------------------------------------------------------------------------------------


def _baseline(design: Design, asked: str | None) -> str:
    if asked is None:
        return design.systems[0].key
    for system in design.systems:
        if asked in (system.label, system.key):
            return system.key
    raise UnknownNameError(
        f"the test has no system '{asked}'", remedy=did_you_mean(asked, [system.label for system in design.systems])
    )


def _remedy(answers: Answers, screened: Screened) -> str:
    if screened.excluded:
        first = screened.excluded[0]
        return f"Ask more listeners; the first who was screened out: {first.listener!r}, {first.why}."
    if answers.checks:
        return "Give the results of the rating pages, too: webMUSHRA writes one file for each kind of page."
    return "Give results with answers."
