"""Controls: entries that are not methods, and without which no table can be read.

`copy-source` changes nothing: the best possible preservation, no edit at all. `codec` is the source through the
backbone's encoder and decoder: the ceiling of every method on that backbone. `random-clip` is another song: what an
unrelated result scores. `true-edit` is the answer, where a suite has it: what a perfect editor scores. `silence` must
never look good. A metric that ranks a real method below the random clip, or silence above anything, is not measuring
what its name says.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from bench.audio import Clip
from bench.errors import DataError
from bench.method import Decoding, Method, Need, Prepared
from bench.task import EditTask, Source


class CopySource(Method):
    """The source, unchanged."""

    name = "copy-source"
    version = 1
    role = "control"

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip]:
        """The mixture, once a task."""
        return [prepared.source.mixture for _ in tasks]


class Silence(Method):
    """Digital silence of the source's length."""

    name = "silence"
    version = 1
    role = "control"

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip]:
        """Zeros, once a task."""
        return [prepared.source.mixture.scaled(0.0) for _ in tasks]


class Codec(Method):
    """The source through the backbone's encoder and decoder, with no diffusion in between."""

    name = "codec"
    version = 1
    role = "control"
    needs = frozenset({Need.BACKBONE})

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> Decoding:
        """The same round trip for every task: decoded once."""
        backbone = self.context.backbone
        encoded = backbone.encode(prepared.source.mixture)
        decode = partial(backbone.decode, encoded.latent, samples=encoded.samples, gain=encoded.gain)
        return Decoding(lambda: decode() * len(tasks))


class TrueEdit(Method):
    """The true result of each edit, which only synthesised suites have: what a perfect editor would score."""

    name = "true-edit"
    version = 1
    role = "control"
    needs = frozenset({Need.TRUE_EDIT})

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip]:
        """The suite's own audio, verified by its hash.

        Raises:
            DataError: for a task that has none.
        """
        return [self._of(task) for task in tasks]

    def _of(self, task: EditTask) -> Clip:
        found = self.context.suite.true_edit(task)
        if found is None:
            raise DataError(
                "this task has no true edit",
                where=task.id,
                remedy="Use a suite that has them: `synth`, `ci`, or a multitrack folder with recorded targets.",
                code="data/no-true-edit",
            )
        return found


class RandomClip(Method):
    """The mixture of another song of the suite, drawn by the task's seed."""

    name = "random-clip"
    version = 1
    role = "control"
    needs = frozenset({Need.OTHER_SOURCES})

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip]:
        """Another song's excerpt, at its own rate, cut or padded to the source's length."""
        drawn = [self._draw(prepared.source, seed) for seed in seeds]
        mixtures = {name: self.context.suite.open(name).mixture for name in dict.fromkeys(drawn)}
        seconds = prepared.source.mixture.duration_s
        return [mixtures[name].fit(round(seconds * mixtures[name].rate)) for name in drawn]

    def _draw(self, source: Source, seed: int) -> str:
        """Id of a source of another song."""
        others = sorted(ref.id for ref in self.context.suite.sources.values() if ref.song != source.song)
        if not others:
            raise DataError(
                "there is no other song to draw a clip from",
                where=source.id,
                remedy="Use a suite, or a selection, with at least two songs.",
                code="data/one-song",
            )
        return others[int(np.random.default_rng(seed).integers(len(others)))]
