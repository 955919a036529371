"""What operators on two operands share: literals as operands, shape and dtype rules, lowerings.

An entry made here takes two tensors of one dtype, or one tensor and a number: ``x / 2`` is the
input x with ``right=2``, ``1 - x`` the input x with ``left=1``. The number may be a symbolic size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isnan
from typing import Any

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import BadArgument, DtypeMismatch, ShapeMismatch
from specc.ir.attributes import Attribute
from specc.ir.dims import Dim, Expr
from specc.ir.types import DType, TensorType
from specc.ops.arguments import Argument, Kind, optional
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Attr, Code, Infix, Operand
from specc.ops.operator import (
    CodeSite,
    Inference,
    Input,
    Operator,
    Reject,
    Sample,
    Torch,
    TorchFunction,
    Values,
    reject,
)
from specc.ops.promotion import INTEGER_RANGES, BroadcastMismatch, broadcast, literal_dtype
from specc.ops.tolerances import ELEMENTWISE


def _accept_literal(value: Any) -> Attribute:
    if not isinstance(value, bool | int | float | Expr):
        raise ValueError("a number")
    if isinstance(value, float) and isnan(value):
        raise ValueError("a number, which NaN is not")
    return value


LITERAL = Kind("a number or a size", _accept_literal)
OPERANDS = (
    Argument("left", optional(LITERAL), None, keyword_only=True),
    Argument("right", optional(LITERAL), None, keyword_only=True),
)
INPUTS = (Input("left", optional=True), Input("right", optional=True))


def broadcast_shapes(c: Inference, left: int, right: int, verb: str = "combine") -> tuple[Dim, ...]:
    """The common shape of two inputs. Raises a Fault with ShapeMismatch where there is none."""
    return broadcast_or_refuse(c, c.types[left].shape, c.types[right].shape, (left, right), verb)


def broadcast_or_refuse(
    c: Inference,
    left: tuple[Dim, ...],
    right: tuple[Dim, ...],
    operands: tuple[int, ...],
    verb: str,
) -> tuple[Dim, ...]:
    """The common shape of two shapes. Raises a Fault with ShapeMismatch where there is none."""
    shape = broadcast(left, right)
    if not isinstance(shape, BroadcastMismatch):
        return shape
    advice = "give both the same width" if shape.axis == -1 else None
    if not shape.is_certain:
        advice = "a symbolic size broadcasts only with itself and with 1"
    if not shape.is_certain and all(str(size).isalnum() for size in (shape.left, shape.right)):
        advice = "a symbolic size broadcasts only with itself and with 1: give both one name"
    raise Fault(
        ShapeMismatch(
            operator=c.operator.name,
            operands=operands,
            left=TensorType(DType.F32, left).shape_text,
            right=TensorType(DType.F32, right).shape_text,
            left_size=str(shape.left),
            right_size=str(shape.right),
            position=shape.position(len(left), len(right)),
            verb=verb,
            advice=advice,
        )
    )


def require_equal_dtypes(c: Inference, *operands: int) -> None:
    """Requires that the inputs have one dtype; the elaborator has inserted the casts."""
    first, *others = operands
    for operand in others:
        if c.types[operand].dtype is not c.types[first].dtype:
            raise Fault(
                DtypeMismatch(
                    operator=c.operator.name,
                    operands=(first, operand),
                    expected=f"operands of one dtype ({c.types[first].dtype.value})",
                    found=str(c.types[operand]),
                )
            )


def operand_type(c: Inference, verb: str = "combine") -> TensorType:
    """The dtype in which the two operands meet, and their common shape.

    Raises a Fault for operands that are missing or superfluous, for dtypes or shapes that do not go
    together, and for a literal that the integer dtype cannot hold.
    """
    literals = [name for name in ("left", "right") if c[name] is not None]
    for name in literals:
        c.require(len(c.types) + len(literals) == 2, name, "left out where two tensors are given")
    c.require(len(c.types) + len(literals) == 2, "right", "given where there is one tensor")
    if not literals:
        require_equal_dtypes(c, 0, 1)
        return TensorType(c.types[0].dtype, broadcast_shapes(c, 0, 1, verb))
    (name,) = literals
    dtype = literal_dtype(c.types[0].dtype, c[name])
    require_held(c, name, dtype)
    return c.types[0].with_dtype(dtype)


def require_held(c: Inference, argument: str, dtype: DType) -> None:
    """Requires that an integer dtype can hold a literal."""
    value = c[argument]
    if dtype in INTEGER_RANGES and isinstance(value, int):
        low, high = INTEGER_RANGES[dtype]
        c.require(low <= value <= high, argument, f"from {low} to {high} for {dtype.value}")


def require_nonzero(c: Inference, dtype: DType) -> None:
    """Refuses to divide integers by the literal 0, which has no result."""
    if dtype.is_integer and c["right"] == 0 and c["right"] is not None:
        raise Fault(
            BadArgument(
                operator=c.operator.name,
                operands=(),
                argument="right",
                value=str(c["right"]),
                requirement="other than 0 where integers are divided",
            )
        )


def infix(symbol: str) -> Callable[[CodeSite], Code]:
    """``left symbol right``, either of them the literal where there is one."""

    def code(site: CodeSite) -> Code:
        left, right = code_operands(site)
        return Infix(symbol, left, right)

    return code


def notation(symbol: str) -> Callable[[Values], str]:
    """``+ 1``, ``1 -``, and ``+`` between two tensors."""

    def text(attributes: Values) -> str:
        left, right = attributes["left"], attributes["right"]
        return " ".join(str(part) for part in (left, symbol, right) if part is not None)

    return text


def code_operands(site: CodeSite) -> tuple[Code, Code]:
    """Both operands in the emitted Python."""
    if len(site.types) == 2:
        return Operand(0), Operand(1)
    if site.attributes["left"] is None:
        return Operand(0), Attr("right")
    return Attr("left"), Operand(0)


def literal(b: Builder, value: Any, dtype: DType) -> Handle:
    """A number as a scalar of the graph; a size that is only known at run time is computed."""
    if isinstance(value, Expr):
        return b.cast(b.size(value), dtype)
    return b.constant(value, dtype)


def operands(b: Builder, s: Site, dtype: DType) -> tuple[Handle, Handle]:
    """Both operands in ``dtype``."""
    tensors = [convert(b, x, t.dtype, dtype) for x, t in zip(s.inputs, s.types, strict=True)]
    if s["left"] is not None:
        return literal(b, s["left"], dtype), tensors[0]
    if s["right"] is not None:
        return tensors[0], literal(b, s["right"], dtype)
    return tensors[0], tensors[1]


def meeting_dtype(s: Site) -> DType:
    """The dtype in which the operands of a node meet."""
    value = s["left"] if s["left"] is not None else s["right"]
    return s.type.dtype if value is None else literal_dtype(s.type.dtype, value)


def convert(b: Builder, value: Handle, source: DType, dtype: DType) -> Handle:
    """``value`` in another dtype; as it is where it has that dtype."""
    return value if source is dtype else b.cast(value, dtype)


_REJECTS = (
    reject("shape-mismatch", "f32[2, 64]", "f32[2, 32]"),
    reject("shape-mismatch", "f32[N, 3]", "f32[5, 3]"),
    reject("dtype-mismatch", "f32[3]", "i64[3]"),
    reject("bad-argument", "u8[3]", right=300),
    reject("bad-argument", "f32[3]"),
    reject("bad-argument", "f32[3]", "f32[3]", right=2),
)


def infix_operator(
    name: str,
    symbol: str,
    summary: str,
    family: str,
    infer: Callable[..., TensorType],
    lower: Callable[[Builder, Site], Handle],
    samples: Sequence[Sample],
    rejects: Sequence[Reject] = (),
    details: str = "",
    torch: TorchFunction | None = None,
) -> Operator:
    """The entry of the infix operator ``symbol``, element by element.

    ``torch`` is its code where ``left symbol right`` does not do.
    """
    return Operator(
        name=name,
        summary=summary,
        details=details,
        family=family,
        inputs=INPUTS,
        arguments=OPERANDS,
        promotes_from=0,
        infer=infer,
        torch=Torch(torch or infix(symbol)),
        onnx={17: lower},
        samples=samples,
        rejects=(*_REJECTS, *rejects),
        tolerance=ELEMENTWISE,
        notation=notation(symbol),
    )
