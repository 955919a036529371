"""What there is to say of an operator, from its entry alone."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from specc.ir.dims import Expr
from specc.ir.types import DType, parse_type
from specc.ops.apply import complete, infer, state_of
from specc.ops.arguments import REQUIRED, Argument
from specc.ops.operator import Drawn, Operator, Sample
from specc.ops.registry import FAMILIES


@dataclass(frozen=True)
class Family:
    """Operators that stand in one file, under that file's headline."""

    name: str
    title: str
    operators: tuple[Operator, ...]


@dataclass(frozen=True)
class Use:
    """One tested use: what is written, the types that it is given and those that it gives."""

    call: str
    inputs: tuple[str, ...]
    results: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.call}: {self.types}"

    @property
    def types(self) -> str:
        """``f32[2, 3] -> f32[2]``; only what comes out where nothing goes in."""
        results = ", ".join(self.results)
        return f"{', '.join(self.inputs)} -> {results}" if self.inputs else results


@dataclass(frozen=True)
class Slot:
    """State that a layer owns, as it is in the use that documents it."""

    name: str
    role: str
    type: str
    initializer: str


def families(own: Sequence[Operator] = ()) -> Iterator[Family]:
    """The families in the order of the registry, then a host's ``own`` operators."""
    for name in FAMILIES:
        module = importlib.import_module(f"specc.ops.{name}")
        headline = (module.__doc__ or name).strip().partition("\n\n")[0].replace("\n", " ")
        yield Family(name, headline, tuple(module.OPERATORS))
    if own:
        yield Family("own", "Given by --ops.", tuple(own))


def signature(operator: Operator) -> str:
    """How it is called: ``Conv(channels, ...)(x)``, ``softmax(x, dim)``, ``x + y``.

    A layer is made first and applied after; anything else may take its tensors first.
    """
    if operator.notation is not None:
        names = tensor_names(operator)
        sign = _notation(operator, names, {})
        by_name = len(names) > 1  # else there is no such call
        return f"{sign}, or {operator.name}({', '.join(names)})" if by_name else sign
    if _takes_numbers(operator):
        tensors = tensor_names(operator)
    else:
        tensors = [_operand(operand) for operand in operator.inputs]
    arguments: list[str] = []
    starred = False
    for argument in keywords(operator):
        if argument.variadic:
            arguments.append(f"*{argument.name}")
            starred = True
            continue
        if argument.collects:
            arguments.append(f"**{argument.name}")
            continue
        if argument.keyword_only and not starred:
            arguments.append("*")
            starred = True
        arguments.append(_with_default(argument))
    if operator.layer:
        return f"{operator.name}({', '.join(arguments)})({', '.join(tensors)})"
    return f"{operator.name}({', '.join([*tensors, *arguments])})"


def details(operator: Operator) -> str:
    """What there is to say beyond the summary."""
    numbers = "Either of x and y may be a number or a size." if _takes_numbers(operator) else ""
    return " ".join(filter(None, [numbers, operator.details]))


def written(operator: Operator, tensors: Sequence[str], arguments: Mapping[str, Any]) -> str:
    """One use as a spec has it: ``x + 2.5``, ``x[:, 0]``, ``ones(2, 3)``, ``Conv(4, ...)(x)``."""
    given = dict(arguments)
    if operator.notation is not None:
        return _notation(operator, tensors, given)
    operands = list(tensors)
    if _takes_numbers(operator):  # in the place of a tensor that is not there
        sides = [given.pop(name, None) for name in ("left", "right")]
        rest = iter(operands[1:])
        operands[1:] = [next(rest) if side is None else literal(side) for side in sides]
    parts = []
    for name, value in given.items():
        argument = operator.argument(name)
        if argument is not None and argument.variadic:
            operands += map(literal, value)
        elif isinstance(value, Mapping):
            parts += [f"{key}={literal(one)}" for key, one in value.items()]
        else:
            parts.append(f"{name}={literal(value)}")
    if operator.layer:
        return f"{operator.name}({', '.join(parts)})({', '.join(operands)})"
    return f"{operator.name}({', '.join([*operands, *parts])})"


def _notation(operator: Operator, tensors: Sequence[str], given: Mapping[str, Any]) -> str:
    """A sign between its operands, or a subscript behind its one."""
    assert operator.notation is not None
    if not _takes_numbers(operator) and operator.arguments:
        return tensors[0] + (operator.notation(given) if given else "[...]")
    symbol = operator.notation({"left": None, "right": None})
    if not operator.inputs:
        return symbol
    if len(tensors) < 2 and not given:  # a sign before its operand
        return f"{symbol}{tensors[0]}"
    left, right = given.get("left"), given.get("right")
    sides = (
        tensors[0] if left is None else literal(left),
        tensors[-1] if right is None else literal(right),
    )
    negative = sides[0].startswith("-") and symbol == "**"  # which binds closer than the minus
    return f"({sides[0]}) {symbol} {sides[1]}" if negative else f"{sides[0]} {symbol} {sides[1]}"


def tensor_names(operator: Operator, count: int | None = None) -> list[str]:
    """What the operands of a use are called: x and y, or as the entry names them."""
    names = [operand.name for operand in operator.inputs]
    if operator.inputs and operator.inputs[-1].variadic:
        return list("abcdefgh"[: count or 2])
    if names == ["left", "right"]:
        names = ["x", "y"] if count != 1 else ["x"]
    return names[:count]


def _takes_numbers(operator: Operator) -> bool:
    """Whether a number may stand in the place of a tensor, which the arguments then hold."""
    return {"left", "right"} <= {argument.name for argument in operator.arguments}


def keywords(operator: Operator) -> list[Argument]:
    """The arguments that are written as such."""
    numbers = ("left", "right") if _takes_numbers(operator) else ()
    return [a for a in operator.arguments if a.name not in numbers]


def _operand(operand: Any) -> str:
    name = f"*{operand.name}" if operand.variadic else operand.name
    return f"{name} = none" if operand.optional else name


def _with_default(argument: Argument) -> str:
    return argument.name if argument.required else f"{argument.name}={literal(argument.default)}"


def literal(value: Any) -> str:
    """A value as the language writes it."""
    if value is REQUIRED:
        return "required"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, DType):
        return value.value
    return str(value) if isinstance(value, int | float | Expr) else repr(value)


def uses(operator: Operator) -> list[Use]:
    """The samples that the tests run, as uses."""
    return list(dict.fromkeys(_use(operator, sample) for sample in operator.samples))


def _use(operator: Operator, sample: Sample) -> Use:
    types = tuple(parse_type(_type_text(given)) for given in sample.inputs)
    applied = infer(operator, types, complete(operator, sample.arguments))
    tensors = tensor_names(operator, len(types))
    if operator.layer:
        call = written(operator, tensors, sample.arguments).removesuffix(f"({', '.join(tensors)})")
    else:
        call = written(operator, tensors, sample.arguments)
    return Use(call, tuple(map(str, types)), tuple(map(str, applied.results)))


def state(operator: Operator) -> tuple[Use, list[Slot]] | None:
    """The use in which a layer owns the most, and what it owns there; None if it never owns any."""
    best: tuple[Use, list[Slot]] | None = None
    for sample in operator.samples if operator.state else ():
        types = tuple(parse_type(_type_text(given)) for given in sample.inputs)
        attributes = infer(operator, types, complete(operator, sample.arguments)).attributes
        slots = [
            Slot(value.slot.name, value.slot.role, str(value.type), str(value.initializer))
            for value in state_of(operator, attributes, types)
        ]
        if slots and (best is None or len(slots) > len(best[1])):
            best = (_use(operator, sample), slots)
    return best


def _type_text(given: str | Drawn) -> str:
    return given.type if isinstance(given, Drawn) else given


def in_onnx(operator: Operator) -> str:
    """Its forms in ONNX, as a sentence, and what its entry says of them."""
    first, *later = sorted(operator.onnx)
    forms = f"{first}" + "".join(f", and another form from {opset}" for opset in later)
    return " ".join(filter(None, [f"ONNX from opset {forms}.", operator.onnx_note]))
