"""The studio, where songs are rendered, each once.

A song's audio goes to the cache, under everything that decides it: its score and mix, the samples, the synthesiser. So
a longer suite renders only what a shorter one did not have, and a build that was stopped goes on where it was. The
hashes of the excerpts are taken while the samples are in memory, and kept beside the audio.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from bench.audio import Clip
from bench.identity import digest, sha256_file
from bench.store import strict_json
from bench.store.atomic import write_json
from bench.store.cache import Cache
from bench.task import audio_digest
from tasks.synth.layouts import HASHES, add_medleydb, edit_file, edits_folder, files, stem_file
from tasks.synth.mixing import mix, true_edit
from tasks.synth.render import FADE_S, soundfont
from tasks.synth.songs import Song, compose
from tasks.synth.sounds import Sound

VERSION = 2
"""Of everything that makes audio of a score."""

TAIL_S = FADE_S + 1.0
"""The music goes on for this long after the excerpt, and fades out."""


@dataclass(frozen=True)
class Order:
    """A song that is asked for.

    Attributes:
        seed, number: which.
        edits: how many edits of it.
        excerpt_s: how long its excerpt is.
        folder: where its audio shall be; None for the cache.
    """

    seed: int
    number: int
    edits: int
    excerpt_s: float
    folder: Path | None = None


@dataclass(frozen=True)
class Hashes:
    """Of a song's excerpts as they were rendered: of mixture and stems (`audio_digest`), and of each true edit.

    `key` is the hash of all that decides them.
    """

    key: str
    source: str
    true_edits: dict[str, str]


@dataclass(frozen=True)
class Recording:
    """A song whose audio lies below `root`, as `layouts` says."""

    song: Song
    hashes: Hashes
    root: Path


def sampler() -> dict[str, str]:
    """What plays: the samples' hash and the synthesiser's version."""
    return {"soundfont": _soundfont_hash(), "tinysoundfont": installed_version("tinysoundfont")}


@cache
def _soundfont_hash() -> str:
    return sha256_file(soundfont())


def recorded(order: Order) -> Recording:
    """The song of an order, rendered now unless it is there.

    Raises:
        DataError: if the samples are not installed.
    """
    song = compose(order.seed, order.number, edits=order.edits, seconds=order.excerpt_s + TAIL_S)
    key = _key(song, order)

    def record(root: Path) -> None:
        _record(song, order, key, root)

    root = order.folder or Cache().directory(key, record)
    hashes = _read_hashes(song, root)
    if hashes is None or hashes.key != digest(key) or not all((root / file).is_file() for file in files(song)):
        hashes = _record(song, order, key, root)
    if order.folder is not None:
        add_medleydb(song, root)
    return Recording(song, hashes, root)


def _read_hashes(song: Song, root: Path) -> Hashes | None:
    """The hashes kept beside a song's audio, if they are there."""
    try:
        return Hashes(**strict_json.parse_object((root / edits_folder(song) / HASHES).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _key(song: Song, order: Order) -> dict[str, Any]:
    """All that decides a song's audio."""
    parts = {
        stem: {"sound": _sampled(part.sound), "notes": [list(asdict(note).values()) for note in part.notes]}
        for stem, part in song.score.parts.items()
    }
    return {
        "stage": "synth-song",
        "version": VERSION,
        "song": song.name,
        "score": digest(parts),
        "balance": asdict(song.balance),
        "edits": {song.edit_name(edit): _sampled(song.sound_of(edit)) for edit in song.edits},
        "excerpt_s": order.excerpt_s,
        **sampler(),
    }


def _sampled(sound: Sound) -> list[int]:
    return [sound.bank, sound.program, sound.raised]


def _record(song: Song, order: Order, key: Mapping[str, Any], root: Path) -> Hashes:
    """Render a song and all its true edits; their hashes are written last."""
    seconds = order.excerpt_s + TAIL_S
    source = mix(song, seconds, order.excerpt_s)

    def heard(clip: Clip) -> Clip:
        return clip.window(0.0, order.excerpt_s)

    source.mixture.write_wav(root / stem_file(song, "mixture"))
    for stem, clip in source.stems.items():
        clip.write_wav(root / stem_file(song, stem))
    true_edits = {}
    for edit in song.edits:
        true = true_edit(song, source, edit, seconds, order.excerpt_s)
        true.stem.write_wav(root / edit_file(song, edit))
        true_edits[song.edit_name(edit)] = heard(true.mixture).sha256
    stems = {stem: heard(clip) for stem, clip in source.stems.items()}
    hashes = Hashes(digest(key), audio_digest(heard(source.mixture), stems), true_edits)
    write_json(root / edits_folder(song) / HASHES, asdict(hashes))
    return hashes
