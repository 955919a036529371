"""The statements of a forward: which values get a line of their own, and what they are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from specc.ir.graph import (
    Application,
    Branch,
    Loop,
    Node,
    Operation,
    Read,
    Region,
    Scan,
    Transfer,
    Write,
)
from specc.ir.walk import every_node
from specc.ops.code import Code, Infix, Member, Prefix, Subscript
from specc.targets.python.items import (
    Append,
    Choice,
    Item,
    Moves,
    Operand,
    Repetition,
    Set,
    Snapshot,
    Statement,
    Steps,
    Tree,
)
from specc.targets.python.lowering import occurrences
from specc.targets.python.names import Scope, identifier

DEEPEST = 3
"""How many calls stand within each other on one line."""

MOST_WAITING = 6
"""How many values may wait for the line that uses them."""


@dataclass
class Planner:
    """Divides a body into statements.

    Values that are used once may be computed where they are used. They wait on a stack, and a node
    takes its operands from the top of it alone, so everything is evaluated in the body's order.
    ``code`` gives the lowering of nodes that are printed as functions, ``blocks`` the identities of
    applications of a template, ``random`` the indices of nodes that draw, ``snapshots`` the reads
    of buffers whose values have to be kept. What a run-time ``if`` or ``while`` holds is planned
    by itself: nothing waits across its border.
    """

    body: Region
    code: Mapping[int, Code]
    random: frozenset[int] = frozenset()
    blocks: frozenset[int] = frozenset()
    snapshots: frozenset[int] = frozenset()
    own_line: set[int] = field(default_factory=set)

    def plan(self) -> list[Item]:
        """The statements, the last of which returns."""
        nodes = list(every_node(self.body))
        self._index = {id(node): index for index, node in enumerate(nodes)}
        self._training = {
            node.results[0].id
            for node in nodes
            if isinstance(node, Operation) and node.operator == "training"
        }
        self._uses = Counter(self.body.results)
        self._count_uses(self.body.nodes)
        self._pending: list[Tree] = []
        self._items: list[Item] = []
        return self._returning(self.body.nodes, self.body.results)

    def _count_uses(self, nodes: Sequence[Node]) -> None:
        """Counts backwards, since what is read counts where its reader counts."""
        for node in reversed(nodes):
            if isinstance(node, Branch):
                for side in (node.then, node.otherwise):
                    self._uses.update(side.results[k] for k in self._columns(node))
                    self._count_uses(side.nodes)
            elif isinstance(node, Loop):
                self._uses.update(node.body.results)
                self._uses.update(i for i in node.condition.results if i not in self._training)
                self._count_uses(node.body.nodes)
                self._count_uses(node.condition.nodes)
            elif isinstance(node, Scan):
                states = node.body.results[len(node.results) - len(node.inputs) :]
                self._uses.update([*states, *(node.body.results[k] for k in self._stacked(node))])
                self._count_uses(node.body.nodes)
            elif self._is_idle(node):
                continue
            self._uses.update(self._operands(node))

    def _is_idle(self, node: Node) -> bool:
        """Whether nothing reads what a node gives, and it does nothing else."""
        if not isinstance(node, Operation | Transfer) or self._index[id(node)] in self.random:
            return False
        return not any(self._uses[result.id] for result in node.results)

    def _columns(self, node: Branch) -> list[int]:
        """The positions of the results that something reads."""
        return [k for k, result in enumerate(node.results) if self._uses[result.id]]

    def _stacked(self, node: Scan) -> list[int]:
        """The positions of the results that are stacked and that something reads."""
        count = len(node.results) - len(node.inputs)
        return [k for k in range(count) if self._uses[node.results[k].id]]

    def _operands(self, node: Node) -> list[int]:
        """The values that a node itself takes; ``self.training`` is none, as a condition."""
        if isinstance(node, Read):
            return []
        if isinstance(node, Write):
            return [node.value]
        if isinstance(node, Branch):
            return [] if node.condition in self._training else [node.condition]
        if isinstance(node, Scan):
            return [*node.sequences, *node.inputs]
        borrowed = node.borrowed.values() if isinstance(node, Application) else ()
        return [*node.inputs, *borrowed]

    def _returning(self, nodes: Sequence[Node], results: Sequence[int]) -> list[Item]:
        """The items of the body, or of a branch that ends it, which give its results.

        Where the results are those of an ``if`` at the end, ``then`` returns by itself, and what
        the ``if`` does otherwise follows it.
        """
        around, self._items = self._items, []
        last = nodes[-1] if nodes else None
        if isinstance(last, Branch) and _gives(last, results):
            self._plan_nodes(nodes[:-1])
            condition = self._condition(last.condition)
            then = self._returning(last.then.nodes, last.then.results)
            otherwise = self._returning(last.otherwise.nodes, last.otherwise.results)
            self._items += [Choice(condition, (), then, (), returns=True), *otherwise]
        else:
            self._plan_nodes(nodes)
            self._items.append(self._return(results))
        items, self._items = self._items, around
        return items

    def _return(self, results: Sequence[int]) -> Statement:
        wanted = [i for i in results if self._waits(i)]
        if [tree.node.results[0].id for tree in self._pending] != wanted:
            self._flush(len(self._pending))
        waiting = {tree.node.results[0].id: tree for tree in self._pending}
        self._pending = []
        return Statement(None, tuple(waiting.get(i, i) for i in results))

    # ---- regions ---------------------------------------------------------------------------------

    def _inside(self, nodes: Sequence[Node], *, finish: bool = True) -> list[Item]:
        """The items of a region; ``finish`` leaves nothing waiting."""
        around, self._items = self._items, []
        self._plan_nodes(nodes)
        if finish:
            self._flush(len(self._pending))
        items, self._items = self._items, around
        return items

    def _plan_nodes(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            self._plan_node(node)

    def _plan_node(self, node: Node) -> None:
        match node:
            case Read():
                (result,) = node.results
                if result.id in self.snapshots and self._uses[result.id]:
                    self._flush(len(self._pending))
                    self._items.append(Snapshot(result, node.path))
            case Write():
                self._items.append(Set(node.name, self._take(node.value)))
            case Branch():
                self._branch(node)
            case Loop():
                self._loop(node)
            case Scan():
                self._scan(node)
            case _:
                self._add(self._index[id(node)], node)

    def _take(self, value: int) -> Operand:
        """A value on the line that uses it, where it was computed last; nothing else waits."""
        tree = None
        if self._pending and self._pending[-1].node.results[0].id == value:
            tree = self._pending.pop()
        self._flush(len(self._pending))
        return value if tree is None else tree

    def _condition(self, value: int) -> Operand | None:
        if value in self._training:
            self._flush(len(self._pending))
            return None
        return self._take(value)

    def _branch(self, node: Branch) -> None:
        condition = self._condition(node.condition)
        columns = self._columns(node)
        results = tuple(node.results[k] for k in columns)
        then, otherwise = (
            [*self._inside(side.nodes), Moves(results, tuple(side.results[k] for k in columns))]
            for side in (node.then, node.otherwise)
        )
        self._items.append(Choice(condition, results, then, otherwise))

    def _loop(self, node: Loop) -> None:
        self._flush(len(self._pending))
        before = self._inside(node.condition.nodes, finish=False)
        around, self._items = self._items, before
        condition = self._condition(node.condition.results[0])
        self._items = around
        body = [*self._inside(node.body.nodes), Moves(node.body.inputs, node.body.results)]
        enter = Moves(node.results, node.inputs)
        self._items.append(Repetition(node, enter, before, condition, body))

    def _scan(self, node: Scan) -> None:
        self._flush(len(self._pending))
        count = len(node.results) - len(node.inputs)
        columns = self._stacked(node)
        body = self._inside(node.body.nodes)
        body += [Append(node.results[k], node.body.results[k]) for k in columns]
        states = node.body.inputs[len(node.sequences) :]
        body.append(Moves(states, node.body.results[count:]))
        enter = Moves(node.results[count:], node.inputs)
        collected = tuple(node.results[k] for k in columns)
        self._items.append(Steps(node, enter, collected, body))

    # ---- nodes -----------------------------------------------------------------------------------

    def _waits(self, value: int) -> bool:
        return any(tree.node.results[0].id == value for tree in self._pending)

    def _flush(self, count: int) -> None:
        """Gives the first ``count`` waiting values lines of their own."""
        for tree in self._pending[:count]:
            self._items.append(Statement(tree.node.results, (tree,)))
        del self._pending[:count]

    def _add(self, index: int, node: Operation | Application | Transfer) -> None:
        if self._is_idle(node):
            return
        used = [result for result in node.results if self._uses[result.id]]
        code = self.code.get(index)
        self._make_room(node, code)
        waiting = {tree.node.results[0].id: tree for tree in self._pending}
        ids = self._operands(node)
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
            self._items.append(Statement(node.results if used else (), (tree,)))

    def _make_room(self, node: Operation | Application | Transfer, code: Code | None) -> None:
        """Gives lines of their own to those waiting operands that this node cannot take in."""
        ids = self._operands(node)
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
        self,
        tree: Tree,
        node: Operation | Application | Transfer,
        code: Code | None,
        operand: int,
    ) -> bool:
        if code is None:  # a layer: on top of layers and sums, but not of functions or blocks
            if isinstance(tree.node, Application):
                return tree.depth < DEEPEST and not {id(node), id(tree.node)} & self.blocks
            return tree.depth < DEEPEST and _is_infix(self._code_of(tree.node))
        if operand < len(node.inputs) and occurrences(code, operand) != 1:
            return False
        return tree.depth + (not _is_infix(code)) <= DEEPEST and _size(tree) <= 6

    def _code_of(self, node: Operation | Application | Transfer) -> Code | None:
        return self.code.get(self._index[id(node)])

    def _may_wait(self, node: Operation | Application | Transfer) -> bool:
        if len(node.results) != 1:
            return False
        (result,) = node.results
        return self._uses[result.id] == 1 and not result.name and result.id not in self.own_line


def input_names(body: Region, scope: Scope) -> dict[int, str]:
    """What the body's inputs are called as arguments."""
    return {value.id: scope.unique(identifier(value.name, "x")) for value in body.inputs}


def _gives(branch: Branch, results: Sequence[int]) -> bool:
    """Whether a branch makes these results, and none of them for a name of the spec."""
    made = [result.id for result in branch.results]
    return made == list(results) and not any(result.name for result in branch.results)


def _is_infix(code: Code | None) -> bool:
    return isinstance(code, Infix | Prefix | Subscript | Member)


def _size(tree: Tree) -> int:
    return 1 + sum(_size(child) for child in tree.children())
