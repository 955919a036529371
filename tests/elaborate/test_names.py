"""What parameters are called: the rules of the language's section on names."""

from __future__ import annotations

import keyword
import subprocess
import sys
from pathlib import Path

import pytest
from torch import nn

from specc.elaborate.names import snake_case
from specc.ir.names import RESERVED, problem_with
from tests.elaborate.specs import agrees, diagnostic, errors, names, net, sound


def weights(text: str) -> list[str]:
    return [name for name in names(sound(text)) if name.endswith("weight")]


# ---- the rules -----------------------------------------------------------------------------------


def test_a_layer_is_called_by_the_name_that_it_is_bound_to() -> None:
    assert weights(net("hidden = Linear(8)\nhidden(x)")) == ["hidden.weight"]


def test_the_first_name_that_a_layer_is_bound_to_stays() -> None:
    assert weights(net("hidden = Linear(8)\nother = hidden\nother(x)")) == ["hidden.weight"]


def test_layers_that_are_bound_together_are_called_by_their_own_names() -> None:
    text = net("a, b = Linear(8), Linear(4)\nx |> a |> b")
    assert weights(text) == ["a.weight", "b.weight"]


def test_a_label_names_a_stage_and_a_member() -> None:
    text = net("x |> hidden: Linear(8) |> tail: [Linear(4), head: Linear(2)]")
    assert weights(text) == ["hidden.weight", "tail.0.weight", "tail.head.weight"]


def test_a_label_binds_no_variable() -> None:
    assert errors(net("y = x |> hidden: Linear(8)\nhidden(y)")) == [("unknown-name", "hidden")]


def test_a_label_is_built_from_values() -> None:
    text = net('for i in 0..2 {\nx = x |> "layer{i + 1}": Linear(4)\n}\nx')
    assert weights(text) == ["layer1.weight", "layer2.weight"]


def test_a_label_may_hold_dots(tmp_path: Path) -> None:
    program = sound(net('x |> "cls.predictions": Linear(4) |> "cls.seq": Linear(4)'))
    assert names(program) == [
        "cls.predictions.weight",
        "cls.predictions.bias",
        "cls.seq.weight",
        "cls.seq.bias",
    ]
    assert set(program.module().state_dict()) == set(names(program))
    agrees(program, tmp_path)


def test_a_keyword_is_quoted_as_a_label() -> None:
    assert weights(net('x |> "block": Linear(4)')) == ["block.weight"]


def test_every_position_of_a_list_counts() -> None:
    program = sound(net("x |> features: [relu, Linear(8), Dropout(0.1), Linear(4)]"))
    assert names(program)[::2] == ["features.1.weight", "features.3.weight"]
    assert isinstance(program.module().features[2], nn.Dropout)


def test_a_labelled_member_takes_its_position_too() -> None:
    text = net("x |> body: [head: Linear(4), Linear(4)]")
    assert weights(text) == ["body.head.weight", "body.1.weight"]


def test_unlabelled_layers_are_counted_by_kind_within_their_block() -> None:
    text = "block Two(x: [N, D]) -> [N, D] { x |> Linear(D) |> Linear(D) }\n" + net(
        "x |> Linear(4) |> LayerNorm |> Two |> Linear(4) |> [Linear(4)] |> [Linear(4)]"
    )
    assert weights(text) == [
        "linear1.weight",
        "layer_norm1.weight",
        "two1.linear1.weight",
        "two1.linear2.weight",
        "linear2.weight",
        "sequential1.0.weight",
        "sequential2.0.weight",
    ]


def test_functions_without_parameters_are_not_counted() -> None:
    assert weights(net("x |> relu |> Dropout(0.5) |> Linear(4)")) == ["linear1.weight"]


@pytest.mark.parametrize(
    ("kind", "stem"),
    [
        ("Linear", "linear"),
        ("BatchNorm", "batch_norm"),
        ("VGGBlock", "vgg_block"),
        ("PReLU", "p_relu"),
        ("MyLSTM", "my_lstm"),
        ("relu", "relu"),
    ],
)
def test_kinds_are_written_in_snake_case(kind: str, stem: str) -> None:
    assert snake_case(kind) == stem


def test_branches_in_a_pipeline_are_the_blocks_own_layers() -> None:
    text = net("x |> (a: Linear(2), Linear(3)) |> concat(dim=1)")
    assert weights(text) == ["a.weight", "linear1.weight"]


def test_branches_that_are_bound_are_a_layer() -> None:
    assert weights(net("t = (Linear(2), Linear(3))\nx |> t |> concat(dim=1)")) == [
        "t.0.weight",
        "t.1.weight",
    ]


def test_a_layer_that_is_handed_over_keeps_its_name() -> None:
    text = "block Use(f: layer)(x: [N, D]) -> [N, D] { x |> f }\n"
    assert weights(text + net("shared = Linear(4)\nx |> Use(shared)")) == ["use1.shared.weight"]


def test_a_layer_that_is_handed_over_unbound_takes_the_hyperparameters_name() -> None:
    text = "block Use(f: layer)(x: [N, D]) -> [N, D] { x |> f }\n"
    assert weights(text + net("x |> Use(Linear(4))")) == ["use1.f.weight"]
    assert weights(text + net("x |> Use([Linear(4), BatchNorm])"))[0] == "use1.f.0.weight"
    assert weights(text + net("x |> Use([BatchNorm, relu])")) == ["use1.f.0.weight"]


def test_a_default_layer_takes_the_hyperparameters_name() -> None:
    text = "block Use(norm = LayerNorm())(x: [N, D]) -> [N, D] { x |> norm }\n"
    assert weights(text + net("x |> Use")) == ["use1.norm.weight"]


def test_state_of_the_net_itself_has_no_prefix() -> None:
    assert names(sound(net("param scale: [4] ~ ones\nx * scale"))) == ["scale"]


# ---- conflicts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "x |> a: Linear(4) |> a: Linear(4)",
        "a = Linear(4)\nx |> a |> a: Linear(4)",
        "for i in 0..2 {\nh = Linear(4)\nx = h(x)\n}\nx",
        "param a: [4] ~ ones\nx * a |> a: Linear(4)",
        "x |> linear1: Linear(4) |> Linear(4)",
        'x |> a: Linear(4) |> "a.b": Linear(4)',
        'x |> "a.b": Linear(4) |> a: Linear(4)',
        'x |> "a.b.c": Linear(4) |> "a.b": Linear(4)',
        'x |> [Linear(4), "0": Linear(4)]',
        "h = Linear(4)\nx |> h |> other: h |> other: Linear(4)",
        "h = Linear(4)\nx |> h |> other: Linear(4) |> other: h",
    ],
)
def test_two_claims_to_one_name_are_an_error(body: str) -> None:
    assert [code for code, _ in errors(net(body))] == ["name-claimed-twice"]


def test_the_second_claim_is_the_place_and_the_first_is_shown() -> None:
    found = diagnostic("net A(x: [N, 4]) { x |> a: Linear(4) |> a: Linear(5) }")
    assert found.primary is not None
    assert found.primary.span.start == 43
    assert [label.span.start for label in found.secondary] == [27]


def test_one_block_may_use_the_names_of_another() -> None:
    text = "block B(x: [N, D]) -> [N, D] { x |> a: Linear(D) }\n" + net("x |> a: B |> b: B")
    assert weights(text) == ["a.a.weight", "b.a.weight"]


def test_a_block_may_not_call_its_own_layer_as_one_that_it_applies_from_outside() -> None:
    text = "block B(f: layer)(x: [N, D]) -> [N, D] { x |> f |> h: Linear(D) }\n"
    found = errors(text + net("h = Linear(4)\nh(x) |> B(h)"))
    assert found == [("name-claimed-twice", "Linear(D)")]


def test_a_parameter_from_outside_gives_way_to_a_layer_of_the_same_name(tmp_path: Path) -> None:
    text = (
        "block B(e: layer)(x: [N, D]) -> [N, 4] { x @ e.weight |> embed: Linear(4) }\n"
        "net A(x: [N, 4]) -> [N, 4] { embed = Linear(4)\n y = embed(x)\n return y |> B(embed) }"
    )
    program = sound(text)
    assert weights(text) == ["embed.weight", "b1.embed.weight"]
    agrees(program, tmp_path)


# ---- names that cannot be ------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["forward", "train", "type", "training", "state_dict", "append"])
def test_a_name_that_torch_needs_is_refused(label: str) -> None:
    quoted = f'"{label}"'
    assert errors(net(f"x |> {quoted}: Linear(4)")) == [("reserved-name", "Linear(4)")]


@pytest.mark.parametrize("label", ["a b", "a..b", ".a", "a.", "1a", "", "class", "__a"])
def test_what_is_no_name_is_refused(label: str) -> None:
    assert [code for code, _ in errors(net(f'x |> "{label}": Linear(4)'))] == ["reserved-name"]


def test_a_parameter_of_a_block_is_held_to_the_same_rules() -> None:
    assert errors(net("param forward: [4] ~ ones\nx * forward")) == [("reserved-name", "forward")]


@pytest.mark.parametrize("container", ["Module", "Sequential", "ModuleDict"])
def test_every_public_name_of_torchs_modules_is_reserved(container: str) -> None:
    # In a process of its own: transformers adds a method to torch's classes.
    code = f"from torch import nn; print(*dir(nn.{container}()))"
    listed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    public = {name for name in listed.stdout.split() if not name.startswith("_")}
    assert "forward" in public
    assert public - RESERVED == set()


@pytest.mark.parametrize("name", [n for n in dir(nn.Module()) if n.startswith("_")])
def test_every_private_name_of_torchs_modules_is_refused(name: str) -> None:
    assert problem_with(name) is not None


def test_keywords_of_python_are_refused() -> None:
    assert all(problem_with(word) is not None for word in keyword.kwlist)


@pytest.mark.parametrize("header", ["(lambda: [N, 4])", "(x: [N, 4]) -> (class: [N, 4])"])
def test_inputs_and_outputs_are_no_keywords_of_python(header: str) -> None:
    source = "lambda" if "lambda" in header else "x"
    assert [code for code, _ in errors(net(f"{source} * 2", header))] == ["reserved-name"]


def test_outputs_bear_different_names() -> None:
    found = errors(net("return x, x", "(x: [N, 4]) -> (a: [N, 4], a: [N, 4])"))
    assert [code for code, _ in found] == ["duplicate-name"]


def test_a_made_up_output_name_gives_way(tmp_path: Path) -> None:
    program = sound(net("param output: [4] ~ ones\nx * output"))
    assert program.outputs[0].name != "output"
    agrees(program, tmp_path)


def test_training_is_a_name_like_any_other_once_it_is_bound() -> None:
    sound(net("training = 3\nx * training"))
