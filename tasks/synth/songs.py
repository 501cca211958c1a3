"""A song of the suite: a performed score, its place in the mix, the edits asked of it, and the words that ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bench.identity import derive_seed
from bench.task import STEMS, StemName
from tasks.generator import Edit, Line, Wording, choose_edits, edit_name, word
from tasks.instruments import Role
from tasks.synth.genres import GENRES, Genre
from tasks.synth.perform import perform
from tasks.synth.plan import draw
from tasks.synth.scores import Part, Score
from tasks.synth.sounds import SOUNDS, Sound, akin
from tasks.synth.titles import title

LEVEL_SPREAD_DB: Mapping[StemName, float] = {"vocals": 1.0, "drums": 1.5, "bass": 1.5, "other": 1.5}
"""How far from the usual each stem may be mixed, louder or softer."""

PAN: Mapping[StemName, tuple[float, float]] = {
    "vocals": (0.0, 0.1), "drums": (0.0, 0.0), "bass": (0.0, 0.1), "other": (0.15, 0.5)
}  # fmt: skip
"""How far from the middle each stem is placed, left or right: least and most. Kits are spread within their samples."""


@dataclass(frozen=True)
class Balance:
    """How a song is mixed: each stem's level against the usual, in dB, and its place: -1 is left, 1 is right."""

    level_db: Mapping[StemName, float]
    pan: Mapping[StemName, float]


@dataclass(frozen=True)
class Song:
    """A song.

    Attributes:
        number: unique among all seeds, `s7-0012`.
        title, genre: for people.
        score: who plays what, when.
        balance: how it is mixed.
        lines: what each stem plays, for whoever asks who else could play it.
        wording: what prompts call the stems.
        edits: in order.
    """

    number: str
    title: str
    genre: str
    score: Score
    balance: Balance
    lines: Mapping[StemName, Line]
    wording: Wording
    edits: tuple[Edit, ...]

    @property
    def name(self) -> str:
        """`s7-0012-copper-harbor`."""
        return _name(self.number, self.title)

    def edit_name(self, edit: Edit) -> str:
        """`clear-voice2violin`, in the manner of PolyEvalPrompts' `vocals2violin`."""
        return edit_name(self.lines[edit.stem], edit)

    def sound_of(self, edit: Edit) -> Sound:
        """The sound that an edit asks for."""
        return SOUNDS[edit.target.name]


def compose(seed: int, number: int, *, edits: int, seconds: float) -> Song:
    """Song number `number` of the songs of a seed. It depends on nothing else, and not on how many songs there are.

    Args:
        seed: of all choices.
        number: 0, 1, …; songs take the genres in turn, in an order of the seed's own.
        edits: how many edits; another number gives the same song and the same first edits. There are fewer where no
            more would be plausible.
        seconds: how long the music goes on.
    """
    plan = draw(genre_of(seed, number), seconds, _rng(seed, number, "plan"))
    score = perform(plan, seconds, _rng(seed, number, "notes"))
    numbered, called = f"s{seed}-{number:04d}", title(_rng(seed, number, "title"))
    name = _name(numbered, called)
    lines = {stem: _line(score.parts[stem]) for stem in STEMS}
    return Song(
        number=numbered,
        title=called,
        genre=plan.genre.label,
        score=score,
        balance=_balance(_rng(seed, number, "balance")),
        lines=lines,
        wording=word(tuple(lines.values()), seed=seed, song=name),
        edits=choose_edits(tuple(lines.values()), tuple(SOUNDS.values()), count=edits, seed=seed, song=name),
    )


def genre_of(seed: int, number: int) -> Genre:
    """The genre of a song: each once, then each once again in another order."""
    rounds, place = divmod(number, len(GENRES))
    return GENRES[int(_rng(seed, rounds, "genres").permutation(len(GENRES))[place])]


def _name(number: str, called: str) -> str:
    return f"{number}-{called.lower().replace(' ', '-')}"


def _line(part: Part) -> Line:
    roles: dict[StemName, Role] = {"vocals": "lead", "bass": "bass", "drums": "drums"}
    return Line(
        stem=part.stem,
        players=(part.sound,),
        role=roles.get(part.stem, "lead" if part.monophonic else "chords"),
        low=part.low,
        high=part.high,
        chords=not part.monophonic,
        barred=akin(part.sound),
    )


def _balance(rng: np.random.Generator) -> Balance:
    level_db = {stem: round(float(rng.uniform(-1, 1)) * LEVEL_SPREAD_DB[stem], 2) for stem in STEMS}
    pan = {stem: round(float(rng.choice((-1, 1)) * rng.uniform(*PAN[stem])), 3) for stem in STEMS}
    return Balance(level_db, pan)


def _rng(seed: int, number: int, what: str) -> np.random.Generator:
    return np.random.default_rng(derive_seed(seed, "synth", str(number), what))
