"""LAION-CLAP by its own package, against the package as it is without us."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import clap_samples
import numpy as np
import pytest
import torch
from clap_samples import MakeClip
from hub_cache import publish_in_hub

from bench.audio import Clip
from bench.errors import ModelError
from bench.metrics import lpaps
from bench.metrics.embedders.laion_clap import MUSIC_AUDIOSET, LaionClap, _tokenizer
from bench.metrics.embedders.laion_package import build_clap, import_module_of, roberta_config


@pytest.fixture(scope="module")
def untouched(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The package's own road: RoBERTa and tokenizer from the hub's cache, the checkpoint by `load_ckpt`."""
    import huggingface_hub.constants as hub
    from transformers import RobertaModel

    words = clap_samples.write_tokenizer(tmp_path_factory.mktemp("words"))
    made, cache = tmp_path_factory.mktemp("roberta"), tmp_path_factory.mktemp("hub")
    RobertaModel(clap_samples.small_roberta(words)).save_pretrained(made)
    files = [*made.iterdir(), *(published / "roberta-base").iterdir()]
    publish_in_hub(cache, "roberta-base", *files)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hub, "HF_HUB_CACHE", str(cache))
        module = import_module_of("laion_clap").CLAP_Module(enable_fusion=False, amodel=clap_samples.MINI, device="cpu")
        module.load_ckpt(str(published / "clap.pt"), verbose=False)
    return module


def test_vectors_are_those_of_the_package_without_us(laion: LaionClap, untouched: Any, make_clip: MakeClip) -> None:
    clips = [make_clip(48_000, seconds, seed) for seed, seconds in enumerate((0.4, 3.3, 10.0))]
    with torch.no_grad():
        theirs = untouched.get_audio_embedding_from_data([clip.samples[:, 0] for clip in clips])
    ours = np.concatenate([each.frames for each in laion.embed(clips)])
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1.0, atol=1e-5)


def test_texts_are_those_of_the_package_without_us(laion: LaionClap, untouched: Any) -> None:
    texts = [*clap_samples.SENTENCES, "naïve – café", " ".join(["violin"] * 200)]
    with torch.no_grad():
        theirs = untouched.get_text_embedding(texts)
    np.testing.assert_allclose(laion.embed_texts(texts), theirs, atol=1e-6)
    np.testing.assert_allclose(laion.embed_texts(texts[2:3]), theirs[2:3], atol=1e-6)
    assert laion.embed_texts([]).shape == (0, 512)


def test_stages_come_from_the_same_pass_and_hooks_go(laion: LaionClap, make_clip: MakeClip) -> None:
    clips = [make_clip(48_000, 11.5), make_clip(48_000, 0.4, 1)]
    plain, inner = laion.embed(clips), laion.embed(clips, stages=True)
    assert [stage.shape for stage in inner[0].stages] == [(2, *shape) for shape in clap_samples.STAGES]
    assert [stage.shape for stage in inner[1].stages] == [(1, *shape) for shape in clap_samples.STAGES]
    for without, with_stages in zip(plain, inner, strict=True):
        np.testing.assert_array_equal(without.frames, with_stages.frames)
    alone = laion.embed(clips[1:], stages=True)[0]
    for stage, again in zip(inner[1].stages, alone.stages, strict=True):
        np.testing.assert_allclose(stage, again, atol=1e-4)
    assert not any(layer._forward_hooks for layer in laion._module.model.audio_branch.layers)


def test_lpaps_hears_a_gain_but_little_of_it(laion: LaionClap, make_clip: MakeClip) -> None:
    """A log-mel spectrogram is moved by it, and the norms of the inner layers take most of that away."""
    clip, other = make_clip(48_000, 3.0), make_clip(48_000, 3.0, 1)
    one, softer, another = laion.embed([clip, clip.scaled(0.5), other], stages=True)
    assert lpaps(one, one) == 0.0
    assert 1e-6 < lpaps(one, softer) < lpaps(one, another)


def test_samples_are_rounded_to_16_bit_as_the_package_does() -> None:
    data = sys.modules[import_module_of("laion_clap.training.data").__name__]
    rounded = data.float32_to_int16(np.array([0.5, -0.25, 1.0, -1.5], np.float32))
    assert rounded.tolist() == [16383, -8191, 32767, -32767]


def test_rounding_hides_what_16_bit_cannot_hold(laion: LaionClap) -> None:
    time = np.arange(48_000) / 48_000
    tone = np.round(8_000 * np.sin(2 * np.pi * 220 * time)) / 32_767
    first, second = laion.embed([Clip.of(tone + 2e-6, 48_000), Clip.of(tone + 8e-6, 48_000)])
    np.testing.assert_array_equal(first.frames, second.frames)


def test_short_audio_is_repeated(laion: LaionClap, make_clip: MakeClip) -> None:
    once = make_clip(48_000, 2.0)
    five_times = Clip.of(np.tile(once.samples[:, 0], 5), 48_000)
    first, second = laion.embed([once, five_times])
    np.testing.assert_allclose(first.frames, second.frames, atol=1e-6)


def test_audio_needs_nothing_but_the_checkpoint(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only").mkdir()
    monkeypatch.setenv("TIMBREBENCH_CHECKPOINTS", str(tmp_path / "only"))
    alone = LaionClap(checkpoint=published / "clap.pt", amodel=clap_samples.MINI)
    assert np.isfinite(alone.embed([Clip.silence(1.0, 48_000)])[0].frames).all()
    with pytest.raises(ModelError, match=r"roberta-base/vocab.json is not on this machine") as caught:
        alone.embed_texts(["a violin"])
    assert str(tmp_path / "only" / "roberta-base" / "vocab.json") in caught.value.remedy


def test_the_vocabulary_is_found_in_the_hubs_cache(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants as hub

    monkeypatch.delenv("TIMBREBENCH_CHECKPOINTS")
    monkeypatch.setattr(hub, "HF_HUB_CACHE", str(tmp_path))
    publish_in_hub(tmp_path, "roberta-base", *(published / "roberta-base").iterdir())
    assert len(_tokenizer(320)) == 320


def test_a_vocabulary_of_another_model_is_refused(published: Path) -> None:
    with pytest.raises(ModelError, match="320 pieces, where the checkpoint has 50265"):
        _tokenizer(50_265)


def test_texts_that_all_sound_alike_are_refused(published: Path, laion: LaionClap, tmp_path: Path) -> None:
    flat = {**laion.tensors()}
    flat["text_branch.pooler.dense.weight"] = torch.zeros_like(flat["text_branch.pooler.dense.weight"])
    torch.save(flat, tmp_path / "flat.pt")
    with pytest.raises(ModelError, match="gives all texts the same vector"):
        LaionClap(checkpoint=tmp_path / "flat.pt", amodel=clap_samples.MINI).embed_texts(["a violin"])


def test_identity_changes_with_the_weights(published: Path, laion: LaionClap, tmp_path: Path) -> None:
    other = LaionClap(checkpoint=tmp_path / "clap.pt", amodel=clap_samples.MINI)
    clap_samples.write_published(tmp_path / "clap.pt", clap_samples.random_weights(320, seed=1))
    pattern = (
        r"laion-clap@1\[clap.pt sha256:[0-9a-f]{16}, 48000 Hz, HTSAT-mini, 16 bit, windows of 10 s repeated to length]"
    )
    assert all(re.fullmatch(pattern, each.identity) for each in (laion, other))
    assert laion.identity != other.identity


def test_a_checkpoint_of_another_size_is_refused(published: Path) -> None:
    with pytest.raises(ModelError, match="does not fit laion-clap") as caught:
        LaionClap(checkpoint=published / "clap.pt", amodel="HTSAT-tiny").embed([Clip.silence(0.1, 48_000)])
    assert caught.value.code == "model/wrong-class"


def test_a_checkpoint_that_lacks_a_weight_is_refused(published: Path, laion: LaionClap, tmp_path: Path) -> None:
    weights = laion.tensors()
    del weights["audio_branch.norm.weight"]
    torch.save(weights, tmp_path / "lacking.pt")
    with pytest.raises(ModelError, match=r'Missing key\(s\) in state_dict: "audio_branch.norm.weight"'):
        LaionClap(checkpoint=tmp_path / "lacking.pt", amodel=clap_samples.MINI).embed([Clip.silence(0.1, 48_000)])


def test_the_published_text_encoder_is_roberta_base() -> None:
    shapes = {
        "text_branch.embeddings.word_embeddings.weight": (50_265, 768),
        "text_branch.embeddings.position_embeddings.weight": (514, 768),
        "text_branch.embeddings.token_type_embeddings.weight": (1, 768),
        **{f"text_branch.encoder.layer.{n}.intermediate.dense.weight": (3_072, 768) for n in range(12)},
    }
    config = roberta_config(shapes)
    assert (config.num_hidden_layers, config.num_attention_heads, config.intermediate_size) == (12, 12, 3_072)
    assert (config.vocab_size, config.max_position_embeddings, config.type_vocab_size) == (50_265, 514, 1)
    assert (config.pad_token_id, config.layer_norm_eps, config.hidden_act) == (1, 1e-5, "gelu")
    with pytest.raises(ModelError, match="not a LAION-CLAP with RoBERTa"):
        roberta_config({"audio_branch.norm.weight": (8,)})


def test_building_leaves_the_process_as_it_was(laion: LaionClap, capfd: pytest.CaptureFixture[str]) -> None:
    from transformers import RobertaModel, RobertaTokenizer

    path, state = list(sys.path), torch.get_rng_state()
    build_clap(clap_samples.MINI, laion.tensors())
    assert sys.path == path
    assert torch.equal(torch.get_rng_state(), state)
    assert "from_pretrained" not in vars(RobertaModel) and "from_pretrained" not in vars(RobertaTokenizer)
    assert capfd.readouterr() == ("", "")


def test_without_the_checkpoint_one_error_says_what_to_put_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIMBREBENCH_CHECKPOINTS", str(tmp_path))
    with pytest.raises(ModelError) as caught:
        _ = LaionClap().identity
    assert caught.value.cause.startswith("the checkpoint music_audioset_epoch_15_esc_90.14.pt (2.35 GB) is not on this")
    assert "HF_HUB_OFFLINE is set" in caught.value.cause
    assert caught.value.where == MUSIC_AUDIOSET.url
    assert f"{tmp_path}/music_audioset_epoch_15_esc_90.14.pt" in caught.value.remedy


@pytest.mark.slow
def test_a_fresh_process_imports_the_package_without_the_hub_and_without_a_word(tmp_path: Path) -> None:
    program = (
        "import sys; path = list(sys.path)\n"
        "from bench.metrics.embedders.laion_package import import_module_of\n"
        "import_module_of('frechet_audio_distance.models.pann')\n"
        "data = sys.modules['laion_clap.training.data']\n"
        "assert data.bert_tokenizer is data.roberta_tokenizer is data.bart_tokenizer is None\n"
        "assert sys.path == path\n"
    )
    # Online, with a proxy that refuses: a request would fail loudly.
    environment = {**os.environ, "HF_HUB_OFFLINE": "0", "HTTPS_PROXY": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.slow
def test_htsat_base_has_the_published_stages(published: Path, tmp_path: Path, make_clip: MakeClip) -> None:
    torch.save(clap_samples.random_weights(320, amodel="HTSAT-base"), tmp_path / "base.pt")
    made = LaionClap(checkpoint=tmp_path / "base.pt").embed([make_clip(48_000, 10.0)], stages=True)[0]
    assert [stage.shape for stage in made.stages] == [(1, 1024, 256), (1, 256, 512), (1, 64, 1024), (1, 64, 1024)]
    assert made.frames.shape == (1, 512) and np.isfinite(made.frames).all()
