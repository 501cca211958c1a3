"""PPAE on the embedded backbone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from latent_edits import check_batches, check_presets, codec, edit, make

from baselines.ppae import PPAE
from bench.diffusion.ddpm import ddpm_invert
from bench.diffusion.guidance import guided
from bench.diffusion.samplers import ddim_sample, step_noise
from bench.method import Context, Cost
from bench.task import EditTask, Source

Make = Callable[..., EditTask]
SHORT = {"steps": 6, "skip": 3, "guidance": 4.0}


def test_published_defaults(nano_context: Context) -> None:
    check_presets(PPAE, nano_context)
    config = PPAE.Config().model_dump()
    assert (config["steps"], config["skip"], config["cross_replace"], config["guidance"]) == (100, 50, 0.8, 25.0)
    assert (config["highest"], config["lowest"], config["mode"]) == (1.0, -1.0, "replace")


def test_with_everything_off_it_is_ddpm_editing(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    backbone, task, seed = nano_context.backbone, make_task(), 5
    schedule = backbone.schedule(6).part(0.5)
    source = guided(backbone, backbone.condition([task.source_prompt]))
    path = ddpm_invert(source, codec(nano_context, two_stems)[None], schedule, noise=step_noise([seed]))
    target = guided(backbone, backbone.condition([task.target_prompt], negative=""), 4.0)
    expected = ddim_sample(target, path.start, schedule, eta=1.0, noise=path)
    off = edit(make(PPAE, nano_context, **SHORT, cross_replace=0.0), two_stems, [task], [seed]).latents
    torch.testing.assert_close(off, expected, atol=1e-4, rtol=0)
    on = edit(make(PPAE, nano_context, **SHORT), two_stems, [task], [seed]).latents
    assert (on - off).abs().max() > 1e-4


def test_the_sources_prompt_without_guidance_returns_the_source(
    nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    same = make_task(target_prompt=make_task().source_prompt, target_phrase=None, target_span=None)
    made = make(PPAE, nano_context, steps=6, skip=0, guidance=1.0)
    latents = edit(made, two_stems, [same]).latents[0]
    torch.testing.assert_close(latents, codec(nano_context, two_stems), atol=1e-4, rtol=0)


def test_skipping_all_steps_is_the_codec(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    edited = edit(make(PPAE, nano_context, steps=4, skip=4), two_stems, [make_task()])
    assert torch.equal(edited.latents[0], codec(nano_context, two_stems))
    assert edited.edit_rows == 0


@pytest.mark.parametrize("knobs", [{"mode": "refine"}, {"reweight": 4.0}, {"loa": True}, {"lowest": 1.0}])
def test_every_control_does_something(
    nano_context: Context, two_stems: Source, make_task: Make, knobs: dict[str, object]
) -> None:
    default, other = (
        edit(make(PPAE, nano_context, **SHORT, **given), two_stems, [make_task()]).latents for given in ({}, knobs)
    )
    assert (default - other).abs().max() > 1e-5


def test_reweighting_needs_a_phrase(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    nameless = make_task(target_phrase=None, target_span=None)
    plain, weighted = (
        edit(make(PPAE, nano_context, **SHORT, reweight=c), two_stems, [nameless]).latents for c in (1.0, 4.0)
    )
    torch.testing.assert_close(plain, weighted, atol=1e-5, rtol=0)


def test_a_task_is_its_own(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    tasks = [
        make_task(),
        make_task("a very long and elaborate description of a pipe organ"),
        make_task("a soft harp", source_prompt="A solo voice."),
    ]
    check_batches(make(PPAE, nano_context, steps=4, skip=2, guidance=4.0, reweight=1.5), two_stems, tasks)


@pytest.mark.parametrize(
    ("knobs", "rows"), [({}, 3 * 3), ({"source_guidance": 3.5}, 3 * 4), ({"guidance": 1.0, "loa": True}, 3 * 2)]
)
def test_the_cost_is_what_goes_through_the_network(
    nano_context: Context, two_stems: Source, make_task: Make, knobs: dict[str, object], rows: int
) -> None:
    made = make(PPAE, nano_context, **{**SHORT, **knobs})
    assert made.cost() == Cost(0, rows)
    edited = edit(made, two_stems, [make_task(), make_task("a cello")])
    assert (edited.prepare_rows, edited.edit_rows) == (0, 2 * rows)


def test_the_cost_at_published_sizes(nano_context: Context) -> None:
    """50 steps, each with one row of the source and two of the edit."""
    assert make(PPAE, nano_context).cost() == Cost(0, 150)
