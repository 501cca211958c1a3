"""Which words of a prompt the text bias favours.

The paper favours "the target subject token(s)" and does not say how they are found; the released code favours every
token of a stem's phrase, article and adjectives included. The rule for the subject here, on the phrase alone:

1. Where the task names its new instrument and the phrase has that name, the name is the subject: in "a clean electric
   guitar", electric-guitar gives "electric guitar". A plural s does not count.
2. Else a phrase of several parts ("a cello, a light flute and a violin") has a subject in each, and the subject of a
   part is its last word before a preposition: the "choir" of "powerful vocal choir with rhythmic delivery". A last
   word that does not tell one instrument from another (`GENERIC`: what is played, or a whole family) takes the word
   before it along: "violin melody", "upright bass", "jazz drums".

Every place is a range of characters in the prompt; `bench.backbone.Conditioning.tokens` makes tokens of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch

from bench.backbone import Conditioning, Span
from bench.task import STEMS, EditTask, StemName
from methods.polyphonia.config import PolyphoniaConfig

_GENERIC = """
    accents arpeggios bass beat beats chords drum drums fills groove grooves harmonies harmony hits improvisation kit
    lead leads licks line lines loop loops machine melodies melody notes pad pads part parts pattern patterns percussion
    performance pulse rhythm rhythms riff riffs section sections solo solos sound sounds strikes strums swells texture
    textures tone tones track vocal vocals voice voices
"""
GENERIC = frozenset(_GENERIC.split())
"""Last words of a phrase that name no instrument by themselves."""

_PARTS = re.compile(r"\s*(?:[,;&+/]|\b(?:and|or|plus)\b)\s*", re.IGNORECASE)
_PREPOSITION = re.compile(r"\s(?:with|without|of|on|in|at|by|for|from|over|under|played|playing)\s", re.IGNORECASE)
_ARTICLES = frozenset({"a", "an", "the", "some"})
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def favoured_stems(task: EditTask, config: PolyphoniaConfig) -> tuple[StemName, ...]:
    """The stems whose words the bias favours, each where its own G is high: the edited one, or all four."""
    return (task.stem,) if config.bias_stems == "target" else STEMS


def favoured_spans(task: EditTask, stem: StemName, config: PolyphoniaConfig) -> tuple[Span, ...]:
    """The places in the target prompt that the bias favours for a stem; none if the prompt does not name it.

    The released code searches the phrase of every stem in the prompt, the edited one's too.
    """
    if config.bias_stems == "target":
        span = task.target_span
    else:
        span = find_phrase(task.target_prompt, task.stem_phrases.get(stem, ""))
    if span is None:
        return ()
    if config.bias_words == "phrase":
        return (span,)
    return subject_spans(task.target_prompt, span, task.target_instrument if stem == task.stem else None)


def favoured_tokens(conditioning: Conditioning, tasks: Sequence[EditTask], config: PolyphoniaConfig) -> torch.Tensor:
    """The m of eq. 13 for every task: 1 on the tokens to be favoured, in the order of `favoured_stems`.

    Returns:
        (tasks, stems, tokens), as many tokens as the longest prompt has.
    """
    stems = [favoured_stems(task, config) for task in tasks]
    tokens = torch.zeros(len(tasks), len(stems[0]), max(len(row) for row in conditioning.offsets))
    for row, task in enumerate(tasks):
        for pair, stem in enumerate(stems[row]):
            for span in favoured_spans(task, stem, config):
                tokens[row, pair, conditioning.tokens(row, span)] = 1.0
    return tokens


def find_phrase(prompt: str, phrase: str) -> Span | None:
    """Where a phrase first stands in a prompt, whatever the case and the white space; None if it does not.

    >>> find_phrase("A recording of  A smooth Violin.", "a smooth violin")
    (16, 31)
    """
    words = [re.escape(word) for word in phrase.split()]
    found = re.search(r"\s+".join(words), prompt, re.IGNORECASE) if words else None
    return found.span() if found else None


def subject_spans(prompt: str, span: Span, instrument: str | None = None) -> tuple[Span, ...]:
    """The words of a phrase that name what plays, by the rule above; the whole phrase if it has no words.

    Args:
        prompt: the text.
        span: of the phrase in it.
        instrument: the task's `target_instrument`.

    >>> prompt = "A recording of a warm violin melody, deep bass."
    >>> [prompt[start:end] for start, end in subject_spans(prompt, (15, 35))]
    ['violin melody']
    >>> [prompt[start:end] for start, end in subject_spans(prompt, (15, 35), "violin")]
    ['violin']
    """
    named = _named(prompt, span, instrument) if instrument else None
    if named is not None:
        return (named,)
    heads = [_head(prompt, part) for part in _parts(prompt, span)]
    return tuple(head for head in heads if head is not None) or (span,)


def _named(prompt: str, span: Span, instrument: str) -> Span | None:
    """Where the phrase has the instrument's name, words in a row."""
    name = r"[\s-]+".join(re.escape(word.removesuffix("s")) + "s?" for word in instrument.split("-"))
    found = re.compile(rf"\b{name}\b", re.IGNORECASE).search(prompt, *span)
    return found.span() if found else None


def _parts(prompt: str, span: Span) -> list[Span]:
    """The parts of an enumeration."""
    start, end = span
    parts = []
    for found in _PARTS.finditer(prompt, start, end):
        parts.append((start, found.start()))
        start = found.end()
    return [*parts, (start, end)]


def _head(prompt: str, part: Span) -> Span | None:
    """The last word before a preposition, with the word before it if it is one of `GENERIC`."""
    preposition = _PREPOSITION.search(prompt, *part)
    end = preposition.start() if preposition else part[1]
    words = [word for word in _WORD.finditer(prompt, part[0], end) if word.group().lower() not in _ARTICLES]
    if not words:
        return None
    first = words[-1]
    if first.group().lower() in GENERIC and len(words) > 1:
        first = words[-2]
    return first.start(), words[-1].end()
