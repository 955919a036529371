"""Instances to templates: activations of the same structure share one, the numbers that differ become holes.

Two activations are of the same structure where they come from the same definition and differ in ints,
floats and sizes alone. Each such number is a column over all activations of a group; a column of one
value stays a literal, each other distinct column is one hole: a *parameter*, filled where the layer
is made, for attributes and shapes of state; a *size*, filled where it is applied, for what occurs in
types alone. Children come before parents, so that a child's fillings are numbers of its parent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from specc.elaborate.context import Context
from specc.elaborate.facts import SharingFault
from specc.elaborate.instances import (
    Activation,
    Built,
    BuiltOperator,
    Instance,
    RawApplication,
    RawOperation,
)
from specc.elaborate.values import BlockConstructor, Branches, Sequence, Tensor
from specc.frontend.diagnostics import Label
from specc.ir import graph
from specc.ir.attributes import Attribute, Hole
from specc.ir.dims import Dim, Expr
from specc.ir.types import TensorType


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a body that a template may leave open."""

    value: Any
    name: str
    is_size: bool


Shape: TypeAlias = Any  # nested tuples of plain values and Numbers


@dataclass
class Group:
    """Activations of one structure, and what generalizing them found."""

    index: int
    members: list[Activation] = field(default_factory=list)
    parameters: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    template: graph.Template | None = None


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
            key = _erased(self._shape(activation, final=False))
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
        shapes = [self._shape(activation, final=True) for activation in group.members]
        columns = list(zip(*(_numbers(shape) for shape in shapes), strict=True))
        holes = self._holes(group, columns)
        template = _Builder(self, group.members[0]).template(
            _replaced(shapes[0], iter(holes)), group
        )
        group.template = template
        return template

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
        group.parameters, group.sizes = tuple(parameters), tuple(sizes)
        return [
            Hole(names[key]) if varies else None for key, varies in zip(keys, varying, strict=True)
        ]

    def _fill(
        self, group: Group, column: tuple[Number, ...], name: str, *, is_size: bool
    ) -> None:
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

    def _shape(self, activation: Activation, *, final: bool) -> Shape:
        instance = activation.instance
        constructor = instance.constructor
        kind = id(constructor.definition) if isinstance(constructor, BlockConstructor) else constructor.name
        return (
            kind,
            tuple(_tensor_shape(t) for t in activation.inputs),
            tuple((name, self._layer_shape(built, final)) for name, built in instance.layers.items()),
            tuple((s.name, s.role, _state_type(s.type)) for s in instance.state.values()),
            tuple(self._node_shape(node, final) for node in activation.nodes),
            tuple(t.id for t in activation.results),
            tuple(activation.captured),
        )

    def _layer_shape(self, built: Built, final: bool) -> Shape:
        if isinstance(built, BuiltOperator):
            return ("operator", built.operator.name, _attributes(built.attributes), built.borrows)
        group = self.group_of.get(built.activations[0])
        arguments = self.arguments.get(built, {}) if final else {}
        return (
            "block",
            group.index if group else -1,
            tuple((name, Number(value, name, False)) for name, value in arguments.items()),
        )

    def _node_shape(self, node: Any, final: bool) -> Shape:
        results = tuple(_tensor_shape(t) for t in node.results)
        if isinstance(node, RawOperation):
            return ("operation", node.operator.name, _attributes(node.attributes), node.inputs, results)
        if isinstance(node, RawApplication):
            inner = node.activation
            sizes = self.fillings.get(inner, {}) if final and inner else {}
            return (
                "application",
                node.reference,
                self.group_of[inner].index if inner else -1,
                tuple((name, Number(value, name, True)) for name, value in sizes.items()),
                node.inputs,
                tuple(node.borrowed.items()),
                tuple(node.captured.items()),
                results,
            )
        return ("read", node.reference, results)


def _tensor_shape(tensor: Tensor) -> Shape:
    return (tensor.id, _type_shape(tensor.type))


def _type_shape(type_: TensorType) -> Shape:
    return (type_.dtype, tuple(Number(dim, "size", True) for dim in type_.shape))


def _state_type(type_: TensorType) -> Shape:
    return (type_.dtype, tuple(Number(dim, "features", False) for dim in type_.shape))


def _attributes(attributes: dict[str, Attribute]) -> Shape:
    return tuple((name, _attribute(name, value)) for name, value in attributes.items())


def _attribute(name: str, value: Attribute) -> Shape:
    if isinstance(value, tuple):
        return tuple(_attribute(name, item) for item in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Number(value, name, False)
    return value


# ---- shapes as trees -----------------------------------------------------------------------------


def _erased(shape: Shape) -> Shape:
    """The structure alone: what a template's members have in common."""
    if isinstance(shape, Number):
        return "size" if shape.is_size else type(shape.value)
    if isinstance(shape, tuple):
        return tuple(_erased(part) for part in shape)
    return str(shape) if isinstance(shape, Expr) else (type(shape), shape)


def _numbers(shape: Shape) -> Iterator[Number]:
    if isinstance(shape, Number):
        yield shape
    elif isinstance(shape, tuple):
        for part in shape:
            yield from _numbers(part)


def _replaced(shape: Shape, holes: Iterator[Hole | None]) -> Shape:
    """The shape with each number's hole, or its value where it has none."""
    if isinstance(shape, Number):
        hole = next(holes)
        return shape.value if hole is None else hole
    if isinstance(shape, tuple):
        return tuple([_replaced(part, holes) for part in shape])
    return shape


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
            for node in activation.nodes
            if isinstance(node, RawApplication) and node.activation is not None
        ]
        stack.extend((child, False) for child in reversed(inner))


def _fresh(name: str, taken: set[str]) -> str:
    candidate, count = name, 1
    while candidate in taken:
        count += 1
        candidate = f"{name}{count}"
    taken.add(candidate)
    return candidate


# ---- building ------------------------------------------------------------------------------------


class _Builder:
    """Turns a replaced shape into a template. Places and names come from one member."""

    def __init__(self, owner: _Generalization, member: Activation) -> None:
        self.owner = owner
        self.member = member

    def template(self, shape: Shape, group: Group) -> graph.Template:
        _, inputs, layers, state, nodes, results, captured = shape
        instance = self.member.instance
        constructor = instance.constructor
        kind, name, documentation = "sequence", constructor.name, ""
        if isinstance(constructor, BlockConstructor):
            definition = constructor.definition
            kind, documentation = definition.kind, definition.documentation
            if instance.owner is not None:
                kind = "block"  # a net that another uses
        elif isinstance(constructor, Branches):
            kind = "branches"
        assert isinstance(constructor, BlockConstructor | Branches | Sequence)
        declared: dict[str, graph.Layer] = {
            layer_name: _layer(layer) for layer_name, layer in layers
        }
        declared |= {layer_name: graph.CapturedLayer() for layer_name in captured}
        return graph.Template(
            name=name,
            kind=kind,  # type: ignore[arg-type]
            parameters=group.parameters,
            sizes=group.sizes,
            layers=declared,
            state=tuple(
                graph.State(name=state_name, role=role, type=_type(type_))
                for state_name, role, type_ in state
            ),
            body=graph.Region(
                inputs=self._values(inputs),
                nodes=tuple(
                    self._node(node, raw.span)
                    for node, raw in zip(nodes, self.member.nodes, strict=True)
                ),
                results=results,
            ),
            documentation=documentation,
            span=instance.span,
        )

    def _values(self, shapes: Iterable[Shape]) -> tuple[graph.Value, ...]:
        names = self.member.names
        return tuple(
            graph.Value(id=id_, type=_type(type_), name=names.get(id_, "")) for id_, type_ in shapes
        )

    def _node(self, shape: Shape, span: graph.Span) -> graph.Node:
        if shape[0] == "operation":
            _, operator, attributes, inputs, results = shape
            return graph.Operation(
                operator=operator,
                attributes=dict(attributes),
                inputs=inputs,
                results=self._values(results),
                span=span,
            )
        if shape[0] == "application":
            _, reference, _, sizes, inputs, borrowed, captured, results = shape
            return graph.Application(
                layer=reference,
                sizes={name: _size(value) for name, value in sizes},
                inputs=inputs,
                borrowed=dict(borrowed),
                captured=dict(captured),
                results=self._values(results),
                span=span,
            )
        _, reference, results = shape
        return graph.Read(path=reference, results=self._values(results), span=span)


def _layer(shape: Shape) -> graph.Layer:
    if shape[0] == "operator":
        _, operator, attributes, borrows = shape
        return graph.OperatorLayer(operator=operator, attributes=dict(attributes), borrows=borrows)
    _, template, arguments = shape
    return graph.BlockLayer(template=template, arguments=dict(arguments))


def _size(value: Dim | Hole) -> Dim:
    return value.size if isinstance(value, Hole) else value


def _type(shape: Shape) -> TensorType:
    dtype, dims = shape
    return TensorType(dtype, tuple(_size(dim) for dim in dims))
