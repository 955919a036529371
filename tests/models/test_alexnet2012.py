"""AlexNet on two devices against one tower of torch.nn whose convolutions have two groups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

import specc
from specc.ir.graph import Transfer
from tests.targets.test_devices import on_fakes, watch

SPEC = Path(__file__).resolve().parents[2] / "specs" / "alexnet2012.net"
CARDS = {"top": torch.device("cuda:0"), "bottom": torch.device("cuda:1")}


def program() -> specc.Program:
    return specc.compile(SPEC)


def random_weights(of: specc.Program) -> dict[str, NDArray[Any]]:
    """Weights that keep the size of what flows through, quicker to draw than the initial ones."""
    random = np.random.default_rng(0)
    weights = {}
    for parameter in of.network.parameters:
        shape = [int(dim) for dim in parameter.type.shape]
        scale = (2 / np.prod(shape[1:])) ** 0.5 if len(shape) > 1 else 0.1
        weights[parameter.name] = random.standard_normal(shape, np.float32) * np.float32(scale)
    return weights


class OneTower(nn.Module):
    """The network as it is told without the cards: `groups=2` where they do not talk."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, 11, 4, 2)
        self.conv2 = nn.Conv2d(96, 256, 5, 1, 2, groups=2)
        self.conv3 = nn.Conv2d(256, 384, 3, 1, 1)
        self.conv4 = nn.Conv2d(384, 384, 3, 1, 1, groups=2)
        self.conv5 = nn.Conv2d(384, 256, 3, 1, 1, groups=2)
        self.dense1 = nn.Linear(9216, 4096)
        self.dense2 = nn.Linear(4096, 4096)
        self.classes = nn.Linear(4096, 1000)

    @staticmethod
    def normalized(x: torch.Tensor) -> torch.Tensor:
        """The paper's formula: sums over the 5 neighbours within each half of the channels."""
        halves = []
        for half in x.square().chunk(2, dim=1):
            padded = nn.functional.pad(half, (0, 0, 0, 0, 2, 2))
            halves.append(sum(padded[:, i : i + half.shape[1]] for i in range(5)))
        return x / (2 + 1e-4 * torch.cat(halves, dim=1)) ** 0.75

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pool = nn.MaxPool2d(3, 2)
        x = pool(self.normalized(self.conv1(x).relu()))
        x = pool(self.normalized(self.conv2(x).relu()))
        x = self.conv4(self.conv3(x).relu()).relu()
        x = pool(self.conv5(x).relu()).flatten(1)
        x = self.dense2(self.dense1(x).relu()).relu()
        out: torch.Tensor = self.classes(x)
        return out


PARTS = {
    "conv1": "early.conv1",
    "conv2": "early.conv2",
    "conv3": "late.conv3",
    "conv4": "late.conv4",
    "conv5": "late.conv5",
    "dense1": "dense1.linear1",
    "dense2": "dense2.linear1",
}


def one_tower(weights: dict[str, NDArray[Any]]) -> OneTower:
    """The reference with the halves of each layer put together, those of the top first."""
    reference = OneTower()
    state = {f"classes.{slot}": weights[f"classes.{slot}"] for slot in ("weight", "bias")}
    for name, part in PARTS.items():
        for slot in ("weight", "bias"):
            halves = [weights[f"{card}_{part}.{slot}"] for card in ("top", "bottom")]
            state[f"{name}.{slot}"] = np.concatenate(halves)
    reference.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    return reference.eval()


def test_it_computes_what_one_tower_with_groups_does() -> None:
    net = program()
    weights = random_weights(net)
    x = torch.from_numpy(np.random.default_rng(1).standard_normal((2, 3, 224, 224), np.float32))
    with torch.no_grad():
        found = net.module(weights=weights).eval()(x)
        expected = one_tower(weights)(x)
    assert found.abs().max() > 0.1
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_it_has_as_many_parameters_as_the_paper_says() -> None:
    """60 million: each layer's kernels and biases, the grouped ones seeing half of the channels."""
    layers = [(96, 363), (256, 1200), (384, 2304), (384, 1728), (256, 1728)]
    layers += [(4096, 9216), (4096, 4096), (1000, 4096)]
    expected = sum(outputs * (inputs + 1) for outputs, inputs in layers)
    assert sum(p.size for p in program().parameters()) == expected == 60_965_224


def test_every_layer_and_crossing_is_on_its_card() -> None:
    net = program()
    zeros = {p.name: np.zeros(p.shape, np.float32) for p in net.parameters()}
    with on_fakes(net, CARDS, zeros) as module:
        seen = watch(module)
        assert str(module(torch.empty(1, 3, 224, 224)).device) == "cuda:0"
        for name, parameter in module.named_parameters():
            assert str(parameter.device) == card_of(name), name
    assert {name: {card_of(name)} for name in seen} == seen
    assert len(seen) == 15


def card_of(name: str) -> str:
    return "cuda:1" if name.startswith("bottom") else "cuda:0"


def test_each_half_crosses_once() -> None:
    root = program().network.templates[-1]
    moves = [node for node in root.body.nodes if isinstance(node, Transfer)]
    crossings = [node for node in moves if node.inputs[0] != root.body.inputs[0].id]
    names = {value.id: value.name for node in root.body.nodes for value in node.results}
    assert [(names[n.inputs[0]], n.device) for n in crossings] == [
        ("b", "top"),
        ("a", "bottom"),
        ("d", "top"),
        ("c", "bottom"),
        ("f", "top"),
        ("e", "bottom"),
        ("h", "top"),
    ]
    assert [node.device for node in moves if node not in crossings] == ["top", "bottom"]


@pytest.mark.slow
def test_it_trains_and_is_exported(tmp_path: Path) -> None:
    x = np.random.default_rng(0).standard_normal((4, 3, 224, 224)).astype(np.float32)
    np.savez(tmp_path / "imagenet.npz", x=x, y=np.arange(4), x_test=x[:1], y_test=np.arange(1))
    data = f'npz("{(tmp_path / "imagenet.npz").as_posix()}")'
    net = specc.compile(SPEC, settings={"steps": 2, "batch": 2, "data": data})
    result = specc.train(net, device="cpu")
    assert result.outcome == "finished"
    built = net.build(tmp_path / "alexnet.onnx", weights=result.module, opset=23)
    assert built.parity is not None
