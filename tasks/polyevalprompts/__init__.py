"""PolyEvalPrompts: the 1,170 edits with which Polyphonia was evaluated, from the official prompt files.

The files are in the folder `PolyEvalPrompts` of github.com/Ltx-Leif/polyphonia (MIT). They say what to edit but not
which ten seconds of a track, nor do they hold audio: `tasks.excerpts` chooses the excerpt, and a task whose audio is
not on this machine stays in the suite as absent, with the reason. The prompts were written by language models and have
defects; these become flags, and nothing is repaired (`docs/data.md` lists ids, rules and flags).

Read in this order: `prompts` (the files), `defects` (which stem an edit is about, and what is wrong with its prompts),
`recordings` (the audio), `suite` (the builder).
"""

from tasks.multitrack.medleydb import SEPARATOR_SEEN
from tasks.polyevalprompts.defects import corrected_stem, official_stem
from tasks.polyevalprompts.prompts import MUSDB18_TEST, MUSICDELTA, find_span, slug
from tasks.polyevalprompts.suite import PolyEvalPrompts

__all__ = [
    "MUSDB18_TEST",
    "MUSICDELTA",
    "SEPARATOR_SEEN",
    "PolyEvalPrompts",
    "corrected_stem",
    "find_span",
    "official_stem",
    "slug",
]
