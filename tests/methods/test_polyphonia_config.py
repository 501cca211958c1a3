"""Polyphonia's knobs: variants, presets, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from bench.audio import Clip
from bench.errors import UsageError
from bench.runner.spec import parse_config
from methods.polyphonia.config import PRESETS, VARIANTS
from methods.polyphonia.method import Polyphonia

Config = Polyphonia.Config


def test_published_defaults() -> None:
    """The paper's values; the two that are not its own are where stems come from, and what is measured beside it."""
    assert Config().model_dump() == {
        "variant": "paper",
        "steps": 100,
        "guidance": 3.5,
        "strength": 1.0,
        "break_point": 0.0,
        "separator": "true",
        "external_content": "",
        "prior": "irm",
        "denominator": "sum",
        "gate_axes": "time-frequency",
        "interpolation": "pre-softmax",
        "modulation": True,
        "lam": 2.5,
        "lam_schedule": "constant",
        "bias_stems": "target",
        "bias_words": "subject",
        "blocks": ("down",),
        "frames": "exact",
        "channels": "mean",
        "cache": "device",
        "cache_dtype": "same",
        "entropy": False,
    }


def test_the_release_differs_in_six_knobs_and_records_them() -> None:
    paper, release = Config().model_dump(), Config(variant="release").model_dump()
    differing = {knob for knob in paper if paper[knob] != release[knob]}
    assert differing == {"variant", *VARIANTS["release"]}
    assert {knob: release[knob] for knob in VARIANTS["release"]} == VARIANTS["release"]


@pytest.mark.parametrize("knob", VARIANTS["release"])
def test_each_of_them_is_a_switch_of_its_own(knob: str) -> None:
    mostly_release = Config.model_validate({"variant": "release", knob: VARIANTS["paper"][knob]})
    mostly_paper = Config.model_validate({knob: VARIANTS["release"][knob]})
    assert getattr(mostly_release, knob) == VARIANTS["paper"][knob]
    assert getattr(mostly_paper, knob) == VARIANTS["release"][knob]
    others = [other for other in VARIANTS["release"] if other != knob]
    assert [getattr(mostly_release, other) for other in others] == [VARIANTS["release"][other] for other in others]
    assert [getattr(mostly_paper, other) for other in others] == [VARIANTS["paper"][other] for other in others]


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_valid_and_all_but_one_use_the_published_separator(preset: str) -> None:
    config = Config.model_validate(Polyphonia.presets[preset])
    assert (config.steps, config.guidance, config.lam) == (100, 3.5, 2.5)
    assert config.separator == ("true" if preset == "oracle-stems" else "htdemucs")


def test_every_preset_is_another_configuration() -> None:
    found = [Config.model_validate(knobs).model_dump_json() for knobs in PRESETS.values()]
    assert len(set(found)) == len(PRESETS)
    assert {"published", "release"} <= set(PRESETS)


def test_the_command_lines_texts_are_understood() -> None:
    config = parse_config(Polyphonia, ["variant=release", "blocks=up, down", "modulation=false", "lam=1.5"])
    assert (config.blocks, config.modulation, config.lam) == (("down", "up"), False, 1.5)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["variant=official"], "variant"),
        (["blocks=down,sideways"], "blocks"),
        (["blocks="], "blocks"),
        (["separator=external"], "go together"),
        (["external_stems=/nowhere"], "go together"),
        (["separator=external", "external_stems=/nowhere"], "not a folder"),
        (["break_point=1"], "break_point"),
    ],
)
def test_what_does_not_fit_is_refused(settings: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_config(Polyphonia, settings)


def test_unknown_knobs_are_refused() -> None:
    with pytest.raises(ValidationError, match="lambda"):
        Config.model_validate({"lambda": 2.5})


def test_external_stems_go_into_the_identity_by_their_content(tmp_path: Path) -> None:
    """Where the folder is does not matter, what is in it does."""
    dumps = []
    for name, level in (("here", 0.1), ("there", 0.1), ("other", 0.2)):
        clip = Clip.of(np.full(100, level), 16_000)
        clip.write_wav(tmp_path / name / "song" / "vocals.wav")
        config = Config.model_validate({"separator": "external", "external_stems": tmp_path / name})
        assert config.external_stems == tmp_path / name
        dumps.append(config.model_dump_json())
    assert dumps[0] == dumps[1] != dumps[2]
    assert str(tmp_path) not in dumps[0]
