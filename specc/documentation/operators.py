"""What there is to say of an operator, from its entry alone."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
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
        return f"{self.call}: {', '.join(self.inputs)} -> {', '.join(self.results)}"


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
    """How it is called: ``Conv(channels, kernel, stride=1, ...)(x)``, ``softmax(x, dim)``.

    A layer is made first and applied after; anything else may take its tensors first.
    """
    tensors = [_operand(operand) for operand in operator.inputs]
    arguments: list[str] = []
    starred = False
    for argument in operator.arguments:
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
    return [_use(operator, sample) for sample in operator.samples]


def _use(operator: Operator, sample: Sample) -> Use:
    types = tuple(parse_type(_type_text(given)) for given in sample.inputs)
    applied = infer(operator, types, complete(operator, sample.arguments))
    arguments = []
    for name, value in sample.arguments.items():
        collected = value.items() if isinstance(value, dict) else [(name, value)]
        arguments += [f"{keyword}={literal(one)}" for keyword, one in collected]
    return Use(
        f"{operator.name}({', '.join(arguments)})",
        tuple(map(str, types)),
        tuple(map(str, applied.results)),
    )


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


def opsets(operator: Operator) -> str:
    """From which ONNX opsets on it has a form: ``17``, or ``17, and another form from 20``."""
    first, *later = sorted(operator.onnx)
    return f"{first}" + "".join(f", and another form from {opset}" for opset in later)
