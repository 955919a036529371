"""What an entry in the tables of syntax errors says.

The tables are in the spirit of lark's ``match_examples``: each entry has samples, and the test of
the table is that each sample is answered by its own entry. Here an entry also says by itself what
it answers, so that it holds wherever the parser was, and points at the very characters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from specc.frontend.diagnostics import Label
from specc.frontend.facts import SyntaxFault, nearest
from specc.frontend.scene import Scene
from specc.frontend.source import Span

DEFINITION_WORDS = ("net", "block", "def", "init", "train", "device", "from")
STATEMENT_WORDS = (
    *("return", "if", "else", "for", "while", "assert"),
    *("param", "buffer", "const", "init", "on"),
)
OTHER_WORDS = ("in", "and", "or", "not", "import", "true", "false", "none")
KEYWORDS = frozenset(word.upper() for word in DEFINITION_WORDS + STATEMENT_WORDS + OTHER_WORDS)
"""The kinds of tokens that are reserved words."""


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """One kind of syntax error.

    ``when`` recognizes it; ``where`` gives the first and the last wrong token, counted from the one
    at which the parser stopped, or the span itself. ``problem``, ``label`` and ``help`` may name
    ``{found}`` (that token), ``{before}`` (the one before), ``{keyword}`` (the keyword most like
    either), and of a single character its ``{code}`` and ``{name}`` in Unicode.
    """

    name: str
    when: Callable[[Scene], bool]
    problem: str
    samples: tuple[str, ...]
    label: str = ""
    help: str | None = None
    where: tuple[int, int] | Callable[[Scene], Span] = (0, 0)
    because: Callable[[Scene], tuple[Label, ...]] = lambda _: ()
    fact: type[SyntaxFault] = SyntaxFault

    def about(self, scene: Scene) -> SyntaxFault:
        """The fact, in this scene's words."""
        where = self.where(scene) if callable(self.where) else scene.span(*self.where)
        found, before = scene.quoted(), scene.quoted(-1)
        words = {
            "found": found,
            "before": before,
            "keyword": keyword_like(before) or keyword_like(found),
            "code": f"{ord(found):04X}" if len(found) == 1 else "",
            "name": unicodedata.name(found, "no-name").lower() if len(found) == 1 else "",
        }
        return self.fact(
            where=where,
            problem=self.problem.format(**words),
            detail=self.label.format(**words),
            advice=self.help.format(**words) if self.help is not None else None,
            because=self.because(scene),
        )


def keyword_like(word: str, keywords: Sequence[str] = DEFINITION_WORDS + STATEMENT_WORDS) -> str:
    """The keyword that ``word`` may have been meant to be, or an empty string."""
    if len(word) < 3 or word in keywords:
        return ""
    return nearest(word, keywords) or ""
