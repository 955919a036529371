"""Small specs, compiled: sound networks that run, and errors with the text that they point at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

import specc
from specc.invariants import verify
from specc.ir.dims import evaluate, parse_dim

_TORCH = {"f16": torch.float16, "f32": torch.float32, "f64": torch.float64, "i64": torch.int64}
_TORCH |= {"bool": torch.bool, "i32": torch.int32, "u8": torch.uint8, "bf16": torch.bfloat16}
SIZE = 4  # of each symbolic dim, unless a test says otherwise


def inputs(program: specc.Program, sizes: Mapping[str, int] | None = None) -> list[torch.Tensor]:
    """Inputs for a program: normal floats, and the integers 1 and 2."""
    made = []
    generator = torch.Generator().manual_seed(0)
    for port in program.inputs:
        shape = [_size(dim, sizes or {}) for dim in port.dims]
        dtype = _TORCH[port.dtype]
        if dtype.is_floating_point:
            made.append(torch.randn(shape, generator=generator).to(dtype))
        else:
            made.append(torch.randint(1, 3, shape, generator=generator).to(dtype))
    return made


def _size(dim: int | str, sizes: Mapping[str, int]) -> int:
    if isinstance(dim, int):
        return dim
    expression = parse_dim(dim)
    environment = {name: sizes.get(name, SIZE) for name in getattr(expression, "symbols", ())}
    return evaluate(expression, environment)


def results(module: nn.Module, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """What a module gives in evaluation mode, as a tuple."""
    with torch.no_grad():
        given = module.eval()(*tensors)
    return given if isinstance(given, tuple) else (given,)


def sound(text: str, sizes: Mapping[str, int] | None = None, **options: Any) -> specc.Program:
    """Compiles a spec; asserts that its IR is sound and that its module gives what it says."""
    program = specc.compile(text, **options)
    assert verify(program.network) == []
    module = program.module()
    assert list(module.state_dict()) is not None
    given = results(module, *inputs(program, sizes))
    expected = [tuple(_size(dim, sizes or {}) for dim in port.dims) for port in program.outputs]
    assert [tuple(tensor.shape) for tensor in given] == expected
    assert [tensor.dtype for tensor in given] == [_TORCH[port.dtype] for port in program.outputs]
    return program


def agrees(program: specc.Program, folder: Path) -> onnx.ModelProto:
    """Builds the ONNX file, which checks that onnxruntime and PyTorch agree, and gives it."""
    built = program.build(folder / "x.onnx")
    assert built.parity is not None
    return onnx.load(built.paths[0])


def names(program: specc.Program) -> list[str]:
    """The names of all state."""
    return [parameter.name for parameter in program.network.parameters]


def start(program: specc.Program, name: str) -> tuple[str, dict[str, Any]]:
    """How a parameter starts: its initializer's name and arguments."""
    (parameter,) = [p for p in program.network.parameters if p.name == name]
    return parameter.initializer.name, dict(parameter.initializer.arguments)


def values(program: specc.Program, name: str) -> np.ndarray[Any, Any]:
    """A parameter's initial values in the module."""
    return program.module().state_dict()[name].numpy()


def errors(text: str, **options: Any) -> list[tuple[str, str]]:
    """The code of each error, and the text that it points at."""
    with pytest.raises(specc.SpecError) as caught:
        specc.compile(text, **options)
    error = caught.value
    assert str(error)  # it can be rendered
    return [
        (d.code, error.sources.text(d.primary.span) if d.primary else "")
        for d in error.diagnostics
        if d.severity == "error"
    ]


def diagnostic(text: str, **options: Any) -> specc.Diagnostic:
    """The one error of a spec."""
    with pytest.raises(specc.SpecError) as caught:
        specc.compile(text, **options)
    (found,) = [d for d in caught.value.diagnostics if d.severity == "error"]
    return found


def net(body: str, header: str = "(x: [N, 4])") -> str:
    """A net of one body."""
    return f"net A{header} {{\n{body}\n}}\n"
