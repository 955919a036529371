"""Every published size has the names, shapes and number of parameters of its checkpoint."""

from __future__ import annotations

import pytest

from tests.models.agreement import Pair, assert_same_parameters
from tests.models.published import MODELS, Model, Size, parameters, program

REFERRED = [
    pytest.param(model, size, id=size.name)
    for model in MODELS
    for size in model.sizes
    if size.reference is not None
]


@pytest.mark.parametrize(("model", "size"), REFERRED)
def test_a_full_size_is_its_checkpoint(model: Model, size: Size) -> None:
    compiled = program(model.spec, tuple(size.given.items()))
    assert size.reference is not None
    reference = size.reference()
    assert_same_parameters(Pair(compiled, reference, ()))
    assert parameters(compiled) == sum(p.numel() for p in reference.parameters())
    ours = {name: p.shape for p in compiled.parameters() for name in p.names}
    assert ours == {name: tuple(t.shape) for name, t in reference.state_dict().items()}


def test_the_sizes_are_those_that_were_published() -> None:
    names = {size.name for model in MODELS for size in model.sizes}
    assert {f"resnet{depth}" for depth in (18, 34, 50, 101, 152)} <= names
    assert {f"vgg{d}{norm}" for d in (11, 13, 16, 19) for norm in ("", "_bn")} <= names
    assert {"alexnet", "vit_b_16", "vit_b_32", "vit_l_16", "vit_l_32", "vit_h_14"} <= names
    assert {"gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl"} <= names
    assert {f"Llama-2-{size}-hf" for size in ("7b", "13b", "70b")} <= names
