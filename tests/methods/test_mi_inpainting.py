"""MI-guided inpainting on the embedded backbone: its laws at the ends of k and ρ, seeds, batches, cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from bench.audio import Clip
from bench.backbone import Backbone
from bench.diffusion.edm import heun_sample, karras_schedule
from bench.diffusion.guidance import guided
from bench.diffusion.inversion import ddim_invert
from bench.diffusion.samplers import ddim_sample, step_noise
from bench.diffusion.trajectory import ddim_trajectory
from bench.errors import DataError, UsageError
from bench.method import Context, Cost, Decoding, Need
from bench.suite import Suite
from bench.task import AudioRef, EditTask, Source
from methods.mi_inpainting.method import MIInpainting, MIInpaintingReference
from methods.mi_inpainting.ranking import Ranking

Make = Callable[..., EditTask]
STEPS = 5


@pytest.fixture
def two_stems(two_stems: Source) -> Source:
    """The beginning of `two_stems`: eight latent frames, the fewest that the network takes as they are."""
    stems = {stem: clip.fit(5_120) for stem, clip in two_stems.stems.items()}
    return Source(two_stems.id, two_stems.song, two_stems.mixture.fit(5_120), stems)


def method(context: Context, kind: type[MIInpainting] = MIInpainting, **knobs: object) -> MIInpainting:
    return kind(kind.Config.model_validate({"steps": STEPS, **knobs}), context)


def latents(made: MIInpainting, source: Source, tasks: Sequence[EditTask], seeds: Sequence[int]) -> torch.Tensor:
    """The edited latents, before they are decoded."""
    edits = made.edit(made.prepare(source), tasks, seeds)
    assert isinstance(edits, Decoding)
    found: torch.Tensor = edits.finish.args[0]  # type: ignore[attr-defined]
    return found


def start(schedule_alpha: float, shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """σ_T ε in the VP view."""
    return (1 - schedule_alpha) ** 0.5 * step_noise([seed])(-1, shape)


# -- laws -------------------------------------------------------------------------------------------------------------


def test_without_timbre_channels_it_is_the_inversions_reconstruction(
    nano: Backbone, nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    """k = 0, ρ = 0: DDIM inversion and generation with the target, to the last bit; no noise has a part in it."""
    task, schedule = make_task(), nano.schedule(STEPS)
    made = method(nano_context, k=0, rho=0)
    inverted = ddim_invert(guided(nano, nano.condition([""])), nano.encode(two_stems.mixture).latent, schedule)
    target = nano.condition([task.target_prompt], negative="")
    expected = ddim_sample(guided(nano, target, 1.25), inverted, schedule)
    assert torch.equal(latents(made, two_stems, [task], [0]), expected)
    assert torch.equal(latents(made, two_stems, [task], [1]), expected)


def test_without_timbre_channels_the_empty_prompt_returns_the_source(
    nano: Backbone, nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    """k = 0 with the prompt of the inversion: the source again, but for DDIM's error, which shrinks with the steps."""
    empty = make_task(target_prompt="", target_phrase=None, target_span=None)
    latent = nano.encode(two_stems.mixture).latent
    errors = []
    for steps in (4, 16):
        found = latents(method(nano_context, k=0, rho=0.3, guidance=1, steps=steps), two_stems, [empty], [0])
        errors.append(float((found - latent).norm() / latent.norm()))
    assert errors[1] < errors[0] / 2
    assert errors[1] < 0.1


def test_clamped_to_the_end_structure_is_the_sources(
    nano: Backbone, nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    """ρ = 1: what is not regenerated is, exactly, the source's own latent; with k = 0 that is all of it."""
    latent = nano.encode(two_stems.mixture).latent
    assert torch.equal(latents(method(nano_context, k=0, rho=1), two_stems, [make_task()], [0]), latent)
    found = latents(method(nano_context, k=0.5, rho=1), two_stems, [make_task()], [0])
    timbre = torch.from_numpy(Ranking.shipped(nano).mask(0.5)[:, 0])
    assert torch.equal(found[:, ~timbre], latent[:, ~timbre])
    assert (found[:, timbre] - latent[:, timbre]).abs().amax(dim=(0, 2, 3)).min() > 0.1


@pytest.mark.parametrize("rho", [0.0, 0.6])
@pytest.mark.parametrize("sampler", ["ddim", "heun"])
def test_with_all_channels_it_is_generation_from_noise(
    nano: Backbone, nano_context: Context, two_stems: Source, make_task: Make, sampler: str, rho: float
) -> None:
    """k = 1: nothing of the source is left, whatever ρ."""
    task = make_task()
    schedule = nano.schedule(STEPS) if sampler == "ddim" else karras_schedule(nano.alphas, STEPS)
    shape = tuple(nano.encode(two_stems.mixture).latent.shape)
    target = guided(nano, nano.condition([task.target_prompt], negative=""), 1.25)
    sample = ddim_sample if sampler == "ddim" else heun_sample
    expected = sample(target, start(schedule.levels[0], shape, 7), schedule)
    found = latents(method(nano_context, k=1, rho=rho, sampler=sampler), two_stems, [task], [7])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_the_clamp_is_the_inversion_at_the_same_level(
    nano: Backbone, nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    """k = 0 and ρ = 3/5: after three steps the state is the inversion's, and the last two are free."""
    task, schedule = make_task(), nano.schedule(STEPS)
    trajectory = ddim_trajectory(guided(nano, nano.condition([""])), nano.encode(two_stems.mixture).latent, schedule)
    target = guided(nano, nano.condition([task.target_prompt], negative=""), 1.25)
    expected = ddim_sample(target, trajectory[3], schedule.between(3, STEPS))
    assert torch.equal(latents(method(nano_context, k=0, rho=0.6), two_stems, [task], [0]), expected)


@pytest.mark.parametrize("sampler", ["ddim", "heun"])
def test_more_timbre_channels_move_further(
    nano: Backbone, nano_context: Context, two_stems: Source, make_task: Make, sampler: str
) -> None:
    latent = nano.encode(two_stems.mixture).latent
    moved = []
    for k in (0.0, 0.25, 0.5, 1.0):
        found = latents(method(nano_context, k=k, rho=0.4, sampler=sampler, guidance=1), two_stems, [make_task()], [0])
        moved.append(float((found - latent).norm()))
    assert moved == sorted(moved)
    assert moved[-1] > 1.5 * moved[0]


def test_a_longer_clamp_keeps_more(nano: Backbone, nano_context: Context, two_stems: Source, make_task: Make) -> None:
    latent = nano.encode(two_stems.mixture).latent
    structure = ~torch.from_numpy(Ranking.shipped(nano).mask(0.5)[:, 0])
    moved = []
    for rho in (0.0, 0.4, 0.8, 1.0):
        found = latents(method(nano_context, rho=rho, guidance=1), two_stems, [make_task()], [0])
        moved.append(float((found - latent)[:, structure].norm()))
    assert moved == sorted(moved, reverse=True)
    assert moved[-1] == 0


def test_cells_can_be_chosen_one_by_one(
    nano: Backbone, nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    latent = nano.encode(two_stems.mixture).latent
    found = latents(method(nano_context, k=0.3, rho=1, unit="cell"), two_stems, [make_task()], [0])
    timbre = torch.from_numpy(Ranking.shipped(nano).mask(0.3, "cell"))
    assert timbre.sum() == 39
    changed = (found != latent)[0].any(dim=1)
    assert torch.equal(changed, timbre)


# -- the ablation -----------------------------------------------------------------------------------------------------


def test_renoised_structure_is_the_source_noised(
    nano: Backbone, nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    """k = 0 and ρ = 3/5: after three steps the state is the source with the noise of that level."""
    task, schedule = make_task(), nano.schedule(STEPS)
    latent = nano.encode(two_stems.mixture).latent
    alpha = schedule.levels[3]
    state = alpha**0.5 * latent + (1 - alpha) ** 0.5 * step_noise([4])(3, tuple(latent.shape))
    target = guided(nano, nano.condition([task.target_prompt], negative=""), 1.25)
    expected = ddim_sample(target, state, schedule.between(3, STEPS))
    found = latents(method(nano_context, k=0, rho=0.6, clamp="renoised"), two_stems, [task], [4])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


# -- batches, seeds, cost ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("knobs", [{}, {"clamp": "renoised", "sampler": "heun"}])
def test_a_task_is_its_own(nano_context: Context, two_stems: Source, make_task: Make, knobs: dict[str, object]) -> None:
    made = method(nano_context, **knobs)
    tasks = [make_task(), make_task("a warm cello"), make_task("a soft harp")]
    together = latents(made, two_stems, tasks, [1, 2, 3])
    assert torch.equal(together, latents(made, two_stems, tasks, [1, 2, 3]))
    for row, task in enumerate(tasks):
        alone = latents(made, two_stems, [task], [row + 1])[0]
        torch.testing.assert_close(alone, together[row], rtol=0, atol=1e-4)
    other = latents(made, two_stems, tasks[:1], [9])[0]
    assert (other - together[0]).abs().max() > 0.1


@pytest.mark.parametrize(
    ("knobs", "cost"),
    [
        ({}, Cost(5, 10)),
        ({"guidance": 1}, Cost(5, 5)),
        ({"sampler": "heun"}, Cost(5, 18)),
        ({"clamp": "renoised"}, Cost(0, 10)),
        ({"clamp": "renoised", "sampler": "heun", "guidance": 1, "steps": 3}, Cost(0, 5)),
    ],
)
def test_the_cost_is_what_goes_through_the_network(
    nano_context: Context, two_stems: Source, make_task: Make, knobs: dict[str, object], cost: Cost
) -> None:
    made, calls = method(nano_context, **knobs), []
    unet: torch.nn.Module = nano_context.backbone._unet  # type: ignore[attr-defined]
    hook = unet.register_forward_pre_hook(lambda _module, inputs: calls.append(int(inputs[0].shape[0])))
    try:
        prepared = made.prepare(two_stems)
        prepare_rows = sum(calls)
        made.edit(prepared, [make_task(), make_task("a warm cello")], [0, 1])
    finally:
        hook.remove()
    assert made.cost() == cost
    assert (prepare_rows, sum(calls) - prepare_rows) == (cost.prepare, 2 * cost.edit)


def test_edits_are_decoded_with_the_sources_length_and_level(
    nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    made = method(nano_context)
    edits = made.edit(made.prepare(two_stems), [make_task()], [0])
    assert isinstance(edits, Decoding)
    (clip,) = edits.finish()
    assert (clip.rate, clip.length) == (16_000, two_stems.mixture.length)
    assert np.isfinite(clip.samples).all()


# -- presets and rankings ---------------------------------------------------------------------------------------------


def test_presets_are_the_papers_settings(nano_context: Context) -> None:
    configs = {name: MIInpainting.Config.model_validate(knobs) for name, knobs in MIInpainting.presets.items()}
    assert configs["published"] == MIInpainting.Config()
    settings = [(configs[f"setting-{number}"].k, configs[f"setting-{number}"].rho) for number in range(1, 7)]
    assert settings == [(0.6, 0.25), (0.6, 0.4), (0.5, 0.25), (0.5, 0.4), (0.4, 0.25), (0.4, 0.4)]
    assert {"high-k", "low-k", "long-clamp", "short-clamp"} <= configs.keys()
    assert all(MIInpainting(config, nano_context).cost() == Cost(30, 60) for config in configs.values())


@pytest.mark.parametrize("knobs", [{"k": 1.1}, {"rho": -0.1}, {"steps": 0}, {"clamp": "other"}, {"unit": "row"}])
def test_knobs_have_their_ranges(knobs: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MIInpainting.Config.model_validate(knobs)


def test_the_ranking_is_part_of_the_identity(nano: Backbone, nano_context: Context, tmp_path: Path) -> None:
    shipped = Ranking.shipped(nano)
    assert method(nano_context).networks() == {"ranking": f"sha256:{shipped.digest}"}
    flat = [each.model_copy(update={"mi": 0.0}) for each in shipped.channels]
    other = shipped.model_copy(update={"channels": tuple(flat), "order": tuple(range(8))})
    other.write(tmp_path / "other.json")
    made = method(nano_context, ranking=tmp_path / "other.json", k=0.25)
    assert made.networks() == {"ranking": f"sha256:{other.digest}"}
    assert made.ranking().mask(0.25)[:, 0].tolist() == [True, True, *[False] * 6]
    assert "ranking" not in made.config.model_dump(mode="json"), "where the file lies is no part of what is done"


def test_a_ranking_that_does_not_fit_is_refused_before_the_run(
    nano: Backbone, nano_context: Context, tmp_path: Path
) -> None:
    foreign = Ranking.shipped(nano).model_copy(update={"backbone": {"name": "audioldm2", "weights": "sha256:0"}})
    foreign.write(tmp_path / "foreign.json")
    with pytest.raises(UsageError, match="another backbone"):
        method(nano_context, ranking=tmp_path / "foreign.json").networks()
    with pytest.raises(DataError, match="cannot be read"):
        method(nano_context, ranking=tmp_path / "nowhere.json").networks()


# -- by a recording ---------------------------------------------------------------------------------------------------


def with_references(nano: Backbone, folder: Path, clips: dict[str, Clip]) -> tuple[Context, dict[str, AudioRef]]:
    refs = {}
    for name, clip in clips.items():
        clip.write_wav(folder / f"{name}.wav")
        read = Clip.read(folder / f"{name}.wav")
        refs[name] = AudioRef(
            root="here", paths=(f"{name}.wav",), start_s=0, duration_s=clip.duration_s, sha256=read.sha256
        )
    return Context("cpu", Suite("tones", 1, {}, {}, (), {"here": folder}), lambda: nano), refs


def test_the_recording_steers_and_the_prompt_does_not(
    nano: Backbone, two_stems: Source, make_task: Make, tmp_path: Path
) -> None:
    clips = {"vocals": two_stems.stems["vocals"], "bass": two_stems.stems["bass"]}
    context, refs = with_references(nano, tmp_path, clips)
    made = method(context, MIInpaintingReference, guidance=3.0)
    tasks = [
        make_task(target_audio=refs["vocals"]),
        make_task("a warm cello", target_audio=refs["vocals"]),
        make_task(target_audio=refs["bass"], id="third"),
    ]
    one, same, other = latents(made, two_stems, tasks, [5, 5, 5])
    torch.testing.assert_close(one, same, rtol=0, atol=1e-5)
    assert (one - other).abs().max() > 1e-3
    assert made.needs == {Need.BACKBONE, Need.TARGET_AUDIO}
    assert made.name != MIInpainting.name
    assert made.cost() == Cost(5, 10)


def test_a_task_without_a_recording_is_refused(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    made = method(nano_context, MIInpaintingReference)
    with pytest.raises(UsageError, match="no recording of the wanted timbre") as refused:
        made.edit(made.prepare(two_stems), [make_task()], [0])
    assert refused.value.where == make_task().id
