"""Tasks on an offline page: mixture and stems, what is edited, prompts, flags, true edits and references.

Tasks of one excerpt that edit the same stem stand together, below the players that they share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.audio import Clip
from bench.errors import AudioError, DataError
from bench.store.atomic import make_folder, write_text
from bench.suite import Suite, Track, untracked
from bench.task import STEMS, EditTask, Source, SourceRef, StemName
from reports.assets import FOLDER, Assets
from reports.html import frame
from reports.html.players import Player, Put, Value, choose, highlighted, stage
from reports.html.spectrogram import Tick

TEMPLATE = Path(__file__).with_name("page.html.j2")

_Given = list[tuple[Player, Clip | None]]


@dataclass(frozen=True)
class Written:
    """How many tasks are on the page, and for how many clips it has a reason instead of a player."""

    tasks: int
    problems: int


@dataclass(frozen=True)
class Task:
    """One task; `players` are its true edit and its reference, where it has them."""

    task: EditTask
    target: tuple[str, str, str]
    players: tuple[Player, ...]


@dataclass(frozen=True)
class Group:
    """Tasks that edit one stem of one excerpt, and the players of that excerpt, on one time and frequency axis."""

    stem: StemName
    players: tuple[Player, ...]
    tasks: tuple[Task, ...]
    seconds: float
    ticks: tuple[Tick, ...]

    @property
    def problems(self) -> int:
        """Clips that cannot be heard."""
        everyone = [*self.players, *(player for task in self.tasks for player in task.players)]
        return sum(bool(player.problem) for player in everyone)


@dataclass(frozen=True)
class Excerpt:
    """The groups of one excerpt, in the order of the stems."""

    source: SourceRef
    groups: tuple[Group, ...]


def write(
    suite: Suite,
    tasks: Sequence[EditTask],
    out: Path,
    *,
    limit: int,
    meanings: Mapping[str, str | None],
    track: Track = untracked,
) -> Written:
    """Write `index.html` and its `assets/` into a folder, over an earlier page if there is one.

    Audio that is not here, or is not what the suite says, is told on the page in the place of its player.

    Args:
        suite: with its roots.
        tasks: that may be shown, all with a source.
        out: the folder; made if it is not there.
        limit: most tasks on the page; as many of each song as can be.
        meanings: of the flags, in a line each, as far as they are known.
        track: told how far it is, in excerpts.

    Raises:
        UsageError: if the folder cannot be written to. IncompleteError: if the disk is full.
    """
    assets = Assets(out / FOLDER)
    make_folder(assets.folder)
    shown = _chosen(tasks, limit)
    excerpts = [
        Excerpt(suite.sources[source], tuple(_groups(suite, source, mine, assets.put)))
        for source, mine in track(shown.items(), "excerpts", len(shown))
    ]
    number = sum(map(len, shown.values()))
    page = frame.render(
        TEMPLATE,
        title=f"{number:,} of {len(suite.tasks):,} tasks of {suite.name}",
        excerpts=excerpts,
        flags={flag: meanings.get(flag) for mine in shown.values() for task in mine for flag in task.flags},
        digest=suite.digest[:12],
        suite=suite,
    )
    write_text(out / "index.html", page)
    assets.remove_others()
    return Written(number, sum(group.problems for excerpt in excerpts for group in excerpt.groups))


def _chosen(tasks: Sequence[EditTask], limit: int) -> dict[str, list[EditTask]]:
    """The tasks that are shown, by source, in the order of the suite."""
    songs: dict[str, list[str]] = {}
    for task in tasks:
        songs.setdefault(task.song, []).append(task.id)
    ids = set(choose(songs, limit))
    shown: dict[str, list[EditTask]] = {}
    for task in tasks:
        if task.id in ids and task.source is not None:
            shown.setdefault(task.source, []).append(task)
    return shown


def _groups(suite: Suite, source_id: str, tasks: Sequence[EditTask], put: Put) -> Iterator[Group]:
    ref = suite.sources[source_id]
    try:
        source, problem = suite.open(source_id), ""
    except (AudioError, DataError) as error:
        source, problem = None, _told(error)
    for stem in STEMS:
        mine = [task for task in tasks if task.stem == stem]
        if mine:
            shared = _shared(ref, source, stem, problem)
            own = [_own(suite, task) for task in mine]
            on = stage([*shared, *(pair for given in own for pair in given)], put)
            players = iter(on.players)
            first = tuple(next(players) for _ in shared)
            rest = [tuple(next(players) for _ in given) for given in own]
            shown = tuple(Task(task, highlighted(task), those) for task, those in zip(mine, rest, strict=True))
            yield Group(stem, first, shown, on.seconds, on.ticks)


def _shared(ref: SourceRef, source: Source | None, edited: StemName, problem: str) -> _Given:
    """The mixture, and the stems with the edited one first."""
    if source is None:
        return [(Player("Mixture and stems", "source", problem=problem), None)]
    given: _Given = [(Player("Mixture", "source"), source.mixture)]
    if edited not in source.stems:
        given.append((Player(edited, "source edited", problem="The song has no such stem."), None))
    for stem in sorted(source.stems, key=lambda name: (name != edited, STEMS.index(name))):
        playing = ", ".join(ref.instruments.get(stem, ()))
        values = (Value("plays", "", playing),) if playing else ()
        title = stem if source.stem_origin == "true" else f"{stem}, separated"
        player = Player(f"{title}, edited" if stem == edited else title, "source", values=values)
        given.append((replace(player, kind="source edited") if stem == edited else player, source.stems[stem]))
    return given


def _own(suite: Suite, task: EditTask) -> _Given:
    """What only this task has."""
    given: _Given = []
    for title, kind, read, ref in (
        ("True edit", "truth", suite.true_edit, task.true_edit),
        ("Reference timbre", "source", suite.target_audio, task.target_audio),
    ):
        if ref is not None:
            try:
                given.append((Player(title, kind), read(task)))
            except (AudioError, DataError) as error:
                given.append((Player(title, kind, problem=_told(error)), None))
    return given


def _told(error: AudioError | DataError) -> str:
    """An error as the page tells it: without the place, which is of interest on this machine only."""
    return f"Cannot be heard: {error.cause}."
