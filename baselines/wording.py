"""What differs between the two prompts of a task: some baselines are told it, and our tasks do not say it."""

from __future__ import annotations

import re

from bench.task import EditTask

_PUNCTUATION = ",.;:!?"
_ARTICLES = frozenset({"a", "an", "the"})


def changed_words(source: str, target: str, span: tuple[int, int] | None = None) -> tuple[str, str]:
    """The shortest stretch of words that has to be exchanged to make the target prompt of the source prompt.

    Case and punctuation at the ends of words do not count, and articles in front are left out. Where words were only
    added or only taken away, a neighbouring word stands on both sides. Equal prompts differ in ("", "").

    Args:
        source: the prompt before.
        target: the prompt after.
        span: characters [start, end) of the target prompt that the stretch is to cover at least: its phrase.

    Returns:
        The words before and after.

    >>> changed_words("Soulful vocals and punchy drums.", "Soulful vocals and electronic drums.")
    ('punchy', 'electronic')
    >>> changed_words("Soulful vocals and punchy drums.", "Soulful vocals and electronic drums.", (19, 35))
    ('punchy drums', 'electronic drums')
    >>> changed_words("Drums and a melody.", "Drums and a violin melody.")
    ('melody', 'violin melody')
    """
    before, after = source.split(), target.split()
    old, new = _plain(before), _plain(after)
    if old == new:
        return "", ""
    shorter = min(len(old), len(new))
    first = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    last = next((i for i in range(shorter - first) if old[-1 - i] != new[-1 - i]), shorter - first)
    if span is not None:
        words = list(re.finditer(r"\S+", target))
        first = min(first, sum(word.end() <= span[0] for word in words))
        last = min(last, sum(word.start() >= span[1] for word in words))
    if first == shorter - last:  # one side is empty
        first, last = (first, last - 1) if last else (max(0, first - 1), last)
    return _phrase(before[first : len(before) - last]), _phrase(after[first : len(after) - last])


def concepts(task: EditTask) -> tuple[str, str]:
    """Names of the instruments before and after, as far as the suite knows them; else what the prompts exchange."""
    before, after = task.source_instrument, task.target_instrument
    if before is None or after is None or before == after:
        return changed_words(task.source_prompt, task.target_prompt, task.target_span)
    return before.replace("-", " "), after.replace("-", " ")


def _plain(words: list[str]) -> list[str]:
    return [word.strip(_PUNCTUATION).lower() for word in words]


def _phrase(words: list[str]) -> str:
    without = [word for word in words[:1] if word.lower() not in _ARTICLES] + words[1:]
    return " ".join(without or words).strip(_PUNCTUATION)
