"""Recipes that did not come from a text: they get the same defaults and the same refusals."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from specc.frontend.diagnostics import Fault
from specc.ir.recipe import Choice, Recipe
from specc.recipe.complete import complete

SOUND = Recipe(
    data=Choice(name="digits"),
    loss=Choice(name="cross_entropy"),
    optimizer=Choice(name="adam"),
    epochs=1,
)


def test_defaults_are_filled_in() -> None:
    completed = complete(SOUND)
    assert completed.data == Choice(
        name="digits", arguments={"resize": 8, "normalize": False, "test": 0.2}
    )
    assert completed.schedule == Choice(name="constant")


def test_a_complete_recipe_stays_as_it_is() -> None:
    completed = complete(SOUND)
    assert complete(completed) == completed


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"data": None}, "missing-setting"),
        ({"epochs": None}, "missing-setting"),
        ({"steps": 3}, "conflicting-settings"),
        ({"loss": Choice(name="mse")}, "conflicting-settings"),
        ({"loss": Choice(name="__class__")}, "unknown-setting"),
        ({"optimizer": Choice(name="sgd")}, "missing-setting"),
        ({"optimizer": Choice(name="adam", arguments={"lr": -1.0})}, "bad-setting"),
        ({"optimizer": Choice(name="adam", arguments={"params": 1})}, "unknown-setting"),
        ({"data": Choice(name="npz", arguments={"path": "../x.npz"})}, "path-outside"),
        ({"precision": "f8"}, "unknown-setting"),
        ({"metrics": (Choice(name="loss"),)}, "unknown-setting"),
    ],
)
def test_a_wrong_recipe_is_refused(changes: dict[str, object], code: str) -> None:
    with pytest.raises(Fault) as caught:
        complete(SOUND.model_copy(update=changes))
    assert caught.value.fact.code == code


def test_json_may_not_coerce() -> None:
    with pytest.raises(ValidationError):
        Recipe.model_validate_json('{"epochs": "3"}')
    with pytest.raises(ValidationError):
        Recipe.model_validate_json('{"epochs": 3, "hook": "x"}')
