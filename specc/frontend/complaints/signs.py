"""Syntax errors: operators and signs in the wrong place."""

from __future__ import annotations

from specc.frontend.complaints.complaint import Complaint
from specc.frontend.complaints.questions import first
from specc.frontend.lexer import ENDS_VALUE
from specc.frontend.scene import END, Scene
from specc.frontend.source import Span


def _pair(scene: Scene, first: str, second: str) -> bool:
    """Whether two tokens of these kinds stand near the wrong one without a space between them."""
    return any(
        scene.kinds(at, at + 1) == (first, second) and scene.adjacent(at, at + 1)
        for at in (-2, -1, 0)
    )


def _pair_span(scene: Scene, *pairs: tuple[str, str]) -> Span:
    return next(
        scene.span(at, at + 1)
        for at in (-2, -1, 0)
        for pair in pairs
        if scene.kinds(at, at + 1) == pair and scene.adjacent(at, at + 1)
    )


def _has_if(scene: Scene) -> bool:
    return any(scene.kind(at) == "IF" for at in range(scene.statement_start(), 0))


def _last_if(scene: Scene) -> Span:
    return next(scene.span(at) for at in range(-1, -scene.at - 1, -1) if scene.kind(at) == "IF")


COMPLAINTS = (
    Complaint(
        name="arrow-for-stage",
        when=lambda scene: scene.kind() == "ARROW" and "PIPE" in scene.accepts,
        problem="`->` stands in a header only",
        help="a stage of a pipeline begins with `|>`",
        samples=("net A(x: [N]) -> [N] { x |> relu -> relu }",),
    ),
    Complaint(
        name="double-bar",
        when=lambda scene: scene.kinds(0, 1) == ("VBAR", "VBAR"),
        where=(0, 1),
        problem="there is no operator `||`",
        help="write `or`",
        samples=("def f(a, b) = a || b",),
    ),
    Complaint(
        name="single-bar",
        when=lambda scene: scene.kind() == "VBAR",
        problem="`|` parts the fallbacks of a device only",
        help="a stage of a pipeline begins with `|>`",
        samples=("net A(x: [N]) -> [N] { x | relu }",),
    ),
    Complaint(
        name="chained-comparison",
        when=lambda scene: scene.kind() == "COMPARISON" and scene.kind(-1) in ENDS_VALUE,
        problem="comparisons are not chained",
        label="a second comparison of the same value",
        help="write `a < b and b < c`",
        samples=("def f(a) = 0 < a < 3", "def f(a) = a == 1 == true"),
    ),
    Complaint(
        name="chained-range",
        when=lambda scene: scene.kind() == "RANGE" and scene.kind(-1) in ENDS_VALUE,
        problem="a range has one start and one end",
        help="write `start..end`",
        samples=("def f() = 0..2..10",),
    ),
    Complaint(
        name="number-point",
        when=lambda scene: _pair(scene, "INTEGER", "DOT") or _pair(scene, "DOT", "INTEGER"),
        where=lambda scene: _pair_span(scene, ("INTEGER", "DOT"), ("DOT", "INTEGER")),
        problem="a number has digits on both sides of its point",
        help="write `0.5` or `5.0`",
        samples=("def f() = .5", "def f() = 5.", "def f() = 5. * 2", "def f() = g(5., .5)"),
    ),
    Complaint(
        name="number-name",
        when=lambda scene: _pair(scene, "INTEGER", "NAME") or _pair(scene, "FLOAT", "NAME"),
        where=lambda scene: _pair_span(scene, ("INTEGER", "NAME"), ("FLOAT", "NAME")),
        problem="a name does not begin with a digit",
        help="numbers are decimal: `16`, `1_000`, `0.5`, `1e-3`; a product is written `2 * n`",
        samples=("def f(n) = 2n", "def f() = 0x10", "block 3DConv(x: [N]) = x"),
    ),
    Complaint(
        name="missing-arrow",
        when=lambda scene: (
            scene.kind(-1) == "RPAR"
            and scene.kind() in ("LSQB", "NAME")
            and "ARROW" in scene.accepts
        ),
        problem="`->` is missing before the shape of the result",
        help="write `net Name(x: [N, 3]) -> [N, 10] {{ ... }}`",
        samples=(
            "net A(x: [N, 4]) [N, 10] { x }",
            "block A(x: [N, 4]) f32[N, 10] { x }",
        ),
    ),
    Complaint(
        name="missing-body",
        when=lambda scene: (
            scene.kind() in ("NEWLINE", END)
            and "LBRACE" in scene.accepts
            and first(scene) in {"NET", "BLOCK", "INIT", "IF", "FOR", "WHILE", "ON", "TRAIN"}
        ),
        where=lambda scene: scene.span(-1),
        problem="a body is missing",
        label="behind this",
        help="write `{{ ... }}`, its `{{` on the same line",
        samples=(
            "net A(x: [N]) -> [N]\n{\n    x\n}",
            "block B(x: [N])\n\nblock C(x: [N]) = x",
            "train\n{ epochs = 3 }",
        ),
    ),
    Complaint(
        name="else-line",
        when=lambda scene: scene.kinds(-2, -1, 0) == ("RBRACE", "NEWLINE", "ELSE"),
        problem="`else` stands on the line of the `}}` before it",
        help="write `}} else {{`",
        samples=(
            "net A(x: [N]) -> [N] {\n    if true { y = x }\n    else { y = x }\n    return y\n}",
        ),
    ),
    Complaint(
        name="missing-else",
        when=lambda scene: (
            "ELSE" in scene.accepts and scene.kind(-1) != "RBRACE" and _has_if(scene)
        ),
        where=_last_if,
        problem="this `if` has no `else`",
        help="only a member of a list can be left out, and a pipeline there needs parentheses",
        samples=(
            "def f(c) = 1 if c",
            "net A(x: [N]) -> [N] {\n    y = relu(x) if true\n    return y\n}",
            "def f(c) = [x |> relu if c]",
        ),
    ),
)
