"""Dtypes and shapes of the IR as ONNX knows them."""

from __future__ import annotations

from collections.abc import Sequence

import onnx_ir as oir

from specc.ir.dims import Dim
from specc.ir.types import DType, TensorType

ONNX_DTYPES = {
    DType.F16: oir.DataType.FLOAT16,
    DType.BF16: oir.DataType.BFLOAT16,
    DType.F32: oir.DataType.FLOAT,
    DType.F64: oir.DataType.DOUBLE,
    DType.I8: oir.DataType.INT8,
    DType.I32: oir.DataType.INT32,
    DType.I64: oir.DataType.INT64,
    DType.U8: oir.DataType.UINT8,
    DType.BOOL: oir.DataType.BOOL,
}


def onnx_type(type_: TensorType) -> oir.TensorType:
    """The element type of a value."""
    return oir.TensorType(ONNX_DTYPES[type_.dtype])


def onnx_shape(dims: Sequence[Dim]) -> oir.Shape:
    """A shape; a symbolic dim is its text: ``N``, ``(H - 1) // 2 + 1``."""
    return oir.Shape([dim if isinstance(dim, int) else str(dim) for dim in dims])
