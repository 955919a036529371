"""Syntax errors: brackets without their partners."""

from __future__ import annotations

from specc.frontend.complaints.complaint import Complaint
from specc.frontend.complaints.questions import DEFINES, VALUE_BRACKETS, first, opening
from specc.frontend.diagnostics import Label
from specc.frontend.facts import UnclosedBracket
from specc.frontend.lexer import CLOSING, OPENING
from specc.frontend.scene import END, Scene
from specc.frontend.source import Span

_STATES = frozenset(["RETURN", "WHILE", "ASSERT", "PARAM", "BUFFER", "CONST"])


def _unclosed(scene: Scene) -> bool:
    if not scene.open_brackets():
        return False
    if scene.kind() == END:
        return True
    in_value = scene.inside() in VALUE_BRACKETS
    if scene.kind() == "LBRACE":  # a body's brace, in the middle of a value
        return in_value
    if not scene.starts_line():
        return False
    defines = scene.kind() in DEFINES or scene.kinds(0, 1) == ("INIT", "NAME")
    # A definition in a body is a mistake of its own, but nobody writes one without indentation.
    indented = scene.text[scene.span().start - 1 : scene.span().start] in (" ", "\t")
    if in_value:
        return defines or scene.kind() in _STATES
    return defines and not indented


def _dedent(scene: Scene) -> tuple[int, int] | None:
    """The first brace whose body is left without a closing one, going by the indentation.

    Given are the distances of the brace and of the token that begins the line that is outside;
    None where that is the token at which the parser stopped.
    """
    opened: list[tuple[int, int]] = []  # with the indentation of the statement that opens it
    statement = 0
    for distance in range(-scene.at, 0):
        kind = scene.kind(distance)
        if kind in CLOSING and opened:
            opened.pop()
        in_value = bool(opened) and scene.kind(opened[-1][0]) in VALUE_BRACKETS
        if scene.follows_line_end(distance) and kind not in ("NEWLINE", "PIPE") and not in_value:
            statement = scene.indent(distance)
            if opened and kind not in CLOSING and statement <= opened[-1][1]:
                return opened[-1][0], distance
        if kind in OPENING:
            opened.append((distance, statement))
    return None


def _never_closed(scene: Scene) -> Span:
    dedent = _dedent(scene)
    return opening(scene) if dedent is None else scene.span(dedent[0])


def _noticed(scene: Scene) -> tuple[Label, ...]:
    """Where the bracket should have been closed by, and what shows that."""
    dedent = _dedent(scene)
    if dedent is not None:
        outside = dedent[1]
        inside = outside - (2 if scene.kind(outside - 1) == "NEWLINE" else 1)
        return (
            Label(scene.span(inside), "it is still open behind this"),
            Label(scene.span(outside), "indented as what is outside of it"),
        )
    noticed = Label(scene.span(), "noticed here")
    before = -2 if scene.kind(-1) == "NEWLINE" else -1
    if scene.kind() == END or scene.at + before < 0:
        return (noticed,)
    return (Label(scene.span(before), "it is still open behind this"), noticed)


def _mismatched(scene: Scene) -> bool:
    return (
        scene.kind() in CLOSING and bool(scene.inside()) and OPENING[scene.inside()] != scene.kind()
    )


COMPLAINTS = (
    Complaint(
        name="unclosed-bracket",
        fact=UnclosedBracket,
        when=_unclosed,
        where=_never_closed,
        problem="this bracket is never closed",
        because=_noticed,
        samples=(
            "net A(x: [N]) -> [N] {\n    return x\n",
            "net A(x: [N]) -> [N] {\n    return x\n\nnet B(x: [N]) -> [N] {\n    return x\n}",
            "net A(x: [N]) -> [N] {\n    y = relu(x\n    return y\n}",
            "block B() = [relu, Linear(3)",
            "net A(x: [N {\n    return x\n}\n",
        ),
    ),
    Complaint(
        name="mismatched-bracket",
        fact=UnclosedBracket,
        when=_mismatched,
        problem="`{found}` closes nothing here",
        label="another bracket has to be closed before it",
        because=lambda scene: (Label(opening(scene), "this one is still open"),),
        samples=(
            "net A(x: [N]) -> [N] { relu(x }",
            "def f(a) = [a)",
            "def f(a) = (a]",
        ),
    ),
    Complaint(
        name="unopened-bracket",
        fact=UnclosedBracket,
        when=lambda scene: scene.kind() in CLOSING and not scene.inside(),
        problem="`{found}` without a bracket that opens it",
        help="remove it",
        samples=("net A(x: [N]) -> [N] { x }\n}", "def f(a) = a)"),
    ),
    Complaint(
        name="map-for-body",
        when=lambda scene: (
            scene.inside() == "MAP_OPEN"
            and scene.kind(scene.open_brackets()[-1] - 1) == "EQUAL"
            and first(scene) in ("NET", "BLOCK")
        ),
        where=lambda scene: scene.span(scene.open_brackets()[-1] - 1),
        problem="a body in braces takes no `=`",
        help="remove the `=`; it stands before a single layer or expression",
        samples=("net A(x: [N]) -> [N] = {\n    y = x\n    return y\n}",),
    ),
)
