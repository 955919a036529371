"""``std.blocks``: the names and the values of torchvision's blocks."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import specc
from specc.cli.main import main
from tests.elaborate.specs import agrees, net, sound
from tests.models.references import torchvision

IMPORT = "from std.blocks import Residual, Bottleneck, VGGBlock\n"
HEADER = "(x: [N, 8, 6, 6])"


def reference(kind: str, channels: int, stride: int, width: int) -> nn.Module:
    block = getattr(torchvision().resnet, kind)
    downsample = None
    if stride != 1 or width != 8:
        downsample = nn.Sequential(
            nn.Conv2d(8, width, 1, stride, bias=False), nn.BatchNorm2d(width)
        )
    return block(8, channels, stride, downsample)


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("Residual(8)", ("BasicBlock", 8, 1, 8)),
        ("Residual(4)", ("BasicBlock", 4, 1, 4)),
        ("Residual(16, stride=2)", ("BasicBlock", 16, 2, 16)),
        ("Bottleneck(2)", ("Bottleneck", 2, 1, 8)),
        ("Bottleneck(4)", ("Bottleneck", 4, 1, 16)),
        ("Bottleneck(4, stride=2)", ("Bottleneck", 4, 2, 16)),
    ],
)
def test_a_residual_block_is_torchvisions(
    use: str, expected: tuple[str, int, int, int], tmp_path: Path
) -> None:
    theirs = nn.ModuleDict({"block": reference(*expected)})
    program = sound(IMPORT + net(f"x |> block: {use}", HEADER).replace("block:", '"block":'))
    agrees(program, tmp_path)
    ours = program.module()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.randn(2, 8, 6, 6)
    for training in (True, False):  # the first changes what BatchNorm keeps
        ours.train(training), theirs.train(training)
        torch.testing.assert_close(ours(x), theirs["block"](x))
    for name, tensor in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], tensor)


@pytest.mark.parametrize(("norm", "positions"), [("false", "0 2"), ("true", "0 1 3 4")])
def test_a_stage_of_vgg_names_its_layers_by_position(norm: str, positions: str) -> None:
    program = sound(IMPORT + net(f"x |> stage: VGGBlock(2, 5, norm={norm})", HEADER))
    assert program.outputs[0].dims == ("N", 5, 3, 3)
    found = {p.name.split(".")[1] for p in program.network.parameters}
    assert found == set(positions.split())


def test_a_file_of_blocks_is_checked_and_says_what_it_has(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["check", "std.blocks"]) == 0
    said = capsys.readouterr().out
    assert "no net to check, and Residual, Bottleneck, VGGBlock to import" in said


def test_a_file_of_blocks_is_no_network() -> None:
    with pytest.raises(specc.SpecError) as caught:
        specc.compile("std.blocks")
    (found,) = caught.value.diagnostics
    assert found.code == "unknown-net"
    assert found.help == "a file that is compiled holds a `net`; a file of blocks alone is imported"
