"""Shapes and dtypes: what is known, what stays open, and what contradicts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.elaborate.specs import agrees, errors, inputs, net, results, sound


def constraints(text: str, **sizes: int) -> set[str]:
    program = sound(text, sizes)
    return {f"{c.left} {c.relation} {c.right}" for c in program.network.constraints}


def block(header: str, body: str = "x") -> str:
    return f"block B{header} {{ {body} }}\n"


# ---- dims of inputs ------------------------------------------------------------------------------


def test_names_that_nothing_bears_are_open_sizes() -> None:
    program = sound(net("x * 2", "(x: [N, T, 4])"))
    assert program.inputs[0].dims == ("N", "T", 4)
    assert program.outputs[0].dims == ("N", "T", 4)


def test_a_name_that_a_hyperparameter_bears_is_its_value() -> None:
    assert sound(net("x", "(d = 3)(x: [N, d])")).inputs[0].dims == ("N", 3)


def test_a_hyperparameter_that_is_no_size_is_no_dim() -> None:
    assert errors(net("x", "(d = 2.5)(x: [N, d])")) == [("wrong-type", "d")]
    assert errors(net("x", "(x: [N, 4], y: [N, x])")) == [("wrong-type", "x")]


def test_a_dim_may_be_called_as_a_definition_is() -> None:
    text = "block D(x: [N, C]) -> [N, C] { x }\n" + net("x * 2", "(x: [N, D])")
    assert sound(text).inputs[0].dims == ("N", "D")


def test_dims_are_computed(tmp_path: Path) -> None:
    program = sound(net("x * 2", "(x: [N, 2*H, H + 1], y: [H]) -> [N, 2*H, H + 1]"))
    assert program.inputs[0].dims == ("N", "2*H", "H + 1")
    agrees(program, tmp_path)


@pytest.mark.parametrize(
    ("dim", "found"),
    [
        ("_", "wrong-type"),
        ("...", "wrong-type"),
        ('"a"', "wrong-type"),
        ("foo(3)", "unknown-name"),
        ("2 - 3", "bad-value"),
        ("7 / 2", "bad-value"),
        ("10000000000000000000", "limit-exceeded"),
    ],
)
def test_a_dim_of_a_net_is_a_size_or_a_name(dim: str, found: str) -> None:
    assert [code for code, _ in errors(net("x", f"(x: [N, {dim}])"))] == [found]


def test_an_unknown_dtype_is_named() -> None:
    assert errors(net("x", "(x: f33[N])")) == [("unknown-name", "f33")]


# ---- headers of blocks ---------------------------------------------------------------------------


def test_a_symbolic_size_is_an_int_where_its_value_is_known() -> None:
    text = block("(x: [N, C]) -> [N, 3*C]", "if C == 4 { x = relu(x) }\n x |> Linear(3 * C)")
    assert sound(text + net("x |> B")).outputs[0].dims == ("N", 12)


def test_a_name_is_the_same_size_everywhere() -> None:
    text = block("(a: [N, D], b: [N, D]) -> [N, D]", "a + b")
    sound(text + net("B(x, x)"))
    assert errors(text + net("B(x, x |> Linear(3))")) == [("type-mismatch", "B(x, x |> Linear(3))")]


def test_open_sizes_that_must_be_equal_are_a_constraint() -> None:
    text = block("(a: [N, D], b: [N, D]) -> [N, D]", "a * 1")
    found = constraints(text + net("B(x, y)", "(x: [N, S], y: [N, T])"))
    assert found in ({"S == T"}, {"T == S"})


def test_a_certain_contradiction_is_an_error() -> None:
    text = block("(x: [N, 2*C])")
    assert errors(text + net("x |> B", "(x: [N, 5])")) == [("type-mismatch", "B")]
    text = block("(a: [T], b: [T + 1])", "a")
    assert errors(text + net("B(x, x)", "(x: [K])")) == [("type-mismatch", "B(x, x)")]


@pytest.mark.parametrize(
    ("dim", "size", "worth"),
    [
        ("C", "6", 6),
        ("2*C", "6", 3),
        ("C*2", "6", 3),
        ("C + 2", "6", 4),
        ("2*C + 2", "6", 2),
        ("C - 1", "6", 7),
        ("8 - C", "6", 2),
        ("C / 2", "6", 12),
    ],
)
def test_a_dim_is_solved_for_its_one_name(dim: str, size: str, worth: int) -> None:
    text = block(f"(x: [N, {dim}]) -> [N, C]", "x |> Linear(C)")
    assert sound(text + net("x |> B", f"(x: [N, {size}])")).outputs[0].dims == ("N", worth)


@pytest.mark.parametrize("dim", ["2*C", "C + 9", "4 - C"])
def test_a_dim_that_no_size_solves_is_an_error(dim: str) -> None:
    text = block(f"(x: [N, {dim}])")
    assert errors(text + net("x |> B", "(x: [N, 5])")) == [("type-mismatch", "B")]


@pytest.mark.parametrize("dim", ["C*C", "C // 2", "C % 2", "C + D"])
def test_a_dim_that_cannot_be_solved_says_so(dim: str) -> None:
    assert errors(block(f"(x: [N, {dim}])") + net("x |> B")) == [("bad-value", dim)]


def test_an_open_size_is_halved_under_the_condition_that_it_is_even(tmp_path: Path) -> None:
    text = block("(x: [N, 2*C]) -> [N, C]", "x[:, :C] * 2")
    program = sound(text + net("x |> B", "(x: [N, T]) -> [N, T/2]"))
    assert program.outputs[0].dims == ("N", "T // 2")
    with pytest.raises(ValueError, match="divisible"):
        program.module()(torch.zeros(2, 5))
    agrees(program, tmp_path)


def test_any_dims_and_leading_dims() -> None:
    centered = "block Centered(x: [...]) = x - mean(x)\n"
    assert sound(centered + net("x |> Centered", "(x: [N, 3, 4])")).outputs[0].dims == ("N", 3, 4)
    text = block("(x: [..., D]) -> [..., 2*D]", "x |> Linear(2 * D)")
    assert sound(text + net("x |> B", "(x: [N, T, 4])")).outputs[0].dims == ("N", "T", 8)
    assert errors(block("(x: [A, ..., B, C])") + net("x |> B")) == [("type-mismatch", "B")]


def test_an_underscore_is_any_size() -> None:
    sound(block("(x: [_, _]) -> [_, 4]") + net("x |> B"))
    assert errors(block("(x: [_])") + net("x |> B")) == [("type-mismatch", "B")]


def test_a_dtype_is_held_to() -> None:
    assert errors(block("(x: i64[N, D])") + net("x |> B")) == [("type-mismatch", "B")]


def test_what_the_header_promises_is_checked_where_it_breaks() -> None:
    assert errors(net("x |> Linear(3)", "(x: [N, 4]) -> [N, 5]")) == [
        ("type-mismatch", "Linear(3)")
    ]
    assert errors(net("x |> relu", "(x: [N, 4]) -> [N]")) == [("type-mismatch", "relu")]
    assert errors(net("x", "(x: [N, 4]) -> ([N, 4], [N, 4])")) == [
        ("wrong-result-count", "[N, 4], [N, 4]")
    ]


def test_a_headers_names_mean_the_same_at_its_end() -> None:
    text = block("(x: [N, C]) -> [N, C]", "C = 8\n x |> Linear(C)")
    assert errors(text + net("x |> B")) == [("type-mismatch", "Linear(C)")]


# ---- conditions on open sizes --------------------------------------------------------------------


def test_an_assert_over_open_sizes_becomes_a_condition() -> None:
    text = net("assert T >= 3\nassert T % 2 == 0\nassert S != 3\nx", "(x: [N, T, S])")
    assert constraints(text, S=5) == {"T >= 3", "T - 2*(T // 2) == 0", "S != 3"}


def test_the_module_holds_to_it() -> None:
    module = sound(net("assert T >= 3\nx", "(x: [N, T])")).module()
    with pytest.raises(ValueError, match="T must be at least 3"):
        module(torch.zeros(1, 2))


def test_an_assert_that_is_certain_needs_no_condition() -> None:
    assert constraints(net("assert T >= 1\nassert 2 * T > T\nx", "(x: [N, T])")) == set()


def test_an_assert_that_fails_is_reported_at_the_use() -> None:
    text = block("(x: [N, C])", 'assert C % 3 == 0, "width {C} is no multiple of 3"\n x')
    assert errors(text + net("x |> B")) == [("assertion-failed", "B")]
    assert errors(net("assert 1 > 2\nx")) == [("assertion-failed", "1 > 2")]


def test_a_layer_that_needs_room_says_how_much(tmp_path: Path) -> None:
    program = sound(net("x |> Conv(2, 5) |> MaxPool(2)", "(x: [N, 1, H, W])"), {"H": 9, "W": 8})
    assert program.outputs[0].dims == ("N", 2, "H // 2 - 2", "W // 2 - 2")
    with pytest.raises(ValueError, match="H"):
        program.module()(torch.zeros(1, 1, 4, 9))
    agrees(program, tmp_path)


def test_a_condition_on_an_open_size_does_not_choose_a_branch() -> None:
    assert errors(net("if T == 3 { x = x * 2 }\nx", "(x: [N, T])")) == [
        ("undecided-condition", "T == 3")
    ]
    assert errors(net("x * (1 if [T] == [3] else 2)", "(x: [N, T])")) == [
        ("undecided-condition", "[T] == [3]")
    ]


def test_an_open_size_can_be_no_width() -> None:
    assert errors(net("x |> Linear(3)", "(x: [N, T])")) == [("unknown-size", "Linear(3)")]
    assert errors(net("param w: [T] ~ ones\nx * w", "(x: [N, T])")) == [("unknown-size", "T")]


# ---- broadcasting and dtypes ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "result"),
    [
        ("[N, 4]", "[4]", ("N", 4)),
        ("[N, 4]", "[N, 1]", ("N", 4)),
        ("[N, 1, T]", "[S, 1]", ("N", "S", "T")),
        ("[N]", "[]", ("N",)),
        ("[3, 1]", "[1, 4]", (3, 4)),
    ],
)
def test_sizes_broadcast(left: str, right: str, result: tuple[object, ...], tmp_path: Path) -> None:
    program = sound(net("x + y", f"(x: {left}, y: {right})"))
    assert program.outputs[0].dims == result
    agrees(program, tmp_path)


def test_different_sizes_do_not_broadcast() -> None:
    assert errors(net("x + y", "(x: [N, 4], y: [N, 3])")) == [("shape-mismatch", "x + y")]


@pytest.mark.parametrize("sign", ["+", "*", "/", "//", "%", "**", "<", "=="])
@pytest.mark.parametrize(("left", "right"), [("i64", "f32"), ("f16", "f32"), ("i32", "i64")])
def test_dtypes_are_promoted_as_in_pytorch(sign: str, left: str, right: str) -> None:
    program = sound(net(f"x {sign} y", f"(x: {left}[3], y: {right}[3])"))
    x, y = (tensor.abs() + 1 for tensor in inputs(program))
    expected = eval(f"x {sign} y")
    (found,) = results(program.module(), x, y)
    assert found.dtype is expected.dtype
    torch.testing.assert_close(found, expected)


def test_the_casts_of_a_promotion_are_explicit() -> None:
    program = sound(net("x + y", "(x: i64[3], y: f32[3])"))
    operators = [node.operator for node in program.network.templates[0].body.nodes]
    assert operators == ["cast", "add"]


@pytest.mark.parametrize("dtype", ["f16", "f32", "f64"])
def test_a_literal_takes_the_dtype_of_the_tensor_that_it_meets(dtype: str) -> None:
    assert sound(net("1 - x * 2.5", f"(x: {dtype}[3])")).outputs[0].dtype == dtype


def test_an_int_literal_keeps_an_int_tensor() -> None:
    assert sound(net("x * 2 + 1", "(x: i64[3])")).outputs[0].dtype == "i64"


def test_a_size_is_a_number_in_the_graph(tmp_path: Path) -> None:
    program = sound(net("x / T + T", "(x: [N, T])"))
    x = torch.ones(2, 5)
    torch.testing.assert_close(results(program.module(), x)[0], x / 5 + 5)
    agrees(program, tmp_path)


def test_a_tensor_is_taken_apart_along_a_known_dim(tmp_path: Path) -> None:
    program = sound(net("a, b = x\na - b", "(x: [2, N])"))
    agrees(program, tmp_path)
    assert errors(net("a, b = x\na - b", "(x: [3, N])")) == [("wrong-result-count", "x")]
    assert errors(net("a, b = x\na - b", "(x: [N, 2])")) == [("unknown-size", "x")]
