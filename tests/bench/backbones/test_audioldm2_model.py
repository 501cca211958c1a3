import json

import numpy as np
import pytest
import torch
from diffusers import AudioLDM2Pipeline

from bench.audio import Clip
from bench.backbones.audioldm2 import AudioLDM2
from bench.backbones.mel import MelFrontEnd
from bench.diffusion.samplers import ddim_sample, seeded_noise
from bench.errors import AudioError, ModelError, UsageError
from bench.identity import canonical_json

PROMPT = "a recording of smooth violin and drums"
SHORT = "guitar"


def noise(*seeds: int, time: int = 32) -> torch.Tensor:
    return seeded_noise(seeds, (8, time, 16))


def sample(backbone: AudioLDM2, prompts: list[str], start: torch.Tensor, guidance: float = 3.5) -> torch.Tensor:
    conditioning = backbone.condition(prompts, negative="")

    def predict(x: torch.Tensor, timestep: int) -> torch.Tensor:
        return backbone.predict(x, timestep=timestep, conditioning=conditioning, guidance=guidance)

    return ddim_sample(predict, start, backbone.schedule(5))


# -- the published pipeline as reference ------------------------------------------------------------------------


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("guidance", [1.0, 3.5])
def test_sampling_equals_the_published_pipeline(build_pipeline, prediction: str, guidance: float) -> None:
    pipeline: AudioLDM2Pipeline = build_pipeline(prediction_type=prediction)
    start = noise(3)
    theirs = pipeline(
        PROMPT, latents=start, guidance_scale=guidance, num_inference_steps=5, output_type="latent"
    ).audios
    ours = sample(AudioLDM2(pipeline, model="tiny"), [PROMPT], start, guidance)
    assert theirs.std() > 0.1
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_decoding_equals_the_published_pipeline(backbone: AudioLDM2, published: AudioLDM2Pipeline) -> None:
    start = noise(4, time=64)
    theirs = published(PROMPT, latents=start, num_inference_steps=5, audio_length_in_s=2.5).audios[0]
    (clip,) = backbone.decode(sample(backbone, [PROMPT], start), samples=40_000)
    assert clip.rate == 16_000
    assert theirs.std() > 0.01
    np.testing.assert_allclose(clip.mono, theirs, atol=1e-4)


# -- audio --------------------------------------------------------------------------------------------------------


def test_encode_is_the_scaled_posterior_mode_of_the_log_mel(
    backbone: AudioLDM2, published: AudioLDM2Pipeline, song: Clip
) -> None:
    encoded = backbone.encode(song)
    mono = song.to_mono().resample(16_000)
    padded = np.pad(mono.mono, (0, -len(mono.mono) % 640)) * (0.5 / mono.peak)
    log_mel = MelFrontEnd().log_mel(torch.from_numpy(padded)[None])
    with torch.no_grad():
        mode = published.vae.encode(log_mel[:, None]).latent_dist.mode()
    assert encoded.latent.shape == (1, 8, 50, 16)
    torch.testing.assert_close(encoded.latent, 0.9 * mode, rtol=1e-4, atol=1e-4)
    assert encoded.samples == 32_000
    assert encoded.gain == pytest.approx(0.5 / mono.peak)
    assert not encoded.latent.requires_grad


@pytest.mark.parametrize(("seconds", "time"), [(0.01, 1), (2.0, 50), (2.56, 64), (2.57, 65)])
def test_a_latent_frame_is_40_ms_and_the_last_one_is_filled_with_silence(
    backbone: AudioLDM2, seconds: float, time: int
) -> None:
    clip = Clip.of(np.random.default_rng(0).standard_normal(round(seconds * 16_000)) * 0.1, 16_000)
    assert backbone.encode(clip).latent.shape == (1, 8, time, 16)
    assert backbone.mel_energy([clip], gain=1.0).shape == (1, 4 * time, 64)


def test_level_does_not_reach_the_latent(backbone: AudioLDM2, song: Clip) -> None:
    loud, quiet = backbone.encode(song), backbone.encode(song.scaled(0.01))
    assert quiet.gain == pytest.approx(100 * loud.gain, rel=1e-5)
    torch.testing.assert_close(quiet.latent, loud.latent, rtol=1e-3, atol=1e-3)


def test_silence_is_encoded_with_gain_one(backbone: AudioLDM2) -> None:
    encoded = backbone.encode(Clip.silence(1.0, 44_100, channels=2))
    assert encoded.gain == 1.0
    assert torch.isfinite(encoded.latent).all()


def test_a_clip_without_samples_is_refused(backbone: AudioLDM2) -> None:
    with pytest.raises(AudioError) as caught:
        backbone.encode(Clip.of(np.zeros(0), 16_000))
    assert caught.value.code == "audio/empty"
    with pytest.raises(AudioError):
        backbone.mel_energy([], gain=1.0)


def test_decode_divides_by_the_gain_and_gives_the_length_asked_for(backbone: AudioLDM2) -> None:
    latents = noise(0, 1)
    plain = backbone.decode(latents, samples=20_000)
    halved = backbone.decode(latents, samples=20_000, gain=2.0)
    assert [clip.samples.shape for clip in plain] == [(20_000, 1)] * 2
    np.testing.assert_allclose(halved[1].samples, 0.5 * plain[1].samples, atol=1e-6)
    np.testing.assert_allclose(backbone.decode(latents[1:], samples=20_000)[0].samples, plain[1].samples, atol=1e-4)
    longer = backbone.decode(latents, samples=21_000)[0]
    assert longer.samples.shape == (21_000, 1)
    assert (longer.samples[32 * 640 :] == 0).all()


def test_mel_energy_is_the_power_at_the_gain_of_the_mixture(backbone: AudioLDM2, song: Clip) -> None:
    encoded = backbone.encode(song)
    stem = song.window(0.0, 1.0)  # ends before the mixture does
    both, alone = backbone.mel_energy([song, stem], gain=encoded.gain)
    assert both.shape == (4 * encoded.latent.shape[2], 64)
    torch.testing.assert_close(alone[:90], both[:90], rtol=1e-3, atol=1e-4)
    assert (alone[110:] == 0).all()
    once = backbone.mel_energy([song], gain=1.0)[0]
    torch.testing.assert_close(both, once * encoded.gain**2, rtol=1e-4, atol=1e-8)


# -- prompts ------------------------------------------------------------------------------------------------------


def test_a_prompt_is_encoded_as_the_pipeline_encodes_it_alone(
    backbone: AudioLDM2, published: AudioLDM2Pipeline
) -> None:
    text, mask, loa = published.encode_prompt(PROMPT, "cpu", 1, True, negative_prompt="drums")
    got = backbone.condition([PROMPT], negative="drums")
    assert got.negative is not None
    for name, expected in {"loa": loa, "text": text, "text_mask": mask}.items():
        torch.testing.assert_close(got.negative[name], expected[:1], rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(got.positive[name], expected[1:], rtol=1e-5, atol=1e-5)


def test_a_prompts_conditioning_does_not_depend_on_its_neighbours(backbone: AudioLDM2) -> None:
    batch, alone = backbone.condition([PROMPT, SHORT], negative=""), backbone.condition([SHORT], negative="")
    tokens = alone.positive["text"].shape[1]
    assert batch.positive["text"].shape[1] > tokens, "the neighbour is longer"
    for ours, theirs in ((batch.positive, alone.positive), (batch.negative, alone.negative)):
        assert ours is not None
        assert theirs is not None
        assert torch.equal(ours["loa"][1:], theirs["loa"])
        assert torch.equal(ours["text"][1:, :tokens], theirs["text"])
        assert torch.equal(ours["text_mask"][1:, :tokens], theirs["text_mask"])
        assert not ours["text_mask"][1, tokens:].any()


def test_an_edit_does_not_depend_on_the_rest_of_its_batch(backbone: AudioLDM2) -> None:
    start = noise(1, 2)
    batch = sample(backbone, [PROMPT, SHORT], start)
    torch.testing.assert_close(batch[1:], sample(backbone, [SHORT], start[1:]), rtol=1e-4, atol=1e-4)
    assert (batch[0] - sample(backbone, [SHORT], start[:1])[0]).abs().max() > 1e-3, "prompts matter"


def test_tokens_of_a_phrase_spell_the_phrase(backbone: AudioLDM2, published: AudioLDM2Pipeline) -> None:
    prompt = "a  recording of smooth violin, guitar and é drums"
    conditioning = backbone.condition([SHORT, prompt])
    tokenizer = published.tokenizer_2
    ids = tokenizer(prompt).input_ids
    for phrase in ("smooth violin", "guitar", "é drums", "a"):
        start = prompt.index(phrase)
        tokens = conditioning.tokens(1, (start, start + len(phrase)))
        assert tokenizer.decode([ids[i] for i in tokens]).strip() == phrase
    assert conditioning.tokens(1, (1, 3)) == [], "white space belongs to no token"
    assert conditioning.offsets[1][-1] == (0, 0), "end of sequence"


def test_offsets_leave_out_the_space_that_sentencepiece_puts_before_a_word(build_pipeline) -> None:
    from tokenizers import pre_tokenizers

    from bench.backbones.text import text_offsets

    tokenizer = build_pipeline().tokenizer_2
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    raw = tokenizer("of violin", return_offsets_mapping=True)["offset_mapping"]
    assert raw[1] == (2, 9), "the published tokenizer works like this"
    assert text_offsets(tokenizer, "of violin") == ((0, 2), (3, 9), (0, 0))


def test_prompts_are_encoded_once(build_pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = build_pipeline()
    calls: list[str] = []
    encode = pipeline.encode_prompt

    def counted(prompt: str, *args: object, **kwargs: object) -> object:
        calls.append(prompt)
        return encode(prompt, *args, **kwargs)

    monkeypatch.setattr(pipeline, "encode_prompt", counted)
    backbone = AudioLDM2(pipeline, model="tiny")
    for _ in range(3):
        backbone.condition([PROMPT, SHORT], negative="")
    assert calls == [PROMPT, SHORT]


# -- network ------------------------------------------------------------------------------------------------------


def test_schedule_has_the_published_timesteps_and_levels(backbone: AudioLDM2) -> None:
    hundred, two_hundred = backbone.schedule(100), backbone.schedule(200)
    assert hundred.timesteps == tuple(range(991, 0, -10))
    assert two_hundred.timesteps == tuple(range(996, 0, -5))
    level = dict(zip(hundred.timesteps, hundred.alphas, strict=True))
    for timestep, alpha in {101: 0.821, 301: 0.405, 501: 0.114, 701: 0.0155, 991: 0.00017}.items():
        assert level[timestep] == pytest.approx(alpha, rel=0.03, abs=6e-4 if timestep < 600 else 0)
        assert backbone.alphas[timestep] == level[timestep]
    assert hundred.alpha_end == backbone.alphas[0] < 1


@pytest.mark.parametrize("steps", [0, -1, 1000, 1001])
def test_a_schedule_that_the_model_does_not_have_is_refused(backbone: AudioLDM2, steps: int) -> None:
    with pytest.raises(UsageError) as caught:
        backbone.schedule(steps)
    assert caught.value.code == "steps"


def test_guidance_follows_its_formula(backbone: AudioLDM2) -> None:
    x, both = noise(0), backbone.condition([PROMPT], negative="")
    one = backbone.predict(x, timestep=501, conditioning=both)
    zero = backbone.predict(x, timestep=501, conditioning=both, guidance=0.0)
    guided = backbone.predict(x, timestep=501, conditioning=both, guidance=3.0)
    torch.testing.assert_close(guided, zero + 3.0 * (one - zero), rtol=1e-4, atol=1e-4)
    assert (one - zero).abs().max() > 1e-3


def test_one_conditioning_serves_all_latents(backbone: AudioLDM2) -> None:
    x = noise(0, 1, 2)
    shared = backbone.predict(x, timestep=301, conditioning=backbone.condition([""]))
    each = backbone.predict(x, timestep=301, conditioning=backbone.condition([""] * 3))
    assert torch.equal(shared, each)


def test_rows_and_negatives_must_fit(backbone: AudioLDM2) -> None:
    with pytest.raises(UsageError) as caught:
        backbone.predict(noise(0, 1, 2), timestep=1, conditioning=backbone.condition([PROMPT, SHORT]))
    assert caught.value.code == "rows"
    with pytest.raises(UsageError) as caught:
        backbone.predict(noise(0), timestep=1, conditioning=backbone.condition([PROMPT]), guidance=2.0)
    assert caught.value.code == "no-negative"


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_each_latent_may_have_a_timestep_of_its_own(build_pipeline, prediction: str) -> None:
    backbone = AudioLDM2(build_pipeline(prediction_type=prediction), model="tiny")
    x, conditioning = noise(0, 1), backbone.condition([PROMPT, SHORT], negative="")
    together = backbone.predict(x, timestep=[101, 901], conditioning=conditioning, guidance=3.0)
    for row, (timestep, prompt) in enumerate(((101, PROMPT), (901, SHORT))):
        one = backbone.condition([prompt], negative="")
        alone = backbone.predict(x[row : row + 1], timestep=timestep, conditioning=one, guidance=3.0)
        torch.testing.assert_close(together[row : row + 1], alone, rtol=1e-4, atol=1e-4)
    with pytest.raises(UsageError, match="3 timesteps do not go with 2 latents"):
        backbone.predict(x, timestep=[1, 2, 3], conditioning=conditioning)


def test_gradients_reach_the_latents_but_not_the_weights(build_pipeline) -> None:
    pipeline = build_pipeline()
    backbone = AudioLDM2(pipeline, model="tiny")
    x = noise(0).requires_grad_()
    eps = backbone.predict(x, timestep=501, conditioning=backbone.condition([PROMPT], negative=""), guidance=2.0)
    eps.square().sum().backward()
    assert x.grad is not None
    assert x.grad.abs().max() > 0
    assert all(parameter.grad is None for parameter in pipeline.unet.parameters())
    assert not backbone.predict(noise(0), timestep=1, conditioning=backbone.condition([PROMPT])).requires_grad


@pytest.mark.parametrize(("dtype", "tolerance"), [("bfloat16", 0.05), ("float16", 0.01)])
def test_reduced_precision_stays_inside_the_networks(
    backbone: AudioLDM2, build_pipeline, song: Clip, dtype: str, tolerance: float
) -> None:
    reduced = AudioLDM2(build_pipeline(), model="tiny", dtype=dtype)
    assert reduced.condition([PROMPT]).positive["loa"].dtype == getattr(torch, dtype)
    x, conditioning = noise(0), backbone.condition([PROMPT])
    expected = backbone.predict(x, timestep=501, conditioning=conditioning)
    got = reduced.predict(x, timestep=501, conditioning=conditioning)
    assert got.dtype == reduced.encode(song).latent.dtype == torch.float32
    assert 0 < (got - expected).norm() < tolerance * expected.norm()
    assert reduced.decode(x, samples=100)[0].samples.dtype == np.float32
    assert reduced.identity["dtype"] == dtype


# -- identity and refusals ----------------------------------------------------------------------------------------


def test_identity_is_json_and_names_the_weights_in_memory(build_pipeline) -> None:
    def identity(change: float = 0.0) -> str:
        pipeline = build_pipeline()
        with torch.no_grad():
            pipeline.vae.post_quant_conv.bias[0] += change
        return canonical_json(dict(AudioLDM2(pipeline, model="tiny").identity))

    assert identity() == identity()
    assert identity() != identity(1e-6), "one weight is enough"
    parsed = json.loads(identity())
    assert parsed["scheduler"]["steps_offset"] == 1
    assert parsed["front_end"]["hop"] == 160
    assert parsed["weights"].startswith("sha256:")


@pytest.mark.parametrize("option", [{"dtype": "float8"}, {"device": "gpu"}, {"device": "cuda:7"}])
def test_unknown_dtype_or_device(build_pipeline, option: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        AudioLDM2(build_pipeline(), model="tiny", **option)


@pytest.mark.parametrize("scheduler", [{"clip_sample": True}, {"thresholding": True}, {"prediction_type": "sample"}])
def test_schedulers_that_cannot_be_inverted_are_refused(build_pipeline, scheduler: dict[str, object]) -> None:
    with pytest.raises(ModelError) as caught:
        AudioLDM2(build_pipeline(**scheduler), model="tiny")
    assert caught.value.code == "model/unsupported"
