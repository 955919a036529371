"""How a network's layers are made in Python: as a torch.nn module, a class, or mere state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from specc.ir.attributes import Attributes, Hole
from specc.ir.devices import devices_named
from specc.ir.graph import (
    HERE,
    Application,
    BlockLayer,
    CapturedLayer,
    Layer,
    Network,
    Operation,
    OperatorLayer,
    Template,
    Transfer,
    Write,
)
from specc.ir.types import DType, TensorType
from specc.ir.walk import every_node
from specc.ops.operator import CodeSite, Operator
from specc.ops.registry import operators
from specc.targets.python.checks import Checks
from specc.targets.python.errors import EmitError
from specc.targets.python.lowering import module_of
from specc.targets.python.names import LIST_MEMBERS, RESERVED, Scope, identifier
from specc.targets.python.realisations import (
    Captured,
    Holder,
    Instance,
    Realisation,
    TorchModule,
    adapter,
    is_symbolic,
    owned_slots,
    types_of,
)

LayerKey: TypeAlias = tuple[int, str]
"""The template that declares a layer, and the layer's name in it."""


class Structure:
    """A network with the derived facts that the emitter asks for again and again."""

    def __init__(self, network: Network, table: Mapping[str, Operator] | None = None) -> None:
        self.network = network
        self.operators = operators() if table is None else table
        self.templates: list[Template] = list(network.templates)
        self._adapters: dict[str, int] = {}
        self._realised: dict[LayerKey, Realisation] = {}
        self._plain: dict[int, bool] = {}
        self._numbered: dict[int, bool] = {}
        self._bases: dict[int, str] = {}
        self._set: dict[int, frozenset[str]] = {}
        self._types = [types_of(template) for template in network.templates]
        self._links: dict[LayerKey, LayerKey] = {}
        self._sites: dict[LayerKey, Application] = {}
        self._site_template: dict[LayerKey, int] = {}
        self.checks = Checks(network)
        self._devices = devices_named(network)
        declared = [device.name for device in network.devices]
        self._in_order = {name: position for position, name in enumerate(declared)}
        numbers = {name for template in network.templates for name in template.parameters}
        scope = Scope(RESERVED | numbers)
        self.device_arguments = {n: scope.unique(identifier(n, "device")) for n in declared}
        self._refuse_dunders()
        self._collect()

    # ---- names to declarations -------------------------------------------------------------------

    def chain(self, template: int, path: str) -> list[LayerKey]:
        """The declarations that a dotted path goes through, the last being what it names.

        Names may hold dots themselves, so the longest declared one is taken.
        """
        keys: list[LayerKey] = []
        rest = path
        while True:
            layers = self.templates[template].layers
            name = rest
            while name not in layers:
                name, dot, _ = name.rpartition(".")
                if not dot:
                    raise EmitError(f"no layer {path[:80]!r}")
            keys.append((template, name))
            rest = rest[len(name) + 1 :]
            if not rest:
                return keys
            layer = self.layer(self._owner((template, name)))
            if not isinstance(layer, BlockLayer):
                raise EmitError(f"no layer {path[:80]!r}")
            template = layer.template

    def layer(self, key: LayerKey) -> Layer:
        """A declared layer."""
        return self.templates[key[0]].layers[key[1]]

    def _owner(self, key: LayerKey) -> LayerKey:
        """A captured layer's declaration where it is owned (that of its first use)."""
        seen = set()
        while isinstance(self.layer(key), CapturedLayer):
            if key in seen or key not in self._links:
                raise EmitError(f"nothing is handed to {key[1][:80]!r}")
            seen.add(key)
            key = self._links[key]
        return key

    def target(self, template: int, path: str) -> LayerKey:
        """The declaration that owns what ``path`` names in a template."""
        return self._owner(self.chain(template, path)[-1])

    def _refuse_dunders(self) -> None:
        """Python gives names with two leading underscores a meaning of its own, or another name."""
        for template in self.templates:
            for name in (*template.layers, *(state.name for state in template.state)):
                if any(part.startswith("__") for part in name.split(".")):
                    raise EmitError(f"a name that begins with two underscores: {name[:80]!r}")

    def _collect(self) -> None:
        """Links captured layers to those handed over, then finds an application of every layer."""
        applications = [
            (index, node)
            for index, template in enumerate(self.templates)
            for node in every_node(template.body)
            if isinstance(node, Application)
        ]
        # A dotted path may go through a captured layer, whose link is known once its user's is.
        waiting = [item for item in applications if item[1].captured]
        while waiting:
            later = []
            for index, node in waiting:
                try:
                    callee = self.layer(self.target(index, node.layer))
                    handed = {
                        name: self.chain(index, path)[-1] for name, path in node.captured.items()
                    }
                except EmitError:
                    later.append((index, node))
                    continue
                if not isinstance(callee, BlockLayer):
                    raise EmitError(f"{node.layer[:80]!r} takes no layers")
                for name, key in handed.items():
                    self._links.setdefault((callee.template, name), key)
            if len(later) == len(waiting):
                raise EmitError(f"nothing is handed to {later[0][1].layer[:80]!r}")
            waiting = later
        for index, node in applications:
            key = self.target(index, node.layer)
            self._sites.setdefault(key, node)
            self._site_template.setdefault(key, index)

    def set_buffers(self, template: int) -> frozenset[str]:
        """The names of the buffers that a template's body sets."""
        if template not in self._set:
            self._set[template] = frozenset(
                node.name
                for node in every_node(self.templates[template].body)
                if isinstance(node, Write)
            )
        return self._set[template]

    # ---- devices ---------------------------------------------------------------------------------

    def devices(self, template: int) -> list[str]:
        """The logical devices that a template names itself or through its blocks, as declared."""
        named = self._devices[template] if template < len(self._devices) else ()
        return sorted(named, key=self._in_order.__getitem__)

    def is_placed(self, template: int) -> bool:
        """Whether the body itself runs on more than the device that it is applied on."""
        return any(
            getattr(node, "device", HERE) or isinstance(node, Transfer)
            for node in every_node(self.templates[template].body)
        )

    def device_of(self, key: LayerKey) -> str:
        """The device of a layer, as its template calls it."""
        layer = self.layer(key)
        return HERE if isinstance(layer, CapturedLayer) else layer.device

    # ---- types -----------------------------------------------------------------------------------

    def type_of(self, template: int, value: int) -> TensorType:
        """The type of a value of a template's body."""
        return self._types[template][value]

    def types_of(self, template: int) -> Mapping[int, TensorType]:
        """The type of every value of a template's body."""
        return self._types[template]

    def first_parameter(self, key: LayerKey) -> tuple[str, DType] | None:
        """The name and dtype of a layer's first parameter, where it is a module of torch.nn."""
        made = self.realise(key)
        if not isinstance(made, TorchModule):
            return None
        slots = [slot.name for slot in made.operator.state if slot.when(made.attributes)]
        return (slots[0], made.dtype) if slots else None

    def site(self, key: LayerKey) -> CodeSite:
        """The structure at which a layer is applied (first)."""
        layer = self.layer(key)
        node = self._sites.get(key)
        attributes = layer.attributes if isinstance(layer, OperatorLayer) else {}
        if node is None:
            return CodeSite((), (), attributes)
        return self.node_site(self._site_template[key], node, attributes)

    def node_site(
        self, template: int, node: Operation | Application, attributes: Attributes
    ) -> CodeSite:
        """The structure of a node."""
        return CodeSite(
            tuple(self.type_of(template, i) for i in node.inputs),
            tuple(value.type for value in node.results),
            attributes,
        )

    # ---- realisations ----------------------------------------------------------------------------

    def operator(self, name: str) -> Operator:
        """An entry of the table."""
        if name not in self.operators:
            raise EmitError(f"no operator {name[:80]!r}")
        return self.operators[name]

    def realise(self, key: LayerKey) -> Realisation:
        """How the layer is made."""
        if key not in self._realised:
            self._realised[key] = self._realise(key)
        return self._realised[key]

    def _realise(self, key: LayerKey) -> Realisation:
        layer = self.layer(key)
        if isinstance(layer, CapturedLayer):
            return Captured()
        if isinstance(layer, BlockLayer):
            return Instance(layer.template, dict(layer.arguments))
        operator, site = self.operator(layer.operator), self.site(key)
        slots = owned_slots(operator, layer)
        by_function = layer.borrows or not key[1] or (not operator.state and is_symbolic(layer))
        call = None if by_function else module_of(operator, site)
        if call is not None:
            floats = (
                site.types
                and site.types[0].dtype.is_float
                and any(slot.dtype is None for slot in slots)
            )
            dtype = site.types[0].dtype if floats else DType.F32
            return TorchModule(operator, layer.attributes, call, site, dtype)
        if operator.state:
            return Holder(operator, layer.attributes, site, slots)
        return self._adapter(layer, operator, site)

    def _adapter(self, layer: OperatorLayer, operator: Operator, site: CodeSite) -> Instance:
        """A stateless operator without a class of its own gets one: a template of one operation."""
        template = adapter(layer, operator, site)
        known = template.model_dump_json()
        if known not in self._adapters:
            self._adapters[known] = self.add(template)
        return Instance(self._adapters[known], {name: Hole(name) for name in template.parameters})

    def add(self, template: Template) -> int:
        """Takes in a template that the network itself does not have; gives its number."""
        self.templates.append(template)
        self._types.append(types_of(template))
        return len(self.templates) - 1

    # ---- templates -------------------------------------------------------------------------------

    def is_inline(self, template: int) -> bool:
        """Whether a template is a list of layers that ``nn.Sequential`` applies as it stands."""
        return (
            self.templates[template].kind == "sequence"
            and template != self.network.root
            and self.is_chain(template)
        )

    def is_chain(self, template: int) -> bool:
        """Whether the body applies each of its layers once, in order, each to the last result."""
        if template not in self._plain:
            self._plain[template] = self._is_chain(template)
        return self._plain[template]

    def _is_chain(self, index: int) -> bool:
        template = self.templates[index]
        body = template.body
        names = list(template.layers)
        if len(body.inputs) != 1 or len(body.nodes) != len(names) or template.state:
            return False
        if any("." in name or name in LIST_MEMBERS or not name for name in names):
            return False
        value = body.inputs[0].id
        for node, name in zip(body.nodes, names, strict=True):
            if not isinstance(node, Application) or node.layer != name:
                return False
            if node.inputs != (value,) or len(node.results) != 1:
                return False
            if node.borrowed or node.captured or node.device:
                return False
            if isinstance(self.realise((index, name)), Holder | Captured):
                return False
            value = node.results[0].id
        return body.results == (value,)

    def is_numbered(self, template: int) -> bool:
        """Whether the layers are named by position: "0", "1", ..."""
        if template not in self._numbered:
            self._numbered[template] = self._is_numbered(template)
        return self._numbered[template]

    def _is_numbered(self, template: int) -> bool:
        names = list(self.templates[template].layers)
        return bool(names) and names == [str(i) for i in range(len(names))]

    def base(self, template: int) -> str:
        """The class of torch.nn that the template's class derives from."""
        if template not in self._bases:
            self._bases[template] = self._base(template)
        return self._bases[template]

    def _base(self, template: int) -> str:
        declared = self.templates[template]
        names = list(declared.layers)
        made = [self.realise((template, name)) for name in names]
        if (
            not names
            or declared.state
            or any("." in name or name in LIST_MEMBERS or not name for name in names)
            or any(isinstance(one, Holder | Captured) for one in made)
        ):
            return "nn.Module"
        if declared.kind == "sequence":
            return "nn.Sequential"
        if self.is_numbered(template):
            return "nn.ModuleList" if declared.kind == "branches" else "nn.Sequential"
        return "nn.Module"

    def is_plain_sequential(self, template: int) -> bool:
        """Whether the forward of ``nn.Sequential`` computes the class's body."""
        return self.base(template) == "nn.Sequential" and self.is_chain(template)

    def has_forward(self, template: int) -> bool:
        """Whether the class needs a forward of its own."""
        checked = template == self.network.root and not self.checks.is_empty
        return checked or not self.is_plain_sequential(template)

    def classes(self) -> list[int]:
        """The templates that become classes, each after those that it uses; the root last."""
        order: list[int] = []
        seen: set[int] = set()

        def visit(index: int) -> None:
            if index in seen:
                return
            seen.add(index)
            for name in self.templates[index].layers:
                made = self.realise((index, name))
                if isinstance(made, Instance):
                    visit(made.template)
            if not self.is_inline(index):
                order.append(index)

        visit(self.network.root)
        return order
