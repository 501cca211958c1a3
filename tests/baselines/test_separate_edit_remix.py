"""Separate, edit, remix: the background to the bit, the part from the inner editor."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from baselines.separate_edit_remix import SeparateEditRemix, alone
from bench.audio import Clip
from bench.errors import UsageError
from bench.method import Context, Decoding
from bench.task import EditTask, Source

Make = Callable[..., EditTask]
FAST = '{"steps": 4, "strength": 0.5}'


def edits(made: SeparateEditRemix, source: Source, tasks: list[EditTask], seeds: list[int]) -> list[Clip]:
    found = made.edit(made.prepare(source), tasks, seeds)
    assert isinstance(found, Decoding)
    return found.finish()


def remix(context: Context, **knobs: object) -> SeparateEditRemix:
    return SeparateEditRemix(SeparateEditRemix.Config.model_validate(knobs), context)


def test_with_an_editor_that_changes_nothing_the_sum_of_the_stems_comes_out(
    nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    made = remix(nano_context, inner="baselines.controls:CopySource")
    found = edits(made, two_stems, [make_task(), make_task(stem="bass")], [0, 1])
    for clip in found:
        assert clip.samples == pytest.approx(two_stems.mixture.samples, abs=1e-6)


def test_the_background_is_kept_to_the_bit(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    made = remix(nano_context, inner="baselines.controls:Silence")
    assert edits(made, two_stems, [make_task()], [0])[0].sha256 == two_stems.stems["bass"].sha256


def test_order_batch_and_level(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    """Tasks of two stems, mixed up: each result is at its place, as loud as before, and the same when made alone."""
    tasks = [make_task("a flute"), make_task("a tuba", "bass"), make_task("a cello")]
    made = remix(nano_context, knobs=FAST)
    together = edits(made, two_stems, tasks, [1, 2, 3])
    for index, task in enumerate(tasks):
        single = edits(remix(nano_context, knobs=FAST), two_stems, [task], [index + 1])[0]
        assert together[index].samples == pytest.approx(single.samples, abs=1e-3)
        part = Clip(together[index].samples - two_stems.background(task.stem).samples, together[index].rate)
        before, after = two_stems.stems[task.stem].loudness_lufs, part.loudness_lufs
        assert before is not None and after is not None
        assert after == pytest.approx(before, abs=0.1)


def test_rate_and_channels_are_the_mixtures(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    wide = {
        name: Clip.of(np.repeat(clip.resample(44_100).samples, 2, axis=1), 44_100)
        for name, clip in two_stems.stems.items()
    }
    source = Source("wide", "wide", Clip.sum(list(wide.values())), wide)
    clip = edits(remix(nano_context, knobs=FAST), source, [make_task()], [0])[0]
    assert (clip.rate, clip.channels, clip.length) == (44_100, 2, source.mixture.length)


def test_the_inner_task_names_the_stem_alone(make_task: Make) -> None:
    task = alone(make_task("a bright flute", source_instrument="vocals"))
    assert task.target_prompt == "A recording of a bright flute."
    assert task.source_prompt == "A recording of vocals."
    assert task.target_span is not None
    assert task.target_prompt[slice(*task.target_span)] == "a bright flute"
    assert task.stem_phrases == {"vocals": "a bright flute"}


def test_bad_requests(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    with pytest.raises(UsageError, match="this method itself"):
        remix(nano_context, inner="baselines.separate_edit_remix:SeparateEditRemix")
    with pytest.raises(UsageError, match="no drums stem"):
        edits(remix(nano_context, knobs=FAST), two_stems, [make_task(stem="drums")], [0])
