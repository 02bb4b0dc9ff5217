"""The examples: two that differ in one setting, a project with handlers, and one with and without idempotency."""

import shutil
from pathlib import Path

import pytest

from chaosqs import invariants
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.project.planning import Options, plan
from chaosqs.search.run import InvariantSearch, SearchRun
from chaosqs.search.search import Searched

BROKEN = ("no-dead-lettering-by-throttling", "no-concurrent-processing", "no-second-processing")
"""What over-polling breaks, in the order of the registry: a message that waits in a poller's hand for an execution
comes back to the queue meanwhile, which uses up its receives and lets two invocations have it, at once or in turn."""
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def project(pytester: pytest.Pytester, name: str) -> pytest.Pytester:
    """Return a copy of an example, so that nothing is written into the checkout."""
    for file in ("template.yaml", "pyproject.toml"):
        (pytester.path / file).write_bytes((EXAMPLES / name / file).read_bytes())
    return pytester


@pytest.mark.usefixtures("briefly_explained")
def test_over_polling_breaks_three_invariants(pytester: pytest.Pytester) -> None:
    """Those, and nothing else, with the settings of `make demo`."""
    result = project(pytester, "over-polling").runpytest("--chaosqs")
    result.assert_outcomes(passed=len(invariants.DEFAULT) - len(BROKEN), failed=len(BROKEN))
    result.stdout.fnmatch_lines([f"*FAILED *orders→charge-order::{name}*" for name in BROKEN])


def test_with_a_maximum_concurrency_it_holds(pytester: pytest.Pytester) -> None:
    """Two lines of the template are the difference."""
    broken, fixed = (
        (EXAMPLES / name / "template.yaml").read_text("utf-8") for name in ("over-polling", "over-polling-fixed")
    )
    assert fixed.replace("            ScalingConfig:\n              MaximumConcurrency: 2\n", "") == broken
    project(pytester, "over-polling-fixed").runpytest("--chaosqs").assert_outcomes(passed=len(invariants.DEFAULT))


def test_the_handlers_of_a_project_run_as_they_are(pytester: pytest.Pytester) -> None:
    """Two modules of one name, a variable from the settings, and a function that is modelled, as it is no Python."""
    shutil.copytree(EXAMPLES / "parcels", pytester.path, dirs_exist_ok=True)
    result = pytester.runpytest("--chaosqs", "--chaosqs-max-examples=2", "-k", "at-least-once")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        [
            "chaosqs: template.yaml",
            "  scans-test → ScanFunction: scan/app.py, handler*",
            "  NoticesQueue → NoticeFunction: notice/app.py, handler*",
            "  ScansDLQ → RejectedFunction: modelled: its Runtime is nodejs20.x*",
        ]
    )
    result.stdout.no_fnmatch_line("*unknown-SENDER*")


@pytest.mark.usefixtures("briefly_explained")
def test_a_project_of_the_serverless_framework_is_judged(pytester: pytest.Pytester) -> None:
    """Its event has no `functionResponseType`, so what its function reports is lost."""
    shutil.copytree(EXAMPLES / "refunds", pytester.path, dirs_exist_ok=True)
    result = pytester.runpytest("--chaosqs", "--chaosqs-max-examples=10", "-k", "reported-failures-kept")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["chaosqs: serverless.yml", "  refunds-dev → refund: src/refund.py, handler*"])
    result.stdout.fnmatch_lines(["*although refund reported it as failed: report_batch_item_failures is*"])


@pytest.mark.usefixtures("briefly_explained")
def test_a_directory_of_terraform_is_judged(pytester: pytest.Pytester) -> None:
    """Its module gives each message one receive, so the whole batch of a message that fails is dead-lettered."""
    shutil.copytree(EXAMPLES / "shipments", pytester.path, dirs_exist_ok=True)
    result = pytester.runpytest("--chaosqs", "--chaosqs-max-examples=10", "-k", "no-bystander-dead-lettered")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "chaosqs: main.tf · variables from terraform.tfvars",
            "  shipments-prod → ship-prod: src/ship.py, handler*",
            "VIOLATED main.tf: shipments-prod → ship-prod: no bystander dead-lettered*",
        ]
    )


def as_found(_: Searched, _run: SearchRun, own: InvariantSearch) -> Scenario | None:
    """Return the scenario as it was found: shrinking takes most of the time of a search."""
    return own.tally.violating


@pytest.mark.parametrize(
    ("name", "status"), [("receipts", Status.VIOLATED), ("receipts-idempotent", Status.HOLDS)], ids=str
)
def test_idempotency_keeps_effects_from_being_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, status: Status
) -> None:
    """Powertools keeps the payments in a table, which moto answers for, so that each receipt is sent once."""
    monkeypatch.setattr(Searched, "_smallest", as_found)
    folder = shutil.copytree(EXAMPLES / name, tmp_path / name)
    planned = plan(Options(folder, folder, profile="quick", max_examples=5, seed=0))
    (check,) = (check for check in planned.checks if check.invariant.name == "no-repeated-effect")
    assert check.search(planned.budget).verdict.status is status


def test_the_receipts_differ_in_their_idempotency_only() -> None:
    """What receipts-idempotent has beside the code and the settings of receipts: a table, its name, and a decorator."""
    for file, changed in (("template.yaml", 2), ("receipt/app.py", 0)):
        plain, idempotent = (
            (EXAMPLES / name / file).read_text("utf-8").splitlines() for name in ("receipts", "receipts-idempotent")
        )
        assert len([line for line in plain if line not in idempotent]) == changed  # the comment at the head
