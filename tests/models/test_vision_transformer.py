"""The vision transformer is torchvision's: names, values, gradients, ONNX, learning."""

from __future__ import annotations

from functools import cache

import torch

import specc
from tests.models.agreement import (
    Inputs,
    Pair,
    assert_learns,
    assert_same_answers,
    assert_same_gradients,
    assert_same_in_onnx,
    assert_same_parameters,
    quiet,
)
from tests.models.references import torchvision

TINY = {"image": 16, "patch": 4, "layers": 2, "heads": 3, "width": 24, "hidden": 40, "classes": 7}


def images(batch: int) -> Inputs:
    return (torch.randn(batch, 3, 16, 16, generator=torch.Generator().manual_seed(batch)),)


@cache
def tiny() -> Pair:
    reference = quiet(
        lambda: torchvision().VisionTransformer(
            image_size=16,
            patch_size=4,
            num_layers=2,
            num_heads=3,
            hidden_dim=24,
            mlp_dim=40,
            num_classes=7,
        )
    )
    # The last layer starts at zero, and answers with zeros.
    generator = torch.Generator().manual_seed(1)
    for parameter in reference.parameters():
        parameter.data += torch.randn(parameter.shape, generator=generator) * 0.2
    return Pair(specc.compile("std.vit", **TINY), reference, [images(n) for n in (1, 2, 5)])


def test_parameters_are_the_references() -> None:
    assert_same_parameters(tiny())


def test_answers_are_the_references() -> None:
    assert_same_answers(tiny())


def test_gradients_are_the_references() -> None:
    assert_same_gradients(tiny())


def test_one_onnx_file_answers_at_every_batch() -> None:
    assert_same_in_onnx(tiny())


def test_the_loss_falls() -> None:
    assert_learns(tiny().program, images(5), torch.arange(5), lr=1e-2)
