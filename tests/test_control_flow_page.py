"""``docs/control_flow.md`` is true: what is said there of torch's exporters, and of specc."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

import specc
from specc.targets.torch import dynamic_shapes
from tests import pages


@pytest.fixture(scope="session")
def page(root: Path) -> str:
    """The page's text."""
    return (root / "docs" / "control_flow.md").read_text(encoding="utf-8")


def blocks(page: str, kind: str) -> list[str]:
    return [block.text for block in pages.blocks(page, kind)]


def in_order(parts: list[str], text: str) -> bool:
    """Whether the parts stand in the text, one behind the other."""
    pattern = ".*".join(re.escape(part.strip()) for part in parts)
    return re.search(pattern, text, re.DOTALL) is not None


@pytest.fixture(scope="session")
def by_hand(page: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], nn.Module]:
    """The class of the page, from a file, so that torch can show its lines."""
    file = tmp_path_factory.mktemp("page") / "fixed_hidden_by_hand.py"
    file.write_text(blocks(page, "python")[0], encoding="utf-8")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: Callable[[], nn.Module] = module.FixedHidden
    return made


@pytest.fixture(scope="session")
def program(page: str) -> specc.Program:
    (text,) = blocks(page, "net")
    return specc.compile(text)


def test_torchs_exporter_ends_with_the_error_that_is_shown(
    page: str, by_hand: Callable[[], nn.Module], tmp_path: Path
) -> None:
    pytest.importorskip("onnxscript")
    module, x, file = by_hand().eval(), torch.rand(2, 20), tmp_path / "exported.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(Exception, match="Failed to export") as caught:
            torch.onnx.export(module, (x,), file, verbose=False)
    kind = caught.type
    said = f"{kind.__module__}.{kind.__qualname__}: {caught.value}"
    assert in_order(blocks(page, "text")[0].split("...\n"), said)


def test_the_tracing_exporter_warns_and_answers_wrongly(
    page: str, by_hand: Callable[[], nn.Module], tmp_path: Path
) -> None:
    pytest.importorskip("onnxscript")
    torch.manual_seed(0)
    module, x = by_hand().eval(), torch.rand(2, 20)
    file = tmp_path / "traced.onnx"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.onnx.export(module, (x,), file, dynamo=False)
    said = [f"{warning.category.__name__}: {warning.message}" for warning in caught]
    assert any(in_order([blocks(page, "text")[1]], text) for text in said)
    traced = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    (name,) = (value.name for value in traced.get_inputs())

    def differs(given: torch.Tensor) -> float:
        (answer,) = traced.run(None, {name: given.numpy()})
        return abs(float(answer) - module(given).item())

    assert differs(x) < 1e-5
    assert differs(100 * x) > 0.1


def test_the_emitted_python_is_what_is_shown(page: str, program: specc.Program) -> None:
    assert blocks(page, "python")[1] in program.python()


def test_the_loop_is_a_loop_and_answers_as_pytorch_does(
    program: specc.Program, by_hand: Callable[[], nn.Module]
) -> None:
    model = program.onnx()
    (loop,) = (node for node in model.graph.node if node.op_type == "Loop")
    (body,) = (onnx.helper.get_attribute_value(attribute) for attribute in loop.attribute)
    assert "Div" in [node.op_type for node in body.node]
    running = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    module = by_hand()
    module.load_state_dict(program.module().state_dict(), strict=True)
    random = np.random.default_rng(0)
    for _ in range(100):
        x = random.standard_normal((3, 20)).astype(np.float32) * 10 ** random.uniform(-2, 3)
        (answer,) = running.run(None, {"x": x.astype(np.float32)})
        expected = module(torch.from_numpy(x.astype(np.float32))).item()
        assert answer == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_gradients_are_those_of_the_module_by_hand(
    program: specc.Program, by_hand: Callable[[], nn.Module]
) -> None:
    ours, theirs = program.module(), by_hand()
    theirs.load_state_dict(ours.state_dict(), strict=True)
    x = torch.randn(2, 20) * 50
    ours(x).backward()
    theirs(x).backward()
    for name, parameter in theirs.named_parameters():
        torch.testing.assert_close(ours.get_parameter(name).grad, parameter.grad)


def test_torch_export_refuses_our_module_for_the_same_reason(program: specc.Program) -> None:
    """Torch's own error, which names the loop in the emitted source."""
    shapes = dynamic_shapes(program.network)
    with pytest.raises(Exception, match="Could not guard on data-dependent expression") as caught:
        torch.export.export(program.module().eval(), (torch.rand(3, 20),), dynamic_shapes=shapes)
    assert caught.type.__module__.startswith("torch.")
    assert "while torch.sum(torch.abs(x)) > 1:" in str(caught.value)


def run(folder: Path, line: str) -> str:
    arguments = line.removeprefix("$ specc ").split()
    done = subprocess.run(
        [sys.executable, "-m", "specc", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    return done.stdout + done.stderr


def test_the_sessions_are_as_shown(page: str, tmp_path: Path) -> None:
    (tmp_path / "fixed_hidden.net").write_text(blocks(page, "net")[0], encoding="utf-8")
    (tmp_path / "endless.net").write_text(blocks(page, "net-endless")[0], encoding="utf-8")
    sessions: list[Any] = blocks(page, "console")
    assert len(sessions) == 2
    for session in sessions:
        line, _, shown = session.partition("\n")
        number = r"\d+\.\d+(?:e[-+]\d+)?"
        pattern = number.join(map(re.escape, re.split(number, shown)))
        assert re.match(pattern, run(tmp_path, line)), line
