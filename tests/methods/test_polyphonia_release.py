"""The released code's variant against dense logits, written down from its equations; each deviation by itself."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from polyphonia_on_nano import STEPS, Make, Spy, latents, method

from bench.audio import Clip
from bench.diffusion.attention import AttentionCall
from bench.diffusion.control import ByKind
from bench.diffusion.guidance import guided
from bench.diffusion.samplers import ddim_sample
from bench.method import Context
from bench.task import EditTask, Source, StemName
from methods.polyphonia.method import Polyphonia
from methods.polyphonia.source import Inverted, heard

PHRASES = {"vocals": "a Bright flute", "bass": "a deep bass", "drums": "loud drums"}
Mask = npt.NDArray[np.float64]


@pytest.fixture
def stereo(two_stems: Source) -> Source:
    """Vocals on the left, bass on the right, an offset on the left, noise on top: nothing that a mean would hide."""
    vocals, bass = (clip.mono for clip in two_stems.stems.values())
    noise = 0.01 * np.random.default_rng(3).normal(size=(len(vocals), 2))
    stems: dict[StemName, Clip] = {
        "vocals": Clip.of(np.stack([vocals + 0.05, 0.1 * vocals], axis=1), 16_000),
        "bass": Clip.of(np.stack([0.2 * bass, bass], axis=1), 16_000),
    }
    mixture = Clip.of(Clip.sum(list(stems.values())).samples + noise, 16_000)
    return Source("stereo", "stereo", mixture, stems)


def masks_of_the_release(context: Context, source: Source) -> dict[StemName, Mask]:
    """M_k = sqrt(clip(mel(|S_k|²) / (mel(|X|²) + 1e-10), 0, 1)) of the means of the channels, on their own frames."""
    mixture, *stems = context.backbone.mel_energy([source.mixture, *source.stems.values()], gain=1.0).double().numpy()
    return {
        name: np.sqrt(np.clip(stem / (mixture + 1e-10), 0, 1)) for name, stem in zip(source.stems, stems, strict=True)
    }


def resized(mask: Mask, tokens: int) -> torch.Tensor:
    """To (tokens, 1), bilinear, centres of pixels aligned: the two middle bands, at linearly interpolated frames."""
    frames, bands = mask.shape
    middle = (mask[:, bands // 2 - 1] + mask[:, bands // 2]) / 2
    place = (np.arange(tokens) + 0.5) * frames / tokens - 0.5
    return torch.from_numpy(np.interp(place, np.arange(frames), middle)).float()


def of_rows(values: list[torch.Tensor]) -> torch.Tensor:
    """One a task, for both halves of guidance."""
    return torch.stack([*values, *values])


def dense_interpolation(call: AttentionCall, made: Inverted, masks: dict[StemName, Mask], tasks: list[EditTask]):
    tokens = call.q.shape[2]
    m = of_rows([resized(masks[task.stem], tokens) for task in tasks])[:, None, :, None]
    q_src, k_src = made.recorder.memory[call.timestep, call.site.name]
    current = call.scale * call.q @ call.k.transpose(-1, -2)
    source = call.scale * q_src @ k_src.transpose(-1, -2)
    return (m * current + (1 - m) * source).softmax(-1) @ call.v


def dense_bias(
    call: AttentionCall,
    offsets: tuple[tuple[tuple[int, int], ...], ...],
    masks: dict[StemName, Mask],
    tasks: list[EditTask],
    strength: float,
) -> torch.Tensor:
    """Logits + λ Σ over stems of mask ⊗ tokens of the stem's phrase, found as a lower-case substring."""
    _, _, queries, keys = (*call.q.shape[:3], call.k.shape[2])
    biases = []
    for row, task in enumerate(tasks):
        bias = torch.zeros(queries, keys)
        for stem, phrase in task.stem_phrases.items():
            start = task.target_prompt.lower().find(phrase.lower())
            if start < 0 or stem not in masks:
                continue
            chosen = [a < start + len(phrase) and b > start and b > a for a, b in offsets[row]]
            named = torch.tensor([float(c) for c in chosen] + [0.0] * (keys - len(chosen)))
            bias += resized(masks[stem], queries)[:, None] * named
        biases.append(bias)
    logits = call.scale * call.q @ call.k.transpose(-1, -2) + strength * of_rows(biases)[:, None]
    assert call.mask is not None
    return (logits + call.mask).softmax(-1) @ call.v


def test_every_attention_equals_dense_logits(nano_context: Context, stereo: Source, make_task: Make) -> None:
    """All steps, all 36 attentions of the down blocks, two tasks of different stems in one batch."""
    made = method(nano_context, variant="release")
    prepared = made.prepare(stereo)
    tasks = [make_task(stem_phrases=PHRASES), make_task(stem="bass", stem_phrases=PHRASES)]
    backbone, schedule = nano_context.backbone, nano_context.backbone.schedule(STEPS)
    conditioning = backbone.condition([task.target_prompt for task in tasks], negative="")
    spy = Spy(ByKind(made._controllers(prepared, tasks, conditioning, schedule)))
    with backbone.control(spy, made._sites("self", "loa", "text")):
        start = prepared.noise.expand(2, -1, -1, -1)
        found = ddim_sample(guided(backbone, conditioning, 3.5), start, schedule)
    assert len(spy.seen) == 36 * STEPS
    masks = masks_of_the_release(nano_context, stereo)
    for call, attended in spy.seen:
        if call.site.kind == "text":
            expected = dense_bias(call, conditioning.offsets, masks, tasks, 2.5)
        else:
            expected = dense_interpolation(call, prepared, masks, tasks)
        torch.testing.assert_close(attended, expected, atol=2e-5, rtol=1e-4)
    torch.testing.assert_close(latents(made, prepared, tasks), found, atol=1e-4, rtol=0)


# -- each deviation by itself ---------------------------------------------------------------------------------------


def test_1_the_denominator_is_the_mixture(nano_context: Context, stereo: Source) -> None:
    paper, release = (method(nano_context, denominator=d).prepare(stereo).prior.masks for d in ("sum", "mixture"))
    expected = masks_of_the_release(nano_context, stereo)
    for stem in ("vocals", "bass"):
        np.testing.assert_allclose(release[stem].numpy(), expected[stem], atol=1e-4)
    assert (paper["vocals"] - release["vocals"]).abs().max() > 0.1
    # Anti-phase stems: the sum's energy is below the stem's, and the ratio is clamped.
    vocals = stereo.stems["vocals"]
    cancelling = replace(stereo, mixture=vocals.scaled(0.1), stems={"vocals": vocals, "bass": vocals.scaled(-0.9)})
    assert method(nano_context, denominator="mixture").prepare(cancelling).prior.masks["vocals"].min() > 0.999


def test_2_a_level_sees_two_bands_in_time(nano_context: Context, stereo: Source, make_task: Make) -> None:
    made = method(nano_context, gate_axes="time")
    prepared = made.prepare(stereo)
    masks = {stem: mask.double().numpy() for stem, mask in prepared.prior.masks.items()}
    gates = made._gates(prepared, [make_task(), make_task(stem="bass")])
    for gate in gates.values():
        torch.testing.assert_close(gate[0], resized(masks["vocals"], gate.shape[1]), atol=1e-5, rtol=0)
        torch.testing.assert_close(gate[1], resized(masks["bass"], gate.shape[1]), atol=1e-5, rtol=0)
    whole = method(nano_context)._gates(prepared := method(nano_context).prepare(stereo), [make_task()])
    time, frequency = prepared.prior.latent
    cells = whole[1].reshape(-1, frequency // 2)
    assert cells.shape[0] == time // 2
    assert (cells[:, 0] - cells[:, -1]).abs().max() > 0.1, "the paper's prior tells bands apart"


def test_3_and_4_more_words_are_favoured(nano_context: Context, stereo: Source, make_task: Make) -> None:
    task = make_task(stem_phrases=PHRASES)
    found = {
        (stems, words): modulated_tokens(method(nano_context, bias_stems=stems, bias_words=words), stereo, task)
        for stems in ("target", "all")
        for words in ("subject", "phrase")
    }
    assert {key: value.tolist() for key, value in found.items()} == {
        ("target", "subject"): [1],
        ("target", "phrase"): [3],
        ("all", "subject"): [1, 0, 2, 0],  # "deep bass" names the bass as its head and what goes with it
        ("all", "phrase"): [3, 0, 3, 0],
    }


def modulated_tokens(made: Polyphonia, source: Source, task: EditTask) -> torch.Tensor:
    """Number of favoured tokens, by stem."""
    backbone = made.context.backbone
    conditioning = backbone.condition([task.target_prompt], negative="")
    controllers = made._controllers(made.prepare(source), [task], conditioning, backbone.schedule(STEPS))
    return controllers["text"].tokens[0].sum(-1).int()  # type: ignore[attr-defined, no-any-return]


def test_5_masks_are_stretched_over_padded_frames(nano_context: Context, two_stems: Source) -> None:
    """10.00 s become 1024 frames, and the mask's 1000 lie over all of them: 0.24 s of drift at the end."""
    ten = {name: Clip.of(np.resize(clip.mono, 160_000), 16_000) for name, clip in two_stems.stems.items()}
    source = Source("ten", "ten", Clip.sum(list(ten.values())), ten)
    padded = heard(source.mixture, Polyphonia.Config(frames="padded"))
    assert padded.length == 163_840
    np.testing.assert_array_equal(padded.samples[:160_000], source.mixture.samples)
    assert padded.samples[160_000:].max() == 0
    made = method(nano_context, frames="padded", steps=1)
    prepared = made.prepare(source)
    assert prepared.prior.latent == (256, 16)
    assert prepared.prior.masks["vocals"].shape == (1000, 64)
    gates = prepared.prior.gates(["vocals"], {level: (256 >> level, 16 >> level) for level in (1, 2, 3)})
    assert {level: gate.shape[1] for level, gate in gates.items()} == {1: 1024, 2: 256, 3: 64}
    onset = torch.zeros(1000, 64)
    onset[900:] = 1.0
    stretched = replace(prepared.prior, masks={**prepared.prior.masks, "vocals": onset})
    frames = stretched.gates(["vocals"], {1: (128, 8)})[1].reshape(128, 8)[:, 0]
    assert float((frames > 0.5).nonzero()[0]) == math.floor(900 * 1024 / 1000 / 8)


def test_5_the_edit_is_as_long_as_the_source_all_the_same(
    nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    made = method(nano_context, variant="release", steps=1)
    (clip,) = made.edit(made.prepare(two_stems), [make_task()], [0]).finish()  # type: ignore[union-attr]
    assert clip.length == two_stems.mixture.length


def test_6_the_first_channel_is_encoded_without_its_mean(nano_context: Context, stereo: Source) -> None:
    prepared = method(nano_context, channels="first", steps=1).prepare(stereo)
    left = stereo.mixture.samples[:, 0]
    expected = nano_context.backbone.encode(Clip.of(left - left.mean(), 16_000))
    torch.testing.assert_close(prepared.encoded.latent, expected.latent)
    assert prepared.encoded.gain == pytest.approx(0.5 / np.abs(left - left.mean()).max())
    mean = method(nano_context, steps=1).prepare(stereo)
    assert (mean.encoded.latent - prepared.encoded.latent).abs().max() > 1e-2
    for stem, mask in mean.prior.masks.items():  # of the channels' means in both
        torch.testing.assert_close(mask, prepared.prior.masks[stem])
