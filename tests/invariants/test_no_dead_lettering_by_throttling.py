"""When dead-lettering is throttling's fault, when it is not, and how a violation tells it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chaosqs.invariants import NO_DEAD_LETTERING_BY_THROTTLING
from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.history import History
from chaosqs.model.verdict import Status
from tests.invariants.builder import RESERVED, UNRESERVED, Batch, Story, orders_design

FAULT = "throttled at receive 1 of message 1"
judge = NO_DEAD_LETTERING_BY_THROTTLING.judge


def dead_lettered(*deliveries: Callable[[Batch], object], design: Design | None = None) -> History:
    """One message, the deliveries that it has, and its move to the dead-letter queue."""
    story = Story(design or orders_design(max_receive_count=len(deliveries))).send()
    for k, ends in enumerate(deliveries):
        ends(story.at(30 * k).receive(0))
        story.at(30 * (k + 1)).give_back(0)
    return story.dead_letter(0).end(drained=True)


def throttled(batch: Batch) -> Batch:
    return batch.throttle().release("throttled")


def faulted(batch: Batch) -> Batch:
    return batch.throttle(fault=FAULT).release("throttled")


def failed(batch: Batch) -> Batch:
    return batch.start().finish("raised").release("failed")


def reported(batch: Batch) -> Batch:
    return batch.start().finish(failed=batch.messages)


def refused(batch: Batch) -> Batch:
    return batch.service_error()


def running(batch: Batch) -> Batch:
    return batch.start()


def text(history: History) -> str:
    (violation,) = judge(history).violations
    return violation.text


def test_dead_lettered_unseen() -> None:
    """The story of the house plan: received twice, each time all reserved executions were busy."""
    verdict = judge(dead_lettered(throttled, throttled))
    assert (verdict.status, verdict.exercised) == (Status.VIOLATED, 2)
    assert text(dead_lettered(throttled, throttled)) == (
        "Message 1 went to orders-dlq although worker never failed on it, and never saw it: "
        "it was received 2 times, and each time all 2 reserved executions of worker were busy."
    )


def test_violation_blames_throttles_releases_and_the_move() -> None:
    """Data numbers messages from 0 and names the places of the events, the move last."""
    history = dead_lettered(throttled, throttled)
    (violation,) = judge(history).violations
    kinds = [type(history.events[index]).__name__ for index in violation.events]
    assert kinds == ["Throttled", "Released", "Throttled", "Released", "DeadLettered"]
    assert (violation.messages, violation.queue, violation.at) == ((0,), "orders", 60_000)


def test_release_after_the_move_is_not_to_blame() -> None:
    """What comes after the violation did not cause it."""
    story = Story(orders_design(max_receive_count=1)).send()
    batch = story.receive(0).throttle()
    story.at(30).give_back(0).dead_letter(0)
    batch.release("throttled")
    (violation,) = judge(story.end()).violations
    assert violation.events == (2, 4)


@pytest.mark.parametrize(
    ("other", "although", "told"),
    [
        (failed, "worker failed on it only once", "worker failed on it"),
        (reported, "worker failed on it only once", "worker reported it as failed"),
        (refused, "worker never failed on it, and never saw it", "Lambda answered with a service error"),
        (running, "worker never failed on it", "worker was not yet done with it when the run ended"),
        (faulted, "worker never failed on it, and never saw it", f"a fault kept it from worker ({FAULT})"),
    ],
)
def test_text_tells_what_became_of_the_other_deliveries(
    other: Callable[[Batch], object], although: str, told: str
) -> None:
    """Where throttling only helped, the text says what else happened."""
    received = "it was received 2 times: once all 2 reserved executions of worker were busy"
    assert text(dead_lettered(throttled, other)) == (
        f"Message 1 went to orders-dlq although {although}: {received} and once {told}."
    )


def test_text_tells_of_lost_receives() -> None:
    """A receive whose answer got lost counts (RX-8), and the text names it."""
    story = Story(orders_design()).send()
    throttled(story.receive(0))
    story.at(30).give_back(0).receive(0, fault="lost_receive at receive 2 of message 1")
    assert text(story.at(60).give_back(0).dead_letter(0).end()).endswith(
        "once all 2 reserved executions of worker were busy and once the answer of SQS was lost."
    )


def reserved(executions: int) -> Design:
    function = Function("worker", reserved_concurrency=executions)
    return orders_design(function=function, max_receive_count=1)


def unreserved(executions: int) -> Design:
    account = Account(1000, other_traffic=1000 - executions)
    return orders_design(function=Function("worker"), account=account, max_receive_count=1)


@pytest.mark.parametrize(
    ("design", "reason", "cause"),
    [
        (reserved(0), RESERVED, "worker was switched off by its reserved concurrency of 0"),
        (reserved(1), RESERVED, "the only reserved execution of worker was busy"),
        (reserved(5), RESERVED, "all 5 reserved executions of worker were busy"),
        (unreserved(0), UNRESERVED, "the account had no unreserved execution for worker"),
        (unreserved(1), UNRESERVED, "the only unreserved execution of the account was busy"),
        (unreserved(1000), UNRESERVED, "all 1,000 unreserved executions of the account were busy"),
        (
            reserved(5),
            "ReservedFunctionInvocationRateLimitExceeded",
            "worker was invoked faster than Lambda's rates allow",
        ),
        (unreserved(1), "CallerRateLimitExceeded", "Lambda throttled worker (CallerRateLimitExceeded)"),
    ],
)
def test_LC_12_text_tells_what_the_reason_means(design: Design, reason: str, cause: str) -> None:
    """Each reason that Lambda gives for a throttle is told in words."""
    history = dead_lettered(lambda batch: batch.throttle(reason=reason).release("throttled"), design=design)
    assert text(history).endswith(f"it was received once, and {cause}.")


def test_processed_message_is_not_judged() -> None:
    """A message that was processed once, and only not deleted, was not lost to throttling."""
    history = dead_lettered(lambda batch: batch.start().finish().delete(stayed=(0,), fault="lost_delete"), throttled)
    assert judge(history).status is Status.HOLDS


def test_message_that_only_failed_is_not_judged() -> None:
    """Dead-lettering after failures is what a dead-letter queue is for, also where throttles only delayed it."""
    verdict = judge(dead_lettered(lambda batch: batch.throttle().start().finish("raised").release("failed")))
    assert (verdict.status, verdict.exercised) == (Status.HOLDS, 1)


def test_faults_excuse() -> None:
    """Where a fault throttled each delivery, nothing in the design is to blame: the verdict names the fault instead."""
    verdict = judge(dead_lettered(faulted))
    assert (verdict.status, verdict.reason) == (Status.NOT_EXERCISED, "only faults throttled worker")
    (excuse,) = verdict.excused
    assert excuse == (
        "Message 1 went to orders-dlq unprocessed, but each throttling that used up one of its deliveries "
        f"came from outside: {FAULT}"
    )


def test_one_throttle_of_the_design_is_enough() -> None:
    """A delivery that met a fault and then a busy function is the design's."""
    history = dead_lettered(lambda batch: throttled(batch.throttle(fault=FAULT)))
    assert judge(history).status is Status.VIOLATED
    assert text(history).endswith("it was received once, and all 2 reserved executions of worker were busy.")


def test_design_without_polling_mappings_is_not_judged() -> None:
    """Nothing polls, nothing is throttled."""
    mapping = EventSourceMapping("orders", "worker", enabled=False)
    verdict = judge(Story(orders_design(mapping=mapping)).end())
    assert (verdict.status, verdict.reason) == (Status.NOT_APPLICABLE, "the design has no mapping that polls")


def test_design_without_redrive_policy_is_not_judged() -> None:
    """Without a redrive policy nothing is dead-lettered; the reason names the queues."""
    queues = [Queue("orders"), Queue("returns"), Queue("jobs", redrive=Redrive("orders", 1))]
    mappings = [EventSourceMapping(queue, "worker") for queue in ("orders", "returns")]
    verdict = judge(Story(Design(queues, [Function("worker")], mappings)).end())
    assert (verdict.status, verdict.reason) == (
        Status.NOT_APPLICABLE,
        "there is no redrive policy on orders or returns, so nothing is dead-lettered",
    )


def test_run_without_throttles_proves_nothing() -> None:
    """Where nobody was throttled the verdict is `not exercised`, and names the functions."""
    queues = [Queue(name, redrive=Redrive("dlq", 1)) for name in ("orders", "returns")]
    functions = [Function("worker"), Function("auditor")]
    mappings = [EventSourceMapping("orders", "worker"), EventSourceMapping("returns", "auditor")]
    verdict = judge(Story(Design([*queues, Queue("dlq")], functions, mappings)).end())
    assert (verdict.status, verdict.reason) == (Status.NOT_EXERCISED, "worker and auditor were never at the limit")


def test_throttles_of_a_queue_without_redrive_policy_do_not_count() -> None:
    """Only a delivery that counts towards dead-lettering could have failed."""
    queues = [Queue("orders", redrive=Redrive("dlq", 1)), Queue("returns"), Queue("dlq")]
    mappings = [EventSourceMapping(queue, "worker") for queue in ("orders", "returns")]
    story = Story(Design(queues, [Function("worker", reserved_concurrency=0)], mappings)).send(queue="returns")
    story.receive(0, mapping="returns→worker").throttle()
    verdict = judge(story.end())
    assert (verdict.status, verdict.exercised) == (Status.NOT_EXERCISED, 0)


def test_text_tells_of_clients_that_received_the_message() -> None:
    """Whoever receives a message uses one of its deliveries up (DLQ-18)."""
    story = Story(orders_design()).send().client_receives(0, count=1).at(30).give_back(0)
    throttled(story.receive(0))
    assert text(story.at(60).give_back(0).dead_letter(0).end()) == (
        "Message 1 went to orders-dlq although worker never failed on it, and never saw it: it was received 2 times: "
        "once a client received it and once all 2 reserved executions of worker were busy."
    )
