"""SDEdit on the embedded backbone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from latent_edits import check_batches, check_presets, codec, edit, make

from baselines.controls import Codec
from baselines.sdedit import SDEdit
from bench.method import Context, Decoding
from bench.task import EditTask, Source

Make = Callable[..., EditTask]


def test_published_defaults(nano_context: Context) -> None:
    check_presets(SDEdit, nano_context)
    expected = {"steps": 200, "strength": 0.5, "guidance": 12.0, "negative": "", "eta": 1.0, "order": 1}
    assert SDEdit.Config().model_dump() == expected


def test_noise_is_a_tasks_own(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    tasks = [make_task(), make_task("a warm cello"), make_task("a soft harp")]
    made = make(SDEdit, nano_context, steps=4)
    check_batches(made, two_stems, tasks)
    one, other = (edit(made, two_stems, tasks[:1], [seed]).latents for seed in (0, 99))
    assert (one - other).abs().mean() > 1e-2


def test_more_strength_is_further_from_the_source(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    distances = [
        (edit(make(SDEdit, nano_context, steps=12, strength=strength), two_stems, [make_task()]).latents[0])
        .sub(codec(nano_context, two_stems))
        .abs()
        .mean()
        for strength in (0.0, 0.08, 0.3, 1.0)
    ]
    assert distances == sorted(distances)
    assert distances[0] == 0.0
    assert distances[1] < 0.3 * distances[-1], "towards strength 0 it tends to the codec"


def test_strength_0_is_the_codecs_round_trip(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    clips = []
    for made in (make(SDEdit, nano_context, strength=0), make(Codec, nano_context)):
        assert made.cost().edit == 0
        edits = made.edit(made.prepare(two_stems), [make_task()], [0])
        assert isinstance(edits, Decoding)
        clips += edits.finish()
    np.testing.assert_array_equal(clips[0].samples, clips[1].samples)


def test_a_negative_prompt_moves_the_edit(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    plain, moved = (
        edit(make(SDEdit, nano_context, steps=4, negative=negative), two_stems, [make_task()]).latents
        for negative in ("", "low quality")
    )
    assert (plain - moved).abs().max() > 1e-3


def test_the_cost_is_the_part_that_is_run(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    assert make(SDEdit, nano_context).cost().edit == 200
    for knobs in ({"steps": 6}, {"steps": 6, "guidance": 1.0}, {"steps": 5, "strength": 0.01}, {"strength": 0.0}):
        made = make(SDEdit, nano_context, **knobs)
        edited = edit(made, two_stems, [make_task(), make_task("a warm cello")])
        assert (edited.prepare_rows, edited.edit_rows) == (0, 2 * made.cost().edit)


def test_context_is_told_of_every_step(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    heard: list[tuple[str, int, int]] = []
    nano_context.progress = lambda *step: heard.append(step)
    with torch.no_grad():
        edit(make(SDEdit, nano_context, steps=4), two_stems, [make_task()])
    assert heard == [("editing", 1, 2), ("editing", 2, 2)]
