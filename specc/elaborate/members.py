"""``value.name``: into a layer's layers and state."""

from __future__ import annotations

from dataclasses import replace

from specc.elaborate.facts import SharingFault, WrongType
from specc.elaborate.instances import Built, BuiltOperator
from specc.elaborate.values import (
    LayerValue,
    ListValue,
    StateReference,
    Tensor,
    TupleValue,
    Value,
    describe,
)
from specc.frontend.diagnostics import Fault
from specc.frontend.facts import UnknownName
from specc.frontend.facts.habits import METHODS
from specc.frontend.source import Span


def member_of(value: Value, name: str, span: Span) -> Value:
    """A parameter or an inner layer of a layer. Raises a Fault where there is none."""
    if isinstance(value, ListValue | TupleValue):
        if value.layer is None:
            raise Fault(_not_applied(span))
        value = value.layer
    if not isinstance(value, LayerValue):
        raise Fault(
            WrongType(
                where=span,
                what=f"what has a member {name!r}",
                expected="a layer",
                found=describe(value),
                advice=_advice(value, name),
            )
        )
    if value.built is None:
        raise Fault(_not_applied(span))
    return _member(value.built, name, span)


def _advice(value: Value, name: str) -> str | None:
    """What stands here for a method or property of PyTorch's tensors."""
    if not isinstance(value, Tensor):
        return None
    return METHODS.get(name) or f"a function is called with its tensor: `{name}(x)`"


def _not_applied(span: Span) -> SharingFault:
    return SharingFault(
        where=span,
        problem="this layer has no parameters yet: it has not been applied",
        advice="the first use of a shared parameter owns it, so that use comes first",
    )


def _member(built: Built, name: str, span: Span) -> Value:
    if isinstance(built, BuiltOperator):
        if name in built.borrowed:
            return replace(built.borrowed[name], origin=span)  # of its owner
        if name in built.state:
            return StateReference(built, name, built.state[name], span)
        raise Fault(UnknownName(where=span, name=name, known=tuple(built.state)))
    if name in built.state:
        return StateReference(built, name, built.state[name].type, span)
    if name in built.layers:
        inner = built.layers[name]
        constructor = _constructor_of(inner)
        return LayerValue(constructor, {}, span, name=inner.name, built=inner)
    raise Fault(UnknownName(where=span, name=name, known=(*built.layers, *built.state)))


def _constructor_of(built: Built):  # type: ignore[no-untyped-def]
    from specc.elaborate.values import OperatorConstructor

    if isinstance(built, BuiltOperator):
        return OperatorConstructor(built.operator)
    return built.constructor
