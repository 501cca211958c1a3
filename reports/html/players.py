"""Clips beside each other on a page: which tasks are shown, and players with pictures on common axes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.audio import Clip
from bench.task import EditTask
from reports.html.spectrogram import Tick, pictures

Put = Callable[[bytes, str], str]
"""Stores an asset (content, suffix) and returns its address relative to the page."""


@dataclass(frozen=True)
class Value:
    """One metric of one edit, as text; `missing` (the code) and `why` are set where there is no number."""

    heading: str
    arrow: str
    text: str
    missing: str = ""
    why: str = ""


@dataclass(frozen=True)
class Player:
    """One clip on the page, or what happened instead.

    Attributes:
        kind: ``source``, ``truth``, ``method``, ``baseline`` or ``control``, for its looks.
        audio, image: addresses of assets; empty where there is `problem`.
        lufs: integrated loudness, None where it is not defined.
    """

    title: str
    kind: str
    mark: str = ""
    audio: str = ""
    image: str = ""
    lufs: float | None = None
    values: tuple[Value, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Stage:
    """Players on one time and frequency axis.

    Attributes:
        seconds: what the width of their pictures stands for.
        contrast: address of the picture of the difference of two of them, if one was asked for and both can be heard.
    """

    players: tuple[Player, ...]
    seconds: float
    ticks: tuple[Tick, ...]
    contrast: str = ""


def stage(
    given: Sequence[tuple[Player, Clip | None]], put: Put, contrast: tuple[Player, Player] | None = None
) -> Stage:
    """Store the audio and pictures of clips; a player without a clip, which has a problem instead, stays as it is.

    Args:
        given: the players and their clips.
        put: stores an asset.
        contrast: two of the players, whose difference is to be drawn.
    """
    heard = [clip for _, clip in given if clip is not None]
    if not heard:
        return Stage(tuple(player for player, _ in given), 0.0, ())
    audible = [player for player, clip in given if clip is not None]
    both = contrast if contrast and all(player in audible for player in contrast) else None
    drawn = pictures(heard, (audible.index(both[0]), audible.index(both[1])) if both else None)
    images = iter(drawn.png)
    players = tuple(
        player
        if clip is None
        else replace(
            player,
            audio=put(clip.encode(subtype="PCM_16"), ".flac"),
            image=put(next(images), ".png"),
            lufs=clip.loudness_lufs,
        )
        for player, clip in given
    )
    return Stage(players, drawn.seconds, drawn.ticks, put(drawn.contrast, ".png") if drawn.contrast else "")


def highlighted(task: EditTask) -> tuple[str, str, str]:
    """The target prompt before, in and after the target phrase."""
    prompt = task.target_prompt
    start, end = task.target_span or (len(prompt), len(prompt))
    return prompt[:start], prompt[start:end], prompt[end:]


def choose(songs: Mapping[str, Sequence[str]], limit: int) -> list[str]:
    """At most `limit` tasks, as many of each song as can be, spread evenly over the tasks of a song.

    >>> choose({"a": ["a1", "a2", "a3"], "b": ["b1"]}, 3)
    ['a1', 'a3', 'b1']
    """
    quota = dict.fromkeys(songs, 0)
    while sum(quota.values()) < limit:
        open_songs = [song for song in songs if quota[song] < len(songs[song])]
        if not open_songs:
            break
        for song in open_songs[: limit - sum(quota.values())]:
            quota[song] += 1
    return [task for song, tasks in songs.items() for task in _spread(tasks, quota[song])]


def _spread(tasks: Sequence[str], number: int) -> Iterator[str]:
    """`number` of the tasks, first and last among them where there are two or more."""
    for place in range(number):
        yield tasks[round(place * (len(tasks) - 1) / max(number - 1, 1))]
