import numpy as np
import pytest

from bench.diffusion.attention import AttentionSite
from bench.diffusion.schedule import Schedule

SCHEDULE = Schedule((9, 7, 5, 3, 1), np.array([0.1, 0.3, 0.5, 0.7, 0.9]), 0.99)


def test_part_keeps_the_last_steps_and_the_end() -> None:
    part = SCHEDULE.part(0.4)
    assert part.timesteps == (3, 1)
    assert part.alphas.tolist() == [0.7, 0.9]
    assert part.alphas_next.tolist() == [0.9, 0.99]
    assert SCHEDULE.part(1.0).timesteps == SCHEDULE.timesteps
    assert SCHEDULE.part(0.001).timesteps == (1,), "at least one step"


@pytest.mark.parametrize("strength", [0.0, -0.5, 1.01])
def test_part_refuses_a_strength_outside_0_1(strength: float) -> None:
    with pytest.raises(ValueError, match="strength"):
        SCHEDULE.part(strength)


def test_the_edm_view_has_sigma_1_where_signal_and_noise_are_equal() -> None:
    assert SCHEDULE.sigmas[2] == pytest.approx(1.0)
    np.testing.assert_allclose(SCHEDULE.sigmas**2 * SCHEDULE.alphas, 1 - SCHEDULE.alphas)


def test_a_site_grid_rounds_up_at_every_halving() -> None:
    def site(level: int) -> AttentionSite:
        return AttentionSite("x", "self", "down", 1, 0, level, 8)

    assert [site(level).grid(256, 16) for level in range(4)] == [(256, 16), (128, 8), (64, 4), (32, 2)]
    assert [site(level).grid(250, 16) for level in range(4)] == [(250, 16), (125, 8), (63, 4), (32, 2)]
