"""Expressions to values. A wrong one is reported once and gives ``POISON``, which is silent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from specc.elaborate import arithmetic
from specc.elaborate.arithmetic import bounded_text
from specc.elaborate.branches import choice
from specc.elaborate.builtins import text_of
from specc.elaborate.calls import result_of
from specc.elaborate.conditions import both, right_side, truth_of
from specc.elaborate.context import Frame
from specc.elaborate.facts import BadValue, LimitExceeded, NotDetermined, WrongType
from specc.elaborate.initializers import initializer_value
from specc.elaborate.layers import as_layer
from specc.elaborate.lists import list_value, map_value, tuple_value
from specc.elaborate.members import member_of
from specc.elaborate.operands import is_tensor
from specc.elaborate.operate import as_tensor, operate
from specc.elaborate.pipelines import call_value, pipeline_value
from specc.elaborate.placement import is_layer, on_device, put
from specc.elaborate.tensors import on_tensors, operator_named
from specc.elaborate.unknown import require_known, unknown_name
from specc.elaborate.values import (
    POISON,
    InitializerDefinition,
    InitializerValue,
    LayerValue,
    ListValue,
    OperatorConstructor,
    Poison,
    Tensor,
    Undetermined,
    Value,
    describe,
    extent,
    is_poisoned,
)
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault, Label
from specc.initialize.catalogue import CATALOGUE
from specc.ops.operator import Operator
from specc.ops.registry import operators


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
        frame.recover(fault, expression.span)
        return POISON
    finally:
        context.depth -= 1


def _name(frame: Frame, node: syntax.Name) -> Value:
    binding = frame.scope.find(node.name)
    if binding is None:
        if node.name == "training" and frame.activation is not None:
            return operate(frame, operators()["training"], {}, (), node.span)[0]
        if node.name in CATALOGUE:
            return _initializer(frame, node)
        raise Fault(unknown_name(frame, node))
    if binding.span is not None:
        frame.context.used.add(binding.span)
    if isinstance(binding.value, Undetermined):
        raise Fault(
            NotDetermined(
                where=node.span,
                because=(Label(binding.value.span, binding.value.reason),),
                name=node.name,
                advice=binding.value.advice,
            )
        )
    return binding.value


def _call(frame: Frame, node: syntax.Call) -> Value:
    """A call; of an initializer it gives one with these arguments."""
    if isinstance(node.callee, syntax.Name):
        binding = frame.scope.find(node.callee.name)
        built_in = binding is None and node.callee.name in CATALOGUE
        if built_in or (binding and isinstance(binding.value, InitializerDefinition)):
            return _initializer(frame, node)
    require_known(frame, node.callee)
    return call_value(frame, node)


def _initializer(frame: Frame, node: syntax.Expression) -> Value:
    start = initializer_value(frame, node)
    return POISON if start is None else InitializerValue(start, node.span)


def _literal(frame: Frame, node: syntax.Literal) -> Value:
    return arithmetic.bounded(node.value, frame.context.bounds.digits)


def _interpolation(frame: Frame, node: syntax.Interpolation) -> Value:
    parts: list[str] = []
    for part in node.parts:
        if isinstance(part, str):
            parts.append(part)
            continue
        value = evaluate(frame, part)
        if is_poisoned(value):
            return POISON
        frame.context.steps += extent(value)
        frame.context.spend(part.span)
        parts.append(bounded_text(text_of(value)))
    return bounded_text("".join(parts))


def _binary(frame: Frame, node: syntax.Binary) -> Value:
    left = evaluate(frame, node.left)
    if node.operator in ("and", "or") and isinstance(left, bool):
        if left is (node.operator == "or"):
            frame.context.skipped[node.right.span] = node.right
            return left  # the other side may not even make sense
        return right_side(frame, node, evaluate(frame, node.right))
    right = evaluate(frame, node.right)
    if isinstance(left, Poison) or isinstance(right, Poison):
        return POISON
    if node.operator != "+" and (is_poisoned(left) or is_poisoned(right)):
        return POISON
    if is_tensor(left) or is_tensor(right):
        return on_tensors(frame, node, left, right)
    if node.operator in ("and", "or"):
        return both(frame, node, left, right)
    frame.context.steps += min(extent(left), extent(right)) // 4  # as lists are compared
    result = arithmetic.binary(node.operator, left, right, digits=frame.context.bounds.digits)
    if isinstance(result, ListValue):
        frame.context.spend_on(result, node.span)
    return result


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
        truth = truth_of(frame, value, node.operand)
        return POISON if isinstance(truth, Poison) else not truth
    return arithmetic.unary(node.operator, value)


def _conditional(frame: Frame, node: syntax.Conditional) -> Value:
    value = frame.evaluate(node.condition)
    if is_tensor(value):
        return choice(frame, node, value)
    condition = truth_of(frame, value, node.condition)
    if isinstance(condition, Poison):
        return POISON
    taken, left = (node.then, node.otherwise) if condition else (node.otherwise, node.then)
    frame.context.skipped[left.span] = left
    return evaluate(frame, taken)


def _range(frame: Frame, node: syntax.Range) -> Value:
    start, stop = evaluate(frame, node.start), evaluate(frame, node.stop)
    if isinstance(start, Poison) or isinstance(stop, Poison):
        return POISON
    for value, side in ((start, node.start), (stop, node.stop)):
        if not isinstance(value, int) or isinstance(value, bool):
            raise Fault(
                WrongType(
                    where=side.span,
                    what="a bound of `..`",
                    expected="an int",
                    found=describe(value),
                )
            )
    limit = frame.context.bounds.items
    if stop - start > limit:
        raise Fault(
            LimitExceeded(where=node.span, what="entries in a range", limit=limit, option="items")
        )
    return range(start, stop)


def _attribute(frame: Frame, node: syntax.Attribute) -> Value:
    value = evaluate(frame, node.value)
    if isinstance(value, Poison):
        return POISON
    return member_of(value, node.name, node.name_span)


def _index(frame: Frame, node: syntax.Index) -> Value:
    from specc.elaborate.indexing import index

    value = evaluate(frame, node.value)
    if isinstance(value, Poison):
        return POISON
    return index(frame, value, node)


def _on_device(frame: Frame, node: syntax.OnDevice) -> Value:
    there = on_device(frame, node.device)
    if there is None:
        evaluate(frame, node.value)
        return POISON
    value = evaluate(there, node.value)
    if not is_layer(value):
        return value
    layer = as_layer(value, node.value.span)
    if isinstance(layer, LayerValue):
        assert there.device is not None
        put(layer, there.device, node.span)
    return layer


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
    syntax.ListExpression: list_value,
    syntax.TupleExpression: tuple_value,
    syntax.MapExpression: map_value,
    syntax.Binary: _binary,
    syntax.Unary: _unary,
    syntax.Conditional: _conditional,
    syntax.Range: _range,
    syntax.Call: _call,
    syntax.Attribute: _attribute,
    syntax.Pipeline: pipeline_value,
    syntax.Index: _index,
    syntax.OnDevice: _on_device,
    syntax.Slice: _misplaced,
    syntax.Ellipsis: _misplaced,
    syntax.Wildcard: _misplaced,
}
