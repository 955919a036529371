"""Initial values as a person writes them: ``reset_parameters`` with calls of nn.init."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from specc.ir.attributes import Attribute
from specc.ir.graph import DefinedInitializer, Parameter
from specc.ir.initializer import Edit, Initializer
from specc.ir.names import join
from specc.targets.python import expressions as py
from specc.targets.python import layout
from specc.targets.python.definitions import InitFunction, InitFunctions, init_call
from specc.targets.python.edits import can_be_repeated, edit_line
from specc.targets.python.errors import EmitError
from specc.targets.python.expressions import SELF, Expression
from specc.targets.python.layers import Layers
from specc.targets.python.realisations import Holder, Instance, TorchModule, filled
from specc.targets.python.structure import Structure

Start: TypeAlias = Initializer | InitFunction
Around: TypeAlias = tuple[tuple[str, Expression], ...]

LOOPED = 3
"""As many parameters with one initializer are set in a loop."""


@dataclass(frozen=True)
class Slot:
    """One parameter: where it is, and how it starts, by nn.init or a function of the source.

    ``owner`` is the class of the module that it belongs to, empty where no class stands for it;
    ``default`` is how it starts of itself, ``default_edits`` included. That is None where the
    source allocates it, and then ``allocation`` says which allocation that is: a template, and a
    name in it. ``around`` are the modules with a class of the source that it lies in, from the
    network inwards: class, and where the module is.
    """

    parameter: Parameter
    start: Start
    access: Expression
    owner: str
    default: Initializer | None = None
    default_edits: tuple[Edit, ...] = ()
    allocation: tuple[int, str] = (-1, "")
    around: Around = ()

    @property
    def further_edits(self) -> tuple[Edit, ...]:
        """The edits beyond those that a layer of this kind makes of itself."""
        return self.parameter.edits[len(self.default_edits) :]

    @property
    def is_drawn(self) -> bool:
        """Whether the source has to draw it, or the layer's own values are the right ones.

        They are not where an edit adds to them: a second ``reset_parameters`` would add again.
        """
        as_default = self.start == self.default
        as_default &= self.parameter.edits[: len(self.default_edits)] == self.default_edits
        return not (as_default and can_be_repeated(self.further_edits))


@dataclass(frozen=True)
class Loop:
    """One initializer for a parameter of all modules of some classes; ``target`` is of a module.

    ``guarded`` says that some of these modules lack the parameter.
    """

    owners: tuple[str, ...]
    target: Expression
    start: Start
    guarded: bool = False


class InitialValues:
    """What the emitted source does about initial values."""

    def __init__(self, structure: Structure, layers: Layers) -> None:
        self._structure = structure
        self._layers = layers
        self._parameters = {p.name: p for p in structure.network.parameters}
        self._fills: dict[tuple[int, str], set[str]] = {}
        self._lacking: set[tuple[str, str]] = set()
        self.functions = InitFunctions(structure, layers)
        self._slots = list(self._walk(structure.network.root, "", SELF, {}, ()))

    def fill(self, template: int, name: str) -> str:
        """How a template allocates state of this name: ``empty``, ``zeros`` or ``ones``."""
        fills = self._fills.get((template, name), {"empty"})
        return next(iter(fills)) if len(fills) == 1 else "empty"

    # ---- the parameters --------------------------------------------------------------------------

    def _walk(
        self,
        template: int,
        path: str,
        access: Expression,
        holes: Mapping[str, Attribute],
        around: Around,
    ) -> Iterator[Slot]:
        declared = self._structure.templates[template]
        if not self._structure.is_inline(template):
            around = (*around, (self._layers.class_names[template], access))
        for state in declared.state:
            parameter = self._parameter(join(path, state.name))
            key = (template, state.name)
            self._note_fill(key, parameter)
            owner = self._layers.class_names[template]
            found = py.attribute(access, state.name)
            start = self._start(parameter)
            yield Slot(parameter, start, found, owner, allocation=key, around=around)
        for name in declared.layers:
            key = (template, name)
            made = self._structure.realise(key)
            full = join(path, name)
            if isinstance(made, Instance):
                inner = filled(made.arguments, dict(holes))
                found = self._layers.member(access, key)
                yield from self._walk(made.template, full, found, inner, around)
            elif isinstance(made, TorchModule | Holder):
                yield from self._operator_slots(made, full, holes, access, key, around)

    def _operator_slots(
        self,
        made: TorchModule | Holder,
        path: str,
        holes: Mapping[str, Attribute],
        access: Expression,
        key: tuple[int, str],
        around: Around,
    ) -> Iterator[Slot]:
        attributes = filled(made.attributes, dict(holes))
        owned = made.slots if isinstance(made, Holder) else made.operator.state
        for slot in owned:
            found = py.attribute(self._layers.member(access, key), slot.name)
            if isinstance(made, Holder):
                parameter = self._parameter(join(path, slot.name))
                allocation = (key[0], join(key[1], slot.name))
                self._note_fill(allocation, parameter)
                start = self._start(parameter)
                yield Slot(parameter, start, found, "", allocation=allocation, around=around)
                continue
            owner = self._layers.module_class(made)
            if slot.when(attributes):
                parameter = self._parameter(join(path, slot.name))
                yield Slot(
                    parameter=parameter,
                    start=self._start(parameter),
                    access=found,
                    owner=owner,
                    default=slot.initializer(attributes),
                    default_edits=slot.edits(attributes),
                    around=around,
                )
            else:
                self._lacking.add((owner, slot.name))

    def _note_fill(self, allocation: tuple[int, str], parameter: Parameter) -> None:
        start = parameter.initializer
        plain = isinstance(start, Initializer) and start.name in {"zeros", "ones"}
        fill = start.name if plain and not parameter.edits else "empty"
        self._fills.setdefault(allocation, set()).add(fill)

    def _start(self, parameter: Parameter) -> Start:
        start = parameter.initializer
        return self.functions.function(start) if isinstance(start, DefinedInitializer) else start

    def _parameter(self, name: str) -> Parameter:
        if name not in self._parameters:
            raise EmitError(f"the network lists no parameter {name[:80]!r}")
        return self._parameters[name]

    # ---- the method ------------------------------------------------------------------------------

    def method(self) -> list[str]:
        """The lines of ``reset_parameters``; none where every layer starts as PyTorch's does."""
        slots = [slot for slot in self._slots if self.fill(*slot.allocation) == "empty"]
        loops, drawn = self._loops(slots)
        further, more = _loops_around(slots, drawn)
        loops += further
        drawn |= more
        single = [slot for slot in slots if slot.is_drawn and slot.parameter.name not in drawn]
        drawn |= {slot.parameter.name for slot in single}
        edits = self._edit_lines(slots, drawn)
        if not (loops or single or edits):
            return []
        self._layers.imports.add("nn")
        return [
            "    def reset_parameters(self):",
            *self._loop_lines(loops),
            *_lines(single),
            *edits,
        ]

    def _edit_lines(self, slots: list[Slot], drawn: set[str]) -> list[str]:
        """The edits, those that a layer made of itself included where its values are ``drawn``."""
        lines = [
            edit_line(edit, slot.access, slot.parameter.type.dtype, indent=12)
            for slot in slots
            for edit in (
                slot.parameter.edits if slot.parameter.name in drawn else slot.further_edits
            )
        ]
        if not lines:
            return []
        self._layers.imports.add("torch")
        return ["        with torch.no_grad():", *lines]

    def _loops(self, slots: list[Slot]) -> tuple[list[Loop], set[str]]:
        """A loop where all parameters of a class's slot start alike, and the names it sets."""
        by_class: dict[tuple[str, str], list[Slot]] = {}
        for slot in slots:
            if slot.owner:
                by_class.setdefault((slot.owner, slot.parameter.slot), []).append(slot)
        merged: dict[tuple[str, Start], list[list[Slot]]] = {}
        for (_, name), group in by_class.items():
            if _alike(group):
                merged.setdefault((name, group[0].start), []).append(group)
        loops, drawn = [], set()
        for (name, start), groups in merged.items():
            if sum(map(len, groups)) > 1:
                owners = tuple(group[0].owner for group in groups)
                guarded = any((owner, name) in self._lacking for owner in owners)
                loops.append(Loop(owners, py.attribute(_MODULE, name), start, guarded))
                drawn |= {slot.parameter.name for group in groups for slot in group}
        return loops, drawn

    def _loop_lines(self, loops: list[Loop]) -> list[str]:
        if not loops:
            return []
        tests: dict[tuple[str, ...], list[Loop]] = {}
        for loop in loops:
            tests.setdefault(loop.owners, []).append(loop)
        lines = ["        for module in self.modules():"]
        for owners, entries in tests.items():
            classes = [py.dotted(owner) for owner in owners]
            kind = classes[0] if len(classes) == 1 else py.tuple_of(classes)
            test = py.call(py.name("isinstance"), [_MODULE, kind])
            lines.append(" " * 12 + layout.render(("if ", test.doc, ":"), indent=12))
            for loop in entries:
                indent = 16
                if loop.guarded:
                    lines.append(" " * indent + f"if {loop.target.text} is not None:")
                    indent += 4
                lines.append(_call_line(loop.start, loop.target, indent))
        return lines


_MODULE = py.name("module")


def _alike(group: list[Slot]) -> bool:
    """Whether parameters start alike, and do not do so by themselves."""
    return all(slot.start == group[0].start for slot in group) and any(
        slot.is_drawn for slot in group
    )


def _loops_around(slots: list[Slot], drawn: set[str]) -> tuple[list[Loop], set[str]]:
    """Loops over the blocks that parameters lie in, for those that no loop over layers sets.

    The weights of one kind of layer may start in two ways, and each of them alike in all blocks of
    a kind. The innermost block that tells them apart is taken.
    """
    loops: list[Loop] = []
    done: set[str] = set()
    left = {s.parameter.name for s in slots if s.is_drawn} - drawn
    for level in range(
        1, max((len(s.around) for s in slots if s.parameter.name in left), default=0)
    ):
        groups: dict[tuple[str, str], list[Slot]] = {}
        for slot in slots:
            if slot.parameter.name not in drawn and len(slot.around) > level:
                owner, where = slot.around[-level]
                within = slot.access.text.removeprefix(where.text)
                groups.setdefault((owner, within), []).append(slot)
        for (owner, within), group in groups.items():
            names = {slot.parameter.name for slot in group}
            if len(group) >= LOOPED and _alike(group) and not names & done:
                loops.append(Loop((owner,), Expression(f"module{within}"), group[0].start))
                done |= names
    return loops, done


def _lines(slots: list[Slot]) -> list[str]:
    """Direct calls, those of one initializer in a loop where they are many."""
    groups: dict[Start, list[Slot]] = {}
    for slot in slots:
        groups.setdefault(slot.start, []).append(slot)
    lines = []
    for initializer, group in groups.items():
        if len(group) < LOOPED:
            lines += [_call_line(initializer, slot.access, 8) for slot in group]
            continue
        members = py.tuple_of([slot.access for slot in group])
        lines.append(" " * 8 + layout.render(("for parameter in ", members.doc, ":"), indent=8))
        lines.append(_call_line(initializer, py.name("parameter"), 12))
    return lines


def _call_line(start: Start, target: Expression, indent: int) -> str:
    return " " * indent + layout.render(init_call(start, target).doc, indent=indent)
