"""Initializer expressions, the rules of ``init`` blocks, and which of them each parameter gets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from specc.elaborate.context import Context, Frame, ParameterRecord
from specc.elaborate.facts import BadInitializer, WrongType
from specc.elaborate.values import (
    BlockConstructor,
    InitializerValue,
    OperatorConstructor,
    Poison,
    Value,
    describe,
)
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault, Label
from specc.frontend.facts import NotSupported, UnknownName, UnusedPattern
from specc.frontend.source import Span
from specc.initialize import catalogue
from specc.ir.flatten import join
from specc.ir.graph import Parameter
from specc.ir.initializer import Initializer
from specc.ir.patterns import nearest_to_pattern, pattern_matches


@dataclass(frozen=True)
class Rule:
    """One ``target ~ initializer`` of an ``init`` block.

    ``kind`` is set for ``Linear.weight``, ``pattern`` then being what follows the kind; otherwise
    ``pattern`` is matched against names relative to ``prefix``.
    """

    kind: str | None
    pattern: str
    prefix: str
    initializer: Initializer
    span: Span
    target_span: Span
    is_block: bool = False


# ---- expressions ---------------------------------------------------------------------------------


def initializer_value(frame: Frame, node: syntax.Expression) -> Initializer | None:
    """The initializer that stands behind a ``~``. None where it is wrong, which is then reported.

    Here the names of initializers mean initializers, also those (``zeros``) that operators share.
    """
    try:
        return _initializer(frame, node)
    except Fault as fault:
        frame.report(fault.fact, node.span)
        return None


def _initializer(frame: Frame, node: syntax.Expression) -> Initializer | None:
    if isinstance(node, syntax.Name) and node.name in catalogue.CATALOGUE:
        return _checked(Initializer(name=node.name), node.span)
    if isinstance(node, syntax.Call) and isinstance(node.callee, syntax.Name):
        entry = catalogue.CATALOGUE.get(node.callee.name)
        if entry is not None:
            return _called(frame, entry, node)
        if frame.scope.find(node.callee.name) is None:
            raise Fault(_unknown(node.callee))
    if isinstance(node, syntax.Name) and frame.scope.find(node.name) is None:
        raise Fault(_unknown(node))
    value = frame.evaluate(node)
    if isinstance(value, Poison):
        return None
    if isinstance(value, InitializerValue):
        return value.initializer
    raise Fault(
        WrongType(
            where=node.span,
            what="what stands behind `~`",
            expected="an initializer",
            found=describe(value),
            advice="a constant is written `constant(42)`",
        )
    )


def _unknown(name: syntax.Name) -> UnknownName:
    return UnknownName(where=name.span, name=name.name, known=tuple(catalogue.CATALOGUE))


def _called(
    frame: Frame, entry: catalogue.InitializerEntry, node: syntax.Call
) -> Initializer | None:
    names = [argument.name for argument in entry.arguments]
    given: dict[str, Value] = {}
    for position, argument in enumerate(node.arguments):
        name = argument.name
        if name is None:
            if position >= len(names):
                raise Fault(
                    BadInitializer(
                        where=argument.span,
                        problem=f"{entry.name} takes at most {len(names)} arguments",
                    )
                )
            name = names[position]
        value = frame.evaluate(argument.value)
        if isinstance(value, Poison):
            return None
        if not isinstance(value, bool | int | float | str):
            raise Fault(
                WrongType(
                    where=argument.span,
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


# ---- rules ---------------------------------------------------------------------------------------


def collect_rules(frame: Frame, rules: Iterable[syntax.InitRule], prefix: str) -> None:
    """Takes the rules of one ``init`` block into the context."""
    for node in rules:
        try:
            rule = _rule(frame, node, prefix)
        except Fault as fault:
            frame.report(fault.fact, node.span)
            continue
        if rule is not None:
            frame.context.rules.append(rule)


def _rule(frame: Frame, node: syntax.InitRule, prefix: str) -> Rule | None:
    if node.operator != "~" or node.index:
        raise Fault(NotSupported(where=node.span, feature="a direct edit of a parameter"))
    initializer = initializer_value(frame, node.value)
    kind, pattern, is_block = None, "", False
    if isinstance(node.target, syntax.Literal | syntax.Interpolation):
        text = frame.evaluate(node.target)
        if isinstance(text, Poison):
            return None
        pattern = str(text)
    else:
        kind, pattern, is_block = _kind_target(frame, node.target)
    if initializer is None:
        return None
    return Rule(kind, pattern, prefix, initializer, node.span, node.target.span, is_block)


def _kind_target(frame: Frame, target: syntax.Expression) -> tuple[str, str, bool]:
    parts: list[tuple[str, Span]] = []
    node = target
    while isinstance(node, syntax.Attribute):
        parts.append((node.name, node.name_span))
        node = node.value
    if not isinstance(node, syntax.Name) or not parts:
        raise Fault(
            WrongType(
                where=target.span,
                what="the target of a rule",
                expected='Kind.parameter or "a pattern"',
                found="this",
            )
        )
    parts.reverse()
    binding = frame.scope.find(node.name)
    kind = binding.value if binding else None
    if binding is not None and not isinstance(kind, BlockConstructor | OperatorConstructor):
        raise Fault(
            WrongType(
                where=node.span,
                what="the target of a rule",
                expected="a kind of layer",
                found=describe(kind),
            )
        )
    if binding is None:
        raise Fault(
            UnknownName(where=node.span, name=node.name, known=tuple(frame.scope.visible()))
        )
    if isinstance(kind, OperatorConstructor):
        slots = tuple(slot.name for slot in kind.operator.state)
        if len(parts) > 1 or parts[0][0] not in slots:
            raise Fault(UnknownName(where=parts[0][1], name=parts[0][0], known=slots))
    is_block = isinstance(kind, BlockConstructor)
    return node.name, ".".join(name for name, _ in parts), is_block


def resolve_parameters(context: Context, *, complete: bool) -> tuple[Parameter, ...]:
    """Every parameter with its initializer: inline beats a rule, a later rule an earlier one.

    Reports initializers that do not fit, and where the parameters are ``complete``, patterns that
    match none of them.
    """
    chosen: dict[str, tuple[Initializer, Span]] = {}
    for rule in sorted(context.rules, key=_rank):
        context.steps += 3 * len(context.parameters)
        context.spend(rule.span)
        matched = _matches(context, rule)
        if complete and not matched and (rule.kind is None or _is_used(context, rule)):
            _report_unused(context, rule)
        for record in matched:
            chosen[record.name] = (rule.initializer, rule.span)
    parameters = []
    for record in context.parameters.values():
        initializer, place = record.default, record.span
        edits = record.edits
        if record.name in chosen or record.inline is not None:
            edits = ()
        if record.name in chosen:
            initializer, place = chosen[record.name]
        if record.inline is not None:
            initializer, place = record.inline
        _check_shape(context, record, initializer, place)
        parameters.append(
            Parameter(
                name=record.name,
                role=record.role,
                type=record.type,
                initializer=initializer,
                edits=edits,
                layer=record.layer,
                slot=record.slot,
                span=record.span,
            )
        )
    return tuple(parameters)


def _rank(rule: Rule) -> tuple[bool, Span]:
    """Later rules beat earlier ones, and those of the file that is compiled those it imports."""
    return rule.span.file == 0, rule.span


def _matches(context: Context, rule: Rule) -> list[ParameterRecord]:
    # What `*` stands for is trained; a buffer is meant only where its own name is written.
    named = "*" not in rule.pattern.rpartition(".")[2]
    matched = []
    for record in context.parameters.values():
        if record.role == "buffer" and not named:
            continue
        if rule.prefix:
            if not record.name.startswith(f"{rule.prefix}."):
                continue
            name = record.name[len(rule.prefix) + 1 :]
        else:
            name = record.name
        if rule.kind is None:
            if pattern_matches(rule.pattern, name):
                matched.append(record)
        elif (record.layer == rule.kind and record.slot == rule.pattern) or any(
            pattern_matches(rule.pattern, inner) for inner in _names_within(record, rule.kind)
        ):
            matched.append(record)
    return matched


def _is_used(context: Context, rule: Rule) -> bool:
    """Whether the net has a block of the rule's kind where it applies: one that has parameters."""
    return rule.is_block and any(
        rule.kind is not None and any(True for _ in _names_within(record, rule.kind))
        for record in context.parameters.values()
        if not rule.prefix or record.name.startswith(f"{rule.prefix}.")
    )


def _names_within(record: ParameterRecord, kind: str) -> Iterable[str]:
    """The parameter's name relative to each block of ``kind`` that it lies in."""
    owner = record.owner
    while True:
        if owner.kind == kind:
            yield record.name[len(owner.path) :].lstrip(".")
        if owner.owner is None:
            return
        owner = owner.owner


def _report_unused(context: Context, rule: Rule) -> None:
    context.report.add(
        UnusedPattern(
            where=rule.target_span,
            pattern=join(rule.kind or "", rule.pattern),
            nearest=nearest_to_pattern(rule.pattern, list(context.parameters)),
        )
    )


def _check_shape(
    context: Context, record: ParameterRecord, initializer: Initializer, place: Span
) -> None:
    shape = tuple(dim for dim in record.type.shape if isinstance(dim, int))
    problem = catalogue.problem(initializer, shape, record.type.dtype)
    if problem is None:
        return
    fact = BadInitializer(
        where=place,
        problem=f"{initializer.name} {problem.reason}",
        detail=f"this is the initial value of {record.name}",
    )
    if place != record.span:
        fact = replace(fact, because=(Label(record.span, f"{record.name} is {record.type}"),))
    context.report.add(fact)
