"""Weights under other names, where someone asks for it: by patterns, each in turn."""

from __future__ import annotations

from collections.abc import Mapping

from specc.frontend.diagnostics import Fault
from specc.ir.patterns import filled, matched, nearest_to_pattern
from specc.weights.facts import BadRename
from specc.weights.header import is_name
from specc.weights.rules import rule_problem
from specc.weights.safetensors import StoredTensor, Weights


def renamed(weights: Weights, rules: Mapping[str, str | None]) -> Weights:
    """The same weights under other names, unread; those whose rule says None are left out.

    A rule maps a pattern of names to a name in which each star stands for what it matched. Each is
    applied in turn to all the names that those before it left.

    Raises:
        Fault: with ``BadRename``, where a rule matches nothing, or two tensors would get one name.
    """
    tensors: dict[str, StoredTensor] = dict(weights)
    for pattern, name in rules.items():
        assert rule_problem(pattern, name) is None, (pattern, name)
        tensors = _applied(pattern, name, tensors, weights.source)
    return Weights(tensors, weights.metadata, weights.source)


def _applied(
    pattern: str, name: str | None, tensors: Mapping[str, StoredTensor], source: str
) -> dict[str, StoredTensor]:
    result: dict[str, StoredTensor] = {}
    old_names: dict[str, str] = {}
    hits = 0
    for old, stored in tensors.items():
        found = matched(pattern, old)
        hits += found is not None
        if found is None:
            new = old
        elif name is None:
            continue
        else:
            new = filled(name, found)
        if new in result:
            problem = f"{old_names[new]!r} and {old!r} would both be {new!r}"
            raise Fault(BadRename(path=source, pattern=pattern, problem=problem))
        if not is_name(new):
            problem = f"{old!r} would be {new!r}, which no tensor can be called"
            raise Fault(BadRename(path=source, pattern=pattern, problem=problem))
        result[new], old_names[new] = stored, old
    if not hits:
        close = nearest_to_pattern(pattern, list(tensors))
        raise Fault(
            BadRename(
                path=source,
                pattern=pattern,
                problem="no name matches",
                advice=f"the nearest is {close!r}" if close else None,
            )
        )
    return result
