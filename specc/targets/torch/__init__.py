"""A network as a ``torch.nn.Module``: the emitted source, executed, with keyed initial values."""

from specc.targets.torch.devices import Bound, bind
from specc.targets.torch.export import dynamic_shapes
from specc.targets.torch.module import Weights, module, state_arrays
from specc.targets.torch.tensors import TORCH_DTYPES, is_plain, to_numpy, to_torch

__all__ = [
    "TORCH_DTYPES",
    "Bound",
    "Weights",
    "bind",
    "dynamic_shapes",
    "is_plain",
    "module",
    "state_arrays",
    "to_numpy",
    "to_torch",
]
