"""What callers hand over in Python: every wrong value is refused in a sentence, none hangs."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import specc
from specc.cli.main import main
from specc.frontend.limits import DEFAULT_LIMITS

LISTED = "net Listed(widths: list, rate=0.5)(x: [N, 4]) { x |> Linear(widths[0]) }"


PLAIN = "net Plain(x: [N, 4]) { x |> Linear(2) }"


# ---- sources -------------------------------------------------------------------------------------


def _code_of(source: Any, **options: Any) -> str:
    with pytest.raises(specc.SpecError) as caught:
        specc.compile(source, **options)
    return caught.value.diagnostics[0].code


@pytest.mark.parametrize("name", ["std." + "a" * 5000, "a" * 5000, "std.no/such", "a\0b.net"])
def test_a_name_that_no_file_can_have_is_no_source(name: str) -> None:
    assert _code_of(name) == "bad-source"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.net"
    os.mkfifo(pipe)
    assert _code_of(pipe) == "bad-source"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs an endless device")
def test_a_device_is_refused() -> None:
    with pytest.raises(specc.SpecError, match="is no regular file"):
        specc.compile("/dev/zero")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_file_is_utf8_with_or_without_a_mark(mark: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.net").write_bytes(mark + f"# \u00e9\r\n{PLAIN}".encode())
    assert specc.compile(tmp_path / "a.net").name == "Plain"


def test_what_is_no_text_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "latin.net").write_bytes(b"# \xe9")
    assert _code_of(tmp_path / "latin.net") == "bad-source"
    assert _code_of("") == "bad-source"


def test_a_file_may_be_too_large(tmp_path: Path) -> None:
    (tmp_path / "a.net").write_bytes(b"#" * (DEFAULT_LIMITS.bytes + 1))
    assert _code_of(tmp_path / "a.net") == "too-large"
    assert _code_of("#" * DEFAULT_LIMITS.bytes + "\n") == "too-large"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(specc.SpecError, match="is a folder"):
        specc.compile(tmp_path)


# ---- arguments of compile ------------------------------------------------------------------------


@pytest.mark.parametrize("source", [b"x.net", 3, None, ["x.net"]])
def test_a_source_is_a_path_or_a_text(source: Any) -> None:
    with pytest.raises(TypeError, match="the source is a path or a text, not "):
        specc.compile(source)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("net", 3),
        *(("hyperparameters", value) for value in ({1: 2}, [1], "rate")),
        *(("settings", value) for value in ({1: 2}, [1], "epochs=3")),
    ],
)
def test_arguments_of_a_wrong_type_are_named(argument: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"^{argument} is a "):
        specc.compile(PLAIN, **{argument: value})


def test_a_value_that_holds_itself_is_refused() -> None:
    looped: list[Any] = []
    looped.append(looped)
    mapped: dict[str, Any] = {}
    mapped["again"] = mapped
    assert _code_of(LISTED, widths=looped) == "limit-exceeded"
    assert _code_of(LISTED, widths=mapped) == "limit-exceeded"
    assert _code_of(PLAIN, settings={"epochs": looped}) == "limit-exceeded"


def test_a_tuple_does_as_a_list() -> None:
    given = specc.compile(LISTED, widths=(3, 5))
    assert given.network == specc.compile(LISTED, widths=[3, 5]).network
    default = "net Default(widths=[1])(x: [N, 4]) { x |> Linear(widths[0]) }"
    assert specc.compile(default, widths=(3,)).outputs[0].dims == ("N", 3)


class Unspeakable:
    """Whose text nobody may ask for."""

    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize("make", [object, Unspeakable, bytes, lambda: {Unspeakable(): 1}])
def test_a_value_that_the_language_has_no_word_for_is_refused(make: Any) -> None:
    assert _code_of(LISTED, widths=make()) == "wrong-type"
    assert _code_of(LISTED, widths=[make()]) == "wrong-type"
    assert _code_of(PLAIN, settings={"epochs": make()}) == "wrong-type"
    assert _code_of(PLAIN, settings={"epochs": [make()]}) == "wrong-type"


def test_numbers_and_strings_of_numpy_are_numbers_and_strings() -> None:
    assert specc.compile(LISTED, widths=[np.int64(3)]).outputs[0].dims == ("N", 3)
    assert _code_of(LISTED, widths=np.str_("3")) == "wrong-type"
    text = PLAIN + "\ntrain { data = digits }"
    for epochs in (np.int64(3), np.str_("3")):
        recipe = specc.compile(text, settings={"epochs": epochs}).network.recipe
        assert recipe is not None
        assert recipe.epochs == 3


@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_of_too_many_digits_is_refused(sign: int) -> None:
    number = sign * 10**5000  # which Python does not turn into text
    assert _code_of(LISTED, rate=number) == "limit-exceeded"
    assert _code_of(PLAIN, settings={"epochs": number}) == "limit-exceeded"


# ---- arguments of the targets --------------------------------------------------------------------


def _calls(tmp_path: Path, **given: Any) -> list[Any]:
    program = specc.compile(PLAIN)
    path = tmp_path / "plain.safetensors"
    return [
        lambda: program.module(**given),
        lambda: program.onnx(**given),
        lambda: program.build(path, **given),
    ]


@pytest.mark.parametrize("seed", [True, 1.0, "1", None])
def test_a_seed_is_an_int(seed: Any, tmp_path: Path) -> None:
    for call in _calls(tmp_path, seed=seed):
        with pytest.raises(TypeError, match=r"^seed is an int, not "):
            call()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("seed", [-1, 2**63, 2**300])
def test_a_seed_has_63_bits(seed: int, tmp_path: Path) -> None:
    for call in _calls(tmp_path, seed=seed):
        with pytest.raises(ValueError, match=r"^seed is an int from 0 to"):
            call()


def test_the_largest_seed_and_one_of_numpy(tmp_path: Path) -> None:
    for call in _calls(tmp_path, seed=2**63 - 1):
        call()
    program = specc.compile(PLAIN)
    assert program.onnx(seed=np.int64(3)) == program.onnx(seed=3)  # type: ignore[arg-type]


@pytest.mark.parametrize("processes", [True, 2.0, "2", None])
def test_a_number_of_processes_is_an_int(processes: Any, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"^processes is an int, not "):
        specc.compile(PLAIN).build(tmp_path / "plain.onnx", processes=processes)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("processes", [0, -1])
def test_there_is_a_process(processes: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^processes is an int from 1 on, not "):
        specc.compile(PLAIN).build(tmp_path / "plain.onnx", processes=processes)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("opset", [True, 18.0, "18"])
def test_an_opset_is_an_int_or_none(opset: Any, tmp_path: Path) -> None:
    for call in _calls(tmp_path, opset=opset)[1:]:
        with pytest.raises(TypeError, match=r"^opset is an int or None, not "):
            call()


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({1: np.zeros(2)}, "the key 1 is a Python int"),
        ({"linear.weight": [1.0]}, "the weights of 'linear.weight' are an array or a tensor"),
        (
            {"linear.weight": torch.empty(2, device="meta")},
            "the weights of 'linear.weight': a tensor on the meta device has no values",
        ),
        ({"linear.weight": None}, "the weights of 'linear.weight' are an array or a tensor"),
        (3, "weights are a path, a state dict, a module or arrays"),
    ],
)
def test_weights_are_arrays_by_name(weights: Any, said: str, tmp_path: Path) -> None:
    for call in _calls(tmp_path, weights=weights):
        with pytest.raises(TypeError, match=said):
            call()


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
    program = specc.compile("net Half(to: dtype = f16)(x: [N, 4]) { x |> cast(to) }")
    properties = {p.key: p.value for p in program.onnx().metadata_props}
    assert json.loads(properties["specc.hyperparameters"]) == {"to": {"dtype": "f16"}}


@pytest.mark.parametrize("suffix", ["py", "json"])
def test_weights_are_not_dropped_in_silence(suffix: str, tmp_path: Path) -> None:
    program = specc.compile(PLAIN)
    target = tmp_path / f"plain.{suffix}"
    with pytest.raises(ValueError, match=f"weights mean nothing for a .{suffix} file"):
        program.build(target, weights=program.module())
    assert not target.exists()
    program.build(target)


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
