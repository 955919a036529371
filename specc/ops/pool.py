"""Pooling over one, two or three spatial dims."""

from __future__ import annotations

from specc.ir.types import TensorType
from specc.ops.adaptive_pool import AdaptiveAvgPool, AdaptiveMaxPool
from specc.ops.arguments import FLAG, KERNEL, PADDING, Argument, optional
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import X, call
from specc.ops.operator import Inference, Input, Operator, Torch, Values, reject, sample
from specc.ops.parts import pad
from specc.ops.tolerances import ELEMENTWISE
from specc.ops.windows import (
    SPATIAL,
    extent,
    output_sizes,
    right_padding,
    spatial_rank,
    spread,
    with_spatial,
)


def _geometry(attributes: Values, count: int) -> list[tuple[int, int, int, int]]:
    """For each spatial dim the window's span, its stride, and the padding before and after."""
    kernel = spread(attributes["kernel"], count)
    stride = kernel if attributes["stride"] is None else spread(attributes["stride"], count)
    padding = spread(attributes["padding"], count)
    dilation = spread(attributes.get("dilation", 1), count)
    ceil_mode = attributes["ceil_mode"]
    return [
        (span, s, p, right_padding(span, s, p, ceil_mode=ceil_mode))
        for span, s, p in zip(map(extent, kernel, dilation), stride, padding, strict=True)
    ]


def _infer(c: Inference, x: TensorType) -> TensorType:
    count = spatial_rank(c)
    c.floating(0)
    for name in ("kernel", "stride", "padding", "dilation"):
        if c.attributes.get(name) is not None:
            c.per_dim(name, count)
    # A window must not lie in the padding alone; PyTorch asks for this bound.
    for kernel, padding in zip(
        spread(c["kernel"], count), spread(c["padding"], count), strict=True
    ):
        c.require(2 * padding <= kernel, "padding", f"at most half of the kernel, {kernel // 2}")
    return with_spatial(x, output_sizes(c, _geometry(c.attributes, count)))


def _infer_avg_pool(c: Inference, x: TensorType) -> TensorType:
    result = _infer(c, x)
    if x.rank == 5:
        # avg_pool3d alone asks the input to hold a whole kernel, whatever the padding.
        for name, size, kernel in zip(SPATIAL[3], x.shape[2:], spread(c["kernel"], 3), strict=True):
            c.size(size - kernel + 1, f"the room for a window in the {name}")
    return result


def _max_pool_to_onnx(b: Builder, s: Site) -> Handle:
    """Ceil mode is said as padding, so that it means the same in every version of every runtime."""
    count = s.type.rank - 2
    kernel, geometry = spread(s["kernel"], count), _geometry(s.attributes, count)
    x, before, after = s.x, [g[2] for g in geometry], [g[3] for g in geometry]
    if any(right >= k for right, k in zip(after, kernel, strict=True)):
        # A dilated window may reach further than its taps count, where onnxruntime refuses pads.
        lowest = b.constant(float("-inf"), s.type.dtype)
        x = pad(b, x, [0, 0, *before], [0, 0, *after], "constant", lowest)
        before = after = [0] * count
    return b.op(
        "MaxPool",
        x,
        kernel_shape=list(kernel),
        strides=[g[1] for g in geometry],
        dilations=list(spread(s["dilation"], count)),
        pads=[*before, *after],
    )


def _avg_pool_to_onnx(b: Builder, s: Site) -> Handle:
    """PyTorch counts padding, but never the positions that ceil mode adds after it.

    So where both are there, the padding becomes part of the input, and what ceil mode adds is the
    only padding that is left: uncounted.
    """
    count = s.type.rank - 2
    geometry = _geometry(s.attributes, count)
    x, before, after = s.x, [g[2] for g in geometry], [g[3] for g in geometry]
    counted = s["count_include_pad"] and any(before)
    if counted and after != before:
        x = pad(b, x, [0, 0, *before], [0, 0, *before], "constant")
        after = [right - left for left, right in zip(before, after, strict=True)]
        before, counted = [0] * count, False
    return b.op(
        "AveragePool",
        x,
        kernel_shape=[g[0] for g in geometry],
        strides=[g[1] for g in geometry],
        pads=[*before, *after],
        count_include_pad=int(counted),
    )


_KERNEL = Argument("kernel", KERNEL)
_STRIDE = Argument("stride", optional(KERNEL), None)
_PADDING = Argument("padding", PADDING, 0)
_CEIL = Argument("ceil_mode", FLAG, False)

_DETAILS = (
    "`[N, C, L]`, `[N, C, H, W]` or `[N, C, D, H, W]`. `stride` is the kernel's size unless given, "
    "`padding` at most half of the kernel. With `ceil_mode` a last window may reach past the "
    "input, as long as it does not start past it. "
)

_REJECTS = (
    reject("rank-mismatch", "f32[3, 8]", kernel=2),
    reject("dtype-mismatch", "i64[1, 3, 8, 8]", kernel=2),
    reject("empty-size", "f32[N, 3, 4, 8]", kernel=5),
    reject("bad-argument", "f32[N, 3, 8, 8]", kernel=3, padding=2),
    reject("bad-argument", "f32[N, 3, 8, 8]", kernel=[2, 2, 2]),
    reject("bad-argument", "f32[N, 3, 8, 8]", kernel=0),
    reject("bad-argument", "f32[N, 3, 8, 8]", kernel=2, stride=0),
    reject("bad-argument", "f32[N, 3, 8, 8]", kernel=2, ceil_mode=1),
)

MaxPool = Operator(
    name="MaxPool",
    summary="The greatest value in each window.",
    details=_DETAILS + "Padding never wins: it counts as minus infinity.",
    layer=True,
    inputs=(Input("x"),),
    arguments=(_KERNEL, _STRIDE, _PADDING, Argument("dilation", KERNEL, 1), _CEIL),
    infer=_infer,
    torch=Torch(
        function=call(
            "F.max_pool{spatial}d",
            X,
            "kernel",
            stride="stride",
            padding="padding",
            dilation="dilation",
            ceil_mode="ceil_mode",
        ),
        module=call(
            "nn.MaxPool{spatial}d",
            "kernel",
            stride="stride",
            padding="padding",
            dilation="dilation",
            ceil_mode="ceil_mode",
        ),
    ),
    onnx={17: _max_pool_to_onnx},
    onnx_note=(
        "A window that holds a NaN is NaN in PyTorch; ONNX leaves it open, and onnxruntime passes "
        "over the NaN. (To put it back would take a second pooling.)"
    ),
    tolerance=ELEMENTWISE,
    samples=(
        sample("f32[2, 3, 8, 9]", kernel=2),
        sample("f32[N, 3, H, W]", kernel=3, stride=2, padding=1),
        sample("f32[N, 3, H, W]", kernel=3, stride=2, ceil_mode=True),
        sample("f32[N, 3, H, W]", kernel=[2, 3], stride=[3, 1], padding=[1, 0], ceil_mode=True),
        sample("f32[2, 1, 5, 6]", kernel=2, stride=2, padding=1, ceil_mode=True),
        sample("f32[N, 2, 11, 12]", kernel=3, dilation=2, stride=1),
        sample("f32[N, 2, 11, 12]", kernel=2, dilation=[4, 5], stride=5, padding=1, ceil_mode=True),
        sample("f32[N, 2, L]", kernel=3, stride=2),
        sample("f32[N, 2, L]", kernel=2, ceil_mode=True),
        sample("f32[N, 2, 6, 7, D]", kernel=[2, 3, 2], stride=2, padding=1, ceil_mode=True),
        sample("f16[N, 2, 6, 6]", kernel=2),
        sample("f64[N, 2, 6, 6]", kernel=3, padding=1),
    ),
    rejects=(*_REJECTS, reject("empty-size", "f32[N, 3, 4, 8]", kernel=3, dilation=2)),
)

AvgPool = Operator(
    name="AvgPool",
    summary="The mean of each window.",
    details=_DETAILS + "Padding counts as zeros, and with `count_include_pad=false` not at all; "
    "what `ceil_mode` adds never counts.",
    layer=True,
    inputs=(Input("x"),),
    arguments=(_KERNEL, _STRIDE, _PADDING, _CEIL, Argument("count_include_pad", FLAG, True)),
    infer=_infer_avg_pool,
    torch=Torch(
        function=call(
            "F.avg_pool{spatial}d",
            X,
            "kernel",
            stride="stride",
            padding="padding",
            ceil_mode="ceil_mode",
            count_include_pad="count_include_pad",
        ),
        module=call(
            "nn.AvgPool{spatial}d",
            "kernel",
            stride="stride",
            padding="padding",
            ceil_mode="ceil_mode",
            count_include_pad="count_include_pad",
        ),
    ),
    onnx={17: _avg_pool_to_onnx},
    tolerance=ELEMENTWISE,
    samples=(
        sample("f32[2, 3, 8, 9]", kernel=2),
        sample("f32[N, 3, H, W]", kernel=3, stride=2, padding=1),
        sample("f32[N, 3, H, W]", kernel=3, stride=2, padding=1, count_include_pad=False),
        sample("f32[N, 3, H, W]", kernel=3, stride=2, ceil_mode=True),
        sample("f32[N, 3, H, W]", kernel=3, stride=2, padding=1, ceil_mode=True),
        sample("f32[N, 2, 9, 8]", kernel=[2, 4], stride=3, padding=[1, 2], ceil_mode=True),
        sample(
            "f32[N, 2, 9, 8]",
            kernel=4,
            stride=3,
            padding=2,
            ceil_mode=True,
            count_include_pad=False,
        ),
        sample("f32[N, 2, L]", kernel=3, stride=2, padding=1, ceil_mode=True),
        sample("f32[N, 2, 6, 7, D]", kernel=[2, 3, 2], stride=2, padding=1),
        sample("f32[2, 2, 6, 7, 5]", kernel=2, stride=[2, 3, 2], padding=1, ceil_mode=True),
        sample("f16[N, 2, 6, 6]", kernel=2),
    ),
    rejects=(
        *_REJECTS,
        reject("empty-size", "f32[1, 1, 4, 4, 2]", kernel=3, padding=1),
    ),
)

OPERATORS = (MaxPool, AvgPool, AdaptiveAvgPool, AdaptiveMaxPool)
