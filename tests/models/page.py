"""``python -m tests.models.page``: writes ``docs/models.md``, the networks beside their references.

It stands among the tests since it reads the references, which a user of specc does without.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from textwrap import dedent, fill, indent

from specc.documentation.operators import literal
from specc.frontend.resources import resource
from tests.models.lines import imported, reference_lines, spec_lines
from tests.models.published import COURSE, MODELS, Given, Model, parameters, programs
from tests.models.references import torchvision, transformers

PAGE = Path(__file__).resolve().parents[2] / "docs" / "models.md"

_HEAD = """\
# Models

Made by `make docs` from the [specs](../specs) that ship with specc and from the sources of
{libraries}.

A network has the parameters of its reference under the same names, so it takes the reference's
checkpoint as it is, strictly and without a name map. The [tests](../tests/models) load one so, and
compare output, gradients and the statistics of BatchNorm with the reference's, and what one ONNX
file answers at several sizes; every published size is compared by the name and shape of each
tensor.
"""

_COUNTED = """\
A line counts where it holds more than a comment or documentation. A spec's lines are those of its
file and of the blocks that it imports, its initializers and recipe among them; one line may hold
several layers. A reference's lines are those of the classes, functions and tables that define the
network, which each section names: not of imports, configurations, or functions that choose a size
or download it. A reference may do more than the spec; its section says what.
"""

_CHECKPOINTS = """\
## Checkpoints

`--weights` takes a `.safetensors` file, or the folder of a sharded one. The reference writes it:

```python
specc.save("resnet50.safetensors", torchvision.models.resnet50(weights="DEFAULT").state_dict())
transformers.GPT2LMHeadModel.from_pretrained("gpt2").save_pretrained("gpt2")  # a folder
```

```console
$ specc build std.resnet --set depth=50 --weights resnet50.safetensors -o resnet50.onnx
$ specc build std.gpt2 --weights gpt2 -o gpt2.onnx
```

A file that was downloaded may be older than the library that reads it: it has names that are
renamed on reading, or masks that are no longer kept. Read and written as above, it has the names
that the specs have. `--rename` changes names without the library; the published file of GPT-2, for
one, has them without their prefix, and masks:

```console
$ specc build std.gpt2 --weights gpt2.safetensors --rename 'h.*.attn.bias=' \
--rename '**=transformer.**' -o gpt2.onnx
```

What `torch.save` wrote is converted by `specc convert`, and `--cast` converts the dtypes of weights
to those of the spec.
"""


def page() -> str:
    """The whole page."""
    torchvision()
    transformers()
    head = _HEAD.format(libraries=" and ".join(map(_library, ("torchvision", "transformers"))))
    sections = [_section(model) for model in MODELS]
    return "\n".join([head, _overview(), _COUNTED, _CHECKPOINTS, *sections, _course()])


def _library(name: str) -> str:
    return f"{name} {version(name).partition('+')[0]}"


def _overview() -> str:
    lines = [
        "| Network | Lines of spec | Lines of reference | Reference |",
        "| --- | ---: | ---: | --- |",
    ]
    for model in MODELS:
        ours, theirs = spec_lines(_path(model.spec)), _reference(model)
        link = f"[{model.title}](#{model.title.lower().replace(' ', '-')})"
        lines.append(f"| {link} | {ours} | {theirs or '–'} | {_libraries(model)} |")
    return "\n".join(lines) + "\n"


def _path(spec: str) -> Path:
    return resource("specs", f"{spec}.net")


def _reference(model: Model) -> int:
    return sum(reference_lines(module, *names) for module, names in model.parts.items())


def _libraries(model: Model) -> str:
    return ", ".join(dict.fromkeys(module.partition(".")[0] for module in model.parts))


# ---- one network ---------------------------------------------------------------------------------


def _section(model: Model) -> str:
    header, code = _split(_path(model.spec).read_text(encoding="utf-8"))
    file = f"[{model.spec}.net](../specs/{model.spec}.net)"
    parts = [f"## {model.title}", *_prose(header), f"The whole of {file}:", _fenced("net", code)]
    if blocks := imported(_path(model.spec)):
        parts += [
            "The blocks that it imports from [blocks.net](../specs/blocks.net):",
            _fenced("net", "\n\n".join(blocks.values())),
        ]
    return "\n\n".join([*parts, _compared(model), _sizes(model)]) + "\n"


def _split(text: str) -> tuple[list[str], str]:
    """The comment that a spec begins with, without its signs, and the rest."""
    lines = text.splitlines()
    end = next(n for n, line in enumerate(lines) if not line.startswith("#"))
    return [line[1:].removeprefix(" ") for line in lines[:end]], "\n".join(lines[end:]).strip()


def _prose(header: list[str]) -> Iterator[str]:
    """A comment as Markdown: what is indented there is commands, or else a drawing."""
    for shown, lines in groupby(header, lambda line: line.startswith("  ") if line else None):
        text = dedent("\n".join(lines))
        if shown is False:
            yield text
        elif shown and text.startswith("specc "):
            yield _fenced("console", indent(text, "$ "))
        elif shown:
            yield _fenced("text", text)


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"


def _compared(model: Model) -> str:
    """What is counted of the reference, and what else there is to say."""
    named = [
        f"{_listed([f'`{name}`' for name in names])} of `{module}`"
        for module, names in model.parts.items()
    ]
    ours, theirs = spec_lines(_path(model.spec)), _reference(model)
    counted = f"Its {ours} lines stand beside {theirs}: {'; '.join(named)}. " if named else ""
    return fill(counted + model.note, 100, break_long_words=False, break_on_hyphens=False)


def _listed(words: list[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _sizes(model: Model) -> str:
    lines = ["| Published as | Hyperparameters | Parameters |", "| --- | --- | ---: |"]
    lines += [
        f"| {size.name} | {_flags(size.given)} | {parameters(program):,} |"
        for size, program in programs(model)
    ]
    return "\n".join(lines)


def _flags(given: Given) -> str:
    flags = " ".join(f"--set {name}={literal(value)}" for name, value in given.items())
    return f"`{flags}`" if flags else "the defaults"


# ---- the others ----------------------------------------------------------------------------------


def _course() -> str:
    lines = ["## The specs of a course", "", "| Spec | What it is |", "| --- | --- |"]
    for spec in COURSE:
        (first, *_), _ = _split(_path(spec).read_text(encoding="utf-8"))
        lines.append(f"| [{spec}](../specs/{spec}.net) | {first.rstrip(':.')} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
