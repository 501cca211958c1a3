"""Whose answers count. Nobody is left out in silence: each is named, with the rule and the figures.

* **Hidden reference** (ITU-R BS.1534-3, post-screening; MUSHRA only): whoever rates the hidden reference below 90 in
  more than 15 % of the trials in which it was heard.
* **Attention**: whoever does as told in fewer than two thirds of the attention checks that they saw. Somebody who
  answers by chance gets past three checks of five points in one case of ten; one slip in three is forgiven.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from reports.listening_test.design import REFERENCE, Kind
from reports.listening_test.results import Answers, Rating

LOWEST_REFERENCE = 90.0
MOST_BELOW = Fraction(15, 100)
FEWEST_RIGHT = Fraction(2, 3)


@dataclass(frozen=True)
class Excluded:
    """Somebody whose answers do not count. `rule`: reference or attention. `why`: in words, with the figures."""

    listener: str
    rule: str
    why: str


@dataclass(frozen=True)
class Screened:
    """The ratings that count, and who was left out. `checked`: how many listeners there were attention checks of."""

    ratings: tuple[Rating, ...]
    excluded: tuple[Excluded, ...]
    checked: int


def screen(answers: Answers, kind: Kind) -> Screened:
    """Apply the rules to each listener."""
    rated, checks = _by_listener(answers.ratings), _by_listener(answers.checks)
    excluded = []
    for listener in answers.listeners:
        found = _reference(rated.get(listener, []), kind) or _attention(checks.get(listener, []))
        if found is not None:
            excluded.append(Excluded(listener, *found))
    out = {each.listener for each in excluded}
    kept = tuple(rating for rating in answers.ratings if rating.listener not in out)
    return Screened(kept, tuple(excluded), len(checks))


def _reference(ratings: list[Rating], kind: Kind) -> tuple[str, str] | None:
    hidden = [rating.value for rating in ratings if rating.condition == REFERENCE]
    below = sum(value < LOWEST_REFERENCE for value in hidden)
    if kind != "mushra" or not hidden or Fraction(below, len(hidden)) <= MOST_BELOW:
        return None
    return "reference", f"hidden reference below {LOWEST_REFERENCE:.0f} in {below} of {len(hidden)} trials"


def _attention(checks: list[Rating]) -> tuple[str, str] | None:
    right = sum(bool(check.correct) for check in checks)
    if not checks or Fraction(right, len(checks)) >= FEWEST_RIGHT:
        return None
    return "attention", f"as told in {right} of {len(checks)} attention checks"


def _by_listener(ratings: tuple[Rating, ...]) -> Mapping[str, list[Rating]]:
    found: dict[str, list[Rating]] = {}
    for rating in ratings:
        found.setdefault(rating.listener, []).append(rating)
    return found
