"""Vectors that are brought to length 1."""

from __future__ import annotations

from specc.ir.types import TensorType
from specc.ops.arguments import AXIS, EPSILON, Argument, number
from specc.ops.axes import counted
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import X, call
from specc.ops.operator import Inference, Input, Operator, Torch, reject, sample
from specc.ops.reducing import reduce_over
from specc.ops.tolerances import SUMMED

_NORMS = {1.0: "ReduceL1", 2.0: "ReduceL2"}


def _infer(c: Inference, x: TensorType) -> TensorType:
    c.floating(0)
    c.axis("dim", c["dim"], x.rank)
    c.require(c["p"] > 0, "p", "a number above 0")
    return x


def _to_onnx(b: Builder, s: Site) -> Handle:
    axes, p, dtype = counted(s["dim"], s.type.rank), s["p"], s.type.dtype
    if p in _NORMS:
        length = reduce_over(b, _NORMS[p], s.x, axes, True)
    else:
        powers = b.op("Pow", b.op("Abs", s.x), b.constant(p, dtype))
        total = reduce_over(b, "ReduceSum", powers, axes, True)
        length = b.op("Pow", total, b.constant(1 / p, dtype))
    return b.op("Div", s.x, b.op("Max", length, b.constant(s["eps"], dtype)))


OPERATORS = (
    Operator(
        name="normalize",
        summary="x / max(length, eps), where the length is the p-norm along `dim`.",
        details=(
            "The p-norm is the sum of |x|^p, to the power 1 / p: with p = 2 the usual length. The "
            "cosine of two vectors is the sum of the product of both, normalized."
        ),
        family="normalize",
        tolerance=SUMMED,
        inputs=(Input("x"),),
        arguments=(
            Argument("p", number(), 2.0),
            Argument("dim", AXIS, 1),
            Argument("eps", EPSILON, 1e-12),
        ),
        infer=_infer,
        torch=Torch(call("F.normalize", X, p="p", dim="dim", eps="eps")),
        onnx={17: _to_onnx},
        samples=(
            sample("f32[N, 6]"),
            sample("f32[N, T, 4]", dim=-1),
            sample("f32[N, 3, H, W]", p=1),
            sample("f32[N, 5]", p=3.0, dim=0),
            sample("f32[N, 6]", eps=5.0),
            sample("f64[N, 6]", p=1.5),
        ),
        rejects=(
            reject("dtype-mismatch", "i64[2, 3]"),
            reject("bad-argument", "f32[3]"),
            reject("bad-argument", "f32[2, 3]", p=0),
            reject("bad-argument", "f32[2, 3]", eps=-1.0),
        ),
    ),
)
