"""Errors keep their parts, wherever they are raised."""

from __future__ import annotations

import copy
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest
from pydantic import BaseModel, ConfigDict, Field, model_validator

from bench import errors
from bench.errors import AudioError, BenchError, UsageError, did_you_mean, validated


def kinds(base: type[BenchError] = BenchError) -> list[type[BenchError]]:
    return [base, *(kind for sub in base.__subclasses__() for kind in kinds(sub))]


def raise_audio_error() -> None:
    raise AudioError("it hums", where="x.wav", remedy="Mind the cable.", code="audio/hum")


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_can_be_copied_whole(kind: type[BenchError]) -> None:
    error = kind("cause", remedy="remedy", where="where", code="code/special")
    twin = copy.copy(error)
    assert type(twin) is kind
    assert twin.as_dict() == error.as_dict()


def test_an_error_comes_back_whole_from_another_process() -> None:
    with (
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool,
        pytest.raises(AudioError) as e,
    ):
        pool.submit(raise_audio_error).result()
    assert e.value.as_dict() == {
        "code": "audio/hum", "cause": "it hums", "where": "x.wav", "remedy": "Mind the cable."
    }  # fmt: skip


def test_the_text_says_what_where_and_what_to_do() -> None:
    assert str(AudioError("it hums", where="x.wav", remedy="Mind the cable.")) == "it hums [x.wav]. Mind the cable."


def test_exit_codes_are_those_of_the_table() -> None:
    documented = {int(word) for word in (errors.__doc__ or "").split() if word.isdigit()}
    assert {kind.exit_code for kind in kinds()} <= documented


def test_near_names_come_first() -> None:
    assert did_you_mean("polyfonia", ["polyphonia", "sdedit"]) == "Did you mean polyphonia?"
    assert did_you_mean("x", ["b", "a"]) == "Known: a, b."
    assert did_you_mean("x", []) == "None is registered."


# -- what a user wrote -------------------------------------------------------------------------------------------------


class Knobs(BaseModel):
    """Knobs with and without a default."""

    model_config = ConfigDict(extra="forbid")
    steps: int = Field(50, ge=1)
    folder: str

    @model_validator(mode="after")
    def _even(self) -> Knobs:
        if self.steps % 2:
            raise ValueError("steps come in pairs")
        return self


@pytest.mark.parametrize(
    ("values", "cause", "code"),
    [
        ({"stps": 2, "folder": "x"}, "it has no knob '--stps'", "unknown-setting"),
        ({"steps": 0, "folder": "x"}, "it: --steps=0: Input should be greater than or equal to 1", "bad-setting"),
        ({}, "it: --folder: Field required", "bad-setting"),
        ({"steps": 3, "folder": "x"}, "it: Value error, steps come in pairs", "bad-setting"),
    ],
)
def test_what_does_not_fit_is_told_in_one_way(values: dict[str, object], cause: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        validated(Knobs, values, of="it", kind="knob", see="show it", written=lambda name: f"--{name}")
    assert (caught.value.cause, caught.value.code) == (cause, code)
    assert "steps" in caught.value.remedy or "show it" in caught.value.remedy


def test_what_fits_is_the_model() -> None:
    assert validated(Knobs, {"folder": "x"}, of="it", kind="option", see="show it") == Knobs(folder="x")
