"""The contracts of data: a suite's file, its digest, and the audio that it promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from bench.audio import Clip
from bench.errors import AudioError, DataError
from bench.suite import Suite
from bench.task import AudioRef, EditTask, Excerpt, Source, SourceRef, audio_digest, read_stems

RATE = 8_000


def task(**changes: Any) -> EditTask:
    fields: dict[str, Any] = {
        "id": "s/song/guitar2violin",
        "suite": "s",
        "song": "song",
        "source": "song",
        "stem": "other",
        "source_prompt": "A guitar and drums.",
        "target_prompt": "A violin and drums.",
    }
    return EditTask(**(fields | changes))


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """One song of three seconds with an excerpt of one; two tasks, of which one is absent."""
    root = tmp_path / "audio"
    rng = np.random.default_rng(0)
    for name in ("drums", "a", "b"):
        Clip.of(rng.integers(-5000, 5000, (3 * RATE, 2)) / 2**15, RATE).write_wav(root / f"{name}.wav")
    mixture = Clip.sum([Clip.read(root / f"{name}.wav") for name in ("drums", "a", "b")])
    mixture.write_wav(root / "mix.wav")
    stems = {"drums": ("drums.wav",), "other": ("a.wav", "b.wav")}
    ref = SourceRef(
        id="song",
        song="song",
        root="multi",
        mixture="mix.wav",
        stems=stems,
        excerpt=Excerpt(
            start_s=1.5, duration_s=1.0, sha256=audio_digest(*read_stems(root, "mix.wav", stems, 1.5, 1.0))
        ),
        licence="CC BY 4.0",
    )
    tasks = (task(flags=("odd",)), task(id="s/other/x2y", song="other", source=None, absent="no audio: naïve “quotes”"))
    return Suite("s", 1, {"view": "official", "nested": {"grid_s": 0.5}}, {"song": ref}, tasks, {"multi": root})


def write(suite: Suite, path: Path) -> Path:
    path.write_text("\n".join(suite.lines()) + "\n", encoding="utf-8")
    return path


# -- a task ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"target_phrase": "a violin", "target_span": (0, 7)}, "does not hold the target phrase"),
        ({"target_phrase": None, "target_span": (0, 8)}, "does not hold the target phrase"),
        ({"target_phrase": "a violin", "target_span": (0, 99)}, "not inside"),
        ({"target_phrase": "a violin", "target_span": (-1, 8)}, "not inside"),
        ({"target_phrase": "", "target_span": (3, 3)}, "not inside"),
        ({"source": None}, "either a source or a reason"),
        ({"absent": "no audio"}, "either a source or a reason"),
        ({"stem": "guitar"}, "vocals"),
        ({"strm": "other"}, "Extra inputs"),
    ],
)
def test_inconsistent_task_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        task(**changes)


def test_span_holds_the_phrase_whatever_its_case() -> None:
    assert task(target_phrase="a VIOLIN", target_span=(0, 8)).target_span == (0, 8)


def test_task_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        task().stem = "bass"  # type: ignore[misc]


# -- the file -------------------------------------------------------------------------------------------------------


def test_file_gives_the_same_suite_back(suite: Suite, tmp_path: Path) -> None:
    again = Suite.read(write(suite, tmp_path / "s.jsonl"))
    assert again == suite
    assert again.digest == suite.digest
    assert again.lines() == suite.lines()


def test_header_counts_for_people(suite: Suite) -> None:
    header = json.loads(suite.lines()[0])
    assert (header["tasks"], header["available"], header["absent"]) == (2, 1, {"no audio: naïve “quotes”": 1})


def test_digest_is_of_the_benchmark_not_of_the_machine(suite: Suite, tmp_path: Path) -> None:
    assert suite.with_roots({"multi": tmp_path, "more": tmp_path}).digest == suite.digest
    relicensed = suite.sources["song"].model_copy(update={"licence": "none"})
    for other in (
        Suite("t", 1, suite.rules, suite.sources, suite.tasks),
        Suite("s", 2, suite.rules, suite.sources, suite.tasks),
        Suite("s", 1, {**suite.rules, "view": "corrected"}, suite.sources, suite.tasks),
        Suite("s", 1, suite.rules, {"song": relicensed}, suite.tasks),
        Suite("s", 1, suite.rules, suite.sources, suite.tasks[::-1]),
        suite.select(suite.tasks[:1]),
    ):
        assert other.digest != suite.digest


@pytest.mark.parametrize(
    ("line", "old", "new"),
    [
        (1, '"kind"', '"kin"'),
        (1, "timbrebench-suite@2", "timbrebench-suite@9"),
        (1, '"roots": {', '"roots": 7, "r": {'),
        (2, '"kind": "source"', '"kind": "sauce"'),
        (2, '"root"', '"rot"'),
        (3, '"other"', '"guitar"'),
        (3, "{", "{{"),
        (4, '"absent": "no audio', '"absent": null, "x": "no audio'),
        (4, "{", "[{"),
    ],
)
def test_malformed_line_is_named(line: int, old: str, new: str, suite: Suite, tmp_path: Path) -> None:
    lines = suite.lines()
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    path = tmp_path / "s.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        Suite.read(path)
    assert caught.value.code == "data/malformed-suite"
    assert caught.value.where == f"{path}:{line}"


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [line.replace("A violin and", "A violin or") for line in lines],
        lambda lines: lines[:-1],
        lambda lines: [lines[0], lines[1], lines[3], lines[2]],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [lines[0].replace("official", "corrected"), *lines[1:]],
    ],
    ids=["edited", "cut", "reordered", "repeated", "rules"],
)
def test_changed_file_is_refused(change: Any, suite: Suite, tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text("\n".join(change(suite.lines())), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        Suite.read(path)
    assert caught.value.code in {"data/suite-changed", "data/inconsistent-suite"}
    assert caught.value.where == str(path)


def test_file_that_is_absent_empty_or_no_text(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name, code in (("none", "no-suite"), ("binary", "no-suite"), ("empty", "malformed-suite")):
        with pytest.raises(DataError) as caught:
            Suite.read(tmp_path / name)
        assert caught.value.code == f"data/{code}"


# -- selection ------------------------------------------------------------------------------------------------------


def test_selection_keeps_only_the_sources_it_needs(suite: Suite) -> None:
    assert suite.available == suite.tasks[:1]
    assert list(suite.select(suite.tasks[:1]).sources) == ["song"]
    assert not suite.select(suite.tasks[1:]).sources
    assert suite.absences() == {"no audio: naïve “quotes”": 1}


# -- audio ----------------------------------------------------------------------------------------------------------


def test_source_is_the_excerpt_and_its_stems(suite: Suite) -> None:
    source = suite.open("song")
    root = suite.roots["multi"]
    assert source.mixture.length == RATE
    assert source.mixture.sha256 == Clip.read(root / "mix.wav").window(1.5, 1.0).sha256
    summed = Clip.sum([Clip.read(root / "a.wav"), Clip.read(root / "b.wav")]).window(1.5, 1.0)
    assert np.array_equal(source.stems["other"].samples, summed.samples)
    assert np.array_equal(Clip.sum(list(source.stems.values())).samples, source.mixture.samples)
    assert np.array_equal(source.background("other").samples, source.stems["drums"].samples)
    assert np.array_equal(source.background("vocals").samples, source.mixture.samples)


def test_background_without_another_stem_is_silence() -> None:
    mixture = Clip.of(np.ones((100, 2)), RATE)
    background = Source("x", "x", mixture, {"other": mixture}).background("other")
    assert (background.length, background.channels, background.peak) == (100, 2, 0.0)


def test_audio_that_is_not_the_audio_is_refused(suite: Suite, tmp_path: Path) -> None:
    mix = suite.roots["multi"] / "mix.wav"
    clip = Clip.read(mix)
    outside = clip.samples.copy()
    outside[0] += 0.25
    Clip(outside, RATE).write_wav(mix)
    suite.open("song")  # only the excerpt counts
    inside = clip.samples.copy()
    inside[int(1.7 * RATE)] += 2.0**-15
    Clip(inside, RATE).write_wav(mix)
    with pytest.raises(DataError) as caught:
        suite.open("song")
    assert caught.value.code == "data/audio-differs"
    clip.write_wav(mix)
    suite.open("song")
    stem = suite.roots["multi"] / "a.wav"
    Clip.read(stem).scaled(0.5).write_wav(stem)
    with pytest.raises(DataError):
        suite.open("song")  # the stems count as much as the mixture
    mix.unlink()
    stem.unlink()
    with pytest.raises(AudioError) as missing:
        suite.open("song")
    assert missing.value.code == "audio/missing"


def test_moved_audio_is_found_by_its_root(suite: Suite, tmp_path: Path) -> None:
    suite.roots["multi"].rename(tmp_path / "moved")
    assert suite.with_roots({"multi": tmp_path / "moved"}).open("song").mixture.length == RATE
    rootless = Suite(suite.name, suite.version, suite.rules, suite.sources, suite.tasks)
    with pytest.raises(DataError) as caught:
        rootless.open("song")
    assert caught.value.code == "data/no-root"
    assert "--root multi=" in caught.value.remedy


def test_mixture_can_be_the_sum_of_stems(suite: Suite) -> None:
    ref = suite.sources["song"].model_copy(update={"mixture": None})
    summed = Suite("s", 1, {}, {"song": ref}, suite.tasks[:1], suite.roots)
    assert summed.open("song").mixture.sha256 == suite.open("song").mixture.sha256


def beside(path: str, sha256: str = "", **changes: Any) -> AudioRef:
    return AudioRef(
        **({"root": "multi", "paths": (path,), "start_s": 1.5, "duration_s": 1.0, "sha256": sha256} | changes)
    )


def test_true_edit_and_target_audio_are_read_and_verified(suite: Suite) -> None:
    root = suite.roots["multi"]
    whole = {name: Clip.read(root / f"{name}.wav") for name in ("a", "b")}
    true = whole["a"].window(1.5, 1.0).sha256
    wanted = Clip.sum(list(whole.values())).window(0.5, 2.0).sha256
    reference = beside("a.wav", wanted, paths=("a.wav", "b.wav"), start_s=0.5, duration_s=2.0)
    given = task(true_edit=beside("a.wav", true), target_audio=reference)
    assert (clip := suite.true_edit(given)) is not None
    assert clip.sha256 == true
    assert (clip := suite.target_audio(given)) is not None
    assert clip.length == 2 * RATE
    assert suite.true_edit(suite.tasks[0]) is None
    assert suite.target_audio(suite.tasks[1]) is None
    with pytest.raises(DataError, match="its hash differs") as caught:
        suite.true_edit(task(true_edit=beside("b.wav", true)))
    assert "b.wav" in str(caught.value)
    with pytest.raises(DataError, match="is not known"):
        suite.true_edit(task(true_edit=beside("a.wav", true, root="elsewhere")))


# -- suite files from elsewhere -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["../x.wav", "a/../../x.wav", "/etc/passwd", "C:/x.wav", "a\\b.wav", ""])
def test_paths_stay_inside_their_root(path: str, suite: Suite) -> None:
    fields = suite.sources["song"].model_dump()
    for bad in (fields | {"mixture": path}, fields | {"stems": {"other": (path,)}}):
        with pytest.raises(ValidationError, match="not a path inside the root"):
            SourceRef(**bad)
    with pytest.raises(ValidationError, match="not a path inside the root"):
        beside(path)


@pytest.mark.parametrize(("start_s", "duration_s"), [(-1.0, 1.0), (0.0, 0.0), (float("nan"), 1.0), (0.0, float("inf"))])
def test_impossible_excerpt_is_refused(start_s: float, duration_s: float) -> None:
    with pytest.raises(ValidationError):
        Excerpt(start_s=start_s, duration_s=duration_s, sha256="")


def test_repeated_task_and_unknown_source_are_refused(suite: Suite) -> None:
    for tasks, says in (((task(), task()), "guitar2violin is there twice"), ((task(source="x"),), "source x is not")):
        with pytest.raises(DataError, match=says) as caught:
            Suite("s", 1, {}, suite.sources, tasks)
        assert caught.value.code == "data/inconsistent-suite"


def test_line_separators_inside_a_prompt_survive(suite: Suite, tmp_path: Path) -> None:
    odd = Suite("s", 1, {}, suite.sources, (task(target_prompt="a\u2028b\u0085c"),))
    assert Suite.read(write(odd, tmp_path / "s.jsonl")).tasks == odd.tasks


@pytest.mark.parametrize(
    ("line", "old", "new"), [(1, '"grid_s": 0.5', '"grid_s": NaN'), (2, "1.5", "NaN"), (3, "{", "[" * 10**5)]
)
def test_not_a_number_and_deep_nesting_are_malformed(
    line: int, old: str, new: str, suite: Suite, tmp_path: Path
) -> None:
    lines = suite.lines()
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    (tmp_path / "s.jsonl").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        Suite.read(tmp_path / "s.jsonl")
    assert caught.value.code == "data/malformed-suite"
    assert caught.value.where == f"{tmp_path / 's.jsonl'}:{line}"
