"""Activations: the functions of torch.nn.functional under their own names, and PReLU."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from specc.ir.types import TensorType
from specc.ops.arguments import INT, Argument
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Attr, Code, X, call
from specc.ops.operator import (
    Inference,
    Input,
    Operator,
    Reject,
    Sample,
    Torch,
    reject,
    sample,
)
from specc.ops.tolerances import ELEMENTWISE

ToOnnx = Callable[[Builder, Site], Handle]


def _same(c: Inference, x: TensorType) -> TensorType:
    c.floating(0)
    return x


def _activation(
    name: str,
    summary: str,
    *,
    module: str,
    onnx: ToOnnx | Mapping[int, ToOnnx],
    function: str = "",
    arguments: Sequence[Argument] = (),
    always: Sequence[str] = (),
    infer: Callable[[Inference, TensorType], TensorType] = _same,
    samples: Sequence[Sample] = (),
    rejects: Sequence[Reject] = (),
    details: str = "",
) -> Operator:
    """An entry whose function and torch.nn class take the same keywords, its own arguments.

    ``always`` are those that PyTorch gives no default, so that they are written in any case.
    """
    keywords: dict[str, Code] = {
        argument.name: Attr(argument.name, always=argument.name in always) for argument in arguments
    }
    return Operator(
        name=name,
        summary=summary,
        details=details,
        inputs=(Input("x"),),
        arguments=tuple(arguments),
        infer=infer,
        torch=Torch(
            function=call(function or f"F.{name}", X, **keywords),
            module=call(f"nn.{module}", **keywords),
        ),
        onnx=onnx if isinstance(onnx, Mapping) else {17: onnx},
        tolerance=ELEMENTWISE,
        samples=(
            sample("f32[N, 5]"),
            sample("f32[2, 3, 4, 4]"),
            sample("f16[N, 6]"),
            *samples,
        ),
        rejects=(reject("dtype-mismatch", "i64[2, 4]"), *rejects),
    )


def _node(op_type: str, **attributes: str) -> ToOnnx:
    """The ONNX operator of this type; a keyword names the argument that gives its value."""

    def to_onnx(b: Builder, s: Site) -> Handle:
        return b.op(op_type, s.x, **{key: s[name] for key, name in attributes.items()})

    return to_onnx


# ---- rectifiers ----------------------------------------------------------------------------------


def _clip(b: Builder, s: Site, low: float, high: float) -> Handle:
    dtype = s.type.dtype
    return b.op("Clip", s.x, b.constant(low, dtype), b.constant(high, dtype))


relu = _activation("relu", "max(x, 0)", module="ReLU", onnx=_node("Relu"))

# ---- sigmoids ------------------------------------------------------------------------------------

sigmoid = _activation(
    "sigmoid",
    "1 / (1 + exp(-x))",
    module="Sigmoid",
    function="torch.sigmoid",
    onnx=_node("Sigmoid"),
)

tanh = _activation(
    "tanh", "The hyperbolic tangent.", module="Tanh", function="torch.tanh", onnx=_node("Tanh")
)

# ---- softmax -------------------------------------------------------------------------------------

_DIM = Argument("dim", INT, -1)


def _infer_along_dim(c: Inference, x: TensorType) -> TensorType:
    c.rank(0, "a tensor of at least one dim", least=1)
    c.floating(0)
    c.axis("dim", c["dim"], x.rank)
    return x


_SOFTMAX: dict[str, Any] = {
    "arguments": (_DIM,),
    "always": ("dim",),  # without it PyTorch guesses the dim, and warns
    "infer": _infer_along_dim,
    "samples": (
        sample("f32[N, 3, H, W]", dim=1),
        sample("f32[N, 6]", dim=0),
        sample("f64[2, T]", dim=-2),
    ),
    "rejects": (
        reject("rank-mismatch", "f32[]"),
        reject("bad-argument", "f32[2, 3]", dim=2),
        reject("bad-argument", "f32[2, 3]", dim=1.5),
    ),
}

softmax = _activation(
    "softmax",
    "exp(x) / sum(exp(x)) along dim",
    module="Softmax",
    onnx=_node("Softmax", axis="dim"),
    **_SOFTMAX,
)

log_softmax = _activation(
    "log_softmax",
    "log(softmax(x)) along dim, computed without underflow",
    module="LogSoftmax",
    onnx=_node("LogSoftmax", axis="dim"),
    **_SOFTMAX,
)

OPERATORS = (
    relu,
    sigmoid,
    tanh,
    softmax,
    log_softmax,
)
