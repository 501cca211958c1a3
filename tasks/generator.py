"""Tasks in the manner of PolyEvalPrompts for songs without prompts: who could play a part instead, and in what words.

A song is given as its *lines*: what each stem plays and who plays it. `choose_edits` finds instruments that a musician
could pick up to play a line as it stands; `word` finds the words for prompts. Both depend on a seed, the song's name
and the song's own lines, and on nothing else: not on other songs, nor on how many edits are asked. The rules, with
their reasons, are in `docs/instruments.md`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from bench.identity import derive_seed
from bench.task import StemName
from tasks.instruments import Instrument, Role

VERSION = 1
"""Of the rules and templates here. Suites whose tasks are generated name it in their rules."""

DEFAULT_EDITS = 15

SPOKEN_ORDER: tuple[StemName, ...] = ("vocals", "bass", "other", "drums")
"""The order in which prompts name the stems."""

SHARES: Mapping[StemName, int] = MappingProxyType({"vocals": 7, "other": 5, "bass": 1, "drums": 2})
"""Edits of each stem among 15, as most tracks of PolyEvalPrompts have them; the order is that of the first edits."""

SHARES_WITHOUT_VOCALS: Mapping[StemName, int] = MappingProxyType({"other": 9, "bass": 2, "drums": 4})
"""The same for songs without vocals."""

TEMPLATES = (
    "A recording of {}.",
    "A music recording with {}.",
    "A piece of music with {}.",
    "A song performed with {}.",
)
"""Prompts, with a place for the list of the stems' phrases."""

WORDED_PLAYERS = 2
"""So many of a line's instruments are named: a longer list would crowd out the other stems."""

BASS_REGISTER = (28, 48)
"""E1 to C3, where a bass line lies, whatever instrument plays it."""

_EVERY_PITCH = (0, 127)

_ROLES: Mapping[StemName, Role] = {"vocals": "lead", "bass": "bass", "drums": "drums"}


class Playable(Protocol):
    """What can play a line: an `Instrument`, or a sound of the synthesiser."""

    @property
    def name(self) -> str:
        """What task ids call it."""

    @property
    def phrases(self) -> tuple[str, ...]:
        """How prompts may name it."""

    @property
    def roles(self) -> frozenset[Role]:
        """The parts it may take over."""

    @property
    def low(self) -> int:
        """Its lowest pitch, a MIDI number."""

    @property
    def high(self) -> int:
        """Its highest pitch."""

    @property
    def polyphonic(self) -> bool:
        """Whether it can play chords."""


@dataclass(frozen=True)
class Line:
    """What one stem of a song plays: what another instrument must be able to play to take it over.

    Attributes:
        stem: there is one line a stem; several instruments of a stem are replaced as a whole.
        players: who plays it now, the main one first.
        role: the part that a substitute has to take; of a sung line it is the lead.
        low, high: its lowest and highest pitch, MIDI numbers. Drums have none: any kit plays any drum part.
        chords: whether several notes sound at once.
        barred: names of further instruments that would be no change, because they may be what plays.
    """

    stem: StemName
    players: tuple[Playable, ...]
    role: Role
    low: int
    high: int
    chords: bool
    barred: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Edit:
    """One stem's line, given to another instrument, which the prompt calls `phrase`."""

    stem: StemName
    target: Playable
    phrase: str


@dataclass(frozen=True)
class Wording:
    """The words of a song's prompts: a template, and what each stem is called as it is.

    >>> words = Wording({"vocals": "clear lead vocals", "bass": "a deep bass", "drums": "punchy drums"})
    >>> words.source_prompt
    'A recording of clear lead vocals, a deep bass and punchy drums.'
    """

    phrases: Mapping[StemName, str]
    template: str = TEMPLATES[0]

    @property
    def source_prompt(self) -> str:
        """What the mixture is."""
        return self.template.format(_listed(self.phrases))

    def target_phrases(self, edit: Edit) -> dict[StemName, str]:
        """What each stem is called after an edit."""
        return {**self.phrases, edit.stem: edit.phrase}

    def target_prompt(self, edit: Edit) -> tuple[str, tuple[int, int]]:
        """What the mixture should become, and where in it the edit's phrase stands: [start, end) in characters."""
        phrases = self.target_phrases(edit)
        start = self.template.index("{}") + len(_listed(phrases, until=edit.stem))
        return self.template.format(_listed(phrases)), (start, start + len(edit.phrase))


def line_of(stem: StemName, instruments: Sequence[Instrument]) -> Line:
    """The line of a stem of which only the instruments are known: as such instruments are usually played.

    It covers the usual ranges of all of them, of a bass line the bass register. Several instruments, or one that can
    play chords, are taken to do so, except in a bass line. Sounds without pitch beside pitched ones do not count; where
    there is nothing else, as in a stem of sound effects, the line is one that no instrument can take over.

    Args:
        stem: the stem.
        instruments: what plays, at least one; the first is taken for the main one.

    Raises:
        ValueError: if there is no instrument.
    """
    if not instruments:
        raise ValueError(f"no instrument plays the line of {stem}")
    chords = stem != "bass" and (len(instruments) > 1 or instruments[0].polyphonic)
    spans = [_usual(stem, each) for each in instruments if each.pitched] or [_EVERY_PITCH]
    return Line(
        stem=stem,
        players=tuple(instruments),
        role=_ROLES.get(stem, "chords" if chords else "lead"),
        low=min(low for low, _ in spans),
        high=max(high for _, high in spans),
        chords=chords,
        barred=frozenset(name for each in instruments for name in each.akin),
    )


def can_play(candidate: Playable, line: Line) -> bool:
    """Whether a musician could take over a line on this instrument, as it stands."""
    if line.role not in candidate.roles:
        return False
    if line.role == "drums":
        return True
    return candidate.low <= line.low and line.high <= candidate.high and (candidate.polyphonic or not line.chords)


def choose_edits(
    lines: Sequence[Line],
    candidates: Sequence[Playable],
    *,
    count: int = DEFAULT_EDITS,
    seed: int,
    song: str,
    first: Mapping[StemName, str] = MappingProxyType({}),
) -> tuple[Edit, ...]:
    """The edits of a song: as many as asked, or fewer if no more would be plausible.

    The first edits go round the stems; then the stems take turns so that 15 edits have PolyEvalPrompts' shares. A stem
    without further targets leaves its turns to the others. No target is heard in the song already. The order of a
    stem's targets is drawn for each song, so that over many songs like targets are asked about equally often.

    Args:
        lines: of the song, one a stem.
        candidates: what may be asked for.
        count: how many edits; the edits of a smaller number are the first of a larger one's.
        seed: of the order of targets and of their phrases.
        song: its name, which gives each song its own choice.
        first: for some stems, the name of the first edit's target; it counts where it is plausible.
    """
    heard = {player.name for line in lines for player in line.players}.union(*(line.barred for line in lines))
    by_stem = {line.stem: line for line in lines}
    queues = {stem: _in_order(line, candidates, heard, seed, song, first.get(stem)) for stem, line in by_stem.items()}
    edits: dict[str, Edit] = {}
    given = dict.fromkeys(by_stem, 0)
    while len(edits) < count and (stem := _next_stem(queues, given)) is not None:
        target = queues[stem].pop(0)
        edit = Edit(stem, target, _draw(target.phrases, seed, "target words", song, stem, target.name))
        name = edit_name(by_stem[stem], edit)
        if name not in edits:  # one instrument may be the main one of two stems
            edits[name] = edit
            given[stem] += 1
    return tuple(edits.values())


def edit_name(line: Line, edit: Edit) -> str:
    """`electric-guitar2violin`, in the manner of PolyEvalPrompts; of several players the main one is named."""
    return f"{line.players[0].name}2{edit.target.name}"


def word(lines: Sequence[Line], *, seed: int, song: str) -> Wording:
    """The words for a song's lines as they are.

    Args:
        lines: of the song, one a stem.
        seed: of the template and the phrases.
        song: its name, which gives each song its own words.
    """
    phrases: dict[StemName, str] = {}
    for line in sorted(lines, key=lambda line: SPOKEN_ORDER.index(line.stem)):
        named: list[str] = []
        for player in line.players[:WORDED_PLAYERS]:
            used = " ".join([*phrases.values(), *named])  # one instrument may play in two stems
            options = [phrase for phrase in player.phrases if phrase not in used] or player.phrases
            named.append(_draw(options, seed, "source words", song, line.stem, player.name))
        phrases[line.stem] = " layered with ".join(named)
    return Wording(phrases, _draw(TEMPLATES, seed, "template", song))


# -- choosing ---------------------------------------------------------------------------------------------------------


def _usual(stem: StemName, instrument: Instrument) -> tuple[int, int]:
    """Where a stem's line on this instrument usually lies."""
    low, high = BASS_REGISTER
    if stem == "bass" and instrument.low < high:
        return max(low, instrument.low), high
    return instrument.usual


def _in_order(
    line: Line, candidates: Sequence[Playable], heard: Collection[str], seed: int, song: str, first: str | None
) -> list[Playable]:
    """The targets of a line: the one wished for, then, of a sung tune, what phrases like a voice, then the rest."""

    def place(candidate: Playable) -> tuple[bool, bool, int]:
        unlike_voice = line.stem == "vocals" and candidate.polyphonic and "voice" not in candidate.roles
        draw = derive_seed(seed, "generator", "targets", song, line.stem, candidate.name)
        return candidate.name != first, unlike_voice, draw

    return sorted((each for each in candidates if each.name not in heard and can_play(each, line)), key=place)


def _next_stem(queues: Mapping[StemName, Sequence[Playable]], given: Mapping[StemName, int]) -> StemName | None:
    """The stem of the next edit: one that has none yet, else the one furthest behind its share (D'Hondt's rule)."""
    shares = SHARES if "vocals" in queues else SHARES_WITHOUT_VOCALS
    waiting = [stem for stem in shares if queues.get(stem)]
    if not waiting:
        return None
    furthest_behind = max(waiting, key=lambda stem: shares[stem] / (given[stem] + 1))
    return next((stem for stem in waiting if given[stem] == 0), furthest_behind)


def _draw(options: Sequence[str], seed: int, *names: str) -> str:
    return options[derive_seed(seed, "generator", *names) % len(options)]


def _listed(phrases: Mapping[StemName, str], until: StemName | None = None) -> str:
    """All phrases as a list in words, or what comes before the phrase of a stem."""
    named = [stem for stem in SPOKEN_ORDER if stem in phrases]
    text = ""
    for place, stem in enumerate(named):
        if place > 0:
            text += " and " if place == len(named) - 1 else ", "
        if stem == until:
            break
        text += phrases[stem]
    return text
