"""Melodia on the embedded backbone: what it promises whatever the weights are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from latent_edits import check_batches, check_presets, edit, make

from baselines.melodia import Melodia, SourceMaps
from bench.diffusion.attention import AttentionCall, AttentionSite
from bench.diffusion.guidance import guided
from bench.diffusion.inversion import ddim_invert
from bench.diffusion.samplers import ddim_sample
from bench.errors import UsageError
from bench.method import Context, Cost
from bench.task import EditTask, Source

Make = Callable[..., EditTask]


def test_published_defaults(nano_context: Context) -> None:
    check_presets(Melodia, nano_context)
    config = Melodia.Config().model_dump()
    assert (config["steps"], config["guidance"], config["layers"]) == (200, 5.5, (8, 9, 10, 11, 12, 13, 14))


@pytest.mark.parametrize(
    ("text", "layers"),
    [("8-14", tuple(range(8, 15))), ("3, 1,1", (1, 3)), ("none", ()), ("", ()), ("2,5-6", (2, 5, 6))],
)
def test_layers_as_the_command_line_writes_them(text: str, layers: tuple[int, ...]) -> None:
    assert Melodia.Config.model_validate({"layers": text}).layers == layers  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", ["up", "8-", "7-3", "0-3", "-1"])
def test_what_is_no_layer_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"neither a layer|greater than or equal to 1"):
        Melodia.Config.model_validate({"layers": text})


def test_a_layer_that_the_network_lacks_is_named(nano_context: Context, two_stems: Source) -> None:
    for cache in ("device", "recompute"):
        with pytest.raises(UsageError, match="has 16 attention positions, and layer 20 was asked for"):
            make(Melodia, nano_context, steps=2, layers="8-20", cache=cache).prepare(two_stems)


@pytest.mark.parametrize(("double_self", "sites"), [(True, 7 * (3 + 1)), (False, 7 * 3)])
def test_it_records_self_attention_of_the_layers(
    nano_context: Context, two_stems: Source, double_self: bool, sites: int
) -> None:
    """Every position has three first self-attentions, and one second where a group has no cross-attention."""
    prepared = make(Melodia, nano_context, steps=3, double_self=double_self).prepare(two_stems)
    memory = prepared.recorder.memory  # type: ignore[attr-defined]
    assert {timestep for timestep, _ in memory} == set(nano_context.backbone.schedule(3).timesteps)
    positions = {site.name: site.position for site in nano_context.backbone.attention_sites}
    assert {positions[name] for _, name in memory} == set(range(8, 15))
    assert len(memory) == 3 * sites


def test_the_map_is_the_sources_and_the_values_are_the_edits() -> None:
    draw = torch.Generator().manual_seed(0)
    q, k, v, q_src, k_src = (torch.randn(n, 2, 12, 8, generator=draw) for n in (4, 4, 4, 1, 1))
    site = AttentionSite("site", "self", "up", position=8, order=0, level=1, heads=2)
    call = AttentionCall(site, 1, q, k, v, None, 8**-0.5, guided=True)
    expected = (q_src @ k_src.transpose(-1, -2) / 8**0.5).softmax(-1) @ v
    torch.testing.assert_close(SourceMaps({(1, "site"): (q_src, k_src)})(call), expected, atol=1e-5, rtol=0)


def test_without_layers_it_is_plain_ddim_editing(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    backbone = nano_context.backbone
    schedule, task = backbone.schedule(5).part(0.6), make_task()
    start = ddim_invert(guided(backbone, backbone.condition([""])), backbone.encode(two_stems.mixture).latent, schedule)
    target = guided(backbone, backbone.condition([task.target_prompt], negative=""), 5.5)
    plain = ddim_sample(target, start, schedule)
    knobs = {"steps": 5, "strength": 0.6}
    without = edit(make(Melodia, nano_context, **knobs, layers="none"), two_stems, [task]).latents
    torch.testing.assert_close(without, plain, atol=1e-5, rtol=0)
    following = edit(make(Melodia, nano_context, **knobs), two_stems, [task]).latents
    assert (following - plain).abs().max() > 1e-3


def test_a_task_is_its_own(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    tasks = [make_task(), make_task("a very long and elaborate description of a pipe organ"), make_task("a cello")]
    check_batches(make(Melodia, nano_context, steps=2), two_stems, tasks)


def test_it_is_deterministic_and_ignores_seeds(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    made = make(Melodia, nano_context, steps=2)
    one, other = (edit(made, two_stems, [make_task()], [seed]).latents for seed in (1, 2))
    assert torch.equal(one, other)


def test_wherever_the_source_is_kept_edits_are_the_same(
    nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    """To the bit in the network's own type, also for a second batch and where not all steps are run."""
    tasks = [make_task(), make_task("a cello")]
    for knobs in ({"steps": 3}, {"steps": 4, "strength": 0.5}):
        expected = edit(make(Melodia, nano_context, **knobs), two_stems, tasks).latents
        for cache in ("cpu", "recompute"):
            found = edit(made := make(Melodia, nano_context, **knobs, cache=cache), two_stems, tasks)
            assert torch.equal(found.latents, expected), cache
            assert torch.equal(edit(made, two_stems, tasks).latents, expected), cache
    half = make(Melodia, nano_context, **knobs, cache="recompute", cache_dtype="float16")
    assert 0 < (edit(half, two_stems, tasks).latents - expected).abs().max() < 2e-2


def test_recomputed_queries_and_keys_are_kept_for_one_step(
    nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    made = make(Melodia, nano_context, steps=3, cache="recompute")
    prepared = made.prepare(two_stems)
    memory = prepared.recorder.memory  # type: ignore[attr-defined]
    assert len(memory) == 0
    first, again = (made.edit(prepared, [make_task()], [0]).finish.args[0] for _ in range(2))  # type: ignore[union-attr]
    assert len(memory) == 7 * (3 + 1)
    assert torch.equal(first, again), "a second batch of the same source"


def test_a_smaller_cache_changes_little(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    full, half = (
        edit(make(Melodia, nano_context, steps=2, **knobs), two_stems, [make_task()]).latents
        for knobs in ({}, {"cache": "cpu", "cache_dtype": "float16"})
    )
    torch.testing.assert_close(full, half, atol=2e-2, rtol=0)
    assert not torch.equal(full, half)


@pytest.mark.parametrize(
    ("knobs", "cost"),
    [
        ({"steps": 4}, Cost(4, 8)),
        ({"steps": 4, "strength": 0.5}, Cost(2, 4)),
        ({"steps": 4, "guidance": 1.0, "layers": "none"}, Cost(4, 4)),
        ({"steps": 4, "cache": "recompute"}, Cost(4, 8, batch=4)),
        ({"steps": 4, "cache": "recompute", "layers": "none"}, Cost(4, 8)),
    ],
)
def test_the_cost_is_what_goes_through_the_network(
    nano_context: Context, two_stems: Source, make_task: Make, knobs: dict[str, object], cost: Cost
) -> None:
    made = make(Melodia, nano_context, **knobs)
    assert made.cost() == cost
    edited = edit(made, two_stems, [make_task(), make_task("a cello")])
    assert (edited.prepare_rows, edited.edit_rows) == (cost.prepare, 2 * cost.edit + cost.batch)


def test_the_cost_at_published_sizes(nano_context: Context) -> None:
    """The paper's 200 steps: 200 rows of inversion, 400 of editing."""
    assert make(Melodia, nano_context).cost() == Cost(200, 400)
