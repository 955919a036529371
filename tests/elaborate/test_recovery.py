"""After an error checking goes on: all that are independent are reported, and no cascade."""

from __future__ import annotations

import pytest

import specc
from specc.invariants import verify
from tests.elaborate.specs import diagnostic, errors, net


def test_independent_errors_are_all_reported() -> None:
    text = net("a = x |> Liner(4)\nb = x |> Linear(4, width=3)\nc = b + foo\nx + bar")
    assert errors(text) == [
        ("unknown-name", "Liner"),
        ("unknown-argument", "width=3"),
        ("unknown-name", "foo"),
        ("unknown-name", "bar"),
    ]


def test_errors_in_several_blocks_and_rules_are_all_reported() -> None:
    text = (
        "block B(x: [N, D]) -> [N, D] { x |> foo }\n"
        "block C(x: [N, D]) -> [N, D] { x |> bar }\n"
        + net("x |> B + (x |> C)")
        + "init { Linear.wieght ~ zeros\n Conv.weight ~ nrmal }\n"
    )
    found = errors(text)
    assert ("unknown-name", "wieght") in found
    assert ("unknown-name", "nrmal") in found
    assert ("unknown-name", "bar") in found


def test_members_of_a_list_are_checked_each() -> None:
    assert errors(net("x |> [foo, Linear(4, wide=1), bar(3)]")) == [
        ("unknown-name", "foo"),
        ("unknown-argument", "wide=1"),
        ("unknown-name", "bar"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        "y = foo\ny",
        "y = foo\ny |> Linear(4) |> reshape(3) |> Conv(3, 3)",
        "y, z = foo\ny + z",
        "y, z = x, foo\ny + z",
        "x |> [foo, Embedding(3, 4), Conv(8, 3)]",
        "x |> (foo, relu) |> concat(dim=1) |> Conv(3, 3)",
        "(x, foo) |> concat(dim=1)",
        "concat([x, foo], dim=1)",
        "return x, foo",
        "if foo { y = x } else { y = relu(x) }\ny |> Linear(3)",
        "if foo { x = x |> flatten |> Linear(7) }\nx + (x |> Linear(7))",
        "if foo { return x }",
        "for i in foo { y = x |> Linear(i) }\ny",
        "for i in 0..foo { y = x |> Linear(i) }\ny",
        "k = foo\nx |> Linear(k) |> Linear(4)",
        "k = [foo]\nx |> Linear(sum(k))",
        "k = foo if true else 3\nx * k",
        "k = 1 + foo * 2\nx * k",
        "k = not foo\nx * (1 if k else 2)",
        'x |> "layer{foo}": Linear(4) |> Linear(4)',
        "x[:, foo]",
        "x[foo:]",
        'assert foo, "why"\nx',
        'assert 1 == 1, "{foo}"\nx',
        "param w: [foo] ~ zeros\nx * w",
        "param w: [4] ~ constant(foo)\nx * w",
        "x |> Linear(4, weight ~ constant(foo))",
        "h = [relu if foo]\nx |> h",
    ],
)
def test_one_wrong_name_is_one_error(body: str) -> None:
    expected = [] if body.startswith("assert 1") else [("unknown-name", "foo")]
    if not expected:
        specc.compile(net(body))  # a message is only made where it is needed
    else:
        assert errors(net(body, "(x: [N, 4])")) == expected


def test_a_wrong_hyperparameter_of_a_block_is_one_error() -> None:
    text = "block B(n: int)(x: [N, D]) -> [N, n] { x |> Linear(n) }\n"
    assert errors(text + net("x |> B(foo) |> B(2)")) == [("unknown-name", "foo")]
    assert errors(text + net('x |> B("a") |> B(2)')) == [("wrong-type", '"a"')]


def test_a_wrong_input_is_one_error() -> None:
    assert errors(net("x |> Linear(4) |> relu", "(x: [N, foo(3)]) -> [N, 4]")) == [
        ("unknown-name", "foo")
    ]


def test_a_body_that_fails_is_not_said_to_have_no_result() -> None:
    assert errors(net("for i in 3 { return x }")) == [("wrong-type", "3")]


def test_a_block_that_is_wrong_is_wrong_once_however_often_it_is_used() -> None:
    text = "block B(x: [N, D]) -> [N, D] { x |> foo }\n"
    assert errors(text + net("x |> B\nx |> B")) == [("unknown-name", "foo")]


# ---- the chain of uses ---------------------------------------------------------------------------

CHAIN = (
    "block Inner(x: [N, D]) -> [N, D] {{ {body} }}\n"
    "block Outer(x: [N, D]) -> [N, D] {{ x |> part: Inner }}\n"
    "net A(x: [N, 4]) -> [N, 4] {{ x |> outer: Outer }}\n"
)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("x |> Conv(3, 3)", "rank-mismatch"),
        ("x |> foo", "unknown-name"),
        ("y = x", "no-result"),
        ("x, x", "wrong-result-count"),
        ("x |> Linear(7)", "type-mismatch"),
        ("3", "wrong-type"),
        ("x |> a: Linear(D) |> a: Linear(D)", "name-claimed-twice"),
        ("x |> [relu, Linear(0)]", "bad-argument"),
    ],
)
def test_an_error_within_a_block_shows_the_uses_that_led_there(body: str, code: str) -> None:
    text = CHAIN.format(body=body)
    found = diagnostic(text)
    assert found.code == code
    assert [text[u.span.start : u.span.end] for u in found.uses] == ["Inner", "Outer"]
    assert [u.text for u in found.uses] == ["used here as outer.part", "used here as outer"]
    assert found.primary is not None
    assert found.primary.span.end < text.index("block Outer")


def test_an_input_that_does_not_fit_is_reported_at_the_use() -> None:
    text = (
        "block Inner(x: [N, 3]) -> [N, 3] { x }\n"
        "block Outer(x: [N, D]) -> [N, D] { x |> Inner }\n" + net("x |> Outer")
    )
    found = diagnostic(text)
    assert found.code == "type-mismatch"
    assert [u.text for u in found.uses] == ["used here as outer1"]


def test_both_operands_of_a_mismatch_are_shown() -> None:
    found = diagnostic(net("a = x |> Linear(64)\nb = x |> Linear(32)\na + b"))
    assert found.code == "shape-mismatch"
    assert [label.text for label in found.secondary] == ["this is [N, 64]", "this is [N, 32]"]


def test_a_misspelt_name_is_answered_by_the_nearest() -> None:
    assert "'Linear'" in str(diagnostic(net("x |> Liner(4)")).help)
    assert "'hidden'" in str(diagnostic(net("hidden = x |> relu\nx + hiden")).help)


# ---- whatever the text holds ---------------------------------------------------------------------

HOSTILE = [
    "x |> x",
    "x |> none",
    "x |> f32",
    "x |> 0..3",
    'x |> "a"',
    "x |> {a: 1}",
    "none |> relu",
    "[] |> relu",
    "() |> relu",
    "x |> ()",
    "x |> [[]]",
    "relu",
    "relu |> relu",
    "Linear(4) |> Linear(4)",
    "Linear(Linear(4))(x)",
    "x |> Linear([relu])",
    "x |> Linear(x)",
    "x |> relu(x)",
    "x + relu",
    "x + none",
    "x + [1]",
    'x + "a"',
    "x @ 3",
    "x and true",
    "not relu",
    "-relu",
    "relu.weight",
    "x.weight",
    "x[relu]",
    "x[none]",
    "x[[1]]",
    'x["a"]',
    "x[0][0][0]",
    "x[...]",
    "x[..., ...]",
    "x[::0]",
    "relu[0]",
    "(0..3)[9]",
    "{a: x}[x]",
    "len(x)",
    "int(x)",
    "sum(relu)",
    "max(x, relu)",
    "zip(x, x)",
    "enumerate(3)",
    "f16(3)",
    "f16(x, x)",
    "f16()",
    "assert x\nx",
    'assert 3, "a"\nx',
    "assert relu\nx",
    "assert N\nx",
    "assert false, relu\nx",
    "a, b = 3\nx",
    "a, b = {a: 1}\nx",
    "a, b = relu\nx",
    "for a, b in 0..3 { x = x }\nx",
    "for a in {a: 1} { x = x }\nx",
    "param p: [] ~ zeros\nx * p",
    "param p: [0] ~ zeros\nx",
    "param p: [2, 0] ~ kaiming_uniform\nx",
    "param p ~ zeros\nx",
    "param p: [4]\nx * p",
    "param p: [4] = x\nx",
    "const p = relu\nx |> p",
    "const p: [_] = x\nx",
    "const p: [..., 4] = x\np",
    "param x: [4] ~ zeros\nx",
    "x = Linear\nx",
    "relu = 3\nx * relu",
    "Linear = relu\nx |> Linear",
    "init { Linear.weight ~ x }\nx |> Linear(4)",
    'init { "{x}" ~ zeros }\nx',
    'init { "{1}" ~ zeros }\nx',
    "ones()",
    "ones(relu)",
    "ones(x)",
    "reshape(x, x)",
    "x |> reshape(-1, -1)",
    "x |> reshape(0)",
    "x |> permute(0, 0)",
    "concat()",
    "concat([])",
    "where(x, x, x)",
    "softmax(x, dim=9)",
    "softmax(x, dim=none)",
    "x ** 10 ** 9",
    "A(x)",
    "x |> A",
    "x |> Linear(10 ** 17)",
    "x |> Conv([3, 3], 3)",
    "N |> relu",
    "N",
    "N + x",
    "x * (N / 3)",
    "x * (N // 0)",
    "x * (N ** N)",
    "x * (1 / N)",
    "x * (N - N)",
    "x[:, N:]",
    "x[N]",
    "x |> reshape(N * 2, 2)",
    "training",
    "return",
    "x on x",
]


@pytest.mark.parametrize("body", HOSTILE)
@pytest.mark.parametrize("form", ["net A(x: [N, 4]) {{\n{}\n}}", "{}"])
def test_nothing_but_a_spec_error_escapes(body: str, form: str) -> None:
    text = form.format(body)
    if form == "{}":  # as a block's body, which a net uses twice
        text = f"block B(x: [N, D]) {{\n{body}\n}}\n" + net("b = B()\nx |> b |> B |> b")
    program = compiled(text)
    if program is not None:
        assert verify(program.network) == []
        program.module()
        program.python()
        program.show()


def compiled(text: str) -> specc.Program | None:
    """The program, or None where the text is refused, which every diagnostic gives a place for."""
    try:
        return specc.compile(text)
    except specc.SpecError as error:
        places = [d.primary for d in error.diagnostics if d.message and str(error)]
    assert places
    assert None not in places
    return None
