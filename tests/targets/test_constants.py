"""`const`: by initializer it is saved and never trained; by value it is computed and not saved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

import specc

FIXED = """
block Mix(x: [N, D]) -> [N, D] {
    const inner: [D, D] ~ uniform(0, 1)
    return relu(x @ inner)
}
net Fixed(x: [N, 5]) -> [N, 2] {
    const outer: [5] ~ normal
    x * outer |> mix: Mix |> head: Linear(2)
}
"""
MASKED = """
block Causal(x: [N, T, T]) -> [N, T, T] {
    const mask: [T, T] = tril(ones(T, T))
    return x * mask
}
net Masked(x: [N, 4, 4]) -> [N, 4, 2] {
    const scale = 1 / 2
    const weights: [4] = arange(4) / 4
    x * scale + weights |> Causal |> head: Linear(2)
}
"""


@pytest.fixture(scope="module")
def fixed() -> specc.Program:
    return specc.compile(FIXED)


@pytest.fixture(scope="module")
def masked() -> specc.Program:
    return specc.compile(MASKED)


# ---- by initializer ------------------------------------------------------------------------------


def test_one_by_initializer_is_state_and_no_parameter(fixed: specc.Program) -> None:
    module = fixed.module()
    assert set(module.state_dict()) == {"outer", "mix.inner", "head.weight", "head.bias"}
    assert {name for name, _ in module.named_parameters()} == {"head.weight", "head.bias"}
    assert {name for name, _ in module.named_buffers()} == {"outer", "mix.inner"}


def test_it_has_no_gradient_and_training_leaves_it_alone(fixed: specc.Program) -> None:
    module = fixed.module()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    module(torch.randn(8, 5)).square().sum().backward()
    optimizer.step()
    after = module.state_dict()
    for name in ("outer", "mix.inner"):
        assert not after[name].requires_grad
        assert after[name].grad is None
        assert torch.equal(after[name], before[name])
    assert not torch.equal(after["head.weight"], before["head.weight"])


def test_it_is_saved_and_loaded_with_the_weights(fixed: specc.Program, tmp_path: Path) -> None:
    module = fixed.module(seed=5)
    path = fixed.build(tmp_path / "fixed.safetensors", weights=module).paths[0]
    _, again = specc.load(path)
    for name, value in module.state_dict().items():
        assert torch.equal(again.state_dict()[name], value)
    x = torch.randn(3, 5)
    assert torch.equal(again(x), module(x))


def test_it_follows_the_module_to_another_dtype(fixed: specc.Program) -> None:
    module = fixed.module().to(torch.float64)
    assert {value.dtype for value in module.state_dict().values()} == {torch.float64}
    assert module(torch.randn(3, 5, dtype=torch.float64)).dtype is torch.float64


def test_it_follows_the_module_to_another_device(fixed: specc.Program) -> None:
    module = fixed.module().to("meta")
    assert {value.device.type for value in module.state_dict().values()} == {"meta"}
    assert module(torch.empty(3, 5, device="meta")).device.type == "meta"


def test_in_onnx_it_is_an_initializer_of_its_name(fixed: specc.Program, tmp_path: Path) -> None:
    built = fixed.build(tmp_path / "fixed.onnx")
    assert built.parity is not None
    stored = {
        tensor.name: onnx.numpy_helper.to_array(tensor)
        for tensor in onnx.load(built.paths[0]).graph.initializer
    }
    state = fixed.module().state_dict()
    for name in ("outer", "mix.inner"):
        np.testing.assert_array_equal(stored[name], state[name].numpy())


# ---- by value ------------------------------------------------------------------------------------


def test_one_by_value_is_no_state(masked: specc.Program) -> None:
    assert set(masked.module().state_dict()) == {"head.weight", "head.bias"}
    assert [p.name for p in masked.network.parameters] == ["head.weight", "head.bias"]


def test_it_has_the_value_that_is_written(masked: specc.Program) -> None:
    module = masked.module()
    x = torch.randn(3, 4, 4)
    expected = (x / 2 + torch.arange(4) / 4) * torch.ones(4, 4).tril()
    torch.testing.assert_close(module(x), module.head(expected))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_it_is_made_in_the_dtype_of_the_module(masked: specc.Program, dtype: torch.dtype) -> None:
    module = masked.module().to(dtype)
    assert module(torch.randn(3, 4, 4, dtype=dtype)).dtype is dtype


def test_it_is_made_on_the_device_of_the_module(masked: specc.Program) -> None:
    module = masked.module().to("meta")
    assert module(torch.empty(3, 4, 4, device="meta")).device.type == "meta"


def test_in_onnx_it_is_computed_or_folded(masked: specc.Program, tmp_path: Path) -> None:
    built = masked.build(tmp_path / "masked.onnx")
    assert built.parity is not None
    names = [t.name for t in onnx.load(built.paths[0]).graph.initializer]
    assert {name for name in names if not name.startswith("const/")} == {
        "head.weight",
        "head.bias",
    }


# ---- what is wrong -------------------------------------------------------------------------------


def test_a_constant_of_another_shape_than_it_declares_is_an_error() -> None:
    text = "net A(x: [N, 4]) -> [N, 4] {\n const k: [3] = ones(4)\n x * k\n}\n"
    with pytest.raises(specc.SpecError) as caught:
        specc.compile(text)
    (found,) = caught.value.diagnostics
    assert found.code == "type-mismatch"
