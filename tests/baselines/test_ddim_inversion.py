"""DDIM inversion as a baseline, on the embedded backbone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from latent_edits import check_batches, check_presets, codec, edit, make

from baselines.ddim_inversion import DDIMInversion
from bench.method import Context, Cost
from bench.task import EditTask, Source

Make = Callable[..., EditTask]


def test_published_defaults(nano_context: Context) -> None:
    check_presets(DDIMInversion, nano_context)
    expected = {"steps": 200, "strength": 1.0, "source_prompt": True, "source_guidance": 3.0, "guidance": 5.0}
    assert DDIMInversion.Config().model_dump() == expected


@pytest.mark.parametrize("source_prompt", [True, False])
def test_a_task_is_its_own(nano_context: Context, two_stems: Source, make_task: Make, source_prompt: bool) -> None:
    tasks = [make_task(), make_task("a warm cello"), make_task("a soft harp", source_prompt="A solo voice.")]
    check_batches(make(DDIMInversion, nano_context, steps=2, source_prompt=source_prompt), two_stems, tasks)


def test_it_is_deterministic_and_ignores_seeds(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    made = make(DDIMInversion, nano_context, steps=3)
    assert torch.equal(
        edit(made, two_stems, [make_task()], [1]).latents, edit(made, two_stems, [make_task()], [2]).latents
    )


def test_the_same_prompt_and_no_guidance_return_the_source(
    nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    latent = codec(nano_context, two_stems)
    same = make_task(target_prompt=make_task().source_prompt, target_phrase=None, target_span=None)
    errors = []
    for steps in (4, 12):
        made = make(DDIMInversion, nano_context, steps=steps, source_guidance=1.0, guidance=1.0)
        errors.append(float((edit(made, two_stems, [same]).latents[0] - latent).norm() / latent.norm()))
    assert errors[1] < 0.8 * errors[0] < 0.2


def test_another_source_prompt_is_another_inversion(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    made = make(DDIMInversion, nano_context, steps=3)
    tasks = [make_task(), make_task(source_prompt="A solo voice."), make_task()]
    edited = edit(made, two_stems, tasks)
    assert torch.allclose(edited.latents[0], edited.latents[2], atol=1e-4)
    assert (edited.latents[0] - edited.latents[1]).abs().max() > 1e-3
    assert edited.edit_rows == 2 * (2 * 3) + 3 * (2 * 3), "two inversions of two rows, three edits"


@pytest.mark.parametrize(
    ("knobs", "prepare", "edits"),
    [
        ({"steps": 4, "source_prompt": False}, 4, 8),
        ({"steps": 4}, 8, 8),
        ({"steps": 4, "source_guidance": 1.0, "guidance": 1.0}, 4, 4),
        ({"steps": 4, "strength": 0.5}, 4, 4),
    ],
)
def test_the_cost_is_what_goes_through_the_network(
    nano_context: Context, two_stems: Source, make_task: Make, knobs: dict[str, float], prepare: int, edits: int
) -> None:
    made = make(DDIMInversion, nano_context, **knobs)
    assert made.cost() == Cost(prepare, edits)
    edited = edit(made, two_stems, [make_task(), make_task("a warm cello")])
    assert edited.prepare_rows + edited.edit_rows == prepare + 2 * edits
    assert edited.prepare_rows == (prepare if not made.config.model_dump()["source_prompt"] else 0)


def test_the_cost_at_published_sizes(nano_context: Context) -> None:
    """methods.md §15.7: DDIM with 100 steps and an empty source prompt is 100 + 200 rows."""
    assert make(DDIMInversion, nano_context, **DDIMInversion.presets["polyphonia"]).cost() == Cost(100, 200)
    assert make(DDIMInversion, nano_context).cost() == Cost(400, 400)


def test_an_empty_source_prompt_is_not_guided(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    """A task without source prompt costs one row a step, and gives what `source_prompt=False` gives."""
    unprompted = edit(make(DDIMInversion, nano_context, steps=3), two_stems, [make_task(source_prompt="")])
    without = edit(make(DDIMInversion, nano_context, steps=3, source_prompt=False), two_stems, [make_task()])
    assert unprompted.edit_rows == 3 + 6
    torch.testing.assert_close(unprompted.latents, without.latents, rtol=0, atol=1e-5)
