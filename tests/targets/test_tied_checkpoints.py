"""Checkpoints that hold a shared parameter under several names, and modules that share one."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

import specc
from specc.cli.main import main

TEXT = """
net Tied(x: i64[N, T]) -> [N, T, 10] {
    wte = Embedding(10, 6)
    h = x |> wte |> ln_f: LayerNorm
    return h |> lm_head: Linear(10, bias=false, weight=wte.weight)
}
"""

State = dict[str, torch.Tensor]


class Reference(nn.Module):
    """The same network by hand, whose state dict holds both names."""

    def __init__(self) -> None:
        super().__init__()
        self.wte = nn.Embedding(10, 6)
        self.ln_f = nn.LayerNorm(6)
        self.lm_head = nn.Linear(6, 10, bias=False)
        self.lm_head.weight = self.wte.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.lm_head(self.ln_f(self.wte(x)))


def agreeing() -> tuple[Reference, State]:
    torch.manual_seed(0)
    reference = Reference()
    state = {name: value.clone() for name, value in reference.state_dict().items()}
    assert "lm_head.weight" in state
    return reference, state


def without(*names: str) -> Callable[[State], State]:
    return lambda state: {name: value for name, value in state.items() if name not in names}


X = torch.tensor([[1, 2, 3], [4, 5, 9]])


# ---- copies that agree ---------------------------------------------------------------------------

KEPT = {
    "both names": without(),
    "the owner's": without("lm_head.weight"),
    "the alias": without("wte.weight"),
}


@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT)
def test_a_module_loads_them_strictly(kept: Callable[[State], State]) -> None:
    reference, state = agreeing()
    module = specc.compile(TEXT).module()
    assert not any(module.load_state_dict(kept(state), strict=True))
    torch.testing.assert_close(module(X), reference(X))
    assert set(module.state_dict()) == {"wte.weight", "ln_f.weight", "ln_f.bias"}


@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT)
def test_weights_hold_them(kept: Callable[[State], State], tmp_path: Path) -> None:
    reference, state = agreeing()
    program = specc.compile(TEXT)
    save_file(kept(state), tmp_path / "w.safetensors")
    for weights in (kept(state), tmp_path / "w.safetensors"):
        torch.testing.assert_close(program.module(weights=weights)(X), reference(X))


def test_a_file_with_its_architecture_holds_them(tmp_path: Path) -> None:
    reference, state = agreeing()
    save_file(state, tmp_path / "w.safetensors", metadata=specc.compile(TEXT).metadata())
    _, module = specc.load(tmp_path / "w.safetensors")
    torch.testing.assert_close(module(X), reference(X))


def test_a_module_inside_another_loads_them() -> None:
    reference, state = agreeing()
    outer = nn.ModuleDict({"inner": specc.compile(TEXT).module()})
    outer.load_state_dict({f"inner.{name}": value for name, value in state.items()}, strict=True)
    torch.testing.assert_close(outer["inner"](X), reference(X))


@pytest.mark.parametrize("through", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_of_a_module_loads_them(through: Callable[[Any], Any]) -> None:
    reference, state = agreeing()
    module = through(specc.compile(TEXT).module())
    module.load_state_dict(state, strict=True)
    torch.testing.assert_close(module(X), reference(X))


def test_a_nan_agrees_with_a_nan() -> None:
    _, state = agreeing()
    for name in ("wte.weight", "lm_head.weight"):
        state[name][0, 0] = torch.nan
    specc.compile(TEXT).module().load_state_dict(state, strict=True)


# ---- copies that do not --------------------------------------------------------------------------


def disagreeing() -> State:
    _, state = agreeing()
    state["lm_head.weight"][3, 3] += 1
    return state


@pytest.mark.parametrize("wrong", ["another value", "another dtype", "another shape"])
def test_a_module_refuses_them_before_anything_is_changed(wrong: str) -> None:
    module = specc.compile(TEXT).module()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    state = disagreeing()
    if wrong == "another dtype":
        state["lm_head.weight"] = state["wte.weight"].double()
    elif wrong == "another shape":
        state["lm_head.weight"] = state["wte.weight"].T
    with pytest.raises(ValueError, match=r"lm_head\.weight and wte\.weight are one parameter"):
        module.load_state_dict(state, strict=True)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_weights_refuse_them() -> None:
    with pytest.raises(specc.SpecError) as caught:
        specc.compile(TEXT).module(weights=disagreeing())
    (found,) = caught.value.diagnostics
    assert found.code == "weights-do-not-fit"
    assert "lm_head.weight and wte.weight are one parameter" in found.message


def test_the_command_line_refuses_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tied.net").write_text(TEXT)
    save_file(disagreeing(), tmp_path / "w.safetensors")
    given = ["build", str(tmp_path / "tied.net"), "-o", str(tmp_path / "x.onnx")]
    assert main([*given, "--weights", str(tmp_path / "w.safetensors")]) == 3
    assert "lm_head.weight and wte.weight are one parameter" in capsys.readouterr().err
    assert not (tmp_path / "x.onnx").exists()


# ---- one storage, one gradient -------------------------------------------------------------------


def test_the_gradient_is_the_sum_over_all_uses() -> None:
    reference, state = agreeing()
    module = specc.compile(TEXT).module(weights=state)
    module(X).square().sum().backward()
    reference(X).square().sum().backward()
    torch.testing.assert_close(module.wte.weight.grad, reference.wte.weight.grad)
    assert [name for name, _ in module.named_parameters()] == list(module.state_dict())


def test_the_gradient_counts_a_transposed_use() -> None:
    program = specc.compile("""
        net A(x: [N, 4]) -> [N, 4] {
            param w: [4, 3] ~ normal
            return tanh(x @ w) @ transpose(w, 0, 1)
        }
    """)
    module, x = program.module(), torch.randn(5, 4)
    module(x).square().sum().backward()
    w = module.w.detach().clone().requires_grad_()
    (torch.tanh(x @ w) @ w.T).square().sum().backward()
    torch.testing.assert_close(module.w.grad, w.grad)


def test_the_gradient_counts_every_turn_of_a_loop() -> None:
    program = specc.compile("""
        net A(x: [N, 4]) -> [N, 4] {
            h = Linear(4)
            x = h(x)
            while sum(abs(x)) > 1 { x = h(x) / 4 }
            return x @ h.weight
        }
    """)
    module, x = program.module(), 100 * torch.ones(2, 4)
    module(x).sum().backward()
    weight = module.h.weight.detach().clone().requires_grad_()
    bias = module.h.bias.detach().clone().requires_grad_()
    y, turns = F.linear(x, weight, bias), 0
    while y.abs().sum() > 1:
        y, turns = F.linear(y, weight, bias) / 4, turns + 1
    (y @ weight).sum().backward()
    assert turns > 1
    torch.testing.assert_close(module.h.weight.grad, weight.grad)
    torch.testing.assert_close(module.h.bias.grad, bias.grad)


def test_the_weight_file_holds_one_tensor_for_all_names(tmp_path: Path) -> None:
    program = specc.compile(TEXT)
    program.build(tmp_path / "w.safetensors")
    stored = load_file(tmp_path / "w.safetensors")
    assert set(stored) == {"wte.weight", "ln_f.weight", "ln_f.bias"}
    assert np.array_equal(stored["wte.weight"], program.module().wte.weight.detach().numpy())
