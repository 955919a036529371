"""Sliding windows: how many fit, and how PyTorch's padding is said in ONNX.

The arithmetic that convolution and pooling share. A window covers ``extent(kernel, dilation)``
positions of a dim and moves by ``stride``.
"""

from __future__ import annotations

from typing import cast

from specc.ir.dims import Dim
from specc.ir.types import TensorType
from specc.ops.operator import Inference

SPATIAL = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
"""What the spatial dims are called, by how many there are."""


def spatial_rank(c: Inference) -> int:
    """The number of spatial dims of the first input, [N, C, ...]: 1, 2 or 3.

    Raises a Fault with RankMismatch for any other rank.
    """
    c.rank(0, "[N, C, L], [N, C, H, W] or [N, C, D, H, W]", 3, 4, 5)
    return c.types[0].rank - 2


def extent(kernel: int, dilation: int) -> int:
    """How many positions a window spans, from its first to its last tap."""
    return dilation * (kernel - 1) + 1


def same_padding(kernel: int, dilation: int) -> tuple[int, int]:
    """What ``padding="same"`` adds before and after a dim; the odd one goes after."""
    total = extent(kernel, dilation) - 1
    return total // 2, total - total // 2


def right_padding(span: int, stride: int, padding: int, *, ceil_mode: bool) -> int:
    """How far windows may reach past the end of a dim that is padded by ``padding`` before it.

    With ``ceil_mode`` one more window may start where less than a whole one is left, so up to
    ``stride - 1`` positions are added; but PyTorch drops a window that would start past the input
    and its left padding, so that no window lies in added positions alone: at most ``span - 1``.
    (``pooling_output_shape`` in ATen/native/Pool.h states this as a decrement afterwards.) Said
    like this, a constant for each dim, it holds for sizes that are not known yet, and ceil mode
    needs no support from anything that a network is lowered to.
    """
    return min(padding + stride - 1, span - 1) if ceil_mode else padding


def window_count(size: Dim, span: int, stride: int, left: int, right: int) -> Dim:
    """How many windows fit: floor((left + size + right - span) / stride) + 1."""
    return (size + (left + right - span)) // stride + 1


def output_sizes(c: Inference, windows: list[tuple[int, int, int, int]]) -> tuple[Dim, ...]:
    """The spatial sizes of the result, given (span, stride, left, right) for each dim.

    Raises a Fault with EmptySize where no window fits for certain; where that depends on a symbolic
    size, it becomes a lower bound.
    """
    names = SPATIAL[len(windows)]
    sizes = c.types[0].shape[2:]
    return tuple(
        c.size(window_count(size, span, stride, left, right), f"the output {name}")
        for name, size, (span, stride, left, right) in zip(names, sizes, windows, strict=True)
    )


def spread(value: object, count: int) -> tuple[int, ...]:
    """A per-dim attribute, checked already, as one int for each of ``count`` dims."""
    return cast("tuple[int, ...]", value if isinstance(value, tuple) else (value,) * count)


def with_spatial(type_: TensorType, sizes: tuple[Dim, ...]) -> TensorType:
    """``type_`` with its spatial dims replaced."""
    return type_.with_shape((*type_.shape[:2], *sizes))
