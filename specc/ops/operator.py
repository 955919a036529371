"""An operator: everything that specc knows of it, in one entry.

An entry holds the signature (inputs, hyperparameters), the state, the shape and dtype rule, both
lowerings, documentation, tolerance and samples. Its docs page, completion and tests come from it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pickle import PicklingError
from typing import Any, Literal

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import (
    BadArgument,
    DtypeMismatch,
    EmptySize,
    RankMismatch,
    UnknownSize,
)
from specc.ir.attributes import Attribute, Attributes
from specc.ir.dims import Dim, equal, lower
from specc.ir.initializer import Edit, Initializer
from specc.ir.types import DType, TensorType
from specc.ops.arguments import Argument
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Call, Code

Values = Mapping[str, Any]
"""Attributes as an entry's own functions read them: it knows the kind of each of its arguments."""


@dataclass(frozen=True)
class Input:
    """A tensor operand. ``variadic`` takes all that are left (``concat``)."""

    name: str
    optional: bool = False
    variadic: bool = False


@dataclass(frozen=True)
class StateSlot:
    """A parameter or buffer of a layer.

    ``shape`` is computed from the attributes, ``when`` says whether the layer has it at all, and
    ``initializer`` gives the default initial value from the attributes and the shape of this slot.
    """

    name: str
    shape: Callable[[Values], tuple[int, ...]]
    initializer: Callable[[Values], Initializer]
    role: Literal["parameter", "buffer"] = "parameter"
    when: Callable[[Values], bool] = lambda attributes: True
    edits: Callable[[Values], tuple[Edit, ...]] = lambda values: ()  # of the default alone
    dtype: DType | None = None  # None: that of the first input where it floats, else f32


@dataclass(frozen=True)
class Drawn:
    """How a sample's input is filled: normal values, unless a range is given."""

    type: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Sample:
    """One use of an operator that must work and agree on every target."""

    inputs: tuple[str | Drawn, ...]
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Reject:
    """One use of an operator that must be refused with the code ``code``."""

    code: str
    inputs: tuple[str, ...]
    arguments: dict[str, Any]


def sample(*inputs: str | Drawn, **arguments: Any) -> Sample:
    """A use of an operator that must work and agree on every target, for ``op``.

    ``inputs`` are types, or how a tensor is drawn; ``arguments`` the hyperparameters.

    >>> sample("f32[2, 3]", features=4).arguments
    {'features': 4}
    """
    return Sample(inputs, arguments)


def reject(code: str, *inputs: str, **arguments: Any) -> Reject:
    """A use of an operator that must be refused with the code ``code``, for ``op``.

    >>> reject("rank-mismatch", "f32[3]", channels=4, kernel=1).code
    'rank-mismatch'
    """
    return Reject(code, inputs, arguments)


TorchFunction = Callable[["CodeSite"], Code]


@dataclass(frozen=True)
class Torch:
    """The PyTorch lowering: an expression, and the torch.nn class that does the same, if any.

    The function is data, or a function of structure (ranks, dtypes, flags) that gives it. Where a
    layer owns its state and ``module`` is set, the module is what is emitted; a stateless operator
    in a pipeline is emitted as the function, and as the module where it is a named layer. Without a
    function there is a module, and uses that would need the function are refused. ``counter`` is a
    buffer that counts batches in training, which only the module does by itself. ``overwrites`` are
    operators in whose result, where nothing else reads it, the function puts its own by
    ``inplace=True``: that result is memory of its own, which their gradients do not read.
    """

    function: Code | TorchFunction | None
    module: Call | Callable[[CodeSite], Call | None] | None = None
    counter: str | None = None
    overwrites: tuple[str, ...] = ()


@dataclass(frozen=True)
class CodeSite:
    """What a callable torch lowering may decide on: structure, never a number that varies.

    ``types`` are those of the inputs (dims may be holes), ``flags`` the attributes that are bool,
    str, None, dtype or a tuple's length.
    """

    types: tuple[TensorType, ...]
    results: tuple[TensorType, ...]
    attributes: Attributes

    def flag(self, name: str) -> Any:
        """A structural attribute: a bool, a string, none, a dtype, or a tuple (for its length)."""
        value = self.attributes[name]
        assert value is None or isinstance(value, bool | str | DType | tuple), name
        return value


@dataclass(frozen=True, eq=False)
class Operator:
    """One entry of the table; equal to itself alone."""

    name: str
    summary: str
    inputs: tuple[Input, ...]
    infer: Callable[..., TensorType | tuple[TensorType, ...]]
    torch: Torch
    onnx: Mapping[int, Callable[[Builder, Site], Handle]]
    samples: Sequence[Sample]
    rejects: Sequence[Reject] = ()
    arguments: tuple[Argument, ...] = ()
    state: tuple[StateSlot, ...] = ()
    tolerance: Mapping[str, float] = field(default_factory=lambda: {"f32": 1e-5})
    family: str = ""
    layer: bool = False  # a constructor that is called with hyperparameters alone: Conv, Dropout
    promotes_from: int | None = None  # inputs from here on are brought to one dtype
    random: bool | Callable[[Values], bool] = False  # draws while training, in some uses or all
    multiply_adds: Callable[[Attributes, tuple[TensorType, ...], TensorType], Dim] | None = None
    details: str = ""
    onnx_note: str = ""  # which node is used from where on, where not and why, what differs
    notation: Callable[[Values], str] | None = None  # what the language writes, if it is no call
    home: str = ""  # the Python module of a host's own operator
    library: str | None = None  # of onnxruntime's custom operators, where ONNX needs one

    def __deepcopy__(self, memo: object) -> Operator:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """As a function is pickled: by the module and the attribute that hold it."""
        home = self.home or self.infer.__module__
        for name, value in vars(sys.modules.get(home, sys)).items():
            if value is self:
                return _attribute, (home, name)
        raise PicklingError(
            f"the operator {self.name!r} is no attribute of the module {home!r}, so a pickle "
            "could not name it"
        )

    @property
    def arity(self) -> tuple[int, int | None]:
        """The least and the greatest number of inputs (None: no bound)."""
        least = sum(not (i.optional or i.variadic) for i in self.inputs)
        variadic = any(i.variadic for i in self.inputs)
        return max(least, 1) if variadic else least, None if variadic else len(self.inputs)

    def draws(self, attributes: Values) -> bool:
        """Whether a use with these attributes, the derived ones among them, draws in training."""
        return self.random if isinstance(self.random, bool) else self.random(attributes)

    def argument(self, name: str) -> Argument | None:
        """The hyperparameter of this name."""
        return next((a for a in self.arguments if a.name == name), None)

    def lowering(self, opset: int) -> Callable[[Builder, Site], Handle] | None:
        """The ONNX lowering of the greatest key that ``opset`` admits."""
        keys = [key for key in self.onnx if key <= opset]
        return self.onnx[max(keys)] if keys else None


class Inference:
    """What a shape rule is given besides the input types; it collects what the rule derives.

    ``c["kernel"]`` reads an attribute. Every check raises a ``Fault`` that the elaborator places.
    """

    def __init__(
        self, operator: Operator, types: tuple[TensorType, ...], attributes: Attributes
    ) -> None:
        self.operator = operator
        self.types = types
        self.attributes = dict(attributes)
        self.positive: list[tuple[Dim, str]] = []
        self.equalities: list[tuple[Dim, Dim, str]] = []

    def __getitem__(self, name: str) -> Any:
        return self.attributes[name]

    def derive(self, name: str, value: Attribute) -> None:
        """Adds an attribute that follows from the inputs, such as ``in_features``."""
        self.attributes[name] = value

    def rank(self, operand: int, expected: str, *ranks: int, least: int | None = None) -> None:
        """Requires one of ``ranks``, or at least ``least`` dims; ``expected`` says it in words."""
        found = self.types[operand]
        if (ranks and found.rank not in ranks) or (least is not None and found.rank < least):
            raise Fault(
                RankMismatch(
                    operator=self.operator.name,
                    operands=(operand,),
                    expected=expected,
                    found=found.shape_text,
                )
            )

    def floating(self, *operands: int) -> None:
        """Requires float inputs (all of them where none is named)."""
        for operand in operands or range(len(self.types)):
            if not self.types[operand].dtype.is_float:
                self.wrong_dtype(operand, "floats")

    def wrong_dtype(self, operand: int, expected: str) -> None:
        """Refuses an input's dtype."""
        raise Fault(
            DtypeMismatch(
                operator=self.operator.name,
                operands=(operand,),
                expected=expected,
                found=str(self.types[operand]),
            )
        )

    def known(self, operand: int, axis: int, what: str) -> int:
        """The size of a dim that must be known when compiling, and is at least 1."""
        dim = self.types[operand].shape[axis]
        if not isinstance(dim, int):
            raise Fault(
                UnknownSize(
                    operator=self.operator.name, operands=(operand,), what=what, size=str(dim)
                )
            )
        self.size(dim, what, operand)
        return dim

    def size(self, dim: Dim, what: str, operand: int = 0) -> Dim:
        """A resulting size: refused where it is certainly below 1, a constraint where it may be."""
        least = lower(dim)
        if isinstance(dim, int) and dim < 1:
            raise Fault(
                EmptySize(
                    operator=self.operator.name,
                    operands=(operand,) if self.types else (),
                    what=what,
                    size=str(dim),
                    found=self.types[operand].shape_text if self.types else "nothing",
                )
            )
        if least is None or least < 1:
            self.positive.append((dim, f"{what} of {self.operator.name}"))
        return dim

    def same_size(self, left: Dim, right: Dim, otherwise: Fault, reason: str) -> None:
        """Requires equal sizes: raises ``otherwise`` where they differ, else constrains them."""
        verdict = equal(left, right)
        if verdict is False:
            raise otherwise
        if verdict is None:
            self.equalities.append((left, right, reason))

    def require(self, condition: bool, argument: str, requirement: str) -> None:
        """Requires something of an argument; ``requirement`` completes "must be ..."."""
        if not condition:
            raise Fault(
                BadArgument(
                    operator=self.operator.name,
                    operands=(),
                    argument=argument,
                    value=shown(self.attributes.get(argument)),
                    requirement=requirement,
                )
            )

    def axis(self, argument: str, value: int, rank: int) -> int:
        """``value`` as an axis of a tensor of ``rank`` dims, counted from the front."""
        self.require(-rank <= value < rank, argument, f"from {-rank} to {rank - 1}")
        return value % rank if rank else 0

    def per_dim(self, argument: str, count: int) -> tuple[int, ...]:
        """A per-dim argument, spread over ``count`` spatial dims."""
        value = self.attributes[argument]
        if isinstance(value, tuple):
            self.require(len(value) == count, argument, f"one int or {count} of them")
            return value  # type: ignore[return-value]
        return (value,) * count  # type: ignore[return-value]


def _attribute(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


def shown(value: object) -> str:
    """A value as the language writes it."""
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    if isinstance(value, tuple):
        return f"[{', '.join(shown(item) for item in value)}]"
    if isinstance(value, str):
        return f'"{value}"'
    return str(value)
