"""The module does what any module of PyTorch does: copies, pickles, compiles, exports, moves."""

from __future__ import annotations

import copy
import io
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import specc
from specc.ops.registry import operators
from specc.targets.python import source
from specc.targets.torch import dynamic_shapes, module
from tests.targets.citizens import NAMES, SIZES, inputs, program

ROOT = Path(__file__).resolve().parents[2]


def made(name: str, seed: int = 0) -> nn.Module:
    return program(name).module(seed=seed).eval()


def same(found: Any, expected: Any, **tolerance: float) -> None:
    torch.testing.assert_close(found, expected, **tolerance)


# ---- copies and pickles --------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_deep_copy_is_independent(name: str) -> None:
    ours = made(name)
    before = ours(*inputs(name))
    other = copy.deepcopy(ours)
    assert type(other) is type(ours)
    same(other(*inputs(name)), before)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1)
    same(ours(*inputs(name)), before)


_READER = """
import pickle, sys, torch
assert "specc" not in sys.modules
if sys.argv[1].endswith(".pt"):
    saved = torch.load(sys.argv[1], weights_only=False)
else:
    saved = pickle.load(open(sys.argv[1], "rb"))
for module, inputs, expected in saved:
    torch.testing.assert_close(module(*inputs), expected, rtol=0, atol=0)
    assert not module.training
    print(type(module).__name__, *module.state_dict())
"""


def in_a_fresh_process(code: str, *arguments: str, folder: Path, path: str = "") -> str:
    """What the code prints in a process that starts in ``folder``."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | {"PYTHONPATH": path},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("file", ["modules.pickle", "modules.pt"])
def test_pickles_and_saved_modules_are_read_by_a_fresh_process(file: str, tmp_path: Path) -> None:
    modules = [made(name, seed=4) for name in NAMES]
    saved = [(m, inputs(name), m(*inputs(name))) for m, name in zip(modules, NAMES, strict=True)]
    if file.endswith(".pt"):
        torch.save(saved, tmp_path / file)
    else:
        (tmp_path / file).write_bytes(pickle.dumps(saved))
    printed = in_a_fresh_process(_READER, file, folder=tmp_path, path=str(ROOT))
    expected = [[type(m).__name__, *m.state_dict()] for m in modules]
    assert [line.split() for line in printed.splitlines()] == expected


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_takes_the_module(protocol: int) -> None:
    ours = made("residual")
    other = pickle.loads(pickle.dumps(ours, protocol=protocol))
    same(other(*inputs("residual")), ours(*inputs("residual")))


def test_a_pickle_holds_the_network_once_and_no_source() -> None:
    data = pickle.dumps(made("residual"))
    assert data.count(b'"format":"specc"') == 1
    assert b"def forward" not in data


def test_what_was_changed_in_a_module_is_in_its_pickle() -> None:
    ours = made("residual")
    ours.fc = nn.Linear(8, 2)  # a new head, as in fine-tuning
    ours.layer1.requires_grad_(requires_grad=False)
    ours.layer2.train()
    ours.layer1[0].register_forward_hook(_double)
    other = pickle.loads(pickle.dumps(ours))
    assert [p.requires_grad for p in other.parameters()] == [
        p.requires_grad for p in ours.parameters()
    ]
    assert [m.training for m in other.modules()] == [m.training for m in ours.modules()]
    ours.eval()
    other.eval()
    same(other(*inputs("residual")), ours(*inputs("residual")))
    assert other(*inputs("residual")).shape == (2, 2)


def _double(layer: nn.Module, arguments: Any, result: torch.Tensor) -> torch.Tensor:
    return result * 2


def test_a_part_of_a_module_has_a_pickle_of_its_own() -> None:
    ours = made("residual").layer2[0]
    other = pickle.loads(pickle.dumps(ours))
    x = torch.randn(2, 4, 8, 8)
    same(other(x), ours(x))


def test_a_module_of_an_operator_that_no_module_holds_is_copied_and_not_pickled() -> None:
    own = {**operators(), "relu": replace(operators()["relu"])}
    ours = module(program("mlp").network, operators=own)
    same(copy.deepcopy(ours.eval())(*inputs("mlp")), ours(*inputs("mlp")))
    with pytest.raises(pickle.PicklingError, match="relu"):
        pickle.dumps(ours)
    pickle.dumps(made("mlp"))  # whose source is the same, and which can be read


def test_a_pickle_of_a_network_that_is_none_is_refused() -> None:
    data = pickle.dumps(made("mlp"), protocol=0)
    with pytest.raises(ValueError, match="version"):
        pickle.loads(data.replace(b'"version":1', b'"version":9'))


def test_aliases_are_taken_after_a_pickle() -> None:
    ours = pickle.loads(pickle.dumps(made("tied")))
    state = dict(ours.state_dict())
    state["head.weight"] = state.pop("embed.weight") + 1
    ours.load_state_dict(state, strict=True)
    assert torch.equal(ours.embed.weight, state["head.weight"])


# ---- compile and export --------------------------------------------------------------------------


@pytest.fixture
def _fresh_compiler() -> None:
    torch.compiler.reset()


@pytest.mark.usefixtures("_fresh_compiler")
@pytest.mark.parametrize("name", NAMES)
def test_aot_eager_takes_the_whole_graph(name: str) -> None:
    ours = made(name)
    compiled = torch.compile(ours, fullgraph=True, backend="aot_eager")
    same(compiled(*inputs(name)), ours(*inputs(name)))
    found = compiled(*inputs(name, SIZES[1]))  # symbolic dims become dynamic here
    same(found, ours(*inputs(name, SIZES[1])))


@pytest.mark.usefixtures("_fresh_compiler")
@pytest.mark.parametrize("name", ["convolutional", "tied"])
def test_gradients_pass_through_a_compiled_module(name: str) -> None:
    ours, other = made(name), made(name)
    compiled = torch.compile(other, fullgraph=True, backend="aot_eager", dynamic=True)
    for model in (ours, compiled):
        model(*inputs(name)).square().sum().backward()
    for (key, expected), found in zip(ours.named_parameters(), other.parameters(), strict=True):
        same(found.grad, expected.grad, msg=key)


@pytest.mark.usefixtures("_fresh_compiler")
def test_a_compiled_module_refuses_sizes_below_the_bounds() -> None:
    compiled = torch.compile(made("convolutional"), backend="aot_eager", dynamic=True)
    compiled(*inputs("convolutional"))
    with pytest.raises(ValueError, match="H must be at least 12, not 8"):
        compiled(torch.randn(2, 1, 8, 20))


def _has_compiler() -> bool:
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        return bool(get_cpp_compiler())
    except InvalidCxxCompiler:
        return False


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method`:DeprecationWarning")  # torch's own
@pytest.mark.usefixtures("_fresh_compiler")
@pytest.mark.parametrize("name", NAMES)
def test_inductor_takes_the_whole_graph(name: str) -> None:
    if not _has_compiler():
        pytest.skip("no C++ compiler")
    ours = made(name)
    compiled = torch.compile(ours, fullgraph=True)
    same(compiled(*inputs(name)), ours(*inputs(name)), rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("_fresh_compiler")
@pytest.mark.parametrize(
    ("name", "strict"), [*((name, False) for name in NAMES), ("convolutional", True)]
)
def test_every_symbolic_dim_is_dynamic_in_an_export(name: str, strict: bool) -> None:
    ours = made(name)
    shapes = dynamic_shapes(program(name).network)
    exported = torch.export.export(ours, inputs(name), dynamic_shapes=shapes, strict=strict)
    symbols = {dim for port in program(name).inputs for dim in port.dims if isinstance(dim, str)}
    assert len(exported.range_constraints) >= len(symbols)
    run = exported.module()
    for index, sizes in enumerate((SIZES[1], {"N": 5, "T": 3, "H": 17, "W": 40})):
        arguments = inputs(name, sizes, seed=index)
        same(run(*arguments), ours(*arguments))


def test_dynamic_shapes_name_the_arguments_and_their_bounds() -> None:
    found = dynamic_shapes(program("convolutional").network)
    assert {name: sorted(axes) for name, axes in found.items()} == {"x": [0, 2, 3]}
    assert (found["x"][0].min, found["x"][2].min, found["x"][3].min) == (None, 12, 12)


def test_an_export_refuses_sizes_below_the_bounds() -> None:
    ours = made("convolutional")
    exported = torch.export.export(
        ours,
        inputs("convolutional"),
        dynamic_shapes=dynamic_shapes(program("convolutional").network),
    )
    with pytest.raises((AssertionError, RuntimeError)):
        exported.module()(torch.randn(2, 1, 8, 20))


# ---- torch.func, dtypes, devices -----------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_functional_call_takes_other_state(name: str) -> None:
    ours, other = made(name, seed=1), made(name, seed=2)
    found = torch.func.functional_call(ours, dict(other.state_dict()), inputs(name))
    same(found, other(*inputs(name)))


def test_gradients_of_a_functional_call_are_those_of_backward() -> None:
    ours = made("tied")
    state = {n: p.detach() for n, p in ours.named_parameters()}

    def loss(state: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.func.functional_call(ours, state, inputs("tied")).square().mean()

    gradients = torch.func.grad(loss)(state)
    ours(*inputs("tied")).square().mean().backward()
    for name, parameter in ours.named_parameters():
        same(gradients[name], parameter.grad)


def test_a_batch_of_modules_is_a_vmap() -> None:
    modules = [made("mlp", seed=seed) for seed in range(3)]
    parameters, buffers = torch.func.stack_module_state(modules)
    x = inputs("mlp")[0]

    def run(parameters: Any, buffers: Any) -> torch.Tensor:
        return torch.func.functional_call(modules[0], (parameters, buffers), (x,))

    found = torch.func.vmap(run)(parameters, buffers)
    same(found, torch.stack([one(x) for one in modules]))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", NAMES)
def test_a_module_moves_to_another_dtype_with_its_constants(name: str, dtype: torch.dtype) -> None:
    arguments = inputs(name)
    expected = made(name)(*arguments)
    moved = made(name).to(dtype)
    cast = [x.to(dtype) if x.is_floating_point() else x for x in arguments]
    found = moved(*cast)
    for one, other in zip(_tuple(found), _tuple(expected), strict=True):
        assert one.dtype is dtype
        error = (one.double() - other.double()).abs().max() / other.double().abs().max()
        # Rounding in a few layers of a few dozen terms each; float32's own where it is the coarser.
        assert error < 30 * max(torch.finfo(dtype).eps, torch.finfo(torch.float32).eps), error


def _tuple(value: Any) -> tuple[torch.Tensor, ...]:
    return value if isinstance(value, tuple) else (value,)


def test_half_and_double_are_the_same_as_to() -> None:
    assert all(p.dtype is torch.float16 for p in made("tied").half().state_dict().values())
    assert all(p.dtype is torch.float64 for p in made("tied").double().state_dict().values())


def test_integers_that_meet_a_fraction_become_floats_of_the_modules_dtype() -> None:
    text = "net Turn(x: [N, 4]) -> [N, 4] { x * cos(arange(4) * 0.5) + x / 2 ** (arange(4) / 3) }"
    turn = specc.compile(text).module()
    x = torch.randn(2, 4)
    assert turn(x.half()).dtype is torch.float16
    k = torch.arange(4)
    same(
        turn(x.double()),
        x.double() * torch.cos(k.double() * 0.5) + x.double() / 2 ** (k / 3.0).double(),
        rtol=1e-6,
        atol=1e-6,
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_module_runs_on_the_meta_device(name: str) -> None:
    ours = made(name).to("meta")
    found = ours(*(x.to("meta") for x in inputs(name)))
    expected = made(name)(*inputs(name))
    for one, other in zip(_tuple(found), _tuple(expected), strict=True):
        assert one.device.type == "meta"
        assert one.shape == other.shape


# ---- names, hooks, modes, threads ----------------------------------------------------------------


def test_modules_are_named_as_in_the_spec() -> None:
    ours = made("residual")
    names = dict(ours.named_modules())
    assert isinstance(names["layer2.0.downsample.1"], nn.BatchNorm2d)
    assert isinstance(names["layer1.1.conv2"], nn.Conv2d)
    assert isinstance(ours.get_submodule("layer2"), nn.Sequential)
    assert set(dict(made("lenet").named_modules())) == {
        "", "conv1", "conv2", "linear1", "linear2", "linear3"
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_has_the_networks_name(name: str) -> None:
    network = program(name).network
    assert list(made(name).state_dict()) == [
        key for key in made(name).state_dict() if key in {p.name for p in network.parameters}
    ]
    assert set(made(name).state_dict()) == {p.name for p in network.parameters}


def test_forward_hooks_see_and_change_what_passes() -> None:
    ours = made("residual")
    seen: list[tuple[int, ...]] = []
    for layer in (ours.layer1, ours.layer1[0], ours.layer2[0].conv1, ours.fc):
        layer.register_forward_hook(lambda m, a, y: seen.append(tuple(y.shape)))
    before = ours(*inputs("residual"))
    assert seen == [(2, 4, 20, 24), (2, 4, 20, 24), (2, 8, 10, 12), (2, 5)]
    handle = ours.fc.register_forward_hook(lambda m, a, y: y + 1)
    same(ours(*inputs("residual")), before + 1)
    handle.remove()
    ours.fc.register_forward_pre_hook(lambda m, a: (a[0] * 0,))
    same(ours(*inputs("residual")), ours.fc.bias.expand(2, 5))


def test_backward_hooks_see_the_gradients() -> None:
    ours = made("residual")
    seen: dict[str, torch.Tensor] = {}
    ours.layer2[1].register_full_backward_hook(
        lambda m, inner, outer: seen.update(inner=inner[0], outer=outer[0])
    )
    ours(*inputs("residual")).sum().backward()
    assert seen["inner"].shape == seen["outer"].shape == (2, 8, 10, 12)
    assert seen["inner"].abs().sum() > 0


def test_train_and_eval_switch_every_part() -> None:
    ours = program("mlp").module()
    assert ours.training
    x = inputs("mlp")[0]
    torch.manual_seed(0)
    assert not torch.equal(ours(x), ours(x))  # dropout draws anew
    ours.eval()
    assert not any(part.training for part in ours.modules())
    assert torch.equal(ours(x), ours(x))
    assert all(part.training for part in ours.train().modules())


@pytest.mark.parametrize("name", ["convolutional", "tied", "shared"])
def test_threads_share_a_module_in_eval(name: str) -> None:
    ours = made(name)
    batches = [inputs(name, SIZES[seed % 2], seed=seed) for seed in range(24)]
    with torch.no_grad():
        expected = [ours(*batch) for batch in batches]
        before = copy.deepcopy(ours.state_dict())
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda batch: ours(*batch), batches))
    for one, other in zip(found, expected, strict=True):
        same(one, other)
    same(ours.state_dict(), before, rtol=0, atol=0)


def test_threads_make_modules_of_one_class() -> None:
    text = "net Fresh(x: [N, 7]) -> [N, 3] { x |> Linear(3) |> gelu }"
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: specc.compile(text).module(), range(16)))
    assert len({type(one) for one in found}) == 1


# ---- state ---------------------------------------------------------------------------------------


def test_strict_loading_names_what_is_missing_and_unexpected() -> None:
    ours = made("tied")
    state = dict(ours.state_dict())
    state["other"] = state.pop("linear1.bias")
    with pytest.raises(RuntimeError, match=r"Missing key.*linear1\.bias") as caught:
        ours.load_state_dict(state)
    assert 'Unexpected key(s) in state_dict: "other"' in str(caught.value)


def test_a_module_within_another_takes_aliases_under_its_prefix() -> None:
    outer = nn.ModuleDict({"inner": made("tied")})
    state = dict(outer.state_dict())
    state["inner.head.weight"] = state.pop("inner.embed.weight") * 2
    outer.load_state_dict(state, strict=True)
    assert torch.equal(outer["inner"].embed.weight, state["inner.head.weight"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"linear1.bias": None}, "linear1.bias"),
        ({"linear1.bais": torch.zeros(8)}, "linear1.bais"),
        ({"linear1.bias": torch.zeros(9)}, "f32[9]"),
        ({"linear1.bias": torch.zeros(8, dtype=torch.float64)}, "f64[8]"),
        ({"head.weight": torch.zeros(20, 8)}, "head.weight"),
    ],
)
def test_weights_that_do_not_fit_are_a_diagnostic(change: dict[str, Any], told: str) -> None:
    weights = {**made("tied").state_dict(), **change}
    given = {name: value for name, value in weights.items() if value is not None}
    with pytest.raises(specc.SpecError) as caught:
        program("tied").module(weights=given)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "weights-do-not-fit"
    assert told in str(caught.value)


def test_weights_come_from_a_module_or_a_state_dict() -> None:
    ours = made("tied", seed=9)
    for weights in (ours, ours.state_dict()):
        other = program("tied").module(weights=weights).eval()
        same(other(*inputs("tied")), ours(*inputs("tied")), rtol=0, atol=0)


# ---- the file alone ------------------------------------------------------------------------------


_ALONE = """
import importlib, sys, torch
for name, (root, state, inputs, expected) in torch.load("expected.pt").items():
    module = getattr(importlib.import_module(name), root)().eval()
    module.load_state_dict(state, strict=True)
    torch.testing.assert_close(module(*inputs), expected)
assert not [name for name in sys.modules if name.startswith("specc")]
"""


def test_the_files_run_without_specc(tmp_path: Path) -> None:
    expected = {}
    for name in NAMES:
        ours = made(name)
        program(name).build(tmp_path / f"{name}_model.py")
        state = dict(ours.state_dict())
        root = type(ours).__name__
        expected[f"{name}_model"] = (root, state, inputs(name), ours(*inputs(name)))
    torch.save(expected, tmp_path / "expected.pt")
    in_a_fresh_process(_ALONE, folder=tmp_path)


def test_a_file_from_a_text_names_no_file() -> None:
    assert source(program("mlp").network).startswith("# MLP, compiled by specc ")
    assert "<text>" not in source(program("mlp").network)


def test_a_buffer_for_the_state_is_read_back() -> None:
    ours, other = made("convolutional", seed=1), made("convolutional", seed=2)
    file = io.BytesIO()
    torch.save(ours.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True), strict=True)
    same(other(*inputs("convolutional")), ours(*inputs("convolutional")), rtol=0, atol=0)
