"""Runs an entry's PyTorch lowering straight from its data, with no printer in between.

So that a fault of the printer and a fault of an entry show apart from each other.
"""

from __future__ import annotations

import builtins
import importlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from specc.ir.dims import Expr, evaluate
from specc.ir.types import DType
from specc.ops import code
from specc.ops.operator import CodeSite
from specc.targets.torch import TORCH_DTYPES
from specc.testing.cases import Case


@dataclass
class Interpreter:
    """One application of an operator to operands, with its state by slot."""

    case: Case
    sizes: Mapping[str, int]
    operands: Sequence[torch.Tensor]
    state: Mapping[str, torch.Tensor]
    training: bool

    @property
    def site(self) -> CodeSite:
        """What a callable lowering decides on."""
        return CodeSite(self.case.types, self.case.applied.results, self.case.applied.attributes)

    def function(self) -> Any:
        """The value of the function lowering, which there has to be."""
        lowering = self.case.operator.torch.function
        assert lowering is not None
        return self.run(lowering if isinstance(lowering, code.Code) else lowering(self.site))

    def module(self) -> nn.Module | None:
        """The torch.nn module that does the same, where the entry names one."""
        lowering = self.case.operator.torch.module
        if callable(lowering) and not isinstance(lowering, code.Call):
            lowering = lowering(self.site)
        if lowering is None:
            return None
        module = self.run(lowering)
        assert isinstance(module, nn.Module)
        return module.train(self.training)

    def run(self, expression: code.Code) -> Any:  # noqa: C901 - one case a kind of expression
        """The value of one expression."""
        match expression:
            case code.Operand(index):
                return self.operands[index]
            case code.Operands(start):
                return list(self.operands[start:])
            case code.Attr(name):
                return self._value(self.case.applied.attributes[name])
            case code.Part(name, path):
                value = self.case.applied.attributes[name]
                for index in path:
                    assert isinstance(value, tuple)
                    value = value[index]
                return self._value(value)
            case code.DeviceOf():
                return torch.device("cpu")
            case code.StateRef(slot):
                return self.state.get(slot)
            case code.Lit(value):
                return self._value(value)
            case code.Training():
                return self.training
            case code.Call():
                return self._call(expression)
            case code.Applied(made, arguments):
                return self._call(made)(*self._positional(arguments))
            case code.Method(receiver, name, arguments, keywords):
                return getattr(self.run(receiver), name)(
                    *self._positional(arguments), **self._keywords(keywords)
                )
            case code.Member(receiver, name):
                return getattr(self.run(receiver), name)
            case code.Members(items):
                return [self.run(item) for item in items]
            case code.Infix(operator, left, right):
                return _INFIX[operator](self.run(left), self.run(right))
            case code.Prefix(operator, operand):
                return _PREFIX[operator](self.run(operand))
            case code.Subscript(receiver, items):
                found = tuple(self.run(item) for item in items)
                return self.run(receiver)[found[0] if len(found) == 1 else found]
            case code.SliceCode(start, stop, step):
                return slice(*(None if p is None else self.run(p) for p in (start, stop, step)))
            case code.EllipsisCode():
                return ...
            case _:
                raise TypeError(f"{type(expression).__name__} is unknown to the interpreter")

    def _call(self, call: code.Call) -> Any:
        spatial = str(self.case.types[0].rank - 2) if self.case.types else ""
        root, _, path = call.function.replace("{spatial}", spatial).partition(".")
        value: Any = _ROOTS.get(root)
        if call.module:
            value, path = importlib.import_module(call.module), call.function
        for part in path.split(".") if path else ():
            value = getattr(value, part)
        return value(*self._positional(call.arguments), **self._keywords(call.keywords))

    def _positional(self, arguments: Sequence[code.Code]) -> list[Any]:
        found: list[Any] = []
        for argument in arguments:
            if isinstance(argument, code.Splat):
                value = self.run(argument.value)
                found += value if isinstance(value, list | tuple) else [value]
            else:
                found.append(self.run(argument))
        return found

    def _keywords(self, keywords: Sequence[tuple[str, code.Code]]) -> dict[str, Any]:
        return {name: self.run(value) for name, value in keywords if not self._left_out(value)}

    def _left_out(self, value: code.Code) -> bool:
        """Whether a keyword is not written, as ``code.Call`` says: at the operator's default."""
        if not isinstance(value, code.Attr) or value.always:
            return False
        argument = self.case.operator.argument(value.name)
        return argument is not None and argument.default == self.case.applied.attributes[value.name]

    def _value(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(self._value(item) for item in value)
        if isinstance(value, Expr):
            return evaluate(value, self.sizes)
        if isinstance(value, DType):
            return TORCH_DTYPES[value]
        return value


_ROOTS = {
    "torch": torch,
    "nn": nn,
    "F": nn.functional,
    "math": math,
    **{name: getattr(builtins, name) for name in ("int", "float", "slice", "len")},
}
_INFIX = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "**": lambda a, b: a**b,
    "@": lambda a, b: a @ b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
}
_PREFIX = {"-": lambda a: -a, "~": lambda a: ~a, "+": lambda a: +a}
