"""Names that nothing reads draw a warning, which stops nothing."""

from __future__ import annotations

import pytest

from tests.elaborate.specs import net, sound


def warned(body: str) -> list[str]:
    program = sound(net(body))
    assert {warning.code for warning in program.warnings} <= {"unused-binding"}
    return [program.sources.text(w.primary.span) for w in program.warnings if w.primary]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("k = 3\nx", ["k"]),
        ("k = 3\nk = 4\nx * k", ["k"]),
        ("a, b = x, x * 2\na", ["b"]),
        ("h = Linear(4)\nx", ["h"]),
        ("param w: [4] ~ ones\nx", ["w"]),
        ("x = x * 2\nx = x * 3\ny = x\nx", ["y"]),
    ],
)
def test_a_name_that_nothing_reads_is_warned_of(body: str, names: list[str]) -> None:
    assert warned(body) == names


@pytest.mark.parametrize(
    "body",
    [
        "k = 3\nx * k",
        "_k = 3\nx",
        "_, b = x, x * 2\nb",
        "for i in 0..2 { x = x * 2 }\nx",
        "k = 3\nif 1 > 2 { x = x * k }\nx",
        "k = 3\nif 1 < 2 { x = x * 2 } else { x = x * k }\nx",
        "k = 3\nx * (2 if true else k)",
        "k = 3\nx * (2 if true or k > 3 else 4)",
        "k = 3\nx |> [relu, Linear(k) if false]",
    ],
)
def test_a_name_that_some_branch_reads_is_not(body: str) -> None:
    assert warned(body) == []
