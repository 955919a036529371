"""The module: the emitted source with keyed values, and a good citizen of PyTorch."""

from __future__ import annotations

import copy
import inspect
import io
import pickle
import traceback
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch
from torch import nn

from specc.ir.graph import Network
from specc.ir.types import parse_type
from specc.ops.registry import operators
from specc.ops.single import single
from specc.targets.initial_values import initial_values
from specc.targets.python import source
from specc.targets.torch import module, state_arrays, to_numpy, to_torch
from tests.targets.networks import Body, network
from tests.targets.zoo import ZOO

INPUTS: dict[str, tuple[torch.Tensor, ...]] = {
    "lenet": (torch.randn(2, 1, 28, 28),),
    "residual": (torch.randn(2, 3, 8, 12),),
    "fixed_hidden": (torch.randn(3, 20),),
    "tied": (torch.randint(30, (2, 5)),),
    "heads": (torch.randn(2, 5, 12),),
    "lists": (torch.randn(2, 3, 8, 8),),
    "captured": (torch.randn(2, 6),),
    "own_state": (torch.randn(2, 5),),
}


def test_every_network_has_inputs() -> None:
    assert set(INPUTS) == set(ZOO)


@pytest.mark.parametrize("name", ZOO)
def test_the_module_holds_the_keyed_initial_values(name: str) -> None:
    made = ZOO[name]()
    found = module(made, seed=7).state_dict()
    expected = dict(initial_values(made.parameters, 7))
    assert list(found) == sorted(found, key=list(found).index)
    assert set(found) == set(expected)
    for key, array in expected.items():
        np.testing.assert_array_equal(to_numpy(found[key]), array)


@pytest.mark.parametrize("name", ZOO)
def test_the_module_computes_what_its_source_does(name: str) -> None:
    made = ZOO[name]()
    ours = module(made)
    namespace: dict[str, Any] = {"__name__": "emitted"}
    exec(source(made), namespace)
    theirs = namespace[made.name]()
    theirs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(ours(*INPUTS[name]), theirs(*INPUTS[name]))


def test_the_global_random_state_is_left_alone() -> None:
    before = torch.get_rng_state()
    for name in ZOO:
        module(ZOO[name]())
    assert torch.equal(torch.get_rng_state(), before)


def test_the_seed_alone_decides() -> None:
    first, second, other = (module(ZOO["lenet"](), seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.conv1.weight, second.conv1.weight)
    assert not torch.equal(first.conv1.weight, other.conv1.weight)


def test_what_trains_and_what_does_not() -> None:
    ours = module(ZOO["fixed_hidden"]())
    assert ours.training
    assert type(ours).__name__ == "FixedHidden"
    assert {n for n, p in ours.named_parameters() if p.requires_grad} == {
        "linear.weight",
        "linear.bias",
    }
    assert "rand_weight" in dict(ours.named_buffers())


@pytest.mark.parametrize("name", ZOO)
def test_a_copy_is_independent_and_computes_the_same(name: str) -> None:
    ours = module(ZOO[name]()).eval()
    other = copy.deepcopy(ours)
    torch.testing.assert_close(ours(*INPUTS[name]), other(*INPUTS[name]))
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1)
    assert not torch.equal(next(ours.parameters()), next(other.parameters()))


def test_source_is_shown_by_tracebacks_and_inspect() -> None:
    ours = module(ZOO["lenet"]())
    with pytest.raises(RuntimeError) as caught:
        ours(torch.randn(2, 2, 28, 28))
    text = "".join(traceback.format_exception(caught.value))
    assert "x = F.avg_pool2d(torch.sigmoid(self.conv1(x)), 2)" in text
    assert inspect.getsource(type(ours)) in source(ZOO["lenet"]())


@pytest.mark.parametrize("name", ["heads", "lists", "captured", "own_state"])
def test_torch_compile_takes_the_whole_graph(name: str) -> None:
    ours = module(ZOO[name]()).eval()
    compiled = torch.compile(ours, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(*INPUTS[name]), ours(*INPUTS[name]))


@pytest.mark.parametrize("name", ZOO)
def test_a_pickle_goes_out_and_in(name: str) -> None:
    ours = module(ZOO[name](), seed=2).eval()
    other = pickle.loads(pickle.dumps(ours))
    torch.testing.assert_close(other(*INPUTS[name]), ours(*INPUTS[name]))


def test_a_state_dict_goes_through_a_file() -> None:
    made = ZOO["tied"]()
    ours, other = module(made, seed=1), module(made, seed=2)
    file = io.BytesIO()
    torch.save(ours.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True), strict=True)
    assert torch.equal(ours(*INPUTS["tied"]), other(*INPUTS["tied"]))


# ---- weights -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ZOO)
def test_weights_go_out_and_in(name: str) -> None:
    made = ZOO[name]()
    ours = module(made, seed=3)
    weights = state_arrays(ours, made)
    assert list(weights) == [p.name for p in made.parameters]
    other = module(made, weights=weights)
    torch.testing.assert_close(other.state_dict(), ours.state_dict(), rtol=0, atol=0)


def test_the_module_does_not_share_memory_with_the_weights() -> None:
    made = ZOO["captured"]()
    weights = state_arrays(module(made), made)
    ours = module(made, weights=weights)
    with torch.no_grad():
        ours.norm.weight.zero_()
    assert weights["norm.weight"].all()


def test_an_alias_may_stand_beside_its_owner_where_they_agree() -> None:
    made = ZOO["tied"]()
    weights = state_arrays(module(made), made)
    owner = weights["embed.weight"]
    assert module(made, weights={**weights, "head.weight": owner})
    alone = {name: array for name, array in weights.items() if name != "embed.weight"}
    ours = module(made, weights={**alone, "head.weight": owner})
    np.testing.assert_array_equal(to_numpy(ours.embed.weight), owner)
    with pytest.raises(ValueError, match=r"head\.weight and embed\.weight are one parameter"):
        module(made, weights={**weights, "head.weight": owner + 1})


def test_a_state_dict_may_hold_aliases_where_they_agree() -> None:
    made = ZOO["tied"]()
    for ours in (module(made), copy.deepcopy(module(made))):
        state = dict(module(made, seed=5).state_dict())
        state["head.weight"] = state["embed.weight"].clone()
        ours.load_state_dict(state, strict=True)
        assert torch.equal(ours.embed.weight, state["embed.weight"])
        before = ours.embed.weight.clone()
        state["head.weight"] = state["head.weight"] + 1
        state["embed.weight"] = state["embed.weight"] * 2
        with pytest.raises(ValueError, match="their values differ"):
            ours.load_state_dict(state)
        assert torch.equal(ours.embed.weight, before)
        del state["embed.weight"]
        ours.load_state_dict(state)
        assert torch.equal(ours.embed.weight, state["head.weight"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fc.bias": None}, "fc.bias is missing"),
        ({"fc.scale": np.ones(2, np.float32)}, "fc.scale is unexpected"),
        ({"fc.bias": np.ones(9, np.float32)}, r"fc.bias is \[9\], not \[10\]"),
        ({"fc.bias": np.ones(10, np.float64)}, "fc.bias is of float64, not float32"),
    ],
)
def test_weights_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    made = ZOO["residual"]()
    weights = {**state_arrays(module(made), made), **change}
    given = {name: array for name, array in weights.items() if array is not None}
    with pytest.raises(ValueError, match=message):
        module(made, weights=given)


def test_a_module_that_lacks_a_parameter_is_refused() -> None:
    with pytest.raises(ValueError, match="the module has no"):
        state_arrays(nn.Linear(2, 2), ZOO["lenet"]())


# ---- dtypes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["f16", "bf16", "f64"])
def test_parameters_have_their_inputs_dtype(dtype: str) -> None:
    types = (parse_type(f"{dtype}[3, 4]"),)
    made = single(operators()["Linear"], types, {"features": 5})
    ours = module(made)
    x = torch.randn(3, 4).to(ours.layer.weight.dtype)
    assert ours(x).dtype == x.dtype
    weights = state_arrays(ours, made)
    other = module(made, weights=weights, seed=1)
    assert torch.equal(other.layer.weight, ours.layer.weight)
    assert other.layer.weight.dtype == x.dtype


def test_bfloat16_keeps_its_bits() -> None:
    array = np.array([1.5, -0.0, np.inf, 3e38], ml_dtypes.bfloat16)
    tensor = to_torch(array)
    assert tensor.dtype is torch.bfloat16
    np.testing.assert_array_equal(to_numpy(tensor).view(np.uint16), array.view(np.uint16))


@pytest.mark.parametrize("dtype", [np.bool_, np.int64, np.uint8, np.float64])
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_arrays_become_tensors_and_back(dtype: Any, shape: tuple[int, ...]) -> None:
    array = np.ones(shape, dtype)
    assert to_torch(array).shape == shape
    np.testing.assert_array_equal(to_numpy(to_torch(array)), array)


def test_a_read_only_array_is_copied() -> None:
    array = np.ones(3, np.float32)
    array.flags.writeable = False
    to_torch(array).zero_()
    assert array.all()


# ---- every operator ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", operators())
@pytest.mark.parametrize("as_layer", [False, True])
def test_every_sample_makes_a_module(name: str, as_layer: bool) -> None:
    for sample in operators()[name].samples:
        types = tuple(parse_type(i if isinstance(i, str) else i.type) for i in sample.inputs)
        made = single(operators()[name], types, sample.arguments, as_layer=as_layer or None)
        ours = module(made)
        assert set(ours.state_dict()) == {p.name for p in made.parameters}


def test_the_root_may_be_called_as_a_builtin() -> None:
    b = Body("print", x="f32[N]")
    made: Network = network(b.template(b.op("exp", 0)))
    torch.testing.assert_close(module(made)(torch.zeros(2)), torch.ones(2))
