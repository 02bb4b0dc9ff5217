"""Mappings that share executions all get some: none is throttled all the time while others are served.

Mappings share the executions reserved for their function, or the account's unreserved executions (LC-2, LC-3). A
mapping starves if, since its first throttle, none of its batches has started, a whole visibility timeout of its queue
has passed, and the other mappings of the pool have started at least ten invocations. Throttles by faults do not count.

Not judged by default: AWS promises no fairness among mappings, and a message that waits is not lost.
"""

import attrs

from chaosqs.invariants.verdicts import Invariant, judged, listed, not_applicable, times
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.events import InvocationStarted, Throttled
from chaosqs.model.history import History
from chaosqs.model.time import clock_text
from chaosqs.model.verdict import Verdict, Violation

NAME = "no-starvation"

_MIN_OTHER_INVOCATIONS = 10  # Assumed: with fewer invocations of other mappings, the throttles may be mere chance
_MAX_RETRY_PAUSE = 20_000  # milliseconds between two retries of one throttled batch, at most (ES-10)


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

    title: str
    mappings: list[EventSourceMapping] = attrs.field(factory=list[EventSourceMapping])
    started: int = 0
    """Number of invocations up to now."""


def _pools(design: Design) -> list[_Pool]:
    """Return the pools: the reserved executions of each function, and the account's unreserved executions."""
    pools: dict[str | None, _Pool] = {}
    for mapping in design.mappings:
        reserved = design.function(mapping.function).reserved_concurrency is not None
        title = f"the executions reserved for {mapping.function}" if reserved else "the account's unreserved executions"
        if mapping.enabled:
            pools.setdefault(mapping.function if reserved else None, _Pool(title)).mappings.append(mapping)
    return list(pools.values())


@attrs.define
class _Watch:
    """The throttles of one mapping since one of its batches last started; times in milliseconds."""

    design: Design
    mapping: EventSourceMapping
    pool: _Pool
    throttles: list[int] = attrs.field(factory=list[int])
    """Event indexes of the throttles."""
    first: int = 0
    latest: int = 0
    started_before: int = 0
    """Invocations of the pool that had started at the first throttle."""
    reported: bool = False

    def served(self) -> None:
        """Record the start of one of the mapping's batches."""
        self.pool.started += 1
        self.throttles.clear()

    def throttled(self, index: int, event: Throttled) -> Violation | None:
        """Record a throttle; return a violation if the mapping starves, once for each series of throttles."""
        visibility = self.design.queue(self.mapping.queue).visibility_timeout * 1000
        if not self.throttles or event.at - self.latest > max(visibility, _MAX_RETRY_PAUSE):
            self.throttles.clear()
            self.first, self.started_before, self.reported = event.at, self.pool.started, False
        self.throttles.append(index)
        self.latest = event.at
        others = self.pool.started - self.started_before
        if self.reported or others < _MIN_OTHER_INVOCATIONS or event.at - self.first < visibility:
            return None
        self.reported = True
        return self._violation(event, others)

    def _violation(self, event: Throttled, others: int) -> Violation:
        rest = listed(other.name for other in self.pool.mappings if other != self.mapping)
        text = (
            f"{self.mapping.name} got none of {self.pool.title} from {clock_text(self.first)} to "
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
