"""`synth-notes`: labelled single notes and monophonic phrases of the sampled instruments, in NSynth's layout.

::

    <folder>/nsynth-{train,valid,test}/audio/<note_str>.wav   4 s: held for 3 s, then let go
                                       examples.json
                                       phrases/<sound>-<number>.wav
                                       phrases.json

`tasks.nsynth` reads the notes as it reads NSynth's: 16 kHz, mono, 16 bit, 64,000 samples, five velocities, the pitches
that the real instrument has. Only sounds that belong to one of NSynth's eleven families are notes; a harp is in none.
Phrases are played by the sounds that may take a tune or a bass, and have their notes in `phrases.json`. Entries have
no `qualities`: nobody judged them.

*Levels.* A note's peak says its velocity and nothing else (`PEAK` at 127, in proportion below), so that loudness does
not tell the instrument; a phrase's peak is `PEAK`.

*Splits* are those of `tasks.synth.voices`: a sound is in one of them, always the same.

Note and phrase depend on seed, sound and their number alone: more of them begin with the fewer.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import BenchError, DataError, UsageError, did_you_mean
from bench.identity import derive_seed, digest
from bench.store.atomic import make_folder, write_json
from bench.store.cache import Cache
from bench.suite import Track, untracked
from tasks.nsynth import AUDIO, EXAMPLES, FAMILIES, HELD_S, ORIGINS, RATE, SECONDS, SPLITS, VELOCITIES
from tasks.synth.lines import write_phrase
from tasks.synth.phrases import PHRASE_LIST, PHRASES
from tasks.synth.processes import in_order, usable_cores
from tasks.synth.render import FADE_S, render
from tasks.synth.scores import Note, Part
from tasks.synth.studio import sampler
from tasks.synth.suite import LICENCE
from tasks.synth.voices import Voice, voices
from tasks.turns import in_turn

VERSION = 1
"""Of the rules here and in `tasks.synth.lines`."""

PHRASE_S = 10.0 + FADE_S

PEAK = 0.7
"""Of full scale."""

JOBS_A_PROCESS = 32
"""A process takes about as long to start as it takes to render so many notes."""

# -- writing --------------------------------------------------------------------------------------------------------


def cached_notes(
    *,
    seed: int,
    notes: int,
    phrases: int = 0,
    splits: Sequence[str] = SPLITS,
    phrase_s: float = PHRASE_S,
    track: Track = untracked,
) -> Path:
    """The folder that `write_notes` writes with these arguments, in the cache; written now if it is not there."""
    asked = {"seed": seed, "notes": notes, "phrases": phrases, "splits": list(splits), "phrase_s": phrase_s}
    key = {"stage": "synth-notes", "version": VERSION, **asked, **_sounds()}

    def build(folder: Path) -> None:
        write_notes(folder, seed=seed, notes=notes, phrases=phrases, splits=splits, phrase_s=phrase_s, track=track)

    return Cache().directory(key, build)


def _sounds() -> dict[str, Any]:
    """What decides the sound beside the score: the samples, who plays them, and the table of sounds."""
    table = [
        [voice.sound.name, voice.sound.bank, voice.sound.program, voice.sound.raised, voice.label, voice.split]
        for voice in voices()
    ]
    return {"sounds": digest(table), **sampler()}


def write_notes(
    folder: Path,
    *,
    seed: int,
    notes: int,
    phrases: int = 0,
    splits: Sequence[str] = SPLITS,
    phrase_s: float = PHRASE_S,
    workers: int | None = None,
    track: Track = untracked,
) -> None:
    """Render notes and phrases, spread evenly over the sounds of the splits.

    The result does not depend on the number of workers. They are spawned, so a script that calls this needs the usual
    `if __name__ == "__main__":`.

    Args:
        folder: where `nsynth-<split>` folders are made. They must not be there yet.
        seed: of which pitches and velocities, and of the phrases.
        notes: how many single notes, over all splits; no two are alike.
        phrases: how many phrases, over all splits.
        splits: which splits to write.
        phrase_s: length of a phrase's file; its last second fades out.
        workers: at most so many processes; default: one a core, fewer for few files.
        track: told how far the rendering is.

    Raises:
        UsageError: for an unknown split, or more notes than there are.
        DataError: if a split's folder is there already, or the samples are not installed.
    """
    chosen = _chosen(splits)
    roots = {split: folder / f"nsynth-{split}" for split in splits}
    for root in roots.values():
        if root.exists():
            raise DataError(
                "the folder for notes is there already",
                where=str(root),
                remedy="Choose another folder, or remove this one.",
                code="synth/folder-taken",
            )
    planned = _plan_notes(chosen, notes, seed)
    played = _plan_phrases(chosen, phrases, seed, phrase_s - FADE_S)
    jobs = [_note_job(roots, *each) for each in planned] + [_phrase_job(roots, *each, phrase_s) for each in played]
    for target in {job.path.parent for job in jobs} | set(roots.values()):
        make_folder(target)
    workers = workers or min(usable_cores(), math.ceil(len(jobs) / JOBS_A_PROCESS))
    for _ in track(in_order(_render, jobs, workers=workers), "files", len(jobs)):
        pass
    for split, root in roots.items():
        listed = [each for each in enumerate(planned) if each[1][0].split == split]
        if listed:
            write_json(root / EXAMPLES, {_note_str(*each): _example(number, *each) for number, each in listed})
        lines = [each for each in played if each[0].split == split]
        if lines:
            write_json(root / PHRASE_LIST, {_phrase_name(*each): _phrase_entry(*each) for each in lines})


def _chosen(splits: Sequence[str]) -> tuple[Voice, ...]:
    for split in splits:
        if split not in SPLITS:
            raise UsageError(f"there is no split '{split}'", remedy=did_you_mean(split, SPLITS), code="unknown-split")
    return tuple(voice for voice in voices() if voice.split in splits)


# -- plans ----------------------------------------------------------------------------------------------------------

_PlannedNote = tuple[Voice, int, int]
"""Who plays, pitch and velocity."""

_PlannedPhrase = tuple[Voice, int, tuple[Note, ...]]
"""Who plays, the phrase's number among the voice's, and its notes."""


def _plan_notes(chosen: Sequence[Voice], count: int, seed: int) -> list[_PlannedNote]:
    def of(voice: Voice) -> Iterator[_PlannedNote]:
        every = list(itertools.product(range(voice.sound.low, voice.sound.high + 1), VELOCITIES))
        order = np.random.default_rng(derive_seed(seed, "synth-notes", voice.sound.name)).permutation(len(every))
        return ((voice, *every[place]) for place in order)

    planned = list(itertools.islice(in_turn([of(voice) for voice in chosen if voice.label]), count))
    if len(planned) < count:
        raise UsageError(
            f"there are {len(planned)} different notes, not {count}",
            remedy=f"Ask for at most {len(planned)} notes of these splits.",
            code="synth/too-many-notes",
        )
    return planned


def _plan_phrases(chosen: Sequence[Voice], count: int, seed: int, seconds: float) -> list[_PlannedPhrase]:
    def of(voice: Voice) -> Iterator[_PlannedPhrase]:
        for number in itertools.count():
            rng = np.random.default_rng(derive_seed(seed, "synth-phrases", voice.sound.name, str(number)))
            yield voice, number, write_phrase(*_compass(voice), seconds, rng)

    return list(itertools.islice(in_turn([of(voice) for voice in chosen if voice.melodic]), count))


def _compass(voice: Voice) -> tuple[int, int]:
    """Where the instrument's parts mostly lie, as far as the sound reaches; its whole range, if that is too little."""
    usual_low, usual_high = voice.instrument.usual
    low, high = max(usual_low, voice.sound.low), min(usual_high, voice.sound.high)
    return (low, high) if high - low >= 12 else (voice.sound.low, voice.sound.high)


# -- names and lists ------------------------------------------------------------------------------------------------


def _note_str(voice: Voice, pitch: int, velocity: int) -> str:
    return f"{voice.label}-{pitch:03d}-{velocity:03d}"


def _phrase_name(voice: Voice, number: int, notes: Sequence[Note]) -> str:
    return f"{voice.sound.name}-{number:03d}"


def _example(number: int, voice: Voice, pitch: int, velocity: int) -> dict[str, Any]:
    """The fields of NSynth's entries, but for qualities; and what the sound is called here."""
    family, origin = voice.instrument.family, voice.origin
    return {
        "note": number,
        "note_str": _note_str(voice, pitch, velocity),
        "instrument": voices().index(voice),
        "instrument_str": voice.label,
        "instrument_family": [str(each) for each in FAMILIES].index(family),
        "instrument_family_str": family,
        "instrument_source": ORIGINS.index(origin),
        "instrument_source_str": origin,
        "pitch": pitch,
        "velocity": velocity,
        "sample_rate": RATE,
        "sound": voice.sound.name,
    }


def _phrase_entry(voice: Voice, number: int, notes: Sequence[Note]) -> dict[str, Any]:
    return {
        "instrument": voice.instrument.name,
        "sound": voice.sound.name,
        "notes": [[note.onset_s, note.duration_s, note.pitch, note.velocity] for note in notes],
        "licence": LICENCE,
    }


# -- rendering ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Job:
    """What to render, for how long, how loud at its peak, and where to."""

    part: Part
    seconds: float
    peak: float
    path: Path


def _note_job(roots: Mapping[str, Path], voice: Voice, pitch: int, velocity: int) -> _Job:
    part = Part(voice.instrument.stem, voice.sound, (Note(0.0, HELD_S, pitch, velocity),))
    path = roots[voice.split] / AUDIO / f"{_note_str(voice, pitch, velocity)}.wav"
    return _Job(part, SECONDS, PEAK * velocity / max(VELOCITIES), path)


def _phrase_job(roots: Mapping[str, Path], voice: Voice, number: int, notes: tuple[Note, ...], seconds: float) -> _Job:
    path = roots[voice.split] / PHRASES / f"{_phrase_name(voice, number, notes)}.wav"
    return _Job(Part(voice.instrument.stem, voice.sound, notes), seconds, PEAK, path)


def _render(job: _Job) -> None:
    clip = render(job.part, job.seconds).to_mono().resample(RATE)
    if clip.peak < 10 ** (-80 / 20):
        raise BenchError(
            f"the {job.part.sound.name} is silent",
            where=job.path.name,
            remedy="This is a fault of timbrebench: please report it with the command that you gave.",
            code="synth/silent",
        )
    clip.scaled(job.peak / clip.peak).write_wav(job.path)
