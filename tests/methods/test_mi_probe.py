"""The noise-level probe: it finds what is there, loses it in noise, and depends on its seed alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.audio import Clip
from bench.backbone import Backbone
from bench.errors import IncompleteError
from methods.mi_inpainting.notes import Note
from methods.mi_inpainting.plots import plot_noise_level
from methods.mi_inpainting.probe import WINDOW, Curve, Point, Windows, ask, held_out, train, windows

FAMILIES = 4


def separable(seed: int, *, notes: int = 120) -> Windows:
    """Each family has a channel of its own that is raised; unit noise everywhere; no frequency axis to speak of."""
    rng = torch.Generator().manual_seed(seed)
    family = torch.arange(notes) % FAMILIES
    latents = torch.randn(notes, FAMILIES, 8, 1, generator=rng)
    latents[torch.arange(notes), family] += 2.0
    instruments = tuple(f"i{number % 12}" for number in range(notes))
    return Windows(latents, family, instruments, "0" * 64)


def test_accuracy_falls_from_certain_to_chance() -> None:
    network = train(separable(0), FAMILIES, steps=150, seed=0)
    curve = ask(network, separable(1), "others", levels=8, draws=4, seed=0)
    accuracy = [point.accuracy for point in curve.points]
    assert accuracy[0] > 0.98
    assert accuracy[-1] == pytest.approx(1 / FAMILIES, abs=0.08)
    assert all(later < earlier + 0.06 for earlier, later in pairwise(accuracy))
    assert [point.sigma for point in curve.points] == sorted(point.sigma for point in curve.points)
    assert (curve.points[0].sigma, curve.points[-1].sigma) == (0.0, 80.0)
    assert (curve.points[0].alpha, curve.points[-1].alpha) == (0.0, 1.0)
    assert (curve.notes, curve.instruments) == (120, 12)
    for point in curve.points:
        assert point.low is not None
        assert point.high is not None
        assert point.low <= point.accuracy <= point.high
    found = curve.at_chance(1 / FAMILIES)
    assert found is not None
    assert 3 < found.sigma <= 80


def test_the_seed_decides_and_the_global_state_has_no_part() -> None:
    data = separable(0)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    one = train(data, FAMILIES, steps=3, seed=0)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    same, other = train(data, FAMILIES, steps=3, seed=0), train(data, FAMILIES, steps=3, seed=1)
    assert torch.equal(one.last.weight, same.last.weight)
    assert not torch.equal(one.last.weight, other.last.weight)
    curves = [ask(one, data, "name", levels=3, draws=1, seed=seed) for seed in (0, 0, 1)]
    assert curves[0] == curves[1] != curves[2]


def test_accuracy_is_the_mean_over_families() -> None:
    """A network that always names family 0 is at chance, however many notes family 0 has."""
    network = train(separable(0), FAMILIES, steps=1, seed=0)
    with torch.no_grad():
        network.last.weight.zero_()
        network.last.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0]))
    data = separable(1, notes=40)
    lopsided = replace(data, family=torch.tensor([0] * 31 + [1, 1, 1, 2, 2, 2, 3, 3, 3]))
    for point in ask(network, lopsided, "lopsided", levels=1, draws=1, seed=0).points:
        assert point.accuracy == pytest.approx(0.25, abs=1e-5)


def test_a_family_without_notes_is_an_error() -> None:
    with pytest.raises(IncompleteError, match="no note to train on"):
        train(separable(0), FAMILIES + 1, steps=1, seed=0)


def curve(*lows: float | None) -> Curve:
    points = tuple(Point(float(i), i / 9, 0.5 if low is None else low + 0.1, low, 0.9) for i, low in enumerate(lows))
    return Curve("curve", points, 10, 2)


def test_chance_begins_where_no_later_interval_lies_above_it() -> None:
    found = curve(0.8, 0.2, 0.4, 0.3, 0.1, 0.2).at_chance(0.25)
    assert found is not None
    assert found.sigma == 4.0
    assert curve(0.8, 0.5).at_chance(0.25) is None
    assert curve(None, None).at_chance(0.25) is None, "without intervals it goes by the accuracy"


def test_a_fifth_of_each_instruments_notes_is_held_out() -> None:
    notes = [
        Note(f"{name}-{n}", name, "flute", Path("x"))
        for name, count in (("a", 20), ("b", 3), ("c", 1))
        for n in range(count)
    ]
    learnt, asked = held_out(notes, seed=0)
    assert sorted(learnt + asked, key=lambda note: note.name) == sorted(notes, key=lambda note: note.name)
    assert [sum(note.instrument == name for note in asked) for name in "abc"] == [4, 1, 0]
    assert held_out(list(reversed(notes)), seed=0)[1] == asked
    assert held_out(notes, seed=1)[1] != asked


def test_windows_begin_where_the_note_does(nano: Backbone, tmp_path: Path) -> None:
    time = np.arange(16_000) / 16_000
    tone = 0.3 * np.sin(2 * np.pi * 440 * time)
    clips = {"late": np.concatenate([np.zeros(8_000), tone, tone]), "short": tone[:8_000], "silent": np.zeros(8_000)}
    notes = []
    for name, samples in clips.items():
        Clip.of(samples, 16_000).write_wav(tmp_path / f"{name}.wav")
        notes.append(Note(name, name, "flute" if name == "late" else "brass", tmp_path / f"{name}.wav"))
    found = windows(nano, notes, ["brass", "flute"])
    assert found.latents.shape == (2, 8, WINDOW, 16)
    assert found.family.tolist() == [1, 0]
    assert found.instruments == ("late", "short")
    own = nano.encode(Clip.read(notes[0].path)).latent[0]
    offsets = [at for at in range(own.shape[1] - WINDOW) if torch.equal(own[:, at : at + WINDOW], found.latents[0])]
    assert len(offsets) == 1
    assert 10 <= offsets[0] <= 13, "half a second is 12.5 latent frames"
    assert torch.all(found.latents[1][:, 13:] == 0)
    with pytest.raises(IncompleteError, match="no note sounds"):
        windows(nano, notes[2:], ["brass", "flute"])


def test_curves_are_drawn(tmp_path: Path) -> None:
    plot_noise_level([curve(0.8, 0.3), curve(None, None)], 0.25, "made up", tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
