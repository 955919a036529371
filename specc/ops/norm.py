"""Normalization: BatchNorm and LayerNorm."""

from __future__ import annotations

from specc.ir.dims import Dim
from specc.ir.initializer import Initializer
from specc.ir.types import DType, TensorType
from specc.ops.arguments import EPSILON, FLAG, PROBABILITY, SIZE, Argument
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import (
    Attr,
    Call,
    Code,
    Lit,
    Member,
    Prefix,
    SliceCode,
    StateRef,
    Subscript,
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
from specc.ops.tolerances import SUMMED

_ONES, _ZEROS = Initializer(name="ones"), Initializer(name="zeros")

# ---- BatchNorm -----------------------------------------------------------------------------------


def _infer_batch_norm(c: Inference, x: TensorType) -> TensorType:
    c.rank(0, "[N, C], [N, C, L], [N, C, H, W] or [N, C, D, H, W]", 2, 3, 4, 5)
    c.floating(0)
    c.derive("num_features", c.known(0, 1, "the number of channels"))
    if not c["track_running_stats"]:
        count: Dim = 1
        for size in (x.shape[0], *x.shape[2:]):
            count = count * size
        # PyTorch refuses statistics of a single value, whose variance is 0.
        c.size(count - 1, "the values of a channel beyond the first")
    return x


def _batch_norm_function(s: CodeSite) -> Code:
    """Batch statistics while training, and always where no running ones are kept."""
    tracked = s.flag("track_running_stats")
    return call(
        "F.batch_norm",
        X,
        StateRef("running_mean") if tracked else Lit(None),
        StateRef("running_var") if tracked else Lit(None),
        StateRef("weight"),
        StateRef("bias"),
        training=Training() if tracked else Lit(True),
        momentum="momentum",
        eps="eps",
    )


def _batch_norm_module(s: CodeSite) -> Call:
    return call(
        f"nn.BatchNorm{max(s.types[0].rank - 2, 1)}d",  # 1d takes [N, C] and [N, C, L]
        "num_features",
        eps="eps",
        momentum="momentum",
        affine="affine",
        track_running_stats="track_running_stats",
    )


def _batch_norm_to_onnx(b: Builder, s: Site) -> Handle:
    dtype, channels = s.type.dtype, s["num_features"]
    scale, bias = s.state("weight"), s.state("bias")
    if scale is None:
        scale = b.constant([1.0] * channels, dtype)
        bias = b.constant([0.0] * channels, dtype)
    mean, variance = s.state("running_mean"), s.state("running_var")
    if mean is None:
        # Statistics of the batch itself: normalize first, then scale and shift.
        axes = [axis for axis in range(s.type.rank) if axis != 1]
        centred = b.op("Sub", s.x, reduce_mean(b, s.x, axes))
        spread = reduce_mean(b, b.op("Mul", centred, centred), axes)
        deviation = b.op("Sqrt", b.op("Add", spread, b.constant(s["eps"], dtype)))
        normal = b.op("Div", centred, deviation)
        if s.state("weight") is None:
            return normal
        shape = b.constant([channels] + [1] * (s.type.rank - 2), DType.I64)
        scaled = b.op("Mul", normal, b.op("Reshape", scale, shape))
        return b.op("Add", scaled, b.op("Reshape", bias, shape))
    return b.op("BatchNormalization", s.x, scale, bias, mean, variance, epsilon=s["eps"])


def _channels(attributes: Values) -> tuple[int, ...]:
    return (attributes["num_features"],)


BatchNorm = Operator(
    name="BatchNorm",
    summary="Normalizes each channel over the batch and the spatial dims.",
    details=(
        "`[N, C]` up to `[N, C, D, H, W]`; the number of channels must be known when compiling. "
        "While training, the statistics are the batch's own, and the running ones move towards "
        "them by `momentum`; in evaluation they are the running ones. With "
        "`track_running_stats=false` none are kept and the batch's own serve always."
    ),
    layer=True,
    inputs=(Input("x"),),
    arguments=(
        Argument("eps", EPSILON, 1e-5),
        Argument("momentum", PROBABILITY, 0.1, training_only=True),
        Argument("affine", FLAG, True),
        Argument("track_running_stats", FLAG, True),
    ),
    state=(
        StateSlot("weight", _channels, lambda a: _ONES, when=lambda a: bool(a["affine"])),
        StateSlot("bias", _channels, lambda a: _ZEROS, when=lambda a: bool(a["affine"])),
        StateSlot(
            "running_mean",
            _channels,
            lambda a: _ZEROS,
            role="buffer",
            when=lambda a: bool(a["track_running_stats"]),
        ),
        StateSlot(
            "running_var",
            _channels,
            lambda a: _ONES,
            role="buffer",
            when=lambda a: bool(a["track_running_stats"]),
        ),
        StateSlot(
            "num_batches_tracked",
            lambda a: (),
            lambda a: _ZEROS,
            role="buffer",
            when=lambda a: bool(a["track_running_stats"]),
            dtype=DType.I64,
        ),
    ),
    infer=_infer_batch_norm,
    torch=Torch(
        function=_batch_norm_function, module=_batch_norm_module, counter="num_batches_tracked"
    ),
    onnx={17: _batch_norm_to_onnx},
    onnx_note=(
        "It is `BatchNormalization`; with `track_running_stats=false` formulas, since that one "
        "takes the batch's own statistics in training alone."
    ),
    tolerance=SUMMED,
    samples=(
        sample("f32[5, 3]"),
        sample("f32[N, 3, H, W]"),
        sample("f32[N, 3, H, W]", eps=0.1),
        sample("f32[N, 3, L]", affine=False),
        sample("f32[N, 3, H, W]", momentum=0.4),
        sample("f32[N, 3, D, 4, 5]"),
        sample("f32[4, 3, 5, 6]", track_running_stats=False),
        sample("f32[6, 3]", track_running_stats=False, affine=False),
        sample("f64[N, 3, H, W]"),
        sample("f16[N, 3, H, W]"),
    ),
    rejects=(
        reject("rank-mismatch", "f32[3]"),
        reject("rank-mismatch", "f32[1, 1, 1, 1, 1, 1]"),
        reject("dtype-mismatch", "i32[2, 3]"),
        reject("unknown-size", "f32[2, C]"),
        reject("bad-argument", "f32[2, 3]", eps=-1.0),
        reject("bad-argument", "f32[2, 3]", momentum=1.5),
        reject("bad-argument", "f32[2, 3]", affine=0),
    ),
)

# ---- LayerNorm -----------------------------------------------------------------------------------


def infer_last_dims(c: Inference, x: TensorType) -> TensorType:
    """The rule of a layer that normalizes the last ``dims`` dims; derives ``normalized_shape``."""
    dims = c["dims"]
    c.rank(0, f"a tensor of at least {dims} dim{'s' if dims > 1 else ''}", least=dims)
    c.floating(0)
    names = ["the last dim"] if dims == 1 else [f"dim {axis - dims}" for axis in range(dims)]
    shape = tuple(c.known(0, axis - dims, name) for axis, name in enumerate(names))
    c.derive("normalized_shape", shape[0] if dims == 1 else shape)
    return x


def normalized_shape(attributes: Values) -> tuple[int, ...]:
    """The sizes of the dims that are normalized, which is the shape of the weight."""
    shape = attributes["normalized_shape"]
    return shape if isinstance(shape, tuple) else (shape,)


def _layer_norm_to_onnx(b: Builder, s: Site) -> Handle:
    scale = s.state("weight")
    if scale is None:
        import numpy as np  # not where the file begins: a check of a spec does without

        scale = b.constant(np.ones(normalized_shape(s.attributes)), s.type.dtype)
    return b.op(
        "LayerNormalization",
        s.x,
        scale,
        s.state("bias"),
        axis=-s["dims"],
        epsilon=s["eps"],
        stash_type=11 if s.type.dtype is DType.F64 else None,  # what it computes in; else f32
    )


LAST_DIMS = Subscript(Member(X, "shape"), (SliceCode(Prefix("-", Attr("dims"))),))
"""``x.shape[-dims:]``"""

LayerNorm = Operator(
    name="LayerNorm",
    summary="Normalizes each example over its last dim, or its last `dims` dims.",
    details=(
        "The sizes of the dims that are normalized must be known when compiling. "
        "torch.nn.LayerNorm takes them as `normalized_shape`; here they are read off the input, "
        "and `dims` says how many."
    ),
    layer=True,
    inputs=(Input("x"),),
    arguments=(
        Argument("dims", SIZE, 1),
        Argument("eps", EPSILON, 1e-5),
        Argument("elementwise_affine", FLAG, True),
        Argument("bias", FLAG, True),
    ),
    state=(
        StateSlot(
            "weight",
            normalized_shape,
            lambda a: _ONES,
            when=lambda a: bool(a["elementwise_affine"]),
        ),
        StateSlot(
            "bias",
            normalized_shape,
            lambda a: _ZEROS,
            when=lambda a: bool(a["elementwise_affine"] and a["bias"]),
        ),
    ),
    infer=infer_last_dims,
    torch=Torch(
        function=call(
            "F.layer_norm", X, LAST_DIMS, StateRef("weight"), StateRef("bias"), eps="eps"
        ),
        module=call(
            "nn.LayerNorm",
            "normalized_shape",
            eps="eps",
            elementwise_affine="elementwise_affine",
            bias="bias",
        ),
    ),
    onnx={17: _layer_norm_to_onnx},
    onnx_note="It is `LayerNormalization`, whose eps is an f32, in f64 too.",
    tolerance=SUMMED,
    samples=(
        sample("f32[4, 6]"),
        sample("f32[N, T, 8]"),
        sample("f32[N, T, 8]", eps=0.1),
        sample("f32[N, T, 8]", bias=False),
        sample("f32[N, T, 8]", elementwise_affine=False),
        sample("f32[N, 3, 4, 5]", dims=3),
        sample("f32[N, 4, 5]", dims=2, elementwise_affine=False, eps=1e-3),
        sample("f32[8]"),
        sample("f64[N, 8]"),
        sample("f16[N, T, 8]"),
    ),
    rejects=(
        reject("rank-mismatch", "f32[]"),
        reject("rank-mismatch", "f32[3]", dims=2),
        reject("dtype-mismatch", "i64[2, 3]"),
        reject("unknown-size", "f32[2, T]"),
        reject("unknown-size", "f32[2, T, 3]", dims=2),
        reject("bad-argument", "f32[2, 3]", dims=0),
        reject("bad-argument", "f32[2, 3]", eps=-1e-5),
        reject("bad-argument", "f32[2, 3]", bias=1),
    ),
)

OPERATORS = (BatchNorm, LayerNorm)
