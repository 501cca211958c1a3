"""The decoder's child: what hangs, crashes or swells ends there, and costs no more than it may."""

from __future__ import annotations

import multiprocessing
from time import monotonic

import numpy as np
import pytest
from hostile_submissions import hanging_wav
from submission_samples import flac, wav

from bench.audio import Clip
from reports.submission.decoder import DecodeError, DecodeLimits, Decoder

NOISE = Clip.of(0.1 * np.random.default_rng(0).normal(size=(4_800, 2)), 48_000)


def test_what_is_decoded_is_what_was_encoded(decoder: Decoder) -> None:
    once = decoder.decode(flac(NOISE), ".flac")
    assert (once.rate, once.samples.shape) == (48_000, (4_800, 2))
    assert np.abs(once.samples - NOISE.samples).max() < 2.0**-22
    assert decoder.decode(wav(once.samples, 48_000), ".wav").sha256 == once.sha256
    assert decoder.unlimited == frozenset()


def test_bad_files_are_refused_by_their_code_and_the_child_goes_on(decoder: Decoder) -> None:
    for data, code in ((b"", "audio/empty"), (b"text", "audio/unreadable"), (wav([float("nan")]), "audio/non-finite")):
        with pytest.raises(DecodeError) as caught:
            decoder.decode(data, ".wav")
        assert caught.value.code == code
    assert decoder.decode(flac(NOISE), ".flac").length == NOISE.length


def test_a_file_that_hangs_libsndfile_ends_by_the_clock_and_too_many_end_it_all() -> None:
    began = monotonic()
    with Decoder(DecodeLimits(wall_s=0.4, losses=1)) as hasty:
        with pytest.raises(DecodeError) as caught:
            hasty.decode(hanging_wav(), ".wav")
        assert caught.value.code == "audio/timeout"
        with pytest.raises(DecodeError) as caught:
            hasty.decode(flac(NOISE), ".flac")
        assert caught.value.code == "audio/gave-up"
    assert monotonic() - began < 60


@pytest.mark.slow
def test_a_file_that_hangs_ends_by_its_cpu_time() -> None:
    with Decoder(DecodeLimits(wall_s=60.0, cpu_s=1)) as patient, pytest.raises(DecodeError) as caught:
        patient.decode(hanging_wav(), ".wav")
    assert caught.value.code == "audio/timeout"
    assert "CPU" in str(caught.value)


def test_a_child_that_is_killed_is_replaced() -> None:
    others = set(multiprocessing.active_children())
    with Decoder() as fresh:
        fresh.decode(flac(NOISE), ".flac")
        (child,) = set(multiprocessing.active_children()) - others
        child.kill()
        child.join()
        with pytest.raises(DecodeError) as caught:
            fresh.decode(flac(NOISE), ".flac")
        assert caught.value.code == "audio/crash"
        assert fresh.decode(flac(NOISE), ".flac").length == NOISE.length


def test_memory_is_limited() -> None:
    # A header that claims 3,500 s of stereo: 1.3 GB as floats, which libsndfile's caller makes room for at once.
    lying = bytearray(flac(NOISE))
    packed = int.from_bytes(lying[18:26], "big") >> 36 << 36 | 3_500 * 48_000
    lying[18:26] = packed.to_bytes(8, "big")
    with Decoder(DecodeLimits(memory=1 << 30)) as small:
        with pytest.raises(DecodeError) as caught:
            small.decode(bytes(lying), ".flac")
        assert caught.value.code == "audio/memory"
        assert small.decode(flac(NOISE), ".flac").length == NOISE.length
