"""A violation as users see it: on the terminal, in JUnit, on GitHub, on disk. One real run serves most tests."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import attrs
import pytest

from chaosqs.errors import InvalidInput
from chaosqs.project import results
from tests.plugin.projects import BRIEFLY, BROKEN, FOLDER, IDS, THROTTLING, run_pytest, without_ci

HURRIED = """
import attrs
from chaosqs.search import profiles

profiles.PROFILES = (attrs.evolve(profiles.QUICK, shrink_simulations=100, draws=5, trials=5),)
"""
"""A conftest.py that leaves everything as it is, but less thorough."""


@attrs.frozen
class Failed:
    """A project in which a promise was broken, and what pytest printed about it."""

    location: Path
    status: int
    output: str

    def block(self) -> list[str]:
        """Return the lines that pytest prints about the failed item, without its heading."""
        lines = self.output.splitlines()
        first = next(number for number, line in enumerate(lines) if line.startswith("____")) + 1
        return lines[first : next(n for n, line in enumerate(lines) if line.startswith("=") and " chaosqs " in line)]


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Failed:
    """Run pytest on a broken template, as a user would, who asks about one promise that it breaks and three others."""
    location = tmp_path_factory.mktemp("failed")
    (location / "template.yaml").write_text(BROKEN, encoding="utf-8")
    (location / "pyproject.toml").write_text("[tool.pytest.ini_options]\n", encoding="utf-8")
    (location / "conftest.py").write_text(HURRIED, encoding="utf-8")
    chosen = ("-k", "no-dead-lettering or at-least-once or no-loss or conservation")
    done = run_pytest(location, "--chaosqs", BRIEFLY, *chosen, "--junitxml=junit.xml", GITHUB_ACTIONS="true")
    return Failed(location, done.returncode, done.stdout)


def test_the_run_fails(failed: Failed) -> None:
    """One promise is broken, the others hold."""
    assert failed.status == pytest.ExitCode.TESTS_FAILED
    assert "1 failed, 4 passed" in failed.output


def test_the_failure_is_the_story_and_nothing_else(failed: Failed) -> None:
    """No traceback, no source code: what happened, why, and what prevents it, in at most 32 lines."""
    block = failed.block()
    assert block[0].startswith("orders → worker    no dead-lettering by throttling")
    assert block[0].endswith("VIOLATED")
    for label in ("What matters", "Prevented by", "From  ", "Replay", "Report"):
        assert any(line.strip().startswith(label) for line in block), label
    assert len(block) <= 32
    assert not any("Error" in line or ".py" in line or line.startswith(("E ", ">")) for line in block)


def test_the_story_says_where_the_settings_stand(failed: Failed) -> None:
    """Lines of the template, as the user calls it."""
    assert any("template.yaml:9 VisibilityTimeout: 30" in line for line in failed.block())


def test_the_report_is_where_the_story_says(failed: Failed) -> None:
    """The path is relative to the root directory, and no path of the machine is in what is written."""
    assert f"  Report          {FOLDER}/report.md" in failed.block()
    assert (failed.location / FOLDER / "report.md").is_file()
    for file in (failed.location / FOLDER).iterdir():
        assert str(failed.location) not in file.read_text(encoding="utf-8")


def test_the_replay_command_pastes(failed: Failed) -> None:
    """What stands behind `Replay` runs in the root directory, and comes to the same story."""
    (line,) = (line for line in failed.block() if line.startswith("  Replay"))
    command = shlex.split(line.removeprefix("  Replay"))
    assert command[0] == "chaosqs"
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=failed.location,
        env=without_ci(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "STILL FAILS" in done.stdout.splitlines()[0]
    assert failed.block()[1] in done.stdout.splitlines()


def test_the_summary_says_what_was_exercised(failed: Failed) -> None:
    """Each verdict comes with how often it could have been another."""
    section = failed.output.split(" chaosqs ==")[1]
    assert "template.yaml: orders → worker\n" in section
    assert "VIOLATED" in section
    assert "messages in 10 cases" in section
    assert f"report: {FOLDER}/report.md" in section


def test_junit_gets_one_line_and_the_report(failed: Failed) -> None:
    """The message is short; the story is the text; report and cases are properties."""
    suite = ET.parse(failed.location / "junit.xml").getroot()  # noqa: S314 - pytest wrote it
    (failure,) = suite.iter("failure")
    message = failure.get("message", "")
    assert message.startswith("no dead-lettering by throttling: Message ")
    assert "\n" not in message
    assert "Prevented by" in (failure.text or "")
    properties = {(one.get("name"), one.get("value")) for one in suite.iter("property")}
    assert ("chaosqs.report", f"{FOLDER}/report.md") in properties
    assert ("chaosqs.verdict", "holds") in properties


def test_github_gets_an_annotation_at_the_line_of_the_template(failed: Failed) -> None:
    """The culprit's line is marked in the pull request."""
    (line,) = (line for line in failed.output.splitlines() if line.startswith("::error"))
    where, _, message = line.removeprefix("::error ").partition("::")
    assert where.startswith("file=template.yaml,line=")
    assert where.endswith(",title=chaosqs")
    assert int(where.split("line=")[1].split(",")[0]) > 1
    assert message.startswith("no dead-lettering by throttling: Message ")


def test_replaying_it_in_pytest_fails_with_the_story(failed: Failed, broken: pytest.Pytester) -> None:
    """`--chaosqs-replay` asks one question, and judges no design."""
    shutil.copytree(failed.location / "reports", broken.path / "reports")
    done = broken.runpytest(f"--chaosqs-replay={FOLDER}/scenario.json")
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    for line in ("collected 1 item", "STILL FAILS", failed.block()[1], f"{FOLDER}/scenario.json: STILL FAILS"):
        assert line in done.outlines
    by_id = broken.runpytest(f"chaosqs::replay::{FOLDER}/scenario.json")
    assert f"{FOLDER}/scenario.json: STILL FAILS" in by_id.outlines


def test_a_counterexample_whose_design_is_mended_is_fixed(failed: Failed, pytester: pytest.Pytester) -> None:
    """Then the item passes, and the summary says so."""
    document = json.loads((failed.location / FOLDER / "scenario.json").read_text(encoding="utf-8"))
    document["scenario"]["design"]["mappings"][0]["maximum_concurrency"] = 2
    (pytester.path / "mended.json").write_text(json.dumps(document), encoding="utf-8")
    result = pytester.runpytest("--chaosqs-replay=mended.json")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*mended.json: FIXED*"])


def test_a_counterexample_that_runs_otherwise_has_changed(failed: Failed, pytester: pytest.Pytester) -> None:
    """The violation is still there, but it is another story: that fails, too."""
    document = json.loads((failed.location / FOLDER / "scenario.json").read_text(encoding="utf-8"))
    document["digest"] = "of another run"
    (pytester.path / "changed.json").write_text(json.dumps(document), encoding="utf-8")
    result = pytester.runpytest("--chaosqs-replay=changed.json")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*changed.json: CHANGED*"])


@pytest.mark.usefixtures("briefly_explained")
def test_the_short_summary_has_a_headline(broken: pytest.Pytester) -> None:
    """With `--tb=line` the failure is one line, at the culprit's line of the template."""
    result = broken.runpytest("--chaosqs", BRIEFLY, "--tb=line", "-k", "throttling")
    result.stdout.fnmatch_lines(["*template.yaml:22: no dead-lettering by throttling: Message *"])
    result.stdout.fnmatch_lines([f"FAILED {THROTTLING}*"])


@pytest.mark.usefixtures("briefly_explained")
def test_without_github_there_is_no_annotation(broken: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else reads that line."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    broken.runpytest("--chaosqs", BRIEFLY, "-k", "throttling").stdout.no_fnmatch_line("::error*")


@pytest.mark.usefixtures("briefly_explained")
def test_reports_go_where_they_are_told(broken: pytest.Pytester) -> None:
    """The option names a directory relative to where pytest is started."""
    broken.runpytest("--chaosqs", BRIEFLY, "-k", "throttling", "--chaosqs-report-dir=out/chaos")
    assert (broken.path / "out" / "chaos" / Path(FOLDER).name / "report.md").is_file()


def test_reports_that_can_go_nowhere_are_refused_at_once(broken: pytest.Pytester) -> None:
    """A file in the place of the directory is said before the search, with a way out."""
    (broken.path / "reports").write_text("not a directory", encoding="utf-8")
    result = broken.runpytest("--chaosqs", BRIEFLY)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: chaosqs: reports cannot go to reports: reports is a file.", "*--chaosqs-report-dir*"]
    )


@pytest.mark.usefixtures("briefly_explained")
def test_a_story_is_told_though_its_report_cannot_be_written(
    broken: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found must not get lost over a full disk."""

    def full(directory: Path, *_: object) -> Path:
        raise InvalidInput(f"cannot write the report to {directory}: No space left on device")

    monkeypatch.setattr(results, "write_report", full)
    result = broken.runpytest("--chaosqs", BRIEFLY, "-k", "throttling")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*Message * went to orders-dlq*", "cannot write the report to reports: No space left*"]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_sound_design_passes(sound: pytest.Pytester) -> None:
    """What was put to the test is said, and nothing is written."""
    result = sound.runpytest("--chaosqs", BRIEFLY)
    assert result.ret == 0
    result.assert_outcomes(passed=len(IDS))
    result.stdout.fnmatch_lines(["*no dead-lettering by throttling*holds*times at the limit in * cases*"])
    assert not (sound.path / "reports").exists()


def test_an_item_that_passes_keeps_what_its_search_saw(sound: pytest.Pytester) -> None:
    """For `-rP`, and for reports that show the output of all tests."""
    result = sound.runpytest("--chaosqs", BRIEFLY, "-k", "delivery", "-rP")
    result.stdout.fnmatch_lines(["*- chaosqs -*", "holds: * messages, 10 cases", "cases that reached something: *"])


def test_strictly_what_was_not_exercised_fails(roomy: pytest.Pytester) -> None:
    """With `--chaosqs-strict` a promise must have been put to the test."""
    chosen = ("-k", "throttling or at-least-once or no-loss or conservation")
    result = roomy.runpytest("--chaosqs", "--chaosqs-max-examples=3", "--chaosqs-strict", *chosen)
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(["*no dead-lettering by throttling: not exercised: worker was never at the limit*"])
