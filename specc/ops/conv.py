"""Convolution over one, two or three spatial dims."""

from __future__ import annotations

from math import prod

from specc.ir.dims import Dim
from specc.ir.types import TensorType
from specc.ops.arguments import FLAG, KERNEL, PADDING, SIZE, Argument, choice, either
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Call, Code, StateRef, X, call
from specc.ops.linear import fan_in_bias, kaiming_weight
from specc.ops.operator import (
    CodeSite,
    Inference,
    Input,
    Operator,
    StateSlot,
    Torch,
    Values,
    reject,
    sample,
)
from specc.ops.parts import pad
from specc.ops.tolerances import SUMMED
from specc.ops.windows import (
    SPATIAL,
    extent,
    output_sizes,
    same_padding,
    spatial_rank,
    spread,
    with_spatial,
)


def _padding(attributes: Values, count: int) -> list[tuple[int, int]]:
    """What is added before and after each spatial dim."""
    padding = attributes["padding"]
    if padding == "same":
        kernel = spread(attributes["kernel"], count)
        dilation = spread(attributes["dilation"], count)
        return [same_padding(k, d) for k, d in zip(kernel, dilation, strict=True)]
    return [(p, p) for p in spread(0 if padding == "valid" else padding, count)]


def _infer(c: Inference, x: TensorType) -> TensorType:
    count = spatial_rank(c)
    c.floating(0)
    in_channels = c.known(0, 1, "the number of channels")
    groups = c["groups"]
    c.require(in_channels % groups == 0, "groups", f"a divisor of the {in_channels} input channels")
    c.require(c["channels"] % groups == 0, "groups", f"a divisor of the {c['channels']} channels")
    kernel, stride, dilation = (c.per_dim(name, count) for name in ("kernel", "stride", "dilation"))
    if isinstance(c["padding"], tuple):
        c.per_dim("padding", count)
    if c["padding"] == "same":
        c.require(set(stride) == {1}, "stride", 'of step 1 where padding is "same"')
    padding = _padding(c.attributes, count)
    if c["padding_mode"] != "zeros":
        _check_mirrored(c, padding)
        # As torch.nn.functional.pad wants it: (left, right) of the last dim first.
        c.derive("edges", tuple(n for pair in reversed(padding) for n in pair))
    c.derive("in_channels", in_channels)
    c.derive("spatial_dims", count)
    windows = [
        (extent(k, d), s, left, right)
        for k, d, s, (left, right) in zip(kernel, dilation, stride, padding, strict=True)
    ]
    return with_spatial(x.with_dim(1, c["channels"]), output_sizes(c, windows))


def _check_mirrored(c: Inference, padding: list[tuple[int, int]]) -> None:
    """Padding that is taken from the input itself cannot be larger than the input."""
    # Reflection leaves the border itself out; replication needs only the border.
    spared = {"reflect": 0, "circular": 1}.get(c["padding_mode"])
    if spared is None:
        return
    for name, size, pair in zip(SPATIAL[len(padding)], c.types[0].shape[2:], padding, strict=True):
        c.size(size - max(pair) + spared, f"the {name} that {c['padding_mode']} padding draws on")


def _function(s: CodeSite) -> Code:
    if s.flag("padding_mode") == "zeros":
        return _convolve(X, padding="padding")
    return _convolve(call("F.pad", X, "edges", mode="padding_mode"))


def _convolve(x: Code, **padding: str) -> Call:
    return call(
        "F.conv{spatial}d",
        x,
        StateRef("weight"),
        StateRef("bias"),
        stride="stride",
        **padding,
        dilation="dilation",
        groups="groups",
    )


def _to_onnx(b: Builder, s: Site) -> Handle:
    count = s["spatial_dims"]
    padding = _padding(s.attributes, count)
    before, after = [left for left, _ in padding], [right for _, right in padding]
    x = s.x
    if s["padding_mode"] != "zeros":
        x = pad(b, x, [0, 0, *before], [0, 0, *after], s["padding_mode"])
        before = after = [0] * count
    return b.op(
        "Conv",
        x,
        s.state("weight"),
        s.state("bias"),
        kernel_shape=list(spread(s["kernel"], count)),
        strides=list(spread(s["stride"], count)),
        dilations=list(spread(s["dilation"], count)),
        pads=[*before, *after],
        group=s["groups"],
    )


def _weight_shape(attributes: Values) -> tuple[int, ...]:
    kernel = spread(attributes["kernel"], attributes["spatial_dims"])
    return (attributes["channels"], attributes["in_channels"] // attributes["groups"], *kernel)


def _multiply_adds(attributes: Values, types: tuple[TensorType, ...], result: TensorType) -> Dim:
    total: Dim = prod(_weight_shape(attributes)[1:])
    for dim in result.shape:
        total = total * dim
    return total


Conv = Operator(
    name="Conv",
    summary="Convolution over one, two or three spatial dims, by the input's rank.",
    details=(
        "`[N, C, L]`, `[N, C, H, W]` or `[N, C, D, H, W]`; the number of channels must be known "
        "when compiling. `kernel`, `stride`, `padding` and `dilation` are an int, or a list with "
        'one for each spatial dim. `padding="same"` keeps the spatial size and needs stride 1; '
        "where it is odd, the larger part goes to the end. `weight` is "
        "[channels, in_channels / groups, *kernel]."
    ),
    layer=True,
    inputs=(Input("x"),),
    arguments=(
        Argument("channels", SIZE),
        Argument("kernel", KERNEL),
        Argument("stride", KERNEL, 1),
        Argument("padding", either(PADDING, choice("same", "valid")), 0),
        Argument("dilation", KERNEL, 1),
        Argument("groups", SIZE, 1),
        Argument("bias", FLAG, True),
        Argument("padding_mode", choice("zeros", "reflect", "replicate", "circular"), "zeros"),
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
        function=_function,
        module=call(
            "nn.Conv{spatial}d",
            "in_channels",
            "channels",
            "kernel",
            stride="stride",
            padding="padding",
            dilation="dilation",
            groups="groups",
            bias="bias",
            padding_mode="padding_mode",
        ),
    ),
    onnx={17: _to_onnx},
    multiply_adds=_multiply_adds,
    tolerance=SUMMED,
    samples=(
        sample("f32[2, 3, 8, 9]", channels=4, kernel=3),
        sample("f32[N, 3, H, W]", channels=4, kernel=[3, 2], stride=2),
        sample("f32[N, 3, H, W]", channels=4, kernel=3, padding=1, bias=False),
        sample("f32[N, 4, H, 12]", channels=6, kernel=3, padding=[2, 0], dilation=[2, 1], groups=2),
        sample("f32[N, 4, 9, 9]", channels=4, kernel=5, groups=4, stride=[2, 3], padding=2),
        sample("f32[N, 2, H, W]", channels=3, kernel=[4, 3], padding="same", dilation=[1, 2]),
        sample("f32[N, 2, 6, 6]", channels=3, kernel=2, padding="valid"),
        sample("f32[N, 3, L]", channels=4, kernel=3, stride=2, padding=1),
        sample("f32[2, 3, 10]", channels=4, kernel=[4], padding="same"),
        sample("f32[N, 2, D, 5, 6]", channels=3, kernel=[2, 3, 1], stride=[1, 2, 3], padding=1),
        sample("f32[2, 4, 5, 5, 5]", channels=2, kernel=2, dilation=2, groups=2, bias=False),
        sample("f32[N, 2, H, W]", channels=3, kernel=3, padding=[2, 1], padding_mode="reflect"),
        sample("f32[N, 2, L]", channels=3, kernel=4, padding="same", padding_mode="replicate"),
        sample("f32[N, 2, H, 4]", channels=3, kernel=3, padding=[1, 4], padding_mode="circular"),
        sample("f32[N, 2, 4, 4, 4]", channels=2, kernel=3, padding=1, padding_mode="circular"),
        sample("f16[N, 3, 8, 8]", channels=4, kernel=3, stride=2),
        sample("f64[N, 3, 8, 8]", channels=4, kernel=3, padding=1),
    ),
    rejects=(
        reject("rank-mismatch", "f32[3, 8]", channels=4, kernel=3),
        reject("rank-mismatch", "f32[1, 1, 1, 1, 1, 1]", channels=4, kernel=1),
        reject("dtype-mismatch", "u8[1, 3, 8, 8]", channels=4, kernel=3),
        reject("unknown-size", "f32[N, C, 8, 8]", channels=4, kernel=3),
        reject("empty-size", "f32[N, 3, 4, 8]", channels=4, kernel=5),
        reject("empty-size", "f32[N, 3, 4, 8]", channels=4, kernel=3, dilation=2),
        reject(
            "empty-size", "f32[1, 3, 4]", channels=4, kernel=3, padding=4, padding_mode="reflect"
        ),
        reject("bad-argument", "f32[N, 3, 8, 8]", channels=4, kernel=3, groups=2),
        reject("bad-argument", "f32[N, 4, 8, 8]", channels=3, kernel=3, groups=2),
        reject("bad-argument", "f32[N, 3, 8, 8]", channels=4, kernel=[3, 3, 3]),
        reject("bad-argument", "f32[N, 3, 8, 8]", channels=4, kernel=3, padding=[1]),
        reject("bad-argument", "f32[N, 3, 8, 8]", channels=4, kernel=3, padding=-1),
        reject("bad-argument", "f32[N, 3, 8, 8]", channels=4, kernel=3, padding="full"),
        reject("bad-argument", "f32[N, 3, 8, 8]", channels=4, kernel=3, padding="same", stride=2),
        reject("bad-argument", "f32[N, 3, 8, 8]", channels=4, kernel=3, padding_mode="mirror"),
        reject("bad-argument", "f32[N, 3, 8, 8]", channels=4, kernel=3, stride=0),
    ),
)

OPERATORS = (Conv,)
