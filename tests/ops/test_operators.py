"""Every operator, from its entry alone: no operator is named here.

An entry's samples must agree on all targets, its arguments must matter, its rejects be refused.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from specc.frontend.diagnostics import Fault
from specc.ir.types import parse_type
from specc.ops import registry
from specc.ops.apply import complete, infer
from specc.ops.arguments import Argument
from specc.ops.operator import Operator, Reject
from specc.ops.registry import operators
from specc.targets.onnx import DEFAULT_OPSET, HIGHEST_OPSET, LOWEST_OPSET
from tests.ops.cases import Case, cases
from tests.ops.effects import differs, differs_in_onnx, differs_while_training
from tests.ops.harness import (
    OPSETS,
    checked_onnx,
    expected_warnings,
    same_in_onnxruntime,
    same_in_torch,
    same_when_emitted,
    same_while_training,
    session,
)
from tests.ops.onnxruntime_gaps import GAPS

CASES = cases()
OPERATORS = list(operators().values())
OPTIONAL = [(op, a) for op in OPERATORS for a in op.arguments if not a.required]
REJECTS = [(op, one) for op in OPERATORS for one in op.rejects]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with expected_warnings():
        yield


# ---- the table -----------------------------------------------------------------------------------


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda op: op.name)
def test_an_entry_is_complete(operator: Operator) -> None:
    assert len(operator.samples) >= 2
    assert operator.rejects or not operator.arguments
    assert operator.summary
    assert operator.lowering(LOWEST_OPSET) is not None
    assert max(operator.onnx) <= HIGHEST_OPSET
    names = [argument.name for argument in operator.arguments]
    assert len(set(names)) == len(names)


def test_two_operators_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    family = ModuleType("specc.ops.twice")
    family.OPERATORS = (OPERATORS[0], OPERATORS[0])  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, family.__name__, family)
    monkeypatch.setattr(registry, "FAMILIES", ("twice",))
    with pytest.raises(ValueError, match=f"two operators are called '{OPERATORS[0].name}'"):
        operators.__wrapped__()


# ---- samples -------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_shape_rule_is_that_of_torch(case: Case) -> None:
    same_in_torch(case)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_emitted_source_computes_the_same(case: Case) -> None:
    same_when_emitted(case)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_onnxruntime_computes_the_same(case: Case, opset: int) -> None:
    same_in_onnxruntime(case, opset)


@pytest.mark.parametrize(("node", "dtype"), sorted(GAPS))
def test_a_gap_of_onnxruntime_is_still_there(node: str, dtype: str) -> None:
    for case in (case for case in CASES if dtype in case.dtypes):
        model = checked_onnx(case, DEFAULT_OPSET)
        if any(found.op_type == node for found in model.graph.node):
            with pytest.raises(pytest.skip.Exception, match=f"no {node} of {dtype}"):
                session(model, case)
            return
    pytest.fail(f"no sample has a {node} of {dtype}")


TRAINED = [case for case in CASES if case.learns]


@pytest.mark.parametrize("case", TRAINED, ids=str)
def test_training_computes_the_same(case: Case) -> None:
    same_while_training(case)


# ---- arguments -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operator", "argument"), OPTIONAL, ids=[f"{op.name}-{a.name}" for op, a in OPTIONAL]
)
def test_an_argument_off_its_default_matters(operator: Operator, argument: Argument) -> None:
    off = [
        Case(operator, one)
        for one in operator.samples
        if one.arguments.get(argument.name, argument.default) != argument.default
    ]
    assert off, f"no sample of {operator.name} sets {argument.name} off its default"
    if argument.training_only:
        assert any(differs_while_training(case, argument.name) for case in off)
        assert not any(differs(case, argument.name) for case in off)
    else:
        assert any(differs(case, argument.name) for case in off)
        assert any(differs_in_onnx(case, argument.name) for case in off)


@pytest.mark.parametrize(
    ("operator", "one"),
    REJECTS,
    ids=[f"{op.name}({', '.join(r.inputs)}, {r.arguments})" for op, r in REJECTS],
)
def test_wrong_use_is_refused(operator: Operator, one: Reject) -> None:
    types = tuple(parse_type(text) for text in one.inputs)
    with pytest.raises(Fault) as caught:
        infer(operator, types, complete(operator, one.arguments))
    fact = caught.value.fact
    assert fact.code == one.code
    assert fact.message
    assert "None" not in fact.message
