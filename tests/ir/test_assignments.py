"""Concrete sizes chosen for symbols."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from specc.ir.dims import Assertion, assignments, symbol

H, N, T, W = map(symbol, "HNTW")


def test_the_first_is_the_smallest_and_the_second_differs_everywhere() -> None:
    first, second = assignments(["N", "H", "W"], [(H - 5) // 2 + 1, (W - 5) // 2 + 1])
    assert first == {"N": 1, "H": 5, "W": 5}
    assert all(second[name] != first[name] for name in first)
    assert len(set(second.values())) == 3


def test_skip_connections_ask_for_multiples() -> None:
    halves = [(2 * (H // 2), H), (2 * (H // 4), H // 2)]
    first, second = assignments(["N", "H"], halves)
    assert (first, second["H"] % 4) == ({"N": 1, "H": 4}, 0)
    assert second["H"] > 4


def test_symbols_that_a_predicate_ties_are_searched_together() -> None:
    def even_area(sizes: Mapping[str, int]) -> bool:
        return sizes["H"] == sizes["W"] and sizes["H"] % 32 == 0

    for sizes in assignments(["N", "H", "W"], [], [even_area]):
        assert even_area(sizes)


def test_a_batch_stays_one_where_the_product_is_what_counts() -> None:
    first, second = assignments(["N", "T"], [(N * T % 16, 0)])
    assert first == {"N": 1, "T": 16}
    assert second["N"] * second["T"] % 16 == 0


def test_a_forced_symbol_stays_while_the_others_change() -> None:
    assert [s["T"] for s in assignments(["N", "T"], [(T, 16)])] == [16, 16]
    assert assignments(["N", "T"], [(T, 16)])[1]["N"] != 1


def test_there_are_as_many_as_exist() -> None:
    assert assignments([]) == [{}]
    assert assignments(["N"], [(N, 3)]) == [{"N": 3}]
    assert len({s["N"] for s in assignments(["N"], count=5)}) == 5


def test_a_symbol_read_only_on_one_branch_is_found() -> None:
    def either(sizes: Mapping[str, int]) -> bool:
        return sizes["H"] > 6 and sizes["W"] > 40

    assert all(either(sizes) for sizes in assignments(["H", "W"], [], [either]))


def test_the_same_seed_gives_the_same_sizes() -> None:
    hard = [Assertion("a product", lambda s: s["H"] * s["W"] * s["T"] == 2**18)]
    assert assignments("HWT", [], hard, seed=3) == assignments("HWT", [], hard, seed=3)


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ((H % 2, 2), r"H - 2\*\(H // 2\) == 2"),
        (Assertion("H is huge", lambda sizes: sizes["H"] > 10**9), "H is huge"),
        (0, "0 >= 1"),
        (symbol("Q"), "Q"),
        (lambda sizes: sizes["Q"] > 1, "Q"),
    ],
)
def test_what_cannot_be_satisfied_is_named(condition: object, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        assignments(["N", "H"], [condition])  # type: ignore[list-item]
