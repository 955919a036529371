"""A network's JSON: out and in again is the identity, and a hostile text is an ordinary error."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import specc
from specc.frontend.diagnostics import SpecError
from tests.ir.losses import LOSS
from tests.ir.specs import LARGE, NAMES, SMALL
from tests.ir.starts import STARTS
from tests.ir.texts import LISTS, RECIPE, RESIDUAL, SHARED, SYMBOLIC, TEXTS

Tree = dict[str, Any]

SOURCES = {
    **{name: (text, {}) for name, text in TEXTS.items()},
    "starts": (STARTS, {}),
    "loss": (LOSS, {}),
    **{f"std.{name}": (f"std.{name}", SMALL.get(name, {})) for name in NAMES},
}
"""Texts and shipped specs, with their hyperparameters: every kind of node is in one."""
BUILT = {name: source for name, source in SOURCES.items() if name.removeprefix("std.") not in LARGE}


@pytest.mark.parametrize("name", SOURCES)
def test_json_and_back_is_the_identity(name: str) -> None:
    text, given = SOURCES[name]
    program = specc.compile(text, hyperparameters=given)
    again = specc.Program.from_json(program.to_json())
    assert again.network == program.network
    assert again.to_json() == program.to_json()
    assert (again.name, again.inputs, again.outputs) == (
        program.name,
        program.inputs,
        program.outputs,
    )


@pytest.mark.parametrize("name", SOURCES)
def test_source_is_byte_identical_from_text_and_from_json(name: str) -> None:
    text, given = SOURCES[name]
    program = specc.compile(text, hyperparameters=given)
    assert specc.Program.from_json(program.to_json()).python() == program.python()


@pytest.mark.parametrize("name", BUILT)
def test_graphs_are_byte_identical_from_text_and_from_json(name: str) -> None:
    text, given = BUILT[name]
    program = specc.compile(text, hyperparameters=given)
    again = specc.Program.from_json(program.to_json())
    assert again.onnx().SerializeToString() == program.onnx().SerializeToString()


BUILD = """
import hashlib, json, sys
import specc
hashes = {}
for name, (text, given) in json.load(sys.stdin).items():
    program = specc.compile(text, hyperparameters=given)
    outputs = [program.to_json().encode(), program.python().encode()]
    outputs.append(program.onnx().SerializeToString())
    hashes[name] = [hashlib.sha256(data).hexdigest() for data in outputs]
print(json.dumps(hashes))
"""


def test_targets_are_byte_identical_in_processes_that_hash_differently(root: Path) -> None:
    """Set order and hashes of strings differ from one process to the next; no output may."""

    def build(seed: str) -> dict[str, list[str]]:
        done = subprocess.run(
            [sys.executable, "-c", BUILD],
            input=json.dumps(BUILT),
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        hashes: dict[str, list[str]] = json.loads(done.stdout)
        return hashes

    first, second = build("1"), build("2")
    assert first == second
    here = specc.compile(SHARED).to_json().encode()
    assert first["shared"][0] == hashlib.sha256(here).hexdigest()


def test_a_recipe_and_hyperparameters_travel() -> None:
    program = specc.compile(RECIPE, width=24, settings={"epochs": 9})
    again = specc.Program.from_json(program.to_json())
    assert again.network.hyperparameters == {"width": 24, "bias": True}
    assert again.network.recipe is not None
    assert again.network.recipe.epochs == 9
    assert again.network.recipe == program.network.recipe


# ---- hostile texts -------------------------------------------------------------------------------


def refused(text: str) -> str:
    """The message with which a JSON text is refused."""
    with pytest.raises(SpecError) as caught:
        specc.Program.from_json(text)
    assert {diagnostic.code for diagnostic in caught.value.diagnostics} == {"bad-ir"}
    return caught.value.diagnostics[0].message


def edited(text: str, edit: Callable[[Tree], None]) -> str:
    """The JSON of a compiled network after a change to it."""
    tree: Tree = json.loads(specc.compile(text).to_json())
    edit(tree)
    return json.dumps(tree)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "3",
        '"text"',
        "{",
        '{"format": "specc"',
        "\ud800",
        '{"name": "\\ud800"}',
        "\x00",
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 50_000 + "1" + "}" * 50_000,
    ],
    ids=repr,
)
def test_what_is_no_network_is_refused(text: str) -> None:
    assert refused(text).startswith("this is no network that specc can read: ")


def test_a_key_given_twice_is_refused() -> None:
    whole = specc.compile(SHARED).to_json()
    assert "'root' is given twice" in refused(whole.replace('"root":', '"root": 5, "root":', 1))


def test_another_version_is_refused() -> None:
    assert "version" in refused(edited(SHARED, lambda tree: tree.update(version=2)))
    assert "format" in refused(edited(SHARED, lambda tree: tree.update(format="onnx")))


def test_an_unknown_field_is_refused_wherever_it_stands() -> None:
    assert "extra" in refused(edited(SHARED, lambda tree: tree.update(extra=1)))
    assert "templates.0.code" in refused(
        edited(SHARED, lambda tree: tree["templates"][0].update(code="import os"))
    )


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (lambda tree: tree.update(name=3), "name"),
        (lambda tree: tree.update(inputs={}), "inputs"),
        (lambda tree: tree.update(root="first"), "root"),
        (lambda tree: tree.update(templates=[[]]), "templates.0"),
        (lambda tree: tree["inputs"][0].update(type="f32[N, 8"), "inputs.0.type"),
        (lambda tree: tree["inputs"][0].update(type="f128[N]"), "inputs.0.type"),
        (lambda tree: tree["inputs"][0].update(type="f32[1/0]"), "inputs.0.type"),
        (lambda tree: tree["inputs"][0].update(type="f32[H // 0]"), "inputs.0.type"),
        (lambda tree: tree["inputs"][0].update(type=f"f32[{'(' * 3000}]"), "inputs.0.type"),
        (lambda tree: tree["inputs"][0].update(type=f"f32[{'9' * 3000}]"), "inputs.0.type"),
        (lambda tree: tree["inputs"][0].update(type="f32[9**9**9**9]"), "inputs.0.type"),
        (lambda tree: tree["templates"][0]["layers"].update(a={"kind": "magic"}), "layers.a"),
    ],
)
def test_a_field_of_another_type_is_refused_by_name(edit: Any, named: str) -> None:
    assert named in refused(edited(SHARED, edit))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none_is_refused(value: str) -> None:
    def edit(tree: Tree) -> None:
        tree["parameters"][0]["initializer"] = {"name": "normal", "arguments": {"std": "HERE"}}

    refused(edited(SHARED, edit).replace('"HERE"', value))

    def epsilon(tree: Tree) -> None:
        layers = [layer for t in tree["templates"] for layer in t["layers"].values()]
        norm = next(layer for layer in layers if layer.get("operator") == "BatchNorm")
        norm["attributes"]["eps"] = "HERE"

    assert "eps" in refused(edited(LISTS, epsilon).replace('"HERE"', value))


@pytest.mark.parametrize("digits", [20, 400, 5000])
def test_an_enormous_integer_is_refused(digits: int) -> None:
    def edit(tree: Tree) -> None:
        tree["templates"][tree["root"]]["layers"]["inner"]["attributes"]["features"] = "HERE"

    refused(edited(SHARED, edit).replace('"HERE"', "9" * digits))


def test_a_template_that_holds_itself_is_refused() -> None:
    def edit(tree: Tree) -> None:
        layer = {"kind": "block", "template": tree["root"], "arguments": {}}
        tree["templates"][tree["root"]]["layers"]["again"] = layer

    assert "it holds itself" in refused(edited(SHARED, edit))


def test_templates_that_double_are_refused_before_they_are_expanded() -> None:
    def edit(tree: Tree) -> None:
        start = len(tree["templates"])
        body = {
            "inputs": [{"id": 0, "type": "f32[N, 8]"}],
            "nodes": [
                {
                    "kind": "application",
                    "layer": name,
                    "inputs": [position],
                    "results": [{"id": position + 1, "type": "f32[N, 8]"}],
                }
                for position, name in enumerate(["a", "b"])
            ],
            "results": [2],
        }
        leaf = {**body, "nodes": [], "results": [0]}
        tree["templates"].append({"name": "Bomb", "kind": "block", "body": leaf})
        for index in range(start, start + 60):
            layer = {"kind": "block", "template": index, "arguments": {}}
            tree["templates"].append(
                {"name": "Bomb", "kind": "block", "layers": {"a": layer, "b": layer}, "body": body}
            )
        tree["root"] = len(tree["templates"]) - 1

    start = time.process_time()
    assert "more than 1,000,000" in refused(edited(SHARED, edit))
    assert time.process_time() - start < 5


def test_every_problem_of_a_stage_is_reported() -> None:
    def edit(tree: Tree) -> None:
        tree["parameters"][0]["name"] = "elsewhere.weight"

    with pytest.raises(SpecError) as caught:
        specc.Program.from_json(edited(RESIDUAL, edit))
    messages = [diagnostic.message for diagnostic in caught.value.diagnostics]
    assert len(messages) == 2  # one that is missing, one that nobody owns
    assert any("elsewhere.weight" in message for message in messages)


def test_a_message_quotes_little_of_a_hostile_text() -> None:
    def edit(tree: Tree) -> None:
        tree["outputs"][0]["name"] = "x" * 100_000 + "\x1b[2J"

    message = refused(edited(SYMBOLIC, edit))
    assert len(message) < 500
    assert "\x1b" not in message
