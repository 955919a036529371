"""Dtype promotion and broadcasting are PyTorch's."""

from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from specc.frontend.diagnostics import Fault
from specc.ir.dims import Dim, symbol
from specc.ir.types import DType, TensorType, parse_type
from specc.ops.apply import complete, infer
from specc.ops.promotion import (
    INTEGER_RANGES,
    BroadcastMismatch,
    broadcast,
    literal_dtype,
    promote,
    promote_all,
    result_dtype,
)
from specc.ops.registry import operators
from specc.targets.torch import TORCH_DTYPES

DTYPES = list(DType)
PAIRS = list(product(DTYPES, DTYPES))
N, T = symbol("N"), symbol("T")


def _is_i16(*dtypes: DType) -> bool:
    """The one pair whose common dtype, i16, the language lacks."""
    return {DType.I8, DType.U8} <= set(dtypes)


@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_two_tensors_are_promoted_as_in_pytorch(left: DType, right: DType) -> None:
    expected = torch.promote_types(TORCH_DTYPES[left], TORCH_DTYPES[right])
    if _is_i16(left, right):
        assert expected is torch.int16
        assert result_dtype(left, right) is DType.I32
    else:
        assert TORCH_DTYPES[result_dtype(left, right)] is expected


@pytest.mark.parametrize(("left", "right"), PAIRS)
@pytest.mark.parametrize("ranks", [(0, 0), (0, 1), (1, 0), (2, 1)])
def test_a_scalar_tensor_gives_only_its_category(
    left: DType, right: DType, ranks: tuple[int, int]
) -> None:
    types = [TensorType(d, (2,) * rank) for d, rank in zip((left, right), ranks, strict=True)]
    tensors = [torch.empty((2,) * t.rank, dtype=TORCH_DTYPES[t.dtype]) for t in types]
    expected = torch.result_type(*tensors)
    if expected is not torch.int16:
        assert TORCH_DTYPES[promote(*types)] is expected


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", [True, 3, 2.5])
def test_a_number_meets_a_tensor_as_in_pytorch(dtype: DType, number: float) -> None:
    tensor = torch.ones(2, dtype=TORCH_DTYPES[dtype])
    assert TORCH_DTYPES[literal_dtype(dtype, number)] is torch.result_type(tensor, number)


def test_a_size_meets_a_tensor_as_an_int() -> None:
    assert literal_dtype(DType.BOOL, T) is DType.I64
    assert literal_dtype(DType.F16, T) is DType.F16


@pytest.mark.parametrize(
    "texts",
    [
        ("f32[2]", "i64[2]"),
        ("f16[2]", "bf16[2]", "i8[2]"),
        ("bool[2]", "u8[2]", "i64[2]"),
        ("f64[2]", "f32[2]"),
    ],
)
def test_concatenated_tensors_are_promoted_as_in_pytorch(texts: tuple[str, ...]) -> None:
    types = [parse_type(text) for text in texts]
    joined = torch.cat([torch.ones(2, dtype=TORCH_DTYPES[t.dtype]) for t in types])
    assert TORCH_DTYPES[promote_all(types)] is joined.dtype


@pytest.mark.parametrize("dtype", INTEGER_RANGES)
def test_the_range_of_an_integer_dtype_is_pytorchs(dtype: DType) -> None:
    info = torch.iinfo(TORCH_DTYPES[dtype])
    assert INTEGER_RANGES[dtype] == (info.min, info.max)


# ---- broadcasting --------------------------------------------------------------------------------

_SHAPES = st.lists(st.sampled_from([1, 2, 3]), max_size=4).map(tuple)


@given(_SHAPES, _SHAPES)
def test_static_shapes_broadcast_as_in_pytorch(
    left: tuple[int, ...], right: tuple[int, ...]
) -> None:
    shape = broadcast(left, right)
    try:
        expected = tuple(torch.broadcast_shapes(left, right))
    except RuntimeError:
        assert isinstance(shape, BroadcastMismatch)
        assert shape.is_certain
        assert left[shape.axis] == shape.left != shape.right == right[shape.axis]
    else:
        assert shape == expected


def test_a_symbolic_size_broadcasts_with_itself_and_with_1() -> None:
    assert broadcast((N, 1, 2 * T), (T, T + T)) == (N, T, 2 * T)
    assert broadcast((), (N,)) == (N,)


@pytest.mark.parametrize(
    ("other", "is_certain"), [(5, False), (T, False), (2 * T, False), (N + 1, True), (N // 2, True)]
)
def test_a_symbolic_size_broadcasts_with_nothing_else(other: Dim, is_certain: bool) -> None:
    for pair in (((N,), (other,)), ((other,), (N,))):
        shape = broadcast(*pair)
        assert isinstance(shape, BroadcastMismatch)
        assert shape.is_certain == is_certain


@pytest.mark.parametrize(
    ("left", "right", "position"),
    [
        ("f32[2, 64]", "f32[2, 32]", "the last dim"),
        ("f32[4, 2, 3]", "f32[4, 5, 3]", "dim 1 of 3"),
        ("f32[4, 2, 3]", "f32[5, 3]", "dim -2"),
    ],
)
def test_a_mismatch_says_where_it_is(left: str, right: str, position: str) -> None:
    add = operators()["add"]
    types = parse_type(left), parse_type(right)
    with pytest.raises(Fault) as fault:
        infer(add, types, complete(add, {}))
    assert fault.value.fact.message.endswith(f"differ in {position}")
    assert fault.value.fact.label == f"cannot add {types[0].shape_text} and {types[1].shape_text}"
