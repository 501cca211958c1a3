"""What is lost on the way into nano's latent space and back: pitch, onsets, and the spectrum.

The road is the backbone's own: peak 0.5, log-mel, mode of the posterior, decoder, vocoder. The ceiling is the vocoder
alone on the original's log-mel: no codec before it can do better.

* Pitch: of the frames that PESTO is sure of in the original, the share within 50 cents of the same after the round trip
  (raw pitch accuracy of Raffel et al., ISMIR 2014; a frame that is not voiced any more counts as lost).
* Onsets: F1 against the notes as written, within 50 ms. Since no detector finds every legato note, what counts is how
  much lower it is than the original's own.
* Log-mel: mean |difference| of natural logarithms over all cells.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from bench.audio import Clip
from bench.backbones import mel
from bench.backbones.nano.train.takes import TakenSong, Waveform
from bench.evaluation.figures import Findings, Target, Value
from bench.evaluation.material import Solo, monophonic, own_mix
from bench.metric import Missing
from bench.metrics import onset
from bench.metrics.pitch import pitch
from bench.metrics.pitch_accuracy import raw_pitch_accuracy
from bench.suite import Track, untracked

SOLOS = 2
"""Of each song."""

MIN_VOICED = 20
"""Voiced frames of the original, 0.2 s, without which a clip says nothing about pitch."""

CELL = 4
"""Frames of a latent frame."""

KEPT_PITCH, LOST_ONSETS, LOG_MEL = Target(0.85), Target(0.05, "lower"), Target(0.25, "lower")


@dataclass(frozen=True, eq=False)
class RoundTrip:
    """A clip before and after.

    Attributes:
        log_mel, decoded: before and after the codec, (frames, 64).
        latent: in between, (channels, frames / 4, 16).
    """

    log_mel: torch.Tensor
    decoded: torch.Tensor
    latent: torch.Tensor


class Codec:
    """nano's codec with its vocoder, without the networks that the backbone has between them.

    Args:
        vae: an `AutoencoderKL` of log-mels.
        vocoder: log-mels (n, frames, 64) to waveforms (n, 160 · frames).
        device: torch device of both.
    """

    def __init__(self, vae: Any, vocoder: Any, device: str = "cpu"):
        self._vae, self._vocoder, self._device = vae.to(device).eval(), vocoder.to(device), device
        self._front_end = mel.MelFrontEnd(device)

    def log_mel(self, waveform: Waveform) -> torch.Tensor:
        """A mono clip at 16 kHz, cut to whole latent frames, as (frames, 64)."""
        cell = CELL * mel.HOP
        return self._front_end.log_mel(torch.from_numpy(waveform[None, : len(waveform) // cell * cell]))[0]

    @torch.no_grad()
    def round_trip(self, waveform: Waveform) -> RoundTrip:
        """Through encoder and decoder."""
        log_mel = self.log_mel(waveform)
        latent = self._vae.encode(log_mel[None, None]).latent_dist.mode()
        return RoundTrip(log_mel, self._vae.decode(latent).sample[0, 0], latent[0])

    @torch.no_grad()
    def heard(self, log_mel: torch.Tensor) -> Waveform:
        """What the vocoder makes of (frames, 64): (160 · frames,)."""
        waveform: Waveform = self._vocoder(log_mel[None])[0].float().cpu().numpy()
        return waveform


def codec(songs: Sequence[TakenSong], of: Codec, *, seed: int = 0, track: Track = untracked) -> Findings:
    """Round trips of monophonic solos and of whole mixtures."""
    found = Findings("codec", seed)
    measured = _Measured(of)
    drawn = monophonic(songs, SOLOS, seed=seed)
    for each in track(drawn, "solos through the codec", len(drawn)):
        measured.solo(each)
    for song in track(songs, "mixtures through the codec", len(songs)):
        measured.mixture(song)
    values = measured.values
    found.add("pitch within 50 cents", values["pitch"], ceiling=values["pitch, vocoder"], target=KEPT_PITCH)
    for kind in ("leads", "basses"):
        found.add(f"the same, {kind}", values[f"pitch, {kind}"], ceiling=values[f"vocoder, {kind}"])
    found.add("onset F1 against the score", values["onsets"], ceiling=values["onsets, original"])
    found.add("onset F1 lost", values["onsets lost"], ceiling=values["onsets lost, vocoder"], target=LOST_ONSETS)
    for kind in ("solos", "mixtures"):
        found.add(f"log-mel L1, {kind}", values[f"codec, {kind}"], target=LOG_MEL, unit="nat")
        both, alone = values[f"codec + vocoder, {kind}"], values[f"vocoder, {kind}"]
        found.add(f"log-mel L1 with vocoder, {kind}", both, ceiling=alone, unit="nat")
    found.details.update(measured.latents)
    return found


class _Measured:
    """Values by name, as clips come."""

    def __init__(self, of: Codec):
        self._codec = of
        self.values: defaultdict[str, list[Value]] = defaultdict(list)
        self._latents: list[torch.Tensor] = []

    def solo(self, each: Solo) -> None:
        """Pitch, onsets and log-mel of a monophonic solo."""
        trip = self._codec.round_trip(each.waveform)
        vocoded, decoded = self._codec.heard(trip.log_mel), self._codec.heard(trip.decoded)
        self._log_mels(each.song.name, "solos", trip, vocoded, decoded)
        original = each.waveform[: len(decoded)]
        self._pitch(each, original, vocoded, decoded)
        self._onsets(each, original, vocoded, decoded)

    def mixture(self, song: TakenSong) -> None:
        """Log-mel of a song, and its latent."""
        trip = self._codec.round_trip(own_mix(song))
        self._latents.append(trip.latent)
        vocoded, decoded = self._codec.heard(trip.log_mel), self._codec.heard(trip.decoded)
        self._log_mels(song.name, "mixtures", trip, vocoded, decoded)

    @property
    def latents(self) -> dict[str, Any]:
        """Mean and standard deviation of each channel of the mixtures' latents, and of all."""
        if not self._latents:
            return {}
        channels = torch.cat([latent.flatten(1) for latent in self._latents], dim=1)
        return {
            "latent_channel_std": [round(float(each), 4) for each in channels.std(1)],
            "latent_channel_mean": [round(float(each), 4) for each in channels.mean(1)],
            "latent_std": round(float(channels.std()), 4),
        }

    def _note(self, name: str, song: str, value: float) -> None:
        self.values[name].append(Value(song, value))

    def _log_mels(self, song: str, kind: str, trip: RoundTrip, vocoded: Waveform, decoded: Waveform) -> None:
        self._note(f"codec, {kind}", song, float(F.l1_loss(trip.decoded, trip.log_mel)))
        for name, audio in ((f"vocoder, {kind}", vocoded), (f"codec + vocoder, {kind}", decoded)):
            self._note(name, song, float(F.l1_loss(self._codec.log_mel(audio), trip.log_mel)))

    def _pitch(self, each: Solo, original: Waveform, vocoded: Waveform, decoded: Waveform) -> None:
        true, alone, whole = (pitch(Clip.of(audio, mel.RATE)) for audio in (original, vocoded, decoded))
        if true.voiced.sum() < MIN_VOICED:
            return
        role = "basses" if each.take.stem == "bass" else "leads"
        for name, kind, contour in (("pitch", "pitch", whole), ("pitch, vocoder", "vocoder", alone)):
            accuracy = raw_pitch_accuracy(true, contour)
            self._note(name, each.song.name, accuracy)
            self._note(f"{kind}, {role}", each.song.name, accuracy)

    def _onsets(self, each: Solo, original: Waveform, vocoded: Waveform, decoded: Waveform) -> None:
        written = np.asarray(each.onsets, np.float64)
        scores = [_onset_f1(written, audio) for audio in (original, vocoded, decoded)]
        if any(isinstance(score, Missing) for score in scores):
            return
        own, alone, whole = (float(score) for score in scores if not isinstance(score, Missing))
        self._note("onsets", each.song.name, whole)
        self._note("onsets, original", each.song.name, own)
        self._note("onsets lost", each.song.name, own - whole)
        self._note("onsets lost, vocoder", each.song.name, own - alone)


def _onset_f1(written: onset.Times, audio: Waveform) -> float | Missing:
    return onset.onset_f1(written, onset.onsets(Clip.of(audio, mel.RATE).resample(onset.RATE).mono))
