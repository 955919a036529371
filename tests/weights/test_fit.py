"""Weights fit a network, or a fact names all that does not."""

from __future__ import annotations

from dataclasses import dataclass

import ml_dtypes
import numpy as np
import pytest

from specc.frontend.diagnostics import Fault
from specc.ir.types import DType, TensorType
from specc.weights.facts import WeightsDoNotFit
from specc.weights.fit import fit
from specc.weights.safetensors import Weights


@dataclass(frozen=True)
class Parameter:
    name: str
    type: TensorType


PARAMETERS = [
    Parameter("embed.weight", TensorType(DType.F32, (5, 3))),
    Parameter("norm.weight", TensorType(DType.F32, (3,))),
    Parameter("norm.num_batches_tracked", TensorType(DType.I64, ())),
]
ALIASES = {"head.weight": "embed.weight"}
FILE = {
    "norm.num_batches_tracked": np.array(7),
    "norm.weight": np.ones(3, np.float32),
    "embed.weight": np.full((5, 3), np.nan, np.float32),
}


def _fit(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    fitted = fit(Weights.of(arrays, "w.safetensors"), PARAMETERS, ALIASES)
    return {name: tensor.read() for name, tensor in fitted.items()}


def _misfit(arrays: dict[str, np.ndarray]) -> WeightsDoNotFit:
    with pytest.raises(Fault) as caught:
        _fit(arrays)
    assert isinstance(caught.value.fact, WeightsDoNotFit)
    return caught.value.fact


def _without(name: str) -> dict[str, np.ndarray]:
    return {key: value for key, value in FILE.items() if key != name}


def test_weights_that_fit_come_in_the_networks_order() -> None:
    fitted = _fit(FILE)
    assert list(fitted) == [parameter.name for parameter in PARAMETERS]
    assert fitted["norm.num_batches_tracked"] == 7


def test_the_batch_count_may_be_missing() -> None:
    count = _fit(_without("norm.num_batches_tracked"))["norm.num_batches_tracked"]
    assert (count, count.dtype, count.shape) == (0, np.int64, ())


def test_only_a_count_is_one() -> None:
    own = Parameter("num_batches_tracked", TensorType(DType.F32, (2,)))
    with pytest.raises(Fault, match=r"missing=.*num_batches_tracked"):
        fit(Weights.of({}), [own], {})


def test_nothing_else_may_be_missing() -> None:
    fact = _misfit(_without("norm.weight"))
    assert fact.missing == (("norm.weight", None),)
    assert fact.message == (
        "the weights in w.safetensors do not fit: 1 missing\n  missing: norm.weight"
    )


def test_everything_wrong_is_named_with_the_nearest() -> None:
    fact = _misfit({"nrom.weight": np.ones(3, np.float32), "embed.weight": np.ones((3, 5))})
    assert fact.missing == (("norm.weight", "nrom.weight"),)
    assert fact.unexpected == (("nrom.weight", "norm.weight"),)
    assert fact.misshapen == (("embed.weight", "f32[5, 3]", "f64[3, 5]"),)
    assert fact.message.splitlines() == [
        "the weights in w.safetensors do not fit: 1 missing, 1 unexpected, 1 of another type",
        "  missing: norm.weight (the file has nrom.weight)",
        "  unexpected: nrom.weight (the network has norm.weight)",
        "  of another type: embed.weight is f64[3, 5], not f32[5, 3]",
    ]


def test_long_lists_are_cut_in_the_message_alone() -> None:
    fact = _misfit(FILE | {f"extra.{i}": np.ones(1) for i in range(100)})
    assert len(fact.unexpected) == 100
    assert fact.message.count("\n") == 11
    assert fact.message.endswith("... and 90 more unexpected")


@pytest.mark.parametrize(
    "kept", [{"embed.weight"}, {"head.weight"}, {"embed.weight", "head.weight"}]
)
def test_a_shared_parameter_may_bear_any_of_its_names(kept: set[str]) -> None:
    value = FILE["embed.weight"]
    fitted = _fit(_without("embed.weight") | dict.fromkeys(kept, value))
    assert fitted["embed.weight"].tobytes() == value.tobytes()
    assert "head.weight" not in fitted


def test_copies_of_a_shared_parameter_must_agree() -> None:
    fact = _misfit(FILE | {"head.weight": np.ones((5, 3), np.float32)})
    assert fact.disagreeing == (("head.weight", "embed.weight"),)
    assert "head.weight and embed.weight are one parameter" in fact.message


def test_an_alias_of_another_shape_is_misshapen() -> None:
    fact = _misfit(FILE | {"head.weight": np.ones((3, 5), np.float32)})
    assert fact.misshapen == (("head.weight", "f32[5, 3]", "f32[3, 5]"),)


def test_another_dtype_is_refused_with_what_to_do() -> None:
    fact = _misfit(FILE | {"norm.weight": np.ones(3, ml_dtypes.bfloat16)})
    assert fact.misshapen == (("norm.weight", "f32[3]", "bf16[3]"),)
    assert fact.help is not None
    assert fact.help.startswith("names and shapes fit: --cast")
    both = FILE | {"norm.weight": np.ones(3), "embed.weight": np.ones((3, 5), np.float32)}
    assert _misfit(both).help is None


def test_a_prefix_too_many_is_recognised() -> None:
    fact = _misfit({f"module.{name}": value for name, value in FILE.items()})
    assert fact.help == (
        "--rename 'module.**=**' makes the names fit (in Python, rename={'module.**': '**'})"
    )
    assert _misfit({f"modul:{name}": value for name, value in FILE.items()}).help is None


def test_a_prefix_that_lacks_is_recognised_and_what_is_left_over() -> None:
    wanted = [Parameter(f"net.h.{i}.weight", TensorType(DType.F32, (3,))) for i in range(12)]
    arrays = {f"h.{i}.weight": np.ones(3, np.float32) for i in range(12)}
    masks = {f"h.{i}.mask": np.ones((1, 1), np.float32) for i in range(11)}
    with pytest.raises(Fault) as caught:
        fit(Weights.of(arrays | masks), wanted, {})
    assert caught.value.fact.help == (
        "--rename '**=net.**' makes the names fit; --rename 'net.h.*.mask=' leaves out what this "
        "network has no place for, which is right for masks and wrong for weights "
        "(in Python, rename={'**': 'net.**', 'net.h.*.mask': None})"
    )
    # A rule may bear what a shared parameter is also called.
    with pytest.raises(Fault) as caught:
        fit(Weights.of({"x.tied": np.ones(3)}), wanted[:1], {"tied": wanted[0].name})
    assert "'x.**=**'" in (caught.value.fact.help or "")


@pytest.mark.parametrize(
    "names",
    [
        {"h.0.weight", "a", "b", "c", "d"},  # too much is left over
        {"h.0.weight", "q.0.weight", "q.1.weight"},
        {"h.0.weight", "net.h.0.weight.x"},  # a prefix, but not of all
        {"h.0.weight", "h.1=weight"},
    ],
)
def test_where_more_is_wrong_no_names_are_proposed(names: set[str]) -> None:
    wanted = [Parameter(f"net.h.{i}.weight", TensorType(DType.F32, (3,))) for i in range(2)]
    with pytest.raises(Fault) as caught:
        fit(Weights.of(dict.fromkeys(names, np.ones(3, np.float32))), wanted, {})
    assert caught.value.fact.help is None


def test_nothing_is_read_when_names_do_not_fit() -> None:
    def never() -> np.ndarray:
        raise AssertionError

    weights = Weights.of(FILE | {"extra": np.ones(1)})
    for name in weights:
        object.__setattr__(weights[name], "read", never)
    with pytest.raises(Fault):
        fit(weights, PARAMETERS, ALIASES)
