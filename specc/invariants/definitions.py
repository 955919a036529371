"""Invariants of initializers that a file defines: each is a small network, held to the table."""

from __future__ import annotations

from collections.abc import Iterator

from specc.initialize import catalogue
from specc.invariants.problem import Finding, quoted
from specc.invariants.view import View
from specc.ir.defined import (
    MAX_DRAWS,
    MAX_OPERATIONS,
    as_network,
    computing_type,
    most_elements,
    peak_elements,
)
from specc.ir.graph import DefinedInitializer, Operation
from specc.ir.types import TensorType
from specc.ops.registry import operators


def definitions_fit(view: View) -> Iterator[Finding]:
    """A defined initializer draws and computes its parameter's shape, by bounded operations."""
    sound: set[tuple[int, TensorType]] = set()
    for parameter in view.network.parameters:
        definition = parameter.initializer
        key = (id(definition), parameter.type)
        if not isinstance(definition, DefinedInitializer) or key in sound:
            continue
        if not parameter.type.is_static:
            continue
        problem = _wrong_draws(definition, parameter.type) or _wrong_body(
            view, definition, parameter.type
        )
        if problem is None:
            sound.add(key)
        else:
            yield Finding(f"the initializer of {quoted(parameter.name)}", problem)


def _wrong_draws(definition: DefinedInitializer, of: TensorType) -> str | None:
    type_ = computing_type(of)
    shape = tuple(dim for dim in of.shape if isinstance(dim, int))
    if not definition.name.isidentifier():
        return "its name is not an identifier"
    if [value.type for value in definition.body.inputs] != [type_] * len(definition.draws):
        return f"its body does not take {len(definition.draws)} draws of {type_}"
    for drawn in definition.draws:
        wrong = catalogue.problem(drawn, shape, type_.dtype)
        if wrong is not None:
            return f"{quoted(drawn.name)} {wrong.reason}"
    return None


def _wrong_body(view: View, definition: DefinedInitializer, of: TensorType) -> str | None:
    from specc.invariants.table import verify  # which holds this invariant

    body = definition.body
    if len(body.nodes) > MAX_OPERATIONS or len(body.inputs) > MAX_DRAWS:
        return f"it has over {MAX_OPERATIONS:,} operations or {MAX_DRAWS} draws"
    for node in body.nodes:
        if not isinstance(node, Operation):
            return f"a {node.kind} is no operation"
        operator = operators().get(node.operator)
        if operator is not None and (
            operator.draws(node.attributes) or node.operator == "training"
        ):
            return f"{quoted(node.operator)} is not the same each time"
    problems = verify(as_network(definition).model_copy(update={"sources": view.network.sources}))
    if problems:
        return f"{problems[0].where}: {problems[0].text}"
    types = {v.id: v.type for v in (*body.inputs, *(r for n in body.nodes for r in n.results))}
    if not all(type_.is_static for type_ in types.values()):
        return "a size in it is not known"
    if [types[result] for result in body.results] != [computing_type(of)]:
        return f"it does not give one {computing_type(of)}"
    if peak_elements(definition) > most_elements(of.elements):
        return "it has too many elements in hand"
    return None
