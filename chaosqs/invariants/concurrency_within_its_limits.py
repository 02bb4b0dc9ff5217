"""No function runs more executions than it may, and no mapping hands out more than it may.

A function has its reserved concurrency, or shares the unreserved one with all functions without a reservation (LC-2,
LC-3). An execution counts until its code ends, even if no poller waits for the answer any more; a mapping counts an
invocation only while it waits (MC-1). The number of busy executions in a throttle must be the number that runs. A limit
that an operator changes applies to later starts: running executions go on, and batches received before the change of a
mapping keep its former maximum concurrency.
"""

from math import inf

import attrs

from chaosqs.invariants.verdicts import Invariant, counted, judged, messages_text
from chaosqs.model.design import Design
from chaosqs.model.events import Event, InvocationEnded, InvocationStarted, Released, Throttled
from chaosqs.model.history import History
from chaosqs.model.verdict import Verdict, Violation

NAME = "concurrency-within-its-limits"


def judge(history: History) -> Verdict:
    """Blame each invocation that exceeds a limit, and each throttle with a wrong number of busy executions."""
    gauge, changes = _Gauge(history, history.scenario.design), dict(history.designs[1:])
    for index, event in enumerate(history.events):
        if index in changes:
            gauge.change(changes[index])
        gauge.follow(index, event)
    return judged(NAME, gauge.violations, gauge.started, "no invocation started")


@attrs.define
class _Pool:
    """The executions that share one limit."""

    whose: str
    """Subject in texts: `worker`, `orders→worker`."""
    limit: float
    running: dict[int, int] = attrs.field(factory=dict[int, int])
    """For each invocation that counts, the index of its start."""


def _execution_pools(design: Design) -> dict[str, _Pool]:
    """Return the pool of each function; functions without a reservation share one."""
    unreserved = _Pool("Functions without reserved concurrency", design.unreserved_concurrency())
    return {
        function.name: unreserved
        if function.reserved_concurrency is None
        else _Pool(function.name, function.reserved_concurrency)
        for function in design.functions
    }


def _maximum(design: Design, mapping: str) -> float:
    """Return the maximum concurrency of a mapping; infinity if it has none."""
    found = [known.maximum_concurrency for known in design.mappings if known.name == mapping]
    return min((limit for limit in found if limit is not None), default=inf)


@attrs.define
class _Gauge:
    """The running invocations, updated event by event."""

    history: History
    design: Design
    """The design in force."""
    executions: dict[str, _Pool] = attrs.field(init=False)
    in_flight: dict[str, _Pool] = attrs.field(init=False)
    """The pool of each mapping that has a maximum concurrency at any time."""
    started: int = 0
    violations: list[Violation] = attrs.field(factory=list[Violation])

    def __attrs_post_init__(self) -> None:
        self.executions = _execution_pools(self.design)
        mappings = [mapping for _, design in self.history.designs for mapping in design.mappings]
        limited = dict.fromkeys(mapping.name for mapping in mappings if mapping.maximum_concurrency is not None)
        self.in_flight = {name: _Pool(name, _maximum(self.design, name)) for name in limited}

    def change(self, design: Design) -> None:
        """Apply the limits of a changed design, and count the running executions anew."""
        running = {index for pool in self.executions.values() for index in pool.running.values()}
        self.design, self.executions = design, _execution_pools(design)
        for index in sorted(running):
            event = self.history.events[index]
            if isinstance(event, InvocationStarted):
                self.executions[event.function].running[event.invocation] = index

    def follow(self, index: int, event: Event) -> None:
        match event:
            case InvocationStarted():
                self._started(index, event)
            case InvocationEnded():
                self.executions[event.function].running.pop(event.invocation, None)
                self._no_longer_in_flight(event.mapping, event.invocation)
            case Released():
                self._released(event)
            case Throttled(fault=""):
                self._throttled(index, event)
            case _:
                pass

    def _started(self, index: int, event: InvocationStarted) -> None:
        self.started += 1
        self._take(index, event, self.executions[event.function], "executions")
        if event.mapping in self.in_flight:
            pool = self.in_flight[event.mapping]
            before = self.design if event.cause is None else self.history.design_at(event.cause)
            pool.limit = max(_maximum(self.design, event.mapping), _maximum(before, event.mapping))
            self._take(index, event, pool, "invocations in flight")

    def _take(self, index: int, event: InvocationStarted, pool: _Pool, things: str) -> None:
        pool.running[event.invocation] = index
        if len(pool.running) > pool.limit:
            had = f"{pool.whose} had {len(pool.running):,} {things} at once when {messages_text(event.messages)} came"
            self._blame(f"{had}: the limit is {pool.limit:,}.", event, tuple(pool.running.values()))

    def _released(self, event: Released) -> None:
        """Stop counting an invocation for whose answer its poller waits no more."""
        cause = None if event.cause is None else self.history.events[event.cause]
        if isinstance(cause, InvocationStarted):
            self._no_longer_in_flight(event.mapping, cause.invocation)

    def _no_longer_in_flight(self, mapping: str, invocation: int) -> None:
        if mapping in self.in_flight:
            self.in_flight[mapping].running.pop(invocation, None)

    def _throttled(self, index: int, event: Throttled) -> None:
        pool = self.executions[event.function]
        if event.running != len(pool.running):
            counts = f"{counted(event.running, 'execution')} ran, but {len(pool.running):,} did"
            text = f"{event.function} was throttled with {messages_text(event.messages)} as if {counts}."
            self._blame(text, event, (*pool.running.values(), index))

    def _blame(self, text: str, event: InvocationStarted | Throttled, indexes: tuple[int, ...]) -> None:
        self.violations.append(Violation(NAME, text, event.at, "", event.messages, indexes))


CONCURRENCY_WITHIN_ITS_LIMITS = Invariant(
    name=NAME,
    title="concurrency within its limits",
    statement="No function runs more executions than it may, and no mapping has more invocations in flight than its "
    "maximum concurrency.",
    applies="To every design; exercised when an invocation starts.",
    unit="invocations",
    default=True,
    judge=judge,
    internal=True,
)
