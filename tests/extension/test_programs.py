"""Programs with operators of a host's own: the same on every target, and nobody else's business."""

from __future__ import annotations

import copy
import importlib.util
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

import specc
from specc.infer.session import run, session
from specc.ops.registry import operators
from tests.extension.own_ops import EVERY, LowRank, center, distances, gated, swish, swish2

ROOT = Path(__file__).resolve().parents[2]

MIXER = """
block Mixer(width: int, beta = 1.0)(x: [N, D]) -> [N, width] {
    return x |> LowRank(width, 2) |> swish2(beta=beta)
}

net Mixing(x: [N, 6]) -> [N, 4] {
    x |> first: Mixer(8) |> second: Mixer(8, beta=2.0) |> Center() |> gated |> out: Linear(4)
}

init { LowRank.down ~ normal(std=0.5) }
"""


@pytest.fixture(scope="module")
def mixer() -> specc.Program:
    return specc.compile(MIXER, ops=EVERY)


def test_the_module_computes_what_the_functions_do(mixer: specc.Program) -> None:
    module: Any = mixer.module(seed=3).eval()
    x = torch.randn(5, 6)
    h = x
    for mixed, beta in ((module.first, 1.0), (module.second, 2.0)):
        own = dict(mixed.named_parameters())
        down, up, bias = (own[f"low_rank1.{name}"] for name in ("down", "up", "bias"))
        h = swish(h @ down @ up + bias, beta)
    h = h - module.center1.mean
    torch.testing.assert_close(module(x), module.out(torch.nn.functional.glu(h)))


def test_parameters_are_named_initialized_and_trained_as_any(mixer: specc.Program) -> None:
    names = {parameter.name: parameter for parameter in mixer.network.parameters}
    assert str(names["first.low_rank1.down"].initializer) == "normal(std=0.5)"
    assert names["center1.mean"].role == "buffer"
    module = mixer.module().train()
    before = module.state_dict()["center1.mean"].clone()
    module(torch.randn(8, 6)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters())
    assert not torch.equal(module.state_dict()["center1.mean"], before)


@pytest.mark.parametrize("opset", [18, 21, 24])
def test_the_onnx_file_holds_the_functions_and_agrees(
    mixer: specc.Program, tmp_path: Path, opset: int
) -> None:
    built = mixer.build(tmp_path / "m.onnx", opset=opset)
    assert built.parity is not None
    assert built.parity.agrees
    model = onnx.load(built.paths[0])
    onnx.checker.check_model(model, full_check=True)
    assert {f"{f.domain}.{f.name}" for f in model.functions} == {
        "com.example.LowRank",
        "com.example.Center",
    }
    assert ("com.example", 1) in {(one.domain, one.version) for one in model.opset_import}
    x = np.random.default_rng(0).normal(size=(7, 6)).astype(np.float32)
    answer = run(session(built.paths[0]), {"x": x})["output"]
    expected = mixer.module().eval()(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(answer, expected, rtol=1e-4, atol=1e-6)


def test_a_function_of_later_nodes_names_the_opset_that_it_needs() -> None:
    body = onnx.helper.make_function(
        "com.example",
        "Gelu",
        ["x"],
        ["y"],
        [onnx.helper.make_node("Gelu", ["x"], ["y"])],
        [onnx.helper.make_opsetid("", 20)],
    )
    own = specc.op("gelu2(x: [N]) -> [N]", torch="F.gelu", onnx=body, summary="Gelu.")
    program = specc.compile("net A(x: [N]) -> [N] { gelu2(x) }", ops=[own])
    assert program.onnx(opset=20).functions[0].name == "Gelu"
    with pytest.raises(specc.SpecError, match="opset 20 or later has it"):
        program.onnx(opset=17)


def test_the_source_is_a_file_that_runs_by_itself(mixer: specc.Program, tmp_path: Path) -> None:
    mixer.build(tmp_path / "m.py")
    text = (tmp_path / "m.py").read_text()
    assert "import tests.extension.own_ops as _tests_extension_own_ops" in text
    spec = importlib.util.spec_from_file_location("m", tmp_path / "m.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    module = made.Mixing()
    module.load_state_dict(mixer.module(seed=1).state_dict())
    x = torch.randn(2, 6)
    torch.testing.assert_close(module.eval()(x), mixer.module(seed=1).eval()(x))


def test_json_and_weight_files_are_read_with_the_operators(
    mixer: specc.Program, tmp_path: Path
) -> None:
    again = specc.Program.from_json(mixer.to_json(), ops=EVERY)
    assert again.python() == mixer.python()
    mixer.build(tmp_path / "m.safetensors", seed=5)
    program, module = specc.load(tmp_path / "m.safetensors", ops=EVERY)
    assert program.show() == mixer.show()
    x = torch.randn(3, 6)
    torch.testing.assert_close(module.eval()(x), mixer.module(seed=5).eval()(x))


def test_a_network_that_names_an_operator_that_is_not_given_is_refused(
    mixer: specc.Program, tmp_path: Path
) -> None:
    says = "the operator 'LowRank' is not built in; pass it by ops= or --ops"
    with pytest.raises(specc.SpecError, match=says):
        specc.Program.from_json(mixer.to_json())
    mixer.build(tmp_path / "m.safetensors")
    with pytest.raises(specc.SpecError, match=says):
        specc.load(tmp_path / "m.safetensors", ops=[swish2, center, gated])


def test_the_rule_holds_a_json_network_to_the_operators_types(mixer: specc.Program) -> None:
    wrong = mixer.to_json().replace('"features": 8', '"features": 9')
    with pytest.raises(specc.SpecError, match="bad-ir"):
        specc.Program.from_json(wrong, ops=EVERY)


# ---- diagnostics


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("x |> swich2", "did you mean 'swish2'"),
        ("x |> swish2(betta=2)", "did you mean 'beta'"),
        ('x |> swish2(beta="a")', "beta of swish2 must be a number"),
        ("x |> LowRank(3)", "LowRank needs"),
        ("x |> LowRank(3, 0)", "rank of LowRank must be an int of at least 1"),
        ("distances(x, x[:, 1:])", "dim 1 of y: [M, D] must be 6, not 5"),
    ],
)
def test_wrong_uses_are_located_as_those_of_built_in_operators(body: str, says: str) -> None:
    with pytest.raises(specc.SpecError) as caught:
        specc.compile(f"net A(x: [N, 6]) {{ {body} }}", ops=EVERY)
    assert says in str(caught.value)
    assert all(diagnostic.primary is not None for diagnostic in caught.value.diagnostics)


@pytest.mark.parametrize(
    ("ops", "says"),
    [
        ([swish2, replace(swish2)], "two operators are called 'swish2'"),
        ([replace(swish2, name="relu")], "two operators are called 'relu'"),
        ([replace(swish2, name="len")], "'len' is a name of the language"),
        ([replace(swish2, name="f32")], "'f32' is a name of the language"),
    ],
)
def test_names_that_are_taken_are_refused(ops: list[Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        specc.compile("net A(x: [N]) -> [N] { x }", ops=ops)


def test_what_is_no_operator_is_refused() -> None:
    with pytest.raises(TypeError, match="an operator is what"):
        specc.compile("net A(x: [N]) -> [N] { x }", ops=[swish])  # type: ignore[list-item]


def test_a_definition_of_the_file_hides_an_operator_as_it_hides_a_built_in_one() -> None:
    text = "block swish2(x: [...]) = -x\nnet A(x: [N]) -> [N] { swish2(x) }"
    module = specc.compile(text, ops=[swish2]).module()
    torch.testing.assert_close(module(torch.ones(2)), -torch.ones(2))


def test_an_operator_without_an_onnx_form_trains_and_is_named_where_onnx_is_built() -> None:
    own = replace(swish2, onnx={})
    program = specc.compile("net A(x: [N, 3]) -> [N, 3] { x |> swish2 }", ops=[own])
    torch.testing.assert_close(program.module()(torch.ones(1, 3)), swish(torch.ones(1, 3), 1.0))
    with pytest.raises(specc.SpecError) as caught:
        program.onnx()
    (found,) = caught.value.diagnostics
    assert found.code == "target-unsupported"
    assert "swish2 cannot be written in ONNX opset" in found.message
    assert found.primary is not None


# ---- a class alone


def test_the_state_of_a_class_alone_is_not_shared() -> None:
    text = """
net A(x: [N, 3]) -> [N, 3] {
    a = Center()
    return x |> a |> Center(mean=a.mean)
}
"""
    program = specc.compile(text, ops=[center])
    with pytest.raises(specc.SpecError, match="it is a class alone"):
        program.module()


# ---- other domains


DISTANT = "net Distant(x: [N, 3], y: [M, 3]) -> [N, M] { distances(x, y, power=1) }"


def test_a_graph_of_another_domain_imports_it_and_says_that_it_is_not_verified(
    tmp_path: Path,
) -> None:
    program = specc.compile(DISTANT, ops=[distances])
    built = program.build(tmp_path / "d.onnx")
    assert built.parity is None
    assert built.unverified == "onnxruntime has no library for the operators of com.example"
    model = onnx.load(built.paths[0])
    onnx.checker.check_model(model)
    (node,) = model.graph.node
    assert (node.domain, node.op_type) == ("com.example", "Distances")
    assert [(a.name, a.f) for a in node.attribute] == [("power", 1.0)]
    assert ("com.example", 2) in {(one.domain, one.version) for one in model.opset_import}


def test_parity_is_checked_with_the_library_that_an_operator_names(tmp_path: Path) -> None:
    extensions = pytest.importorskip("onnxruntime_extensions")
    inverse = specc.op(
        "inverse(x: f32[n, n]) -> f32[n, n]",
        torch="torch.linalg.inv",
        onnx=specc.OnnxNode("ai.onnx.contrib", "Inverse"),
        library=extensions.get_library_path(),
        summary="The inverse of a matrix.",
    )
    text = "net A(x: [3, 3]) -> [3, 3] { inverse(x) |> relu }"
    built = specc.compile(text, ops=[inverse]).build(tmp_path / "a.onnx")
    assert built.parity is not None
    assert built.parity.agrees


def test_a_domain_may_hold_functions_and_nodes_that_a_library_runs(tmp_path: Path) -> None:
    text = "net A(x: [N, 3]) -> [N, N] { y = x |> LowRank(3, 2)\ndistances(y, x) }"
    built = specc.compile(text, ops=[LowRank, distances]).build(tmp_path / "a.onnx")
    assert built.unverified == "onnxruntime has no library for the operators of com.example"
    model = onnx.load(built.paths[0])
    assert ("com.example", 2) in {(one.domain, one.version) for one in model.opset_import}


def test_two_versions_of_a_domain_in_one_model_are_refused() -> None:
    other = replace(
        swish2, onnx={17: lambda b, s: b.op("Swish", s.x, domain="com.example", version=1)}
    )
    text = "net A(x: [N, 3]) -> [N, N] { distances(x, swish2(x)) }"
    with pytest.raises(ValueError, match="used in the versions 1 and 2"):
        specc.compile(text, ops=[other, distances]).onnx()


# ---- nobody else's business


def test_a_program_leaves_the_table_as_it_was() -> None:
    before = dict(operators())
    specc.compile(MIXER, ops=EVERY).module()
    assert dict(operators()) == before
    with pytest.raises(specc.SpecError, match="unknown name 'swish2'"):
        specc.compile("net A(x: [N]) -> [N] { swish2(x) }")


def doubled(x: torch.Tensor) -> torch.Tensor:
    """Twice x."""
    return x * 2


def tripled(x: torch.Tensor) -> torch.Tensor:
    """Three times x."""
    return x * 3


def test_programs_with_different_operators_of_one_name_live_side_by_side() -> None:
    signature, text = "times(x: [N]) -> [N]", "net A(x: [N]) -> [N] { times(x) }"
    own = [specc.op(signature, torch=function) for function in (doubled, tripled)]

    def outcome(number: int) -> float:
        program = specc.compile(text, ops=[own[number % 2]])
        return float(program.module()(torch.ones(1)))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(outcome, range(64))) == [2.0, 3.0] * 32


def test_a_module_is_pickled_by_the_names_of_its_operators(
    mixer: specc.Program, tmp_path: Path
) -> None:
    module = mixer.module(seed=2).eval()
    x = torch.linspace(-1, 1, 12).reshape(2, 6)
    torch.testing.assert_close(copy.deepcopy(module)(x), module(x))
    torch.testing.assert_close(pickle.loads(pickle.dumps(module))(x), module(x))
    (tmp_path / "m.pickle").write_bytes(pickle.dumps(module))
    read = f"""
import pickle, torch
module = pickle.load(open({str(tmp_path / "m.pickle")!r}, "rb"))
print(module(torch.linspace(-1, 1, 12).reshape(2, 6)).tolist())
"""
    done = subprocess.run(
        [sys.executable, "-c", read], cwd=ROOT, capture_output=True, text=True, check=True
    )
    torch.testing.assert_close(torch.tensor(eval(done.stdout)), module(x))


def test_a_module_of_an_operator_that_has_no_name_is_not_pickled() -> None:
    own = specc.op("times(x: [N]) -> [N]", torch=doubled)
    module = specc.compile("net A(x: [N]) -> [N] { times(x) }", ops=[own]).module()
    with pytest.raises(pickle.PicklingError, match="'times' is no attribute of the module"):
        pickle.dumps(module)


def test_a_function_in_main_serves_the_module_and_no_file(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("""
import specc, torch

def doubled(x):
    "Twice x."
    return x * 2

own = specc.op("times(x: [N]) -> [N]", torch=doubled)
program = specc.compile("net A(x: [N]) -> [N] { times(x) }", ops=[own])
print(program.module()(torch.ones(1)).item())
try:
    program.python()
except specc.SpecError as error:
    print(error)
""")
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2.0\n")
    assert "a function that it calls is in `__main__`" in done.stdout


def test_training_takes_the_operators() -> None:
    text = """
net Line(x: [N, 1]) -> [N, 1] { x |> LowRank(1, 1) }
train {
    data = synthetic_regression(w=[3], b=-1)
    loss = mse
    optimizer = sgd(lr=0.1)
    epochs = 2
}
"""
    result = specc.train(specc.compile(text, ops=[LowRank]), device="cpu")
    assert result.epochs[-1].test["loss"] < result.epochs[0].train["loss"]
