"""ConvTranspose: the transpose of a convolution, which makes its input larger."""

from __future__ import annotations

from math import prod

from specc.ir.dims import Dim
from specc.ir.types import TensorType
from specc.ops.arguments import FLAG, KERNEL, PADDING, SIZE, Argument
from specc.ops.axes import product
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import StateRef, X, call
from specc.ops.linear import fan_in_bias, kaiming_weight
from specc.ops.operator import (
    Inference,
    Input,
    Operator,
    StateSlot,
    Torch,
    Values,
    reject,
    sample,
)
from specc.ops.tolerances import SUMMED
from specc.ops.windows import SPATIAL, extent, spatial_rank, spread, with_spatial

_PER_DIM = ("kernel", "stride", "padding", "output_padding", "dilation")


def _infer(c: Inference, x: TensorType) -> TensorType:
    count = spatial_rank(c)
    c.floating(0)
    in_channels = c.known(0, 1, "the number of channels")
    groups = c["groups"]
    c.require(in_channels % groups == 0, "groups", f"a divisor of the {in_channels} input channels")
    c.require(c["channels"] % groups == 0, "groups", f"a divisor of the {c['channels']} channels")
    numbers = [c.per_dim(name, count) for name in _PER_DIM]
    sizes: list[Dim] = []
    dims = zip(SPATIAL[count], x.shape[2:], *numbers, strict=True)
    for name, size, kernel, stride, padding, added, dilation in dims:
        # PyTorch's own bound, and one for what onnxruntime can be told.
        c.require(added < max(stride, dilation), "output_padding", "less than stride or dilation")
        within = added < stride or added <= padding
        c.require(within, "output_padding", "less than the stride, or at most the padding")
        reached = (size - 1) * stride + extent(kernel, dilation) + added - 2 * padding
        sizes.append(c.size(reached, f"the output {name}"))
    c.derive("in_channels", in_channels)
    c.derive("spatial_dims", count)
    return with_spatial(x.with_dim(1, c["channels"]), tuple(sizes))


def _to_onnx(b: Builder, s: Site) -> Handle:
    kernel, stride, padding, added, dilation = (
        list(spread(s[name], s["spatial_dims"])) for name in _PER_DIM
    )
    after = list(padding)
    for axis, extra in enumerate(added):
        if extra <= padding[axis]:  # which leaves that much less to cut off
            after[axis], added[axis] = padding[axis] - extra, 0
    return b.op(
        "ConvTranspose",
        s.x,
        s.state("weight"),
        s.state("bias"),
        kernel_shape=kernel,
        strides=stride,
        pads=[*padding, *after],
        output_padding=added,
        dilations=dilation,
        group=s["groups"],
    )


def _weight_shape(attributes: Values) -> tuple[int, ...]:
    kernel = spread(attributes["kernel"], attributes["spatial_dims"])
    return (attributes["in_channels"], attributes["channels"] // attributes["groups"], *kernel)


def _multiply_adds(attributes: Values, types: tuple[TensorType, ...], result: TensorType) -> Dim:
    """Every input element meets its weights once."""
    return product(types[0].shape) * prod(_weight_shape(attributes)[1:])


ConvTranspose = Operator(
    name="ConvTranspose",
    summary="Transposed convolution over one, two or three spatial dims, by the input's rank.",
    details=(
        "`[N, C, L]`, `[N, C, H, W]` or `[N, C, D, H, W]`. A size I becomes (I - 1) * stride - 2 * "
        "padding + dilation * (kernel - 1) + output_padding + 1: what a convolution with the same "
        "arguments takes back to I. `weight` is [in_channels, channels / groups, *kernel]."
    ),
    layer=True,
    inputs=(Input("x"),),
    arguments=(
        Argument("channels", SIZE),
        Argument("kernel", KERNEL),
        Argument("stride", KERNEL, 1),
        Argument("padding", PADDING, 0),
        Argument("output_padding", PADDING, 0),
        Argument("groups", SIZE, 1),
        Argument("bias", FLAG, True),
        Argument("dilation", KERNEL, 1),
    ),
    state=(
        StateSlot("weight", _weight_shape, lambda a: kaiming_weight()),
        StateSlot(
            "bias",
            lambda a: (a["channels"],),
            lambda a: fan_in_bias(prod(_weight_shape(a)[1:])),
            when=lambda a: bool(a["bias"]),
        ),
    ),
    infer=_infer,
    torch=Torch(
        function=call(
            "F.conv_transpose{spatial}d",
            X,
            StateRef("weight"),
            StateRef("bias"),
            stride="stride",
            padding="padding",
            output_padding="output_padding",
            groups="groups",
            dilation="dilation",
        ),
        module=call(
            "nn.ConvTranspose{spatial}d",
            "in_channels",
            "channels",
            "kernel",
            stride="stride",
            padding="padding",
            output_padding="output_padding",
            groups="groups",
            bias="bias",
            dilation="dilation",
        ),
    ),
    onnx={17: _to_onnx},
    onnx_note=(
        "onnxruntime has no `output_padding` of the stride or more; where it is at most the "
        "padding, that is made smaller instead, and else it is refused."
    ),
    multiply_adds=_multiply_adds,
    tolerance=SUMMED,
    samples=(
        sample("f32[N, 3, H, W]", channels=4, kernel=3),
        sample("f32[N, 3, H, W]", channels=4, kernel=4, stride=2, padding=1),
        sample("f32[N, 3, H, W]", channels=4, kernel=3, stride=2, padding=1, output_padding=1),
        sample("f32[N, 4, H, 5]", channels=6, kernel=[3, 2], stride=[2, 3], groups=2, bias=False),
        sample("f32[N, 3, H, W]", channels=2, kernel=3, dilation=[2, 1], padding=1),
        sample("f32[N, 2, H, 3]", channels=2, kernel=3, dilation=3, padding=2, output_padding=2),
        sample("f32[N, 2, H, 3]", channels=2, kernel=2, stride=3, padding=1, output_padding=2),
        sample("f32[N, 3, L]", channels=4, kernel=2, stride=2),
        sample("f32[N, 2, D, 4, 3]", channels=3, kernel=[2, 3, 1], stride=[1, 2, 2]),
    ),
    rejects=(
        reject("rank-mismatch", "f32[3, 8]", channels=4, kernel=3),
        reject("dtype-mismatch", "i64[1, 3, 8, 8]", channels=4, kernel=3),
        reject("unknown-size", "f32[N, C, 8, 8]", channels=4, kernel=3),
        reject("empty-size", "f32[N, 3, 1, 1]", channels=4, kernel=2, padding=1),
        reject("bad-argument", "f32[N, 3, 8, 8]", channels=4, kernel=3, groups=2),
        reject("bad-argument", "f32[N, 4, 8, 8]", channels=3, kernel=3, groups=2),
        reject("bad-argument", "f32[N, 3, 8, 8]", channels=4, kernel=[3, 3, 3]),
        reject("bad-argument", "f32[N, 3, 8, 8]", channels=4, kernel=3, output_padding=1),
        reject("bad-argument", "f32[N, 3, 8]", channels=4, kernel=3, dilation=2, output_padding=1),
        reject("bad-argument", "f32[N, 3, 8, 8]", channels=4, kernel=3, padding="same"),
    ),
)

OPERATORS = (ConvTranspose,)
