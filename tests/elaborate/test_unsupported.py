"""What the language has and this version does not build is answered at its place, by one error."""

from __future__ import annotations

import pytest

from tests.elaborate.specs import diagnostic, errors, net, sound

RECIPE = "train {{\n data = digits\n loss = cross_entropy\n optimizer = adam\n steps = 1\n {}\n}}\n"


def trained(setting: str) -> str:
    return net("x |> Linear(10)", "(x: [N, 64]) -> [N, 10]") + RECIPE.format(setting)


@pytest.mark.parametrize(
    ("setting", "place"),
    [("devices = cuda:*", "devices = cuda:*"), ("precision = bf16", "bf16")],
)
def test_it_is_answered_at_its_place(setting: str, place: str) -> None:
    assert errors(trained(setting)) == [("not-supported", place)]


def test_the_message_names_the_feature() -> None:
    assert "the setting `devices`" in diagnostic(trained("devices = cuda:*")).message


def test_a_name_is_free_where_the_feature_is_not_meant() -> None:
    sound(net("training = 3\nx * training"))
