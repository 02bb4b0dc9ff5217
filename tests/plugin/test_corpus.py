"""The counterexamples that a project keeps: run first, on its designs as they are now, in `pytest --chaosqs`."""

import attrs
import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.workload import Burst
from tests.plugin.projects import BRIEFLY, BROKEN, IDS, ROOMY, SOUND
from tests.project.kept import kept, write

KEPT = "chaosqs::corpus::throttled.json"
ALONE = ("--chaosqs-replay=reports/corpus",)


@pytest.fixture
def keeping(broken: pytest.Pytester) -> pytest.Pytester:
    """Return a project with a broken template and a counterexample of it that it keeps."""
    write(broken.path / "reports" / "corpus" / "throttled.json", kept())
    return broken


def template(project: pytest.Pytester, text: str) -> None:
    (project.path / "template.yaml").write_text(text, encoding="utf-8")


def collected(project: pytest.Pytester, *arguments: str) -> list[str]:
    result = project.runpytest("--collect-only", "-q", *arguments)
    return [line for line in result.outlines if "::" in line]


def test_they_come_first_and_in_order(keeping: pytest.Pytester) -> None:
    """Whatever the order of the file system, in subfolders too; their names say where they are."""
    for name in ("b/scenario.json", "a/scenario.json", "Z.json"):
        write(keeping.path / "reports" / "corpus" / name, kept())
    (keeping.path / "reports" / "corpus" / "a" / "report.md").write_text("# What happened", encoding="utf-8")
    names = ["Z.json", "a/scenario.json", "b/scenario.json", "throttled.json"]
    assert collected(keeping, "--chaosqs") == [*(f"chaosqs::corpus::{name}" for name in names), *IDS]


def test_an_id_pastes(keeping: pytest.Pytester) -> None:
    """Alone, without any option; and `-k` and `-m` choose among them."""
    assert collected(keeping, KEPT) == collected(keeping, "--chaosqs", "-k", "corpus") == [KEPT]
    assert collected(keeping, "--chaosqs", "-m", "not chaosqs") == []


def test_a_folder_is_replayed_without_a_search(keeping: pytest.Pytester) -> None:
    """`--chaosqs-replay` takes a folder; together with `--chaosqs`, each is run once."""
    assert collected(keeping, *ALONE) == collected(keeping, "--chaosqs-replay=reports/../reports/corpus/") == [KEPT]
    assert collected(keeping, "--chaosqs", *ALONE) == [KEPT, *IDS]


def test_what_still_fails_is_told(keeping: pytest.Pytester) -> None:
    """The story, with the explanation that the file has, and at the line of the template."""
    result = keeping.runpytest(*ALONE, "--tb=short")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "STILL FAILS on template.yaml as it is now",
            "orders → worker    no dead-lettering by throttling*VIOLATED",
            "  What matters    reserved_concurrency 2 (not seen from 3)",
            "reports/corpus/throttled.json: STILL FAILS on template.yaml as it is now",
            f"FAILED {KEPT}*",
        ]
    )
    result.stdout.no_fnmatch_line("*Error*")
    keeping.runpytest(*ALONE, "--tb=line").stdout.fnmatch_lines(["*template.yaml:22: STILL FAILS: Message 5 *"])


@pytest.mark.parametrize("text", [SOUND, ROOMY])
def test_a_fix_of_the_template_makes_it_pass(keeping: pytest.Pytester, text: str) -> None:
    """That is what it is kept for: the design of today counts, not the one in the file."""
    template(keeping, text)
    result = keeping.runpytest(*ALONE)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["reports/corpus/throttled.json: FIXED on template.yaml as it is now"])


def test_a_fix_that_is_taken_back_fails_before_anything_is_searched(keeping: pytest.Pytester) -> None:
    """Under a budget in which no search would find it."""
    template(keeping, BROKEN.replace("maxReceiveCount: 3", "maxReceiveCount: 2"))
    result = keeping.runpytest("--chaosqs", "--chaosqs-max-examples=1", "-k", "corpus or conservation", "-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines([f"{KEPT} FAILED*", "*conservation PASSED*"])
    result.stdout.fnmatch_lines(["CHANGED on template.yaml as it is now"])


def test_behaviours_that_the_project_gives_count(keeping: pytest.Pytester) -> None:
    """A function that has become faster is a fix, too."""
    table = "[tool.chaosqs.behaviours.worker]\nseconds_per_batch = 0.1\n"
    keeping.makepyprojecttoml(f"[tool.pytest.ini_options]\n{table}")
    keeping.runpytest(*ALONE).assert_outcomes(passed=1)


def test_a_design_that_is_gone_fails_and_says_what_to_do(keeping: pytest.Pytester) -> None:
    """A pass would promise what nobody has looked at, and a skip is what nobody reads."""
    (keeping.path / "template.yaml").unlink()
    result = keeping.runpytest(*ALONE)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*throttled.json: there is no template.yaml in *, from which its design came",
            "So it is unknown whether the violation still happens. If the design has moved, correct the field",
            '"design" of the file. If the design was removed, delete the file.',
        ]
    )


def test_a_mapping_that_is_switched_off_fails(keeping: pytest.Pytester) -> None:
    """Nothing happens then, and nobody knows what would."""
    template(keeping, BROKEN.replace("BatchSize: 10", "BatchSize: 10\n            Enabled: false"))
    result = keeping.runpytest(*ALONE)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*throttled.json: orders→worker is switched off in template.yaml as it is now"])


def test_a_template_may_have_any_name(keeping: pytest.Pytester) -> None:
    """What is there is a file, whatever its name ends in."""
    (keeping.path / "template.yaml").rename(keeping.path / "stack.tpl")
    (keeping.path / "stack.tpl").write_text(SOUND, encoding="utf-8")
    write(keeping.path / "reports" / "corpus" / "throttled.json", kept("stack.tpl"))
    keeping.runpytest(*ALONE).assert_outcomes(passed=1)


def test_a_mapping_that_is_gone_fails_and_says_what_there_is(keeping: pytest.Pytester) -> None:
    """It may have another name."""
    template(keeping, SOUND.replace("FunctionName: worker", "FunctionName: clerk"))
    result = keeping.runpytest(*ALONE)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*template.yaml has no mapping 'orders→worker'; there are orders→clerk"])


def test_a_design_that_moved_is_found_where_the_file_says(keeping: pytest.Pytester) -> None:
    """It need not be one of those that the project has judged."""
    (keeping.path / "infra").mkdir()
    (keeping.path / "template.yaml").unlink()
    (keeping.path / "infra" / "orders.yaml").write_text(SOUND, encoding="utf-8")
    write(keeping.path / "reports" / "corpus" / "throttled.json", kept("infra/orders.yaml"))
    result = keeping.runpytest(*ALONE)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*: FIXED on infra/orders.yaml as it is now"])


def test_a_design_that_was_in_no_file_is_run_as_it_stands(keeping: pytest.Pytester) -> None:
    """What `explore(design)` finds has no other design; a handler may be what is to be mended."""
    template(keeping, SOUND)
    write(keeping.path / "reports" / "corpus" / "throttled.json", kept("design"))
    result = keeping.runpytest(*ALONE)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["STILL FAILS", "*throttled.json: STILL FAILS"])


def test_one_bad_file_does_not_hide_the_others(keeping: pytest.Pytester) -> None:
    """It fails, in few words, and the rest is run."""
    (keeping.path / "reports" / "corpus" / "cut.json").write_text('{"violation": ', encoding="utf-8")
    template(keeping, SOUND)
    result = keeping.runpytest("--chaosqs", BRIEFLY, "-k", "corpus or conservation")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["reports/corpus/cut.json: is cut off: its JSON ends at line 1, column 15*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_an_invariant_that_is_gone_fails(keeping: pytest.Pytester) -> None:
    """Nobody can judge it."""
    write(keeping.path / "reports" / "corpus" / "throttled.json", attrs.evolve(kept(), invariant="no-rain"))
    result = keeping.runpytest(*ALONE)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*throttled.json: no invariant is called 'no-rain'*"])


@pytest.mark.parametrize(("folder", "said"), [("empty", "has no counterexample"), ("nowhere", "cannot be read")])
def test_a_path_without_a_counterexample_is_refused(keeping: pytest.Pytester, folder: str, said: str) -> None:
    """Nothing to run is no pass."""
    (keeping.path / "empty").mkdir()
    result = keeping.runpytest(f"--chaosqs-replay={folder}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: chaosqs: {folder}: {said}*"])


def test_any_other_folder_is_run_as_it_stands(keeping: pytest.Pytester) -> None:
    """Such as all reports of a run on another machine: what it found, whatever the template is by now."""
    template(keeping, SOUND)
    write(keeping.path / "found" / "a" / "scenario.json", kept())
    calm = attrs.evolve(kept().scenario, workload=[Burst("orders", 1)])
    write(keeping.path / "found" / "b" / "scenario.json", attrs.evolve(kept(), scenario=calm))
    result = keeping.runpytest("--chaosqs-replay=found", "-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["chaosqs::replay::found/a/scenario.json FAILED*", "On template.yaml as it is now: FIXED."]
    )
    assert collected(keeping, "--chaosqs-replay=.") == [
        KEPT,
        "chaosqs::replay::found/a/scenario.json",
        "chaosqs::replay::found/b/scenario.json",
    ]


def test_the_folder_is_where_the_table_says_reports_go(keeping: pytest.Pytester) -> None:
    """Not where the reports of one run go: a run that keeps its reports elsewhere runs the same corpus."""
    (keeping.path / "reports").rename(keeping.path / "chaos")
    assert collected(keeping, "--chaosqs") == IDS
    keeping.makepyprojecttoml('[tool.pytest.ini_options]\n[tool.chaosqs]\nreport_dir = "chaos"\n')
    assert collected(keeping, "--chaosqs", "--chaosqs-report-dir=elsewhere") == [KEPT, *IDS]


def test_without_the_option_there_is_none(keeping: pytest.Pytester) -> None:
    """Only who asks gets items."""
    assert collected(keeping) == []


def test_real_handlers_of_the_project_are_run(pytester: pytest.Pytester) -> None:
    """Code that is mended passes."""
    template(pytester, BROKEN)
    source = "import time\n\ndef handle(event, context):\n    time.sleep(1)\n"
    (pytester.path / "mended_handler.py").write_text(source, encoding="utf-8")
    found = kept()
    real = attrs.evolve(found.scenario, behaviours={"worker": Behaviour(handler="mended_handler:handle")})
    write(pytester.path / "reports" / "corpus" / "slow.json", attrs.evolve(found, scenario=real))
    pytester.runpytest(*ALONE).assert_outcomes(passed=1)
