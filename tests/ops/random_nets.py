"""Random well-typed nets, drawn from the table of operators."""

from __future__ import annotations

import random

from specc.documentation.operators import literal
from specc.frontend.diagnostics import Fault
from specc.ir.types import DType, TensorType, parse_type
from specc.ops.apply import complete, infer
from specc.ops.operator import Drawn, Operator, Sample
from specc.ops.registry import operators

INPUTS = ("f32[N, 6]", "f32[N, 4, 8]", "f32[N, 3, 8, 8]", "f32[N, T, 4]")
STEPS = 6
_TRIES = 400
_LARGEST = 64

# What leaps: where two targets differ in the last bit of x, these differ in the first.
_LEAPS = frozenset({"ceil", "floor", "floor_div", "frac", "mod", "round", "sign", "trunc"})


def random_net(seed: int) -> str:
    """The text of a net: each line applies an operator with the arguments of one of its samples.

    Results go through tanh, so that values neither grow nor vanish on the way.
    """
    chance = random.Random(seed)
    header = chance.choice(INPUTS)
    pool = [("x", parse_type(header))]
    lines: list[str] = []
    candidates = [operator for operator in operators().values() if _is_tame(operator)]
    for _ in range(_TRIES):
        if len(lines) == STEPS:
            break
        operator = chance.choice(candidates)
        sample = chance.choice(list(operator.samples))
        chosen = [chance.choice((pool[-1], chance.choice(pool))) for _ in sample.inputs]
        result = _result(operator, sample, tuple(type_ for _, type_ in chosen))
        if result is None:
            continue
        name = f"t{len(lines)}"
        call = _call(operator, sample, [value for value, _ in chosen])
        lines.append(f"    {name} = tanh({call})")
        pool.append((name, result))
    return "\n".join([f"net A(x: {header}) {{", *lines, f"    return {pool[-1][0]}", "}", ""])


def _is_tame(operator: Operator) -> bool:
    """Whether it takes any floats, and changes little where they change little."""
    return (
        not operator.random
        and operator.name not in _LEAPS
        and not any(isinstance(one, Drawn) for sample in operator.samples for one in sample.inputs)
        and not any(argument.variadic or argument.collects for argument in operator.arguments)
    )


def _result(operator: Operator, sample: Sample, types: tuple[TensorType, ...]) -> TensorType | None:
    """The type of the one result, None where the operator does not take these types."""
    # These are written as signs and brackets.
    if sample.arguments.keys() & {"left", "right", "items"}:
        return None
    try:
        applied = infer(operator, types, complete(operator, sample.arguments))
    except Fault:
        return None
    (result, *more) = applied.results
    large = any(isinstance(size, int) and size > _LARGEST for size in result.shape)
    if more or large or applied.equalities or not result.rank or result.dtype is not DType.F32:
        return None
    return result


def _call(operator: Operator, sample: Sample, tensors: list[str]) -> str:
    given = [f"{name}={literal(value)}" for name, value in sample.arguments.items()]
    if operator.layer:
        return f"{operator.name}({', '.join(given)})({', '.join(tensors)})"
    return f"{operator.name}({', '.join([*tensors, *given])})"
