"""Each verb: what it prints, as text and as JSON, and how it exits."""

import json
from pathlib import Path

import pytest

from chaosqs import invariants
from chaosqs.errors import InvalidScenario
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design
from chaosqs.model.faults import KIND_NAMES
from chaosqs.model.json import to_json
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.project.discovery import read_source
from tests.cli.running import Run


@pytest.fixture
def scenario(run: Run) -> Path:
    """Return the file of a scenario in which all goes well."""
    assert run("import", "sound.yaml").exit_code == 0
    design = read_source("sound.yaml", base=Path.cwd(), root=Path.cwd()).design
    file = Path("calm.json")
    file.write_text(to_json(Scenario(design, [Burst("orders", 3)], {"worker": Behaviour()})), encoding="utf-8")
    return file


def test_run_sums_up_one_run(run: Run, scenario: Path) -> None:
    """Without `--seeds` the scenario runs as it is."""
    result = run("run", str(scenario))
    assert result.exit_code == 0
    assert result.output.startswith("seed 0: 3 sent · 3 processed · drained at ")
    assert len(result.output.splitlines()) == 1


def test_run_with_seeds_runs_each_seed(run: Run, scenario: Path) -> None:
    """`--seeds N` means seed 0 … N-1, one summary each."""
    result = run("run", str(scenario), "--seeds", "3")
    assert [line.split(":")[0] for line in result.output.splitlines()] == ["seed 0", "seed 1", "seed 2"]


def test_run_as_json(run: Run, scenario: Path) -> None:
    """Programs get CloudWatch's names."""
    document = json.loads(run("run", str(scenario), "--json", "--seeds", "2").output)
    first, second = document["runs"]
    assert (first["seed"], second["seed"]) == (0, 1)
    assert first["summary"]["functions"]["worker"]["Invocations"] >= 1
    assert first["violated"] == []


def test_run_of_a_counterexample_is_a_violation(run: Run, counterexample: Path) -> None:
    """The file of a report runs, too, and the exit status tells that a promise is broken."""
    result = run("run", str(counterexample))
    assert result.exit_code == 1
    assert "VIOLATED: no dead-lettering by throttling" in result.output


def test_explore_tells_the_story_and_exits_with_1(run: Run) -> None:
    """Story, table and report, as in pytest."""
    result = run("explore", "template.yaml", "--max-examples", "10", "--report-dir", "out")
    assert result.exit_code == 1
    assert "Message " in result.output
    assert "template.yaml: orders → worker\n" in result.output
    reports = list(Path("out").glob("*/report.md"))
    assert any(report.parent.name.endswith("no-dead-lettering-by-throttling") for report in reports)
    assert all(f"report: {report.as_posix()}" in result.output for report in reports)


def test_explore_of_a_sound_design_exits_with_0(run: Run) -> None:
    """What holds is said with how often it could have failed; no report is written."""
    result = run("explore", "sound.yaml", "--max-examples", "2", "--profile", "quick", "--seed", "1")
    assert result.exit_code == 0
    assert "conservation" in result.output
    assert not Path("reports").exists()


def test_explore_without_a_file_finds_the_projects_designs(run: Run) -> None:
    """As the plugin does; a directory without any is wrong input, not the suite of chaosqs itself."""
    result = run("explore", "--max-examples", "2", "--seed", "1")
    assert result.exit_code in {0, 1}
    assert "template.yaml: orders → worker" in result.stdout
    for file in Path.cwd().glob("*.yaml"):
        file.unlink()
    result = run("explore")
    assert result.exit_code == 2
    assert "there is no design in" in result.stderr


def test_explore_as_json(run: Run) -> None:
    """One answer for each mapping and invariant of all files."""
    result = run("explore", "template.yaml", "sound.yaml", "--max-examples", "5", "--json")
    results = json.loads(result.stdout)["results"]
    assert len(results) == 2 * len(invariants.DEFAULT)
    broken = [each for each in results if each["broken"]]
    assert broken == [each for each in results if each["status"] == "violated"]
    assert {each["design"] for each in broken} == {"template.yaml"}
    assert results[0]["broken"]["location"] == {"file": "template.yaml", "line": 22}


def test_explore_uses_the_projects_table(run: Run) -> None:
    """The same design gets the same answer as in pytest: behaviours and limits come from `[tool.chaosqs]`."""
    table = "[tool.chaosqs]\nmax_examples = 3\n[tool.chaosqs.behaviours.worker]\nseconds_per_batch = 0.1\n"
    Path("pyproject.toml").write_text(table, encoding="utf-8")
    result = run("explore", "template.yaml")
    assert result.exit_code == 0
    assert "in 3 cases" in result.output


def test_explore_of_what_cannot_be_simulated_is_no_pass(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not judged is said, and the exit status is not that of a design that holds."""

    def refuse(*_: object, **__: object) -> None:
        raise InvalidScenario("mapping 'orders→worker': this version simulates no filters")

    monkeypatch.setattr("chaosqs.project.checks.searched", refuse)
    result = run("explore", "sound.yaml")
    assert result.exit_code == 2
    assert "this version simulates no filters" in result.output


def test_replay_says_that_it_still_fails(run: Run, counterexample: Path) -> None:
    """The story again, and exit status 1."""
    result = run("replay", str(counterexample))
    assert result.exit_code == 1
    assert result.output.splitlines()[0] == f"{counterexample.as_posix()}: STILL FAILS"
    assert f"chaosqs replay {counterexample.as_posix()}" in result.output


def test_replay_says_that_it_is_fixed(run: Run, counterexample: Path) -> None:
    """Exit status 0, and what used to be true."""
    document = json.loads(counterexample.read_text(encoding="utf-8"))
    document["scenario"]["design"]["mappings"][0]["maximum_concurrency"] = 2
    Path("mended.json").write_text(json.dumps(document), encoding="utf-8")
    result = run("replay", "mended.json")
    assert result.exit_code == 0
    assert result.output.startswith("mended.json: FIXED\n\nIt used to be: Message ")
    assert json.loads(run("replay", "mended.json", "--json").output)["outcome"] == "FIXED"


def test_explain_prints_the_stored_story(run: Run, counterexample: Path) -> None:
    """The explanation comes from the file: nothing is searched again."""
    result = run("explain", str(counterexample))
    assert result.exit_code == 0
    assert "template.yaml:22 ReservedConcurrentExecutions: 2" in result.output
    assert json.loads(run("explain", str(counterexample), "--json").output)["story"] == result.output


def test_report_writes_the_folder_again(run: Run, counterexample: Path) -> None:
    """From a file that was handed on, byte for byte."""
    result = run("report", str(counterexample), "--report-dir", "again")
    assert result.exit_code == 0
    report = Path(result.output.strip())
    assert report.parts[0] == "again"
    assert report.with_name("scenario.json").read_bytes() == counterexample.read_bytes()
    assert json.loads(run("report", str(counterexample), "--json").output)["report"].startswith("reports/")


def test_import_prints_python_that_pastes(run: Run) -> None:
    """The module that is printed defines the design that was read, with the lines of the template as comments."""
    result = run("import", "template.yaml")
    assert result.exit_code == 0
    assert "reserved_concurrency=2,  # template.yaml:22 ReservedConcurrentExecutions: 2" in result.output
    names: dict[str, object] = {}
    exec(result.output, names)  # noqa: S102 - that is the promise
    assert names["design"] == read_source("template.yaml", base=Path.cwd(), root=Path.cwd()).design


def test_import_says_what_it_assumed(run: Run) -> None:
    """What the template leaves open comes first, as comments."""
    text = Path("template.yaml").read_text(encoding="utf-8").replace("Timeout: 30\n      R", "Timeout: !Ref T\n      R")
    Path("open.yaml").write_text(
        text.replace("Resources:", "Parameters:\n  T: {Type: Number}\nResources:"), encoding="utf-8"
    )
    result = run("import", "open.yaml")
    assert "\n# Assumed: worker: Timeout refers to parameter T" in result.output


def test_import_as_json(run: Run) -> None:
    """The design as chaosqs reads it back, with the origins by path."""
    document = json.loads(run("import", "template.yaml", "--json").output)
    assert (
        document["origins"]["functions[0].reserved_concurrency"] == "template.yaml:22 ReservedConcurrentExecutions: 2"
    )
    Path("design.json").write_text(json.dumps(document["design"]), encoding="utf-8")
    again = read_source("design.json", base=Path.cwd(), root=Path.cwd()).design
    assert isinstance(again, Design)
    assert again == read_source("template.yaml", base=Path.cwd(), root=Path.cwd()).design


def test_invariants_lists_every_invariant(run: Run) -> None:
    """By name, with what it promises."""
    assert all(each.name in run("invariants").output for each in invariants.ALL)
    entries = json.loads(run("invariants", "--json").output)["invariants"]
    assert [each["name"] for each in entries] == [each.name for each in invariants.ALL]


def test_faults_lists_every_kind(run: Run) -> None:
    """By name, with the rule that makes it legal."""
    assert all(name in run("faults").output for name in KIND_NAMES)
    assert [each["name"] for each in json.loads(run("faults", "--json").output)["faults"]] == list(KIND_NAMES)
