"""What users call has an example, which the suite runs as a doctest."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

import specc


def _public() -> Iterator[tuple[str, Any]]:
    for name in specc.__all__:
        if inspect.isfunction(value := getattr(specc, name)):
            yield name, value
    for name, value in vars(specc.Program).items():
        if inspect.isfunction(value) and not name.startswith("_"):
            yield f"Program.{name}", value
    yield "Program.from_json", specc.Program.from_json


PUBLIC = dict(_public())


def test_the_functions_are_found() -> None:
    assert {"compile", "load", "train", "op", "Program.module"} <= PUBLIC.keys()


@pytest.mark.parametrize("name", PUBLIC)
def test_it_has_an_example(name: str) -> None:
    assert ">>> " in (inspect.getdoc(PUBLIC[name]) or "")
