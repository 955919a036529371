"""The shape of an activation as a tree of plain values, its numbers marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from specc.elaborate.values import Tensor
from specc.ir.attributes import Attribute, Hole
from specc.ir.dims import Expr
from specc.ir.types import TensorType


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a body that a template may leave open."""

    value: Any
    name: str
    is_size: bool


Shape: TypeAlias = Any  # nested tuples of plain values and Numbers


def tensor_shape(tensor: Tensor) -> Shape:
    """A tensor's id and type."""
    return (tensor.id, type_shape(tensor.type))


def type_shape(type_: TensorType) -> Shape:
    """A type of a value: its dims are sizes."""
    return (type_.dtype, tuple(Number(dim, "size", True) for dim in type_.shape))


def state_shape(type_: TensorType) -> Shape:
    """A type of state: its dims are numbers of the layer."""
    return (type_.dtype, tuple(Number(dim, "features", False) for dim in type_.shape))


def attribute_shapes(attributes: dict[str, Attribute]) -> Shape:
    """Attributes, their ints and floats marked; flags, names and symbolic sizes are structure."""
    return tuple((name, _attribute(name, value)) for name, value in attributes.items())


def _attribute(name: str, value: Attribute) -> Shape:
    if isinstance(value, tuple):
        return tuple(_attribute(name, item) for item in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Number(value, name, False)
    return value


def erased(shape: Shape) -> Shape:
    """The structure alone: what a template's members have in common."""
    if isinstance(shape, Number):
        return "size" if shape.is_size else type(shape.value)
    if isinstance(shape, tuple):
        return tuple(erased(part) for part in shape)
    return str(shape) if isinstance(shape, Expr) else (type(shape), shape)


def numbers(shape: Shape) -> Iterator[Number]:
    """The numbers of a shape, in order."""
    if isinstance(shape, Number):
        yield shape
    elif isinstance(shape, tuple):
        for part in shape:
            yield from numbers(part)


def replaced(shape: Shape, holes: Iterator[Hole | None]) -> Shape:
    """The shape with each number's hole, or its value where it has none."""
    if isinstance(shape, Number):
        hole = next(holes)
        return shape.value if hole is None else hole
    if isinstance(shape, tuple):
        return tuple([replaced(part, holes) for part in shape])
    return shape
