"""What layers say besides values: how much they compute, and how their state starts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from scipy import stats
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from specc.initialize.values import apply_edits, values
from specc.ir.dims import evaluate
from specc.ops.apply import SlotValue
from specc.testing.cases import Array, Case, cases
from specc.testing.interpret import Interpreter
from specc.testing.parity import expected_warnings
from specc.testing.torch_runs import run_function

CASES = cases()
COUNTED = [case for case in CASES if case.operator.multiply_adds is not None]
OWNERS = [case for case in CASES if case.state]

DRAWS = 60


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with expected_warnings():
        yield


@pytest.mark.parametrize("case", COUNTED, ids=str)
def test_multiply_adds_are_half_the_flops_that_torch_counts(case: Case) -> None:
    for sizes in case.sizes:
        # Of attention torch counts the products alone, not its fused kernel for the CPU.
        whole = sdpa_kernel(SDPBackend.MATH)
        with torch.no_grad(), whole, FlopCounterMode(display=False) as counter:
            run_function(case, sizes)
        vectors = any(x.ndim == 1 or 1 in x.shape for x in case.inputs(sizes))
        if vectors and not counter.get_total_flops():
            continue  # torch counts no flops of a product with a vector
        assert case.operator.multiply_adds is not None
        result = case.applied.results[0]
        count = case.operator.multiply_adds(case.applied.attributes, case.types, result)
        assert 2 * evaluate(count, sizes) == counter.get_total_flops()


@pytest.mark.parametrize("case", OWNERS, ids=str)
def test_state_starts_as_the_torch_class_does(case: Case) -> None:
    torch.manual_seed(0)
    interpreter = Interpreter(case, case.sizes[0], (), {}, training=True)
    modules = [interpreter.module() for _ in range(DRAWS)]
    for slot in case.state:
        theirs = np.stack([m.state_dict()[slot.slot.name].double().numpy() for m in modules if m])
        ours = np.stack([_initial(slot, seed) for seed in range(DRAWS)])
        assert ours.shape == theirs.shape
        if np.ptp(theirs) == 0:
            np.testing.assert_array_equal(ours, theirs)
        else:
            np.testing.assert_array_equal(ours == 0, theirs == 0)
            assert stats.ks_2samp(ours.ravel(), theirs.ravel()).pvalue > 1e-4


def _initial(slot: SlotValue, seed: int) -> Array:
    shape = tuple(evaluate(dim, {}) for dim in slot.type.shape)
    drawn = values(
        slot.initializer, name=slot.slot.name, shape=shape, dtype=slot.type.dtype, seed=seed
    )
    apply_edits(drawn, shape, slot.edits)
    return drawn.astype(np.float64).reshape(shape)
