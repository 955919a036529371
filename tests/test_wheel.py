"""The built distribution works where there is no checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import onnx
import pytest

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.xdist_group("wheel")  # one process builds it, once


def run(*command: str | Path, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs a command outside the checkout's reach: nothing comes from PYTHONPATH."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done


def build_wheel(source: Path, folder: Path) -> Path:
    """Builds with the backend of this environment, so that nothing is downloaded."""
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel")
    run(*pip, "--no-deps", "--no-build-isolation", "-w", folder, source, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=ROOT)
    (archive,) = folder.glob("*.tar.gz")
    return archive


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the source distribution, as an installer that finds no wheel would."""
    return build_wheel(sdist, tmp_path_factory.mktemp("wheel"))


@dataclass(frozen=True)
class Installation:
    """A fresh environment with specc in it."""

    python: Path
    specc: Path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel in an environment of its own, with this environment's packages behind it.

    A .pth file lends it the dependencies, which are gigabytes. It adds a folder and does not
    execute the .pth files there, so an editable specc of this environment stays out of reach.
    """
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False, symlinks=os.name != "nt")
    scheme = {"base": str(home), "platbase": str(home)}
    scripts = Path(sysconfig.get_path("scripts", scheme="venv", vars=scheme))
    packages = Path(sysconfig.get_path("purelib", scheme="venv", vars=scheme))
    lent = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (packages / "lent.pth").write_text("\n".join(lent) + "\n", encoding="utf-8")
    python = scripts / ("python.exe" if os.name == "nt" else "python")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    run(*pip, "install", "--no-deps", "--no-index", "--ignore-installed", wheel, cwd=home)
    return Installation(python, scripts / ("specc.exe" if os.name == "nt" else "specc"))


def tracked(folder: str) -> set[str]:
    return {p.relative_to(ROOT).as_posix() for p in (ROOT / folder).rglob("*") if p.is_file()}


def test_sdist_holds_the_grammar_the_specs_and_the_tests(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert tracked("grammars") | tracked("specs") <= names
    assert {"LICENSE", "Makefile", "constraints.txt", "tests/test_wheel.py"} <= names


def test_wheel_holds_the_grammar_and_the_specs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    shipped = tracked("grammars") | tracked("specs")
    assert {"grammars/net.lark", "specs/lenet.net"} <= shipped
    assert {f"specc/_data/{name}" for name in shipped} <= names
    assert "specc/py.typed" in names


def test_wheel_holds_nothing_beside_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        top = {name.partition("/")[0] for name in archive.namelist()}
        names = [Path(name).name for name in archive.namelist()]
    assert {name for name in top if not name.endswith(".dist-info")} == {"specc"}
    assert "ruff.toml" not in names


def test_installed_package_is_the_wheel(installed: Installation, tmp_path: Path) -> None:
    where = run(installed.python, "-c", "import specc; print(specc.__file__)", cwd=tmp_path)
    assert Path(where.stdout.strip()).is_relative_to(installed.python.parent.parent)


def test_installed_command_checks_a_std_spec(installed: Installation, tmp_path: Path) -> None:
    run(installed.specc, "check", "std.lenet", cwd=tmp_path)


def test_installed_command_refuses_an_unknown_std_spec(
    installed: Installation, tmp_path: Path
) -> None:
    done = run(installed.specc, "check", "std.no_such_spec", cwd=tmp_path, check=False)
    assert done.returncode in (1, 2)
    assert "no_such_spec" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_installed_command_builds_a_std_spec(installed: Installation, tmp_path: Path) -> None:
    run(installed.specc, "build", "std.lenet", "-o", "lenet.onnx", cwd=tmp_path)
    model = onnx.load(tmp_path / "lenet.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert {p.name for p in tmp_path.iterdir()} == {"lenet.onnx"}
