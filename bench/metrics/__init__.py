"""Metrics: one a module, pure functions on arrays under a small class that declares identity and needs.

The functions are here by name, for whoever has arrays and no run::

    from bench.metrics import cqt1_pcc

    cqt1_pcc(source, edit, rate=44_100)

As in `mir_eval`, the reference comes first and the estimate second, what cannot be an argument is a ValueError, and the
docstring gives shapes, units and the paper. Unlike there, a value that is not defined is a `Missing` with its reason.
A function's module is imported when it is first asked for: `import bench.metrics` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.embedder import Embedding
    from bench.metric import Missing
    from bench.metrics.attention_entropy import entropy, normalised_entropy, split_means
    from bench.metrics.background import background_weights
    from bench.metrics.chroma import chroma_cosine, chromagram
    from bench.metrics.clap import clap_score
    from bench.metrics.composite import over_methods, with_anchors
    from bench.metrics.cqt import cqt1_pcc
    from bench.metrics.frechet import frechet_distance, frechet_gaussians, frechet_infinity
    from bench.metrics.kernel import kernel_distance
    from bench.metrics.layers import channel_norm, lpaps, token_norm
    from bench.metrics.logmel import log_mel_distance, mel_powers
    from bench.metrics.loudness import clipped_share, loudness_change
    from bench.metrics.notes import class_distance, class_jaccard, pitch_classes
    from bench.metrics.onset import onset_f1, onset_scores, onsets
    from bench.metrics.pitch import Pitch, pitch_contour
    from bench.metrics.pitch_accuracy import pitch_jaccard, raw_pitch_accuracy
    from bench.metrics.pitch_distance import dpd
    from bench.metrics.waveform import sdr, si_sdr

__all__ = [
    "Embedding", "Missing", "Pitch", "background_weights", "channel_norm", "chroma_cosine", "chromagram", "clap_score",
    "class_distance", "class_jaccard", "clipped_share", "cqt1_pcc", "dpd", "entropy", "frechet_distance",
    "frechet_gaussians", "frechet_infinity", "kernel_distance", "log_mel_distance", "loudness_change", "lpaps",
    "mel_powers", "normalised_entropy", "onset_f1", "onset_scores", "onsets", "over_methods", "pitch_classes",
    "pitch_contour", "pitch_jaccard", "raw_pitch_accuracy", "sdr", "si_sdr", "split_means", "token_norm",
    "with_anchors",
]  # fmt: skip

_MODULES = {
    "bench.embedder": ("Embedding",),
    "bench.metric": ("Missing",),
    "bench.metrics.attention_entropy": ("entropy", "normalised_entropy", "split_means"),
    "bench.metrics.background": ("background_weights",),
    "bench.metrics.chroma": ("chroma_cosine", "chromagram"),
    "bench.metrics.clap": ("clap_score",),
    "bench.metrics.composite": ("over_methods", "with_anchors"),
    "bench.metrics.cqt": ("cqt1_pcc",),
    "bench.metrics.frechet": ("frechet_distance", "frechet_gaussians", "frechet_infinity"),
    "bench.metrics.kernel": ("kernel_distance",),
    "bench.metrics.layers": ("channel_norm", "lpaps", "token_norm"),
    "bench.metrics.logmel": ("log_mel_distance", "mel_powers"),
    "bench.metrics.loudness": ("clipped_share", "loudness_change"),
    "bench.metrics.notes": ("class_distance", "class_jaccard", "pitch_classes"),
    "bench.metrics.onset": ("onset_f1", "onset_scores", "onsets"),
    "bench.metrics.pitch": ("Pitch", "pitch_contour"),
    "bench.metrics.pitch_accuracy": ("pitch_jaccard", "raw_pitch_accuracy"),
    "bench.metrics.pitch_distance": ("dpd",),
    "bench.metrics.waveform": ("sdr", "si_sdr"),
}
_WHERE = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """A public function, its module imported now."""
    if name not in _WHERE:
        raise AttributeError(f"module 'bench.metrics' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
