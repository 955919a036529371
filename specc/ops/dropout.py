"""Dropout."""

from __future__ import annotations

from specc.ir.types import TensorType
from specc.ops.arguments import PROBABILITY, Argument
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Training, X, call
from specc.ops.operator import Inference, Input, Operator, Torch, reject, sample


def _infer(c: Inference, x: TensorType) -> TensorType:
    c.floating(0)
    return x


def _to_onnx(b: Builder, s: Site) -> Handle:
    return s.x


Dropout = Operator(
    name="Dropout",
    summary="Zeroes elements with probability p while training, and scales the rest by 1/(1-p).",
    details="The identity in evaluation, and so in ONNX, where it leaves no node.",
    layer=True,
    random=True,
    inputs=(Input("x"),),
    arguments=(Argument("p", PROBABILITY, 0.5, training_only=True),),
    infer=_infer,
    torch=Torch(
        function=call("F.dropout", X, p="p", training=Training()),
        module=call("nn.Dropout", "p"),
    ),
    onnx={17: _to_onnx},
    tolerance={"f16": 0.0, "f32": 0.0},
    samples=(
        sample("f32[N, 50]"),
        sample("f32[N, 3, H, 4]", p=0.1),
        sample("f16[2, 30]", p=1.0),
    ),
    rejects=(
        reject("dtype-mismatch", "i64[2, 4]"),
        reject("bad-argument", "f32[2, 4]", p=1.5),
        reject("bad-argument", "f32[2, 4]", p=-0.1),
        reject("bad-argument", "f32[2, 4]", p=True),
    ),
)

OPERATORS = (Dropout,)
