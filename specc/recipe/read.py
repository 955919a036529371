"""Reading one setting: from an expression of the syntax tree to a checked value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from specc.frontend import syntax
from specc.frontend.diagnostics import Fault, Label, Report
from specc.frontend.source import Span
from specc.ir.recipe import Choice, SettingValue
from specc.recipe.catalogue import Argument, Entry, Setting
from specc.recipe.facts import (
    BadSetting,
    MissingSetting,
    PathLeadsOutside,
    RepeatedSetting,
    UnknownSetting,
)
from specc.recipe.kinds import DEVICES, PATH, Kind, leads_outside
from specc.recipe.values import shown

Evaluate = Callable[[syntax.Expression], object]
BlockLoss = Callable[[syntax.Expression], Entry | None]
"""What there is to know of the block that an expression names; None where that is reported."""
Written = syntax.Expression | syntax.DeviceName


class _AlreadyReported(Exception):
    """Something is wrong, and a fact says so already."""


class Reader:
    """Reads settings of one origin: the text, or from outside.

    Its methods raise Fault; under ``going_on`` that becomes a report, and reading continues.
    """

    def __init__(
        self,
        evaluate: Evaluate,
        report: Report,
        failed: object,
        defined: Collection[str],
        block_loss: BlockLoss | None,
        *,
        outside: bool = False,
    ) -> None:
        self.evaluate = evaluate
        self.report = report
        self.failed = failed
        self.defined = defined
        self.block_loss = block_loss
        self.own_loss: Entry | None = None
        self.outside = outside
        self.problems = 0

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Reports what goes wrong inside, and counts it."""
        try:
            yield
        except Fault as fault:
            self.report.add(fault.fact)
            self.problems += 1
        except _AlreadyReported:
            self.problems += 1

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Raises at the end where something inside was reported."""
        before = self.problems
        yield
        if self.problems > before:
            raise _AlreadyReported

    def setting(self, setting: Setting, value: Written) -> object:
        """The value of one setting: a Choice, a tuple of them, a word or a plain value."""
        if setting.kind is DEVICES and isinstance(value, syntax.DeviceName | syntax.Name):
            return self._accepted(setting.name, setting.kind, _device_text(value), value)
        if isinstance(value, syntax.DeviceName):
            raise _bad(value, setting.name, setting.requirement, "a device")
        if setting.many:
            return self._choices(setting, value)
        if setting.entries is not None:
            return self._choice(setting, value)
        if setting.words:
            return _word(setting, value)
        assert setting.kind is not None, setting.name
        return self._value(setting.name, setting.kind, value)

    def _choices(self, setting: Setting, value: syntax.Expression) -> tuple[Choice, ...]:
        """A list of entries, each once; one alone stands for a list of one."""
        if not isinstance(value, syntax.ListExpression | syntax.TupleExpression):
            return (self._choice(setting, value),)
        places: dict[str, Span] = {}
        choices: list[Choice] = []
        with self.whole():
            for member in value.members:
                with self.going_on():
                    if member.label or member.unpack or member.condition or member.clauses:
                        what, requirement = f"a member of {setting.name}", f"a {setting.noun} alone"
                        raise _bad(member, what, requirement, "more")
                    choice = self._choice(setting, member.value)
                    _require_new(choice.name, choice.name, places, member.span)
                    choices.append(choice)
        return tuple(choices)

    def _choice(self, setting: Setting, value: syntax.Expression) -> Choice:
        """An entry by its bare name, or by a call with arguments."""
        assert setting.entries is not None, setting.name
        name: syntax.Expression = value
        arguments: tuple[syntax.Argument, ...] = ()
        if isinstance(value, syntax.Call):
            name, arguments = value.callee, value.arguments
        if not isinstance(name, syntax.Name):
            raise _bad(value, setting.name, setting.requirement, _described(value))
        if setting.name == "loss" and name.name in self.defined:
            return self._block(value, name.name)
        entry = setting.entries.get(name.name)
        if entry is None:
            more = tuple(self.defined) if setting.name == "loss" else ()
            raise _unknown(setting, name.name, name.span, more)
        return self._called(entry, arguments, value.span)

    def _block(self, value: syntax.Expression, name: str) -> Choice:
        """A block of the file as the loss; its hyperparameters are part of what it then is."""
        assert self.block_loss is not None, "blocks are defined, and nothing tells of them"
        self.own_loss = self.block_loss(value)
        if self.own_loss is None:
            raise _AlreadyReported
        return Choice(name=name)

    def _called(self, entry: Entry, arguments: Sequence[syntax.Argument], where: Span) -> Choice:
        places: dict[str, Span] = {}
        given: dict[str, SettingValue] = {}
        with self.whole():
            for position, argument in enumerate(arguments):
                with self.going_on():
                    declared = _declared(entry, argument, position)
                    title = f"{declared.name} of {entry.name}"
                    _require_new(declared.name, title, places, argument.span)
                    if argument.initializes:
                        raise _bad(argument, title, declared.kind.name, "an initializer")
                    given[declared.name] = self._value(title, declared.kind, argument.value)
        missing = tuple(a.name for a in entry.arguments if a.required and a.name not in given)
        if missing:
            raise Fault(MissingSetting(where=where, owner=entry.name, names=missing))
        return Choice(name=entry.name, arguments=entry.complete(given))

    def _value(self, what: str, kind: Kind, expression: syntax.Expression) -> SettingValue:
        value = self.evaluate(expression)
        if value is self.failed:
            raise _AlreadyReported
        accepted = self._accepted(what, kind, value, expression)
        if kind is PATH:
            assert isinstance(accepted, str), accepted
            return self._path(accepted, expression.span)
        return accepted

    def _accepted(self, what: str, kind: Kind, value: object, where: syntax.Node) -> SettingValue:
        try:
            return kind.accept(value)
        except ValueError as reason:
            raise _bad(where, what, str(reason), shown(value)) from None

    def _path(self, path: str, where: Span) -> str:
        if self.outside:
            # Outside, a relative path means what it means to the shell that it was typed in.
            return str(Path(path).absolute())
        if leads_outside(path):
            raise Fault(PathLeadsOutside(where=where, path=path))
        return path


def _device_text(value: syntax.DeviceName | syntax.Name) -> str:
    """``cuda:0``, as it is written."""
    if isinstance(value, syntax.Name):
        return value.name
    return value.kind if value.index is None else f"{value.kind}:{value.index}"


def _word(setting: Setting, value: syntax.Expression) -> str:
    """A name that stands for itself, with or without quotes."""
    word = value.value if isinstance(value, syntax.Literal) else None
    if isinstance(value, syntax.Name):
        word = value.name
    if not isinstance(word, str):
        raise _bad(value, setting.name, setting.requirement, _described(value))
    if word not in setting.words:
        raise _unknown(setting, word, value.span)
    return word


def _declared(entry: Entry, argument: syntax.Argument, position: int) -> Argument:
    """The argument of the entry that this one of a call is for."""
    if argument.name is None:
        if position < entry.positional:
            return entry.arguments[position]
        by_name = entry.arguments[entry.positional :]
        what = f"this argument of {entry.name}"
        requirement = "given by name" if by_name else "left out"
        advice = f"write {by_name[0].name}=..." if by_name else None
        raise _bad(argument, what, requirement, "by position", advice)
    declared = entry.argument(argument.name)
    if declared is None:
        raise Fault(
            UnknownSetting(
                where=argument.span,
                problem=f"{entry.name} has no argument",
                name=argument.name,
                known=tuple(a.name for a in entry.arguments),
            )
        )
    return declared


def _require_new(name: str, title: str, places: dict[str, Span], where: Span) -> None:
    if name in places:
        first = (Label(places[name], "first given here"),)
        raise Fault(RepeatedSetting(where=where, because=first, name=title))
    places[name] = where


def _unknown(setting: Setting, name: str, where: Span, more: tuple[str, ...] = ()) -> Fault:
    problem, known = f"there is no {setting.noun}", (*setting.names, *more)
    return Fault(UnknownSetting(where=where, problem=problem, name=name, known=known))


def _bad(
    node: syntax.Node, what: str, requirement: str, found: str, advice: str | None = None
) -> Fault:
    return Fault(
        BadSetting(where=node.span, what=what, requirement=requirement, found=found, advice=advice)
    )


def _described(expression: syntax.Expression) -> str:
    """An expression that names no entry, in a word."""
    if isinstance(expression, syntax.Literal):
        return shown(expression.value)
    if isinstance(expression, syntax.ListExpression | syntax.TupleExpression):
        return "a list"
    return "an expression"
