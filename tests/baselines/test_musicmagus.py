"""MusicMagus on the embedded backbone: what it promises whatever the weights are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from latent_edits import check_batches, check_presets, codec, edit, make

from baselines.captions import captions
from baselines.musicmagus import MusicMagus
from baselines.noise_regularisation import Regularisation, autocorrelation_gradient, divergence_gradient
from bench.backbone import Conditioning
from bench.diffusion.guidance import guided
from bench.diffusion.inversion import ddim_invert
from bench.diffusion.samplers import ddim_sample
from bench.errors import UsageError
from bench.method import Context, Cost
from bench.task import EditTask, Source

Make = Callable[..., EditTask]
PLAIN = {"steps": 3, "regularisation_rounds": 0}


@pytest.fixture(autouse=True)
def few_captions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two captions do what 24 do, and are encoded in a twelfth of the time."""
    monkeypatch.setattr("baselines.musicmagus.captions", lambda concept: captions(concept)[:2])


@pytest.fixture
def same(make_task: Make) -> EditTask:
    """A task whose two prompts are equal."""
    return make_task(target_prompt=make_task().source_prompt, target_phrase=None, target_span=None)


def test_published_defaults(nano_context: Context) -> None:
    check_presets(MusicMagus, nano_context)
    config = MusicMagus.Config().model_dump()
    assert (config["steps"], config["guidance"], config["negative"]) == (100, 3.5, "low quality")
    assert (config["constraint"], config["autocorrelation"], config["divergence"]) == (0.04, 20, 20)
    assert config["gradient"] == "fixed"


def test_equal_words_and_no_constraint_are_ddim_with_that_prompt(
    nano_context: Context, two_stems: Source, same: EditTask
) -> None:
    backbone, schedule = nano_context.backbone, nano_context.backbone.schedule(3)
    conditioning = backbone.condition([same.source_prompt], negative="low quality")
    start = ddim_invert(guided(backbone, conditioning), codec(nano_context, two_stems)[None], schedule)
    expected = ddim_sample(guided(backbone, conditioning, 3.5), start, schedule)
    edited = edit(make(MusicMagus, nano_context, **PLAIN, constraint=0.0), two_stems, [same]).latents
    torch.testing.assert_close(edited, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("gradient", ["fixed", pytest.param("published", marks=pytest.mark.slow)])
def test_the_constraint_acts_only_where_something_changes(
    nano_context: Context, two_stems: Source, make_task: Make, same: EditTask, gradient: str
) -> None:
    free, held = (
        edit(make(MusicMagus, nano_context, **PLAIN, constraint=eta, gradient=gradient), two_stems, [same, make_task()])
        for eta in (0.0, 0.04)
    )
    torch.testing.assert_close(held.latents[0], free.latents[0], atol=1e-4, rtol=0)
    assert (held.latents[1] - free.latents[1]).abs().max() > 1e-2


def test_text_tokens_move_by_the_difference_of_mean_captions(nano_context: Context, make_task: Make) -> None:
    backbone, task = nano_context.backbone, make_task()
    made = make(MusicMagus, nano_context)
    edited = made._edited(task.source_prompt, [task])  # type: ignore[attr-defined]
    source, target = (
        backbone.condition([prompt], negative="low quality") for prompt in (task.source_prompt, task.target_prompt)
    )
    tokens = source.positive["text"].shape[1]
    means = []
    for concept in ("bright flute", "soulful vocals"):
        total = torch.zeros(tokens, source.positive["text"].shape[2])
        for caption in captions(concept)[:2]:
            (one,) = backbone.condition([caption]).positive["text"]
            length = min(tokens, len(one))
            total[:length] += one[:length] / 2
        means.append(total)
    expected = source.positive["text"][0] + means[0] - means[1]
    torch.testing.assert_close(edited.positive["text"][0], expected, atol=1e-5, rtol=0)
    assert torch.equal(edited.positive["loa"], target.positive["loa"])
    assert torch.equal(edited.positive["text_mask"], source.positive["text_mask"])
    assert torch.equal(edited.negative["text"], source.negative["text"])  # type: ignore[index]


def test_the_fixed_gradient_is_that_of_both_halves(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    """The published one moves two latents; moved as one, each half's displacement counts."""
    moves = {}
    for gradient in ("fixed", "published"):
        made = make(MusicMagus, nano_context, **PLAIN, gradient=gradient)
        reference = made._reference(codec(nano_context, two_stems)[None], make_task().source_prompt)  # type: ignore[attr-defined]
        halves = made._both_halves(make_task().source_prompt, [make_task()])  # type: ignore[attr-defined]
        timestep = nano_context.backbone.schedule(3).timesteps[0]
        both = made._constrained(reference.start, timestep, halves, reference)  # type: ignore[attr-defined]
        moves[gradient] = both - reference.start
    assert torch.equal(*moves["fixed"])
    assert (moves["published"][1] - moves["published"][0]).abs().max() > 1e-6
    torch.testing.assert_close(moves["fixed"][0], moves["published"].sum(0), atol=1e-6, rtol=1e-3)


def test_a_step_down_the_gradient_brings_the_maps_nearer(
    nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    backbone, task = nano_context.backbone, make_task()
    made = make(MusicMagus, nano_context, **PLAIN, constraint=0.01)
    reference = made._reference(codec(nano_context, two_stems)[None], task.source_prompt)  # type: ignore[attr-defined]
    halves = made._both_halves(task.source_prompt, [task])  # type: ignore[attr-defined]
    timestep = backbone.schedule(3).timesteps[0]
    before = made._distance(reference.start.expand(2, 1, -1, -1, -1), timestep, halves, reference)  # type: ignore[attr-defined]
    moved = made._constrained(reference.start, timestep, halves, reference)  # type: ignore[attr-defined]
    assert made._distance(moved, timestep, halves, reference) < before  # type: ignore[attr-defined]


def test_regularisation_descends_its_two_losses() -> None:
    draw = torch.Generator().manual_seed(0)
    eps = (0.3 + 1.7 * torch.randn(1, 3, 12, 5, generator=draw)).double().requires_grad_()
    shifts = [0, 2, 5]
    loss = torch.zeros((), dtype=torch.float64)
    for channel, shift in enumerate(shifts):
        for axis in (2, 3):
            x = eps[:, channel : channel + 1]
            loss = loss + (x * torch.roll(x, shift, axis)).mean() ** 2
    (expected,) = torch.autograd.grad(loss, eps)
    torch.testing.assert_close(autocorrelation_gradient(eps.detach(), shifts), expected)
    variance = eps.var()
    (expected,) = torch.autograd.grad(variance + eps.mean() ** 2 - 1 - torch.log(variance + 1e-7), eps)
    torch.testing.assert_close(divergence_gradient(eps.detach()), expected)


def test_regularisation_whitens_and_normalises() -> None:
    draw = torch.Generator().manual_seed(0)
    coloured = torch.randn(1, 4, 32, 16, generator=draw).cumsum(2)
    coloured = 1.5 * coloured / coloured.std()
    normal = Regularisation(rounds=300, autocorrelation=0.0)(coloured, torch.Generator())
    assert abs(float(normal.var()) - 1) < 0.05
    white = Regularisation(rounds=100, divergence=0.0)(coloured, torch.Generator().manual_seed(0))
    neighbours = [float((x * torch.roll(x, 1, 2)).mean() / x.square().mean()) for x in (coloured, white)]
    assert abs(neighbours[1]) < 0.8 * abs(neighbours[0])
    assert torch.equal(Regularisation(rounds=0)(coloured, torch.Generator()), coloured)
    assert torch.equal(Regularisation(autocorrelation=0.0, divergence=0.0)(coloured, torch.Generator()), coloured)


@pytest.mark.parametrize("gradient", ["fixed", pytest.param("published", marks=pytest.mark.slow)])
def test_a_task_is_its_own(nano_context: Context, two_stems: Source, make_task: Make, gradient: str) -> None:
    """Also beside tasks with another source prompt."""
    tasks = [make_task(), make_task("a warm cello"), make_task("a soft harp", source_prompt="A solo voice.")]
    check_batches(make(MusicMagus, nano_context, **PLAIN | {"steps": 2}, gradient=gradient), two_stems, tasks)


def test_it_is_deterministic_and_ignores_seeds(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    made = make(MusicMagus, nano_context, steps=2)
    one, other = (edit(made, two_stems, [make_task()], [seed]).latents for seed in (1, 2))
    assert torch.equal(one, other)


def test_the_network_is_left_without_gradients(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    edited = edit(make(MusicMagus, nano_context, steps=2), two_stems, [make_task()])
    assert not edited.latents.requires_grad
    assert all(parameter.grad is None for parameter in nano_context.backbone._unet.parameters())  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("knobs", "cost"),
    [
        ({"steps": 2}, Cost(6, 8, backward=4)),
        ({"steps": 2, "constraint": 0.0}, Cost(6, 4)),
        ({"steps": 2, "guidance": 1.0}, Cost(4, 4, backward=2)),
        ({"steps": 2, "gradient": "published"}, Cost(6, 8, backward=4)),
    ],
)
def test_the_cost_is_what_goes_through_the_network(
    nano_context: Context, two_stems: Source, make_task: Make, knobs: dict[str, object], cost: Cost
) -> None:
    made = make(MusicMagus, nano_context, **knobs)
    assert made.cost() == cost
    edited = edit(made, two_stems, [make_task(), make_task("a cello")])
    assert (edited.prepare_rows, edited.edit_rows) == (0, cost.prepare + 2 * cost.edit)
    assert edited.backward_rows == 2 * cost.backward


def test_a_second_source_prompt_is_inverted_by_itself(
    nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    made = make(MusicMagus, nano_context, **PLAIN | {"steps": 2}, constraint=0.0)
    tasks = [make_task(), make_task(source_prompt="A solo voice."), make_task("a cello")]
    assert edit(made, two_stems, tasks).edit_rows == 2 * made.cost().prepare + 3 * made.cost().edit


def test_the_cost_at_published_sizes(nano_context: Context) -> None:
    """methods.md §15.7: 100 + 200 a source, 200 (forward and backward) + 200 a task."""
    assert make(MusicMagus, nano_context).cost() == Cost(300, 400, backward=200)


def test_a_backbone_without_text_tokens_is_refused(
    nano_context: Context, two_stems: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenless = Conditioning(("",), {}, None, ((),))
    monkeypatch.setattr(nano_context.backbone, "condition", lambda prompts: tokenless)
    with pytest.raises(UsageError, match="no text tokens"):
        make(MusicMagus, nano_context).prepare(two_stems)
