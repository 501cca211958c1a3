"""Where the stems behind the prior come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from polyphonia_on_nano import method

from bench.audio import Clip
from bench.errors import DataError
from bench.method import Context
from bench.runner.spec import RunSpec
from bench.separation import Stems
from bench.suite import Suite
from bench.task import Source
from methods.polyphonia.source import read_stems


class Swap:
    """A separator that takes the stems of a source for one another, in stereo at 44.1 kHz as HT-Demucs does."""

    identity = "swap@1"

    def __init__(self, source: Source):
        self.stems = source.stems

    def separate(self, clips: Sequence[Clip]) -> list[Stems]:
        names: Stems = {"vocals": self.stems["bass"], "bass": self.stems["vocals"]}
        both = {name: Clip.of(clip.samples.repeat(2, axis=1), 16_000).resample(44_100) for name, clip in names.items()}
        return [both for _ in clips]


def write(folder: Path, stems: dict[str, Clip]) -> None:
    for name, clip in stems.items():
        clip.write_wav(folder / f"{name}.wav", subtype="FLOAT")


def test_a_separators_stems_replace_the_suites(nano_context: Context, two_stems: Source) -> None:
    nano_context.separator = Swap(two_stems)  # type: ignore[assignment]
    true = method(nano_context).prepare(two_stems).prior.masks
    separated = method(nano_context, separator="htdemucs").prepare(two_stems).prior.masks
    inside = (slice(4, -4), slice(0, 56))  # the ends and the highest bands suffer from going to 44.1 kHz and back
    torch.testing.assert_close(separated["vocals"][inside], true["bass"][inside], atol=0.05, rtol=0)
    torch.testing.assert_close(separated["bass"][inside], true["vocals"][inside], atol=0.05, rtol=0)


def test_a_runs_identity_names_the_separator(nano_context: Context, two_stems: Source) -> None:
    nano_context.separator = Swap(two_stems)  # type: ignore[assignment]
    assert method(nano_context, separator="htdemucs").networks() == {"separator": "swap@1"}
    assert method(nano_context).networks() == {}
    assert method(nano_context, separator="htdemucs", prior="none").networks() == {}, "G = 1 needs no stems"
    spec = RunSpec("methods.polyphonia.method:Polyphonia", Suite("none", 1, {}, {}, ()), Path("run"))
    identity = spec.identity(method(nano_context).config, None)
    assert identity["method"]["networks"] == {}


def test_external_stems_give_the_prior_of_the_same_stems(
    nano_context: Context, two_stems: Source, tmp_path: Path
) -> None:
    write(tmp_path / "tones", dict(two_stems.stems))
    true = method(nano_context).prepare(two_stems).prior.masks
    found = method(nano_context, separator="external", external_stems=tmp_path).prepare(two_stems).prior.masks
    for stem, mask in true.items():
        torch.testing.assert_close(found[stem], mask)


def test_external_stems_may_have_another_rate_and_lack_some(two_stems: Source, tmp_path: Path) -> None:
    write(tmp_path / "a" / "b", {"vocals": two_stems.stems["vocals"].resample(22_050)})
    stems = read_stems(tmp_path, replace(two_stems, id="a/b"))
    assert list(stems) == ["vocals"]
    assert stems["vocals"].rate == 22_050


def test_what_is_no_stem_of_the_source_is_refused(two_stems: Source, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no stems of tones") as caught:
        read_stems(tmp_path, two_stems)
    assert caught.value.code == "data/no-stems"
    assert "vocals.wav" in caught.value.remedy
    write(tmp_path / "tones", {"vocals": Clip.silence(3.0, 16_000)})
    with pytest.raises(DataError, match="of 3") as caught:
        read_stems(tmp_path, two_stems)
    assert caught.value.code == "data/stem-length"
    assert caught.value.where is not None
    assert caught.value.where.endswith("vocals.wav")


def test_a_source_id_cannot_lead_out_of_the_folder(two_stems: Source, tmp_path: Path) -> None:
    """Suite files may come from anyone."""
    write(tmp_path / "secret", dict(two_stems.stems))
    (tmp_path / "stems").mkdir()
    with pytest.raises(DataError, match="no stems"):
        read_stems(tmp_path / "stems", replace(two_stems, id="../secret"))
