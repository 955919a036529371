"""Syntax errors: `:` for `=` and the reverse."""

from __future__ import annotations

from specc.frontend.complaints.complaint import Complaint
from specc.frontend.complaints.questions import VALUE_BRACKETS, first
from specc.frontend.scene import Scene


def _in_settings(scene: Scene) -> bool:
    brackets = scene.open_brackets()
    return len(brackets) == 1 and "TRAIN" in scene.kinds(brackets[0] - 1, brackets[0] - 2)


COMPLAINTS = (
    Complaint(
        name="missing-colon",
        when=lambda scene: scene.kinds(-1, 0) == ("NAME", "LSQB") and "COLON" in scene.accepts,
        problem="`:` is missing before the shape",
        help="write `{before}: [...]`",
        samples=(
            "block B(x [N, 3]) = x",
            "block B(x: [N]) -> [N] {\n    param w [N] ~ normal\n    return x * w\n}",
        ),
    ),
    Complaint(
        name="colon-in-train",
        when=lambda scene: scene.kind() == "COLON" and _in_settings(scene),
        problem="a setting is given with `=`",
        help="write `{before} = ...`",
        samples=("train { epochs: 20 }", "train {\n    loss = mse\n    epochs: 20\n}"),
    ),
    Complaint(
        name="colon-in-init",
        when=lambda scene: (
            scene.kind() == "COLON" and "TILDE" in scene.accepts and "AUGMENTED" in scene.accepts
        ),
        problem="a rule gives a parameter its initializer with `~`",
        help="write `{before} ~ ...`",
        samples=("init { Linear.weight: zeros }", 'init { "head.bias": zeros }'),
    ),
    Complaint(
        name="colon-in-call",
        when=lambda scene: (
            scene.kind() == "COLON"
            and scene.inside() == "LPAR"
            and scene.kind(-1) == "NAME"
            and "EQUAL" in scene.accepts
        ),
        problem="an argument is given with `=`",
        help="write `{before}=...`",
        samples=("def f() = g(a, padding: 2)", "def f() = g(padding: 2)"),
    ),
    Complaint(
        name="colon-in-body",
        when=lambda scene: (
            scene.kinds(-1, 0) == ("NAME", "COLON")
            and scene.inside() == "LBRACE"
            and scene.statement_start() == -1
        ),
        problem="a statement does not begin with a label",
        help="give a value a name with `{before} = ...`; a label stands behind `|>` or in a list",
        samples=(
            "net A(x: [N]) -> [N] {\n    y: int = 3\n    return x\n}",
            "net A(x: [N]) -> [N] {\n    hidden: Linear(8)\n}",
        ),
    ),
    Complaint(
        name="equal-in-list",
        when=lambda scene: (
            scene.kinds(-1, 0) in (("NAME", "EQUAL"), ("STRING", "EQUAL"))
            and scene.inside() in VALUE_BRACKETS
            and scene.kind(-2) in ("LSQB", "LPAR", "MAP_OPEN", "COMMA")
        ),
        problem="a label is followed by `:`",
        help="write `{before}: ...`",
        samples=(
            "def f() = [head = Linear(8)]",
            "def f() = {a = 1}",
            "def f() = (a = relu, b = relu)",
        ),
    ),
    Complaint(
        name="equal-for-comparison",
        when=lambda scene: (
            scene.kind() == "EQUAL"
            and first(scene) in {"IF", "WHILE", "ASSERT", "RETURN", "RBRACE"}
        ),
        problem="`=` gives a value a name; it does not compare",
        help="write `==`",
        samples=(
            "net A(x: [N], a: [N]) -> [N] {\n    if a = 3 { y = x }\n}",
            "net A(x: [N]) -> [N] {\n    assert 2 = 3\n}",
        ),
    ),
    Complaint(
        name="equal-twice",
        when=lambda scene: scene.kind() == "EQUAL" and scene.inside() == "LBRACE",
        problem="a statement has one `=`",
        help="put each name on a line of its own; `==` compares",
        samples=("net A(x: [N]) -> [N] {\n    a = b = x\n    return a\n}",),
    ),
)
