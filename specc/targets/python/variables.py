"""What the values of a forward are called; none is overwritten while it is needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, count

from specc.ir.graph import Region, Value
from specc.ir.walk import every_node, every_value
from specc.targets.python.items import (
    Choice,
    Item,
    Repetition,
    Snapshot,
    Statement,
    Steps,
    read_by,
)
from specc.targets.python.liveness import Liveness, Range, moves_of
from specc.targets.python.names import RESERVED, identifier


def assign_names(body: Region, items: Sequence[Item], inputs: Mapping[int, str]) -> dict[int, str]:
    """A variable for every value with a line of its own, none overwritten while it is needed.

    What a loop carries has one variable: before it, in its regions and after it. So has what both
    sides of an ``if`` give.
    """
    return _Namer(body, items, inputs).assign()


class _Namer:
    def __init__(self, body: Region, items: Sequence[Item], inputs: Mapping[int, str]) -> None:
        values = list(every_value(body))
        self._is_float = {value.id: value.type.dtype.is_float for value in values}
        self._wanted = {value.id: identifier(value.name, "") for value in values}
        # An argument's name is free once it is not needed; a name that comes later is kept for it.
        results = {result.id for node in every_node(body) for result in node.results}
        self._spec_names = {n for value, n in self._wanted.items() if n and value in results}
        self._items = items
        self._names = dict(inputs)
        self._holder = {name: value for value, name in inputs.items()}
        self._undo: list[tuple[str, int | None]] = []
        self._skipped: list[Range] = []
        self._preferred: dict[int, str] = {}
        self._live = Liveness(items)
        self._flows_to: dict[int, str] = {}
        self._find_destinations(items, {})

    def _find_destinations(self, items: Sequence[Item], ends: dict[int, str]) -> None:
        """For a value that one item alone reads: the name of the value that it ends up in.

        ``ends`` has that name for the items that follow, by their numbers.
        """
        for item in reversed(items):
            at = self._live.at[id(item)]
            match item:
                case Statement(results=(end,)):
                    ends[at] = self._destination(end, ends)
                    self._flows_to[end.id] = self._flow(end.id, ends)
                case Statement():
                    for result in item.results or ():
                        self._flows_to[result.id] = self._flow(result.id, ends)
                case Snapshot(result=result):
                    self._flows_to[result.id] = self._flow(result.id, ends)
                case Choice():
                    self._find_destinations(item.otherwise, ends)
                    self._find_destinations(item.then, ends)
                case Repetition():
                    self._find_destinations(item.body, ends)
                    self._find_destinations(item.before, ends)
                    if len(item.enter.targets) == 1:
                        ends[at] = self._destination(item.enter.targets[0], ends)
                case Steps():
                    self._find_destinations(item.body, ends)
                    if len(item.enter.targets) == 1:
                        ends[at] = self._destination(item.enter.targets[0], ends)
                case _:
                    pass

    def _destination(self, end: Value, ends: Mapping[int, str]) -> str:
        return self._wanted[end.id] or self._flow(end.id, ends)

    def _flow(self, value: int, ends: Mapping[int, str]) -> str:
        readers = self._live.readers(value)
        return ends.get(readers[0], "") if len(readers) == 1 else ""

    # ---- items -----------------------------------------------------------------------------------

    def assign(self) -> dict[int, str]:
        """Names by value id; a value that nothing reads is ``_``."""
        self._assign(self._items)
        return self._names

    def _assign(self, items: Sequence[Item]) -> None:
        for item in items:
            at = self._live.at[id(item)]
            match item:
                case Statement():
                    self._name(item.results or (), at, list(read_by(item)))
                case Snapshot():
                    self._name((item.result,), at, [])
                case Choice():
                    self._choice(item)
                case Repetition():
                    self._repetition(item, at)
                case Steps():
                    self._steps(item, at)
                case _:
                    pass

    def _name(self, results: Sequence[Value], at: int, leaves: list[int]) -> None:
        taken: set[str] = set()
        for result in results:
            name = "_"
            if self._live.is_read(result.id):
                name = self._choose(result, at, leaves, taken)
                taken.add(name)
            self._names[result.id] = name
        for result in results:
            self._hold(self._names[result.id], result.id)

    def _choice(self, item: Choice) -> None:
        sides = (item.then, item.otherwise)
        end = self._live.end[id(item)]
        taken: set[str] = set()
        for position, result in enumerate(item.results):
            sources = [moves_of(side).sources[position] for side in sides]
            taken.add(self._choose_variable(result, end, sources, taken))
        for side in sides if item.results else ():
            for result, source in zip(item.results, moves_of(side).sources, strict=True):
                self._preferred.setdefault(source, self._names[result.id])
        self._skipped.append(self._live.skipped[id(item)])
        self._within(item.then, ())
        self._skipped.pop()
        self._within(item.otherwise, ())
        for result in item.results:
            self._hold(self._names[result.id], result.id)

    def _repetition(self, item: Repetition, at: int) -> None:
        node = item.node
        taken: set[str] = set()
        for position, result in enumerate(node.results):
            name = self._choose_variable(result, at, [node.inputs[position]], taken)
            taken.add(name)
            for region in (node.condition, node.body):
                self._names[region.inputs[position].id] = name
            self._preferred.setdefault(node.body.results[position], name)
        self._within(item.before, node.condition.inputs)
        self._within(item.body, node.body.inputs)
        for result in node.results:
            self._hold(self._names[result.id], result.id)

    def _steps(self, item: Steps, at: int) -> None:
        node = item.node
        count = len(node.sequences)
        entries, states = node.body.inputs[:count], node.body.inputs[count:]
        taken: set[str] = set()
        for position, result in enumerate(item.enter.targets):
            name = self._choose_variable(result, at, [node.inputs[position]], taken)
            taken.add(name)
            self._names[states[position].id] = name
            self._preferred.setdefault(moves_of(item.body).sources[position], name)
        for result in item.collected:
            taken.add(self._choose_variable(result, at, [], taken))
            self._hold(self._names[result.id], result.id)
        for entry, sequence in zip(entries, node.sequences, strict=True):
            self._names[entry.id] = "_"
            if self._live.is_read(entry.id):
                base = f"{self._names.get(sequence, 'x')}_t"
                self._names[entry.id] = self._first_free([base], base, at + 1, taken)
                taken.add(self._names[entry.id])
        self._within(item.body, node.body.inputs)
        for result in item.enter.targets:
            self._hold(self._names[result.id], result.id)

    def _within(self, items: Sequence[Item], inputs: Sequence[Value]) -> None:
        """Names what a region holds; what its names hold is forgotten behind it."""
        mark = len(self._undo)
        for value in inputs:
            self._hold(self._names[value.id], value.id)
        self._assign(items)
        while len(self._undo) > mark:
            name, before = self._undo.pop()
            if before is None:
                del self._holder[name]
            else:
                self._holder[name] = before

    def _hold(self, name: str, value: int) -> None:
        self._undo.append((name, self._holder.get(name)))
        self._holder[name] = value

    # ---- names -----------------------------------------------------------------------------------

    def _choose(self, result: Value, at: int, leaves: list[int], taken: set[str]) -> str:
        preferred = self._preferred.get(result.id)
        if wanted := self._wanted[result.id]:
            base = wanted
            candidates = [base] if preferred is None else [preferred, base]
        else:
            # The main pipeline keeps its variable; integers that become floats get a new one.
            base = "x" if "x" not in self._spec_names else "y"
            candidates = [] if preferred is None else [preferred]
            candidates += [
                self._names[leaf]
                for leaf in leaves
                if leaf in self._names and self._is_float[leaf] == self._is_float[result.id]
            ][:1]
            candidates += [name] if (name := self._flows_to.get(result.id, "")) else []
            candidates += [name for name in "xyz" if name not in self._spec_names]
        return self._first_free(candidates, base, at, taken)

    def _choose_variable(
        self, result: Value, at: int, sources: Iterable[int], taken: set[str]
    ) -> str:
        """A variable for what is set in several places; its name is free after ``at``."""
        candidates = [self._wanted[result.id]] if self._wanted[result.id] else []
        base = candidates[0] if candidates else "x" if "x" not in self._spec_names else "y"
        if not candidates:
            candidates += [self._names[source] for source in sources if source in self._names]
            candidates += [name] if (name := self._preferred.get(result.id)) else []
            candidates += [name for name in "xyz" if name not in self._spec_names]
        elif name := self._preferred.get(result.id):
            candidates.insert(0, name)
        found = self._names[result.id] = self._first_free(candidates, base, at, taken)
        return found

    def _first_free(self, candidates: Iterable[str], base: str, at: int, taken: set[str]) -> str:
        others = (name for name in _numbered(base) if name not in self._spec_names)
        return next(
            name
            for name in chain(candidates, others)
            if name not in taken and self._is_free(name, at)
        )

    def _is_free(self, name: str, at: int) -> bool:
        if name in RESERVED:
            return False
        holder = self._holder.get(name)
        return holder is None or not self._live.is_needed(holder, at, self._skipped[::-1])


def _numbered(base: str) -> Iterator[str]:
    separator = "_" if base[-1].isdigit() else ""
    return (f"{base}{separator}{number}" for number in count(2))
