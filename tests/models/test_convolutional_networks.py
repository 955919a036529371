"""ResNet, VGG and AlexNet are torchvision's: names, values, gradients, buffers, ONNX, learning."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import nn

import specc
from tests.models.agreement import (
    Inputs,
    Pair,
    assert_learns,
    assert_same_answers,
    assert_same_buffers,
    assert_same_gradients,
    assert_same_in_onnx,
    assert_same_parameters,
    quiet,
)
from tests.models.references import torchvision

SPECS = Path(__file__).resolve().parents[2] / "specs"


def images(batch: int, height: int, width: int) -> Inputs:
    generator = torch.Generator().manual_seed(batch)
    return (torch.randn(batch, 3, height, width, generator=generator),)


def filled(reference: nn.Module) -> nn.Module:
    """The reference with values that are all its own: biases begin at zero, scales at one."""
    generator = torch.Generator().manual_seed(1)
    for parameter in reference.parameters():
        if parameter.dim() == 1:
            parameter.data += torch.randn(parameter.shape, generator=generator) * 0.1
    return reference


@cache
def resnet(depth: int) -> Pair:
    reference = filled(quiet(lambda: getattr(torchvision(), f"resnet{depth}")(num_classes=7)))
    sizes = [images(1, 64, 48), images(2, 33, 40), images(5, 40, 33)]
    return Pair(specc.compile("std.resnet", depth=depth, classes=7), reference, sizes)


@cache
def vgg(batch_norm: bool) -> Pair:
    vision = torchvision().vgg
    channels = [4, "M", 8, "M", 16, 16, "M", 32, 32, "M", 32, 32, "M"]  # 11 layers, a 16th as wide

    def make() -> nn.Module:
        with torch.device("meta"):  # whose classifier has 120 million parameters
            made = vision.VGG(nn.Identity(), init_weights=False)
        made.features = vision.make_layers(channels, batch_norm)
        made.classifier = nn.Sequential(
            nn.Linear(32 * 49, 24), nn.ReLU(), nn.Dropout(),
            nn.Linear(24, 24), nn.ReLU(), nn.Dropout(),
            nn.Linear(24, 7),
        )  # fmt: skip
        return made

    program = specc.compile(
        "std.vgg", depth=11, batch_norm=batch_norm, width=4, hidden=24, classes=7
    )
    sizes = [images(1, 64, 32), images(2, 40, 64), images(5, 40, 64)]
    return Pair(program, filled(quiet(make)), sizes)


@cache
def alexnet() -> Pair:
    reference = filled(quiet(lambda: torchvision().alexnet(num_classes=7)))
    sizes = [images(1, 224, 224), images(2, 63, 80), images(5, 80, 63)]
    return Pair(specc.compile("std.alexnet", classes=7), reference, sizes)


PAIRS = [
    pytest.param(lambda: resnet(18), id="resnet18"),
    pytest.param(lambda: resnet(50), id="resnet50", marks=pytest.mark.slow),
    pytest.param(lambda: vgg(False), id="vgg11"),
    pytest.param(lambda: vgg(True), id="vgg11_bn"),
    pytest.param(alexnet, id="alexnet", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("pair", PAIRS)
def test_answers_are_the_references(pair: Callable[[], Pair]) -> None:
    assert_same_answers(pair())


@pytest.mark.parametrize("pair", PAIRS)
def test_gradients_are_the_references(pair: Callable[[], Pair]) -> None:
    assert_same_gradients(pair())


@pytest.mark.parametrize("pair", [*PAIRS[:2], PAIRS[3]])
def test_training_leaves_the_references_statistics(pair: Callable[[], Pair]) -> None:
    assert_same_buffers(pair())


@pytest.mark.parametrize("pair", PAIRS)
def test_one_onnx_file_answers_at_every_size(pair: Callable[[], Pair]) -> None:
    assert_same_in_onnx(pair())


@pytest.mark.parametrize(
    ("name", "given", "size"),
    [
        ("resnet", {"depth": 18, "width": 8}, 32),
        ("resnet", {"depth": 50, "width": 4}, 32),
        ("vgg", {"depth": 11, "batch_norm": True, "width": 4, "hidden": 24, "dropout": 0.0}, 32),
        ("alexnet", {"width": 8, "hidden": 24, "dropout": 0.0}, 63),
    ],
)
def test_the_loss_falls(name: str, given: dict[str, object], size: int) -> None:
    program = specc.compile(f"std.{name}", hyperparameters={**given, "classes": 5})
    assert_learns(program, images(5, size, size), torch.arange(5), lr=3e-3)


FULL = [
    *(("resnet", {"depth": depth}, f"resnet{depth}") for depth in (18, 34, 50, 101, 152)),
    *(
        ("vgg", {"depth": depth, "batch_norm": norm}, f"vgg{depth}{'_bn' * norm}")
        for depth in (11, 13, 16, 19)
        for norm in (False, True)
    ),
    ("alexnet", {}, "alexnet"),
]


@pytest.mark.parametrize(("spec", "given", "name"), FULL)
def test_a_full_size_has_the_names_and_shapes_of_its_checkpoint(
    spec: str, given: dict[str, object], name: str
) -> None:
    program = specc.compile(f"std.{spec}", hyperparameters=given)
    with torch.device("meta"):
        reference = getattr(torchvision(), name)()
    assert_same_parameters(Pair(program, reference, ()))
    ours = {p.name: p.type.shape for p in program.network.parameters}
    assert ours == {n: tuple(t.shape) for n, t in reference.state_dict().items()}


@pytest.mark.parametrize(("spec", "most"), [("alexnet", 20), ("resnet", 45)])
def test_a_spec_is_no_longer_than_its_figure(spec: str, most: int) -> None:
    assert len((SPECS / f"{spec}.net").read_text().splitlines()) <= most


def test_a_depth_that_was_not_published_is_refused_with_those_that_were() -> None:
    with pytest.raises(specc.SpecError) as caught:
        specc.compile("std.resnet", depth=20)
    assert caught.value.diagnostics[0].help == "its keys are 18, 34, 50, 101, 152"
