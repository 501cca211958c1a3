"""Clips made of the single notes of a folder in NSynth's layout, by the rule of `tasks.pairs.joining`.

The labels are NSynth's families, all that it tells of an instrument. Each clip is of one of its instruments and counts
as a song of its own. The clips lie in the cache, and become the root `pairs`.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from bench.identity import derive_seed, digest
from bench.store import strict_json
from bench.store.atomic import write_json
from bench.store.cache import Cache
from bench.suite import Track
from tasks import instruments
from tasks.nsynth import Family, Note, present, read_notes
from tasks.pairs import joining
from tasks.pairs.material import ROOT, SILENT, Material, Wanted
from tasks.pairs.recordings import Label, Place, Recording, label_of
from tasks.turns import in_turn

JOINED = "joined-notes"
LICENCE = "that of the notes (NSynth: CC BY 4.0)"

# What prompts call one instrument of a family whose general name is a plural.
_SPOKEN: Mapping[Family, str] = {
    "brass": "a brass instrument",
    "mallet": "a mallet instrument",
    "reed": "a reed instrument",
    "string": "a bowed string instrument",
    "vocal": "a voice",
}

_INDEX = "clips.json"
_RECORDINGS = TypeAdapter(tuple[Recording, ...])


def of_notes(folder: Path, wanted: Wanted, track: Track) -> Material:
    """Clips of the notes of a folder: of each family as many as suffice, from its instruments in turn.

    Args:
        folder: the one that holds `audio/`.
        wanted: what makes a clip fit, and how many are needed.
        track: told how far the joining is.

    Raises:
        DataError, AudioError: if the folder or a note cannot be read.
    """
    notes = read_notes(folder)
    rules = {"from": "notes", "notes": digest([[n.note_str, n.qualities] for n in notes]), **joining.describe()}
    key = {"stage": "pairs/joined-notes", "version": 1, **rules, **asdict(wanted), "files": _state(folder, notes)}
    made = Cache().directory(key, lambda root: _make(root, folder, notes, wanted, track))
    index = strict_json.parse_object((made / _INDEX).read_bytes())
    return Material(_RECORDINGS.validate_python(index["clips"]), {ROOT: made}, rules, Counter(index["refused"]))


def _state(folder: Path, notes: Sequence[Note]) -> str:
    """What shows that a note was written anew: the sizes and times of the files. Their content is not read for it."""
    told = [(folder / note.path).stat() for note in notes]
    return digest([str(folder.resolve()), [[each.st_size, each.st_mtime_ns] for each in told]])


def _make(root: Path, folder: Path, notes: Sequence[Note], wanted: Wanted, track: Track) -> None:
    families = present(notes)
    refused: Counter[str] = Counter()
    clips: list[Recording] = []
    for family in track(families, "families", len(families)):
        fit = _fit(root, folder, [note for note in notes if note.family == family], wanted, refused)
        clips += itertools.islice(fit, wanted.clips_of_each(len(families)))
    write_json(root / _INDEX, {"clips": [each.model_dump(mode="json") for each in clips], "refused": refused})


def _fit(root: Path, folder: Path, notes: Sequence[Note], wanted: Wanted, refused: Counter[str]) -> Iterator[Recording]:
    """The clips of a family, written below the root: the first of each instrument, then the second, and so on."""
    for instrument, number, plan in in_turn(_plans(notes, wanted)):
        clip = joining.join(folder, plan)
        if wanted.is_silent(clip):
            refused[SILENT] += 1
            continue
        place = Place(root=ROOT, paths=(f"{instrument}/{number:04d}.wav",), start_s=0.0, duration_s=wanted.duration_s)
        clip.write_wav(root / place.paths[0])
        yield Recording.of(
            place.read(root),  # as it will be read, to the last bit
            place,
            song=f"notes/{instrument}-{number:04d}",
            label=_label(notes[0].family),
            monophonic=_monophonic(plan),
            licence=LICENCE,
            flags=(JOINED,),
        )


def _plans(notes: Sequence[Note], wanted: Wanted) -> list[Iterator[tuple[str, int, joining.Plan]]]:
    """For each instrument of a family, in an order drawn by the seed, its clips with their numbers."""
    by_instrument: dict[str, list[Note]] = defaultdict(list)
    for note in notes:
        by_instrument[note.instrument].append(note)
    names = sorted(by_instrument)
    rng = np.random.default_rng(derive_seed(wanted.seed, "pairs", "instruments", notes[0].family))

    def numbered(name: str) -> Iterator[tuple[str, int, joining.Plan]]:
        for number, plan in enumerate(joining.plans(by_instrument[name], wanted.duration_s, seed=wanted.seed)):
            yield name, number, plan

    return [numbered(names[place]) for place in rng.permutation(len(names))]


def _label(family: Family) -> Label:
    instrument = instruments.find(family)
    if instrument is None:
        raise LookupError(f"tasks.instruments has no name for NSynth's family {family}")
    return label_of(instrument, _SPOKEN.get(family))


def _monophonic(plan: joining.Plan) -> bool | None:
    """One note is cut where the next begins; but a single note may have two pitches, which only qualities tell."""
    qualities = [note.qualities for note, _ in plan]
    if any(told is not None and "multiphonic" in told for told in qualities):
        return False
    return None if None in qualities else True
