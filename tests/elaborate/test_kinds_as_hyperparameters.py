"""Constructors, layers, functions and nets handed to blocks, and to a net from outside."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

import specc
from specc.compiler import compile_network
from tests.elaborate.specs import agrees, names, net, results, sound

TEXT = """
block Unit(width: int, norm = BatchNorm, act = gelu)(x: [N, D]) -> [N, width] {
    x |> fc: Linear(width) |> norm: norm |> act
}
net A(norm = BatchNorm, act = relu)(x: [N, 4]) -> [N, 3] {
    x |> Unit(8, norm=norm, act=act) |> Unit(3, norm, act)
}
"""


def kinds(*assignments: tuple[str, str]) -> set[str]:
    network = compile_network(TEXT, assignments=assignments).network
    return {p.layer for p in network.parameters}


def test_a_constructor_from_outside_makes_a_layer_at_each_place() -> None:
    assert kinds() == {"Linear", "BatchNorm"}
    assert kinds(("norm", "LayerNorm"), ("act", "tanh")) == {"Linear", "LayerNorm"}


def test_a_block_of_the_file_is_one_too() -> None:
    text = "block Scale(x: [N, D]) -> [N, D] {\n param scale: [D] ~ ones\n x * scale\n}\n" + TEXT
    network = compile_network(text, assignments=[("norm", "Scale")]).network
    assert {p.layer for p in network.parameters} == {"Linear", "Scale"}


def test_a_function_from_outside_is_what_is_computed() -> None:
    text = "net A(act = relu)(x: [N, 4]) -> [N, 4] { x |> act }"
    network = compile_network(text, assignments=[("act", "tanh")]).network
    assert [node.operator for node in network.templates[network.root].body.nodes] == ["tanh"]


@pytest.mark.parametrize(
    ("value", "code"),
    [("LayerNrm", "unknown-name"), ("3", "wrong-type"), ("LayerNorm(eps=1e-6)", "bad-sharing")],
)
def test_what_is_no_constructor_is_refused_where_it_is_given(value: str, code: str) -> None:
    with pytest.raises(specc.SpecError) as caught:
        compile_network(TEXT, assignments=[("norm", value)])
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert "--set norm" in str(caught.value)


OUTSIDE = """
device left = cpu
device right = cuda:0 | cpu
block Scale(x: [N, D]) -> [N, D] {
    param scale: [D] ~ ones
    x * scale
}
net A(norm = BatchNorm, act = relu, last = act, dt: dtype = f32, name = "out", on_ = left)(
        x: [N, 4]) -> [N, 4] {
    shift = full([4], 1, dtype=dt) |> cast(f32)
    (x |> norm |> act |> "{name}": Linear(4) on on_ |> last) + shift
}
"""


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"norm": "LayerNorm"}, "nn.LayerNorm(4)"),
        ({"norm": "Scale"}, "class Scale"),
        ({"norm": "LayerNorm(eps=1e-3)"}, "eps=0.001"),
        ({"act": "tanh"}, "torch.tanh"),
        ({"last": "gelu"}, "F.gelu"),
        ({"dt": "f64"}, "torch.float64"),
        ({"on_": "right"}, "self.right.device"),
        ({"name": "LayerNorm"}, "self.LayerNorm = nn.Linear(4, 4)"),
    ],
)
def test_python_gives_by_its_text_what_it_has_no_value_for(
    given: dict[str, str], shown: str
) -> None:
    """A string stays one where a string is wanted."""
    assert shown not in specc.compile(OUTSIDE).python()
    assert shown in specc.compile(OUTSIDE, hyperparameters=given).python()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("LayerNrm", "unknown-name"),
        ("3", "wrong-type"),
        ("cuda:1", "wrong-type"),
        ("Linear(", "unclosed-bracket"),
        ("", "syntax"),
    ],
)
def test_such_a_text_that_is_wrong_is_located(text: str, code: str) -> None:
    with pytest.raises(specc.SpecError) as caught:
        specc.compile(OUTSIDE, norm=text)
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert "--set norm" in str(caught.value)


STARTS = """
init positive(w: [...]) {
    w ~ normal
    return abs(w)
}
net A(start = normal, zero = zeros, given: initializer = eye, last = [relu])(x: [N, 4]) -> [N, 4] {
    x |> Linear(4, weight ~ start, bias ~ zero) |> Linear(4, weight ~ given, bias=false) |> last
}
"""


@pytest.mark.parametrize(
    ("given", "starts"),
    [
        ({}, ["normal", "zeros", "eye"]),
        ({"start": "uniform(0, 1)"}, ["uniform(a=0, b=1)", "zeros", "eye"]),
        ({"zero": "ones", "given": "orthogonal"}, ["normal", "ones", "orthogonal"]),
        ({"zero": "normal(std=0.1)"}, ["normal", "normal(std=0.1)", "eye"]),
        ({"start": "zeros", "given": "positive"}, ["zeros", "zeros", "positive"]),
    ],
)
def test_initializers_come_from_outside_too(given: dict[str, str], starts: list[str]) -> None:
    program = specc.compile(STARTS, hyperparameters=given)
    assert [p.initializer for p in program.parameters()] == starts
    behind_set = compile_network(STARTS, assignments=list(given.items())).network
    assert behind_set.parameters == program.network.parameters


@pytest.mark.parametrize("given", [{"start": "relu"}, {"zero": "LayerNorm"}, {"given": 3}])
def test_what_is_no_initializer_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(specc.SpecError, match=r"must be an initializer, not"):
        specc.compile(STARTS, hyperparameters=given)


def test_a_list_of_layers_comes_from_python_as_one_of_texts() -> None:
    program = specc.compile(STARTS, last=["Linear(8)", "tanh", "Linear(4, bias=false)"])
    assert names(program)[-3:] == ["last.0.weight", "last.0.bias", "last.2.weight"]
    with pytest.raises(specc.SpecError, match=r"unknown name 'tahn'"):
        specc.compile(STARTS, last=["tahn"])


def test_a_string_behind_set_is_no_such_text() -> None:
    with pytest.raises(specc.SpecError, match=r"norm must be a layer, not the string .LayerNorm"):
        compile_network(OUTSIDE, assignments=[("norm", '"LayerNorm"')])


def test_a_def_makes_layers_with_arguments_of_their_own() -> None:
    text = "def norm(width) = LayerNorm(eps=1e-6)\n" + net("x |> norm(4) |> Linear(3) |> norm(3)")
    shapes = [p.type.shape for p in sound(text).network.parameters if p.layer == "LayerNorm"]
    assert shapes == [(4,), (4,), (3,), (3,)]


def test_a_net_is_a_block_of_another(tmp_path: Path) -> None:
    text = "net Inner(x: [N, 4]) -> (a: [N, 3], b: [N, 4]) { return x |> fc: Linear(3), relu(x) }\n"
    text += (
        "net Outer(x: [N, 4], y: [N, 4]) -> (first: [N, 3], second: [N, 4]) {\n"
        " a, _b = x |> Inner\n _a, b = y |> Inner\n return a, b\n}\n"
    )
    program = sound(text, net="Outer")
    agrees(program, tmp_path)
    assert names(program)[::2] == ["inner1.fc.weight", "inner2.fc.weight"]
    assert [port.name for port in program.outputs] == ["first", "second"]
    x, y = torch.randn(2, 3, 4)
    module = program.module()
    state = module.state_dict()
    first, second = results(module, x, y)
    torch.testing.assert_close(
        first, F.linear(x, state["inner1.fc.weight"], state["inner1.fc.bias"])
    )
    torch.testing.assert_close(second, F.relu(y))
