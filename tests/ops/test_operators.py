"""Every operator, from its entry alone: no operator is named here.

An entry's samples must agree on all targets, its arguments must matter, its rejects be refused.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from specc.ops import registry
from specc.ops.arguments import Argument
from specc.ops.operator import Operator, Reject
from specc.ops.registry import operators
from specc.targets.onnx import DEFAULT_OPSET, LOWEST_OPSET
from specc.testing import check_effect, check_entry, check_reject
from specc.testing.cases import Case, cases
from specc.testing.onnxruntime_gaps import GAPS
from specc.testing.parity import (
    OPSETS,
    NoKernel,
    checked_onnx,
    expected_warnings,
    same_in_onnxruntime,
    same_in_torch,
    same_when_emitted,
    same_while_training,
    session,
)

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
    check_entry(operator)
    assert operator.lowering(LOWEST_OPSET) is not None


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
    try:
        same_in_onnxruntime(case, opset)
    except NoKernel as gap:
        pytest.skip(str(gap))


@pytest.mark.parametrize(("node", "dtype"), sorted(GAPS))
def test_a_gap_of_onnxruntime_is_still_there(node: str, dtype: str) -> None:
    for case in (case for case in CASES if dtype in case.dtypes):
        model = checked_onnx(case, DEFAULT_OPSET)
        if any(found.op_type == node for found in model.graph.node):
            with pytest.raises(NoKernel, match=f"no {node} of {dtype}"):
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
    check_effect(operator, argument)


@pytest.mark.parametrize(
    ("operator", "one"),
    REJECTS,
    ids=[f"{op.name}({', '.join(r.inputs)}, {r.arguments})" for op, r in REJECTS],
)
def test_wrong_use_is_refused(operator: Operator, one: Reject) -> None:
    check_reject(operator, one)
