from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from bench.audio import Clip
from bench.errors import DataError, UsageError
from bench.method import Need
from bench.store.cache import ENV
from bench.suite import Suite
from bench.task import EditTask, Excerpt, SourceRef, StemName, audio_digest, read_stems
from tasks import instruments, nsynth
from tasks.pairs import Pairs, from_notes
from tasks.pairs.rules import silence_s

RATE = 16_000
FAMILIES = ("flute", "reed", "string", "bass")


def _build(**options: Any) -> Suite:
    return Pairs(Pairs.Options(**options)).build()


def _tone(pitch: int, seconds: float, decay_s: float = 100.0) -> Clip:
    time = np.arange(round(seconds * RATE)) / RATE
    samples = 0.4 * np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * time) * np.exp(-time / decay_s)
    return Clip.of(np.rint(samples * 2**15) / 2**15, RATE)


# -- what holds for every suite -------------------------------------------------------------------------------------


def _check_protocol(suite: Suite, max_silence_s: float = 5.0) -> None:
    """Different songs, different instruments, so much silence, true hashes, prompts that say the instruments."""
    meetings = Counter((task.source, task.target_audio) for task in suite.tasks)
    assert set(meetings.values()) <= {1}
    for task in suite.tasks:
        assert task.source is not None
        context, reference = suite.open(task.source), suite.target_audio(task)
        assert reference is not None
        assert context.song == task.song
        assert list(context.stems) == [task.stem]
        assert np.array_equal(context.mixture.samples, context.stems[task.stem].samples)
        assert silence_s(context.mixture) <= max_silence_s
        assert silence_s(reference) <= max_silence_s
        assert context.mixture.duration_s == reference.duration_s
        assert task.source_instrument != task.target_instrument
        assert {task.source_instrument, task.target_instrument} <= set(instruments.table())
        assert suite.sources[task.source].instruments == {task.stem: (task.source_instrument,)}
        assert task.target_span is not None
        start, end = task.target_span
        assert task.target_prompt[start:end] == task.target_phrase == task.stem_phrases[task.stem]
        assert task.source_prompt.startswith("A recording of ")
        assert ("monophonic" in task.flags) == (task.monophonic is True)


def _song_of_reference(suite: Suite, task: EditTask) -> str:
    """The song that a reference is of: known where it is a context as well."""
    assert task.target_audio is not None
    owners = {paths: ref.song for ref in suite.sources.values() for paths in ref.stems.values()}
    return owners.get(task.target_audio.paths, "another")


# -- rendered phrases -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Suite, Path]:
    """The default suite with twelve pairs, and its cache. Shared: nobody changes it."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENV, str(cache))
        return _build(pairs=12), cache


def test_the_default_needs_nothing_and_follows_the_protocol(rendered: tuple[Suite, Path]) -> None:
    suite, cache = rendered
    _check_protocol(suite)
    assert len(suite.tasks) == len({task.song for task in suite.tasks}) == 12
    assert all(task.monophonic and "synthesised" in task.flags for task in suite.tasks)
    assert cache in suite.roots["pairs"].parents
    for task in suite.tasks:
        assert _song_of_reference(suite, task) != task.song
        assert suite.open(str(task.source)).mixture.duration_s == 10.0


def test_a_suite_is_the_same_again_and_survives_its_file(
    rendered: tuple[Suite, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, cache = rendered
    monkeypatch.setenv(ENV, str(cache))
    assert _build(pairs=12).digest == suite.digest
    assert _build(pairs=12, max_silence_s=4.0).digest != suite.digest
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(suite.lines()), encoding="utf-8")
    read = Suite.read(file)
    assert read.digest == suite.digest
    assert read.tasks == suite.tasks


def test_changed_reference_audio_is_noticed(
    rendered: tuple[Suite, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, _ = rendered
    task = suite.tasks[0]
    assert task.target_audio is not None
    path = task.target_audio.paths[0]
    Clip.read(suite.roots["pairs"] / path).scaled(0.5).write_wav(tmp_path / path)
    with pytest.raises(DataError) as raised:
        suite.with_roots({"pairs": tmp_path}).target_audio(task)
    assert raised.value.code == "data/audio-differs"
    assert Need.TARGET_AUDIO == "target-audio"  # what a method that listens to it declares


# -- notes ----------------------------------------------------------------------------------------------------------

MakeNotes = Callable[..., Path]


@pytest.fixture
def make_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeNotes:
    """A folder in NSynth's layout: two instruments a family with `each` notes of 4 s; qualities for a list."""
    monkeypatch.setenv(ENV, str(tmp_path / "cache"))

    def make(each: int = 24, qualities: list[int] | None = None, decay_s: float = 100.0) -> Path:
        folder = tmp_path / "nsynth-test"
        listed = {}
        for family in FAMILIES:
            for number in range(2):
                for pitch in range(40, 40 + each):
                    name = f"{family}_acoustic_{number:03d}-{pitch:03d}-100"
                    _tone(pitch, 4.0, decay_s).write_wav(folder / "audio" / f"{name}.wav")
                    told = nsynth.from_name(name)
                    listed[name] = {
                        "instrument_str": told.instrument,
                        "instrument_family_str": family,
                        "instrument_source_str": "acoustic",
                        "pitch": pitch,
                        "velocity": 100,
                        "qualities": qualities,
                    }
        if qualities is not None:
            (folder / "examples.json").write_text(json.dumps(listed), encoding="utf-8")
        return folder

    return make


def test_notes_of_a_folder_are_joined(make_notes: MakeNotes) -> None:
    folder = make_notes(qualities=[0] * 10)
    suite = _build(pairs=8, notes=folder)
    _check_protocol(suite)
    assert {task.source_instrument for task in suite.tasks} == {"flute", "reeds", "strings", "bass"}
    told = {task.source_instrument: task.source_prompt for task in suite.tasks}
    assert told["reeds"] == "A recording of a reed instrument."
    assert {task.stem for task in suite.tasks} == {"bass", "other"}
    assert all(task.monophonic and "joined-notes" in task.flags for task in suite.tasks)
    assert all(_song_of_reference(suite, task) != task.song for task in suite.tasks)
    assert suite.rules["material"]["rule"] == "joined-notes@1"
    assert _build(pairs=8, notes=folder).digest == suite.digest


def test_every_family_of_nsynth_has_a_name_and_words() -> None:
    told = {family: from_notes._label(family) for family in nsynth.FAMILIES}
    assert {family: instruments.get(label.instrument).family for family, label in told.items()} == {
        family: family for family in nsynth.FAMILIES
    }
    assert len({label.phrase for label in told.values()}) == len(nsynth.FAMILIES)
    assert all(label.phrase.startswith(("a ", "an ")) for label in told.values())
    assert (told["bass"].stem, told["vocal"].stem, told["organ"].stem) == ("bass", "vocals", "other")


@pytest.mark.parametrize(("qualities", "expected"), [([0] * 10, True), ([0] * 5 + [1] + [0] * 4, False), (None, None)])
def test_whether_joined_notes_are_monophonic_is_for_their_qualities_to_say(
    make_notes: MakeNotes, qualities: list[int] | None, expected: bool | None
) -> None:
    folder = make_notes(each=16, qualities=qualities)
    assert {task.monophonic for task in _build(pairs=2, notes=folder).tasks} == {expected}
    if not expected:
        with pytest.raises(DataError, match="0 pairs"):
            _build(pairs=2, notes=folder, monophonic_only=True)


def test_notes_that_die_away_leave_too_much_silence(make_notes: MakeNotes) -> None:
    folder = make_notes(each=16, decay_s=0.01)
    with pytest.raises(DataError, match="0 pairs") as raised:
        _build(pairs=2, notes=folder)
    assert "with too much silence" in str(raised.value.where)
    _check_protocol(_build(pairs=2, notes=folder, max_silence_s=9.8), max_silence_s=9.8)


def test_notes_written_anew_are_joined_anew(make_notes: MakeNotes, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_notes(each=16)
    first = _build(pairs=2, notes=folder)
    monkeypatch.setattr(from_notes.joining, "join", lambda *_: pytest.fail("joined again"))
    assert _build(pairs=2, notes=folder).digest == first.digest
    monkeypatch.undo()
    for path in (folder / "audio").iterdir():
        Clip.read(path).scaled(0.5).write_wav(path)
    assert _build(pairs=2, notes=folder).digest != first.digest


def test_too_little_material_says_for_how_many_pairs_it_would_do(make_notes: MakeNotes) -> None:
    folder = make_notes(each=16)
    with pytest.raises(DataError) as raised:
        _build(pairs=1000, notes=folder)
    assert raised.value.code == "pairs/too-few"
    possible = int(raised.value.cause.split()[3])
    assert f"--pairs {possible}" in raised.value.remedy
    assert "flute 4" in str(raised.value.where)
    assert len(_build(pairs=possible, notes=folder).tasks) == possible
    with pytest.raises(DataError):
        _build(pairs=possible + 1, notes=folder)


def test_phrases_of_a_folder_come_before_its_notes(make_notes: MakeNotes) -> None:
    folder = make_notes(each=1)
    listed = {}
    for name, instrument, notes, seconds in (
        ("a", "oboe", [[0.0, 5.0, 60, 90], [5.0, 7.0, 62, 90]], 12.0),
        ("b", "piano", [[0.0, 6.0, 60, 90], [5.0, 7.0, 62, 90]], 12.0),
        ("c", "flute", [[0.0, 5.0, 60, 90]], 9.0),
    ):
        _tone(60, seconds).write_wav(folder / "phrases" / f"{name}.wav")
        listed[name] = {"instrument": instrument, "notes": notes, "licence": f"licence of {name}"}
    (folder / "phrases.json").write_text(json.dumps(listed), encoding="utf-8")
    suite = _build(pairs=2, notes=folder)
    _check_protocol(suite)
    assert {task.source_instrument: task.monophonic for task in suite.tasks} == {"oboe": True, "piano": False}
    for ref in suite.sources.values():
        assert set(ref.licence.split("; ")) == {"licence of a", "licence of b"}
    (one,) = _build(pairs=1, notes=folder, monophonic_only=True).tasks
    assert one.source_instrument == "oboe"
    with pytest.raises(DataError) as raised:
        _build(pairs=3, notes=folder)
    assert "1 too short" in str(raised.value.where)


# -- stems of a suite -----------------------------------------------------------------------------------------------

Stems = dict[StemName, list[tuple[str, str]]]


def _suite_file(root: Path, songs: dict[str, Stems], seconds: float = 10.0, **told: Any) -> Path:
    """A tasks file of songs whose stems are (instrument, file name) each; start at 1 s of files of `seconds` + 2."""
    sources = {}
    for place, (song, stems) in enumerate(songs.items()):
        paths = {stem: tuple(f"{song}/{file}.wav" for _, file in files) for stem, files in stems.items()}
        for number, path in enumerate(path for each in paths.values() for path in each):
            _tone(50 + 5 * place + number, seconds + 2).write_wav(root / path)
        sha = audio_digest(*read_stems(root, None, paths, 1.0, seconds))
        sources[song] = SourceRef(
            id=song,
            song=song,
            root="home",
            mixture=None,
            stems=paths,
            instruments={stem: tuple(name for name, _ in files if name) for stem, files in stems.items()},
            excerpt=Excerpt(start_s=1.0, duration_s=seconds, sha256=sha),
            licence="CC0",
        )
    tasks = tuple(
        EditTask(id=f"{name}/t", suite="home", song=name, source=name, source_prompt="", target_prompt="", **told)
        for name in sources
        if told
    )
    file = root / "tasks.jsonl"
    file.write_text("\n".join(Suite("home", 1, {}, sources, tasks, {"home": root}).lines()), encoding="utf-8")
    return file


TRIO: Stems = {
    "vocals": [("female-singer", "v")],
    "drums": [("drum-kit", "d")],
    "other": [("piano", "p"), ("oboe", "o")],
}
DUO: Stems = {"bass": [("electric-bass", "b")], "other": [("violin", "s")]}


def test_stems_of_a_suite_stay_where_they_are(tmp_path: Path) -> None:
    file = _suite_file(tmp_path, {"trio": TRIO, "duo": DUO})
    suite = _build(pairs=12, tasks=file)
    _check_protocol(suite)
    assert suite.roots == {"home": tmp_path}
    assert all(_song_of_reference(suite, task) != task.song for task in suite.tasks)
    told = {task.source_instrument: task.monophonic for task in suite.tasks}
    assert told == {"female-singer": True, "piano": False, "oboe": True, "electric-bass": True, "violin": None}
    assert {ref.excerpt.start_s for ref in suite.sources.values()} == {1.0}
    with pytest.raises(DataError, match="12 pairs") as raised:
        _build(pairs=13, tasks=file)
    assert "1 of drums" in str(raised.value.where)


def test_a_suite_knows_better_than_the_table_whether_a_stem_is_a_line(tmp_path: Path) -> None:
    file = _suite_file(
        tmp_path,
        {"one": {"other": [("violin", "s")]}, "two": {"other": [("piano", "p")]}},
        stem="other",
        monophonic=True,
        flags=("separator-seen", "duplicate-target-prompt"),
    )
    assert {task.flags for task in _build(pairs=2, tasks=file).tasks} == {("monophonic", "separator-seen")}
    assert {task.monophonic for task in _build(pairs=2, tasks=file, monophonic_only=True).tasks} == {True}


def test_stems_whose_files_are_not_told_apart_are_left_out(tmp_path: Path) -> None:
    mixed: Stems = {"other": [("piano", "p"), ("", "x")], "bass": [("electric-bass", "b")]}
    file = _suite_file(tmp_path, {"mixed": mixed, "duo": DUO})
    suite = _build(pairs=2, tasks=file)
    assert "piano" not in {task.source_instrument for task in suite.tasks}
    with pytest.raises(DataError) as raised:
        _build(pairs=3, tasks=file)
    assert "2 whose instrument is not told" in str(raised.value.where)


def test_of_a_longer_excerpt_the_part_is_taken_in_which_the_stem_sounds(tmp_path: Path) -> None:
    file = _suite_file(tmp_path, {"one": {"other": [("violin", "s")]}, "two": {"other": [("piano", "p")]}})
    suite = _build(pairs=2, tasks=file, duration_s=4.0)
    _check_protocol(suite)
    assert {ref.excerpt.duration_s for ref in suite.sources.values()} == {4.0}
    with pytest.raises(DataError) as raised:
        _build(pairs=1, tasks=file, duration_s=12.0)
    assert "2 too short" in str(raised.value.where)


def test_a_suite_that_was_moved_is_found_by_its_root(tmp_path: Path) -> None:
    file = _suite_file(tmp_path / "here", {"trio": TRIO, "duo": DUO})
    before = _build(pairs=4, tasks=file)
    (tmp_path / "here").rename(tmp_path / "there")
    moved = tmp_path / "there" / "tasks.jsonl"
    with pytest.raises(Exception, match="there is no such audio file"):
        _build(pairs=4, tasks=moved)
    suite = _build(pairs=4, tasks=moved, root=f"home={tmp_path / 'there'}")
    assert suite.digest == before.digest
    _check_protocol(suite)


def test_audio_that_is_not_the_suites_is_refused(tmp_path: Path) -> None:
    file = _suite_file(tmp_path, {"trio": TRIO, "duo": DUO})
    _tone(70, 12.0).write_wav(tmp_path / "duo" / "s.wav")
    with pytest.raises(DataError) as raised:
        _build(pairs=1, tasks=file)
    assert raised.value.code == "data/audio-differs"


def test_real_recordings_are_paired(shared_data: Path, tmp_path: Path) -> None:
    root = shared_data / "medleydb"
    songs = {"MusicDelta_Reggae": ("male-singer", 4), "MusicDelta_Rock": ("electric-bass", 2)}
    sources = {}
    for song, (instrument, number) in songs.items():
        stem = instruments.get(instrument).stem
        paths = {stem: (f"Audio/{song}/{song}_STEMS/{song}_STEM_{number:02d}.wav",)}
        sha = audio_digest(*read_stems(root, None, paths, 2.0, 10.0))
        excerpt = Excerpt(start_s=2.0, duration_s=10.0, sha256=sha)
        told = {stem: (instrument,)}
        sources[song] = SourceRef(
            id=song,
            song=song,
            root="medleydb",
            mixture=None,
            stems=paths,
            instruments=told,
            excerpt=excerpt,
            licence="CC BY-NC-SA 4.0",
        )
    file = tmp_path / "tasks.jsonl"
    file.write_text("\n".join(Suite("md", 1, {}, sources, (), {"medleydb": root}).lines()), encoding="utf-8")
    suite = _build(pairs=2, tasks=file)
    _check_protocol(suite)
    assert {task.target_prompt for task in suite.tasks} == {
        "A recording of a male singer.",
        "A recording of an electric bass.",
    }


# -- options --------------------------------------------------------------------------------------------------------


def test_a_name_with_a_colon_says_how_many_and_which() -> None:
    assert Pairs.shorthand("200@7") == {"pairs": "200", "seed": "7"}
    assert Pairs.shorthand("30") == {"pairs": "30"}
    for wrong in ("", "many", "200@", "@7", "-3", "²"):
        with pytest.raises(UsageError):
            Pairs.shorthand(wrong)


@pytest.mark.parametrize(
    "wrong", [{"pairs": 0}, {"duration_s": 0.5}, {"max_silence_s": -1}, {"root": "home"}, {"root": "=x"}, {"songs": 3}]
)
def test_options_out_of_bounds_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Pairs.Options(**wrong)


def test_several_roots_are_told_with_commas() -> None:
    options = Pairs.Options.model_validate({"root": "a=/x,b=/y=z"})
    assert options.root == {"a": Path("/x"), "b": Path("/y=z")}


def test_one_material_at_a_time(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        _build(notes=tmp_path, tasks=tmp_path)
    assert raised.value.code == "pairs/one-material"
    for option, code in (("notes", "nsynth/no-audio"), ("tasks", "data/no-suite")):
        with pytest.raises(DataError) as refused:
            _build(**{option: tmp_path})
        assert refused.value.code == code
