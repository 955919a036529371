"""Operators applied in place: tensors, state read as tensors, facts put in their places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from specc.elaborate.context import Frame
from specc.elaborate.facts import BadValue, LimitExceeded, WrongInputCount, WrongType
from specc.elaborate.instances import Activation, Instance
from specc.elaborate.placement import bring, device_for, device_of
from specc.elaborate.raw import RawOperation, RawRead
from specc.elaborate.values import Poison, Requirement, StateReference, Tensor, Value, describe
from specc.frontend.diagnostics import Fact, Fault, Label
from specc.frontend.facts import DtypeMismatch, OperatorFact
from specc.frontend.source import Span
from specc.ir.dims import DimTooLarge
from specc.ir.names import join
from specc.ir.types import DType, TensorType
from specc.ops.apply import Applied, complete, infer
from specc.ops.operator import Operator
from specc.ops.promotion import literal_dtype, promote_all
from specc.ops.registry import operators


def as_tensor(frame: Frame, value: Value, span: Span) -> Tensor | Poison:
    """``value`` as a tensor of the body under way; state is read."""
    if isinstance(value, Poison):
        return value
    if isinstance(value, Tensor):
        if value.activation is not frame.activation:
            raise Fault(
                WrongType(
                    where=span,
                    what="this",
                    expected="a tensor of this body",
                    found="one of another",
                    advice="a tensor is handed to a block as an input, not as a hyperparameter",
                )
            )
        return value
    if isinstance(value, StateReference) and frame.activation is not None:
        return read_state(frame, frame.activation, value, span)
    raise Fault(WrongType(where=span, what="this", expected="a tensor", found=describe(value)))


def read_state(frame: Frame, activation: Activation, state: StateReference, span: Span) -> Tensor:
    """State as a tensor of this body, read once however often it is used."""
    if state.owner is activation.instance:
        reference, device = state.slot, activation.instance.state[state.slot].device
    elif isinstance(state.owner, Instance) and activation.is_within(state.owner):
        return _passed_in(frame, activation, state, span)
    else:
        reference = join(activation.reference(state.owner), state.slot)
        device = device_of(activation, state.owner, span)
        if isinstance(state.owner, Instance):
            device = state.owner.state[state.slot].device or device
    if reference not in activation.reads:
        frame.context.count_node(span)
        tensor = activation.tensor(state.type, state.origin, device)
        activation.nodes.append(RawRead(reference, (tensor,), span))
        activation.reads[reference] = tensor
        activation.names[tensor.id] = state.slot
    return activation.reads[reference]


def _passed_in(frame: Frame, activation: Activation, state: StateReference, span: Span) -> Tensor:
    """What a block around this one declares itself: an input more, and no layer of that block's."""
    key = (state.owner, state.slot)
    if key not in activation.passed:
        assert activation.parent is not None
        assert activation.application is not None
        outer = replace(frame, activation=activation.parent, device=None)
        read = read_state(outer, activation.parent, state, span)
        (given,) = bring(outer, (read,), activation.application.device, span)
        activation.application.inputs += (given.id,)
        entry = activation.tensor(given.type, state.origin)
        activation.inputs += (entry,)
        activation.names[entry.id] = state.slot
        activation.passed[key] = entry
    return activation.passed[key]


def operate(
    frame: Frame,
    operator: Operator,
    given: Mapping[str, Any],
    tensors: tuple[Tensor, ...],
    span: Span,
    argument_spans: Mapping[str, Span] | None = None,
) -> tuple[Tensor, ...]:
    """Applies an operator in place, with no layer."""
    activation = current(frame, span)
    device = device_for(frame, None, tensors, span)
    tensors = promoted(frame, operator, bring(frame, tensors, device, span))
    tensors = _made_float(frame, operator, given, tensors)
    applied = infer_at(frame, operator, given, tensors, span, argument_spans or {})
    frame.context.count_node(span)
    results = tuple(activation.tensor(type_, span, device) for type_ in applied.results)
    inputs = tuple(tensor.id for tensor in tensors)
    activation.nodes.append(
        RawOperation(operator, applied.attributes, inputs, results, span, device)
    )
    return results


def promoted(frame: Frame, operator: Operator, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Operands in the dtype that PyTorch would bring them to, the casts explicit."""
    first = operator.promotes_from
    if first is None or len({tensor.type.dtype for tensor in tensors[first:]}) < 2:
        return tensors
    dtype = promote_all(tensor.type for tensor in tensors[first:])
    return tensors[:first] + tuple(_cast(frame, t, dtype) for t in tensors[first:])


def _made_float(
    frame: Frame, operator: Operator, given: Mapping[str, Any], tensors: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """Integers that are divided, or meet a literal with a fraction, cast to the float that results.

    PyTorch would do so by itself, but in f32 also where the module was moved to another dtype.
    """
    if operator.name == "div" and not any(t.type.dtype.is_float for t in tensors):
        divided = [literal_dtype(t.type.dtype, 0.5) for t in tensors]
        return tuple(_cast(frame, t, dtype) for t, dtype in zip(tensors, divided, strict=True))
    first = operator.promotes_from
    if first is None or len(tensors) != first + 1:
        return tensors
    for side in ("left", "right"):
        if isinstance(given.get(side), float):
            dtype = literal_dtype(tensors[first].type.dtype, given[side])
            return (*tensors[:first], _cast(frame, tensors[first], dtype))
    return tensors


def _cast(frame: Frame, tensor: Tensor, dtype: DType) -> Tensor:
    if tensor.type.dtype is dtype:
        return tensor
    return operate(frame, operators()["cast"], {"dtype": dtype}, (tensor,), tensor.origin)[0]


def infer_at(
    frame: Frame,
    operator: Operator,
    given: Mapping[str, Any],
    tensors: tuple[Tensor, ...],
    span: Span,
    argument_spans: Mapping[str, Span],
) -> Applied:
    """Runs an operator's rule on tensors, its faults placed and its conditions recorded."""
    least, most = operator.arity
    literals = sum(given.get(side) is not None for side in ("left", "right"))
    found = len(tensors) + literals
    if found < least or (most is not None and found > most):
        raise Fault(
            WrongInputCount(
                where=span, owner=operator.name, expected=_arity(least, most), found=found
            )
        )
    try:
        applied = infer(operator, tuple(t.type for t in tensors), complete(operator, given))
    except Fault as fault:
        raise Fault(placed(fault.fact, span, tensors, argument_spans)) from None
    except DimTooLarge as error:
        raise Fault(BadValue(where=span, problem=f"a size is too complicated: {error}")) from None
    limit = frame.context.bounds.digits
    for result in applied.results:
        if any(isinstance(dim, int) and dim >= 10**limit for dim in result.shape):
            raise Fault(
                LimitExceeded(where=span, what="digits in a size", limit=limit, option="digits")
            )
    for size, reason in applied.positive:
        frame.context.constrain(Requirement(">=", size, 1), reason, span)
    for left, right, reason in applied.equalities:
        frame.context.constrain(Requirement("==", left, right), reason, span)
    return applied


def _arity(least: int, most: int | None) -> str:
    if most is None:
        return f"at least {least} tensor{'s' * (least != 1)}"
    if least == most:
        return f"{least} tensor{'s' * (least != 1)}"
    return f"{least} to {most} tensors"


def placed(
    fact: Fact, span: Span, tensors: tuple[Tensor, ...], argument_spans: Mapping[str, Span]
) -> Fact:
    """A fact that an operator's rule found, with its places: argument or use, and operands."""
    if not isinstance(fact, OperatorFact):
        return replace(fact, where=fact.where or span)
    where = argument_spans.get(fact.argument or "", span)
    # The dtype is said where it matters, or is not the one that is meant where none is written.
    by_dtype = isinstance(fact, DtypeMismatch)

    def text_of_type(type_: TensorType) -> str:
        return str(type_) if by_dtype or type_.dtype is not DType.F32 else type_.shape_text

    because = tuple(
        Label(tensors[i].origin, f"this is {text_of_type(tensors[i].type)}")
        for i in fact.operands
        if i < len(tensors) and tensors[i].origin != where
    )
    return replace(fact, where=where, because=tuple(dict.fromkeys(because)))


def current(frame: Frame, span: Span) -> Activation:
    """The activation under way. Raises a Fault where there is none: at the top of a file."""
    if frame.activation is None:
        raise Fault(
            WrongType(
                where=span,
                what="this",
                expected="known when compiling",
                found="a computation on tensors",
            )
        )
    return frame.activation
