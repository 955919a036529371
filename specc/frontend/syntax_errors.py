"""A place where the grammar is not followed -> a fact that says what to do about it."""

from __future__ import annotations

from specc.frontend.complaints import COMPLAINTS, KEYWORDS, Complaint
from specc.frontend.diagnostics import Label
from specc.frontend.facts import SyntaxFault
from specc.frontend.scene import END, Scene

# What a reader calls the tokens that have no text of their own.
_DESCRIPTIONS = {
    "NAME": "a name",
    "STRING": "a string",
    "INTEGER": "a number",
    "NEWLINE": "the end of the line",
    END: "the end of the file",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LSQB": "`[`",
    "RSQB": "`]`",
    "LBRACE": "`{`",
    "RBRACE": "`}`",
    "MAP_CLOSE": "`}`",
    "COLON": "`:`",
    "COMMA": "`,`",
    "EQUAL": "`=`",
    "TILDE": "`~`",
    "ARROW": "`->`",
    "DOT": "`.`",
    "IN": "`in`",
    "ELSE": "`else`",
    "IMPORT": "`import`",
    "STAR": "`*`",
}
_MOST_ALTERNATIVES = 4


def explain(scene: Scene) -> SyntaxFault:
    """The fact about a syntax error."""
    complaint = recognize(scene)
    return complaint.about(scene) if complaint is not None else _unexpected(scene)


def recognize(scene: Scene) -> Complaint | None:
    """The entry of the table that answers this scene."""
    return next((complaint for complaint in COMPLAINTS if complaint.when(scene)), None)


def _unexpected(scene: Scene) -> SyntaxFault:
    """What can be said where no entry answers: what was found, and what could stand there."""
    kind = scene.kind()
    found = _DESCRIPTIONS[kind] if kind in ("NEWLINE", END) else f"`{scene.quoted()}`"
    before = -2 if scene.kind(-1) == "NEWLINE" else -1
    follows = scene.starts_line() and scene.at + before >= 0
    return SyntaxFault(
        where=scene.span(),
        because=(Label(scene.span(before), "behind this"),) if follows else (),
        problem=f"unexpected {found}",
        detail=_expected(scene.accepts),
        advice="it is a reserved word" if kind in KEYWORDS else None,
    )


def _expected(accepts: frozenset[str]) -> str:
    if {"NAME", "LPAR", "INTEGER"} <= accepts:
        return "an expression belongs here"
    words = [text for kind, text in _DESCRIPTIONS.items() if kind in accepts]
    if not words or len(words) > _MOST_ALTERNATIVES:
        return ""
    listed = " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
    return f"{listed} belongs here"
