"""Symbolic sizes in a forward: read from the shapes of the tensors at hand, or of the inputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from specc.ir.attributes import Hole
from specc.ir.dims import Dim, Expr, symbol
from specc.ir.types import TensorType
from specc.targets.python import expressions as py
from specc.targets.python.errors import EmitError
from specc.targets.python.expressions import Expression
from specc.targets.python.layout import Doc
from specc.targets.python.names import RESERVED, Scope, identifier
from specc.targets.python.sizes import size, solve

MOST_READS = 2
"""A size that is read more often gets a name."""

Variables = Sequence[tuple[Expression, TensorType]]
"""Tensors that a line has under a name of their own."""


@dataclass(frozen=True)
class _Named:
    """A size with a variable; ``source`` is the input and axis whose size it is, if any."""

    name: str
    value: Expression
    source: tuple[str, int] | None


class Shapes:
    """Where one forward has its sizes from.

    The inputs' names may be overwritten on the way, so what is read from them is read first, into
    variables named as in the spec. Whether a size needs one is known at the end of a pass over the
    body; then ``wants_another_pass``, in which it is used everywhere.
    """

    def __init__(
        self,
        inputs: Sequence[tuple[str, TensorType]],
        numbers: Mapping[str, Hole],
        hole: Callable[[Hole], Expression],
    ) -> None:
        self._inputs = inputs
        self._numbers = numbers
        self._hole = hole
        self._wanted: set[Dim] = set()
        self.begin(set())

    def begin(self, variables: set[str]) -> None:
        """Starts a pass in which the body uses these variables."""
        self._scope = Scope(RESERVED | variables)
        self._named: dict[Dim, _Named] = {}
        self._reads: Counter[Dim] = Counter()

    def unique(self, name: str) -> str:
        """A name that neither the body nor a size has."""
        return self._scope.unique(name)

    def wants_another_pass(self) -> bool:
        """Whether sizes were found that deserve a name, and had none yet."""
        often = {dim for dim, count in self._reads.items() if count > MOST_READS}
        found = {dim for dim in often if self._find(dim) is not None} | set(self._named)
        more = found - self._wanted
        self._wanted |= more
        return bool(more)

    def size(self, dim: Dim, variables: Variables) -> Expression:
        """A size as an expression. Raises EmitError where no input gives it."""
        return size(dim, lambda part: self._known(part, variables))

    def _known(self, dim: Dim, variables: Variables) -> Expression | None:
        name = _symbol(dim)
        if dim in self._wanted and (found := self._variable(dim)) is not None:
            return found
        for tensor, type_ in variables:
            if dim in type_.shape:
                self._reads[dim] += 1
                return _shape(tensor, type_.shape.index(dim))
        if name.startswith("$") and name[1:] in self._numbers:
            return self._hole(self._numbers[name[1:]])
        found = self._variable(dim)
        if found is None and name:
            raise EmitError(f"no input gives the size {name[:80]}")
        return found

    def _variable(self, dim: Dim) -> Expression | None:
        """The variable that holds a size of the inputs."""
        if dim not in self._named:
            found = self._find(dim)
            if found is None:
                return None
            value, source = found
            wanted = identifier(_symbol(dim).lstrip("$") or "size", "size")
            self._named[dim] = _Named(self._scope.unique(wanted), value, source)
        return py.name(self._named[dim].name)

    def _find(self, dim: Dim) -> tuple[Expression, tuple[str, int] | None] | None:
        """A size from the inputs' shapes: one of their dims, or solved from one."""
        for name, type_ in self._inputs:
            if dim in type_.shape:
                axis = type_.shape.index(dim)
                return _shape(py.name(name), axis), (name, axis)
        wanted = _symbol(dim)
        for name, type_ in self._inputs if wanted else ():
            for axis, found in enumerate(type_.shape):
                solved = solve(wanted, found)
                if solved is not None and all(map(self._is_given, solved)):
                    slope, offset = solved
                    value = _shape(py.name(name), axis)
                    if offset != 0:
                        value = py.infix("-", value, self.size(offset, ()))
                    if slope != 1:
                        value = py.infix("//", value, self.size(slope, ()))
                    return value, None
        return None

    def _is_given(self, dim: Dim) -> bool:
        """Whether every symbol is a number of the template's, or a dim of an input by itself."""
        dims = {d for _, type_ in self._inputs for d in type_.shape}
        return isinstance(dim, int) or all(
            symbol(name) in dims or name[1:] in self._numbers for name in dim.symbols
        )

    def statements(self) -> list[Doc]:
        """The lines that give the sizes their names."""
        docs: list[Doc] = []
        for name, type_ in self._inputs:
            axes: dict[int, str] = {}
            for named in self._named.values():
                if named.source is not None and named.source[0] == name:
                    axes[named.source[1]] = named.name
            if len(axes) > 1:
                targets = ", ".join(axes.get(axis, "_") for axis in range(type_.rank))
                docs.append((targets, " = ", py.attribute(py.name(name), "shape").doc))
            else:
                docs += [
                    (variable, " = ", _shape(py.name(name), axis).doc)
                    for axis, variable in axes.items()
                ]
        solved = [named for named in self._named.values() if not named.source]
        return docs + [(named.name, " = ", named.value.doc) for named in solved]


def _symbol(dim: Dim) -> str:
    """The name of a dim that is nothing but a symbol; empty for any other."""
    text = str(dim)
    return text if isinstance(dim, Expr) and dim.symbols == {text} else ""


def _shape(tensor: Expression, axis: int) -> Expression:
    return py.subscript(py.attribute(tensor, "shape"), [py.literal(axis)])
