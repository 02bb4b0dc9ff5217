"""Without an option of ours the plugin costs nothing."""

import sys

import pytest

SPY = """
import sys, pytest
status = pytest.main(sys.argv[1:])
with open("modules.txt", "w") as file:
    file.write("\\n".join(sys.modules))
sys.exit(status)
"""
HEAVY = ("trio", "hypothesis", "click", "cattrs", "chaosqs.model", "chaosqs.session")


def modules_after(pytester: pytest.Pytester, *arguments: str) -> set[str]:
    """Return the modules that a run of pytest has loaded at its end."""
    pytester.makepyfile("def test_it(): pass")
    assert pytester.run(sys.executable, "-c", SPY, "-q", *arguments).ret == 0
    return set((pytester.path / "modules.txt").read_text(encoding="utf-8").splitlines())


def heavy(modules: set[str]) -> set[str]:
    return {module for module in modules if module.startswith(HEAVY)}


@pytest.mark.parametrize("arguments", [(), pytest.param(("--collect-only",), marks=pytest.mark.deep), ("--help",)])
def test_pytest_starts_without_loading_anything_of_ours(pytester: pytest.Pytester, arguments: tuple[str, ...]) -> None:
    """Whoever has chaosqs installed and does not ask for it loads two small modules, and none of its libraries."""
    with_plugin = modules_after(pytester, *arguments)
    without = modules_after(pytester, *arguments, "-p", "no:chaosqs")
    assert {module for module in with_plugin - without if module.startswith("chaosqs")} <= {"chaosqs", "chaosqs.plugin"}
    assert heavy(with_plugin) == heavy(without)


def test_asking_loads_it(sound: pytest.Pytester) -> None:
    """The comparison above would notice a heavy module."""
    assert {"hypothesis", "trio"} <= modules_after(sound, "--chaosqs", "--chaosqs-max-examples=1")


def test_the_options_are_in_a_group_of_their_own(pytester: pytest.Pytester) -> None:
    """`pytest --help` lists them under our name."""
    result = pytester.runpytest("--help")
    result.stdout.fnmatch_lines(["chaosqs*:", "*--chaosqs *", "*--chaosqs-replay=FILE*"])


def test_the_marker_is_known(pytester: pytest.Pytester) -> None:
    """`-m chaosqs` works under strict markers, with or without the option."""
    pytester.runpytest("--markers").stdout.fnmatch_lines(["@pytest.mark.chaosqs: *"])
    pytester.makepyfile("def test_it(): pass")
    assert pytester.runpytest("--strict-markers", "-m", "not chaosqs").ret == 0


def test_modules_are_rewritten_without_a_warning(sound: pytest.Pytester) -> None:
    """pytest rewrites the assertions of plugins; it must find none of ours imported too early."""
    arguments = ("-W", "error", "--chaosqs", "--chaosqs-max-examples=1", "-q")
    result = sound.run(sys.executable, "-m", "pytest", *arguments)
    assert result.ret == 0
    assert "rewritten" not in result.stdout.str() + result.stderr.str()
