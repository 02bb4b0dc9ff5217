"""A broken fake: one receive raises a receive count by two (RX-7)."""

from __future__ import annotations

import attrs

from chaosqs.model.events import Event, Received
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import orders_design
from tests.known_bad.known_bad import KnownBad


def calm() -> History:
    return simulate(Scenario(orders_design(), [Burst("orders", 1)]))


def doubled(event: Event) -> Event:
    if not isinstance(event, Received):
        return event
    return attrs.evolve(event, receive_counts=tuple(2 * count for count in event.receive_counts))


KNOWN_BAD = KnownBad(
    breaks="conservation",
    says="Message N has the receive count 2 although it was received never before. "
    "This is a bug of chaosqs, not of the design.",
    bad_history=lambda: attrs.evolve(calm(), events=tuple(map(doubled, calm().events))),
    near_miss=calm,
)
