"""The paragraph of a report: what happened and why, in the users' names."""

from __future__ import annotations

import attrs
import pytest

from chaosqs import invariants
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.report.summary import paragraph
from chaosqs.simulation.run import simulate
from tests.known_bad.known_bad import NAMES, known_bad
from tests.report.examples import SENTENCE, counterexample, throttled
from tests.search.designs import ROOMY, over_polling


def test_over_polling_is_told_from_the_load_to_the_dead_letter_queue() -> None:
    """Who read, for how many executions, how often it was received and what each time came of it, where it went."""
    scenario = Scenario(over_polling(), [Burst("orders", 5, over=30)], {"worker": Behaviour(seconds_per_batch=29.25)})
    history = simulate(scenario)
    violation = invariants.NO_DEAD_LETTERING_BY_THROTTLING.judge(history).violations[0]
    assert paragraph(*counterexample(history, violation)) == (
        f"{violation.text} 5 messages arrived in orders from 0.0 s to 24.0 s. Up to 5 pollers read from orders although"
        " worker had no room for all (reserved concurrency 2): pollers do not ask before they read. Message 5 was"
        " received 3 times. Received at 24.0 s, 54.0 s and 84.0 s: each time Lambda throttled it while messages 1–4"
        " were running (18 tries in all), until its visibility timeout of 30 s was over. That used up"
        " max_receive_count 3, so the next receive, at 114.0 s, moved it to orders-dlq; nothing reads from there."
    )


def test_deliveries_that_end_alike_are_told_together() -> None:
    """The example of the house plan: two deliveries, throttled alike."""
    text = paragraph(*throttled())
    assert text.startswith(f"{SENTENCE} 6 messages arrived in orders at 0.0 s. ")
    assert "Message 4 was received twice. Received at 0.0 s and 30.1 s: each time Lambda throttled it" in text


def test_a_fault_is_named_with_the_load_and_where_it_struck() -> None:
    """What it took from outside stands beside what arrived, and at the delivery that it hit."""
    scenario = Scenario(ROOMY, [Burst("orders", 1)], faults=FaultPlan(messages=[["lost_delete"]]))
    found, history = counterexample(
        simulate(scenario), attrs.evolve(throttled()[0].violation, messages=(0,), events=(), at=70_000)
    )
    explained = attrs.evolve(found, explanation=attrs.evolve(found.explanation, faults=(scenario.faults,)))
    text = paragraph(explained, history)
    assert "1 message arrived in orders at 0.0 s, and it took a fault: lost_delete at receive 1 of message 1." in text
    assert "worker succeeded on it at 0.3 s, but its delete did not work (fault: lost_delete at receive 1 of" in text
    assert "In all it was worked on twice." in text


@pytest.mark.parametrize("name", NAMES)
def test_every_invariant_has_its_paragraph(name: str) -> None:
    """It begins with the violation's own sentence, goes on with the load, and is made of whole sentences."""
    broken = known_bad(name)
    history = broken.bad_history()
    violation = invariants.by_name(broken.breaks).judge(history).violations[0]
    text = paragraph(*counterexample(history, violation))
    assert text.startswith(f"{violation.text} ")
    assert " arrived in " in text
    assert text.endswith(".")
    assert "  " not in text
