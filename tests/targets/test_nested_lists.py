"""Lists of layers in lists are torch.nn.Sequential's, to any depth: names, access, values."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import specc
from specc.verification import parity
from tests.elaborate.specs import net


def blocks_by_hand() -> nn.Sequential:
    def block() -> nn.Sequential:
        return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4), nn.ReLU())

    return nn.Sequential(nn.Sequential(*[block() for _ in range(4)]), nn.Linear(4, 1))


def test_nested_is_the_network_by_hand() -> None:
    """The state dict of one is that of the other."""
    program = specc.compile("std.nested")
    module, by_hand = program.module(), blocks_by_hand()
    by_hand.load_state_dict(module.net.state_dict(), strict=True)
    x = torch.randn(5, 4)
    torch.testing.assert_close(module(x), by_hand(x))
    assert parity.verify(program.network, program.onnx()).agrees


def test_a_parameter_is_reached_by_positions() -> None:
    module = specc.compile("std.nested").module()
    assert module.net[0][1][0].bias is module.state_dict(keep_vars=True)["net.0.1.0.bias"]
    assert module.net[0][1][0].bias.shape == (8,)
    assert module.net[0][1][0].bias is not module.net[0][2][0].bias
    assert isinstance(module.net[0][3][1], nn.ReLU)
    assert len(module.net[0]) == 4
    with torch.no_grad():  # as the book does, by hand
        module.net[0][1][0].bias[:] = 42
    assert module.state_dict()["net.0.1.0.bias"].eq(42).all()


@pytest.mark.parametrize("depth", [1, 2, 9, 40])
def test_lists_nest_to_any_depth(depth: int) -> None:
    program = specc.compile(net(f"x |> deep: {'[' * depth}Linear(4), relu{']' * depth}"))
    inner = program.module().deep
    for _ in range(depth - 1):
        (inner,) = inner
    assert [type(layer) for layer in inner] == [nn.Linear, nn.ReLU]
    assert [p.name for p in program.network.parameters] == [
        f"deep.{'0.' * depth}{slot}" for slot in ("weight", "bias")
    ]
    assert parity.verify(program.network, program.onnx()).agrees
