"""Headers: what is claimed is read here, and nothing that is let through surprises libsndfile."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from submission_samples import flac, wav

from bench.audio import Clip
from reports.submission.header import Header, HeaderError, parse

STEREO = Clip.of(np.full((4_410, 2), 0.25), 44_100)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("container", ["WAV", "WAVEX"])
def test_plain_wav_of_every_width_is_read(container: str, subtype: str) -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, STEREO.samples, 44_100, format=container, subtype=subtype)
    assert parse(buffer.getvalue()) == Header("WAV", 44_100, 2, 4_410)


def test_flac_is_read() -> None:
    header = parse(flac(STEREO))
    assert header == Header("FLAC", 44_100, 2, 4_410)
    assert header.duration_s == pytest.approx(0.1)


@pytest.mark.parametrize("good", [flac(STEREO), wav(STEREO.samples, 44_100)], ids=["flac", "wav"])
def test_every_prefix_of_a_header_is_refused(good: bytes) -> None:
    for length in range(80):
        with pytest.raises(HeaderError):
            parse(good[:length] if good[:4] == b"RIFF" else good[: min(length, 41)])


@given(st.binary(max_size=200), st.sampled_from([b"", b"fLaC", b"RIFF\x40\0\0\0WAVEfmt \x10\0\0\0"]))
def test_any_bytes_are_a_header_or_refused(data: bytes, start: bytes) -> None:
    try:
        header = parse(start + data)
    except HeaderError as error:
        assert error.code.startswith("audio/")
    else:
        assert header.frames > 0
        assert header.rate > 0
