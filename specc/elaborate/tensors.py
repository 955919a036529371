"""The language's infix operators on tensors: promotion explicit, literals as attributes."""

from __future__ import annotations

from specc.elaborate.calls import result_of
from specc.elaborate.context import Frame
from specc.elaborate.facts import BadOperands
from specc.elaborate.operands import is_tensor
from specc.elaborate.operate import as_tensor, operate
from specc.elaborate.values import Tensor, Value, describe
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault
from specc.ir.dims import Expr
from specc.ir.types import DType
from specc.ops.operator import Operator

_TENSOR_OPERATORS = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "//": "floor_div",
    "%": "mod",
    "**": "pow",
    "@": "matmul",
    "==": "eq",
    "!=": "ne",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
    "and": "logical_and",
    "or": "logical_or",
}


def operator_named(frame: Frame, name: str) -> Operator:
    """A built-in operator, whatever the spec calls so."""
    scope = frame.scope
    while scope.parent is not None:
        scope = scope.parent
    value = scope.names[name].value
    operator = value.operator
    assert isinstance(operator, Operator)
    return operator


def on_tensors(frame: Frame, node: syntax.Binary, left: Value, right: Value) -> Value:
    """``left operator right`` where at least one side is a tensor."""
    if (left is None or right is None) and node.operator in ("==", "!="):
        return node.operator == "!="  # `mask == none` is known when compiling
    operator = operator_named(frame, _TENSOR_OPERATORS[node.operator])
    operands = [
        as_tensor(frame, value, side.span) if is_tensor(value) else value
        for value, side in ((left, node.left), (right, node.right))
    ]
    first, second = operands
    if isinstance(first, Tensor) and isinstance(second, bool) and node.operator in ("and", "or"):
        decides = second is (node.operator == "or")
        if first.type.dtype is DType.BOOL and not (decides and first.type.rank):
            return second if decides else first  # as where the bool stands on the left
    literals: dict[str, Value] = {}
    for name, value in zip(("left", "right"), operands, strict=True):
        if isinstance(value, Tensor):
            continue
        if not isinstance(value, int | float | Expr) or operator.argument(name) is None:
            raise Fault(
                BadOperands(operator=node.operator, left=describe(left), right=describe(right))
            )
        literals[name] = value
    tensors = tuple(value for value in operands if isinstance(value, Tensor))
    return result_of(operate(frame, operator, literals, tensors, node.span))
