"""Designs and promises that the tests of the search share."""

from collections.abc import Callable

from chaosqs.invariants import Invariant
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.delivery import Ending
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import InvocationEnded
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict, Violation
from chaosqs.model.workload import Burst

MAPPING = "orders→worker"


Judge = Callable[[History], Verdict]
"""A function that judges."""


def over_polling(*, maximum_concurrency: int | None = None, max_receive_count: int = 3) -> Design:
    """Return the classic: five pollers read for two executions, and a short visibility timeout."""
    return Design(
        queues=[
            Queue("orders", visibility_timeout=30, redrive=Redrive("orders-dlq", max_receive_count)),
            Queue("orders-dlq"),
        ],
        functions=[Function("worker", timeout=30, reserved_concurrency=2)],
        mappings=[EventSourceMapping("orders", "worker", maximum_concurrency=maximum_concurrency)],
    )


SOUND = over_polling(maximum_concurrency=2)
ROOMY = Design(
    queues=[Queue("orders", visibility_timeout=60, redrive=Redrive("orders-dlq", 3)), Queue("orders-dlq")],
    functions=[Function("worker", timeout=5)],
    mappings=[EventSourceMapping("orders", "worker")],
)
STARVED = Scenario(over_polling(), [Burst("orders", 60)], {"worker": Behaviour(seconds_per_batch=25)})


def promise(name: str, broken: list[Violation], exercised: int = 1) -> Verdict:
    """Return the verdict of a promise of a test."""
    return Verdict(name, Status.VIOLATED if broken else Status.HOLDS, exercised=exercised, violations=tuple(broken))


def invariant(judge: Judge) -> Invariant:
    """Return an invariant of a test."""
    name = str(getattr(judge, "__name__", judge)).replace("_", "-")
    return Invariant(name, name.replace("-", " "), "", "", "messages", default=False, judge=judge)


def processed_once(history: History) -> Verdict:
    """Promise that no message is processed twice, which AWS does not."""
    broken = [
        Violation("processed-once", "Twice.", 0, deliveries[0].queue, (message,), ())
        for message, deliveries in history.deliveries.items()
        if sum(delivery.ending is Ending.PROCESSED for delivery in deliveries) > 1
    ]
    return promise("processed-once", broken)


def never_dead_lettered(history: History) -> Verdict:
    """Promise that no message is dead-lettered, whatever happens."""
    broken = [
        Violation("never-dead-lettered", "Gone.", fate.event.at, fate.event.queue, (fate.event.message,), ())
        for fate in history.dead_lettered
    ]
    return promise("never-dead-lettered", broken)


def never_slow(history: History) -> Verdict:
    """Promise that no invocation takes more than two seconds."""
    broken = [
        Violation("never-slow", "Slow.", event.at, "", event.messages, ())
        for event in history.events
        if isinstance(event, InvocationEnded) and event.duration > 2_000 and not event.fault
    ]
    return promise("never-slow", broken)
