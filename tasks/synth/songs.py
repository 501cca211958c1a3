"""A song of the suite: a performed score, the edits asked of it, and the prompts that ask."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.errors import DataError
from bench.identity import derive_seed
from bench.task import StemName
from tasks.synth.arrange import as_written, perform, varied
from tasks.synth.instruments import INSTRUMENTS, Instrument, plausible_targets
from tasks.synth.pieces import PIECES
from tasks.synth.scores import Part, Score

ARTIST = "Timbrebench"

SPOKEN_ORDER: tuple[StemName, ...] = ("vocals", "bass", "other", "drums")
"""The order in which prompts name the stems."""

EDIT_ORDER: tuple[StemName, ...] = ("vocals", "other", "bass", "drums")
"""The order in which stems get their edits; a fifth edit is the lead's second."""

MAX_EDITS = 16


@dataclass(frozen=True)
class Edit:
    """One stem's part, given to another instrument, which the prompt calls `phrase`."""

    stem: StemName
    target: Instrument
    phrase: str


@dataclass(frozen=True)
class Song:
    """A score with its title, genre and edits; `phrases` is what prompts call each stem as it is."""

    title: str
    slug: str
    genre: str
    score: Score
    phrases: Mapping[StemName, str]
    edits: tuple[Edit, ...]

    @property
    def source_prompt(self) -> str:
        """What the mixture is."""
        return _prompt(self.phrases)

    def target_phrases(self, edit: Edit) -> dict[StemName, str]:
        """What each stem is called after an edit."""
        return {**self.phrases, edit.stem: edit.phrase}

    def target_prompt(self, edit: Edit) -> tuple[str, tuple[int, int]]:
        """What the mixture should become, and where in it the edit's phrase stands: [start, end) in characters."""
        phrases = self.target_phrases(edit)
        before = _prompt(phrases, until=edit.stem)
        return _prompt(phrases), (len(before), len(before) + len(edit.phrase))

    def edit_name(self, edit: Edit) -> str:
        """`clear-voice2violin`, in the manner of PolyEvalPrompts' `vocals2violin`."""
        return f"{self.score.parts[edit.stem].instrument.name}2{edit.target.name}"


def compose(seed: int, index: int, *, edits: int, seconds: float) -> Song:
    """Song number `index` of the songs of a seed. It depends on nothing else, and not on how many songs there are.

    The first round through the pieces plays them as written, whatever the seed, which then only moves the
    performance and the choice of targets; later rounds vary them.

    Args:
        seed: of all choices.
        index: 0, 1, …
        edits: how many edits; another number gives the same song and the same first edits.
        seconds: how long the music goes on.

    Raises:
        DataError: if there are not so many plausible edits.
    """
    piece = PIECES[index % len(PIECES)]
    take = index // len(PIECES) + 1
    slug = piece.slug if take == 1 else f"{piece.slug}-{take}"
    reading = as_written(piece) if take == 1 else varied(piece, _rng(seed, slug, "reading"))
    first = piece.first_targets if take == 1 else {}
    score = perform(reading, seconds, _rng(seed, slug, "performance"))
    source_words = _rng(seed, slug, "source words")
    phrases = {stem: _phrase(score.parts[stem].instrument, source_words) for stem in SPOKEN_ORDER}
    title = piece.title if take == 1 else f"{piece.title} {take}"
    queues = {stem: _targets(score.parts[stem], score, seed, index, first.get(stem)) for stem in EDIT_ORDER}
    chosen = _edits_in_turn(queues, edits, _rng(seed, slug, "target words"))
    if len(chosen) < edits:
        raise DataError(
            f"the song has {len(chosen)} plausible edits, not {edits}",
            where=f"synth/{slug}",
            remedy=f"Ask for at most {len(chosen)} edits.",
            code="synth/too-many-edits",
        )
    return Song(title, slug, piece.genre, score, phrases, chosen)


def _edits_in_turn(
    queues: Mapping[StemName, Sequence[Instrument]], count: int, words: np.random.Generator
) -> tuple[Edit, ...]:
    """The first target of each stem, then the second of each, and so on, up to a number of edits."""
    rounds = itertools.zip_longest(*(queues[stem] for stem in EDIT_ORDER))
    pairs = ((stem, target) for targets in rounds for stem, target in zip(EDIT_ORDER, targets, strict=True) if target)
    return tuple(Edit(stem, target, _phrase(target, words)) for stem, target in itertools.islice(pairs, count))


def _targets(part: Part, score: Score, seed: int, index: int, first: str | None) -> list[Instrument]:
    """The plausible targets of a part, in the order of one shuffled list of all instruments, turned by `index`.

    So targets spread over the songs. A tune is first given to what holds a note as a voice does; what is struck or
    plucked comes after. A composer's wish comes `first`.
    """
    heard = [other.instrument.name for other in score.parts.values()]
    found = plausible_targets(part.stem, part.low, part.high, polyphonic=not part.monophonic, exclude=heard)
    order = [list(INSTRUMENTS)[i] for i in _rng(seed, "targets", part.stem).permutation(len(INSTRUMENTS))]
    shuffled = sorted(found, key=lambda instrument: order.index(instrument.name))
    turned = [shuffled[(index + i) % len(shuffled)] for i in range(len(shuffled))]
    return sorted(turned, key=lambda it: (it.name != first, part.stem == "vocals" and it.polyphonic))


def _phrase(instrument: Instrument, rng: np.random.Generator) -> str:
    return instrument.phrases[int(rng.integers(len(instrument.phrases)))]


def _prompt(phrases: Mapping[StemName, str], until: StemName | None = None) -> str:
    """The whole prompt, or what comes before the phrase of a stem."""
    text = "A recording of "
    last = len(SPOKEN_ORDER) - 1
    for place, stem in enumerate(SPOKEN_ORDER):
        text += ("", ", ", " and ")[(place > 0) + (place == last)]
        if stem == until:
            return text
        text += phrases[stem]
    return text + "."


def _rng(seed: int, *parts: str) -> np.random.Generator:
    return np.random.default_rng(derive_seed(seed, "synth", *parts))
