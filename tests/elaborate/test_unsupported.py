"""What the language has and this version does not build is answered at its place, by one error."""

from __future__ import annotations

import pytest

from tests.elaborate.specs import diagnostic, errors, net, sound


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("x |> Linear(4) on left", "Linear(4) on left"),
        ("on left {\n y = x |> Linear(4)\n}\ny", "left"),
    ],
)
def test_it_is_answered_at_its_place(body: str, place: str) -> None:
    assert errors(net(body)) == [("not-supported", place)]


@pytest.mark.parametrize(
    ("definition", "place"),
    [
        ("device left = cuda:0 | cpu", "device left = cuda:0 | cpu"),
    ],
)
def test_a_definition_is_answered_at_its_place(definition: str, place: str) -> None:
    text = net("x |> out: Linear(4)") + definition + "\n"
    assert errors(text) == [("not-supported", place)]


def test_the_message_names_the_feature() -> None:
    found = diagnostic(net("on left {\n y = x |> Linear(4)\n}\ny"))
    assert "`on` a device" in found.message


def test_a_name_is_free_where_the_feature_is_not_meant() -> None:
    sound(net("training = 3\nx * training"))
