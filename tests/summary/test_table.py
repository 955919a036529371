"""What `specc show` prints."""

from __future__ import annotations

import pytest

import specc
from specc.ir.conditions import conditions, smallest_sizes
from specc.ir.graph import Network
from specc.summary.rows import fold, rows_of, totals
from specc.summary.table import show

NESTED = """
block Residual(channels: int, stride = 1)(x: [N, C, H, W]) -> [N, channels, H2, W2] {
    y = x |> conv1: Conv(channels, 3, stride=stride, padding=1, bias=false) |> bn1: BatchNorm
          |> relu
          |> conv2: Conv(channels, 3, padding=1, bias=false) |> bn2: BatchNorm
    if stride != 1 or C != channels {
        x = x |> downsample: [Conv(channels, 1, stride=stride, bias=false), BatchNorm]
    }
    return relu(x + y)
}
net Nested(x: [N, 3, H, W]) -> [N, 10] {
    x |> stem: [Conv(8, 7, stride=2), relu]
      |> stages: [Residual(8), Residual(16, stride=2)]
      |> AdaptiveAvgPool(1) |> flatten |> Linear(10)
}
"""

SHARED = """
block Scale(x: [N, D]) -> [N, D] {
    param gain: [D] ~ ones
    return x * gain
}
net Shared(x: [N, 6]) -> [N, 6] {
    scale = Scale()
    step = Linear(6)
    x |> scale |> step |> scale |> step
}
"""


def network(text: str) -> Network:
    return specc.compile(text).network


def test_blocks_are_opened_with_their_layers_below_them() -> None:
    names = [("  " * row.depth + row.name, row.what) for row in rows_of(network(NESTED))]
    layers = [entry for entry in names if entry[0].strip()]
    assert layers[:9] == [
        ("stem", "Sequential"),
        ("  0", "Conv"),
        ("  1", "relu"),
        ("stages", "Sequential"),
        ("  0", "Residual"),
        ("    conv1", "Conv"),
        ("    bn1", "BatchNorm"),
        ("    conv2", "Conv"),
        ("    bn2", "BatchNorm"),
    ]


def test_a_block_gives_what_its_last_operation_gives() -> None:
    by_name = {row.name: row for row in rows_of(network(NESTED))}
    assert str(by_name["stages"].results[0]) == "f32[N, 16, (H - 3) // 4, (W - 3) // 4]"


def test_a_second_use_counts_no_parameters_and_all_multiply_adds() -> None:
    rows = [row for row in rows_of(network(SHARED)) if row.name in ("step", "gain")]
    assert [(row.name, row.parameters, row.shared) for row in rows] == [
        ("gain", 6, False),
        ("step", 42, False),
        ("gain", 0, True),
        ("step", 0, True),
    ]
    steps = [row for row in rows if row.name == "step"]
    assert steps[0].multiply_adds == steps[1].multiply_adds != 0


def test_a_block_that_is_applied_twice_is_opened_twice() -> None:
    twice = "block B(x: [N, 4]) -> [N, 4] { x |> Linear(4) }\n"
    twice += "net T(x: [N, 4]) -> [N, 4] {\n    b = B()\n    x |> b |> b\n}"
    assert [row.name for row in rows_of(network(twice))] == ["b", "linear1", "b", "linear1"]


def test_folded_blocks_hold_the_sums() -> None:
    rows = rows_of(network(NESTED))
    folded = fold(rows, 1)
    assert {row.depth for row in folded} == {0}
    assert sum(row.parameters for row in folded) == sum(row.parameters for row in rows)
    whole = totals(network(NESTED), rows).multiply_adds
    assert totals(network(NESTED), folded).multiply_adds == whole
    assert rows == rows_of(network(NESTED))  # folding changes no row that it was given


def test_conditions_are_the_lower_bounds_of_each_symbol() -> None:
    assert conditions(network(NESTED)) == ["any N", "H >= 7", "W >= 7"]
    assert smallest_sizes(network(NESTED)) == {"N": 1, "H": 7, "W": 7}


def test_given_sizes_are_kept_or_refused() -> None:
    assert smallest_sizes(network(NESTED), {"H": 32}) == {"N": 1, "H": 32, "W": 7}
    assert smallest_sizes(network(NESTED), {"H": 6}) is None


def test_lower_bounds_are_where_the_module_begins_to_work() -> None:
    torch = pytest.importorskip("torch")
    module = specc.compile(NESTED).module().eval()
    assert module(torch.zeros(1, 3, 7, 7)).shape == (1, 10)
    with pytest.raises((RuntimeError, ValueError, AssertionError)):
        module(torch.zeros(1, 3, 6, 7))


@pytest.mark.parametrize("width", [80, 100, 120])
def test_a_table_is_no_wider_than_the_terminal(width: int) -> None:
    lines = show(network(NESTED), width=width, everything=True).splitlines()
    assert max(map(len, lines)) <= width


def test_shapes_are_broken_between_dims_only() -> None:
    lines = [line[33:].strip() for line in show(network(NESTED)).splitlines()]
    assert "(H - 1) // 2 - 2," in lines
    assert "(W - 1) // 2 - 2]" in lines


def test_given_sizes_are_filled_in() -> None:
    table = show(network(NESTED), sizes={"H": 224, "W": 224}, depth=1)
    assert "[N, 8, 109, 109]" in table
    assert "multiply-adds are counted at N=1, H=224, W=224" in table


def test_operations_that_keep_the_shape_are_shown_on_demand() -> None:
    assert " add " not in show(network(NESTED))
    assert " add " in show(network(NESTED), everything=True)
    assert "left out" not in show(network(NESTED), everything=True)


def test_other_dtypes_than_f32_are_named() -> None:
    table = show(network("net E(x: i64[N, T]) -> [N, T, 4] { x |> Embedding(9, 4) }"))
    assert "i64[N, T]" in table
    assert "f32" not in table


def test_a_net_that_computes_nothing_has_a_table() -> None:
    lines = show(network("net Same(x: [N, 2]) -> [N, 2] { x }")).splitlines()
    assert [line.split() for line in lines if line.startswith("total")] == [["total", "0", "0"]]
