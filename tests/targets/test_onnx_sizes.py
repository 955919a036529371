"""Symbolic sizes in a graph: they equal the IR's at every assignment."""

from __future__ import annotations

from dataclasses import replace

import hypothesis
import hypothesis.strategies as st
import numpy as np
import onnx
import pytest

from specc.infer.session import run, session
from specc.ir.dims import Dim, evaluate, parse_dim, symbol
from specc.ir.graph import Network
from specc.ir.types import DType, TensorType, parse_type
from specc.ops.operator import Operator
from specc.ops.registry import operators
from specc.ops.single import single
from specc.targets.onnx import to_onnx

N, H, W = symbol("N"), symbol("H"), symbol("W")


def probe(dims: tuple[Dim, ...], scalar: bool) -> Operator:
    """An operator that answers with sizes."""
    result = TensorType(DType.I64, () if scalar else (len(dims),))
    return replace(
        operators()["relu"],
        name="probe",
        infer=lambda c, *types: result,
        onnx={17: lambda b, s: b.op("Identity", b.size(dims[0]) if scalar else b.sizes(dims))},
    )


def graph(inputs: str, *dims: Dim, scalar: bool = False) -> onnx.ModelProto:
    operator = probe(dims, scalar)
    net: Network = single(operator, (parse_type(inputs),), {})
    model = to_onnx(net, operators={"probe": operator})
    onnx.checker.check_model(model, full_check=True)
    return model


def sizes(model: onnx.ModelProto, *shape: int) -> object:
    return run(session(model.SerializeToString()), {"x": np.zeros(shape, np.float32)})["y"].tolist()


EXPRESSIONS = [
    "N",
    "2*H",
    "N*H*W",
    "H**3",
    "H - W",
    "-H",
    "1 - H*W",
    "(H - 1) // 2 + 1",
    "((H - 1) // 2 - 4) // 3",
    "(W - H) // 2",
    "(W - H) // (N + 1)",
    "3*N*(H // 2) - 7",
    "H // W",
    "(5 - H) // 3",
]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_an_expression_is_what_it_evaluates_to(text: str) -> None:
    """Floor divisions of negative numbers round down, as they do in the IR."""
    dim = parse_dim(text)
    model = graph("f32[N, H, W]", dim)
    for n, h, w in ((1, 1, 1), (2, 7, 3), (3, 4, 9), (1, 10, 10)):
        assert sizes(model, n, h, w) == [evaluate(dim, {"N": n, "H": h, "W": w})]


def combined(dims: st.SearchStrategy[Dim]) -> st.SearchStrategy[Dim]:
    small = st.integers(-6, 6)
    return st.one_of(
        st.builds(lambda a, b: a + b, dims, dims),
        st.builds(lambda a, b: a - b, dims, dims),
        st.builds(lambda a, k: a * k, dims, small),
        st.builds(lambda a, k: a // k, dims, small.filter(bool)),
        st.builds(lambda a, b: a // b, dims, st.sampled_from([N, H + 1, 2 * W])),
    )


DIMS = st.recursive(st.sampled_from([N, H, W, H * W]), combined, max_leaves=6)


@hypothesis.settings(max_examples=40)
@hypothesis.given(st.lists(DIMS, min_size=1, max_size=4), st.tuples(*[st.integers(1, 12)] * 3))
def test_any_expression_is_what_it_evaluates_to(
    dims: list[Dim], shape: tuple[int, int, int]
) -> None:
    sizes_of = dict(zip("NHW", shape, strict=True))
    expected = [evaluate(dim, sizes_of) for dim in dims]
    assert sizes(graph("f32[N, H, W]", *dims), *shape) == expected


def test_static_and_symbolic_sizes_make_one_shape() -> None:
    model = graph("f32[N, H, W]", 2, 3, N, 2 * H, 5)
    assert sizes(model, 4, 6, 1) == [2, 3, 4, 12, 5]


def test_known_sizes_are_constants() -> None:
    model = graph("f32[N, H, W]", 2, 3)
    assert [node.op_type for node in model.graph.node] == ["Identity"]
    assert [tensor.name for tensor in model.graph.initializer] == ["const/i64/[2,3]"]


def test_a_scalar_has_no_dims() -> None:
    assert sizes(graph("f32[N, H, W]", H * W, scalar=True), 1, 4, 5) == 20


def test_a_size_is_computed_once() -> None:
    model = graph("f32[N, H, W]", H // 2, N, H // 2, H)
    assert [node.op_type for node in model.graph.node] == [
        *("Shape", "Div", "Shape", "Concat", "Identity")
    ]
    assert model.graph.node[0].output[0] == "sizes/H"


@pytest.mark.parametrize(
    ("inputs", "shape", "n"), [("f32[2*N]", (6,), 3), ("f32[3*N + H, H]", (14, 2), 4)]
)
def test_a_symbol_is_found_from_an_expression(inputs: str, shape: tuple[int, ...], n: int) -> None:
    assert sizes(graph(inputs, N + 1), *shape) == [n + 1]
