"""PnI on the embedded backbone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from latent_edits import check_batches, check_presets, codec, edit, make
from pydantic import ValidationError

from baselines.pni import PnI
from bench.diffusion.samplers import seeded_noise
from bench.errors import UsageError
from bench.identity import derive_seed
from bench.method import Context, Cost
from bench.task import EditTask, Source

Make = Callable[..., EditTask]


def test_published_defaults(nano_context: Context) -> None:
    check_presets(PnI, nano_context)
    assert PnI.Config().model_dump() == {
        **{"steps": 30, "fraction": 0.65, "counts": "schedule", "guidance": 1.25},
        **{"sigma_min": 0.002, "sigma_max": 80.0, "rho": 7.0},
    }
    assert PnI.Config.model_validate(PnI.presets["0.70"]).fraction == 0.7


def test_the_start_is_the_paper_s(nano_context: Context, two_stems: Source) -> None:
    """z_0 + σ ε in the EDM view: σ is about 8.6 at 0.65 of the schedule, 52 at 0.65 of σ_max."""
    latent = codec(nano_context, two_stems)
    noise = seeded_noise([derive_seed(7, "step -1")], latent.shape)
    for counts, sigma in (("schedule", 8.6), ("sigma-max", 52.0)):
        made = make(PnI, nano_context, counts=counts)
        assert isinstance(made, PnI)
        schedule = made.schedule()
        assert schedule.sigmas[0] == pytest.approx(sigma, rel=0.15)
        prepared = made.prepare(two_stems)
        start = made.start(prepared, schedule, [7]) / schedule.alphas[0] ** 0.5  # type: ignore[arg-type]
        torch.testing.assert_close(start, latent + float(schedule.sigmas[0]) * noise, rtol=1e-4, atol=1e-3)


def test_a_task_is_its_own(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    tasks = [make_task(), make_task("a warm cello"), make_task("a soft harp")]
    check_batches(make(PnI, nano_context, steps=4), two_stems, tasks)


def test_a_larger_fraction_is_further_from_the_source(
    nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    latent = codec(nano_context, two_stems)
    distances = [
        (edit(make(PnI, nano_context, steps=5, fraction=fraction), two_stems, [make_task()]).latents[0] - latent)
        .abs()
        .mean()
        for fraction in (0.0, 0.3, 0.6, 0.9)
    ]
    assert distances == sorted(distances)
    assert distances[0] == 0.0


@pytest.mark.parametrize(
    ("knobs", "rows"),
    [
        ({"steps": 5}, 2 * 5),  # 3 of 5 steps
        ({"steps": 5, "guidance": 1.0}, 5),
        ({"steps": 5, "counts": "sigma-max"}, 2 * 9),  # all 5: σ is 80, 17.5, …
        ({"steps": 5, "fraction": 0.0}, 0),
    ],
)
def test_the_cost_is_what_goes_through_the_network(
    nano_context: Context, two_stems: Source, make_task: Make, knobs: dict[str, Any], rows: int
) -> None:
    made = make(PnI, nano_context, **knobs)
    edited = edit(made, two_stems, [make_task(), make_task("a warm cello")])
    assert made.cost() == Cost(0, rows)
    assert (edited.prepare_rows, edited.edit_rows) == (0, 2 * rows)


def test_the_cost_at_published_sizes(nano_context: Context) -> None:
    """20 (21) of 30 steps, two calls each but for the last, two rows each."""
    costs = [make(PnI, nano_context, **PnI.presets[name]).cost().edit for name in ("0.65", "0.70")]
    assert costs == [2 * 39, 2 * 41]


def test_impossible_grids_are_refused_when_configured() -> None:
    with pytest.raises(UsageError, match="no grid"):
        PnI.Config(sigma_min=90.0)
    with pytest.raises(ValidationError, match="sigma_max"):
        PnI.Config(sigma_max=0.0)
