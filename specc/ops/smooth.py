"""Smooth activations: exponential, sigmoid and gated linear units."""

from __future__ import annotations

import math

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import SizeMismatch
from specc.ir.types import DType, TensorType
from specc.ops.activation_entry import activation, node
from specc.ops.arguments import FLOAT, Argument, choice
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import X, call
from specc.ops.operator import Drawn, Inference, Input, Operator, Torch, reject, sample
from specc.ops.softmax import DIM, infer_along_dim
from specc.ops.tolerances import ELEMENTWISE

elu = activation(
    "elu",
    "x where x > 0, else alpha * (exp(x) - 1)",
    module="ELU",
    arguments=(Argument("alpha", FLOAT, 1.0),),
    onnx=node("Elu", alpha="alpha"),
    samples=(sample("f32[N, 5]", alpha=0.3),),
    rejects=(reject("bad-argument", "f32[2]", alpha="one"),),
)


def _selu_to_onnx(b: Builder, s: Site) -> Handle:
    # Klambauer et al., 2017; the constants of PyTorch.
    return b.op("Selu", s.x, alpha=1.6732632423543772, gamma=1.0507009873554805)


selu = activation(
    "selu",
    "scale * (x where x > 0, else alpha * (exp(x) - 1)), which keeps mean 0 and variance 1",
    module="SELU",
    onnx=_selu_to_onnx,
)


def _infer_celu(c: Inference, x: TensorType) -> TensorType:
    c.floating(0)
    c.require(c["alpha"] != 0, "alpha", "other than 0")
    return x


def _celu_to_onnx(b: Builder, s: Site) -> Handle:
    if s.type.dtype is DType.F32:  # the only one that ONNX's own Celu takes
        return b.op("Celu", s.x, alpha=s["alpha"])
    dtype = s.type.dtype
    zero, one, alpha = (b.constant(value, dtype) for value in (0.0, 1.0, s["alpha"]))
    raised = b.op("Sub", b.op("Exp", b.op("Div", s.x, alpha)), one)
    negative = b.op("Min", b.op("Mul", alpha, raised), zero)
    return b.op("Add", b.op("Max", s.x, zero), negative)


celu = activation(
    "celu",
    "max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))",
    module="CELU",
    arguments=(Argument("alpha", FLOAT, 1.0),),
    infer=_infer_celu,
    onnx=_celu_to_onnx,
    samples=(sample("f32[N, 5]", alpha=0.3), sample("f64[N, 9]", alpha=2.5)),
    rejects=(reject("bad-argument", "f32[2]", alpha=0.0),),
)


def _infer_softplus(c: Inference, x: TensorType) -> TensorType:
    c.floating(0)
    c.require(c["beta"] != 0, "beta", "other than 0")
    return x


def _softplus_to_onnx(b: Builder, s: Site) -> Handle:
    """PyTorch is linear above the threshold.

    At the usual one, 20, softplus(x) - x is below what single precision can tell from x.
    """
    dtype = s.type.dtype
    scaled = s.x if s["beta"] == 1 else b.op("Mul", s.x, b.constant(s["beta"], dtype))
    soft = b.op("Softplus", scaled)
    if s["beta"] != 1:
        soft = b.op("Div", soft, b.constant(s["beta"], dtype))
    if s["threshold"] >= 20 and dtype is not DType.F64:
        return soft
    linear = b.op("Greater", scaled, b.constant(s["threshold"], dtype))
    return b.op("Where", linear, s.x, soft)


softplus = activation(
    "softplus",
    "log(1 + exp(beta * x)) / beta, and x itself where beta * x > threshold",
    module="Softplus",
    arguments=(Argument("beta", FLOAT, 1.0), Argument("threshold", FLOAT, 20.0)),
    infer=_infer_softplus,
    onnx=_softplus_to_onnx,
    samples=(
        sample("f32[N, 9]", beta=2.0),
        sample("f32[N, 9]", threshold=0.5),
        sample(Drawn("f32[N, 9]", -200.0, 200.0), beta=0.5, threshold=30.0),
        sample("f64[N, 9]", beta=-1.5),
    ),
    rejects=(reject("bad-argument", "f32[2]", beta=0),),
)


# ---- sigmoids ------------------------------------------------------------------------------------

sigmoid = activation(
    "sigmoid",
    "1 / (1 + exp(-x))",
    module="Sigmoid",
    function="torch.sigmoid",
    onnx=node("Sigmoid"),
)

tanh = activation(
    "tanh", "The hyperbolic tangent.", module="Tanh", function="torch.tanh", onnx=node("Tanh")
)


def _hardsigmoid_to_onnx(b: Builder, s: Site) -> Handle:
    return b.op("HardSigmoid", s.x, alpha=1 / 6, beta=0.5)


hardsigmoid = activation(
    "hardsigmoid", "relu6(x + 3) / 6", module="Hardsigmoid", onnx=_hardsigmoid_to_onnx
)


def _logsigmoid_to_onnx(b: Builder, s: Site) -> Handle:
    return b.op("Neg", b.op("Softplus", b.op("Neg", s.x)))


logsigmoid = activation(
    "logsigmoid",
    "log(sigmoid(x)), computed without underflow",
    module="LogSigmoid",
    onnx=_logsigmoid_to_onnx,
    samples=(sample(Drawn("f32[N, 9]", -200.0, 200.0)),),
)

softsign = activation("softsign", "x / (1 + |x|)", module="Softsign", onnx=node("Softsign"))


def _tanhshrink_to_onnx(b: Builder, s: Site) -> Handle:
    return b.op("Sub", s.x, b.op("Tanh", s.x))


tanhshrink = activation("tanhshrink", "x - tanh(x)", module="Tanhshrink", onnx=_tanhshrink_to_onnx)

# ---- gated linear units and their like -----------------------------------------------------------


def _gelu_by_erf(b: Builder, s: Site) -> Handle:
    """Gelu as formulas, up to opset 19; the exact one in the form that onnxruntime fuses."""
    x, dtype = s.x, s.type.dtype
    one, half = b.constant(1.0, dtype), b.constant(0.5, dtype)
    if s["approximate"] == "none":
        bell = b.op("Erf", b.op("Div", x, b.constant(math.sqrt(2), dtype)))
    else:
        cube = b.op("Mul", b.op("Mul", x, x), x)
        bent = b.op("Add", x, b.op("Mul", cube, b.constant(0.044715, dtype)))
        bell = b.op("Tanh", b.op("Mul", bent, b.constant(math.sqrt(2 / math.pi), dtype)))
    return b.op("Mul", b.op("Mul", x, b.op("Add", bell, one)), half)


gelu = activation(
    "gelu",
    "x * Φ(x), with the normal distribution's Φ or its tanh approximation",
    module="GELU",
    arguments=(Argument("approximate", choice("none", "tanh"), "none"),),
    onnx={17: _gelu_by_erf, 20: node("Gelu", approximate="approximate")},
    onnx_note="It is `Gelu` from 20 on.",
    samples=(sample("f32[N, 50]", approximate="tanh"),),
    rejects=(reject("bad-argument", "f32[2]", approximate="erf"),),
)


def _silu_to_onnx(b: Builder, s: Site) -> Handle:
    # Not Swish (24): onnxruntime has no kernel for it and multiplies by its alpha of 1 besides.
    return b.op("Mul", s.x, b.op("Sigmoid", s.x))


silu = activation(
    "silu",
    "x * sigmoid(x), also known as swish",
    module="SiLU",
    onnx=_silu_to_onnx,
    onnx_note=(
        "It is `Sigmoid` and `Mul` at every opset: `Swish`, from 24 on, runs less than half as "
        "fast in onnxruntime, which has no kernel of it."
    ),
)


def _mish_by_softplus(b: Builder, s: Site) -> Handle:
    return b.op("Mul", s.x, b.op("Tanh", b.op("Softplus", s.x)))


mish = activation(
    "mish",
    "x * tanh(softplus(x))",
    module="Mish",
    onnx={17: _mish_by_softplus, 18: node("Mish")},
    onnx_note="It is `Mish` from 18 on.",
)

hardswish = activation(
    "hardswish", "x * relu6(x + 3) / 6", module="Hardswish", onnx=node("HardSwish")
)


def _infer_glu(c: Inference, x: TensorType) -> TensorType:
    infer_along_dim(c, x)
    size = x.shape[c["dim"]]
    odd = SizeMismatch(
        operator="glu", operands=(0,), what=f"dim {c['dim']}", expected="even", found=str(size)
    )
    half = size // 2
    c.same_size(size, 2 * half, Fault(odd), "glu splits it into two halves")
    return x.with_dim(c["dim"], c.size(half, "half of the dim"))


def _glu_to_onnx(b: Builder, s: Site) -> Handle:
    number = 2 if b.opset >= 18 else None  # below, two outputs mean two halves
    value, gate = b.op("Split", s.x, outputs=2, axis=s["dim"], num_outputs=number)
    return b.op("Mul", value, b.op("Sigmoid", gate))


glu = Operator(
    name="glu",
    summary="a * sigmoid(b), where a and b are the halves of x along dim",
    inputs=(Input("x"),),
    arguments=(DIM,),
    infer=_infer_glu,
    torch=Torch(function=call("F.glu", X, dim="dim"), module=call("nn.GLU", dim="dim")),
    onnx={17: _glu_to_onnx},
    tolerance=ELEMENTWISE,
    samples=(
        sample("f32[N, 6]"),
        sample("f32[N, 4, 4]", dim=1),
        sample("f32[3, 2*T]"),
        sample("f16[2, 8]"),
    ),
    rejects=(
        reject("dtype-mismatch", "i64[2, 4]"),
        reject("rank-mismatch", "f32[]"),
        reject("size-mismatch", "f32[2, 5]"),
        reject("bad-argument", "f32[2, 4]", dim=2),
    ),
)
