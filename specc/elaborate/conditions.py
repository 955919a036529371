"""Conditions: the truth of a compile-time value, and what is not decided yet."""

from __future__ import annotations

from specc.elaborate import arithmetic
from specc.elaborate.context import Frame
from specc.elaborate.facts import BadOperands, WrongType
from specc.elaborate.operands import is_tensor
from specc.elaborate.values import POISON, Poison, Tensor, Undecided, Value, describe
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault


def right_side(frame: Frame, node: syntax.Binary, value: Value) -> Value:
    """The right side of ``and`` or ``or``, where the left one did not decide."""
    if isinstance(value, bool | Undecided | Poison | Tensor):
        return value
    raise Fault(BadOperands(operator=node.operator, left="a condition", right=describe(value)))


def both(frame: Frame, node: syntax.Binary, left: Value, right: Value) -> Value:
    """``left and right`` or ``left or right`` where one of them depends on symbolic sizes."""
    if isinstance(left, Undecided) and isinstance(right, bool):
        left, right = right, left
        if left is (node.operator == "or"):
            return left
        return right
    if isinstance(left, Undecided) and isinstance(right, Undecided) and node.operator == "and":
        return Undecided(left.requirements + right.requirements, f"{left.text} and {right.text}")
    if isinstance(left, Undecided) or isinstance(right, Undecided):
        text = frame.context.sources.text(node.span)
        arithmetic.truth(Undecided((), text), node.operator)
    raise Fault(BadOperands(operator=node.operator, left=describe(left), right=describe(right)))


def truth_of(frame: Frame, value: Value, node: syntax.Expression) -> bool | Poison:
    """The truth of a value; a report and POISON where it has none when compiling."""
    if isinstance(value, Poison):
        return POISON
    if is_tensor(value):
        frame.report(
            WrongType(
                where=node.span,
                what="whether a member is there",
                expected="known when compiling",
                found=describe(value),
                advice="an `if` statement, or `a if c else b`, chooses while the network runs",
            )
        )
        return POISON
    try:
        return arithmetic.truth(value, "if")
    except Fault as fault:
        frame.report(fault.fact, node.span)
        return POISON


def condition_of(frame: Frame, node: syntax.Expression) -> bool | Poison:
    """The truth of a compile-time condition."""
    return truth_of(frame, frame.evaluate(node), node)
