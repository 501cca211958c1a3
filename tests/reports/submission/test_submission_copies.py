"""Copies of the source and of other entries are found in the usual disguises; honest edits are not taken for any."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from submission_samples import Parts, edit_of, flac, voice

from bench.audio import Clip
from bench.errors import DataError
from bench.suite import Suite
from reports.submission import prints
from reports.submission.copies import Reference
from reports.submission.model import Finding
from reports.submission.prints import Fingerprints

rng = np.random.default_rng(0)


def coded(clip: Clip, container: str) -> Clip:
    buffer = io.BytesIO()
    soundfile.write(buffer, clip.samples, clip.rate, format=container)
    buffer.seek(0)
    samples, rate = soundfile.read(buffer, dtype="float32", always_2d=True)
    return Clip.of(samples, rate)


def noisy(clip: Clip) -> Clip:
    level = 10 ** (clip.rms_db / 20) / 20
    return Clip.of(clip.samples + level * rng.normal(size=clip.samples.shape), clip.rate)


DISGUISES: dict[str, Callable[[Clip], Clip]] = {
    "none": lambda clip: clip,
    "softer": lambda clip: clip.scaled(0.3),
    "upside down": lambda clip: clip.scaled(-1.0),
    "mp3": lambda clip: coded(clip, "MP3"),
    "ogg": lambda clip: coded(clip, "OGG"),
    "8 kHz": lambda clip: clip.resample(8_000),
    "48 kHz": lambda clip: clip.resample(48_000),
    "stereo": lambda clip: Clip.of(np.repeat(clip.samples, 2, axis=1), clip.rate),
    "20 ms late": lambda clip: Clip.of(np.pad(clip.samples, ((320, 0), (0, 0)))[: clip.length], clip.rate),
    "noise": noisy,
}


def codes(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.code for finding in findings}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_copy_of_the_source_is_one_in_disguise(loom: Suite, disguise: str) -> None:
    for task in loom.tasks:
        source = loom.open(str(task.source))
        reference = Reference.of(source, task.stem)
        assert reference.is_copy(prints.mono(DISGUISES[disguise](source.mixture)))


def test_edits_are_no_copies(loom: Suite) -> None:
    for task in loom.tasks:
        source = loom.open(str(task.source))
        reference = Reference.of(source, task.stem)
        perfect = edit_of(loom, task)  # keeps the other stems to the sample
        muted = source.background(task.stem)
        for edit in (perfect, muted, perfect.scaled(0.2), voice(500.0, 1.0, 16_000), Clip.silence(1.0, 16_000)):
            assert not reference.is_copy(prints.mono(edit))


def test_without_the_stem_only_waveforms_tell(loom: Suite) -> None:
    task = loom.tasks[0]
    source = loom.open(str(task.source))
    whole = Reference(prints.mono(source.mixture), None)
    assert whole.is_copy(prints.mono(source.mixture.scaled(0.5)))
    assert not whole.is_copy(prints.mono(edit_of(loom, task)))


@pytest.mark.parametrize("disguise", sorted(set(DISGUISES) - {"20 ms late"}))
def test_another_entrys_edits_are_found_in_disguise(
    parts: Parts, tmp_path: Path, checked: Callable, disguise: str
) -> None:
    original = checked(parts.write(tmp_path)).fingerprints
    for number, task in enumerate(parts.suite.tasks):
        parts.replace(number, flac(DISGUISES[disguise](edit_of(parts.suite, task))))
    found = checked(parts.write(tmp_path), others=[original]).result
    assert codes(found.findings) == {"copy/entry"}
    assert "2 of 2 edits are those of Loom 1.2" in found.findings[0].what


def test_another_systems_edits_of_the_same_tasks_are_not_taken_for_copies(
    parts: Parts, tmp_path: Path, checked: Callable
) -> None:
    original = checked(parts.write(tmp_path)).fingerprints
    for number, task in enumerate(parts.suite.tasks):
        source = parts.suite.open(str(task.source))
        edit = Clip.sum([source.background(task.stem), voice(233.0, 1.0, 16_000, seed=5)])
        parts.replace(number, flac(edit))
    assert checked(parts.write(tmp_path), others=[original]).result.findings == ()


def test_entries_of_other_suites_are_not_compared(parts: Parts, tmp_path: Path, checked: Callable) -> None:
    found = checked(parts.write(tmp_path))
    other = found.fingerprints.model_copy(update={"suite_digest": "a" * 64})
    assert checked(parts.write(tmp_path), others=[other]).result.findings == ()


def test_without_the_sources_equal_audio_is_still_found(parts: Parts, tmp_path: Path, checked: Callable) -> None:
    path = parts.write(tmp_path)
    original = checked(path).fingerprints
    away = parts.suite.with_roots({"loom": tmp_path / "nowhere"})
    found = checked(path, away, [original]).result
    assert codes(found.findings) == {"copy/entry", "check/no-source"}
    assert found.copies is None


def test_fingerprints_come_back_and_damaged_ones_are_refused(parts: Parts, tmp_path: Path, checked: Callable) -> None:
    found = checked(parts.write(tmp_path)).fingerprints
    path = tmp_path / "fingerprints.json"
    found.write(path)
    assert Fingerprints.read(path) == found
    assert found.prints[0].array.shape == (14, 32)
    for text in (b"{}", path.read_bytes().replace(b'"bits": "', b'"bits": "!'), path.read_bytes()[:-9]):
        path.write_bytes(text)
        with pytest.raises(DataError, match="not the fingerprints"):
            Fingerprints.read(path)
