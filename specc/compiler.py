"""From a path, a name or a text to a network: reading, parsing and elaborating in one call."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specc.arguments import kind
from specc.collector import resting_collector
from specc.elaborate.bounds import Bounds
from specc.elaborate.elaborate import elaborate, modules_of
from specc.elaborate.facts import LimitExceeded
from specc.elaborate.interface import NESTING, number_from_python
from specc.elaborate.starts import Origin
from specc.facts import BadSource
from specc.frontend import syntax
from specc.frontend.diagnostics import Diagnostic, Fact, Fault, Report, SpecError
from specc.frontend.facts import TooLarge, did_you_mean
from specc.frontend.limits import DEFAULT_LIMITS, Limits
from specc.frontend.parse import parse, parse_expression
from specc.frontend.resources import resource, resource_names
from specc.frontend.source import Source, Sources, Span
from specc.importing import Importer, siblings
from specc.ir.graph import Network
from specc.ops.operator import Operator
from specc.recipe.catalogue import SETTINGS
from specc.recipe.kinds import PATTERNS
from specc.recipe.values import quoted

_MOST_ERRORS = 200  # of one file that are shown


@dataclass(frozen=True)
class Compiled:
    """A network, the warnings that it drew, and the folder that its recipe's paths start from.

    ``origins`` says of each parameter why it starts as it does.
    """

    network: Network
    warnings: tuple[Diagnostic, ...]
    sources: Sources
    base: Path | None
    origins: Mapping[str, Origin]


@dataclass(frozen=True)
class Text:
    """A source and the folder that it stands in, None for a bare text."""

    source: Source
    base: Path | None


@dataclass(frozen=True)
class Parsed:
    """A text and its syntax tree, from which any of its nets can be compiled."""

    text: Text
    tree: syntax.File
    facts: tuple[Fact, ...] = ()

    @property
    def nets(self) -> tuple[str, ...]:
        """The names of the file's nets."""
        return tuple(net.name for net in modules_of(self.tree, "net"))

    @property
    def blocks(self) -> tuple[str, ...]:
        """The names of the file's blocks."""
        return tuple(block.name for block in modules_of(self.tree, "block"))


def read(source: str | os.PathLike[str] | Text, limits: Limits = DEFAULT_LIMITS) -> Text:
    """The text behind a path, ``std.NAME``, or the text itself (which holds a newline or a brace).

    A ``Text`` is given back as it is. Raises SpecError where there is no such file, or it is too
    large, not UTF-8 or no regular file, and TypeError for what is neither a path nor a text.
    """
    if isinstance(source, Text):
        return source
    if isinstance(source, str) and ("\n" in source or "{" in source):
        return Text(Source("<text>", source), None)
    try:
        name: object = os.fspath(source)
    except TypeError:
        name = None
    if not isinstance(name, str):  # bytes, for one
        raise TypeError(f"the source is a path or a text, not {kind(source)}")
    if not name:
        raise _refused(name, "names no file")
    if name.startswith("std.") and not os.path.exists(name):  # noqa: PTH110 - Path's may raise
        return _read_std(name)
    path = Path(name)
    try:
        # A pipe could block for ever, and a device could never end.
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise _refused(name, "is a folder" if stat.S_ISDIR(mode) else "is no regular file")
        with path.open("rb") as file:
            data = file.read(limits.bytes + 1)
        if len(data) > limits.bytes:
            fact = TooLarge(what=f"bytes in {name}", limit=limits.bytes, option="bytes")
            raise SpecError([fact.diagnostic()])
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused(name, f"is not UTF-8: byte {error.start} cannot be read") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _refused(
            name, f"cannot be read: {reason}", did_you_mean(path.name, siblings(path))
        ) from None
    return Text(Source(_shown(path), text), path.parent)


def _read_std(name: str) -> Text:
    known = resource_names("specs")
    file = f"{name.removeprefix('std.')}.net"
    if file not in known:
        shown = [f"std.{entry.removesuffix('.net')}" for entry in known]
        raise _refused(name, "is no spec that ships with specc", did_you_mean(name, shown))
    path = resource("specs", file)
    return Text(Source(f"std/{file}", path.read_text("utf-8")), None)


def _shown(path: Path) -> str:
    """What diagnostics and files call it: relative to the current folder, or the bare name."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.name


def _refused(name: str, problem: str, advice: str | None = None) -> SpecError:
    return SpecError([BadSource(name=name, problem=problem, advice=advice).diagnostic()])


def parse_text(
    source: str | os.PathLike[str] | Text | Parsed, limits: Limits = DEFAULT_LIMITS
) -> Parsed:
    """The syntax tree of a source, read where it is not read yet; a ``Parsed`` stays as it is.

    Raises SpecError, also for a text that does not parse.
    """
    if isinstance(source, Parsed):
        return source
    text = read(source, limits)
    sources, report = Sources(), Report()
    tree = parse(text.source, sources.add(text.source), report, limits)
    if tree is None:
        raise _error(report, sources)
    return Parsed(text, tree, tuple(report.facts))


@resting_collector()
def compile_network(
    source: str | os.PathLike[str] | Text | Parsed,
    *,
    net: str | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    assignments: Sequence[tuple[str, str]] = (),
    inputs: Sequence[str] = (),
    devices: Mapping[str, str] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    bounds: Bounds | None = None,
    operators: Mapping[str, Operator] | None = None,
) -> Compiled:
    """Compiles one net.

    ``assignments`` are (key, text) pairs as of ``--set key=text``; a key that begins with
    ``train.`` is a setting, any other a hyperparameter. ``inputs`` are the optional inputs that the
    net is to have, ``devices`` binds logical devices, ``operators`` is the table of operators, by
    default the built-in ones. Raises SpecError with all diagnostics.
    """
    parsed = parse_text(source, limits)
    sources, report = Sources(), Report()
    sources.add(parsed.text.source)  # first, as it was when it was parsed
    for fact in parsed.facts:
        report.add(fact)
    given: dict[str, Any] = dict(hyperparameters or {})
    recipe: dict[str, syntax.Expression] = {}
    written = [
        (f"train.{name}", _setting_text(name, value))
        for name, value in ((k.removeprefix("train."), v) for k, v in (settings or {}).items())
    ]
    for key, value in (*written, *assignments):
        outside = Source(f"--set {key}", value)
        expression = parse_expression(outside, sources.add(outside), report)
        if expression is None:
            continue
        if key.startswith("train."):
            recipe[key.removeprefix("train.")] = expression  # type: ignore[assignment]
        else:
            given[key] = expression
    if report.failed:
        raise _error(report, sources)
    elaborated = elaborate(
        parsed.tree,
        sources,
        report,
        net=net,
        hyperparameters=given,
        settings=recipe,
        inputs=inputs,
        devices=devices,
        load=Importer(parsed.text.base, sources, report, limits),
        bounds=bounds,
        operators=operators,
    )
    if elaborated is None or report.failed:
        raise _error(report, sources)
    warnings = tuple(fact.diagnostic() for fact in report.facts)
    return Compiled(elaborated.network, warnings, sources, parsed.text.base, elaborated.origins)


def _setting_text(name: str, value: object) -> str:
    """A Python value for a setting as the language writes it.

    In a list of patterns a string is a pattern; anywhere else it is an expression.
    """
    setting = SETTINGS.get(name)
    if setting is not None and setting.kind is PATTERNS and isinstance(value, list | tuple):
        value = [quoted(item) if isinstance(item, str) else item for item in value]
    return _as_text(value)


def _as_text(value: object, depth: int = 0) -> str:
    """A Python value as the language writes it; a string is an expression already."""
    if depth > NESTING:
        fact = LimitExceeded(what="lists in one another in a setting", limit=NESTING)
        raise SpecError([fact.diagnostic()])
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple):
        return f"[{', '.join(_as_text(item, depth + 1) for item in value)}]"
    try:
        return repr(number_from_python(value))
    except Fault as fault:
        raise located(fault) from None


def _error(report: Report, sources: Sources) -> SpecError:
    assert report.failed, "no network, and nothing said why"
    facts = sorted(report.facts, key=lambda fact: fact.where or Span(0, 0, 0))
    if len(facts) > _MOST_ERRORS:
        more = LimitExceeded(where=facts[_MOST_ERRORS].where, what="errors", limit=_MOST_ERRORS)
        facts = [*facts[:_MOST_ERRORS], more]
    return SpecError([fact.diagnostic() for fact in facts], sources)


def located(fault: Fault, sources: Sources | None = None) -> SpecError:
    """A fault of a later stage as the error that users see."""
    return SpecError([fault.fact.diagnostic()], sources)


class faults_as_errors:
    """Faults of the stages behind the front end become the error that users see."""

    def __init__(self, sources: Sources | None) -> None:
        self.sources = sources

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, Fault):
            raise located(error, self.sources) from None
