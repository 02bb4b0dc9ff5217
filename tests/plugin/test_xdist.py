"""With xdist the items run on workers, and the summary is the same."""

import pytest

from chaosqs.project.pytest_hooks import unit_of
from tests.plugin.projects import IDS, MAPPING, SOUND, run_pytest
from tests.project.kept import kept, write

BRIEFLY = "--chaosqs-max-examples=3"

pytest.importorskip("xdist")


def section(output: str) -> list[str]:
    """Return the lines of our section of the summary."""
    lines = output.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("=") and " chaosqs " in line) + 1
    return lines[first : next(n for n, line in enumerate(lines) if n >= first and line.startswith("="))]


def test_the_summary_is_the_same(pytester: pytest.Pytester) -> None:
    """Verdicts, cases and notices travel from the workers, in the order of the items; so do kept counterexamples."""
    (pytester.path / "template.yaml").write_text(SOUND, encoding="utf-8")
    (pytester.path / "main.tf").write_text("", encoding="utf-8")
    names = ["a", "b", "throttled"]
    for name in names:
        write(pytester.path / "reports" / "corpus" / f"{name}.json", kept())
    alone = pytester.runpytest("--chaosqs", BRIEFLY, "-p", "no:xdist")
    spread = run_pytest(pytester.path, "--chaosqs", BRIEFLY, "-n", "2", "-v")
    assert alone.ret == spread.returncode == 0, spread.stdout
    assert "created: 2/2 workers" in spread.stdout
    assert section(alone.stdout.str()) == section(spread.stdout) != []
    workers = [line[:5] for line in spread.stdout.splitlines() if line.startswith("[gw") and f" {MAPPING}::" in line]
    assert workers == [workers[0]] * len(IDS)
    fixed = [line for line in section(spread.stdout) if line.endswith(": FIXED on template.yaml as it is now")]
    assert fixed == [f"reports/corpus/{name}.json: FIXED on template.yaml as it is now" for name in names]


@pytest.mark.parametrize(
    ("node_id", "unit"),
    [
        ("chaosqs::a.yaml::q→f::conservation", "chaosqs::a.yaml::q→f"),
        ("chaosqs::every-design::conservation", "chaosqs::every-design::conservation"),
        ("chaosqs::corpus::a.json", "chaosqs::corpus::a.json"),
        ("tests/test_a.py::Test::test_b", "tests/test_a.py::Test::test_b"),
        ("tests/test_a.py::test_b@group", "group"),
        ("tests/test_a.py::test_b[a@b]", "tests/test_a.py::test_b[a@b]"),
    ],
)
def test_items_that_share_a_search_are_one_unit(node_id: str, unit: str) -> None:
    """So that a mapping is searched once; all others are units of their own, or xdist's groups."""
    assert unit_of(node_id) == unit


@pytest.mark.deep
def test_an_id_runs_alone_on_a_worker(sound: pytest.Pytester) -> None:
    """An id on the command line means the same to each worker."""
    done = run_pytest(sound.path, "chaosqs::template.yaml::orders→worker::conservation", BRIEFLY, "-n", "1")
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_a_slip_is_said_once_and_starts_no_worker(sound: pytest.Pytester) -> None:
    """The controller refuses what is wrong before it starts any worker."""
    done = run_pytest(sound.path, "--chaosqs-design=nowhere.yaml", "-n", "2")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert done.stderr.count("nowhere.yaml") == 1
    assert "worker" not in done.stdout


def test_it_runs_where_nothing_but_ascii_can_be_printed(sound: pytest.Pytester) -> None:
    """The arrow in the ids does not stop a terminal or an environment without Unicode."""
    done = run_pytest(
        sound.path,
        "--chaosqs",
        BRIEFLY,
        "-v",
        "-k",
        "conservation",
        LC_ALL="C",
        PYTHONUTF8="0",
        PYTHONCOERCECLOCALE="0",
        PYTHONIOENCODING="ascii",
    )
    assert done.returncode == 0, done.stdout + done.stderr
