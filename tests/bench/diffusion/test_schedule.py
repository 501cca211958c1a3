import numpy as np
import pytest
import torch

from bench.diffusion.attention import AttentionSite
from bench.diffusion.edm import karras_sigmas, to_edm, to_vp
from bench.diffusion.schedule import Schedule, alpha_of_sigma, sigma_of_alpha, steps_below, steps_of_part

SCHEDULE = Schedule((9, 7, 5, 3, 1), np.array([0.1, 0.3, 0.5, 0.7, 0.9]), 0.99)


def test_part_keeps_the_last_steps_and_the_end() -> None:
    part = SCHEDULE.part(0.4)
    assert part.timesteps == (3, 1)
    assert part.alphas.tolist() == [0.7, 0.9]
    assert part.alphas_next.tolist() == [0.9, 0.99]
    assert SCHEDULE.part(1.0).timesteps == SCHEDULE.timesteps
    assert SCHEDULE.part(0.001).timesteps == (1,), "at least one step"


def test_strength_0_is_no_step_at_all() -> None:
    for part in (SCHEDULE.part(0.0), SCHEDULE.part_below(0.0)):
        assert (len(part), part.levels.tolist()) == (0, [0.99])


@pytest.mark.parametrize("strength", [-0.5, 1.01, float("nan")])
def test_parts_refuse_a_fraction_outside_0_1(strength: float) -> None:
    with pytest.raises(ValueError, match="strength"):
        SCHEDULE.part(strength)
    with pytest.raises(ValueError, match="fraction"):
        SCHEDULE.part_below(strength)


def test_a_fraction_of_sigma_max_starts_at_the_nearest_sigma() -> None:
    """σ is 3, 1.53, 1, 0.65, 0.33: 0.4 σ_max = 1.2 is nearest to 1, and 0.6 σ_max = 1.8 to 1.53."""
    assert SCHEDULE.part_below(0.4).timesteps == (5, 3, 1)
    assert SCHEDULE.part_below(0.6).timesteps == (7, 5, 3, 1)
    assert SCHEDULE.part_below(1.0).timesteps == SCHEDULE.timesteps
    assert SCHEDULE.part_below(0.6).timesteps != SCHEDULE.part(0.6).timesteps, "two fractions, two meanings"


def test_the_paper_of_pni_at_065_and_070_of_the_schedule() -> None:
    """On the grid of Karras et al. the schedule's 0.65 and 0.70 are σ = 8.6 and 12.4; 0.65 of σ_max is 52."""
    grid = karras_sigmas(1001)
    begins = [float(grid[1001 - steps_of_part(1001, fraction)]) for fraction in (0.65, 0.70)]
    assert begins == pytest.approx([8.6, 12.4], rel=0.02)
    assert float(grid[1001 - steps_below(grid, 0.65)]) == pytest.approx(52, rel=0.01)


def test_steps_alone_are_a_schedule_between_two_levels() -> None:
    middle = SCHEDULE.between(1, 3)
    assert (middle.timesteps, middle.levels.tolist()) == ((7, 5), [0.3, 0.5, 0.7])
    with pytest.raises(ValueError, match="not among the 5"):
        SCHEDULE.between(3, 6)


def test_the_edm_view_has_sigma_1_where_signal_and_noise_are_equal() -> None:
    assert SCHEDULE.sigmas[2] == pytest.approx(1.0)
    np.testing.assert_allclose(SCHEDULE.sigmas**2 * SCHEDULE.alphas, 1 - SCHEDULE.alphas)
    np.testing.assert_array_equal(SCHEDULE.sigmas_next, [*SCHEDULE.sigmas[1:], SCHEDULE.sigma_end])


def test_the_two_views_are_one_level() -> None:
    """There and back to 1e-12: levels from nearly clean to nearly pure noise, and latents at each of them."""
    sigmas = np.geomspace(0.002, 100, 500)
    alphas = np.linspace(1e-4, 1, 500)
    np.testing.assert_allclose(sigma_of_alpha(alpha_of_sigma(sigmas)), sigmas, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(alpha_of_sigma(sigma_of_alpha(alphas)), alphas, rtol=1e-12, atol=1e-12)
    x = torch.randn(4, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for alpha in alphas.tolist():
        torch.testing.assert_close(to_vp(to_edm(x, alpha), alpha), x, rtol=1e-12, atol=1e-12)


def test_a_site_grid_rounds_up_at_every_halving() -> None:
    def site(level: int) -> AttentionSite:
        return AttentionSite("x", "self", "down", 1, 0, level, 8)

    assert [site(level).grid(256, 16) for level in range(4)] == [(256, 16), (128, 8), (64, 4), (32, 2)]
    assert [site(level).grid(250, 16) for level in range(4)] == [(250, 16), (125, 8), (63, 4), (32, 2)]
