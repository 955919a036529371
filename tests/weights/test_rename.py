"""Weights under other names: patterns, each in turn, and nothing is read for it."""

from __future__ import annotations

from typing import NoReturn

import numpy as np
import pytest

import specc
from specc.frontend.diagnostics import Fault, SpecError
from specc.ir.patterns import filled, matched, pattern_matches, stars
from specc.weights.facts import BadRename
from specc.weights.rename import renamed
from specc.weights.safetensors import StoredTensor, Weights

NAMES = ["wte.weight", "h.0.attn.bias", "h.0.ln.bias", "h.1.attn.bias", "h.1.ln.bias"]


def _unread() -> NoReturn:
    raise AssertionError


def _names(rules: dict[str, str | None], names: list[str] = NAMES) -> list[str]:
    stored = StoredTensor(np.dtype(np.float32), (), _unread)
    return list(renamed(Weights(dict.fromkeys(names, stored), source="w"), rules))


def _problem(rules: dict[str, str | None]) -> BadRename:
    with pytest.raises(Fault) as caught:
        _names(rules)
    assert isinstance(caught.value.fact, BadRename)
    return caught.value.fact


def test_a_prefix_is_added_and_cut() -> None:
    longer = _names({"**": "transformer.**"})
    assert longer == [f"transformer.{name}" for name in NAMES]
    assert _names({"transformer.**": "**"}, longer) == NAMES


def test_a_part_is_renamed_wherever_it_stands() -> None:
    assert _names({"**.ln.bias": "**.norm.beta"})[2::2] == ["h.0.norm.beta", "h.1.norm.beta"]
    assert _names({"h.*.**": "layers.*.**"})[1] == "layers.0.attn.bias"


def test_none_leaves_out() -> None:
    assert _names({"h.*.attn.bias": None}) == ["wte.weight", "h.0.ln.bias", "h.1.ln.bias"]


def test_each_rule_meets_the_names_that_those_before_it_left() -> None:
    assert _names({"**": "net.**", "net.h.**": None}) == ["net.wte.weight"]
    assert _names({"h.0.**": "x.0.**", "h.1.**": "h.0.**", "x.0.**": "h.1.**"})[1:3] == [
        "h.1.attn.bias",
        "h.1.ln.bias",
    ]


def test_a_rule_that_matches_nothing_is_refused_with_the_nearest() -> None:
    fact = _problem({"h.*.atn.bias": None})
    assert fact.message == "cannot rename 'h.*.atn.bias' in w: no name matches"
    assert fact.help == "the nearest is 'h.1.attn.bias'"


@pytest.mark.parametrize("rules", [{"h.*.**": "h.*.**", "h.0.attn.bias": "h.0.ln.bias"}])
def test_two_tensors_do_not_get_one_name(rules: dict[str, str | None]) -> None:
    assert _problem(rules).problem == (
        "'h.0.attn.bias' and 'h.0.ln.bias' would both be 'h.0.ln.bias'"
    )


def test_a_name_that_no_tensor_can_have_is_refused() -> None:
    assert "which no tensor can be called" in _problem({"wte.weight": "a\nb"}).problem


@pytest.mark.parametrize(
    ("rules", "error"),
    [
        ({"**": "net.*"}, ValueError),
        ({"h.*.ln.bias": "h.bias"}, ValueError),
        ({"": "x"}, ValueError),
        ({"wte.weight": ""}, ValueError),
        ({"wte.weight": 3}, TypeError),
        ({3: "x"}, TypeError),
        ("**=net.**", TypeError),
    ],
)
def test_what_is_no_rule_is_the_callers_mistake(rules: object, error: type[Exception]) -> None:
    program = specc.compile("net Net(x: [N, 2]) -> [N, 2] { x |> out: Linear(2) }")
    with pytest.raises(error, match="rename"):
        program.onnx(weights={}, rename=rules)  # type: ignore[arg-type]


def test_every_entrance_for_weights_renames_them() -> None:
    program = specc.compile("net Net(x: [N, 2]) -> [N, 2] { x |> out: Linear(2) }")
    given = {"weight": np.eye(2, dtype=np.float32), "bias": np.ones(2, np.float32), "mask": 0}
    given["mask"] = np.zeros(3)
    rules = {"mask": None, "**": "out.**"}
    assert program.module(weights=given, rename=rules).out.bias.tolist() == [1, 1]
    weight, bias = program.onnx(weights=given, rename=rules).graph.initializer
    assert (weight.name, np.frombuffer(bias.raw_data, np.float32).tolist()) == (
        "out.weight",
        [1, 1],
    )
    (found,) = program.parameters("*.bias", weights=given, rename=rules)
    assert found.values().tolist() == [1, 1]
    wide = {name: array.astype(np.float64) for name, array in given.items()}
    assert program.module(weights=wide, rename=rules, cast=True).out.bias.tolist() == [1, 1]
    with pytest.raises(SpecError, match="no name matches"):
        program.module(weights=given, rename={"masks": None})


# ---- patterns that say what they matched ---------------------------------------------------------


@pytest.mark.parametrize(
    "pattern", ["**", "*.*.**", "**.bias", "h.**", "h.*.attn.*", "**.*", "h**"]
)
def test_a_pattern_filled_with_what_it_matched_is_the_name(pattern: str) -> None:
    for name in [*NAMES, "bias", "h", ""]:
        found = matched(pattern, name)
        assert (found is not None) == pattern_matches(pattern, name)
        if found is not None:
            assert len(found) == len(stars(pattern))
            assert filled(pattern, found) == name
