"""Metrics and embedders, made from their names in code: "module:Class", or "module:Class|module:Embedder"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bench.embedder import Embedder
from bench.errors import UsageError
from bench.metric import Metric
from bench.metrics.embedders.cached import Cached
from bench.registry import load_object


def load_metrics(targets: Iterable[str], device: str = "cpu") -> dict[str, Metric]:
    """The metrics of targets, made; metrics with one embedder share it, and what it computes is cached.

    Raises:
        UsageError: if two have one identity.
        ModelError: if an embedder's checkpoint is not here.
    """
    embedders: dict[str, Embedder] = {}
    loaded: dict[str, Metric] = {}
    for target in targets:
        metric, separator, embedder = target.partition("|")
        made = load_object(metric, kind="metric")
        if separator and embedder not in embedders:
            embedders[embedder] = Cached(load_object(embedder, kind="embedder")(device))
        loaded[target] = made(embedders[embedder]) if separator else made()
    twice = [name for name, count in Counter(m.identity for m in loaded.values()).items() if count > 1]
    if twice:
        raise UsageError(
            f"two metrics have the identity {twice[0]}", remedy="Name each metric once.", code="metric-twice"
        )
    return loaded
