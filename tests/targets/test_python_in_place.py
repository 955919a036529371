"""What the emitted source overwrites: results that nothing else reads, not even a gradient."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import specc

RESIDUAL = """net A(x: [N, 4, 8, 8]) {
    y = x |> Conv(4, 3, padding=1) |> BatchNorm |> relu
    return relu(x + y)
}"""


def test_a_norms_result_and_a_sum_are_overwritten() -> None:
    source = specc.compile(RESIDUAL).python()
    assert source.count("inplace=True") == 2


@pytest.mark.parametrize(
    "body",
    [
        "y = x |> BatchNorm\n return relu(y) + y",  # read again
        "y = x + x\n return relu(y) + relu(y)",
        "relu(x)",  # the caller's own
        "relu(x |> flatten)",  # the same memory as x
        "relu(x |> Conv(4, 1) on d)",  # a move that may be none
        "relu(x * 2) |> flatten",
        "relu(x + 1)",
        "param b: [8] ~ zeros\n relu(x + b)",
        "sigmoid(x + x)",
    ],
)
def test_everything_else_stays(body: str) -> None:
    lines = body.replace("relu(x + b)", "return relu(x + b)")
    net = f"device d = cpu\nnet A(x: [N, 4, 8, 8]) {{\n {lines}\n}}"
    assert "inplace" not in specc.compile(net).python()


def test_gradients_and_statistics_are_those_of_the_same_network_by_hand() -> None:
    module = specc.compile(RESIDUAL).module().train()
    conv, norm = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
    names = dict(zip(module.state_dict(), [*conv.state_dict(), *norm.state_dict()], strict=True))
    values = list(module.state_dict().values())
    conv.load_state_dict(dict(zip(list(names.values())[:2], values[:2], strict=True)))
    norm.load_state_dict(dict(zip(list(names.values())[2:], values[2:], strict=True)))
    x = torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(0), requires_grad=True)
    z = x.detach().clone().requires_grad_()
    module(x).square().sum().backward()
    torch.relu(z + torch.relu(norm(conv(z)))).square().sum().backward()
    torch.testing.assert_close(x.grad, z.grad)
    for ours, theirs in zip(
        module.parameters(), [*conv.parameters(), *norm.parameters()], strict=True
    ):
        torch.testing.assert_close(ours.grad, theirs.grad)
    for ours, theirs in zip(module.buffers(), norm.buffers(), strict=True):
        torch.testing.assert_close(ours, theirs)
