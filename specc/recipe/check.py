"""From the settings of a ``train { }`` block to a Recipe, or to what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from specc.frontend import syntax
from specc.frontend.diagnostics import Fact, Fault, Label, Report
from specc.frontend.source import Span
from specc.ir.recipe import Recipe
from specc.recipe.catalogue import SETTINGS, Entry
from specc.recipe.combine import conflicts, missing_settings
from specc.recipe.devices import copied_though_placed
from specc.recipe.facts import (
    ConflictingSettings,
    IncompleteRecipe,
    RepeatedSetting,
    UnknownSetting,
)
from specc.recipe.read import BlockLoss, Evaluate, Reader, Written

Unused = Callable[[str, Span], Fact | None]
"""What is wrong with a pattern of names at a place, if it stands for nothing."""


def check(
    settings: Sequence[syntax.Setting],
    evaluate: Evaluate,
    overrides: Mapping[str, Written],
    report: Report,
    where: Span,
    *,
    failed: object,
    defined: Collection[str] = (),
    block_loss: BlockLoss | None = None,
    unused: Unused | None = None,
    placed: Collection[str] = (),
) -> Recipe | None:
    """Checks every setting, choice and argument; gives the recipe with its defaults filled in.

    ``evaluate`` gives an expression's plain value, or ``failed`` where it has reported a fact.
    ``overrides`` come from outside, under a setting's name with or without ``train.`` before it.
    Each replaces what the text says, and ``steps`` from outside replaces the text's ``epochs`` too,
    and the reverse. Paths from outside may lead anywhere; those of the text stay in its folder.
    ``defined`` are the names of the file's own blocks, and ``block_loss`` tells of one that is the
    loss. ``where`` is the whole ``train`` block.
    ``unused`` says what is wrong with a pattern that stands for no parameter of the net; None where
    those are not known. ``placed`` are the devices that the net puts its parts on.

    Gives None where anything is wrong; each problem is in ``report`` with its place.
    """
    inner = Reader(evaluate, report, failed, defined, block_loss)
    outer = Reader(evaluate, report, failed, defined, block_loss, outside=True)
    written = _read(inner, [_Item(s.name, s.name_span, s.span, s.value) for s in settings])
    outside = _read(
        outer,
        [_Item(name.removeprefix("train."), v.span, v.span, v) for name, v in overrides.items()],
    )
    for length, other in (("epochs", "steps"), ("steps", "epochs")):
        if length in outside and other not in outside:
            written.pop(other, None)
    checked = written | outside
    own = outer.own_loss if "loss" in outside else inner.own_loss
    agree = _agree(checked, report, own)
    if unused is not None and "freeze" in checked:
        agree &= _freezes(checked["freeze"], unused, report)
    if (copied := checked.get("devices")) is not None:
        fact = copied_though_placed(placed, copied.value, copied.span)
        if fact is not None:
            report.add(fact)
            agree = False
    if inner.problems or outer.problems or not agree:
        return None
    recipe = Recipe(**{name: found.value for name, found in checked.items()})
    missing = missing_settings(recipe)
    if missing and checked:
        report.add(IncompleteRecipe(where=where, owner="a training run", names=missing))
    return recipe


@dataclass(frozen=True)
class _Item:
    """A setting as it was written: the key and its place, the place of the whole, the value."""

    name: str
    name_span: Span
    span: Span
    value: Written


@dataclass(frozen=True)
class _Found:
    """A setting's value and where that stands."""

    value: Any
    span: Span
    written: Written


def _read(reader: Reader, items: Sequence[_Item]) -> dict[str, _Found]:
    """The settings that are right, by name."""
    seen: dict[str, Span] = {}
    found: dict[str, _Found] = {}
    for item in items:
        with reader.going_on():
            _require_known(item)
            if item.name in seen:
                first = (Label(seen[item.name], "first set here"),)
                fact = RepeatedSetting(where=item.name_span, because=first, name=item.name)
                raise Fault(fact)
            seen[item.name] = item.name_span
            value = reader.setting(SETTINGS[item.name], item.value)
            found[item.name] = _Found(value, item.value.span, item.value)
    return found


def _freezes(found: _Found, unused: Unused, report: Report) -> bool:
    """Whether every pattern stands for something; those that do not are reported, each alone."""
    patterns: tuple[str, ...] = found.value
    spans = [found.span] * len(patterns)
    if isinstance(found.written, syntax.ListExpression):
        members = found.written.members
        if len(members) == len(patterns) and not any(m.unpack or m.clauses for m in members):
            spans = [member.span for member in members]
    wrong = [
        fact
        for pattern, span in zip(patterns, spans, strict=True)
        if (fact := unused(pattern, span))
    ]
    for fact in wrong:
        report.add(fact)
    return not wrong


def _require_known(item: _Item) -> None:
    if item.name not in SETTINGS:
        problem, known = "a recipe has no setting", tuple(SETTINGS)
        raise Fault(
            UnknownSetting(where=item.name_span, problem=problem, name=item.name, known=known)
        )


def _agree(found: Mapping[str, _Found], report: Report, own: Entry | None) -> bool:
    """Whether no two settings contradict each other; those that do are reported."""
    agree = True
    for conflict in conflicts({name: item.value for name, item in found.items()}, own):
        agree = False
        because = conflict.because
        label = () if because is None else (Label(found[conflict.first].span, because),)
        report.add(
            ConflictingSettings(
                where=found[conflict.second].span,
                because=label,
                problem=conflict.problem,
                detail=conflict.detail,
                advice=conflict.advice,
            )
        )
    return agree
