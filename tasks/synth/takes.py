"""Songs as training material: every stem of a song, by every instrument that its edits ask for, as mono at 16 kHz.

From the takes of a song any mixture can be made by adding: the song as it is, any true edit, any part of it. The
stems are as loud as in the suite's mixes, so such sums are the suite's own mixtures (but for the 16-bit rounding).

On disk, `<folder>/<song>.npy` holds int16 samples, (takes, samples), and `<song>.json` what each row is. Both are
written whole or not at all, the list last; a song that is there is not rendered again.
"""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.audio import Clip
from bench.store.atomic import write_bytes, write_json
from tasks import instruments
from tasks.synth.mixing import mix, true_edit
from tasks.synth.scores import Part
from tasks.synth.songs import Song, compose
from tasks.synth.sounds import SOUNDS
from tasks.synth.studio import TAIL_S, sampler

VERSION = 1
RATE = 16_000


@dataclass(frozen=True)
class TakesOrder:
    """A song that is asked for: which of a seed's, with how many edits, how many seconds, and in which folder."""

    seed: int
    number: int
    edits: int
    seconds: float
    folder: Path


def record_takes(order: TakesOrder) -> Path:
    """Render a song's takes, unless they are there; the path of their list.

    Raises:
        DataError: if the samples are not installed.
    """
    song = compose(order.seed, order.number, edits=order.edits, seconds=order.seconds + TAIL_S)
    listed = order.folder / f"{song.number}.json"
    if not listed.is_file():
        _record(song, order, listed)
    return listed


def _record(song: Song, order: TakesOrder, listed: Path) -> None:
    length = order.seconds + TAIL_S
    source = mix(song, length, order.seconds)
    rows = [_samples(clip, order.seconds) for clip in source.stems.values()]
    takes = [_take(song.score.parts[stem], song.wording.phrases[stem]) for stem in source.stems]
    for edit in song.edits:
        true = true_edit(song, source, edit, length, order.seconds)
        rows.append(_samples(true.stem, order.seconds))
        takes.append(_take(song.score.parts[edit.stem].played_by(song.sound_of(edit)), edit.phrase))
    buffer = io.BytesIO()
    np.save(buffer, np.stack(rows))
    write_bytes(listed.with_suffix(".npy"), buffer.getvalue())
    write_json(listed, {"version": VERSION, "song": song.name, "genre": song.genre, "takes": takes, **sampler()})


def _samples(clip: Clip, seconds: float) -> np.ndarray[Any, np.dtype[np.int16]]:
    mono = clip.window(0.0, seconds).to_mono().resample(RATE).fit(round(seconds * RATE))
    samples: np.ndarray[Any, np.dtype[np.int16]] = np.rint(np.clip(mono.mono, -1, 1) * 32767).astype(np.int16)
    return samples


def _take(part: Part, phrase: str) -> dict[str, Any]:
    """What a row is: who plays, how prompts may call it, and the notes (onset and duration in seconds, MIDI pitch)."""
    known = instruments.get(part.sound.instrument)
    return {
        "stem": part.stem,
        "sound": part.sound.name,
        "instrument": part.sound.instrument,
        "phrase": phrase,
        "phrases": list(part.sound.phrases),
        "names": [known.label, *known.aliases],
        "monophonic": part.monophonic,
        "notes": [list(asdict(note).values())[:3] for note in part.notes],
    }


def spoken() -> tuple[str, ...]:
    """All that prompts may call an instrument: of the whole vocabulary, and of the sampler's sounds."""
    named = [(each.label, *each.aliases, *each.phrases) for each in instruments.table().values()]
    return tuple(name for names in (*named, *(sound.phrases for sound in SOUNDS.values())) for name in names)
