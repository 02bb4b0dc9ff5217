"""Running messages alone settles blame (C7): one that fails alone is not a bystander, one that succeeds alone is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from chaosqs import assert_holds, aws, check
from chaosqs.errors import InvariantViolated
from chaosqs.invariants import NO_BYSTANDER_DEAD_LETTERED, judge
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.model.workload import Burst
from chaosqs.search.oracle import AloneOutcomes, Oracle
from chaosqs.search.search import searched
from chaosqs.simulation.run import simulate
from tests.invariants.builder import orders_design

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

INVARIANT = NO_BYSTANDER_DEAD_LETTERED


def real(name: str) -> Behaviour:
    return Behaviour(handler=f"tests.invariants.broken_handlers:{name}")


def ran(name: str, *, batch_size: int = 2, count: int = 2, reported: bool = False) -> History:
    mapping = EventSourceMapping("orders", "worker", batch_size, report_batch_item_failures=reported)
    return simulate(Scenario(orders_design(mapping=mapping), [Burst("orders", count)], {"worker": real(name)}))


def test_a_plain_check_says_that_it_is_unsettled() -> None:
    """One history of real code in batches does not tell: `check` says so, and what would tell."""
    history = ran("fails")
    assert INVARIANT.judge(history).status is Status.INCONCLUSIVE
    (first, second) = (violation for violation in check(history) if violation.invariant == INVARIANT.name)
    assert first.text.startswith("Unsettled: Message 1 went to orders-dlq although worker did not fail because of it")
    assert second.text.startswith("Unsettled: Message 2")


def test_a_handler_that_fails_on_every_message_has_no_bystanders() -> None:
    """Each message fails alone, too: nobody suffered for another."""
    verdict = AloneOutcomes().settled(INVARIANT, ran("fails"))
    assert (verdict.status, verdict.exercised) == (Status.HOLDS, 2)
    assert_holds(ran("fails"), [INVARIANT])


@pytest.mark.parametrize("reported", [False, True])
def test_healthy_messages_beside_poison_are_bystanders(*, reported: bool) -> None:
    """Of five messages the first is poison: the four that succeed alone are blamed on it, and it on nobody."""
    verdict = AloneOutcomes().settled(INVARIANT, ran("fails_on_some", batch_size=3, count=3, reported=reported))
    assert [violation.messages for violation in verdict.violations] == [(1, 0), (2, 0)]
    with pytest.raises(InvariantViolated, match="Message 2 went to orders-dlq"):
        assert_holds(ran("fails_on_some"), [INVARIANT])


def test_messages_that_code_sent_are_run_alone_with_their_bodies() -> None:
    """A message of a second queue has no number in the workload: its body is what the first function sent."""
    design = Design(
        [Queue("first"), Queue("second", redrive=Redrive("dead", 1)), Queue("dead")],
        [Function("sender"), Function("worker")],
        [
            EventSourceMapping("first", "sender", 2),
            EventSourceMapping("second", "worker", 2),
        ],
    )
    behaviours = {"sender": real("forwards"), "worker": real("fails_on_what_was_sent")}
    history = simulate(Scenario(design, [Burst("first", 2)], behaviours))
    verdict = AloneOutcomes().settled(INVARIANT, history)
    assert [violation.messages for violation in verdict.violations] == [(3, 2)]


def test_each_message_is_run_once_a_search() -> None:
    """The outcome depends on code and contents alone, so it is kept."""
    trials, history = AloneOutcomes(), ran("fails_on_some")
    first = trials.settled(INVARIANT, history)
    assert trials.settled(INVARIANT, history) == first
    assert len(trials.known) == 2


@pytest.mark.parametrize(("name", "violated"), [("fails", False), ("fails_on_some", True)])
def test_a_search_settles_what_it_judges(name: str, *, violated: bool) -> None:
    """A search accuses nobody where every message fails, and finds the bystanders of poison."""
    design = orders_design(mapping=EventSourceMapping("orders", "worker", 2))
    found = searched(
        design, "orders→worker", [INVARIANT], behaviours={"worker": real(name)}, max_examples=12, seed=1
    ).search_run
    assert found is not None
    assert (found.searches[0].tally.violating is not None) is violated


def test_a_change_that_leaves_the_bystanders_dead_is_no_cure() -> None:
    """With `report_batch_item_failures` alone the code still raises; a function that hangs is merely excused then."""
    before = EventSourceMapping("orders", "worker", 2)
    reporting, alone = attrs.evolve(before, report_batch_item_failures=True), attrs.evolve(before, batch_size=1)
    for behaviour in (real("fails_on_some"), Behaviour(poison=[0], hangs=True)):
        scenario = Scenario(orders_design(mapping=before), [Burst("orders", 2)], {"worker": behaviour})
        oracle = Oracle(INVARIANT, "orders")
        answers = [
            oracle.redesigned(scenario, orders_design(mapping=mapping)) for mapping in (before, reporting, alone)
        ]
        was, reported, single = (answer for answer in answers if answer is not None)
        assert was.violated
        assert not reported.cures(was)
        assert single.cures(was)


def test_in_aws_a_history_that_does_not_tell_is_unsettled() -> None:
    """Functions that a test deploys are real code: four healthy messages beside a poison one do not pass in silence."""
    design = orders_design(mapping=EventSourceMapping("orders", "worker", 5))

    def handler(event: object, _context: object) -> None:
        if "poison" in str(event):
            raise ValueError("poison")

    with aws(design) as world:
        world.function("worker", handler)
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(n), "MessageBody": "poison" if n == 2 else "healthy"} for n in range(5)
        ]
        world.client().send_message_batch(QueueUrl="orders", Entries=entries)
        world.run_until_idle()
        history = world.history()
    (verdict,) = judge(history, [INVARIANT])
    assert (verdict.status, len(verdict.violations)) == (Status.INCONCLUSIVE, 5)
    assert "in aws() send each message by itself" in verdict.reason
    with pytest.raises(InvariantViolated, match="no bystander dead-lettered is inconclusive: unsettled"):
        assert_holds(history)
