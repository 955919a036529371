"""Diagnostics as data: what is wrong, where, and why. Rendering is in ``render.py``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from specc.frontend.source import Sources, Span

_SHOWN = 2000  # characters of a message


@dataclass(frozen=True)
class Label:
    """A place and what there is to say about it."""

    span: Span
    text: str = ""


@dataclass(frozen=True)
class Diagnostic:
    """One error or warning, in words.

    ``code`` is stable (``shape-mismatch``); ``primary`` is the place that is wrong, None where no
    text is at fault (a weight file); ``secondary`` the places that made it so; ``uses`` the chain
    of block uses that led there, innermost first.
    """

    code: str
    message: str
    primary: Label | None = None
    secondary: tuple[Label, ...] = ()
    help: str | None = None
    uses: tuple[Label, ...] = ()
    severity: Literal["error", "warning"] = "error"


class SpecError(Exception):
    """A spec, a setting or a weight file that specc refuses.

    ``diagnostics`` is the list of all that is wrong, as data; ``str(error)`` renders it. Nothing
    else escapes from compiling a text, whatever it holds.

    >>> import specc
    >>> try:
    ...     specc.compile("net A(x: [N, 4]) -> [N, 4] { x |> Liner(4) }")
    ... except specc.SpecError as error:
    ...     [(found.code, found.help) for found in error.diagnostics]
    [('unknown-name', "did you mean 'Linear'?")]
    """

    def __init__(self, diagnostics: Iterable[Diagnostic], sources: Sources | None = None) -> None:
        self.diagnostics = list(diagnostics)
        self.sources = sources or Sources()
        super().__init__(self.diagnostics, self.sources)

    def __str__(self) -> str:
        from specc.frontend.render import render

        return "\n".join(render(diagnostic, self.sources) for diagnostic in self.diagnostics)


class Fault(Exception):
    """Carries one fact from the check that found it to the nearest place that can go on."""

    def __init__(self, fact: Fact) -> None:
        self.fact = fact
        super().__init__(fact)


@dataclass(frozen=True, kw_only=True)
class Fact:
    """What a check found, as typed data. A subclass per code lives in ``facts.py``.

    A subclass sets ``code`` and says in ``message``, ``label`` and ``help`` how the fact reads; its
    docstring is the entry in ``docs/errors.md``.
    """

    code = ""
    severity: Literal["error", "warning"] = "error"
    where: Span | None = None
    because: tuple[Label, ...] = ()
    uses: tuple[Label, ...] = ()

    @property
    def message(self) -> str:
        """The headline."""
        raise NotImplementedError

    @property
    def label(self) -> str:
        """What stands under the primary place."""
        return ""

    @property
    def help(self) -> str | None:
        """How to mend it, where that is known."""
        return None

    def diagnostic(self) -> Diagnostic:
        """This fact in words."""
        return Diagnostic(
            code=self.code,
            message=_short(self.message),
            primary=Label(self.where, _short(self.label)) if self.where is not None else None,
            secondary=self.because,
            help=_short(self.help) if self.help is not None else None,
            uses=self.uses,
            severity=self.severity,
        )


def _short(text: str) -> str:
    """What is shown of a text: its ends, where a spec made it longer than anyone reads."""
    if len(text) <= _SHOWN:
        return text
    return f"{text[: _SHOWN // 2]}...{text[-_SHOWN // 2 :]}"


@dataclass
class Report:
    """Collects facts during one compilation, each once: a block used twice is wrong once."""

    facts: list[Fact] = field(default_factory=list)
    _seen: set[tuple[str, Span | None, str]] = field(default_factory=set)

    def add(self, fact: Fact) -> None:
        """Takes a fact in, unless the same was said of the same place."""
        key = (fact.code, fact.where, fact.message)
        if key not in self._seen:
            self._seen.add(key)
            self.facts.append(fact)

    @property
    def failed(self) -> bool:
        """Whether any fact is an error."""
        return any(fact.severity == "error" for fact in self.facts)
