"""A broken design: the function reports a message as failed, and the mapping, which was not told to look, deletes it.

Without report_batch_item_failures the function's answer is ignored (EF-2).
"""

from __future__ import annotations

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import orders_design
from tests.known_bad.known_bad import KnownBad


def handler(event: dict[str, list[dict[str, str]]], context: object) -> dict[str, list[dict[str, str]]]:
    """Fail on the second message of all, and say so."""
    del context
    failed = [record for record in event["Records"] if record["body"].startswith('{"message": 1}')]
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}


def partial_failure(*, reported: bool) -> History:
    mapping = EventSourceMapping("orders", "worker", batch_size=2, report_batch_item_failures=reported)
    behaviour = Behaviour(handler=f"{__name__}:handler")
    return simulate(Scenario(orders_design(mapping=mapping), [Burst("orders", 2)], {"worker": behaviour}))


KNOWN_BAD = KnownBad(
    breaks="reported-failures-kept",
    says="Message N was deleted from orders although worker reported it as failed: report_batch_item_failures is off.",
    bad_history=lambda: partial_failure(reported=False),
    near_miss=lambda: partial_failure(reported=True),
    also_broken_by=("failure_list_disregarded",),
)
