"""Findings of one session are the first cases of the next, in the database that Hypothesis's profile names."""

from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

from chaosqs.project.planning import BROKEN as CANARY
from tests.plugin.projects import SOUND

pytestmark = pytest.mark.usefixtures("briefly_explained", "hypothesis_of_its_own")
ARGUMENTS = ("--chaosqs", "--chaosqs-max-examples=20", "-k", "throttling")
PROFILE = """
from pathlib import Path
from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase, MultiplexedDatabase, ReadOnlyDatabase

own = DirectoryBasedExampleDatabase(Path(__file__).parent / "own")
shared = DirectoryBasedExampleDatabase(Path(__file__).parent / "shared")
settings.register_profile("of the project", {options})
settings.load_profile("of the project")
"""


@pytest.fixture
def hypothesis_of_its_own(pytester: pytest.Pytester) -> Generator[None]:
    """Let Hypothesis be as in a process that begins in the project: with its own profile and directory."""
    before = settings.get_current_profile_name()
    settings.load_profile("default")
    set_hypothesis_home_dir(pytester.path / ".hypothesis")
    yield
    set_hypothesis_home_dir(None)
    settings.load_profile(before)


def cases(project: pytest.Pytester, *arguments: str) -> int:
    """Return how many cases it took."""
    result = project.runpytest(*ARGUMENTS, *arguments)
    (line,) = (line for line in result.outlines if line.startswith("  no dead-lettering by throttling"))
    return int(line.split(" in ")[1].split()[0])


def entries(project: pytest.Pytester, name: str) -> list[Path]:
    """Return the files in a directory that hold scenarios; Hypothesis keeps a list of its keys there, too."""
    files = [path for path in (project.path / name).rglob("*") if path.is_file()]
    return sorted(path for path in files if path.read_bytes().startswith(b'{\n  "chaosqs"'))


def test_hypothesis_directory_remembers_until_it_is_fixed(broken: pytest.Pytester) -> None:
    """Without any setting; the next session needs one case, whatever its seed; the fix makes it forget."""
    assert cases(broken) > 1
    assert entries(broken, ".hypothesis/examples")
    assert cases(broken, "--chaosqs-seed=5") == 1
    (broken.path / "template.yaml").write_text(SOUND, encoding="utf-8")
    assert cases(broken) > 15
    assert entries(broken, ".hypothesis/examples") == []


@pytest.mark.parametrize("options", ["database=None", pytest.param("derandomize=True", marks=pytest.mark.deep)])
def test_a_profile_that_keeps_nothing_is_heard(broken: pytest.Pytester, options: str) -> None:
    """As Hypothesis's own profile for CI: each session begins anew, and leaves nothing."""
    broken.makeconftest(PROFILE.format(options=options))
    assert cases(broken) == cases(broken) > 1
    assert entries(broken, ".hypothesis") == []


def test_a_database_of_a_profile_is_shared(broken: pytest.Pytester) -> None:
    """What continuous integration has found is the first case here, and it is left alone."""
    broken.makeconftest(PROFILE.format(options="database=shared"))
    assert cases(broken) > 1
    found = entries(broken, "shared")
    assert found
    broken.makeconftest(PROFILE.format(options="database=MultiplexedDatabase(own, ReadOnlyDatabase(shared))"))
    assert cases(broken) == 1
    (broken.path / "template.yaml").write_text(SOUND, encoding="utf-8")
    assert cases(broken) > 15
    assert entries(broken, "shared") == found
    assert entries(broken, "own") == []


def test_a_canary_is_found_anew_each_time(pytester: pytest.Pytester) -> None:
    """It is the search that is on trial there, not its memory."""
    (pytester.path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n", encoding="utf-8")

    def told() -> list[str]:
        result = pytester.runpytest("--chaosqs", "-k", "canary")
        return [line for line in result.outlines if line.startswith(f"canary/{CANARY}: broken on purpose")]

    first = told()
    assert first == told()
    assert len(first) == 1


def test_hypothesis_own_option_gives_the_seed(sound: pytest.Pytester) -> None:
    """`--hypothesis-seed` is the seed of our searches, too, unless they have one of their own."""

    def line(*arguments: str) -> str:
        result = sound.runpytest("--chaosqs", "-k", "conservation", "--chaosqs-max-examples=10", *arguments)
        (found,) = (line for line in result.outlines if line.startswith("  conservation"))
        return found

    assert line("--hypothesis-seed=3") == line("--chaosqs-seed=3") != line()
    assert line("--hypothesis-seed=3", "--chaosqs-seed=0") == line("--hypothesis-seed=random") == line()
