"""No text of a network becomes code: hostile strings in every place of the IR that holds one."""

from __future__ import annotations

import ast
import itertools
from typing import Any

import pytest

from specc.frontend.diagnostics import Fault
from specc.ir import graph
from specc.ir.graph import Network
from specc.targets.python import EmitError, source
from tests.targets.zoo import ZOO

HOSTILE = [
    '"); import os; os.system("touch pwned"); ("',
    "'); __import__('os').system('touch pwned'); ('",
    '"""\nimport os\nos.system("touch pwned")\n"""',
    "'''\nimport os\n'''",
    "x\nimport os",
    "x\rimport os",
    "x\x0cimport os",
    "x\u2028import os",
    "x\x85import os",
    "\\",
    "\\\nimport os",
    '\\"""\nimport os',
    "x): import os #",
    "# coding: rot13",
    "{__import__('os')}",
    "\x00",
    "\u202eimport os",
    "\ud800",
    "__import__",
    "exec",
    "os.system",
    "class",
    "lambda: 0",
    "self.__class__",
    "\uff45\uff58\uff45\uff43",
    "x; y",
    "A" * 5000,
]
KNOWN_NAMES = {
    "F",
    "OrderedDict",
    "ValueError",
    "float",
    "getattr",
    "isinstance",
    "nn",
    "super",
    "torch",
}


def strings(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all strings of a JSON document, keys of free-form objects among them."""
    if isinstance(value, str):
        return [path]
    entries: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        entries = list(value.items())
    elif isinstance(value, list):
        entries = list(enumerate(value))
    found = [p for key, item in entries for p in strings(item, (*path, key))]
    free = value if isinstance(value, dict) else ()
    return found + [(*path, "key of", key) for key in free if key not in FIELDS]


# A document with another name for one of these is no network at all.
FIELDS = {
    field
    for model in vars(graph).values()
    if isinstance(model, type) and issubclass(model, graph.Model)
    for field in model.model_fields
}


def replaced(value: Any, path: tuple[Any, ...], text: str) -> Any:
    """The document with ``text`` at the path."""
    if not path:
        return text
    if path[0] == "key of":
        return {text if key == path[1] else key: item for key, item in value.items()}
    if isinstance(value, list):
        return [replaced(v, path[1:], text) if i == path[0] else v for i, v in enumerate(value)]
    return {k: replaced(v, path[1:], text) if k == path[0] else v for k, v in value.items()}


def renamed(value: Any, old: str, new: str) -> Any:
    """The document in which ``old`` is ``new`` wherever it stands, so references still hold."""
    if isinstance(value, dict):
        return {renamed(k, old, new): renamed(v, old, new) for k, v in value.items()}
    if isinstance(value, list):
        return [renamed(item, old, new) for item in value]
    if isinstance(value, str):
        parts = value.split(".")
        if value == old:
            return new
        if old in parts:
            return ".".join(new if part == old else part for part in parts)
    return value


def outcome(document: Any) -> str | None:
    """The source of a document; None where it is refused, as it may be."""
    try:
        return source(Network.model_validate(document))
    except (EmitError, Fault, ValueError, KeyError):
        return None


def assert_harmless(text: str) -> None:
    """The source imports torch alone, and calls nothing but torch, its own classes and modules."""
    tree = ast.parse(text)
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    for node in tree.body:
        assert isinstance(node, ast.Import | ast.ImportFrom | ast.ClassDef), ast.dump(node)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
            assert names <= {"torch", "torch.nn.functional", "math"}
        if isinstance(node, ast.ImportFrom):
            assert node.module in {"torch", "collections"}
            assert {alias.name for alias in node.names} <= {"nn", "OrderedDict"}
        assert not isinstance(node, ast.Lambda | ast.Global | ast.Delete | ast.With | ast.Try)
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("__") or node.attr == "__init__"
    for made in tree.body:
        if isinstance(made, ast.ClassDef):
            for method in made.body:
                if isinstance(method, ast.FunctionDef):
                    assert_method_is_harmless(method, classes)
                else:  # a docstring
                    assert isinstance(method, ast.Expr | ast.Pass)
                    assert isinstance(method, ast.Pass) or isinstance(method.value, ast.Constant)


def assert_method_is_harmless(method: ast.FunctionDef, classes: set[str]) -> None:
    assert method.name in {"__init__", "forward", "reset_parameters"}
    local = {argument.arg for argument in method.args.args}
    local |= {
        node.id
        for node in ast.walk(method)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for node in ast.walk(method):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            assert node.id in local | classes | KNOWN_NAMES, node.id
        if isinstance(node, ast.Call):
            function = node.func
            while isinstance(function, ast.Attribute | ast.Subscript | ast.Call):
                function = function.func if isinstance(function, ast.Call) else function.value
            assert isinstance(function, ast.Name | ast.BinOp), ast.dump(node)


@pytest.mark.parametrize("name", ZOO)
def test_the_judge_accepts_honest_sources(name: str) -> None:
    assert_harmless(source(ZOO[name]()))


@pytest.mark.parametrize(
    "text",
    [
        "import os",
        "from torch import nn\nclass A(nn.Module):\n    x = open('f')",
        "from torch import nn\nclass A(nn.Module):\n    def forward(self):\n        open('f')",
        "from torch import nn\nclass A(nn.Module):\n    def forward(self):\n        self.__class__",
        "print(1)",
    ],
)
def test_the_judge_finds_foreign_code(text: str) -> None:
    with pytest.raises(AssertionError):
        assert_harmless(text)


@pytest.mark.parametrize("name", ZOO)
def test_one_hostile_string_anywhere(name: str) -> None:
    document = ZOO[name]().model_dump(mode="json")
    emitted = 0
    places = strings(document)
    # Every text in every place would take minutes, so the texts take turns.
    for path, text in zip(places, itertools.cycle(HOSTILE), strict=False):
        found = outcome(replaced(document, path, text))
        if found is not None:
            emitted += 1
            assert_harmless(found)
    assert emitted > len(places) / 6


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_wherever_it_is_referred_to(text: str) -> None:
    for name, olds in (
        ("lenet", ["conv1", "LeNet", "x", "lenet.net", "specc 0.1.0", "N"]),
        ("residual", ["layer1.0", "channels", "in_channels", "downsample", "Residual"]),
        ("lists", ["hidden", "features", "towers", "a", "classifier"]),
        ("own_state", ["weight", "units", "MyLinear"]),
        ("captured", ["norm", "first"]),
        ("heads", ["q", "scores"]),
        ("fixed_hidden", ["rand_weight", "A hidden layer that is never trained."]),
    ):
        document = ZOO[name]().model_dump(mode="json")
        for old in olds:
            found = outcome(renamed(document, old, text))
            if found is not None:
                assert_harmless(found)


def test_some_hostile_names_are_kept_as_strings() -> None:
    """Guards the test above: a refusal of everything would pass it."""
    document = ZOO["lists"]().model_dump(mode="json")
    kept = [t for t in HOSTILE if outcome(renamed(document, "hidden", t)) is not None]
    assert len(kept) > len(HOSTILE) / 2
