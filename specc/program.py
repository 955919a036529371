"""A compiled network and what can be made from it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from specc import arguments
from specc.built import BuildOptions, Built
from specc.collector import resting_collector
from specc.compiler import Compiled, faults_as_errors
from specc.elaborate.starts import Origin
from specc.frontend.diagnostics import Diagnostic
from specc.frontend.source import Sources
from specc.given import fitted_arrays, given_weights
from specc.ir.graph import Network
from specc.ops.operator import Operator
from specc.ops.registry import operators_with
from specc.ports import Port, port_of
from specc.weights.metadata import weight_metadata

# What a check does without is imported where it is used: it starts sooner.
if TYPE_CHECKING:
    import onnx
    import torch

    from specc.parameters.info import ParameterInfo
    from specc.parameters.why import Why
    from specc.weights.safetensors import Weights

Rename: TypeAlias = Mapping[str, str | None] | None


@dataclass(frozen=True)
class Program:
    """A net, compiled: checked, and ready for any target.

    ``network`` is its IR, ``warnings`` what the compiler remarked on, ``ops`` the operators that it
    may use beside the built-in ones.

    >>> import specc
    >>> program = specc.compile("std.mlp", hidden=8)
    >>> program
    <Program MLP(x: f32[N, 64]) -> (output: f32[N, 10])>
    >>> program.module().hidden, program.onnx().graph.input[0].name
    (Linear(in_features=64, out_features=8, bias=True), 'x')
    >>> program.python().splitlines()[0], program.svg()[:4]
    ('# MLP, compiled by specc ... from std/mlp.net', '<svg')
    """

    network: Network
    warnings: tuple[Diagnostic, ...] = ()
    sources: Sources = field(default_factory=Sources, compare=False)
    base: Path | None = field(default=None, compare=False)
    ops: tuple[Operator, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, compiled: Compiled, ops: tuple[Operator, ...]) -> Self:
        """The program of what the compiler gives."""
        c = compiled
        return cls(c.network, c.warnings, c.sources, c.base, ops, c.origins)

    def __repr__(self) -> str:
        sides = (self.network.inputs, self.network.outputs)
        ports = (", ".join(f"{port.name}: {port.type}" for port in side) for side in sides)
        return "<Program {}({}) -> ({})>".format(self.name, *ports)

    @cached_property
    def operators(self) -> Mapping[str, Operator]:
        """The table of operators that the program is held to, by name."""
        return operators_with(self.ops)

    @property
    def name(self) -> str:
        """The net's name."""
        return self.network.name

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The net's inputs."""
        return tuple(port_of(port) for port in self.network.inputs)

    @property
    def outputs(self) -> tuple[Port, ...]:
        """The net's outputs."""
        return tuple(port_of(port) for port in self.network.outputs)

    # ---- targets ---------------------------------------------------------------------------------

    def module(
        self,
        seed: int = 0,
        device: str | torch.device | None = None,
        *,
        devices: Mapping[str, str] | None = None,
        weights: Any = None,
        cast: bool = False,
        rename: Rename = None,
    ) -> torch.nn.Module:
        """The PyTorch module, in train mode.

        Args:
            seed: What the initial values are drawn from; a value depends on the seed and the
                parameter's name alone.
            device: Where the parameters live that the net puts on no device; the CPU by default.
            devices: What the devices that the net declares are, ``{"left": "cuda:1"}``; else each
                is the first of its fallbacks that this machine has.
            weights: Values in place of the initial ones; see ``onnx``.
            cast: Converts the weights' dtypes to the network's; see ``onnx``.
            rename: Renames the weights; see ``onnx``.

        Raises:
            SpecError: for weights that do not fit, and devices that are not there.
            TypeError, ValueError: for a seed that is no int from 0 to 2**63 - 1, and TypeError for
                weights that are no arrays by name.

        >>> import specc
        >>> specc.compile("std.softmax_regression").module(seed=1).linear1
        Linear(in_features=64, out_features=10, bias=True)
        """
        from specc.targets import torch as target

        seed = arguments.checked_seed(seed)
        with faults_as_errors(self.sources):
            given = self._given(weights, cast, rename)
            arrays = None if given is None else fitted_arrays(given, self.network)
            bound = target.bind(self.network, arguments.checked_devices(devices))
            return target.module(
                self.network,
                seed=seed,
                device=device,
                devices=bound,
                weights=arrays,
                operators=self.operators,
            )

    def onnx(
        self,
        *,
        weights: Any = None,
        cast: bool = False,
        rename: Rename = None,
        seed: int = 0,
        opset: int | None = None,
        strip: bool = False,
    ) -> onnx.ModelProto:
        """The ONNX model, lowered straight from the IR.

        Args:
            weights: A ``.safetensors`` path, a folder of shards with their index, a state dict, a
                module, or arrays by name. None takes the initial values of ``seed``.
            cast: Converts the weights' dtypes to the network's: floats to floats, rounded once, and
                ints to ints or floats. Without it, another dtype does not fit.
            rename: Patterns of the weights' names and what they are here, or None for what is left
                out, each in turn: ``{"**.mask": None, "**": "transformer.**"}``.
            seed: What the initial values are drawn from.
            opset: The ONNX operator set, 17 to 24.
            strip: Leaves out what names places of the spec's text.

        Raises:
            SpecError: for weights that do not fit, or an operator that the opset cannot express.
            TypeError, ValueError: as ``module``, and TypeError for an opset that is no int.

        >>> import specc
        >>> model = specc.compile("std.softmax_regression").onnx(opset=18)
        >>> [initializer.name for initializer in model.graph.initializer]
        ['linear1.weight', 'linear1.bias']
        """
        from specc.targets.onnx import to_onnx

        seed, opset = arguments.checked_seed(seed), arguments.checked_opset(opset)
        with faults_as_errors(self.sources):
            given = self._given(weights, cast, rename)
            return to_onnx(
                self.network,
                weights=given,
                seed=seed,
                opset=opset,
                operators=self.operators,
                strip=strip,
            )

    def _given(self, weights: Any, cast: bool, rename: Rename) -> Weights | None:
        return given_weights(weights, self.network, cast=cast, rename=rename)

    def python(self) -> str:
        """The source of a Python file that defines the module and needs only torch.

        Where a function of ``ops`` computes something, it imports the module of that function.

        Raises:
            SpecError: for a function that is defined in ``__main__``, which no file can import.

        >>> import specc
        >>> print(specc.compile("std.softmax_regression").python())
        # SoftmaxRegression, compiled by specc ... from std/softmax_regression.net
        from torch import nn
        ...
            def forward(self, x):
                return self.linear1(x)
        """
        from specc.targets.python import source

        with faults_as_errors(self.sources):
            return source(self.network, self.operators, standalone=True)

    def build(
        self,
        path: str | os.PathLike[str],
        *,
        weights: Any = None,
        cast: bool = False,
        rename: Rename = None,
        seed: int = 0,
        processes: int = 1,
        opset: int | None = None,
        verify: bool = True,
        strip: bool = False,
        verify_limit: float | None = None,
    ) -> Built:
        """Writes one file, whole or not at all; its suffix says which.

        ``.onnx`` is checked against PyTorch (``verify``) where torch is installed, and no file is
        left where the two differ; ``.py`` is the module's source, ``.json`` the IR,
        ``.safetensors`` the weights with the architecture in them. Where the net has a run-time
        loop, a run of the comparison is stopped after ``verify_limit`` seconds (60). ``processes``,
        forked where they are more than one, draw many initial values.

        Raises:
            SpecError: for a suffix that is none of these, for weights that do not fit, and for
                answers that differ.
            TypeError, ValueError: as ``onnx``, and ValueError for weights and a file without them.

        >>> import specc, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     built = specc.compile("std.softmax_regression").build(f"{folder}/digits.onnx")
        >>> [path.name for path in built.paths], built.parity.agrees
        (['digits.onnx'], True)
        """
        target = arguments.checked_target(path, weights)
        seed, opset = arguments.checked_seed(seed), arguments.checked_opset(opset)
        processes = arguments.checked_processes(processes)
        with faults_as_errors(self.sources), resting_collector():
            from specc.output import write

            options = BuildOptions(
                weights=self._given(weights, cast, rename),
                seed=seed,
                processes=processes,
                opset=opset,
                verify=verify,
                strip=strip,
                limit=verify_limit,
            )
            return write(self.network, self.operators, target, options)

    # ---- as text ---------------------------------------------------------------------------------

    def to_json(self) -> str:
        """The IR as JSON; ``from_json`` reads it back without loss.

        >>> import json, specc
        >>> json.loads(specc.compile("std.mlp").to_json())["name"]
        'MLP'
        """
        from specc.output import json_text

        return json_text(self.network)

    @classmethod
    def from_json(cls, text: str, *, ops: Iterable[Operator] = ()) -> Program:
        """The program of a JSON text.

        Args:
            text: What ``to_json`` gave.
            ops: The operators that the network uses beside the built-in ones.

        Raises:
            SpecError: where the text is no sound network of this version, or names an operator that
                is not there.
            TypeError, ValueError: for ``ops`` as ``compile``.

        >>> import specc
        >>> program = specc.compile("std.mlp")
        >>> Program.from_json(program.to_json()).network == program.network
        True
        """
        from specc.sound import sound_network

        own = tuple(ops)
        network, sources = sound_network(text, operators_with(own))
        return cls(network, sources=sources, ops=own)

    def show(self) -> str:
        """A table of the net: name, kind, output shape, parameters, multiply-adds.

        >>> import specc
        >>> print(specc.compile("std.softmax_regression").show())
        SoftmaxRegression
        name     kind    output shape  parameters  multiply-adds
        ...
        total                                 650            640
        ...
        """
        from specc.summary.table import show

        return show(self.network, operators=self.operators)

    def parameters(
        self,
        pattern: str | None = None,
        *,
        seed: int = 0,
        weights: Any = None,
        cast: bool = False,
        rename: Rename = None,
    ) -> tuple[ParameterInfo, ...]:
        """The parameters, buffers and constants whose name ``pattern`` stands for.

        Args:
            pattern: As in an ``init`` block: ``*`` stays within a dot, ``**`` crosses them. A
                shared parameter is found by any of its names. None stands for all.
            seed: What ``values()`` and ``statistics()`` of each draw the initial values from.
            weights: Values in place of the initial ones; see ``onnx``.
            cast: Converts the weights' dtypes to the network's; see ``onnx``.
            rename: Renames the weights; see ``onnx``.

        Raises:
            SpecError: where no name matches, and for weights that do not fit.

        >>> import specc
        >>> program = specc.compile("net Tiny(x: [N, 3]) -> [N, 2] { x |> out: Linear(2) }")
        >>> [(p.name, p.shape, p.initializer) for p in program.parameters("*.weight")]
        [('out.weight', (2, 3), 'kaiming_uniform(a=2.23606797749979)')]
        """
        from specc.parameters.info import of_network
        from specc.parameters.select import select

        seed = arguments.checked_seed(seed)
        pattern = arguments.checked_name("pattern", pattern)
        with faults_as_errors(self.sources):
            given = self._given(weights, cast, rename)
            return select(of_network(self.network, seed=seed, weights=given), pattern)

    def why(self, name: str) -> Why:
        r"""Why a parameter starts as it does: the rule that won, what it beat, the edits after it.

        Args:
            name: The parameter's name, or another one that it has.

        Raises:
            SpecError: where no parameter has this name.

        >>> import specc
        >>> text = "net Tiny(x: [N, 3]) -> [N, 2] { x |> out: Linear(2) }"
        >>> story = specc.compile(text + "\ninit { Linear.bias ~ zeros }").why("out.bias")
        >>> story.won.kind, story.won.text, story.won.place
        ('rule', 'Linear.bias ~ zeros', '<text>:2:8')
        """
        from specc.parameters.why import why

        with faults_as_errors(self.sources):
            return why(self.network, self.origins, self.sources, name)

    def svg(self) -> str:
        """A picture of the net as SVG: blocks within blocks, repeats once with their count.

        It is drawn from the IR alone, by no other program. Shapes stand beside the layers, and
        what is shared is marked.

        >>> import specc
        >>> specc.compile("std.lenet").svg()[:4]
        '<svg'
        """
        from specc.picture import picture

        return picture(self.network, self.operators)

    def metadata(self) -> dict[str, str]:
        """What a weight file of this program carries: its architecture, for one.

        >>> import specc
        >>> sorted(specc.compile("std.mlp").metadata())
        ['specc.compiler', 'specc.ir', 'specc.net', 'specc.sha256', 'specc.text']
        """
        return weight_metadata(self.network)
