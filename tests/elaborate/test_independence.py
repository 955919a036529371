"""A parameter's initial values depend on the seed and its own name, and on nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

import specc
from tests.elaborate.specs import agrees, net, sound

BEFORE = net("x |> first: Linear(8) |> relu |> last: Linear(2)")


def state(program: specc.Program, seed: int = 0) -> dict[str, np.ndarray]:
    return {name: t.numpy() for name, t in program.module(seed=seed).state_dict().items()}


@pytest.mark.parametrize(
    "after",
    [
        net("x |> first: Linear(8) |> relu |> between: Linear(8) |> last: Linear(2)"),
        net("x |> LayerNorm |> first: Linear(8) |> relu |> last: Linear(2)"),
        net("y = x |> other: Linear(3)\nx |> first: Linear(8) |> gelu |> last: Linear(2)"),
        net("h = Linear(4)\nx |> h |> h |> first: Linear(8) |> last: Linear(2)"),
        BEFORE + 'init { "first.bias" ~ zeros\n "first.bias" ~ uniform }',
    ],
)
def test_a_change_elsewhere_changes_no_values(after: str) -> None:
    before, changed = state(sound(BEFORE)), state(sound(after))
    for name in ("first.weight", "last.weight", "last.bias"):
        assert np.array_equal(before[name], changed[name])


def test_the_same_layer_within_another_block_has_the_same_name_and_values() -> None:
    wrapped = "block Part(x: [N, D]) -> [N, 8] { x |> linear1: Linear(8) }\n"
    one = state(sound(wrapped + net("x |> a: Part")))
    other = state(sound(net("x |> a: [linear1: Linear(8)]")))
    assert np.array_equal(one["a.linear1.weight"], other["a.linear1.weight"])


def test_another_seed_gives_other_values() -> None:
    program = sound(BEFORE)
    assert not np.array_equal(
        state(program)["first.weight"], state(program, seed=1)["first.weight"]
    )


def test_another_name_gives_other_values() -> None:
    found = state(sound(net("x |> a: Linear(4) |> b: Linear(4)")))
    assert not np.array_equal(found["a.weight"], found["b.weight"])


def test_torchs_random_state_plays_no_part_and_is_left_alone() -> None:
    program = sound(BEFORE)
    torch.manual_seed(1)
    kept = torch.get_rng_state()
    first = state(program)
    assert torch.equal(torch.get_rng_state(), kept)
    torch.manual_seed(2)
    assert np.array_equal(first["first.weight"], state(program)["first.weight"])


def test_module_and_onnx_file_start_with_the_same_bits(tmp_path: Path) -> None:
    program = sound(net("x |> BatchNorm |> Linear(8, weight ~ orthogonal) |> Linear(2)"))
    model = agrees(program, tmp_path)
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    shared = set(stored) & set(state(program))
    assert {"linear1.weight", "linear2.bias", "batch_norm1.running_var"} <= shared
    for name in shared:
        assert stored[name].tobytes() == state(program)[name].tobytes()
