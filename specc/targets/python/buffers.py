"""Which reads of buffers need a copy: a buffer is set in place, and its old values live on.

PyTorch's modules keep a buffer's tensor and change what it holds (BatchNorm's running statistics,
say), so that whoever has the tensor, a wrapper for several devices among them, sees the change. A
value that was read before has to stay: the rest of this forward may use it, and so may a backward
pass, of this application or of an earlier one.
"""

from __future__ import annotations

from specc.ir.graph import (
    Application,
    Branch,
    Loop,
    Node,
    Operation,
    Read,
    Region,
    Scan,
    Write,
)
from specc.ir.walk import every_node, regions_of
from specc.targets.python.realisations import Instance
from specc.targets.python.structure import Structure

_KEEP_NOTHING = frozenset({"add", "sub"})
_KEEP_THE_OTHER = frozenset({"mul", "div"})


def snapshots(structure: Structure, template: int) -> frozenset[int]:
    """The values of reads that are copied where they are read."""
    body = structure.templates[template].body
    nodes = list(every_node(body))
    found: set[int] = set()
    reads = {
        node.results[0].id
        for node in nodes
        if isinstance(node, Read) and _is_set(structure, template, node.path)
    }
    if not reads:
        return frozenset()
    for region in (body, *(inner for node in nodes for inner in regions_of(node))):
        found |= _kept(region, reads)
    return frozenset(found)


def _is_set(structure: Structure, template: int, path: str) -> bool:
    """Whether what stands at a path is a buffer that its block sets."""
    name = path
    if all(state.name != path for state in structure.templates[template].state):
        owner, _, name = path.rpartition(".")
        made = structure.realise(structure.target(template, owner))
        if not isinstance(made, Instance):
            return False
        template = made.template
    return name in structure.set_buffers(template)


def _kept(region: Region, reads: set[int]) -> set[int]:
    """The reads among ``reads`` that this region uses in a way that needs a copy."""
    kept = reads.intersection(region.results)
    fresh: set[int] = set()  # read here, with nothing since that could set a buffer
    for node in region.nodes:
        used = reads.intersection(_inputs(node))
        kept |= used - fresh if _keeps_nothing(node) else used
        if isinstance(node, Application | Branch | Loop | Scan | Write):
            fresh.clear()
        if isinstance(node, Read):
            fresh.add(node.results[0].id)
    return kept


def _inputs(node: Node) -> list[int]:
    if isinstance(node, Read):
        return []
    if isinstance(node, Write):
        return [node.value]
    if isinstance(node, Branch):
        return [node.condition]
    if isinstance(node, Scan):
        return [*node.sequences, *node.inputs]
    borrowed = node.borrowed.values() if isinstance(node, Application) else ()
    return [*node.inputs, *borrowed]


def _keeps_nothing(node: Node) -> bool:
    """Whether autograd keeps none of the operands, and the result is none of them or a view."""
    if isinstance(node, Write):
        return True
    if not isinstance(node, Operation):
        return False
    alone = len(node.inputs) == 1
    return node.operator in _KEEP_NOTHING or (alone and node.operator in _KEEP_THE_OTHER)
