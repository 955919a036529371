"""Custom layers, written in the language: one without parameters, and one with.

The course's section on custom layers, from the `.net` file to PyTorch and ONNX.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch.nn import functional as F

import specc
from specc.infer.session import run, session

CENTERED = """
# A layer without parameters: it takes the mean away.
block Centered(x: [...]) = x - mean(x)

net Net(x: [N, 8]) -> [N, 128] {
    x |> Linear(128) |> Centered
}
"""

MY_LINEAR = """
# A layer with parameters of its own. Its input's width is found out, as in nn.LazyLinear.
block MyLinear(units: int)(x: [N, D]) -> [N, units] {
    param weight: [D, units] ~ normal
    param bias:   [units]    ~ normal
    return relu(x @ weight + bias)
}

net Net(x: [N, 64]) -> [N, 1] {
    x |> MyLinear(8) |> MyLinear(1)
}
"""


def program(text: str, folder: Path) -> specc.Program:
    """The net, compiled from a file as a user would."""
    path = folder / "net.net"
    path.write_text(text, encoding="utf-8")
    return specc.compile(path)


def in_onnx(program: specc.Program, folder: Path, x: torch.Tensor, opset: int) -> Any:
    """What the ONNX file says, in onnxruntime."""
    built = program.build(folder / "net.onnx", opset=opset)
    onnx.checker.check_model(str(built.paths[0]), full_check=True)
    return run(session(built.paths[0]), {"x": x.numpy()})["output"]


@pytest.fixture
def centered(tmp_path: Path) -> specc.Program:
    return program(CENTERED, tmp_path)


@pytest.fixture
def my_linear(tmp_path: Path) -> specc.Program:
    return program(MY_LINEAR, tmp_path)


def test_the_mean_of_what_is_centered_is_zero() -> None:
    net = specc.compile(
        "block Centered(x: [...]) = x - mean(x)\nnet C(x: [N]) -> [N] { Centered(x) }"
    )
    torch.testing.assert_close(
        net.module()(torch.tensor([1.0, 2, 3, 4, 5])), torch.tensor([-2.0, -1, 0, 1, 2])
    )


def test_the_mean_of_a_centered_layer_is_below_1e_6(centered: specc.Program) -> None:
    y = centered.module()(torch.rand(4, 8))
    assert y.shape == (4, 128)
    assert abs(y.mean().item()) < 1e-6


@pytest.mark.parametrize("opset", [17, 24])
def test_onnx_centers_as_well(centered: specc.Program, tmp_path: Path, opset: int) -> None:
    for size in (1, 4):
        x = torch.rand(size, 8)
        y = in_onnx(centered, tmp_path, x, opset)
        assert abs(y.mean()) < 1e-6
        np.testing.assert_allclose(y, centered.module()(x).detach(), rtol=1e-4, atol=1e-6)


def test_a_layer_without_parameters_adds_none(centered: specc.Program) -> None:
    names = [parameter.name for parameter in centered.network.parameters]
    assert names == ["linear1.weight", "linear1.bias"]


def test_a_layer_with_parameters_computes_what_it_says(my_linear: specc.Program) -> None:
    module: Any = my_linear.module(seed=1)
    x = torch.rand(2, 64)
    state = module.state_dict()
    h = x
    for name in ("my_linear1", "my_linear2"):
        h = F.relu(h @ state[f"{name}.weight"] + state[f"{name}.bias"])
    torch.testing.assert_close(module(x), h)


def test_its_parameters_have_the_shapes_that_its_input_gives(my_linear: specc.Program) -> None:
    assert {name: tuple(p.shape) for name, p in my_linear.module().named_parameters()} == {
        "my_linear1.weight": (64, 8),
        "my_linear1.bias": (8,),
        "my_linear2.weight": (8, 1),
        "my_linear2.bias": (1,),
    }


def test_its_parameters_are_drawn_from_a_normal_distribution(my_linear: specc.Program) -> None:
    weight = my_linear.module().state_dict()["my_linear1.weight"]
    assert abs(weight.mean().item()) < 0.2
    assert abs(weight.std().item() - 1) < 0.1


def test_it_trains(my_linear: specc.Program) -> None:
    module = my_linear.module(seed=3)
    x = torch.rand(64, 64, generator=torch.Generator().manual_seed(0))
    y = x.sum(1, keepdim=True)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.05)
    losses = []
    for _ in range(40):
        loss = F.mse_loss(module(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 4


@pytest.mark.parametrize("opset", [17, 24])
def test_onnx_computes_the_same_under_the_same_names(
    my_linear: specc.Program, tmp_path: Path, opset: int
) -> None:
    x = torch.rand(5, 64)
    y = in_onnx(my_linear, tmp_path, x, opset)
    np.testing.assert_allclose(y, my_linear.module()(x).detach(), rtol=1e-4, atol=1e-5)
    model = onnx.load(tmp_path / "net.onnx")
    held = {tensor.name for tensor in model.graph.initializer}
    assert held >= {parameter.name for parameter in my_linear.network.parameters}
