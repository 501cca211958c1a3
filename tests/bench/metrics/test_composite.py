"""ASB and AMB against Polyphonia's own table, and between fixed ends."""

from __future__ import annotations

import numpy as np
import pytest

from bench.metrics.composite import over_methods, with_anchors

# MusicDelta: CLAP, CQT1-PCC, LPAPS -> ASB, AMB
TABLE = {
    "SDEdit": (0.119, 0.090, 6.907, 0.0, 0.0),
    "DDIM": (0.353, 0.253, 5.586, 0.512, 0.500),
    "DDPM": (0.351, 0.274, 5.490, 0.534, 0.533),
    "Melodia": (0.380, 0.513, 3.540, 0.903, 0.864),
    "SteerMusic": (0.317, 0.556, 3.614, 0.761, 0.767),
    "MusicMagus": (0.238, 0.361, 4.690, 0.479, 0.462),
    "MusicGen": (0.377, 0.069, 6.142, 0.355, 0.0),
    "Polyphonia": (0.437, 0.547, 4.096, 0.910, 0.991),
}
CLAP, CQT, LPAPS, ASB, AMB = (list(column) for column in zip(*TABLE.values(), strict=True))


def test_the_published_table_comes_out() -> None:
    assert over_methods(CLAP, [-value for value in LPAPS]) == pytest.approx(ASB, abs=0.002)
    assert over_methods(CLAP, CQT) == pytest.approx(AMB, abs=0.002)


def test_published_values_move_with_the_company_and_anchored_ones_do_not() -> None:
    fewer = over_methods(CLAP[1:], CQT[1:])
    assert np.abs(fewer - AMB[1:]).max() > 0.05
    ends = {"untouched": {"clap": 0.10, "preserved": 1.0}, "unrelated": {"preserved": 0.0}, "target": 0.5}
    assert with_anchors(0.3, 0.5, **ends) == pytest.approx(0.5)
    assert with_anchors(0.10, 1.0, **ends) == 0.0  # nothing was edited
    assert with_anchors(0.6, 0.0, **ends) == 0.0  # another song
    assert with_anchors(0.6, 1.2, **ends) == 1.0


def test_a_criterion_in_which_all_are_equal_tells_nothing() -> None:
    assert over_methods([0.3, 0.3], [0.1, 0.9]).tolist() == [0.0, 0.0]
