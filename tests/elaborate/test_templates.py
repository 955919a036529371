"""Templates: blocks that differ by numbers alone are one class, equal to what each of them is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import nn

import specc
from specc.ir.flatten import FlatNetwork, flatten
from specc.ir.graph import Template
from tests.elaborate.specs import agrees, inputs, names, net, results, sound

RESIDUAL = """
block Residual(channels: int, stride = 1)(x: [N, C, H, W]) -> [N, channels, H2, W2] {
    y = x |> conv1: Conv(channels, 3, stride=stride, padding=1, bias=false) |> bn1: BatchNorm
          |> relu |> conv2: Conv(channels, 3, padding=1, bias=false)        |> bn2: BatchNorm
    if stride != 1 or C != channels {
        x = x |> downsample: [Conv(channels, 1, stride=stride, bias=false), BatchNorm]
    }
    return relu(x + y)
}
"""


def blocks(program: specc.Program, name: str) -> list[Template]:
    return [t for t in program.network.templates if t.name == name]


def lines(flat: FlatNetwork) -> list[str]:
    """Operations with their attributes and types, without the names that blocks add."""
    return [
        f"{op.operator} {op.attributes} {[str(v.type) for v in (*op.inputs, *op.results)]}"
        for op in flat.operations
    ]


def test_blocks_that_differ_by_numbers_share_one_template() -> None:
    text = "block B(n: int, p = 0.5)(x: [N, D]) -> [N, n] { x |> Linear(n) |> Dropout(p) }\n"
    program = sound(text + net("x |> B(8) |> B(16, p=0.25) |> B(8)"))
    (template,) = blocks(program, "B")
    assert set(template.parameters) == {"in_features", "n", "p"}
    layers = program.network.templates[program.network.root].layers
    assert [layer.arguments for layer in layers.values()] == [
        {"in_features": 4, "n": 8, "p": 0.5},
        {"in_features": 8, "n": 16, "p": 0.25},
        {"in_features": 16, "n": 8, "p": 0.5},
    ]


def test_a_number_that_never_varies_is_no_hole() -> None:
    text = "block B(n: int)(x: [N, D]) -> [N, n] { x |> Linear(n) |> Dropout(0.5) }\n"
    program = sound(text + net("x |> B(4) |> B(4)"))
    (template,) = blocks(program, "B")
    assert template.parameters == ()


def test_blocks_of_different_structure_do_not_share() -> None:
    text = "block B(norm: bool)(x: [N, D]) -> [N, D] { x |> [Linear(D), LayerNorm if norm] }\n"
    program = sound(text + net("x |> B(true) |> B(false) |> B(true)"))
    assert len(blocks(program, "B")) == 2


def test_sizes_alone_are_filled_where_the_block_is_applied() -> None:
    text = (
        "block B(x: [N, C, H, W]) -> [N, C, H, W] { x |> Conv(C, 3, padding=1) }\n"
        "net A(x: [N, 2, 8, 8]) -> [N, 2, 4, 4] { x |> B |> MaxPool(2) |> B }"
    )
    (template,) = blocks(sound(text), "B")
    assert template.parameters == ()
    assert template.sizes


def test_a_hole_is_called_as_the_hyperparameter_or_else_as_the_attribute() -> None:
    text = (
        "block B(width: int)(x: [N, D]) -> [N, D] {"
        " x |> Linear(width) |> Linear(2 * width) |> Linear(D) }\n"
    )
    program = sound(text + net("x |> B(8) |> B(16)"))
    (template,) = blocks(program, "B")
    assert template.parameters == ("width", "features")
    assert "nn.Linear(4, width)" in program.python()


def test_a_hole_is_no_keyword_of_python() -> None:
    text = "block B(lambda: int)(x: [N, D]) -> [N, D] { x |> Linear(lambda) |> Linear(D) }\n"
    sound(text + net("x |> B(8) |> B(16)"))


def test_lists_of_one_structure_share_a_template(tmp_path: Path) -> None:
    text = net("x |> [Linear(8), relu] |> [Linear(16), relu] |> [Linear(4), relu]")
    program = sound(text)
    assert len([t for t in program.network.templates if t.kind == "sequence"]) == 1
    agrees(program, tmp_path)


BOTTLENECK = """
block Bottleneck(width: int, stride = 1)(x: [N, C, H, W]) -> [N, 4*width, H2, W2] {
    y = x |> conv1: Conv(width, 1, bias=false)                           |> bn1: BatchNorm |> relu
          |> conv2: Conv(width, 3, stride=stride, padding=1, bias=false) |> bn2: BatchNorm |> relu
          |> conv3: Conv(4 * width, 1, bias=false)                       |> bn3: BatchNorm
    if stride != 1 or C != 4 * width {
        x = x |> downsample: [Conv(4 * width, 1, stride=stride, bias=false), BatchNorm]
    }
    return relu(x + y)
}
net ResNet152(x: [N, 3, H, W]) -> [N, 1000] {
    x = x |> conv1: Conv(64, 7, stride=2, padding=3, bias=false) |> bn1: BatchNorm |> relu
          |> MaxPool(3, stride=2, padding=1)
    for i, n in enumerate([3, 8, 36, 3]) {
        x = x |> "layer{i + 1}": [
            Bottleneck(64 * 2 ** i, stride=2 if i > 0 and j == 0 else 1) for j in 0..n
        ]
    }
    return x |> AdaptiveAvgPool(1) |> flatten |> fc: Linear(1000)
}
"""


def test_resnet_152_has_a_handful_of_classes() -> None:
    program = specc.compile(BOTTLENECK)
    kinds = [t for t in program.network.templates if t.kind == "block"]
    assert {t.name for t in kinds} == {"Bottleneck"}
    assert len(kinds) <= 4
    classes = re.findall(r"^class (\w+)", program.python(), re.MULTILINE)
    assert len([name for name in classes if name.startswith("Bottleneck")]) <= 4
    state = names(program)
    assert "layer3.35.conv2.weight" in state
    assert "layer1.0.downsample.1.running_var" in state
    learned = [p for p in program.network.parameters if p.role == "parameter"]
    assert sum(p.type.elements for p in learned) == 60_192_808  # as published for torchvision's


@pytest.mark.parametrize(
    ("with_blocks", "written_out"),
    [
        (
            "block B(n: int)(x: [N, D]) -> [N, n] { x |> Linear(n) |> relu }\n"
            + net("x |> B(8) |> B(16) |> B(2)"),
            net("x |> Linear(8) |> relu |> Linear(16) |> relu |> Linear(2) |> relu"),
        ),
        (
            "block B(x: [N, T]) -> [N, T] { softmax(x, dim=1) * T }\n"
            + net("x |> B |> B", "(x: [N, S])"),
            net("y = softmax(x, dim=1) * S\nsoftmax(y, dim=1) * S", "(x: [N, S])"),
        ),
        (
            "block B(h: int)(x: [N, T, D]) -> [N, T, D] {\n"
            " x |> reshape(N, T, h, D // h) |> permute(0, 2, 1, 3) |> permute(0, 2, 1, 3)"
            " |> reshape(N, T, D)\n}\n" + net("x |> B(2) |> B(4)", "(x: [N, T, 8])"),
            net(
                "\n".join(
                    f"x = x |> reshape(N, T, {h}, {8 // h}) |> permute(0, 2, 1, 3)"
                    " |> permute(0, 2, 1, 3) |> reshape(N, T, 8)"
                    for h in (2, 4)
                )
                + "\nx",
                "(x: [N, T, 8])",
            ),
        ),
    ],
)
def test_an_instantiated_template_is_what_one_would_write_out(
    with_blocks: str, written_out: str
) -> None:
    blocked, plain = sound(with_blocks), sound(written_out)
    assert lines(flatten(blocked.network)) == lines(flatten(plain.network))


class Residual(nn.Module):
    """The block of the language's page, as one would write it by hand."""

    def __init__(self, inside: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = nn.Sequential()
        if stride != 1 or inside != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(inside, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(self.downsample(x) + y)


def test_residual_blocks_compute_what_hand_written_ones_do(tmp_path: Path) -> None:
    text = RESIDUAL + (
        "net A(x: [N, 3, 8, 8]) -> [N, 6, 4, 4] {\n"
        " x |> a: Residual(3) |> b: Residual(6, stride=2) |> c: Residual(6)\n}"
    )
    program = sound(text)
    assert len(blocks(program, "Residual")) == 2
    by_hand = nn.Sequential()
    for name, block in zip(
        "abc", (Residual(3, 3, 1), Residual(3, 6, 2), Residual(6, 6, 1)), strict=True
    ):
        by_hand.add_module(name, block)
    module, (x,) = program.module(), inputs(program)
    assert list(module.state_dict()) == list(by_hand.state_dict())
    by_hand.load_state_dict(module.state_dict())
    torch.testing.assert_close(results(module, x)[0], results(by_hand, x)[0])
    for one in (module.train(), by_hand.train()):
        one(x).sum().backward()
    for (name, ours), theirs in zip(module.named_parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, msg=lambda m, n=name: f"{n}: {m}")
    torch.testing.assert_close(module.b.bn1.running_var, by_hand.b.bn1.running_var)
    agrees(program, tmp_path)
