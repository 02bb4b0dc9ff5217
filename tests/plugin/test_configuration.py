"""`[tool.chaosqs]` and the options: what they mean, and what is said about slips in them."""

from pathlib import Path

import pytest

from chaosqs.project import exploration
from tests.plugin.projects import BRIEFLY
from tests.project.kept import artefact

WRONG = {
    "unknown key": ('profil = "quick"', "profil: unknown field: there are designs, profile"),
    "unknown profile": ('profile = "fast"', "profile = 'fast': must be 'quick' or 'ci' or 'deep'"),
    "wrong type": ('designs = "template.yaml"', 'designs: must be an array, not "template.yaml"'),
    "wrong type within": ("designs = [1]", "designs[[]0]: must be a string"),
    "out of range": ("max_examples = 0", "max_examples = 0: must be a whole number of at least 1"),
    "no budget": ("budget = 0", "budget: must be a time above 0, such as 30s, 2m or 1h, not '0'"),
    "no time": ('budget = "soon"', "budget: must be a time above 0, such as 30s, 2m or 1h, not 'soon'"),
    "no truth either": ("vary_assumptions = 1", "vary_assumptions: must be true or false, not 1"),
    "no truth": ('strict = "yes"', 'strict: must be true or false, not "yes"'),
    "no such design": ('designs = ["nowhere.yaml"]', "nowhere.yaml: there is no such file"),
    "a directory": ('designs = ["."]', "is a directory"),
    "unknown field": (
        "[tool.chaosqs.behaviours.worker]\nseconds = 3",
        "seconds: unknown field: there are seconds_per_message",
    ),
    "impossible rate": (
        "[tool.chaosqs.behaviours.worker]\nerror_rate = 2",
        "behaviours.worker.error_rate = 2: must be a number from 0 to 1",
    ),
    "unknown function": (
        "[tool.chaosqs.behaviours.wroker]\nspread = 1",
        "behaviours.wroker]: no design has this function; there are worker",
    ),
}


AS_MEASURED = """
import chaosqs
from chaosqs.model.assumptions import Assumptions

@chaosqs.invariant("All assumptions are those that measurements pin.")
def as_measured(history):
    if history.scenario.assumptions != Assumptions():
        yield "One differs.", history.events[0]
"""


def files(location: Path) -> set[Path]:
    return set(location.rglob("*"))


@pytest.mark.parametrize(("table", "said"), WRONG.values(), ids=WRONG.keys())
def test_a_slip_in_the_table_is_said_in_three_lines(sound: pytest.Pytester, table: str, said: str) -> None:
    """What is wrong and what would be right; no traceback; nothing runs and nothing is written."""
    sound.makepyprojecttoml(f"[tool.pytest.ini_options]\n[tool.chaosqs]\n{table}\n")
    before = files(sound.path)
    result = sound.runpytest("--chaosqs", "-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{said}*"])
    assert 1 <= len([line for line in result.errlines if line.strip()]) <= 3
    assert files(sound.path) == before


@pytest.mark.parametrize("text", ["[tool.chaosqs\n", "[tool]\nchaosqs = 3\n"])
def test_a_malformed_file_is_refused(sound: pytest.Pytester, text: str) -> None:
    """Even where pytest does not read pyproject.toml itself."""
    sound.makeini("[pytest]\n")
    (sound.path / "pyproject.toml").write_text(text, encoding="utf-8")
    result = sound.runpytest("--chaosqs")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *pyproject.toml*"])


def test_a_slip_does_not_matter_to_who_does_not_ask(sound: pytest.Pytester) -> None:
    """Without `--chaosqs` the table is not read."""
    sound.makepyprojecttoml("[tool.pytest.ini_options]\n[tool.chaosqs]\nfoo = 1\n")
    sound.makepyfile("def test_it(): pass")
    assert sound.runpytest().ret == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--chaosqs-profile=fast",),
        ("--chaosqs-max-examples=0",),
        ("--chaosqs-max-examples=many",),
        ("--chaosqs-seed=-1",),
        ("--chaosqs-design=nowhere.yaml",),
        ("--chaosqs-design=designs.py",),
        ("--chaosqs-design=designs.py:orders",),
        ("--chaosqs-replay=nowhere.json",),
        ("--chaosqs-replay=template.yaml",),
    ],
)
def test_a_slip_in_an_option_is_refused(sound: pytest.Pytester, arguments: tuple[str, ...]) -> None:
    """Each is a usage error, and nothing runs."""
    result = sound.runpytest("--chaosqs", *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.no_fnmatch_line("*collected*")
    assert "Traceback" not in result.stderr.str()


def test_options_win_over_the_table(sound: pytest.Pytester) -> None:
    """The command line is for this run, the table for every run."""
    sound.makepyprojecttoml("[tool.pytest.ini_options]\n[tool.chaosqs]\nmax_examples = 5\n")
    sound.runpytest("--chaosqs", "-k", "conservation").stdout.fnmatch_lines(["*in 5 cases"])
    given = sound.runpytest("--chaosqs", "-k", "conservation", "--chaosqs-max-examples=3")
    given.stdout.fnmatch_lines(["*in 3 cases"])


def test_a_design_on_the_command_line_is_the_only_one(sound: pytest.Pytester) -> None:
    """It implies `--chaosqs`, and the configured designs are left out."""
    (sound.path / "other.yaml").write_bytes((sound.path / "template.yaml").read_bytes())
    sound.makepyprojecttoml('[tool.pytest.ini_options]\n[tool.chaosqs]\ndesigns = ["template.yaml"]\n')
    result = sound.runpytest("--chaosqs-design=other.yaml", "--collect-only", "-q")
    assert {line.split("::")[1] for line in result.outlines if "::" in line} == {"other.yaml"}


def test_behaviours_are_taken_as_given(broken: pytest.Pytester) -> None:
    """A function that is fast enough is never throttled often enough: the same design holds."""
    table = "[tool.chaosqs.behaviours.worker]\nseconds_per_batch = 0.1\n"
    broken.makepyprojecttoml(f"[tool.pytest.ini_options]\n{table}")
    result = broken.runpytest("--chaosqs", "-k", "throttling", BRIEFLY)
    result.assert_outcomes(passed=1)


def test_a_seed_draws_other_cases(sound: pytest.Pytester) -> None:
    """Equal seeds judge equal cases, other seeds other ones."""

    def line(seed: int) -> str:
        result = sound.runpytest("--chaosqs", "-k", "conservation", BRIEFLY, f"--chaosqs-seed={seed}")
        (found,) = (line for line in result.outlines if line.startswith("  conservation"))
        return found

    assert line(1) == line(1)
    assert line(1) != line(2)


def test_strict_in_the_table(roomy: pytest.Pytester) -> None:
    """`strict = true` is `--chaosqs-strict` for good."""
    roomy.makepyprojecttoml("[tool.pytest.ini_options]\n[tool.chaosqs]\nstrict = true\nmax_examples = 2\n")
    roomy.runpytest("--chaosqs", "-k", "throttling").assert_outcomes(failed=1)


@pytest.mark.usefixtures("hurried")
def test_an_artefact_passes_unless_strict(broken: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """What chaosqs's default assumptions alone produce is a note in the summary."""
    monkeypatch.setattr(exploration, "explain", artefact)
    chosen = ("--chaosqs", "-k", "throttling", BRIEFLY)
    result = broken.runpytest(*chosen)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["artefact: template.yaml: orders → worker: *: in one of 28 assumption sets that fit*"])
    broken.runpytest(*chosen, "--chaosqs-strict").assert_outcomes(failed=1)


@pytest.mark.usefixtures("hurried", "briefly_explained")
def test_assumptions_vary_where_the_table_says_so(sound: pytest.Pytester) -> None:
    """`vary_assumptions = true` lets the search draw what AWS does not document; a promise of the test's own tells."""
    (sound.path / "promises.py").write_text(AS_MEASURED, encoding="utf-8")
    for varied, outcome in (("true", {"failed": 1}), ("false", {"passed": 1})):
        table = f'invariants = ["promises.py:as_measured"]\nvary_assumptions = {varied}\n'
        sound.makepyprojecttoml(f"[tool.pytest.ini_options]\n[tool.chaosqs]\n{table}")
        sound.runpytest("--chaosqs", "-k", "as-measured", BRIEFLY).assert_outcomes(**outcome)
