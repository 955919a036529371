"""A sample with all that it takes to run it: sizes that its constraints admit, inputs, state."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from specc.initialize.rounding import NUMPY_DTYPES
from specc.ir.assignments import assignments
from specc.ir.dims import evaluate, symbol, symbols_of
from specc.ir.graph import Network
from specc.ir.types import DType, TensorType, parse_type
from specc.ops.apply import Applied, SlotValue, complete, infer, state_of
from specc.ops.operator import Drawn, Operator, Sample
from specc.ops.registry import operators, operators_with
from specc.ops.single import single

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Case:
    """One sample of one operator."""

    operator: Operator
    sample: Sample

    def __str__(self) -> str:
        inputs = [str(i.type if isinstance(i, Drawn) else i) for i in self.sample.inputs]
        given = [f"{name}={value}" for name, value in self.sample.arguments.items()]
        return f"{self.operator.name}({', '.join([*inputs, *given])})"

    @cached_property
    def drawn(self) -> tuple[Drawn, ...]:
        """The inputs, each with what it is drawn from."""
        return tuple(Drawn(i) if isinstance(i, str) else i for i in self.sample.inputs)

    @cached_property
    def types(self) -> tuple[TensorType, ...]:
        """The types of the inputs."""
        return tuple(parse_type(drawn.type) for drawn in self.drawn)

    @property
    def dtypes(self) -> set[str]:
        """The names of the dtypes that go in and come out."""
        return {type_.dtype.value for type_ in (*self.types, *self.applied.results)}

    @cached_property
    def applied(self) -> Applied:
        """What the shape rule says."""
        return infer(self.operator, self.types, complete(self.operator, self.sample.arguments))

    @cached_property
    def state(self) -> list[SlotValue]:
        """The state that the layer owns."""
        return state_of(self.operator, self.applied.attributes, self.types)

    @property
    def table(self) -> Mapping[str, Operator]:
        """The operators that the sample's network is held to."""
        is_builtin = operators().get(self.operator.name) is self.operator
        return operators() if is_builtin else operators_with([self.operator])

    @property
    def draws(self) -> bool:
        """Whether it draws at random while training."""
        return self.operator.draws(self.applied.attributes)

    @property
    def learns(self) -> bool:
        """Whether the operator has something to do with training: state, or a draw."""
        return bool(self.operator.state) or self.draws

    @cached_property
    def sizes(self) -> list[dict[str, int]]:
        """Sizes to try: the least that are admitted, so a batch of 1, and some larger ones."""
        names = sorted({n for t in self.types for dim in t.shape for n in symbols_of(dim)})
        constraints = [
            *(dim for dim, _ in self.applied.positive),
            *((left, right) for left, right, _ in self.applied.equalities),
        ]
        least = assignments(names, constraints, count=1)
        if not names:
            return least
        # Different for each symbol, so that swapped axes show.
        larger = [symbol(name) - (4 + i) for i, name in enumerate(names)]
        return least + assignments(names, [*constraints, *larger], count=1)

    def network(self, *, as_layer: bool | None = None) -> Network:
        """The network of this one operator."""
        return single(self.operator, self.types, self.sample.arguments, as_layer=as_layer)

    def shapes(self, sizes: Mapping[str, int]) -> list[tuple[int, ...]]:
        """The shapes that the rule gives the results at these sizes."""
        return [tuple(evaluate(d, sizes) for d in t.shape) for t in self.applied.results]

    def inputs(self, sizes: Mapping[str, int]) -> list[Array]:
        """Drawn inputs, the same ones at every call."""
        rng = generator(*self.sample.inputs, *sizes.values())
        return [
            _draw(rng, drawn, type_.dtype, tuple(evaluate(d, sizes) for d in type_.shape))
            for drawn, type_ in zip(self.drawn, self.types, strict=True)
        ]

    def weights(self) -> dict[str, Array]:
        """Drawn state by full name; nothing in it is 0 or 1, so that what is ignored shows."""
        weights = {}
        for value in self.state:
            shape = tuple(int(evaluate(dim, {})) for dim in value.type.shape)
            rng = generator(value.slot.name, *shape)
            numbers = rng.uniform(0.5, 1.5, shape)
            if value.slot.name not in ("running_var", "num_batches_tracked"):
                numbers *= rng.choice([-1.0, 1.0], shape)
            weights[f"layer.{value.slot.name}"] = numbers.astype(NUMPY_DTYPES[value.type.dtype])
        return weights

    def with_default(self, argument: str) -> Case:
        """The same sample with one argument left out."""
        rest = {k: v for k, v in self.sample.arguments.items() if k != argument}
        return replace(self, sample=Sample(self.sample.inputs, rest))


def cases() -> list[Case]:
    """Every sample of every operator."""
    return [Case(op, one) for op in operators().values() for one in op.samples]


def generator(*key: object) -> np.random.Generator:
    """Random numbers that depend on ``key`` alone."""
    return np.random.default_rng(zlib.crc32(repr(key).encode()))


def _draw(rng: np.random.Generator, drawn: Drawn, dtype: DType, shape: tuple[int, ...]) -> Array:
    if dtype is DType.BOOL:
        return np.asarray(rng.integers(0, 2, shape) == 1)
    low, high = drawn.low, drawn.high
    if not dtype.is_float:
        lowest = 0 if dtype is DType.U8 else -4
        bounds = (lowest if low is None else int(low), 5 if high is None else int(high))
        numbers: Array = np.asarray(rng.integers(*bounds, shape))
    elif low is None or high is None:
        assert low is high, f"{drawn.type} is drawn from half a range"
        numbers = np.asarray(rng.normal(0.0, 1.5, shape))
    else:
        numbers = np.asarray(rng.uniform(low, high, shape))
    return numbers.astype(NUMPY_DTYPES[dtype])
