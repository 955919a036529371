"""Invariants of parameters, buffers and constants: who owns and who borrows, how they start."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from specc.initialize import catalogue
from specc.initialize.requirements import holds
from specc.invariants.activations import Activation, Resolved, resolve
from specc.invariants.bounds import MAX_ELEMENTS, MAX_PATH
from specc.invariants.problem import Finding, node_at, quoted
from specc.invariants.view import View
from specc.ir.attributes import size_environment
from specc.ir.dims import substitute
from specc.ir.graph import (
    Application,
    CapturedLayer,
    DefinedInitializer,
    OperatorLayer,
    Parameter,
    Read,
    Role,
    Transfer,
)
from specc.ir.names import join, problem_with
from specc.ir.types import DType, TensorType
from specc.ir.walk import every_node


@dataclass(frozen=True)
class Owned:
    """State as its owner's application or declaration gives it."""

    role: Role
    type: TensorType
    layer: str
    slot: str


@dataclass
class FullState:
    """All state of the network by full name, and what is wrong with how it is referred to.

    ``reads`` are (where, full name, type), ``borrows`` (where, the slot's full name, its owner's).
    """

    owned: dict[str, Owned] = field(default_factory=dict)
    reads: list[tuple[str, str, TensorType]] = field(default_factory=list)
    borrows: list[tuple[str, str, str]] = field(default_factory=list)
    findings: dict[str, list[Finding]] = field(default_factory=lambda: defaultdict(list))


# ---- the invariants ------------------------------------------------------------------------------


def layers_are_applied(view: View) -> Iterator[Finding]:
    """Every layer is applied: nothing else decides what state it has."""
    yield from view.state.findings["applied"]


def borrowed_state_fits(view: View) -> Iterator[Finding]:
    """A layer is given just the state that it borrows: state that was read, of the slot's type."""
    yield from view.state.findings["borrowed"]


def parameters_are_those_of_the_layers(view: View) -> Iterator[Finding]:
    """The parameters are exactly the state that the layers own, each once, and of its type."""
    listed: dict[str, Parameter] = {}
    for parameter in view.network.parameters:
        if parameter.name in listed:
            yield Finding(quoted(parameter.name), "it is there twice")
        listed[parameter.name] = parameter
    owned = view.state.owned
    for name, state in owned.items():
        found = listed.get(name)
        if found is None:
            yield Finding(quoted(name), "a layer owns it, and it is no parameter")
        elif Owned(found.role, found.type, found.layer, found.slot) != state:
            yield Finding(
                quoted(name),
                f"it is a {found.role} {found.type} of {quoted(found.layer)},"
                f" not a {state.role} {state.type} of {quoted(state.layer)}",
            )
    for name in listed:
        if name not in owned:
            yield Finding(quoted(name), "no layer owns it")


def state_agrees(view: View) -> Iterator[Finding]:
    """Wherever a layer is applied, its state has the same type, and it is read as what it is."""
    yield from view.state.findings["agrees"]
    for where, name, type_ in view.state.reads:
        state = view.state.owned.get(name)
        if state is None:
            yield Finding(where, f"there is no state {quoted(name)}")
        elif state.type != type_:
            yield Finding(where, f"{quoted(name)} is {state.type}, not {type_}")


def aliases_lead_to_owners(view: View) -> Iterator[Finding]:
    """An alias is another name of a parameter; a slot that is borrowed is one."""
    network = view.network
    names = {parameter.name for parameter in network.parameters}
    for alias, owner in network.aliases.items():
        if alias in names:
            yield Finding(f"the alias {quoted(alias)}", "a parameter has this name")
        elif len(alias) > MAX_PATH or any(problem_with(part) for part in alias.split(".")):
            yield Finding(f"the alias {quoted(alias)}", "it is no name of a parameter")
        if owner not in names:
            yield Finding(f"the alias {quoted(alias)}", f"{quoted(owner)} is no parameter")
    for where, slot, owner in view.state.borrows:
        if network.aliases.get(slot) != owner:
            yield Finding(where, f"{quoted(slot)} is {quoted(owner)}, which no alias says")


def initializers_fit(view: View) -> Iterator[Finding]:
    """Every parameter has a shape of known sizes, and an initializer that can fill it."""
    elements = 0
    for parameter in view.network.parameters:
        where = quoted(parameter.name)
        if not parameter.type.is_static:
            yield Finding(where, f"its type {parameter.type} is not known")
            continue
        elements += parameter.type.elements
        shape = tuple(dim for dim in parameter.type.shape if isinstance(dim, int))
        if isinstance(parameter.initializer, DefinedInitializer):
            continue  # definitions_fit looks into it
        wrong = catalogue.problem(parameter.initializer, shape, parameter.type.dtype)
        if wrong is not None:
            yield Finding(where, f"{quoted(parameter.initializer.name)} {wrong.reason}")
    if elements > MAX_ELEMENTS:
        yield Finding("the parameters", f"they hold more than {MAX_ELEMENTS:,} elements")


def edits_fit(view: View) -> Iterator[Finding]:
    """An edit's index lies in the parameter, and its value is one of the parameter's dtype."""
    for parameter in view.network.parameters:
        shape, dtype = parameter.type.shape, parameter.type.dtype
        sizes = [dim for dim in shape if isinstance(dim, int)]
        for edit in parameter.edits if len(sizes) == len(shape) else ():
            wrong = edit.problem(sizes)
            if wrong is not None:
                yield Finding(quoted(parameter.name), f"an edit of it is {wrong[0]}")
            elif not holds(dtype, edit.value):
                yield Finding(quoted(parameter.name), f"{edit.value} is no {dtype.value}")
            elif dtype is DType.BOOL and edit.operator != "=":
                yield Finding(quoted(parameter.name), f"{edit.operator} edits truth values")


# ---- collecting ----------------------------------------------------------------------------------


@dataclass
class _Place:
    """An activation under its full name, with the full names of the layers handed to it."""

    activation: Activation
    path: str
    captured: dict[str, str]

    def full(self, resolved: Resolved) -> str:
        base = self.path if resolved.captured is None else self.captured[resolved.captured]
        return join(base, resolved.path)


def full_state(view: View) -> FullState:
    """Walks the whole network, templates expanded, in the order in which it runs."""
    collector = _Collector(view)
    pending = [_Place(view.exploration.root, "", {})]
    while pending:
        pending.extend(reversed(collector.visit(pending.pop())))
    collector.check_applied()
    return collector.state


class _Collector:
    def __init__(self, view: View) -> None:
        self.view = view
        self.state = FullState()
        self.declared: dict[str, str] = {}
        self.applied: set[str] = set()
        self.instances: set[str] = set()

    def visit(self, place: _Place) -> list[_Place]:
        """Collects what one activation has and does; gives the activations inside it."""
        activation = place.activation
        self._declare(place)
        read: dict[int, str] = {}
        inner: list[_Place] = []
        for position, node in enumerate(every_node(activation.template.body)):
            if isinstance(node, Read):
                self._read(place, position, node, read)
            elif isinstance(node, Transfer):
                moved = read.get(node.inputs[0])
                if moved is not None:  # state, on another device
                    read[node.results[0].id] = moved
            elif isinstance(node, Application):
                target = activation.targets[position]
                full = place.full(target)
                self.applied.add(full)
                if len(full) > MAX_PATH:
                    where = self._where(place, position)
                    text = f"a layer's name is longer than {MAX_PATH} characters"
                    self.state.findings["applied"].append(Finding(where, text))
                elif isinstance(target.layer, OperatorLayer):
                    self._operator(place, position, node, full, target.layer, read)
                else:
                    if node.borrowed:
                        self._wrong_borrow(place, position, "a block borrows nothing")
                    handed = activation.handed[position]
                    captured = {name: place.full(found) for name, found in handed.items()}
                    inner.append(_Place(activation.inner[position], full, captured))
        return inner

    def _where(self, place: _Place, position: int) -> str:
        return node_at(self.view.network, place.activation.index, position)

    def _declare(self, place: _Place) -> None:
        template = place.activation.template
        sizes = size_environment(place.activation.holes)
        for state in template.state:
            shape = tuple(substitute(dim, sizes) for dim in state.type.shape)
            type_ = state.type.with_shape(shape)
            owned = Owned(state.role, type_, template.name, state.name)
            self._own(join(place.path, state.name), owned, template.name)
        if place.path not in self.instances:
            self.instances.add(place.path)
            for name, layer in template.layers.items():
                if not isinstance(layer, CapturedLayer):
                    self.declared[join(place.path, name)] = template.name

    def _own(self, name: str, owned: Owned, where: str) -> None:
        first = self.state.owned.setdefault(name, owned)
        if first != owned:
            text = f"{quoted(name)} is {first.type} at one use and {owned.type} at another"
            self.state.findings["agrees"].append(Finding(where, text))

    def _read(self, place: _Place, position: int, node: Read, read: dict[int, str]) -> None:
        activation = place.activation
        if len(node.results) != 1:
            text = f"it gives {len(node.results)} results, not 1"
            self.state.findings["agrees"].append(Finding(self._where(place, position), text))
            return
        full = join(place.path, node.path)
        if all(state.name != node.path for state in activation.template.state):
            owner, _, slot = node.path.rpartition(".")
            layers = activation.template.layers
            target = resolve(self.view, activation, owner) if owner or "" in layers else None
            if target is None:
                text = f"there is no state {quoted(node.path)}"
                self.state.findings["agrees"].append(Finding(self._where(place, position), text))
                return
            full = join(place.full(target), slot)
        (value,) = node.results
        read[value.id] = full
        self.state.reads.append((self._where(place, position), full, activation.types[value.id]))

    def _operator(
        self,
        place: _Place,
        position: int,
        node: Application,
        full: str,
        layer: OperatorLayer,
        read: dict[int, str],
    ) -> None:
        outcome = self.view.rules.outcomes[place.activation, position]
        slots = {slot.slot.name: slot for slot in outcome.state}
        borrows = set(layer.borrows)
        if set(node.borrowed) != borrows or not borrows <= slots.keys():
            self._wrong_borrow(place, position, "it is not given the state that it borrows")
            return
        for name, slot in slots.items():
            if name not in borrows:
                owned = Owned(slot.slot.role, slot.type, layer.operator, name)
                self._own(join(full, name), owned, self._where(place, position))
                continue
            value = node.borrowed[name]
            if value not in read:
                self._wrong_borrow(place, position, f"value {value} is not state that was read")
            elif place.activation.types[value] != slot.type:
                found = place.activation.types[value]
                text = f"{quoted(name)} is {slot.type}, and it borrows {found}"
                self._wrong_borrow(place, position, text)
            else:
                where = self._where(place, position)
                self.state.borrows.append((where, join(full, name), read[value]))

    def _wrong_borrow(self, place: _Place, position: int, text: str) -> None:
        self.state.findings["borrowed"].append(Finding(self._where(place, position), text))

    def check_applied(self) -> None:
        for name, template in self.declared.items():
            if name not in self.applied:
                text = f"its layer {quoted(name)} is never applied"
                self.state.findings["applied"].append(Finding(quoted(template), text))
