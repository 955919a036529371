"""Syntax errors: reserved, misspelt and misplaced words."""

from __future__ import annotations

from specc.frontend.complaints.complaint import (
    DEFINITION_WORDS,
    KEYWORDS,
    STATEMENT_WORDS,
    Complaint,
    keyword_like,
)
from specc.frontend.complaints.questions import BEGINS_VALUE, DEFINES
from specc.frontend.facts import ReservedWord
from specc.frontend.scene import Scene


def _at_file_level(scene: Scene) -> bool:
    return "DEF" in scene.accepts


def _misspelt_statement(scene: Scene) -> bool:
    return (
        scene.statement_start() == -1
        and scene.kind(-1) == "NAME"
        and scene.kind() in BEGINS_VALUE
        and bool(keyword_like(str(scene.token(-1)), STATEMENT_WORDS + DEFINITION_WORDS))
    )


COMPLAINTS = (
    Complaint(
        name="reserved-label",
        fact=ReservedWord,
        when=lambda scene: (
            scene.kind() in KEYWORDS and scene.kind(1) == "COLON" and "STRING" in scene.accepts
        ),
        problem="`{found}` is a reserved word",
        help='quote it as a label: `"{found}": ...`',
        samples=("def f() = [block: Linear(8)]", "net A(x: [N]) -> [N] { x |> net: Linear(8) }"),
    ),
    Complaint(
        name="reserved-attribute",
        fact=ReservedWord,
        when=lambda scene: scene.kind() in KEYWORDS and scene.kind(-1) == "DOT",
        problem="`{found}` is a reserved word",
        help='in `init`, write the whole path as a string: `"a.{found}.weight"`',
        samples=("def f(a) = a.block.weight", "init { a.block ~ zeros }"),
    ),
    Complaint(
        name="reserved-word",
        fact=ReservedWord,
        when=lambda scene: (
            scene.kind() in KEYWORDS
            and ("NAME" in scene.accepts or scene.kind(1) in ("EQUAL", "TILDE"))
            and not (scene.starts_line() and scene.kind(1) in ("NAME", "LBRACE"))
        ),
        problem="`{found}` is a reserved word and cannot be a name",
        help="choose another name",
        samples=(
            "net A(block: [N]) = block",
            "net train(x: [N]) = x",
            "net A(x: [N]) -> [N] {\n    device = x\n    return device\n}",
            "def f(in) = 1",
            "def f() = g(def=1)",
        ),
    ),
    Complaint(
        name="misspelt-definition",
        when=lambda scene: (
            _at_file_level(scene)
            and scene.kind() == "NAME"
            and bool(keyword_like(str(scene.token()), DEFINITION_WORDS))
        ),
        problem="no definition begins with `{found}`",
        help="did you mean `{keyword}`?",
        samples=("nett A(x: [N]) = x", "blok A(x: [N]) = x", "trian { epochs = 3 }"),
    ),
    Complaint(
        name="file-level",
        when=_at_file_level,
        problem="no definition begins with `{found}`",
        help="a file holds `net`, `block`, `def`, `init`, `train`, `device` and `from`; "
        "statements stand in the braces of one",
        samples=("x = 3", "model(x: [N]) = x", "Linear(3)", "return 3", "|> relu"),
    ),
    Complaint(
        name="misspelt-statement",
        when=_misspelt_statement,
        where=(-1, -1),
        problem="no statement begins with `{before}`",
        help="did you mean `{keyword}`?",
        samples=(
            "net A(x: [N]) -> [N] {\n    retrun x\n}",
            "net A(x: [N]) -> [N] {\n    parm w: [N] ~ normal\n    return x\n}",
        ),
    ),
    Complaint(
        name="definition-inside",
        when=lambda scene: scene.kind() in DEFINES | {"INIT"} and "RETURN" in scene.accepts,
        problem="a definition does not stand in a body",
        help="move it to the top of the file, or close the body before it with `}}`",
        samples=(
            "net A(x: [N]) -> [N] {\n    def f(a) = a\n    return x\n}",
            "net A(x: [N]) -> [N] {\n    train { epochs = 3 }\n}",
        ),
    ),
    Complaint(
        name="wildcard",
        when=lambda scene: "WILDCARD" in scene.kinds(0, -1),
        where=lambda scene: scene.span(0 if scene.kind() == "WILDCARD" else -1),
        problem="`_` has no value",
        help="it takes a value that nobody wants, or stands for any size in a shape",
        samples=("def f() = g(_)", "def f() = [_, 1]"),
    ),
    Complaint(
        name="ellipsis",
        when=lambda scene: scene.kind() == "ELLIPSIS",
        problem="`...` stands in a shape or an index only",
        samples=("def f() = ...", "def f(...) = 1"),
    ),
)
