"""Initializers of a file as networks: what is run together, and what is in hand at once."""

from __future__ import annotations

import numpy as np
import pytest

import specc
from specc.initialize.values import values
from specc.ir.defined import Segment, as_network, peak_elements, segments
from specc.ir.graph import DefinedInitializer
from specc.ir.initializer import Initializer
from specc.ir.types import DType
from specc.targets.initial_values import initial_values

TEXT = """
init made(w: [...]) {
    a ~ uniform
    b ~ normal
    c = a * b
    d = c + a
    return d / 2
}
net Net(x: [N, COLUMNS]) -> [N, ROWS] { x |> out: Linear(ROWS, bias=false, weight ~ made) }
"""
SMALL, LARGE = (3, 4), (2100, 2000)  # 4,200,000 elements are run one operation at a time


def compiled(shape: tuple[int, int]) -> specc.Program:
    rows, columns = shape
    return specc.compile(TEXT.replace("ROWS", str(rows)).replace("COLUMNS", str(columns)))


def parts(shape: tuple[int, int]) -> tuple[DefinedInitializer, list[Segment]]:
    (parameter,) = compiled(shape).network.parameters
    assert isinstance(parameter.initializer, DefinedInitializer)
    return parameter.initializer, list(segments(parameter.initializer))


def test_small_tensors_are_computed_in_one_run() -> None:
    definition, (whole,) = parts(SMALL)
    assert whole.network == as_network(definition)
    assert whole.drops == whole.reads


def test_large_ones_are_run_one_by_one_and_dropped_after_their_last_use() -> None:
    definition, found = parts(LARGE)
    a, b = (value.id for value in definition.body.inputs)
    c, d, result = (node.results[0].id for node in definition.body.nodes)
    assert [(s.reads, s.gives, s.drops) for s in found] == [
        ((a, b), (c,), (b,)),
        ((c, a), (d,), (c, a)),
        ((d,), (result,), (d,)),
    ]


def test_the_most_in_hand_is_counted_over_last_uses() -> None:
    definition, _ = parts(SMALL)
    assert peak_elements(definition) == 3 * 12


@pytest.mark.parametrize("shape", [SMALL, LARGE])
def test_the_values_are_the_same_however_they_are_run(shape: tuple[int, int]) -> None:
    a, b = (
        values(Initializer(name=n), name="out.weight", shape=shape, dtype=DType.F64, seed=3, draw=k)
        for k, n in enumerate(("uniform", "normal"))
    )
    ((_, found),) = initial_values(compiled(shape).network.parameters, 3)
    np.testing.assert_array_equal(found.ravel(), ((a * b + a) / 2).astype(np.float32))


def test_a_draw_may_be_the_result_itself() -> None:
    text = "init made(w: [...]) {\n w ~ ones\n return w\n}\n"
    text += "net Net(x: [N, 4]) -> [N, 2] { x |> Linear(2, bias=false, weight ~ made) }"
    ((_, found),) = initial_values(specc.compile(text).network.parameters, 0)
    assert found.tolist() == [[1] * 4] * 2
    assert found.flags.writeable
