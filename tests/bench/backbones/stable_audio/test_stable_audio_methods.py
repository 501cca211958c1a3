"""Six methods on Stable Audio Open: they run, a task is its own, and their laws hold without a frequency axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tiny_stable_audio import FRAMES, HOP, LATENT, LAYERS, TOKENS

from baselines.ddim_inversion import DDIMInversion
from baselines.ddpm_friendly import DDPMFriendly
from baselines.melodia import Melodia
from baselines.sdedit import SDEdit
from bench.audio import Clip
from bench.backbone import Backbone
from bench.backbones.stable_audio import StableAudio
from bench.diffusion.attention import AttentionCall, select
from bench.diffusion.guidance import guided
from bench.diffusion.inversion import ddim_invert
from bench.diffusion.samplers import ddim_sample
from bench.method import Context, Decoding, Method
from bench.task import EditTask, Source
from methods.mi_inpainting.method import MIInpainting
from methods.mi_inpainting.notes import Note, hear
from methods.mi_inpainting.ranking import Channel, Ranking, ranked
from methods.polyphonia.method import Polyphonia

Make = Callable[..., EditTask]
STEPS = 4
METHODS: dict[str, tuple[type[Method], dict[str, Any]]] = {
    "sdedit": (SDEdit, {"guidance": 3.0, "order": 2}),
    "ddim-inversion": (DDIMInversion, {}),
    "ddpm-friendly": (DDPMFriendly, {"guidance": 3.0, "source_guidance": 1.0, "order": 2}),
    "melodia": (Melodia, {"layers": "1-2"}),
    "mi-inpainting": (MIInpainting, {}),
    "polyphonia": (Polyphonia, {}),
}


@pytest.fixture(scope="session")
def ranking(sao: StableAudio, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The channels in the order of their numbers."""
    scores = [1.0 / (1 + number) for number in range(LATENT)]
    channels = tuple(
        Channel(channel=number, mi=mi, low=0, high=mi, histogram=mi, cells=(mi,)) for number, mi in enumerate(scores)
    )
    made = Ranking(
        backbone=dict(sao.identity), data={}, settings={}, channels=channels, order=ranked(channels), agreement={}
    )
    path = tmp_path_factory.mktemp("rankings") / "ranking.json"
    made.write(path)
    return path


def make(kind: type[Method], context: Context, **knobs: object) -> Any:
    return kind(kind.Config.model_validate({"steps": STEPS, **knobs}), context)


def latents(made: Method, source: Source, tasks: Sequence[EditTask], seeds: Sequence[int] | None = None) -> Any:
    """The edited latents, before they are decoded."""
    edits = made.edit(made.prepare(source), tasks, seeds or [0] * len(tasks))
    assert isinstance(edits, Decoding)
    return edits.finish.args[0]  # type: ignore[attr-defined]


def reconstruction(task: EditTask) -> EditTask:
    """The task whose target is its source."""
    return task.model_copy(update={"target_prompt": task.source_prompt, "target_phrase": None, "target_span": None})


def edited_with(sao: Backbone, source: Source, prompt: str, guidance: float) -> torch.Tensor:
    """Plain DDIM editing: inversion with an empty prompt, generation with another."""
    encoded, schedule = sao.encode(source.mixture), sao.schedule(STEPS)
    start = ddim_invert(guided(sao, sao.condition([""], source=encoded)), encoded.latent, schedule)
    target = sao.condition([prompt], negative="", source=encoded)
    return ddim_sample(guided(sao, target, guidance), start, schedule)


# -- what all do ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", METHODS)
def test_a_task_is_its_own_and_becomes_stereo_audio(
    sao_context: Context, two_stems: Source, make_task: Make, ranking: Path, name: str
) -> None:
    kind, knobs = METHODS[name]
    made = make(kind, sao_context, **knobs, **({"ranking": ranking} if kind is MIInpainting else {}))
    tasks = [make_task(), make_task("a deep flute"), make_task("soulful bass", stem="bass")]
    prepared, seeds = made.prepare(two_stems), [1, 2, 3]
    edits = made.edit(prepared, tasks, seeds)
    alone = made.edit(prepared, tasks[1:2], seeds[1:2])
    together = edits.finish.args[0]
    torch.testing.assert_close(alone.finish.args[0][0], together[1], rtol=0, atol=1e-4)
    assert (together[0] - together[1]).abs().max() > 1e-3
    clip = alone.finish()[0]
    length = round(two_stems.mixture.duration_s * 44_100)
    assert (clip.rate, clip.channels, clip.length) == (44_100, 2, pytest.approx(length, abs=3))
    assert np.isfinite(clip.samples).all()
    assert clip.peak > 0


def test_sdedit_of_strength_0_is_the_codec(
    sao: StableAudio, sao_context: Context, two_stems: Source, make_task: Make
) -> None:
    found = latents(make(SDEdit, sao_context, strength=0.0), two_stems, [make_task()])
    assert torch.equal(found, sao.encode(two_stems.mixture).latent)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_ddpm_friendly_returns_the_latent(
    sao: StableAudio, sao_context: Context, two_stems: Source, make_task: Make, strength: float, order: int
) -> None:
    """With the same prompt and guidance; without the last noise, as well as the network denoises from σ = 0.3."""
    knobs = {"guidance": 3.0, "source_guidance": 3.0, "strength": strength, "order": order}
    same, x0 = reconstruction(make_task()), sao.encode(two_stems.mixture).latent
    exact = latents(make(DDPMFriendly, sao_context, **knobs, last_noise=True), two_stems, [same, same], [1, 2])
    assert (exact - x0).abs().max() < 1e-4
    released = latents(make(DDPMFriendly, sao_context, **knobs), two_stems, [same])
    assert 1e-3 < (released - x0).abs().mean() < 1.0


def test_ddim_inversion_is_inversion_and_generation(
    sao: StableAudio, sao_context: Context, two_stems: Source, make_task: Make
) -> None:
    made = make(DDIMInversion, sao_context, source_prompt=False, guidance=3.0)
    expected = edited_with(sao, two_stems, make_task().target_prompt, 3.0)
    torch.testing.assert_close(latents(made, two_stems, [make_task()]), expected, rtol=0, atol=1e-5)


def test_melodia_without_layers_is_ddim_editing_and_with_all_holds_on(
    sao: StableAudio, sao_context: Context, two_stems: Source, make_task: Make
) -> None:
    plain = edited_with(sao, two_stems, make_task().target_prompt, 5.5)
    found = {
        layers: latents(make(Melodia, sao_context, layers=layers), two_stems, [make_task()])
        for layers in ("none", f"1-{LAYERS}")
    }
    torch.testing.assert_close(found["none"], plain, rtol=0, atol=1e-4)
    assert (found[f"1-{LAYERS}"] - plain).abs().max() > 1e-3


def test_mi_inpainting_holds_structure_and_draws_timbre(
    sao: StableAudio, sao_context: Context, two_stems: Source, make_task: Make, ranking: Path
) -> None:
    x0 = sao.encode(two_stems.mixture).latent
    held = latents(make(MIInpainting, sao_context, ranking=ranking, k=0.5, rho=1.0), two_stems, [make_task()])
    assert torch.equal(held[:, LATENT // 2 :], x0[:, LATENT // 2 :]), "structure, at the end of a clamp of all steps"
    assert (held[:, : LATENT // 2] - x0[:, : LATENT // 2]).abs().min(dim=-1).values.mean() > 1e-2
    none = make(MIInpainting, sao_context, ranking=ranking, k=0.0, rho=0.0, guidance=1.25)
    plain = edited_with(sao, two_stems, make_task().target_prompt, 1.25)
    torch.testing.assert_close(latents(none, two_stems, [make_task()]), plain, rtol=0, atol=1e-4)
    heun = make(MIInpainting, sao_context, ranking=ranking, sampler="heun")
    assert torch.isfinite(latents(heun, two_stems, [make_task()])).all()


# -- Polyphonia in time alone -----------------------------------------------------------------------------------------


def test_polyphonia_without_its_controls_is_ddim_editing(
    sao: StableAudio, sao_context: Context, two_stems: Source, make_task: Make
) -> None:
    """G = 1 everywhere and λ = 0, as controllers and without them, at all layers."""
    plain = edited_with(sao, two_stems, make_task().target_prompt, 3.5)
    for knobs in (
        {"prior": "none", "lam": 0.0, "blocks": "down,mid,up"},
        {"interpolation": "off", "modulation": False},
    ):
        found = latents(make(Polyphonia, sao_context, **knobs), two_stems, [make_task()])
        torch.testing.assert_close(found, plain, rtol=0, atol=1e-4)


def test_a_stem_without_energy_leaves_attention_to_the_source(
    sao_context: Context, two_stems: Source, make_task: Make
) -> None:
    """G = 0, global token included: what Melodia does in all layers."""
    task = make_task(stem="drums")
    ours = make(Polyphonia, sao_context, modulation=False, guidance=5.5, blocks="down,mid,up")
    melodia = make(Melodia, sao_context, layers=f"1-{LAYERS}")
    torch.testing.assert_close(latents(ours, two_stems, [task]), latents(melodia, two_stems, [task]), rtol=0, atol=1e-4)


def test_the_prior_is_the_stems_share_of_each_frame(sao_context: Context, make_task: Make) -> None:
    """Known answer: equal power in the first frames, no target in the next ones, no bass in the last."""
    tone = np.sin(2 * np.pi * np.arange(24 * HOP) / 64)
    frame = np.arange(24 * HOP) // HOP
    stems = {
        "vocals": Clip.of(0.1 * tone * ((frame < 8) | (frame >= 16)), 44_100),
        "bass": Clip.of(0.1 * tone * (frame < 16), 44_100),
    }
    source = Source("tones", "tones", Clip.sum(list(stems.values())), stems)
    made = make(Polyphonia, sao_context)
    gates = made._gates(made.prepare(source), [make_task(), make_task(stem="drums")])
    assert list(gates) == [0]
    expected = torch.tensor([1.0] + [0.5**0.5] * 8 + [0.0] * 8 + [1.0] * 8 + [0.0] * (FRAMES - 24))
    torch.testing.assert_close(gates[0][0], expected, atol=1e-4, rtol=0)
    assert not gates[0][1].any()


def test_modulation_pulls_every_query_to_the_words_of_the_target(
    sao: StableAudio, sao_context: Context, two_stems: Source, make_task: Make
) -> None:
    """The bias is on the phrase's own tokens among text, padding and durations, for the global token too."""
    made, task = make(Polyphonia, sao_context, prior="none", bias_words="phrase", lam=40.0), make_task()
    prepared = made.prepare(two_stems)
    conditioning = sao.condition([task.target_prompt], negative="", source=prepared.encoded)
    modulation = made._controllers(prepared, [task], conditioning, made._schedule())["text"]
    weights: list[torch.Tensor] = []

    def watched(call: AttentionCall) -> torch.Tensor:
        (part,) = modulation.parts(call)
        weights.append(part.call.weights())
        return part.attended()

    text = select(sao.attention_sites, kinds=("text",), blocks=("down",))
    with sao.control(watched, text):
        sao.predict(prepared.noise, timestep=made._schedule().timesteps[0], conditioning=conditioning)
    favoured = conditioning.tokens(0, task.target_span)
    assert weights[0].shape[-2:] == (1 + FRAMES, TOKENS + 2)
    assert weights[0][..., favoured].sum(-1).min() > 0.99


def test_a_notes_sounding_frames_are_found(sao: StableAudio, tmp_path: Path) -> None:
    """What the channel ranking is made of: frames of the note, not of the silence up to the window."""
    path = tmp_path / "note.wav"
    Clip.of(0.1 * np.sin(np.arange(10 * HOP) / 9), 44_100).write_wav(path)
    heard = hear(sao, Note("note", "flute", "flute", path))
    assert heard.latent.shape == (LATENT, FRAMES, 1)
    assert heard.sounding.nonzero()[0].tolist() == list(range(10))


def test_entropy_and_the_released_variant_run_too(sao_context: Context, two_stems: Source, make_task: Make) -> None:
    made = make(Polyphonia, sao_context, variant="release", entropy=True, cache="recompute")
    edits = made.edit(made.prepare(two_stems), [make_task()], [0])
    assert set(edits.diagnostics[0]["entropy"]["distance"]) == {"self"}
    assert torch.isfinite(edits.finish.args[0]).all()


def test_a_run_says_that_its_prior_is_in_time_alone(sao: StableAudio, sao_context: Context) -> None:
    whole: Any = SimpleNamespace(name="another", latent_axes=("time", "frequency"))
    other = Context("cpu", sao_context.suite, lambda: whole)
    assert "no frequency axis" in make(Polyphonia, sao_context).networks()["prior"]
    assert "stable-audio-open" in Polyphonia.standing(sao)
    assert make(Polyphonia, other).networks() == {}
    assert Polyphonia.standing(whole) == Polyphonia.standing(None) == ""
