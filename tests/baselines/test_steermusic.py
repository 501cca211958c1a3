"""SteerMusic on the embedded backbone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from latent_edits import check_batches, check_presets, codec, edit, make

from baselines.steermusic import SteerMusic
from bench.diffusion.samplers import add_noise, step_noise
from bench.method import Context, Cost
from bench.task import EditTask, Source

Make = Callable[..., EditTask]


def test_published_defaults(nano_context: Context) -> None:
    check_presets(SteerMusic, nano_context)
    assert SteerMusic.Config().model_dump() == {
        "iterations": 400, "learning_rate": 0.02, "decay": 0.9, "decay_every": 20,
        "guidance": 30.0, "weight": 2.0, "t_min": 0.02, "t_max": 0.98,
    }  # fmt: skip


def test_without_iterations_it_is_the_codec(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    made = make(SteerMusic, nano_context, iterations=0)
    assert torch.equal(edit(made, two_stems, [make_task()]).latents[0], codec(nano_context, two_stems))


def test_equal_prompts_move_nothing(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    same = make_task(target_prompt=make_task().source_prompt, target_phrase=None, target_span=None)
    moved = edit(make(SteerMusic, nano_context, iterations=3), two_stems, [same]).latents[0]
    torch.testing.assert_close(moved, codec(nano_context, two_stems), atol=1e-5, rtol=0)


def test_two_iterations_by_hand(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    backbone, task, seed = nano_context.backbone, make_task(), 7
    made = make(SteerMusic, nano_context, iterations=2, decay=0.5, decay_every=1, learning_rate=0.1)
    latent = codec(nano_context, two_stems)[None]
    noise = step_noise([seed])
    theta = latent
    for i, t in enumerate(made._timesteps([seed])[0].tolist()):  # type: ignore[attr-defined]
        alpha, z = float(backbone.alphas[t]), noise(i, tuple(latent.shape))
        eps = [
            backbone.predict(
                add_noise(x, z, alpha),
                timestep=t,
                conditioning=backbone.condition([prompt], negative=""),
                guidance=30.0,
            )
            for x, prompt in ((theta, task.target_prompt), (latent, task.source_prompt))
        ]
        theta = theta - 0.1 * 0.5**i * 2.0 * (1 - alpha) * (eps[0] - eps[1])
    edited = edit(made, two_stems, [task], [seed]).latents
    torch.testing.assert_close(edited, theta, atol=1e-4, rtol=0)
    assert (edited - latent).abs().max() > 1e-2


def test_timesteps_are_a_tasks_own_and_within_bounds(nano_context: Context) -> None:
    made = make(SteerMusic, nano_context, iterations=2000)
    drawn = made._timesteps([1, 2, 1])  # type: ignore[attr-defined]
    assert drawn.shape == (3, 2000)
    assert torch.equal(drawn[0], drawn[2])
    assert not torch.equal(drawn[0], drawn[1])
    assert 20 <= drawn.min() < 30
    assert 970 < drawn.max() <= 980
    everything = make(SteerMusic, nano_context, iterations=2000, t_min=0.0, t_max=1.0)._timesteps([1])  # type: ignore[attr-defined]
    assert everything.max() <= 999
    with pytest.raises(ValueError, match=r"t_min 0.9 is above t_max 0.1"):
        SteerMusic.Config.model_validate({"t_min": 0.9, "t_max": 0.1})


def test_a_task_is_its_own(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    tasks = [make_task(), make_task("a warm cello"), make_task("a soft harp", source_prompt="A solo voice.")]
    check_batches(make(SteerMusic, nano_context, iterations=2), two_stems, tasks)


def test_the_seed_matters(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    made = make(SteerMusic, nano_context, iterations=2)
    one, other = (edit(made, two_stems, [make_task()], [seed]).latents for seed in (1, 2))
    assert (one - other).abs().max() > 1e-3


@pytest.mark.parametrize(("guidance", "rows"), [(30.0, 4), (1.0, 2)])
def test_the_cost_is_what_goes_through_the_network(
    nano_context: Context, two_stems: Source, make_task: Make, guidance: float, rows: int
) -> None:
    made = make(SteerMusic, nano_context, iterations=3, guidance=guidance)
    assert made.cost() == Cost(0, 3 * rows)
    edited = edit(made, two_stems, [make_task(), make_task("a cello")])
    assert (edited.prepare_rows, edited.edit_rows, edited.backward_rows) == (0, 2 * 3 * rows, 0)
    assert make(SteerMusic, nano_context).cost() == Cost(0, 1600)
