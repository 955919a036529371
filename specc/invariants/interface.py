"""Invariants of what a network says of itself: sources, places, names, ports, constraints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from keyword import iskeyword
from pathlib import PurePosixPath

from specc.frontend.source import Span
from specc.invariants.problem import Finding, quoted, template_at
from specc.invariants.view import View
from specc.ir.dims import symbols_of
from specc.ir.graph import CapturedLayer, OperatorLayer, Template
from specc.ir.names import MAX_LENGTH, problem_with
from specc.ir.types import TensorType
from specc.ir.walk import every_node, every_value

Findings = Iterator[Finding]


def sources_are_relative(view: View) -> Findings:
    """A source's name leads nowhere outside: it is shown, and goes into files that travel."""
    for number, source in enumerate(view.network.sources):
        name = source.name
        drive = len(name) > 1 and name[1] == ":" and name[0].isalpha()
        outside = name.startswith(("/", "~")) or "\\" in name or drive
        if outside or ".." in PurePosixPath(name).parts:
            yield Finding(f"source {number}", f"{quoted(name)} is not a relative path")
        elif not name or not name.isprintable():
            yield Finding(f"source {number}", f"{quoted(name)} is no name of a text")


def places_lie_in_sources(view: View) -> Findings:
    """Every span covers characters that are there, since diagnostics and metadata look them up."""
    lengths = [len(source.text) for source in view.network.sources]
    for where, span in _spans(view):
        if span is None:
            continue
        file, start, end = span
        if not (0 <= file < len(lengths) and 0 <= start <= end <= lengths[file]):
            yield Finding(where, f"the place {tuple(span)} is not in the sources")


def _spans(view: View) -> Iterator[tuple[str, Span | None]]:
    network = view.network
    for index, template in enumerate(network.templates):
        where = template_at(network, index)
        yield where, template.span
        yield from ((where, node.span) for node in every_node(template.body))
    yield from (("a parameter", parameter.span) for parameter in network.parameters)
    yield from (("a constraint", constraint.span) for constraint in network.constraints)


def names_are_valid(view: View) -> Findings:
    """Names are such as the elaborator gives, so that no target meets any other text."""
    network = view.network
    yield from _identifiers("the network", [network.name])
    yield from _identifiers("the hyperparameters", network.hyperparameters)
    yield from _distinct("the inputs", [port.name for port in network.inputs])
    yield from _distinct("the outputs", [port.name for port in network.outputs])
    for index, template in enumerate(network.templates):
        where = template_at(network, index)
        yield from _identifiers(where, [template.name])
        yield from _distinct(where, [*template.parameters, *template.sizes])
        names = (value.name for value in every_value(template.body) if value.name)
        yield from _identifiers(where, names)
        state = [declared.name for declared in template.state]
        for name in (*template.layers, *state):
            if not name and name in template.layers:
                yield from _unnamed(view, where, template)
                continue
            # One that is handed in has a name of this body's own, with underscores if it clashes.
            handed = isinstance(template.layers.get(name), CapturedLayer)
            if (problem := problem_with(name.rstrip("_") if handed else name)) is not None:
                yield Finding(where, f"{quoted(name)} cannot name a layer or state: {problem}")
        yield from _distinct(where, state)
        for name in state:
            if name in template.layers:
                yield Finding(where, f"{quoted(name)} is both a layer and state")


def _unnamed(view: View, where: str, template: Template) -> Findings:
    """A layer without a name is an operator's; what it owns is the template's own."""
    layer = template.layers[""]
    if not isinstance(layer, OperatorLayer):
        yield Finding(where, "a block has no name")
        return
    operator = view.operators.get(layer.operator)
    names = {state.name for state in template.state} | template.layers.keys()
    for slot in operator.state if operator else ():
        if slot.name in names and slot.name not in layer.borrows:
            yield Finding(where, f"{quoted(slot.name)} is also state of a layer without a name")


def _identifiers(where: str, names: Iterable[str]) -> Findings:
    for name in names:
        if not name.isidentifier() or len(name) > MAX_LENGTH:
            yield Finding(where, f"{quoted(name)} is not an identifier")


def _distinct(where: str, names: Iterable[str]) -> Findings:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield Finding(where, f"{quoted(name)} is there twice")
        seen.add(name)
        if not name.isidentifier() or iskeyword(name) or len(name) > MAX_LENGTH:
            yield Finding(where, f"{quoted(name)} is not an identifier")


def root_is_a_net(view: View) -> Findings:
    """The root exists and has nothing to fill in: it is applied once, to the inputs."""
    network = view.network
    if not 0 <= network.root < len(network.templates):
        yield Finding("the network", f"there is no template {network.root}")
        return
    root = network.templates[network.root]
    if root.parameters or root.sizes or view.captured_names(network.root):
        yield Finding("the root", "it has holes, or layers that something must hand to it")


def ports_match_the_root(view: View) -> Findings:
    """Inputs and outputs are those of the root's body, in number, order and type."""
    network = view.network
    body = network.templates[network.root].body
    types = view.exploration.root.types
    inputs = [(value.name, value.type) for value in body.inputs]
    if [(port.name, port.type) for port in network.inputs] != inputs:
        yield Finding("the inputs", f"the body of the root takes {_types(t for _, t in inputs)}")
    outputs = [types[value] for value in body.results]
    if [port.type for port in network.outputs] != outputs:
        yield Finding("the outputs", f"the body of the root gives {_types(outputs)}")


def _types(types: Iterable[TensorType]) -> str:
    return ", ".join(str(type_) for type_ in types)[:200] or "nothing"


def constraints_speak_of_inputs(view: View) -> Findings:
    """A constraint is on sizes that the inputs' shapes hold: no others have a value."""
    for constraint in view.network.constraints:
        unknown = (symbols_of(constraint.left) | symbols_of(constraint.right)) - view.symbols
        if unknown:
            condition = f"{constraint.left} {constraint.relation} {constraint.right}"
            yield Finding(
                f"the constraint {quoted(condition)}", f"no input has the size {min(unknown)}"
            )
