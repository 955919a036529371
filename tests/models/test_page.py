"""``docs/models.md`` is up to date, its commands mean something, its lines are counted fairly."""

from __future__ import annotations

import inspect
import re
import shlex
from importlib import import_module
from pathlib import Path

import onnx
import pytest

import specc
from specc.cli import source
from specc.cli.arguments import parser
from specc.cli.main import main
from specc.cli.terminal import Terminal
from specc.frontend.resources import resource, resource_names
from tests import pages
from tests.models import lines
from tests.models.page import PAGE, page
from tests.models.published import COURSE, MODELS, Model
from tests.models.references import torchvision

TEXT = PAGE.read_text(encoding="utf-8")
COMMANDS = sorted({command for command, _ in pages.sessions(pages.blocks(TEXT))})


def test_the_page_is_up_to_date() -> None:
    assert page() == TEXT, "run `make docs`"


def test_every_spec_is_on_the_page() -> None:
    shown = [*(model.spec for model in MODELS), *COURSE]
    assert sorted(f"{spec}.net" for spec in shown) == sorted(resource_names("specs"))


def test_links_lead_somewhere() -> None:
    assert pages.dangling_links(TEXT) == set()
    paths = re.findall(r"\]\(([^#)]+)\)", TEXT)
    assert len(paths) > len(COURSE)
    assert [path for path in paths if not (PAGE.parent / path).exists()] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_one_that_specc_takes(command: str) -> None:
    _, *arguments = shlex.split(command)
    compiled = source.program(parser().parse_args(arguments), Terminal())
    assert compiled.parameters()


def test_what_is_saved_as_the_page_says_is_built(tmp_path: Path) -> None:
    reference = torchvision().resnet18()
    specc.save(tmp_path / "resnet18.safetensors", reference.state_dict())
    weights, graph = str(tmp_path / "resnet18.safetensors"), str(tmp_path / "resnet18.onnx")
    arguments = ["build", "std.resnet", "--set", "depth=18", "--weights", weights, "-o", graph]
    assert main([*arguments, "--no-verify"]) == 0
    initializers = {tensor.name: tensor for tensor in onnx.load(graph).graph.initializer}
    for name, parameter in reference.named_parameters():
        assert (onnx.numpy_helper.to_array(initializers[name]) == parameter.detach().numpy()).all()


# ---- lines ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("spec", "most"), [("alexnet", 20), ("resnet", 45), ("gpt2", 45)])
def test_a_spec_is_no_longer_than_its_figure(spec: str, most: int) -> None:
    assert 0 < lines.spec_lines(resource("specs", f"{spec}.net")) <= most


@pytest.mark.parametrize("model", [m for m in MODELS if m.parts], ids=lambda model: model.spec)
def test_a_class_is_counted_only_where_the_network_is_made_of_it(model: Model) -> None:
    references = [size.reference() for size in model.sizes if size.reference is not None]
    made = {type(module) for reference in references for module in reference.modules()}
    bases = {(base.__module__, base.__name__) for kind in made for base in kind.__mro__}
    named = {(module, name) for module, names in model.parts.items() for name in names}
    classes = {pair for pair in named if inspect.isclass(getattr(import_module(pair[0]), pair[1]))}
    assert classes
    assert classes <= bases


PYTHON = """\
'Of the module.'

LIMITS: dict[str, int] = {
    # a comment
    "wide": 3,
}

class Other:
    pass

@decorated(
    3
)
class Counted(Base):
    '''What it is,

    at length.
    '''

    size = 3  # behind code

    def give(self):
        "What it gives."
        text = '''one
        two'''

        return text
"""


def test_lines_of_python_are_counted_without_documentation() -> None:
    assert lines.definition_lines(PYTHON, "LIMITS") == 3
    assert lines.definition_lines(PYTHON, "Counted") == 3 + 1 + 1 + 4
    assert lines.definition_lines(PYTHON, "Counted", "LIMITS") == 12
    with pytest.raises(KeyError):
        lines.definition_lines(PYTHON, "Missing")


NET = """\
# What it is.
from std.blocks import Residual

net Small(x: [N, 3, 8, 8]) -> [N, 8, 8, 8] {
    # A comment.
    x |> Residual(8)      # behind code
}
"""


def test_lines_of_a_spec_are_counted_with_what_it_imports(tmp_path: Path) -> None:
    spec = tmp_path / "small.net"
    spec.write_text(NET, encoding="utf-8")
    block = lines.imported(spec)
    assert list(block) == ["Residual"]
    assert block["Residual"].startswith("block Residual(")
    assert block["Residual"].endswith("}")
    assert lines.spec_lines(spec) == 4 + 8
