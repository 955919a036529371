"""What those who know PyTorch write at first, and what they are told."""

from __future__ import annotations

import pytest

from tests.elaborate.specs import diagnostic, errors, net

# A body over x: [N, 4], the code, the text that is marked, and words of the help.
BODIES = {
    "modules": ("x |> nn.Linear(4)", "unknown-name", "nn", "named alone"),
    "functional": ("x |> F.relu", "unknown-name", "F", "named alone"),
    "torch": ("x |> torch.relu", "unknown-name", "torch", "named alone"),
    "sequential": ("x |> Sequential(relu)", "unknown-name", "Sequential", "[Linear(8), relu]"),
    "module list": ("h = ModuleList([relu])\nx |> h", "unknown-name", "ModuleList", "a list"),
    "parameter": ("x * Parameter(ones(4))", "unknown-name", "Parameter", "param w: [8]"),
    "range": ("for i in range(3) { x = relu(x) }\nx", "unknown-name", "range", "0..n"),
    "print": ("print(x)\nx", "unknown-name", "print", "specc show"),
    "cat": ("cat([x, x], 1)", "unknown-name", "cat", "concat"),
    "dims in a name": ("x |> BatchNorm1d", "unknown-name", "BatchNorm1d", "'BatchNorm'"),
    "upper case": ("x |> Softmax(dim=1)", "unknown-name", "Softmax", "'softmax'"),
    "view": ("x.view(2, 2)", "wrong-type", "view", "reshape(x"),
    "shape": ("x |> Linear(x.shape)", "wrong-type", "shape", "header"),
    "method": ("x.relu()", "wrong-type", "relu", "relu(x)"),
    "both sizes": ("x |> Linear(4, 8)", "bad-argument", "8", "worked out"),
    "in_features": ("x |> Linear(8, in_features=4)", "unknown-argument", "in_features=4", "worked"),
    "None": ("x[:, None]", "syntax", "None", "`none`"),
    "True": ("x |> Linear(4, bias=True)", "syntax", "True", "`true`"),
    "arrow": ("x |> relu -> tanh", "syntax", "->", "`|>`"),
    "bar": ("x | relu", "syntax", "|", "`|>`"),
    "in place": ("x += 1\nx", "syntax", "+=", "x = x + ..."),
    "elif": ("if true { x = x }\nelif false { x = x }\nx", "syntax", "elif", "else if"),
    "lambda": ("f = lambda a: a\nx", "syntax", "lambda", "def name(a)"),
    "single quotes": ("x |> 'a': relu", "unexpected-character", "'", "double quotes"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_habit_is_answered_with_what_is_written_here(name: str) -> None:
    body, code, marked, words = BODIES[name]
    text = net(body)
    found = diagnostic(text)
    assert errors(text) == [(code, marked)]
    assert words in str(found.help)


def test_an_input_without_a_shape_is_shown_how_one_is_written() -> None:
    text = "net A(x) { x |> relu }"
    assert errors(text) == [("missing-argument", "x")]
    assert "`x: [N, 10]`" in str(diagnostic(text).help)


def test_a_result_of_no_shape_is_marked() -> None:
    assert errors("net A(x: [N, 4]) -> Tensor { x }") == [("syntax", "Tensor")]


@pytest.mark.parametrize("name", ["LSTM", "Foo", "xyzzy"])
def test_no_name_is_proposed_that_nobody_meant(name: str) -> None:
    assert "did you mean" not in str(diagnostic(net(f"x |> {name}")).help)


@pytest.mark.parametrize(
    "body", ["x |> Xyzzy", "x |> Xyzzy(3)", "Xyzzy(x)", "x |> [relu, Xyzzy()]"]
)
def test_what_is_applied_and_unknown_may_come_from_elsewhere(body: str) -> None:
    assert diagnostic(net(body)).help == (
        "a block of another file is imported; an operator of your own comes by --ops "
        "(in Python, ops=[...])"
    )


def test_a_value_that_is_unknown_is_no_operator() -> None:
    assert diagnostic(net("x + xyzzy")).help is None
    assert "did you mean 'relu'" in str(diagnostic(net("x |> rellu")).help)


def test_what_no_scope_binds_is_known() -> None:
    assert diagnostic(net("x |> normal")).code == "not-a-layer"
    assert diagnostic(net("training(x)")).code == "not-a-layer"


def test_a_string_is_shown_as_one() -> None:
    found = diagnostic(net('x |> Linear("4")'))
    assert found.primary is not None
    assert found.primary.text == 'this is "4"'


def test_a_name_that_hides_a_layer_is_shown_where_it_is_bound() -> None:
    found = diagnostic(net("relu = 3\nrelu(x)"))
    assert found.code == "not-a-layer"
    assert [label.text for label in found.secondary] == ["it is bound here"]


def test_two_nets_of_one_name_are_one_error() -> None:
    one = "net A(x: [N, 4]) -> [N, 4] { x }\n"
    assert errors(one + one) == [("duplicate-name", "A")]


def test_five_slips_are_five_errors() -> None:
    text = net(
        "a = x |> Liner(4)\nb = x |> Linear(4, bais=false)\nc = x |> Linear(5)\nd = x + c\n"
        "e = softmax(x, dim=7)\nf = x |> Dropout(2.0)\na + b + c + d + e + f"
    )
    assert errors(text) == [
        ("unknown-name", "Liner"),
        ("unknown-argument", "bais=false"),
        ("shape-mismatch", "x + c"),
        ("bad-argument", "dim=7"),
        ("bad-argument", "2.0"),
    ]


def test_an_unknown_layer_at_the_top_of_a_long_pipeline_is_one_error() -> None:
    stages = " |> ".join(f"Linear({i + 1})" for i in range(200))
    assert errors(net(f"x |> Foo |> {stages} |> Conv(3, 3)")) == [("unknown-name", "Foo")]


@pytest.mark.parametrize(
    "body",
    [
        "while sum(x) > 3 { x = x |> foo }\nreturn x |> Linear(4)",
        "x = x |> foo\nwhile sum(x) > 3 { x = x / 2 }\nreturn sum(x)",
        "y = x\nwhile sum(x) > foo { y = y / 2 }\nreturn y",
        "if sum(x) > 3 { y = foo } else { y = x }\nreturn y",
        "x = foo\nif sum(x) > 3 { y = x } else { y = x }\nreturn y",
    ],
)
def test_what_a_run_time_loop_or_branch_is_given_wrong_is_one_error(body: str) -> None:
    assert errors(net(body)) == [("unknown-name", "foo")]


@pytest.mark.parametrize("word", ["while sum(x) > 3", "if sum(x) > 3", "if true"])
def test_a_missing_brace_is_found_by_the_indentation(word: str) -> None:
    text = f"net A(x: [N, 4],\n      y: [N, 4]) -> [N, 4] {{\n    {word} {{\n        x = x / 2\n"
    text += "    y = x\n    return y\n}\n\ninit {\n    Linear.weight ~ zeros\n}\n"
    found = diagnostic(text)
    assert found.code == "unclosed-bracket"
    assert found.primary is not None
    assert found.primary.span.start == text.index("{", text.index(word))
    assert [text[label.span.start : label.span.end] for label in found.secondary] == ["2", "y"]


def test_a_value_that_nobody_would_read_is_shown_by_its_ends() -> None:
    found = diagnostic(net(f'x |> Linear("{"a" * 2**20}")'))
    assert found.primary is not None
    assert found.primary.text.startswith('this is "aaa')
    assert found.primary.text.endswith('aaa"')
    assert len(found.primary.text) < 3000
