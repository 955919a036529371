"""``return`` in a run-time branch, and choices by a tensor: what is built, and what cannot be."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import specc
from tests.elaborate.specs import diagnostic, errors, net, sound

BOTH = """
if mean(x) > 0 { return x |> Linear(4) }
x = x |> Linear(4) |> relu
x |> Linear(4)"""


def test_what_follows_an_early_return_is_the_other_branch() -> None:
    module = sound(net(BOTH)).module()
    assert [name for name, _ in module.named_children()] == ["linear1", "linear2", "linear3"]
    x = torch.randn(3, 4)
    low, high = x - x.mean() - 1, x - x.mean() + 1
    torch.testing.assert_close(module(high), module.linear1(high))
    by_hand = module.linear3(torch.relu(module.linear2(low)))
    torch.testing.assert_close(module(low), by_hand)


def test_gradients_flow_through_the_way_that_was_taken_alone() -> None:
    module = sound(net(BOTH)).module()
    module(torch.ones(3, 4)).sum().backward()
    assert module.linear1.weight.grad is not None
    assert module.linear2.weight.grad is None
    assert module.linear3.weight.grad is None


def test_layers_have_one_name_each_whichever_branch_they_stand_in() -> None:
    body = "if mean(x) > 0 { y = x } else { return x |> out: Linear(4) }\ny |> Linear(4)"
    assert set(sound(net(body)).module().state_dict()) == {
        f"{layer}.{slot}" for layer in ("out", "linear1") for slot in ("weight", "bias")
    }


class Exits(nn.Module):
    """A network that answers as soon as it is sure enough."""

    def __init__(self, layers: list[nn.Linear], head: nn.Linear) -> None:
        super().__init__()
        self.layers, self.head = nn.ModuleList(layers), head

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, int]:
        for number, layer in enumerate(self.layers):
            x = torch.relu(layer(x))
            if x.abs().max() > 1:
                return self.head(x), number
        return self.head(x), len(self.layers)


def test_a_return_ends_the_turns_of_a_for() -> None:
    text = net(
        """
    head = Linear(2)
    for i in 0..3 {
        x = x |> "layer{i}": Linear(4) |> relu
        if max(abs(x)) > 1 { return head(x) }
    }
    head(x)"""
    )
    module = sound(text).module()
    by_hand = Exits([module.layer0, module.layer1, module.layer2], module.head)
    ended = set()
    for scale in (0.01, 0.5, 1, 2, 3, 4, 8, 30):
        for seed in range(4):
            x = torch.randn(2, 4, generator=torch.Generator().manual_seed(seed)) * scale
            expected, number = by_hand(x)
            torch.testing.assert_close(module(x), expected)
            ended.add(number)
    assert len(ended) > 1


@pytest.mark.parametrize("training", [True, False])
def test_a_choice_by_training_computes_the_side_that_is_taken(training: bool) -> None:
    program = sound(net("(x |> noisy: BatchNorm) if training else x"))
    module = program.module().train(training)
    module(torch.randn(5, 4))
    assert module.noisy.num_batches_tracked == training
    assert not [node for node in program.onnx().graph.node if node.op_type != "Identity"]


def test_a_choice_of_several_values() -> None:
    module = sound(net("a, b = (x, x * 2) if sum(x) > 0 else (x * 3, x)\na - b")).module()
    x = torch.rand(2, 4)
    torch.testing.assert_close(module(x), -x)
    torch.testing.assert_close(module(-x), -2 * x)


def test_a_choice_between_what_is_the_same_when_compiling_is_none() -> None:
    sound(net("x + (0 if training else 0)"))


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        ("while sum(x) > 1 {\n return relu(x)\n}\nx", "misplaced-return", "relu(x)"),
        (
            "while sum(x) > 1 {\n if sum(x) > 9 { return relu(x) }\n x = x / 2\n}\nx",
            "misplaced-return",
            "relu(x)",
        ),
        (
            "if sum(x) > 1 { if mean(x) > 9 { return relu(x) } }\nx",
            "misplaced-return",
            "sum(x) > 1",
        ),
        ("if sum(x) > 1 { return x }", "no-result", "sum(x) > 1"),
        ("if sum(x) > 1 { return sum(x) }\nx", "carried-mismatch", "x"),
        ("sum(x) if sum(x) > 1 else x", "carried-mismatch", "x"),
        ("x * (2 if training else 1)", "wrong-type", "(2 if training else 1)"),
        ("(x, x) if sum(x) > 1 else x", "wrong-type", "(x, x) if sum(x) > 1 else x"),
        ("x if sum(x, dim=1) > 1 else -x", "wrong-type", "sum(x, dim=1) > 1"),
        ("x if sum(x) > 1 else y", "unknown-name", "y"),
        ("x |> [relu if sum(x) > 1]", "wrong-type", "sum(x) > 1"),
        ("assert sum(x) > 1\nx", "wrong-type", "sum(x) > 1"),
    ],
)
def test_what_cannot_be_is_located(body: str, code: str, place: str) -> None:
    assert errors(net(body)) == [(code, place)]


def test_branches_nest_as_deep_as_python_indents_and_no_deeper() -> None:
    def deep(count: int) -> str:
        return net(f"for i in 0..{count} {{ if mean(x) > i {{ return x }}\n x = x + 1 }}\nx")

    module = sound(deep(50)).module()
    x = torch.zeros(2, 4)
    torch.testing.assert_close(module(x), x + 50)
    assert diagnostic(deep(51)).code == "limit-exceeded"


def test_a_return_that_is_wrong_is_reported_once() -> None:
    with pytest.raises(specc.SpecError) as caught:
        specc.compile(net("if mean(x) > 0 { return x |> Liner(4) }\nx |> Linear(4)"))
    assert [d.code for d in caught.value.diagnostics] == ["unknown-name"]
