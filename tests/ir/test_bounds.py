"""What is certain about sizes: bounds, against brute force over small sizes."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specc.ir.dims import Dim, at_least, evaluate, lower, lower_bounds, symbol
from tests.ir.size_trees import NAMES, Tree, build, environments, evaluate_tree, trees

H, N, T, W = map(symbol, "HNTW")


@given(trees(), environments, st.fixed_dictionaries(dict.fromkeys(NAMES, st.integers(1, 9))))
@settings(max_examples=400)
def test_a_lower_bound_is_never_above_a_value(
    tree: Tree, excess: dict[str, int], bounds: dict[str, int]
) -> None:
    low = lower(build(tree), bounds)
    for env in (bounds, {name: bounds[name] + excess[name] - 1 for name in NAMES}):
        assert low is None or low <= evaluate_tree(tree, env)


@given(trees(), environments, st.integers(-20, 60))
@settings(max_examples=400)
def test_at_least_is_never_wrong(tree: Tree, env: dict[str, int], least: int) -> None:
    verdict = at_least(build(tree), least)
    for sizes in (env, dict.fromkeys(NAMES, 1)):
        assert verdict is None or verdict == (evaluate_tree(tree, sizes) >= least)


@pytest.mark.parametrize(
    ("dim", "low"),
    [
        (H * W, 1),
        (H * W - H - W, -1),
        ((H - 5) // 2 + 1, -1),
        (H - H // 2, 1),
        (H // 2 - H // 4, 0),
        (H % 8, 0),
        (N * (H // 2) - N * (H // 4), 0),
        ((H + W) // (N + T), 0),
        (H - W, None),
        (3 - H, None),
    ],
)
def test_the_lower_bound_is_tight_where_shapes_ask(dim: Dim, low: int | None) -> None:
    assert lower(dim) == low


def test_remainders_are_bounded_above() -> None:
    assert at_least(7 - H % 8, 0) is True
    assert at_least(H % 8 - 8, 0) is False


@given(
    st.lists(
        st.tuples(st.integers(1, 7), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3)),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=200)
def test_least_sizes_of_a_chain_of_windows_are_those_of_brute_force(
    windows: list[tuple[int, int, int, int]],
) -> None:
    def chain(size: Dim) -> list[Dim]:
        """The output size after each window (Dumoulin and Visin, relationship 14)."""
        sizes = []
        for kernel, stride, padding, dilation in windows:
            size = (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
            sizes.append(size)
        return sizes

    limits = lower_bounds(chain(H))
    assert limits.residual == ()
    # Four windows of 7, dilated by 3 at stride 4, ask for at most 19 * (1 + 4 + 16 + 64).
    fits = [size for size in range(1, 2000) if all(s >= 1 for s in chain(size))]
    assert limits.bounds.get("H", 1) == fits[0]
    assert fits == list(range(fits[0], 2000))


def test_what_no_single_bound_expresses_is_residual() -> None:
    assert lower_bounds([H - W]).residual == (H - W,)
    assert lower_bounds([65 - H]).residual == (65 - H,)
    assert lower_bounds([H % 2]).residual == (H % 2,)
    assert lower_bounds([0, 1]).residual == (0,)


def test_what_the_bounds_imply_is_not_residual() -> None:
    limits = lower_bounds([H - 3, W - 3, H * W - 16, H * W - 15, N * T, H % 2 + 1])
    assert limits.bounds == {"H": 4, "W": 4, "N": 1, "T": 1}
    assert limits.residual == (H * W - 16,)


def test_bounds_and_residual_together_are_the_constraints() -> None:
    constraints = [(H - 3) // 2, H + W - 9, 2 * W - 3, H - H // 2 - 2]
    limits = lower_bounds(constraints)
    for h, w in product(range(1, 20), repeat=2):
        env = {"H": h, "W": w}
        within = all(env[name] >= least for name, least in limits.bounds.items())
        rest = all(evaluate(dim, env) >= 1 for dim in limits.residual)
        assert (within and rest) == all(evaluate(dim, env) >= 1 for dim in constraints)
