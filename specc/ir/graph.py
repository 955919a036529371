"""The intermediate representation: the contract between the elaborator and every target.

A ``Network`` holds *templates* (what becomes a class), one of them the root. A template's body is a
flat list of nodes over values that are numbered within it; nothing in it nests but regions. Layers
are declared once in a template and applied by nodes, so a layer that is applied twice is the same
layer. Blocks that differ by numbers alone share one template: the numbers that differ are its
holes, ``parameters`` (written ``Hole("channels")`` in attributes and ``$channels`` in types),
filled by each ``BlockLayer``, and ``sizes`` (in types alone), filled by each ``Application``.

Every parameter of the whole network stands once in ``Network.parameters``, under its owner's name.

Where things run is said by the names of *logical devices*, which ``Network.devices`` declares. In
a body, ``HERE`` is the device that it is applied on, so that one template serves everywhere. Every
value is on one device, every node runs on one, and its operands are there: what comes from
elsewhere goes through a ``Transfer``.

All models are frozen and refuse unknown fields; JSON and back is the identity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
)

from specc.frontend.source import Span
from specc.ir.attributes import Attribute, Attributes, Number, decode_attributes, encode_attributes
from specc.ir.dims import Dim, Expr, parse_dim
from specc.ir.initializer import Edit, Initializer
from specc.ir.recipe import Recipe
from specc.ir.types import TensorType, parse_type

FORMAT_VERSION: Literal[1] = 1

HERE = ""
"""The device that a body is applied on: that of its inputs, and for a net where it is put."""


class Model(BaseModel):
    """Frozen, and strict about what it is given."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, ser_json_inf_nan="constants"
    )


def _read_type(value: object) -> object:
    return parse_type(value) if isinstance(value, str) else value


def _read_dim(value: object) -> object:
    return parse_dim(value) if isinstance(value, str) else value


def _write_dim(value: Dim) -> int | str:
    return value if isinstance(value, int) else str(value)


Type = Annotated[TensorType, BeforeValidator(_read_type), PlainSerializer(str)]
Size = Annotated[int | Expr, BeforeValidator(_read_dim), PlainSerializer(_write_dim)]
if TYPE_CHECKING:
    AttributeMap = Attributes
else:  # pydantic has no schema for a type that holds itself, so decoding checks the values
    AttributeMap = Annotated[
        dict[str, Any], PlainValidator(decode_attributes), PlainSerializer(encode_attributes)
    ]
NumberMap = Annotated[
    dict[str, Number], BeforeValidator(decode_attributes), PlainSerializer(encode_attributes)
]


class Value(Model):
    """One tensor of a body. ``name`` is what the spec calls it, empty where it has no name."""

    id: int
    type: Type
    name: str = ""


# ---- nodes ---------------------------------------------------------------------------------------


class Operation(Model):
    """An operator applied in place, with no layer of its own: ``relu``, ``x + y``."""

    kind: Literal["operation"] = "operation"
    operator: str
    attributes: AttributeMap = Field(default_factory=dict)
    inputs: tuple[int, ...] = ()
    device: str = HERE
    results: tuple[Value, ...]
    span: Span | None = None


class Application(Model):
    """A declared layer applied to values.

    ``layer`` names a layer of this template, or dotted, one inside its layers. ``sizes`` fills the
    size holes of a block's template, ``borrowed`` gives the state that the layer does not own.
    ``device`` is that of the layer.
    """

    kind: Literal["application"] = "application"
    layer: str
    sizes: dict[str, Size] = Field(default_factory=dict)
    inputs: tuple[int, ...] = ()
    borrowed: dict[str, int] = Field(default_factory=dict)
    captured: dict[str, str] = Field(default_factory=dict)
    device: str = HERE
    results: tuple[Value, ...]
    span: Span | None = None


class Read(Model):
    """A parameter, buffer or constant as a value: ``weight``, or dotted, ``embed.weight``."""

    kind: Literal["read"] = "read"
    path: str
    results: tuple[Value, ...]
    span: Span | None = None


class Transfer(Model):
    """A value as a tensor on another device; the value itself where it is there already."""

    kind: Literal["transfer"] = "transfer"
    device: str
    inputs: tuple[int]
    results: tuple[Value]
    span: Span | None = None


class Write(Model):
    """Sets a buffer of this template: ``value`` is what it holds from here on."""

    kind: Literal["write"] = "write"
    name: str
    value: int
    results: tuple[Value, ...] = ()
    span: Span | None = None


class Branch(Model):
    """``then`` or ``otherwise``, as the scalar bool ``condition`` says; neither takes inputs.

    The regions see the values of the body around them. Their results are of the same types, and
    those of this node.
    """

    kind: Literal["branch"] = "branch"
    condition: int
    then: Region
    otherwise: Region
    results: tuple[Value, ...]
    span: Span | None = None


class Loop(Model):
    """Repeats ``body`` while ``condition`` holds, carrying ``inputs`` from turn to turn.

    Both regions take the carried values; ``condition`` gives one scalar bool, ``body`` the carried
    values of the next turn, of the same types. The results are those of the last turn, or the
    inputs where there is none.
    """

    kind: Literal["loop"] = "loop"
    inputs: tuple[int, ...]
    condition: Region
    body: Region
    results: tuple[Value, ...]
    span: Span | None = None


class Scan(Model):
    """Runs ``body`` at each position along ``dim`` of the ``sequences``, in order.

    ``body`` takes that entry of each sequence, without the dim, and then the states, which begin as
    ``inputs``. It gives what is collected, and then the states of the next position. The results
    are what was collected, stacked along ``dim``, and then the last states. ``backward`` takes the
    last position first; what is collected there stands there all the same.
    """

    kind: Literal["scan"] = "scan"
    sequences: tuple[int, ...]
    inputs: tuple[int, ...]
    dim: int
    backward: bool = False
    body: Region
    results: tuple[Value, ...]
    span: Span | None = None


Node = Annotated[
    Operation | Application | Read | Transfer | Write | Branch | Loop | Scan,
    Field(discriminator="kind"),
]


class Region(Model):
    """Inputs, nodes in an order in which they can run, and the ids of the results.

    A region inside a node sees the values around it, too; ids are unique in the whole template.
    """

    inputs: tuple[Value, ...]
    nodes: tuple[Node, ...]
    results: tuple[int, ...]


Branch.model_rebuild()
Loop.model_rebuild()
Scan.model_rebuild()


# ---- layers and templates ------------------------------------------------------------------------


class OperatorLayer(Model):
    """A layer of a built-in kind. ``borrows`` are the state slots that it does not own."""

    kind: Literal["operator"] = "operator"
    operator: str
    attributes: AttributeMap = Field(default_factory=dict)
    borrows: tuple[str, ...] = ()
    device: str = HERE


class BlockLayer(Model):
    """A layer made from ``Network.templates[template]``; ``arguments`` fills its parameters."""

    kind: Literal["block"] = "block"
    template: int
    arguments: NumberMap = Field(default_factory=dict)
    device: str = HERE


class CapturedLayer(Model):
    """A layer that is owned elsewhere and handed to each application of this template."""

    kind: Literal["captured"] = "captured"


Layer = Annotated[OperatorLayer | BlockLayer | CapturedLayer, Field(discriminator="kind")]

Role = Literal["parameter", "buffer", "constant"]


class State(Model):
    """A parameter, buffer or constant that a template itself declares."""

    name: str
    role: Role
    type: Type
    device: str = HERE


class Template(Model):
    """What becomes a class: a net, a block, a list of layers, or a tuple of them (``branches``)."""

    name: str
    kind: Literal["net", "block", "sequence", "branches"]
    parameters: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    layers: dict[str, Layer] = Field(default_factory=dict)
    state: tuple[State, ...] = ()
    body: Region
    documentation: str = ""
    span: Span | None = None


# ---- the whole -----------------------------------------------------------------------------------


class DefinedInitializer(Model):
    """An initializer that a file defines, run for the shape of one parameter.

    ``body`` takes what the ``draws`` give, each of the parameter's shape, and computes the values
    by operations alone. Floats are f64 there, whatever the parameter's dtype: they are rounded
    once, at the end. ``arguments`` are the hyperparameters that are plain data, for the record.
    """

    name: str
    arguments: AttributeMap = Field(default_factory=dict)
    draws: tuple[Initializer, ...]
    body: Region

    def __str__(self) -> str:
        """As the language writes it: ``sparse_uniform(limit=10, keep=5)``."""
        if not self.arguments:
            return self.name
        shown = (f"{key}={_shown(value)}" for key, value in self.arguments.items())
        return f"{self.name}({', '.join(shown)})"


class Parameter(Model):
    """One tensor of the whole network's state.

    ``layer`` is the kind of its owner (``Linear``, or a block's name) and ``slot`` its name there.
    ``edits`` are made, in order, in what the ``initializer`` draws.
    """

    name: str
    role: Role
    type: Type
    initializer: Initializer | DefinedInitializer
    edits: tuple[Edit, ...] = ()
    layer: str
    slot: str
    span: Span | None = None


def _shown(value: Attribute) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    return f'"{value}"' if isinstance(value, str) else str(value)


class Port(Model):
    """A named input or output of the network."""

    name: str
    type: Type


class Constraint(Model):
    """What must hold of the symbolic sizes, and why."""

    relation: Literal[">=", "==", "!="]
    left: Size
    right: Size
    reason: str
    span: Span | None = None


class DeviceDeclaration(Model):
    """A logical device, and what it may be, in the order of preference: ``cuda:0``, ``cpu``."""

    name: str
    alternatives: tuple[str, ...]
    span: Span | None = None


class SourceFile(Model):
    """A text that the network was compiled from."""

    name: str
    text: str


class Network(Model):
    """A compiled network: all that a target needs, and nothing that runs.

    ``loss`` is the block of the file that the recipe's loss names, None for a built-in one: a
    network from the outputs of this one and the target to one number, without state. Its places
    are in the sources of this one.
    """

    format: Literal["specc"] = "specc"
    version: Literal[1] = FORMAT_VERSION
    compiler: str
    name: str
    sources: tuple[SourceFile, ...] = ()
    hyperparameters: AttributeMap = Field(default_factory=dict)
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    templates: tuple[Template, ...]
    root: int
    parameters: tuple[Parameter, ...] = ()
    aliases: dict[str, str] = Field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    devices: tuple[DeviceDeclaration, ...] = ()
    recipe: Recipe | None = None
    loss: Network | None = None


Network.model_rebuild()
