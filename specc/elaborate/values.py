"""What an expression can give: compile-time values, layers, and tensors of the body under way.

Ints, floats, bools, strings and None are themselves; a symbolic size is an ``Expr``; a map is a
dict; ``0..n`` a range; a dtype a ``DType``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from specc.elaborate.facts import LimitExceeded
from specc.frontend.diagnostics import Fault
from specc.frontend.source import Span
from specc.frontend.syntax import FunctionDefinition, ModuleDefinition
from specc.frontend.syntax import InitializerDefinition as InitializerSyntax
from specc.ir.dims import Dim, Expr
from specc.ir.initializer import Initializer
from specc.ir.types import DType, TensorType
from specc.ops.operator import Operator

if TYPE_CHECKING:
    from specc.elaborate.instances import Activation, Built, Instance
    from specc.elaborate.scope import Scope

Value: TypeAlias = Any


class Poison:
    """The value of an expression that is wrong; whatever it meets is silent."""

    def __repr__(self) -> str:
        return "POISON"


POISON = Poison()


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of the activation that made it. ``origin`` is the text that diagnostics point at."""

    type: TensorType
    id: int
    activation: Activation
    origin: Span


@dataclass(frozen=True, eq=False)
class StateReference:
    """A parameter, buffer or constant as a value; it becomes a tensor where one is wanted."""

    owner: Instance | Built
    slot: str
    type: TensorType
    origin: Span


@dataclass(frozen=True, eq=False)
class OperatorConstructor:
    """``Linear``, ``relu``: a built-in kind."""

    operator: Operator

    @property
    def name(self) -> str:
        """What the language calls it."""
        return self.operator.name


@dataclass(frozen=True, eq=False)
class BlockConstructor:
    """A block or net of a file, with the scope that its body sees."""

    definition: ModuleDefinition
    scope: Scope

    @property
    def name(self) -> str:
        """What the language calls it."""
        return self.definition.name


@dataclass(frozen=True, eq=False)
class DeviceValue:
    """A logical device, and the physical ones that it may be, in the order of preference."""

    name: str
    alternatives: tuple[str, ...]
    span: Span


@dataclass(frozen=True, eq=False)
class FunctionValue:
    """A ``def`` of a file."""

    definition: FunctionDefinition
    scope: Scope


@dataclass(frozen=True, eq=False)
class Builtin:
    """A compile-time function of the language; ``operator`` serves tensors under the same name."""

    name: str
    function: Callable[..., Value]
    operator: Operator | None = None


@dataclass(frozen=True, eq=False)
class ScanFunction:
    """``scan``, which applies a layer at each entry of a sequence."""


@dataclass(frozen=True, eq=False)
class Item:
    """One entry of a list or tuple, with its label where it has one."""

    value: Value
    span: Span
    label: str | None = None


MAX_NESTING = 100  # lists within lists, as the parser admits them; passes recurse on them


def extent(value: Value) -> int:
    """How many entries a value holds at all levels, each counted wherever it occurs."""
    if isinstance(value, _Items):
        return value.extent
    if isinstance(value, range):
        return len(value)
    if isinstance(value, str):
        return len(value) // 16
    if isinstance(value, dict):
        return len(value) + sum(extent(entry) for entry in value.values())
    return 0


def nesting(value: Value) -> int:
    """How many lists and maps a value is within one another, itself included."""
    if isinstance(value, _Items):
        return value.nesting
    if isinstance(value, dict):
        return 1 + max((nesting(entry) for entry in value.values()), default=0)
    return 0


def refuse_nesting(levels: int) -> None:
    """Raises a Fault where lists and maps nest too deep."""
    if levels > MAX_NESTING:
        raise Fault(LimitExceeded(what="levels of nested lists", limit=MAX_NESTING))


@dataclass(eq=False)
class _Items:
    """What lists and tuples share. Raises a Fault where they nest too deep."""

    items: tuple[Item, ...]
    span: Span
    layer: LayerValue | None = None
    name: str | None = None
    nesting: int = field(init=False)
    extent: int = field(init=False)
    poisoned: bool = field(init=False)

    def __post_init__(self) -> None:
        inner = [item.value for item in self.items if isinstance(item.value, _INNER)]
        self.nesting = 1 + max(map(nesting, inner), default=0)
        self.extent = len(self.items) + sum(map(extent, inner))
        self.poisoned = any(isinstance(v, _Items) and v.poisoned for v in inner) or any(
            item.value is POISON for item in self.items
        )
        refuse_nesting(self.nesting)


_INNER = (_Items, dict, range, str)


@dataclass(eq=False)
class ListValue(_Items):
    """``[a, b]``; as a layer it applies its members in order, and ``layer`` is that layer."""


@dataclass(eq=False)
class TupleValue(_Items):
    """``(a, b)``: several tensors, or as a layer one that gives each member the same input."""


@dataclass(frozen=True, eq=False)
class Sequence:
    """The constructor behind a list that is used as a layer."""

    items: tuple[Item, ...]
    name: str = "Sequential"


@dataclass(frozen=True, eq=False)
class Branches:
    """The constructor behind a tuple that is used as a layer."""

    items: tuple[Item, ...]
    name: str = "Branches"


Operand: TypeAlias = "Tensor | None"
"""What is given for one input of a layer: none where it is optional and left out."""

Constructor: TypeAlias = OperatorConstructor | BlockConstructor | Sequence | Branches


@dataclass(eq=False)
class LayerValue:
    """What a constructor call gives. It is built, and gets its parameters, when first applied.

    ``made_in`` is the body that a block's call stands in,
    ``name`` what the layer was bound to or handed over as; ``inline`` are its own
    ``slot ~ initializer`` and ``borrowed`` its ``slot=other.parameter`` arguments.
    """

    constructor: Constructor
    arguments: dict[str, Value]
    span: Span
    inline: dict[str, InitializerValue] = field(default_factory=dict)
    borrowed: dict[str, StateReference] = field(default_factory=dict)
    argument_spans: dict[str, Span] = field(default_factory=dict)
    name: str | None = None
    built: Built | None = None
    made_in: Activation | None = None  # None: where it is applied
    device: str | None = None  # None: it is said where it is applied, or nowhere


@dataclass(frozen=True, eq=False)
class InitializerDefinition:
    """``init name(...)(w: [...]) { }`` and the scope that its body sees."""

    definition: InitializerSyntax
    scope: Scope

    @property
    def name(self) -> str:
        """Its name."""
        return self.definition.name


@dataclass(frozen=True, eq=False)
class DefinedCall:
    """An initializer that a file defines, with its hyperparameters; run for each parameter."""

    definition: InitializerDefinition
    arguments: Mapping[str, Value]
    span: Span

    @property
    def name(self) -> str:
        """The definition's name."""
        return self.definition.name


@dataclass(frozen=True, eq=False)
class InitializerValue:
    """An initializer and the text that asked for it."""

    initializer: Initializer | DefinedCall
    span: Span


@dataclass(frozen=True, eq=False)
class Undetermined:
    """A name that has no one value here, as behind a run-time ``if``; using it is an error."""

    reason: str
    span: Span
    advice: str | None = None


@dataclass(frozen=True)
class Requirement:
    """A relation of sizes that is not decided when compiling."""

    relation: str  # ">=", "==" or "!="
    left: Dim
    right: Dim


@dataclass(frozen=True, eq=False)
class Undecided:
    """The truth of a condition on symbolic sizes: true where all ``requirements`` hold."""

    requirements: tuple[Requirement, ...]
    text: str


def is_poisoned(value: Value) -> bool:
    """Whether a value, or an entry of a list, is wrong, which has been reported."""
    return isinstance(value, Poison) or (isinstance(value, _Items) and value.poisoned)


def is_size(value: Value) -> bool:
    """Whether a value can be a dim: an int (no bool) or a symbolic size."""
    return isinstance(value, int | Expr) and not isinstance(value, bool)


_PLAIN: dict[type, Callable[[Any], str]] = {
    type(None): lambda value: "none",
    bool: lambda value: "true" if value else "false",
    int: lambda value: f"the int {value}" if abs(value) < 10**12 else "a large int",
    float: lambda value: f"the float {value:g}",
    str: lambda value: f'the string "{value}"' if len(value) < 40 else "a string",
    Expr: lambda value: f"the symbolic size {value}",
    Tensor: lambda value: f"a tensor {value.type}",
    StateReference: lambda value: f"a tensor {value.type}",
    OperatorConstructor: lambda value: f"the constructor {value.name}",
    BlockConstructor: lambda value: f"the constructor {value.name}",
    LayerValue: lambda value: f"a layer {value.constructor.name}(...)",
    ListValue: lambda value: "a list",
    TupleValue: lambda value: "a tuple",
    dict: lambda value: "a map",
    range: lambda value: "a range",
    DType: lambda value: f"the dtype {value.value}",
    DeviceValue: lambda value: f"the device {value.name}",
    FunctionValue: lambda value: f"the function {value.definition.name}",
    Builtin: lambda value: f"the function {value.name}",
    ScanFunction: lambda value: "the function scan",
    InitializerValue: lambda value: "an initializer",
    InitializerDefinition: lambda value: f"the initializer {value.name}",
    Undetermined: lambda value: "a value that is not determined",
    Undecided: lambda value: "a condition on symbolic sizes",
    Poison: lambda value: "a wrong value",
}


def describe(value: Value) -> str:
    """A value in the words of a diagnostic: "an int", "the layer Linear(...)", "a list"."""
    return _PLAIN[type(value)](value)
