"""The walls of the house: who imports whom, how long a file is, what no file mentions."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "specc"
FRAMEWORKS = {"onnx", "onnx_ir", "onnxruntime", "torch"}
LONGEST_FILE = 400

# Imports a package with all modules in it, as no single import of the package would.
IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    importlib.import_module(module.name)
"""

# Runs the command line as `python -m specc` does.
RUN_SPECC = """
import runpy
runpy.run_module("specc", run_name="__main__", alter_sys=True)
"""

# Written when the process ends, since the command line leaves by SystemExit.
REPORT_MODULES = """
import atexit, json, os, pathlib, sys
def report():
    names = sorted({name.partition(".")[0] for name in sys.modules})
    pathlib.Path(os.environ["MODULES_FILE"]).write_text(json.dumps(names))
atexit.register(report)
"""


def modules_imported_by(program: str, *arguments: str | Path, folder: Path) -> set[str]:
    """The top-level modules that a fresh interpreter holds after it has run ``program``."""
    report = folder / "modules.json"
    done = subprocess.run(
        [sys.executable, "-c", REPORT_MODULES + program, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"MODULES_FILE": str(report), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return set(json.loads(report.read_text()))


def project_files() -> list[Path]:
    """The files that git tracks or would track, as far as they are there."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    return [path for name in listing.stdout.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize("layer", ["frontend", "ir", "elaborate", "ops", "initialize"])
def test_compiler_layer_imports_no_framework(layer: str, tmp_path: Path) -> None:
    imported = modules_imported_by(IMPORT_ALL, f"specc.{layer}", folder=tmp_path)
    assert "specc" in imported
    assert not imported & FRAMEWORKS


def test_public_api_loads_no_framework(tmp_path: Path) -> None:
    imported = modules_imported_by("import specc", folder=tmp_path)
    assert not imported & FRAMEWORKS


def test_the_report_sees_a_framework(tmp_path: Path) -> None:
    """Guards the tests around this one: an import that does happen is reported."""
    assert "onnx" in modules_imported_by("import onnx", folder=tmp_path)


@pytest.mark.parametrize("command", ["check", "show"])
def test_reading_a_spec_imports_no_framework(command: str, tmp_path: Path) -> None:
    imported = modules_imported_by(RUN_SPECC, command, "specs/lenet.net", folder=tmp_path)
    assert "specc" in imported
    assert not imported & FRAMEWORKS


def test_checking_an_initializer_of_a_file_imports_no_framework(tmp_path: Path) -> None:
    spec = tmp_path / "own.net"
    spec.write_text(
        "init own(w: [...]) {\n w ~ uniform\n return 2 * w\n}\n"
        "net A(x: [N, 4]) -> [N, 2] { x |> Linear(2, weight ~ own) }\n"
    )
    imported = modules_imported_by(RUN_SPECC, "check", spec, folder=tmp_path)
    assert "specc" in imported
    assert not imported & FRAMEWORKS


def test_building_onnx_does_not_import_torch(tmp_path: Path) -> None:
    graph = tmp_path / "lenet.onnx"
    imported = modules_imported_by(
        RUN_SPECC, "build", "specs/lenet.net", "-o", graph, "--no-verify", folder=tmp_path
    )
    assert graph.stat().st_size > 0
    assert "onnx_ir" in imported
    assert "torch" not in imported


@pytest.mark.parametrize(
    ("folder", "module"),
    [
        ("frontend", "torch"),
        ("ir", "onnx_ir"),
        ("elaborate", "onnx"),
        ("ops", "torch.nn.functional"),
        ("ops", "specc.targets"),
        ("initialize", "torch"),
        ("targets", "specc.training"),
        ("training", "specc.cli"),
    ],
)
def test_linter_bans_the_import(folder: str, module: str) -> None:
    """The ban reaches the folder, through the nested ruff.toml where there is one."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "TID251"),
            *("--output-format", "concise", "--stdin-filename", f"specc/{folder}/new.py", "-"),
        ],
        cwd=ROOT,
        input=f"import {module}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "TID251" in done.stdout


def test_no_source_file_is_too_long() -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in PACKAGE.rglob("*.py")
    }
    assert lengths
    assert {name: length for name, length in lengths.items() if length >= LONGEST_FILE} == {}


def forbidden_phrases() -> re.Pattern[str]:
    """Hosts of package registries and absolute paths of one machine.

    Each is put together from parts, so that this file passes its own test.
    """
    hosts = [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("download", "pytorch", "org"),
        ("anaconda", "org"),
    ]
    folders = ["work", "root", "home", "Users"]
    names = [re.escape(".".join(parts)) for parts in hosts]
    paths = [rf"(?<![\w.~)}}]){re.escape('/' + folder)}/\w" for folder in folders]
    return re.compile("|".join(names + paths))


def test_forbidden_phrases_are_recognised() -> None:
    pattern = forbidden_phrases()
    assert pattern.search("at https://" + "pypi." + "org/simple")
    assert pattern.search("see /" + "work/notes")
    assert pattern.search('"/' + 'root/x"')
    assert not pattern.search("runs/" + "work/lenet and docs/" + "home/index")


def test_no_file_mentions_a_registry_or_an_absolute_path() -> None:
    pattern = forbidden_phrases()
    found = []
    for path in project_files():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:  # a picture or a model
            continue
        name = path.relative_to(ROOT).as_posix()
        found += [f"{name}:{n}: {line}" for n, line in enumerate(lines, 1) if pattern.search(line)]
    assert not found, "\n".join(found)


def declared_dependencies() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    return [Requirement(text) for group in (project["dependencies"], *extras) for text in group]


@pytest.mark.parametrize("requirement", declared_dependencies(), ids=lambda r: r.name)
def test_dependency_is_pinned_and_explained(requirement: Requirement) -> None:
    pins = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    )
    explained = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert requirement.specifier.contains(pins[requirement.name])
    assert f"[{requirement.name}]" in explained or f"`{requirement.name}`" in explained


@pytest.mark.parametrize(
    ("system", "machine", "expected"),
    [
        ("linux", "x86_64", "onnxruntime-gpu"),
        ("win32", "AMD64", "onnxruntime-gpu"),
        ("linux", "aarch64", "onnxruntime"),
        ("win32", "ARM64", "onnxruntime"),
        ("darwin", "arm64", "onnxruntime"),
        ("darwin", "x86_64", "onnxruntime"),
    ],
)
def test_exactly_one_onnxruntime_is_installed(system: str, machine: str, expected: str) -> None:
    platform = {"sys_platform": system, "platform_machine": machine}
    chosen = [
        requirement.name
        for requirement in declared_dependencies()
        if requirement.marker is not None and requirement.marker.evaluate(platform)
    ]
    assert chosen == [expected]
