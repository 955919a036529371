"""ResNet, VGG and AlexNet are torchvision's: names, values, gradients, buffers, ONNX, learning."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial

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


SIZES = {
    "resnet": ((64, 48), (33, 40), (40, 33)),
    "vgg": ((64, 32), (40, 64), (64, 40)),
    "alexnet": ((224, 224), (63, 80), (80, 63)),
}
"""Heights and widths of batches of 1, 2 and 5 images."""


@cache
def pair(name: str, narrower: int = 1) -> Pair:
    """What torchvision calls ``name``, with seven classes and layers as much narrower."""
    spec, depth, norm = re.fullmatch(r"([a-z]+)(\d*)(_bn)?", name).groups()
    given = {"classes": 7, "width": 64 // narrower}
    given |= {"depth": int(depth)} if depth else {}
    given |= {"batch_norm": True} if norm else {}
    given |= {"hidden": 4096 // narrower} if spec != "resnet" else {}

    def make() -> nn.Module:
        with torch.device("meta" if narrower > 1 else "cpu"):
            made = getattr(torchvision(), name)(num_classes=7)
        return narrowed(made, narrower) if narrower > 1 else made

    sizes = [images(batch, *size) for batch, size in zip((1, 2, 5), SIZES[spec], strict=True)]
    program = specc.compile(f"std.{spec}", hyperparameters=given)
    return Pair(program, filled(quiet(make)), sizes)


def narrowed(network: nn.Module, by: int) -> nn.Module:
    """The network with fewer channels between the three of an image and the classes."""
    *_, last = network.modules()
    for name, layer in list(network.named_modules()):
        match layer:
            case nn.Conv2d(in_channels=inputs, out_channels=outputs):
                inputs = inputs if inputs == 3 else inputs // by
                size = (layer.kernel_size, layer.stride, layer.padding)
                made = nn.Conv2d(inputs, outputs // by, *size, bias=layer.bias is not None)
                nn.init.kaiming_normal_(made.weight, nonlinearity="relu")
            case nn.BatchNorm2d(num_features=channels):
                made = nn.BatchNorm2d(channels // by)
            case nn.Linear(in_features=inputs, out_features=outputs):
                made = nn.Linear(inputs // by, outputs if layer is last else outputs // by)
            case _:
                continue
        network.set_submodule(name, made)
    return network


NARROW = (
    *("resnet34", "resnet50", "resnet101", "resnet152"),
    *("vgg11", "vgg13_bn", "vgg16", "vgg19_bn", "alexnet"),
)
WIDE = ("resnet50", "alexnet")
PAIRS = [
    pytest.param(partial(pair, "resnet18"), id="resnet18"),
    *(pytest.param(partial(pair, name, 8), id=f"narrow {name}") for name in NARROW),
    *(pytest.param(partial(pair, name), id=name, marks=pytest.mark.slow) for name in WIDE),
]
NORMED = [p for p in PAIRS if p.id and ("resnet" in p.id or "_bn" in p.id)]


@pytest.mark.parametrize("make", PAIRS)
def test_answers_are_the_references(make: Callable[[], Pair]) -> None:
    assert_same_answers(make())


@pytest.mark.parametrize("make", PAIRS)
def test_gradients_are_the_references(make: Callable[[], Pair]) -> None:
    assert_same_gradients(make())


@pytest.mark.parametrize("make", NORMED)
def test_training_leaves_the_references_statistics(make: Callable[[], Pair]) -> None:
    assert_same_buffers(make())


@pytest.mark.parametrize("make", PAIRS)
def test_one_onnx_file_answers_at_every_size(make: Callable[[], Pair]) -> None:
    assert_same_in_onnx(make())


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
