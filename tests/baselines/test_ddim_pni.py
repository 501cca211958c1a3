"""DDIM-PnI on the embedded backbone."""

from __future__ import annotations

from collections.abc import Callable

import torch
from latent_edits import check_batches, check_presets, codec, edit, make

from baselines.ddim_pni import DDIMPnI
from baselines.pni import PnI
from bench.method import Context, Cost
from bench.task import EditTask, Source

Make = Callable[..., EditTask]


def test_it_has_pnis_settings(nano_context: Context) -> None:
    check_presets(DDIMPnI, nano_context)
    assert DDIMPnI.Config() == PnI.Config()
    assert DDIMPnI.name != PnI.name


def test_a_task_is_its_own_and_seeds_have_no_part(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    tasks = [make_task(), make_task("a warm cello"), make_task("a soft harp")]
    made = make(DDIMPnI, nano_context, steps=3)
    check_batches(made, two_stems, tasks)
    one, other = (edit(made, two_stems, tasks[:1], [seed]).latents for seed in (1, 2))
    assert torch.equal(one, other)


def test_an_empty_target_without_guidance_returns_the_source(
    nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    """Inversion is of first order and Heun of second: the way back is not the same, but near, and nearer with steps."""
    latent = codec(nano_context, two_stems)
    empty = make_task(target_prompt="", target_phrase=None, target_span=None)
    errors = []
    for steps in (4, 12):
        made = make(DDIMPnI, nano_context, steps=steps, guidance=1.0)
        errors.append(float((edit(made, two_stems, [empty]).latents[0] - latent).norm() / latent.norm()))
    assert errors[1] < errors[0] / 1.5
    noise = edit(make(PnI, nano_context, steps=12, guidance=1.0), two_stems, [empty]).latents[0]
    assert errors[1] < 0.5 * float((noise - latent).norm() / latent.norm()), "nearer than from fresh noise"


def test_the_cost_is_what_goes_through_the_network(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    for knobs, cost in (({"steps": 5}, Cost(3, 10)), ({"steps": 5, "counts": "sigma-max"}, Cost(5, 18))):
        made = make(DDIMPnI, nano_context, **knobs)
        edited = edit(made, two_stems, [make_task(), make_task("a warm cello")])
        assert made.cost() == cost
        assert (edited.prepare_rows, edited.edit_rows) == (cost.prepare, 2 * cost.edit)
    assert make(DDIMPnI, nano_context).cost() == Cost(20, 78)
