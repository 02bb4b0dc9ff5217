"""A handler that never succeeded in a whole search proves nothing: no invariant holds, and that is said loudly (H5)."""

from __future__ import annotations

import inspect
import json
import traceback
from pathlib import Path

import attrs
import pytest

from chaosqs.invariants import AT_LEAST_ONCE_DELIVERY, CONSERVATION, FIFO_ORDER
from chaosqs.lambda_.handler_loading import definition
from chaosqs.lambda_.output import first_error, frames_of
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.events import InvocationEnded
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.model.workload import Burst
from chaosqs.project.exploration import explore
from chaosqs.project.results import CheckResult, passes
from chaosqs.project.summary import summary
from chaosqs.report.text import advice
from chaosqs.search.finding import CodeTally
from chaosqs.simulation.run import simulate
from tests.invariants import broken_handlers
from tests.invariants.builder import orders_design

ASKED = (AT_LEAST_ONCE_DELIVERY, CONSERVATION, FIFO_ORDER)


def real(name: str) -> Behaviour:
    return Behaviour(handler=f"tests.invariants.broken_handlers:{name}")


def ran(name: str, *, reported: bool = False) -> History:
    mapping = EventSourceMapping("orders", "worker", 2, report_batch_item_failures=reported)
    return simulate(Scenario(orders_design(mapping=mapping), [Burst("orders", 2)], {"worker": real(name)}))


def sentence(*histories: History) -> str:
    tally = CodeTally("orders→worker")
    for history in histories:
        tally.add(history)
    return tally.failing


def test_the_first_error_is_named_with_file_and_line() -> None:
    """Also how often it failed; one success is enough to be silent."""
    found = sentence(ran("expects_another_body"))
    assert found.startswith("worker never succeeded: KeyError: 'id' at tests/invariants/broken_handlers.py:")
    assert found.endswith(" in expects_another_body, and so on in all 2 invocations")
    assert sentence(ran("expects_another_body"), ran("spells_well")) == ""


def test_code_that_reports_every_message_never_succeeded_either() -> None:
    """The invocation succeeds, and nothing is done."""
    found = sentence(ran("reports_all", reported=True))
    assert found == "worker never succeeded: reported every message as failed in all 2 invocations"


def test_an_answer_that_is_too_large_has_no_traceback() -> None:
    """So the handler's own place is given, and no messages are asked for."""
    tally = CodeTally("orders→worker", definition(real("answers_too_much")))
    tally.add(ran("answers_too_much"))
    line = inspect.getsourcelines(broken_handlers.answers_too_much)[1]
    place = f"tests/invariants/broken_handlers.py:{line}"
    why = f"its response has more than 6,291,556 bytes (Function.ResponseSizeTooLarge, LX-5) at {place}"
    assert tally.failing == f"worker never succeeded: {why}, and so on in all 2 invocations"
    assert "at most 6 MB" in advice("orders→worker", tally.failing)
    assert tally.is_refused
    tally.add(ran("spells_well"))
    assert not tally.is_refused


@pytest.mark.parametrize(("code", "line"), [("x = 1\n\nhandler = x", 3), ("def other(): ...", 1), ("def (", 1)])
def test_a_handler_is_found_in_its_file_without_running_it(tmp_path: Path, code: str, line: int) -> None:
    (tmp_path / "app.py").write_text(code, encoding="utf-8")
    assert definition(Behaviour(handler="app:handler", code=str(tmp_path))) == f"{tmp_path / 'app.py'}:{line}"


def test_what_such_code_logged_is_named() -> None:
    """The log is the only place where the error shows: its type, message, file and line."""
    found = sentence(ran("logs_and_reports", reported=True))
    assert "in all 2 invocations; at first it logged ValueError: no queue for 1 at broken_handlers.py:" in found


@pytest.mark.parametrize("text", ["ERROR it failed\n{}", '{{"level": "ERROR", "exception": "{}", "name": "KeyError"}}'])
def test_the_first_error_of_a_log(text: str) -> None:
    """As Python logs it, and as a field of JSON; the place is the innermost one in the user's code."""
    frames = ['File "/task/app.py", line 7, in handler', 'File "/x/site-packages/boto3/a.py", line 9, in call']
    lines = ["Traceback (most recent call last):", *(f"  {frame}\n    call()" for frame in frames), "shop.NoStock: 'a'"]
    traceback = "\n".join(lines)
    shown = text.format(traceback if text.startswith("E") else json.dumps(traceback)[1:-1])
    assert first_error(shown) == ("NoStock: 'a'", "app.py:7 in handler")
    assert first_error("ERROR it failed") == first_error("Traceback (most recent call last):\n  nothing") == ("", "")


def test_an_error_that_tells_of_others_names_the_first() -> None:
    """As that of Powertools does where every record failed."""
    with pytest.raises(ValueError, match="invalid") as cause:
        int("x")
    error = RuntimeError("\n".join(["All records failed", *traceback.format_exception(cause.value)]))
    assert frames_of(error)[-1].endswith("(ValueError: invalid literal for int() with base 10: 'x')")


def test_failures_by_faults_and_of_other_mappings_do_not_count() -> None:
    """An error that a fault made says nothing about the code, and neither does no invocation at all."""
    history = ran("expects_another_body")
    events = tuple(
        attrs.evolve(event, fault="error at receive 1 of message 1") if isinstance(event, InvocationEnded) else event
        for event in history.events
    )
    assert sentence(attrs.evolve(history, events=events)) == ""
    tally = CodeTally("other→worker")
    tally.add(history)
    assert tally.failing == ""


def test_nothing_holds_for_code_that_never_succeeded() -> None:
    """What did not apply still does not; `explore` prints the reason and what to do."""
    explored = explore(
        orders_design(),
        invariants=ASKED,
        behaviours={"worker": real("expects_another_body")},
        profile="quick",
        max_examples=6,
        seed=1,
    )
    statuses = [finding.verdict.status for finding in explored]
    assert statuses == [Status.NOT_EXERCISED, Status.NOT_EXERCISED, Status.NOT_APPLICABLE]
    assert explored.findings[0].verdict.reason.startswith("worker never succeeded: KeyError: 'id'")
    told = str(explored)
    assert "\nNOT TESTED: orders → worker: worker never succeeded: KeyError: 'id' at tests/invariants/" in told
    assert "bodies of [tool.chaosqs.functions.worker]" in told


def test_the_summary_of_a_session_says_it_once_and_strict_fails() -> None:
    """For each mapping; without `strict` the items pass."""
    found = [
        CheckResult("t.yaml", "orders→worker", each.name, Status.NOT_EXERCISED, "why", cases=6, failing="never \x1b[1m")
        for each in ASKED
    ]
    lines = [line for line in summary(found) if line.startswith("NOT TESTED")]
    assert lines == [r"NOT TESTED: t.yaml: orders → worker: never \x1b[1m"]
    assert passes(found[0])
    assert not passes(found[0], strict=True)
