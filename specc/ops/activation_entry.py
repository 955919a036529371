"""What the entries of activations have in common: one float tensor in, one out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from specc.ir.types import TensorType
from specc.ops.arguments import Argument
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


def same_type(c: Inference, x: TensorType) -> TensorType:
    """The rule of most: any float tensor gives one like it."""
    c.floating(0)
    return x


def activation(
    name: str,
    summary: str,
    *,
    module: str,
    onnx: ToOnnx | Mapping[int, ToOnnx],
    function: str = "",
    arguments: Sequence[Argument] = (),
    always: Sequence[str] = (),
    infer: Callable[[Inference, TensorType], TensorType] = same_type,
    samples: Sequence[Sample] = (),
    rejects: Sequence[Reject] = (),
    details: str = "",
    onnx_note: str = "",
    overwrites: tuple[str, ...] = (),
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
        onnx_note=onnx_note,
        inputs=(Input("x"),),
        arguments=tuple(arguments),
        infer=infer,
        torch=Torch(
            function=call(function or f"F.{name}", X, **keywords),
            module=call(f"nn.{module}", **keywords),
            overwrites=overwrites,
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


def node(op_type: str, **attributes: str) -> ToOnnx:
    """The ONNX operator of this type; a keyword names the argument that gives its value."""

    def to_onnx(b: Builder, s: Site) -> Handle:
        return b.op(op_type, s.x, **{key: s[name] for key, name in attributes.items()})

    return to_onnx
