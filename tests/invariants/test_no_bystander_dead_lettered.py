"""Bystanders of modelled functions and of real code."""

from __future__ import annotations

import attrs
import pytest

from chaosqs.invariants import NO_BYSTANDER_DEAD_LETTERED
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.events import Outcome, ServiceCalled
from chaosqs.model.history import Alone, History
from chaosqs.model.verdict import Status
from tests.invariants.builder import Story, fifo_design, orders_design

judge = NO_BYSTANDER_DEAD_LETTERED.judge

REAL = Behaviour(handler="shop.worker:handler")


def batches(*, reported: bool = False, max_receive_count: int | None = 1) -> Design:
    mapping = EventSourceMapping("orders", "worker", batch_size=2, report_batch_item_failures=reported)
    return orders_design(mapping=mapping, max_receive_count=max_receive_count)


def failed_together(
    behaviour: Behaviour, *, reported: bool = False, fault: str = "", outcome: Outcome = "raised"
) -> History:
    story = Story(batches(reported=reported)).send(2)
    story.receive(0, 1).start().finish(outcome, fault=fault).release("failed")
    return story.at(30).give_back(0, 1).dead_letter(0).dead_letter(1).end(behaviour=behaviour)


def test_healthy_message_beside_a_poison_one() -> None:
    """The poison message itself is no bystander; the verdict names both, and blames the failed batch and the move."""
    verdict = judge(failed_together(Behaviour(poison=[0])))
    (violation,) = verdict.violations
    assert (violation.messages, violation.events, verdict.exercised) == ((1, 0), (4, 9), 2)


def test_failures_by_chance_have_no_culprit() -> None:
    """Where no message of the batch is poison, nobody is to blame for its failure."""
    assert judge(failed_together(Behaviour(error_rate=1))).status is Status.HOLDS
    assert judge(failed_together(Behaviour(error_rate=1, poison=[5]))).status is Status.HOLDS


def test_PB_10_quiet_poison_does_not_fail_a_batch_that_is_reported_item_by_item() -> None:
    """With partial batch responses only a crash or a hang takes the others along: the code does, so it is excused."""
    assert judge(failed_together(Behaviour(error_rate=1, poison=[0]), reported=True)).status is Status.HOLDS
    verdict = judge(failed_together(Behaviour(poison=[0], hangs=True), reported=True))
    assert (verdict.status, len(verdict.excused)) == (Status.HOLDS, 1)
    assert "in a batch that failed with message 1" in verdict.excused[0]


def test_failure_by_a_fault_is_not_the_neighbours() -> None:
    """Had the fault not failed the batch, who knows."""
    verdict = judge(failed_together(Behaviour(poison=[0]), fault="error at receive 1 of message 1"))
    assert verdict.status is Status.NOT_EXERCISED


def test_real_code_that_never_got_the_message_alone_is_unsettled() -> None:
    """A failed batch does not show which message it failed on; the verdict names what has to be run alone."""
    verdict = judge(failed_together(REAL))
    assert verdict.status is Status.INCONCLUSIVE
    assert verdict.unsettled == (("orders→worker", 0), ("orders→worker", 1))
    assert verdict.reason.startswith("unsettled: this run does not show whether worker fails on messages 1 and 2 alone")
    assert [violation.text.partition(" ")[0] for violation in verdict.violations] == ["Unsettled:", "Unsettled:"]


@pytest.mark.parametrize(
    ("failing", "bystanders"), [((0, 1), []), ((0,), [(1, 0)]), ((1,), [(0, 1)]), ((), [])], ids=str
)
def test_real_code_is_settled_by_running_each_message_alone(
    failing: tuple[int, ...], bystanders: list[tuple[int, int]]
) -> None:
    """A message on which the code fails alone is no bystander; one on which it succeeds is, if the other one fails."""
    alone = {("orders→worker", message): Alone(failed=message in failing) for message in (0, 1)}
    verdict = judge(attrs.evolve(failed_together(REAL), alone=alone))
    assert [violation.messages for violation in verdict.violations] == bystanders
    assert verdict.status is (Status.VIOLATED if bystanders else Status.HOLDS)


def test_PB_10_real_code_that_raises_instead_of_reporting_is_not_excused() -> None:
    """With partial batch responses, code could report the poison message; code that is killed or hangs could not."""
    alone = {("orders→worker", 0): Alone(failed=True), ("orders→worker", 1): Alone(failed=False)}
    (violation,) = judge(attrs.evolve(failed_together(REAL, reported=True), alone=alone)).violations
    assert violation.text.endswith("with message 1; worker raised an error instead of reporting the failure.")
    died = judge(attrs.evolve(failed_together(REAL, reported=True, outcome="timed_out"), alone=alone))
    assert (died.status, len(died.excused)) == (Status.HOLDS, 1)


@pytest.mark.parametrize(("poison", "status"), [(0, Status.HOLDS), (1, Status.VIOLATED)])
def test_PB_15_what_stands_behind_the_poison_of_a_fifo_batch_is_excused(poison: int, status: Status) -> None:
    """Code that keeps the order reports it, too, so it may raise; what stands before the poison could be kept."""
    story = Story(fifo_design(max_receive_count=1, report_batch_item_failures=True)).send(2, "orders.fifo", "a")
    story.receive(0, 1, mapping="orders.fifo→worker").start().finish("raised").release("failed")
    story.at(30).give_back(0, 1, queue="orders.fifo")
    for message in (0, 1):
        story.dead_letter(message, "orders.fifo", "orders-dlq.fifo")
    alone = {("orders.fifo→worker", message): Alone(failed=message == poison) for message in (0, 1)}
    verdict = judge(attrs.evolve(story.end(behaviour=REAL), alone=alone))
    assert (verdict.status, len(verdict.excused)) == (status, int(status is Status.HOLDS))


def test_a_batch_whose_calls_a_fault_struck_is_not_failed_by_its_neighbours() -> None:
    """The fault is an injected one of another message, but the call was made for the whole batch."""
    story = Story(batches()).send(2)
    batch = story.receive(0, 1).start()
    call = ServiceCalled(story.now, batch.started, "worker", batch.invocation, "dynamodb", "PutItem", "Throttling", "f")
    story.tell(call)
    batch.finish("raised").release("failed")
    history = story.at(30).give_back(0, 1).dead_letter(0).dead_letter(1).end(behaviour=REAL)
    alone = {("orders→worker", 0): Alone(failed=True), ("orders→worker", 1): Alone(failed=False)}
    assert judge(attrs.evolve(history, alone=alone)).status is Status.NOT_EXERCISED


def test_real_code_that_failed_on_the_message_alone_or_succeeded_on_its_neighbour() -> None:
    """Then the message itself is the one."""
    alone = Story(batches()).send()
    alone.receive(0).start().finish("raised").release("failed")
    assert judge(alone.at(30).give_back(0).dead_letter(0).end(behaviour=REAL)).status is Status.HOLDS
    story = Story(batches()).send(2)
    story.receive(0, 1).start().finish("raised").release("failed")
    story.at(30).give_back(0, 1).receive(1).start().finish().delete()
    assert judge(story.dead_letter(0).end(behaviour=REAL)).status is Status.HOLDS


def test_message_that_was_processed_is_not_judged() -> None:
    """What a function succeeded on at last was not lost to its neighbours."""
    story = Story(batches(max_receive_count=2)).send(2)
    story.receive(0, 1).start().finish("raised").release("failed")
    story.at(30).give_back(0, 1).receive(1).start().finish().delete(stayed=(1,), fault="lost_delete")
    history = story.at(60).give_back(1).dead_letter(1).end(behaviour=Behaviour(poison=[0]))
    assert judge(history).status is Status.HOLDS


@pytest.mark.parametrize(
    "design", [orders_design(), batches(max_receive_count=None)], ids=["single messages", "no redrive policy"]
)
def test_designs_without_company_or_dead_letters_are_not_judged(design: Design) -> None:
    """It takes batches of several messages, and a redrive policy."""
    verdict = judge(Story(design).end())
    assert (verdict.status, verdict.reason) == (
        Status.NOT_APPLICABLE,
        "no mapping reads batches of more than one message from a queue with a redrive policy",
    )


def test_run_without_failures_proves_nothing() -> None:
    """Nothing was dead-lettered after a failure."""
    verdict = judge(Story(batches()).send().end())
    assert (verdict.status, verdict.reason) == (
        Status.NOT_EXERCISED,
        "no message was dead-lettered after a function had failed on it by itself",
    )
