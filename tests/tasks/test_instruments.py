"""The vocabulary of instruments: what data sets and prompts call them, and that nothing is guessed."""

from __future__ import annotations

import csv
import tomllib
from collections import Counter
from pathlib import Path

import pretty_midi
import pytest

from bench.errors import UnknownNameError
from bench.identity import digest
from bench.task import STEMS, StemName
from tasks import instruments
from tasks.instruments import Instrument, find, find_in, get, table

ALL = tuple(table().values())


def _names(text: str) -> list[str]:
    return text.split("; ")


# Names of the data sets, as they write them.
MEDLEYDB = _names(
    "erhu; violin; viola; cello; double bass; violin section; viola section; cello section; string section; "
    "acoustic guitar; banjo; guzheng; harp; harpsichord; liuqin; mandolin; oud; slide guitar; ukulele; zhongruan; "
    "sitar; dulcimer; yangqin; piano; tack piano; dizi; flute; flute section; piccolo; bamboo flute; panpipes; "
    "recorder; alto saxophone; baritone saxophone; bass clarinet; clarinet; clarinet section; tenor saxophone; "
    "soprano saxophone; oboe; english horn; bassoon; bagpipe; trumpet; cornet; trombone; french horn; euphonium; tuba; "
    "brass section; french horn section; trombone section; horn section; trumpet section; harmonica; concertina; "
    "accordion; bandoneon; harmonium; pipe organ; melodica; male singer; female singer; male speaker; female speaker; "
    "male rapper; female rapper; beatboxing; vocalists; crowd; triangle; sleigh bells; cowbell; cabasa; high hat; "
    "gong; guiro; gu; cymbal; chimes; castanet; claps; rattle; shaker; maracas; xylophone; vibraphone; marimba; "
    "glockenspiel; whistle; timpani; toms; snare drum; kick drum; bass drum; bongo; conga; tambourine; darbuka; "
    "doumbek; tabla; auxiliary percussion; drum set; clean electric guitar; distorted electric guitar; electric bass; "
    "lap steel guitar; drum machine; electric piano; electronic organ; synthesizer; theremin; fx/processed sound; "
    "scratches; sampler"
)

KNOWN = {
    # PolyEvalPrompts' keys
    "englishhorn": "english-horn",
    "synthlead": "synth-lead",
    "synth_lead": "synth-lead",
    "saxphone": "saxophone",
    "violin_2": "violin",
    "doublebass": "double-bass",
    "acousticpiano": "piano",
    "drum_machine": "electronic-drums",
    "lead_synth": "synth-lead",
    # General MIDI and Slakh2100
    "Acoustic Guitar (steel)": "acoustic-guitar",
    "Acoustic Guitar (nylon)": "nylon-guitar",
    "Electric Guitar (clean)": "electric-guitar",
    "Distortion Guitar": "distorted-guitar",
    "Electric Bass (finger)": "electric-bass",
    "Acoustic Bass": "double-bass",
    "String Ensemble 1": "strings",
    "SynthStrings 2": "synth-strings",
    "Lead 2 (sawtooth)": "synth-lead",
    "Pad 2 (warm)": "synth-pad",
    "Fiddle": "violin",
    "Chromatic Percussion": "mallets",
    "Strings (continued)": "strings",
    "Drums": "drums",
    # MoisesDB
    "lead male singer": "male-singer",
    "bass synthesizer (moog etc)": "synth-bass",
    "contrabass/double bass (bass of instrings)": "double-bass",
    "full acoustic drumkit": "drum-kit",
    "a-tonal percussion (claps, shakers, congas, cowbell etc)": "auxiliary-percussion",
    "electric piano (rhodes, wurlitzer, piano sound alike)": "electric-piano",
    "violin_(solo)": "violin",
    "reeds (saxophone, clarinets, oboe, english horn, bagpipe)": "reeds",
    # NSynth's families
    "keyboard": "keyboard",
    "mallet": "mallets",
    "reed": "reeds",
    "string": "strings",
    "vocal": "vocals",
    # people
    "CLEAN ELECTRIC GUITAR": "electric-guitar",
    "Güiro": "guiro",
    "Violins": "violin",
    "HiHat": "high-hat",
    # the sounds of `synth`
    "gentle-voice": "vocals",
    "pan-flute": "panpipes",
    "picked-bass": "electric-bass",
    "roomy-drums": "drum-kit",
    "drum-machine": "electronic-drums",
}

UNKNOWN = (
    "",
    " 12 ",
    "other",
    "others",
    "horn",
    "lead",
    "acoustic",
    "upright",
    "jazz",
    "808",
    "Pipe",
    "Ethnic",
    "wind",
)
"""Nothing, not an instrument, or more than one."""


def name_of(instrument: Instrument | None) -> str | None:
    return instrument.name if instrument else None


# -- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("instrument", ALL, ids=lambda each: each.name)
def test_every_name_means_one_instrument(instrument: Instrument) -> None:
    """A name that two instruments had would fail for one of them."""
    assert get(instrument.name) is instrument
    for name in (instrument.name, instrument.label, *instrument.aliases):
        glued, words = name.replace(" ", ""), name.replace("-", " ").split()
        for spelling in (name, name.upper(), glued, "_".join(words), "".join(map(str.title, words)), f"{name}_2"):
            assert find(spelling) is instrument, spelling
        if not name.endswith("s"):
            assert find(f"{name}s") is instrument, name


@pytest.mark.parametrize(("text", "name"), KNOWN.items())
def test_names_of_data_sets_are_understood(text: str, name: str) -> None:
    assert name_of(find(text)) == name


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_is_unknown_or_ambiguous_is_not_guessed(text: str) -> None:
    assert find(text) is None


def test_medleydbs_taxonomy_and_general_midi_are_known() -> None:
    general_midi = [pretty_midi.program_to_instrument_name(program) for program in range(128)]
    assert [name for name in (*MEDLEYDB, *general_midi) if find(name) is None] == []


@pytest.mark.parametrize(
    ("word", "stem", "name"),
    [
        ("jazz", "drums", "jazz-drums"),
        ("electronic", "drums", "electronic-drums"),
        ("acoustic", "drums", "drum-kit"),
        ("brushed_snare", "drums", "jazz-drums"),
        ("upright", "bass", "double-bass"),
        ("synth", "bass", "synth-bass"),
        ("guitar", "bass", "guitar"),
        ("piano", "bass", "piano"),
        ("female", "vocals", "female-singer"),
        ("violin", "vocals", "violin"),
        ("upright", "other", None),
        ("acoustic", "other", None),
        ("dub", "drums", None),
    ],
)
def test_a_stem_completes_a_word(word: str, stem: StemName, name: str | None) -> None:
    assert name_of(find(word, stem)) == name


def test_an_unknown_canonical_name_gets_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean .*electric-guitar"):
        get("eletric-guitar")


# -- phrases ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("instrument", ALL, ids=lambda each: each.name)
def test_every_phrase_names_its_own_instrument(instrument: Instrument) -> None:
    assert len(instrument.phrases) >= 2
    assert [find_in(phrase) for phrase in instrument.phrases] == [instrument] * len(instrument.phrases)


def test_no_phrase_stands_in_a_phrase_of_another_instrument() -> None:
    """Methods look for phrases in prompts by their words."""
    phrases = [(each.name, phrase.lower()) for each in ALL for phrase in each.phrases]
    assert not [(a, b) for a, one in phrases for b, other in phrases if a != b and one in other]


@pytest.mark.parametrize(
    ("phrase", "name"),
    [
        ("a fast expressive violin", "violin"),
        ("a clean rhythmic electric guitar melody", "electric-guitar"),
        ("a deep double bass line", "double-bass"),
        ("a walking bassline", "bass"),
        ("a punchy, rhythmic groove bass guitar", "electric-bass"),
        ("soft jazz brushes on snare", "jazz-drums"),
        ("an electronic drum beat with synthesized kick and snare", "electronic-drums"),
        ("powerful vocal choir with rhythmic delivery", "choir"),
        ("a nylon-string guitar", "nylon-guitar"),
        ("a pair of congas", "congas"),
        ("a flowing cello, a smooth viola and a lively violin", None),
        ("a violin and drums", None),
        ("a steady backbeat", None),
        ("", None),
    ],
)
def test_phrases_of_prompts(phrase: str, name: str | None) -> None:
    assert name_of(find_in(phrase)) == name


# -- the table --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("instrument", ALL, ids=lambda each: each.name)
def test_rows_are_consistent(instrument: Instrument) -> None:
    assert 0 <= instrument.low <= instrument.usual[0] < instrument.usual[1] <= instrument.high <= 127
    assert instrument.stem in STEMS
    assert set(instrument.akin) <= set(table()) - {instrument.name}
    assert instrument.polyphonic or "chords" not in instrument.roles
    assert not (instrument.polyphonic and instrument.single_line)
    assert (instrument.family == "drums") == (instrument.stem == "drums")
    assert ("drums" in instrument.roles) <= (instrument.family == "drums")
    assert ("bass" in instrument.roles) <= (instrument.low <= 28)
    assert instrument.pitched or instrument.family in {"drums", "effects"} or instrument.name == "beatboxing"


def test_families_are_nsynths_and_five_more() -> None:
    nsynth = {
        "bass",
        "brass",
        "flute",
        "guitar",
        "keyboard",
        "mallet",
        "organ",
        "reed",
        "string",
        "synth_lead",
        "vocal",
    }
    assert {each.family for each in ALL} == nsynth | {"drums", "plucked", "synth", "ensemble", "effects"}


def test_the_version_changes_with_the_table() -> None:
    """Another hash: raise `VERSION`, unless this version has not been released, and put the new hash here."""
    rows = tomllib.loads(Path(instruments.__file__).with_name("instruments.toml").read_text(encoding="utf-8"))
    assert (instruments.VERSION, digest(rows)[:16]) == (1, "46db24835c9342ad")


def test_the_page_names_every_instrument() -> None:
    page = Path(__file__).parents[2] / "docs" / "instruments.md"
    rows = [line.split(" | ") for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    named = {row[0].split()[1]: row[1].removesuffix(" |").split(", ") for row in rows if len(row) == 2}
    assert {family: [each.name for each in ALL if each.family == family] for family in {e.family for e in ALL}} == {
        family: names for family, names in named.items() if family in {each.family for each in ALL}
    }


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("violin", 55, 100), ("cello", 36, 76), ("double-bass", 28, 67), ("piano", 21, 108), ("piccolo", 74, 108)],
)
def test_ranges_are_those_of_the_orchestra(name: str, low: int, high: int) -> None:
    assert (get(name).low, get(name).high) == (low, high)


# -- coverage of PolyEvalPrompts --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(shared_data: Path) -> list[dict[str, str]]:
    with (shared_data / "polyevalprompts_tasks.csv").open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def test_nearly_all_targets_of_the_published_edits_are_known(published: list[dict[str, str]]) -> None:
    alone = [find(row["target_word"]) for row in published]
    with_stem = [find(row["target_word"], row["stem"]) for row in published]  # type: ignore[arg-type]
    either = [found or find_in(row["target_phrase"]) for found, row in zip(with_stem, published, strict=True)]
    assert len(published) == 1170
    assert [sum(found is not None for found in way) for way in (alone, with_stem, either)] == [903, 1147, 1168]
    lost = [row["target_phrase"] for row, found in zip(published, either, strict=True) if found is None]
    assert sorted(lost) == ["a dub rhythm", "a warm horn melody"]


def test_words_without_an_instrument_are_manners_of_playing(published: list[dict[str, str]]) -> None:
    lost = Counter(
        (row["stem"], row["target_word"])
        for row in published
        if find(row["target_word"], row["stem"]) is None  # type: ignore[arg-type]
    )
    assert lost == {
        **dict.fromkeys((("drums", w) for w in ("dub", "industrial", "lofi", "organic", "punchy", "tape")), 1),
        ("drums", "swingbigband"): 1,
        **{("vocals", "elderly"): 1, ("vocals", "folk"): 2, ("vocals", "opera"): 1, ("vocals", "whisper"): 2},
        **{("other", "acoustic"): 7, ("other", "horn"): 2, ("other", "upright"): 1},
    }


def test_all_sources_of_the_published_edits_are_known_but_others(published: list[dict[str, str]]) -> None:
    lost = Counter(row["source_word"] for row in published if find(row["source_word"]) is None)
    assert lost == {"others": 37}


def test_keys_and_phrases_rarely_name_different_families(published: list[dict[str, str]]) -> None:
    """They do where the published phrase is of another instrument than the key, or the key is of the wrong stem."""
    pairs = [(find(row["target_word"], row["stem"]), find_in(row["target_phrase"])) for row in published]  # type: ignore[arg-type]
    both = [(word, phrase) for word, phrase in pairs if word and phrase]
    assert len(both) > 1100
    assert sum(word.family != phrase.family for word, phrase in both) <= 16
