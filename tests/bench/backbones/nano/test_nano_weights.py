from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from bench.backbones.nano.weights import draw, seeded


def _net() -> nn.Module:
    return nn.Sequential(nn.Conv2d(4, 16, 3), nn.GroupNorm(4, 16), nn.Flatten(), nn.Linear(256, 300))


def test_known_numbers() -> None:
    """The stream is part of every run's identity: these numbers must never change."""
    expected = (np.random.PCG64(7).random_raw(3) >> np.uint64(40)).astype(np.float64) / 2**23 - 1
    np.testing.assert_allclose(draw(torch.Size([3]), 1.0, 7).numpy(), expected * np.sqrt(3), rtol=1e-6)
    assert draw(torch.Size([2]), 1.0, 0).tolist() == pytest.approx([0.4744490, -0.7974824], abs=1e-6)


def test_moments() -> None:
    numbers = draw(torch.Size([200, 500]), 0.3, 1)
    assert abs(numbers.mean()) < 5e-3
    assert abs(numbers.std() - 0.3) < 3e-3


def test_layers_are_variance_preserving_and_norms_the_identity() -> None:
    conv, norm, _, linear = seeded(_net, 0)
    assert abs(linear.weight.std() * 16 - 1) < 0.02
    assert abs(conv.weight.std() * 6 - 1) < 0.1
    assert torch.equal(norm.weight, torch.ones(16))
    assert not linear.bias.any()


def test_seed_and_name_decide_and_nothing_else() -> None:
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = seeded(_net, 0).state_dict()
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(6)
    again, other = seeded(_net, 0).state_dict(), seeded(_net, 1).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["3.weight"], other["3.weight"])
    assert not torch.equal(first["3.weight"].flatten()[:100], first["0.weight"].flatten()[:100])
