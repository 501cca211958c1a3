import json
import shutil
from pathlib import Path

import pytest
import torch
from diffusers import AudioLDM2Pipeline
from safetensors.torch import load_file, save_file
from transformers import GPT2LMHeadModel

from bench.backbones.audioldm2 import AudioLDM2
from bench.backbones.audioldm2.load import MODELS
from bench.errors import ModelError, UsageError


@pytest.fixture
def copy(checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(checkpoint, tmp_path / "copy"))


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hugging Face cache in place of this machine's."""
    cache = tmp_path / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    return cache


def refused(model: str | Path, **options: str) -> ModelError:
    with pytest.raises(ModelError) as caught:
        AudioLDM2.load(model, **options)
    return caught.value


def test_a_directory_loads_as_it_was_saved(backbone: AudioLDM2, published: AudioLDM2Pipeline) -> None:
    for component in MODELS:
        saved, loaded = (getattr(p, component).state_dict() for p in (published, backbone._pipeline))
        assert saved.keys() == loaded.keys()
        assert all(torch.equal(saved[name], loaded[name]) for name in saved)
        module = getattr(backbone._pipeline, component)
        assert not module.training
        assert not any(parameter.requires_grad for parameter in module.parameters())


def test_identity_of_a_directory(checkpoint: Path, copy: Path) -> None:
    identity = AudioLDM2.load(checkpoint).identity
    assert identity["model"] == "tiny-audioldm2"
    assert identity["revision"] is None
    assert AudioLDM2.load(copy).identity["weights"] == identity["weights"], "the place does not matter"
    file = copy / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    tensors["decoder.conv_out.bias"] += 1e-6
    save_file(tensors, file, metadata={"format": "pt"})
    assert AudioLDM2.load(copy).identity["weights"] != identity["weights"], "one weight does"


def test_loading_says_nothing(checkpoint: Path, capfd: pytest.CaptureFixture[str], recwarn) -> None:
    from diffusers.utils import logging as diffusers_log
    from transformers.utils import logging as transformers_log

    before = [(log.get_verbosity(), log.is_progress_bar_enabled()) for log in (diffusers_log, transformers_log)]
    AudioLDM2.load(checkpoint).condition(["violin"], negative="")
    assert capfd.readouterr() == ("", "")
    assert [str(warning.message) for warning in recwarn] == []
    after = [(log.get_verbosity(), log.is_progress_bar_enabled()) for log in (diffusers_log, transformers_log)]
    assert after == before, "the libraries' own settings are as they were"


def test_the_language_model_of_published_checkpoints_loads(checkpoint: Path, copy: Path) -> None:
    """They list GPT2Model and store its weights without a head and without the prefix `transformer.`."""
    shutil.rmtree(copy / "language_model")
    GPT2LMHeadModel.from_pretrained(checkpoint / "language_model").transformer.save_pretrained(copy / "language_model")
    index = json.loads((copy / "model_index.json").read_text())
    index["language_model"] = ["transformers", "GPT2Model"]
    (copy / "model_index.json").write_text(json.dumps(index))
    assert not any("transformer." in key for key in load_file(copy / "language_model" / "model.safetensors"))
    published, ours = AudioLDM2.load(copy), AudioLDM2.load(checkpoint)
    prompt = ["a recording of violin"]
    assert torch.equal(published.condition(prompt).positive["loa"], ours.condition(prompt).positive["loa"])


def test_a_hub_id_that_is_not_in_the_cache_says_how_to_get_it(hub_cache: Path) -> None:
    error = refused("cvssp/audioldm2")
    assert error.code == "model/missing"
    assert "4 to 5 GB" in error.cause
    assert "hf download cvssp/audioldm2`" in error.remedy
    assert "--local-dir" in error.remedy
    pinned = refused("acme/other", revision="v2")
    assert "hf download acme/other --revision v2" in pinned.remedy
    assert "GB" not in pinned.cause


def test_a_hub_id_in_the_cache_loads_and_records_its_commit(checkpoint: Path, hub_cache: Path) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = hub_cache / "models--cvssp--audioldm2-tiny"
    shutil.copytree(checkpoint, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    backbone = AudioLDM2.load("cvssp/audioldm2-tiny")
    assert backbone.identity["model"] == "cvssp/audioldm2-tiny"
    assert backbone.identity["revision"] == commit
    assert backbone.identity["weights"] == AudioLDM2.load(checkpoint).identity["weights"]
    assert backbone.licence == "CC-BY-NC-SA-4.0"
    assert AudioLDM2.load("cvssp/audioldm2-tiny", revision=commit).identity == backbone.identity


def test_a_path_that_is_not_there_is_not_taken_for_a_hub_id(tmp_path: Path, hub_cache: Path) -> None:
    error = refused(tmp_path / "absent")
    assert error.code == "model/missing"
    assert "hf download" not in error.remedy


def test_a_directory_has_no_revision(checkpoint: Path) -> None:
    with pytest.raises(UsageError) as caught:
        AudioLDM2.load(checkpoint, revision="main")
    assert caught.value.code == "revision-of-directory"


def test_pickled_weights_are_refused_unread(copy: Path) -> None:
    file = copy / "unet" / "diffusion_pytorch_model.safetensors"
    file.unlink()
    (copy / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"not even a pickle")
    error = refused(copy)
    assert error.code == "model/pickle"
    assert error.where == str(copy / "unet")


def test_a_component_without_weights(copy: Path) -> None:
    shutil.rmtree(copy / "vocoder")
    error = refused(copy)
    assert error.code == "model/incomplete"
    assert error.where == str(copy / "vocoder")


@pytest.mark.parametrize("component", ["unet", "text_encoder_2", "language_model"])
def test_a_missing_weight_is_not_drawn_at_random(copy: Path, component: str) -> None:
    (file,) = (copy / component).glob("*.safetensors")
    tensors = load_file(file)
    lost = next(key for key in sorted(tensors) if key.endswith("weight"))
    del tensors[lost]
    save_file(tensors, file, metadata={"format": "pt"})
    error = refused(copy)
    assert error.code == "model/incomplete"
    assert lost.split(".")[-2] in error.cause


def test_a_truncated_file(copy: Path) -> None:
    file = copy / "vae" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    assert refused(copy).code == "model/unreadable"


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_a_folder_that_is_no_checkpoint(copy: Path, content: str | None) -> None:
    index = copy / "model_index.json"
    index.unlink() if content is None else index.write_text(content)
    assert refused(copy).code == "model/not-a-checkpoint"


def test_another_kind_of_pipeline(copy: Path) -> None:
    index = json.loads((copy / "model_index.json").read_text())
    (copy / "model_index.json").write_text(json.dumps({**index, "_class_name": "StableAudioPipeline"}))
    error = refused(copy)
    assert error.code == "model/wrong-class"
    assert "StableAudioPipeline" in error.cause
