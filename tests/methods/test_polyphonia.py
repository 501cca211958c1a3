"""Polyphonia on the embedded backbone: what the equations promise whatever the weights are."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch
from polyphonia_on_nano import STEPS, Make, Spy, counted_rows, distance, edited, latents, method

from bench.diffusion.control import ByKind
from bench.diffusion.guidance import guided
from bench.diffusion.samplers import ddim_sample
from bench.method import Context
from bench.task import Source


def test_audio_has_the_sources_length_and_a_sane_level(
    nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    made = method(nano_context)
    (clip,) = edited(made, made.prepare(two_stems), [make_task()])
    assert (clip.rate, clip.length) == (16_000, two_stems.mixture.length)
    assert abs(clip.rms_db - two_stems.mixture.rms_db) < 20


def test_the_source_is_recorded_where_the_edit_looks(nano_context: Context, two_stems: Source) -> None:
    """24 self and 6 LoA attentions of the down blocks, at every step; the network is left as it was."""
    before = dict(nano_context.backbone._unet.attn_processors)  # type: ignore[attr-defined]
    prepared = method(nano_context).prepare(two_stems)
    memory = prepared.recorder.memory
    assert len(memory) == 30 * STEPS
    assert {timestep for timestep, _ in memory} == set(nano_context.backbone.schedule(STEPS).timesteps)
    assert nano_context.backbone._unet.attn_processors == before  # type: ignore[attr-defined]


def test_a_task_is_the_same_in_any_batch(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    made = method(nano_context)
    prepared = made.prepare(two_stems)
    tasks = [
        make_task(),
        make_task("a very long and quite elaborate description of a pipe organ"),
        make_task("a cello", stem="bass"),
        make_task("a brass section", stem="drums"),
    ]
    together = latents(made, prepared, tasks)
    for row, task in enumerate(tasks):
        torch.testing.assert_close(latents(made, prepared, [task])[0], together[row], atol=1e-4, rtol=0)
    assert (together[0] - together[1]).abs().max() > 1e-3
    assert distance(*edited(made, prepared, [tasks[0], tasks[2]])) > 1e-3


def test_it_is_deterministic_and_ignores_seeds(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    made = method(nano_context)
    first = latents(made, made.prepare(two_stems), [make_task()])
    again = made.edit(made.prepare(two_stems), [make_task()], [12345])
    assert torch.equal(first, again.finish.args[0])  # type: ignore[union-attr]


# -- laws -----------------------------------------------------------------------------------------------------------


def plain_ddim(context: Context, noise: torch.Tensor, prompt: str, guidance: float = 3.5) -> torch.Tensor:
    conditioning = context.backbone.condition([prompt], negative="")
    return ddim_sample(guided(context.backbone, conditioning, guidance), noise, context.backbone.schedule(STEPS))


@pytest.mark.parametrize(
    "knobs",
    [
        {"prior": "none", "lam": 0.0},
        {"prior": "none", "interpolation": "post-softmax", "modulation": False},
        {"interpolation": "off", "modulation": False},
        {"break_point": 0.99},
    ],
    ids=["G = 1, λ = 0", "G = 1, post-softmax, no bias", "both off", "released at once"],
)
def test_without_a_prior_and_a_bias_it_is_plain_ddim_editing(
    nano_context: Context, two_stems: Source, make_task: Make, knobs: dict[str, object]
) -> None:
    made = method(nano_context, **knobs)
    prepared = made.prepare(two_stems)
    plain = plain_ddim(nano_context, prepared.noise, make_task().target_prompt)
    torch.testing.assert_close(latents(made, prepared, [make_task()]), plain, atol=1e-4, rtol=0)


def test_a_stem_alone_in_the_mix_is_edited_freely(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    """With no other stem G is 1 wherever it sounds, as if there were no prior."""
    alone = Source("solo", "solo", two_stems.stems["vocals"], {"vocals": two_stems.stems["vocals"]})
    made = method(nano_context, lam=0.0)
    prepared = made.prepare(alone)
    assert prepared.prior.masks["vocals"].min() == 1.0
    plain = plain_ddim(nano_context, prepared.noise, make_task().target_prompt)
    torch.testing.assert_close(latents(made, prepared, [make_task()]), plain, atol=1e-4, rtol=0)


@pytest.mark.parametrize("interpolation", ["pre-softmax", "post-softmax"])
def test_where_g_is_0_the_attention_maps_are_the_sources(
    nano_context: Context, two_stems: Source, make_task: Make, interpolation: str
) -> None:
    """No task edits the drums of a source without drums: every self and LoA map is the recorded one."""
    made = method(nano_context, interpolation=interpolation)
    prepared = made.prepare(two_stems)
    task = make_task(stem="drums")
    backbone, schedule = nano_context.backbone, nano_context.backbone.schedule(STEPS)
    conditioning = backbone.condition([task.target_prompt], negative="")
    spy = Spy(ByKind(made._controllers(prepared, [task], conditioning, schedule)))
    with backbone.control(spy, made._sites("self", "loa")):
        ddim_sample(guided(backbone, conditioning, 3.5), prepared.noise, schedule)
    assert len(spy.seen) == 30 * STEPS
    for call, attended in spy.seen:
        q, k = prepared.recorder.memory[call.timestep, call.site.name]
        maps = (call.scale * q @ k.transpose(-1, -2)).softmax(-1).expand(call.q.shape[0], -1, -1, -1)
        torch.testing.assert_close(attended, maps @ call.v, atol=1e-5, rtol=1e-5)


def test_a_stem_that_the_song_lacks_has_no_energy(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    made = method(nano_context)
    prepared = made.prepare(two_stems)
    assert all(gate.abs().max() == 0 for gate in made._gates(prepared, [make_task(stem="drums")]).values())
    assert np.isfinite(edited(made, prepared, [make_task(stem="drums")])[0].samples).all()


def test_the_text_bias_moves_the_edit(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    off, on = method(nano_context, lam=0.0), method(nano_context, lam=50.0)
    prepared = off.prepare(two_stems)
    without, with_bias = latents(off, prepared, [make_task()]), latents(on, prepared, [make_task()])
    assert (without - with_bias).abs().max() > 1e-4
    nameless = latents(on, prepared, [make_task(target_span=None)])
    torch.testing.assert_close(nameless, without, atol=1e-5, rtol=0)  # no phrase in the prompt: nothing to favour


@pytest.mark.slow
def test_the_sources_own_prompt_gives_the_source_back(
    nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    """Inversion and generation with one prompt and no guidance cancel, the better the more steps there are."""
    errors = []
    for steps in (10, 40):
        made = method(nano_context, steps=steps, guidance=1.0, lam=0.0)
        prepared = made.prepare(two_stems)
        same = make_task(target_prompt="", target_phrase=None, target_span=None)
        errors.append(float((latents(made, prepared, [same]) - prepared.encoded.latent).abs().max()))
    assert errors[1] < errors[0]


# -- steps ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("knobs", "prepare", "edit", "batch"),
    [
        ({}, 4, 8, 0),
        ({"guidance": 1.0}, 4, 4, 0),
        ({"strength": 0.5}, 2, 4, 0),
        ({"interpolation": "off", "cache": "recompute"}, 4, 8, 0),
        ({"cache": "cpu", "cache_dtype": "float16"}, 4, 8, 0),
        ({"cache": "recompute"}, 4, 8, 4),
        ({"cache": "recompute", "break_point": 0.25}, 4, 8, 3),
        ({"cache": "recompute", "strength": 0.75, "break_point": 0.25}, 3, 6, 2),
        ({"cache": "recompute", "entropy": True}, 4, 8, 4),
    ],
)
def test_cost_is_the_rows_that_the_network_sees(
    nano_context: Context,
    two_stems: Source,
    make_task: Make,
    knobs: dict[str, object],
    prepare: int,
    edit: int,
    batch: int,
) -> None:
    made = method(nano_context, **knobs)
    cost = made.cost()
    assert (cost.prepare, cost.edit, cost.batch) == (prepare, edit, batch)
    with counted_rows(nano_context.backbone) as rows:
        prepared = made.prepare(two_stems)
        assert sum(rows) == cost.prepare
        rows.clear()
        latents(made, prepared, [make_task()] * 2)
        assert sum(rows) == 2 * cost.edit + cost.batch


def test_published_cost(nano_context: Context) -> None:
    """100 rows a source and 200 a task: 100/15 + 200 for each of the 15 tasks of a song."""
    cost = method(nano_context, steps=100).cost()
    assert (cost.prepare, cost.edit, cost.batch) == (100, 200, 0)


def test_control_ends_at_the_break_point(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    """Three of four steps are run, and the last of them is left alone."""
    made, through = (method(nano_context, strength=0.75, break_point=end) for end in (0.25, 0.0))
    timesteps = nano_context.backbone.schedule(STEPS).timesteps
    found = []
    for each, last in ((made, 3), (through, 4)):
        prepared = each.prepare(two_stems)
        assert {timestep for timestep, _ in prepared.recorder.memory} == set(timesteps[1:last])
        found.append(latents(each, prepared, [make_task()]))
    assert (found[0] - found[1]).abs().max() > 1e-5


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("constant", [2.5] * 5), ("linear", [2.5, 1.875, 1.25, 0.625, 0.0]), ("cosine", [2.5, 2.1339, 1.25, 0.3661, 0.0])],
)
def test_lambda_may_decay_over_the_steps(nano_context: Context, schedule: str, expected: list[float]) -> None:
    made = method(nano_context, lam_schedule=schedule)
    assert made._strengths(5) == pytest.approx(expected, abs=1e-4)
    assert made._strengths(1) == [2.5]


# -- sites ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("blocks", "sites"), [("down", 36), ("mid", 6), ("up", 54), ("down,mid,up", 96), ("up,down", 90)]
)
def test_any_blocks_can_be_controlled(nano_context: Context, blocks: str, sites: int) -> None:
    assert len(method(nano_context, blocks=blocks)._sites("self", "loa", "text")) == sites


def test_every_ablation_gives_another_edit(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    variations: dict[str, dict[str, object]] = {
        "published": {},
        "norm": {"prior": "norm"},
        "none": {"prior": "none"},
        "post": {"interpolation": "post-softmax"},
        "no SI": {"interpolation": "off"},
        "no AM": {"modulation": False},
        "linear": {"lam_schedule": "linear"},
        "cosine": {"lam_schedule": "cosine"},
        "up": {"blocks": "up"},
        "all": {"blocks": "down,mid,up"},
    }
    found = {}
    for name, knobs in variations.items():
        made = method(nano_context, **{"lam": 20.0, **knobs})
        found[name] = latents(made, made.prepare(two_stems), [make_task()])
    assert [(a, b) for a, b in combinations(found, 2) if (found[a] - found[b]).abs().max() < 1e-5] == []


# -- entropy --------------------------------------------------------------------------------------------------------


def test_entropy_is_measured_beside_the_edit(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    made, plain = method(nano_context, entropy=True), method(nano_context)
    tasks = [make_task(), make_task(stem="drums")]
    prepared = made.prepare(two_stems)
    assert torch.equal(latents(made, prepared, tasks), latents(plain, plain.prepare(two_stems), tasks)), (
        "measuring changes nothing"
    )
    edits = made.edit(prepared, tasks, [0, 0])
    first, untouched = (one["entropy"] for one in edits.diagnostics)  # type: ignore[union-attr]
    assert first["edit"]["timesteps"] == list(nano_context.backbone.schedule(STEPS).timesteps)
    for kind in ("self", "loa", "text"):
        assert all(0 < value <= 1 for value in first["edit"][kind]["all"])
    assert 0 < first["distance"]["self"] < 1
    # Where G is 0 everywhere the maps are the source's, and so is their entropy.
    assert untouched["distance"] == pytest.approx({"self": 0.0, "loa": 0.0}, abs=2e-4)
    assert untouched["edit"]["self"]["target"] == [None] * STEPS
    without = plain.edit(plain.prepare(two_stems), tasks, [0, 0])
    assert without.diagnostics == []  # type: ignore[union-attr]


def test_another_mix_of_the_same_stems_has_the_same_prior(nano_context: Context, two_stems: Source) -> None:
    """G is of the stems alone: the level of a source does not matter."""
    quiet = {name: clip.scaled(1e-3) for name, clip in two_stems.stems.items()}
    softer = replace(two_stems, mixture=two_stems.mixture.scaled(1e-3), stems=quiet)
    loud, soft = (method(nano_context).prepare(source).prior.masks for source in (two_stems, softer))
    for stem in loud:
        torch.testing.assert_close(loud[stem], soft[stem], atol=1e-4, rtol=0)
