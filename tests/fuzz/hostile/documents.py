"""JSON networks that nobody compiled; see also ``tests/ir/test_json.py``.

Each stands beside what the diagnostic says, or ``INERT``.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import specc
from tests.fuzz.hostile.texts import INERT

_SPEC = """
block Inner(width: int)(x: [N, D]) -> [N, width] { x |> fc: Linear(width) |> relu }
net Outer(x: [N, 4]) -> [N, 4] { x |> first: Inner(6) |> second: Inner(4) }
"""
_TREE: dict[str, Any] = json.loads(specc.compile(_SPEC).to_json())
_CODE = '"); import os; os.system("id"); ("'


def _edited(edit: Callable[[dict[str, Any]], object]) -> str:
    tree = copy.deepcopy(_TREE)
    edit(tree)
    return json.dumps(tree)


def _set(*path: Any, to: Any) -> str:
    """The network with another value at a path."""

    def edit(tree: Any) -> None:
        for key in path[:-1]:
            tree = tree[key]
        tree[path[-1]] = to

    return _edited(edit)


def _rename_layer(name: str) -> str:
    """The network whose first layer is called otherwise, wherever it is referred to."""
    return json.dumps(_TREE).replace('"first', f'"{json.dumps(name)[1:-1]}')


_ROOT = _TREE["root"]
_INNER = next(i for i in range(len(_TREE["templates"])) if i != _ROOT)

DOCUMENTS: dict[str, tuple[str, str]] = {
    "as it was compiled": (_edited(lambda tree: None), INERT),
    "no JSON": ("__import__('os').system('id')", "no network"),
    "a number": ("1", "no network"),
    "an empty map": ("{}", "no network"),
    "lists within lists": ("[" * 100_000 + "]" * 100_000, "no network"),
    "maps within maps": ('{"a":' * 50_000 + "1" + "}" * 50_000, "no network"),
    "a field given twice": (json.dumps(_TREE).replace('{"', '{"name": "A", "', 1), "given twice"),
    "another version": (_set("version", to=999), "version"),
    "a version that is a list": (_set("version", to=[1]), "version"),
    "a field that nobody knows": (_set("__class__", to="os"), "__class__"),
    "a name that is code": (_set("name", to=_CODE), "name"),
    "a name that is a path": (_set("name", to="../../etc/passwd"), "name"),
    "a template whose name is code": (_set("templates", _INNER, "name", to=_CODE), "name"),
    "a template whose name is dunders": (
        _set("templates", _INNER, "name", to="__class__"),
        INERT,
    ),
    "documentation that ends a docstring": (
        _set("templates", _INNER, "documentation", to='"""\nimport os\n"""\\'),
        INERT,
    ),
    "documentation with a mark of direction": (
        _set("templates", _INNER, "documentation", to="\u202eimport os"),
        INERT,
    ),
    "a layer whose name is code": (_rename_layer(_CODE), "name"),
    "a layer whose name is dunders": (_rename_layer("__class__"), "name"),
    "a layer whose name is a path": (_rename_layer("../a"), "name"),
    "a layer called forward": (_rename_layer("forward"), "forward"),
    "an operator that is code": (
        json.dumps(_TREE).replace('"Linear"', json.dumps("__import__('os').system")),
        "operator",
    ),
    "an operator of torch that is none": (
        json.dumps(_TREE).replace('"Linear"', '"torch.load"'),
        "operator",
    ),
    "a hole whose name is code": (
        json.dumps(_TREE).replace('"hole": "', '"hole": "__import__(1)'),
        "",
    ),
    "a template that holds itself": (
        _edited(
            lambda tree: tree["templates"][_ROOT]["layers"].update(
                again={"kind": "block", "template": _ROOT, "arguments": {}}
            )
        ),
        "itself",
    ),
    "a template that is not there": (_set("root", to=99), "root"),
    "a root below zero": (_set("root", to=-1), "root"),
    "a huge root": (_set("root", to=10**30), "root"),
    "a root that is no number": (_edited(lambda tree: tree.update(root=float("nan"))), "root"),
    "a type that is code": (
        json.dumps(_TREE).replace('"f32[N, 4]"', '"f32[__import__(1), 4]"'),
        "no network",
    ),
    "a type of a huge size": (
        json.dumps(_TREE).replace('"f32[N, 4]"', f'"f32[N, {"9" * 4000}]"'),
        "no network",
    ),
    "a type of many brackets": (
        json.dumps(_TREE).replace('"f32[N, 4]"', f'"f32[{"(" * 20_000}N, 4]"'),
        "no network",
    ),
    "a type that is a power of powers": (
        json.dumps(_TREE).replace('"f32[N, 4]"', '"f32[N**9**9**9, 4]"'),
        "no network",
    ),
    "a parameter with a name that is a path": (
        _set("parameters", 0, "name", to="../../etc/passwd"),
        "no parameter",
    ),
    "two parameters of one name": (
        _edited(lambda tree: tree["parameters"].append(tree["parameters"][0])),
        "",
    ),
    "an alias that leads to itself": (
        _edited(lambda tree: tree["aliases"].update(a="b", b="a")),
        "",
    ),
    "a source whose name is a path": (
        _set("sources", 0, "name", to="/etc/passwd"),
        "not a relative path",
    ),
    "a span outside of the sources": (
        _set("templates", _ROOT, "span", to=[99, 0, 10**9]),
        "",
    ),
}
