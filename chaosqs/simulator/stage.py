"""Where real handlers run: one nursery for a run, one task for an invocation, and everything around it virtual."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from importlib import import_module

import attrs
import trio

from chaosqs.machine.identity import message_id, uuid
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.design import Function
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import arrivals
from chaosqs.simulator.agenda import Agenda
from chaosqs.simulator.calls import Calls, door
from chaosqs.simulator.clock import VirtualClock
from chaosqs.simulator.course import BROWN_OUT, KILLS, SLOWER
from chaosqs.simulator.disguise import Source, source, worn
from chaosqs.simulator.escapes import patches
from chaosqs.simulator.execution import Execution
from chaosqs.simulator.handler import Handler, load
from chaosqs.simulator.lambda_context import context
from chaosqs.simulator.luck import Luck, site
from chaosqs.simulator.nemesis import Nemesis
from chaosqs.simulator.operations import ACCOUNT, REGION
from chaosqs.simulator.operations.hosted import Hosted
from chaosqs.simulator.records import batch_event
from chaosqs.simulator.request import Course, Invocation
from chaosqs.simulator.service import Service
from chaosqs.simulator.user_code import UserCode

_CALL, _CRASH, _CHANCE = site("call latency"), site("crash"), site("random numbers of a handler")
_LATEST_CRASH = 3
"""Assumed: an environment that a fault kills dies at one of the first so many waits of its handler."""


@attrs.define(eq=False)
class RealCode:
    """The real handlers of one run: a `Stage` of its functions."""

    scenario: Scenario
    agenda: Agenda
    luck: Luck
    calls: Calls
    names: Mapping[str, str]
    """The handler of each function that is real code."""
    queues: Mapping[str, Hosted]
    functions: Mapping[str, Function]
    """As they are deployed now."""
    _handlers: dict[str, Handler] = attrs.field(factory=dict[str, Handler])
    _clock: VirtualClock | None = None
    _nursery: trio.Nursery | None = None
    _nemesis: Nemesis = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Read the fault plan, for the fault points of handlers."""
        self._nemesis = Nemesis(self.scenario.faults)

    @classmethod
    def of(
        cls, scenario: Scenario, agenda: Agenda, luck: Luck, service: Service, functions: Mapping[str, Function]
    ) -> RealCode | None:
        """Return what runs the handlers of a scenario, or None where all are modelled."""
        names = {name: known.handler for name, known in scenario.behaviours.items() if known.handler is not None}
        if not names:
            return None
        calls = Calls.of(service, len(arrivals(scenario.workload)))
        queues = dict(calls.sqs.world.region(ACCOUNT, REGION).queues)
        return cls(scenario, agenda, luck, calls, names, queues, functions)

    def plays(self, function: str) -> bool:
        """Tell whether a function is real code."""
        return function in self.names

    def run(self, clock: VirtualClock) -> None:
        """Take the clock through the run; raise `InvalidScenario` for a handler that cannot be imported."""
        with worn(self.calls.sqs.epoch, patches()) as cover, door(self.calls), _ordered(self.luck.seed):
            for function, name in self.names.items():
                self._handlers[function] = load(function, name)
                cover(self._handlers[function].module)
            trio.run(self._main, clock, clock=clock)

    async def _main(self, clock: VirtualClock) -> None:
        error: BaseException | None = None
        async with trio.open_nursery() as nursery:
            self._clock, self._nursery = clock, nursery
            try:
                await clock.run()
            except BaseException as found:  # noqa: BLE001 - raised below, outside of the nursery's group
                error = found
            nursery.cancel_scope.cancel()
        if error is not None:
            raise error

    def begin(self, invocation: Invocation, done: Callable[[Course], None]) -> None:
        """Start the task of an invocation: a step of the agenda."""
        assert self._clock is not None
        assert self._nursery is not None
        request = invocation.request
        invocation.begins = self.agenda.now  # later than planned where a pause held it back
        function = self.functions[request.mapping.function]
        execution = self._execution(invocation, done, self._clock)
        self.agenda.at(invocation.begins + invocation.limit, execution.time_out)
        event = batch_event(request, self.queues[request.mapping.queue], self.calls.sqs.epoch)
        request_id = uuid(b"invocation", invocation.number)
        given = context(function, request_id, invocation.environment.number, lambda: execution.remaining)
        messages = {message_id(number): number for number in request.messages}
        code = UserCode(execution, self._nemesis, self.calls.causes, messages)
        self._nursery.start_soon(execution.run, self._handlers[function.name], event, given, messages, code)
        self._clock.wake_others()

    def _execution(self, invocation: Invocation, done: Callable[[Course], None], clock: VirtualClock) -> Execution:
        number, strike = invocation.number, invocation.strike
        kind, dies_at = "" if strike is None else strike.kind, 0
        if kind in KILLS:
            dies_at = 1 + int(self.luck.fraction(_CRASH, number) * _LATEST_CRASH)
        pace = SLOWER if kind == BROWN_OUT else 1

        def latency(wait: int) -> int:
            return _latency(self.luck, self.scenario.assumptions, number, wait)

        chance = source((self.luck.seed << 96) + (_CHANCE << 64) + number)
        return Execution(invocation, self.agenda, clock.wake_others, chance, done, latency, dies_at, pace)


def _latency(luck: Luck, assumed: Assumptions, number: int, wait: int) -> int:
    return max(1, round(luck.around(assumed.call_latency, assumed.latency_spread / 100, _CALL, number, wait)))


@contextmanager
def _ordered(seed: int) -> Generator[None]:
    """Have trio wake the tasks that one handler has started itself in an order that luck decides.

    All others wake one by one. trio has no public way to say so; Hypothesis uses the same private one. Without it a
    handler with several tasks of its own may take another course each time, and `verify` says so.
    """
    inside = vars(import_module("trio._core._run"))
    flag, chance = inside.get("_ALLOW_DETERMINISTIC_SCHEDULING"), inside.get("_r")
    if flag is None or not isinstance(chance, Source):
        yield
        return
    state = chance.getstate()
    chance.seed(seed)
    inside["_ALLOW_DETERMINISTIC_SCHEDULING"] = True
    try:
        yield
    finally:
        inside["_ALLOW_DETERMINISTIC_SCHEDULING"] = flag
        chance.setstate(state)
