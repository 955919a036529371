"""The arithmetic that a run computes in."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from specc.training.metrics import Output

_HALF = {"f16": torch.float16, "bf16": torch.bfloat16}


class Arithmetic:
    """A recipe's ``precision`` on a device.

    ``f16`` and ``bf16`` are mixed: matrices are multiplied in them, as torch.autocast decides, and
    parameters, losses and updates stay f32; for f16 the loss is scaled, so that small gradients do
    not vanish (P. Micikevicius and others, "Mixed precision training", 2018). ``f64`` is double
    throughout, and what was trained is rounded to its own dtypes at the end.
    """

    def __init__(self, precision: str, device: torch.device) -> None:
        self._half = _HALF.get(precision)
        self._double = precision == "f64"
        self._device = device.type
        self._scaler = torch.amp.GradScaler(device.type) if precision == "f16" else None
        self._own: dict[Tensor, torch.dtype] = {}

    def begin(self, model: nn.Module) -> None:
        """Brings a model to the arithmetic, in place."""
        if self._double:
            self._own = {t: t.dtype for t in (*model.parameters(), *model.buffers())}
            for tensor, dtype in self._own.items():
                if dtype.is_floating_point:
                    tensor.data = tensor.data.double()

    def end(self) -> None:
        """Brings the model back to its own dtypes."""
        for tensor, dtype in self._own.items():
            tensor.data = tensor.data.to(dtype)

    def given(self, value: Tensor) -> Tensor:
        """Inputs or targets as the model takes them."""
        return value.double() if self._double and value.is_floating_point() else value

    def computing(self) -> AbstractContextManager[object]:
        """The context of a forward."""
        return torch.autocast(self._device, self._half) if self._half else nullcontext()

    def found(self, output: Output) -> Output:
        """Outputs as the loss takes them."""
        if self._half is None:
            return output
        return tuple(map(_wide, output)) if isinstance(output, tuple) else _wide(output)

    def update(self, loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
        """One update along the gradient of the loss."""
        optimizer.zero_grad()
        if self._scaler is None:
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            return
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self._scaler.step(optimizer)
        self._scaler.update()


def _wide(value: Tensor) -> Tensor:
    return value.float() if value.dtype in _HALF.values() else value
