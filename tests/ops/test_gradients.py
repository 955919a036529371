"""Every operator trains: its gradient is the one that finite differences give, in f64."""

from dataclasses import replace

import pytest
import torch

from specc.ir.dims import evaluate
from specc.ops.operator import Sample
from specc.ops.single import single
from specc.targets.torch import module, to_torch
from specc.testing.cases import Case, cases


def _in_f64(case: Case) -> Case:
    """The same sample with f64 for f32, since differences need the digits."""
    inputs = [replace(i, type=i.type.replace("f32[", "f64[")) for i in case.drawn]
    return Case(case.operator, Sample(tuple(inputs), case.sample.arguments))


def _is_differentiable(case: Case) -> bool:
    """Whether f64 goes in and comes out. What has state or draws is tested elsewhere."""
    if case.operator.state or case.draws:
        return False
    floats = [t for t in case.types if t.dtype.is_float]
    results = _in_f64(case).applied.results
    return (
        bool(floats)
        and all(t.dtype.value == "f32" for t in floats)
        and all(result.dtype.value == "f64" for result in results)
    )


CASES = [case for case in cases() if _is_differentiable(case)]


def test_most_operators_are_tried() -> None:
    assert len({case.operator.name for case in CASES}) > 60


@pytest.mark.filterwarnings("ignore:.*degrees of freedom is <= 0")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_gradient_is_that_of_finite_differences(case: Case) -> None:
    case = _in_f64(case)
    sizes = case.sizes[0]
    made = module(single(case.operator, case.types, case.sample.arguments, as_layer=False)).eval()
    operands = [
        to_torch(array).requires_grad_(type_.dtype.is_float)
        for array, type_ in zip(case.inputs(sizes), case.types, strict=True)
    ]
    results = made(*operands)
    results = results if isinstance(results, tuple) else (results,)
    for result, type_ in zip(results, case.applied.results, strict=True):
        assert result.shape == tuple(evaluate(dim, sizes) for dim in type_.shape)
        assert result.requires_grad
    assert torch.autograd.gradcheck(made, operands)
