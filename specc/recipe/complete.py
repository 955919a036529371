"""A recipe that did not come through ``check``: from JSON, from a weight file, made in Python."""

from __future__ import annotations

from collections.abc import Mapping

from specc.frontend.diagnostics import Fault
from specc.ir.graph import Network
from specc.ir.recipe import Choice, Recipe, SettingValue
from specc.recipe.catalogue import SETTINGS, Setting
from specc.recipe.combine import conflicts, missing_settings
from specc.recipe.facts import (
    BadSetting,
    ConflictingSettings,
    MissingSetting,
    PathLeadsOutside,
    UnknownSetting,
)
from specc.recipe.kinds import PATH, Kind, climbs_out
from specc.recipe.losses import entry_of
from specc.recipe.values import shown


def complete(recipe: Recipe, own: Network | None = None) -> Recipe:
    """The recipe with every default filled in, when it is right in all that ``check`` looks at.

    ``own`` is the loss of the network, which the recipe may name beside the built-in ones. A path
    may be absolute: ``check`` lets that pass from outside alone. Raises Fault with the first fact
    that is wrong, what a run lacks included.

    >>> complete(Recipe(
    ...     data=Choice(name="digits"), loss=Choice(name="cross_entropy"),
    ...     optimizer=Choice(name="sgd", arguments={"lr": 1}), epochs=3,
    ... )).optimizer.arguments
    {'lr': 1.0, 'momentum': 0.0, 'weight_decay': 0.0, 'nesterov': False}
    """
    missing = missing_settings(recipe)
    if missing:
        raise Fault(MissingSetting(owner="a training run", names=missing))
    own_name = own.name if own is not None and recipe.loss == Choice(name=own.name) else None
    settings = {name: _setting(setting, recipe, own_name) for name, setting in SETTINGS.items()}
    for conflict in conflicts(settings, entry_of(own) if own is not None and own_name else None):
        raise Fault(
            ConflictingSettings(
                problem=conflict.problem, detail=conflict.detail, advice=conflict.advice
            )
        )
    return Recipe.model_validate(settings)


def _setting(setting: Setting, recipe: Recipe, own_loss: str | None) -> object:
    value = getattr(recipe, setting.name)
    if value is None or (setting.name == "loss" and own_loss is not None):
        return value
    if setting.entries is not None:
        choices = value if setting.many else (value,)
        completed = tuple(_choice(setting, choice) for choice in choices)
        return completed if setting.many else completed[0]
    if setting.kind is not None:
        return _value(setting.name, setting.kind, value)
    if value not in setting.words:
        raise Fault(_unknown(f"there is no {setting.noun}", value, setting.words))
    return value


def _choice(setting: Setting, choice: Choice) -> Choice:
    assert setting.entries is not None, setting.name
    entry = setting.entries.get(choice.name)
    if entry is None:
        raise Fault(_unknown(f"there is no {setting.noun}", choice.name, setting.names))
    given: dict[str, SettingValue] = {}
    for name, value in choice.arguments.items():
        declared = entry.argument(name)
        if declared is None:
            known = tuple(argument.name for argument in entry.arguments)
            raise Fault(_unknown(f"{entry.name} has no argument", name, known))
        given[name] = _value(f"{name} of {entry.name}", declared.kind, value)
    lacking = _lacking(given, {a.name: a.required for a in entry.arguments})
    if lacking:
        raise Fault(MissingSetting(owner=entry.name, names=lacking))
    return Choice(name=entry.name, arguments=entry.complete(given))


def _lacking(given: Mapping[str, object], required: Mapping[str, bool]) -> tuple[str, ...]:
    return tuple(name for name, needed in required.items() if needed and name not in given)


def _value(what: str, kind: Kind, value: SettingValue) -> SettingValue:
    try:
        accepted = kind.accept(value)
    except ValueError as reason:
        fact = BadSetting(what=what, requirement=str(reason), found=shown(value))
        raise Fault(fact) from None
    if kind is PATH and climbs_out(str(accepted)):
        raise Fault(PathLeadsOutside(path=str(accepted)))
    return accepted


def _unknown(problem: str, name: str, known: tuple[str, ...]) -> UnknownSetting:
    return UnknownSetting(problem=problem, name=name, known=known)
