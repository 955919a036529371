"""The command line in this process: options, exit codes, and what goes where."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

from specc.cli.arguments import parser
from specc.cli.codes import ExitCode, exit_code
from specc.cli.main import main
from specc.cli.source import split
from specc.frontend.diagnostics import Diagnostic
from specc.version import __version__

FINE = "net Fine(x: [N, 4]) -> [N, 2] { x |> Linear(2) }\n"
WRONG = "net Wrong(x: [N, 4]) -> [N, 2] { x |> Linear(3) }\n"
SHARED_FAULT = """\
block Part(x: [N, D]) -> [N, D] { x |> Liner(4) }
net A(x: [N, 4]) -> [N, 4] { x |> Part }
net B(x: [N, 4]) -> [N, 4] { x |> Part }
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a spec that is right and one that is not."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fine.net").write_text(FINE)
    (tmp_path / "wrong.net").write_text(WRONG)
    return tmp_path


Captured = pytest.CaptureFixture[str]


# ---- help ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["check", "show", "build", "train", "params", "convert", "ops"])
def test_help_has_examples_that_are_commands(command: str, capsys: Captured) -> None:
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    examples = re.findall(rf"^  (?:cat .* \| )?specc ({command}.*)$", text, re.MULTILINE)
    assert examples
    for example in examples:
        words = [word.strip("'") for word in re.split(r" (?=(?:[^']*'[^']*')*[^']*$)", example)]
        assert parser().parse_args(words).command == command


def test_overview_names_every_command_and_exit_code(capsys: Captured) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for command in ("check", "show", "build", "train", "params", "convert", "ops"):
        assert re.search(rf"^    {command} ", text, re.MULTILINE)
    for code in ExitCode:
        assert re.search(rf"^  {int(code)}  ", text, re.MULTILINE)


def test_help_fits_a_terminal_of_100_columns(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    for command in ([], ["check"], ["show"], ["build"], ["train"], ["ops"]):
        main([*command, "--help"])
        assert max(map(len, capsys.readouterr().out.splitlines())) <= 100


def test_version(capsys: Captured) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"specc {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["compile", "fine.net"],
        ["check"],
        ["check", "fine.net", "--nope"],
        ["check", "fine.net", "--form", "json"],
        ["check", "fine.net", "--format", "xml"],
        ["check", "fine.net", "--set", "hidden"],
        ["check", "fine.net", "--set", "=3"],
        ["show", "fine.net", "--depth", "0"],
        ["show", "fine.net", "--at", "N=0"],
        ["show", "fine.net", "--at", "N"],
        ["show", "fine.net", "--at", "M=3"],
        ["show", "fine.net", "wrong.net"],
        ["build", "fine.net"],
        ["build", "fine.net", "-o", "x.onnx", "--seed", "-1"],
        ["build", "fine.net", "-o", "x.onnx", "--seed", "1.5"],
        ["build", "fine.net", "-o", "x.onnx", "--opset", "new"],
        ["build", "fine.net", "-o", "x.onnx", "--opset", "3"],
        ["build", "fine.net", "-o", "x.pt"],
        ["build", "fine.net", "-o", "x.json", "--opset", "18"],
        ["build", "fine.net", "-o", "x.py", "--seed", "0"],
        ["build", "fine.net", "-o", "x.json", "--weights", "w.safetensors"],
        ["build", "fine.net", "-o", "x.safetensors", "--no-verify"],
        ["build", "fine.net:Other", "-o", "x.json"],
        ["build", "missing.net", "-o", "x.json"],
        ["check", "std.missing"],
        ["check", "{"],
        ["ops", "Conf"],
        ["train", "fine.net"],
    ],
)
def test_a_wrong_command_line_is_2_and_says_why(
    arguments: list[str], folder: Path, capsys: Captured
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err
    assert "Traceback" not in captured.err
    assert {path.name for path in folder.iterdir()} == {"fine.net", "wrong.net"}


# ---- check ---------------------------------------------------------------------------------------


def test_check_says_that_a_net_is_fine(folder: Path, capsys: Captured) -> None:
    assert main(["check", "fine.net"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "fine.net: net Fine is fine (2 tensors, 10 parameters)\n"
    assert captured.err == ""


def test_check_reports_on_standard_error(folder: Path, capsys: Captured) -> None:
    assert main(["check", "wrong.net"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "wrong.net:1:" in captured.err
    assert captured.err.endswith("wrong.net: 1 error\n")


def test_check_goes_on_after_a_file_that_is_wrong(folder: Path, capsys: Captured) -> None:
    assert main(["check", "wrong.net", "missing.net", "fine.net"]) == 2
    assert "net Fine is fine" in capsys.readouterr().out


def test_check_reports_what_two_nets_share_once(folder: Path, capsys: Captured) -> None:
    (folder / "both.net").write_text(SHARED_FAULT)
    assert main(["check", "both.net"]) == 1
    assert capsys.readouterr().err.count("error[unknown-name]") == 1


def test_check_checks_every_net(folder: Path, capsys: Captured) -> None:
    (folder / "two.net").write_text(FINE + WRONG)
    assert main(["check", "two.net"]) == 1
    captured = capsys.readouterr()
    assert "net Fine is fine" in captured.out
    assert "error[" in captured.err
    assert main(["check", "two.net:Fine"]) == 0


def test_check_accepts_a_file_of_blocks(folder: Path, capsys: Captured) -> None:
    (folder / "blocks.net").write_text("block B(x: [N, D]) -> [N, D] { x |> Linear(4) }\n")
    assert main(["check", "blocks.net"]) == 0
    assert "no net" in capsys.readouterr().out


def test_warnings_are_reported_and_are_fine(folder: Path, capsys: Captured) -> None:
    (folder / "unused.net").write_text(
        "net Unused(x: [N, 4]) -> [N, 4] {\n    y = relu(x)\n    return x\n}\n"
    )
    assert main(["check", "unused.net"]) == 0
    captured = capsys.readouterr()
    assert "is fine" in captured.out
    assert captured.err.startswith("warning[unused-binding]")


def test_a_spec_comes_from_standard_input(
    folder: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give(text: bytes) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))

    give(FINE.encode())
    assert main(["check", "-"]) == 0
    assert capsys.readouterr().out.startswith("-: net Fine is fine")
    give(WRONG.encode())
    assert main(["show", "-:Wrong"]) == 1
    assert "<stdin>:1:" in capsys.readouterr().err
    give(b"\xff\xfe")
    assert main(["check", "-"]) == 2
    assert "UTF-8" in capsys.readouterr().err
    give(b"")
    assert main(["check", "-"]) == 0


# ---- settings ------------------------------------------------------------------------------------


def test_set_gives_hyperparameters(capsys: Captured) -> None:
    assert main(["check", "std.mlp", "--set", "hidden=8"]) == 0
    assert "610 parameters" in capsys.readouterr().out


@pytest.mark.parametrize("value", ["0", "4.5"])
def test_a_setting_that_a_layer_refuses_is_1_at_the_layer(value: str, capsys: Captured) -> None:
    assert main(["check", "std.mlp", "--set", f"hidden={value}"]) == 1
    assert f"this is {value}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "setting",
    [
        *('hidden="8"', "hidden=[", "hidden=", "hiden=8"),
        *("train.epochs=0", "train.epoch=3", "train.optimizer=sgdd(lr=1)"),
        "train.optimizer=sgd(lr=0)",
    ],
)
def test_a_bad_setting_is_1_and_located(setting: str, capsys: Captured) -> None:
    assert main(["check", "std.mlp", "--set", setting]) == 1
    key = setting.partition("=")[0]
    assert f"--> --set {key}:1:" in capsys.readouterr().err


# ---- how diagnostics are written -----------------------------------------------------------------


def test_json_is_an_object_a_line(folder: Path, capsys: Captured) -> None:
    (folder / "both.net").write_text(WRONG + "net Other(x: [N, 4]) -> [N, 2] { x |> Liner(2) }\n")
    assert main(["check", "both.net", "--format", "json"]) == 1
    diagnostics = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [d["severity"] for d in diagnostics] == ["error", "error"]
    assert diagnostics[1]["code"] == "unknown-name"
    assert diagnostics[1]["labels"][0]["line"] == 2


@pytest.mark.parametrize(
    ("choice", "environment", "colored"),
    [
        ("auto", {}, False),  # no terminal here
        ("always", {}, True),
        ("always", {"NO_COLOR": "1"}, True),  # who asks for it gets it
        ("never", {}, False),
    ],
)
def test_color(
    choice: str,
    environment: dict[str, str],
    colored: bool,
    folder: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    main(["check", "wrong.net", "--color", choice])
    assert ("\x1b[" in capsys.readouterr().err) == colored


@pytest.mark.parametrize(
    ("environment", "colored"), [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)]
)
def test_color_on_a_terminal(
    environment: dict[str, str],
    colored: bool,
    folder: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    main(["check", "wrong.net"])
    assert ("\x1b[" in capsys.readouterr().err) == colored


def test_a_key_that_is_set_twice_is_2(capsys: Captured) -> None:
    assert main(["check", "std.mlp", "--set", "hidden=8", "--set", "hidden=9"]) == 2
    assert "--set gives hidden twice" in capsys.readouterr().err


def test_the_beginning_of_an_operators_name_is_answered_with_that_operator(
    capsys: Captured,
) -> None:
    assert main(["ops", "Lin"]) == 2
    assert "did you mean 'Linear'?" in capsys.readouterr().err


def test_names_cannot_steer_the_terminal(folder: Path, capsys: Captured) -> None:
    assert main(["check", "odd\x1b[31m.net"]) == 2
    assert main(["show", "fine.net", "--at", "M\u202e=3"]) == 2
    assert main(["ops", "\x1b]0;title\x07"]) == 2
    captured = capsys.readouterr()
    assert not set("\x1b\x07\u202e") & set(captured.out + captured.err)


# ---- show and ops --------------------------------------------------------------------------------


def test_show_prints_the_table(capsys: Captured) -> None:
    assert main(["show", "std.lenet:LeNet"]) == 0
    table = capsys.readouterr().out
    assert table.startswith("LeNet\n")
    assert re.search(r"^total +61,706 +416,520$", table, re.MULTILINE)


def test_show_fills_in_sizes_and_shows_all(capsys: Captured) -> None:
    assert main(["show", "std.lenet", "--at", "N=64", "--all"]) == 0
    table = capsys.readouterr().out
    assert re.search(r"^ +sigmoid +\[64, 6, 28, 28\]$", table, re.MULTILINE)
    assert re.search(r"^total +61,706 +26,657,280$", table, re.MULTILINE)


def test_show_refuses_sizes_at_which_the_net_does_not_work(folder: Path, capsys: Captured) -> None:
    (folder / "conv.net").write_text("net C(x: [N, 1, H, 9]) -> [...] { x |> Conv(2, 5) }\n")
    assert main(["show", "conv.net", "--at", "H=5"]) == 0
    assert main(["show", "conv.net", "--at", "H=4"]) == 2
    assert "H >= 5" in capsys.readouterr().err


def test_ops_lists_and_describes(capsys: Captured) -> None:
    assert main(["ops"]) == 0
    assert "\n  Conv " in capsys.readouterr().out
    assert main(["ops", "Conv"]) == 0
    assert capsys.readouterr().out.startswith("Conv(channels, kernel, stride=1")


# ---- exit codes of diagnostics -------------------------------------------------------------------


def test_the_gravest_diagnostic_decides() -> None:
    def diagnostic(code: str) -> Diagnostic:
        return Diagnostic(code, "")

    assert exit_code([]) == 0
    assert exit_code([Diagnostic("unused-binding", "", severity="warning")]) == 0
    assert exit_code([diagnostic("shape-mismatch")]) == 1
    assert exit_code([diagnostic("shape-mismatch"), diagnostic("bad-source")]) == 2
    assert exit_code([diagnostic("cannot-write"), diagnostic("shape-mismatch")]) == 3


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("a.net", ("a.net", None)),
        ("a.net:Net", ("a.net", "Net")),
        ("std.lenet:LeNet", ("std.lenet", "LeNet")),
        ("-:Net", ("-", "Net")),
        (r"C:\nets\a.net", (r"C:\nets\a.net", None)),
        (r"C:\nets\a.net:Net", (r"C:\nets\a.net", "Net")),
        ("a.net:", ("a.net:", None)),
    ],
)
def test_a_file_and_a_net_are_told_apart(argument: str, expected: tuple[str, str | None]) -> None:
    assert split(argument) == expected


def test_a_path_with_a_colon_is_a_path(folder: Path) -> None:
    (folder / "odd:name").write_text(FINE)
    assert main(["check", "odd:name"]) == 0


# ---- inputs that may be left out -----------------------------------------------------------------

MASKED = "net Masked(x: [N, 4], mask: [N, 4] = none) { return x if mask == none else x * mask }\n"


def test_an_optional_input_is_asked_for(folder: Path, capsys: Captured) -> None:
    (folder / "masked.net").write_text(MASKED)
    assert main(["show", "masked.net"]) == 0
    assert "mask" not in capsys.readouterr().out
    assert main(["show", "masked.net", "--input", "mask"]) == 0
    assert re.search(r"^mask +input +\[N, 4\]", capsys.readouterr().out, re.MULTILINE)


def test_an_input_that_is_not_there_is_refused(folder: Path, capsys: Captured) -> None:
    (folder / "masked.net").write_text(MASKED)
    assert main(["check", "masked.net", "--input", "maks"]) == 1
    assert "did you mean 'mask'?" in capsys.readouterr().err
