"""Inputs that may be left out: in blocks by each use, in a net from outside."""

from __future__ import annotations

import re
from pathlib import Path

import onnxruntime
import pytest
import torch
import torch.nn.functional as F

import specc
from tests.elaborate.specs import agrees, diagnostic, errors, net, results, sound

SCALED = """
block Scaled(by = 1)(x: [N, D], scale: [D] = none, shift: [D] = none) -> [N, D] {
    if scale != none { x = x * scale }
    if shift != none { x = x + shift }
    return x * by
}
"""
HEADER = "(x: [N, 4], s: [4], t: [4])"
X, S, T = torch.randn(3, 4), torch.randn(4), torch.randn(4)

ATTENTION = """
block Heads(heads: int)(x: [N, T, D], mask: bool[N, 1, 1, T] = none) -> [N, T, D] {
    q, k, v = x |> qkv: Linear(3 * D) |> rearrange("n t (s h d) -> s n h t d", s=3, h=heads)
    y = attention(q, k, v, mask=mask, causal=mask == none)
    return y |> rearrange("n h t d -> n t (h d)") |> proj: Linear(D)
}
net A(x: [N, T, 8], mask: bool[N, 1, 1, T] = none) -> [N, T, 8] {
    y = Heads(2)(x, mask=mask)
    return (y, mask) |> Heads(4)
}
"""


def given(body: str) -> torch.Tensor:
    (result,) = results(sound(SCALED + net(body, HEADER)).module(), X, S, T)
    return result


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("x |> Scaled", X),
        ("(x, s) |> Scaled", X * S),
        ("(x, s, t) |> Scaled", X * S + T),
        ("(x, none, t) |> Scaled", X + T),
        ("Scaled(2)(x)", 2 * X),
        ("Scaled(2)(x, s)", 2 * X * S),
        ("Scaled(2)(x, none, t)", 2 * (X + T)),
        ("Scaled(2)(x, shift=t)", 2 * (X + T)),
        ("Scaled(2)(x, shift=t, scale=s)", 2 * (X * S + T)),
        ("Scaled(2)(x, scale=none)", 2 * X),
        ("Scaled(x, 2)", 2 * X),
        ("Scaled(x, s, 2, shift=t)", 2 * (X * S + T)),
    ],
)
def test_each_use_says_which_it_gives(use: str, expected: torch.Tensor) -> None:
    torch.testing.assert_close(given(f"({use}) + 0 * s + 0 * t"), expected)


def test_what_is_left_out_leaves_no_trace_in_the_source() -> None:
    source = specc.compile(SCALED + net("x |> Scaled")).python()
    assert "def forward(self, x):" in source
    assert not re.search(r"\b(scale|shift|None)\b", source)


def test_uses_that_give_different_inputs_are_classes_of_their_own() -> None:
    program = sound(SCALED + net("Scaled()(x) + Scaled()(x, s) + Scaled()(x, t) + s + t", HEADER))
    assert sum(t.name == "Scaled" for t in program.network.templates) == 2


def test_a_shared_layer_is_given_the_same_inputs_at_each_place() -> None:
    body = "b = Scaled()\n(x |> b) + b(x, s) + t"
    assert [code for code, _ in errors(SCALED + net(body, HEADER))] == ["bad-sharing"]


def test_a_list_hands_them_to_its_first_member() -> None:
    torch.testing.assert_close(
        given("((x, none, t) |> [Scaled(2), relu]) + s * 0"), F.relu(2 * (X + T))
    )


def test_an_operator_takes_none_for_its_optional_input() -> None:
    body = "q = x |> unsqueeze(1)\ny = (q, q, q, mask) |> attention\nreturn y"
    program = sound(net(body, "(x: [N, T, 4], mask: bool[N, 1, T, T] = none)"))
    x = torch.randn(2, 3, 4)
    (y,) = results(program.module(), x)
    q = x.unsqueeze(1)
    torch.testing.assert_close(y, F.scaled_dot_product_attention(q, q, q))


@pytest.mark.parametrize(
    ("use", "found"),
    [
        ("Scaled(2, shift=t)(x)", ("wrong-type", "shift=t")),
        ("x |> Scaled(2, shift=t)", ("wrong-type", "shift=t")),
        ("Scaled(2)(x, s, scale=s)", ("repeated-argument", "scale=s")),
        ("Scaled(2)(x, scale=3)", ("wrong-type", "scale=3")),
        ("Scaled(2)(x, sacle=s)", ("wrong-type", "sacle=s")),
        ("Scaled(2)(x, 3)", ("wrong-type", "3")),
        ("(x, s, t, s) |> Scaled", ("wrong-input-count", "Scaled")),
        ("(none, s) |> Scaled", ("wrong-input-count", "Scaled")),
        ("(none, x) |> matmul", ("wrong-type", "matmul")),
    ],
)
def test_what_cannot_be_given_is_refused_where_it_stands(use: str, found: tuple[str, str]) -> None:
    assert errors(SCALED + net(f"y = {use}\nreturn y", HEADER)) == [found]


def test_the_count_says_how_many_there_may_be() -> None:
    found = diagnostic(SCALED + net("(x, s, t, s) |> Scaled", HEADER))
    assert "takes 1 to 3 tensors, not 4" in found.message


@pytest.mark.parametrize("kind", ["block", "net"])
def test_an_input_has_no_other_default(kind: str) -> None:
    text = f"{kind} B(x: [N, D], y: [N, D] = 3) -> [N, D] {{ x }}\n" + net("x")
    assert errors(text, net="A") == [("wrong-type", "3")]


# ---- a net ---------------------------------------------------------------------------------------


def heads(wanted: list[str]) -> specc.Program:
    return sound(ATTENTION, inputs=wanted)


def test_a_net_leaves_them_out_unless_they_are_asked_for() -> None:
    assert [port.name for port in heads([]).inputs] == ["x"]
    assert [port.name for port in heads(["mask"]).inputs] == ["x", "mask"]


def test_an_input_that_is_always_there_may_be_asked_for() -> None:
    assert [port.name for port in heads(["x"]).inputs] == ["x"]


def test_the_parameters_are_the_same_with_and_without() -> None:
    without, within = heads([]).module(seed=3), heads(["mask"]).module(seed=3)
    within.load_state_dict(without.state_dict(), strict=True)


def test_they_decide_what_is_computed(tmp_path: Path) -> None:
    x = torch.randn(2, 5, 8)
    mask = torch.ones(2, 1, 1, 5, dtype=torch.bool)
    (causal,) = results(heads([]).module(seed=1), x)
    (everything,) = results(heads(["mask"]).module(seed=1), x, mask)
    assert not torch.allclose(causal, everything)
    mask[:, :, :, 3:] = False
    (masked,) = results(heads(["mask"]).module(seed=1), x, mask)
    changed = x.clone()
    changed[:, 4] += 1
    (other,) = results(heads(["mask"]).module(seed=1), changed, mask)
    torch.testing.assert_close(masked[:, :3], other[:, :3])


@pytest.mark.parametrize("wanted", [[], ["mask"]])
def test_the_onnx_file_has_the_inputs_that_the_net_has(wanted: list[str], tmp_path: Path) -> None:
    program = heads(wanted)
    agrees(program, tmp_path)
    session = onnxruntime.InferenceSession(tmp_path / "x.onnx")
    assert [value.name for value in session.get_inputs()] == ["x", *wanted]


def test_a_json_network_keeps_the_choice() -> None:
    program = heads(["mask"])
    assert specc.Program.from_json(program.to_json()).inputs == program.inputs


def test_one_that_is_not_there_is_refused_with_the_nearest() -> None:
    found = diagnostic(ATTENTION, inputs=["maks"])
    assert found.code == "unknown-argument"
    assert "A has no input 'maks'" in found.message
    assert found.help == "did you mean 'mask'?"


@pytest.mark.parametrize("wanted", ["mask", [3], 3])
def test_the_names_are_a_list_of_strings(wanted: object) -> None:
    with pytest.raises(TypeError, match="inputs is a list of names"):
        specc.compile(ATTENTION, inputs=wanted)  # type: ignore[arg-type]
