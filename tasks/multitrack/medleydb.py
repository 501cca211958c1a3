"""MedleyDB's multitracks (Bittner et al., ISMIR 2014), MusicDelta among them, read from their published layout.

::

    <root>/Audio/<T>/<T>_METADATA.yaml
                     <T>_MIX.wav
                     <T>_STEMS/<T>_STEM_01.wav …

The mixture is always the MIX file. It is not the sum of the stems: see `mix_sdr_db` and `docs/data.md`. MedleyDB's own
package is not on PyPI and does not run with PyYAML 6, and mirdata does not read the stems, hence this reader.
"""

from __future__ import annotations

import math
from pathlib import Path, PurePath
from typing import Annotated

import numpy as np
import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from bench.audio import Clip
from bench.errors import DataError
from bench.task import StemName
from tasks.multitrack.song import Song, StemFile

LICENCE = "CC BY-NC-SA 4.0"
_MAX_METADATA_BYTES = 1 << 20  # real ones have under 20 kB


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split("; "))


# Instrument names of MedleyDB's taxonomy (`medleydb/resources/taxonomy.yaml`), grouped as our four stems need them.
_VOICES = _names("male singer; female singer; male rapper; female rapper; male speaker; female speaker; vocalists")
_PERCUSSION = _names(
    "auxiliary percussion; bass drum; bongo; cabasa; castanet; claps; conga; cowbell; cymbal; darbuka; doumbek; "
    "drum machine; drum set; gong; gu; guiro; high hat; kick drum; maracas; rattle; shaker; sleigh bells; snare drum; "
    "tabla; tambourine; timpani; toms; triangle"
)
_BASSES = _names("electric bass; double bass")

# Which instruments sound one note at a time, after `medleydb/resources/instrument_f0_type.json`. We claim less than it
# does in two places: bowed strings may play double stops, so they are in neither set, and speech has no melodic line.
_MONOPHONIC = _names(
    "alto saxophone; bamboo flute; baritone saxophone; bass clarinet; bassoon; clarinet; cornet; dizi; double bass; "
    "electric bass; english horn; euphonium; female singer; flute; french horn; male singer; oboe; piccolo; recorder; "
    "soprano saxophone; tenor saxophone; theremin; trombone; trumpet; tuba; whistle"
)
_POLYPHONIC = _PERCUSSION | _names(
    "accordion; acoustic guitar; bagpipe; bandoneon; banjo; brass section; cello section; chimes; clarinet section; "
    "clean electric guitar; concertina; distorted electric guitar; dulcimer; electric piano; electronic organ; "
    "female rapper; female speaker; flute section; french horn section; glockenspiel; guzheng; harmonica; harmonium; "
    "harp; harpsichord; horn section; lap steel guitar; liuqin; male rapper; male speaker; mandolin; marimba; "
    "melodica; oud; panpipes; piano; pipe organ; slide guitar; string section; synthesizer; tack piano; "
    "trombone section; trumpet section; ukulele; vibraphone; viola section; violin section; vocalists; xylophone; "
    "yangqin; zhongruan"
)


def stem_class(instrument: str, component: str) -> StemName:
    """The one of our four stems that a MedleyDB stem belongs to, by its instrument and component ('', melody, bass).

    >>> (
    ...     stem_class("male singer", "melody"),
    ...     stem_class("timpani", ""),
    ...     stem_class("tuba", "bass"),
    ...     stem_class("tuba", ""),
    ... )
    ('vocals', 'drums', 'bass', 'other')
    """
    if instrument in _VOICES:
        return "vocals"
    if instrument in _PERCUSSION:
        return "drums"
    if instrument in _BASSES or component == "bass":
        return "bass"
    return "other"


def single_line(instrument: str) -> bool | None:
    """Whether an instrument sounds one note at a time, as far as its name tells."""
    if instrument in _POLYPHONIC:
        return False
    return True if instrument in _MONOPHONIC else None


def audio_folder(root: Path) -> Path:
    """`<root>/Audio`.

    Raises:
        DataError: if there is no such folder.
    """
    folder = root / "Audio"
    if not folder.is_dir():
        raise DataError(
            "this is not a MedleyDB folder: it has no folder 'Audio'",
            where=str(root),
            remedy="Give the folder that holds Audio/<track>/<track>_METADATA.yaml.",
            code="data/no-medleydb",
        )
    return folder


def has_song(root: Path, track: str) -> bool:
    """Whether the track's folder is there. What is in it is for `read_song` to say."""
    return (audio_folder(root) / track).is_dir()


def read_song(root: Path, track: str) -> Song:
    """Read a track's metadata and check that the audio files it names are there.

    Args:
        root: the folder that holds `Audio/`.
        track: for example `MusicDelta_Reggae`.

    Raises:
        DataError: if the metadata or a file is missing, or the metadata are not MedleyDB's.
    """
    folder = audio_folder(root) / track
    where = folder / f"{track}_METADATA.yaml"
    metadata = _parse(where)
    files = tuple(
        StemFile(
            f"Audio/{track}/{metadata.stem_dir}/{stem.filename}",
            stem_class(stem.instrument, stem.component),
            single_line=single_line(stem.instrument),
        )
        for _, stem in sorted(metadata.stems.items())
    )
    mixture = f"Audio/{track}/{metadata.mix_filename}"
    missing = [path for path in (mixture, *(file.path for file in files)) if not (root / path).is_file()]
    if missing:
        raise DataError(
            f"{len(missing)} of the audio files that the metadata name are not there, first {missing[0]}",
            where=str(where),
            remedy="Complete the track from MedleyDB, or remove its folder so that its tasks count as absent.",
            code="data/medleydb-incomplete",
        )
    return Song(track, track, mixture, files, LICENCE)


def mix_sdr_db(root: Path, song: Song) -> float:
    """How near the MIX file is to the plain sum of the stems: 10 log10(Σ mix² / Σ (mix − Σ stems)²), in dB.

    Infinite if they are equal, minus infinite for a silent mix. Reads the whole song.

    Raises:
        AudioError: if a file cannot be used, or the rates differ.
    """
    if song.mixture is None:
        return math.inf
    mix = Clip.read(root / song.mixture)
    error = Clip.sum([mix, Clip.sum([Clip.read(root / file.path) for file in song.files]).scaled(-1.0)])
    signal = float(np.square(mix.samples, dtype=np.float64).sum())
    distortion = float(np.square(error.samples, dtype=np.float64).sum())
    if distortion == 0.0:
        return math.inf
    return 10 * math.log10(signal / distortion) if signal > 0 else -math.inf


# -- metadata -------------------------------------------------------------------------------------------------------


def _plain_name(value: str) -> str:
    if value in {"", ".", ".."} or PurePath(value).name != value or "\\" in value:
        raise ValueError("not the plain name of a file or folder")
    return value


_Name = Annotated[str, AfterValidator(_plain_name)]


class _Stem(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)
    filename: _Name
    instrument: str = Field(min_length=1)
    component: str = ""


class _Metadata(BaseModel):
    """What we use of METADATA.yaml. It has more fields (artist, genre, raw recordings), which are left alone."""

    model_config = ConfigDict(frozen=True, strict=True)
    mix_filename: _Name
    stem_dir: _Name
    stems: dict[str, _Stem] = Field(min_length=1)


def _parse(path: Path) -> _Metadata:
    try:
        with path.open("rb") as handle:
            text = handle.read(_MAX_METADATA_BYTES + 1)
        if len(text) > _MAX_METADATA_BYTES:
            raise ValueError(f"it is larger than {_MAX_METADATA_BYTES} bytes")
        return _Metadata.model_validate(yaml.safe_load(text))
    except OSError as error:
        raise _bad_metadata(path, f"cannot be read: {error.strerror}", "data/medleydb-incomplete") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "top level"
        raise _bad_metadata(path, f"{field}: {first['msg']}", "data/medleydb-metadata") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _bad_metadata(path, f"not readable as YAML: {error}", "data/medleydb-metadata") from error


def _bad_metadata(path: Path, cause: str, code: str) -> DataError:
    return DataError(
        f"MedleyDB metadata are unusable ({' '.join(cause.split())})",
        where=str(path),
        remedy="Fetch the file from MedleyDB again, or remove the track's folder so that its tasks count as absent.",
        code=code,
    )
