"""The evaluation as a whole: its parts by name, the models that each needs, and the document that comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.backbones.nano.backbone import Nano
from bench.backbones.nano.griffin_lim import GriffinLim
from bench.backbones.nano.ship import CLAP, SHIPPED, read_part
from bench.backbones.nano.train.judge import FOLDER, Judge, read_judge
from bench.backbones.nano.train.takes import TakenSong
from bench.embedder import Embedder
from bench.evaluation.codec import Codec, codec
from bench.evaluation.figures import Findings
from bench.evaluation.generation import Sampling, generation
from bench.evaluation.judging import judging
from bench.evaluation.retrieval import retrieval
from bench.identity import sha256_file
from bench.metrics.embedders.nano_clap import NanoClap
from bench.suite import Track, untracked

SCHEMA = "timbrebench-nano-eval@1"


@dataclass(frozen=True)
class Evaluation:
    """What is evaluated on what. Each network is loaded by the first part that needs it.

    Attributes:
        songs: that nothing was trained on.
        weights: the folder, as training writes it.
        device: torch device.
        sampling: how clips are generated; its seed is that of everything that is drawn.
        track: told how far each step is.
    """

    songs: Sequence[TakenSong]
    weights: Path = SHIPPED
    device: str = "cpu"
    sampling: Sampling = field(default_factory=Sampling)
    track: Track = untracked

    @cached_property
    def judge(self) -> Judge:
        """The independent classifier."""
        return read_judge(self.weights / FOLDER).to(self.device)

    @cached_property
    def embedder(self) -> Embedder:
        """nano-clap."""
        return NanoClap(self.device, self.weights / CLAP)

    def part(self, name: str) -> Findings:
        """What one part finds.

        Raises:
            ModelError: if weights that it needs are absent or damaged.
        """
        return _PARTS[name](self)


def _judge(what: Evaluation) -> Findings:
    return judging(what.songs, what.judge, seed=what.sampling.seed, track=what.track)


def _codec(what: Evaluation) -> Findings:
    of = Codec(read_part("vae", what.weights), GriffinLim(), what.device)
    return codec(what.songs, of, seed=what.sampling.seed, track=what.track)


def _clap(what: Evaluation) -> Findings:
    return retrieval(what.songs, what.embedder, seed=what.sampling.seed, track=what.track)


def _generation(what: Evaluation) -> Findings:
    backbone = Nano.load(what.device, model=what.weights)
    return generation(what.songs, backbone, what.judge, what.embedder, what.sampling, track=what.track)


_PARTS: Mapping[str, Callable[[Evaluation], Findings]] = {
    "judge": _judge,
    "codec": _codec,
    "clap": _clap,
    "generation": _generation,
}


def document(what: Evaluation, found: Sequence[Findings]) -> dict[str, Any]:
    """All that was found, and what it was found with: JSON values."""
    return {
        "schema": SCHEMA,
        "songs": [song.name for song in what.songs],
        "sampling": asdict(what.sampling),
        "device": what.device,
        "weights": {
            str(path.relative_to(what.weights)): sha256_file(path)
            for path in sorted(what.weights.glob("*/*.safetensors"))
        },
        "figures": [figure.as_dict() for findings in found for figure in findings.figures],
        "details": {findings.part: findings.details for findings in found},
    }
