"""Guidance, as samplers see it."""

import pytest
import torch

from bench.backbone import Backbone
from bench.diffusion.guidance import guided, rows
from bench.errors import UsageError

X = torch.randn(2, 8, 8, 16, generator=torch.Generator().manual_seed(0))


def test_guidance_moves_along_the_prompts_effect(nano: Backbone) -> None:
    """ε_w = ε∅ + w (ε_c − ε∅), where ∅ is the negative prompt."""
    conditioning = nano.condition(["a warm cello", "loud drums"], negative="noise")
    eps = {w: guided(nano, conditioning, w)(X, 301) for w in (0.0, 1.0, 3.5)}
    torch.testing.assert_close(eps[3.5], eps[0.0] + 3.5 * (eps[1.0] - eps[0.0]), rtol=1e-4, atol=1e-4)
    empty = nano.condition(["a warm cello", "loud drums"], negative="")
    assert (guided(nano, empty, 0.0)(X, 301) - eps[0.0]).abs().max() > 1e-3
    torch.testing.assert_close(guided(nano, empty, 1.0)(X, 301), eps[1.0], rtol=1e-5, atol=1e-5)


def test_guiding_an_empty_prompt_changes_nothing(nano: Backbone) -> None:
    """So an unconditional inversion needs one row, not the published two."""
    two = guided(nano, nano.condition([""], negative=""), 3.5)(X, 301)
    one = guided(nano, nano.condition([""]))(X, 301)
    torch.testing.assert_close(two, one, rtol=1e-5, atol=1e-5)
    assert (rows(1.0), rows(3.5), rows(0.0)) == (1, 2, 2)


def test_guidance_needs_a_negative(nano: Backbone) -> None:
    with pytest.raises(UsageError, match="negative"):
        guided(nano, nano.condition(["a"]), 2.0)(X, 301)
