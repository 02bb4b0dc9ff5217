"""Mappings that draw on the same executions all get some: none is throttled all the time while others are served.

They share those that are reserved for their function, or what the account has unreserved (LC-2, LC-3). A mapping
starves from its first throttle, if no batch of its own has started since, a whole visibility timeout of its queue is
over, and the others of the pool have started at least ten invocations meanwhile. Throttles of faults do not count.

AWS promises no fairness among mappings, and a message that waits is not lost: a search asks for this only where told.
"""

from __future__ import annotations

import attrs

from chaosqs.invariants.verdicts import Invariant, judged, listed, not_applicable, times
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.event import InvocationStarted, Throttled
from chaosqs.model.history import History
from chaosqs.model.time import clock_text
from chaosqs.model.verdict import Verdict, Violation

NAME = "no-starvation"

_OTHERS = 10  # Assumed: fewer invocations of others, and a throttled batch may just have had bad luck
_PAUSE = 20_000  # milliseconds: no pause after a throttle is longer (ES-10), so the batch is another one


def judge(history: History) -> Verdict:
    """Blame each time that a mapping starves."""
    design = history.scenario.design
    pools = _pools(design)
    watches = {
        mapping.name: _Watch(design, mapping, pool)
        for pool in pools
        if len(pool.mappings) > 1
        for mapping in pool.mappings
    }
    if not watches:
        return not_applicable(NAME, "no two mappings share executions")
    throttles, violations = 0, list[Violation]()
    for index, event in enumerate(history.events):
        if isinstance(event, InvocationStarted) and event.mapping in watches:
            watches[event.mapping].served()
        elif isinstance(event, Throttled) and not event.fault and event.mapping in watches:
            throttles += 1
            violation = watches[event.mapping].throttled(index, event)
            if violation is not None:
                violations.append(violation)
    return judged(NAME, violations, throttles, "no mapping that shares executions was throttled")


@attrs.define
class _Pool:
    """Executions that mappings share."""

    whose: str
    mappings: list[EventSourceMapping] = attrs.field(factory=list[EventSourceMapping])
    started: int = 0
    """Invocations up to now."""


def _pools(design: Design) -> list[_Pool]:
    """Return who shares what: the reservation of a function, or what is unreserved."""
    pools: dict[str | None, _Pool] = {}
    for mapping in design.mappings:
        reserved = design.function(mapping.function).reserved_concurrency is not None
        whose = f"the executions reserved for {mapping.function}" if reserved else "the account's unreserved executions"
        if mapping.enabled:
            pools.setdefault(mapping.function if reserved else None, _Pool(whose)).mappings.append(mapping)
    return list(pools.values())


@attrs.define
class _Watch:
    """How one mapping fares."""

    design: Design
    mapping: EventSourceMapping
    pool: _Pool
    throttles: list[int] = attrs.field(factory=list[int])
    """Places of its throttles since it was served last."""
    since: int = 0
    latest: int = 0
    before: int = 0
    """How many invocations of the pool had started then."""
    told: bool = False

    def served(self) -> None:
        """Note that one of its batches runs."""
        self.pool.started += 1
        self.throttles.clear()

    def throttled(self, index: int, event: Throttled) -> Violation | None:
        """Note a throttle; return a violation where it has starved long enough by now."""
        visibility = self.design.queue(self.mapping.queue).visibility_timeout * 1000
        if not self.throttles or event.at - self.latest > max(visibility, _PAUSE):
            self.throttles.clear()
            self.since, self.before, self.told = event.at, self.pool.started, False
        self.throttles.append(index)
        self.latest = event.at
        others = self.pool.started - self.before
        if self.told or others < _OTHERS or event.at - self.since < visibility:
            return None
        self.told = True
        return self._violation(event, others)

    def _violation(self, event: Throttled, others: int) -> Violation:
        rest = listed(other.name for other in self.pool.mappings if other != self.mapping)
        text = (
            f"{self.mapping.name} got none of {self.pool.whose} from {clock_text(self.since)} to "
            f"{clock_text(event.at)} and was throttled {times(len(self.throttles))}, while {rest} started "
            f"{others:,} invocations."
        )
        indexes = tuple(self.throttles)
        return Violation(NAME, text, event.at, self.mapping.queue, event.messages, indexes)


NO_STARVATION = Invariant(
    name=NAME,
    title="no starvation",
    statement="Of mappings that share executions, none is throttled for a whole visibility timeout without one of its "
    "batches started, while the others start ten invocations.",
    applies="To designs in which mappings share the reserved concurrency of a function, or the account's unreserved "
    "one; exercised by throttles, those of faults apart.",
    unit="throttles",
    default=False,
    judge=judge,
)
