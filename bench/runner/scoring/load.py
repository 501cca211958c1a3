"""Metrics with their networks, made from their names in code: "module:Class", or "module:Class|module:Network|…"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from bench.embedder import Embedder
from bench.errors import UsageError
from bench.metric import Metric
from bench.metrics.embedders.cached import Cached
from bench.registry import load_object


def load_metrics(targets: Iterable[str], device: str = "cpu") -> dict[str, Metric]:
    """The metrics of targets, made; metrics with one network share it, and what an embedder computes is cached.

    Raises:
        UsageError: if two have one identity.
        ModelError: if a network's checkpoint is not here.
    """
    networks: dict[str, Any] = {}
    loaded = {target: make(target, device, networks) for target in targets}
    twice = [name for name, count in Counter(m.identity for m in loaded.values()).items() if count > 1]
    if twice:
        raise UsageError(
            f"two metrics have the identity {twice[0]}", remedy="Name each metric once.", code="metric-twice"
        )
    return loaded


def make(target: str, device: str = "cpu", networks: dict[str, Any] | None = None) -> Metric:
    """One metric, made with the networks that its target names, in order. Nothing is loaded yet.

    Args:
        target: "module:Class", and "|module:Network" for each.
        device: of the networks.
        networks: those that are made already, by name; new ones are added.

    Raises:
        UsageError: if a class cannot be imported.
    """
    known = {} if networks is None else networks
    metric, *names = target.split("|")
    made = load_object(metric, kind="metric")
    for name in names:
        if name not in known:
            network = load_object(name, kind="network")(device)
            known[name] = Cached(network) if isinstance(network, Embedder) else network
    found: Metric = made(*(known[name] for name in names))
    return found
