"""Stable Audio Open behind the contract: held against diffusers' own pipeline and scheduler."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableAudioPipeline
from tiny_stable_audio import FRAMES, HOP, LATENT, TOKENS, WIDTH, given_noise, in_memory, pipeline

from bench.audio import Clip
from bench.backbone import Encoded
from bench.backbones.stable_audio import StableAudio
from bench.diffusion.guidance import guided
from bench.diffusion.inversion import ddim_invert
from bench.diffusion.samplers import ddim_sample, seeded_noise, step_noise
from bench.errors import AudioError, ModelError, UsageError
from bench.identity import canonical_json

PROMPT, SHORT = "a recording of bright flute and deep bass", "vocals"


def noise(*seeds: int, time: int = FRAMES) -> torch.Tensor:
    return seeded_noise(seeds, (LATENT, time, 1))


# -- the published pipeline as reference ------------------------------------------------------------------------


@pytest.mark.parametrize(("steps", "guidance"), [(6, 7.0), (20, 1.0)])
def test_sampling_equals_the_published_pipeline(sao: StableAudio, steps: int, guidance: float) -> None:
    """The whole of it, second-order SDE steps included, with the same noise; no negative prompt is the empty one."""
    start, fresh = noise(3), step_noise([5])
    published = pipeline()
    with given_noise(fresh):
        theirs = published(
            PROMPT,
            latents=start[..., 0],
            guidance_scale=guidance,
            num_inference_steps=steps,
            audio_end_in_s=1.0,
            output_type="latent",
        ).audios
    one_second = Encoded(start, 1.0, 44_100)
    predict = guided(sao, sao.condition([PROMPT], negative="", source=one_second), guidance)
    ours = ddim_sample(predict, start, sao.schedule(steps), eta=1.0, noise=fresh, order=2)
    assert theirs.std() > 0.1
    torch.testing.assert_close(ours[..., 0], theirs, rtol=1e-4, atol=1e-4)
    first_order = ddim_sample(predict, start, sao.schedule(steps), eta=1.0, noise=fresh)
    assert (first_order[..., 0] - theirs).abs().max() > 0.1, "the order matters"


def test_the_denoised_latent_of_a_step_equals_the_schedulers(sao: StableAudio) -> None:
    """x̂0 from our ε and level is x̂0 of the published preconditioning, at every level of a long schedule."""
    scheduler, schedule = pipeline().scheduler, sao.schedule(100)
    scheduler.set_timesteps(100)
    conditioning = sao.condition([PROMPT])
    for step in (0, 37, 80, 99):
        alpha, sigma = float(schedule.alphas[step]), scheduler.sigmas[step]
        x = noise(step)
        eps = sao.predict(x, timestep=schedule.timesteps[step], conditioning=conditioning)
        v = (eps - (1 - alpha) ** 0.5 * x) / alpha**0.5
        theirs = scheduler.precondition_outputs(x * (sigma**2 + 1) ** 0.5, v, sigma)
        ours = (x - (1 - alpha) ** 0.5 * eps) / alpha**0.5
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)
        assert schedule.sigmas[step] == pytest.approx(float(sigma), rel=5e-4)


def test_a_negative_prompt_is_the_pipelines(sao: StableAudio, sao_pipeline: StableAudioPipeline) -> None:
    text = sao_pipeline.encode_prompt(PROMPT, "cpu", True, negative_prompt=SHORT)
    start, end = sao_pipeline.encode_duration(0.0, 0.5, "cpu", True, 1)
    got = sao.condition([PROMPT], negative=SHORT, source=Encoded(noise(0), 1.0, 22_050))
    assert got.negative is not None
    context = torch.cat([text, start, end], dim=1)
    torch.testing.assert_close(torch.cat([got.negative["context"], got.positive["context"]]), context)
    torch.testing.assert_close(got.positive["global"], torch.cat([start, end], dim=2)[:1])
    assert got.positive["context"].shape == (1, TOKENS + 2, WIDTH)


def test_decoding_equals_the_published_codec(sao: StableAudio, sao_pipeline: StableAudioPipeline) -> None:
    latents = noise(4, 5)
    with torch.no_grad():
        theirs = sao_pipeline.vae.decode(latents[..., 0]).sample
    clips = sao.decode(latents, samples=50_000)
    assert [(clip.rate, clip.samples.shape) for clip in clips] == [(44_100, (50_000, 2))] * 2
    np.testing.assert_allclose(clips[1].samples, theirs[1, :, :50_000].T, atol=1e-5)
    np.testing.assert_allclose(sao.decode(latents[1:], samples=50_000, gain=2.0)[0].samples, clips[1].samples / 2)


# -- audio --------------------------------------------------------------------------------------------------------


def test_encode_is_the_posterior_mode_of_the_window(
    sao: StableAudio, sao_pipeline: StableAudioPipeline, song: Clip
) -> None:
    clip = song.window(0.0, 1.2)
    encoded = sao.encode(clip)
    window = torch.from_numpy(clip.fit(FRAMES * HOP).samples.T)
    with torch.no_grad():
        mode = sao_pipeline.vae.encode(window[None]).latent_dist.mode()
    assert (encoded.samples, encoded.gain) == (clip.length, 1.0)
    torch.testing.assert_close(encoded.latent, mode[..., None], rtol=1e-4, atol=1e-5)
    assert (encoded.latent - sao.encode(clip.to_mono()).latent).abs().max() > 1e-4, "stereo is heard"


def test_mono_is_given_to_both_channels_and_another_rate_is_resampled(sao: StableAudio, song: Clip) -> None:
    mono = song.window(0.0, 1.2).to_mono()
    both = Clip.of(np.repeat(mono.samples, 2, axis=1), mono.rate)
    assert torch.equal(sao.encode(mono).latent, sao.encode(both).latent)
    assert sao.encode(mono.resample(16_000)).samples == mono.length


def test_a_codec_of_one_channel_hears_the_mean(song: Clip) -> None:
    backbone, clip = in_memory(pipeline(channels=1)), song.window(0.0, 1.0)
    assert torch.equal(backbone.encode(clip).latent, backbone.encode(clip.to_mono()).latent)
    assert backbone.decode(noise(0), samples=100)[0].channels == 1


def test_energy_is_one_number_a_frame(sao: StableAudio, song: Clip) -> None:
    clip, start = song.window(0.0, 1.2), song.window(0.0, 0.5)
    whole, part = sao.mel_energy([clip, start], gain=2.0)
    assert whole.shape == (FRAMES, 1)
    samples = clip.fit(FRAMES * HOP).samples.astype(np.float64)
    np.testing.assert_allclose(whole[3, 0], 4 * (samples[3 * HOP : 4 * HOP] ** 2).sum(), rtol=1e-4)
    torch.testing.assert_close(part[:10], whole[:10])
    assert (part[11:] == 0).all()
    assert (whole[26:] == 0).all(), "silence up to the window"


def test_audio_that_does_not_fit_is_refused(sao: StableAudio) -> None:
    with pytest.raises(AudioError, match=r"1\.60 s are longer than the 1\.49 s") as caught:
        sao.encode(Clip.silence(1.6, 44_100, channels=2))
    assert caught.value.code == "audio/too-long"
    for call in (lambda: sao.encode(Clip.of(np.zeros(0), 44_100)), lambda: sao.mel_energy([], gain=1.0)):
        with pytest.raises(AudioError) as caught:
            call()
        assert caught.value.code == "audio/empty"


# -- prompts ------------------------------------------------------------------------------------------------------


def test_the_empty_prompt_is_no_prompt(sao: StableAudio) -> None:
    empty, text = sao.condition([""], negative=""), sao.condition([PROMPT])
    assert empty.negative is not None
    assert not empty.positive["context"].any()
    assert torch.equal(empty.positive["context"], empty.negative["context"])
    assert torch.equal(empty.positive["global"], text.positive["global"]), "durations are told all the same"
    x = noise(0)
    one, two = (sao.predict(x, timestep=500_000, conditioning=empty, guidance=w) for w in (1.0, 5.0))
    torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-4)


def test_the_network_is_told_how_long_the_source_is(sao: StableAudio) -> None:
    window, short = (sao.condition([PROMPT], source=source) for source in (None, Encoded(noise(0), 1.0, 22_050)))
    assert torch.equal(window.positive["context"][:, :TOKENS], short.positive["context"][:, :TOKENS])
    changed = (window.positive["context"] != short.positive["context"]).any(dim=2)[0]
    assert changed.nonzero().flatten().tolist() == [TOKENS + 1], "the second at which it ends"
    longest = Encoded(noise(0), 1.0, FRAMES * HOP)
    assert torch.equal(sao.condition([PROMPT], source=longest).positive["global"], window.positive["global"])


def test_a_prompt_is_encoded_by_itself_and_its_tokens_spell_it(
    sao: StableAudio, sao_pipeline: StableAudioPipeline
) -> None:
    both, alone = sao.condition([PROMPT, SHORT]), sao.condition([SHORT])
    assert torch.equal(both.positive["context"][1:], alone.positive["context"])
    start = PROMPT.index("bright flute")
    tokens = both.tokens(0, (start, start + len("bright flute")))
    ids = sao_pipeline.tokenizer(PROMPT).input_ids
    assert sao_pipeline.tokenizer.decode([ids[i] for i in tokens]).strip() == "bright flute"


# -- network ------------------------------------------------------------------------------------------------------


def test_each_latent_may_have_a_timestep_of_its_own(sao: StableAudio) -> None:
    x, conditioning = noise(0, 1), sao.condition([PROMPT, SHORT], negative="")
    together = sao.predict(x, timestep=[200_000, 990_000], conditioning=conditioning, guidance=3.0)
    for row, (timestep, prompt) in enumerate(((200_000, PROMPT), (990_000, SHORT))):
        one = sao.condition([prompt], negative="")
        alone = sao.predict(x[row : row + 1], timestep=timestep, conditioning=one, guidance=3.0)
        torch.testing.assert_close(together[row : row + 1], alone, rtol=1e-4, atol=1e-4)
    with pytest.raises(UsageError, match="3 timesteps do not go with 2 latents"):
        sao.predict(x, timestep=[1, 2, 3], conditioning=conditioning)


def test_rows_and_negatives_must_fit(sao: StableAudio) -> None:
    with pytest.raises(UsageError) as caught:
        sao.predict(noise(0, 1, 2), timestep=1, conditioning=sao.condition([PROMPT, SHORT]))
    assert caught.value.code == "rows"
    with pytest.raises(UsageError) as caught:
        sao.predict(noise(0), timestep=1, conditioning=sao.condition([PROMPT]), guidance=2.0)
    assert caught.value.code == "no-negative"


def test_inversion_and_generation_come_back_the_nearer_the_more_steps(sao: StableAudio) -> None:
    """From the codec's latent up to σ = 7, where a random network is still smooth enough to be followed."""
    x0 = 0.5 * noise(9)
    predict = guided(sao, sao.condition([""]))
    errors = []
    for steps in (8, 32, 96):
        schedule = sao.schedule(steps)
        part = schedule.between(int((schedule.sigmas > 7).sum()), steps)
        back = ddim_sample(predict, ddim_invert(predict, x0, part), part)
        errors.append(float((back - x0).abs().mean()))
    assert errors[2] < errors[1] < errors[0]


def test_gradients_reach_the_latents_but_not_the_weights(sao: StableAudio) -> None:
    x = noise(0).requires_grad_()
    eps = sao.predict(x, timestep=500_000, conditioning=sao.condition([PROMPT], negative=""), guidance=2.0)
    eps.square().sum().backward()
    assert x.grad is not None
    assert x.grad.abs().max() > 0
    assert not sao.predict(noise(0), timestep=1, conditioning=sao.condition([PROMPT])).requires_grad


@pytest.mark.parametrize(("dtype", "tolerance"), [("bfloat16", 0.1), ("float16", 0.02)])
def test_reduced_precision_stays_inside_the_networks(
    sao: StableAudio, song: Clip, dtype: str, tolerance: float
) -> None:
    reduced, x = in_memory(pipeline(), dtype=dtype), noise(0)
    expected = sao.predict(x, timestep=500_000, conditioning=sao.condition([PROMPT]))
    got = reduced.predict(x, timestep=500_000, conditioning=reduced.condition([PROMPT]))
    assert got.dtype == reduced.encode(song.window(0.0, 1.0)).latent.dtype == torch.float32
    assert 0 < (got - expected).norm() < tolerance * expected.norm()
    assert reduced.decode(x, samples=100)[0].samples.dtype == np.float32


# -- identity and refusals ----------------------------------------------------------------------------------------


def test_identity_is_json_and_says_what_the_latent_is(sao: StableAudio) -> None:
    parsed = json.loads(canonical_json(dict(sao.identity)))
    assert parsed["name"] == "stable-audio-open"
    assert parsed["weights"].startswith("sha256:")
    assert parsed["scheduler"]["sigma_max"] == 500
    assert parsed["front_end"] == {"rate": 44_100, "channels": 2, "hop": HOP, "frames": FRAMES}
    assert parsed["latent_axes"] == ["time"]
    assert parsed["licence"] == sao.licence == "unknown", "of a folder nobody knows it"


@pytest.mark.parametrize(
    "scheduler",
    [
        {"prediction_type": "epsilon"},
        {"sigma_data": 0.5},
        {"final_sigmas_type": "sigma_min"},
        {"sigma_min": 600.0},
    ],
)
def test_a_scheduler_that_cannot_be_driven_is_refused(scheduler: dict[str, Any]) -> None:
    with pytest.raises(ModelError) as caught:
        in_memory(pipeline(**scheduler))
    assert caught.value.code == "model/unsupported"


def test_parts_that_do_not_fit_are_refused() -> None:
    built = pipeline()
    built.tokenizer.padding_side = "left"
    with pytest.raises(ModelError, match="pads on the left"):
        in_memory(built)
    with pytest.raises(UsageError):
        in_memory(pipeline(), dtype="float8")
