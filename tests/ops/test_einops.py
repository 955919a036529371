"""rearrange, reduce and repeat against the einops package, on samples and on random patterns."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

import einops
import pytest
import torch

from specc.ops.operator import Reject, sample
from specc.ops.registry import operators
from specc.testing.cases import Case, cases
from specc.testing.parity import same_in_onnxruntime, same_when_emitted
from specc.testing.torch_runs import run_function

NAMES = ("rearrange", "reduce", "repeat")
CASES = [case for case in cases() if case.operator.name in NAMES]
REJECTS = [
    (name, one)
    for name in NAMES
    for one in operators()[name].rejects
    if one.code != "dtype-mismatch"
]


def by_einops(name: str, x: torch.Tensor, arguments: dict[str, object]) -> torch.Tensor:
    """What einops gives."""
    more = [arguments["reduction"]] if name == "reduce" else []
    sizes = arguments.get("sizes", {})
    assert isinstance(sizes, dict)
    result = getattr(einops, name)(x, arguments["pattern"], *more, **sizes)
    assert isinstance(result, torch.Tensor)
    return result


def assert_as_einops(case: Case) -> None:
    for sizes in case.sizes:
        (x,) = (torch.tensor(array) for array in case.inputs(sizes))
        found = run_function(case, sizes).results[0]
        expected = by_einops(case.operator.name, x, case.sample.arguments)
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_sample_gives_what_einops_does(case: Case) -> None:
    assert_as_einops(case)


@pytest.mark.parametrize(
    ("name", "one"), REJECTS, ids=[f"{name}-{one.arguments}-{one.inputs}" for name, one in REJECTS]
)
def test_what_is_refused_einops_refuses_too(name: str, one: Reject) -> None:
    shape = [int(size) for size in re.findall(r"\d+", one.inputs[0].partition("[")[2])]
    with pytest.raises((einops.EinopsError, RuntimeError, ValueError)):
        by_einops(name, torch.ones(shape), one.arguments)


def _grouped(rng: random.Random, axes: Sequence[str]) -> list[list[str]]:
    """The axes in groups of one to three, with a 1 here and there."""
    groups: list[list[str]] = []
    rest = list(axes)
    while rest:
        count = rng.choice((1, 1, 1, 2, 3))
        groups.append(rest[:count])
        rest = rest[count:]
        if rng.random() < 0.15:
            groups.append([])
    return groups


def _side(groups: Sequence[Sequence[str]]) -> str:
    return " ".join(g[0] if len(g) == 1 else f"({' '.join(g)})" for g in groups)


def random_case(seed: int) -> Case:
    """A pattern of two to six axes over an input of which one dim is symbolic where it can be."""
    rng = random.Random(seed)
    name = NAMES[seed % 3]
    axes = list("abcdef"[: rng.randint(2, 6)])
    lengths = {axis: rng.randint(1, 3) for axis in axes}
    new = ["x", "y"][: rng.randint(1, 2)] if name == "repeat" else []
    dropped = set(rng.sample(axes, rng.randint(1, len(axes) - 1))) if name == "reduce" else set()
    right = [axis for axis in axes if axis not in dropped] + new
    rng.shuffle(right)
    left = _grouped(rng, axes)
    sizes = {axis: rng.randint(1, 3) for axis in new}
    for group in left:
        kept_open = rng.choice([None, *group]) if group else None
        sizes |= {axis: lengths[axis] for axis in group if len(group) > 1 and axis != kept_open}
    dims = [
        str(torch.Size([lengths[axis] for axis in group]).numel()) if group else "1"
        for group in left
    ]
    alone = [i for i, group in enumerate(left) if len(group) == 1]
    if alone:
        dims[rng.choice(alone)] = "N"
    arguments: dict[str, object] = {"pattern": f"{_side(left)} -> {_side(_grouped(rng, right))}"}
    if name == "reduce":
        arguments["reduction"] = rng.choice(("sum", "mean", "max", "min", "prod"))
    return Case(
        operators()[name], sample(f"f32[{', '.join(dims)}]", **arguments, sizes=dict(sizes))
    )


@pytest.mark.parametrize("seed", range(90))
def test_a_random_pattern_gives_what_einops_does(seed: int) -> None:
    case = random_case(seed)
    assert_as_einops(case)
    same_when_emitted(case)
    same_in_onnxruntime(case, 21)
