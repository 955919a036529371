"""The ``train`` block of a net, evaluated and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from specc.elaborate.builtins import items_of
from specc.elaborate.context import Frame
from specc.elaborate.facts import DuplicateName, UnknownNet, WrongType
from specc.elaborate.loss import loss_network
from specc.elaborate.scope import Scope
from specc.elaborate.values import (
    POISON,
    BlockConstructor,
    ListValue,
    TupleValue,
    Value,
    describe,
    is_poisoned,
)
from specc.frontend import syntax
from specc.frontend.diagnostics import Fact, Label
from specc.frontend.source import Span
from specc.ir.graph import Network
from specc.ir.recipe import Recipe
from specc.ir.types import TensorType
from specc.recipe.catalogue import Entry
from specc.recipe.check import check
from specc.recipe.freeze import unused
from specc.recipe.losses import entry_of


def recipe_of(
    frame: Frame,
    file: syntax.File,
    net: syntax.ModuleDefinition,
    settings: Mapping[str, syntax.Expression],
    *,
    outputs: Sequence[TensorType] | None,
) -> tuple[Recipe | None, Network | None]:
    """The recipe of ``net`` with the settings from outside, and its loss if that is a block.

    None where it has none, or is wrong. What it says of parameters and outputs is checked where
    the net is right; ``outputs`` are None otherwise.
    """
    block = _block_of(frame, file, net)
    if block is None and not settings:
        return None, None
    where = block.span if block else next(iter(settings.values())).span

    def evaluate(expression: syntax.Expression) -> Any:
        value = frame.evaluate(expression)
        plain = _plain(value)
        if plain is not POISON or is_poisoned(value):
            return plain
        frame.report(
            WrongType(
                where=expression.span,
                what="a setting",
                expected="a number, a string, a list or one of the recipe's entries",
                found=describe(value),
            )
        )
        return POISON

    context = frame.context
    names = (*context.parameters, *context.aliases)

    def stands_for_nothing(pattern: str, where: Span) -> Fact | None:
        context.steps += 3 * len(names)
        context.spend(where)
        return unused(pattern, names, where)

    losses: list[Network] = []

    def block_loss(choice: syntax.Expression) -> Entry | None:
        if outputs is None:
            return Entry("", "")
        loss = loss_network(frame, choice, outputs)
        if loss is None:
            return None
        losses.append(loss)
        return entry_of(loss)

    scope = frame.scope
    blocks = [n for n in scope.visible() if isinstance(_value(scope, n), BlockConstructor)]
    recipe = check(
        block.settings if block else (),
        evaluate,
        settings,
        frame.context.report,
        where,
        failed=POISON,
        defined=blocks,
        block_loss=block_loss,
        unused=stands_for_nothing if outputs is not None else None,
        placed=tuple(context.devices),
    )
    if recipe is None or recipe.loss is None:
        return recipe, None
    # One from outside is read last, and takes the place of the file's.
    own = next((loss for loss in reversed(losses) if loss.name == recipe.loss.name), None)
    return recipe, own


def _value(scope: Scope, name: str) -> Value:
    binding = scope.find(name)
    return None if binding is None else binding.value


def _block_of(
    frame: Frame, file: syntax.File, net: syntax.ModuleDefinition
) -> syntax.TrainDefinition | None:
    nets = {
        d.name
        for d in file.definitions
        if isinstance(d, syntax.ModuleDefinition) and d.kind == "net"
    }
    first: dict[str | None, Span] = {}
    found = None
    for item in file.definitions:
        if not isinstance(item, syntax.TrainDefinition):
            continue
        name = item.net.name if item.net else None
        if item.net is not None and name not in nets:
            frame.report(UnknownNet(where=item.net.span, name=name, nets=tuple(sorted(nets))))
        if name in first:
            frame.report(
                DuplicateName(
                    where=item.span,
                    because=(Label(first[name], "the first"),),
                    name=f"train {name or ''}".strip(),
                )
            )
        first.setdefault(name, item.span)
        if name == net.name or (name is None and found is None):
            found = item
    return found


def _plain(value: Value) -> Any:
    if isinstance(value, ListValue | TupleValue | range):
        items = tuple(_plain(item) for item in items_of(value))
        return POISON if any(item is POISON for item in items) else items
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return POISON
