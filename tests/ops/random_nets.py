"""Random well-typed nets, drawn from the table of operators.

A net has one to three inputs of floats, integers and bools, with two symbolic sizes. Each line
applies an operator with the arguments of one of its samples, or is a branch, a loop, or a block
with a parameter of its own.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from specc.documentation.operators import written
from specc.frontend.diagnostics import Fault
from specc.ir.dims import Dim, symbols_of
from specc.ir.types import DType, TensorType, parse_type
from specc.ops.apply import complete, infer
from specc.ops.operator import Drawn, Operator, Sample
from specc.ops.registry import operators
from specc.ops.tolerances import EXACT

FLOATS = ("f32[N, 6]", "f32[N, 4, 8]", "f32[N, 3, 8, 8]", "f32[N, T, 4]", "f32[N, 2, T, 8]")
OTHERS = ("i64[N, 4]", "i64[N, T]", "i32[N, 6]", "bool[N, T]", "bool[N, 4]", "f32[T, 4]", "i64[T]")
STEPS = 7
_TRIES = 100
_ATTEMPTS = 30
_LARGEST = 64
_DTYPES = (DType.F32, DType.I64, DType.I32, DType.BOOL)

# What leaps: where two targets differ in the last bit of x, these differ in the first.
_LEAPS = frozenset({"ceil", "floor", "floor_div", "mod", "round", "sign", "trunc", "topk"})


@dataclass(frozen=True)
class Value:
    """A tensor that a line made; ``exact`` where all targets have the very same bits of it."""

    name: str
    type: TensorType
    exact: bool


@dataclass(frozen=True)
class Use:
    """An operator as it is applied to some values: the text of it, and what comes out."""

    text: str
    operator: Operator
    results: tuple[TensorType, ...]
    exact: bool


def random_net(seed: int) -> str:
    """The text of a net ``A``.

    Floats that are computed go through tanh, and integers through a remainder, so that values
    neither grow nor vanish on the way.
    """
    return _Net(random.Random(seed)).text()


def operators_in(seed: int) -> set[str]:
    """The names of the operators that the net of this seed applies, but for those that tame it."""
    net = _Net(random.Random(seed))
    net.text()
    return net.applied


class _Net:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.blocks: list[str] = []
        headers = [chance.choice(FLOATS), *chance.sample(OTHERS, chance.choice((0, 1, 1, 2)))]
        self.inputs = [Value(f"x{i}", parse_type(text), True) for i, text in enumerate(headers)]
        self.pool = list(self.inputs)
        self.lines: list[str] = []
        self.applied: set[str] = set()

    def text(self) -> str:
        forms: Sequence[Callable[[], Iterator[str]]] = (
            *[self._applied] * 12,
            self._branch,
            self._loop,
            self._block,
        )
        for step in range(STEPS):
            self.lines += self.chance.choice(forms)() if step else self._applied()
        header = ", ".join(f"{value.name}: {value.type}" for value in self.inputs)
        results = [self.pool[-1].name]
        if self.chance.random() < 0.3 and self.pool[-2].name not in results:
            results.append(self.pool[-2].name)
        body = [*self.lines, f"return {', '.join(results)}"]
        return "\n".join([*self.blocks, f"net A({header}) {{", *_indented(body), "}", ""])

    # ---- lines

    def _applied(self) -> Iterator[str]:
        """``t = tanh(op(x))``, with a name for each result."""
        use = self._use(self.pool)
        if use is None:
            return
        names = [self._name(i) for i in range(len(use.results))]
        yield f"{', '.join(names)} = {use.text if len(names) > 1 else _tamed(use)}"
        for name, type_ in zip(names, use.results, strict=True):
            if type_.dtype in _DTYPES and not (use.operator.name == "topk" and name != names[0]):
                # Which of several equal elements topk names is open.
                self.pool.append(Value(name, type_, use.exact))

    def _branch(self) -> Iterator[str]:
        """One operator or another, by the sum of an input; the result has the type of before."""
        value = self._float()
        sides = [self._keeping(value, "t") for _ in range(2)]
        if None in sides:
            return
        name = self._name()
        one, two = (_renamed(str(side), name) for side in sides)
        yield f"{name} = {value.name}"
        condition = f"sum({self.inputs[0].name}) > 0"
        yield f"if {condition} {{ {name} = {one} }} else {{ {name} = {two} }}"
        self.pool.append(Value(name, value.type, False))

    def _loop(self) -> Iterator[str]:
        """One operator again and again, as often as an input says."""
        value = self._float()
        step = self._keeping(value, "t")
        if step is None:
            return
        name, count = self._name(), f"{self._name()}_count"
        yield f"{name} = {value.name}"
        yield f"{count} = zeros()"
        yield f"while {count} < 2 + sign(sum({self.inputs[0].name})) {{"
        yield f"    {name} = {_renamed(step, name)}"
        yield f"    {count} = {count} + 1"
        yield "}"
        self.pool.append(Value(name, value.type, False))

    def _block(self) -> Iterator[str]:
        """A block with a parameter, applied once or twice, with one set of weights or two."""
        value = self._float()
        size = value.type.shape[-1]
        step = self._keeping(value, "t")
        if step is None or not isinstance(size, int) or not _is_bindable(value.type.shape):
            return
        block = f"B{len(self.blocks)}"
        self.blocks.append(
            f"block {block}(t: {value.type}) {{\n    param weight: [{size}] ~ normal\n"
            f"    return {step} * weight\n}}\n"
        )
        name = self._name()
        shared = self.chance.random() < 0.5
        if shared:
            yield f"{name}_block = {block}()"
            yield f"{name} = tanh({value.name} |> {name}_block |> {name}_block)"
        else:
            yield f"{name} = tanh({value.name} |> {block}() |> {block}())"
        self.pool.append(Value(name, value.type, False))

    # ---- parts

    def _name(self, further: int = 0) -> str:
        return f"t{len(self.lines)}" + (f"_{further}" if further else "")

    def _float(self) -> Value:
        floats = [v for v in self.pool if v.type.dtype is DType.F32 and v.type.rank]
        return self.chance.choice((floats[-1], self.chance.choice(floats)))

    def _keeping(self, value: Value, name: str) -> str | None:
        """An operator on ``name``, of the type of ``value``, that gives this type again."""
        for _ in range(_TRIES):
            use = self._use([Value(name, value.type, False)], tries=1)
            if use and use.results == (value.type,) and not use.operator.layer:
                return _tamed(use)
        return None

    def _use(self, pool: Sequence[Value], tries: int = _TRIES) -> Use | None:
        table = list(operators().values())
        for _ in range(tries):
            operator = self.chance.choice(table)
            for _ in range(_ATTEMPTS):  # so that those that ask for much occur as well
                sample = self.chance.choice(list(operator.samples))
                values = [self._operand(given, pool) for given in sample.inputs]
                chosen = [value for value in values if value is not None]
                if len(chosen) < len(values):
                    continue
                if use := self._applied_to(operator, sample, chosen):
                    self.applied.add(operator.name)
                    return use
        return None

    def _operand(self, given: str | Drawn, pool: Sequence[Value]) -> Value | None:
        """A value of the kind that a sample takes there, brought to where that is defined."""
        drawn = given if isinstance(given, Drawn) else Drawn(given)
        kind = parse_type(drawn.type).dtype
        fitting = [v for v in pool if _category(v.type.dtype) == _category(kind)]
        if not fitting:
            return None
        value = self.chance.choice((fitting[-1], self.chance.choice(fitting)))
        if drawn.low is None or drawn.high is None or not kind.is_float:
            return value
        inside = f"({drawn.low} + {drawn.high - drawn.low} * sigmoid({value.name}))"
        return Value(inside, value.type, False)

    def _applied_to(self, operator: Operator, sample: Sample, values: list[Value]) -> Use | None:
        """The use of an operator with arguments of a sample; None where it does not take these."""
        types = tuple(value.type for value in values)
        divides = operator.name in ("floor_div", "mod", "pow") and len(types) == 2
        if divides and not types[1].dtype.is_float:
            return None  # a divisor may be 0
        arguments = _fitted(self.chance, operator, sample.arguments, types)
        values = _in_range(operator, arguments, values)
        try:
            applied = infer(operator, types, complete(operator, arguments))
        except Fault:
            return None
        exact = all(value.exact for value in values)
        leaps = operator.name in _LEAPS or not applied.results[0].dtype.is_float
        if applied.equalities or (leaps and not exact) or not _are_small(applied.results):
            return None
        if applied.results[0].dtype not in _DTYPES:
            return None
        return Use(
            written(operator, [value.name for value in values], arguments),
            operator,
            tuple(applied.results),
            exact and (operator.tolerance == EXACT or not applied.results[0].dtype.is_float),
        )


def _fitted(
    chance: random.Random, operator: Operator, given: dict[str, Any], types: Sequence[TensorType]
) -> dict[str, Any]:
    """The arguments of a sample, those that depend on a rank made for the one that they meet."""
    if operator.name == "normalize":
        return {**given, "eps": 0.01}  # so that what is nothing but rounding stays small
    if not types or operator.name not in ("permute", "transpose", "reshape", "expand", "squeeze"):
        return given
    shape = types[0].shape
    rank = len(shape)
    order = chance.sample(range(rank), rank)
    match operator.name:
        case "permute":
            return {"dims": tuple(order)}
        case "transpose" if rank > 1:
            return {"dim0": order[0] - rank, "dim1": order[1]}
        case "reshape" if rank > 1:
            return {"sizes": chance.choice([(shape[0], -1), (-1, shape[-1]), (*shape, 1)])}
        case "expand":
            return {"sizes": (chance.randint(2, 3), *[-1] * rank)}
        case "squeeze" if 1 in shape:
            return {"dim": shape.index(1)}
    return given


def _in_range(operator: Operator, given: dict[str, Any], values: list[Value]) -> list[Value]:
    """The values, those that are positions in something below its size."""
    limit: Dim | None = None
    match operator.name:
        case "Embedding":
            limit = given["num_embeddings"]
        case "one_hot":
            limit = given["num_classes"]
        case "gather" | "take":
            dim, shape = given.get("dim", 0), values[0].type.shape
            limit = shape[dim] if -len(shape) <= dim < len(shape) else None
    if limit is None:
        return values
    *rest, index = values
    return [*rest, Value(f"({index.name} % ({limit}))", index.type, index.exact)]


def _category(dtype: DType) -> str:
    return "float" if dtype.is_float else "bool" if dtype is DType.BOOL else "integer"


def _tamed(use: Use) -> str:
    """The text of a use, its result kept small."""
    dtype = use.results[0].dtype
    if dtype is DType.F32 and not use.exact:
        return f"tanh({use.text})"
    if dtype.is_integer and use.operator.tolerance != EXACT:
        return f"({use.text}) % 7"
    return use.text


def _renamed(text: str, name: str) -> str:
    """``text``, which speaks of ``t``, of ``name``."""
    return re.sub(r"\bt\b", name, text)


def _are_small(results: Sequence[TensorType]) -> bool:
    return all(
        not isinstance(size, int) or size <= _LARGEST for type_ in results for size in type_.shape
    )


def _is_bindable(shape: Sequence[Dim]) -> bool:
    """Whether a header can name these sizes: ints and plain names."""
    return all(isinstance(dim, int) or str(dim) in symbols_of(dim) for dim in shape)


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]
