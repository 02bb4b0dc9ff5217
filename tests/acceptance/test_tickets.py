"""A project in which every finding is mended passes; with a mend undone, the search finds what it was for.

The project in `tickets/` uses DynamoDB, SNS, Powertools and samples of its messages, and nothing in it speaks of
chaosqs. Its template lists the mends.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.project.planning import Options, plan
from chaosqs.search.finding import Finding
from chaosqs.search.run import InvariantSearch, SearchRun
from chaosqs.search.search import Searched

pytest.importorskip("moto")

PROJECT = Path(__file__).parent / "tickets"
CASES = 10

FIFO = ("      FifoQueue: true", "      #")
IDS = (
    ("        MessageGroupId", "        #"),
    ("        MessageDeduplicationId", "        #"),
)
"""What makes the queue of tickets FIFO, in the template and in the code; it is commented out to undo mend 1."""


def findings(project: Path, mapping: str = "", invariants: Iterable[str] = ()) -> list[Finding]:
    """Search a project as `pytest --chaosqs` does; what is found stays as it is found."""
    planned = plan(Options(project, project, profile="quick", max_examples=CASES, seed=0))
    asked = [check for check in planned.checks if mapping in check.mapping]
    return [check.search(planned.budget) for check in asked if not invariants or check.invariant.name in invariants]


def undo(file: Path, *mends: tuple[str, str]) -> None:
    text = file.read_text(encoding="utf-8")
    for mended, before in mends:
        assert mended in text, mended
        text = text.replace(mended, before)
    file.write_text(text, encoding="utf-8")


def as_found(_: Searched, _run: SearchRun, own: InvariantSearch) -> Scenario | None:
    return own.tally.violating


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project; what a search finds in it is not shrunk, which would take most of the time."""
    monkeypatch.setattr(Searched, "_smallest", as_found)
    return shutil.copytree(PROJECT, tmp_path / "tickets")


def test_the_mended_project_passes(project: Path) -> None:
    """No invariant is violated or unsettled, and each handler succeeds on messages like the project's own."""
    found = findings(project)
    assert {finding.failing for finding in found} == {""}
    bad = [
        f"{finding.mapping}: {finding.invariant}: {finding.verdict.reason}"
        for finding in found
        if finding.verdict.status in {Status.VIOLATED, Status.INCONCLUSIVE}
    ]
    assert bad == []
    held = [finding.invariant for finding in found if finding.verdict.status is Status.HOLDS]
    assert "no-repeated-send" in held
    assert "drains-after-healing" in held


def test_bystanders_of_a_plain_loop_are_found(project: Path) -> None:
    """Mend 2 undone: one booking that cannot be read takes four others along to the dead letters."""
    undo(project / "template.yaml", FIFO, ("BatchSize: 1  # mend 2", "BatchSize: 5"))
    undo(project / "app" / "book.py", *IDS)
    (finding,) = findings(project, "TicketFunction", ["no-bystander-dead-lettered"])
    assert finding.violated
    assert "although TicketFunction did not fail because of it" in finding.verdict.violations[0].text


def test_double_effects_are_found(project: Path) -> None:
    """Mend 1 undone: a booking whose invocation dies after its send asks for a second ticket."""
    undo(project / "template.yaml", FIFO)
    undo(project / "app" / "book.py", *IDS)
    (finding,) = findings(project, "BookFunction", ["no-repeated-send"])
    assert finding.violated
    assert "made BookFunction send the same message to Tickets" in finding.verdict.violations[0].text
