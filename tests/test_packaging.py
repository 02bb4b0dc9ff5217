"""The installed package has the contents of the tree, and `strategies` is not an import name of its own.

One build serves all tests here: `make test` keeps a file like this on one worker.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import attrs
import pytest

ROOT = Path(__file__).resolve().parent.parent
BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "chaosqs", "strategies")

# Imports the package and its mapped part, says where from, and insists that the bare name is unknown.
PROBE = """
import chaosqs, chaosqs.strategies, importlib.util
assert importlib.util.find_spec("strategies") is None, importlib.util.find_spec("strategies")
print(chaosqs.__file__, chaosqs.strategies.__file__, sep="\\n")
"""


@attrs.frozen
class Build:
    """The archives that one build made, and the wheel that was made from its sdist."""

    wheel: Path
    sdist: Path
    wheel_from_sdist: Path


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Build from a copy, so that no build directory of the checkout leaks in or stays behind."""
    index = tmp_path_factory.mktemp("build")
    source = index / "source"
    source.mkdir()
    for name in BUILT_FROM:
        _copy(ROOT / name, source / name)
    _build(source, index / "dist", "--wheel", "--sdist")
    (sdist,) = (index / "dist").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(index / "unpacked", filter="data")
    (unpacked,) = (index / "unpacked").iterdir()
    _build(unpacked, index / "again", "--wheel")
    return Build(_only_wheel(index / "dist"), sdist, _only_wheel(index / "again"))


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def _build(source: Path, output: Path, *what: str) -> None:
    _python("-m", "build", "--no-isolation", *what, "--outdir", str(output), str(source), index=source)


def _only_wheel(index: Path) -> Path:
    (wheel,) = index.glob("*.whl")
    return wheel


def _python(*arguments: str, index: Path, path: Path | None = None) -> str:
    """Run Python elsewhere, with `path` in front of the import path, and return what it printed.

    Coverage stays out of it: it would count copies of the tree.
    """
    environment = {
        name: value for name, value in os.environ.items() if name != "PYTHONPATH" and not name.startswith("COVERAGE_")
    }
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [sys.executable, *arguments], cwd=index, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _probe(index: Path, path: Path | None = None) -> list[Path]:
    """Where `chaosqs` and `chaosqs.strategies` come from, for a program that runs in `place`."""
    return [Path(line) for line in _python("-c", PROBE, index=index, path=path).splitlines()]


def _packages_on_disk() -> set[str]:
    """Each directory with an `__init__.py`; not every `rglob` follows the link, so that is added by hand."""
    linked = ROOT / "chaosqs" / "strategies"
    inside = {
        ".".join(file.parent.relative_to(ROOT).parts)
        for file in (ROOT / "chaosqs").rglob("__init__.py")
        if not file.is_relative_to(linked)
    }
    mapped = {
        ".".join(("chaosqs", *file.parent.relative_to(ROOT).parts))
        for file in (ROOT / "strategies").rglob("__init__.py")
    }
    return inside | mapped


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def _packages_in(wheel: Path) -> set[str]:
    suffix = "/__init__.py"
    return {name.removesuffix(suffix).replace("/", ".") for name in _names(wheel) if name.endswith(suffix)}


def test_the_link_is_a_link() -> None:
    """A checkout shows `strategies/` to the checkers as `chaosqs.strategies` by one relative link."""
    assert (ROOT / "chaosqs" / "strategies").readlink() == Path("../strategies")


def test_the_wheel_holds_every_package_of_the_tree(build: Build) -> None:
    """A package that was not added to the list in `pyproject.toml` is missed here, not by a user."""
    assert _packages_in(build.wheel) == _packages_on_disk()


def test_the_wheel_holds_every_module_and_data_file_of_the_tree(build: Build) -> None:
    """Python, the marker of types, report templates and reference designs: all of it ships."""
    expected = {
        Path(parent, file.relative_to(ROOT / top)).as_posix()
        for top, parent in (("chaosqs", "chaosqs"), ("strategies", "chaosqs/strategies"))
        for file in (ROOT / top).rglob("*")
        if file.suffix in {".py", ".j2", ".json", ".yaml"} or file.name == "py.typed"
    }
    assert {name for name in _names(build.wheel) if ".dist-info/" not in name} == expected


def test_only_chaosqs_lands_at_the_top_of_site_packages(build: Build) -> None:
    """`strategies` is a name that others may want: it must not be taken by this package."""
    tops = {name.split("/")[0] for name in _names(build.wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"chaosqs"}


def test_the_wheel_declares_its_command_and_its_plugin(build: Build) -> None:
    """pytest and the shell find chaosqs through these two lines."""
    with zipfile.ZipFile(build.wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt"))
        lines = archive.read(name).decode().splitlines()
    assert "chaosqs = chaosqs.plugin" in lines[lines.index("[pytest11]") :]
    assert "chaosqs = chaosqs.cli:main" in lines[lines.index("[console_scripts]") :]


def test_the_sdist_holds_the_strategies(build: Build) -> None:
    """Who builds from source has the files that the map in `pyproject.toml` points to."""
    with tarfile.open(build.sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {"strategies/__init__.py", "pyproject.toml", "LICENSE", "chaosqs/py.typed"} <= names


def test_a_wheel_from_the_sdist_is_the_same(build: Build) -> None:
    """A redistributor who builds from the sdist ships what we ship."""
    assert _names(build.wheel_from_sdist) == _names(build.wheel)


def test_an_installed_wheel_imports_elsewhere(build: Build, tmp_path: Path) -> None:
    """After `pip install`, in any directory, `chaosqs.strategies` is there and `strategies` is not."""
    target = tmp_path / "site"
    options = ("--quiet", "--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check")
    _python("-m", "pip", "install", *options, "--target", str(target), str(build.wheel), index=tmp_path)
    assert all(file.is_relative_to(target) for file in _probe(tmp_path, path=target))


def test_a_wheel_imports_without_being_unpacked(build: Build, tmp_path: Path) -> None:
    """A zip file on the import path works too: the package needs no link and no directory."""
    assert all(file.is_relative_to(build.wheel) for file in _probe(tmp_path, path=build.wheel))


def test_an_editable_install_imports_elsewhere(tmp_path: Path) -> None:
    """What `make` installs behaves as the wheel does, and runs the files of the checkout."""
    assert all(file.resolve().is_relative_to(ROOT) for file in _probe(tmp_path))
