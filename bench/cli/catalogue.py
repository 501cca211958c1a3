"""What ships with timbrebench, by name. A line here and a file are all that a method, suite or metric needs.

Classes are named as text and imported on first use. Other packages register theirs as entry points in the
groups named here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.registry import Registry

if TYPE_CHECKING:
    from bench.backbone import Backbone
    from bench.method import Method
    from bench.metric import Metric
    from bench.suite import SuiteBuilder


def methods() -> Registry[Method]:
    """Methods, baselines and controls."""
    registry: Registry[Method] = Registry("method", base="bench.method:Method", group="timbrebench.methods")
    add = registry.add
    add("polyphonia", "methods.polyphonia.method:Polyphonia", "acoustic priors steer the attention (ICML 2026)")
    add("sdedit", "baselines.sdedit:SDEdit", "noise the source part of the way, denoise with the target prompt")
    add("copy-source", "baselines.controls:CopySource", "control: the source, unchanged")
    add("codec", "baselines.controls:Codec", "control: the backbone's codec round trip, the ceiling of its methods")
    add("random-clip", "baselines.controls:RandomClip", "control: another song of the suite")
    add("silence", "baselines.controls:Silence", "control: digital silence")
    return registry


def suites() -> Registry[SuiteBuilder]:
    """Suites, by their builders."""
    registry: Registry[SuiteBuilder] = Registry("suite", base="bench.suite:SuiteBuilder", group="timbrebench.suites")
    add = registry.add
    add("polyevalprompts", "tasks.polyevalprompts:PolyEvalPrompts", "1,170 edits on MUSDB18-HQ and MusicDelta")
    add("synth", "tasks.synth.suite:Synth", "original pieces with sampled instruments and true edits")
    return registry


def metrics() -> Registry[Metric]:
    """Metrics. `DEFAULT_METRICS` are those that `score` computes unasked."""
    registry: Registry[Metric] = Registry("metric", base="bench.metric:Metric", group="timbrebench.metrics")
    add = registry.add
    add("cqt1-pcc", "bench.metrics.cqt1_pcc:Cqt1Pcc", "melody kept: correlation of the strongest CQT bin, gated")
    add("cqt1-pcc@steermusic", "bench.metrics.cqt1_pcc:Cqt1PccSteerMusic", "the same as published: left, ungated")
    add("onset-f1", "bench.metrics.onset_f1:OnsetF1", "rhythm kept: onsets within 50 ms")
    add("onset-f1-100ms", "bench.metrics.onset_f1:OnsetF1At100Ms", "rhythm kept: onsets within 100 ms")
    add("dpd-pesto-cents", "bench.metrics.dpd:DpdPestoCents", "pitch of a monophonic stem kept, in cents")
    add("background-logmel", "bench.metrics.background:BackgroundLogMel", "the rest of the mix kept, in dB")
    add("true-edit-logmel", "bench.metrics.true_edit:TrueEditLogMel", "distance to the true edit, in dB")
    return registry


DEFAULT_METRICS = (
    "cqt1-pcc",
    "cqt1-pcc@steermusic",
    "onset-f1",
    "dpd-pesto-cents",
    "background-logmel",
    "true-edit-logmel",
)


def backbones() -> Registry[Backbone]:
    """Latent diffusion models."""
    registry: Registry[Backbone] = Registry("backbone", base="bench.backbone:Backbone", group="timbrebench.backbones")
    add = registry.add
    add("nano", "bench.backbones.nano.backbone:Nano", "embedded small AudioLDM 2; U-Net and text side untrained")
    add("audioldm2", "bench.backbones.audioldm2.model:AudioLDM2", "any diffusers AudioLDM 2: a folder or a hub id")
    return registry
