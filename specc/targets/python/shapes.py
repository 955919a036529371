"""Symbolic sizes in a forward: read from the shapes of the tensors at hand, or of the inputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from specc.frontend.diagnostics import Fault
from specc.ir.attributes import Hole
from specc.ir.dims import Dim
from specc.ir.types import TensorType
from specc.targets.facts import UnboundSize
from specc.targets.python import expressions as py
from specc.targets.python.expressions import Expression
from specc.targets.python.given import InputSizes, Origin, Repeated, symbol_name
from specc.targets.python.layout import Doc
from specc.targets.python.names import RESERVED, Scope, identifier
from specc.targets.python.sizes import size

MOST_READS = 2
"""A size that is read more often gets a name."""

Variables = Sequence[tuple[Expression, TensorType]]
"""Tensors that a line has under a name of their own."""


@dataclass(frozen=True)
class _Named:
    """A size with a variable."""

    name: str
    value: Expression
    origin: Origin


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
        self.given = InputSizes(inputs, numbers)
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
        found = {dim for dim in often if self.given.origin(dim) is not None} | set(self._named)
        more = found - self._wanted
        self._wanted |= more
        return bool(more)

    def size(self, dim: Dim, variables: Variables) -> Expression:
        """A size as an expression. Raises a Fault where no input gives it."""
        return size(dim, lambda part: self._known(part, variables))

    def _known(self, dim: Dim, variables: Variables) -> Expression | None:
        name = symbol_name(dim)
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
            raise Fault(UnboundSize(size=name))
        return found

    def _variable(self, dim: Dim) -> Expression | None:
        """The variable that holds a size of the inputs."""
        if dim not in self._named:
            origin = self.given.origin(dim)
            if origin is None:
                return None
            wanted = identifier(symbol_name(dim).lstrip("$") or "size", "size")
            value = self._value(origin)
            self._named[dim] = _Named(self._scope.unique(wanted), value, origin)
        return py.name(self._named[dim].name)

    def _value(self, origin: Origin) -> Expression:
        value = _shape(py.name(origin.name), origin.axis)
        if origin.offset != 0:
            value = py.infix("-", value, self.size(origin.offset, ()))
        if origin.slope != 1:
            value = py.infix("//", value, self.size(origin.slope, ()))
        return value

    def want(self, dims: set[Dim]) -> None:
        """Gives these sizes a name, as far as the inputs give them."""
        self._wanted |= {dim for dim in dims if self.given.origin(dim) is not None}

    def pair(self, repeated: Repeated) -> tuple[Expression, Expression]:
        """The size that an axis has, and the one that it has to have."""
        found = _shape(py.name(repeated.name), repeated.axis)
        if (first := repeated.earlier) is not None:
            return found, _shape(py.name(first.name), first.axis)
        return found, size(repeated.dim, self._symbol_alone)

    def _symbol_alone(self, dim: Dim) -> Expression | None:
        return self._known(dim, ()) if symbol_name(dim) else None

    def statements(self) -> list[Doc]:
        """The lines that give the sizes their names."""
        docs: list[Doc] = []
        direct = [named for named in self._named.values() if named.origin.is_direct]
        for name, type_ in self.given.inputs:
            axes = {n.origin.axis: n.name for n in direct if n.origin.name == name}
            if len(axes) > 1:
                targets = ", ".join(axes.get(axis, "_") for axis in range(type_.rank))
                docs.append((targets, " = ", py.attribute(py.name(name), "shape").doc))
            else:
                docs += [
                    (variable, " = ", _shape(py.name(name), axis).doc)
                    for axis, variable in axes.items()
                ]
        solved = [named for named in self._named.values() if not named.origin.is_direct]
        return docs + [(named.name, " = ", named.value.doc) for named in solved]


def _shape(tensor: Expression, axis: int) -> Expression:
    return py.subscript(py.attribute(tensor, "shape"), [py.literal(axis)])
