"""The shape of an activation as a tree of plain values, its numbers marked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


Mark: TypeAlias = Callable[[Any, str, bool], Any]


def bare(value: Any, name: str, is_size: bool) -> Any:
    """Marks nothing: for a template of one member, whose numbers all stay."""
    return value


def tensor_shape(tensor: Tensor, mark: Mark) -> Shape:
    """A tensor's id and type; the dims are sizes."""
    type_ = tensor.type
    return (tensor.id, (type_.dtype, tuple([mark(dim, "size", True) for dim in type_.shape])))


def state_shape(type_: TensorType, mark: Mark) -> Shape:
    """A type of state: its dims are numbers of the layer."""
    return (type_.dtype, tuple([mark(dim, "features", False) for dim in type_.shape]))


def attribute_shapes(attributes: dict[str, Attribute], mark: Mark) -> Shape:
    """Attributes, their ints and floats marked; flags, names and symbolic sizes are structure."""
    return tuple([(name, _attribute(name, value, mark)) for name, value in attributes.items()])


def _attribute(name: str, value: Attribute, mark: Mark) -> Shape:
    if isinstance(value, tuple):
        return tuple([_attribute(name, item, mark) for item in value])
    if isinstance(value, int | float) and not isinstance(value, bool):
        return mark(value, name, False)
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
