"""Each limit refuses what exceeds it, at its place and soon, and can be raised."""

from __future__ import annotations

import time
from dataclasses import fields, replace

import pytest

from specc.compiler import compile_network
from specc.elaborate.bounds import Bounds
from specc.frontend.diagnostics import SpecError
from specc.frontend.limits import DEFAULT_LIMITS, Limits
from tests.fuzz.hostile.texts import net

SOON = 12.0  # seconds of a process; most take a tenth of one
CODES = {"limit-exceeded", "too-large"}

# For each limit a value that a small text exceeds.
LIMITS = {
    "bytes": (40, net("x |> Linear(4)")),
    "nesting": (5, net("x |> Linear(((((((4)))))))")),
    "digits": (3, net("x |> Linear(0004)")),
    "name_length": (8, net("x |> a_long_name: Linear(4)")),
}
BOUNDS = {
    "steps": (50, net("for i in 0..100 { _a = i }\n    x")),
    "steps_of_node": (1, net("for i in 0..20 { x = x |> Linear(2 + 2 + 2 - 2) }\n    x")),
    "steps_of_layer": (1, net("_a = [Linear(2 + 2 + 2 - 2) for i in 0..20]\n    x")),
    "nodes": (5, net("for i in 0..9 { x = x |> Linear(4) }\n    x")),
    "depth": (9, net("x + " + "(1 + " * 12 + "1" + ")" * 12)),
    "uses": (5, net("for i in 0..9 { x = x |> [Linear(4)] }\n    x")),
    "parameters": (19, net("x |> Linear(4)")),
    "items": (5, net("_a = [[1, 2], [3, 4]]\n    x")),
    "digits": (2, net("x * 1000")),
}
SMALL = {
    "steps_of_node": Bounds(steps=50, steps_of_layer=0),
    "steps_of_layer": Bounds(steps=50, steps_of_node=0),
}

SAID = {  # a limit of what is said, not of what is built
    "errors",
}

BOMBS = {
    "loops": net("for i in 0..10**5 { for j in 0..10**5 { for k in 0..10**5 { } } }\n    x"),
    "a list of lists": net("_a = [1 for i in 0..10**5 for j in 0..10**5]\n    x"),
    "an empty list, for long": net("_a = [1 if false for i in 0..10**5 for j in 0..10**5]\n    x"),
    "a list doubled": net("a = [1]\n    for i in 0..99 { a = a + a }\n    x"),
    "a list unpacked": net("a = [1]\n    for i in 0..99 { a = [*a, *a] }\n    x"),
    "lists in lists": net("a = [1]\n    for i in 0..99 { a = [a, a] }\n    x"),
    "layers in layers": net("a = [relu]\n    for i in 0..99 { a = [a, a] }\n    x |> a"),
    "maps in maps": net("a = {1: 1}\n    for i in 0..99 { a = {1: a, 2: a} }\n    x"),
    "maps in maps, compared": net(
        "a = {1: 1}\n    b = {1: 1}\n"
        "    for i in 0..200 { a = {1: a}\n b = {1: b} }\n    _c = a == b\n    x"
    ),
    "a string doubled": net('a = "ab"\n    for i in 0..99 { a = a + a }\n    x'),
    "a string interpolated": net('a = "ab"\n    for i in 0..99 { a = "{a}{a}" }\n    x'),
    "the text of ranges": net('a = [0..10**5 for i in 0..10**5]\n    b = "{a}"\n    x'),
    "sums of ranges": net("for i in 0..10**5 { _a = sum(0..10**5) }\n    x"),
    "zips of zips": net("a = enumerate(0..10**5)\n    for i in 0..9 { a = zip(a, a, a) }\n    x"),
    "slices": net("a = [*0..10**5]\n    for i in 0..10**5 { _b = a[1:] }\n    x"),
    "comparisons": net(
        "a = [*0..10**5]\n    b = [*0..10**5]\n    for i in 0..10**5 { _c = a == b }\n    x"
    ),
    "a range": net("for i in 0..10**12 { x = x }\n    x"),
    "powers of powers": net("a = 10 ** 10 ** 10\n    x"),
    "functions that double": "".join(
        f"def f{i}(n) = f{i + 1}(n) + f{i + 1}(n)\n" for i in range(40)
    )
    + "def f40(n) = n\n"
    + net("_a = f0(1)\n    x"),
    "a function of itself": "def f(n) = f(n + 1) + f(n + 2)\n" + net("_a = f(1)\n    x"),
    "blocks that double": "".join(
        f"block B{i}(x: [N, D]) = x |> B{i + 1} |> B{i + 1}\n" for i in range(40)
    )
    + "block B40(x: [N, D]) = x |> Linear(4)\n"
    + net("x |> B0"),
    "lists of blocks that double": "".join(
        f"block B{i}() = [B{i + 1}, B{i + 1}]\n" for i in range(40)
    )
    + "block B40() = relu\n"
    + net("x |> B0"),
    "a layer of 10**16 numbers": net("x |> Linear(10**16)"),
    "a parameter of 10**18 numbers": net("param w: [10**9, 10**9] ~ zeros\n    x"),
    "chunks": net("chunk(x, 10**8, dim=1)\n    x"),
    "sizes that multiply": net("a = N\n    for i in 0..99 { a = a * a + a // 3 }\n    x"),
    "a tensor that doubles": net("for i in 0..99 { x = (x, x) |> concat(dim=0) }\n    x"),
    "rules": net("for i in 0..2000 { x = x |> Linear(4) }\n    x")
    + "init {\n"
    + '    "**.wei*" ~ zeros\n' * 2000
    + "}\n",
    "unknown names": net("\n    ".join(f"a{i} = unknown{i}" for i in range(20_000))),
    "unknown settings": net("x") + "train {\n" + "    x = 1\n" * 10_000 + "}\n",
}


def refused(text: str, **limits: object) -> SpecError:
    """The error with which a text is refused."""
    with pytest.raises(SpecError) as caught:
        compile_network(text, **limits)  # type: ignore[arg-type]
    return caught.value


def test_each_limit_has_a_test() -> None:
    assert {field.name for field in fields(Limits)} == LIMITS.keys() | SAID
    assert {field.name for field in fields(Bounds)} == BOUNDS.keys() | SAID


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_of_the_text_is_kept_and_can_be_raised(name: str) -> None:
    value, text = LIMITS[name]
    error = refused(text, limits=replace(DEFAULT_LIMITS, **{name: value}))
    assert error.diagnostics[0].code in CODES
    assert f"more than {value:,}" in error.diagnostics[0].message
    compile_network(text, limits=replace(DEFAULT_LIMITS, **{name: value * 100}))


@pytest.mark.parametrize("name", BOUNDS)
def test_a_bound_of_elaboration_is_kept_and_can_be_raised(name: str) -> None:
    value, text = BOUNDS[name]
    small = SMALL.get(name, Bounds())
    error = refused(text, bounds=replace(small, **{name: value}))
    assert error.diagnostics[-1].code == "limit-exceeded"
    assert error.diagnostics[-1].primary is not None
    compile_network(text, bounds=replace(small, **{name: value * 100}))


def test_no_more_errors_are_reported_than_the_bound_admits() -> None:
    text = net("\n    ".join(f"_a{i} = unknown{i}" for i in range(20)) + "\n    x")
    error = refused(text, bounds=Bounds(errors=5))
    codes = [diagnostic.code for diagnostic in error.diagnostics]
    assert codes.count("unknown-name") == 6
    assert codes.count("limit-exceeded") == 1


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_soon(name: str) -> None:
    start = time.process_time()
    error = refused(BOMBS[name])
    assert all(diagnostic.primary is not None for diagnostic in error.diagnostics)
    assert len(str(error)) < 500_000
    assert time.process_time() - start < SOON


@pytest.mark.parametrize("layers", [100, 5000])
def test_long_networks_stay_within_the_bounds(layers: int) -> None:
    network = compile_network(net(f"for i in 0..{layers} {{ x = x |> Linear(4) }}\n    x")).network
    assert len(network.parameters) == 2 * layers
