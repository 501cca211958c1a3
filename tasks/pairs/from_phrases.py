"""Clips from phrases: an instrument alone, playing one line whose notes are known (`tasks.synth.phrases`).

A phrase is a song of its own. Of a longer one the `duration_s` are taken in which it sounds most (the rule of
`tasks.excerpts`).
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bench.audio import Clip
from bench.identity import derive_seed, digest
from bench.suite import Track
from tasks import instruments
from tasks.excerpts import active_frames, choose_start
from tasks.nsynth import SPLITS
from tasks.pairs.material import ROOT, SHORT, SILENT, Material, Wanted
from tasks.pairs.recordings import Place, Recording, label_of
from tasks.pairs.rules import one_note_at_a_time
from tasks.synth.notes import cached_notes
from tasks.synth.phrases import Phrase, read_phrases
from tasks.synth.render import FADE_S
from tasks.synth.voices import voices


def of_phrases(folder: Path, wanted: Wanted, track: Track) -> Material:
    """The clips of a folder with phrases: of each instrument as many as suffice, in an order drawn by the seed.

    Args:
        folder: the one that holds `phrases.json`.
        wanted: what makes a clip fit, and how many are needed.
        track: told how far the reading is.

    Raises:
        DataError, AudioError: if the list or a phrase cannot be read.
    """
    listed = [(phrase.path, phrase) for phrase in read_phrases(folder)]
    order = np.random.default_rng(derive_seed(wanted.seed, "pairs", "phrases")).permutation(len(listed))
    return _chosen(folder.resolve(), [listed[place] for place in order], wanted, track)


def of_rendered_phrases(wanted: Wanted, track: Track) -> Material:
    """The clips of phrases of all sounds that play alone, which are rendered now if they are not in the cache.

    Raises:
        DataError: if the samples are not installed.
    """
    melodic = [voice for voice in voices() if voice.melodic]
    each = wanted.clips_of_each(len({voice.instrument.name for voice in melodic}))
    folder = cached_notes(
        # Not the seed itself: what a model was trained on is another draw than what it is judged by.
        seed=derive_seed(wanted.seed, "pairs", "rendered"),
        notes=0,
        phrases=len(melodic) * each,
        phrase_s=wanted.duration_s + FADE_S,
        track=track,
    )
    splits = [f"nsynth-{split}" for split in SPLITS]
    listed = [(f"{split}/{phrase.path}", phrase) for split in splits for phrase in read_phrases(folder / split)]
    listed.sort(
        key=lambda row: (int(row[1].name.rpartition("-")[2]), row[1].name)
    )  # the first of each sound come first
    return _chosen(folder, listed, wanted, track, flags=("synthesised",))


def _chosen(
    root: Path, listed: Sequence[tuple[str, Phrase]], wanted: Wanted, track: Track, flags: Sequence[str] = ()
) -> Material:
    """The first fit clips of each instrument, in the order of the phrases, which stand with their paths."""
    by_instrument: dict[str, list[tuple[str, Phrase]]] = defaultdict(list)
    for row in listed:
        by_instrument[row[1].instrument].append(row)
    refused: Counter[str] = Counter()
    found: list[Recording] = []
    for name in track(sorted(by_instrument), "instruments", len(by_instrument)):
        fit = _fit(root, by_instrument[name], wanted, refused, flags)
        found += itertools.islice(fit, wanted.clips_of_each(len(by_instrument)))
    rules = {"from": "phrases", "phrases": digest(sorted(path for path, _ in listed))}
    return Material(tuple(found), {ROOT: root}, rules, refused)


def _fit(
    root: Path, rows: Sequence[tuple[str, Phrase]], wanted: Wanted, refused: Counter[str], flags: Sequence[str]
) -> Iterator[Recording]:
    for path, phrase in rows:
        whole = Clip.read(root / path)
        if whole.length < round(wanted.duration_s * whole.rate):
            refused[SHORT] += 1
            continue
        activity = active_frames(whole.samples, whole.rate)
        start = choose_start([activity], rate=whole.rate, length=whole.length, duration_s=wanted.duration_s)
        clip = whole.window(start, wanted.duration_s)
        if wanted.is_silent(clip):
            refused[SILENT] += 1
            continue
        yield Recording.of(
            clip,
            Place(root=ROOT, paths=(path,), start_s=start, duration_s=wanted.duration_s),
            song=f"phrases/{phrase.name}",
            label=label_of(instruments.get(phrase.instrument)),
            monophonic=one_note_at_a_time(phrase.notes),
            licence=phrase.licence,
            flags=flags,
        )
