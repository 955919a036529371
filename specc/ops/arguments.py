"""Hyperparameters of operators: their kinds, defaults, and what each kind accepts.

A kind turns a compile-time value into an attribute value, or raises ValueError whose text completes
"must be ...".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from specc.ir.attributes import Attribute
from specc.ir.dims import Expr
from specc.ir.types import DType


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED: Final = _Required()


@dataclass(frozen=True)
class Kind:
    """A kind of hyperparameter; ``name`` is how documentation and errors call it."""

    name: str
    accept: Callable[[Any], Attribute]


@dataclass(frozen=True)
class Argument:
    """One hyperparameter.

    ``variadic`` takes all positional values that are left, as a tuple. ``training_only`` says that
    it changes nothing in evaluation, and so nothing in ONNX (``p`` of Dropout). ``collects`` takes
    every keyword that is no other argument's name, as a dict (the sizes of ``rearrange``).
    """

    name: str
    kind: Kind
    default: Any = REQUIRED
    variadic: bool = False
    keyword_only: bool = False
    training_only: bool = False
    collects: bool = False

    @property
    def required(self) -> bool:
        """Whether a call must give it."""
        return self.default is REQUIRED


def _integer(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return None


def integer(minimum: int | None = None) -> Kind:
    """An int, of at least ``minimum`` where that is given."""
    name = "an int" if minimum is None else f"an int of at least {minimum}"

    def accept(value: Any) -> Attribute:
        number = _integer(value)
        if number is None or (minimum is not None and number < minimum):
            raise ValueError(name)
        return number

    return Kind(name, accept)


def per_dim(minimum: int) -> Kind:
    """An int, or a list with one int for each spatial dim; equal ints become one."""
    name = f"an int of at least {minimum}, or a list of them, one for each spatial dim"

    def accept(value: Any) -> Attribute:
        items = value if isinstance(value, list | tuple) else [value]
        numbers = tuple(_integer(item) for item in items)
        if not numbers or any(number is None or number < minimum for number in numbers):
            raise ValueError(name)
        return numbers[0] if not isinstance(value, list | tuple) else numbers

    return Kind(name, accept)


def number(minimum: float | None = None, maximum: float | None = None) -> Kind:
    """A float; an int is taken as one."""
    bounds = [f"at least {minimum:g}"] if minimum is not None else []
    bounds += [f"at most {maximum:g}"] if maximum is not None else []
    name = "a number" + (f" of {' and '.join(bounds)}" if bounds else "")

    def accept(value: Any) -> Attribute:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(name)
        if not abs(value) < float("inf"):
            raise ValueError("a finite number")
        if (minimum is not None and value < minimum) or (maximum is not None and value > maximum):
            raise ValueError(name)
        return float(value)

    return Kind(name, accept)


def _accept_flag(value: Any) -> Attribute:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _accept_text(value: Any) -> Attribute:
    if not isinstance(value, str):
        raise ValueError("a string")
    return value


def _accept_size(value: Any) -> Attribute:
    if isinstance(value, Expr) or _integer(value) is not None:
        assert isinstance(value, int | Expr)
        return value
    raise ValueError("a size")


def _accept_dtype(value: Any) -> Attribute:
    if not isinstance(value, DType):
        raise ValueError("a dtype")
    return value


def choice(*options: str) -> Kind:
    """One of some strings."""
    name = "one of " + ", ".join(f'"{option}"' for option in options)

    def accept(value: Any) -> Attribute:
        if value not in options or not isinstance(value, str):
            raise ValueError(name)
        return value

    return Kind(name, accept)


def optional(kind: Kind) -> Kind:
    """``none``, or what ``kind`` takes."""
    name = f"{kind.name}, or none"

    def accept(value: Any) -> Attribute:
        return None if value is None else kind.accept(value)

    return Kind(name, accept)


def either(*kinds: Kind) -> Kind:
    """What any of ``kinds`` takes, asked in this order."""
    name = ", or ".join(kind.name for kind in kinds)

    def accept(value: Any) -> Attribute:
        for kind in kinds:
            try:
                return kind.accept(value)
            except ValueError:
                continue
        raise ValueError(name)

    return Kind(name, accept)


def several(kind: Kind, *, or_one: bool = False) -> Kind:
    """A list of what ``kind`` takes; with ``or_one`` also a single one."""
    name = f"{kind.name}, or a list of them" if or_one else f"a list of which each is {kind.name}"

    def accept(value: Any) -> Attribute:
        if not isinstance(value, list | tuple):
            if or_one:
                return kind.accept(value)
            raise ValueError(name)
        return tuple(kind.accept(item) for item in value)

    return Kind(name, accept)


INT = integer()
SIZE = integer(1)
FLAG = Kind("true or false", _accept_flag)
TEXT = Kind("a string", _accept_text)
FLOAT = number()
EPSILON = number(minimum=0.0)
PROBABILITY = number(minimum=0.0, maximum=1.0)
DIM = Kind("a size", _accept_size)  # static or symbolic; rules check its sign
DTYPE = Kind("a dtype", _accept_dtype)
KERNEL = per_dim(1)
PADDING = per_dim(0)
AXIS = INT  # the rule knows the rank
AXES = several(INT, or_one=True)
