"""What initializers ask of a shape, a dtype and of their arguments together.

Each check gives the reason why it cannot be, as a predicate ("needs 2 dims; this has 1"), or None.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from specc.ir.types import DType

Shape = Sequence[int]


def anything(shape: Shape, **_: Any) -> str | None:
    """Any shape will do."""
    return None


def has_fans(shape: Shape, **_: Any) -> str | None:
    """A shape with a fan in and a fan out."""
    if len(shape) >= 2:
        return None
    return f"needs at least 2 dims, since it goes by fan in and fan out; {_this_has(shape)}"


def is_matrix(shape: Shape, **_: Any) -> str | None:
    """Two dims."""
    return None if len(shape) == 2 else f"needs 2 dims; {_this_has(shape)}"


def has_rows(shape: Shape, **_: Any) -> str | None:
    """Two dims or more."""
    return None if len(shape) >= 2 else f"needs at least 2 dims; {_this_has(shape)}"


def is_kernel(shape: Shape, groups: int) -> str | None:
    """A convolution's weight [out, in, *kernel], whose output channels split into groups."""
    if not 3 <= len(shape) <= 5:
        return f"needs 3, 4 or 5 dims, as a convolution's weight has; {_this_has(shape)}"
    if shape[0] % groups:
        return f"cannot split {shape[0]} output channels into {groups} groups"
    return None


def is_interval(shape: Shape, a: float, b: float) -> str | None:
    """Bounds in order."""
    if a > b:
        return f"needs a <= b, not {a:g} and {b:g}"
    return None if math.isfinite(b - a) else "spans too wide an interval"


def is_truncation(shape: Shape, mean: float, std: float, a: float, b: float) -> str | None:
    """Bounds in order, and near enough that float64 can tell the tail from zero."""
    if not a < b:
        return f"needs a < b, not {a:g} and {b:g}"
    if std == 0:
        return "needs a std above 0"
    if not math.isfinite(b - mean) or not math.isfinite(a - mean):
        return "spans too wide an interval"
    if max(a - mean, mean - b) > _FARTHEST_TAIL * std:
        return f"cannot draw from [{a:g}, {b:g}], over {_FARTHEST_TAIL} std away from {mean:g}"
    return None


# Beyond 37 standard deviations the normal distribution's tail underflows in float64.
_FARTHEST_TAIL = 37


def _this_has(shape: Shape) -> str:
    return f"this has {len(shape)}" if shape else "this is a scalar"


def holds(dtype: DType, value: float) -> bool:
    """Whether the dtype has this value, up to rounding."""
    if dtype.is_float:
        return abs(value) <= _GREATEST[dtype]
    low, high = _INTEGER_RANGE[dtype]
    return value == int(value) and low <= value <= high


# The greatest finite values: (2 - 2**-p) * 2**e. Larger ones would round to infinity, or nearly.
_GREATEST = {
    DType.F16: 65504.0,
    DType.BF16: (2 - 2.0**-7) * 2.0**127,
    DType.F32: (2 - 2.0**-23) * 2.0**127,
    DType.F64: math.inf,
}
_INTEGER_RANGE = {
    DType.BOOL: (0, 1),
    DType.U8: (0, 2**8 - 1),
    DType.I8: (-(2**7), 2**7 - 1),
    DType.I32: (-(2**31), 2**31 - 1),
    DType.I64: (-(2**63), 2**63 - 1),
}
