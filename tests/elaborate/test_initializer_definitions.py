"""Initializers that a file defines: what their bodies may hold, and what they fill in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from scipy.stats import ks_2samp
from torch import nn

import specc
from specc.initialize.values import values as drawn
from specc.ir.initializer import Initializer
from specc.ir.types import DType
from tests.elaborate.specs import diagnostic, errors, net, sound, values

SPARSE = """
init sparse_uniform(limit = 10, keep = 5)(w: [...]) {
    w ~ uniform(-limit, limit)
    return w * (abs(w) >= keep)
}
"""
OUT = net("x |> out: Linear(300)")


def rule(text: str) -> str:
    return f'init {{ "out.weight" ~ {text} }}\n'


def weight(definition: str, start: str = "made") -> np.ndarray[Any, Any]:
    """The out.weight of a net, [300, 4], that starts so; JSON and the module agree."""
    program = sound(definition + OUT + rule(start))
    again = specc.Program.from_json(program.to_json())
    assert again.network == program.network
    found = values(program, "out.weight")
    np.testing.assert_array_equal(values(again, "out.weight"), found)
    return found


def emitted(program: specc.Program) -> nn.Module:
    """The net of the source that specc writes, started by itself."""
    scope: dict[str, Any] = {}
    exec(program.python(), scope)
    torch.manual_seed(0)
    module: nn.Module = scope["A"]()
    return module


# ---- what is drawn and computed ------------------------------------------------------------------


def test_uniform_weights_are_kept_where_they_are_large() -> None:
    found = weight(SPARSE, "sparse_uniform")
    uniform = Initializer(name="uniform", arguments={"a": -10, "b": 10})
    first = drawn(uniform, name="out.weight", shape=[300, 4], dtype=DType.F64, seed=0)
    kept = np.where(abs(first) >= 5, first, 0).astype(np.float32).reshape(300, 4)
    np.testing.assert_array_equal(found, kept)
    assert 0.4 < (found == 0).mean() < 0.6


def test_hyperparameters_are_given_by_position_by_name_or_by_default() -> None:
    assert abs(weight(SPARSE, "sparse_uniform(2, 1)")).max() <= 2
    assert abs(weight(SPARSE, "sparse_uniform(limit=2, keep=0)")).min() > 0
    assert set(np.unique(weight(SPARSE, "sparse_uniform(keep=11)"))) == {0}


def test_each_draw_has_numbers_of_its_own() -> None:
    found = weight("init made(w: [...]) {\n a ~ normal\n b ~ normal\n return a * b\n}\n")
    # The product of two independent normals has variance 1; the square of one has 2 and mean 1.
    assert abs(found.mean()) < 0.1
    assert found.var() == pytest.approx(1, abs=0.25)


def test_values_may_follow_from_the_shape_alone() -> None:
    found = weight("init made(w: [n, m]) { arange(n * m) |> reshape(n, m) }\n")
    np.testing.assert_array_equal(found, np.arange(1200, dtype=np.float32).reshape(300, 4))


def test_the_names_of_sizes_are_ints_of_the_body() -> None:
    text = """
    init made(w: [out, inner]) {
        assert out % inner == 0, "{out} outputs over {inner} inputs"
        w ~ normal(std = 1 / inner ** 0.5)
        scale = out / 100
        return w * scale
    }
    """
    found = weight(text)
    assert found.std() == pytest.approx(3 / 2, rel=0.1)
    wrong = diagnostic(text + net("x |> out: Linear(6)") + rule("made"))
    assert wrong.code == "assertion-failed"
    assert "6 outputs over 4 inputs" in wrong.message


def test_what_is_known_when_compiling_chooses_and_repeats() -> None:
    text = """
    def half(v: float) = v / 2
    init made(rounds = 3, positive = true)(w: [...]) {
        w ~ constant(8)
        for i in 0..rounds { w = w * half(1) }
        if positive { return w }
        return -w
    }
    """
    assert set(weight(text).ravel()) == {1}
    assert set(weight(text, "made(1, positive=false)").ravel()) == {-4}


def test_a_definition_uses_another() -> None:
    text = SPARSE + "init made(w: [...]) {\n w ~ sparse_uniform(keep=0)\n return abs(w)\n}\n"
    found = weight(text)
    assert found.min() > 0
    np.testing.assert_array_equal(found, abs(weight(SPARSE, "sparse_uniform(keep=0)")))


def test_every_float_dtype_is_rounded_once_from_float64() -> None:
    for dtype, made in [("f16", np.float16), ("f64", np.float64), ("f32", np.float32)]:
        text = (
            "init third(w: [...]) {\n w ~ uniform\n return w / 3\n}\n"
            f"block Own(x: {dtype}[N, D]) -> {dtype}[N, D] "
            "{\n param w: " + dtype + "[D] ~ third\n x * w\n}\n"
        )
        found = values(sound(text + net("x |> Own", f"(x: {dtype}[N, 4])")), "own1.w")
        name = Initializer(name="uniform")
        first = drawn(name, name="own1.w", shape=[4], dtype=DType.F64, seed=0)
        np.testing.assert_array_equal(found, (first / 3).astype(made))


def test_an_integer_constant_is_computed_in_its_own_dtype() -> None:
    text = (
        "init ramp(w: i64[n]) { arange(n) * 2 }\n"
        "block Own(x: [N, D]) -> [N, D] {\n const k: i64[D] ~ ramp\n x * k\n}\n"
    )
    program = sound(text + net("x |> Own"))
    assert values(program, "own1.k").tolist() == [0, 2, 4, 6]
    assert emitted(program).own1.k.tolist() == [0, 2, 4, 6]


def test_values_depend_on_the_seed_and_the_name_alone() -> None:
    program = sound(SPARSE + OUT + rule("sparse_uniform"))
    body = net("x |> first: Linear(4) |> out: Linear(300)")
    wider = sound(SPARSE + body + rule("sparse_uniform"))
    np.testing.assert_array_equal(values(program, "out.weight"), values(wider, "out.weight"))
    other = program.module(seed=1).state_dict()["out.weight"].numpy()
    assert (other != values(program, "out.weight")).mean() > 0.5


# ---- where they are used -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        net("x |> out: Linear(300, weight ~ sparse_uniform)"),
        net("x |> out: Linear(300)") + "init { Linear.weight ~ sparse_uniform }\n",
        net("x |> out: Linear(300)") + 'init { "**.weight" ~ sparse_uniform() }\n',
        net('init { "out.weight" ~ sparse_uniform }\nx |> out: Linear(300)'),
        "block Own(x: [N, D]) -> [N, 300] {\n param weight: [300, D] ~ sparse_uniform\n"
        ' x @ rearrange(weight, "o d -> d o")\n}\n' + net("x |> out: Own"),
        "block Own(start)(x: [N, D]) -> [N, 300] {\n param weight: [300, D] ~ start\n"
        ' x @ rearrange(weight, "o d -> d o")\n}\n' + net("x |> out: Own(sparse_uniform)"),
    ],
)
def test_a_definition_stands_wherever_an_initializer_does(text: str) -> None:
    expected = weight(SPARSE, "sparse_uniform")
    np.testing.assert_array_equal(values(sound(SPARSE + text), "out.weight"), expected)


def test_a_definition_comes_from_another_file(tmp_path: Path) -> None:
    (tmp_path / "starts.net").write_text(SPARSE)
    main = tmp_path / "main.net"
    main.write_text('from "starts.net" import sparse_uniform\n' + OUT + rule("sparse_uniform"))
    program = specc.compile(main)
    expected = weight(SPARSE, "sparse_uniform")
    np.testing.assert_array_equal(values(program, "out.weight"), expected)


def test_a_files_own_definition_hides_the_built_in_one() -> None:
    text = "init ones(w: [...]) {\n w ~ constant(2)\n return w\n}\n"
    assert set(weight(text, "ones").ravel()) == {2}


def test_the_onnx_file_holds_the_same_values(tmp_path: Path) -> None:
    program = sound(SPARSE + OUT + rule("sparse_uniform"))
    path = program.build(tmp_path / "x.onnx").paths[0]
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}
    np.testing.assert_array_equal(stored["out.weight"], values(program, "out.weight"))


# ---- the emitted source --------------------------------------------------------------------------


def test_the_source_reads_as_one_would_write_it() -> None:
    program = sound(SPARSE + OUT + rule("sparse_uniform"))
    assert (
        "@torch.no_grad()\n"
        "def sparse_uniform_(parameter):\n"
        "    w = nn.init.uniform_(torch.empty_like(parameter), a=-10.0, b=10.0)\n"
        "    return parameter.copy_(w * (torch.abs(w) >= 5).to(parameter.dtype))\n"
    ) in program.python()
    assert "        sparse_uniform_(self.out.weight)\n" in program.python()


def test_the_source_alone_draws_the_same_law() -> None:
    program = sound(SPARSE + net("x |> out: Linear(5000)") + rule("sparse_uniform"))
    theirs = emitted(program).out.weight
    assert theirs.requires_grad
    ours = values(program, "out.weight").ravel()
    assert ks_2samp(theirs.detach().numpy().ravel(), ours).pvalue > 1e-3


def test_one_function_serves_all_shapes_that_it_reads_alike_for() -> None:
    body = net("x |> Linear(8) |> Linear(6) |> Linear(300)")
    source = sound(SPARSE + body + "init { Linear.weight ~ sparse_uniform }\n").python()
    assert source.count("def sparse_uniform_") == 1
    assert (
        "isinstance(module, nn.Linear):\n                sparse_uniform_(module.weight)" in source
    )


def test_a_function_for_each_shape_that_the_text_depends_on() -> None:
    text = "init made(w: [n, m]) { arange(n * m) |> reshape(n, m) }\n"
    body = net("x |> a: Linear(3) |> b: Linear(2)")
    program = sound(text + body + "init { Linear.weight ~ made }\n")
    module = emitted(program)
    for name in ("a.weight", "b.weight"):
        np.testing.assert_array_equal(module.state_dict()[name].numpy(), values(program, name))


def test_names_of_the_spec_stay_out_of_the_way() -> None:
    text = (
        "init A(w: [...]) {\n parameter ~ ones\n torch ~ ones\n x = parameter + torch\n"
        " return x + parameter\n}\n"
        "init module(w: [...]) {\n w ~ ones\n return w * 7\n}\n"
    )
    program = specc.compile(
        text.replace("A(", "B(")
        + net("x |> a: Linear(3) |> b: Linear(2)")
        + 'init {\n "a.weight" ~ B\n "b.weight" ~ module\n}\n'
    )
    module = emitted(program)
    assert module.a.weight.unique().tolist() == [3]
    assert module.b.weight.unique().tolist() == [7]


# ---- what is wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        ("return w * 2", "not-determined", "w"),
        ("w ~ normal", "no-result", "made"),
        ("w ~ normal\nreturn sum(w)", "bad-initializer", "sum(w)"),
        ("w ~ normal\nreturn 3", "wrong-type", "3"),
        ("w ~ nrmal\nreturn w", "unknown-name", "nrmal"),
        ("w ~ dirac\nreturn w", "bad-initializer", "dirac"),
        ("w ~ normal(std=-1)\nreturn w", "bad-initializer", "normal(std=-1)"),
        ("w ~ normal\nreturn w |> Linear(4)", "bad-initializer", "Linear(4)"),
        ("w ~ normal\nreturn w |> [Linear(4)]", "bad-initializer", "[Linear(4)]"),
        ("w ~ normal\nreturn w |> Dropout(0.5)", "bad-initializer", "Dropout(0.5)"),
        ("param p: [4] ~ zeros\nreturn p", "bad-initializer", "p"),
        ("init { Linear.weight ~ zeros }\nw ~ normal\nreturn w", "bad-initializer", "init"),
        ("w ~ normal\nreturn w * training", "bad-initializer", "training"),
        ("w ~ normal\nwhile sum(w) > 1 { w = w / 2 }\nreturn w", "bad-initializer", "while"),
        ("w ~ made\nreturn w", "recursive-block", "made"),
        ("w ~ normal\nreturn sum(ones(10 ** 5, 10 ** 5)) + w", "limit-exceeded", "made"),
        ("for i in 0..101 { w ~ normal }\nreturn w", "limit-exceeded", "made"),
        ("w ~ normal\nfor i in 0..1001 { w = -w }\nreturn w", "limit-exceeded", "made"),
    ],
)
def test_what_a_body_cannot_hold_is_an_error_at_its_place(body: str, code: str, place: str) -> None:
    text = "init made(w: [...]) {\n" + body + "\n}\n" + OUT + rule("made")
    ((found, where),) = errors(text)
    assert found == code
    assert where.startswith(place)


@pytest.mark.parametrize(
    ("start", "code", "place"),
    [
        ("sparse_uniform(1, 2, 3)", "too-many-arguments", "3"),
        ("sparse_uniform(limi=1)", "unknown-argument", "limi=1"),
        ("sparse_uniform(limit=true)", "wrong-type", "limit=true"),
        ("sparse_uniform(1, limit=2)", "repeated-argument", "limit=2"),
        ("sparse_unifor", "unknown-name", "sparse_unifor"),
        ("normal(0, mean=1)", "bad-initializer", "mean=1"),
    ],
)
def test_what_a_call_cannot_be_given(start: str, code: str, place: str) -> None:
    assert errors(SPARSE + OUT + rule(start)) == [(code, place)]


def test_a_shape_that_the_header_does_not_admit_is_an_error_at_the_rule() -> None:
    text = "init made(w: [n, n]) {\n w ~ eye\n return w\n}\n" + OUT + rule("made")
    assert errors(text) == [("type-mismatch", '"out.weight" ~ made')]


def test_an_error_in_a_body_names_the_parameter_that_it_is_for() -> None:
    found = diagnostic("init made(w: [...]) { w }\n" + OUT + rule("made"))
    assert [use.text for use in found.uses] == ["used here for out.weight"]


def test_a_dtype_that_the_header_names_is_asked_for() -> None:
    text = "init made(w: f16[...]) {\n w ~ ones\n return w\n}\n" + OUT + rule("made")
    assert [code for code, _ in errors(text)] == ["type-mismatch"]


def test_a_wrong_body_is_one_error_however_often_it_is_used() -> None:
    text = "init made(w: [...]) { w }\n" + net("x |> Linear(3) |> Linear(5) |> Linear(7)")
    assert errors(text + "init { Linear.weight ~ made }\n") == [("not-determined", "w")]


def test_a_draw_has_its_place_in_a_definition() -> None:
    assert errors(net("x ~ normal\nx")) == [("bad-initializer", "x ~ normal")]


@pytest.mark.parametrize("body", ["w * n", "w + sum(ones(n))"])
def test_a_size_of_the_inputs_is_no_number_to_compute_with(body: str) -> None:
    text = "init times(n)(w: [...]) {\n w ~ ones\n return " + body + "\n}\n"
    found = errors(text + net("x |> out: Linear(4, weight ~ times(N))"))
    assert [code for code, _ in found] == ["bad-initializer"]


def test_a_parameter_of_a_layer_is_no_hyperparameter_to_compute_with() -> None:
    text = "init like(other)(w: [...]) {\n w ~ zeros\n return w + other\n}\n"
    body = net("a = Linear(4)\nx |> a |> out: Linear(4, weight ~ like(a.weight))")
    assert [code for code, _ in errors(text + body)] == ["bad-initializer"]


HANDED = """
init wide(limit = 10)(w: [...]) {
    w ~ uniform(-limit, limit)
    return w
}
block Made(units: int, start = normal, bias = zeros)(x: [N, D]) -> [N, units] {
    param weight: [D, units] ~ start
    param bias: [units] ~ bias
    return x @ weight + bias
}
net Handed(how = xavier_uniform)(x: [N, 4]) -> [N, 4] {
    narrow = normal(std=0.01)
    x |> a: Made(4) |> b: Made(4, start=narrow) |> c: Made(4, start=wide(limit=7), bias=ones)
      |> d: Linear(4, weight ~ how)
}
"""


def test_initializers_are_values_that_can_be_bound_and_handed_over() -> None:
    found = {p.name: p.initializer for p in specc.compile(HANDED).parameters()}
    assert found["a.weight"] == "normal"
    assert found["a.bias"] == "zeros"
    assert found["b.weight"] == "normal(std=0.01)"
    assert found["c.weight"] == "wide(limit=7)"
    assert found["c.bias"] == "ones"
    assert found["d.weight"] == "xavier_uniform"


def test_an_initializer_is_no_tensor_and_no_layer() -> None:
    assert errors(net("x * normal")) == [("bad-operands", "x * normal")]
    assert errors(net("x |> normal(std=1)")) == [("not-a-layer", "normal(std=1)")]


def test_a_name_of_the_spec_hides_that_of_an_initializer() -> None:
    sound(net("normal = 3\nx * normal"))
