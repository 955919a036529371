"""Text -> tree: the whole language, precedence, where lines end, and spans."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specc.frontend import syntax
from specc.frontend.diagnostics import Report
from specc.frontend.lexer import Layout
from specc.frontend.parse import parse
from specc.frontend.source import Source
from specc.frontend.table import build_lark
from specc.frontend.tree_builder import TreeBuilder
from tests.frontend.trees import body, codes, expression, infix, outline, parsed
from tests.golden_files import GOLDEN, check_golden

EXAMPLES = sorted((GOLDEN / "language").glob("*.net"))


def test_the_grammar_has_no_conflict():
    build_lark(Layout(), strict=True)


# ---- the whole language --------------------------------------------------------------------------


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_of_the_language_parses_to_its_tree(path):
    text = path.read_text(encoding="utf-8")
    check_golden(f"language/{path.stem}.tree", outline(parsed(text)))


def test_there_are_examples():
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize(
    "text",
    [
        "x |> BatchNorm",
        "softmax(x, dim=1)",
        "(a, b) |> concat(dim=1)",
        "[*[Conv(c, 3), BatchNorm if norm, relu] for i in 0..convs, MaxPool(2)]",
        "x |> (a: Conv(8, 1), b: MaxPool(3, stride=1, padding=1)) |> concat(dim=1)",
        'x |> "layer{i}": Linear(8)',
        'x |> "cls.predictions": Linear(8)',
        "x |> _: LayerNorm",
        "[head: Linear(8)]",
        '["block": Linear(8)]',
        "Linear(256, weight ~ normal(std=0.01), bias ~ zeros)",
        "Linear(vocab, bias=false, weight=transformer.wte.weight)",
        "x[..., 1:]",
        "x[:, 0]",
        "x[::2, 1:-1, a:b:c]",
        "Residual(64)(x)",
        "tril(ones(T, T))",
        "{18: [2, 2], 34: [3, 4]}[depth]",
        '{mode: 1, "other": {}}',
        "[Linear(8), relu] + [Linear(8)] * 2",
        "Linear(1000) on left",
        "PReLU(8, init=0.5)",
        "f(device=1, on=2, train=true)",
        "a if c else b if d else e",
        "[]",
        "()",
        "[f(i, j) for i in 0..3 for j in 0..i]",
        "cuda:*",
        "cuda:1",
    ],
)
def test_expression_parses(text):
    assert expression(text).span == (0, 0, len(text))


@pytest.mark.parametrize(
    "text",
    [
        'from "blocks.net" import Residual',
        "from std.resnet import Bottleneck, BasicBlock",
        "net A(x: i64[N, T], mask: bool[N, 1, 1, T] = none) -> (logits: [N, 10], h: [N, 84]) { x }",
        "net A(x: f32[N, 2*C, H/2, _]) -> [] { x }",
        "net A(x: [..., D]) -> [..., D] = x",
        "net A(x: [N]) -> ([N], [N]) { return x, x }",
        "block A(w = 1, f: layer = relu) = f",
        "train A { data = digits(resize=28) }",
        "init constant(value = 1.0)(w: [...]) {\n    return w\n}",
        'init { "w"[0, 0] = 42\n "b" += 1\n Linear.weight[0] -= 1\n a *= 2\n a /= 2 }',
        "device d = cuda:1 | cuda:* | cpu",
        "train {\n    devices = cuda:*\n    epochs = 3\n}",
        "train {}",
        "init {}",
        "",
        "\n\n# nothing but a comment\n",
        "\ufeffdef f() = 1",
        "def f(a,\n      b,) = 1\r\n\r\ndef g() = 2\r\n",
    ],
)
def test_file_parses(text):
    assert isinstance(parsed(text), syntax.File)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("y = x", syntax.Assignment),
        ("a, b, _ = x", syntax.Assignment),
        ("return x, x", syntax.Return),
        ("x |> relu", syntax.ExpressionStatement),
        ('assert D % h == 0, "width {D} cannot be split"', syntax.Assert),
        ("param w: [D, D] ~ normal(std=0.1)", syntax.StateDeclaration),
        ("buffer average: [C] ~ zeros", syntax.StateDeclaration),
        ("const k ~ uniform(0, 1)", syntax.StateDeclaration),
        ("const mask: [T, T] = tril(ones(T, T))", syntax.StateDeclaration),
        ("for i, n in enumerate([3, 4]) { y = x }", syntax.For),
        ("while sum(abs(x)) > 1 {\n    x = x / 2\n}", syntax.While),
        ("if a { y = x } else if b { y = x } else { y = x }", syntax.If),
        ("on left { y = x }", syntax.OnBlock),
        ('init { "**.weight" ~ normal }', syntax.InitBlock),
        ("w ~ uniform(-1, 1)", syntax.Draw),
    ],
)
def test_statement_is_recognized(text, kind):
    (statement,) = body(text)
    assert type(statement) is kind


# ---- precedence ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("a + b * c", "(a + (b * c))"),
        ("(a + b) * c", "((a + b) * c)"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b // c % d @ e", "((((a / b) // c) % d) @ e)"),
        ("-a ** 2", "(- (a ** 2))"),
        ("a ** -b ** c", "(a ** (- (b ** c)))"),
        ("-a * b", "((- a) * b)"),
        ("not a == b", "(not (a == b))"),
        ("not a and b or c", "(((not a) and b) or c)"),
        ("a or b and c", "(a or (b and c))"),
        ("a + 1 .. b * 2", "((a + 1) .. (b * 2))"),
        ("a < b + c", "(a < (b + c))"),
        ("a < b .. c", "(a < (b .. c))"),
        ("a or b if c or d else e or f", "((a or b) if (c or d) else (e or f))"),
        ("a if b else c if d else e", "(a if b else (c if d else e))"),
        ("a if b else c on d", "((a if b else c) on d)"),
        ("x |> f on left", "(x |> (f on left))"),
        ("x |> f + g", "(x |> (f + g))"),
        ("x + y |> f", "((x + y) |> f)"),
        ("x + (x |> f)", "(x + (x |> f))"),
        ("x |> f |> g", "(x |> f |> g)"),
        ("(x |> f) |> g", "((x |> f) |> g)"),
        ("f(a)(b).c[d]", "f(a)(b).c[d]"),
        ("-f(a).b ** 2", "(- (f(a).b ** 2))"),
        ("0..4", "(0 .. 4)"),
        ("1.5 + 2e3 + 1_000", "((1.5 + 2000.0) + 1000)"),
    ],
)
def test_precedence(text, meaning):
    assert infix(expression(text)) == meaning


def test_a_comma_binds_looser_than_a_pipeline_and_tighter_than_return():
    (statement,) = body("return x |> f, y |> g")
    assert infix(statement.value) == "<(x |> f), (y |> g)>"


def test_a_conditional_member_needs_no_else():
    (member,) = expression("[a if b for i in c]").members
    assert (member.value.name, member.condition.name, len(member.clauses)) == ("a", "b", 1)


def test_a_conditional_with_else_in_a_list_is_an_expression():
    (member,) = expression("[a if b else c]").members
    assert member.condition is None
    assert infix(member.value) == "(a if b else c)"


# ---- where a statement ends ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "y = x |> f\n  |> g\n    # a comment between\n\n  |> h",
        "y = f(x,\n  1\n)",
        "y = [\n  f\n]",
        "y = {\n  a: 1,\n  b: 2\n}",
        "y = x +\n  x",
        "y =\n  x",
        "y = x |>\n  f",
        "y = not\n  x",
        "w ~\n  normal",
        "a, b =\n  c,\n  d",
        "y = x[\n  0\n]",
        "y = a or # a comment\n  b",
        "y = x\r\n  |> f",
    ],
)
def test_a_line_that_cannot_end_goes_on(text):
    assert len(body(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "y = x\n-x",
        "y = x\n(x)",
        "y = x\n[x]",
        "y = f(\nx\n)\nz = y",
        "if a { y = x }\nz = y",
        "y = x # comment +\nz = y",
        "\n\ny = x\n\n\n# comment\n\nz = y\n\n",
        "y = {}\nz = {\n}",
        "y = a if b else {}\nz = y",
    ],
)
def test_a_line_that_can_end_does(text):
    assert len(body(text)) == 2


def test_lines_end_in_a_body_within_brackets_of_a_header():
    (rule_block,) = parsed("init {\n  a ~ f(\n    1,\n    2\n  )\n  b ~ g\n}").definitions
    assert isinstance(rule_block, syntax.InitDefinition)
    assert len(rule_block.rules) == 2


def test_a_brace_opens_a_map_where_a_value_begins_and_a_body_behind_one():
    (loop,) = body("for k in {a: 1} { y = {b: 2} }")
    assert isinstance(loop.iterable, syntax.MapExpression)
    assert isinstance(loop.body[0].value, syntax.MapExpression)


# ---- headers, strings, documentation -------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "hyperparameters", "inputs"),
    [
        ("block B(x: [N]) = x", 0, 1),
        ("block B(n: int) = f", 1, None),
        ("block B(n: int, m = 2)(x: [N]) = x", 2, 1),
        ("block B = f", 0, None),
        ("block B() = f", 0, None),
        ("block B() { f }", 0, 0),
        ("block B(n = 1)() { f }", 1, 0),
    ],
)
def test_which_parameters_are_inputs(header, hyperparameters, inputs):
    (block,) = parsed(header).definitions
    assert len(block.hyperparameters) == hyperparameters
    assert (None if block.inputs is None else len(block.inputs)) == inputs


@pytest.mark.parametrize(
    "text",
    [
        "block B(x: [N], n: int) = x",
        "block B(x: [N])(n: int) = x",
        "block B(n: int)(x: [N], m = 1) = x",
        "def f(x: [N]) = x",
    ],
)
def test_misplaced_parameters_are_refused(text):
    assert set(codes(text)) == {"misplaced-parameter"}


def test_a_string_with_braces_is_an_interpolation_with_places_in_the_file():
    text = 'def f(i) = "a{i + 1}b{{c}}\\n{ g(i) }"'
    (definition,) = parsed(text).definitions
    first, plus, between, call = definition.value.parts
    assert (first, between) == ("a", "b{c}\n")
    assert text[plus.span.start : plus.span.end] == "i + 1"
    assert text[call.span.start : call.span.end] == "g(i)"


def test_escapes_are_resolved():
    assert expression(r'"\t\"\\\x41\u00e9\U0001F600\0"').value == '\t"\\Aé\U0001f600\0'


@pytest.mark.parametrize(
    "literal",
    [r'"\q"', r'"\x4"', r'"\ud800"', r'"\U00110000"', '"{"', '"}"', '"{}"', '"{ }"', '"a{b"'],
)
def test_a_string_that_means_nothing_is_refused(literal):
    assert codes(f"def f() = {literal}") == ["invalid-string"]


def test_an_error_in_an_interpolation_is_at_its_place():
    text = 'def f() = 1\n\ndef g(i) = "layer{i +}"'
    report = Report()
    assert parse(Source("test.net", text), 0, report) is None
    (fact,) = report.facts
    assert text[fact.where.start : fact.where.end] == "+"


def test_comments_directly_above_are_documentation():
    text = "# A file.\n\n# One line.\n#  Two.\nnet A(x: [N]) = x\n# Not this.\n\nblock B = f"
    net, block = parsed(text).definitions
    assert net.documentation == "One line.\n Two."
    assert block.documentation == ""


@pytest.mark.parametrize(
    "target", ["x.y = 1", "f(x) = 1", "(x) = 1", "x[0] = 1", "1 = x", "a, 2 = x"]
)
def test_only_names_can_be_assigned(target):
    assert codes(f"net A(x: [N]) -> [N] {{\n    {target}\n}}") == ["invalid-target"]


@pytest.mark.parametrize("word", ["True", "False", "None", "self.weight"])
def test_names_of_python_are_answered_with_the_ones_of_this_language(word):
    assert codes(f"def f() = {word}") == ["syntax"]


# ---- spans ---------------------------------------------------------------------------------------


def _nodes(value: Any) -> list[syntax.Node]:
    if isinstance(value, tuple):
        return [node for item in value for node in _nodes(item)]
    if not isinstance(value, syntax.Node):
        return []
    return [value, *(n for f in dataclasses.fields(value) for n in _nodes(getattr(value, f.name)))]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_span_holds_those_of_its_parts(path):
    tree = parsed(path.read_text(encoding="utf-8"))
    for node in _nodes(tree):
        for field in dataclasses.fields(node):
            for part in _nodes(getattr(node, field.name)):
                assert node.span.start <= part.span.start <= part.span.end <= node.span.end


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_names_stand_where_their_spans_say(path):
    text = path.read_text(encoding="utf-8")
    names = [node for node in _nodes(parsed(text)) if isinstance(node, syntax.Name)]
    assert names
    for name in names:
        assert text[name.span.start : name.span.end] == name.name


def test_offsets_count_from_the_start_of_the_text_with_its_byte_order_mark():
    (definition,) = parsed("\ufeffdef f() = 1").definitions
    assert definition.span == (0, 1, 12)


def test_parentheses_belong_to_the_span_of_what_they_hold():
    assert expression("(a + b) * c").left.span == (0, 0, 7)


# ---- the parser as a program ---------------------------------------------------------------------


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_driver_and_the_table_build_the_tree_that_lark_builds(path):
    text = path.read_text(encoding="utf-8")
    builder = TreeBuilder()
    builder.file, builder.text = 0, text
    builder.parse_inside = lambda span: dataclasses.replace(expression(text[span.start : span.end]))
    tree = build_lark(Layout(), builder).parse(text, start="source_file")
    assert outline(tree) == outline(parsed(text))


def test_parsing_in_threads_gives_each_its_own_tree():
    texts = [f"def f{i}(a) = {' + '.join(['a'] * 50)}" for i in range(20)]
    trees: dict[int, syntax.File] = {}
    threads = [
        threading.Thread(target=lambda i=i: trees.__setitem__(i, parsed(texts[i])))
        for i in range(len(texts))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [trees[i].definitions[0].name for i in range(20)] == [f"f{i}" for i in range(20)]


_FRAGMENTS = st.sampled_from(
    [
        "net",
        "block",
        "def",
        "init",
        "train",
        "x",
        "y",
        "1",
        "2.5",
        '"a{b}"',
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "=",
        "~",
        "|>",
        "->",
        "+",
        "-",
        "*",
        "**",
        "..",
        "...",
        "_",
        "if",
        "else",
        "for",
        "in",
        "not",
        "return",
        "assert",
        "param",
        "#",
        "\n",
        '"',
        "\t",
        ".",
        "==",
        "|",
        "cuda:*",
        "@",
        "\\",
        "é",
        "\u00a0",
    ]
)


@given(st.lists(_FRAGMENTS, max_size=40).map(" ".join))
def test_no_text_makes_the_parser_raise(text):
    report = Report()
    tree = parse(Source("test.net", text), 0, report)
    assert (tree is None) == report.failed
    for fact in report.facts:
        assert fact.diagnostic().message
