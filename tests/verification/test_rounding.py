"""Outputs that are nothing but rounding errors agree where they differ by no more."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import specc
from specc.frontend.diagnostics import Fault
from specc.verification.facts import ParityFailed
from specc.verification.parity import verify
from specc.verification.rounding import spread

NOISE = {
    "the mean of what is centered": ("x: [N, 4]", "mean(x - mean(x))"),
    "sums of what is normalized": ("x: [N, 4]", "(x |> LayerNorm |> sum(dim=1))"),
    "what comes of weights alone": (
        "i: i64[N]",
        "(i |> Embedding(9, 4) |> LayerNorm(elementwise_affine=false) |> sum(dim=1))",
    ),
}


def net(name: str, plus: str = "") -> specc.Program:
    header, value = NOISE[name]
    return specc.compile(f"net A({header}) -> [...] {{ {value}{plus} }}")


@pytest.mark.parametrize("name", NOISE)
def test_it_is_built(name: str) -> None:
    program = net(name)
    for seed in range(5):
        assert verify(program.network, program.onnx(seed=seed), seed=seed).agrees


@pytest.mark.parametrize("name", NOISE)
def test_a_difference_that_rounding_does_not_make_is_one(name: str) -> None:
    with pytest.raises(Fault) as caught:
        verify(net(name).network, net(name, " + 1e-5").onnx())
    assert isinstance(caught.value.fact, ParityFailed)


def test_zeros_have_no_rounding_errors() -> None:
    module = specc.compile("net A(x: [N, 4]) -> [N, 4] { relu(-abs(x)) }").module()
    assert spread(module, [torch.randn(2, 4)]) == [0.0]


def test_it_is_of_the_size_of_rounding_errors_and_leaves_the_module_as_it_was() -> None:
    text = "net A(x: [N, 64], i: i64[N]) -> ([N, 8], i64[N]) { x |> BatchNorm |> Linear(8), i }"
    module = specc.compile(text).module().eval()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    with torch.no_grad():
        floats, ints = spread(module, [torch.randn(3, 64), torch.arange(3)])
    assert 1e-8 < floats < 1e-5
    assert ints == 0.0
    for name, tensor in module.state_dict().items():
        assert np.array_equal(tensor.numpy(), before[name].numpy())
