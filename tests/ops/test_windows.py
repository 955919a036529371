"""Window arithmetic against PyTorch, over geometries that nobody would think of."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

from specc.frontend.diagnostics import Fault
from specc.ir.dims import evaluate, symbol
from specc.ir.types import DType, TensorType
from specc.ops.apply import complete, infer
from specc.ops.operator import Sample
from specc.ops.registry import operators
from specc.ops.windows import spread
from specc.testing.cases import Case
from specc.testing.parity import OPSETS, expected_warnings, same_in_onnxruntime

GEOMETRIES = 400
COMPARED = 40  # of these, also by their values


def _per_dim(rng: random.Random, rank: int, low: int, high: int) -> Any:
    if rng.random() < 0.5:
        return rng.randint(low, high)
    return tuple(rng.randint(low, high) for _ in range(rank))


def _conv(rng: random.Random, rank: int) -> dict[str, Any]:
    return {
        "channels": rng.randint(1, 4),
        "kernel": _per_dim(rng, rank, 1, 4),
        "stride": _per_dim(rng, rank, 1, 3),
        "padding": rng.choice([_per_dim(rng, rank, 0, 3), "same", "valid"]),
        "dilation": _per_dim(rng, rank, 1, 3),
        "groups": rng.choice([1, 1, 2, 3]),
        "padding_mode": rng.choice(["zeros", "reflect", "replicate", "circular"]),
    }


def _max_pool(rng: random.Random, rank: int) -> dict[str, Any]:
    return {
        "kernel": _per_dim(rng, rank, 1, 4),
        "stride": rng.choice([None, _per_dim(rng, rank, 1, 4)]),
        "padding": _per_dim(rng, rank, 0, 2),
        "dilation": _per_dim(rng, rank, 1, 3),
        "ceil_mode": rng.random() < 0.5,
    }


def _avg_pool(rng: random.Random, rank: int) -> dict[str, Any]:
    arguments = _max_pool(rng, rank)
    del arguments["dilation"]
    return arguments | {"count_include_pad": rng.random() < 0.5}


def _adaptive(rng: random.Random, rank: int) -> dict[str, Any]:
    return {"size": _per_dim(rng, rank, 1, 5)}


def _conv_transpose(rng: random.Random, rank: int) -> dict[str, Any]:
    return {
        "channels": rng.randint(1, 4),
        "kernel": _per_dim(rng, rank, 1, 4),
        "stride": _per_dim(rng, rank, 1, 3),
        "padding": _per_dim(rng, rank, 0, 3),
        "output_padding": _per_dim(rng, rank, 0, 2),
        "dilation": _per_dim(rng, rank, 1, 3),
        "groups": rng.choice([1, 1, 2, 3]),
    }


KINDS = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "MaxPool": _max_pool,
    "AvgPool": _avg_pool,
    "AdaptiveAvgPool": _adaptive,
    "AdaptiveMaxPool": _adaptive,
}


def _geometries(kind: str) -> Iterator[tuple[tuple[int, ...], dict[str, Any]]]:
    rng = random.Random(kind)
    for _ in range(GEOMETRIES):
        rank = rng.randint(1, 3)
        shape = (rng.randint(1, 2), rng.randint(1, 4), *(rng.randint(1, 9) for _ in range(rank)))
        yield shape, KINDS[kind](rng, rank)


def _torch_shape(
    kind: str, shape: tuple[int, ...], given: dict[str, Any]
) -> tuple[int, ...] | None:
    """The shape that PyTorch gives on a real tensor, or None where it refuses."""
    keywords = dict(given)
    first = [keywords.pop("size" if kind.startswith("Adaptive") else "kernel")]
    if kind.startswith("Conv"):
        first = [shape[1], keywords.pop("channels"), *first]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using padding='same' with even kernel")
        try:
            layer = getattr(nn, f"{kind}{len(shape) - 2}d")(*first, **keywords)
            found = tuple(layer(torch.ones(shape)).shape)
            return found if min(found) else None  # which PyTorch lets be empty
        except (RuntimeError, ValueError):
            return None


def _is_beyond_onnxruntime(given: dict[str, Any], rank: int) -> bool:
    """Whether an output padding is more than padding and stride hold, which onnxruntime refuses."""
    numbers = (spread(given[name], rank) for name in ("output_padding", "padding", "stride"))
    return any(added >= stride and added > p for added, p, stride in zip(*numbers, strict=True))


def _our_shape(kind: str, shape: tuple[Any, ...], given: dict[str, Any]) -> tuple[Any, ...] | None:
    operator = operators()[kind]
    try:
        applied = infer(operator, (TensorType(DType.F32, shape),), complete(operator, given))
    except Fault:
        return None
    return applied.results[0].shape


@pytest.mark.parametrize("kind", KINDS)
def test_sizes_and_refusals_are_those_of_torch(kind: str) -> None:
    accepted = refused = 0
    for shape, given in _geometries(kind):
        expected = _torch_shape(kind, shape, given)
        if kind == "ConvTranspose" and _is_beyond_onnxruntime(given, len(shape) - 2):
            expected = None
        assert _our_shape(kind, shape, given) == expected, (shape, given)
        accepted += expected is not None
        refused += expected is None
    assert accepted > GEOMETRIES // 5
    assert refused > GEOMETRIES // 5 or kind.startswith("Adaptive")


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("kind", KINDS)
def test_onnxruntime_gives_what_torch_does(kind: str, opset: int) -> None:
    tried = 0
    for shape, given in _geometries(kind):
        if _our_shape(kind, shape, given) is None or (tried := tried + 1) > COMPARED:
            continue
        arguments = {name: value for name, value in given.items() if value is not None}
        type_ = TensorType(DType.F32, shape)
        with expected_warnings():
            same_in_onnxruntime(Case(operators()[kind], Sample((str(type_),), arguments)), opset)
    assert tried > COMPARED


@pytest.mark.parametrize("kind", KINDS)
def test_symbolic_sizes_evaluate_to_the_static_ones(kind: str) -> None:
    names = ("D", "H", "W")
    for shape, given in _geometries(kind):
        if (expected := _our_shape(kind, shape, given)) is None:
            continue
        spatial = names[: len(shape) - 2]
        symbolic = _our_shape(kind, (*shape[:2], *map(symbol, spatial)), given)
        assert symbolic is not None
        sizes = dict(zip(spatial, shape[2:], strict=True))
        assert tuple(evaluate(dim, sizes) for dim in symbolic) == expected, (shape, given)


@pytest.mark.parametrize("kind", KINDS)
def test_symbolic_bounds_hold_exactly_where_the_static_rule_accepts(kind: str) -> None:
    operator = operators()[kind]
    names = ("D", "H", "W")
    for shape, given in _geometries(kind):
        spatial = names[: len(shape) - 2]
        symbolic = TensorType(DType.F32, (*shape[:2], *map(symbol, spatial)))
        try:
            applied = infer(operator, (symbolic,), complete(operator, given))
        except Fault:
            continue  # refused whatever the sizes are
        sizes = dict(zip(spatial, shape[2:], strict=True))
        holds = all(evaluate(dim, sizes) >= 1 for dim, _ in applied.positive)
        assert holds == (_our_shape(kind, shape, given) is not None), (shape, given)
