"""``--weights`` with what torchvision and transformers save: the built file answers as they do."""

from __future__ import annotations

import shlex
from functools import cache
from pathlib import Path

import onnxruntime
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from specc.cli.main import main
from tests.models.agreement import ONNX, distance, quiet
from tests.models.references import torchvision, transformers

Captured = pytest.CaptureFixture[str]

_EDGES = {"bos_token_id": 0, "eos_token_id": 0}  # the library warns of the usual ones


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@cache
def gpt2() -> nn.Module:
    library = transformers()
    config = library.GPT2Config(
        vocab_size=50, n_positions=16, n_embd=24, n_layer=2, n_head=3, **_EDGES
    )
    return quiet(lambda: library.GPT2LMHeadModel(config)).eval()


GPT2 = ("std.gpt2", "vocab=50", "positions=16", "width=24", "layers=2", "heads=3")


@cache
def llama(*, tied: bool = False) -> nn.Module:
    library = transformers()
    config = library.LlamaConfig(
        vocab_size=50,
        hidden_size=32,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        rms_norm_eps=1e-5,
        tie_word_embeddings=tied,
        **_EDGES,
    )
    return quiet(lambda: library.LlamaForCausalLM(config)).eval()


LLAMA = ("std.llama", "vocab=50", "width=32", "layers=2", "heads=4", "groups=2", "hidden=40")


def specc(*arguments: str, code: int = 0, net: tuple[str, ...] = ()) -> None:
    """The command with the net's settings, which ends as it should."""
    settings = [part for setting in net[1:] for part in ("--set", setting)]
    command, *rest = arguments
    assert main([command, *net[:1], *settings, *rest]) == code


def text() -> Tensor:
    return torch.randint(0, 50, (2, 7), generator=torch.Generator().manual_seed(0))


def assert_answers(path: str, reference: nn.Module, x: Tensor) -> None:
    """onnxruntime, given the file, answers as the reference's own forward does."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    with torch.no_grad():
        expected = reference(x)
    logits = expected if isinstance(expected, Tensor) else expected.logits
    assert distance(torch.from_numpy(found), logits.float()) < ONNX


def initializers(path: str) -> set[str]:
    import onnx

    return {tensor.name for tensor in onnx.load(path).graph.initializer}


# ---- torchvision ---------------------------------------------------------------------------------


def trained(reference: nn.Module) -> nn.Module:
    """The reference after some training, so that BatchNorm's statistics are its own."""
    generator = torch.Generator().manual_seed(0)
    for name, buffer in reference.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_(0, 0.1, generator=generator)
        elif name.endswith("running_var"):
            buffer.uniform_(0.8, 1.2, generator=generator)
        else:
            buffer.fill_(7)
    return reference.eval()


def images() -> Tensor:
    return torch.randn(2, 3, 64, 48, generator=torch.Generator().manual_seed(0))


def test_resnet50(capsys: Captured) -> None:
    reference = trained(quiet(torchvision().resnet50))
    save_file(reference.state_dict(), "resnet50.safetensors")
    net = ("std.resnet", "depth=50")
    specc("build", "--weights", "resnet50.safetensors", "-o", "resnet50.onnx", net=net)
    assert "parity: largest difference" in capsys.readouterr().out
    assert_answers("resnet50.onnx", reference, images())
    names = set(reference.state_dict())
    counts = {name for name in names if name.endswith("num_batches_tracked")}
    assert initializers("resnet50.onnx") >= names - counts  # ONNX has no place for the counts
    assert counts.isdisjoint(initializers("resnet50.onnx"))


def test_counts_of_batches_may_lack_as_in_checkpoints_before_them() -> None:
    reference = trained(quiet(torchvision().resnet18))
    state = reference.state_dict()
    older = {name: t for name, t in state.items() if not name.endswith("num_batches_tracked")}
    save_file(older, "older.safetensors")
    net = ("std.resnet", "depth=18")
    specc("build", "--weights", "older.safetensors", "-o", "a.onnx", "--no-verify", net=net)
    assert_answers("a.onnx", reference, images())
    specc("build", "--weights", "older.safetensors", "-o", "a.safetensors", net=net)
    found = load_file("a.safetensors")
    assert found.keys() == state.keys()
    assert found["bn1.num_batches_tracked"] == 0
    assert torch.equal(found["bn1.running_var"], state["bn1.running_var"])


# ---- transformers --------------------------------------------------------------------------------


def test_what_save_pretrained_writes() -> None:
    gpt2().save_pretrained("gpt2")
    specc("build", "--weights", "gpt2", "-o", "gpt2.onnx", net=GPT2)
    assert_answers("gpt2.onnx", gpt2(), text())
    assert "lm_head.weight" not in load_file("gpt2/model.safetensors")  # tied, and written once


def test_tied_copies() -> None:
    state = {name: tensor.clone() for name, tensor in gpt2().state_dict().items()}
    save_file(state, "both.safetensors")
    specc("build", "--weights", "both.safetensors", "-o", "both.onnx", net=GPT2)
    assert_answers("both.onnx", gpt2(), text())
    head = {name: tensor for name, tensor in state.items() if name != "transformer.wte.weight"}
    save_file(head, "head.safetensors")
    specc("build", "--weights", "head.safetensors", "-o", "head.onnx", net=GPT2)
    assert Path("head.onnx").read_bytes() == Path("both.onnx").read_bytes()


def test_tied_copies_that_differ_are_refused(capsys: Captured) -> None:
    state = {name: tensor.clone() for name, tensor in gpt2().state_dict().items()}
    state["lm_head.weight"][0, 0] += 1
    save_file(state, "both.safetensors")
    specc("build", "--weights", "both.safetensors", "-o", "both.onnx", net=GPT2, code=3)
    assert "lm_head.weight and transformer.wte.weight are one parameter" in capsys.readouterr().err
    assert not Path("both.onnx").exists()


@pytest.mark.parametrize("place", ["llama", "llama/model.safetensors.index.json"])
def test_shards(place: str) -> None:
    llama().save_pretrained("llama", max_shard_size="20KB")
    assert len(list(Path("llama").glob("model-*-of-*.safetensors"))) > 2
    specc("build", "--weights", place, "-o", "llama.onnx", net=LLAMA)
    assert_answers("llama.onnx", llama(), text())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_the_bits_are_converted_when_asked(dtype: torch.dtype, capsys: Captured) -> None:
    state = {name: tensor.to(dtype) for name, tensor in llama().state_dict().items()}
    save_file(state, "half.safetensors")
    specc("build", "--weights", "half.safetensors", "-o", "half.onnx", net=LLAMA, code=3)
    assert "help: names and shapes fit: --cast" in capsys.readouterr().err
    specc("build", "--weights", "half.safetensors", "-o", "half.onnx", "--cast", net=LLAMA)
    rounded = quiet(lambda: type(llama())(llama().config)).eval()
    rounded.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    assert_answers("half.onnx", rounded, text())


def test_a_llama_whose_checkpoint_lacks_the_tied_copy(capsys: Captured) -> None:
    reference = llama(tied=True)
    reference.save_pretrained("tied")
    assert "lm_head.weight" not in load_file("tied/model.safetensors")
    specc("build", "--weights", "tied", "-o", "tied.onnx", net=LLAMA, code=3)
    assert "missing: lm_head.weight" in capsys.readouterr().err
    specc("build", "--weights", "tied", "-o", "tied.onnx", net=(*LLAMA, "tied=true"))
    assert_answers("tied.onnx", reference, text())


# ---- the published file of GPT-2, whose names lack a prefix, and which holds masks ---------------


def published() -> dict[str, Tensor]:
    state = gpt2().state_dict()
    del state["lm_head.weight"]
    bare = {name.removeprefix("transformer."): t.clone() for name, t in state.items()}
    masks = {f"h.{i}.attn.bias": torch.tril(torch.ones(1, 1, 16, 16)) for i in range(2)}
    return bare | masks


def test_names_that_lack_a_prefix_are_told_and_renamed(capsys: Captured) -> None:
    save_file(published(), "gpt2.safetensors")
    build = ("build", "--weights", "gpt2.safetensors", "-o", "gpt2.onnx")
    specc(*build, net=GPT2, code=3)
    (advice,) = (line.strip() for line in capsys.readouterr().err.splitlines() if "= help:" in line)
    assert advice == (
        "= help: --rename '**=transformer.**' makes the names fit; "
        "--rename 'transformer.h.*.attn.bias=' leaves out what this network has no place for, "
        "which is right for masks and wrong for weights "
        "(in Python, rename={'**': 'transformer.**', 'transformer.h.*.attn.bias': None})"
    )
    options = ("--rename", "**=transformer.**", "--rename", "transformer.h.*.attn.bias=")
    specc(*build, *options, net=GPT2)
    assert_answers("gpt2.onnx", gpt2(), text())


# ---- pickles -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["run/net.pt", "net.pth", "pytorch_model.bin", "old.tar"])
def test_a_pickle_is_refused_and_the_command_shown_makes_it_good(
    name: str, capsys: Captured
) -> None:
    Path("run").mkdir()
    torch.save(gpt2().state_dict(), name)
    specc("build", "--weights", name, "-o", "gpt2.onnx", net=GPT2, code=3)
    error = capsys.readouterr().err
    assert f"error[unsafe-weights]: {name} is not read" in error
    command = shlex.split(error.partition("convert it: ")[2].partition("\n")[0])
    assert command[:2] == ["specc", "convert"]
    assert main(command[1:]) == 0
    specc("build", "--weights", command[-1], "-o", "gpt2.onnx", net=GPT2)
    assert_answers("gpt2.onnx", gpt2(), text())


def test_a_pickled_module_is_not_unpickled(capsys: Captured) -> None:
    torch.save(nn.Linear(2, 2), "whole.pt")
    assert main(["convert", "whole.pt", "-o", "whole.safetensors"]) == 3
    assert "it holds more than tensors" in capsys.readouterr().err
    assert not Path("whole.safetensors").exists()
