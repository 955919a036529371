"""A host's operators hold what their entries say, by the checks of the built-in ones."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import specc
from specc.ops.operator import Operator
from specc.testing import check_operator
from tests.extension import own_ops
from tests.extension.own_ops import EVERY, distances, gated, swish2


@pytest.mark.parametrize("operator", EVERY, ids=lambda operator: operator.name)
def test_an_operator_agrees_on_all_targets(operator: Operator) -> None:
    left_out = check_operator(operator)
    assert bool(left_out) == (operator is distances)
    assert all("no library for the operators of com.example" in text for text in left_out)


def test_a_node_of_another_domain_is_compared_where_a_library_runs_it() -> None:
    extensions = pytest.importorskip("onnxruntime_extensions")
    inverse = specc.op(
        "inverse(x: f32[n, n]) -> f32[n, n]",
        torch="torch.linalg.inv",
        onnx=specc.OnnxNode("ai.onnx.contrib", "Inverse"),
        library=extensions.get_library_path(),
        summary="The inverse of a matrix.",
        samples=[specc.sample("f32[3, 3]"), specc.sample("f32[2, 2]")],
    )
    assert check_operator(inverse) == ()


# ---- what does not hold is found


def other_sigmoid(x: torch.Tensor, beta: float) -> torch.Tensor:
    return x * torch.sigmoid(beta * x) + 1e-3


def test_an_onnx_form_that_computes_something_else_is_found() -> None:
    wrong = replace(swish2, onnx={17: lambda b, s: b.op("Sigmoid", s.x)})
    with pytest.raises(AssertionError, match=r"swish2\(f32\[N, 4\]\) in ONNX opset 17: values"):
        check_operator(wrong)


def test_a_torch_function_that_computes_something_else_is_found() -> None:
    wrong = specc.op(
        "swish2(beta = 1.0)(x: [...]) -> [...]",
        torch=other_sigmoid,
        onnx=own_ops.swish_to_onnx,
        samples=swish2.samples,
        rejects=swish2.rejects,
        summary="Not quite x * sigmoid(beta * x).",
    )
    with pytest.raises(AssertionError, match="values differ by"):
        check_operator(wrong)


def test_a_rule_that_gives_another_shape_is_found() -> None:
    wrong = replace(gated, infer=lambda c, x: x)
    with pytest.raises(AssertionError, match="the shapes that PyTorch gives, and the rule"):
        check_operator(wrong)


def test_an_argument_without_effect_is_found() -> None:
    onnx = {17: lambda b, s: b.op("Mul", s.x, b.op("Sigmoid", s.x))}
    wrong = replace(swish2, samples=(specc.sample("f32[3]"), specc.sample("f32[4]")), onnx=onnx)
    with pytest.raises(AssertionError, match="no sample sets beta of swish2 off its default"):
        check_operator(wrong)


@pytest.mark.parametrize(
    ("reject", "says"),
    [
        (specc.reject("rank-mismatch", "f32[3]"), "is accepted, not refused by rank-mismatch"),
        (specc.reject("bad-argument", "i64[3]"), "is refused by dtype-mismatch, not bad-argument"),
    ],
)
def test_a_use_that_is_not_refused_as_said_is_found(reject: object, says: str) -> None:
    wrong = replace(swish2, rejects=(reject,))  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match=says):
        check_operator(wrong)


def test_an_operator_without_samples_fails() -> None:
    with pytest.raises(AssertionError, match="swish2 needs two samples, and has 0"):
        check_operator(replace(swish2, samples=()))


def test_an_operator_without_an_onnx_form_is_checked_on_pytorch() -> None:
    left_out = check_operator(replace(swish2, onnx={}))
    assert "swish2 has no form in ONNX opset 17" in left_out
