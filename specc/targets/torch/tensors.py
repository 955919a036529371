"""Arrays as tensors and back, bfloat16 included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ml_dtypes
import numpy as np
import torch
from numpy.typing import NDArray

from specc.ir.types import DType

TORCH_DTYPES: Mapping[DType, torch.dtype] = {
    DType.F16: torch.float16,
    DType.BF16: torch.bfloat16,
    DType.F32: torch.float32,
    DType.F64: torch.float64,
    DType.I8: torch.int8,
    DType.I32: torch.int32,
    DType.I64: torch.int64,
    DType.U8: torch.uint8,
    DType.BOOL: torch.bool,
}
"""How torch calls each element type."""


_WITHOUT_NAME = {torch.int16, torch.uint16, torch.uint32, torch.uint64}
"""Element types of files that the language has no name for."""


def is_plain(tensor: torch.Tensor) -> bool:
    """Whether it is dense, and of an element type that arrays and safetensors files have."""
    known = tensor.dtype in _WITHOUT_NAME or tensor.dtype in TORCH_DTYPES.values()
    return known and tensor.layout is torch.strided


def to_torch(array: NDArray[Any]) -> torch.Tensor:
    """A tensor that shares the array's memory where that is writable; bfloat16 is ml_dtypes'."""
    array = np.ascontiguousarray(array).reshape(np.shape(array))
    if not array.flags.writeable:
        array = array.copy()
    if array.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(array.view(np.uint16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def to_numpy(tensor: torch.Tensor) -> NDArray[Any]:
    """An array of its own with the tensor's values."""
    tensor = tensor.detach().cpu().contiguous()
    if tensor.dtype is torch.bfloat16:
        bits: NDArray[Any] = tensor.view(torch.uint16).numpy()
        bfloats: NDArray[Any] = bits.view(ml_dtypes.bfloat16)
        return bfloats.copy()
    array: NDArray[Any] = tensor.numpy()
    return array.copy()
