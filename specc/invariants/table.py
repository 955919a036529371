"""The table of invariants, and the functions that hold a network against it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from specc.collector import resting_collector
from specc.invariants import (
    activations,
    bodies,
    definitions,
    expansion,
    interface,
    loss,
    placement,
    regions,
    rules,
    state,
)
from specc.invariants.problem import Finding, Problem
from specc.invariants.view import View
from specc.ir.graph import Network
from specc.ops.operator import Operator

_SHOWN = 10
"""Problems of one invariant that are named; one that is broken everywhere is broken once."""


@dataclass(frozen=True)
class Invariant:
    """What must hold, in a function that finds where it does not."""

    name: str
    check: Callable[[View], Iterable[Finding]]

    @property
    def summary(self) -> str:
        """What must hold, in words."""
        return (self.check.__doc__ or "").partition("\n")[0]


STAGES: tuple[tuple[Invariant, ...], ...] = (
    (  # what stands in one place, and what refers by number
        Invariant("relative-sources", interface.sources_are_relative),
        Invariant("places-in-sources", interface.places_lie_in_sources),
        Invariant("valid-names", interface.names_are_valid),
        Invariant("bounded-paths", bodies.paths_are_bounded),
        Invariant("existing-root", interface.root_is_a_net),
        Invariant("existing-templates", bodies.templates_exist),
        Invariant("known-operators", bodies.operators_are_known),
        Invariant("declared-holes", bodies.holes_are_declared),
        Invariant("unique-values", bodies.values_are_unique),
        Invariant("defined-values", bodies.values_are_defined_before_use),
        Invariant("wired-lists", bodies.lists_keep_their_form),
        Invariant("declared-devices", placement.devices_are_declared),
    ),
    (
        Invariant("acyclic-templates", bodies.templates_are_acyclic),
        Invariant("filled-parameters", bodies.arguments_fill_parameters),
    ),
    (Invariant("bounded-layers", expansion.layers_are_bounded),),
    (  # with the holes filled
        Invariant("existing-layers", activations.layers_resolve),
        Invariant("filled-sizes", activations.sizes_are_filled),
        Invariant("handed-layers", activations.layers_are_handed_in),
        Invariant("bounded-sizes", activations.sizes_are_bounded),
        Invariant("known-sizes", activations.sizes_are_known),
        Invariant("ending-applications", expansion.applications_end),
    ),
    (
        Invariant("matching-ports", interface.ports_match_the_root),
        Invariant("accepted-attributes", rules.attributes_are_accepted),
        Invariant("bounded-numbers", rules.numbers_are_bounded),
        Invariant("inferred-types", rules.types_follow_the_rules),
        Invariant("fitting-blocks", rules.blocks_fit_their_uses),
        Invariant("fitting-regions", regions.regions_fit),
        Invariant("met-operands", placement.operands_are_in_place),
        Invariant("declared-buffers", regions.writes_set_buffers),
        Invariant("stateless-operations", rules.operations_own_nothing),
        Invariant("known-constraints", interface.constraints_speak_of_inputs),
    ),
    (  # under full names
        Invariant("applied-layers", state.layers_are_applied),
        Invariant("fitting-borrows", state.borrowed_state_fits),
    ),
    (
        Invariant("agreeing-state", state.state_agrees),
        Invariant("owned-parameters", state.parameters_are_those_of_the_layers),
        Invariant("owned-aliases", state.aliases_lead_to_owners),
        Invariant("fitting-initializers", state.initializers_fit),
        Invariant("fitting-definitions", definitions.definitions_fit),
        Invariant("fitting-edits", state.edits_fit),
        Invariant("fitting-loss", loss.loss_fits),
    ),
)
"""The invariants, each after those that it rests on: a stage is checked if those before it hold."""

INVARIANTS: tuple[Invariant, ...] = tuple(invariant for stage in STAGES for invariant in stage)
"""All invariants, in order."""


class Unsound(ValueError):
    """A network that breaks an invariant. ``problems`` says where."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


def verify(network: Network, operators: Mapping[str, Operator] | None = None) -> list[Problem]:
    """What is wrong with ``network``; nothing where it is sound.

    ``operators`` is the table of operators, by default the built-in ones. The network may come from
    anywhere: whatever its fields hold, this ends soon and raises nothing.
    """
    view = View(network, operators)
    with resting_collector():
        for stage in STAGES:
            problems = [
                Problem(invariant.name, finding.where, finding.text)
                for invariant in stage
                for finding in islice(invariant.check(view), _SHOWN)
            ]
            if problems:
                return problems
    return []


def require_sound(network: Network, operators: Mapping[str, Operator] | None = None) -> None:
    """Raises Unsound where ``network`` breaks an invariant."""
    problems = verify(network, operators)
    if problems:
        raise Unsound(problems)
