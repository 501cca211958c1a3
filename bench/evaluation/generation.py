"""Does nano play what a prompt asks for? Solos generated from noise, as methods generate: named, heard, measured.

Each of the twelve sounds is asked for with prompts of the synth suite, in clips of 5.12 s. Beside every figure stands
the same of real solos of these sounds, cut to the same length. A few of those go through codec and vocoder, too: what
is lost there is not the network's fault.

Generated clips do not belong to songs: each has noise of its own, and is a cluster by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import torch

from bench.audio import Clip
from bench.backbone import Backbone
from bench.backbones import mel
from bench.backbones.nano.train.judge import Judge
from bench.backbones.nano.train.takes import TakenSong, Waveform
from bench.diffusion.guidance import guided
from bench.diffusion.samplers import ddim_sample, seeded_noise
from bench.embedder import Embedder
from bench.evaluation.figures import Findings, Target, Value
from bench.evaluation.judging import Naming, confusions
from bench.evaluation.material import SECONDS, solos
from bench.evaluation.notes import SILENT_DB, steadiness, voiced_share
from bench.evaluation.retrieval import Retrieval
from bench.evaluation.sounds import TWELVE, phrase_for, prompt
from bench.identity import derive_seed
from bench.metrics.pitch import pitch
from bench.suite import Track, untracked

NAMED, CONFIDENT = Target(0.95), Target(0.65)

CODED = 2
"""Real solos of each sound that go through the codec."""


@dataclass(frozen=True)
class Sampling:
    """How clips are generated.

    Attributes:
        each: clips of every sound. steps: of DDIM. guidance: classifier-free. seed: of noise and phrases.
    """

    each: int = 4
    steps: int = 25
    guidance: float = 3.5
    seed: int = 0


@dataclass(frozen=True, eq=False)
class _Heard:
    """A clip that was asked for as one sound, generated or real."""

    key: str
    song: str
    sound: str
    waveform: Waveform


def generation(
    songs: Sequence[TakenSong],
    backbone: Backbone,
    judge: Judge,
    embedder: Embedder,
    how: Sampling,
    *,
    track: Track = untracked,
) -> Findings:
    """Generate, and compare with real solos of the songs."""
    found = Findings("generation", how.seed)
    generated, spread = _generated(backbone, how, track)
    takes = solos(songs, TWELVE)
    real = [_Heard(f"{s.song.name} {s.take.row}", s.song.name, s.take.sound, s.waveform) for s in takes]
    naming, texts = Naming(judge, tuple(TWELVE)), Retrieval(embedder, how.seed)
    namers: tuple[tuple[str, Target | None, Callable[[Sequence[_Heard]], list[str]]], ...] = (
        ("named right by the judge, of 12", NAMED, lambda some: [naming(each.waveform) for each in some]),
        ("named right by nano-clap, of 12", None, lambda some: _by_clap(texts, some)),
    )
    for name, target, namer in namers:
        words, true = namer(generated), namer(real)
        found.add(name, _agree(generated, words), ceiling=_agree(real, true), target=target)
        found.details[name] = confusions([each.sound for each in generated], words)
    _quality(found, generated, real, track)
    coded, usual = _coded(backbone, real, track)
    words = [naming(each.waveform) for each in coded]
    found.add("real solos after the codec, named by the judge", _agree(coded, words))
    found.add("standard deviation of the latents", spread, ceiling=usual)
    return found


@torch.no_grad()
def _generated(backbone: Backbone, how: Sampling, track: Track) -> tuple[list[_Heard], list[Value]]:
    """`each` clips of every sound, in batches with one of each; and the standard deviation of each one's latent."""
    silence = backbone.encode(Clip.silence(SECONDS, mel.RATE))
    heard, spread = [], []
    for number in track(range(how.each), "batches generated", how.each):
        keys = {sound: f"{sound} {number}" for sound in TWELVE}
        prompts = [prompt(phrase_for(TWELVE[sound], key, seed=how.seed)) for sound, key in keys.items()]
        conditioning = backbone.condition(prompts, negative="", source=silence)
        seeds = [derive_seed(how.seed, "generation", key) for key in keys.values()]
        noise = seeded_noise(seeds, silence.latent.shape[1:]).to(silence.latent.device)
        latents = ddim_sample(guided(backbone, conditioning, how.guidance), noise, backbone.schedule(how.steps))
        clips = backbone.decode(latents, samples=round(SECONDS * mel.RATE))
        heard += [_Heard(key, key, sound, clip.mono) for (sound, key), clip in zip(keys.items(), clips, strict=True)]
        spread += [Value(key, float(each.std())) for key, each in zip(keys.values(), latents, strict=True)]
    return heard, spread


def _coded(backbone: Backbone, real: Sequence[_Heard], track: Track) -> tuple[list[_Heard], list[Value]]:
    """The first real solos of each sound, encoded and decoded; and the standard deviation of each one's latent."""
    kept = [each for sound in TWELVE for each in islice((some for some in real if some.sound == sound), CODED)]
    coded, spread = [], []
    for each in track(kept, "real clips through the codec", len(kept)):
        encoded = backbone.encode(Clip.of(each.waveform, mel.RATE))
        clip = backbone.decode(encoded.latent, samples=encoded.samples)[0]
        coded.append(replace(each, waveform=clip.mono))
        spread.append(Value(each.song, float(encoded.latent.std())))
    return coded, spread


def _by_clap(texts: Retrieval, clips: Sequence[_Heard]) -> list[str]:
    vectors = texts.audio([each.waveform for each in clips])
    return [texts.nearest(vector, texts.solo_texts(each.key)) for each, vector in zip(clips, vectors, strict=True)]


def _agree(clips: Iterable[_Heard], words: Iterable[str]) -> list[Value]:
    return [Value(each.song, float(each.sound == word)) for each, word in zip(clips, words, strict=True)]


def _quality(found: Findings, generated: Sequence[_Heard], real: Sequence[_Heard], track: Track) -> None:
    """Pitch, level and silence of both."""
    made, true = _Measured(), _Measured()
    for each in track(generated, "generated clips heard", len(generated)):
        made.add(each)
    for each in track(real, "real clips heard", len(real)):
        true.add(each)
    found.add("frames with a confident pitch", made.confident, ceiling=true.confident, target=CONFIDENT)
    found.add("steps within 0.3 semitone", made.steady, ceiling=true.steady)
    found.add("level", made.level, ceiling=true.level, unit="dB")
    found.add("silent clips", made.silent, ceiling=true.silent)


class _Measured:
    """What was found in some clips, as they come."""

    def __init__(self) -> None:
        self.confident: list[Value] = []
        self.steady: list[Value] = []
        self.level: list[Value] = []
        self.silent: list[Value] = []

    def add(self, heard: _Heard) -> None:
        """Measure one."""
        clip = Clip.of(np.ascontiguousarray(heard.waveform), mel.RATE)
        contour, level = pitch(clip), clip.rms_db
        self.confident.append(Value(heard.song, voiced_share(contour)))
        steady = steadiness(contour)
        if steady is not None:
            self.steady.append(Value(heard.song, steady))
        self.silent.append(Value(heard.song, float(level < SILENT_DB)))
        if level >= SILENT_DB:
            self.level.append(Value(heard.song, level))
