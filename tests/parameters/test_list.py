"""Parameters as data: what is said of each, and which a pattern picks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import specc
from specc.frontend.diagnostics import SpecError
from specc.parameters.info import of_weights
from specc.weights.safetensors import read_weights, write_weights

TIED = """
net Tied(x: i64[N, T]) -> [N, T, 10] {
    const scale: [6] ~ uniform(0, 1)
    embed = Embedding(10, 6)
    return embed(x) * scale |> LayerNorm |> out: Linear(10, bias=false, weight=embed.weight)
}
init { "embed.weight" ~ normal(std=0.5) }
"""


def names(program: specc.Program, pattern: str | None) -> list[str]:
    return [parameter.name for parameter in program.parameters(pattern)]


def test_a_parameter_is_described() -> None:
    (embed,) = specc.compile(TIED).parameters("embed.*")
    assert (embed.shape, embed.dtype, embed.size) == ((10, 6), "f32", 60)
    assert (embed.role, embed.layer, embed.slot) == ("parameter", "Embedding", "weight")
    assert embed.initializer == "normal(std=0.5)"
    assert embed.aliases == ("out.weight",)


def test_all_are_listed_in_the_networks_order() -> None:
    program = specc.compile(TIED)
    assert names(program, None) == list(program.module().state_dict())


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("scale", ["scale"]),
        ("*.weight", ["embed.weight", "layer_norm1.weight"]),
        ("**.bias", ["layer_norm1.bias"]),
        ("out.**", ["embed.weight"]),
    ],
)
def test_a_pattern_picks_by_any_name_of_a_parameter(pattern: str, found: list[str]) -> None:
    assert names(specc.compile(TIED), pattern) == found


def test_a_pattern_that_matches_nothing_names_the_nearest() -> None:
    with pytest.raises(SpecError) as caught:
        specc.compile(TIED).parameters("embde.weight")
    (found,) = caught.value.diagnostics
    assert found.code == "unused-pattern"
    assert found.help == "the nearest is 'embed.weight'"


def test_values_are_those_of_the_module() -> None:
    program = specc.compile(TIED)
    state = program.module(seed=3).state_dict()
    for parameter in program.parameters(seed=3):
        assert np.array_equal(parameter.values(), state[parameter.name].numpy())


def test_values_come_from_weights_where_they_are_given() -> None:
    program = specc.compile(TIED)
    module = program.module(seed=5)
    (embed,) = program.parameters("embed.weight", weights=module)
    assert np.array_equal(embed.values(), module.embed.weight.detach().numpy())


def test_weights_that_do_not_fit_are_refused() -> None:
    with pytest.raises(SpecError) as caught:
        specc.compile(TIED).parameters(weights={"scale": np.ones(6, np.float32)})
    assert [found.code for found in caught.value.diagnostics] == ["weights-do-not-fit"]


def test_a_file_without_architecture_is_listed_by_what_it_holds(tmp_path: Path) -> None:
    write_weights(tmp_path / "w.safetensors", {"b": np.ones(3), "a": np.zeros((2, 1), np.int16)})
    found = of_weights(read_weights(tmp_path / "w.safetensors"))
    assert [(p.name, p.shape, p.dtype, p.role) for p in found] == [
        ("a", (2, 1), "int16", None),
        ("b", (3,), "f64", None),
    ]
    assert found[1].values().tolist() == [1, 1, 1]


def test_a_parameter_says_which_device_it_is_put_on() -> None:
    program = specc.compile(
        "device left = cuda:0 | cpu\n"
        "net Two(x: [N, 4]) -> [N, 4] {\n"
        "    y = x |> here: Linear(4, bias=false)\n"
        "    y |> there: Linear(4, bias=false) on left\n"
        "}"
    )
    devices = {parameter.name: parameter.device for parameter in program.parameters()}
    assert devices == {"here.weight": "", "there.weight": "left"}
