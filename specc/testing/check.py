"""All that an entry promises, checked: ``check_operator``. specc's own suite makes these checks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from specc.frontend.diagnostics import Fault
from specc.ir.types import parse_type
from specc.ops.apply import complete, infer
from specc.ops.arguments import Argument
from specc.ops.operator import Operator, Reject
from specc.targets.onnx import DEFAULT_OPSET, HIGHEST_OPSET
from specc.testing.cases import Case
from specc.testing.effects import differs, differs_in_onnx, differs_while_training
from specc.testing.parity import (
    OPSETS,
    NoKernel,
    NoLibrary,
    expected_warnings,
    same_in_onnxruntime,
    same_in_torch,
    same_when_emitted,
    same_while_training,
)


def check_operator(operator: Operator) -> tuple[str, ...]:
    """Checks an operator as the built-in ones are checked, and gives what could not be.

    On each sample the shape rule, PyTorch as function and as class, the emitted source and
    onnxruntime at the lowest, the default and the highest opset agree, as do gradients and buffers
    while training; each argument off its default changes the result in PyTorch and in ONNX; and
    each of ``rejects`` is refused with its code.

    Raises AssertionError, which says what does not hold and where. What the answer names was left
    out: an opset that the operator has no form for, a node that this onnxruntime has no kernel for.
    """
    left_out: list[str] = []
    with expected_warnings():
        check_entry(operator)
        for one in operator.samples:
            case = Case(operator, one)
            with _at(str(case)):
                same_in_torch(case)
                same_when_emitted(case)
                if case.learns:
                    same_while_training(case)
            left_out += _without_onnx(case)
        for argument in operator.arguments:
            if not argument.required:
                check_effect(operator, argument)
        for reject in operator.rejects:
            check_reject(operator, reject)
    return tuple(left_out)


def check_entry(operator: Operator) -> None:
    """Requires two samples, refusals where there are arguments, and an opset that specc writes."""
    name = operator.name
    _require(
        len(operator.samples) >= 2, f"{name} needs two samples, and has {len(operator.samples)}"
    )
    _require(bool(operator.rejects or not operator.arguments), f"{name} says nothing of rejects")
    _require(bool(operator.summary), f"{name} has no summary")
    names = [argument.name for argument in operator.arguments]
    _require(len(set(names)) == len(names), f"{name} has two arguments of one name")
    keys = [key for key in operator.onnx if not 1 <= key <= HIGHEST_OPSET]
    _require(not keys, f"{name} has ONNX forms for opsets that there are not: {keys}")


def check_effect(operator: Operator, argument: Argument) -> None:
    """Requires that a sample with the argument off its default gives something else without it."""
    name = f"{argument.name} of {operator.name}"
    off = [
        Case(operator, one)
        for one in operator.samples
        if one.arguments.get(argument.name, argument.default) != argument.default
    ]
    _require(bool(off), f"no sample sets {name} off its default")
    if argument.training_only:
        trains = any(differs_while_training(case, argument.name) for case in off)
        _require(trains, f"{name} changes nothing while training")
        evaluates = any(differs(case, argument.name) for case in off)
        _require(not evaluates, f"{name} changes the result outside of training")
        return
    _require(any(differs(case, argument.name) for case in off), f"{name} changes nothing")
    if operator.lowering(DEFAULT_OPSET) is not None:
        with suppress(NoLibrary):
            in_onnx = any(differs_in_onnx(case, argument.name) for case in off)
            _require(in_onnx, f"{name} changes nothing in ONNX")


def check_reject(operator: Operator, reject: Reject) -> None:
    """Requires that a wrong use is refused with its code."""
    use = f"{operator.name}({', '.join(reject.inputs)}, {reject.arguments})"
    types = tuple(parse_type(text) for text in reject.inputs)
    try:
        infer(operator, types, complete(operator, reject.arguments))
    except Fault as fault:
        fact = fault.fact
        _require(fact.code == reject.code, f"{use} is refused by {fact.code}, not {reject.code}")
        _require(bool(fact.message) and "None" not in fact.message, f"{use} says: {fact.message}")
        return
    raise AssertionError(f"{use} is accepted, not refused by {reject.code}")


def _without_onnx(case: Case) -> list[str]:
    """Compares onnxruntime at each opset; gives what could not be."""
    left_out = []
    for opset in OPSETS:
        if case.operator.lowering(opset) is None:
            left_out.append(f"{case.operator.name} has no form in ONNX opset {opset}")
            continue
        try:
            with _at(f"{case} in ONNX opset {opset}"):
                same_in_onnxruntime(case, opset)
        except NoKernel as gap:
            left_out.append(f"{case} in ONNX opset {opset}: {gap}")
    return left_out


@contextmanager
def _at(place: str) -> Iterator[None]:
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"{place}: {error}") from error


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise AssertionError(otherwise)
