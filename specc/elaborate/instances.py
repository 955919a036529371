"""What elaboration builds: instances of blocks, the activations of their bodies, and raw nodes.

An *instance* owns layers and state under a name. An *activation* is one application of it: a body
over concrete types. A layer that is applied twice is one instance with two activations. After
elaboration ``generalize`` turns these into the IR's templates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from specc.elaborate.facts import SharingFault
from specc.elaborate.raw import RawApplication, RawNode, RawRead
from specc.elaborate.values import (
    BlockConstructor,
    Branches,
    InitializerDefinition,
    InitializerValue,
    LayerValue,
    Operand,
    Sequence,
    StateReference,
    Tensor,
)
from specc.frontend.diagnostics import Fault, Label
from specc.frontend.source import Span
from specc.ir.attributes import Attributes
from specc.ir.graph import HERE, Role
from specc.ir.names import join
from specc.ir.types import TensorType
from specc.ops.operator import Operator


@dataclass(eq=False)
class BuiltOperator:
    """A layer of a built-in kind, with the attributes that its first application derived."""

    owner: Instance
    name: str
    operator: Operator
    attributes: Attributes
    state: dict[str, TensorType]
    borrowed: Mapping[str, StateReference]  # the slots that it does not own
    span: Span
    device: str = HERE

    @property
    def borrows(self) -> tuple[str, ...]:
        """The names of the slots that it does not own."""
        return tuple(slot for slot in self.state if slot in self.borrowed)

    @property
    def path(self) -> str:
        """The full name."""
        return join(self.owner.path, self.name)

    @property
    def absolute_device(self) -> str:
        """The device as the net calls it."""
        return self.device or self.owner.absolute_device


@dataclass(eq=False)
class DeclaredState:
    """A ``param``, ``buffer`` or ``const ~`` of a block."""

    name: str
    role: Role
    type: TensorType
    span: Span
    device: str = HERE


@dataclass(eq=False)
class Instance:
    """A net, a block's layer, a list or a tuple of layers.

    One that is spliced into its owner, ``x |> _: Block``, has no name and no body of its own: it
    says of what kind the layers are that were made for it, which are ``part_of`` it.
    """

    constructor: BlockConstructor | Sequence | Branches | InitializerDefinition
    owner: Instance | None
    name: str
    path: str
    span: Span
    arguments: Mapping[str, object] = field(default_factory=dict)
    inline: Mapping[str, InitializerValue] = field(default_factory=dict)
    layers: dict[str, Built] = field(default_factory=dict)
    state: dict[str, DeclaredState] = field(default_factory=dict)
    activations: list[Activation] = field(default_factory=list)
    part_of: Instance | None = None
    holds_splices: bool = False  # its nodes are more than the members of a list
    device: str = HERE

    @property
    def absolute_device(self) -> str:
        """The device as the net calls it."""
        instance: Instance | None = self
        while instance is not None and not instance.device:
            instance = instance.owner
        return instance.device if instance is not None else HERE

    @property
    def kind(self) -> str:
        """The name of its constructor."""
        return self.constructor.name


Built: TypeAlias = BuiltOperator | Instance


def enclosing(instance: Instance) -> Iterator[Instance]:
    """The instance and those that it lies in, spliced ones among them, innermost first."""
    inner: Instance | None = instance
    while inner is not None:
        yield inner
        inner = inner.part_of or inner.owner


@dataclass(eq=False)
class Claim:
    """Who has a name in one activation, and where it was claimed."""

    layer: LayerValue | None
    span: Span


@dataclass(eq=False)
class Activation:
    """One application of an instance.

    ``application`` is the node of ``parent`` that stands for it, ``captured`` the layers that are
    owned elsewhere and handed in, under the names that this body knows them by, ``passed`` the
    inputs that are state which a block around this one declares. ``devices`` has
    the ids of tensors that are not ``HERE``, ``transfers`` what has been moved.
    """

    instance: Instance
    parent: Activation | None
    application: RawApplication | None
    inputs: tuple[Tensor, ...] = ()
    nodes: list[RawNode] = field(default_factory=list)
    results: tuple[Tensor, ...] = ()
    claims: dict[str, Claim] = field(default_factory=dict)
    prefixes: dict[str, Claim] = field(default_factory=dict)  # of the dotted names among them
    counters: dict[str, int] = field(default_factory=dict)
    captured: dict[str, Built] = field(default_factory=dict)
    reads: dict[str, Tensor] = field(default_factory=dict)
    passed: dict[tuple[Built, str], Tensor] = field(default_factory=dict)
    devices: dict[int, str] = field(default_factory=dict)
    transfers: dict[tuple[int, str], Tensor] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    buffers: dict[str, TensorType] = field(default_factory=dict)
    loops: list[Span] = field(default_factory=list)
    branches: int = 0  # run-time ones that elaboration stands in
    splices: list[Instance] = field(default_factory=list)  # under way, the innermost last
    next_id: int = 0

    @property
    def replays(self) -> bool:
        """Whether the instance was applied before, so that its layers are there already."""
        return self.instance.activations[0] is not self

    def is_within(self, instance: Instance) -> bool:
        """Whether this is a part of an application of ``instance``."""
        outer = self.parent
        while outer is not None and outer.instance is not instance:
            outer = outer.parent
        return outer is not None

    @property
    def innermost(self) -> Instance:
        """The instance whose body is run: this one, or the last that is spliced into it."""
        return self.splices[-1] if self.splices else self.instance

    def tensor(self, type_: TensorType, origin: Span, device: str = HERE) -> Tensor:
        """A new tensor of this body."""
        if device:
            self.devices[self.next_id] = device
        self.next_id += 1
        return Tensor(type_, self.next_id - 1, self, origin)

    def take(
        self, flow: tuple[Operand, ...], origins: tuple[Span, ...] | None = None
    ) -> tuple[Operand, ...]:
        """The body's own tensors for what flows in; an input that is left out stays none.

        ``origins`` are what diagnostics point at, by default the same as outside. A body that is
        spliced in works with the tensors themselves.
        """
        if self.splices:
            return flow
        entries = tuple(
            t and self.tensor(t.type, origins[place] if origins else t.origin)
            for place, t in enumerate(flow)
        )
        self.inputs = tuple(entry for entry in entries if entry is not None)
        return entries

    @contextmanager
    def region(self) -> Iterator[list[RawNode]]:
        """The nodes that are added inside go to the list that this gives.

        State that is read inside is a value of the region, so it is read anew behind it; so is
        what is moved to a device.
        """
        around, reads, transfers = self.nodes, self.reads, self.transfers
        self.nodes, self.reads, self.transfers = [], dict(reads), dict(transfers)
        try:
            yield self.nodes
        finally:
            self.nodes, self.reads, self.transfers = around, reads, transfers

    def auto_name(self, stem: str) -> str:
        """The next counted name: ``linear1``, ``linear2``."""
        self.counters[stem] = self.counters.get(stem, 0) + 1
        return f"{stem}{self.counters[stem]}"

    def reference(self, built: Built) -> str:
        """The name under which this body reaches a layer, captured where it is owned elsewhere."""
        if built.owner is self.instance:
            return built.name
        if not built.name:
            raise Fault(
                SharingFault(
                    because=(Label(built.span, "the layer that is shared"),),
                    problem="a layer without a name of its own cannot be used outside its block",
                    advice="name it: `norm: LayerNorm` in place of `_: LayerNorm`",
                )
            )
        if _is_within(built, self.instance):
            return built.path[len(self.instance.path) :].lstrip(".")
        for name, other in self.captured.items():
            if other is built:
                return name
        name = self._free(built.name.replace(".", "_"), built)
        self.captured[name] = built
        assert self.parent is not None
        assert self.application is not None
        self.application.captured[name] = self.parent.reference(built)
        return name

    def _free(self, name: str, built: Built) -> str:
        """``name`` for a layer handed in, with underscores until nothing else here is called so."""
        taken = {layer.partition(".")[0] for layer in self.instance.layers}
        taken |= {*self.captured, *self.instance.state, *self.prefixes}
        taken |= {
            name
            for name, claim in self.claims.items()
            if claim.layer is None or claim.layer.built is not built
        }
        while name in taken:
            name += "_"
        return name

    def rename_captured(self, old: str) -> None:
        """Makes way for a layer of this body's own that is called as one handed in."""
        assert self.application is not None
        new = self._free(f"{old}_", self.captured[old])

        def renamed(path: str) -> str:
            first, dot, rest = path.partition(".")
            return f"{new}{dot}{rest}" if first == old else path

        self.captured = {renamed(name): built for name, built in self.captured.items()}
        self.application.captured = {
            renamed(name): path for name, path in self.application.captured.items()
        }
        self.reads = {renamed(path): tensor for path, tensor in self.reads.items()}
        for node in self.nodes:
            if isinstance(node, RawApplication):
                node.reference = renamed(node.reference)
                node.captured = {name: renamed(path) for name, path in node.captured.items()}
            elif isinstance(node, RawRead):
                node.reference = renamed(node.reference)


def _is_within(built: Built, instance: Instance) -> bool:
    owner = built.owner
    while owner is not None:
        if owner is instance:
            return True
        owner = owner.owner
    return False
