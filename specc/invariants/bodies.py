"""Invariants of each template's body as it is written, its holes unfilled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from specc.invariants.bounds import MAX_PATH
from specc.invariants.problem import Finding, node_at, quoted, template_at
from specc.invariants.view import View
from specc.ir.attributes import Attribute, Hole
from specc.ir.graph import (
    Application,
    BlockLayer,
    Branch,
    Loop,
    Node,
    Operation,
    OperatorLayer,
    Read,
    Region,
    Scan,
    Template,
    Transfer,
    Value,
    Write,
)
from specc.ir.types import TensorType
from specc.ir.walk import every_node, every_value, operators_in, regions_of, steps

Findings = Iterator[Finding]


def operands(node: Node) -> Iterator[int]:
    """The values that a node reads."""
    if isinstance(node, Scan):
        yield from node.sequences
    if isinstance(node, Operation | Application | Transfer | Loop | Scan):
        yield from node.inputs
    if isinstance(node, Application):
        yield from node.borrowed.values()
    elif isinstance(node, Write):
        yield node.value
    elif isinstance(node, Branch):
        yield node.condition


def values_are_unique(view: View) -> Findings:
    """Within a body, its regions among it, no two values bear one id."""
    for index, template in enumerate(view.network.templates):
        seen: set[int] = set()
        where = template_at(view.network, index)
        for value in template.body.inputs:
            if value.id in seen:
                yield Finding(where, f"two inputs are value {value.id}")
            seen.add(value.id)
        for position, node in enumerate(every_node(template.body)):
            inputs = (value for region in regions_of(node) for value in region.inputs)
            for value in (*inputs, *node.results):
                if value.id in seen:
                    where = node_at(view.network, index, position)
                    yield Finding(where, f"value {value.id} is there already")
                seen.add(value.id)


def values_are_defined_before_use(view: View) -> Findings:
    """Nodes stand in an order in which they can run, and a body's results are values of it.

    A region sees the values around it, and nothing outside sees those of a region.
    """
    for index, template in enumerate(view.network.templates):
        for position, text in _scoping(template.body):
            network = view.network
            at_node = position >= 0
            where = node_at(network, index, position) if at_node else template_at(network, index)
            yield Finding(where, text)


def _scoping(body: Region) -> Iterator[tuple[int, str]]:
    """The positions of what reads a value that it does not see."""
    known: set[int] = set()
    scopes: list[list[int]] = []

    def define(values: Iterable[Value]) -> None:
        for value in values:
            known.add(value.id)
            scopes[-1].append(value.id)

    for step in steps(body):
        if step[0] == "enter":
            scopes.append([])
            define(step[2].inputs)
        elif step[0] == "begin":
            for operand in operands(step[2]):
                if operand not in known:
                    yield step[1], f"value {operand} is not defined yet"
        elif step[0] == "end":
            define(step[2].results)
        else:
            inside = "the body" if len(scopes) == 1 else "the region"
            for result in step[2].results:
                if result not in known:
                    yield step[1], f"the result {result} is no value of {inside}"
            known.difference_update(scopes.pop())


def templates_exist(view: View) -> Findings:
    """A block's layer is made from a template that is there."""
    count = len(view.network.templates)
    for index, name, layer in block_layers(view):
        if not 0 <= layer.template < count:
            yield Finding(
                template_at(view.network, index),
                f"layer {quoted(name)} is made from template {layer.template} of {count}",
            )


def block_layers(view: View) -> Iterator[tuple[int, str, BlockLayer]]:
    """All layers that are made from templates, with the template that declares each."""
    for index, template in enumerate(view.network.templates):
        for name, layer in template.layers.items():
            if isinstance(layer, BlockLayer):
                yield index, name, layer


def templates_are_acyclic(view: View) -> Findings:
    """No template holds itself, directly or through others."""
    _, cyclic = view.children_first
    for index in cyclic[:1]:
        yield Finding(template_at(view.network, index), "it holds itself, through its layers")


def arguments_fill_parameters(view: View) -> Findings:
    """A block's layer gives its template's parameters, all of them and nothing else."""
    for index, name, layer in block_layers(view):
        wanted = view.network.templates[layer.template].parameters
        if set(layer.arguments) != set(wanted):
            yield Finding(
                template_at(view.network, index),
                f"layer {quoted(name)} gives {_listed(layer.arguments)}"
                f" where the template has {_listed(wanted)}",
            )


def _listed(names: object) -> str:
    return ", ".join(sorted(names))[:200] or "nothing"  # type: ignore[call-overload]


def operators_are_known(view: View) -> Findings:
    """Every operator is one of the table."""
    for index, template in enumerate(view.network.templates):
        for name in operators_in(template):
            if name not in view.operators:
                yield Finding(
                    template_at(view.network, index),
                    f"the operator {quoted(name)} is not built in; pass it by ops= or --ops",
                )


def holes_are_declared(view: View) -> Findings:
    """A hole is one of its template's own; what belongs to a layer is filled where that is made.

    Attributes, arguments and shapes of state take ``parameters`` alone, types of values and sizes
    take either.
    """
    for index, template in enumerate(view.network.templates):
        numbers = frozenset(template.parameters)
        sizes = frozenset(f"${name}" for name in (*template.parameters, *template.sizes))
        own = frozenset(f"${name}" for name in template.parameters)
        for hole in _holes_of_layers(template):
            if hole not in numbers:
                yield Finding(
                    template_at(view.network, index), f"no parameter is called {quoted(hole)}"
                )
        for declared in template.state:
            for name in holes_of(declared.type) - own:
                yield Finding(
                    template_at(view.network, index), f"no parameter is called {quoted(name)}"
                )
        for name in _holes_of_types(template) - sizes:
            yield Finding(template_at(view.network, index), f"no hole is called {quoted(name)}")


def holes_of(type_: TensorType) -> frozenset[str]:
    """The holes in a type, each with its ``$``."""
    if type_.is_static:
        return frozenset()
    names = (name for dim in type_.shape if not isinstance(dim, int) for name in dim.symbols)
    return frozenset(name for name in names if name.startswith("$"))


def _holes_of_types(template: Template) -> frozenset[str]:
    found: set[str] = set()
    for value in every_value(template.body):
        found |= holes_of(value.type)
    for node in every_node(template.body):
        if isinstance(node, Application):
            for size in node.sizes.values():
                if not isinstance(size, int):
                    found |= {name for name in size.symbols if name.startswith("$")}
    return frozenset(found)


def _holes_of_layers(template: Template) -> Iterator[str]:
    for layer in template.layers.values():
        if isinstance(layer, OperatorLayer):
            yield from _holes_in(layer.attributes.values())
        elif isinstance(layer, BlockLayer):
            yield from _holes_in(layer.arguments.values())
    for node in every_node(template.body):
        if isinstance(node, Operation):
            yield from _holes_in(node.attributes.values())


def _holes_in(values: object) -> Iterator[str]:
    pending: list[Attribute] = list(values)  # type: ignore[call-overload]
    while pending:
        value = pending.pop()
        if isinstance(value, Hole):
            yield value.name
        elif isinstance(value, tuple):
            pending.extend(value)


def lists_keep_their_form(view: View) -> Findings:
    """A ``sequence`` feeds a member the results of the one before, ``branches`` the list's inputs.

    Behind these a member may take inputs of the list again: parameters of a block around it. A
    target writes lists as containers, whose order and wiring are implied.
    """
    for index, template in enumerate(view.network.templates):
        if template.kind not in ("sequence", "branches"):
            continue
        inputs = tuple(value.id for value in template.body.inputs)
        flow, collected = inputs, list[int]()
        moved: dict[int, int] = {}

        def unmoved(values: tuple[int, ...], moved: dict[int, int] = moved) -> tuple[int, ...]:
            return tuple(moved.get(value, value) for value in values)

        for position, node in enumerate(template.body.nodes):
            if isinstance(node, Read):
                continue
            if isinstance(node, Transfer):
                moved[node.results[0].id] = moved.get(node.inputs[0], node.inputs[0])
                continue
            fed = unmoved(node.inputs) if isinstance(node, Application) else None
            first = template.kind == "branches" or flow is inputs
            wanted = inputs[:1] if first else flow
            if fed is None or fed[: len(wanted)] != wanted or {*fed[len(wanted) :]} - {*inputs}:
                where = node_at(view.network, index, position)
                yield Finding(where, f"it is no member of a {template.kind}")
                break
            flow = tuple(value.id for value in node.results)
            collected.extend(flow)
        else:
            given = flow if template.kind == "sequence" else tuple(collected)
            if template.body.results != given:
                where = template_at(view.network, index)
                yield Finding(where, f"its results are not those of a {template.kind}")


def paths_are_bounded(view: View) -> Findings:
    """Dotted paths are short enough to follow."""
    for index, template in enumerate(view.network.templates):
        for position, node in enumerate(every_node(template.body)):
            paths: list[str] = []
            if isinstance(node, Application):
                paths = [node.layer, *node.captured.values()]
            elif isinstance(node, Read):
                paths = [node.path]
            elif isinstance(node, Write):
                paths = [node.name]
            if any(len(path) > MAX_PATH for path in paths):
                where = node_at(view.network, index, position)
                yield Finding(where, f"a path is longer than {MAX_PATH} characters")
