"""Reading Stable Audio Open from disk and from the hub's cache."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from diffusers import StableAudioPipeline
from safetensors.torch import load_file, save_file

from bench.backbones.stable_audio import StableAudio
from bench.backbones.stable_audio.load import LICENCE, MODELS, PUBLISHED
from bench.errors import ModelError


@pytest.fixture
def copy(sao_checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sao_checkpoint, tmp_path / "copy"))


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hugging Face cache in place of this machine's."""
    cache = tmp_path / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    return cache


def refused(model: str | Path) -> ModelError:
    with pytest.raises(ModelError) as caught:
        StableAudio.load(model)
    return caught.value


def test_a_directory_loads_as_it_was_saved(
    sao: StableAudio, sao_pipeline: StableAudioPipeline, sao_checkpoint: Path
) -> None:
    """Without torchsde, which diffusers wants for the scheduler that the index names."""
    index = json.loads((sao_checkpoint / "model_index.json").read_text())
    assert index["scheduler"] == ["diffusers", "CosineDPMSolverMultistepScheduler"]
    loaded = sao._checkpoint.pipeline
    for component in MODELS:
        saved, read = (getattr(each, component).state_dict() for each in (sao_pipeline, loaded))
        assert saved.keys() == read.keys()
        assert all(torch.equal(saved[name], read[name]) for name in saved)
        assert not any(parameter.requires_grad for parameter in getattr(loaded, component).parameters())
    assert sao.identity["model"] == "tiny-stable-audio"
    assert sao.identity["revision"] is None


def test_loading_says_nothing(sao_checkpoint: Path, capfd: pytest.CaptureFixture[str], recwarn) -> None:
    StableAudio.load(sao_checkpoint).condition(["a flute " * 40], negative="")
    assert capfd.readouterr() == ("", "")
    assert [str(warning.message) for warning in recwarn] == []


def test_one_weight_is_another_identity(sao: StableAudio, copy: Path) -> None:
    assert StableAudio.load(copy).identity["weights"] == sao.identity["weights"], "the place does not matter"
    file = copy / "transformer" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    tensors["proj_out.weight"][0, 0] += 1e-6
    save_file(tensors, file, metadata={"format": "pt"})
    changed = StableAudio.load(copy).identity
    assert changed["weights"] != sao.identity["weights"]
    assert changed["codec"] == sao.identity["codec"], "what a channel ranking belongs to"


def test_a_hub_id_that_is_not_in_the_cache_says_how_to_get_it(hub_cache: Path) -> None:
    error = refused(PUBLISHED)
    assert error.code == "model/missing"
    assert "about 5 GB" in error.cause
    assert "Accept its licence" in error.remedy
    assert f'hf download {PUBLISHED} --include "*/*" --include model_index.json`' in error.remedy
    assert "licence" not in refused("acme/other").remedy


def test_a_hub_id_in_the_cache_loads_with_its_commit_and_licence(
    sao: StableAudio, sao_checkpoint: Path, hub_cache: Path
) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = hub_cache / "models--stabilityai--stable-audio-open-1.0"
    shutil.copytree(sao_checkpoint, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    backbone = StableAudio.load()
    assert (backbone.identity["model"], backbone.identity["revision"]) == (PUBLISHED, commit)
    assert backbone.identity["weights"] == sao.identity["weights"]
    assert backbone.licence == backbone.identity["licence"] == LICENCE


def test_pickled_and_absent_weights_are_refused(copy: Path) -> None:
    file = copy / "transformer" / "diffusion_pytorch_model.safetensors"
    file.unlink()
    assert refused(copy).code == "model/incomplete"
    (copy / "transformer" / "diffusion_pytorch_model.bin").write_bytes(b"not even a pickle")
    error = refused(copy)
    assert (error.code, error.where) == ("model/pickle", str(copy / "transformer"))


@pytest.mark.parametrize("component", ["transformer", "vae", "projection_model"])
def test_a_missing_weight_is_not_drawn_at_random(copy: Path, component: str) -> None:
    (file,) = (copy / component).glob("*.safetensors")
    tensors = load_file(file)
    del tensors[sorted(tensors)[0]]
    save_file(tensors, file, metadata={"format": "pt"})
    assert refused(copy).code == "model/incomplete"


def test_damaged_files_and_other_pipelines(copy: Path) -> None:
    config = copy / "scheduler" / "scheduler_config.json"
    config.write_text("[]")
    assert refused(copy).code == "model/unreadable"
    file = copy / "vae" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    assert refused(copy).code == "model/unreadable"
    index = json.loads((copy / "model_index.json").read_text())
    (copy / "model_index.json").write_text(json.dumps({**index, "_class_name": "AudioLDM2Pipeline"}))
    error = refused(copy)
    assert error.code == "model/wrong-class"
    assert "AudioLDM2Pipeline, not a StableAudioPipeline" in error.cause
