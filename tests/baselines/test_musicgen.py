"""MusicGen-melody: the real classes of transformers with small random weights, from a folder on disk."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from baselines.musicgen import MusicGenMelody, _Melody
from bench.audio import Clip
from bench.errors import AudioError, ModelError, UsageError
from bench.method import Context, Cost, Need
from bench.suite import Suite
from bench.task import EditTask, Source

RATE, FRAME = 32_000, 640


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `save_pretrained` writes it: T5, EnCodec (50 frames a second, 4 codebooks) and decoder, all small."""
    from transformers import (
        EncodecConfig,
        MusicgenMelodyConfig,
        MusicgenMelodyFeatureExtractor,
        MusicgenMelodyForConditionalGeneration,
        MusicgenMelodyProcessor,
        T5Config,
    )
    from transformers.models.musicgen_melody.configuration_musicgen_melody import MusicgenMelodyDecoderConfig

    from bench.backbones.nano.ship import read_words
    from bench.backbones.nano.tokens import t5_tokenizer

    tokenizer = t5_tokenizer(read_words())
    text = T5Config(vocab_size=len(tokenizer), d_model=16, d_kv=4, d_ff=16, num_layers=1, num_heads=2)
    codec = EncodecConfig(
        sampling_rate=RATE, upsampling_ratios=[8, 5, 4, 4], codebook_size=64, codebook_dim=8, hidden_size=8,
        num_filters=2, num_lstm_layers=1, target_bandwidths=[1.2], use_causal_conv=False, norm_type="weight_norm",
    )  # fmt: skip
    decoder = MusicgenMelodyDecoderConfig(
        vocab_size=64, pad_token_id=64, bos_token_id=64, hidden_size=32, ffn_dim=32, num_hidden_layers=2,
        num_attention_heads=2, num_codebooks=4, initializer_factor=0.5,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = MusicgenMelodyForConditionalGeneration(
            MusicgenMelodyConfig(text_encoder=text, audio_encoder=codec, decoder=decoder, initializer_factor=0.5)
        )
        for layer in model.audio_encoder.quantizer.layers:  # codebooks start as zeros: every token would sound alike
            layer.codebook.embed.normal_()
    model.generation_config.decoder_start_token_id = model.generation_config.pad_token_id = 64
    folder = tmp_path_factory.mktemp("musicgen")
    model.save_pretrained(folder)
    MusicgenMelodyProcessor(feature_extractor=MusicgenMelodyFeatureExtractor(), tokenizer=tokenizer).save_pretrained(
        folder
    )
    return folder


def method(model: Path | str, **knobs: Any) -> MusicGenMelody:
    return MusicGenMelody(
        MusicGenMelody.Config(model=str(model), **knobs), Context("cpu", Suite("tones", 1, {}, {}, ()))
    )


@pytest.fixture(scope="session")
def musicgen(checkpoint: Path) -> MusicGenMelody:
    return method(checkpoint)


def edits(made: MusicGenMelody, source: Source, tasks: list[EditTask], seeds: list[int]) -> list[str]:
    return [clip.sha256 for clip in made.edit(made.prepare(source), tasks, seeds)]


def of(clip: Clip) -> Source:
    return Source("s", "s", clip, {})


def melody(made: MusicGenMelody, clip: Clip) -> _Melody:
    prepared = made.prepare(of(clip))
    assert isinstance(prepared, _Melody)
    return prepared


def tone(seconds: float, *hertz: float) -> Clip:
    time = np.arange(round(seconds * RATE)) / RATE
    step = len(time) // len(hertz) + 1
    return Clip.of(np.sin(2 * np.pi * np.repeat(hertz, step)[: len(time)] * time) / 2, RATE)


def test_an_edit_is_as_long_as_the_source(
    musicgen: MusicGenMelody, two_stems: Source, make_task: Callable[..., EditTask]
) -> None:
    prepared = musicgen.prepare(two_stems)
    (clip,) = musicgen.edit(prepared, [make_task()], [0])
    assert (clip.rate, clip.channels, clip.length) == (RATE, 1, 2 * two_stems.mixture.length)
    assert clip.peak > 0


@pytest.mark.parametrize(("samples", "frames"), [(20 * FRAME, 20), (20 * FRAME + 1, 21), (3 * FRAME, 3)])
def test_the_delay_pattern_costs_no_frame(
    musicgen: MusicGenMelody,
    make_task: Callable[..., EditTask],
    monkeypatch: pytest.MonkeyPatch,
    samples: int,
    frames: int,
) -> None:
    decoded: list[torch.Tensor] = []
    decode = musicgen._model.audio_encoder.decode
    monkeypatch.setattr(
        musicgen._model.audio_encoder, "decode", lambda codes, **more: (decoded.append(codes), decode(codes, **more))[1]
    )
    source = of(tone(1.0, 440.0).fit(samples))
    (clip,) = musicgen.edit(musicgen.prepare(source), [make_task()], [0])
    assert clip.length == samples
    assert decoded[0].shape == (1, 1, 4, frames)
    assert int(decoded[0].max()) < 64


def test_randomness_is_the_tasks_seed(
    musicgen: MusicGenMelody, two_stems: Source, make_task: Callable[..., EditTask]
) -> None:
    before = torch.random.get_rng_state()
    again, other = (edits(musicgen, two_stems, [make_task()] * 2, seeds) for seeds in ([7, 8], [7, 2**63 - 1]))
    assert again[0] == other[0]
    assert len({*again, *other}) == 3
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_task_sounds_the_same_in_any_batch(
    musicgen: MusicGenMelody, two_stems: Source, make_task: Callable[..., EditTask]
) -> None:
    tasks = [make_task(phrase) for phrase in ("a flute", "a very long and winding church organ", "an oboe")]
    together = edits(musicgen, two_stems, tasks, [1, 2, 3])
    alone = [edits(musicgen, two_stems, [task], [seed])[0] for task, seed in zip(tasks, [1, 2, 3], strict=True)]
    assert together == alone


def test_source_prompt_and_knobs_move_the_audio(
    checkpoint: Path, musicgen: MusicGenMelody, make_task: Callable[..., EditTask]
) -> None:
    task, source = make_task(), of(tone(0.8, 440.0, 660.0))
    first = edits(musicgen, source, [task], [0])
    assert edits(musicgen, of(tone(0.8, 523.25, 392.0)), [task], [0]) != first
    assert edits(musicgen, source, [make_task("a tuba")], [0]) != first
    assert edits(musicgen, source, [make_task(source_prompt="Anything else.")], [0]) == first
    for knobs in ({"guidance": 1.0}, {"top_k": 1}, {"temperature": 0.5}):
        assert edits(method(checkpoint, **knobs), source, [task], [0]) != first


def test_the_melody_is_the_strongest_pitch_class(musicgen: MusicGenMelody) -> None:
    chroma = melody(musicgen, tone(2.0, 440.0, 523.25)).chroma
    assert chroma.shape == (1, 2 * RATE // 4096 + 1, 12)
    assert chroma.sum(-1).unique().tolist() == [1.0]
    classes = chroma[0].argmax(-1).tolist()
    assert (classes[2], classes[-3]) == (9, 0)  # A, then C


def test_a_short_melody_is_tiled_to_thirty_seconds(
    musicgen: MusicGenMelody, make_task: Callable[..., EditTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Tensor] = []
    projection = musicgen._model.audio_enc_to_dec_proj
    decoder = musicgen._model.decoder
    forward = decoder.forward

    def spy(*args: Any, encoder_hidden_states: torch.Tensor | None = None, **more: Any) -> Any:
        if encoder_hidden_states is not None:
            seen.append(encoder_hidden_states)
        return forward(*args, encoder_hidden_states=encoder_hidden_states, **more)

    monkeypatch.setattr(decoder, "forward", spy)
    ten_seconds = melody(musicgen, tone(10.0, 440.0, 523.25, 330.0))
    assert ten_seconds.chroma.shape == (1, 79, 12)
    musicgen.edit(dataclasses.replace(ten_seconds, samples=FRAME * 4), [make_task()], [0])
    (conditioning,) = seen  # given once, at the first step
    tiled = ten_seconds.chroma.repeat(1, 3, 1)[:, :235]
    torch.testing.assert_close(conditioning[:1, :235], projection(tiled))
    silent = torch.zeros(1, 235, 12)
    silent[..., 0] = 1
    torch.testing.assert_close(conditioning[1:, :235], projection(silent))  # what guidance goes away from: C throughout


def test_needs_cost_and_presets() -> None:
    made = method("anything")
    assert made.needs == {Need.TARGET_PROMPT}
    assert made.cost() == Cost(0, 0, 0)
    for knobs in MusicGenMelody.presets.values():
        assert MusicGenMelody.Config.model_validate(knobs) == MusicGenMelody.Config()


def test_the_identity_is_the_weights_and_not_the_place(checkpoint: Path, tmp_path: Path) -> None:
    copy, changed = (shutil.copytree(checkpoint, tmp_path / name) for name in ("copy", "changed"))
    with (changed / "model.safetensors").open("ab") as file:
        file.write(b" ")
    here, there, other = (method(folder).networks() for folder in (checkpoint, copy, changed))
    assert here == there != other
    assert set(MusicGenMelody.Config(model="x", revision="y").model_dump(mode="json")) == {
        "guidance", "top_k", "temperature",
    }  # fmt: skip


@pytest.mark.parametrize("model", ["facebook/musicgen-melody", "/no/such/folder"])
def test_absent_weights_say_what_to_put_where(
    model: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, two_stems: Source
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    for use in (lambda: method(model).networks(), lambda: method(model).prepare(two_stems)):
        with pytest.raises(ModelError, match="neither a folder nor in the Hugging Face cache") as caught:
            use()
        assert caught.value.code == "model/missing"
        assert "hf download facebook/musicgen-melody --local-dir DIR" in caught.value.remedy


def test_a_revision_is_of_a_hub_id(checkpoint: Path) -> None:
    with pytest.raises(UsageError, match="revision"):
        method(checkpoint, revision="main").networks()


def test_incomplete_and_foreign_checkpoints(checkpoint: Path, tmp_path: Path, two_stems: Source) -> None:
    from safetensors.torch import load_file, save_file

    def refused(folder: Path) -> str:
        with pytest.raises(ModelError) as caught:
            method(folder).prepare(two_stems)
        assert caught.value.where == str(folder)
        return caught.value.code

    empty, partial, broken, foreign = (shutil.copytree(checkpoint, tmp_path / name) for name in "abcd")
    (empty / "model.safetensors").unlink()
    state = load_file(partial / "model.safetensors")
    save_file(
        {k: v for k, v in state.items() if "audio_enc_to_dec" not in k}, partial / "model.safetensors", {"format": "pt"}
    )
    (broken / "model.safetensors").write_bytes(b"no weights")
    (foreign / "config.json").write_text(json.dumps({"model_type": "musicgen"}))
    assert [refused(folder) for folder in (empty, partial, broken, foreign)] == [
        "model/incomplete", "model/incomplete", "model/unreadable", "model/wrong-class",
    ]  # fmt: skip


@pytest.mark.parametrize(("seconds", "code"), [(0.0, "audio/empty"), (30.5, "audio/too-long")])
def test_sources_of_no_or_too_much_length(musicgen: MusicGenMelody, seconds: float, code: str) -> None:
    with pytest.raises(AudioError) as caught:
        musicgen.prepare(of(Clip.silence(seconds, RATE)))
    assert caught.value.code == code
