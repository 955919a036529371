"""The normal distribution's functions against scipy's, and their freedom from the C library."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

from specc.initialize.normal import cumulative, log, quantile


@pytest.fixture(name="uniform")
def _uniform() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 1, 200_000)


def test_log_is_within_one_ulp(uniform: np.ndarray) -> None:
    for x in (np.exp(1400 * uniform - 700), 0.5 + uniform):
        assert (np.abs(log(x) - np.log(x)) <= np.spacing(np.abs(np.log(x)))).all()


def test_quantile_is_accurate_in_the_center_and_in_both_tails(uniform: np.ndarray) -> None:
    small = np.exp(-0.7 - 680 * uniform)
    for p in (uniform, small, 1 - small[small > 1e-12]):
        np.testing.assert_allclose(quantile(p), scipy.special.ndtri(p), rtol=4e-15)


def test_quantile_is_antisymmetric(uniform: np.ndarray) -> None:
    p = uniform[uniform > 2.0**-20]
    p = np.round(p * 2.0**30) / 2.0**30
    p = p[(p > 0) & (p < 1)]
    assert (quantile(p) == -quantile(1 - p)).all()


@pytest.mark.parametrize(
    "x", [-37.0, -20.0, -5.5, -1.0, -0.3, 0.0, 0.7, 3.0, 8.0, 39.0, 41.0, -41.0]
)
def test_cumulative_is_accurate(x: float) -> None:
    assert cumulative(x) == pytest.approx(scipy.special.ndtr(x), rel=3e-13, abs=0)


def test_cumulative_is_exact_to_the_bit_in_the_center() -> None:
    # Φ(1) and Φ(-2) to 20 digits, from tables.
    assert cumulative(1.0) == 0.84134474606854294859
    assert cumulative(-2.0) == 0.022750131948179207200
