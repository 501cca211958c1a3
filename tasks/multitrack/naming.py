"""What names of songs and of files tell: ids that never collide unseen, and instruments, as far as a name says them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.identity import sha256_bytes
from bench.task import StemName
from tasks import instruments
from tasks.instruments import Instrument
from tasks.multitrack.song import StemFile

_SLUG_LENGTH = 64


def slug(name: str) -> str:
    """A name in lower-case ASCII letters, digits and hyphens, for ids.

    Where that leaves letters out or cuts the name short, a hash of the name makes up for it, so that songs with Chinese
    names have ids of their own. Names that differ in nothing but case, accents and punctuation have one slug.

    >>> slug("Lead Song - I'm Alright (2nd take)"), slug("Beyoncé")
    ('lead-song-im-alright-2nd-take', 'beyonce')
    >>> slug("夜の歌")
    'e8d1a64b'
    """
    decomposed = unicodedata.normalize("NFKD", name)
    plain = decomposed.encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", re.sub(r"['.]", "", plain)).strip("-")
    lost = any(character.isalnum() and not character.isascii() for character in decomposed)
    if words and not lost and len(words) <= _SLUG_LENGTH:
        return words
    short = sha256_bytes(name.encode("utf-8", "surrogatepass"))[:8]
    return f"{words[:_SLUG_LENGTH].strip('-')}-{short}".strip("-")


# -- file names -------------------------------------------------------------------------------------------------------

_OTHER = frozenset({"other", "others", "accompaniment", "instrumental", "residual", "residuals"})
"""Names of the fourth stem. Those of the others are in the table of instruments, as general names."""

_ABBREVIATIONS: Mapping[str, str] = {
    **dict.fromkeys(("voc", "vocs", "vx", "ldvox", "ldvoc"), "vocals"),
    **dict.fromkeys(("bgv", "bgvs", "bv", "bvs", "bvox"), "backing vocals"),
    **dict.fromkeys(("gtr", "gtrs", "git", "guit"), "guitar"),
    **{"egtr": "electric guitar", "agtr": "acoustic guitar", "ac": "acoustic", "el": "electric", "elec": "electric"},
    **{"bs": "bass", "perc": "percussion", "drm": "drums", "drms": "drums", "oh": "overheads", "ohs": "overheads"},
    **{"pno": "piano", "org": "organ", "syn": "synth", "vln": "violin", "vla": "viola", "vlc": "cello", "vcl": "cello"},
    **{"tpt": "trumpet", "tbn": "trombone", "clar": "clarinet"},
}
"""What studios write, as far as it has one meaning: not `ep`, `cb`, `hn`."""


@dataclass(frozen=True)
class Heard:
    """What a name says that a recording holds; None where it does not say."""

    stem: StemName | None
    instrument: Instrument | None


def heard_in(name: str, song: str = "") -> Heard:
    """What the name of a file, without its ending, says.

    The longest run of words that names an instrument or a stem counts. If two that are equally long name different
    things, the name does not say.

    Args:
        name: such as `03_bass_gtr`, `Lead Violin`, `drums`.
        song: name of the song; if the file's name begins with it, it is left out ("Piano Man - drums").
    """
    words = _words(name)
    title = _words(song)
    if title and words[: len(title)] == title and len(words) > len(title):
        words = words[len(title) :]
    for length in range(len(words), 0, -1):
        found = {heard for run in _runs(words, length) if (heard := _meaning(run)) is not None}
        if len(found) == 1:
            return found.pop()
        if found:
            break
    return Heard(None, None)


def _words(name: str) -> list[str]:
    """The words and numbers of a name in lower case, `LeadViolin2` divided, abbreviations resolved."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])", " ", name)
    found = re.findall(r"[^\W_]+", apart.lower())
    return [word for part in found for word in _ABBREVIATIONS.get(part, part).split()]


def _runs(words: Sequence[str], length: int) -> Iterator[str]:
    return (" ".join(words[start : start + length]) for start in range(len(words) - length + 1))


def _meaning(run: str) -> Heard | None:
    if run in _OTHER:
        return Heard("other", None)
    instrument = instruments.find(run)
    return Heard(instrument.stem, instrument) if instrument else None


# -- drums ------------------------------------------------------------------------------------------------------------

_KIT = "drum-kit"
_KIT_PIECES = frozenset({"drums", "kick-drum", "snare-drum", "high-hat", "toms", "cymbals", _KIT})


def one_drum_kit(files: Iterable[StemFile]) -> tuple[StemFile, ...]:
    """The same files, but where there are several pieces of a drum kit, each is recorded as the kit.

    Kick, snare and overheads in files of their own are one instrument under several microphones.
    """
    given = tuple(files)
    pieces = {file.instrument for file in given if file.stem == "drums"} & _KIT_PIECES
    if len(pieces) < 2:
        return given
    return tuple(replace(file, instrument=_KIT) if file.instrument in pieces else file for file in given)
