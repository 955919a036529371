"""Attribute values of the IR and their JSON form.

In memory an attribute is a Python value: int, float, bool, str, None, a symbolic ``Expr``, a
``DType``, a ``Hole``, or a tuple of these. In JSON the last kinds are objects of one key:
``{"size": "2*T"}``, ``{"dtype": "f32"}``, ``{"hole": "channels"}``; a tuple is an array.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from specc.ir.dims import Dim, Expr, parse_dim, symbol
from specc.ir.types import DType


@dataclass(frozen=True)
class Hole:
    """A number of a template that each use of it fills."""

    name: str

    @property
    def size(self) -> Expr:
        """This hole as a dim of a type."""
        return symbol(f"${self.name}")


Number = int | float | Expr | Hole
Attribute = int | float | bool | str | None | Expr | DType | Hole | tuple["Attribute", ...]
Attributes = dict[str, Attribute]


def fill(value: Attribute, holes: Mapping[str, Attribute]) -> Attribute:
    """``value`` with its holes filled. Raises KeyError for a hole that ``holes`` lacks."""
    if isinstance(value, Hole):
        return holes[value.name]
    if isinstance(value, tuple):
        return tuple(fill(item, holes) for item in value)
    return value


def size_environment(holes: Mapping[str, Attribute]) -> dict[str, Dim]:
    """The sizes among ``holes`` under the names that types know them by."""
    return {f"${name}": value for name, value in holes.items() if isinstance(value, int | Expr)}


def _encode(value: Attribute) -> object:
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    if isinstance(value, Expr):
        return {"size": str(value)}
    if isinstance(value, DType):
        return {"dtype": value.value}
    if isinstance(value, Hole):
        return {"hole": value.name}
    return value


def _decode(value: object, depth: int = 0) -> Attribute:
    if depth > 8:
        raise ValueError("an attribute nests too deeply")
    if value is None or isinstance(value, bool | int | float | str | Expr | DType | Hole):
        return value
    if isinstance(value, list | tuple):
        return tuple(_decode(item, depth + 1) for item in value)
    if isinstance(value, dict) and len(value) == 1:
        ((key, text),) = value.items()
        if isinstance(text, str):
            if key == "size":
                return parse_dim(text)
            if key == "dtype":
                return DType(text)
            if key == "hole" and text.isidentifier():
                return Hole(text)
    raise ValueError(f"not an attribute value: {str(value)[:80]}")


def encode_attributes(attributes: Attributes) -> dict[str, object]:
    """The JSON form of an attribute map."""
    return {name: _encode(value) for name, value in attributes.items()}


def decode_attributes(value: object) -> object:
    """The attribute map of a JSON object; an attribute map stays what it is. Raises ValueError."""
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise ValueError("not a map from names to attribute values")
    return {name: _decode(item) for name, item in value.items()}
