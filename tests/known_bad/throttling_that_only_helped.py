"""A broken design: a function fails on a message once, and throttling uses up the other delivery that it had."""

from __future__ import annotations

from chaosqs.model.design import Function
from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def failed_once_then_busy(fault: str) -> History:
    function = Function("worker", timeout=30, reserved_concurrency=1)
    story = Story(orders_design(function=function)).send(2)
    story.receive(0).start().finish("raised").release("failed")
    other = story.at(25).receive(1, poller=2).start()
    batch = story.at(30).give_back(0).receive(0).throttle(fault=fault)
    story.at(50)
    batch.throttle(fault=fault)
    other.finish().delete()
    story.at(60)
    batch.release("throttled")
    return story.give_back(0).dead_letter(0).end(drained=True)


KNOWN_BAD = KnownBad(
    breaks="no-dead-lettering-by-throttling",
    says="Message N went to orders-dlq although worker failed on it only once: it was received 2 times: "
    "once worker failed on it and once the only reserved execution of worker was busy.",
    bad_history=lambda: failed_once_then_busy(""),
    near_miss=lambda: failed_once_then_busy("throttled on worker from 30 s for 60 s"),
)
