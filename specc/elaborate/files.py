"""What a file defines and imports, and what every file sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from specc.elaborate.bodies import check_header
from specc.elaborate.builtins import builtins
from specc.elaborate.facts import BadDevice, BadImport, DuplicateName
from specc.elaborate.scope import Binding, Scope
from specc.elaborate.values import (
    POISON,
    BlockConstructor,
    DeviceValue,
    FunctionValue,
    InitializerDefinition,
    OperatorConstructor,
    Poison,
    ScanFunction,
)
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault, Label
from specc.frontend.facts import UnknownName
from specc.frontend.source import Span
from specc.ir.devices import problem_with_device
from specc.ir.types import DType
from specc.ops.operator import Operator
from specc.ops.registry import operators

if TYPE_CHECKING:
    from specc.elaborate.context import Frame


@dataclass(frozen=True)
class ImportedFile:
    """A file that was imported: its name, its number among the sources, its tree if it parses."""

    name: str
    number: int
    tree: syntax.File | None


Load: TypeAlias = Callable[[syntax.Import], ImportedFile]


def prelude(table: Mapping[str, Operator] | None = None) -> Scope:
    """What every file sees: the operators of ``table``, compile-time functions, dtypes.

    The built-in operators, where no table is given. Raises ValueError for an operator that has the
    name of a function or dtype.
    """
    scope = _builtin_prelude()
    added = [] if table is None else [name for name in table if name not in operators()]
    if not added:
        return scope
    for name in added:
        if name in scope.names:
            raise ValueError(f"{name!r} is a name of the language, and cannot be an operator's")
    assert table is not None
    own = {name: Binding(OperatorConstructor(table[name])) for name in added}
    return Scope(None, {**scope.names, **own})


@cache
def _builtin_prelude() -> Scope:
    scope = Scope()
    table = dict(operators())
    for name, operator in table.items():
        if name != "training":  # a name, not a constructor
            scope.bind(name, OperatorConstructor(operator))
    for name, builtin in builtins(table).items():
        scope.bind(name, builtin)
    scope.bind("scan", ScanFunction())
    for dtype in DType:
        if dtype is not DType.BOOL:
            scope.bind(dtype.value, dtype)
    scope.bind("bool", DType.BOOL)
    return scope


def define(frame: Frame, file: syntax.File) -> None:
    """Binds what a file defines and imports in the frame's scope."""
    first: dict[str, Span] = {}

    def claim(name: str, span: Span) -> None:
        if name in first:
            because = (Label(first[name], "the first"),)
            frame.report(DuplicateName(where=span, because=because, name=name))
        first.setdefault(name, span)

    for item in file.definitions:
        if isinstance(item, syntax.Import):
            for name in item.names:
                claim(name.name, name.span)
                frame.scope.bind(name.name, POISON)
            try:
                _import(frame, item)
            except Fault as fault:
                frame.recover(fault, item.span)
        elif isinstance(item, syntax.DeviceDefinition):
            claim(item.name, item.name_span)
            frame.scope.bind(item.name, _device(frame, item))
        elif isinstance(item, syntax.InitializerDefinition):
            claim(item.name, item.name_span)
            check_header(frame, item)
            value = InitializerDefinition(item, frame.scope)
            frame.scope.bind(item.name, value, item.name_span)
        elif isinstance(item, syntax.ModuleDefinition):
            claim(item.name, item.name_span)
            check_header(frame, item)
            frame.scope.bind(item.name, BlockConstructor(item, frame.scope), item.name_span)
        elif isinstance(item, syntax.FunctionDefinition):
            claim(item.name, item.name_span)
            frame.scope.bind(item.name, FunctionValue(item, frame.scope), item.name_span)


def _device(frame: Frame, item: syntax.DeviceDefinition) -> DeviceValue | Poison:
    """A declared device; POISON, with a report, where one of its alternatives is none."""
    names: list[str] = []
    failed = False
    for alternative in item.alternatives:
        index = "" if alternative.index is None else f":{alternative.index}"
        name = f"{alternative.kind}{index}"
        if problem_with_device(name) is not None or name in names:
            frame.report(BadDevice(where=alternative.span, name=name, repeated=name in names))
            failed = True
        names.append(name)
    return POISON if failed else DeviceValue(item.name, tuple(names), item.name_span)


def _import(frame: Frame, item: syntax.Import) -> None:
    context = frame.context
    if context.load is None:
        raise Fault(BadImport(where=item.span, problem="nothing can be imported here"))
    file = context.load(item)
    if file.tree is None:
        return  # what is wrong in it has been reported
    if file.number not in context.scopes:
        context.scopes[file.number] = None
        scope = Scope(context.prelude)
        define(frame.within(scope), file.tree)
        context.scopes[file.number] = scope
    found = context.scopes[file.number]
    if found is None:
        raise Fault(BadImport(problem=f"{file.name!r} imports itself, directly or through others"))
    for name in item.names:
        binding = found.names.get(name.name)
        if binding is None:
            known = tuple(found.names)
            frame.report(UnknownName(where=name.span, name=name.name, known=known))
        else:
            frame.scope.bind(name.name, binding.value)
