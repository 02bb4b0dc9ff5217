"""Where handlers are performed: it finds the version that is meant, the environment's code and the event."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import attrs

from chaosqs.machine.identity import message_id, uuid
from chaosqs.machine.message import Message
from chaosqs.machine.partial_batch import Outcome, judge_error, judge_payload
from chaosqs.machine.recursion import trace_header
from chaosqs.simulator.agenda import Agenda
from chaosqs.simulator.control.code import Loaded
from chaosqs.simulator.control.deployed import Deployed, Version
from chaosqs.simulator.control.fibers import Fibers
from chaosqs.simulator.control.output import Output
from chaosqs.simulator.control.performance import Call, Performance
from chaosqs.simulator.control.result import Result
from chaosqs.simulator.request import Course, Invocation, Request


@attrs.frozen(eq=False)
class Target:
    """What a request invokes, with what."""

    function: Deployed
    version: Version
    arn: str
    region: str
    payload: str
    messages: tuple[Message, ...]
    """The batch; empty where somebody invokes."""


@attrs.define(eq=False)
class Stage:
    """All handlers of one Region that run; the simulator's Lambda hands it its invocations."""

    agenda: Agenda
    fibers: Fibers
    epoch: int
    stamp: Callable[[], str]
    target: Callable[[Request], Target]
    ended: dict[int, tuple[Result, Output]] = attrs.field(factory=dict[int, "tuple[Result, Output]"])
    """By number: how invocations ended whose caller has not asked yet."""
    _running: dict[int, Performance] = attrs.field(factory=dict[int, Performance])
    _loaded: dict[tuple[int, int], Loaded] = attrs.field(factory=dict[tuple[int, int], Loaded])
    """The code in each environment of each version."""

    def plays(self, function: str) -> bool:
        """Every function here is real code."""
        del function
        return True

    def begin(self, invocation: Invocation, done: Callable[[Course], None]) -> None:
        """Hand the batch to the handler; `done` is called, as a step of the agenda, when that has come to an end."""
        target, number = self.target(invocation.request), invocation.number
        output = Output(target.function.lines)
        key = id(target.version.code), invocation.environment.number
        cold = key not in self._loaded
        loaded = self._loaded[key] = target.version.code.load() if cold else self._loaded[key]
        request_id = uuid(b"invocation", number)
        trace = trace_header(request_id, target.messages, target.function.name)
        call = Call(
            target.version, target.arn, target.region, request_id, target.payload, trace, number, cold, self.agenda.now
        )
        ended = partial(self._end, invocation, done, key, output)
        self._running[number] = performance = Performance(
            call, self.agenda, self.fibers, self.epoch, loaded, output, self.stamp, ended
        )
        performance.start()

    def close(self) -> None:
        """End what still runs: the world closes."""
        for performance in list(self._running.values()):
            performance.end()
        self._running.clear()

    def _end(
        self,
        invocation: Invocation,
        done: Callable[[Course], None],
        key: tuple[int, int],
        output: Output,
        result: Result,
    ) -> None:
        request, taken = invocation.request, self.agenda.now - invocation.begins
        del self._running[invocation.number]
        if not request.mapping.queue:
            self.ended[invocation.number] = result, output
        if result.outcome in ("timed_out", "crashed"):
            del self._loaded[key]  # LX-14
        outcome = _judged(request, result)
        failed = () if result.failed else _numbers(request, outcome)
        done(Course(result.outcome, taken, failed, rule=result.rule or outcome.rule, error=result.error))


def _judged(request: Request, result: Result) -> Outcome:
    """Return what a result means for a batch (PB-1 … PB-12); an invocation of its own has none."""
    ids, reporting = [message_id(number) for number in request.messages], request.mapping.report_batch_item_failures
    if result.failed:
        return judge_error(ids, reporting=reporting)
    if not ids:
        return Outcome(all_failed=False, failed=(), rule="")
    return judge_payload(result.payload.decode(errors="replace"), ids, reporting=reporting)


def _numbers(request: Request, outcome: Outcome) -> tuple[int, ...]:
    failed = frozenset(outcome.failed)
    return tuple(number for number in request.messages if message_id(number) in failed)
