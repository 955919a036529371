"""How a program comes about: from a text, or from a weight file that carries its architecture."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from specc import arguments
from specc.compiler import Compiled, compile_network, faults_as_errors
from specc.facts import BadIr
from specc.frontend.diagnostics import SpecError
from specc.ops.operator import Operator
from specc.ops.registry import operators_with
from specc.program import Program
from specc.weights.metadata import IR_KEY

if TYPE_CHECKING:
    import torch

    from specc.weights.safetensors import Weights


def compile(
    source: str | os.PathLike[str],
    *,
    net: str | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    inputs: Iterable[str] = (),
    devices: Mapping[str, str] | None = None,
    ops: Iterable[Operator] = (),
    **hyper: Any,
) -> Program:
    """Compiles a net.

    Args:
        source: A path, ``"std.lenet"`` for a spec that ships with specc, or the text itself (a
            string with a newline or a brace).
        net: Which net, where the file holds several.
        hyperparameters: Values for the net's header, as may be given by keyword too. A layer, a
            constructor, a dtype or a device is given by its text: ``norm="LayerNorm"``.
        settings: Values for its recipe: ``{"epochs": 3, "optimizer": "sgd(lr=0.1)"}``.
        inputs: The optional inputs that the net is to have; the others are left out.
        devices: What devices of the file are, in place of its fallbacks: ``{"left": "cpu"}``.
        ops: Operators beside the built-in ones, each as ``specc.op`` gives it.
        **hyper: More hyperparameters.

    Raises:
        SpecError: with every diagnostic, where the spec or a value from outside is wrong. Nothing
            else escapes, whatever the text holds.
        TypeError: where an argument is of another type than these.
        ValueError: where an operator of ``ops`` has a name that is taken.

    >>> program = compile("net Double(x: [N, 3]) -> [N, 3] { x * 2 }")
    >>> program.outputs
    (Port(name='output', dtype='f32', dims=('N', 3)),)
    """
    own = tuple(ops)
    compiled: Compiled = compile_network(
        source,
        net=arguments.checked_name("net", net),
        hyperparameters={**arguments.checked_names("hyperparameters", hyperparameters), **hyper},
        settings=arguments.checked_names("settings", settings),
        inputs=arguments.checked_list("inputs", inputs),
        devices=arguments.checked_devices(devices),
        operators=operators_with(own),
    )
    return Program.of(compiled, own)


def load(
    path: str | os.PathLike[str], *, ops: Iterable[Operator] = ()
) -> tuple[Program, torch.nn.Module]:
    """The program and the module of a ``.safetensors`` file that specc wrote; no code is needed.

    ``ops`` are the operators that the program was compiled with beside the built-in ones.

    Raises:
        SpecError: where the file cannot be read, or carries no architecture.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     built = compile("std.mlp").build(f"{folder}/mlp.safetensors", seed=3)
    ...     program, module = load(built.paths[0])
    >>> program.name, module.hidden
    ('MLP', Linear(in_features=64, out_features=64, bias=True))
    """
    from specc.weights.safetensors import read_weights

    with faults_as_errors(None):
        weights = read_weights(path)
    program = architecture_in(weights, ops)
    if program is None:
        problem = f"{os.fspath(path)!r} carries weights, but no architecture"
        raise SpecError([BadIr(problem=problem).diagnostic()])
    return program, program.module(weights=weights)


def architecture_in(weights: Weights, ops: Iterable[Operator] = ()) -> Program | None:
    """The program that a weight file carries, None where it carries none.

    ``ops`` are the operators that it uses beside the built-in ones.

    Raises:
        SpecError: where what it carries is no sound network of this version.
    """
    text = weights.metadata.get(IR_KEY)
    return None if text is None else Program.from_json(text, ops=ops)
