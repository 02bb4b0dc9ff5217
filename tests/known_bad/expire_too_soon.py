"""A broken fake: a message expires a millisecond before its retention period is over (RT-1)."""

from __future__ import annotations

import attrs

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.events import Event, Expired
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import orders_design
from tests.known_bad.known_bad import KnownBad


def never_processed() -> History:
    design = orders_design(max_receive_count=None, retention_period=60)
    return simulate(Scenario(design, [Burst("orders", 1)], {"worker": Behaviour(poison=[0])}))


def earlier(event: Event) -> Event:
    return attrs.evolve(event, at=event.at - 1) if isinstance(event, Expired) else event


def one_millisecond_early() -> History:
    history = never_processed()
    events = tuple(earlier(event) for event in history.events)
    return attrs.evolve(history, events=events)


KNOWN_BAD = KnownBad(
    breaks="at-least-once-delivery",
    says="Message N expired in orders 0.001 s before its retention period of 60.0 s was over.",
    bad_history=one_millisecond_early,
    near_miss=never_processed,
)
