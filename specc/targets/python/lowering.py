"""Prints an operator's PyTorch lowering, which is data, as an expression."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from specc.frontend.diagnostics import Fault
from specc.ir.attributes import Attribute, Attributes, Hole
from specc.ir.dims import Dim, Expr
from specc.ir.types import DType, TensorType
from specc.ops.arguments import REQUIRED
from specc.ops.code import (
    Applied,
    Attr,
    Call,
    Code,
    DeviceOf,
    EllipsisCode,
    Infix,
    Lit,
    Member,
    Members,
    Method,
    Operand,
    Operands,
    Part,
    Prefix,
    SliceCode,
    Splat,
    StateRef,
    Subscript,
    Training,
)
from specc.ops.operator import CodeSite, Operator
from specc.targets.facts import TargetUnsupported
from specc.targets.python import expressions as py
from specc.targets.python.errors import EmitError
from specc.targets.python.expressions import Expression

MODULES = frozenset({"F", "math", "nn", "torch"})
"""What an operator's lowering may call into."""


@dataclass(frozen=True)
class Place:
    """Where a lowering is printed: what its operands, state, holes and sizes are called there.

    ``float_dtype`` gives the dtype of a tensor at hand that has this one in the spec. What is made
    in it follows that tensor then, as when a module is moved to another dtype.
    """

    operator: Operator
    attributes: Attributes
    types: tuple[TensorType, ...]
    size: Callable[[Dim], Expression]
    hole: Callable[[Hole], Expression]
    operands: Sequence[Expression] = ()
    state: Mapping[str, Expression] = field(default_factory=dict)
    device: Callable[[], Expression | None] = lambda: None
    float_dtype: Callable[[DType], Expression | None] = lambda dtype: None
    use: Callable[[str], None] = lambda module: None

    def value(self, value: Attribute) -> Expression:
        """An attribute's value."""
        if isinstance(value, Hole):
            return self.hole(value)
        if isinstance(value, Expr):
            return self.size(value)
        if isinstance(value, tuple):
            return py.tuple_of([self.value(item) for item in value])
        if isinstance(value, DType) and (follows := self.follows(value)) is not None:
            return follows
        found = py.literal(value)
        if found.text.startswith("torch."):
            self.use("torch")
        return found

    def follows(self, dtype: DType) -> Expression | None:
        """``x.dtype`` for a floating-point dtype that a tensor at hand has."""
        return self.float_dtype(dtype) if dtype.is_float else None

    def is_default(self, name: str) -> bool:
        """Whether an attribute has its operator's own default."""
        argument = self.operator.argument(name)
        if argument is None or argument.default is REQUIRED:
            return False
        value, default = self.attributes[name], argument.default
        # True == 1 in Python, and a list default is a tuple as an attribute.
        default = tuple(default) if isinstance(default, list) else default
        same_kind = isinstance(value, bool) == isinstance(default, bool)
        return same_kind and not isinstance(value, Hole | Expr) and value == default


def code_of(operator: Operator, site: CodeSite) -> Code:
    """The function lowering for this structure. Raises a Fault where there is a class alone."""
    function = operator.torch.function
    if function is None:
        advice = "it is a class alone, whose state is its own and needs a name for its layer"
        raise Fault(
            TargetUnsupported(operator=operator.name, path="", target="PyTorch", advice=advice)
        )
    return function if isinstance(function, Code) else function(site)


def module_of(operator: Operator, site: CodeSite) -> Call | None:
    """The torch.nn class for this structure, where there is one."""
    module = operator.torch.module
    return module if module is None or isinstance(module, Call) else module(site)


def function_name(function: str, types: Sequence[TensorType]) -> str:
    """``nn.Conv{spatial}d`` filled for the first input's rank."""
    if "{spatial}" not in function:
        return function
    if not types:
        raise EmitError(f"{function} needs an input whose rank is known")
    return function.replace("{spatial}", str(types[0].rank - 2))


def lower(code: Code, place: Place) -> Expression:
    """The expression for ``code``."""
    leaf = _leaf(code, place)
    if leaf is not None:
        return leaf
    match code:
        case Call():
            return _call(code, place)
        case Applied(made, arguments):
            return py.call(_call(made, place), [lower(one, place) for one in arguments])
        case Method():
            receiver = py.attribute(lower(code.receiver, place), code.name)
            return py.call(receiver, _positional(code, place), _keywords(code, place))
        case Member(receiver, name):
            return py.attribute(lower(receiver, place), name)
        case Members(items):
            return py.list_of([lower(item, place) for item in items])
        case Infix(operator, left, right):
            return py.infix(operator, lower(left, place), lower(right, place))
        case Prefix(operator, operand):
            return py.prefix(operator, lower(operand, place))
        case Subscript(receiver, items):
            return py.subscript(lower(receiver, place), [lower(item, place) for item in items])
        case SliceCode(start, stop, step):
            parts = [None if part is None else lower(part, place) for part in (start, stop, step)]
            return py.slice_of(*parts)
        case EllipsisCode():
            return py.ELLIPSIS
        case _:
            raise EmitError(f"{type(code).__name__} cannot stand here")


def _leaf(code: Code, place: Place) -> Expression | None:
    """What stands for something of the place: an operand, an attribute, state."""
    match code:
        case Operand(index):
            return place.operands[index]
        case Operands(start):
            return py.list_of(list(place.operands[start:]))
        case Attr(name):
            return place.value(place.attributes[name])
        case Part(name, path):
            value = place.attributes[name]
            for index in path:
                assert isinstance(value, tuple), code
                value = value[index]
            return place.value(value)
        case DeviceOf():
            device = place.device()
            return py.attribute(device, "device") if device else py.literal(None)
        case StateRef(slot):
            return place.state.get(slot) or py.literal(None)
        case Lit(value):
            return place.value(value)  # type: ignore[arg-type]
        case Training():
            return py.attribute(py.SELF, "training")
        case _:
            return None


def _call(code: Call, place: Place) -> Expression:
    return py.call(_function(code, place), _positional(code, place), _keywords(code, place))


def _function(code: Call, place: Place) -> Expression:
    if code.module:
        place.use(f"import {code.module}")
        return py.dotted(f"{import_name(code.module)}.{code.function}")
    function = function_name(code.function, place.types)
    module = function.partition(".")[0]
    assert module in MODULES or "." not in function, function
    place.use(module)
    return py.dotted(function)


def import_name(module: str) -> str:
    """What a host's module is called in the source: no variable or class begins with ``_``."""
    return f"_{module.strip('_').replace('.', '_')}"


def _positional(code: Call | Method, place: Place) -> list[Expression]:
    arguments = list(code.arguments)
    while arguments and isinstance(arguments[-1], StateRef):
        if arguments[-1].slot in place.state:
            break
        arguments.pop()
    found = []
    for argument in arguments:
        if isinstance(argument, Splat):
            found += _members(argument.value, place)
        else:
            found.append(lower(argument, place))
    return found


def _members(value: Code, place: Place) -> list[Expression]:
    """The members of a tuple one by one, where they are known; ``*value`` else."""
    if isinstance(value, Operands):
        return list(place.operands[value.start :])
    if isinstance(value, Attr | Lit):
        items = place.attributes[value.name] if isinstance(value, Attr) else value.value
        if isinstance(items, tuple):
            return [place.value(item) for item in items]
        return [place.value(items)]  # type: ignore[arg-type]
    return [py.starred(lower(value, place))]


def _keywords(code: Call | Method, place: Place) -> list[tuple[str, Expression]]:
    return [
        (name, lower(value, place)) for name, value in code.keywords if not _left_out(value, place)
    ]


def _left_out(value: Code, place: Place) -> bool:
    if isinstance(value, Attr):
        given = place.attributes[value.name]
        if isinstance(given, DType) and place.follows(given) is not None:
            return False
        return not value.always and place.is_default(value.name)
    if isinstance(value, DeviceOf):
        return place.device() is None
    return isinstance(value, StateRef) and value.slot not in place.state


def occurrences(code: Code, operand: int) -> int:
    """How often an operand occurs in the expression, so how often it would be computed."""
    match code:
        case Operand(index):
            return int(index == operand)
        case Operands(start) | Splat(Operands(start)):
            return int(operand >= start)
        case Applied(made, arguments):
            parts = [made, *arguments]
        case Call():
            parts = [*code.arguments, *(value for _, value in code.keywords)]
        case Method():
            parts = [code.receiver, *code.arguments, *(value for _, value in code.keywords)]
        case Member(receiver, _):
            parts = [receiver]
        case Infix(_, left, right):
            parts = [left, right]
        case Prefix(_, inner):
            parts = [inner]
        case Splat(inner):
            parts = [inner]
        case Members(items):
            parts = list(items)
        case Subscript(receiver, items):
            parts = [receiver, *items]
        case SliceCode(start, stop, step):
            parts = [part for part in (start, stop, step) if part is not None]
        case _:
            parts = []
    return sum(occurrences(part, operand) for part in parts)
