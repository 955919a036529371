"""Inputs to try a network with, where their uses are inside run-time loops and branches."""

from __future__ import annotations

import numpy as np
import pytest

import specc
from specc.verification.inputs import cases

POSITIONS = {
    "in a body, after a turn": """
net Walk(x: i64[50], y: i64[50]) -> i64[50] {
    table = Embedding(5, 7)
    turns = full([], 0, dtype=i64)
    while turns < 3 {
        _read = table(y)
        y = x
        x = x // 1
        turns = turns + 1
    }
    return y
}""",
    "in a condition": """
net Condition(x: i64[50], y: i64[50]) -> i64[50] {
    table = Embedding(5, 7)
    while sum(table(x)) > 1e9 { x = y }
    return x
}""",
    "in one branch": """
net Branch(x: i64[50], y: i64[50]) -> [...] {
    table = Embedding(5, 7)
    if sum(x) > 3 { z = table(x) } else { z = table(y) * 2 }
    return z
}""",
    "after a branch": """
net After(x: i64[50], y: i64[50]) -> [...] {
    table = Embedding(5, 7)
    if sum(x) > sum(y) { z = x } else { z = y }
    return table(z)
}""",
    "after a loop of no turn or some": """
net Later(x: i64[50], y: i64[50]) -> [...] {
    table = Embedding(5, 7)
    z = x
    while sum(z) > 20 { z = y }
    return table(z)
}""",
    "at the entries of a scan": """
block Look(table: layer)(x: i64[], y: i64[], h: [7]) -> [7] { table(x) + table(y) + h }
net Entries(x: i64[50], y: i64[50]) -> [50, 7] {
    table = Embedding(5, 7)
    ys, _h = scan(Look(table), (x, y), zeros(7), dim=0)
    return ys
}""",
    "as a state, steps later": """
block Push(t: i64[50], a: i64[50], b: i64[50], c: i64[50]) -> (i64[50], i64[50], i64[50]) {
    return t, a, b
}
net Pushed(x: i64[50], y: i64[50], time: i64[2, 50]) -> [...] {
    table = Embedding(5, 7)
    _ys, _a, _b, c = scan(Push(), time * 0, (x, y, y), dim=0)
    return table(c)
}""",
    "after as many turns as there are carried values": """
net Rotate(x: i64[50], y: i64[50]) -> i64[50] {
    table = Embedding(5, 7)
    a, b, c, turns = (x, x, y, full([], 0, dtype=i64))
    while turns < 9 {
        _read = table(a)
        a, b, c = (b, c, c)
        turns = turns + 1
    }
    return a
}""",
}


@pytest.mark.parametrize("where", POSITIONS)
def test_a_position_stays_within_its_table(where: str) -> None:
    drawn = next(cases(specc.compile(POSITIONS[where]).network, seed=0)).inputs
    for name in ("x", "y"):
        assert set(np.unique(drawn[name])) == {0, 1, 2, 3, 4}, name


def test_an_integer_of_no_such_use_is_drawn_freely() -> None:
    text = "net Free(x: i64[99]) -> i64[99] {\n while sum(x) > 99 { x = x - 1 }\n return x\n}"
    drawn = next(cases(specc.compile(text).network, seed=0)).inputs["x"]
    assert drawn.min() < 0
