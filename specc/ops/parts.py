"""Pieces of ONNX graphs that several families share."""

from __future__ import annotations

from collections.abc import Sequence

from specc.ir.dims import Dim
from specc.ir.types import DType
from specc.ops.builder import Builder, Handle


def reshape(b: Builder, value: Handle, dims: Sequence[Dim]) -> Handle:
    """``value`` in the shape ``dims``, a constant where at most one of them is symbolic."""
    symbolic = [axis for axis, dim in enumerate(dims) if not isinstance(dim, int)]
    if len(symbolic) > 1 or 0 in dims:
        return sized(b, value, dims)
    shape = [dim if isinstance(dim, int) else -1 for dim in dims]
    return b.op("Reshape", value, b.constant(shape, DType.I64))


def sized(b: Builder, value: Handle, dims: Sequence[Dim]) -> Handle:
    """``value`` in the shape ``dims``, any of which may be 0 when it runs.

    Without ``allowzero`` a 0 stands for the size at its place in ``value``.
    """
    return b.op("Reshape", value, b.sizes(dims), allowzero=1)


def reduce_mean(b: Builder, value: Handle, axes: Sequence[int]) -> Handle:
    """The mean over ``axes``, which stay as dims of size 1.

    The axes became an input in opset 18.
    """
    if b.opset < 18:
        return b.op("ReduceMean", value, axes=list(axes), keepdims=1)
    return b.op("ReduceMean", value, b.constant(list(axes), DType.I64), keepdims=1)


def pad(
    b: Builder,
    value: Handle,
    before: Sequence[int],
    after: Sequence[int],
    mode: str,
    filling: Handle | None = None,
) -> Handle:
    """``value`` padded; ``mode`` is torch.nn.functional.pad's, ``filling`` a scalar, else zero.

    ``before`` and ``after`` are given for every dim of the tensor. Circular padding is a mode of
    Pad since opset 19 and is put together from slices below that.
    """
    if mode == "circular" and b.opset < 19:
        for axis, (left, right) in enumerate(zip(before, after, strict=True)):
            value = _wrap(b, value, axis, left, right)
        return value
    pads = b.constant([*before, *after], DType.I64)
    return b.op("Pad", value, pads, filling, mode=_PAD_MODES[mode])


_PAD_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _wrap(b: Builder, value: Handle, axis: int, left: int, right: int) -> Handle:
    def part(start: int, end: int) -> Handle:
        bounds = (b.constant([n], DType.I64) for n in (start, end, axis))
        return b.op("Slice", value, *bounds)

    parts = [part(-left, _END)] if left else []
    parts.append(value)
    parts += [part(0, right)] if right else []
    return b.op("Concat", *parts, axis=axis) if len(parts) > 1 else value


_END = 2**63 - 1  # Slice cuts it down to the size of the dim
