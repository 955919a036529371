"""The measure of parity: max|a - b| / max|b|, and what NaN, infinities and zeros mean."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from specc.verification.measure import relative_difference

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("actual", "expected", "difference"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([1.0, 2.5], [1.0, 2.0], 0.25),
        ([-2.0], [2.0], 2.0),
        ([0.5, 4.0], [0.0, 4.0], 0.125),  # relative to the greatest, not to each
        ([0.0], [0.0], 0.0),
        ([1e-30], [0.0], INF),
        ([NAN, 1.0], [NAN, 1.0], 0.0),
        ([NAN, 3.0], [NAN, 2.0], 0.5),
        ([NAN, 1.0], [1.0, 1.0], INF),
        ([1.0, 1.0], [NAN, 1.0], INF),
        ([INF, -INF], [INF, -INF], 0.0),
        ([INF], [-INF], INF),
        ([INF, 1.0], [1.0, 1.0], INF),
        ([NAN], [INF], INF),
        ([], [], 0.0),
    ],
)
def test_floats(actual: list[float], expected: list[float], difference: float) -> None:
    assert relative_difference(np.array(actual), np.array(expected)) == difference


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.bool_])
def test_others_must_be_equal(dtype: Any) -> None:
    one, other = np.array([1, 0], dtype), np.array([1, 1], dtype)
    assert relative_difference(one, one.copy()) == 0.0
    assert relative_difference(one, other) == INF


def test_low_precision_is_compared_in_float64() -> None:
    """65504 - (-65504) overflows in float16."""
    big = np.array([65504], np.float16)
    assert relative_difference(big, -big) == 2.0
    one = np.array([1.0], ml_dtypes.bfloat16)
    assert relative_difference(one, np.array([1.0078125], ml_dtypes.bfloat16)) < 0.01
