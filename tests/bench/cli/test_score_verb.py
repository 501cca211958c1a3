"""`timbrebench score` and `show metric`: names are understood or refused before anything is measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from bench.cli import catalogue, metric_sets
from bench.embedder import Embedder
from bench.metric import CorpusMetric, EmbeddingMetric, Missing, SampleMetric
from bench.registry import Registry

NETWORKS = {"little-clap": "little_clap:LittleClap", "deaf": "little_clap:Deaf"}


class NoEmbedder(EmbeddingMetric):
    """A plug-in that was published with no network."""

    name, version, direction, summary, parameters = "no-embedder", 1, "higher", "nothing", "none"

    def clips(self, case):
        return Missing("nothing", "nothing")

    def score(self, case):
        return Missing("nothing", "nothing")


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Embedders without weights are registered, and stand for the published ones by default."""
    entries = catalogue.embedders

    def with_ours() -> Registry[Embedder]:
        registry = entries()
        for name, target in NETWORKS.items():
            registry.add(name, target, "for tests")
        return registry

    monkeypatch.setattr(catalogue, "embedders", with_ours)


@pytest.fixture
def no_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No checkpoint is on this machine, and none can be fetched."""
    monkeypatch.setenv("TIMBREBENCH_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("TIMBREBENCH_CHECKPOINTS", raising=False)


@pytest.fixture
def done(cli: Callable, tones: Path) -> Path:
    """A run of four edits of two songs."""
    result = cli("run", "--method", "copy-source", "--suite", "tones", "--out", "runs/copy", "--quiet")
    assert result.code == 0, result.err
    return Path("runs/copy")


def scored(run: Path) -> Mapping[str, Mapping]:
    summary = json.loads((run / "summary.json").read_text())["metrics"]
    return {row["name"]: row for row in (*summary, *json.loads((run / "corpus.json").read_text())["metrics"])}


# -- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*metric_sets.SETS, "all"])
def test_every_set_resolves_and_names_nothing_twice(name: str) -> None:
    targets = metric_sets.targets(name)
    assert targets
    assert len(targets) == len(set(targets))


def test_sets_hold_what_their_papers_have() -> None:
    assert set(metric_sets.targets("polyphonia,mi-inpainting")) == set(metric_sets.targets("paper"))
    assert "|" not in "".join(metric_sets.targets("default")), "the default needs no checkpoint"
    assert set(metric_sets.targets("all")) >= set(metric_sets.targets("default,polyphonia"))


def test_a_list_may_mix_sets_and_names(networks: None) -> None:
    mixed = metric_sets.targets("clipping, default ,clap:little-clap,clipping")
    assert mixed[0] == "bench.metrics.loudness:Clipping"
    assert mixed[-1] == "bench.metrics.clap:Clap|little_clap:LittleClap"
    assert len(mixed) == len(metric_sets.targets("default")) + 1


def test_the_default_embedder_may_be_named() -> None:
    assert metric_sets.targets("fad,fad:laion-clap") == metric_sets.targets("fad")


def test_plug_ins_are_named_by_dotted_paths(networks: None) -> None:
    assert metric_sets.target("bench.metrics.loudness:Clipping") == "bench.metrics.loudness:Clipping"
    both = "bench.metrics.corpus:Fad:little_clap:LittleClap"
    assert metric_sets.target(both) == "bench.metrics.corpus:Fad|little_clap:LittleClap"
    assert metric_sets.target("kad@kadtk-1.1.0:deaf").endswith("KadKadtk|little_clap:Deaf")


REFUSED = {
    "fda": "Did you mean fad?",
    "defualt": "Did you mean default?",
    "clap,klap": "Did you mean clap",
    "clap@manor2042": "Did you mean clap@manor2024",
    "fad:nosuch": "Known: ",
    "fad:litle-clap": "Did you mean little-clap",
    "cqt1-pcc:vggish": "Write cqt1-pcc.",
    ",": "Known: all, ci",
    "lpaps:deaf": "Choose another embedder",
    "clap:deaf": "Choose another embedder",
    "test_score_verb:NoEmbedder": "Name one: test_score_verb:NoEmbedder:NAME. Known: deaf, ",
    "bench.metrics.nothing:Clap": "Check the path",
    "bench.metrics.loudness:clipped_share": "must be a subclass",
}


@pytest.mark.parametrize("verb", ["score", "show"])
@pytest.mark.parametrize(("name", "remedy"), REFUSED.items())
def test_what_cannot_be_is_refused_in_one_screen(
    cli: Callable, networks: None, verb: str, name: str, remedy: str
) -> None:
    if verb == "show" and ("," in name or name == "defualt"):
        return  # a list or a set, which is not shown
    words = ("score", "runs/none", "--metrics", name) if verb == "score" else ("show", "metric", name)
    result = cli(*words)
    assert result.code == 2
    assert remedy in " ".join(result.err.split())
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("lpaps:deaf", "lpaps cannot be asked of deaf, which gives no inner layers"),
        ("clap:deaf", "clap cannot be asked of deaf, which reads no text"),
        ("cqt1-pcc:vggish", "metric cqt1-pcc uses no embedder"),
        ("test_score_verb:NoEmbedder", "metric test_score_verb:NoEmbedder needs an embedder"),
        ("test_score_verb:NoEmbedder:nosuch", "unknown embedder 'nosuch'"),
    ],
)
def test_the_cause_says_what_does_not_fit(cli: Callable, networks: None, name: str, cause: str) -> None:
    assert cause in " ".join(cli("score", "runs/none", "--metrics", name).err.split())


# -- show -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [entry.name for entry in catalogue.metrics().entries()])
def test_every_metric_is_shown_without_its_checkpoint(cli: Callable, no_weights: None, name: str) -> None:
    result = cli("show", "metric", name, "--json")
    assert result.code == 0, result.err
    shown = json.loads(result.out)
    assert shown["name"].partition(":")[0] == name
    kind = catalogue.metrics().get(name)
    told = f"{kind.name}@{kind.version}["
    assert shown["identity"].startswith((told, told.replace("@", f":{shown['name'].partition(':')[2]}@"), "not known"))
    assert shown["direction"] in ("higher", "lower")
    assert shown["source"]
    assert shown["summary"]
    text = cli("show", "metric", name).out
    assert shown["summary"] in " ".join(text.split())
    assert "smallest effect of interest" in text


@pytest.mark.parametrize(
    "name",
    [
        e.name
        for e in catalogue.metrics().entries()
        if getattr(kind := catalogue.metrics().get(e.name), "default_embedder", None)
        and not getattr(kind, "networks", ())
    ],
)
def test_with_the_checkpoint_the_whole_identity_is_shown(cli: Callable, networks: None, name: str) -> None:
    shown = json.loads(cli("show", "metric", f"{name}:little-clap", "--json").out)
    assert shown["name"] == f"{name}:little-clap"
    assert shown["identity"].startswith(f"{name}:little-clap@")
    assert "little-clap@1" in shown["identity"].partition("[")[2]


def test_without_the_checkpoint_the_reason_stands_where_the_identity_would(cli: Callable, no_weights: None) -> None:
    text = " ".join(cli("show", "metric", "clap").out.split())
    assert "identity: not known without the checkpoint: the checkpoint music_audioset_epoch_15_esc_90.14.pt" in text
    assert "Wu et al., ICASSP 2023" in text


def test_an_embedder_is_shown_with_what_it_can_do(cli: Callable, networks: None, no_weights: None) -> None:
    able, deaf = (json.loads(cli("show", "embedder", name, "--json").out) for name in ("little-clap", "deaf"))
    assert (able["reads_text"], able["inner_layers"], able["identity"]) == (True, True, "little-clap@1")
    assert (deaf["reads_text"], deaf["inner_layers"]) == (False, False)
    assert "identity: not known without the checkpoint" in " ".join(cli("show", "embedder", "vggish").out.split())


# -- score ------------------------------------------------------------------------------------------------------------


def test_the_default_needs_no_checkpoint(cli: Callable, done: Path, no_weights: None) -> None:
    result = cli("score", done, "--jobs", "1")
    assert result.code == 0, result.err
    rows = scored(done)
    assert set(rows) == set(metric_sets.DEFAULT)
    assert rows["clipping"]["mean"] == 0.0
    assert rows["true-edit-logmel"]["n"] == 4
    assert rows["cqt1-pcc"]["missing"] == {"too-few-frames": 4}, "half a second"


def test_metrics_on_vectors_and_on_sets_stand_beside_them(cli: Callable, done: Path, networks: None) -> None:
    names = "clap:little-clap,lpaps:little-clap,fad-true-edit:little-clap,clipping"
    assert cli("score", done, "--metrics", names, "--jobs", "1", "--device", "cpu").code == 0
    rows = scored(done)
    assert set(rows) == set(names.split(","))
    assert rows["lpaps:little-clap"]["mean"] == 0.0
    assert rows["fad-true-edit:little-clap"]["missing"]["code"] == "too-few-clips", "two sources, copied"
    frame = pd.read_parquet(done / "scores.parquet")
    assert len(frame) == 4 * 3


def test_without_checkpoint_one_error_before_any_work_and_nothing_is_lost(
    cli: Callable, done: Path, no_weights: None
) -> None:
    assert cli("score", done, "--metrics", "clipping,loudness-change", "--jobs", "1").code == 0
    before = {path.name: path.read_bytes() for path in done.iterdir() if path.is_file()}
    result = cli("score", done, "--metrics", "cqt1-pcc,clap,fad")
    told = " ".join(result.err.split())
    assert result.code == 2
    assert told.startswith("error the checkpoint")
    assert "TIMBREBENCH_CHECKPOINTS" in told
    assert "music_audioset_epoch_15_esc_90.14.pt (2.35 GB) is not on this machine" in told
    assert {path.name: path.read_bytes() for path in done.iterdir() if path.is_file()} == before
    assert cli("score", done, "--metrics", "cqt1-pcc", "--jobs", "1").code == 0
    assert set(scored(done)) == {"clipping", "loudness-change", "cqt1-pcc"}


def test_metrics_on_sets_alone_count_as_values(cli: Callable, tones: Path, networks: None) -> None:
    cli("run", "--method", "copy-source", "--suite", "tones:4", "--out", "runs/four", "--quiet")
    result = cli("score", "runs/four", "--metrics", "fad:little-clap,kad:little-clap", "--device", "cpu")
    assert result.code == 0, result.err
    assert "8 of 8 edits scored, 2 metrics -> runs/four" in result.out
    none = cli("score", "runs/four", "--metrics", "fad-infinity:little-clap", "--device", "cpu")
    assert none.code == 0, "the others still have theirs"
    assert "3 metrics, 1 values missing" in none.out


def test_no_value_at_all_is_an_error(cli: Callable, done: Path, networks: None) -> None:
    result = cli("score", done, "--metrics", "fad:little-clap", "--device", "cpu")
    assert result.code == 3
    assert "no metric has a value" in result.err


def test_a_run_named_twice_is_scored_once(cli: Callable, done: Path) -> None:
    result = cli("score", done, done.resolve(), "--metrics", "clipping", "--jobs", "1", "--json")
    assert result.code == 0, result.err
    assert len(json.loads(result.out)) == 1


def test_scoring_what_has_no_edit_says_so(cli: Callable, tones: Path) -> None:
    assert cli("run", "--method", "copy-source", "--suite", "tones", "--out", "runs/x", "--dry-run").code == 0
    result = cli("score", "runs/x")
    assert result.code == 2
    assert "there is no such run directory" in result.err


def test_the_kinds_of_metric_are_all_there_are() -> None:
    kinds = [catalogue.metrics().get(entry.name) for entry in catalogue.metrics().entries()]
    assert all(issubclass(kind, SampleMetric | CorpusMetric) for kind in kinds)
