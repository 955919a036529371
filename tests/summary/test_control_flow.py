"""What `specc show` prints of run-time loops and branches."""

from __future__ import annotations

import specc
from specc.ir.dims import evaluate
from specc.summary.rows import rows_of, totals
from specc.summary.table import show

SETTLE = """
block Core(x: [N, D]) -> [N, D] { x |> Linear(D) |> relu }

block Settle(x: [N, D]) -> [N, D] {
    left = Linear(D)
    right = Core()
    while mean(x) > 0 {
        if sum(x) > 3 { x = left(x) } else { x = right(x) - 1 }
    }
    return left(x)
}

net Settled(x: [N, 4]) -> [N, 4] { x |> first: Settle |> Linear(4) }
"""


def test_a_loop_is_a_row_with_its_body_below_it() -> None:
    rows = rows_of(specc.compile(SETTLE).network)
    named = [("  " * row.depth + row.name, row.kind, row.what) for row in rows if row.name]
    assert named == [
        ("first", "block", "Settle"),
        ("  while", "region", "loop"),
        ("    if", "region", "branch"),
        ("      left", "layer", "Linear"),
        ("    else", "region", "branch"),
        ("      right", "block", "Core"),
        ("        linear1", "layer", "Linear"),
        ("  left", "layer", "Linear"),
        ("linear1", "layer", "Linear"),
    ]


def test_parameters_in_a_loop_are_counted_once() -> None:
    program = specc.compile(SETTLE)
    rows = rows_of(program.network)
    first, again = [row for row in rows if row.name == "left"]
    assert (first.parameters, first.shared) == (20, False)
    assert (again.parameters, again.shared) == (0, True)
    assert totals(program.network, rows).parameters == sum(row.parameters for row in rows) == 60


def test_multiply_adds_are_those_of_one_turn_and_both_sides() -> None:
    network = specc.compile(SETTLE).network
    rows = rows_of(network)
    assert evaluate(totals(network, rows).multiply_adds, {"N": 3}) == 4 * 3 * 16


def test_a_region_has_the_type_of_what_it_gives() -> None:
    text = """
net Two(x: [N, 4]) -> [N, 4] {
    turns = full([], 0, dtype=i64)
    while sum(x) > 0 {
        x = x - 1
        turns = turns + 1
    }
    return x * turns
}"""
    (loop,) = [row for row in rows_of(specc.compile(text).network) if row.kind == "region"]
    assert [str(type_) for type_ in loop.results] == ["f32[N, 4]", "i64[]"]


def test_the_table_says_how_it_counts() -> None:
    text = show(specc.compile(SETTLE).network)
    assert "multiply-adds inside a `while` are those of one turn" in text
    assert "multiply-adds of an `if` are those of both its sides" in text
    idle = "net Idle(x: [N, 4]) -> [N, 4] {\n while sum(x) > 0 { x = x - 1 }\n x |> Linear(4) }"
    assert "turn" not in show(specc.compile(idle).network)


def test_multiply_adds_of_a_scan_are_those_of_all_its_steps() -> None:
    text = """
block Cell(x: [N, D], h: [N, H]) -> [N, H] { (x |> Linear(H)) + (h |> Linear(H)) }
net Scanned(x: [N, T, 4]) -> [N, 3] {
    _ys, h = scan(Cell(), x, zeros(N, 5), dim=1)
    return h |> Linear(3)
}"""
    network = specc.compile(text).network
    rows = rows_of(network)
    assert [(row.depth, row.name, row.what) for row in rows if row.name] == [
        (0, "scan", "scan"),
        (1, "cell1", "Cell"),
        (2, "linear1", "Linear"),
        (2, "linear2", "Linear"),
        (0, "linear1", "Linear"),
    ]
    spent = evaluate(totals(network, rows).multiply_adds, {"N": 2, "T": 7})
    assert spent == 2 * (7 * (4 * 5 + 5 * 5) + 5 * 3)
    assert "N=2, T=7" in show(network, sizes={"N": 2, "T": 7})


def test_depth_folds_loops_and_their_sums() -> None:
    lines = [line.split() for line in show(specc.compile(SETTLE).network, depth=2).splitlines()]
    assert ["while", "loop", "[N,", "4]", "40", "32"] in lines
    assert ["left", "Linear", "[N,", "4]", "shared", "16"] in lines
    assert not any(line[:1] == ["if"] for line in lines)


def test_a_buffer_that_training_sets_is_a_row() -> None:
    text = """
block RunningMean(x: [N, C]) -> [N, C] {
    buffer average: [C] ~ zeros
    if training { average = 0.9 * average + 0.1 * mean(x, dim=0) }
    return x - average
}
net Running(x: [N, 4]) -> [N, 4] { x |> inner: RunningMean }
"""
    rows = rows_of(specc.compile(text).network)
    assert [(row.depth, row.what) for row in rows if row.name == "average"] == [
        (1, "buffer"),
        (2, "write"),
    ]
    assert next(row for row in rows if row.name == "inner").results[0].shape_text == "[N, 4]"
