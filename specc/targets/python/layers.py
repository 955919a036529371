"""How layers are constructed in ``__init__``, and how they are reached from a forward."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TypeAlias

from specc.ir.attributes import Hole
from specc.ir.dims import Dim, Expr
from specc.ir.types import DType, TensorType
from specc.ops.code import Lit
from specc.targets.python import expressions as py
from specc.targets.python.errors import EmitError
from specc.targets.python.expressions import Expression
from specc.targets.python.lowering import Place, function_name, lower
from specc.targets.python.names import is_attribute
from specc.targets.python.realisations import (
    Captured,
    Holder,
    Instance,
    TorchModule,
    container_of,
)
from specc.targets.python.sizes import size
from specc.targets.python.structure import LayerKey, Structure

Holes: TypeAlias = Mapping[str, Expression]
"""What the holes of a template are called where it is written, and under ``device_key`` devices."""

ONE_PER_LINE = 4
"""A list of this many layers is always written with one on each line."""

REPEATED = 3
"""As many layers in a row that are made alike are written as a comprehension."""


def device_key(device: str) -> str:
    """The key of a device among the holes; no hole is called so."""
    return f"device {device}"


Tree: TypeAlias = "dict[str, Tree | LayerKey]"


@dataclass
class Layers:
    """Writes layers of a structure; ``imports`` collects the modules that the source needs."""

    structure: Structure
    class_names: Mapping[int, str]
    imports: set[str] = field(default_factory=set)
    _trees: dict[int, Tree] = field(default_factory=dict)
    _kinds: dict[int, str] = field(default_factory=dict)  # by identity of a tree, which is kept

    # ---- construction ----------------------------------------------------------------------------

    def construct(self, key: LayerKey, holes: Holes) -> Expression:
        """The expression that makes a layer."""
        made = self.structure.realise(key)
        if isinstance(made, Instance):
            return self._instance(made, holes)
        if isinstance(made, TorchModule):
            return self._module(made, holes)
        raise EmitError(f"{key[1][:80]!r} is no module")

    def _module(self, made: TorchModule, holes: Holes) -> Expression:
        place = self._place(made, holes)
        call = made.call
        if made.dtype is not DType.F32 and made.operator.state:
            call = replace(call, keywords=(*call.keywords, ("dtype", Lit(made.dtype))))
        return lower(call, place)

    def _instance(self, made: Instance, holes: Holes) -> Expression:
        template = self.structure.templates[made.template]
        place = _Arguments(holes)
        arguments = {name: place.value(made.arguments[name]) for name in template.parameters}
        devices = {d: holes[device_key(d)] for d in self.structure.devices(made.template)}
        if self.structure.is_inline(made.template):
            given = {device_key(device): value for device, value in devices.items()}
            return self.sequential(made.template, arguments | given)
        function = py.name(self.class_names[made.template])
        placed = [(self.structure.device_arguments[d], value) for d, value in devices.items()]
        if len(arguments) <= 2:
            return py.call(function, list(arguments.values()), placed)
        return py.call(function, (), [*arguments.items(), *placed])

    def sequential(self, template: int, holes: Holes) -> Expression:
        """``nn.Sequential(...)`` with every member."""
        self.imports.add("nn")
        return py.call(py.dotted("nn.Sequential"), *self.members(template, holes))

    def members(self, template: int, holes: Holes) -> tuple[list[Expression]]:
        """The constructor's arguments of a list of layers."""
        names = list(self.structure.templates[template].layers)
        made = [self.construct((template, name), holes) for name in names]
        if self.structure.is_numbered(template):
            return (with_runs(made),)
        self.imports.add("OrderedDict")
        pairs = [
            py.tuple_of([py.literal(name), layer]) for name, layer in zip(names, made, strict=True)
        ]
        listed = py.list_of(pairs, one_per_line=len(pairs) >= ONE_PER_LINE)
        return ([py.call(py.name("OrderedDict"), [listed])],)

    def parameter(self, type_: TensorType, holes: Holes, filled: str) -> Expression:
        """``nn.Parameter(torch.empty(...))``"""
        self.imports.add("nn")
        return py.call(py.dotted("nn.Parameter"), [self.tensor(type_, holes, filled)])

    def tensor(self, type_: TensorType, holes: Holes, filled: str) -> Expression:
        """``torch.empty(2, 3)``, or of ``zeros`` or ``ones``."""
        self.imports.add("torch")
        dims = [size(dim, _known(holes)) for dim in type_.shape] or [py.tuple_of([])]
        keywords = [] if type_.dtype is DType.F32 else [("dtype", py.dtype(type_.dtype))]
        return py.call(py.dotted(f"torch.{filled}"), dims, keywords)

    def slot_type(self, made: Holder, slot: str) -> TensorType:
        """The type of a state slot, holes in it as symbols."""
        found = next(s for s in made.slots if s.name == slot)
        # Shapes are computed with the holes as symbols, which a shape function does not tell apart.
        attributes = {
            name: value.size if isinstance(value, Hole) else value
            for name, value in made.attributes.items()
        }
        types = made.site.types
        dtype = types[0].dtype if types and types[0].dtype.is_float else DType.F32
        return TensorType(found.dtype or dtype, found.shape(attributes))

    def _place(self, made: TorchModule, holes: Holes) -> Place:
        arguments = _Arguments(holes)
        return Place(
            operator=made.operator,
            attributes=made.attributes,
            types=made.site.types,
            size=arguments.size,
            hole=arguments.hole,
            use=self.imports.add,
        )

    # ---- access ----------------------------------------------------------------------------------

    def reach(self, base: Expression, keys: Iterable[LayerKey]) -> Expression:
        """The layer at the end of a chain of declarations, from the owner of the first."""
        for key in keys:
            base = self.member(base, key)
        return base

    def member(self, base: Expression, key: LayerKey) -> Expression:
        """A layer of the module ``base``."""
        template, name = key
        if not name:
            return base
        inline = self.structure.is_inline(template)
        if inline or self.structure.base(template) != "nn.Module":
            if self.structure.is_numbered(template):
                return py.subscript(base, [py.literal(int(name))])
            return py.attribute(base, name)
        return self.container(base, template, name)

    def container(self, base: Expression, template: int, path: str) -> Expression:
        """What stands at a dotted path of a template's names: a layer, or what holds several."""
        tree: Tree = self.containers(template)
        first, *rest = path.split(".")
        found = py.attribute(base, first)
        for part in rest:
            inner = tree[first]
            assert isinstance(inner, dict)
            found = _container_member(found, self._kind(inner), part)
            tree, first = inner, part
        return found

    def containers(self, template: int) -> Tree:
        """The template's own layers by the parts of their names."""
        if template not in self._trees:
            self._trees[template] = self._tree(template)
        return self._trees[template]

    def _tree(self, template: int) -> Tree:
        tree: Tree = {}
        for name in self.structure.templates[template].layers:
            made = self.structure.realise((template, name))
            if (
                not name
                or isinstance(made, Captured)
                or (isinstance(made, Holder) and not made.slots)
            ):
                continue
            node = tree
            *path, last = name.split(".")
            for part in path:
                inner = node.setdefault(part, {})
                if not isinstance(inner, dict):
                    raise EmitError(f"{name[:80]!r} names a layer within another layer")
                node = inner
            if last in node or not last:
                raise EmitError(f"{name[:80]!r} names a layer within another layer")
            node[last] = (template, name)
        return tree

    def _kind(self, tree: Tree) -> str:
        if id(tree) not in self._kinds:
            self._kinds[id(tree)] = container_of(list(tree))
        return self._kinds[id(tree)]

    def module_class(self, made: TorchModule) -> str:
        """``nn.Conv2d``"""
        return function_name(made.call.function, made.site.types)


def with_runs(members: Iterable[Expression]) -> list[Expression]:
    """The members of a list, runs of equal ones as ``*[member for _ in range(3)]``."""
    found: list[Expression] = []
    for _, run in groupby(members, key=lambda member: member.text):
        first, *rest = run
        if len(rest) + 1 >= REPEATED:
            found.append(py.starred(py.repeated(first, len(rest) + 1)))
        else:
            found += [first, *rest]
    return found


def list_with_runs(members: Sequence[Expression], *, one_per_line: int) -> Expression:
    """A list display of layers; the comprehension itself where they are all made alike."""
    if len(members) >= REPEATED and len({member.text for member in members}) == 1:
        return py.repeated(members[0], len(members))
    listed = with_runs(members)
    return py.list_of(listed, one_per_line=len(listed) >= one_per_line)


def _container_member(base: Expression, kind: str, name: str) -> Expression:
    """A member of an ``nn.ModuleList``, ``nn.ModuleDict`` or bare ``nn.Module``."""
    if kind == "nn.ModuleList":
        return py.subscript(base, [py.literal(int(name))])
    if kind == "nn.ModuleDict" and not is_attribute(name):
        return py.subscript(base, [py.literal(name)])
    return py.attribute(base, name)


def _known(holes: Holes):  # type: ignore[no-untyped-def]
    def known(dim: Dim) -> Expression | None:
        if isinstance(dim, Expr) and len(dim.symbols) == 1 and str(dim) in dim.symbols:
            name = str(dim)[1:]
            if not str(dim).startswith("$") or name not in holes:
                raise EmitError(f"{str(dim)[:80]} is not known when the module is made")
            return holes[name]
        return None

    return known


@dataclass(frozen=True)
class _Arguments:
    """Numbers of a constructor call, over the holes of the template around it."""

    holes: Holes

    def hole(self, hole: Hole) -> Expression:
        if hole.name not in self.holes:
            raise EmitError(f"nothing fills the hole {hole.name[:80]!r}")
        return self.holes[hole.name]

    def size(self, dim: Dim) -> Expression:
        return size(dim, _known(self.holes))

    def value(self, value: object) -> Expression:
        if isinstance(value, Hole):
            return self.hole(value)
        return self.size(value) if isinstance(value, Expr) else py.literal(value)
