"""Symbolic sizes in an ONNX graph: read off the inputs' shapes, then integer arithmetic.

Each size is computed once. Within this file a size is an int64 tensor of one element and rank 1,
since that is what Shape gives and what a shape is put together from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import onnx_ir as oir

from specc.frontend.diagnostics import Fault
from specc.ir.dims import Dim, Expr, FloorDiv, lower, symbols_of
from specc.ir.types import DType, TensorType
from specc.targets.facts import UnboundSize

if TYPE_CHECKING:
    from specc.targets.onnx.builder import GraphBuilder


class Sizes:
    """The sizes of one graph."""

    def __init__(
        self, builder: GraphBuilder, inputs: Sequence[tuple[oir.Value, TensorType]]
    ) -> None:
        self._builder = builder
        self._dims = [
            (value, axis, dim)
            for value, type_ in inputs
            for axis, dim in enumerate(type_.shape)
            if isinstance(dim, Expr)
        ]
        self._known: dict[Dim, oir.Value] = {}
        self._scalars: dict[Dim, oir.Value] = {}
        self._vectors: dict[tuple[Dim, ...], oir.Value] = {}

    def scalar(self, dim: Dim) -> oir.Value:
        """A size as an int64 scalar. Raises a Fault with UnboundSize."""
        if isinstance(dim, int):
            return self._builder.constant(dim, DType.I64)
        if dim not in self._scalars:
            axes = self._constant(0)
            result = self._op("Squeeze", self._one(dim), axes)
            self._builder.labels[result] = f"sizes/{dim}/scalar"
            self._scalars[dim] = result
        return self._scalars[dim]

    def vector(self, dims: Sequence[Dim]) -> oir.Value:
        """Sizes as one int64 tensor of rank 1. Raises a Fault with UnboundSize."""
        key = tuple(dims)
        if all(isinstance(dim, int) for dim in key):
            return self._builder.constant(list(key), DType.I64)
        if len(key) == 1:
            return self._one(key[0])
        if key not in self._vectors:
            parts: list[oir.Value] = []
            static: list[Dim] = []  # neighbouring known sizes become one constant
            for dim in key:
                if isinstance(dim, int):
                    static.append(dim)
                    continue
                if static:
                    parts.append(self._builder.constant(static, DType.I64))
                    static = []
                parts.append(self._one(dim))
            if static:
                parts.append(self._builder.constant(static, DType.I64))
            result = self._op("Concat", *parts, axis=0)
            self._builder.labels[result] = f"sizes/[{', '.join(map(str, key))}]"
            self._vectors[key] = result
        return self._vectors[key]

    def _one(self, dim: Dim) -> oir.Value:
        if isinstance(dim, int):
            return self._constant(dim)
        if dim not in self._known:
            read = next(((v, axis) for v, axis, given in self._dims if given == dim), None)
            result = self._read(*read) if read else self._compute(dim)
            self._builder.labels[result] = f"sizes/{dim}"
            self._known[dim] = result
        return self._known[dim]

    def _read(self, value: oir.Value, axis: int) -> oir.Value:
        return self._op("Shape", value, start=axis, end=axis + 1)

    def _compute(self, dim: Expr) -> oir.Value:
        """A sum of products, or a symbol that no input has as a dim by itself."""
        if len(dim.terms) == 1:
            ((monomial, coefficient),) = dim.terms
            if coefficient == 1 and len(monomial) == 1:
                (atom,) = monomial
                return self._quotient(atom) if isinstance(atom, FloorDiv) else self._solve(atom)
        total: oir.Value | None = None
        for monomial, coefficient in dim.terms:
            term: oir.Value | None = None
            for atom in monomial:
                factor = self._one(Expr((((atom,), 1),)))
                term = factor if term is None else self._op("Mul", term, factor)
            if term is None:
                term = self._constant(abs(coefficient))
            elif abs(coefficient) != 1:
                term = self._op("Mul", term, self._constant(abs(coefficient)))
            if total is None:
                total = term if coefficient > 0 else self._op("Neg", term)
            else:
                total = self._op("Add" if coefficient > 0 else "Sub", total, term)
        assert total is not None
        return total

    def _quotient(self, atom: FloorDiv) -> oir.Value:
        """Rounds down as Python does; ONNX's Div rounds towards zero."""
        numerator, divisor = self._one(atom.numerator), self._one(atom.divisor)
        least, least_divisor = lower(atom.numerator), lower(atom.divisor)
        if least is None or least < 0 or least_divisor is None or least_divisor < 1:
            remainder = self._op("Mod", numerator, divisor)  # has the divisor's sign
            numerator = self._op("Sub", numerator, remainder)
        return self._op("Div", numerator, divisor)

    def _solve(self, name: str) -> oir.Value:
        """N from a dim such as 2*N + C, where C is a dim of its own."""
        readable = {str(dim) for _, _, dim in self._dims}
        for value, axis, dim in self._dims:
            coefficient = next((c for monomial, c in dim.terms if monomial == (name,)), 0)
            own = Expr((((name,), 1),))
            rest = dim - coefficient * own
            if not coefficient or name in symbols_of(rest) or not symbols_of(rest) <= readable:
                continue
            product = self._read(value, axis)
            if rest != 0:
                product = self._op("Sub", product, self._one(rest))
            if coefficient == 1:
                return product
            return self._op("Div", product, self._constant(coefficient))  # exact
        raise Fault(UnboundSize(size=name))

    def _constant(self, value: int) -> oir.Value:
        return self._builder.constant([value], DType.I64)

    def _op(self, op_type: str, *inputs: oir.Value, **attributes: object) -> oir.Value:
        return self._builder.size_op(op_type, *inputs, **attributes)
