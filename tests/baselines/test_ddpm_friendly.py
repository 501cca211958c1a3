"""DDPM-Friendly on the embedded backbone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from latent_edits import check_batches, check_presets, codec, edit, make

from baselines.ddpm_friendly import DDPMFriendly
from bench.method import Context, Cost
from bench.task import EditTask, Source

Make = Callable[..., EditTask]


def test_published_defaults(nano_context: Context) -> None:
    check_presets(DDPMFriendly, nano_context)
    assert DDPMFriendly.Config().model_dump() == DDPMFriendly.presets["published"]


@pytest.mark.parametrize("source_prompt", [True, False])
def test_a_task_is_its_own(nano_context: Context, two_stems: Source, make_task: Make, source_prompt: bool) -> None:
    tasks = [make_task(), make_task("a warm cello"), make_task("a soft harp", source_prompt="A solo voice.")]
    check_batches(make(DDPMFriendly, nano_context, steps=4, source_prompt=source_prompt), two_stems, tasks)


@pytest.mark.parametrize("strength", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_the_same_prompt_and_guidance_return_the_source_exactly(
    nano_context: Context, two_stems: Source, make_task: Make, strength: float, guidance: float
) -> None:
    made = make(
        DDPMFriendly,
        nano_context,
        steps=4,
        strength=strength,
        source_guidance=guidance,
        guidance=guidance,
        last_noise=True,
    )
    same = make_task(target_prompt=make_task().source_prompt, target_phrase=None, target_span=None)
    edited = edit(made, two_stems, [same, same])
    assert (edited.latents - codec(nano_context, two_stems)).abs().max() < 1e-5


def test_without_the_last_noise_it_is_near(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    """What the release does: σ of the last step is 0.03."""
    same = make_task(target_prompt=make_task().source_prompt, target_phrase=None, target_span=None)
    made = make(DDPMFriendly, nano_context, steps=200, strength=0.02, guidance=3.0)
    error = (edit(made, two_stems, [same]).latents[0] - codec(nano_context, two_stems)).abs()
    assert 1e-3 < error.mean() < 0.1


def test_the_path_is_the_seeds_and_holds_the_source(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    """Another seed is another edit; less of the schedule is nearer to the source, much nearer than fresh noise."""
    latent = codec(nano_context, two_stems)
    made = make(DDPMFriendly, nano_context, steps=4, guidance=3.0)
    one, other = (edit(made, two_stems, [make_task()], [seed]).latents[0] for seed in (0, 1))
    assert (one - other).abs().mean() > 1e-3
    distances = [
        (edit(make(DDPMFriendly, nano_context, steps=4, strength=s), two_stems, [make_task()]).latents[0] - latent)
        .abs()
        .mean()
        for s in (0.25, 0.5, 1.0)
    ]
    assert distances == sorted(distances)


@pytest.mark.parametrize(
    ("knobs", "rows"),
    [
        ({"steps": 8, "source_prompt": False}, 4 * (1 + 2)),
        ({"steps": 8}, 4 * (2 + 2)),
        ({"steps": 8, "strength": 0.25, "source_guidance": 1.0, "guidance": 1.0}, 2 * (1 + 1)),
    ],
)
def test_the_cost_is_what_goes_through_the_network(
    nano_context: Context, two_stems: Source, make_task: Make, knobs: dict[str, Any], rows: int
) -> None:
    made = make(DDPMFriendly, nano_context, **knobs)
    edited = edit(made, two_stems, [make_task(), make_task("a warm cello")])
    assert made.cost() == Cost(0, rows)
    assert (edited.prepare_rows, edited.edit_rows) == (0, 2 * rows)


def test_the_cost_at_published_sizes(nano_context: Context) -> None:
    """methods.md §15.7 has 200 (400 with a source prompt) + 200: half of the inversion there is never used."""
    assert make(DDPMFriendly, nano_context).cost() == Cost(0, 400 // 2 + 200)
    assert make(DDPMFriendly, nano_context, source_prompt=False).cost() == Cost(0, 200 // 2 + 200)
    whole = {"source_prompt": False, "strength": 1.0}
    assert make(DDPMFriendly, nano_context, **whole).cost() == Cost(0, 200 + 400)
