"""Axes and sizes as shape rules and ONNX lowerings handle them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from specc.ir.dims import Dim
from specc.ir.types import DType
from specc.ops.builder import Builder, Handle
from specc.ops.code import Attr, Code, Lit, Splat
from specc.ops.operator import CodeSite, Inference


def product(dims: Sequence[Dim]) -> Dim:
    """The number of elements in these dims."""
    return prod(dims, start=1)


def axes_of(c: Inference, argument: str, rank: int) -> tuple[int, ...]:
    """An argument of one axis or several, counted from the front, each once."""
    value = c[argument]
    given = value if isinstance(value, tuple) else (value,)
    axes = tuple(c.axis(argument, axis, rank) for axis in given)
    c.require(len(set(axes)) == len(axes), argument, "a list that names each dim once")
    c.require(len(axes) > 0, argument, "a list of at least one dim")
    return axes


def counted(axes: int | Sequence[int], rank: int) -> list[int]:
    """Valid axes, counted from the front."""
    return [axis % rank for axis in ([axes] if isinstance(axes, int) else axes)]


def int64(b: Builder, values: Sequence[int]) -> Handle:
    """A constant list of axes or sizes."""
    return b.constant(list(values), DType.I64)


def spread(site: CodeSite, argument: str) -> Code:
    """A list of sizes as arguments one by one; ``()`` where it is empty, as PyTorch wants it."""
    return Splat(Attr(argument)) if site.flag(argument) else Lit(())
