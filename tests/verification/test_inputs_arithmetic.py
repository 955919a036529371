"""Inputs to try a network with, where arithmetic makes positions of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import specc
from specc.verification.inputs import cases

POSITIONS = {
    "a quotient": "(x // 2) |> Embedding(50, 8)",
    "a sum": "(x + 1) |> Embedding(7, 8)",
    "a choice": "where(x > 1, x, 0) |> Embedding(4, 8)",
    "a difference": "(49 - x) |> Embedding(50, 8)",
    "a magnitude": "abs(x) |> Embedding(5, 8)",
    "a class": "one_hot(x + 1, 3) |> cast(f32)",
}


@pytest.mark.parametrize("what", POSITIONS)
def test_a_network_that_computes_positions_builds(what: str, tmp_path: Path) -> None:
    text = f"net Net(x: i64[N, T]) -> [...] {{ {POSITIONS[what]} }}"
    built = specc.compile(text).build(tmp_path / "net.onnx")
    assert built.parity is not None
    assert built.parity.agrees


def test_both_values_are_drawn_and_an_input_with_a_known_use_keeps_it() -> None:
    text = """
net Net(x: i64[99], y: i64[99], z: i64[99]) -> [...] {
    table = Embedding(50, 8)
    return table(x // 2 // y) + table(z)
}"""
    drawn = next(cases(specc.compile(text).network, seed=0)).inputs
    assert set(np.unique(drawn["x"])) == {0, 1}
    assert set(np.unique(drawn["y"])) == set(range(1, 8))
    assert drawn["z"].max() > 9
