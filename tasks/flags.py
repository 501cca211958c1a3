"""What the flags of tasks mean, in a line each: the one table that commands and pages look them up in.

A flag names a known defect or a property; nothing is repaired. `docs/data.md` tells how each is found, and how often.
"""

from __future__ import annotations

from collections.abc import Mapping

MEANINGS: Mapping[str, str] = {
    # PolyEvalPrompts' prompts (tasks.polyevalprompts.defects)
    "background-phrase-not-in-prompt": "the phrase of another stem is not in the target prompt",
    "duplicate-target-prompt": "another edit of the song has the same target prompt",
    "key-rule-differs": "the official and the corrected view take different stems to be edited",
    "more-than-one-phrase-changed": "the prompts differ in more than one swapped stem phrase",
    "no-phrase-changed": "every stem's phrase stands in the source prompt too",
    "no-target-phrase": "the prompt file has no phrase for the edited stem",
    "phrase-on-two-stems": "two stems have the same phrase",
    "prompts-not-as-released": "the song's prompt file is not the one that was released: it was edited, or damaged",
    "prompts-shared-with-another-song": "all 15 edits are, word for word, another song's: they may describe that one",
    "replaces-another-stem": "the edited stem's phrase stands in the place of another stem's",
    "source-prompt-differs": "the source prompt is not that of the song's other edits",
    "target-phrase-not-in-prompt": "the edited stem's phrase is not in the target prompt",
    "target-phrase-unchanged": "the edited stem's phrase stands in the source prompt already",
    "target-word-not-in-prompt": "the target that the edit's key names is not literally in the target prompt",
    # the song
    "separator-seen": "the song is in MUSDB18's training set, which most public separators have seen",
    "erratum-drums-in-other": "known error of MUSDB18: drums are in the stem 'other'",
    "erratum-mixture-not-sum": "known error of MUSDB18: the mixture is not the sum of the stems",
    "erratum-other-in-drums": "known error of MUSDB18: other instruments are in the drums",
    "erratum-speech-in-other": "known error of MUSDB18: speech is in the stem 'other'",
    "erratum-vocals-in-other": "known error of MUSDB18: vocals are in the stem 'other'",
    "aac-stems": "the files were decoded from MUSDB18's compressed form: nothing above 16 kHz",
    "resampled": "the files do not have the rate at which the data set was published",
    "synthesised": "played by sampled instruments from a score",
    "joined-notes": "single recorded notes, joined to a phrase that nobody has played",
    "has-bleed": "the data set says that a track of the song has bleed of others",
    "slakh-omitted": "a track of Slakh2100's folder 'omitted': its MIDI is another track's",
    "erratum-single-tone": "known error of Slakh2100: two stems are one long tone",
    # tasks made from instruments' names (tasks.multitrack.suite)
    "generated-prompts": "the prompts were made from the instruments' names, by nobody who heard the song",
    "instrument-unknown": "the edited stem holds something of which it is not known what it is",
    "several-instruments": "several instruments play in the edited stem, and one takes all of it over",
    # the excerpt
    "edited-stem-absent": "the song's audio has no stem of the edited class",
    "edited-stem-silent": "the edited stem is silent in the excerpt",
    "monophonic": "the edited stem is one melodic line in the excerpt",
    "mixture-not-sum": "the sum of the stems is not the mixture (SDR below 30 dB in the excerpt)",
}
