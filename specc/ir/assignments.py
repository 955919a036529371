"""Concrete sizes for symbols: small ones that meet every constraint, to try a network at.

Each condition is asked which symbols it reads; symbols that no condition ties together are searched
apart from each other, from the lower bounds on: one symbol after the other, then together by the
sum of what they exceed their bounds by, then all alike, then at random among sizes that networks
tend to ask for. Each search is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, islice, pairwise
from itertools import count as count_from
from random import Random
from typing import TypeAlias

from specc.ir.bounds import lower_bounds
from specc.ir.evaluation import evaluate
from specc.ir.expr import Dim, Expr, symbols_of

Predicate: TypeAlias = Callable[[Mapping[str, int]], bool]
Condition: TypeAlias = Dim | tuple[Dim, Dim] | Predicate
"""A size that has to be 1 or more, two that have to be equal, or a function of an assignment."""

_SYSTEMATIC = 2048
_ALONG = 2048
_RANDOM = 2048


@dataclass(frozen=True)
class Assertion:
    """A predicate with the text that an error names it by."""

    text: str
    holds: Predicate

    def __call__(self, sizes: Mapping[str, int]) -> bool:
        """Whether it holds at these sizes."""
        return self.holds(sizes)


def assignments(
    symbols: Iterable[str],
    constraints: Iterable[Condition] = (),
    asserts: Iterable[Condition] = (),
    count: int = 2,
    seed: int = 0,
) -> list[dict[str, int]]:
    """Up to `count` distinct assignments of `symbols` at which all constraints and asserts hold.

    The first has each symbol as small as it may be (a batch of 1 where that is allowed). The others
    differ from it in each symbol where that is possible, and their symbols from each other, so that
    swapped axes show. There are fewer than `count` where no more are found: one where there are no
    symbols, or where the conditions leave no choice. Raises ValueError naming the conditions that
    no assignment was found for, or a symbol in them that is not in `symbols`.

    >>> from specc.ir.dims import symbol
    >>> H, W = symbol("H"), symbol("W")
    >>> assignments(["N", "H", "W"], [H - 4, (H % 8, 0)], [lambda sizes: sizes["W"] % 3 == 0])
    [{'N': 1, 'H': 8, 'W': 3}, {'N': 2, 'H': 16, 'W': 6}]
    """
    names = list(dict.fromkeys(symbols))
    conditions = [_Condition(condition) for condition in (*constraints, *asserts)]
    stated = [c.condition for c in conditions if isinstance(c.condition, int | Expr)]
    bounds = lower_bounds(stated).bounds
    if unknown := sorted({n for c in conditions for n in c.reads} - set(names)):
        raise ValueError(f"no size is known by the name {', '.join(unknown)}")
    search = _Search(names, [bounds.get(name, 1) for name in names], conditions, Random(seed))
    found = [search.first()]
    while len(found) < count and (another := search.another(found)) is not None:
        found.append(another)
    return found


@dataclass(eq=False)
class _Condition:
    """A condition and the symbols that it has been seen to read."""

    condition: Condition
    reads: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        pair = self.condition if isinstance(self.condition, tuple) else (self.condition,)
        for dim in pair:
            if isinstance(dim, int | Expr):
                self.reads |= symbols_of(dim)

    def holds(self, sizes: Mapping[str, int]) -> bool:
        try:
            if isinstance(self.condition, int | Expr):
                return evaluate(self.condition, sizes) >= 1
            if isinstance(self.condition, tuple):
                left, right = self.condition
                return evaluate(left, sizes) == evaluate(right, sizes)
            return self.condition(_Recorder(sizes, self.reads))
        except ZeroDivisionError:
            return False
        except KeyError as error:
            raise ValueError(f"no size is known by the name {error.args[0]}") from None

    def __str__(self) -> str:
        if isinstance(self.condition, int | Expr):
            return f"{self.condition} >= 1"
        if isinstance(self.condition, tuple):
            return f"{self.condition[0]} == {self.condition[1]}"
        if isinstance(self.condition, Assertion):
            return self.condition.text
        return getattr(self.condition, "__name__", "a condition")


class _Recorder(Mapping[str, int]):
    """An assignment that notes which symbols are read."""

    def __init__(self, sizes: Mapping[str, int], reads: set[str]) -> None:
        self._sizes, self._reads = sizes, reads

    def __getitem__(self, name: str) -> int:
        self._reads.add(name)
        return self._sizes[name]

    def __iter__(self) -> Iterator[str]:
        self._reads.update(self._sizes)
        return iter(self._sizes)

    def __len__(self) -> int:
        return len(self._sizes)


class _Search:
    def __init__(
        self, names: list[str], least: list[int], conditions: list[_Condition], random: Random
    ) -> None:
        self.names, self.conditions, self.random = names, conditions, random
        self.least = dict(zip(names, least, strict=True))
        self.failed: list[_Condition] = []

    def first(self) -> dict[str, int]:
        """The assignment nearest to the lower bounds."""
        found = self._solve(self.least, {})
        if found is None:
            wanted = " and ".join(str(condition) for condition in self.failed)
            raise ValueError(f"no sizes were found that satisfy {wanted}")
        return found

    def another(self, found: list[dict[str, int]]) -> dict[str, int] | None:
        """One that differs from those found in all symbols, or else in as many as can be freed."""
        taken = {name: {sizes[name] for sizes in found} for name in self.names}
        start = {n: max(taken[n]) + 1 + i for i, n in enumerate(self.names)}
        if not self.names or (fresh := self._solve(start, taken)) is not None:
            return fresh if self.names else None
        for name in self.names:  # not those that cannot change even alone
            if self._solve({**self.least, name: start[name]}, {name: taken[name]}) is None:
                del taken[name]
                start[name] = self.least[name]
        while taken:
            if (fresh := self._solve(start, taken)) is not None:
                return fresh
            dropped, _ = taken.popitem()
            start[dropped] = self.least[dropped]
        return None

    def _solve(
        self, start: Mapping[str, int], taken: Mapping[str, Collection[int]]
    ) -> dict[str, int] | None:
        """An assignment from `start` on that avoids the values `taken` and meets all conditions."""
        for _ in range(len(self.names) + 2):
            sizes = dict(start)
            before = sum(len(c.reads) for c in self.conditions)
            unsolved = [
                group for group in self._groups(sizes) if not self._solve_group(group, sizes, taken)
            ]
            failing = [c for c in self.conditions if not c.holds(sizes)]
            if not unsolved and not failing:
                return sizes
            stuck = {name for group in unsolved for name in group}
            self.failed = [c for c in self.conditions if c in failing or c.reads & stuck]
            if sum(len(c.reads) for c in self.conditions) == before:
                return None  # and no condition turned out to read more than was known
        return None

    def _groups(self, sizes: Mapping[str, int]) -> list[list[str]]:
        """The symbols, those together that conditions tie to each other."""
        groups = [{name} for name in self.names]
        for condition in self.conditions:
            condition.holds(sizes)  # notes what it reads
            tied = [group for group in groups if group & condition.reads]
            groups = [group for group in groups if group not in tied]
            groups.append(set().union(*tied))
        return [[name for name in self.names if name in group] for group in groups if group]

    def _solve_group(
        self, group: list[str], sizes: dict[str, int], taken: Mapping[str, Collection[int]]
    ) -> bool:
        """Sets the sizes of one group; false if no candidate meets the conditions on it."""
        conditions = [c for c in self.conditions if c.reads & set(group)]
        for values in self._candidates([sizes[name] for name in group]):
            if any(v in taken.get(n, ()) for n, v in zip(group, values, strict=True)):
                continue
            sizes.update(zip(group, values, strict=True))
            if all(condition.holds(sizes) for condition in conditions):
                return True
        return False

    def _candidates(self, least: list[int]) -> Iterator[tuple[int, ...]]:
        length = len(least)
        for index in reversed(range(length)):  # the last symbol first: a batch tends to lead
            for more in range(_ALONG):
                yield (*least[:index], least[index] + more, *least[index + 1 :])
        if length > 1:
            for excess in islice(_by_sum(length - 1), _SYSTEMATIC):
                yield (least[0], *(low + e for low, e in zip(least[1:], excess, strict=True)))
            for excess in islice(_by_sum(length), _SYSTEMATIC):
                yield tuple(low + e for low, e in zip(least, excess, strict=True))
            for value in range(max(least), max(least) + _ALONG):
                yield (value,) * length
        for _ in range(_RANDOM):
            yield tuple(self._likely(low) for low in least)

    def _likely(self, low: int) -> int:
        step: int = 2 ** self.random.randrange(9) * self.random.choice((1, 1, 1, 3, 5, 7))
        return -(-low // step) * step + step * self.random.randrange(8)


def _by_sum(length: int) -> Iterator[tuple[int, ...]]:
    """All tuples of `length` integers of 0 or more, by their sum; those with small heads first."""
    for total in count_from(0):
        # Stars and bars: between length - 1 bars stand the units of each entry.
        for bars in combinations(range(total + length - 1), length - 1):
            ends = (-1, *bars, total + length - 1)
            yield tuple(after - before - 1 for before, after in pairwise(ends))
