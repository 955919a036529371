"""The grammar of the command line, and its help."""

from __future__ import annotations

import argparse
import re
import sys
from typing import Any

from specc.cli import options
from specc.cli.terminal import QuietStream
from specc.cli.values import at_least, seconds, size
from specc.version import __version__

_OVERVIEW = """\
Compiles neural networks from .net specifications.

A spec is checked, shown as a table, trained with PyTorch, and built into an ONNX graph, a Python
module, JSON, or a weight file."""

_OVERVIEW_END = """\
examples:
  specc check specs/lenet.net                     is it right?
  specc show std.lenet                            shapes, parameters, multiply-adds
  specc train std.lenet -o runs/lenet             train it by its own recipe
  specc build std.lenet -o lenet.onnx             an ONNX file, compared with PyTorch
  specc params std.lenet                          its parameters and how they start
  specc ops Conv                                  what an operator takes

FILE is a path, a spec that ships with specc (std.lenet), or - for standard input. Where a file
holds several nets, FILE:NET picks one.

exit codes:
  0  fine
  1  the spec is wrong, or a value that --set gives
  2  the command line is wrong: an unknown option, file, net or opset
  3  the run failed: a file that cannot be read or written, weights that do not fit, answers that
     differ, a training run that diverged or was interrupted

`specc COMMAND --help` says more about each command."""

_SET_END = """
--set takes a hyperparameter of the net (depth=50) or a setting of its recipe (train.epochs=3). The
value is an expression of the language, so a string has quotes of its own: --set 'mode="same"'."""

_CHECK = """\
Checks every net of each file: syntax, names, shapes, dtypes, initializers and training recipe.
Errors and warnings go to standard error."""

_CHECK_END = """\
examples:
  specc check specs/*.net
  specc check specs/mlp.net --set hidden=0
  cat draft.net | specc check - --format json
"""

_SHOW = """\
Prints a table of a net: the name, kind, output shape, parameters and multiply-adds of each layer,
the totals, and the sizes at which the net works. A shared parameter is counted once."""

_SHOW_END = """\
examples:
  specc show std.lenet
  specc show std.lenet --all
  specc show big.net:Encoder --depth 1 --at T=512
  specc show std.lenet --svg lenet.svg
"""

_BUILD = """\
Writes one file; its suffix says which:

  .onnx         the graph with its weights. It is run with onnxruntime and compared with PyTorch
                before it takes its place; where the two differ there is no file.
  .py           the module as Python source that needs only torch
  .json         the intermediate representation
  .safetensors  the weights, with the architecture beside them

The file appears whole or not at all."""

_BUILD_END = """\
examples:
  specc build std.lenet -o lenet.onnx
  specc build std.lenet -o lenet.onnx --weights runs/lenet/model.safetensors
  specc build std.gpt2 -o gpt2.onnx --weights gpt2.safetensors --rename '**=transformer.**'
  specc build std.mlp -o mlp.py --set hidden=256
"""

_TRAIN = """\
Trains a net by the `train` block of its file, and writes to a folder: model.safetensors (the
weights, with the spec in them), metrics.jsonl (a line for each epoch) and curves.png. Ctrl-C ends
the run early and keeps what it has learnt."""

_TRAIN_END = """\
examples:
  specc train std.lenet -o runs/lenet
  specc train std.mlp -o runs/wide --set hidden=256 --set train.epochs=3
  specc train std.mlp -o runs/sgd --set 'train.optimizer=sgd(lr=0.1, momentum=0.9)' --seed 1
"""

_PARAMS = """\
Lists the parameters of a net or of a weight file: name, shape, dtype and initializer, and for those
that have them, roles (buffers, constants) and the further names of a shared parameter. PATTERN
picks some: `*` stays within a dot, `**` crosses them. --stats, --hist and --plot show what the
values are like: those of the file or of --weights, or those that --seed gives."""

_PARAMS_END = """\
examples:
  specc params std.lenet
  specc params std.lenet '**.bias'
  specc params std.lenet --stats --hist --seed 1
  specc params std.lenet --weights runs/lenet/model.safetensors --stats
  specc params runs/lenet/model.safetensors --plot params.png
  specc params std.lenet --why conv1.weight
  specc params runs/lenet/model.safetensors --format json
"""

_CONVERT = """\
Writes the tensors of a file that torch.save wrote to a .safetensors file. It is read as tensors
alone: a file that holds more could run code, and is refused."""

_CONVERT_END = """\
examples:
  specc convert resnet50.pt -o resnet50.safetensors
  specc convert run.ckpt --part state_dict -o run.safetensors
"""

_DEVICES = """\
Lists the devices of this machine, and of a spec what each of its devices would be here."""

_DEVICES_END = """\
examples:
  specc devices
  specc devices std.alexnet2012 --device bottom=cpu
"""

_OPS = """\
Lists the operators, or says all about one: its signature, arguments and their defaults,
parameters, opsets, and uses that are tested."""

_OPS_END = """\
examples:
  specc ops
  specc ops Conv
"""


class _Parser(argparse.ArgumentParser):
    """One that takes ``-:NET`` for a file, and whose help may be cut short by ``| head``."""

    def _parse_optional(self, arg_string: str) -> Any:
        if re.fullmatch(r"-:\w+", arg_string):
            return None  # which says that it is no option
        return super()._parse_optional(arg_string)

    def _print_message(self, message: str, file: Any = None) -> None:
        stream = QuietStream(file or sys.stderr)
        stream.write(message)
        stream.flush()


class _Command(_Parser):
    """A command's own, which takes options also between the arguments without a name."""

    _within = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self._within:  # which argparse's own does in two passes
            return super().parse_known_args(args, namespace)
        self._within = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._within = False


def parser() -> argparse.ArgumentParser:
    """The parser of ``specc``; the chosen command is in ``command``."""
    top = _Parser(
        prog="specc",
        description=_OVERVIEW,
        epilog=_OVERVIEW_END,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"specc {__version__}")
    commands = top.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=_Command
    )

    def command(name: str, summary: str, text: str, end: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=summary,
            description=text,
            epilog=end,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    check = command("check", "check specs", _CHECK, _CHECK_END + _SET_END)
    check.add_argument("files", nargs="+", metavar="FILE", help="FILE or FILE:NET; - reads stdin")
    options.settings(check)
    options.reporting(check)

    show = command("show", "print a table of a net", _SHOW, _SHOW_END + _SET_END)
    options.file(show)
    show.add_argument("--all", action="store_true", help="show also what keeps the shape: relu, +")
    show.add_argument("--depth", type=at_least(1), metavar="N", help="open N levels of blocks")
    show.add_argument(
        "--at",
        action="append",
        type=size,
        default=[],
        metavar="SYMBOL=SIZE",
        help="fill in a symbolic size (repeatable)",
    )
    show.add_argument("--svg", metavar="OUT", help="write a picture in place of the table")
    options.settings(show)
    options.reporting(show)

    build = command(
        "build", "write .onnx, .py, .json or .safetensors", _BUILD, _BUILD_END + _SET_END
    )
    options.file(build)
    build.add_argument("-o", "--output", required=True, metavar="OUT", help="the file to write")
    options.weights(build)
    build.add_argument(
        "--seed", type=at_least(0), metavar="N", help="what initial values are drawn from (0)"
    )
    build.add_argument("--opset", type=int, metavar="N", help="the ONNX operator set (21)")
    build.add_argument(
        "--no-verify", action="store_true", help="do not compare the ONNX graph with PyTorch"
    )
    build.add_argument(
        "--strip", action="store_true", help="leave places of the spec's text out of the graph"
    )
    build.add_argument(
        "--verify-limit",
        type=seconds,
        metavar="SECONDS",
        help="stop a comparison whose `while` does not end (60)",
    )
    options.settings(build)
    options.reporting(build)

    train = command("train", "train a net by its recipe", _TRAIN, _TRAIN_END + _SET_END)
    options.file(train)
    train.add_argument("-o", "--output", required=True, metavar="DIR", help="the folder to write")
    train.add_argument(
        "--seed", type=at_least(0), metavar="N", help="in place of the recipe's seed"
    )
    options.settings(train, device="; or cpu, cuda, cuda:1 for the rest (the best there is)")
    options.reporting(train)

    params = command(
        "params", "list the parameters of a net or a weight file", _PARAMS, _PARAMS_END + _SET_END
    )
    params.add_argument(
        "file",
        metavar="FILE[:NET]|WEIGHTS",
        help="a spec as above, a .safetensors file, a folder of shards, or the IR as .json",
    )
    params.add_argument("pattern", nargs="?", metavar="PATTERN", help="which of them")
    params.add_argument(
        "--why", metavar="NAME", help="which rule decides how one starts, and what that beat"
    )
    params.add_argument(
        "--stats", action="store_true", help="mean, std, min, max, norm, share of zeros, NaN"
    )
    params.add_argument("--hist", action="store_true", help="draw a histogram of each")
    params.add_argument("--plot", metavar="PNG", help="write a picture of all")
    params.add_argument(
        "--seed", type=at_least(0), metavar="N", help="what values are drawn from (0)"
    )
    options.weights(params)
    options.settings(params)
    options.reporting(
        params, "how results and diagnostics are written: for people, or as lines of JSON"
    )

    convert = command(
        "convert", "make a torch file a .safetensors file, safely", _CONVERT, _CONVERT_END
    )
    convert.add_argument(
        "file", metavar="FILE", help="what torch.save wrote: .pt, .pth, .bin, .ckpt"
    )
    convert.add_argument("-o", "--output", required=True, metavar="OUT", help="the file to write")
    convert.add_argument("--part", metavar="KEY", help="take one entry of a dict, as state_dict")
    options.reporting(convert)

    devices = command("devices", "list devices", _DEVICES, _DEVICES_END + _SET_END)
    devices.add_argument("file", nargs="?", metavar="FILE[:NET]", help="a path, std.NAME, or -")
    options.settings(devices)
    options.reporting(devices)

    ops = command("ops", "describe the operators", _OPS, _OPS_END)
    ops.add_argument("name", nargs="?", metavar="NAME", help="an operator")
    options.own(ops)
    options.reporting(ops)
    return top
