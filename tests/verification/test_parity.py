"""Parity: two targets of a network agree, and a wrong one is caught."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from specc.frontend.diagnostics import Fault
from specc.ir.graph import Constraint, Network
from specc.ir.types import DType, parse_type
from specc.ops.registry import operators
from specc.ops.single import single
from specc.targets.initial_values import initial_values
from specc.targets.onnx import save, to_onnx
from specc.verification.facts import NoSizes, ParityFailed, RuntimeRefused
from specc.verification.inputs import cases
from specc.verification.parity import verify
from tests.targets.networks import Body, network


def one(operator: str, *types: str, **arguments: Any) -> Network:
    return single(operators()[operator], tuple(map(parse_type, types)), arguments)


def classifier() -> Network:
    b = Body("Net", x="f32[N, 3, H, W]")
    x = b.layer("conv", "Conv", 0, channels=4, kernel=3)
    x = b.op("relu", b.layer("norm", "BatchNorm", x))
    x = b.op("flatten", b.op("AdaptiveAvgPool", x, size=1))
    x = b.layer("drop", "Dropout", x)
    return with_constraints(
        network(b.template(b.layer("fc", "Linear", x, features=5))),
        (">=", "H - 2", 1),
        (">=", "W - 2", 1),
    )


def with_constraints(net: Network, *constraints: tuple[Any, Any, Any]) -> Network:
    made = tuple(
        Constraint(relation=relation, left=left, right=right, reason="a test")
        for relation, left, right in constraints
    )
    return net.model_copy(update={"constraints": made})


def fact_of(call: Callable[[], object]) -> Any:
    with pytest.raises(Fault) as caught:
        call()
    return caught.value.fact


# ---- the comparison ------------------------------------------------------------------------------


def test_a_network_agrees_with_itself_at_two_sizes() -> None:
    net = classifier()
    report = verify(net, to_onnx(net))
    assert dict(report.cases[0].sizes) == {"N": 1, "H": 3, "W": 3}
    assert len({case.sizes for case in report.cases}) == 2
    assert report.agrees
    assert 0 <= report.difference < 1e-5
    assert report.text().splitlines()[0].startswith("y f32[1, 5] at N=1, H=3, W=3: ")


def test_files_and_bytes_are_verified_too(tmp_path: Path) -> None:
    net = classifier()
    save(net, tmp_path / "net.onnx", limit=0)
    expected = verify(net, to_onnx(net).SerializeToString())
    assert verify(net, tmp_path / "net.onnx") == expected


def test_both_sides_use_the_given_weights() -> None:
    net = classifier()
    weights = dict(initial_values(net.parameters, 8))
    del weights["norm.num_batches_tracked"]  # older checkpoints lack it
    model = to_onnx(net, weights=weights)
    assert verify(net, model, weights=weights).agrees
    assert isinstance(fact_of(lambda: verify(net, model, seed=9)), ParityFailed)


WRONG = {
    "a wrong slope": ("leaky_relu", lambda b, s: b.op("LeakyRelu", s.x, alpha=0.02)),
    "a forgotten bound": ("relu6", lambda b, s: b.op("Mul", s.x, s.x)),
    "a wrong sign": ("neg", lambda b, s: s.x),
    "a wrong order": ("sub", lambda b, s: b.op("Sub", s.inputs[1], s.x)),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_planted_error_is_caught(case: str) -> None:
    name, lowering = WRONG[case]
    table = {**operators(), name: replace(operators()[name], onnx={17: lowering})}
    types = ["f32[N, 3]"] * (2 if name == "sub" else 1)
    net = one(name, *types)
    assert verify(net, to_onnx(net)).agrees
    fact = fact_of(lambda: verify(net, to_onnx(net, operators=table)))
    assert isinstance(fact, ParityFailed)
    assert fact.message.startswith("ONNX and PyTorch disagree on 'y' at N=1: differs by ")
    assert "disagrees" in fact.report.text()


def test_a_wrong_shape_is_caught() -> None:
    """Where the IR is wrong and both runtimes agree."""
    net = one("relu", "f32[N, 3]")
    (port,) = net.outputs
    wrong = port.model_copy(update={"type": parse_type("f32[2*N, 3]")})
    fact = fact_of(lambda: verify(net.model_copy(update={"outputs": (wrong,)}), to_onnx(net)))
    assert isinstance(fact, ParityFailed)
    assert "onnxruntime gives [1, 3] where the spec has [2, 3]" in fact.message


def test_integers_must_be_equal() -> None:
    net = one("add", "i64[N]", right=1)
    table = {
        **operators(),
        "add": replace(
            operators()["add"],
            onnx={17: lambda b, s: b.op("Add", s.x, b.constant(2, DType.I64))},
        ),
    }
    assert verify(net, to_onnx(net)).difference == 0.0
    fact = fact_of(lambda: verify(net, to_onnx(net, operators=table)))
    assert fact.report.failures[0][1].difference == float("inf")


def test_not_a_number_on_both_sides_agrees() -> None:
    """The square root of a negative number, of which there are some among 64."""
    net = one("sqrt", "f32[64]")
    assert verify(net, to_onnx(net)).agrees


def test_each_dtype_has_its_own_bound() -> None:
    net = one("exp", "f16[64]")
    report = verify(net, to_onnx(net))
    assert report.cases[0].outputs[0].bound == 1e-2
    fact = fact_of(lambda: verify(net, to_onnx(net), bounds={DType.F16: -1.0}))
    assert isinstance(fact, ParityFailed)


def test_a_runtime_that_has_no_kernel_is_named() -> None:
    net = one("Linear", "bf16[N, 4]", features=2)
    fact = fact_of(lambda: verify(net, to_onnx(net)))
    assert isinstance(fact, RuntimeRefused)
    assert "onnxruntime cannot run the network" in fact.message
    assert "Gemm" in fact.message
    assert fact.help is not None
    assert "no kernel" in fact.help
    assert "drew" not in fact.help


def test_sizes_that_pytorch_refuses_are_named() -> None:
    net = with_constraints(one("Conv", "f32[N, 3, L]", channels=2, kernel=3))
    fact = fact_of(lambda: verify(net, to_onnx(net)))
    assert isinstance(fact, RuntimeRefused)
    assert fact.at == " at N=1, L=1"
    assert fact.help is not None
    assert "specc drew these inputs" in fact.help


def test_what_pytorch_warns_of_is_kept_from_the_user() -> None:
    net = one("var", "f32[N]", correction=1)
    with pytest.warns(UserWarning, match="degrees of freedom"):
        torch.ones(1).var()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert verify(net, to_onnx(net)).agrees
    assert [str(warning.message) for warning in caught] == []


# ---- inputs --------------------------------------------------------------------------------------


def test_sizes_meet_every_condition() -> None:
    net = with_constraints(
        one("relu", "f32[N, T, H]"),
        (">=", "T", 5),
        ("==", "H - 4*(H // 4)", 0),
        ("!=", "T", "N + 4"),
    )
    first, second = [case.sizes for case in cases(net, seed=0)]
    assert first["N"] == 1
    for sizes in (first, second):
        assert sizes["T"] >= 5
        assert sizes["H"] % 4 == 0
        assert sizes["T"] != sizes["N"] + 4
    assert all(first[name] != second[name] for name in ("N", "T", "H"))


def test_conditions_that_nothing_meets_are_reported() -> None:
    net = with_constraints(one("relu", "f32[N]"), ("==", "2*N", 7))
    assert isinstance(fact_of(lambda: list(cases(net, seed=0))), NoSizes)


def test_static_networks_get_two_different_inputs() -> None:
    first, second = cases(one("relu", "f32[4]"), seed=0)
    assert first.sizes == second.sizes == {}
    assert not np.array_equal(first.inputs["x"], second.inputs["x"])


def test_the_seed_decides_the_inputs() -> None:
    net = one("relu", "f32[N, 4]")
    once, again, other = (next(cases(net, seed)).inputs["x"] for seed in (1, 1, 2))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


def test_positions_are_within_the_table() -> None:
    """Also where something rearranges them first."""
    b = Body("Net", x="i64[N, 400]")
    x = b.layer("embed", "Embedding", b.op("flatten", 0), num_embeddings=3, embedding_dim=2)
    net = network(b.template(x))
    drawn = [case.inputs["x"] for case in cases(net, seed=0)]
    assert all(set(np.unique(x)) == {0, 1, 2} for x in drawn)
    assert verify(net, to_onnx(net)).agrees


def test_integers_are_not_divided_by_zero() -> None:
    net = one("floor_div", "i32[500]", "i32[500]")
    assert verify(net, to_onnx(net)).agrees
    assert min(next(cases(net, seed=0)).inputs["x"]) < 0


def test_every_dtype_is_drawn() -> None:
    for dtype in DType:
        net = one("identity", f"{dtype.value}[64]")
        x = next(cases(net, seed=0)).inputs["x"]
        assert len(np.unique(x.astype(np.float64))) >= 2
        assert verify(net, to_onnx(net)).agrees
