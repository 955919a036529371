"""float64 to an element type, rounded once, to nearest with ties to even."""

from __future__ import annotations

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from specc.ir.types import DType

NUMPY_DTYPES: dict[DType, np.dtype] = {
    DType.F16: np.dtype(np.float16),
    DType.BF16: np.dtype(ml_dtypes.bfloat16),
    DType.F32: np.dtype(np.float32),
    DType.F64: np.dtype(np.float64),
    DType.I8: np.dtype(np.int8),
    DType.I32: np.dtype(np.int32),
    DType.I64: np.dtype(np.int64),
    DType.U8: np.dtype(np.uint8),
    DType.BOOL: np.dtype(np.bool_),
}
"""How numpy holds each element type; bfloat16 is ml_dtypes', as in onnx and safetensors."""


def rounded(values: NDArray[np.float64], dtype: DType) -> NDArray[np.generic]:
    """The values in a floating-point dtype."""
    assert dtype.is_float, dtype
    if dtype is DType.BF16:
        return bfloat16_bits(values).view(ml_dtypes.bfloat16)
    with np.errstate(over="ignore"):  # beyond the greatest value lies infinity
        return values.astype(NUMPY_DTYPES[dtype])


def bfloat16_bits(values: NDArray[np.float64]) -> NDArray[np.uint16]:
    """The nearest bfloat16's bits.

    Rounding to float32 on the way would round twice. Rounding *to odd* on the way does not: it
    keeps in float32's last bit that something was cut off, so that no tie is made (S. Boldo and
    G. Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
    """
    with np.errstate(over="ignore"):
        nearest = values.astype(np.float32)
    inexact = nearest != values
    bits = nearest.view(np.uint32).copy()
    bits -= (np.abs(nearest.astype(np.float64)) > np.abs(values)).astype(np.uint32)
    bits |= inexact.astype(np.uint32)
    # To nearest, ties to even: half of the last kept place, less one where that place is even.
    bits += np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return np.where(np.isnan(values), np.uint16(0x7FC0), (bits >> np.uint32(16)).astype(np.uint16))
