"""Constructors, layers, lists and tuples of layers: what is fresh and what is the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.elaborate.specs import agrees, errors, inputs, names, net, results, sound

NORMED = "block Normed(norm = BatchNorm)(x: [N, D]) -> [N, D] { x |> norm |> relu |> norm }\n"


def weights(text: str) -> list[str]:
    return [name for name in names(sound(text)) if name.endswith("weight")]


# ---- fresh or the same ---------------------------------------------------------------------------


def test_every_evaluation_of_a_constructor_is_a_fresh_layer() -> None:
    text = net("for i in 0..3 {\nx = x |> Linear(4)\n}\nx")
    assert weights(text) == ["linear1.weight", "linear2.weight", "linear3.weight"]


def test_a_bare_constructor_is_called_afresh_at_each_place() -> None:
    assert weights(net("x |> LayerNorm |> LayerNorm")) == [
        "layer_norm1.weight",
        "layer_norm2.weight",
    ]


def test_a_constructor_that_is_handed_over_makes_fresh_layers() -> None:
    text = NORMED + net("x |> Normed(norm=LayerNorm)")
    assert weights(text) == ["normed1.layer_norm1.weight", "normed1.layer_norm2.weight"]


def test_a_layer_that_is_handed_over_is_shared() -> None:
    text = NORMED + net("x |> Normed(norm=LayerNorm())")
    assert weights(text) == ["normed1.norm.weight"]


def test_a_default_constructor_makes_fresh_layers() -> None:
    assert weights(NORMED + net("x |> Normed")) == [
        "normed1.batch_norm1.weight",
        "normed1.batch_norm2.weight",
    ]


def test_a_function_of_constructors_makes_a_fresh_layer_at_each_call() -> None:
    text = "def dense(n) = [Linear(n), relu]\n" + net("x |> dense(8) |> dense(4)")
    assert weights(text) == ["sequential1.0.weight", "sequential2.0.weight"]


def test_applying_and_piping_are_the_same() -> None:
    assert weights(net("Linear(8)(x)")) == weights(net("x |> Linear(8)"))
    module = sound(net("softmax(x, dim=1)")).module()
    other = sound(net("x |> softmax(dim=1)")).module()
    x = torch.randn(3, 4)
    assert torch.equal(results(module, x)[0], results(other, x)[0])


# ---- lists ---------------------------------------------------------------------------------------


def test_a_list_applies_its_members_in_order() -> None:
    module = sound(net("x |> body: [Linear(8), relu, Linear(4)]")).module()
    assert isinstance(module.body, nn.Sequential)
    x = torch.randn(3, 4)
    assert torch.equal(results(module, x)[0], module.body[2](F.relu(module.body[0](x))))


def test_an_empty_list_gives_back_its_input() -> None:
    program = sound(net("x |> []"))
    x = torch.randn(3, 4)
    assert torch.equal(results(program.module(), x)[0], x)


def test_a_star_unpacks_a_list_into_another() -> None:
    text = net("inner = [Linear(8), relu]\nx |> body: [*inner, Linear(4)]")
    assert weights(text) == ["body.0.weight", "body.2.weight"]


def test_a_plus_joins_lists() -> None:
    assert weights(net("x |> ([Linear(8)] + [relu, Linear(4)])")) == [
        "sequential1.0.weight",
        "sequential1.2.weight",
    ]


def test_a_member_is_repeated_by_a_for() -> None:
    text = net("x |> body: [Linear(4 + i) for i in 0..3]")
    program = sound(text)
    assert [layer.out_features for layer in program.module().body] == [4, 5, 6]


def test_an_unpacked_list_is_made_afresh_in_each_round() -> None:
    text = net("x |> body: [*[Linear(4), relu] for i in 0..2]")
    assert weights(text) == ["body.0.weight", "body.2.weight"]


def test_a_member_is_repeated_by_nested_fors() -> None:
    text = net("x |> body: [Linear(10 * a + b) for a in 1..3 for b in 0..a]")
    widths = [layer.out_features for layer in sound(text).module().body]
    assert widths == [10, 20, 21]


@pytest.mark.parametrize(("norm", "kinds"), [("true", 3), ("false", 2)])
def test_a_condition_leaves_a_member_out(norm: str, kinds: int) -> None:
    module = sound(net(f"x |> body: [Linear(8), LayerNorm if {norm}, relu]")).module()
    assert len(module.body) == kinds


def test_a_condition_stands_before_the_for() -> None:
    module = sound(net("x |> body: [Linear(4 + i) if i % 2 == 0 for i in 0..4]")).module()
    assert [layer.out_features for layer in module.body] == [4, 6]


def test_lists_nest() -> None:
    text = net("x |> body: [[Linear(8), relu], head: [Linear(4)]]")
    assert weights(text) == ["body.0.0.weight", "body.head.0.weight"]
    module = sound(text).module()
    assert isinstance(module.body[0], nn.Sequential)


def test_a_point_free_block_has_the_positions_of_its_list() -> None:
    text = (
        "block Vgg(convs: int, channels: int) =\n"
        "    [*[Conv(channels, 3, padding=1), relu] for i in 0..convs, MaxPool(2)]\n"
        "net A(x: [N, 3, 8, 8]) -> [N, 6, 2, 2] { x |> Vgg(2, 5) |> Vgg(1, 6) }"
    )
    assert weights(text) == ["vgg1.0.weight", "vgg1.2.weight", "vgg2.0.weight"]


def test_a_list_of_numbers_is_no_layer() -> None:
    assert errors(net("x |> [1, 2]")) == [("not-a-layer", "1"), ("not-a-layer", "2")]


# ---- tuples --------------------------------------------------------------------------------------


def test_a_tuple_gives_each_of_its_layers_the_same_input(tmp_path: Path) -> None:
    text = (
        "net A(x: [N, 3, 8, 8]) -> [N, 11, 8, 8] {\n"
        " x |> (a: Conv(8, 1), b: MaxPool(3, stride=1, padding=1)) |> concat(dim=1)\n}"
    )
    program = sound(text)
    module, (x,) = program.module(), inputs(program)
    expected = torch.cat([module.a(x), F.max_pool2d(x, 3, 1, 1)], dim=1)
    torch.testing.assert_close(results(module, x)[0], expected)
    agrees(program, tmp_path)


def test_a_stage_with_several_results_feeds_them_all_to_the_next(tmp_path: Path) -> None:
    text = (
        "block Two(x: [N, D]) -> ([N, D], [N, 3]) { return relu(x), x |> Linear(3) }\n"
        "block Join(a: [N, D], b: [N, E]) -> [N, D + E] { (a, b) |> concat(dim=1) }\n"
    )
    program = sound(text + net("x |> Two |> Join", "(x: [N, 4]) -> [N, 7]"))
    agrees(program, tmp_path)


def test_several_results_are_taken_apart_and_named() -> None:
    text = "block Two(x: [N, D]) -> ([N, D], [N, 3]) { return x, x |> Linear(3) }\n"
    header = "(x: [N, 4]) -> (wide: [N, 4], narrow: [N, 3])"
    program = sound(text + net("a, b = Two(x)\nreturn relu(a), b", header))
    assert [port.name for port in program.outputs] == ["wide", "narrow"]


def test_a_tuple_stands_within_a_list() -> None:
    text = net("x |> [(Linear(2), Linear(3)), concat(dim=1)]")
    assert weights(text) == ["sequential1.0.0.weight", "sequential1.0.1.weight"]


def test_two_inputs_are_fed_by_a_tuple() -> None:
    program = sound(net("(x, y) |> concat(dim=1)", "(x: [N, 4], y: [N, 2]) -> [N, 6]"))
    assert [port.name for port in program.inputs] == ["x", "y"]


def test_a_reserved_word_names_an_argument_of_an_operator() -> None:
    program = sound(net("x |> PReLU(init=0.5)"))
    (slope,) = program.module().parameters()
    assert slope.tolist() == [0.5]


# ---- calls ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("x |> Linear", ("missing-argument", "Linear")),
        ("x |> Linear(4, true, 6)", ("too-many-arguments", "6")),
        ("x |> Linear(4, width=5)", ("unknown-argument", "width=5")),
        ("x |> Linear(4, features=5)", ("repeated-argument", "features=5")),
        ("x |> 3", ("not-a-layer", "3")),
        ("3 |> relu", ("wrong-type", "relu")),
        ("x(x)", ("not-a-layer", "x(x)")),
        ("h = Linear(4)\nh(3)", ("not-a-layer", "h(3)")),
        ("h = Linear(4)\nh(x, 3)", ("wrong-type", "3")),
        ("h = Linear(4)\nh(x, weight ~ zeros)", ("wrong-type", "weight ~ zeros")),
        ("x |> Linear(4, wieght ~ zeros)", ("unknown-argument", "wieght ~ zeros")),
        ("x |> Linear(4, bias=false, bias ~ zeros)", ("unknown-argument", "bias ~ zeros")),
        ("x |> relu(weight ~ zeros)", ("unknown-argument", "weight ~ zeros")),
        ("(x, x) |> Linear(4)", ("wrong-input-count", "Linear(4)")),
    ],
)
def test_a_wrong_call_is_answered_at_its_place(body: str, found: tuple[str, str]) -> None:
    assert errors(net(body)) == [found]


# ---- blocks within blocks ------------------------------------------------------------------------

SKIP = "block Skip(inner: layer)(x: [N, D]) -> [N, D] { x + (x |> inner) }\n"


def test_a_block_may_be_handed_to_another_of_its_kind(tmp_path: Path) -> None:
    text = SKIP + net("x |> Skip([Linear(4), Skip(Skip(Linear(4)))])")
    assert weights(text) == ["skip1.inner.0.weight", "skip1.inner.1.inner.inner.weight"]
    agrees(sound(text), tmp_path)


@pytest.mark.parametrize(
    "definitions",
    [
        "block B(x: [N, D]) -> [N, D] { x |> B }",
        "block B(x: [N, D]) -> [N, D] { x |> B() }",
        "block B(n = 0)(x: [N, D]) -> [N, D] { x |> B(n + 1) }",
        "block B(x: [N, D]) -> [N, D] { x |> C }\nblock C(x: [N, D]) -> [N, D] { x |> [B()] }",
        SKIP + "block B(x: [N, D]) -> [N, D] { x |> Skip(B()) }",
    ],
)
def test_a_block_that_makes_itself_is_refused(definitions: str) -> None:
    assert [code for code, _ in errors(f"{definitions}\n" + net("x |> B"))] == ["recursive-block"]
