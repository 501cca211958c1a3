"""How a controller takes part in the attentions of a diffusers network, whichever network it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from bench.diffusion.attention import AttentionCall, AttentionSite, Controller
from bench.errors import UsageError, did_you_mean


@dataclass
class NetworkCall:
    """What the attentions cannot see by themselves: at which timestep the network runs, and whether rows are guided."""

    timestep: int = -1
    guided: bool = False


class ControlledProcessor(ABC):
    """An attention processor of diffusers that leaves the attention itself to a controller."""

    def __init__(self, site: AttentionSite, controller: Controller, network: NetworkCall):
        self.site = site
        self.controller = controller
        self.network = network

    @abstractmethod
    def __call__(self, attn: Any, hidden_states: torch.Tensor) -> torch.Tensor:
        """Attention of `hidden_states` (rows, tokens, channels). Subclasses take what their network passes besides."""

    def attended(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None, scale: float
    ) -> torch.Tensor:
        """What the controller makes of an attention, heads merged: (rows, queries, heads · width of v).

        Raises:
            ValueError: if it does not return the attended values.
        """
        call = AttentionCall(self.site, self.network.timestep, q, k, v, mask, scale, guided=self.network.guided)
        attended = self.controller(call)
        if attended.shape != (*q.shape[:-1], v.shape[-1]):
            raise ValueError(f"a controller returned {tuple(attended.shape)} for queries {tuple(q.shape)}")
        return attended.to(q.dtype).transpose(1, 2).flatten(2)


def heads(projected: torch.Tensor, count: int) -> torch.Tensor:
    """(rows, tokens, heads · width) as (rows, heads, tokens, width)."""
    rows, _, width = projected.shape
    return projected.view(rows, -1, count, width // count).transpose(1, 2)


@contextmanager
def controlled(
    module: Any,
    processor: type[ControlledProcessor],
    controller: Controller,
    sites: Sequence[AttentionSite],
    network: NetworkCall,
) -> Iterator[None]:
    """Put a controller into the attentions at `sites`; on leaving, also by an exception, the originals are back.

    Contexts nest as long as their sites are disjoint.

    Args:
        module: the network.
        processor: what calls the controller in such a network.
        controller: computes the attention.
        sites: where.
        network: what the network is doing, kept up to date by its backbone.

    Raises:
        UsageError: if another controller is active at one of the sites.
    """
    modules = {site: module.get_submodule(site.name) for site in sites}
    taken = [site.name for site, attention in modules.items() if isinstance(attention.processor, ControlledProcessor)]
    if taken:
        raise UsageError(
            f"{len(taken)} of these attentions already have a controller",
            where=taken[0],
            remedy="Leave the other control first, or combine both controllers into one.",
            code="attention-taken",
        )
    originals = {site: attention.processor for site, attention in modules.items()}
    try:
        for site, attention in modules.items():
            attention.set_processor(processor(site, controller, network))
        yield
    finally:
        for site, attention in modules.items():
            attention.set_processor(originals[site])


def check_sites(own: Sequence[AttentionSite], sites: Sequence[AttentionSite]) -> None:
    """Refuse sites of another network.

    Raises:
        UsageError: names the first, and the nearest of the network's own.
    """
    known = set(own)
    for site in sites:
        if site not in known:
            raise UsageError(
                f"this network has no attention {site.name}",
                remedy=did_you_mean(site.name, [each.name for each in own]),
                code="unknown-attention",
            )
