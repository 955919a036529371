"""Lists, tuples and maps: members with labels, conditions and `for` clauses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from specc.elaborate.builtins import items_of
from specc.elaborate.conditions import condition_of
from specc.elaborate.context import Frame, Silent
from specc.elaborate.facts import BadValue, LimitExceeded, ReservedName, WrongType
from specc.elaborate.operands import is_tensor
from specc.elaborate.scope import Scope
from specc.elaborate.values import (
    POISON,
    Item,
    ListValue,
    Poison,
    TupleValue,
    Value,
    describe,
    extent,
    nesting,
    refuse_nesting,
)
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault
from specc.frontend.source import Span


def list_value(frame: Frame, node: syntax.ListExpression) -> Value:
    """``[...]``"""
    items, failed = _members(frame, node.members)
    # A poisoned member still leaves a list, so that the others are checked where it is applied.
    return ListValue(items, node.span) if items or not failed else POISON


def tuple_value(frame: Frame, node: syntax.TupleExpression) -> Value:
    """``(...)``"""
    items, failed = _members(frame, node.members)
    return TupleValue(items, node.span) if items or not failed else POISON


def _members(frame: Frame, members: tuple[syntax.Member, ...]) -> tuple[tuple[Item, ...], bool]:
    items: list[Item] = []
    failed = False
    count = 0
    limit = frame.context.bounds.items
    for member in members:
        for inner in clause_frames(frame, member.clauses):
            if member.condition is not None:
                condition = condition_of(inner, member.condition)
                if isinstance(condition, Poison):
                    items.append(Item(POISON, member.span))
                    continue
                if not condition:
                    frame.context.skipped[member.value.span] = member.value
                    continue
            value = inner.evaluate(member.value)
            size = extent(value)
            frame.context.steps += size // 16  # copying an entry is that much less than a step
            count += size + (not member.unpack)
            if count > limit:
                raise Fault(
                    LimitExceeded(
                        where=member.span, what="entries in a list", limit=limit, option="items"
                    )
                )
            if member.unpack:
                items.extend(_unpacked(inner, value, member))
                failed = failed or isinstance(value, Poison)
            else:
                label = label_text(inner, member.label)
                failed = failed or isinstance(value, Poison)
                items.append(Item(value, member.value.span, label))
    return tuple(items), failed


def _unpacked(frame: Frame, value: Value, member: syntax.Member) -> list[Item]:
    if isinstance(value, Poison):
        return []
    if isinstance(value, ListValue | TupleValue):
        return list(value.items)
    if isinstance(value, range):
        frame.context.steps += len(value) // 2
        return [Item(entry, member.span) for entry in value]
    frame.report(
        WrongType(
            where=member.value.span,
            what="what `*` unpacks",
            expected="a list",
            found=describe(value),
        )
    )
    return []


def clause_frames(frame: Frame, clauses: tuple[syntax.ForClause, ...]) -> Iterator[Frame]:
    """The frames in which a member with ``for`` clauses is evaluated, one after the other."""
    if not clauses:
        yield frame
        return
    first, *rest = clauses
    for inner in iterations(frame, first.targets, first.iterable):
        yield from clause_frames(inner, tuple(rest))


def iterations(
    frame: Frame, targets: tuple[syntax.Name, ...], iterable: syntax.Expression
) -> Iterator[Frame]:
    """A frame with the targets bound, for each entry of a compile-time iterable."""
    value = frame.evaluate(iterable)
    if isinstance(value, Poison):
        raise Silent(iterable.span)
    if is_tensor(value):
        raise Fault(
            WrongType(
                where=iterable.span,
                what="what a `for` runs over",
                expected="known when compiling",
                found=describe(value),
            )
        )
    try:
        entries = items_of(value)
    except Fault as fault:
        raise Fault(replace(fault.fact, where=iterable.span)) from None
    for entry in entries:
        frame.context.spend(iterable.span)
        inner = frame.within(Scope(frame.scope))
        bind_targets(inner, targets, entry, iterable.span)
        yield inner


def bind_targets(frame: Frame, targets: tuple[syntax.Name, ...], value: Value, span: Span) -> None:
    """Binds the targets of a ``for`` to one entry."""
    if len(targets) == 1:
        frame.scope.bind(targets[0].name, value)
        return
    entries = [POISON] * len(targets) if isinstance(value, Poison) else list(items_of(value))
    if len(entries) != len(targets):
        raise Fault(BadValue(where=span, problem=f"{len(entries)} values for {len(targets)} names"))
    for target, entry in zip(targets, entries, strict=True):
        frame.scope.bind(target.name, entry)


def map_value(frame: Frame, node: syntax.MapExpression) -> Value:
    """``{...}``"""
    result: dict[Any, Value] = {}
    for key_node, value_node in node.entries:
        key = frame.evaluate(key_node)
        value = frame.evaluate(value_node)
        if isinstance(key, Poison):
            continue
        if not isinstance(key, int | str | bool | float):
            raise Fault(
                WrongType(
                    where=key_node.span,
                    what="a map's key",
                    expected="a number or a string",
                    found=describe(key),
                )
            )
        if key in result:
            raise Fault(BadValue(where=key_node.span, problem=f"the key {key!r} is there twice"))
        result[key] = value
    refuse_nesting(nesting(result))
    frame.context.spend_on(result, node.span)
    return result


def label_text(frame: Frame, label: syntax.Expression | None) -> str | None:
    """A label as text."""
    if label is None:
        return None
    text = frame.evaluate(label)
    if text == "":
        raise Fault(ReservedName(where=label.span, name="", reason="it is empty"))
    return text if isinstance(text, str) else None
