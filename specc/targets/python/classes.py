"""Writes a template as a class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TypeAlias

from specc.ir.graph import HERE, State
from specc.ir.names import join
from specc.ops.operator import StateSlot
from specc.targets.python import expressions as py
from specc.targets.python import layout, literals
from specc.targets.python.body import Forward
from specc.targets.python.errors import EmitError
from specc.targets.python.expressions import SELF, Expression
from specc.targets.python.initial import InitialValues
from specc.targets.python.layers import Layers, Tree, device_key, list_with_runs
from specc.targets.python.layout import Doc
from specc.targets.python.names import LIST_MEMBERS, Scope, identifier, is_attribute
from specc.targets.python.realisations import Holder, container_of
from specc.targets.python.structure import LayerKey, Structure

MARGIN = 8

Placed: TypeAlias = tuple[str, Doc]
"""A statement of ``__init__``, and the device that what it makes is on."""


class ClassWriter:
    """Writes one class."""

    def __init__(
        self, structure: Structure, layers: Layers, initial: InitialValues, template: int
    ) -> None:
        self._structure = structure
        self._layers = layers
        self._initial = initial
        self._index = template
        self._template = structure.templates[template]
        scope = Scope()
        self._arguments = {
            name: scope.unique(identifier(name, "number")) for name in self._template.parameters
        }
        self._holes = {hole: py.name(argument) for hole, argument in self._arguments.items()}
        self._devices = {d: structure.device_arguments[d] for d in structure.devices(template)}
        self._holes |= {device_key(d): py.name(name) for d, name in self._devices.items()}

    def lines(self) -> list[str]:
        """The class's text."""
        base = self._structure.base(self._index)
        self._layers.imports.add("nn")
        self._check_names()
        forward: list[str] = []
        numbers: dict[str, str] = {}
        anchors: dict[str, str] = {}
        if self._structure.has_forward(self._index):
            method = Forward(self._structure, self._layers, self._index)
            forward, numbers = method.lines(), method.holes
            anchors = method.anchors
        reset = self._initial.method() if self._index == self._structure.network.root else []
        constructor = self._constructor(base, numbers, anchors, resets=bool(reset))
        name = self._layers.class_names[self._index]
        head = [f"class {name}({base}):", *literals.docstring(self._template.documentation, 4)]
        methods = [method for method in (constructor, reset, forward) if method]
        if not methods and len(head) == 1:
            return [*head, "    pass"]
        body: list[str] = []
        for method_lines in methods:
            body += ["", *method_lines] if body or len(head) > 1 else method_lines
        return [*head, *body]

    def _check_names(self) -> None:
        declared = self._template
        for name in (*declared.layers, *(state.name for state in declared.state)):
            first = name.partition(".")[0]
            if first in LIST_MEMBERS and first not in {"append", "extend", "insert", "pop"}:
                raise EmitError(f"nn.Module has a member {first!r} of its own")

    # ---- __init__ --------------------------------------------------------------------------------

    def _constructor(
        self, base: str, numbers: dict[str, str], anchors: dict[str, str], *, resets: bool
    ) -> list[str]:
        docs: list[Placed] = [
            (HERE, self._assignment(SELF, attribute, self._holes[hole]))
            for hole, attribute in numbers.items()
        ]
        arguments: Sequence[Expression] = ()
        if base == "nn.Module":
            for state in self._template.state:
                docs += [(state.device, doc) for doc in self._state(state)]
            docs += self._tree(SELF, self._layers.containers(self._index))
            docs += self._own_slots()
        elif any(self._device_of(name) for name in self._template.layers):
            docs += self._members_one_by_one()
        else:
            (arguments,) = self._layers.members(self._index, self._holes)
            if base == "nn.ModuleList":
                arguments = [py.list_of(arguments)]
        docs += [(HERE, self._anchor(device, name)) for device, name in anchors.items()]
        if resets:
            docs.append((HERE, "self.reset_parameters()"))
        if not docs and not arguments and not self._arguments:
            return []
        signature = layout.arguments(["self", *self._arguments.values(), *self._device_signature()])
        start = py.call(
            py.SUPER_INIT,
            arguments,
            one_per_line=base == "nn.Sequential" and len(arguments) >= 4,
        )
        return [
            "    " + layout.render(("def __init__", signature, ":"), indent=4),
            *self._placed_lines([(HERE, start.doc), *docs]),
        ]

    def _device_signature(self) -> list[Doc]:
        """The devices among the arguments; those of the net have the last of each as defaults."""
        if self._index != self._structure.network.root:
            return list(self._devices.values())
        last = {d.name: d.alternatives[-1] for d in self._structure.network.devices}
        return [(name, "=", py.literal(last[d]).doc) for d, name in self._devices.items()]

    def _placed_lines(self, docs: Sequence[Placed]) -> Iterator[str]:
        """Statements, what is made on a device of its own below ``with torch.device(...):``."""
        for device, run in groupby(docs, key=lambda placed: placed[0]):
            margin = MARGIN
            if device != HERE:
                there = py.call(py.dotted("torch.device"), [self._holes[device_key(device)]])
                self._layers.imports.add("torch")
                yield " " * margin + layout.render(("with ", there.doc, ":"), indent=margin)
                margin += 4
            for _, doc in run:
                yield " " * margin + layout.render(doc, indent=margin)

    def _anchor(self, device: str, name: str) -> Doc:
        """A tensor of no elements, which goes where the module goes and is not saved."""
        self._layers.imports.add("torch")
        there = [("device", self._holes[device_key(device)])] if device != HERE else []
        empty = py.call(py.dotted("torch.empty"), [py.literal(0)], there)
        return py.call(
            py.attribute(SELF, "register_buffer"),
            [py.literal(name), empty],
            [("persistent", py.literal(False))],
        ).doc

    def _device_of(self, layer: str) -> str:
        return self._structure.device_of((self._index, layer))

    def _members_one_by_one(self) -> Iterator[Placed]:
        """A list whose members are on several devices."""
        for name in self._template.layers:
            made = self._layers.construct((self._index, name), self._holes)
            yield self._device_of(name), self._assignment(SELF, name, made)

    def _state(self, state: State) -> list[Doc]:
        filled = self._initial.fill(self._index, state.name)
        if state.role == "parameter":
            value = self._layers.parameter(state.type, self._holes, filled)
            return [self._assignment(SELF, state.name, value, "register_parameter")]
        return [
            self._buffer(SELF, state.name, self._layers.tensor(state.type, self._holes, filled))
        ]

    def _own_slots(self) -> list[Placed]:
        """The state of a layer without a name, which is the block's own."""
        if "" not in self._template.layers:
            return []
        made = self._structure.realise((self._index, ""))
        if not isinstance(made, Holder):
            raise EmitError("a block without a name within another one")
        return [(self._device_of(""), doc) for doc in self._slots(SELF, "", made)]

    def _slots(self, owner: Expression, layer: str, made: Holder) -> list[Doc]:
        docs: list[Doc] = []
        for slot in made.slots:
            tensor = self._slot(layer, made, slot)
            if slot.role == "parameter":
                docs.append(self._assignment(owner, slot.name, tensor))
            else:
                docs.append(self._buffer(owner, slot.name, tensor))
        return docs

    def _slot(self, layer: str, made: Holder, slot: StateSlot) -> Expression:
        type_ = self._layers.slot_type(made, slot.name)
        filled = self._initial.fill(self._index, join(layer, slot.name))
        write = self._layers.parameter if slot.role == "parameter" else self._layers.tensor
        return write(type_, self._holes, filled)

    def _parameter_dict(self, layer: str, made: Holder) -> Expression | None:
        """What holds the parameters of a layer that has no module; None where it has buffers."""
        if any(slot.role == "buffer" for slot in made.slots):
            return None
        entries = [(slot.name, self._slot(layer, made, slot)) for slot in made.slots]
        return py.call(py.dotted("nn.ParameterDict"), [py.dict_of(entries)])

    def _tree(self, owner: Expression, tree: Tree) -> list[Placed]:
        """Statements that make the layers of ``tree`` below ``owner``."""
        docs: list[Placed] = []
        for name, node in tree.items():
            devices = self._devices_in(node)
            value = self._value(node) if len(devices) == 1 else None
            if value is not None:
                docs.append((devices.pop(), self._assignment(owner, name, value)))
                continue
            kind = "nn.Module"
            if isinstance(node, dict) and len(devices) > 1:
                kind = container_of(list(node))
            docs.append((HERE, self._assignment(owner, name, py.call(py.dotted(kind)))))
            inner = py.attribute(owner, name)
            if isinstance(node, dict):
                docs += self._tree(inner, node)
            else:
                made = self._structure.realise(node)
                assert isinstance(made, Holder)
                docs += [(devices.copy().pop(), d) for d in self._slots(inner, node[1], made)]
        return docs

    def _devices_in(self, node: Tree | LayerKey) -> set[str]:
        """The devices of the layers of a container, or of one layer."""
        if not isinstance(node, dict):
            return {self._structure.device_of(node)}
        return set().union(*(self._devices_in(inner) for inner in node.values()))

    def _value(self, node: Tree | tuple[int, str]) -> Expression | None:
        """The expression that makes a layer or a container, where one is enough."""
        if not isinstance(node, dict):
            made = self._structure.realise(node)
            if isinstance(made, Holder):
                return self._parameter_dict(node[1], made)
            return self._layers.construct(node, self._holes)
        names = list(node)
        kind = container_of(names)
        values = [self._value(inner) for inner in node.values()]
        members = [value for value in values if value is not None]
        if kind == "nn.Module" or len(members) < len(values):
            return None
        if kind == "nn.ModuleList":
            return py.call(py.dotted(kind), [list_with_runs(members, one_per_line=3)])
        entries = list(zip(names, members, strict=True))
        return py.call(py.dotted(kind), [py.dict_of(entries, one_per_line=len(entries) >= 3)])

    def _assignment(
        self, owner: Expression, name: str, value: Expression, register: str = "add_module"
    ) -> Doc:
        if is_attribute(name):
            return (py.attribute(owner, name).doc, " = ", value.doc)
        return py.call(py.attribute(owner, register), [py.literal(name), value]).doc

    def _buffer(self, owner: Expression, name: str, value: Expression) -> Doc:
        return py.call(py.attribute(owner, "register_buffer"), [py.literal(name), value]).doc
