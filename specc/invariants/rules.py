"""Invariants of types: each operator's own rule, run again on the types that the network states."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isnan
from typing import Any

from specc.frontend.diagnostics import Fault
from specc.invariants.activations import Activation
from specc.invariants.problem import Finding, node_at, quoted
from specc.invariants.view import View
from specc.ir.attributes import Attribute, Attributes, fill
from specc.ir.graph import Application, BlockLayer, Operation, Transfer
from specc.ir.types import TensorType
from specc.ir.walk import every_node
from specc.ops.apply import SlotValue, complete, infer, state_of
from specc.ops.operator import Operator


@dataclass(frozen=True)
class Outcome:
    """What a rule gives, and the state that a layer of these attributes has.

    Where it refuses, ``problem`` says why, and which invariant that breaks.
    """

    results: tuple[TensorType, ...] = ()
    state: tuple[SlotValue, ...] = ()
    problem: tuple[str, str] | None = None


@dataclass
class Rules:
    """The outcome for each use of an operator, by activation and position, and what is wrong."""

    outcomes: dict[tuple[Activation, int], Outcome] = field(default_factory=dict)
    findings: dict[str, list[Finding]] = field(default_factory=lambda: defaultdict(list))


def attributes_are_accepted(view: View) -> Iterator[Finding]:
    """An operator has all of its attributes, derived ones too, each of a kind that it takes."""
    yield from view.rules.findings["attributes"]


def numbers_are_bounded(view: View) -> Iterator[Finding]:
    """An int among the attributes fits 64 bits, as every target stores it."""
    yield from view.rules.findings["numbers"]


def types_follow_the_rules(view: View) -> Iterator[Finding]:
    """An operator takes its inputs, and gives the results that the network states."""
    yield from view.rules.findings["types"]


def blocks_fit_their_uses(view: View) -> Iterator[Finding]:
    """A block's application has the inputs and results of its template's body."""
    yield from view.rules.findings["blocks"]


def operations_own_nothing(view: View) -> Iterator[Finding]:
    """An operator that is applied in place has no state, as there is no layer to own it."""
    yield from view.rules.findings["stateless"]


def run_rules(view: View) -> Rules:
    """Runs the rule of every use of an operator, equal uses once."""
    rules = Rules()
    known: dict[object, Outcome] = {}
    for activation in view.exploration.activations:
        for position, node in enumerate(every_node(activation.template.body)):
            if isinstance(node, Operation):
                attributes = node.attributes
                if activation.holes:
                    attributes = {n: fill(v, activation.holes) for n, v in attributes.items()}
                outcome = _run(view, known, node.operator, attributes, activation, node)
                if outcome.state:
                    text = f"{node.operator} has state, and stands in no layer"
                    _report(view, rules, "stateless", activation, position, text)
            elif isinstance(node, Application):
                target = activation.targets[position]
                if isinstance(target.layer, BlockLayer):
                    _check_block(view, rules, activation, position, node)
                    continue
                layer = target.layer
                attributes = layer.attributes
                if target.holes:
                    attributes = {n: fill(v, target.holes) for n, v in attributes.items()}
                outcome = _run(view, known, layer.operator, attributes, activation, node)
            else:
                if isinstance(node, Transfer):
                    _check_transfer(view, rules, activation, position, node)
                continue
            rules.outcomes[activation, position] = outcome
            if outcome.problem is not None:
                invariant, text = outcome.problem
                _report(view, rules, invariant, activation, position, text)
                continue
            results = tuple(activation.types[value.id] for value in node.results)
            if results != outcome.results:
                text = f"it gives {_types(outcome.results)}, not {_types(results)}"
                _report(view, rules, "types", activation, position, text)
    return rules


def _report(
    view: View, rules: Rules, invariant: str, activation: Activation, position: int, text: str
) -> None:
    where = node_at(view.network, activation.index, position)
    rules.findings[invariant].append(Finding(where, text))


def _types(types: tuple[TensorType, ...]) -> str:
    return ", ".join(str(type_) for type_ in types)[:200] or "nothing"


# A rule rests on what the elaborator lets through; a network from elsewhere may hold anything that
# the kinds of the arguments accept, such as a sum of one operand.
_BEYOND_A_RULE = (ValueError, ArithmeticError, LookupError, TypeError, AssertionError)

# ---- operators -----------------------------------------------------------------------------------


def _run(
    view: View,
    known: dict[object, Outcome],
    name: str,
    attributes: Attributes,
    activation: Activation,
    node: Operation | Application,
) -> Outcome:
    types = tuple(activation.types[operand] for operand in node.inputs)
    key = (name, types, repr(attributes))  # as text, since 1, 1.0 and true are equal keys
    outcome = known.get(key)
    if outcome is None:
        outcome = known[key] = _outcome(view.operators[name], types, attributes)
    return outcome


def _outcome(operator: Operator, types: tuple[TensorType, ...], attributes: Attributes) -> Outcome:
    """Runs a rule, on attributes that its kinds accept."""
    lacking = [a.name for a in operator.arguments if a.name not in attributes]
    if lacking:
        return Outcome(problem=("attributes", f"{operator.name} lacks {', '.join(lacking)}"))
    if not all(_fits(value) for value in attributes.values()):
        return Outcome(problem=("numbers", f"{operator.name} has an int of more than 64 bits"))
    given = {argument.name: attributes[argument.name] for argument in operator.arguments}
    least, most = operator.arity
    literals = sum(given.get(side) is not None for side in ("left", "right"))
    count = len(types) + literals
    if count < least or (most is not None and count > most) or (literals and not types):
        return Outcome(problem=("types", f"{operator.name} does not take {len(types)} inputs"))
    try:
        accepted = complete(operator, given)
    except Fault as fault:
        return Outcome(problem=("attributes", fault.fact.message))
    try:
        applied = infer(operator, types, accepted)
        state = tuple(state_of(operator, applied.attributes, types))
    except Fault as fault:
        return Outcome(problem=("types", fault.fact.message))
    except _BEYOND_A_RULE as error:
        return Outcome(problem=("types", f"{operator.name} has no result: {str(error)[:80]}"))
    wrong = _difference(applied.attributes, attributes)
    if wrong is not None:
        text = f"{quoted(wrong)} of {operator.name} is not what follows from its inputs"
        return Outcome(problem=("attributes", text))
    return Outcome(applied.results, state)


def _fits(value: Attribute) -> bool:
    if isinstance(value, tuple):
        return all(_fits(item) for item in value)
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def _difference(expected: Attributes, found: Attributes) -> str | None:
    """An attribute in which two maps differ, 1 and 1.0 being different."""
    for name in (*expected, *found):
        if name not in expected or name not in found:
            return name
        if not _same(expected[name], found[name]):
            return name
    return None


def _same(left: Any, right: Any) -> bool:
    if type(left) is not type(right):
        return False
    if isinstance(left, tuple):
        return len(left) == len(right) and all(
            _same(a, b) for a, b in zip(left, right, strict=True)
        )
    if isinstance(left, float):
        return bool(left == right) or (isnan(left) and isnan(right))
    return bool(left == right)


def _check_transfer(
    view: View, rules: Rules, activation: Activation, position: int, node: Transfer
) -> None:
    (moved,), (result,) = node.inputs, node.results
    expected, found = activation.types[moved], activation.types[result.id]
    if expected != found:
        text = f"it gives {expected}, not {found}"
        _report(view, rules, "types", activation, position, text)


# ---- blocks --------------------------------------------------------------------------------------


def _check_block(
    view: View, rules: Rules, activation: Activation, position: int, node: Application
) -> None:
    inner = activation.inner[position]
    body = inner.template.body
    sides = (
        (
            "takes",
            [inner.types[v.id] for v in body.inputs],
            [activation.types[i] for i in node.inputs],
        ),
        (
            "gives",
            [inner.types[i] for i in body.results],
            [activation.types[v.id] for v in node.results],
        ),
    )
    for verb, expected, found in sides:
        if expected != found:
            wanted, given = _types(tuple(expected)), _types(tuple(found))
            text = f"{quoted(inner.template.name)} {verb} {wanted}, not {given}"
            _report(view, rules, "blocks", activation, position, text)
