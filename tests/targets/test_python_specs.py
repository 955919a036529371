"""The source of whole networks: every shipped spec's, and a residual network's."""

from __future__ import annotations

import ast
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import specc
from specc.compiler import parse_text
from tests.golden_files import GOLDEN, check_golden

ROOT = Path(__file__).resolve().parents[2]
RESNET = ROOT / "tests" / "texts" / "resnet.net"

SPECS = [
    (path.stem, net)
    for path in sorted((ROOT / "specs").glob("*.net"))
    for net in parse_text(path).nets
]


def golden_name(spec: str, net: str) -> str:
    """``lenet.py``; where a file holds several nets, ``towers.Left.py``."""
    alone = [name for name, _ in SPECS].count(spec) == 1
    return f"{spec}.py" if alone else f"{spec}.{net}.py"


@pytest.mark.parametrize(("spec", "net"), SPECS)
def test_a_specs_source_is_the_golden_one(spec: str, net: str) -> None:
    text = specc.compile(f"std.{spec}", net=net).python()
    check_golden(f"specs/{golden_name(spec, net)}", text)


def test_golden_files_are_those_of_the_specs() -> None:
    found = {file.name for file in (GOLDEN / "specs").glob("*.py")} - {"conftest.py"}
    assert found == {golden_name(spec, net) for spec, net in SPECS}


def test_golden_files_are_formatted_and_clean() -> None:
    for command in (["format", "--check"], ["check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", GOLDEN / "specs"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_lenet_is_as_short_as_a_person_writes_it() -> None:
    assert len(specc.compile("std.lenet").python().splitlines()) <= 40


# ---- residual networks ---------------------------------------------------------------------------


def classes_of(text: str) -> list[str]:
    return [node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_blocks_that_differ_by_numbers_share_a_class(depth: int) -> None:
    blocks = classes_of(specc.compile(RESNET, depth=depth).python())[:-1]
    assert len(blocks) <= 4
    assert set(blocks) <= {"Basic", "Basic2", "Bottleneck", "Bottleneck2"}


def test_the_shipped_resnet_152_has_at_most_four_block_classes() -> None:
    program = specc.compile("std.resnet", depth=152)
    blocks = [
        name for name in classes_of(program.python()) if name.startswith(("Residual", "Bottleneck"))
    ]
    assert 1 <= len(blocks) <= 4
    assert len([t for t in program.network.templates if t.kind == "block"]) <= 4


def test_the_longest_residual_network_has_its_fifty_blocks_and_a_page_of_source() -> None:
    program = specc.compile(RESNET, depth=152)
    assert len(program.python().splitlines()) < 110
    parameters = [p for p in program.network.parameters if p.role == "parameter"]
    blocks = {tuple(p.name.split(".")[:2]) for p in parameters if p.name.startswith("layer")}
    assert len(blocks) == 3 + 8 + 36 + 3
    assert sum(math.prod(p.type.shape) for p in parameters) == 60_192_808  # as torchvision's


class _Block(nn.Module):
    """Two or three convolutions and a shortcut, written by hand."""

    def __init__(self, inputs: int, channels: int, stride: int, *, bottleneck: bool) -> None:
        super().__init__()
        outputs = 4 * channels if bottleneck else channels
        plan = (
            [(channels, 1, 1), (channels, 3, stride), (outputs, 1, 1)]
            if bottleneck
            else [(channels, 3, stride), (outputs, 3, 1)]
        )
        self.count, width = len(plan), inputs
        for i, (out, kernel, step) in enumerate(plan, start=1):
            conv = nn.Conv2d(width, out, kernel, step, padding=kernel // 2, bias=False)
            setattr(self, f"conv{i}", conv)
            setattr(self, f"bn{i}", nn.BatchNorm2d(out))
            width = out
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            conv = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x
        for i in range(1, self.count + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            y = torch.relu(y) if i < self.count else y
        return torch.relu(y + self.downsample(x))


class _ResNet(nn.Module):
    def __init__(self, counts: list[int], width: int, classes: int, *, bottleneck: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for i, count in enumerate(counts):
            channels, blocks = width * 2**i, []
            for j in range(count):
                stride = 2 if i > 0 and j == 0 else 1
                blocks.append(_Block(inputs, channels, stride, bottleneck=bottleneck))
                inputs = 4 * channels if bottleneck else channels
            setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for i in (1, 2, 3, 4):
            x = getattr(self, f"layer{i}")(x)
        return self.fc(x.mean((2, 3)))


@pytest.mark.parametrize(
    ("depth", "counts", "bottleneck"), [(18, [2, 2, 2, 2], False), (50, [3, 4, 6, 3], True)]
)
def test_a_residual_network_computes_what_a_hand_written_one_does(
    depth: int, counts: list[int], bottleneck: bool
) -> None:
    ours = specc.compile(RESNET, depth=depth, width=4, classes=7).module()
    theirs = _ResNet(counts, 4, 7, bottleneck=bottleneck)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    for mode in (True, False):  # the batch's statistics, then the running ones
        ours.train(mode)
        theirs.train(mode)
        x = torch.randn(2, 3, 66, 97)
        torch.testing.assert_close(ours(x), theirs(x), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())


def test_a_residual_networks_gradients_are_those_of_a_hand_written_one() -> None:
    ours = specc.compile(RESNET, depth=18, width=4, classes=7).module().double().eval()
    theirs = _ResNet([2, 2, 2, 2], 4, 7, bottleneck=False).double().eval()
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    for model in (ours, theirs):
        model(x).square().sum().backward()
    expected = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name].grad)


# ---- repeated layers -----------------------------------------------------------------------------


def test_layers_in_a_row_that_are_made_alike_are_a_comprehension() -> None:
    text = "net Net(x: [N, 4]) { x |> h: [Linear(3), *[Linear(3) for i in 0..4], relu, relu] }"
    program = specc.compile(text)
    assert "*[nn.Linear(3, 3) for _ in range(4)]" in program.python()
    ours = program.module()
    assert len(ours.h) == 7
    assert len({id(layer) for layer in ours.h}) == 7
    x = torch.randn(2, 4)
    expected = x
    for i in range(5):
        expected = F.linear(expected, ours.h[i].weight, ours.h[i].bias)
    torch.testing.assert_close(ours(x), expected.relu())


def test_labelled_layers_that_are_made_alike_are_a_list() -> None:
    text = 'net Net(x: [N, 4]) {\n for i in 0..5 { x = x |> "h.{i}": Linear(4) |> relu }\n x\n}'
    program = specc.compile(text)
    assert "self.h = nn.ModuleList([nn.Linear(4, 4) for _ in range(5)])" in program.python()
    ours, x = program.module(), torch.randn(2, 4)
    expected = x
    for layer in ours.h:
        expected = layer(expected).relu()
    torch.testing.assert_close(ours(x), expected)
