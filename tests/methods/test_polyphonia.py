"""Polyphonia on the embedded backbone: what the equations promise whatever the weights are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pytest
import torch

from bench.audio import Clip
from bench.diffusion.samplers import ddim_sample
from bench.method import Context, Decoding
from bench.task import EditTask, Source
from methods.polyphonia.method import Inverted, Polyphonia

STEPS = 4
Make = Callable[..., EditTask]


def method(nano_context: Context, **knobs: float) -> Polyphonia:
    return Polyphonia(Polyphonia.Config.model_validate({"steps": STEPS, **knobs}), nano_context)


def edited(made: Polyphonia, prepared: Inverted, tasks: Sequence[EditTask]) -> list[Clip]:
    edits = made.edit(prepared, tasks, [0] * len(tasks))
    assert isinstance(edits, Decoding)
    return edits.finish()


def distance(a: Clip, b: Clip) -> float:
    return float(np.abs(a.samples - b.samples).max())


def test_published_defaults() -> None:
    assert Polyphonia.Config().model_dump() == {"steps": 100, "guidance": 3.5, "lam": 2.5}


def test_audio_has_the_sources_length_and_a_sane_level(
    nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    made = method(nano_context)
    (clip,) = edited(made, made.prepare(two_stems), [make_task()])
    assert (clip.rate, clip.length) == (16_000, two_stems.mixture.length)
    assert abs(clip.rms_db - two_stems.mixture.rms_db) < 20


def test_the_source_is_recorded_where_the_edit_looks(nano_context: Context, two_stems: Source) -> None:
    """24 self and 6 LoA attentions of the down blocks, at every step; the network is left as it was."""
    before = nano_context.backbone.attention_sites
    prepared = method(nano_context).prepare(two_stems)
    assert len(prepared.memory) == 30 * STEPS
    assert {timestep for timestep, _ in prepared.memory} == set(nano_context.backbone.schedule(STEPS).timesteps)
    assert nano_context.backbone.attention_sites == before


def test_a_task_sounds_the_same_in_any_batch(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    made = method(nano_context)
    prepared = made.prepare(two_stems)
    tasks = [
        make_task(),
        make_task("a very long and quite elaborate description of a pipe organ"),
        make_task("a cello", stem="bass"),
    ]
    together = edited(made, prepared, tasks)
    for one, clip in zip(tasks, together, strict=True):
        (alone,) = edited(made, prepared, [one])
        assert distance(alone, clip) < 1e-3
    assert distance(together[0], together[1]) > 1e-3


def test_it_is_deterministic_and_ignores_seeds(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    made = method(nano_context)
    (first,) = edited(made, made.prepare(two_stems), [make_task()])
    again = made.edit(made.prepare(two_stems), [make_task()], [12345])
    assert isinstance(again, Decoding)
    assert distance(first, again.finish()[0]) == 0.0


def test_a_stem_alone_in_the_mix_is_edited_freely(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    """With no other stem, G is 1 wherever it sounds: the interpolation vanishes, and λ = 0 leaves plain DDIM."""
    alone = Source("solo", "solo", two_stems.stems["vocals"], {"vocals": two_stems.stems["vocals"]})
    made = method(nano_context, lam=0.0)
    prepared = made.prepare(alone)
    assert prepared.masks["vocals"].min() == 1.0
    (clip,) = edited(made, prepared, [make_task()])
    backbone = nano_context.backbone
    predict = partial(
        lambda x, t, conditioning: backbone.predict(x, timestep=t, conditioning=conditioning, guidance=3.5),
        conditioning=backbone.condition([make_task().target_prompt], negative=""),
    )
    plain = ddim_sample(predict, prepared.noise, backbone.schedule(STEPS))
    (expected,) = backbone.decode(plain, samples=prepared.encoded.samples, gain=prepared.encoded.gain)
    assert distance(clip, expected) < 1e-3


def test_the_text_bias_moves_the_edit(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    off, on = method(nano_context, lam=0.0), method(nano_context, lam=50.0)
    prepared = off.prepare(two_stems)
    (without,), (with_bias,) = edited(off, prepared, [make_task()]), edited(on, prepared, [make_task()])
    assert distance(without, with_bias) > 1e-4
    (nameless,) = edited(on, prepared, [make_task(target_span=None)])
    assert distance(nameless, without) < 1e-5  # no phrase in the prompt: nothing to favour


def test_a_stem_that_the_song_lacks_has_no_energy(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    made = method(nano_context)
    prepared = made.prepare(two_stems)
    gates = made._gates(prepared, [make_task(stem="drums")], {1})
    assert gates[1].abs().max() == 0
    assert np.isfinite(edited(made, prepared, [make_task(stem="drums")])[0].samples).all()


@pytest.mark.slow
def test_the_sources_own_prompt_gives_the_source_back(
    nano_context: Context, two_stems: Source, make_task: Make
) -> None:
    """Inversion and generation with one prompt and no guidance cancel, the better the more steps there are."""
    backbone = nano_context.backbone
    errors = []
    for steps in (10, 40):
        made = method(nano_context, steps=steps, guidance=1.0, lam=0.0)
        prepared = made.prepare(two_stems)
        with torch.no_grad():
            same = make_task(target_prompt="", target_phrase=None, target_span=None)
            (clip,) = edited(made, prepared, [same])
        (codec,) = backbone.decode(
            prepared.encoded.latent, samples=prepared.encoded.samples, gain=prepared.encoded.gain
        )
        errors.append(distance(clip, codec))
    assert errors[1] < errors[0]
