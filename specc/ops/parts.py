"""Pieces of ONNX graphs that several families share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specc.ir.dims import Dim
from specc.ir.types import DType
from specc.ops.builder import Builder, Handle


def reshape(b: Builder, value: Handle, dims: Sequence[Dim]) -> Handle:
    """``value`` in the shape ``dims``, a constant where at most one of them is symbolic."""
    symbolic = [axis for axis, dim in enumerate(dims) if not isinstance(dim, int)]
    if len(symbolic) > 1:
        return b.op("Reshape", value, b.sizes(dims))
    shape = [dim if isinstance(dim, int) else -1 for dim in dims]
    return b.op("Reshape", value, b.constant(np.array(shape, np.int64), DType.I64))


def reduce_mean(b: Builder, value: Handle, axes: Sequence[int]) -> Handle:
    """The mean over ``axes``, which stay as dims of size 1.

    The axes became an input in opset 18.
    """
    if b.opset < 18:
        return b.op("ReduceMean", value, axes=list(axes), keepdims=1)
    return b.op("ReduceMean", value, b.constant(np.array(axes, np.int64), DType.I64), keepdims=1)
