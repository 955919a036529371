"""Normalization within each example: GroupNorm and InstanceNorm."""

from __future__ import annotations

from collections.abc import Sequence

from specc.ir.initializer import Initializer
from specc.ir.types import DType, TensorType
from specc.ops.arguments import EPSILON, FLAG, PROBABILITY, SIZE, Argument
from specc.ops.axes import int64, product
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import (
    Code,
    Lit,
    StateRef,
    Training,
    X,
    call,
)
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
from specc.ops.parts import reduce_mean
from specc.ops.shape import reshaped
from specc.ops.tolerances import SUMMED

_ONES, _ZEROS = Initializer(name="ones"), Initializer(name="zeros")


def _normal(b: Builder, x: Handle, axes: Sequence[int], eps: float, dtype: DType) -> Handle:
    """``x`` less its mean over ``axes``, by its deviation there."""
    centred = b.op("Sub", x, reduce_mean(b, x, axes))
    variance = reduce_mean(b, b.op("Mul", centred, centred), axes)
    return b.op("Div", centred, b.op("Sqrt", b.op("Add", variance, b.constant(eps, dtype))))


def _scaled(b: Builder, s: Site, x: Handle) -> Handle:
    """``x`` by the weight of its channel, plus its bias, where the layer has them."""
    shape = int64(b, [s["num_features"]] + [1] * (s.type.rank - 2))
    if (weight := s.state("weight")) is not None:
        x = b.op("Mul", x, b.op("Reshape", weight, shape))
    if (bias := s.state("bias")) is not None:
        x = b.op("Add", x, b.op("Reshape", bias, shape))
    return x


def _scale_and_bias(b: Builder, s: Site) -> tuple[Handle, Handle]:
    """The layer's, or those that change nothing."""
    weight, bias = s.state("weight"), s.state("bias")
    if weight is None:
        channels = s["num_features"]
        weight = b.constant([1.0] * channels, s.type.dtype)
        bias = b.constant([0.0] * channels, s.type.dtype)
    return weight, bias


def _channels(attributes: Values) -> tuple[int, ...]:
    return (attributes["num_features"],)


def _affine_slots(argument: str) -> tuple[StateSlot, StateSlot]:
    return (
        StateSlot("weight", _channels, lambda a: _ONES, when=lambda a: bool(a[argument])),
        StateSlot("bias", _channels, lambda a: _ZEROS, when=lambda a: bool(a[argument])),
    )


# ---- GroupNorm -----------------------------------------------------------------------------------


def _infer_group_norm(c: Inference, x: TensorType) -> TensorType:
    c.rank(0, "[N, C, ...] of at least 2 dims", least=2)
    c.floating(0)
    channels, groups = c.known(0, 1, "the number of channels"), c["num_groups"]
    c.require(channels % groups == 0, "num_groups", f"a divisor of the {channels} channels")
    # PyTorch asks for two values of each place in a group, over the batch.
    values = product((x.shape[0], channels // groups, *x.shape[2:]))
    c.size(values - 1, "the number of values beside one that are normalized together")
    c.derive("num_features", channels)
    return x


def _group_norm_decomposed(b: Builder, s: Site) -> Handle:
    groups, shape = s["num_groups"], s.type.shape
    grouped = (shape[0], groups, product(shape[1:]) // groups)
    x = reshaped(b, s.x, shape, grouped)
    normal = reshaped(b, _normal(b, x, [2], s["eps"], s.type.dtype), grouped, shape)
    return _scaled(b, s, normal)


def _group_norm_fused(b: Builder, s: Site) -> Handle:
    # [N, C] is no input of the operator, and its eps is an f32, too coarse for f64.
    if s.type.rank < 3 or s.type.dtype is DType.F64:
        return _group_norm_decomposed(b, s)
    return b.op(
        "GroupNormalization",
        s.x,
        *_scale_and_bias(b, s),
        num_groups=s["num_groups"],
        epsilon=s["eps"],
    )


GroupNorm = Operator(
    name="GroupNorm",
    summary="Normalizes each of `num_groups` groups of channels of each example.",
    details=(
        "`[N, C, ...]`; the number of channels must be known when compiling, and the groups divide "
        "it. One group is LayerNorm over all but the batch."
    ),
    layer=True,
    inputs=(Input("x"),),
    arguments=(
        Argument("num_groups", SIZE),
        Argument("eps", EPSILON, 1e-5),
        Argument("affine", FLAG, True),
    ),
    state=_affine_slots("affine"),
    infer=_infer_group_norm,
    torch=Torch(
        function=call(
            "F.group_norm", X, "num_groups", StateRef("weight"), StateRef("bias"), eps="eps"
        ),
        module=call("nn.GroupNorm", "num_groups", "num_features", eps="eps", affine="affine"),
    ),
    onnx={17: _group_norm_decomposed, 21: _group_norm_fused},
    onnx_note=(
        "It is `GroupNormalization` from 21 on, but of [N, C], which that one does not take, and "
        "in f64: its eps is an f32. An empty batch is refused by onnxruntime. (The one of opset 18 "
        "has a weight for each group, not for each channel.)"
    ),
    tolerance=SUMMED,
    samples=(
        sample("f32[N, 6, H, W]", num_groups=2),
        sample("f32[N, 4, H, W]", num_groups=1, eps=0.1),
        sample("f32[N, 8, L]", num_groups=4),
        sample("f32[N, 6, H, W]", num_groups=3, affine=False),
        sample("f32[N, 6]", num_groups=2),
        sample("f32[N, 4, D, 3, 2]", num_groups=2),
        sample("f64[N, 4, H, W]", num_groups=2),
        sample("f16[N, 4, H, W]", num_groups=2),
    ),
    rejects=(
        reject("rank-mismatch", "f32[3]", num_groups=1),
        reject("dtype-mismatch", "i64[2, 4, 3]", num_groups=2),
        reject("unknown-size", "f32[2, C, 3]", num_groups=2),
        reject("bad-argument", "f32[2, 5, 3]", num_groups=2),
        reject("bad-argument", "f32[2, 4, 3]", num_groups=0),
        reject("bad-argument", "f32[2, 4, 3]", num_groups=2, eps=-1.0),
        reject("empty-size", "f32[1, 4, 1]", num_groups=4),
    ),
)

# ---- InstanceNorm --------------------------------------------------------------------------------


def _infer_instance_norm(c: Inference, x: TensorType) -> TensorType:
    c.rank(0, "[N, C, L], [N, C, H, W] or [N, C, D, H, W]", 3, 4, 5)
    c.floating(0)
    c.derive("num_features", c.known(0, 1, "the number of channels"))
    # PyTorch refuses to normalize a single value.
    c.size(product(x.shape[2:]) - 1, "the number of places beside one in a channel")
    return x


def _instance_norm_function(s: CodeSite) -> Code:
    tracked = s.flag("track_running_stats")
    return call(
        "F.instance_norm",
        X,
        StateRef("running_mean") if tracked else Lit(None),
        StateRef("running_var") if tracked else Lit(None),
        StateRef("weight"),
        StateRef("bias"),
        use_input_stats=Training() if tracked else Lit(True),
        momentum="momentum",
        eps="eps",
    )


def _instance_norm_to_onnx(b: Builder, s: Site) -> Handle:
    mean = s.state("running_mean")
    if mean is not None:
        scale, bias = _scale_and_bias(b, s)
        variance = s.state("running_var")
        return b.op("BatchNormalization", s.x, scale, bias, mean, variance, epsilon=s["eps"])
    if s.type.dtype is not DType.F32:  # all that onnxruntime has on the CPU
        axes = list(range(2, s.type.rank))
        return _scaled(b, s, _normal(b, s.x, axes, s["eps"], s.type.dtype))
    return b.op("InstanceNormalization", s.x, *_scale_and_bias(b, s), epsilon=s["eps"])


def _tracked_slot(name: str, initializer: Initializer, dtype: DType | None = None) -> StateSlot:
    return StateSlot(
        name,
        (lambda a: ()) if dtype else _channels,
        lambda a: initializer,
        role="buffer",
        when=lambda a: bool(a["track_running_stats"]),
        dtype=dtype,
    )


InstanceNorm = Operator(
    name="InstanceNorm",
    summary="Normalizes each channel of each example over the spatial dims.",
    details=(
        "`[N, C, L]` up to `[N, C, D, H, W]`; the number of channels must be known when compiling. "
        "As in torch.nn there are no parameters by default. With `track_running_stats=true` "
        "evaluation uses running statistics, as BatchNorm does."
    ),
    layer=True,
    inputs=(Input("x"),),
    arguments=(
        Argument("eps", EPSILON, 1e-5),
        Argument("momentum", PROBABILITY, 0.1, training_only=True),
        Argument("affine", FLAG, False),
        Argument("track_running_stats", FLAG, False),
    ),
    state=(
        *_affine_slots("affine"),
        _tracked_slot("running_mean", _ZEROS),
        _tracked_slot("running_var", _ONES),
        _tracked_slot("num_batches_tracked", _ZEROS, DType.I64),
    ),
    infer=_infer_instance_norm,
    torch=Torch(
        function=_instance_norm_function,
        module=call(
            "nn.InstanceNorm{spatial}d",
            "num_features",
            eps="eps",
            momentum="momentum",
            affine="affine",
            track_running_stats="track_running_stats",
        ),
    ),
    onnx={17: _instance_norm_to_onnx},
    onnx_note=(
        "It is `InstanceNormalization` in f32, the only dtype in which onnxruntime runs that on "
        "the CPU; with running statistics `BatchNormalization`."
    ),
    tolerance=SUMMED,
    samples=(
        sample("f32[N, 3, H, W]"),
        sample("f32[N, 3, H, W]", affine=True, eps=0.1),
        sample("f32[N, 3, L]", affine=True),
        sample("f32[N, 3, D, 4, 2]"),
        sample("f32[N, 3, H, W]", track_running_stats=True, momentum=0.4),
        sample("f32[N, 3, L]", track_running_stats=True, affine=True),
        sample("f64[N, 3, H, W]", affine=True),
        sample("f16[N, 3, H, W]"),
    ),
    rejects=(
        reject("rank-mismatch", "f32[2, 3]"),
        reject("dtype-mismatch", "i64[2, 3, 4]"),
        reject("unknown-size", "f32[2, C, 4]"),
        reject("empty-size", "f32[2, 3, 1, 1]"),
        reject("bad-argument", "f32[2, 3, 4]", eps=-1.0),
        reject("bad-argument", "f32[2, 3, 4]", momentum=2.0),
        reject("bad-argument", "f32[2, 3, 4]", affine=1),
    ),
)
OPERATORS = (GroupNorm, InstanceNorm)
