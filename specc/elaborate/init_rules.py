"""The rules and edits of ``init`` blocks, and which parameters each is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from specc.elaborate.arithmetic import is_number
from specc.elaborate.context import Context, Frame, ParameterRecord
from specc.elaborate.facts import BadInitializer, WrongType
from specc.elaborate.initializers import Start, initializer_value
from specc.elaborate.instances import Instance, enclosing
from specc.elaborate.values import (
    BlockConstructor,
    OperatorConstructor,
    Poison,
    describe,
)
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault
from specc.frontend.facts import UnknownName, UnusedPattern
from specc.frontend.source import Span
from specc.ir.initializer import Edit, Slice
from specc.ir.names import join
from specc.ir.patterns import nearest_to_pattern, pattern_matches


@dataclass(frozen=True)
class Target:
    """The left side of a rule.

    ``kind`` is set for ``Linear.weight``, ``pattern`` then being what follows the kind; otherwise
    ``pattern`` is matched against names relative to ``block``, in which the rule stands.
    """

    kind: str | None
    pattern: str
    block: Instance | None
    span: Span
    is_block: bool = False


@dataclass(frozen=True)
class Rule:
    """One ``target ~ initializer`` of an ``init`` block."""

    target: Target
    initializer: Start
    span: Span


@dataclass(frozen=True)
class DirectEdit:
    """One ``target[index] += value`` of an ``init`` block, made after all initializers.

    ``index_spans`` are the places of the index's entries, ``...`` still among these (None).
    """

    target: Target
    index: tuple[int | Slice | None, ...]
    index_spans: tuple[Span, ...]
    operator: str
    value: bool | int | float
    value_span: Span
    span: Span

    def within(self, rank: int) -> Edit:
        """The edit for a parameter of ``rank`` dims, ``...`` written out."""
        entries: list[int | Slice] = []
        for entry in self.index:
            if entry is None:
                entries += [Slice()] * (rank - len(self.index) + 1)
            else:
                entries.append(entry)
        while entries and entries[-1] == Slice():
            entries.pop()  # a whole dim, as are all that are not mentioned
        value = int(self.value) if isinstance(self.value, bool) else self.value
        return Edit(index=tuple(entries), operator=self.operator, value=value)  # type: ignore[arg-type]


# ---- collecting ----------------------------------------------------------------------------------


def collect_rules(frame: Frame, rules: Iterable[syntax.InitRule], block: Instance | None) -> None:
    """Takes the rules of one ``init`` block into the context."""
    for node in rules:
        frame.context.spend(node.span)
        try:
            rule = _rule(frame, node, block)
        except Fault as fault:
            frame.recover(fault, node.span)
            continue
        if rule is not None:
            frame.context.rules.append(rule)


def _rule(frame: Frame, node: syntax.InitRule, block: Instance | None) -> Rule | DirectEdit | None:
    if node.operator == "~":
        if node.index:
            raise Fault(
                BadInitializer(
                    where=node.index[0].span.to(node.index[-1].span),
                    problem="an initializer fills a whole parameter",
                    detail="a part is set by `=`, after the initializers",
                )
            )
        initializer = initializer_value(frame, node.value)
        target = _target(frame, node.target, block)
        if initializer is None or target is None:
            return None
        return Rule(target, initializer, node.span)
    return _edit(frame, node, block)


def _edit(frame: Frame, node: syntax.InitRule, block: Instance | None) -> DirectEdit | None:
    value = frame.evaluate(node.value)
    entries = [_entry(frame, item) for item in node.index]
    target = _target(frame, node.target, block)
    if target is None or isinstance(value, Poison) or any(isinstance(e, Poison) for e in entries):
        return None
    if not is_number(value) and not isinstance(value, bool):
        raise Fault(
            WrongType(
                where=node.value.span,
                what=f"what stands behind `{node.operator}`",
                expected="a number",
                found=describe(value),
                advice="an initializer is written behind `~`" if node.operator == "=" else None,
            )
        )
    assert isinstance(value, int | float)
    if entries.count(None) > 1:
        raise Fault(BadInitializer(where=node.span, problem="an index holds `...` once"))
    return DirectEdit(
        target,
        tuple(entries),  # type: ignore[arg-type]
        tuple(item.span for item in node.index),
        node.operator,
        value,
        node.value.span,
        node.span,
    )


def _entry(frame: Frame, item: syntax.Expression) -> int | Slice | Poison | None:
    """One entry of an index; None for ``...``."""
    if isinstance(item, syntax.Ellipsis):
        return None
    if not isinstance(item, syntax.Slice):
        return _position(frame, item)
    parts = [
        None if part is None else _position(frame, part)
        for part in (item.start, item.stop, item.step)
    ]
    for part in parts:
        if isinstance(part, Poison):
            return part
    start, stop, step = parts
    return Slice(start=start, stop=stop, step=step)  # type: ignore[arg-type]


def _position(frame: Frame, item: syntax.Expression) -> int | Poison:
    value = frame.evaluate(item)
    if isinstance(value, Poison):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise Fault(
            WrongType(
                where=item.span,
                what="an index of a parameter",
                expected="an int or a slice",
                found=describe(value),
            )
        )
    return value


def _target(frame: Frame, node: syntax.Expression, block: Instance | None) -> Target | None:
    if not isinstance(node, syntax.Literal | syntax.Interpolation):
        return _kind_target(frame, node, block)
    text = frame.evaluate(node)
    if isinstance(text, Poison):
        return None
    return Target(None, str(text), block, node.span)


def _kind_target(frame: Frame, target: syntax.Expression, block: Instance | None) -> Target:
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
    if binding is None:
        raise Fault(
            UnknownName(where=node.span, name=node.name, known=tuple(frame.scope.visible()))
        )
    kind = binding.value
    if not isinstance(kind, BlockConstructor | OperatorConstructor):
        raise Fault(
            WrongType(
                where=node.span,
                what="the target of a rule",
                expected="a kind of layer",
                found=describe(kind),
            )
        )
    if isinstance(kind, OperatorConstructor):
        slots = tuple(slot.name for slot in kind.operator.state)
        if len(parts) > 1 or parts[0][0] not in slots:
            raise Fault(UnknownName(where=parts[0][1], name=parts[0][0], known=slots))
    pattern = ".".join(name for name, _ in parts)
    return Target(
        kind.name, pattern, block, target.span, is_block=isinstance(kind, BlockConstructor)
    )


# ---- matching ------------------------------------------------------------------------------------


def rank(rule: Rule | DirectEdit) -> tuple[bool, Span]:
    """Later rules beat earlier ones, and those of the file that is compiled those it imports."""
    return rule.span.file == 0, rule.span


def matches(context: Context, target: Target) -> list[ParameterRecord]:
    """The parameters that a target stands for."""
    # What `*` stands for is trained; a buffer is meant only where its own name is written.
    named = "*" not in target.pattern.rpartition(".")[2]
    matched = []
    for record in context.parameters.values():
        if record.role == "buffer" and not named:
            continue
        if target.block is not None and not _lies_in(record, target.block):
            continue
        if target.kind is None:
            found = pattern_matches(target.pattern, _name_within(record, target.block))
        else:
            found = (record.layer == target.kind and record.slot == target.pattern) or any(
                pattern_matches(target.pattern, inner)
                for inner in _names_within(record, target.kind)
            )
        if found:
            matched.append(record)
    return matched


def report_unused(context: Context, target: Target) -> None:
    """Reports a target that stands for no parameter, but not a kind that the net does not use."""
    if target.kind is not None and not _is_used(context, target):
        return
    alias, nearest = None, nearest_to_pattern(target.pattern, list(context.parameters))
    if target.kind is None:
        context.steps += 3 * len(context.aliases)
        context.spend(target.span)
        path = target.block.path if target.block else ""
        shared = (a for a in context.aliases if pattern_matches(join(path, target.pattern), a))
        alias = next(shared, None)
        nearest = nearest if alias is None else context.aliases[alias]
    context.report.add(
        UnusedPattern(
            where=target.span,
            pattern=join(target.kind or "", target.pattern),
            nearest=nearest,
            alias=alias,
        )
    )


def _is_used(context: Context, target: Target) -> bool:
    """Whether the net has a block of the target's kind where it applies: one with parameters."""
    return target.is_block and any(
        target.kind is not None and any(True for _ in _names_within(record, target.kind))
        for record in context.parameters.values()
        if target.block is None or _lies_in(record, target.block)
    )


def _names_within(record: ParameterRecord, kind: str) -> Iterable[str]:
    """The parameter's name relative to each block of ``kind`` that it lies in."""
    for block in enclosing(record.owner):
        if block.kind == kind:
            yield _name_within(record, block)


def _lies_in(record: ParameterRecord, block: Instance) -> bool:
    return any(outer is block for outer in enclosing(record.owner))


def _name_within(record: ParameterRecord, block: Instance | None) -> str:
    return record.name[len(block.path) if block else 0 :].lstrip(".")
