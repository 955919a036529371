"""What the language has and this version does not build is answered at its place, by one error."""

from __future__ import annotations

from tests.elaborate.specs import diagnostic, errors, net, sound

RECIPE = "train {{\n data = digits\n loss = cross_entropy\n optimizer = adam\n steps = 1\n {}\n}}\n"


def trained(setting: str) -> str:
    return net("x |> Linear(10)", "(x: [N, 64]) -> [N, 10]") + RECIPE.format(setting)


def test_it_is_answered_at_its_place() -> None:
    assert errors(trained("precision = bf16")) == [("not-supported", "bf16")]


def test_the_message_names_the_feature() -> None:
    assert "precision bf16" in diagnostic(trained("precision = bf16")).message


def test_a_name_is_free_where_the_feature_is_not_meant() -> None:
    sound(net("training = 3\nx * training"))
