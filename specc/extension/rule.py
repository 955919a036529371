"""The shape and dtype rule that a signature states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from specc.extension.expressions import value_of
from specc.extension.header import Header, Pattern
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault
from specc.frontend.facts import SizeMismatch
from specc.ir.dims import Dim
from specc.ir.types import DType, TensorType
from specc.ops.binary import require_equal_dtypes
from specc.ops.operator import Inference

Infer = Callable[..., TensorType | tuple[TensorType, ...]]

_LEADING = "..."


@dataclass(frozen=True)
class Rule:
    """Matches inputs against the header, then gives the results that it states.

    ``derived`` are sizes that must be known when compiling, which become attributes; ``own`` gives
    the results in place of the header. ``only`` is the one dtype that state may have.
    """

    header: Header
    derived: tuple[str, ...]
    own: Infer | None = None
    only: DType | None = None

    def __call__(self, c: Inference, *types: TensorType) -> TensorType | tuple[TensorType, ...]:
        """The result types. Raises a Fault where an input does not fit."""
        sizes = _Sizes(c, {argument.name: c[argument.name] for argument in self.header.arguments})
        self._check_dtypes(c)
        for operand, pattern in enumerate(self.header.inputs):
            sizes.bind(operand, pattern)
        for operand, pattern in enumerate(self.header.inputs):
            sizes.check(operand, pattern)
        for name in self.derived:
            operand, axis = sizes.places[name]
            c.derive(name, c.known(operand, axis, f"{name} of {self.header.inputs[operand].name}"))
        if self.own is not None:
            return self.own(c, *types)
        results = tuple(self._result(pattern, sizes, types) for pattern in self.header.results)
        return results[0] if len(results) == 1 else results

    def _check_dtypes(self, c: Inference) -> None:
        free = [i for i, pattern in enumerate(self.header.inputs) if pattern.dtype is None]
        for operand, pattern in enumerate(self.header.inputs):
            if pattern.dtype is not None and c.types[operand].dtype is not pattern.dtype:
                c.wrong_dtype(operand, pattern.dtype.value)
        if free:
            c.floating(*free)
            require_equal_dtypes(c, *free)
        if self.only is not None and free and c.types[free[0]].dtype is not self.only:
            c.wrong_dtype(free[0], self.only.value)

    def _result(self, pattern: Pattern, sizes: _Sizes, types: Sequence[TensorType]) -> TensorType:
        dtype = pattern.dtype
        if dtype is None:
            floats = (
                t.dtype for t, p in zip(types, self.header.inputs, strict=True) if not p.dtype
            )
            dtype = next(floats, DType.F32)
        return TensorType(dtype, tuple(sizes.evaluated(pattern)))


@dataclass
class _Sizes:
    """What the names of a signature stand for in one use, and where each was bound."""

    c: Inference
    values: dict[str, Any]
    places: dict[str, tuple[int, int]] = field(default_factory=dict)

    def bind(self, operand: int, pattern: Pattern) -> None:
        """Checks the rank, and binds the names that are met for the first time."""
        fixed = sum(not isinstance(dim, syntax.Ellipsis) for dim in pattern.dims)
        if fixed == len(pattern.dims):
            self.c.rank(operand, pattern.text, fixed)
        else:
            self.c.rank(operand, pattern.text, least=fixed)
        for axis, dim in _aligned(pattern):
            if isinstance(dim, syntax.Name) and dim.name not in self.values:
                self.values[dim.name] = self.c.types[operand].shape[axis]
                self.places[dim.name] = (operand, axis)

    def check(self, operand: int, pattern: Pattern) -> None:
        """Requires each size to be what the pattern says."""
        type_ = self.c.types[operand]
        for axis, dim in _aligned(pattern):
            if not isinstance(dim, syntax.Wildcard):
                self._same(operand, axis, value_of(dim, self.values), pattern)
        if len(list(_aligned(pattern))) == len(pattern.dims):
            return
        fixed, before = len(pattern.dims) - 1, _before(pattern)
        leading = type_.shape[before : type_.rank - (fixed - before)]
        known = self.values.setdefault(_LEADING, leading)
        if len(known) != len(leading):
            self.c.rank(
                operand, f"{pattern.text} with {len(known)} dims for ...", fixed + len(known)
            )
        for offset, expected in enumerate(known):
            self._same(operand, before + offset, expected, pattern)

    def _same(self, operand: int, axis: int, expected: Dim, pattern: Pattern) -> None:
        found = self.c.types[operand].shape[axis]
        what = f"dim {axis} of {pattern.name}: {pattern.text}"
        fact = SizeMismatch(
            operator=self.c.operator.name,
            operands=(operand,),
            what=what,
            expected=str(expected),
            found=str(found),
        )
        self.c.same_size(found, expected, Fault(fact), what)

    def evaluated(self, pattern: Pattern) -> list[Dim]:
        """The dims of a result."""
        shape: list[Dim] = []
        for dim in pattern.dims:
            if isinstance(dim, syntax.Ellipsis):
                shape += self.values[_LEADING]
            elif isinstance(dim, syntax.Name):
                shape.append(self.values[dim.name])
            else:
                shape.append(self.c.size(value_of(dim, self.values), f"a size of {pattern.text}"))
        return shape


def _before(pattern: Pattern) -> int:
    """How many dims stand before the ``...``; all, where there is none."""
    for position, dim in enumerate(pattern.dims):
        if isinstance(dim, syntax.Ellipsis):
            return position
    return len(pattern.dims)


def _aligned(pattern: Pattern) -> list[tuple[int, syntax.Expression]]:
    """The dims that are no ``...``, each with its axis: from the end where that stands before."""
    before, count = _before(pattern), len(pattern.dims)
    return [
        (position if position < before else position - count, dim)
        for position, dim in enumerate(pattern.dims)
        if position != before
    ]
