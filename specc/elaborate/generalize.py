"""Instances to templates: activations of one structure share one; numbers that differ are holes.

Two activations are of the same structure where they come from the same definition and differ in
ints, floats and sizes alone. Each such number is a column over all activations of a group. A column
of one value stays a literal; each other distinct column is one hole: a *parameter*, filled where
the layer is made, for attributes and shapes of state; a *size*, filled where it is applied, for
what occurs in types alone. Children come before parents, so that a child's fillings are numbers of
its parent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from keyword import iskeyword
from typing import Any

from specc.elaborate.context import Context
from specc.elaborate.facts import SharingFault
from specc.elaborate.instances import Activation, Built, BuiltOperator, Instance
from specc.elaborate.raw import (
    RawApplication,
    RawBranch,
    RawOperation,
    RawRead,
    RawRegion,
    RawScan,
    RawTransfer,
    RawWrite,
    all_nodes,
)
from specc.elaborate.shapes import (
    Mark,
    Number,
    Shape,
    attribute_shapes,
    bare,
    erased,
    numbers,
    replaced,
    state_shape,
    tensor_shape,
)
from specc.elaborate.templates import TemplateBuilder
from specc.elaborate.values import BlockConstructor
from specc.frontend.diagnostics import Label
from specc.ir import graph
from specc.ir.attributes import Hole
from specc.ir.dims import Dim


@dataclass
class Group:
    """Activations of one structure, and what generalizing them found."""

    index: int
    members: list[Activation] = field(default_factory=list)
    parameters: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()


def generalize(context: Context, root: Activation) -> tuple[tuple[graph.Template, ...], int]:
    """The templates of everything below ``root``, and the index of the root's own."""
    return _Generalization(context).run(root)


class _Generalization:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.groups: dict[Shape, Group] = {}
        self.group_of: dict[Activation, Group] = {}
        self.arguments: dict[Instance, dict[str, Any]] = {}
        self.fillings: dict[Activation, dict[str, Dim]] = {}

    def run(self, root: Activation) -> tuple[tuple[graph.Template, ...], int]:
        for activation in _children_first(root):
            # The root is alone of its kind, and may be very large.
            key = None if activation is root else erased(self._shape(activation, Number))
            group = self.groups.setdefault(key, Group(len(self.groups)))
            group.members.append(activation)
            self.group_of[activation] = group
        self._check_shared()
        templates = [self._template(group) for group in self.groups.values()]
        return tuple(templates), self.group_of[root].index

    def _check_shared(self) -> None:
        for activation, group in self.group_of.items():
            first = activation.instance.activations[0]
            if self.group_of[first] is not group:
                self._refuse(activation)

    def _refuse(self, activation: Activation) -> None:
        node = activation.application
        self.context.report.add(
            SharingFault(
                where=node.span if node else None,
                because=(Label(activation.instance.span, "the layer that is shared"),),
                problem=f"the same {activation.instance.kind} would have to do different things",
                advice="a shared layer does the same at each place, up to sizes",
            )
        )

    # ---- one group -------------------------------------------------------------------------------

    def _template(self, group: Group) -> graph.Template:
        first = group.members[0]
        if len(group.members) == 1:
            shape = self._shape(first, bare, final=True)
            return TemplateBuilder(first).template(shape, (), ())
        shapes = [self._shape(activation, Number, final=True) for activation in group.members]
        columns = list(zip(*(numbers(shape) for shape in shapes), strict=True))
        holes = self._holes(group, columns)
        return TemplateBuilder(first).template(
            replaced(shapes[0], iter(holes)), group.parameters, group.sizes
        )

    def _holes(self, group: Group, columns: list[tuple[Number, ...]]) -> list[Hole | None]:
        """For each column its hole, or None where it is one value throughout."""
        first = group.members[0]
        taken = {name.partition(".")[0] for name in first.instance.layers}
        taken |= set(first.instance.state) | {"self", "x"}
        names: dict[tuple[Any, ...], str] = {}
        parameters: list[str] = []
        sizes: list[str] = []
        keys = [tuple((type(n.value), n.value) for n in column) for column in columns]
        varying = [len(set(key)) > 1 for key in keys]
        # Parameters are named first: a size that always equals one is that one.
        for wanted_size in (False, True):
            for column, key, varies in zip(columns, keys, varying, strict=True):
                if not varies or key in names or column[0].is_size is not wanted_size:
                    continue
                name = _fresh(self._name(group, column), taken)
                names[key] = name
                (sizes if wanted_size else parameters).append(name)
                self._fill(group, column, name, is_size=wanted_size)
        # What a layer takes in comes before what it gives, as in torch.nn's own signatures.
        parameters.sort(key=lambda name: not name.startswith("in_"))
        group.parameters, group.sizes = tuple(parameters), tuple(sizes)
        return [
            Hole(names[key]) if varies else None for key, varies in zip(keys, varying, strict=True)
        ]

    def _fill(self, group: Group, column: tuple[Number, ...], name: str, *, is_size: bool) -> None:
        for activation, number in zip(group.members, column, strict=True):
            if is_size:
                self.fillings.setdefault(activation, {})[name] = number.value
                continue
            arguments = self.arguments.setdefault(activation.instance, {})
            if arguments.setdefault(name, number.value) != number.value:
                self._refuse(activation)

    def _name(self, group: Group, column: tuple[Number, ...]) -> str:
        """The hyperparameter that always has this value, else the attribute's own name."""
        if column[0].is_size:
            return "size"
        candidates = group.members[0].instance.arguments
        for name in candidates:
            if all(
                activation.instance.arguments.get(name) == number.value
                for activation, number in zip(group.members, column, strict=True)
            ):
                return name
        return column[0].name

    # ---- the shape of an activation --------------------------------------------------------------

    def _shape(self, activation: Activation, mark: Mark, *, final: bool = False) -> Shape:
        instance = activation.instance
        constructor = instance.constructor
        kind = (
            id(constructor.definition)
            if isinstance(constructor, BlockConstructor)
            else constructor.name
        )
        return (
            kind,
            tuple(tensor_shape(t, mark) for t in activation.inputs),
            tuple(
                (name, self._layer_shape(built, mark, final))
                for name, built in instance.layers.items()
            ),
            tuple(
                (s.name, s.role, state_shape(s.type, mark), s.device)
                for s in instance.state.values()
            ),
            tuple(self._node_shape(node, mark, final) for node in activation.nodes),
            tuple(t.id for t in activation.results),
            tuple(activation.captured),
        )

    def _layer_shape(self, built: Built, mark: Mark, final: bool) -> Shape:
        if isinstance(built, BuiltOperator):
            return (
                "operator",
                built.operator.name,
                attribute_shapes(built.attributes, mark),
                built.borrows,
                built.device,
            )
        group = self.group_of.get(built.activations[0])
        arguments = self.arguments.get(built, {}) if final else {}
        return (
            "block",
            group.index if group else -1,
            tuple((name, mark(value, name, False)) for name, value in arguments.items()),
            built.device,
        )

    def _node_shape(self, node: Any, mark: Mark, final: bool) -> Shape:
        results = tuple([tensor_shape(t, mark) for t in node.results])
        if isinstance(node, RawOperation):
            return (
                "operation",
                node.operator.name,
                attribute_shapes(node.attributes, mark),
                node.inputs,
                node.device,
                results,
            )
        if isinstance(node, RawApplication):
            inner = node.activation
            sizes = self.fillings.get(inner, {}) if final and inner else {}
            return (
                "application",
                node.reference,
                self.group_of[inner].index if inner else -1,
                tuple((name, mark(value, name, True)) for name, value in sizes.items()),
                node.inputs,
                tuple(node.borrowed.items()),
                tuple(node.captured.items()),
                node.device,
                results,
            )
        if isinstance(node, RawRead):
            return ("read", node.reference, results)
        if isinstance(node, RawTransfer):
            return ("transfer", node.device, node.inputs, results)
        if isinstance(node, RawWrite):
            return ("write", node.name, node.value)
        regions: tuple[RawRegion, ...]
        operands: tuple[Any, ...]
        if isinstance(node, RawBranch):
            regions, operands = (node.then, node.otherwise), (node.condition,)
        elif isinstance(node, RawScan):
            over = (node.sequences, node.inputs, node.dim, node.backward)
            regions, operands = (node.body,), over
        else:
            regions, operands = (node.condition, node.body), node.inputs
        return (
            type(node).__name__,
            operands,
            *(self._region_shape(region, mark, final) for region in regions),
            results,
        )

    def _region_shape(self, region: RawRegion, mark: Mark, final: bool) -> Shape:
        return (
            tuple(tensor_shape(t, mark) for t in region.inputs),
            tuple(self._node_shape(node, mark, final) for node in region.nodes),
            region.results,
        )


def _children_first(root: Activation) -> Iterator[Activation]:
    """All activations, each after those inside it; without recursion."""
    stack: list[tuple[Activation, bool]] = [(root, False)]
    while stack:
        activation, expanded = stack.pop()
        if expanded:
            yield activation
            continue
        stack.append((activation, True))
        inner = [
            node.activation
            for node in all_nodes(activation.nodes)
            if isinstance(node, RawApplication) and node.activation is not None
        ]
        stack.extend((child, False) for child in reversed(inner))


def _fresh(name: str, taken: set[str]) -> str:
    candidate, count = name, 1
    taken |= {word for word in (name, f"out_{name}") if iskeyword(word)}
    if candidate in taken:
        candidate = f"out_{name}"  # most often a second width: ``channels`` and ``out_channels``
    while candidate in taken:
        count += 1
        candidate = f"{name}{count}"
    taken.add(candidate)
    return candidate
