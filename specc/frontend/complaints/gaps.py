"""Syntax errors: something is missing, or two things stand side by side."""

from __future__ import annotations

from specc.frontend.complaints.complaint import Complaint
from specc.frontend.complaints.questions import BEGINS_VALUE, VALUE_BRACKETS, opening
from specc.frontend.diagnostics import Label
from specc.frontend.lexer import ENDS_VALUE, OPERATORS
from specc.frontend.scene import Scene

_WAITS_FOR_VALUE = OPERATORS | {"EQUAL", "TILDE", "AUGMENTED", "IN", "RETURN", "ON", "COLON"}


def _begins_value_behind_value(scene: Scene) -> bool:
    return scene.kind(-1) in ENDS_VALUE and scene.kind() in BEGINS_VALUE | {"STAR"}


COMPLAINTS = (
    Complaint(
        name="missing-value",
        when=lambda scene: (
            scene.kind(-1) in _WAITS_FOR_VALUE
            and scene.kind() not in BEGINS_VALUE
            and ("NAME" in scene.accepts or "LSQB" in scene.accepts)
        ),
        where=(-1, -1),
        problem="something is missing behind `{before}`",
        label="what belongs here?",
        samples=(
            "net A(x: [N]) -> [N] {\n    y = x +\n}",
            "net A(x: [N]) -> [N] {\n    return\n}",
            "net A(x: [N]) -> [N] {\n    x |> relu |>\n}",
            "def f(a) = (a *)",
            "init { Linear.weight ~ }",
        ),
    ),
    Complaint(
        name="missing-comma",
        when=lambda scene: (
            scene.inside() in VALUE_BRACKETS
            and _begins_value_behind_value(scene)
            and "COMMA" in scene.accepts
        ),
        problem="a comma is missing before this",
        help="or the bracket before it is not closed",
        because=lambda scene: (Label(opening(scene), "in this bracket"),),
        samples=(
            "def f() = g(1 2)",
            "def f() = [Linear(8) relu]",
            "def f(a b) = 1",
            "block B(x: [N 3]) = x",
            "net A(x: [N]) -> [N] {\n    y = relu(x\n    z = y\n}",
        ),
    ),
    Complaint(
        name="missing-line-end",
        when=lambda scene: "NEWLINE" in scene.accepts,
        problem="this does not belong to the statement before it",
        help="a statement ends where its line ends",
        samples=(
            "net A(x: [N]) -> [N] {\n    y = x z = y\n}",
            "net A(x: [N]) -> [N] { if true { y = x } z = x }",
            "train { epochs = 3, batch = 4 }",
            "def f() = 1 2",
        ),
    ),
)
