"""The released prompt files: which tracks there are, and what each file says. Nothing in them is judged here.

::

    <prompts>/musdb18_test/<track>/prompt_multi.json      50 tracks, 15 edits each
    <prompts>/musicdelta/<track>/prompt_multi.json        28 tracks, 15 edits each

A track or edit that is missing or too many, or a file that cannot be read, stops the build and is named.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.errors import DataError
from bench.identity import sha256_bytes
from bench.store import strict_json
from bench.task import STEMS, StemName

TASKS_PER_TRACK = 15

_FILE = "prompt_multi.json"
_MAX_BYTES = 1 << 20  # of a file; the released ones have under 20 kB
_KEY = re.compile(r"[a-z0-9_]+2[a-z0-9_]+")


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split("; "))


MUSDB18_TEST = _names(
    "AM Contra - Heart Peripheral; Al James - Schoolboy Facination; Angels In Amplifiers - I'm Alright; "
    "Arise - Run Run Run; BKS - Bulldozer; BKS - Too Much; Ben Carrigan - We'll Talk About It All Tonight; "
    "Bobby Nobody - Stitch Up; Buitraker - Revo X; Carlos Gonzalez - A Place For Us; Cristina Vane - So Easy; "
    "Detsky Sad - Walkie Talkie; Enda Reilly - Cur An Long Ag Seol; Forkupines - Semantics; Georgia Wonder - Siren; "
    "Girls Under Glass - We Feel Alright; Hollow Ground - Ill Fate; James Elder & Mark M Thompson - The English Actor; "
    "Juliet's Rescue - Heartbeats; Little Chicago's Finest - My Own; Louis Cressy Band - Good Time; "
    "Lyndsey Ollard - Catching Up; M.E.R.C. Music - Knockout; Moosmusic - Big Dummy Shake; Motor Tapes - Shore; "
    "Mu - Too Bright; Nerve 9 - Pray For The Rain; PR - Happy Daze; PR - Oh No; Punkdisco - Oral Hygiene; "
    "Raft Monk - Tiring; Sambasevam Shanmugam - Kaathaadi; Secretariat - Borderline; Secretariat - Over The Top; "
    "Side Effects Project - Sing With Me; Signe Jakobsen - What Have You Done To Me; Skelpolu - Resurrection; "
    "Speak Softly - Broken Man; Speak Softly - Like Horses; The Doppler Shift - Atrophy; "
    "The Easton Ellises (Baumi) - SDRNR; The Easton Ellises - Falcon 69; The Long Wait - Dark Horses; "
    "The Mountaineering Club - Mallory; The Sunshine Garcia Band - For I Am The Moon; Timboz - Pony; "
    "Tom McKenzie - Directions; Triviul feat. The Fiend - Widow; We Fell From The Sky - Not You; Zeno - Signs"
)
"""The 50 tracks of MUSDB18's test set."""

MUSICDELTA = _names(
    "MusicDelta_80sRock; MusicDelta_Beatles; MusicDelta_BebopJazz; MusicDelta_Beethoven; MusicDelta_Britpop; "
    "MusicDelta_ChineseXinJing; MusicDelta_CoolJazz; MusicDelta_Country1; MusicDelta_Country2; MusicDelta_Disco; "
    "MusicDelta_FreeJazz; MusicDelta_FunkJazz; MusicDelta_FusionJazz; MusicDelta_Gospel; MusicDelta_GriegTrolltog; "
    "MusicDelta_Grunge; MusicDelta_Hendrix; MusicDelta_LatinJazz; MusicDelta_ModalJazz; MusicDelta_Punk; "
    "MusicDelta_Reggae; MusicDelta_Rock; MusicDelta_Rockabilly; MusicDelta_Shadows; MusicDelta_SpeedMetal; "
    "MusicDelta_SwingJazz; MusicDelta_Vivaldi; MusicDelta_Zeppelin"
)
"""The 28 of MedleyDB's 35 MusicDelta tracks that are used."""

_SETS = {"musdb18": ("musdb18_test", MUSDB18_TEST), "musicdelta": ("musicdelta", MUSICDELTA)}


def slug(folder: str) -> str:
    """A track's folder name in lower-case ASCII letters, digits and hyphens.

    >>> slug("Angels In Amplifiers - I'm Alright"), slug("MusicDelta_80sRock")
    ('angels-in-amplifiers-im-alright', '80srock')
    """
    ascii_name = unicodedata.normalize("NFKD", folder.removeprefix("MusicDelta_")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"['.]", "", ascii_name.lower())).strip("-")


def find_span(prompt: str, phrase: str) -> tuple[int, int] | None:
    """Where a phrase first stands in a prompt, case ignored, as the release looks for it: [start, end) in characters.

    >>> find_span("A recording of a violin and drums.", "A Violin")
    (15, 23)
    """
    start = prompt.lower().find(phrase.lower())
    return (start, start + len(phrase)) if start >= 0 else None


class Prompts(BaseModel):
    """One edit of a prompt file. 'Baseline Prompt' is the target prompt, whatever its name says.

    White space is normalised, as the release does before it looks for phrases; in the released files that changes
    nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    source: str = Field(alias="Original Prompt", min_length=1)
    target: str = Field(alias="Baseline Prompt", min_length=1)
    vocals: str = Field(alias="Vocals Softmask Prompt")
    drums: str = Field(alias="Drums Softmask Prompt")
    bass: str = Field(alias="Bass Softmask Prompt")
    other: str = Field(alias="Others Softmask Prompt")

    def phrases(self) -> dict[StemName, str]:
        """The phrases that the target prompt has for stems; a stem without one is left out."""
        fields: dict[StemName, str] = {
            "vocals": self.vocals,
            "drums": self.drums,
            "bass": self.bass,
            "other": self.other,
        }
        return {stem: phrase for stem, phrase in fields.items() if phrase}

    @cached_property
    def changed(self) -> tuple[StemName, ...]:
        """The stems whose phrase does not stand in the source prompt."""
        phrases = self.phrases()
        return tuple(stem for stem in STEMS if stem in phrases and find_span(self.source, phrases[stem]) is None)


@dataclass(frozen=True)
class Track:
    """A track's prompt file.

    Attributes:
        dataset: musdb18 or musicdelta.
        folder: the track's name, as its folder has it.
        song: its readable id, `musicdelta/reggae`.
        path: of the file, below the prompts' folder.
        sha256: of the file.
        edits: by key, in the file's order.
    """

    dataset: str
    folder: str
    song: str
    path: str
    sha256: str
    edits: Mapping[str, Prompts]

    @cached_property
    def source_phrases(self) -> frozenset[tuple[StemName, str]]:
        """What the source prompts call the stems: the phrases that some edit left as they were."""
        return frozenset(
            (stem, phrase)
            for prompts in self.edits.values()
            for stem, phrase in prompts.phrases().items()
            if stem not in prompts.changed
        )


def read_tracks(root: Path) -> Iterator[Track]:
    """All 78 tracks, MUSDB18's first, each set in the order of its folders' names.

    Raises:
        DataError: if tracks or edits are missing or too many, or a prompt file is malformed.
    """
    owner: dict[str, str] = {}
    for dataset, (folder, expected) in _SETS.items():
        _check_folders(root, folder, expected)
        for name in sorted(expected):
            song = f"{dataset}/{slug(name)}"
            if song in owner:
                raise _bad_prompts(f"'{name}' and '{owner[song]}' get the same id {song}", root / folder)
            owner[song] = name
            path = f"{folder}/{name}/{_FILE}"
            sha256, edits = _read_file(root / path)
            yield Track(dataset, name, song, path, sha256, edits)


def _check_folders(root: Path, folder: str, expected: tuple[str, ...]) -> None:
    """Nothing missing, nothing more."""
    if not (root / folder).is_dir():
        raise DataError(
            f"the prompts folder has no '{folder}'",
            where=str(root),
            remedy="Give the folder PolyEvalPrompts of github.com/Ltx-Leif/polyphonia, which holds musdb18_test/ and "
            "musicdelta/.",
            code="data/no-prompts",
        )
    found = {entry.name for entry in (root / folder).iterdir() if entry.is_dir() and not entry.name.startswith(".")}
    without_file = {name for name in found & set(expected) if not (root / folder / name / _FILE).is_file()}
    problems = [
        f"{len(names)} {what}: {'; '.join(sorted(names))}"
        for what, names in (
            ("missing", set(expected) - found),
            ("unexpected", found - set(expected)),
            (f"without {_FILE}", without_file),
        )
        if names
    ]
    if problems:
        raise _bad_prompts(f"of the {len(expected)} tracks, {', '.join(problems)}", root / folder)


def _read_file(path: Path) -> tuple[str, dict[str, Prompts]]:
    """sha256 of a prompt file, and its edits."""
    try:
        with path.open("rb") as handle:
            data = handle.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise ValueError(f"it is longer than {_MAX_BYTES} bytes")
        parsed = strict_json.parse_object(data)
    except OSError as error:
        raise _bad_prompts(f"not readable: {error.strerror}", path) from error
    except ValueError as error:
        raise _bad_prompts(f"not readable as JSON: {error}", path) from error
    if len(parsed) != TASKS_PER_TRACK:
        raise _bad_prompts(f"{len(parsed)} edits instead of {TASKS_PER_TRACK}", path)
    return sha256_bytes(data), {key: _parse_edit(path, key, value) for key, value in parsed.items()}


def _parse_edit(path: Path, key: str, value: Any) -> Prompts:
    if not _KEY.fullmatch(key):
        raise _bad_prompts("the key of an edit must look like guitar2violin, in lower case", path, key)
    if isinstance(value, dict):
        value = {name: " ".join(text.split()) if isinstance(text, str) else text for name, text in value.items()}
    try:
        return Prompts.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise _bad_prompts(f"{field}: {first['msg']}" if field else first["msg"], path, key) from error


def _bad_prompts(cause: str, path: Path, key: str | None = None) -> DataError:
    return DataError(
        f"PolyEvalPrompts are not as published: {cause}",
        where=f"{path}: {key}" if key else str(path),
        remedy="Fetch the prompt files of github.com/Ltx-Leif/polyphonia (folder PolyEvalPrompts) again.",
        code="data/prompts",
    )
