"""Run-time loops, branches and buffers as Python: against modules by hand, and against ONNX."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import specc

Tensor = torch.Tensor
RUNNING_MEAN = """
block RunningMean(momentum = 0.1)(x: [N, C]) -> [N, C] {
    buffer average: [C] ~ zeros
    if training { average = (1 - momentum) * average + momentum * mean(x, dim=0) }
    return x - average
}
"""


def forward_of(text: str) -> str:
    """The body of the net's forward, without its margin."""
    lines = specc.compile(text).python().split("def forward")[-1].splitlines()[1:]
    return "\n".join(line[8:] for line in lines)


def onnx_run(program: specc.Program, folder: Path) -> Callable[..., Tensor]:
    """The net's ONNX graph, which `build` compared with the module, as a function."""
    file = folder / "net.onnx"
    program.build(file, seed=0)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]

    def run(*inputs: Tensor) -> Tensor:
        arrays = {n: x.numpy() for n, x in zip(names, inputs, strict=True)}
        (found,) = session.run(None, arrays)
        return torch.from_numpy(np.asarray(found))

    return run


# ---- loops ---------------------------------------------------------------------------------------


class FixedHidden(nn.Module):
    """As in the book, with the number of turns that were taken."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("rand_weight", torch.rand(20, 20))
        self.linear = nn.Linear(20, 20)
        self.turns = 0

    def forward(self, x: Tensor) -> Tensor:
        x = self.linear(x)
        x = F.relu(x @ self.rand_weight + 1)
        x = self.linear(x)
        self.turns = 0
        while x.abs().sum() > 1:
            x = x / 2
            self.turns += 1
        return x.sum()


def test_fixed_hidden_is_the_class_by_hand_with_its_gradients() -> None:
    ours, theirs = specc.compile("std.fixed_hidden").module().double(), FixedHidden().double()
    theirs.load_state_dict(ours.state_dict(), strict=True)
    turns = set()
    for seed in range(20):
        torch.manual_seed(seed)
        x = torch.randn(1 + seed % 3, 20, dtype=torch.float64) * 10.0 ** (seed % 5)
        gradients = []
        for model in (ours, theirs):
            model.zero_grad()
            given = x.clone().requires_grad_()
            y = model(given)
            y.backward()
            gradients.append([y.detach(), given.grad, *(p.grad for p in model.parameters())])
        turns.add(theirs.turns)
        torch.testing.assert_close(gradients[0], gradients[1])
    assert len(turns) > 5


SWAP = """
net Swap(x: [N], y: [N]) -> [N] {
    a = x
    b = y
    while sum(abs(a)) < 40 {
        c = a
        a = b
        b = c + b + 1
        if max(a) > 5 { a = a * 0.5 + 1 } else { b = b + 1 }
    }
    return a - b
}
"""


def swap(x: Tensor, y: Tensor) -> tuple[Tensor, int]:
    a, b, turns = x, y, 0
    while a.abs().sum() < 40:
        a, b, turns = b, a + b + 1, turns + 1
        if a.max() > 5:
            a = a * 0.5 + 1
        else:
            b = b + 1
    return a - b, turns


NESTED = """
net Nested(x: [N], y: [N]) -> [N] {
    i = sum(x) * 0
    n = round(abs(sum(y)))
    total = x
    while i < n {
        j = i
        while j < n and sum(total) < 100 {
            total = total + y * j
            j = j + 1
            if sum(total) > 3 { k = total / 2 } else {
                if sum(total) < 0 - 3 { k = relu(x) } else { k = total }
            }
            total = k + 0.25
        }
        i = i + 1
    }
    return total + x * n
}
"""


def nested(x: Tensor, y: Tensor) -> tuple[Tensor, int]:
    i, n, total, turns = 0, y.sum().abs().round(), x, 0
    while i < n:
        j = i
        while j < n and total.sum() < 100:
            turns += 1
            total = total + y * j
            j += 1
            if total.sum() > 3:
                total = total / 2
            elif total.sum() < -3:
                total = x.relu()
            total = total + 0.25
        i += 1
    return total + x * n, turns


SEVERAL = """
net Several(x: [N], y: [N]) -> [N] {
    while sum(exp(abs(x)) * sigmoid(x)) + sum(abs(x) ** 2) + max(x) - sum(min(x) * x) > sum(y) {
        x = x * 0.8
        y = y * 0.9 + 1
    }
    return x + y
}
"""


def several(x: Tensor, y: Tensor) -> tuple[Tensor, int]:
    turns = 0
    while True:
        sums = (x.abs().exp() * x.sigmoid()).sum() + (x.abs() ** 2).sum()
        if not sums + x.max() - (x.min() * x).sum() > y.sum():
            return x + y, turns
        x, y, turns = x * 0.8, y * 0.9 + 1, turns + 1


@pytest.mark.parametrize(
    ("text", "by_hand"), [(SWAP, swap), (NESTED, nested), (SEVERAL, several)], ids=lambda v: ""
)
def test_loops_are_those_by_hand_and_those_of_onnx(
    text: str, by_hand: Callable[[Tensor, Tensor], tuple[Tensor, int]], tmp_path: Path
) -> None:
    program = specc.compile(text)
    module, graph = program.module(), onnx_run(program, tmp_path)
    generator = torch.Generator().manual_seed(0)
    turns = set()
    for trial in range(100):
        x, y = torch.randn(2, 3, generator=generator) * 1.5 ** (trial % 8)
        expected, taken = by_hand(x, y)
        turns.add(taken)
        torch.testing.assert_close(module(x, y), expected, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(graph(x, y), expected, rtol=1e-3, atol=1e-3)
    assert 0 in turns
    assert len(turns) > 3


def test_a_condition_of_several_statements_is_computed_before_each_turn() -> None:
    text = forward_of(SEVERAL)
    assert "while True:\n" in text
    assert "if not " in text
    assert "        break\n" in text


def test_what_is_swapped_is_assigned_at_once() -> None:
    text = """net Swap(x: [N], y: [N]) -> [N] {
        while sum(x) > 1 {
            z = x
            x = y
            y = z / 2
        }
        return x
    }"""
    assert "    x, y = y, " in forward_of(text)
    module = specc.compile(text).module()
    x, y = torch.tensor([8.0]), torch.tensor([9.0])
    expected_x, expected_y = x, y
    while expected_x.sum() > 1:
        expected_x, expected_y = expected_y, expected_x / 2
    torch.testing.assert_close(module(x, y), expected_x)


def test_a_block_with_a_loop_is_applied_twice(tmp_path: Path) -> None:
    program = specc.compile("""
        block Shrink(x: [N, D]) -> [N, D] {
            inner = Linear(D)
            while sum(abs(x)) > 1 { x = inner(x) / 4 }
            return x
        }
        net Twice(x: [N, 4]) -> [N, 4] {
            shrink = Shrink()
            y = shrink(x * 10)
            return shrink(y * 3 + x) + x
        }
    """)
    module, graph = program.module(seed=0), onnx_run(program, tmp_path)

    def shrink(x: Tensor) -> Tensor:
        while x.abs().sum() > 1:
            x = F.linear(x, module.shrink.inner.weight, module.shrink.inner.bias) / 4
        return x

    for x in torch.randn(10, 2, 4):
        expected = shrink(shrink(x * 10) * 3 + x) + x
        torch.testing.assert_close(module(x), expected)
        torch.testing.assert_close(graph(x), expected, rtol=1e-4, atol=1e-5)


# ---- branches ------------------------------------------------------------------------------------


def test_a_return_in_both_branches(tmp_path: Path) -> None:
    program = specc.compile("""net Return(x: [N, 4]) -> [N, 4] {
        if mean(x) > 0 {
            y = relu(x)
            return y + 1
        } else {
            return x |> Linear(4)
        }
    }""")
    module, graph = program.module(seed=0), onnx_run(program, tmp_path)
    for x in torch.randn(20, 3, 4):
        expected = x.relu() + 1 if x.mean() > 0 else module.linear1(x)
        torch.testing.assert_close(module(x), expected)
        torch.testing.assert_close(graph(x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("condition", "first", "second", "lines"),
    [
        ("sum(x) > 0", "", "x = x + 1", "if not torch.sum(x) > 0:\n    x = x + 1\nreturn x"),
        ("sum(x) > 0", "x = x + 1", "", "if torch.sum(x) > 0:\n    x = x + 1\nreturn x"),
        ("training", "x = x + 1", "", "if self.training:\n    x = x + 1\nreturn x"),
        ("not training", "x = x + 1", "", "if not self.training:\n    x = x + 1\nreturn x"),
        (
            "sum(x) > 0",
            "x = x + 1",
            "if sum(x) < 1 { x = x - 1 }",
            "if torch.sum(x) > 0:\n    x = x + 1\nelif torch.sum(x) < 1:\n    x = x - 1\nreturn x",
        ),
    ],
)
def test_branches_read_as_a_person_writes_them(
    condition: str, first: str, second: str, lines: str
) -> None:
    otherwise = f" else {{ {second} }}" if second else ""
    text = f"net Net(x: [N, 4]) -> [N, 4] {{\nif {condition} {{ {first} }}{otherwise}\nreturn x\n}}"
    assert forward_of(text).rstrip() == lines


# ---- buffers -------------------------------------------------------------------------------------


class RunningMean(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("average", torch.zeros(features))

    def forward(self, x: Tensor) -> Tensor:
        average = self.average.clone()
        if self.training:
            average = 0.9 * average + 0.1 * x.mean(0)
            self.average = average.detach().clone()
        return x - average


def test_a_running_mean_is_the_one_by_hand(tmp_path: Path) -> None:
    program = specc.compile(
        RUNNING_MEAN + "net Net(x: [N, 4]) -> [N, 4] { x |> mean: RunningMean |> Linear(4) }"
    )
    ours = program.module(seed=0)
    theirs = nn.ModuleDict({"mean": RunningMean(4), "linear1": copy.deepcopy(ours.linear1)})
    held = ours.mean.average
    for mode in (True, True, False, True):
        ours.train(mode)
        theirs.train(mode)
        x = torch.randn(5, 4)
        found, expected = ours(x), theirs["linear1"](theirs["mean"](x))
        torch.testing.assert_close(found, expected)
        ours.zero_grad()
        theirs.zero_grad()
        found.square().sum().backward()
        expected.square().sum().backward()
        torch.testing.assert_close(ours.linear1.weight.grad, theirs["linear1"].weight.grad)
        torch.testing.assert_close(ours.state_dict(), theirs.state_dict())
    assert ours.mean.average is held
    assert not held.requires_grad
    assert ours.mean.average.abs().sum() > 0
    other = copy.deepcopy(ours).double()
    other.train()(torch.randn(5, 4, dtype=torch.float64))
    assert other.mean.average.dtype is torch.float64
    assert not torch.equal(other.mean.average.float(), ours.mean.average)
    x = torch.randn(5, 4)
    start = program.module(seed=0).eval()
    torch.testing.assert_close(onnx_run(program, tmp_path)(x), start(x), rtol=1e-4, atol=1e-5)


def test_a_backward_pass_follows_applications_that_set_what_it_needs() -> None:
    module = specc.compile("""
        block Scale(x: [N, C]) -> [N, C] {
            buffer scale: [C] ~ ones
            y = x * scale
            if training { scale = scale * 0.5 + mean(abs(x), dim=0) }
            return y * scale
        }
        net Net(x: [N, 4]) -> [N, 4] {
            scale = Scale()
            return scale(scale(x))
        }
    """).module()
    x = torch.randn(3, 4, requires_grad=True)
    module(x).sum().backward()

    given, kept = x.detach().clone().requires_grad_(), torch.ones(4)
    y = given
    for _ in range(2):
        following = kept * 0.5 + y.abs().mean(0)
        y, kept = y * kept * following, following.detach()
    y.sum().backward()
    torch.testing.assert_close(x.grad, given.grad)
    torch.testing.assert_close(module.scale.scale, kept)


def test_a_name_bound_to_a_buffer_keeps_what_it_held_then() -> None:
    text = """
    net Last(x: [N, 4]) -> [N, 4] {
        buffer last: [4] ~ ones
        old = last
        if training { last = mean(x, dim=0) }
        x * old
    }
    """
    module = specc.compile(text).module()
    x = torch.full((2, 4), 3.0)
    assert torch.equal(module(x), x)
    assert torch.equal(module(x), 3 * x)
