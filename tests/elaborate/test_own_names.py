"""``_:`` adds no name: what the layer has is the block's own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import specc
from tests.elaborate.specs import agrees, diagnostic, errors, names, net, results, sound, start

PART = """
block Part(features: int)(x: [N, D]) -> [N, features] {
    param scale: [features] ~ ones
    return scale * (x |> fc: Linear(features))
}
"""


def state(text: str, folder: Path) -> list[str]:
    """The names of all state, which module, JSON and ONNX file agree on."""
    program = sound(text)
    graph = agrees(program, folder)
    assert specc.Program.from_json(program.to_json()).python() == program.python()
    found = list(program.module().state_dict())
    assert sorted(found) == sorted(names(program))
    trained = {p.name for p in program.network.parameters if p.role == "parameter"}
    assert trained <= {tensor.name for tensor in graph.graph.initializer}
    return sorted(found)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("x |> _: LayerNorm", "bias weight"),
        ("x |> [_: LayerNorm]", "sequential1.bias sequential1.weight"),
        ("x |> norm: [_: LayerNorm, Linear(4)]", "norm.1.bias norm.1.weight norm.bias norm.weight"),
        ("x |> _: Linear(3, bias=false) |> Linear(2)", "linear1.bias linear1.weight weight"),
        ("x |> _: relu |> _: relu", ""),
        ("x |> a: [_: relu, Linear(2)]", "a.1.bias a.1.weight"),
        ("x |> _: [Linear(3), relu, Linear(2)]", "0.bias 0.weight 2.bias 2.weight"),
        ("x |> a: [_: [relu, Linear(2)], relu]", "name-claimed-twice"),
        (
            "x |> _: (a: Linear(3), b: Linear(3)) |> concat(dim=1)",
            "a.bias a.weight b.bias b.weight",
        ),
        ("p = [Linear(4)]\nx |> _: p |> _: p", "0.bias 0.weight"),
        (
            "x |> a: [_: (Linear(2), p: Linear(3)), concat(dim=1), Linear(5)]",
            "a.2.bias a.2.weight a.linear1.bias a.linear1.weight a.p.bias a.p.weight",
        ),
        ("x |> _: Part(3)", "fc.bias fc.weight scale"),
        ("x |> p: [_: Part(3), relu]", "p.fc.bias p.fc.weight p.scale"),
        ("n = LayerNorm()\nx |> _: n |> n", "bias weight"),
        ("x |> _: Linear(4) |> Linear(4, bias=false)", "bias linear1.weight weight"),
    ],
)
def test_its_parameters_are_the_blocks_own(body: str, expected: str, tmp_path: Path) -> None:
    text = PART + net(body)
    if expected == "name-claimed-twice":
        assert errors(text) == [(expected, "relu")]
    else:
        assert state(text, tmp_path) == expected.split()


def test_a_part_computes_what_it_does_under_a_name(tmp_path: Path) -> None:
    spliced = sound(PART + net("x |> _: Part(3)")).module(seed=1)
    named = sound(PART + net("x |> p: Part(3)")).module(seed=1)
    named.load_state_dict({f"p.{name}": value for name, value in spliced.state_dict().items()})
    x = torch.randn(5, 4)
    assert torch.equal(results(spliced, x)[0], results(named, x)[0])


def test_its_initial_value_is_that_of_its_name() -> None:
    def first(body: str) -> torch.Tensor:
        return sound(net(body)).module(seed=2).state_dict()["weight"]

    declared = "net A(x: [N, 4]) -> [N, 4] {\n param weight: [3, 4] ~ normal\n x + sum(weight)\n}\n"
    drawn = sound(declared).module(seed=2).state_dict()["weight"]
    assert torch.equal(first("x |> _: Linear(3, bias=false, weight ~ normal)"), drawn)


@pytest.mark.parametrize(
    "rule",
    ["Part.scale", "A.scale", '"scale"', '"*"', "Part.fc.bias"],
)
def test_a_rule_finds_it_by_kind_and_by_name(rule: str) -> None:
    program = sound(PART + net("x |> _: Part(4)") + f"init {{ {rule} ~ constant(7) }}\n")
    name = "fc.bias" if rule == "Part.fc.bias" else "scale"
    assert start(program, name) == ("constant", {"val": 7})


def test_rules_of_the_part_are_about_the_part_alone() -> None:
    part = "block P(x: [N, D]) -> [N, D] {\n init { Linear.bias ~ ones }\n x |> fc: Linear(D)\n}\n"
    program = sound(part + net("x |> Linear(4) |> _: P"))
    assert start(program, "fc.bias")[0] == "ones"
    assert start(program, "linear1.bias")[0] == "uniform"


def test_a_parameter_of_a_part_starts_as_its_use_says() -> None:
    program = sound(PART + net("x |> _: Part(4, scale ~ constant(5))"))
    assert start(program, "scale") == ("constant", {"val": 5})


def test_a_block_with_own_names_is_shared_like_any_other(tmp_path: Path) -> None:
    text = "block B(x: [N, D]) -> [N, D] { x |> _: Linear(D) |> _: [relu] }\n"
    text += net("b = B()\nx |> b |> b |> B")
    assert state(text, tmp_path) == ["b.bias", "b.weight", "b1.bias", "b1.weight"]


def test_another_layer_borrows_it(tmp_path: Path) -> None:
    body = "fc = Linear(4)\ny = x |> _: fc\nreturn y |> out: Linear(4, weight=fc.weight)"
    program = sound(net(body))
    agrees(program, tmp_path)
    assert dict(program.network.aliases) == {"out.weight": "weight"}
    assert names(program) == ["weight", "bias", "out.bias"]


def test_batch_norm_keeps_its_statistics_as_pytorch_does() -> None:
    ours, theirs = sound(net("x |> _: BatchNorm")).module(), nn.BatchNorm1d(4)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    for _ in range(2):
        x = torch.randn(6, 4)
        torch.testing.assert_close(ours.train()(x), theirs(x))
    for name, tensor in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], tensor)


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        ("x |> _: LayerNorm |> _: Linear(4)", "name-claimed-twice", "Linear(4)"),
        ("x |> _: LayerNorm |> weight: Linear(4)", "name-claimed-twice", "Linear(4)"),
        ("x |> fc: Linear(4) |> _: Part(4)", "name-claimed-twice", "Linear(features)"),
        ("x |> _: Loop", "recursive-block", "Loop"),
        ("l = Linear(4)\nx |> Inner(l) |> l", "bad-sharing", "l"),
        ("x |> _: Part(4, slope ~ ones)", "unknown-argument", "slope ~ ones"),
        ("while sum(x) > 1 { x = x |> _: LayerNorm }\nx", "layer-in-loop", "LayerNorm"),
        ("while sum(x) > 1 {\nbuffer b: [4] ~ ones\nx = x / b }\nx", "layer-in-loop", "b"),
    ],
)
def test_what_cannot_be_the_blocks_own(body: str, code: str, place: str) -> None:
    others = "block Loop(x: [N, D]) -> [N, D] { x |> _: Loop }\n"
    others += "block Inner(layer: layer)(x: [N, D]) -> [N, D] { x |> _: layer }\n"
    found = errors(PART + others + net(body))
    assert found == [(code, place)]


def test_a_fault_in_a_part_shows_where_it_is_used() -> None:
    part = "block P(x: [N, D]) -> [N, D] { x |> Linear(D, bias=3) }\n"
    found = diagnostic(part + net("x |> _: P"))
    assert any("P is a part of this" in label.text for label in found.uses)
