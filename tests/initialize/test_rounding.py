"""Rounding from float64 happens once, to nearest, ties to even."""

from __future__ import annotations

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specc.initialize.rounding import NUMPY_DTYPES, bfloat16_bits, rounded
from specc.ir.types import DType


def _nearest_bfloat16(value: float) -> float:
    """The nearest of all finite bfloat16 values around, in exact arithmetic, ties to even bits."""
    bits = int(np.array([abs(value)], np.float32).view(np.uint32)[0] >> 16)
    candidates = range(max(0, bits - 1), min(0x7F81, bits + 2))
    exact = Fraction(abs(value))

    def key(candidate: int) -> tuple[Fraction, int]:
        # Infinity stands where the next value would, 2**128.
        there = 2.0**128 if candidate == 0x7F80 else _value(candidate)
        return abs(Fraction(there) - exact), candidate & 1

    return float(np.copysign(_value(min(candidates, key=key)), value))


def _value(bits: int) -> float:
    return float(np.array([bits << 16], np.uint32).view(np.float32)[0])


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e39, max_value=1e39))
def test_bfloat16_is_the_nearest(value: float) -> None:
    with np.errstate(over="ignore"):
        expected = _nearest_bfloat16(value)
    found = float(rounded(np.array([value]), DType.BF16)[0])
    assert (found, np.signbit(found)) == (expected, np.signbit(expected))


def test_bfloat16_does_not_round_twice() -> None:
    # Just above a tie between 1 and 1 + 2**-7; float32 would make it a tie, which goes to 1.
    value = np.array([1 + 2.0**-8 + 2.0**-40])
    assert float(value.astype(np.float32).astype(ml_dtypes.bfloat16)[0]) == 1.0
    assert float(rounded(value, DType.BF16)[0]) == 1 + 2.0**-7


def test_bfloat16_keeps_what_is_not_a_number() -> None:
    assert bfloat16_bits(np.array([np.nan, np.inf, -np.inf])).tolist() == [0x7FC0, 0x7F80, 0xFF80]


@pytest.mark.parametrize("dtype", [DType.F16, DType.BF16, DType.F32, DType.F64])
def test_every_value_of_the_dtype_is_kept(dtype: DType) -> None:
    kept = np.random.default_rng(0).normal(size=1000).astype(NUMPY_DTYPES[dtype])
    assert (rounded(kept.astype(np.float64), dtype) == kept).all()
