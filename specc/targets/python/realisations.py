"""What a layer becomes in Python, and what its declaration says of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from specc.ir.attributes import Attribute, Attributes, Hole, fill
from specc.ir.dims import Expr
from specc.ir.graph import Operation, OperatorLayer, Region, Template, Value
from specc.ir.types import DType, TensorType
from specc.ir.walk import every_value
from specc.ops.code import Call
from specc.ops.operator import CodeSite, Operator, StateSlot
from specc.targets.python.names import DICT_MEMBERS, class_name


@dataclass(frozen=True)
class TorchModule:
    """A layer that is a class of torch.nn."""

    operator: Operator
    attributes: Attributes
    call: Call
    site: CodeSite
    dtype: DType


@dataclass(frozen=True)
class Instance:
    """A layer made from a template: a class, or a list that is written in place."""

    template: int
    arguments: Attributes


@dataclass(frozen=True)
class Holder:
    """A layer that is applied as a function; ``slots`` is the state that it still owns."""

    operator: Operator
    attributes: Attributes
    site: CodeSite
    slots: tuple[StateSlot, ...]


@dataclass(frozen=True)
class Captured:
    """A layer that is handed to forward."""


Realisation: TypeAlias = TorchModule | Instance | Holder | Captured


def adapter(layer: OperatorLayer, operator: Operator, site: CodeSite) -> Template:
    """The block of one operation that stands for a stateless operator without a torch.nn class."""
    holes = _holes(tuple(layer.attributes.values()))
    count = len(site.types)
    names = list("xyz"[:count]) if count <= 3 else [f"x{i + 1}" for i in range(count)]
    inputs = tuple(
        Value(id=i, type=type_, name=name)
        for i, (name, type_) in enumerate(zip(names, site.types, strict=True))
    )
    results = tuple(Value(id=len(inputs) + i, type=type_) for i, type_ in enumerate(site.results))
    node = Operation(
        operator=operator.name,
        attributes=layer.attributes,
        inputs=tuple(value.id for value in inputs),
        results=results,
    )
    return Template(
        name=class_name(operator.name, "Function"),
        kind="block",
        parameters=tuple(sorted(holes)),
        body=Region(inputs=inputs, nodes=(node,), results=tuple(v.id for v in results)),
    )


def owned_slots(operator: Operator, layer: OperatorLayer) -> tuple[StateSlot, ...]:
    """The state slots that a layer has and does not borrow."""
    return tuple(
        slot
        for slot in operator.state
        if slot.name not in layer.borrows and slot.when(layer.attributes)
    )


def filled(attributes: Attributes, holes: dict[str, Attribute]) -> Attributes:
    """Attributes without holes."""
    return {name: fill(value, holes) for name, value in attributes.items()}


def container_of(names: list[str]) -> str:
    """What holds layers of these names: ``nn.ModuleList``, ``nn.ModuleDict`` or ``nn.Module``."""
    if names == [str(i) for i in range(len(names))]:
        return "nn.ModuleList"
    return "nn.Module" if any(name in DICT_MEMBERS for name in names) else "nn.ModuleDict"


def types_of(template: Template) -> dict[int, TensorType]:
    """The type of every value of a template's body."""
    return {value.id: value.type for value in every_value(template.body)}


def _holes(values: tuple[Attribute, ...]) -> set[str]:
    found: set[str] = set()
    for value in values:
        if isinstance(value, Hole):
            found.add(value.name)
        elif isinstance(value, tuple):
            found |= _holes(value)
    return found


def is_symbolic(layer: OperatorLayer) -> bool:
    """Whether an attribute depends on a size that is known at run time alone."""

    def depends(value: Attribute) -> bool:
        if isinstance(value, tuple):
            return any(depends(item) for item in value)
        return isinstance(value, Expr) and any(not name.startswith("$") for name in value.symbols)

    return any(depends(value) for value in layer.attributes.values())
