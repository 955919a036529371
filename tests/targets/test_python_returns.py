"""A `return` in a run-time `if` is one in the emitted Python, and the rest follows the `if`."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import specc
from specc.infer.session import run, session


def forward_of(text: str) -> str:
    lines = specc.compile(text).python().split("def forward")[-1].splitlines()[1:]
    return "\n".join(line[8:] for line in lines)


EARLY = """
net Early(x: [N, 4]) -> (y: [N, 4], sums: [N]) {
    if max(x) > 2 { return x, sum(x, dim=1) }
    for i in 0..2 {
        x = x |> "layer{i}": Linear(4) |> relu
        if sum(x) > 2 * i + 1 { return x * 2, max(x, dim=1) } else { x = x - 1 }
    }
    if min(x) < -0.9 {
        z = x + 1
        if mean(z) < 0 { return z, sum(z, dim=1) }
    } else { return x, sum(x, dim=1) }
    return tanh(z), min(z, dim=1)
}
"""


def early(module: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    if x.max() > 2:
        return x, x.sum(1)
    for i, layer in enumerate((module.layer0, module.layer1)):
        x = layer(x).relu()
        if x.sum() > 2 * i + 1:
            return x * 2, x.amax(1)
        x = x - 1
    if x.min() < -0.9:
        z = x + 1
        if z.mean() < 0:
            return z, z.sum(1)
        return z.tanh(), z.amin(1)
    return x, x.sum(1)


def test_an_early_return_reads_as_one() -> None:
    assert (
        forward_of(EARLY)
        == """\
if torch.amax(x) > 2:
    return x, torch.sum(x, dim=1)
x = F.relu(self.layer0(x))
if torch.sum(x) > 1:
    return x * 2, torch.amax(x, dim=1)
x = x - 1
x = F.relu(self.layer1(x))
if torch.sum(x) > 3:
    return x * 2, torch.amax(x, dim=1)
x = x - 1
if torch.amin(x) < -0.9:
    z = x + 1
    if torch.mean(z) < 0:
        return z, torch.sum(z, dim=1)
    return torch.tanh(z), torch.amin(z, dim=1)
return x, torch.sum(x, dim=1)"""
    )


def test_it_answers_as_the_same_by_hand_with_its_gradients_and_as_onnx() -> None:
    program = specc.compile(EARLY)
    module = program.module(seed=0)
    graph = session(program.onnx(seed=0).SerializeToString(), threads=1)
    generator = torch.Generator().manual_seed(0)
    for scale in np.geomspace(0.1, 3, 100):
        x = (torch.randn(2, 4, generator=generator) * scale).requires_grad_()
        found, expected = module(x), early(module, x)
        torch.testing.assert_close(found, expected)
        given = [x, *module.parameters()]
        gradients = [
            torch.autograd.grad(y.sum() + (s**2).sum(), given, allow_unused=True)
            for y, s in (found, expected)
        ]
        for ours, theirs in zip(*gradients, strict=True):
            torch.testing.assert_close(ours, theirs)
        answers = run(graph, {"x": x.detach().numpy()}).values()
        for answer, tensor in zip(answers, expected, strict=True):
            torch.testing.assert_close(torch.from_numpy(answer), tensor, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (
            "if mean(x) > 0 { return relu(x) } else { return -x }",
            "if torch.mean(x) > 0:\n    return F.relu(x)\nreturn -x",
        ),
        (
            "tanh(x) if mean(x) > 0 else x",
            "if torch.mean(x) > 0:\n    return torch.tanh(x)\nreturn x",
        ),
        ("if training { return x * 2 }\nreturn x", "if self.training:\n    return x * 2\nreturn x"),
        (
            "if mean(x) > 0 { y = relu(x) } else { y = -x }\nreturn y",
            "if torch.mean(x) > 0:\n    y = F.relu(x)\nelse:\n    y = -x\nreturn y",
        ),
        (
            "y = x if mean(x) > 0 else -x\nreturn y * y",
            "if torch.mean(x) > 0:\n    y = x\nelse:\n    y = -x\nreturn y * y",
        ),
    ],
)
def test_what_returns_and_what_does_not(body: str, lines: str) -> None:
    assert forward_of(f"net Net(x: [N, 4]) -> [N, 4] {{\n{body}\n}}") == lines


def test_a_variable_that_is_set_on_the_way_out_is_the_one_that_goes_on_behind() -> None:
    text = """
net Net(x: [N, 4]) -> [N, 4] {
    if mean(x) > 0 {
        x = x |> Linear(4)
        x = x + mean(x)
        return x
    }
    return x / 2
}"""
    assert (
        forward_of(text)
        == """\
if torch.mean(x) > 0:
    x = self.linear1(x)
    x = x + torch.mean(x)
    return x
return x / 2"""
    )
