"""Adaptive pooling: as many windows as are asked for, whatever the input's size."""

from __future__ import annotations

from dataclasses import dataclass

from specc.ir.dims import Dim
from specc.ir.types import DType, TensorType
from specc.ops.arguments import Argument, per_dim
from specc.ops.axes import int64
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import X, call
from specc.ops.extremum import extremum
from specc.ops.operator import Inference, Input, Operator, Torch, reject, sample
from specc.ops.reducing import reduce_over
from specc.ops.tolerances import EXACT, SUMMED
from specc.ops.windows import spatial_rank, spread, with_spatial


def _infer(c: Inference, x: TensorType) -> TensorType:
    count = spatial_rank(c)
    c.floating(0)
    return with_spatial(x, c.per_dim("size", count))


def _to_onnx(b: Builder, s: Site) -> Handle:
    """Bin o of a dim spans floor(o * I / O) to ceil((o + 1) * I / O), as in PyTorch.

    All bins are alike where the output size O divides the input size I. Elsewhere the dims are
    averaged one after another, since a mean over a box is the mean of means along its dims.
    """
    sizes = spread(s["size"], s.type.rank - 2)
    spatial = s.type.shape[2:]
    if set(sizes) == {1}:
        return b.op("GlobalAveragePool", s.x)
    whole = [i for i in spatial if isinstance(i, int)]
    if len(whole) == len(sizes) and all(i % o == 0 for i, o in zip(whole, sizes, strict=True)):
        steps = [i // o for i, o in zip(whole, sizes, strict=True)]
        return b.op("AveragePool", s.x, kernel_shape=steps, strides=steps)
    x = s.x
    for axis, (size, bins) in enumerate(zip(spatial, sizes, strict=True), start=2):
        if size != bins:
            x = _average_along(b, x, s.type, axis, bins)
    return x


def _average_along(b: Builder, x: Handle, type_: TensorType, axis: int, bins: int) -> Handle:
    """The mean of every bin of one dim.

    A product with a matrix of zeros and shares would do it in one node, but NaN and infinity times
    zero are NaN, so that one of them would reach every bin.
    """
    found = _bins(b, type_.shape[axis], bins)
    inside, lengths = found.inside, b.cast(found.lengths, type_.dtype)
    if behind := type_.rank - axis - 1:  # dims that stand behind the bins
        inside = b.op("Unsqueeze", inside, int64(b, range(2, 2 + behind)))
        lengths = b.op("Unsqueeze", lengths, int64(b, range(1, 1 + behind)))
    zero = b.constant(0, type_.dtype)
    members = b.op("Where", inside, b.op("Gather", x, found.index, axis=axis), zero)
    return b.op("Div", b.op("ReduceSum", members, int64(b, [axis + 1]), keepdims=0), lengths)


@dataclass(frozen=True)
class _Bins:
    """The bins of one dim, each as long as the longest: ``index`` is i64[bins, longest].

    Behind its end a bin repeats its last position, where ``inside``, a bool[bins, longest], is
    false. ``lengths``, an i64[bins], counts the true ones.
    """

    index: Handle
    inside: Handle
    lengths: Handle


def _bins(b: Builder, size: Dim, bins: int) -> _Bins:
    import numpy as np  # not where the file begins: a check of a spec does without

    order = np.arange(bins, dtype=np.int64)
    if isinstance(size, int):
        start, end = order * size // bins, -((order + 1) * -size // bins)
        position = start[:, None] + np.arange((end - start).max())
        last = end[:, None] - 1
        return _Bins(
            b.constant(np.minimum(position, last), DType.I64),
            b.constant(position <= last, DType.BOOL),
            b.constant(end - start, DType.I64),
        )
    length = b.size(size)
    many = b.constant(bins, DType.I64)
    start = b.op("Div", b.op("Mul", b.constant(order, DType.I64), length), many)
    # ceil(a / b) = (a + b - 1) // b for a, b > 0; ONNX divides integers towards zero.
    reach = b.op("Mul", b.constant(order + 1, DType.I64), length)
    end = b.op("Div", b.op("Add", reach, b.constant(bins - 1, DType.I64)), many)
    lengths = b.op("Sub", end, start)
    zero, one = b.constant(0, DType.I64), b.constant(1, DType.I64)
    offsets = b.op("Range", zero, reduce_over(b, "ReduceMax", lengths, None, False), one)
    column = int64(b, [1])
    position = b.op("Add", b.op("Unsqueeze", start, column), offsets)
    last = b.op("Unsqueeze", b.op("Sub", end, one), column)
    index = b.op("Min", position, last)
    return _Bins(index, b.op("LessOrEqual", position, last), lengths)


# ---- AdaptiveMaxPool -----------------------------------------------------------------------------


def _max_to_onnx(b: Builder, s: Site) -> Handle:
    """The greatest of each bin, dim by dim: a box's is the greatest of those along its dims."""
    sizes = spread(s["size"], s.type.rank - 2)
    if set(sizes) == {1}:
        axes = list(range(2, s.type.rank))
        return extremum(b, "ReduceMax", s.x, s.type.dtype, axes, True)
    x = s.x
    for axis, (size, bins) in enumerate(zip(s.type.shape[2:], sizes, strict=True), start=2):
        if size != bins:
            x = _greatest_along(b, x, s.type, axis, bins)
    return x


def _greatest_along(b: Builder, x: Handle, type_: TensorType, axis: int, bins: int) -> Handle:
    index = _bins(b, type_.shape[axis], bins).index
    members = b.op("Gather", x, index, axis=axis)
    return extremum(b, "ReduceMax", members, type_.dtype, [axis + 1], False)


AdaptiveMaxPool = Operator(
    name="AdaptiveMaxPool",
    summary="The greatest of each of `size` bins, whatever the size of the input.",
    details="The bins are those of AdaptiveAvgPool. `AdaptiveMaxPool(1)` is global max pooling.",
    layer=True,
    inputs=(Input("x"),),
    arguments=(Argument("size", per_dim(1)),),
    infer=_infer,
    torch=Torch(
        function=call("F.adaptive_max_pool{spatial}d", X, "size"),
        module=call("nn.AdaptiveMaxPool{spatial}d", "size"),
    ),
    onnx={17: _max_to_onnx},
    tolerance=EXACT,
    samples=(
        sample("f32[N, 3, H, W]", size=1),
        sample("f32[2, 3, 8, 9]", size=[4, 3]),
        sample("f32[N, 3, 7, 10]", size=[3, 10]),
        sample("f32[N, 3, H, W]", size=[3, 7]),
        sample("f32[N, 3, H, 4]", size=6),
        sample("f32[N, 3, L]", size=4),
        sample("f64[N, 3, 12]", size=[3]),
        sample("f32[N, 2, D, H, W]", size=[2, 3, 4]),
        sample("f32[N, 2, 5, 4, 6]", size=1),
        sample("f16[N, 3, H, W]", size=2),
    ),
    rejects=(
        reject("rank-mismatch", "f32[3, 8]", size=2),
        reject("dtype-mismatch", "i64[1, 3, 8, 8]", size=2),
        reject("bad-argument", "f32[1, 3, 8, 8]", size=0),
        reject("bad-argument", "f32[1, 3, 8, 8]", size=[1, 2, 3]),
    ),
)


AdaptiveAvgPool = Operator(
    name="AdaptiveAvgPool",
    summary="The mean of each of `size` bins, whatever the size of the input.",
    details=(
        "`[N, C, L]`, `[N, C, H, W]` or `[N, C, D, H, W]`. Of a dim of I positions, bin o of O "
        "covers floor(o · I / O) to ceil((o + 1) · I / O), so neighbours overlap where O does not "
        "divide I. Symbolic sizes are fine. `AdaptiveAvgPool(1)` is global average pooling."
    ),
    layer=True,
    inputs=(Input("x"),),
    arguments=(Argument("size", per_dim(1)),),
    infer=_infer,
    torch=Torch(
        function=call("F.adaptive_avg_pool{spatial}d", X, "size"),
        module=call("nn.AdaptiveAvgPool{spatial}d", "size"),
    ),
    onnx={17: _to_onnx},
    tolerance=SUMMED,
    samples=(
        sample("f32[N, 3, H, W]", size=1),
        sample("f32[2, 3, 8, 9]", size=[4, 3]),
        sample("f32[N, 3, 7, 10]", size=[3, 10]),
        sample("f32[N, 3, H, W]", size=[3, 7]),
        sample("f32[N, 3, H, 4]", size=6),
        sample("f32[N, 3, L]", size=4),
        sample("f32[N, 3, 12]", size=[3]),
        sample("f32[N, 2, D, H, W]", size=[2, 3, 4]),
        sample("f32[N, 2, 5, 4, 6]", size=[3, 4, 4]),
        sample("f32[N, 2, 5, 4, 6]", size=1),
        sample("f16[N, 3, H, W]", size=2),
    ),
    rejects=(
        reject("rank-mismatch", "f32[3, 8]", size=2),
        reject("dtype-mismatch", "i64[1, 3, 8, 8]", size=2),
        reject("bad-argument", "f32[1, 3, 8, 8]", size=0),
        reject("bad-argument", "f32[1, 3, 8, 8]", size=[1, 2, 3]),
    ),
)
