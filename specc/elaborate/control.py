"""What run-time ``if`` and ``while`` have in common: what they assign, and their conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from specc.elaborate.context import Frame
from specc.elaborate.facts import WrongType
from specc.elaborate.operate import as_tensor
from specc.elaborate.values import Poison, Tensor, Value
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault
from specc.ir.types import DType, TensorType

Run: TypeAlias = Callable[[Frame, tuple[syntax.Statement, ...]], Value]
"""What runs statements; these and control flow hold each other."""


def returns(statements: Iterable[syntax.Statement]) -> bool:
    """Whether a ``return`` stands among statements, at any depth."""
    pending = list(statements)
    while pending:
        match pending.pop():
            case syntax.Return():
                return True
            case syntax.If(body=body, otherwise=otherwise):
                pending += (*body, *otherwise)
            case syntax.For(body=body) | syntax.While(body=body) | syntax.OnBlock(body=body):
                pending += body
    return False


def always_returns(statements: tuple[syntax.Statement, ...]) -> bool:
    """Whether every way through statements ends with a ``return``."""
    return any(
        isinstance(statement, syntax.Return)
        or (
            isinstance(statement, syntax.If)
            and always_returns(statement.body)
            and always_returns(statement.otherwise)
        )
        for statement in statements
    )


def assigned_names(statements: Iterable[syntax.Statement]) -> list[str]:
    """The names that statements assign, at any depth, in order."""
    names: dict[str, None] = {}
    pending = list(reversed(list(statements)))
    while pending:
        statement = pending.pop()
        if isinstance(statement, syntax.Assignment):
            names.update(dict.fromkeys(target.name for target in statement.targets))
        elif isinstance(statement, syntax.If):
            pending.extend(reversed((*statement.body, *statement.otherwise)))
        elif isinstance(statement, syntax.For | syntax.While | syntax.OnBlock):
            pending.extend(reversed(statement.body))
    return list(names)


def condition_tensor(frame: Frame, value: Value, node: syntax.Expression) -> Tensor | Poison:
    """The tensor that decides. Raises a Fault where it is no scalar bool."""
    tensor = as_tensor(frame, value, node.span)
    if isinstance(tensor, Tensor) and tensor.type != TensorType(DType.BOOL, ()):
        raise Fault(
            WrongType(
                where=node.span,
                what="a condition",
                expected="a scalar bool, bool[]",
                found=f"{tensor.type}",
                advice="compare, and reduce with `all` or `any`",
            )
        )
    return tensor
