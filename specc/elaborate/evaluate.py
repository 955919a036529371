"""Expressions to values. A wrong expression is reported once and gives ``POISON``, which is silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from specc.elaborate import arithmetic
from specc.elaborate.builtins import items_of, text_of
from specc.elaborate.calls import Given, call, is_tensor, result_of, tensors_in
from specc.elaborate.context import Frame
from specc.elaborate.facts import BadOperands, BadValue, LimitExceeded, WrongType
from specc.elaborate.initializers import initializer_value
from specc.elaborate.layers import (
    apply_branches,
    apply_layer,
    as_layer,
    as_tensor,
    operate,
    report_or_raise,
)
from specc.elaborate.members import member_of
from specc.elaborate.scope import Scope
from specc.elaborate.values import (
    POISON,
    Branches,
    InitializerValue,
    Item,
    LayerValue,
    ListValue,
    OperatorConstructor,
    Poison,
    Tensor,
    TupleValue,
    Undecided,
    Value,
    describe,
)
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault
from specc.frontend.facts import NotSupported, UnknownName
from specc.frontend.source import Span
from specc.ir.dims import Expr
from specc.ops.operator import Operator
from specc.ops.promotion import promote

_TENSOR_OPERATORS = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "//": "floor_div",
    "%": "mod",
    "**": "pow",
    "@": "matmul",
    "==": "eq",
    "!=": "ne",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
    "and": "logical_and",
    "or": "logical_or",
}


def evaluate(frame: Frame, expression: syntax.Expression) -> Value:
    """The value of an expression; POISON, with a report, where it is wrong."""
    context = frame.context
    context.spend(expression.span)
    context.depth += 1
    try:
        if context.depth > context.bounds.depth:
            with context.deeper(expression.span):
                pass
        return _EVALUATORS[type(expression)](frame, expression)
    except Fault as fault:
        report_or_raise(frame, fault, expression.span)
        return POISON
    finally:
        context.depth -= 1


def operator_named(frame: Frame, name: str) -> Operator:
    """A built-in operator, whatever the spec calls so."""
    scope = frame.scope
    while scope.parent is not None:
        scope = scope.parent
    value = scope.names[name].value
    operator = value.operator
    assert isinstance(operator, Operator)
    return operator


# ---- leaves --------------------------------------------------------------------------------------


def _name(frame: Frame, node: syntax.Name) -> Value:
    binding = frame.scope.find(node.name)
    if binding is None:
        if node.name == "training":
            raise Fault(NotSupported(where=node.span, feature="`training`"))
        raise Fault(
            UnknownName(where=node.span, name=node.name, known=tuple(frame.scope.visible()))
        )
    if binding.span is not None:
        frame.context.used.add(binding.span)
    return binding.value


def _literal(frame: Frame, node: syntax.Literal) -> Value:
    return node.value


def _interpolation(frame: Frame, node: syntax.Interpolation) -> Value:
    parts: list[str] = []
    for part in node.parts:
        if isinstance(part, str):
            parts.append(part)
            continue
        value = evaluate(frame, part)
        if isinstance(value, Poison):
            return POISON
        parts.append(text_of(value))
    return "".join(parts)


# ---- collections ---------------------------------------------------------------------------------


def _list(frame: Frame, node: syntax.ListExpression) -> Value:
    items, failed = _members(frame, node.members)
    # A poisoned member still leaves a list, so that the others are checked where it is applied.
    return ListValue(items, node.span) if items or not failed else POISON


def _tuple(frame: Frame, node: syntax.TupleExpression) -> Value:
    items, failed = _members(frame, node.members)
    return TupleValue(items, node.span) if items or not failed else POISON


def _members(frame: Frame, members: tuple[syntax.Member, ...]) -> tuple[tuple[Item, ...], bool]:
    items: list[Item] = []
    failed = False
    limit = frame.context.bounds.items
    for member in members:
        for inner in clause_frames(frame, member.clauses):
            if member.condition is not None:
                condition = evaluate(inner, member.condition)
                if isinstance(condition, Poison):
                    failed = True
                    continue
                if not _truth(inner, condition, member.condition):
                    continue
            value = evaluate(inner, member.value)
            if member.unpack:
                items.extend(_unpacked(inner, value, member))
                failed = failed or isinstance(value, Poison)
            else:
                label = label_text(inner, member.label)
                failed = failed or isinstance(value, Poison)
                items.append(Item(value, member.value.span, label))
            if len(items) > limit:
                raise Fault(LimitExceeded(where=member.span, what="entries in a list", limit=limit))
    return tuple(items), failed


def _unpacked(frame: Frame, value: Value, member: syntax.Member) -> list[Item]:
    if isinstance(value, Poison):
        return []
    if isinstance(value, ListValue | TupleValue):
        return list(value.items)
    if isinstance(value, range):
        return [Item(entry, member.span) for entry in value]
    frame.report(
        WrongType(
            where=member.value.span, what="what `*` unpacks", expected="a list", found=describe(value)
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
    value = evaluate(frame, iterable)
    if isinstance(value, Poison):
        return
    if is_tensor(value):
        raise Fault(
            WrongType(
                where=iterable.span,
                what="what a `for` runs over",
                expected="known when compiling",
                found=describe(value),
            )
        )
    for entry in items_of(value):
        frame.context.spend(iterable.span)
        inner = frame.within(Scope(frame.scope))
        bind_targets(inner, targets, entry, iterable.span)
        yield inner


def bind_targets(
    frame: Frame, targets: tuple[syntax.Name, ...], value: Value, span: Span
) -> None:
    """Binds the targets of a ``for`` to one entry."""
    if len(targets) == 1:
        frame.scope.bind(targets[0].name, value)
        return
    entries = [POISON] * len(targets) if isinstance(value, Poison) else list(items_of(value))
    if len(entries) != len(targets):
        raise Fault(
            BadValue(where=span, problem=f"{len(entries)} values for {len(targets)} names")
        )
    for target, entry in zip(targets, entries, strict=True):
        frame.scope.bind(target.name, entry)


def _map(frame: Frame, node: syntax.MapExpression) -> Value:
    result: dict[Any, Value] = {}
    for key_node, value_node in node.entries:
        key = evaluate(frame, key_node)
        value = evaluate(frame, value_node)
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
        result[key] = value
    return result


def label_text(frame: Frame, label: syntax.Expression | None) -> str | None:
    """A label as text."""
    if label is None:
        return None
    text = evaluate(frame, label)
    if text == "_":
        raise Fault(NotSupported(where=label.span, feature="a `_:` stage"))
    return text if isinstance(text, str) else None


# ---- operators -----------------------------------------------------------------------------------


def _binary(frame: Frame, node: syntax.Binary) -> Value:
    left = evaluate(frame, node.left)
    if node.operator in ("and", "or") and isinstance(left, bool):
        if left is (node.operator == "or"):
            return left  # the other side may not even make sense
        return _condition(frame, node, evaluate(frame, node.right))
    right = evaluate(frame, node.right)
    if isinstance(left, Poison) or isinstance(right, Poison):
        return POISON
    if is_tensor(left) or is_tensor(right):
        return _on_tensors(frame, node, left, right)
    if node.operator in ("and", "or"):
        return _both(frame, node, left, right)
    return arithmetic.binary(
        node.operator, left, right, digits=frame.context.bounds.digits
    )


def _condition(frame: Frame, node: syntax.Binary, value: Value) -> Value:
    if isinstance(value, bool | Undecided | Poison | Tensor):
        return value
    raise Fault(BadOperands(operator=node.operator, left="a condition", right=describe(value)))


def _both(frame: Frame, node: syntax.Binary, left: Value, right: Value) -> Value:
    if isinstance(left, Undecided) and isinstance(right, bool):
        left, right = right, left
        if left is (node.operator == "or"):
            return left
        return right
    if isinstance(left, Undecided) and isinstance(right, Undecided) and node.operator == "and":
        return Undecided(left.requirements + right.requirements, f"{left.text} and {right.text}")
    if isinstance(left, Undecided) or isinstance(right, Undecided):
        text = frame.context.sources.text(node.span)
        arithmetic.truth(Undecided((), text), node.operator)
    raise Fault(BadOperands(operator=node.operator, left=describe(left), right=describe(right)))


def _on_tensors(frame: Frame, node: syntax.Binary, left: Value, right: Value) -> Value:
    if left is None or right is None:  # `mask == none` is known when compiling
        if node.operator in ("==", "!="):
            return node.operator == "!="
    operator = operator_named(frame, _TENSOR_OPERATORS[node.operator])
    operands = [
        as_tensor(frame, value, side.span) if is_tensor(value) else value
        for value, side in ((left, node.left), (right, node.right))
    ]
    literals: dict[str, Value] = {}
    for name, value in zip(("left", "right"), operands, strict=True):
        if isinstance(value, Tensor):
            continue
        if not isinstance(value, int | float | Expr) or operator.argument(name) is None:
            raise Fault(
                BadOperands(operator=node.operator, left=describe(left), right=describe(right))
            )
        literals[name] = value
    tensors = tuple(value for value in operands if isinstance(value, Tensor))
    if len(tensors) == 2 and node.operator != "@":
        tensors = _promoted(frame, tensors, node.span)
    return result_of(operate(frame, operator, literals, tensors, node.span))


def _promoted(frame: Frame, tensors: tuple[Tensor, ...], span: Span) -> tuple[Tensor, ...]:
    """Two tensors in the dtype that PyTorch would bring them to, the casts explicit."""
    left, right = tensors
    if left.type.dtype is right.type.dtype:
        return tensors
    dtype = promote(left.type, right.type)
    cast = operator_named(frame, "cast")
    return tuple(
        t if t.type.dtype is dtype else operate(frame, cast, {"dtype": dtype}, (t,), t.origin)[0]
        for t in tensors
    )


def _unary(frame: Frame, node: syntax.Unary) -> Value:
    value = evaluate(frame, node.operand)
    if isinstance(value, Poison):
        return POISON
    if is_tensor(value):
        tensor = as_tensor(frame, value, node.operand.span)
        if node.operator == "+":
            return tensor
        name = "neg" if node.operator == "-" else "logical_not"
        assert isinstance(tensor, Tensor)
        return result_of(operate(frame, operator_named(frame, name), {}, (tensor,), node.span))
    if node.operator == "not":
        return not _truth(frame, value, node.operand)
    return arithmetic.unary(node.operator, value)


def _truth(frame: Frame, value: Value, node: syntax.Expression) -> bool:
    if is_tensor(value):
        raise Fault(NotSupported(where=node.span, feature="a condition on a tensor"))
    try:
        return arithmetic.truth(value, "if")
    except Fault as fault:
        frame.report(fault.fact, node.span)
        return False


def condition_of(frame: Frame, node: syntax.Expression) -> bool | Poison:
    """The truth of a compile-time condition."""
    value = evaluate(frame, node)
    return POISON if isinstance(value, Poison) else _truth(frame, value, node)


def _conditional(frame: Frame, node: syntax.Conditional) -> Value:
    condition = condition_of(frame, node.condition)
    if isinstance(condition, Poison):
        return POISON
    return evaluate(frame, node.then if condition else node.otherwise)


def _range(frame: Frame, node: syntax.Range) -> Value:
    start, stop = evaluate(frame, node.start), evaluate(frame, node.stop)
    if isinstance(start, Poison) or isinstance(stop, Poison):
        return POISON
    for value, side in ((start, node.start), (stop, node.stop)):
        if not isinstance(value, int) or isinstance(value, bool):
            raise Fault(
                WrongType(
                    where=side.span, what="a bound of `..`", expected="an int", found=describe(value)
                )
            )
    limit = frame.context.bounds.items
    if stop - start > limit:
        raise Fault(LimitExceeded(where=node.span, what="entries in a range", limit=limit))
    return range(start, stop)


# ---- calls, members, pipelines -------------------------------------------------------------------


def _call(frame: Frame, node: syntax.Call) -> Value:
    callee = evaluate(frame, node.callee)
    positional: list[tuple[Value, Span]] = []
    keywords: dict[str, tuple[Value, Span]] = {}
    inline: dict[str, InitializerValue] = {}
    failed = isinstance(callee, Poison)
    for argument in node.arguments:
        if argument.initializes:
            assert argument.name is not None
            initializer = initializer_value(frame, argument.value)
            if initializer is None:
                failed = True
            else:
                inline[argument.name] = InitializerValue(initializer, argument.span)
            continue
        value = evaluate(frame, argument.value)
        failed = failed or isinstance(value, Poison)
        if argument.name is None:
            positional.append((value, argument.span))
        elif argument.name in keywords:
            from specc.elaborate.facts import RepeatedArgument

            raise Fault(
                RepeatedArgument(where=argument.span, owner="this call", name=argument.name)
            )
        else:
            keywords[argument.name] = (value, argument.span)
    if failed:
        return POISON
    return call(frame, callee, Given(node.span, tuple(positional), keywords, inline))


def _attribute(frame: Frame, node: syntax.Attribute) -> Value:
    value = evaluate(frame, node.value)
    if isinstance(value, Poison):
        return POISON
    return member_of(value, node.name, node.name_span)


def _pipeline(frame: Frame, node: syntax.Pipeline) -> Value:
    value = evaluate(frame, node.source)
    for stage in node.stages:
        frame.context.spend(stage.span)
        try:
            value = _stage(frame, value, stage)
        except Fault as fault:
            report_or_raise(frame, fault, stage.layer.span)
            value = POISON
    return value


def _stage(frame: Frame, value: Value, stage: syntax.Stage) -> Value:
    layer_value = evaluate(frame, stage.layer)
    label = label_text(frame, stage.label)
    if isinstance(value, Poison) or isinstance(layer_value, Poison):
        return POISON
    sources = tensors_in(value)
    if sources is None:
        raise Fault(
            WrongType(
                where=stage.layer.span,
                what="what flows into a stage",
                expected="a tensor",
                found=describe(value),
            )
        )
    tensors = [as_tensor(frame, source, stage.span) for source in sources]
    flow = tuple(tensor for tensor in tensors if isinstance(tensor, Tensor))
    if len(flow) != len(tensors):
        return POISON
    span = stage.layer.span
    if isinstance(layer_value, TupleValue) and label is None and layer_value.name is None:
        return result_of(apply_branches(frame, Branches(layer_value.items), flow))
    layer = as_layer(layer_value, span)
    if isinstance(layer, Poison):
        return POISON
    assert isinstance(layer, LayerValue)
    return result_of(apply_layer(frame, layer, flow, span, label=label))


def _index(frame: Frame, node: syntax.Index) -> Value:
    from specc.elaborate.indexing import index

    value = evaluate(frame, node.value)
    if isinstance(value, Poison):
        return POISON
    return index(frame, value, node)


def _on_device(frame: Frame, node: syntax.OnDevice) -> Value:
    frame.report(NotSupported(where=node.span, feature="`on` a device"))
    return evaluate(frame, node.value)


def _misplaced(frame: Frame, node: syntax.Expression) -> Value:
    text = frame.context.sources.text(node.span)
    raise Fault(BadValue(problem=f"`{text}` has no value here"))


def as_operator(value: Value) -> Operator | None:
    """The operator behind a constructor or an overloaded function."""
    if isinstance(value, OperatorConstructor):
        return value.operator
    return getattr(value, "operator", None)


_EVALUATORS: dict[type, Callable[[Frame, Any], Value]] = {
    syntax.Name: _name,
    syntax.Literal: _literal,
    syntax.Interpolation: _interpolation,
    syntax.ListExpression: _list,
    syntax.TupleExpression: _tuple,
    syntax.MapExpression: _map,
    syntax.Binary: _binary,
    syntax.Unary: _unary,
    syntax.Conditional: _conditional,
    syntax.Range: _range,
    syntax.Call: _call,
    syntax.Attribute: _attribute,
    syntax.Pipeline: _pipeline,
    syntax.Index: _index,
    syntax.OnDevice: _on_device,
    syntax.Slice: _misplaced,
    syntax.Ellipsis: _misplaced,
    syntax.Wildcard: _misplaced,
}
