"""What ``specc.op`` makes of a signature, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from onnx import helper

import specc
from specc.ir.types import parse_type
from specc.ops.apply import complete, infer, state_of
from specc.ops.arguments import number
from specc.ops.code import Attr, Infix, Lit, Operand, call
from specc.ops.operator import Operator


def anything(*x: torch.Tensor, **hyperparameters: Any) -> torch.Tensor:
    """Takes anything."""
    return x[0]


def narrow(x: torch.Tensor, gain: float) -> torch.Tensor:
    """Takes a gain."""
    return x * gain


def results(operator: Operator, *types: str, **arguments: Any) -> list[str]:
    applied = infer(operator, tuple(map(parse_type, types)), complete(operator, arguments))
    return [str(result) for result in applied.results]


@pytest.mark.parametrize(
    ("signature", "types", "arguments", "expected"),
    [
        ("f(x: [N, D]) -> [D, N]", ["f32[N, 3]"], {}, ["f32[3, N]"]),
        ("f(x: [..., D]) -> [..., 2 * D]", ["f16[N, T, 4]"], {}, ["f16[N, T, 8]"]),
        ("f(x: [N, ...]) -> [...]", ["f32[2, 3, 4]"], {}, ["f32[3, 4]"]),
        (
            "f(k: int)(x: [N, H]) -> [N, (H - k) // 2 + 1]",
            ["f32[N, H]"],
            {"k": 3},
            ["f32[N, (H - 3) // 2 + 1]"],
        ),
        ("f(x: [N], y: i64[N]) -> i64[N]", ["f64[4]", "i64[4]"], {}, ["i64[4]"]),
        ("f(x: i64[N]) -> [N]", ["i64[4]"], {}, ["f32[4]"]),
        ("f(k: int)(x: [N]) -> ([N, k], [k])", ["f64[N]"], {"k": 2}, ["f64[N, 2]", "f64[2]"]),
        ("f(x: [_, D], y: [D]) -> [D]", ["f32[N, 3]", "f32[3]"], {}, ["f32[3]"]),
    ],
)
def test_the_signature_is_the_shape_rule(
    signature: str, types: list[str], arguments: dict[str, Any], expected: list[str]
) -> None:
    operator = specc.op(signature, torch=anything)
    assert results(operator, *types, **arguments) == [str(parse_type(text)) for text in expected]


def test_state_has_shapes_and_initializers_of_the_arguments() -> None:
    operator = specc.op(
        "Scale(rank: int, affine = true)(x: [N, D]) -> [N, D]",
        torch=anything,
        state=[
            "param weight: [D, rank] ~ normal(0, std=1 / rank)",
            "param bias: [D] ~ zeros if affine else none",
            "buffer count: [1] ~ ones",
        ],
    )
    types = (parse_type("f32[N, 3]"),)
    for affine in (True, False):
        attributes = infer(
            operator, types, complete(operator, {"rank": 2, "affine": affine})
        ).attributes
        state = state_of(operator, attributes, types)
        assert [(s.slot.name, s.slot.role, str(s.type)) for s in state] == [
            ("weight", "parameter", "f32[3, 2]"),
            *([("bias", "parameter", "f32[3]")] if affine else []),
            ("count", "buffer", "f32[1]"),
        ]
        assert str(state[0].initializer) == "normal(mean=0, std=0.5)"


def test_an_expression_may_name_sizes_of_the_inputs() -> None:
    mean = Infix("/", call("torch.sum", Operand(0), dim=Lit(-1)), Attr("D"))
    operator = specc.op("f(x: [N, D]) -> [N]", torch=mean, summary="The mean of each row.")
    module = specc.compile("net A(x: [N, 4]) -> [N] { f(x) }", ops=[operator]).module()
    x = torch.randn(3, 4)
    torch.testing.assert_close(module(x), x.mean(-1))


def test_a_kind_narrows_what_an_argument_takes() -> None:
    operator = specc.op(
        "f(gain = 1.0)(x: [N]) -> [N]", torch=narrow, kinds={"gain": number(minimum=0.0)}
    )
    with pytest.raises(specc.SpecError, match="gain of f must be a number of at least 0"):
        specc.compile("net A(x: [N]) -> [N] { f(x, gain=-1) }", ops=[operator])


def test_the_summary_is_the_first_line_of_the_docstring() -> None:
    assert specc.op("f(gain = 1.0)(x: [N]) -> [N]", torch=narrow).summary == "Takes a gain."


def outer() -> Any:
    def inner(x: torch.Tensor) -> torch.Tensor:
        """One."""
        return x

    return inner


class Lying:
    """Says that it is another."""

    __module__ = "torch"
    __qualname__ = "relu"
    __name__ = "relu"

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return x


WRONG_PARTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "a lambda": ("f(x: [N]) -> [N]", {"torch": lambda x: x}, "cannot be imported by name"),
    "a local function": ("f(x: [N]) -> [N]", {"torch": outer()}, "cannot be imported by name"),
    "another's name": ("f(x: [N]) -> [N]", {"torch": Lying()}, "cannot be imported by name"),
    "no lowering": ("f(x: [N]) -> [N]", {}, "needs `torch`, a function, or `module`, a class"),
    "a text of code": ("f(x: [N]) -> [N]", {"torch": "torch.relu(x)"}, "no function of torch"),
    "another module's": ("f(x: [N]) -> [N]", {"torch": "os.system"}, "no function of torch"),
    "a missing argument": ("f(x: [N]) -> [N]", {"torch": narrow}, "narrow takes 'gain', and f has"),
    "too few tensors": (
        "f(x: [N], y: [N]) -> [N]",
        {"torch": outer},
        "outer does not take 2 tensors, and f has",
    ),
    "an argument too many": (
        "f(gain = 1.0, bias = 0.0)(x: [N]) -> [N]",
        {"torch": narrow},
        "narrow takes no 'bias', and f has one",
    ),
    "no result": ("f(x: [N])", {"torch": anything}, "has no result"),
    "an unknown size": ("f(x: [N]) -> [M]", {"torch": anything}, "'M' is no hyperparameter"),
    "an any size": ("f(x: [N]) -> [_]", {"torch": anything}, "a size that nothing gives"),
    "an any shape": ("f(x: [N]) -> [...]", {"torch": anything}, "a size that nothing gives"),
    "a division": ("f(x: [N]) -> [N / 2]", {"torch": anything}, "divided by `//`"),
    "no dtype": ("f(x: f33[N]) -> [N]", {"torch": anything}, "'f33' is no dtype"),
    "an untyped argument": ("f(a)(x: [N]) -> [N]", {"torch": anything}, "a has no type"),
    "an unknown kind": ("f(a: layer)(x: [N]) -> [N]", {"torch": anything}, "a is none of int"),
    "an optional input": (
        "f(x: [N] = none) -> [N]",
        {"torch": anything},
        "the input 'x' is written",
    ),
    "a const": (
        "f(x: [N]) -> [N]",
        {"torch": anything, "state": ["const a: [2] = 1"]},
        "state is written `param",
    ),
    "an unknown initializer": (
        "f(x: [N, D]) -> [N]",
        {"torch": anything, "state": ["param a: [D] ~ zeroes"]},
        "a starts by one of",
    ),
    "an unknown name": (
        "f(x: [N, D]) -> [N]",
        {"torch": anything, "state": ["param a: [D] ~ normal(std=s)"]},
        "a of f depends on 's', which is unknown",
    ),
    "a kind of nothing": (
        "f(x: [N]) -> [N]",
        {"torch": anything, "kinds": {"a": number()}},
        "f has no hyperparameter 'a'",
    ),
    "an ONNX attribute": (
        "f(x: [N]) -> [N]",
        {
            "torch": anything,
            "onnx": helper.make_function(
                "d", "F", ["x"], ["y"], [helper.make_node("Relu", ["x"], ["y"])], [], ["alpha"]
            ),
        },
        "F takes 'alpha', and f has none",
    ),
}


@pytest.mark.parametrize("name", WRONG_PARTS)
def test_parts_that_do_not_go_together_are_refused(name: str) -> None:
    signature, parts, says = WRONG_PARTS[name]
    with pytest.raises(ValueError, match=says):
        specc.op(signature, **parts)


def test_a_signature_that_does_not_parse_is_shown_where_it_is_wrong() -> None:
    with pytest.raises(specc.SpecError) as caught:
        specc.op("f(x: [N) -> [N]", torch=anything)
    (found,) = caught.value.diagnostics
    assert found.primary is not None
    assert "f(x: [N) -> [N]" in str(caught.value)


def test_an_onnx_form_of_no_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="the ONNX form of f cannot be 3"):
        specc.op("f(x: [N]) -> [N]", torch=anything, onnx=3)
