"""Syntax errors: what is written so in Python."""

from __future__ import annotations

from collections.abc import Callable

from specc.frontend.complaints.complaint import Complaint
from specc.frontend.complaints.questions import first
from specc.frontend.lexer import ENDS_VALUE
from specc.frontend.scene import Scene


def _for_filter(scene: Scene) -> bool:
    if scene.kind() != "IF" or scene.inside() not in ("LSQB", "LPAR"):
        return False
    opened = scene.open_brackets()[-1]
    return any(scene.kind(distance) == "FOR" for distance in range(opened, 0))


def _colon_for_body(scene: Scene) -> bool:
    return (
        scene.kind() == "COLON"
        and (scene.ends_line() or scene.kind(1) == "RETURN")
        and not scene.accepts.isdisjoint({"LBRACE", "EQUAL"})
        and (
            scene.kind(-1) == "ELSE"
            or first(scene) in {"DEF", "NET", "BLOCK", "IF", "FOR", "WHILE", "RBRACE", "ON"}
        )
    )


def _word(*words: str) -> Callable[[Scene], bool]:
    """Whether the wrong token, or the one before it, is one of these names."""
    return lambda scene: (
        (scene.kind() == "NAME" and str(scene.token()) in words)
        or (scene.kind(-1) == "NAME" and str(scene.token(-1)) in words)
    )


COMPLAINTS = (
    Complaint(
        name="tensor-type",
        when=lambda scene: (
            scene.kind(-1) == "NAME" and scene.kind(-2) == "ARROW" and scene.accepts == {"LSQB"}
        ),
        where=(-1, -1),
        problem="`{before}` is not the type of a tensor",
        help="it is a shape, with a dtype before it where that is not f32: `i64[N, 10]`",
        samples=("net A(x: [N]) -> Tensor { x }", "net A(x: [N]) -> Tensor = relu"),
    ),
    Complaint(
        name="python-import",
        when=lambda scene: (
            scene.kind() == "IMPORT"
            and "NAME" not in scene.accepts
            and scene.kind(-1) not in ("NAME", "STRING")
        ),
        problem="there is no plain `import`",
        help='definitions are imported by `from "file.net" import Name`; Python cannot be imported',
        samples=("import torch", "import torch\nnet A(x: [N]) = x"),
    ),
    Complaint(
        name="python-class",
        when=_word("class"),
        where=lambda scene: scene.span(0 if str(scene.token()) == "class" else -1),
        problem="there are no classes",
        help="a network is a `net`, a part of one a `block`",
        samples=("class Net:\n    pass",),
    ),
    Complaint(
        name="python-lambda",
        when=_word("lambda"),
        where=lambda scene: scene.span(0 if str(scene.token()) == "lambda" else -1),
        problem="there is no `lambda`",
        help="write a definition: `def name(a) = ...`",
        samples=("def f() = lambda x: x", "def f() = map(lambda: 3)"),
    ),
    Complaint(
        name="python-body",
        when=_colon_for_body,
        problem="a colon does not begin a body",
        help="a body stands in braces: `{{ ... }}`; a `def` is one expression: `def name(a) = ...`",
        samples=(
            "def f(a):\n    return a",
            "net A(x: [N]):\n    return x",
            "net A(x: [N]) -> [N]:\n    return x",
            "net A(x: [N]) -> [N] {\n    if x:\n        y = x\n}",
            "net A(x: [N]) -> [N] {\n    for i in 0..3:\n        y = x\n}",
            "net A(x: [N]) -> [N] {\n    if true { y = x } else:\n        y = x\n}",
        ),
    ),
    Complaint(
        name="python-elif",
        when=_word("elif"),
        where=lambda scene: scene.span(0 if str(scene.token()) == "elif" else -1),
        problem="there is no `elif`",
        help="write `}} else if condition {{`",
        samples=(
            "net A(x: [N]) -> [N] {\n    if true { y = x } elif false { y = x }\n}",
            "net A(x: [N]) -> [N] {\n    if true { y = x }\n    elif false { y = x }\n}",
        ),
    ),
    Complaint(
        name="python-in",
        when=lambda scene: (
            (scene.kind() == "IN" and scene.kind(-1) in ENDS_VALUE)
            or scene.kinds(0, 1) == ("NOT", "IN")
        ),
        problem="there is no operator `in`",
        help="`in` stands in `for name in values` only",
        samples=("def f(a) = a in [1, 2]", "def f(a) = a not in [1, 2]"),
    ),
    Complaint(
        name="python-is",
        when=lambda scene: scene.kind() == "NAME" and scene.token() == "is",
        problem="there is no operator `is`",
        help="write `==`, or `!=` for `is not`",
        samples=("def f(a) = a is none",),
    ),
    Complaint(
        name="python-filter",
        when=_for_filter,
        problem="a condition does not stand behind `for`",
        help="it stands before: `[value if condition for i in values]`",
        samples=("def f() = [relu for i in 0..4 if i > 2]",),
    ),
    Complaint(
        name="python-star",
        when=lambda scene: (
            scene.kind() in ("STAR", "POWER")
            and scene.kind(-1) in ("LPAR", "LSQB", "COMMA")
            and scene.kind(1) == "NAME"
        ),
        problem="`{found}` does not unpack here",
        help="`*` unpacks a list into a list or tuple: `[*layers, relu]`",
        samples=("def f(a) = g(*a)", "def f(a) = g(**a)", "def f(**a) = 1"),
    ),
    Complaint(
        name="import-star",
        when=lambda scene: scene.kinds(-1, 0) == ("IMPORT", "STAR"),
        problem="names are imported one by one",
        help='write them out: `from "file.net" import A, B`',
        samples=('from "blocks.net" import *',),
    ),
    Complaint(
        name="augmented",
        when=lambda scene: scene.kind() == "AUGMENTED",
        problem="values are never changed in place",
        label="`{found}` edits parameters in `init {{ }}` only",
        help="write the operation out: `x = x + ...`",
        samples=("net A(x: [N]) -> [N] {\n    x += 1\n    return x\n}",),
    ),
)
