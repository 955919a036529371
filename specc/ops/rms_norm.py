"""Normalization by the root mean square: RMSNorm."""

from __future__ import annotations

from specc.ir.initializer import Initializer
from specc.ir.types import DType
from specc.ops.arguments import EPSILON, FLAG, SIZE, Argument, optional
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import StateRef, X, call
from specc.ops.norm import LAST_DIMS, infer_last_dims, normalized_shape
from specc.ops.operator import Input, Operator, StateSlot, Torch, reject, sample
from specc.ops.parts import reduce_mean
from specc.ops.tolerances import SUMMED


def _eps(s: Site) -> float:
    """PyTorch's default: the spacing of floats at 1 in the dtype that it computes in."""
    if s["eps"] is not None:
        return float(s["eps"])
    return 2.0**-52 if s.type.dtype is DType.F64 else 2.0**-23


def _decomposed(b: Builder, s: Site) -> Handle:
    """By definition, computed in f32 at least, as in PyTorch."""
    dtype = s.type.dtype
    wide = DType.F64 if dtype is DType.F64 else DType.F32
    x = b.cast(s.x, wide)
    axes = list(range(s.type.rank - s["dims"], s.type.rank))
    square = reduce_mean(b, b.op("Mul", x, x), axes)
    root = b.op("Sqrt", b.op("Add", square, b.constant(_eps(s), wide)))
    normal = b.cast(b.op("Div", x, root), dtype)
    weight = s.state("weight")
    return normal if weight is None else b.op("Mul", normal, weight)


def _fused(b: Builder, s: Site) -> Handle:
    if s.type.dtype is DType.F64:  # whose eps would be rounded: an attribute is an f32
        return _decomposed(b, s)
    scale = s.state("weight")
    if scale is None:
        import numpy as np  # not where the file begins: a check of a spec does without

        scale = b.constant(np.ones(normalized_shape(s.attributes)), s.type.dtype)
    return b.op("RMSNormalization", s.x, scale, axis=-s["dims"], epsilon=_eps(s))


RMSNorm = Operator(
    name="RMSNorm",
    summary="Divides by the root mean square of the last dim, or of the last `dims` dims.",
    details=(
        "The sizes of these dims must be known when compiling. `eps` is, where it is none, that "
        "of torch.nn.RMSNorm: the spacing of floats at 1 (2^-23; of f64 2^-52)."
    ),
    layer=True,
    inputs=(Input("x"),),
    arguments=(
        Argument("dims", SIZE, 1),
        Argument("eps", optional(EPSILON), None),
        Argument("elementwise_affine", FLAG, True),
    ),
    state=(
        StateSlot(
            "weight",
            normalized_shape,
            lambda a: Initializer(name="ones"),
            when=lambda a: bool(a["elementwise_affine"]),
        ),
    ),
    infer=infer_last_dims,
    torch=Torch(
        function=call("F.rms_norm", X, LAST_DIMS, StateRef("weight"), eps="eps"),
        module=call(
            "nn.RMSNorm", "normalized_shape", eps="eps", elementwise_affine="elementwise_affine"
        ),
    ),
    onnx={17: _decomposed, 23: _fused},
    onnx_note="It is `RMSNormalization` from 23 on, but in f64: its eps is an f32.",
    tolerance=SUMMED,
    samples=(
        sample("f32[N, T, 8]"),
        sample("f32[N, T, 8]", eps=0.1),
        sample("f32[N, T, 8]", elementwise_affine=False),
        sample("f32[N, 4, 5]", dims=2),
        sample("f32[N, 4, 5]", dims=2, elementwise_affine=False, eps=1e-3),
        sample("f32[8]"),
        sample("f64[N, 8]"),
        sample("f64[N, 8]", eps=0.1),
        sample("f16[N, T, 8]"),
    ),
    rejects=(
        reject("rank-mismatch", "f32[]"),
        reject("rank-mismatch", "f32[3]", dims=2),
        reject("dtype-mismatch", "i64[2, 3]"),
        reject("unknown-size", "f32[2, T]"),
        reject("bad-argument", "f32[2, 3]", dims=0),
        reject("bad-argument", "f32[2, 3]", eps=-1e-5),
        reject("bad-argument", "f32[2, 3]", elementwise_affine=1),
    ),
)

OPERATORS = (RMSNorm,)
