"""MUSDB18-HQ (Rafii et al., 2019; zenodo.org/records/3338373), its test set, read from its published layout.

::

    <root>/{train,test}/<Artist - Title>/{mixture,drums,bass,other,vocals}.wav

Names of files and the rate come from the configuration inside the `musdb` package. The package itself is not imported:
without ffmpeg its import fails, its audio goes through ffmpeg a whole file at a time, and it takes every folder for a
track. `bench.audio` reads the same samples, and an excerpt costs no more than the excerpt.

MUSDB18 proper, the `.stem.mp4` files (AAC, nothing above 16 kHz), is other audio: `decode_stems` makes a tree of it in
this layout, whose songs carry the flag `aac-stems`.
"""

from __future__ import annotations

import importlib
import importlib.util
import shutil
from collections.abc import Iterator, Mapping
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from bench.audio import Clip, FileInfo, file_info
from bench.errors import DataError, did_you_mean
from bench.store.atomic import make_folder, write_json
from bench.suite import Track, untracked
from bench.task import STEMS, StemName
from tasks.multitrack.song import Song, StemFile

LICENCE = "MUSDB18-HQ, academic use only"

ERRATA: Mapping[str, str] = {
    "Al James - Schoolboy Facination": "erratum-vocals-in-other",  # synthesised vocals
    "BKS - Bulldozer": "erratum-drums-in-other",  # a cowbell, at 1:12
    "Detsky Sad - Walkie Talkie": "erratum-other-in-drums",
    "Enda Reilly - Cur An Long Ag Seol": "erratum-speech-in-other",  # at the start
    "PR - Oh No": "erratum-mixture-not-sum",  # the left channel
}
"""Flags of the test tracks with known errors (sigsep.github.io/datasets/musdb.html, 'Errata')."""

AAC_STEMS = "aac-stems"
"""Flag of songs that `decode_stems` made: bandwidth 16 kHz, and mixture and stems were coded apart."""

RESAMPLED = "resampled"
"""Flag of songs whose files do not have the rate of the data set as published, 44.1 kHz."""

_SUBSET = "test"
_STEM_FILE = ".stem.mp4"
_MARKER = "decoded-stems.json"
_TOLERANCE_S = 0.1  # AAC streams of one file may differ by their padding, a few frames of 23 ms


def recognises(root: Path) -> bool:
    """Whether a folder holds a test set in this layout."""
    return any(_is_track(root / _SUBSET / name) for name in _folders(root / _SUBSET))


def songs(root: Path) -> list[str]:
    """Names of the tracks of the test set, sorted.

    Args:
        root: the folder that holds `test/` (and `train/`, which is not looked at).

    Raises:
        DataError: if this is another folder, the `.stem.mp4` form, or a tree with a folder too many.
    """
    folder = _test_set(root)
    names = _folders(folder)
    for name in names:
        if not _is_track(folder / name) and any(_is_track(folder / name / inner) for inner in _folders(folder / name)):
            raise _nested(folder / name)
    return names


def has_song(root: Path, name: str) -> bool:
    """Whether the track's folder is in the test set. What is in it is for `read_song` to say.

    Raises:
        DataError: as `songs`.
    """
    return (root / _SUBSET / name).is_dir() or name in songs(root)


def read_song(root: Path, name: str) -> Song:
    """Find a track's five files and check their headers; no samples are read.

    Args:
        root: the folder that holds `test/`.
        name: for example `PR - Oh No`.

    Raises:
        DataError: if the track or one of its files is missing, or its files differ in rate, channels or length.
        AudioError: if a file cannot be used, `audio/truncated` for one that is cut off among them.
    """
    if not has_song(root, name):
        raise DataError(
            f"the test set has no track '{name}'",
            where=str(root / _SUBSET),
            remedy=did_you_mean(name, songs(root)),
            code="data/musdb18-no-track",
        )
    layout = _layout()
    mixture = f"{_SUBSET}/{name}/{layout.mixture}"
    files = tuple(
        # Drums are no line; which instruments the other stems hold is not told.
        StemFile(f"{_SUBSET}/{name}/{layout.sources[stem]}", stem, single_line=False if stem == "drums" else None)
        for stem in STEMS
    )
    paths = [mixture, *(file.path for file in files)]
    missing = [path for path in paths if not (root / path).is_file()]
    if missing:
        raise _incomplete(root / _SUBSET / name, missing, len(paths))
    header = _common_header(root, paths)
    flags = [ERRATA[name]] if name in ERRATA else []
    flags += [RESAMPLED] if header.rate != layout.sample_rate else []
    flags += [AAC_STEMS] if (root / _MARKER).is_file() else []
    return Song(name, name, mixture, files, LICENCE, tuple(sorted(flags)))


def _common_header(root: Path, paths: list[str]) -> FileInfo:
    """What all files of a track must share, the mixture's first: they are parts of one recording."""
    headers = {path: file_info(root / path) for path in paths}
    first, *others = paths
    for path in others:
        if headers[path] != headers[first]:
            told = [f"{h.rate} Hz, {h.channels} channels, {h.frames} samples" for h in (headers[path], headers[first])]
            raise DataError(
                f"a stem and its mixture are not of one recording ({told[0]}; the mixture: {told[1]})",
                where=str(root / path),
                remedy="Fetch the track from MUSDB18-HQ again; if you converted it, convert all five files alike.",
                code="data/musdb18-uneven",
            )
    return headers[first]


# -- layout ---------------------------------------------------------------------------------------------------------


class _Layout(BaseModel):
    """What we use of musdb's `configs/mus.yaml`."""

    model_config = ConfigDict(frozen=True)
    sources: dict[StemName, str]
    mixture: str
    stem_ids: dict[str, int]
    sample_rate: float


def _layout() -> _Layout:
    """The package's configuration. `importlib.resources` would import the package; `find_spec` only finds it."""
    spec = importlib.util.find_spec("musdb")
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            "the package musdb is not installed",
            remedy="Install timbrebench with its locked dependencies: make setup.",
            code="data/no-musdb-package",
        )
    path = Path(spec.submodule_search_locations[0], "configs", "mus.yaml")
    return _Layout.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def _folders(folder: Path) -> list[str]:
    """Names of the visible folders in a folder, sorted; none if it cannot be read."""
    try:
        return sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except OSError:
        return []


def _is_track(folder: Path) -> bool:
    """Whether a folder holds at least one of a track's files."""
    return any((folder / f"{name}.wav").is_file() for name in ("mixture", *STEMS))


def _stem_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob(f"*{_STEM_FILE}") if not path.name.startswith("."))


def _test_set(root: Path) -> Path:
    """`<root>/test`, if there are tracks in it; otherwise an error that says what was given instead."""
    if recognises(root):
        return root / _SUBSET
    if _stem_files(root / _SUBSET) or _stem_files(root):
        raise DataError(
            "this is MUSDB18 in its compressed form (.stem.mp4), not MUSDB18-HQ",
            where=str(root),
            remedy="Fetch MUSDB18-HQ from zenodo.org/records/3338373; or decode these files, which needs ffmpeg: "
            "`timbrebench tasks decode FOLDER --out NEW` makes a tree whose songs are flagged 'aac-stems'.",
            code="data/musdb18-stems",
        )
    near = next((place for place in _nearby(root) if recognises(place)), None)
    raise DataError(
        "this is not MUSDB18-HQ's folder: it has no folder 'test' with tracks in it",
        where=str(root),
        remedy=f"Give {near} instead."
        if near
        else "Give the folder that holds test/<Artist - Title>/mixture.wav (zenodo.org/records/3338373, unpacked).",
        code="data/no-musdb18",
    )


def _nearby(root: Path) -> Iterator[Path]:
    """Where the root may be if `root` is its subset, one of its tracks, or a folder around it."""
    absolute = root.resolve()
    yield from (absolute.parent, absolute.parent.parent)
    yield from (root / name for name in _folders(root))


def _nested(folder: Path) -> DataError:
    return DataError(
        "there is a folder too many between the test set and its tracks",
        where=str(folder),
        remedy="Move what is in it one level up, so that each track lies at test/<Artist - Title>/mixture.wav.",
        code="data/musdb18-nested",
    )


def _incomplete(folder: Path, missing: list[str], count: int) -> DataError:
    if len(missing) == count and any(_is_track(folder / inner) for inner in _folders(folder)):
        return _nested(folder)
    return DataError(
        f"{len(missing)} of the track's {count} files are not there, first {missing[0]}",
        where=str(folder),
        remedy="Complete the track from MUSDB18-HQ, or remove its folder so that its tasks count as absent.",
        code="data/musdb18-incomplete",
    )


# -- the .stem.mp4 form -----------------------------------------------------------------------------------------------


def decode_stems(root: Path, out: Path, track: Track = untracked) -> list[str]:
    """Decode the test set of MUSDB18 (`.stem.mp4`) to 16-bit WAV files in MUSDB18-HQ's layout, as `musdb` decodes it.

    The result is not MUSDB18-HQ, and says so: its songs carry the flag `aac-stems`. Interrupted, the same call goes on
    where it stopped. One stream is in memory at a time.

    Args:
        root: the folder that holds `test/<Artist - Title>.stem.mp4`.
        out: a new folder, or one of an earlier call.
        track: told how far it is, in tracks.

    Returns:
        The names of the tracks, sorted.

    Raises:
        DataError: without ffmpeg, without such files, if `out` holds something else, or if a file is damaged.
    """
    files = _stem_files(root / _SUBSET)
    if not files:
        raise DataError(
            "there are no .stem.mp4 files in its folder 'test'",
            where=str(root),
            remedy="Give the folder that holds test/<Artist - Title>.stem.mp4 (zenodo.org/records/1117372, unpacked).",
            code="data/no-musdb18-stems",
        )
    stempeg = _stempeg()
    make_folder(out)
    if not (out / _MARKER).is_file():
        if any(out.iterdir()):
            raise DataError(
                "the folder for the decoded files is not empty, and what it holds was not decoded from .stem.mp4 files",
                where=str(out),
                remedy="Choose a new folder, or empty this one.",
                code="data/musdb18-out-taken",
            )
        # First: whatever follows must never be taken for MUSDB18-HQ.
        write_json(out / _MARKER, {"decoded_from": "MUSDB18 (.stem.mp4)", "stempeg": installed_version("stempeg")})
    names = [path.name.removesuffix(_STEM_FILE) for path in files]
    for path, name in track(zip(files, names, strict=True), "tracks", len(files)):
        _decode(stempeg, path, out / _SUBSET / name)
    return names


def _stempeg() -> Any:
    """The package through which `musdb` decodes."""
    if shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None:
        raise DataError(
            "ffmpeg, with which .stem.mp4 files are decoded, is not installed",
            remedy="Install it (apt install ffmpeg), or use MUSDB18-HQ, which does not need it.",
            code="data/no-ffmpeg",
        )
    return importlib.import_module("stempeg")


def _decode(stempeg: Any, path: Path, folder: Path) -> None:
    """Write what is still missing of a track's five files."""
    layout = _layout()
    targets = {name: folder / layout.sources[name] for name in STEMS} | {"mixture": folder / layout.mixture}
    wanted = {name: target for name, target in targets.items() if not target.is_file()}
    if not wanted:
        return
    probe_error: type[Exception] = importlib.import_module("ffmpeg").Error
    try:
        info = stempeg.Info(str(path))
        if info.nb_audio_streams != len(targets):
            raise _bad_stems(path, f"it has {info.nb_audio_streams} audio streams instead of {len(targets)}")
        for name, target in wanted.items():
            _decode_stream(stempeg, info, path, layout.stem_ids[name]).write_wav(target)
    except (probe_error, RuntimeError, Warning, ValueError) as error:  # all that stempeg raises; it raises warnings too
        raise _bad_stems(path, f"ffmpeg cannot read it ({type(error).__name__})") from error


def _decode_stream(stempeg: Any, info: Any, path: Path, stream: int) -> Clip:
    """One stream at 16 bit, as long as the mixture's. stempeg does not look at ffmpeg's exit status, so we count."""
    samples, rate = stempeg.read_stems(str(path), stem_id=stream, info=info, ffmpeg_format="s16le")
    length: int = info.samples(0)
    if abs(len(samples) - length) > _TOLERANCE_S * rate:
        raise _bad_stems(path, f"stream {stream} has {len(samples)} samples, the header promises {length}")
    return Clip.of(samples, rate).fit(length)


def _bad_stems(path: Path, cause: str) -> DataError:
    return DataError(
        f"the .stem.mp4 file is damaged: {cause}",
        where=str(path),
        remedy="Fetch it again from zenodo.org/records/1117372.",
        code="data/musdb18-stems-damaged",
    )
