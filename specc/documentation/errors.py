"""``docs/errors.md``: every code, made from the facts' docstrings and the golden examples."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import specc
from specc.frontend.diagnostics import Fact

# Where a group's facts stand, in the order of the page.
_GROUPS = (
    ("The text", "specc.frontend.facts.syntax"),
    ("Names", "specc.frontend.facts.names"),
    ("Shapes and types", "specc.frontend.facts.operators"),
    ("Definitions and calls", "specc.elaborate.facts.calls"),
    ("Values, inputs and results", "specc.elaborate.facts.values"),
    ("Loops and branches", "specc.elaborate.facts.control"),
    ("Devices", "specc.elaborate.facts.devices"),
    ("Parameters and limits", "specc.elaborate.facts.parameters"),
    ("The recipe", "specc.recipe.facts"),
    ("Files", "specc.facts"),
    ("Weights", "specc.weights.facts"),
    ("Targets", "specc.targets.facts"),
    ("Verification", "specc.verification.facts"),
    ("Training", "specc.training.facts"),
)

_HEAD = """\
# Errors

Made from the compiler's own facts by `make docs`. An error has a stable code, the place that is
wrong, the places that made it so, and a help line where one is known; inside a block it also shows
the uses that led there. `SpecError.diagnostics` holds the same as data; `--format json` prints it.
Each example below is a test: the text, and what specc says of it.
"""


@dataclass(frozen=True)
class Group:
    """Codes that belong together, and the class of each."""

    title: str
    facts: tuple[type[Fact], ...]


@dataclass(frozen=True)
class Example:
    """What triggers a code, ``text`` in the language ``language``, and what is said then."""

    language: str
    text: str
    rendered: str


def groups() -> Iterator[Group]:
    """Every code, in the order in which the modules of facts define them."""
    defined = {name: facts for name in _fact_modules() if (facts := _facts_of(name))}
    for title, name in _GROUPS:
        yield Group(title, defined.pop(name))
    assert not defined, f"no title for {', '.join(defined)}"


def _fact_modules() -> Iterator[str]:
    """The modules called ``facts``, and those inside a package of that name."""
    for entry in pkgutil.walk_packages(specc.__path__, "specc."):
        if "facts" in entry.name.split(".")[-2:]:
            yield entry.name


def _facts_of(name: str) -> tuple[type[Fact], ...]:
    """The facts with a code that a module itself defines."""
    return tuple(
        entry
        for entry in vars(importlib.import_module(name)).values()
        if inspect.isclass(entry)
        and issubclass(entry, Fact)
        and entry.__module__ == name
        and entry.__dict__.get("code")
    )


def example(folder: Path, code: str) -> Example:
    """The golden example of a code. Raises FileNotFoundError where there is none."""
    rendered = (folder / f"{code}.txt").read_text(encoding="utf-8")
    spec = folder / f"{code}.net"
    if spec.exists():
        return Example("", spec.read_text(encoding="utf-8"), rendered)
    return Example("python", (folder / f"{code}.py").read_text(encoding="utf-8"), rendered)


def errors_page(folder: Path) -> str:
    """The whole page, with the golden examples of ``folder``."""
    parts = [_HEAD]
    listed = list(groups())
    parts.append(_contents(listed))
    for group in listed:
        parts.append(f"## {group.title}\n")
        for fact in group.facts:
            parts.append(_section(fact, example(folder, fact.code)))
    return "\n".join(parts).rstrip("\n") + "\n"


def _contents(listed: list[Group]) -> str:
    lines = ["| Group | Codes |", "| --- | --- |"]
    for group in listed:
        codes = ", ".join(f"[`{fact.code}`](#{fact.code})" for fact in group.facts)
        lines.append(f"| {group.title} | {codes} |")
    return "\n".join(lines) + "\n"


def _section(fact: type[Fact], shown: Example) -> str:
    description = inspect.cleandoc(fact.__doc__ or "").replace("``", "`")
    return "\n".join(
        [
            f"### {fact.code}",
            "",
            description,
            "",
            f"```{shown.language}",
            shown.text.rstrip("\n"),
            "```",
            "",
            "```",
            shown.rendered.rstrip("\n"),
            "```",
            "",
        ]
    )
