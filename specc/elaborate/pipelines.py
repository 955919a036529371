"""Calls and pipelines as written: arguments evaluated, stages applied."""

from __future__ import annotations

from dataclasses import replace

from specc.elaborate.calls import call, result_of
from specc.elaborate.context import Frame
from specc.elaborate.facts import NotALayer, WrongType
from specc.elaborate.initializers import initializer_value
from specc.elaborate.layers import apply_branches, apply_layer, as_layer
from specc.elaborate.lists import label_text
from specc.elaborate.operands import Given, flow_of
from specc.elaborate.unknown import require_known
from specc.elaborate.values import (
    POISON,
    Branches,
    InitializerValue,
    LayerValue,
    Poison,
    TupleValue,
    Value,
    describe,
    is_poisoned,
)
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault, Label
from specc.frontend.source import Span


def call_value(frame: Frame, node: syntax.Call) -> Value:
    """``callee(arguments)``"""
    callee = frame.evaluate(node.callee)
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
        value = frame.evaluate(argument.value)
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
    try:
        return call(frame, callee, Given(node.span, tuple(positional), keywords, inline))
    except Fault as fault:
        if isinstance(fault.fact, NotALayer) and fault.fact.where is None:
            raise Fault(replace(fault.fact, because=_bound(frame, node.callee))) from None
        raise


def _bound(frame: Frame, node: syntax.Expression) -> tuple[Label, ...]:
    """Where a name was bound: perhaps to something that hides what was meant, as ``relu = 3``."""
    binding = frame.scope.find(node.name) if isinstance(node, syntax.Name) else None
    if binding is None or binding.span is None:
        return ()
    return (Label(binding.span, "it is bound here"),)


def pipeline_value(frame: Frame, node: syntax.Pipeline) -> Value:
    """``source |> stage |> stage``; a stage that is wrong silences those behind it."""
    value = frame.evaluate(node.source)
    for stage in node.stages:
        frame.context.spend(stage.span)
        try:
            value = _stage(frame, value, stage)
        except Fault as fault:
            frame.recover(fault, stage.layer.span)
            value = POISON
    return value


def _stage(frame: Frame, value: Value, stage: syntax.Stage) -> Value:
    require_known(frame, stage.layer)
    layer_value = frame.evaluate(stage.layer)
    label = label_text(frame, stage.label)
    if is_poisoned(value) or isinstance(layer_value, Poison):
        return POISON
    flow = flow_of(frame, value, stage.span)
    if flow is None:
        raise Fault(
            WrongType(
                where=stage.layer.span,
                what="what flows into a stage",
                expected="a tensor",
                found=describe(value),
            )
        )
    span = stage.layer.span
    if isinstance(layer_value, TupleValue) and label is None and layer_value.name is None:
        return result_of(apply_branches(frame, Branches(layer_value.items), flow))
    layer = as_layer(layer_value, span)
    if isinstance(layer, Poison):
        return POISON
    assert isinstance(layer, LayerValue)
    return result_of(apply_layer(frame, layer, flow, span, label=label))
