"""What each initializer accepts, against torch.nn.init, and how it reads and travels."""

from __future__ import annotations

import inspect
import json
import math
import subprocess
import sys

import pytest
import torch
from pydantic import ValidationError

from specc.initialize import catalogue
from specc.initialize.catalogue import CATALOGUE, TorchInit, problem, torch_call
from specc.ir.initializer import ArgumentValue, Initializer
from specc.ir.types import DType


def _call(name: str, **arguments: ArgumentValue) -> Initializer:
    return Initializer(name=name, arguments=arguments)


def test_every_initializer_of_torch_is_here_with_its_arguments_and_defaults() -> None:
    functions = {
        name.removesuffix("_"): function
        for name, function in vars(torch.nn.init).items()
        if name.endswith("_") and not name.startswith("_") and callable(function)
    }
    assert set(CATALOGUE) == set(functions)
    for name, function in functions.items():
        expected = {
            parameter.name: None if parameter.default is parameter.empty else parameter.default
            for parameter in inspect.signature(function).parameters.values()
            if parameter.name not in ("tensor", "generator")
        }
        found = {argument.name: argument.default for argument in CATALOGUE[name].arguments}
        assert found == expected, name
        assert list(found) == list(expected), name


def test_gains_are_torchs() -> None:
    from specc.initialize.fans import GAINS

    for name, gain in GAINS.items():
        for slope in (0.0, 0.01, 0.2, math.sqrt(5)):
            expected = torch.nn.init.calculate_gain(name, slope)  # type: ignore[arg-type]
            assert gain(slope) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("initializer", "shape", "reason"),
    [
        (_call("xavier_uniform"), [5], "needs at least 2 dims"),
        (_call("xavier_normal"), [], "this is a scalar"),
        (_call("kaiming_uniform"), [5], "needs at least 2 dims"),
        (_call("kaiming_normal"), [5], "needs at least 2 dims"),
        (_call("orthogonal"), [5], "needs at least 2 dims"),
        (_call("eye"), [2, 2, 2], "needs 2 dims"),
        (_call("sparse", sparsity=0.5), [5], "needs 2 dims"),
        (_call("dirac"), [5, 5], "needs 3, 4 or 5 dims"),
        (_call("dirac", groups=2), [5, 5, 3], "cannot split 5 output channels into 2 groups"),
        (_call("uniform", a=2, b=1), [5], "needs a <= b"),
        (_call("normal", std=-1.0), [5], "needs std to be at least 0"),
    ],
    ids=str,
)
def test_what_torch_refuses_is_refused(
    initializer: Initializer, shape: list[int], reason: str
) -> None:
    found = problem(initializer, shape)
    assert found is not None
    assert reason in found.reason
    call = torch_call(initializer)
    function = getattr(torch.nn.init, call.function.removeprefix("nn.init."))
    with pytest.raises((ValueError, RuntimeError)):
        function(torch.empty(shape), *call.positional, **call.keywords)


@pytest.mark.parametrize(
    ("initializer", "dtype", "argument", "reason"),
    [
        (_call("glorot"), DType.F32, None, "is no initializer"),
        (_call("normal", sdt=1.0), DType.F32, "sdt", "takes no argument 'sdt'"),
        (_call("normal", std="1"), DType.F32, "std", "needs std to be a number"),
        (_call("normal", std=True), DType.F32, "std", "needs std to be a number"),
        (_call("normal", std=10**400), DType.F32, "std", "needs std to be finite"),
        (_call("constant"), DType.F32, "val", "needs its argument 'val'"),
        (_call("sparse", sparsity=1.5), DType.F32, "sparsity", "to be at most 1"),
        (_call("dirac", groups=0), DType.F32, "groups", "to be at least 1"),
        (_call("dirac", groups=2.0), DType.F32, "groups", "to be an int"),
        (_call("kaiming_normal", mode="fan_on"), DType.F32, "mode", "'fan_in', 'fan_out'"),
        (_call("normal"), DType.I64, None, "draws real numbers, which i64 cannot hold"),
        (_call("constant", val=0.5), DType.I64, None, "sets 0.5, which i64 cannot hold"),
        (_call("constant", val=300), DType.U8, None, "sets 300, which u8 cannot hold"),
        (_call("constant", val=70000.0), DType.F16, None, "which f16 cannot hold"),
        (_call("trunc_normal", a=2, b=2), DType.F32, None, "needs a < b"),
        (_call("trunc_normal", std=-1.0), DType.F32, "std", "needs std to be at least 0"),
        (_call("trunc_normal", std=0), DType.F32, None, "needs a std above 0"),
        (_call("trunc_normal", a=90, b=91), DType.F32, None, "over 37 std away"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(
    initializer: Initializer, dtype: DType, argument: str | None, reason: str
) -> None:
    found = problem(initializer, [4, 4], dtype)
    assert found is not None
    assert found.argument == argument
    assert reason in found.reason


@pytest.mark.parametrize("name", CATALOGUE)
def test_each_has_a_shape_that_it_serves(name: str) -> None:
    required = {"constant": {"val": 1}, "sparse": {"sparsity": 0.5}}.get(name, {})
    shape = [4, 4, 3] if name == "dirac" else [4, 4]
    assert problem(Initializer(name=name, arguments=required), shape) is None  # type: ignore[arg-type]


def test_the_torch_call_leaves_defaults_out() -> None:
    assert torch_call(_call("normal", mean=0, std=1)) == TorchInit("nn.init.normal_", (), {})
    assert torch_call(_call("constant", val=42)) == TorchInit("nn.init.constant_", (42,), {})
    assert torch_call(_call("kaiming_normal", mode="fan_out")) == TorchInit(
        "nn.init.kaiming_normal_", (), {"mode": "fan_out"}
    )


def test_an_initializer_goes_through_json_unchanged() -> None:
    sent = _call("x", i=1, f=1.0, s="fan_in", b=True, small=5e-324)
    back = Initializer.model_validate_json(sent.model_dump_json())
    assert back == sent
    assert [type(value) for value in back.arguments.values()] == [int, float, str, bool, float]
    assert hash(back) == hash(sent)


@pytest.mark.parametrize(
    "text",
    [
        '{"name":"normal","arguments":{"std":Infinity}}',
        '{"name":"normal","arguments":{"std":NaN}}',
        '{"name":"normal","arguments":{"std":1e999}}',
        '{"name":"normal","arguments":{"std":[1]}}',
        '{"name":"normal","arguments":{"std":null}}',
        '{"name":"normal","extra":1}',
        '{"name":3}',
    ],
)
def test_json_that_is_no_initializer_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        Initializer.model_validate_json(text)


def test_an_initializer_with_an_infinite_argument_cannot_be_made() -> None:
    with pytest.raises(ValidationError):
        _call("normal", std=math.inf)


def test_an_initializer_reads_as_in_the_language() -> None:
    assert str(_call("zeros")) == "zeros"
    assert str(_call("normal", std=0.01)) == "normal(std=0.01)"
    assert str(_call("kaiming_normal", mode="fan_out")) == 'kaiming_normal(mode="fan_out")'


def test_the_catalogue_loads_no_numpy() -> None:
    code = "import json, sys, specc.initialize.catalogue; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "torch", "onnx", "ml_dtypes"} & set(json.loads(run.stdout))


def test_names_are_unique_and_described() -> None:
    for entry in catalogue.CATALOGUE.values():
        assert entry.summary.endswith(".")
        names = [argument.name for argument in entry.arguments]
        assert len(names) == len(set(names))
