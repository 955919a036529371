"""PyTorch lowerings as data: an expression over a node's operands, attributes and state.

``targets/python.py`` prints these; nothing else turns them into text. An operator's module lowering
is a ``Call`` of a torch.nn class whose keyword arguments are printed only where they are off the
operator's own default; its function lowering is any expression.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Code:
    """An expression of the emitted Python."""


@dataclass(frozen=True)
class Operand(Code):
    """The node's tensor input at this position."""

    index: int = 0


@dataclass(frozen=True)
class Operands(Code):
    """All tensor inputs from this position on, as a tuple (a list in the source)."""

    start: int = 0


@dataclass(frozen=True)
class Members(Code):
    """``[a, b]``: a list of expressions."""

    items: tuple[Code, ...]


@dataclass(frozen=True)
class Attr(Code):
    """The node's attribute of this name.

    ``always`` writes a keyword even at the operator's default, where PyTorch has none or another.
    """

    name: str
    always: bool = field(default=False, repr=False)


@dataclass(frozen=True)
class Part(Code):
    """A member of a tuple attribute, by one index after another: ``Part("items", (0, 1))``."""

    name: str
    path: tuple[int, ...]


@dataclass(frozen=True)
class DeviceOf(Code):
    """The device that the body runs on, for what a node makes from nothing: ``x.device``.

    Printed as the device of any tensor in scope, an operand of the body or a parameter. A keyword
    of this value is left out where the body has none.
    """


@dataclass(frozen=True)
class StateRef(Code):
    """The node's state in this slot; ``None`` in the source where the layer has no such state."""

    slot: str


@dataclass(frozen=True)
class Lit(Code):
    """A literal: int, float, bool, str, None, or a tuple of literals."""

    value: object


@dataclass(frozen=True)
class Training(Code):
    """``self.training``"""


@dataclass(frozen=True)
class Call(Code):
    """``function(*arguments, **keywords)``; ``{spatial}`` is the first operand's rank - 2.

    A keyword whose value is an ``Attr`` at its operator's default is left out, and a StateRef that
    is absent at the end of the positional arguments too. ``module`` is the Python module that holds
    the function where that is a host's own; a function without one is PyTorch's or Python's.
    """

    function: str
    arguments: tuple[Code, ...] = ()
    keywords: tuple[tuple[str, Code], ...] = ()
    module: str = ""


@dataclass(frozen=True)
class Applied(Code):
    """``made(*arguments)``: what a call gives, called in turn, such as a module made in place."""

    made: Call
    arguments: tuple[Code, ...] = ()


@dataclass(frozen=True)
class Method(Code):
    """``receiver.name(*arguments, **keywords)``, with the same rules as Call."""

    receiver: Code
    name: str
    arguments: tuple[Code, ...] = ()
    keywords: tuple[tuple[str, Code], ...] = ()


@dataclass(frozen=True)
class Member(Code):
    """``receiver.name``, such as ``x.device``"""

    receiver: Code
    name: str


@dataclass(frozen=True)
class Splat(Code):
    """``*value`` among positional arguments: the members of a tuple attribute one by one."""

    value: Code


@dataclass(frozen=True)
class Infix(Code):
    """``left operator right`` with Python's precedence."""

    operator: str
    left: Code
    right: Code


@dataclass(frozen=True)
class Prefix(Code):
    """``-x`` or ``~x``"""

    operator: str
    operand: Code


@dataclass(frozen=True)
class SliceCode(Code):
    """``start:stop:step`` inside Subscript"""

    start: Code | None = None
    stop: Code | None = None
    step: Code | None = None


@dataclass(frozen=True)
class EllipsisCode(Code):
    """``...`` inside Subscript"""


@dataclass(frozen=True)
class Subscript(Code):
    """``receiver[items]``"""

    receiver: Code
    items: tuple[Code, ...]


def call(function: str, *arguments: Code | str, **keywords: Code | str) -> Call:
    """A Call in which a bare string is the attribute of that name.

    >>> call("nn.Linear", "in_features", "features", bias="bias").arguments[0]
    Attr(name='in_features')
    """
    return Call(
        function,
        tuple(_code(argument) for argument in arguments),
        tuple((name, _code(value)) for name, value in keywords.items()),
    )


def _code(value: Code | str) -> Code:
    return Attr(value) if isinstance(value, str) else value


X = Operand(0)
Y = Operand(1)
