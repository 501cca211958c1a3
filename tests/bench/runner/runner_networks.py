"""Metrics with networks other than embedders, for the scorer's tests."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import ClassVar

from bench.audio import Clip
from bench.metric import Case, Missing, NetworkMetric
from bench.metrics.separated import stems_of
from bench.separation import Separator, Stems
from bench.task import STEMS


class Quarters(Separator):
    """A quarter of the mixture for each stem; says how often it ran, on what device and in which process."""

    name, version, rate = "quarters", 1, 8_000
    identity = "quarters@1"
    passes: ClassVar[list[tuple[int, str, int]]] = []

    def separate(self, clips: Sequence[Clip]) -> list[Stems]:
        self.passes.append((len(clips), self.device, os.getpid()))
        return [dict.fromkeys(STEMS, clip.resample(self.rate).scaled(0.25)) for clip in clips]


class Rest(NetworkMetric):
    """Level of what is not the edited stem."""

    name, version, direction, unit, summary = "rest", 1, "higher", "dB", "level of the rest"
    networks = ("runner_networks:Quarters",)
    parameters = "no parameters"

    def __init__(self, separator: Separator):
        self.separator = separator

    def prepare(self, cases: Sequence[Case]) -> None:
        stems_of(cases[0].features, self.separator, [case.edit for case in cases])

    def score(self, case: Case) -> float | Missing:
        [stems] = stems_of(case.features, self.separator, [case.edit])
        return Clip.sum([clip for stem, clip in stems.items() if stem != case.task.stem]).rms_db


class Whole(Rest):
    """Level of the sum of all stems."""

    name = "whole"

    def score(self, case: Case) -> float | Missing:
        [stems] = stems_of(case.features, self.separator, [case.edit])
        return Clip.sum(list(stems.values())).rms_db
