"""The precision of a recipe: what is computed in it, and what stays as it was."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import specc
from tests.training.runs import LINE, trained

DIGITS = """
net Digits(x: [N, 64]) -> [N, 10] { x |> Linear(32) |> BatchNorm |> relu |> Linear(10) }
train {
    data = digits
    loss = cross_entropy
    optimizer = adam(lr=5e-3)
    epochs = 5
    metrics = [accuracy]
}
"""


def dtypes_of(precision: str, monkeypatch: pytest.MonkeyPatch) -> set[torch.dtype]:
    """The dtypes that linear layers give in a run."""
    seen: set[torch.dtype] = set()
    forward = nn.Linear.forward

    def watched(self: nn.Linear, x: torch.Tensor) -> Any:
        result = forward(self, x)
        seen.add(result.dtype)
        return result

    with monkeypatch.context() as patch:
        patch.setattr(nn.Linear, "forward", watched)
        trained(LINE, precision=precision, epochs="1")
    return seen


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [
        ("f32", torch.float32),
        ("bf16", torch.bfloat16),
        ("f16", torch.float16),
        ("f64", torch.float64),
    ],
)
def test_matrices_are_multiplied_in_it(
    precision: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert dtypes_of(precision, monkeypatch) == {dtype}


@pytest.mark.parametrize("precision", ["bf16", "f16", "f64"])
def test_a_net_learns_in_it_and_keeps_its_own_dtypes(precision: str) -> None:
    program = specc.compile(DIGITS, settings={"precision": precision})
    result = specc.train(program, device="cpu")
    assert result.final["accuracy"] > 0.9
    plain = program.module().state_dict()
    found = result.module.state_dict()
    assert {n: t.dtype for n, t in found.items()} == {n: t.dtype for n, t in plain.items()}


def test_double_precision_is_the_same_run_rounded_less() -> None:
    # Full batches, so that the order of the examples does not count.
    one = {"batch": "1000", "optimizer": "sgd(lr=0.1)", "steps": "7"}
    weight = trained(LINE, precision="f64", **one).module.state_dict()
    rounded = trained(LINE, precision="f32", **one).module.state_dict()
    torch.testing.assert_close(weight, rounded, rtol=1e-5, atol=1e-6)
    assert any(not torch.equal(weight[name], rounded[name]) for name in weight)
