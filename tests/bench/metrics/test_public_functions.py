"""The functions on arrays: found by name, light to import, and the same numbers as a run's scores."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from pkgutil import iter_modules

import numpy as np
import pytest
from played import TUNE, notes

import bench.metrics as public
from bench.audio import Clip
from bench.metric import Case, Missing
from bench.metrics.cqt import Cqt1Pcc, Cqt1PccSteerMusic
from bench.metrics.loudness import LoudnessChange


@pytest.mark.parametrize("name", public.__all__)
def test_every_name_is_there_and_documented(name: str) -> None:
    found = getattr(public, name)
    assert callable(found)
    assert found.__name__ == name
    assert inspect.getdoc(found)
    assert name in dir(public)


@pytest.mark.parametrize("name", [n for n in public.__all__ if inspect.isfunction(getattr(public, n))])
def test_every_function_names_its_paper(name: str) -> None:
    """In its own docstring, or its module's."""
    function = getattr(public, name)
    module = inspect.getdoc(inspect.getmodule(function)) or ""
    assert "Source:" in (inspect.getdoc(function) or "") + module


def test_no_module_has_the_name_of_a_function() -> None:
    """Once it is imported, it would stand in the function's place."""
    modules = {found.name for found in iter_modules(public.__path__)}
    assert not modules & set(public.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        _ = public.nosuch


def test_importing_the_package_imports_no_library() -> None:
    heavy = ("numpy", "scipy", "torch", "librosa", "mir_eval")
    code = f"import sys, bench.metrics; print(*[name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


# -- on arrays as on a run's edits ------------------------------------------------------------------------------------


@pytest.fixture
def edit() -> Clip:
    """The tune with a soft other one beside it, in stereo."""
    tune, other = notes(TUNE), notes(TUNE[::-1]).scaled(0.6)
    return Clip(np.stack([Clip.sum([tune, other]).mono, tune.mono], axis=1), tune.rate)


def test_arrays_give_what_the_metrics_give(make_case: Callable[..., Case], edit: Clip) -> None:
    case = make_case(edit)
    arrays = case.source.mixture.samples, edit.samples, edit.rate
    assert public.cqt1_pcc(*arrays) == pytest.approx(Cqt1Pcc().score(case), abs=1e-9)
    assert public.cqt1_pcc(*arrays, gate_db=None) == pytest.approx(Cqt1PccSteerMusic().score(case), abs=1e-9)
    assert public.loudness_change(*arrays) == pytest.approx(LoudnessChange().score(case), abs=1e-9)


def test_a_contour_is_had_from_arrays() -> None:
    tune = notes(TUNE)
    line = public.pitch_contour(np.stack([tune.mono, tune.mono], axis=1), tune.rate)
    octave = public.Pitch(line.cents + 1200, line.voiced)
    assert line.voiced.mean() > 0.5
    assert (public.raw_pitch_accuracy(line, line), public.pitch_jaccard(line, octave)) == (1.0, 1.0)
    with pytest.raises(ValueError, match="the signal has the shape"):
        public.pitch_contour(np.zeros(0), tune.rate)


def test_what_is_not_defined_is_missing() -> None:
    tune = notes(TUNE)
    silence = np.zeros(tune.length)
    values = {
        "silent-edit": public.cqt1_pcc(tune.mono, silence, tune.rate),
        "too-few-frames": public.cqt1_pcc(silence, tune.mono, tune.rate),
        "constant-contour": public.cqt1_pcc(tune.mono, silence, tune.rate, gate_db=None),
        "silent-source": public.loudness_change(silence, tune.mono, tune.rate),
        "no-onsets": public.onset_f1(np.zeros(0), np.zeros(0)),
        "silent": public.chroma_cosine(np.zeros((12, 4)), np.zeros((12, 4))),
    }
    assert {code: value.code for code, value in values.items() if isinstance(value, Missing)} == {c: c for c in values}


TONE = np.sin(np.arange(16_000) / 10)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((TONE, np.zeros(0), 16_000), "estimated signal has the shape"),
        ((np.zeros((2, 2, 2)), TONE, 16_000), "reference signal has the shape"),
        ((TONE, np.where(TONE > 0.9, np.nan, TONE), 16_000), "not finite"),
        ((TONE, TONE[:8000], 16_000), "not compared in time"),
        ((TONE, TONE, 0), "rate of 0"),
    ],
)
@pytest.mark.parametrize("name", ["cqt1_pcc", "loudness_change"])
def test_what_is_no_pair_of_signals_is_refused(name: str, arguments: tuple[object, ...], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        getattr(public, name)(*arguments)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: public.dpd(np.zeros(3), np.zeros(2), np.arange(3.0)), "of the shapes"),
        (lambda: public.dpd(np.zeros(0), np.zeros(0), np.zeros(0)), "of the shapes"),
        (lambda: public.dpd(np.zeros(3), np.full(3, np.nan), np.arange(3.0)), "not finite"),
        (lambda: public.dpd(np.zeros(3), np.zeros(3), np.zeros(3)), "do not ascend"),
        (lambda: public.Pitch(np.zeros(3), np.ones(2, bool)), "are not both"),
        (lambda: public.log_mel_distance((np.ones((2, 2)),), (np.ones((2, 3)),)), "differ in shape"),
        (lambda: public.log_mel_distance((np.zeros((2, 2)),), (np.ones((2, 2)),)), "silent"),
        (lambda: public.onset_f1(np.array([2.0, 1.0]), np.array([1.0])), "increasing"),
        (lambda: public.chroma_cosine(np.zeros((11, 2)), np.zeros((12, 2))), "not \\(12, frames\\)"),
    ],
)
def test_other_bad_arrays_are_refused(call: Callable[[], object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call()
