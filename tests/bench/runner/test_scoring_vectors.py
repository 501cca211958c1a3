"""FAD, KAD, CLAP and LPAPS through the scorer, on the audio of small runs with an embedder of our own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from little_clap import LittleClap

from bench.audio import Clip
from bench.embedder import Embedding
from bench.metrics.frechet import frechet_distance, frechet_infinity
from bench.metrics.kernel import kernel_distance
from bench.metrics.part import RATE as PART_RATE
from bench.metrics.part import masked
from bench.runner.run import run
from bench.runner.scoring import score
from bench.runner.spec import RunSpec, parse_config
from bench.store.rundir import RunDirectory
from bench.suite import Suite
from bench.task import AudioRef, EditTask, Excerpt, SourceRef, audio_digest

RATE, SECONDS, SONGS = 8_000, 1.0, 6
TARGETS = ("flute", "cello", "harp")
EMBEDDER = LittleClap()

CORPUS = ("Fad", "FadFadtk", "FadInfinity", "Kad", "KadKadtk", "FadTrueEdit", "KadTrueEdit", "FadTarget", "KadTarget")


class Broken(LittleClap):
    """Gives nothing for quiet clips, or what is no number, as `kind` says."""

    name, identity = "broken", "broken@1"
    kind: ClassVar[str] = "nan"

    def _embedded(self, clip: Clip, policy: Any, stages: bool) -> Embedding:
        whole = super()._embedded(clip, policy, stages)
        if clip.peak > 0:
            return whole
        return replace(whole, frames=whole.frames * np.nan if self.kind == "nan" else whole.frames[:0])


def tones(song: int, *frequencies: float) -> Clip:
    rng = np.random.default_rng(song)
    time = np.arange(round(SECONDS * RATE)) / RATE
    sound = sum(0.1 * np.sin(2 * np.pi * f * time) * np.exp(-time * rng.uniform(0, 4)) for f in frequencies)
    return Clip.of(np.round(sound * 2**15) / 2**15, RATE)


def a_suite(folder: Path, *, songs: int = SONGS, backwards: bool = False) -> Suite:
    """Songs of two stems with three edits each, and their true edits."""
    sources, tasks = {}, []
    for song in range(songs):
        stems = {"vocals": tones(song, 300 + 90 * song, 450), "bass": tones(song + 50, 60 + 10 * song)}
        written = {name: write(folder / f"{song}/{name}.wav", clip) for name, clip in stems.items()}
        mixture = Clip.sum(list(written.values()))
        excerpt = Excerpt(start_s=0.0, duration_s=SECONDS, sha256=audio_digest(mixture, written))
        paths = {name: (f"{song}/{name}.wav",) for name in stems}
        name = f"song{song}"
        sources[name] = SourceRef(
            id=name, song=name, root="tones", mixture=None, stems=paths, excerpt=excerpt, licence="none"
        )
        for number, target in enumerate(TARGETS):
            path = f"{song}/true-{target}.wav"
            truth = Clip.sum([tones(song, (300 + 90 * song) * (number + 1.5)), written["bass"]])
            sha256 = write(folder / path, truth).sha256
            prompt = f"a {target} and a bass"
            tasks.append(
                EditTask(
                    id=f"tones/{name}/{target}", suite="tones", song=name, source=name, stem="vocals",
                    source_prompt="a voice and a bass", target_prompt=prompt,
                    target_phrase=f"a {target}", target_span=(0, 2 + len(target)),
                    true_edit=AudioRef(root="tones", paths=(path,), start_s=0.0, duration_s=SECONDS, sha256=sha256),
                )
            )  # fmt: skip
    return Suite("tones", 1, {}, sources, tuple(tasks[::-1] if backwards else tasks), {"tones": folder})


def write(path: Path, clip: Clip) -> Clip:
    clip.write_wav(path)
    return Clip.read(path)


Run = Callable[..., Path]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A finished run of a method of `vector_methods`, made once."""
    folder = tmp_path_factory.mktemp("vectors")

    @cache
    def make(method: str, songs: int, backwards: bool, batch_size: int | None) -> Path:
        suite = a_suite(folder / f"audio {songs}", songs=songs, backwards=backwards)
        out = folder / f"{method} {songs} {backwards} {batch_size}"
        spec = RunSpec(method=f"vector_methods:{method}", suite=suite, out=out, batch_size=batch_size)
        run(spec, parse_config(spec.method_class(), []))
        return out

    return make


@pytest.fixture
def run_of(finished: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A copy of a finished run that is not scored. Vectors are kept nowhere but in the test's own cache."""
    monkeypatch.setenv("TIMBREBENCH_CACHE_DIR", str(tmp_path / "cache"))

    def make(method: str, *, songs: int = SONGS, backwards: bool = False, batch_size: int | None = None) -> Path:
        done = finished(method, songs, backwards, batch_size)
        return Path(shutil.copytree(done, tmp_path / done.name))

    return make


def corpus(path: Path, *names: str, embedder: str = "little_clap:LittleClap") -> dict[str, dict[str, Any]]:
    score([path], [f"bench.metrics.corpus:{name}|{embedder}" for name in names], jobs=1)
    rows = json.loads((path / "corpus.json").read_text())["metrics"]
    return {row["name"].partition(":")[0]: row for row in rows}


def vectors(clips: list[Clip], policy: Any = "blocks") -> np.ndarray:
    """Rows of clips as the metrics should see them."""
    ready = [clip.to_mono().resample(EMBEDDER.rate) for clip in clips]
    return np.concatenate([e.frames for e in EMBEDDER.embed(ready, policy=policy)]).astype(np.float64)


def edits_of(path: Path) -> list[Clip]:
    made = RunDirectory.open(path)
    return [made.read_audio(outcome.audio) for outcome in made.outcomes().values()]


def test_values_are_those_of_the_functions_on_the_same_vectors(run_of: Run) -> None:
    path = run_of("Hum")
    found = corpus(path, *CORPUS)
    suite, edits = RunDirectory.open(path).suite, edits_of(path)
    mixtures = [suite.open(name).mixture for name in suite.sources]
    truths = [suite.true_edit(task) for task in suite.tasks]
    x, y, z = vectors(edits), vectors(mixtures), vectors(truths)
    every = {"x": vectors(edits, "hop1"), "y": vectors(mixtures, "hop1")}
    expected = {
        "fad": frechet_distance(x, y),
        "kad": kernel_distance(x, y),
        "fad@fadtk": frechet_distance(every["x"], every["y"]),
        "kad@kadtk-1.1.0": kernel_distance(every["x"], every["y"], "evaluated"),
        "fad-true-edit": frechet_distance(x, z),
        "kad-true-edit": kernel_distance(x, z),
    }
    for name, value in expected.items():
        assert found[name]["value"] == pytest.approx(value, rel=1e-6, abs=1e-8), name
    assert len({row["value"] for row in found.values()}) == len(CORPUS)
    assert found["fad"]["value"] > 0


def test_parts_are_drawn_out_on_both_sides(run_of: Run) -> None:
    path = run_of("Hum")
    found = corpus(path, "FadTarget", "KadTarget")
    suite = RunDirectory.open(path).suite
    parts: dict[str, list[Clip]] = {"edits": [], "truths": []}
    for task, edit in zip(suite.tasks, edits_of(path), strict=True):
        source = suite.open(task.source)
        ready = {
            name: clip.to_mono().resample(PART_RATE).mono
            for name, clip in (
                ("edits", edit), ("truths", suite.true_edit(task)), ("stem", source.stems["vocals"]),
                ("rest", source.background("vocals")),
            )
        }  # fmt: skip
        for side, clips in parts.items():
            clips.append(Clip.of(masked(ready[side], ready["stem"], ready["rest"]), PART_RATE))
    x, y = vectors(parts["edits"]), vectors(parts["truths"])
    assert found["fad-target"]["value"] == pytest.approx(frechet_distance(x, y), rel=1e-6)
    assert found["kad-target"]["value"] == pytest.approx(kernel_distance(x, y), rel=1e-6)


def test_infinity_draws_whole_clips(run_of: Run) -> None:
    path = run_of("Hum")
    value = corpus(path, "FadInfinity")["fad-infinity"]["value"]
    suite = RunDirectory.open(path).suite
    clips = sorted(
        zip([task.song for task in suite.tasks], edits_of(path), strict=True), key=lambda c: (c[0], c[1].sha256)
    )
    x = vectors([clip for _, clip in clips])
    y = vectors([suite.open(name).mixture for name in suite.sources])
    assert value == pytest.approx(frechet_infinity(x, y, np.arange(len(x))).value, rel=1e-6)


def test_each_value_has_an_interval_a_floor_and_its_numbers(run_of: Run) -> None:
    found = corpus(run_of("Hum"), "Fad", "Kad", "FadTrueEdit")
    for row in found.values():
        assert row["low"] < row["value"] < row["high"]
        assert (row["n"], row["songs"], row["missing"]) == (18, 6, None)
    assert [found[name]["reference_n"] for name in ("fad", "kad", "fad-true-edit")] == [6, 6, 18]
    assert found["fad"]["floor"] is None, "three sources make no half that could be compared"
    assert found["fad-true-edit"]["floor"] > 0


def test_copies_of_the_sources_are_at_no_distance_from_them(run_of: Run) -> None:
    found = corpus(run_of("Copies"), "Fad", "FadFadtk", "Kad", "KadKadtk")
    assert found["fad"]["value"] == pytest.approx(0.0, abs=1e-9)
    assert found["fad@fadtk"]["value"] == pytest.approx(0.0, abs=1e-9)
    assert found["kad"]["value"] < 0
    assert found["kad@kadtk-1.1.0"]["value"] <= 0
    assert found["fad"]["n"] == found["fad"]["reference_n"] == 6, "three copies of a source are one clip"


def test_true_edits_are_at_no_distance_from_themselves(run_of: Run) -> None:
    found = corpus(run_of("TrueEdits"), "FadTarget", "KadTarget", "FadTrueEdit", "KadTrueEdit", "Fad")
    assert found["fad-target"]["value"] == pytest.approx(0.0, abs=1e-9)
    assert found["fad-true-edit"]["value"] == pytest.approx(0.0, abs=1e-9)
    assert found["kad-target"]["value"] <= 0
    assert found["kad-true-edit"]["value"] <= 0
    assert found["fad"]["value"] > 0.001


def test_neither_the_order_of_tasks_nor_the_batch_matters(run_of: Run) -> None:
    first = run_of("Hum")
    other = run_of("Hum", backwards=True, batch_size=1)
    names = ("Fad", "FadInfinity", "Kad", "KadKadtk", "FadTarget")
    rows = [corpus(path, *names) for path in (first, other)]
    for name, row in rows[0].items():
        assert {k: v for k, v in row.items() if k != "inputs"} == {
            k: v for k, v in rows[1][name].items() if k != "inputs"
        }
    assert set(rows[0]) == {"fad", "fad-infinity", "kad", "kad@kadtk-1.1.0", "fad-target"}


def test_too_few_clips_have_no_distance(run_of: Run) -> None:
    for row in corpus(run_of("Hum", songs=3), "Fad", "Kad", "FadInfinity").values():
        assert row["value"] is row["low"] is row["floor"] is None
        assert row["missing"]["code"] == "too-few-clips"
        assert (row["n"], row["reference_n"]) == (9, 3)


@pytest.mark.parametrize(("kind", "code"), [("nan", "non-finite"), ("none", "no-vectors")])
def test_a_clip_without_usable_vectors_is_left_out_with_its_reference(
    run_of: Run, monkeypatch: pytest.MonkeyPatch, kind: str, code: str
) -> None:
    monkeypatch.setattr(Broken, "kind", kind)
    row = corpus(run_of("Quiet"), "Fad", embedder="test_scoring_vectors:Broken")["fad"]
    assert (row["n"], row["reference_n"], row["songs"]) == (15, 5, 5)
    assert row["value"] > 0
    assert (
        corpus(run_of("Quiet", songs=1), "Fad", embedder="test_scoring_vectors:Broken")["fad"]["missing"]["code"]
        == code
    )


def test_sample_metrics_on_vectors_give_what_the_functions_give(run_of: Run) -> None:
    path = run_of("Hum")
    names = (
        "clap:Clap",
        "clap:ClapDelta",
        "clap:ClapPhrase",
        "clap:ClapTrueEdit",
        "layers:Lpaps",
        "layers:LpapsTrueEdit",
    )
    score([path], [f"bench.metrics.{name}|little_clap:LittleClap" for name in names], jobs=2)
    frame = pd.read_parquet(path / "scores.parquet").pivot(index="task", columns="metric", values="value")
    suite = RunDirectory.open(path).suite
    for task, edit in zip(suite.tasks, edits_of(path), strict=True):
        (text,) = EMBEDDER.embed_texts([task.target_prompt])
        scores = [float(rows @ text) for rows in vectors([edit, suite.open(task.source).mixture])]
        row = frame.loc[task.id]
        assert row["clap:little-clap"] == pytest.approx(scores[0], abs=1e-6)
        assert row["clap-delta:little-clap"] == pytest.approx(scores[0] - scores[1], abs=1e-6)
    assert frame["clap-phrase:little-clap"].between(-1, 1).all()
    assert (frame["lpaps:little-clap"] > 0).all()
    assert (frame["true-edit-lpaps:little-clap"] > frame["lpaps:little-clap"]).all(), "a hum is nearer to its source"


def test_what_is_known_is_not_measured_again_and_new_audio_is(run_of: Run) -> None:
    path = run_of("Hum")
    first = corpus(path, "Fad", "Kad")
    LittleClap.passes.clear()
    assert corpus(path, "Fad", "Kad") == first
    assert LittleClap.passes == []
    stored = json.loads((path / "corpus.json").read_text())
    stored["metrics"][0] |= {"inputs": "of other audio", "value": 99.0}
    (path / "corpus.json").write_text(json.dumps(stored))
    assert corpus(path, "Fad", "Kad") == first


def test_two_runs_at_once_are_as_two_alone(run_of: Run) -> None:
    paths = [run_of(method) for method in ("Hum", "TrueEdits")]
    alone = [corpus(path, "Fad", "KadTrueEdit") for path in paths]
    for path in paths:
        (path / "corpus.json").unlink()
    score(paths, [f"bench.metrics.corpus:{name}|little_clap:LittleClap" for name in ("Fad", "KadTrueEdit")], jobs=1)
    together = [json.loads((path / "corpus.json").read_text())["metrics"] for path in paths]
    assert [{row["name"].partition(":")[0]: row for row in rows} for rows in together] == alone


def test_a_damaged_value_is_measured_again(run_of: Run) -> None:
    path = run_of("Hum")
    score([path], ["bench.metrics.loudness:Clipping"], jobs=1)
    whole = pd.read_parquet(path / "scores.parquet")
    damaged = whole.copy()
    damaged.loc[3, "value"] = np.nan
    damaged.to_parquet(path / "scores.parquet", index=False)
    score([path], ["bench.metrics.loudness:Clipping"], jobs=1)
    pd.testing.assert_frame_equal(pd.read_parquet(path / "scores.parquet"), whole)
