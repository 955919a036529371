"""How far apart two arrays are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def relative_difference(actual: NDArray[Any], expected: NDArray[Any], least: float = 0.0) -> float:
    """max|a - b| / max(max|b|, least) over the finite elements of two arrays of one shape.

    NaN agrees with NaN and an infinity with the same one; anywhere else they make the difference
    infinite, as does a difference from an expected array of zeros. Arrays of integers or bools
    differ by 0 or infinitely.

    >>> relative_difference(np.array([1.0, 4.5]), np.array([1.0, 4.0]))
    0.125
    """
    assert actual.shape == expected.shape, (actual.shape, expected.shape)
    if expected.dtype.kind in "iub":
        return 0.0 if np.array_equal(actual, expected) else float("inf")
    a, b = actual.astype(np.float64), expected.astype(np.float64)
    finite = np.isfinite(b)
    if (
        not np.array_equal(a[~finite], b[~finite], equal_nan=True)
        or not np.isfinite(a[finite]).all()
    ):
        return float("inf")
    difference = float(np.abs(a[finite] - b[finite]).max(initial=0.0))
    if difference == 0.0:
        return 0.0
    scale = float(np.abs(b[finite]).max(initial=least))
    return difference / scale if scale > 0.0 else float("inf")
