"""transformers' CLAP, against LAION's own code with the same weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import clap_converted
import clap_samples
import numpy as np
import pytest
from clap_samples import MakeClip
from hub_cache import publish_in_hub

from bench.audio import Clip
from bench.errors import ModelError
from bench.metrics.embedders.hf_clap import HfClap
from bench.metrics.embedders.laion_clap import LaionClap


def in_16_bit(clip: Clip) -> Clip:
    """What LAION's code rounds to, so that both look at the same samples."""
    return Clip.of(np.trunc(clip.samples[:, 0] * np.float32(32_767)) / 32_767, clip.rate)


def test_equal_weights_give_laions_vectors_and_stages(hf: HfClap, laion: LaionClap, make_clip: MakeClip) -> None:
    clips = [in_16_bit(make_clip(48_000, seconds, seed)) for seed, seconds in enumerate((3.3, 10.0))]
    for theirs, ours in zip(laion.embed(clips, stages=True), hf.embed(clips, stages=True), strict=True):
        np.testing.assert_allclose(ours.frames, theirs.frames, atol=1e-4)
        assert [stage.shape[1:] for stage in ours.stages] == list(clap_samples.STAGES)
        for stage, other in zip(ours.stages, theirs.stages, strict=True):
            np.testing.assert_allclose(stage, other, atol=1e-3 * np.abs(other).max())
    texts = list(clap_samples.SENTENCES)
    np.testing.assert_allclose(hf.embed_texts(texts), laion.embed_texts(texts), atol=1e-5)


def test_a_model_that_ships_in_a_folder_is_a_subclass(hf: HfClap, hf_folder: Path) -> None:
    class Shipped(HfClap):
        name = "shipped-clap"
        folder = hf_folder

    clip = Clip.silence(1.0, 48_000)
    np.testing.assert_array_equal(Shipped().embed([clip])[0].frames, hf.embed([clip])[0].frames)
    assert Shipped().identity.startswith("shipped-clap@1[hf sha256:")


def test_identity_changes_with_weights_and_with_the_front_end(hf: HfClap, hf_folder: Path, tmp_path: Path) -> None:
    same = HfClap(model=shutil.copytree(hf_folder, tmp_path / "same" / "hf"))
    assert same.identity == hf.identity
    other = shutil.copytree(hf_folder, tmp_path / "other" / "hf")
    described = other / "processor_config.json"
    described.write_text(described.read_text().replace('"hop_length": 480', '"hop_length": 481'))
    assert HfClap(model=other).identity != hf.identity
    weights = bytearray((hf_folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (same.model / "model.safetensors").write_bytes(weights)
    assert HfClap(model=same.model).identity != hf.identity


def test_a_hub_id_is_found_in_the_hubs_cache(
    hf_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hf: HfClap
) -> None:
    import huggingface_hub.constants as hub

    publish_in_hub(tmp_path, "someone/clap", *hf_folder.iterdir())
    monkeypatch.setattr(hub, "HF_HUB_CACHE", str(tmp_path))
    found = HfClap(model="someone/clap")
    assert found.identity == hf.identity.replace("[hf ", "[someone/clap ")
    assert found.embed_texts(["a violin"]).shape == (1, 512)


def test_a_model_that_is_not_here_is_named() -> None:
    with pytest.raises(ModelError, match="'laion/larger_clap_general' is neither a folder") as caught:
        _ = HfClap().identity
    assert "hf download laion/larger_clap_general" in caught.value.remedy


def test_a_model_with_fusion_is_refused(published: Path, tmp_path: Path) -> None:
    model = clap_converted.small_model(320)
    folder = clap_converted.write_folder(tmp_path / "fused", model, published / "roberta-base", truncation="fusion")
    with pytest.raises(ModelError, match=r"without fusion; this model takes 480000 samples at 48000 Hz \(fusion"):
        HfClap(model=folder).embed([Clip.silence(1.0, 48_000)])


def test_a_model_whose_texts_sound_alike_still_embeds_audio(published: Path, tmp_path: Path) -> None:
    model = clap_converted.small_model(320)
    # The constant part outweighs what comes from the text, as in laion/larger_clap_music.
    model.text_projection.linear2.bias.data.fill_(1.0)
    folder = clap_converted.write_folder(tmp_path / "flat", model, published / "roberta-base")
    flat = HfClap(model=folder)
    assert np.isfinite(flat.embed([Clip.silence(1.0, 48_000)])[0].frames).all()
    with pytest.raises(ModelError, match="gives all texts the same vector") as caught:
        flat.embed_texts(["a violin"])
    assert caught.value.code == "model/one-text"


def test_a_folder_without_weights_is_named(hf_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(hf_folder, tmp_path / "empty", ignore=shutil.ignore_patterns("*.safetensors"))
    with pytest.raises(ModelError, match="has no weights"):
        _ = HfClap(model=folder).identity


def test_damaged_weights_are_named(hf_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(hf_folder, tmp_path / "damaged")
    (folder / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        HfClap(model=folder).embed([Clip.silence(1.0, 48_000)])
    assert caught.value.where == str(folder)
