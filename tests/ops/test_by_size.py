"""One module and one graph serve every size that is left symbolic."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from specc.ir.dims import symbol
from specc.ir.types import TensorType
from specc.ops.registry import operators
from specc.ops.single import single
from specc.targets.torch import module
from tests.ops.agreement import DTYPES, OPSETS, on_onnxruntime

N, T = symbol("N"), symbol("T")
BY_SIZE: list[tuple[str, dict[str, Any], Callable[[torch.Tensor], torch.Tensor]]] = [
    ("div", {"right": T}, lambda x: x / x.shape[1]),
    ("sub", {"left": 2 * T}, lambda x: 2 * x.shape[1] - x),
    ("reshape", {"sizes": (T, -1)}, lambda x: x.reshape(x.shape[1], -1)),
    ("expand", {"sizes": (3, -1, T)}, lambda x: x.expand(3, -1, -1)),
    ("slice", {"items": (("ellipsis",), ("slice", 1, None, 2))}, lambda x: x[..., 1::2]),
    ("slice", {"items": (("index", -1), ("slice", None, T - 1, None))}, lambda x: x[-1, :-1]),
    ("slice", {"items": (("ellipsis",), ("index", T // 2))}, lambda x: x[:, x.shape[1] // 2]),
    ("var", {"dim": (0, 1)}, torch.var),
    ("std", {"dim": 1, "correction": 0}, lambda x: torch.std(x, dim=1, correction=0)),
    ("clamp", {"max": T - 4}, lambda x: x.clamp(max=x.shape[1] - 4)),
    ("flatten", {"start_dim": 0}, lambda x: x.flatten()),
    ("unsqueeze", {"dim": 1}, lambda x: x[:, None]),
]


@pytest.mark.parametrize(("name", "arguments", "expected"), BY_SIZE)
@pytest.mark.parametrize("sizes", [(1, 6), (5, 3)])
def test_one_graph_serves_every_size(
    name: str,
    arguments: dict[str, Any],
    expected: Callable[[torch.Tensor], torch.Tensor],
    sizes: tuple[int, int],
) -> None:
    net = single(operators()[name], (TensorType(DTYPES[torch.float32], (N, T)),), arguments)
    x = torch.linspace(-3, 3, sizes[0] * sizes[1]).reshape(sizes)
    torch.testing.assert_close(module(net)(x), expected(x))
    for opset in OPSETS:
        (found,) = on_onnxruntime(net, [x], opset)
        torch.testing.assert_close(torch.from_numpy(found), expected(x))
