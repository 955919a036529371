"""What callers hand over in Python: every wrong value is refused in a sentence, none hangs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import specc
from specc.cli.main import main

LISTED = "net Listed(widths: list, rate=0.5)(x: [N, 4]) { x |> Linear(widths[0]) }"


# ---- what an ONNX file says ----------------------------------------------------------------------


def test_an_onnx_file_carries_the_hyperparameters() -> None:
    program = specc.compile(LISTED, widths=[3, 5])
    properties = {p.key: p.value for p in program.onnx().metadata_props}
    assert properties["specc.hyperparameters"] == '{"widths":[3,5],"rate":0.5}'
    stripped = {p.key for p in program.onnx(strip=True).metadata_props}
    assert "specc.hyperparameters" not in stripped
    plain = specc.compile("net Plain(x: [N, 4]) { x |> relu }").onnx()
    assert "specc.hyperparameters" not in {p.key for p in plain.metadata_props}


def test_dtypes_among_the_hyperparameters_are_json() -> None:
    program = specc.compile("net Half(to: dtype = f16)(x: [N, 4]) { x |> Cast(to) }")
    properties = {p.key: p.value for p in program.onnx().metadata_props}
    assert json.loads(properties["specc.hyperparameters"]) == {"to": {"dtype": "f16"}}


# ---- the command line ----------------------------------------------------------------------------


def test_training_without_torch_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Without:
        def find_spec(self, name: str, *rest: object) -> None:
            if name == "torch":
                raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Without(), *sys.meta_path])
    assert main(["train", "std.mlp", "-o", str(tmp_path / "run")]) == 3
    said = capfd.readouterr().err
    assert "torch is not installed" in said
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()
