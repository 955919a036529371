"""The statements of a forward: which values get a line of their own, and what they are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, count
from typing import TypeAlias

from specc.ir.graph import Application, Node, Operation, Read, Region, Value
from specc.ops.code import Code, Infix, Member, Prefix, Subscript
from specc.targets.python.lowering import occurrences
from specc.targets.python.names import RESERVED, Scope, identifier

DEEPEST = 3
"""How many calls stand within each other on one line."""

MOST_WAITING = 6
"""How many values may wait for the line that uses them."""


@dataclass(frozen=True, eq=False)
class Tree:
    """A node whose operands are variables (by value id), or nodes computed on the same line."""

    node: Operation | Application
    operands: tuple[Operand, ...]
    borrowed: Mapping[str, Operand]
    depth: int

    def leaves(self) -> Iterator[int]:
        """The variables that the expression reads, in order."""
        for operand in (*self.operands, *self.borrowed.values()):
            if isinstance(operand, Tree):
                yield from operand.leaves()
            else:
                yield operand

    def children(self) -> list[Tree]:
        """The operands that are computed on the same line."""
        everything = (*self.operands, *self.borrowed.values())
        return [operand for operand in everything if isinstance(operand, Tree)]


Operand: TypeAlias = "Tree | int"


@dataclass(frozen=True, eq=False)
class Statement:
    """``results = tree``, or what is returned where ``results`` is None."""

    results: tuple[Value, ...] | None
    trees: tuple[Operand, ...]

    def leaves(self) -> Iterator[int]:
        """The variables that the statement reads."""
        for tree in self.trees:
            if isinstance(tree, Tree):
                yield from tree.leaves()
            else:
                yield tree


@dataclass
class Planner:
    """Divides a body into statements.

    Values that are used once may be computed where they are used. They wait on a stack, and a node
    takes its operands from the top of it alone, so everything is evaluated in the body's order.
    ``code`` gives the lowering of nodes that are printed as functions, ``blocks`` the identities of
    applications of a template, ``random`` the indices of nodes that draw.
    """

    body: Region
    code: Mapping[int, Code]
    random: frozenset[int] = frozenset()
    blocks: frozenset[int] = frozenset()
    own_line: set[int] = field(default_factory=set)

    def plan(self) -> list[Statement]:
        """The statements, the last of which returns."""
        self._uses = Counter(self.body.results)
        self._index = {id(node): index for index, node in enumerate(self.body.nodes)}
        for node in self.body.nodes:
            self._uses.update(_operands(node))
        self._statements: list[Statement] = []
        self._pending: list[Tree] = []
        for index, node in enumerate(self.body.nodes):
            if not isinstance(node, Read):
                self._add(index, node)
        return [*self._statements, self._return()]

    def _return(self) -> Statement:
        wanted = [i for i in self.body.results if self._waits(i)]
        if [tree.node.results[0].id for tree in self._pending] != wanted:
            self._flush(len(self._pending))
        waiting = {tree.node.results[0].id: tree for tree in self._pending}
        self._pending = []
        return Statement(None, tuple(waiting.get(i, i) for i in self.body.results))

    def _waits(self, value: int) -> bool:
        return any(tree.node.results[0].id == value for tree in self._pending)

    def _flush(self, count: int) -> None:
        """Gives the first ``count`` waiting values lines of their own."""
        for tree in self._pending[:count]:
            self._statements.append(Statement(tree.node.results, (tree,)))
        del self._pending[:count]

    def _add(self, index: int, node: Operation | Application) -> None:
        used = [result for result in node.results if self._uses[result.id]]
        if not used and isinstance(node, Operation) and index not in self.random:
            return
        code = self.code.get(index)
        self._make_room(node, code)
        waiting = {tree.node.results[0].id: tree for tree in self._pending}
        ids = _operands(node)
        taken = [i for i in ids if i in waiting]
        if taken:
            del self._pending[len(self._pending) - len(taken) :]
        operands = tuple(waiting.get(i, i) for i in node.inputs)
        borrowed: dict[str, Operand] = {}
        if isinstance(node, Application):
            borrowed = {slot: waiting.get(i, i) for slot, i in node.borrowed.items()}
        below = max((waiting[i].depth for i in taken), default=0)
        tree = Tree(node, operands, borrowed, below + (not _is_infix(code)))
        if self._may_wait(node):
            self._pending.append(tree)
            if len(self._pending) > MOST_WAITING:
                self._flush(1)
        else:
            self._flush(len(self._pending))
            self._statements.append(Statement(node.results if used else (), (tree,)))

    def _make_room(self, node: Operation | Application, code: Code | None) -> None:
        """Gives lines of their own to those waiting operands that this node cannot take in."""
        ids = _operands(node)
        order = [tree.node.results[0].id for tree in self._pending]
        wanted = [i for i in ids if i in order]
        if wanted and order[-len(wanted) :] != wanted:
            self._flush(len(self._pending))
            return
        for position in reversed(range(len(self._pending))):
            tree = self._pending[position]
            value = tree.node.results[0].id
            if value in wanted and not self._may_nest(tree, node, code, ids.index(value)):
                self._flush(position + 1)
                return

    def _may_nest(
        self, tree: Tree, node: Operation | Application, code: Code | None, operand: int
    ) -> bool:
        if code is None:  # a layer: on top of layers and sums, but not of functions or blocks
            if isinstance(tree.node, Application):
                return tree.depth < DEEPEST and not {id(node), id(tree.node)} & self.blocks
            return tree.depth < DEEPEST and _is_infix(self._code_of(tree.node))
        if operand < len(node.inputs) and occurrences(code, operand) != 1:
            return False
        return tree.depth + (not _is_infix(code)) <= DEEPEST and _size(tree) <= 6

    def _code_of(self, node: Operation | Application) -> Code | None:
        return self.code.get(self._index[id(node)])

    def _may_wait(self, node: Operation | Application) -> bool:
        if len(node.results) != 1:
            return False
        (result,) = node.results
        return self._uses[result.id] == 1 and not result.name and result.id not in self.own_line


def assign_names(
    body: Region, statements: list[Statement], inputs: Mapping[int, str]
) -> dict[int, str]:
    """A variable for every value with a line of its own, none overwritten while it is needed."""
    return _Namer(body, statements, inputs).assign()


class _Namer:
    def __init__(
        self, body: Region, statements: list[Statement], inputs: Mapping[int, str]
    ) -> None:
        values = [*body.inputs, *(result for node in body.nodes for result in node.results)]
        self._is_float = {value.id: value.type.dtype.is_float for value in values}
        self._wanted = {value.id: identifier(value.name, "") for value in values}
        # An argument's name is free once it is not needed; a name that comes later is kept for it.
        results = {result.id for node in body.nodes for result in node.results}
        self._spec_names = {n for value, n in self._wanted.items() if n and value in results}
        self._statements = statements
        self._names = dict(inputs)
        self._holder = {name: value for value, name in inputs.items()}
        self._last_use: dict[int, int] = {}
        for index, statement in enumerate(statements):
            for leaf in statement.leaves():
                self._last_use[leaf] = index

        self._flows_to = self._destinations()

    def _destinations(self) -> dict[int, str]:
        """For a value that one statement alone uses: the name of the value that it ends up in."""
        users: dict[int, set[int]] = {}
        for index, statement in enumerate(self._statements):
            for leaf in statement.leaves():
                users.setdefault(leaf, set()).add(index)
        found: dict[int, str] = {}
        for statement in reversed(self._statements):
            for result in statement.results or ():
                if len(using := users.get(result.id, set())) == 1:
                    (user,) = using
                    results = self._statements[user].results or ()
                    if len(results) == 1:
                        (end,) = results
                        found[result.id] = self._wanted[end.id] or found.get(end.id, "")
        return found

    def assign(self) -> dict[int, str]:
        """Names by value id; a value that nothing reads is ``_``."""
        for index, statement in enumerate(self._statements):
            taken: set[str] = set()
            for result in statement.results or ():
                name = "_"
                if result.id in self._last_use:
                    name = self._choose(result, index, list(statement.leaves()), taken)
                    taken.add(name)
                self._names[result.id] = name
            for result in statement.results or ():
                self._holder[self._names[result.id]] = result.id
        return self._names

    def _choose(self, result: Value, index: int, leaves: list[int], taken: set[str]) -> str:
        if self._wanted[result.id]:
            base = self._wanted[result.id]
            candidates = [base]
        else:
            # The main pipeline keeps its variable; integers that become floats get a new one.
            base = "x" if "x" not in self._spec_names else "y"
            candidates = [
                self._names[leaf]
                for leaf in leaves
                if leaf in self._names and self._is_float[leaf] == self._is_float[result.id]
            ][:1]
            candidates += [name] if (name := self._flows_to.get(result.id, "")) else []
            candidates += [name for name in "xyz" if name not in self._spec_names]
        others = (name for name in _numbered(base) if name not in self._spec_names)
        return next(
            name
            for name in chain(candidates, others)
            if self._is_free(name, index) and name not in taken
        )

    def _is_free(self, name: str, index: int) -> bool:
        if name in RESERVED:
            return False
        return name not in self._holder or self._last_use.get(self._holder[name], -1) <= index


def _numbered(base: str) -> Iterator[str]:
    separator = "_" if base[-1].isdigit() else ""
    return (f"{base}{separator}{number}" for number in count(2))


def input_names(body: Region, scope: Scope) -> dict[int, str]:
    """What the body's inputs are called as arguments."""
    return {value.id: scope.unique(identifier(value.name, "x")) for value in body.inputs}


def _operands(node: Node) -> list[int]:
    if isinstance(node, Read):
        return []
    borrowed = node.borrowed.values() if isinstance(node, Application) else ()
    return [*node.inputs, *borrowed]


def _is_infix(code: Code | None) -> bool:
    return isinstance(code, Infix | Prefix | Subscript | Member)


def _size(tree: Tree) -> int:
    return 1 + sum(_size(child) for child in tree.children())
