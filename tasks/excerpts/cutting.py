"""The excerpt of a song, cut with one reading of its files, and what a suite must know of it.

The samples of every file are read once: files of edited stems whole, because the rule needs to know where they sound,
of all others only the window. So in memory are, as float32, the edited stems and one file more: 425 MB for four minutes
of four edited stems in stereo at 44.1 kHz, however many files a stem has.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.audio import Clip, file_info
from bench.errors import AudioError, DataError
from bench.task import Excerpt, SourceRef, StemName, audio_digest
from tasks.excerpts.rule import active_frames, choose_start, window_frames
from tasks.multitrack.song import Song

MIXTURE_NOT_SUM_DB = 30.0
"""Below this SDR the sum of the stems is not taken for the mixture (flag `mixture-not-sum`).

Rounding to 16 bit leaves more than 60 dB at the levels of music, so what is below 30 dB was mastered, coded with loss
(the AAC form of MUSDB18: 20.7 dB in the song that comes with stempeg), lacks a part, or has a file of another song.
"""


@dataclass(frozen=True)
class Cut:
    """The excerpt of a song, and what was found in it.

    Attributes:
        excerpt: where it is, and the hash of the audio in it.
        silent: the edited stems that are silent in it, by the rule in `tasks.excerpts.rule`.
        stem_sum_sdr_db: as in `bench.task.SourceRef`.
    """

    excerpt: Excerpt
    silent: frozenset[StemName]
    stem_sum_sdr_db: float | None

    def flags(self, stem: StemName) -> frozenset[str]:
        """The flags that the excerpt gives to an edit of a stem."""
        differs = self.stem_sum_sdr_db is not None and self.stem_sum_sdr_db < MIXTURE_NOT_SUM_DB
        raised = {"edited-stem-silent": stem in self.silent, "mixture-not-sum": differs}
        return frozenset(flag for flag, yes in raised.items() if yes)


def cut(
    root: Path, song: Song, *, edited: Collection[StemName], duration_s: float, start_s: float | None = None
) -> Cut:
    """Choose a song's excerpt and read it.

    Args:
        root: folder to which the song's paths are relative.
        song: whose excerpt.
        edited: the stems that tasks of this song edit; those that the song does not have are passed over.
        duration_s: length of the excerpt, in seconds.
        start_s: where it begins, if the user pinned it; otherwise the rule chooses.

    Raises:
        AudioError: if a file cannot be used, or the song is shorter than the excerpt.
        DataError: if the files have different sampling rates, the song lies outside its root, or the pinned excerpt
            does not lie inside the song.
    """
    rate, length, shortest = _common_shape(root, song)
    if start_s is not None:
        _check_pin(start_s, duration_s, rate, length, song=song, where=str(root / shortest))
    whole = {stem: _read_whole(root, paths) for stem, paths in song.stems.items() if stem in edited}
    activity = {stem: active_frames(clip.samples, rate) for stem, clip in whole.items()}
    try:
        best = choose_start(list(activity.values()), rate=rate, length=length, duration_s=duration_s)
    except AudioError as error:
        error.where = str(root / shortest)
        raise
    start = best if start_s is None else start_s

    def window(path: str) -> Clip:
        return Clip.read(root / path, start_s=start, duration_s=duration_s)

    stems = {
        stem: Clip.sum([whole[stem].window(start, duration_s)] if stem in whole else [window(path) for path in paths])
        for stem, paths in song.stems.items()
    }
    mixture = Clip.sum(list(stems.values())) if song.mixture is None else window(song.mixture)
    return Cut(
        Excerpt(start_s=start, duration_s=duration_s, sha256=audio_digest(mixture, stems)),
        frozenset(stem for stem, heard in activity.items() if not window_frames(heard, start, duration_s).any()),
        stem_sum_sdr_db(mixture, stems.values()),
    )


def source_ref(song: Song, cut: Cut, *, id: str, root: str) -> SourceRef:
    """The source that a song's excerpt is.

    Args:
        song: the song.
        cut: its excerpt.
        id: of the source, and of the song, which has no other: the song is what statistics cluster by.
        root: name of the folder to which the song's paths are relative.
    """
    return SourceRef(
        id=id,
        song=id,
        root=root,
        mixture=song.mixture,
        stems=song.stems,
        instruments=song.instruments,
        stem_sum_sdr_db=cut.stem_sum_sdr_db,
        excerpt=cut.excerpt,
        licence=song.licence,
    )


def stem_sum_sdr_db(mixture: Clip, stems: Iterable[Clip]) -> float | None:
    """How near the sum of the stems is to the mixture: 10 log10(Σ mix² / Σ (mix − Σ stems)²), rounded to 0.01 dB.

    Returns:
        None if they are equal to the last bit, or the mixture is silent.

    Raises:
        AudioError: if there is no stem, or rates differ.

    >>> mixture, stem = Clip.of(np.full(100, 1.0), 8000), Clip.of(np.full(100, 0.9), 8000)
    >>> stem_sum_sdr_db(mixture, [stem])
    20.0
    """
    total = Clip.sum(list(stems))
    shape = np.broadcast_shapes(mixture.samples.shape, total.samples.shape)  # one of them may be mono
    signal = np.broadcast_to(mixture.samples, shape).astype(np.float64)
    power, error = float(np.square(signal).sum()), float(np.square(signal - total.samples).sum())
    return None if power == 0 or error == 0 else round(10 * math.log10(power / error), 2)


# -- files ----------------------------------------------------------------------------------------------------------


def _common_shape(root: Path, song: Song) -> tuple[int, int, str]:
    """Rate of a song's files; length of the shortest, in samples; and the shortest. Only headers are read."""
    paths = [*([song.mixture] if song.mixture is not None else []), *(file.path for file in song.files)]
    for folder in {(root / path).parent for path in paths}:
        if not folder.resolve().is_relative_to(root.resolve()):
            raise DataError(
                f"the folder of song '{song.track}' is a link that leads out of the data set, to {folder.resolve()}",
                where=str(folder),
                remedy="Put the song itself there, or give the folder of the data set that it belongs to.",
                code="data/outside-root",
            )
    headers = {path: file_info(root / path) for path in paths}
    rates = sorted({info.rate for info in headers.values()})
    if len(rates) > 1:
        raise DataError(
            f"the files of song '{song.track}' have the sampling rates {rates} Hz",
            where=str(root / paths[0]),
            remedy="Resample the song's files to one rate.",
            code="data/rates-differ",
        )
    shortest = min(paths, key=lambda path: headers[path].frames)
    return rates[0], headers[shortest].frames, shortest


def _read_whole(root: Path, paths: Sequence[str]) -> Clip:
    """The sum of files, of which no more than one is in memory beside it."""
    first, *others = paths
    total = Clip.read(root / first)
    for path in others:
        clip = Clip.read(root / path)
        if clip.length <= total.length and clip.channels <= total.channels:
            total.samples[: clip.length] += clip.samples  # in place: a third array would be as long as the song
        else:
            total = Clip.sum([total, clip])
    return total


def _check_pin(start_s: float, duration_s: float, rate: int, length: int, *, song: Song, where: str) -> None:
    if start_s < 0 or round(start_s * rate) + round(duration_s * rate) > length:
        latest = (length - round(duration_s * rate)) / rate
        fits = f"from 0 to {latest:.3f} s" if latest >= 0 else "shorter excerpts only"
        raise DataError(
            f"the excerpt of song '{song.track}' is pinned to {start_s:g}-{start_s + duration_s:g} s, which does not "
            f"lie inside the song: it has {length / rate:.3f} s",
            where=where,
            remedy=f"Pin a start that fits ({fits}), or leave the song out of the pins.",
            code="data/pin-outside",
        )
