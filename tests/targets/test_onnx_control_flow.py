"""Run-time loops and branches in ONNX: the same answers in valid graphs, and nothing idle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import pytest
import torch

import specc
from specc.frontend.diagnostics import SpecError
from specc.infer.session import run, session
from specc.targets.initial_values import initial_values
from specc.targets.onnx.control import MAX_DEPTH
from specc.verification.measure import relative_difference
from tests.targets.control_flow import EXAMPLES, FIXED_HIDDEN, NESTED, SETTLE, Inputs

OPSETS = (17, 21, 24)


def answers(model: onnx.ModelProto, **inputs: Any) -> dict[str, Any]:
    return run(session(model.SerializeToString(), threads=1), inputs)


def graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """A graph and those inside its nodes."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from graphs(attribute.g)


def operators(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for graph in graphs(model.graph) for node in graph.node]


# ---- answers -------------------------------------------------------------------------------------


def by_hand(name: str, program: specc.Program, inputs: Inputs) -> list[np.ndarray[Any, Any]]:
    """What the function written by hand gives, on the weights of seed 0."""
    tensors = {n: torch.from_numpy(a) for n, a in initial_values(program.network.parameters, 0)}
    given = {n: torch.from_numpy(np.asarray(a)) for n, a in inputs.items()}
    with torch.no_grad():
        results = EXAMPLES[name].by_hand(**given, weights=tensors)
    return [r.numpy() for r in (results if isinstance(results, tuple) else (results,))]


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_hundred_random_inputs_give_the_answers_of_pytorch(name: str) -> None:
    """Sizes and numbers of turns differ from input to input, none among them."""
    program = specc.compile(EXAMPLES[name].text)
    running = session(program.onnx().SerializeToString(), threads=1)
    random = np.random.default_rng(0)
    taken = set()
    for _ in range(120):
        inputs = EXAMPLES[name].draw(random)
        found = run(running, inputs)
        expected = by_hand(name, program, inputs)
        for (port, array), wanted in zip(found.items(), expected, strict=True):
            assert array.shape == wanted.shape, port
            assert relative_difference(array, wanted) <= 1e-4, (port, array, wanted)
        taken.add(int(found["turns"]))
    assert 0 in taken
    assert len(taken) >= 6


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_graphs_are_valid_at_every_opset_and_say_the_same(name: str, opset: int) -> None:
    program = specc.compile(EXAMPLES[name].text)
    model = program.onnx(opset=opset)
    onnx.checker.check_model(model, full_check=True)
    inputs = EXAMPLES[name].draw(np.random.default_rng(1))
    for array, wanted in zip(
        answers(model, **inputs).values(), by_hand(name, program, inputs), strict=True
    ):
        assert relative_difference(array, wanted) <= 1e-4


# ---- the form of the graph -----------------------------------------------------------------------


def test_a_loop_is_one_node_and_its_condition_stands_before_it_and_at_its_end() -> None:
    text = """
net Halve(x: [N, 3]) -> [N, 3] {
    while sum(abs(x)) > 1 { x = x / 2 }
    return x
}"""
    model = specc.compile(text).onnx()
    main, body = graphs(model.graph)
    assert [node.op_type for node in main.node] == ["Abs", "ReduceSum", "Greater", "Loop"]
    assert [node.op_type for node in body.node] == ["Div", "Abs", "ReduceSum", "Greater"]
    condition, carried = body.output
    assert condition.name == body.node[-1].output[0]
    assert carried.name == body.node[0].output[0]


def test_a_condition_that_holds_a_loop_is_there_once() -> None:
    """Written twice it would double with each level of nesting."""
    text = """
net Deep(x: [N]) -> [N] { x |> B8 }
block B0(x: [N]) -> [N] {
    while sum(x) > 0 { x = x - 1 }
    return x
}"""
    for level in range(1, 9):
        text += f"""
block B{level}(x: [N]) -> [N] {{
    inner = B{level - 1}()
    while sum(inner(x)) > -{level} {{ x = x - 1 }}
    return x
}}"""
    model = specc.compile(text).onnx()
    onnx.checker.check_model(model, full_check=True)
    assert len(operators(model)) < 9 * 20
    x = np.array([3.0, 1.5], np.float32)
    (y,) = answers(model, x=x).values()
    expected = x
    while _deep(expected, 7).sum() > -8:
        expected = expected - 1
    assert np.array_equal(y, expected)


def _deep(x: Any, level: int) -> Any:
    while (_deep(x, level - 1) if level else x).sum() > -level:
        x = x - 1
    return x


@pytest.mark.parametrize("text", [FIXED_HIDDEN, SETTLE, NESTED])
def test_names_are_unique_in_all_graphs_together(text: str) -> None:
    model = specc.compile(text).onnx()
    names: list[str] = []
    nodes: list[str] = []
    for graph in graphs(model.graph):
        names += [value.name for value in graph.input]
        names += [output for node in graph.node for output in node.output]
        nodes += [node.name for node in graph.node]
    names += [tensor.name for tensor in model.graph.initializer]
    assert len(set(names)) == len(names)
    assert len(set(nodes)) == len(nodes)


def test_parameters_and_constants_stay_in_the_main_graph_once() -> None:
    program = specc.compile(SETTLE)
    main, *inner = graphs(program.onnx().graph)
    names = [t.name for t in main.initializer if not t.name.startswith("const/")]
    assert sorted(names) == sorted(p.name for p in program.network.parameters)
    assert inner
    assert not any(graph.initializer for graph in inner)


def test_sizes_of_the_inputs_are_computed_before_the_loops() -> None:
    text = """
net Sized(x: [N, T]) -> [N, T] {
    while sum(abs(x)) > 1 { x = (x |> reshape([T * N]) |> reshape([N, T])) / 2 + zeros(N, T) }
    return x
}"""
    model = specc.compile(text).onnx()
    main, body = graphs(model.graph)
    assert "Shape" in [node.op_type for node in main.node]
    assert "Shape" not in [node.op_type for node in body.node]
    x = np.random.default_rng(0).standard_normal((3, 5)).astype(np.float32)
    (y,) = answers(model, x=x).values()
    expected = x
    while np.abs(expected).sum() > 1:
        expected = expected / 2
    assert np.allclose(y, expected, rtol=1e-6)


def test_values_in_a_body_have_types_and_the_nodes_their_places() -> None:
    program = specc.compile(FIXED_HIDDEN)
    model = program.onnx()
    (body,) = list(graphs(model.graph))[1:]
    (loop,) = [node for node in model.graph.node if node.op_type == "Loop"]
    spans = [
        {p.key: p.value for p in node.metadata_props}["specc.span"] for node in [loop, *body.node]
    ]
    assert spans[0] == "<text>:9:5"
    assert set(spans[1:]) == {"<text>:9:11", "<text>:9:15", "<text>:10:13", "<text>:11:17"}
    typed = {value.name for value in (*body.value_info, *body.output)}
    assert {output for node in body.node for output in node.output} <= typed
    shapes = [
        [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in body.input
    ]
    assert ["N", 20] in shapes


def test_what_no_output_needs_is_left_out_of_a_body_too() -> None:
    text = """
net Idle(x: [N, 4]) -> [N, 4] {
    unused = Linear(4)
    while sum(abs(x)) > 1 {
        _idle = unused(x) |> softmax(dim=1)
        x = x / 2
    }
    return x
}"""
    program = specc.compile(text)
    model = program.onnx()
    assert "Softmax" not in operators(model)
    assert "Gemm" not in operators(model)
    assert [t.name for t in model.graph.initializer if not t.name.startswith("const/")] == []


def test_a_value_that_only_a_body_reads_is_kept() -> None:
    text = """
net Captured(x: [N, 4]) -> [N, 4] {
    slope = sigmoid(x) + 1
    while sum(abs(x)) > 1 { x = x / slope / 2 }
    return x
}"""
    model = specc.compile(text).onnx()
    assert "Sigmoid" in [node.op_type for node in model.graph.node]
    x = np.full((2, 4), 3, np.float32)
    (y,) = answers(model, x=x).values()
    expected, slope = x, 1 / (1 + np.exp(-x)) + 1
    while np.abs(expected).sum() > 1:
        expected = expected / slope / 2
    assert np.allclose(y, expected, rtol=1e-5)


def test_a_side_that_gives_what_is_outside_copies_it() -> None:
    """Also the same value twice, a parameter, and a constant."""
    text = """
net Outside(x: [N, 4], y: [N, 4]) -> ([N, 4], [N, 4], [4]) {
    param shift: [4] ~ normal
    c = full([4], 2)
    if sum(x) > sum(y) {
        a = x
        b = x
        c = shift
    } else {
        a = y
        b = x
    }
    return a, b, c
}"""
    program = specc.compile(text)
    model = program.onnx()
    onnx.checker.check_model(model, full_check=True)
    shift = dict(initial_values(program.network.parameters, 0))["shift"]
    x, y = np.ones((2, 4), np.float32), np.zeros((2, 4), np.float32)
    first = list(answers(model, x=x, y=y).values())
    second = list(answers(model, x=y, y=x).values())
    for found, wanted in ((first, (x, x, shift)), (second, (x, y, np.full(4, 2, np.float32)))):
        assert all(np.array_equal(a, b) for a, b in zip(found, wanted, strict=True))


def test_the_same_bytes_on_every_run() -> None:
    program = specc.compile(SETTLE)
    assert program.onnx().SerializeToString() == program.onnx().SerializeToString()
    again = specc.Program.from_json(program.to_json())
    assert again.onnx().SerializeToString() == program.onnx().SerializeToString()


def test_a_tied_weight_in_a_loop_is_one_initializer() -> None:
    text = """
net Tied(x: [N, 4]) -> [N, 4] {
    step = Linear(4, bias=false)
    x = step(x)
    back = Linear(4, bias=false, weight=step.weight)
    while sum(abs(x)) > 1 { x = tanh(back(step(x))) / 2 }
    return x
}"""
    model = specc.compile(text).onnx()
    names = [t.name for t in model.graph.initializer if not t.name.startswith("const/")]
    assert names == ["step.weight"]
    assert operators(model).count("Gemm") + operators(model).count("MatMul") == 3


# ---- depth ---------------------------------------------------------------------------------------


def _deeply(levels: int) -> str:
    """Branches in one another, across blocks, since a text may not nest so deep itself."""
    text = f"net Deep(x: [N]) -> [N] {{ x |> B{levels - 1} }}\n"
    text += "block B0(x: [N]) -> [N] { if sum(x) > 0 { x = x + 1 }\n x }\n"
    for level in range(1, levels):
        text += f"""block B{level}(x: [N]) -> [N] {{
    inner = B{level - 1}()
    if sum(x) > {level} {{ x = inner(x) }}
    x
}}
"""
    return text


def test_the_deepest_graph_loads_and_one_more_level_is_refused() -> None:
    model = specc.compile(_deeply(MAX_DEPTH)).onnx()
    onnx.checker.check_model(model.SerializeToString())
    (y,) = answers(model, x=np.full(2, 50, np.float32)).values()
    assert np.array_equal(y, np.full(2, 51, np.float32))
    with pytest.raises(SpecError) as caught:
        specc.compile(_deeply(MAX_DEPTH + 1)).onnx()
    (found,) = caught.value.diagnostics
    assert found.code == "target-unsupported"
    assert found.primary is not None


# ---- training and buffers ------------------------------------------------------------------------

RUNNING = """
block RunningMean(momentum = 0.1)(x: [N, C]) -> [N, C] {
    buffer average: [C] ~ uniform(1, 2)
    if CONDITION { average = (1 - momentum) * average + momentum * mean(x, dim=0) }
    return x - average
}
net Running(x: [N, 4]) -> [N, 4] { x |> a: RunningMean |> b: RunningMean(0.2) }
"""


@pytest.mark.parametrize(
    "condition",
    ["training", "training and mean(x) > 0", "mean(x) > 0 and training", "not (not training)"],
)
def test_a_branch_for_training_is_not_in_the_graph(condition: str) -> None:
    program = specc.compile(RUNNING.replace("CONDITION", condition))
    model = program.onnx()
    assert operators(model) == ["Sub", "Sub"]
    averages = dict(initial_values(program.network.parameters, 0))
    x = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    (y,) = answers(model, x=x).values()
    assert np.allclose(y, x - averages["a.average"] - averages["b.average"])


def test_what_is_for_inference_alone_is_in_the_graph() -> None:
    text = """
net Sharpened(x: [N, 4]) -> [N, 4] {
    if not training or sum(x) > 0 { x = x * 3 }
    while training { x = x + 1 }
    return x
}"""
    model = specc.compile(text).onnx()
    assert operators(model) == ["Mul"]
    (y,) = answers(model, x=np.ones((1, 4), np.float32)).values()
    assert np.array_equal(y, np.full((1, 4), 3, np.float32))


@pytest.mark.parametrize("condition", ["mean(x) > 0", "not training", "training or mean(x) > 0"])
def test_a_buffer_that_inference_sets_is_refused_at_its_place(condition: str) -> None:
    program = specc.compile(RUNNING.replace("CONDITION", condition))
    with pytest.raises(SpecError) as caught:
        program.onnx()
    (found,) = caught.value.diagnostics
    assert found.code == "target-unsupported"
    assert found.message == "setting a buffer at 'a.average' cannot be written in ONNX"
    assert found.primary is not None
    assert program.sources.text(found.primary.span) == "average"


def test_a_buffer_that_a_loop_sets_is_refused() -> None:
    text = """
net Counting(x: [N]) -> [N] {
    buffer count: [] ~ zeros
    while sum(x) > 0 {
        count = count + 1
        x = x - 1
    }
    return x
}"""
    with pytest.raises(SpecError, match="setting a buffer at 'count'"):
        specc.compile(text).onnx()
