"""Initializer expressions: what stands behind a ``~``."""

from __future__ import annotations

from typing import TypeAlias

from specc.elaborate.binding import bind_parameters
from specc.elaborate.context import Frame
from specc.elaborate.facts import BadInitializer, UnknownArgument, WrongType
from specc.elaborate.values import (
    DefinedCall,
    InitializerDefinition,
    InitializerValue,
    OperatorConstructor,
    Poison,
    Value,
    describe,
    is_poisoned,
)
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault
from specc.frontend.facts import UnknownName
from specc.frontend.source import Span
from specc.initialize import catalogue
from specc.ir.initializer import Initializer

Start: TypeAlias = Initializer | DefinedCall
"""A built-in initializer, or one that a file defines, with its hyperparameters."""


def initializer_value(frame: Frame, node: syntax.Expression) -> Start | None:
    """The initializer that stands behind a ``~``. None where it is wrong, which is then reported.

    Here the names of initializers mean initializers, also those (``zeros``) that operators share;
    a definition of the file's own hides a built-in one of its name.
    """
    try:
        return _initializer(frame, node)
    except Fault as fault:
        frame.recover(fault, node.span)
        return None


def _initializer(frame: Frame, node: syntax.Expression) -> Start | None:
    callee = node.callee if isinstance(node, syntax.Call) else node
    name = callee.name if isinstance(callee, syntax.Name) else ""
    binding = frame.scope.find(name) if name else None
    if binding is not None and isinstance(binding.value, InitializerDefinition):
        return _defined(frame, binding.value, node)
    entry = catalogue.CATALOGUE.get(name)
    if entry is not None:
        if isinstance(node, syntax.Call):
            return _called(frame, entry, node)
        return _checked(Initializer(name=name), node.span)
    if name and binding is None:
        raise Fault(_unknown(frame, callee))
    value = frame.evaluate(node)
    if isinstance(value, Poison):
        return None
    if isinstance(value, InitializerValue):
        return value.initializer
    if isinstance(value, InitializerDefinition):
        return _defined(frame, value, node)
    if isinstance(value, OperatorConstructor) and value.name in catalogue.CATALOGUE:
        return _checked(Initializer(name=value.name), node.span)  # zeros, ones, eye
    raise Fault(
        WrongType(
            where=node.span,
            what="what stands behind `~`",
            expected="an initializer",
            found=describe(value),
            advice="a constant is written `constant(42)`",
        )
    )


def _unknown(frame: Frame, name: syntax.Expression) -> UnknownName:
    assert isinstance(name, syntax.Name)
    defined = [
        known
        for known in frame.scope.visible()
        if (found := frame.scope.find(known)) and isinstance(found.value, InitializerDefinition)
    ]
    return UnknownName(where=name.span, name=name.name, known=(*catalogue.CATALOGUE, *defined))


def _arguments(frame: Frame, node: syntax.Call) -> list[tuple[str | None, Value, Span]] | None:
    """The evaluated arguments of a call, by name or position; None where one is wrong."""
    given = []
    for argument in node.arguments:
        if argument.initializes:
            raise Fault(
                UnknownArgument(
                    where=argument.span, owner="an initializer", name=argument.name or "", known=()
                )
            )
        given.append((argument.name, frame.evaluate(argument.value), argument.span))
    return None if any(is_poisoned(value) for _, value, _ in given) else given


def _called(frame: Frame, entry: catalogue.InitializerEntry, node: syntax.Call) -> Start | None:
    names = [argument.name for argument in entry.arguments]
    arguments = _arguments(frame, node)
    if arguments is None:
        return None
    given: dict[str, bool | int | float | str] = {}
    for position, (keyword, value, span) in enumerate(arguments):
        name = keyword
        if name is None:
            if position >= len(names):
                most = f"{len(names)} argument{'s' * (len(names) != 1)}"
                raise Fault(
                    BadInitializer(where=span, problem=f"{entry.name} takes at most {most}")
                )
            name = names[position]
        if name in given:
            raise Fault(BadInitializer(where=span, problem=f"{entry.name} is given {name} twice"))
        if not isinstance(value, bool | int | float | str):
            raise Fault(
                WrongType(
                    where=span,
                    what=f"{name} of {entry.name}",
                    expected="a number or a string",
                    found=describe(value),
                )
            )
        given[name] = value
    return _checked(Initializer(name=entry.name, arguments=given), node.span)


def _checked(initializer: Initializer, span: Span) -> Initializer:
    problem = catalogue.argument_problem(initializer)
    if problem is not None:
        raise Fault(BadInitializer(where=span, problem=f"{initializer.name} {problem.reason}"))
    return initializer


def _defined(
    frame: Frame, definition: InitializerDefinition, node: syntax.Expression
) -> DefinedCall | None:
    """A definition with its hyperparameters, bound as a block's are."""
    arguments = _arguments(frame, node) if isinstance(node, syntax.Call) else []
    if arguments is None:
        return None
    keywords: dict[str, tuple[Value, Span]] = {}
    for name, value, span in arguments:
        if name in keywords:
            problem = f"{definition.name} is given {name} twice"
            raise Fault(BadInitializer(where=span, problem=problem))
        if name is not None:
            keywords[name] = (value, span)
    values = bind_parameters(
        frame,
        definition.name,
        definition.definition.hyperparameters,
        [(value, span) for name, value, span in arguments if name is None],
        keywords,
        node.span,
        definition.scope,
    )
    if any(is_poisoned(value) for value in values.values()):
        return None
    return DefinedCall(definition, values, node.span)
