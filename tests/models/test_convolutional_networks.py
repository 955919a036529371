"""ResNet, VGG and AlexNet are torchvision's: names, values, gradients, buffers, ONNX, learning."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

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
    quiet,
)
from tests.models.references import torchvision


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
def alexnet(narrower: int = 1) -> Pair:
    def make() -> nn.Module:
        made = torchvision().alexnet(num_classes=7)
        return made if narrower == 1 else narrowed(made, narrower)

    program = specc.compile("std.alexnet", width=64 // narrower, hidden=4096 // narrower, classes=7)
    sizes = [images(1, 224, 224), images(2, 63, 80), images(5, 80, 63)]
    return Pair(program, filled(quiet(make)), sizes)


def narrowed(network: nn.Module, by: int) -> nn.Module:
    """The network with layers of fewer channels between the three of an image and the answer."""
    *_, last = network.modules()
    for name, layer in list(network.named_modules()):
        if isinstance(layer, nn.Conv2d):
            channels = layer.in_channels if layer.in_channels == 3 else layer.in_channels // by
            size = (layer.kernel_size, layer.stride, layer.padding)
            network.set_submodule(name, nn.Conv2d(channels, layer.out_channels // by, *size))
        elif isinstance(layer, nn.Linear):
            features = layer.out_features if layer is last else layer.out_features // by
            network.set_submodule(name, nn.Linear(layer.in_features // by, features))
    return network


PAIRS = [
    pytest.param(lambda: resnet(18), id="resnet18"),
    pytest.param(lambda: resnet(50), id="resnet50", marks=pytest.mark.slow),
    pytest.param(lambda: vgg(False), id="vgg11"),
    pytest.param(lambda: vgg(True), id="vgg11_bn"),
    pytest.param(lambda: alexnet(narrower=8), id="alexnet"),
    pytest.param(alexnet, id="alexnet at its full width", marks=pytest.mark.slow),
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


def test_a_depth_that_was_not_published_is_refused_with_those_that_were() -> None:
    with pytest.raises(specc.SpecError) as caught:
        specc.compile("std.resnet", depth=20)
    assert caught.value.diagnostics[0].help == "its keys are 18, 34, 50, 101, 152"
