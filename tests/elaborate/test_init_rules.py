"""How parameters start: inline, by rules, by their own `~`, and which of them wins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.elaborate.specs import diagnostic, errors, net, sound, start, values

MLP = net("x |> hidden: Linear(8) |> relu |> out: Linear(2)") + "\n"
OWN = "block Own(x: [N, D]) -> [N, D] { param w: [D] ~ constant(2)\n x * w }\n"


def rules(*lines: str) -> str:
    return "init {\n" + "\n".join(lines) + "\n}\n"


# ---- what wins -----------------------------------------------------------------------------------


def test_without_a_rule_a_layer_starts_as_pytorchs_does() -> None:
    found = values(sound(net("x |> out: Linear(4000)")), "out.weight")
    bound = 1 / 4**0.5  # torch.nn.Linear: U(-1/sqrt(in), 1/sqrt(in))
    assert abs(found).max() <= bound
    assert found.std() == pytest.approx(bound / 3**0.5, rel=0.02)
    assert values(sound(net("x |> LayerNorm")), "layer_norm1.weight").tolist() == [1] * 4


def test_a_rule_of_a_kind_is_for_every_layer_of_it() -> None:
    program = sound(MLP + rules("Linear.weight ~ constant(3)"))
    assert start(program, "hidden.weight") == ("constant", {"val": 3})
    assert start(program, "out.weight") == ("constant", {"val": 3})
    assert start(program, "out.bias")[0] == "uniform"


def test_a_later_rule_beats_an_earlier_one() -> None:
    text = MLP + rules("Linear.weight ~ ones", '"out.weight" ~ zeros')
    assert start(sound(text), "out.weight")[0] == "zeros"
    text = MLP + rules('"out.weight" ~ zeros', "Linear.weight ~ ones")
    assert start(sound(text), "out.weight")[0] == "ones"


def test_inline_beats_every_rule() -> None:
    text = net("x |> out: Linear(2, weight ~ constant(7))") + rules('"out.weight" ~ zeros')
    assert start(sound(text), "out.weight") == ("constant", {"val": 7})


def test_a_rule_beats_a_parameters_own() -> None:
    assert start(sound(OWN + net("x |> Own")), "own1.w") == ("constant", {"val": 2})
    text = OWN + net("x |> Own") + rules("Own.w ~ zeros")
    assert start(sound(text), "own1.w")[0] == "zeros"


def test_inline_reaches_a_blocks_own_parameter() -> None:
    text = OWN + net("x |> Own(w ~ constant(9))") + rules("Own.w ~ zeros")
    assert start(sound(text), "own1.w") == ("constant", {"val": 9})


def test_a_rule_may_stand_before_what_it_is_about() -> None:
    assert start(sound(rules("Linear.weight ~ ones") + MLP), "out.weight")[0] == "ones"


# ---- kinds ---------------------------------------------------------------------------------------


def test_a_blocks_name_is_a_kind() -> None:
    text = "block Part(x: [N, D]) -> [N, D] { x |> fc: Linear(D) }\n" + net(
        "x |> a: Part |> fc: Linear(4)"
    )
    program = sound(text + rules("Part.fc.weight ~ ones"))
    assert start(program, "a.fc.weight")[0] == "ones"
    assert start(program, "fc.weight")[0] != "ones"


def test_a_kind_that_the_net_does_not_use_is_no_error() -> None:
    sound(OWN + MLP + rules("Conv.weight ~ ones", "Own.w ~ ones"))


def test_a_misspelt_parameter_of_a_kind_is_an_error() -> None:
    assert errors(MLP + rules("Linear.wieght ~ ones")) == [("unknown-name", "wieght")]
    assert errors(OWN + net("x |> Own") + rules("Own.v ~ ones")) == [("unused-pattern", "Own.v")]


@pytest.mark.parametrize(
    ("target", "code"), [("Linaer.weight", "unknown-name"), ("max.weight", "wrong-type")]
)
def test_what_is_no_kind_is_an_error(target: str, code: str) -> None:
    assert errors(MLP + rules(f"{target} ~ ones")) == [(code, target.partition(".")[0])]


# ---- patterns ------------------------------------------------------------------------------------

NESTED = net(
    "x |> conv: Linear(4) |> body: [conv: Linear(4), inner: [conv: Linear(4)]] |> out: Linear(2)"
)


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("conv.weight", {"conv"}),
        ("*.weight", {"conv", "out"}),
        ("*o*.weight", {"conv", "out"}),
        ("body.*.weight", {"body.conv"}),
        ("body.**.weight", {"body.conv", "body.inner.conv"}),
        ("**.conv.weight", {"conv", "body.conv", "body.inner.conv"}),
        ("**.weight", {"conv", "body.conv", "body.inner.conv", "out"}),
        ("**", {"conv", "body.conv", "body.inner.conv", "out"}),
        ("**t.weight", {"out"}),
    ],
)
def test_a_star_stays_within_one_name_and_two_cross_dots(pattern: str, matched: set[str]) -> None:
    program = sound(NESTED + rules(f'"{pattern}" ~ constant(5)'))
    weights = [p for p in program.network.parameters if p.slot == "weight"]
    assert {
        p.name[: -len(".weight")] for p in weights if p.initializer.name == "constant"
    } == matched


def test_a_pattern_that_matches_nothing_names_the_nearest() -> None:
    found = diagnostic(MLP + rules('"outt.weight" ~ ones'))
    assert found.code == "unused-pattern"
    assert found.help is not None
    assert "'out.weight'" in found.help


@pytest.mark.parametrize("line", ['"head.weight" ~ ones', '"head.weight"[0] = 1', '"head.*" += 1'])
def test_another_name_of_a_shared_parameter_is_told_its_owner(line: str) -> None:
    """It starts as its owner does; a rule under this name alone would change both."""
    text = net(
        "e = Linear(4, bias=false)\ny = e(x)\ny |> head: Linear(4, bias=false, weight=e.weight)"
    )
    found = diagnostic(text + rules(line))
    assert found.code == "unused-pattern"
    assert found.help == "'head.weight' is shared, and starts as its owner 'e.weight' does"


def test_a_star_leaves_buffers_alone() -> None:
    text = net("x |> bn: BatchNorm") + rules('"**" ~ constant(3)')
    program = sound(text)
    assert start(program, "bn.weight")[0] == "constant"
    assert values(program, "bn.running_var").tolist() == [1] * 4
    text = net("x |> bn: BatchNorm") + rules('"bn.running_var" ~ constant(3)')
    assert values(sound(text), "bn.running_var").tolist() == [3] * 4


def test_a_hostile_pattern_takes_no_time() -> None:
    text = net(f"x |> {'a' * 190}: Linear(2)") + rules(f'"{"*a" * 90}b" ~ ones')
    assert [code for code, _ in errors(text)] == ["unused-pattern"]


# ---- rules in a body -----------------------------------------------------------------------------


def test_a_rule_in_a_net_sees_its_hyperparameters() -> None:
    body = 'init { "**.weight" ~ normal(std=0.02 / (2 * depth) ** 0.5) }\nx |> out: Linear(2)'
    assert start(sound(net(body, "(depth = 8)(x: [N, 4])")), "out.weight") == (
        "normal",
        {"std": 0.005},
    )


def test_a_rule_in_a_block_is_about_that_block() -> None:
    text = (
        'block Part(value = 1)(x: [N, D]) -> [N, D] {\n init { "fc.weight" ~ constant(value) }\n'
        " x |> fc: Linear(D)\n}\n"
    )
    program = sound(text + net("x |> a: Part(3) |> b: Part(4) |> fc: Linear(4)"))
    assert start(program, "a.fc.weight") == ("constant", {"val": 3})
    assert start(program, "b.fc.weight") == ("constant", {"val": 4})
    assert start(program, "fc.weight")[0] != "constant"


def test_a_rule_of_a_kind_in_a_block_stays_within_it() -> None:
    text = "block Part(x: [N, D]) -> [N, D] {\n init { Linear.weight ~ ones }\n x |> Linear(D)\n}\n"
    program = sound(text + net("x |> a: Part |> out: Linear(4)"))
    assert start(program, "a.linear1.weight")[0] == "ones"
    assert start(program, "out.weight")[0] != "ones"


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ('calculate_gain("relu")', ("relu",)),
        ('calculate_gain("tanh")', ("tanh",)),
        ('calculate_gain("leaky_relu")', ("leaky_relu",)),
        ('calculate_gain("leaky_relu", 0.2)', ("leaky_relu", 0.2)),
    ],
)
def test_a_gain_is_torchs(call: str, arguments: tuple[Any, ...]) -> None:
    program = sound(MLP + rules(f'"out.weight" ~ xavier_normal(gain={call})'))
    name, found = start(program, "out.weight")
    assert name == "xavier_normal"
    assert found["gain"] == pytest.approx(nn.init.calculate_gain(*arguments), rel=1e-15)


def test_a_gain_of_nothing_is_an_error() -> None:
    found = diagnostic(MLP + rules('"out.weight" ~ xavier_normal(calculate_gain("relus"))'))
    assert (found.code, found.help) == ("bad-value", "did you mean 'relu'?")


# ---- what is drawn -------------------------------------------------------------------------------


def test_small_normal_weights_and_zero_biases() -> None:
    text = net("x |> Linear(5000) |> out: Linear(2)") + rules(
        "Linear.weight ~ normal(0, 0.01)", "Linear.bias ~ zeros"
    )
    program = sound(text)
    assert values(program, "linear1.weight").std() == pytest.approx(0.01, rel=0.03)
    assert not values(program, "linear1.bias").any()
    assert not values(program, "out.bias").any()


def test_constant_weights() -> None:
    program = sound(MLP + rules("Linear.weight ~ constant(1)", "Linear.bias ~ zeros"))
    x = torch.randn(2, 4)
    hidden = x.sum(dim=1, keepdim=True).relu() * 8
    torch.testing.assert_close(program.module()(x), hidden.expand(2, 2))


def test_xavier_for_one_block_and_a_constant_for_another() -> None:
    text = (
        "block Part(n: int)(x: [N, D]) -> [N, n] { x |> Linear(n) }\n"
        + net("x |> first: Part(300) |> second: Part(200)")
        + rules('"first.**.weight" ~ xavier_uniform', '"second.**.weight" ~ constant(42)')
    )
    program = sound(text)
    first = values(program, "first.linear1.weight")
    bound = (6 / (4 + 300)) ** 0.5
    assert bound * 0.95 < abs(first).max() <= bound
    assert np.unique(values(program, "second.linear1.weight")).tolist() == [42]
    assert len([t for t in program.network.templates if t.name == "Part"]) == 1


def test_the_python_source_starts_each_parameter_by_its_rule() -> None:
    text = (
        "block Part(n: int)(x: [N, D]) -> [N, n] { x |> Linear(n) }\n"
        + net("x |> first: Part(3) |> second: Part(2)")
        + rules('"first.**.weight" ~ ones', '"second.**.weight" ~ constant(42)')
    )
    scope: dict[str, type[nn.Module]] = {}
    exec(sound(text).python(), scope)
    module = scope["A"]()
    assert module.first.linear1.weight.unique().tolist() == [1]
    assert module.second.linear1.weight.unique().tolist() == [42]


@pytest.mark.parametrize(
    ("initializer", "code"),
    [
        ("nrmal", "unknown-name"),
        ("normal(sdt=1)", "bad-initializer"),
        ("normal(1, 2, 3)", "bad-initializer"),
        ('normal(mean="a")', "bad-initializer"),
        ("normal(std=-1)", "bad-initializer"),
        ("42", "wrong-type"),
        ("relu", "wrong-type"),
        ("dirac", "bad-initializer"),
        ("normal(foo)", "unknown-name"),
    ],
)
def test_what_cannot_initialize_is_an_error(initializer: str, code: str) -> None:
    assert [c for c, _ in errors(MLP + rules(f'"out.weight" ~ {initializer}'))] == [code]
