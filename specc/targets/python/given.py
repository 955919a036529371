"""Which symbolic sizes the inputs of a forward give, and where they give them twice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from specc.ir.dims import Dim, Expr, symbol
from specc.ir.types import TensorType
from specc.targets.python.sizes import solve


@dataclass(frozen=True)
class Origin:
    """Where a size comes from: that of the input's axis is ``slope * size + offset``."""

    name: str
    axis: int
    slope: Dim = 1
    offset: Dim = 0

    @property
    def is_direct(self) -> bool:
        """Whether the axis has just this size."""
        return self.slope == 1 and self.offset == 0


@dataclass(frozen=True)
class Repeated:
    """An axis of an input whose size has to be one that is known without it.

    That is ``dim`` as computed from its symbols, or, where they are not known, the size of the
    first axis with the same dim, ``earlier``.
    """

    name: str
    axis: int
    dim: Expr
    earlier: Origin | None


class InputSizes:
    """The sizes that ``inputs``, by name, give; ``numbers`` are symbols that are known anyway."""

    def __init__(
        self, inputs: Sequence[tuple[str, TensorType]], numbers: Collection[str] = ()
    ) -> None:
        self.inputs = inputs
        self._numbers = {symbol(f"${name}") for name in numbers}
        self._first: dict[Dim, Origin] = {}
        for name, type_ in inputs:
            for axis, dim in enumerate(type_.shape):
                self._first.setdefault(dim, Origin(name, axis))
        self._origins: dict[Dim, Origin | None] = {}

    def origin(self, dim: Dim) -> Origin | None:
        """Where a size comes from: one of the inputs' dims, or a symbol solved from one."""
        if dim not in self._origins:
            solved = self._solved(name) if (name := symbol_name(dim)) else None
            self._origins[dim] = self._first.get(dim) or solved
        return self._origins[dim]

    def _solved(self, wanted: str) -> Origin | None:
        for name, type_ in self.inputs:
            for axis, dim in enumerate(type_.shape):
                solved = solve(wanted, dim)
                if solved is not None and all(map(self._is_read, solved)):
                    return Origin(name, axis, *solved)
        return None

    def _is_read(self, dim: Dim) -> bool:
        """Whether every symbol is a number, or a dim of an input by itself."""
        return isinstance(dim, int) or all(
            symbol(name) in self._first or symbol(name) in self._numbers for name in dim.symbols
        )

    def repeated(self) -> list[Repeated]:
        """The axes whose size follows from that of others."""
        found = []
        for name, type_ in self.inputs:
            for axis, dim in enumerate(type_.shape):
                if isinstance(dim, int):
                    continue
                origins = [self.origin(symbol(part)) for part in sorted(dim.symbols)]
                known = None not in origins
                first = self._first[dim]
                is_first = (first.name, first.axis) == (name, axis)
                if is_first and (symbol_name(dim) or not known or _gives(origins, name, axis)):
                    continue
                found.append(Repeated(name, axis, dim, None if known else first))
        return found


def _gives(origins: Sequence[Origin | None], name: str, axis: int) -> bool:
    """Whether a symbol comes from this axis, and any size of it will do."""
    return any(o is not None and (o.name, o.axis, o.slope) == (name, axis, 1) for o in origins)


def symbol_name(dim: Dim) -> str:
    """The name of a dim that is nothing but a symbol; empty for any other."""
    text = str(dim)
    return text if isinstance(dim, Expr) and dim.symbols == {text} else ""
