"""SDEdit on the embedded backbone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from baselines.sdedit import SDEdit
from bench.audio import Clip
from bench.method import Context, Decoding
from bench.task import EditTask, Source

Make = Callable[..., EditTask]


def edited(
    nano_context: Context, two_stems: Source, tasks: Sequence[EditTask], seeds: Sequence[int], **knobs: float
) -> list[Clip]:
    made = SDEdit(SDEdit.Config.model_validate({"steps": 8, **knobs}), nano_context)
    edits = made.edit(made.prepare(two_stems), tasks, seeds)
    assert isinstance(edits, Decoding)
    return edits.finish()


def distance(a: Clip, b: Clip) -> float:
    return float(np.abs(a.samples - b.samples).mean())


def test_published_defaults() -> None:
    assert SDEdit.Config().model_dump() == {"steps": 200, "strength": 0.5, "guidance": 12.0, "eta": 1.0}


def test_noise_is_a_tasks_own(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    tasks = [make_task(), make_task("a warm cello"), make_task("a soft harp")]
    together = edited(nano_context, two_stems, tasks, [3, 4, 5])
    for one, seed, clip in zip(tasks, (3, 4, 5), together, strict=True):
        (alone,) = edited(nano_context, two_stems, [one], [seed])
        assert np.abs(alone.samples - clip.samples).max() < 1e-3
    (other_seed,) = edited(nano_context, two_stems, tasks[:1], [99])
    assert distance(other_seed, together[0]) > 1e-3


def test_more_strength_is_further_from_the_source(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    backbone = nano_context.backbone
    encoded = backbone.encode(two_stems.mixture)
    (codec,) = backbone.decode(encoded.latent, samples=encoded.samples, gain=encoded.gain)
    distances = [
        distance(edited(nano_context, two_stems, [make_task()], [0], steps=40, strength=strength)[0], codec)
        for strength in (0.05, 0.4, 1.0)
    ]
    assert distances == sorted(distances)


def test_the_cost_is_the_part_that_is_run(nano_context: Context) -> None:
    assert SDEdit(SDEdit.Config(), nano_context).cost().edit == 200
