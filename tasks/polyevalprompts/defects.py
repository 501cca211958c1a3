"""Which stem and instruments an edit is about, and what is wrong with its prompts: found by rules, never repaired.

A stem's phrase is *changed* if it does not stand in the source prompt. That is how the edited stem can be told without
trusting the edit's key, which is what the release trusts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from bench.task import StemName
from tasks import instruments
from tasks.polyevalprompts.prompts import Prompts, Track, find_span

# -- the edited stem ------------------------------------------------------------------------------------------------


def official_stem(key: str) -> StemName:
    """The edited stem by the release's rule (`run_sample_exp.py`): a substring of the task's key.

    >>> official_stem("vocals2violin"), official_stem("guitar2violin"), official_stem("drum_machine2acoustic")
    ('vocals', 'other', 'other')
    """
    stems: tuple[StemName, ...] = ("vocals", "drums", "bass")
    return next((stem for stem in stems if f"{stem}2" in key), "other")


def corrected_stem(track: Track, key: str) -> StemName:
    """The edited stem by what changed: if the phrase of the release's stem did not, but one other did, then that one's.

    Phrases count only of stems that the song's source prompts name: an edit cannot be of an instrument that is not
    there. (LatinJazz's flute2voice turns the flute into a voice and so puts the new words on the vocals, which the song
    does not have.) If no such phrase changed, or several did, the release's answer stands.
    """
    official = official_stem(key)
    changed = track.edits[key].changed
    candidates = {stem for stem, _ in track.source_phrases}.intersection(changed)
    return official if official in changed or len(candidates) != 1 else next(iter(candidates))


# -- the instruments ------------------------------------------------------------------------------------------------


def target_word(key: str) -> str:
    """The new instrument, as the key of an edit has it, without the number that tells two edits apart.

    >>> target_word("others2synth_lead"), target_word("piano2violin_2")
    ('synth lead', 'violin')
    """
    return re.sub(r"_\d+$", "", key.partition("2")[2]).replace("_", " ")


def named_instruments(track: Track, key: str) -> tuple[str | None, str | None]:
    """What plays and what shall play, as names in `tasks.instruments`; None for what is not in its table.

    The edit's key is asked first, then the prompts: the words that are replaced, and the phrase that replaces them.
    They are those of the corrected stem in either view: another stem's phrase would name another instrument.
    """
    prompts, stem = track.edits[key], corrected_stem(track, key)
    old, new = key.partition("2")[0].replace("_", " "), target_word(key)
    replaced, phrase = replaced_words(prompts, stem), prompts.phrases().get(stem)
    return _named(old, stem, replaced), _named(new, stem, phrase)


def _named(word: str, stem: StemName, words: str | None) -> str | None:
    found = instruments.find(word, stem) or (instruments.find_in(words) if words else None)
    return found.name if found else None


# -- flags ----------------------------------------------------------------------------------------------------------


def replaced_words(prompts: Prompts, stem: StemName) -> str | None:
    """The words of the source prompt in whose place a stem's phrase stands; None if the prompts differ in more."""
    phrase = prompts.phrases().get(stem)
    span = find_span(prompts.target, phrase) if phrase else None
    if span is None:
        return None
    before, after = prompts.target[: span[0]], prompts.target[span[1] :]
    end = len(prompts.source) - len(after)
    if len(before) >= end or not (prompts.source.startswith(before) and prompts.source.endswith(after)):
        return None  # the first: nothing is left, so words were added, not replaced
    return prompts.source[len(before) : end]


def swaps_one_phrase(track: Track, key: str) -> bool:
    """Whether one changed phrase is all that changed, and did not swallow another stem's phrase and more."""
    prompts, known = track.edits[key], track.source_phrases
    for stem in prompts.changed:
        words = replaced_words(prompts, stem)
        if words and not any(name != stem and phrase != words and find_span(words, phrase) for name, phrase in known):
            return True
    return False


def replaces_another_stem(track: Track, key: str, stem: StemName) -> bool:
    """Whether the edited stem's new phrase stands where the source prompt has another stem's phrase, not its own."""
    prompts, known = track.edits[key], track.source_phrases
    words = replaced_words(prompts, stem) if stem in prompts.changed else None
    return (stem, words) not in known and any(phrase == words for _, phrase in known)


def edit_flags(track: Track, key: str, stem: StemName) -> frozenset[str]:
    """What is wrong with an edit, if `stem` is taken for the edited one; `docs/data.md` explains each flag."""
    prompts = track.edits[key]
    phrases = prompts.phrases()
    changed = prompts.changed
    missing = {name for name, phrase in phrases.items() if find_span(prompts.target, phrase) is None}
    sources = Counter(other.source for other in track.edits.values())
    targets = Counter(other.target for other in track.edits.values())
    flags = {
        "background-phrase-not-in-prompt": bool(missing - {stem}),
        "duplicate-target-prompt": targets[prompts.target] > 1,
        "key-rule-differs": official_stem(key) != corrected_stem(track, key),
        "more-than-one-phrase-changed": not swaps_one_phrase(track, key),
        "no-phrase-changed": not changed,
        "no-target-phrase": stem not in phrases,
        "phrase-on-two-stems": len({phrase.lower() for phrase in phrases.values()}) < len(phrases),
        "replaces-another-stem": replaces_another_stem(track, key, stem),
        "source-prompt-differs": prompts.source != sources.most_common(1)[0][0],
        "target-phrase-not-in-prompt": stem in missing,
        "target-phrase-unchanged": stem in phrases and stem not in changed,
        "target-word-not-in-prompt": find_span(prompts.target, target_word(key)) is None,
    }
    return frozenset(flag for flag, raised in flags.items() if raised)


def songs_with_shared_prompts(tracks: Iterable[Track]) -> frozenset[str]:
    """The songs whose edits are, word for word, those of another song, so that at most one of them is described."""
    songs: dict[frozenset[tuple[str, Prompts]], list[str]] = {}
    for track in tracks:
        songs.setdefault(frozenset(track.edits.items()), []).append(track.song)
    return frozenset(song for sharing in songs.values() if len(sharing) > 1 for song in sharing)
