"""The backend of `aws()`: SQS and Lambda behind one `MockAws`, and their history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

import attrs

from chaosqs.errors import Livelock
from chaosqs.faults.injector import NO_FAULTS
from chaosqs.kernel.context import RandomStreams, SimulationContext
from chaosqs.kernel.event_queue import EventQueue
from chaosqs.lambda_.service_calls import ServiceCalls
from chaosqs.lambda_.waits import Waits
from chaosqs.mock_aws.lambda_api.api import LambdaApi
from chaosqs.mock_aws.lambda_api.region import LambdaRegion
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue, RedriveAllow
from chaosqs.model.events import Event
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.sqs.api.region import ACCOUNT, Accounts
from chaosqs.sqs.api.sqs import Sqs

# History: the same value that simulations return, so that invariants can judge it -------------------------------------


def history(region: LambdaRegion) -> History:
    """Return the history of one Region up to now, without the events of others.

    The design is the present deployment, plus deleted queues and functions. If a function's timeout was raised above
    its queue's visibility timeout, which AWS does not check then (EC-11), the design has the lower value. The history
    is never drained: more messages may always come.
    """
    for mapped in region.mappings.values():
        if mapped.poller is not None:
            mapped.poller.stop()
    context, design = region.context, _design(region)
    scenario, events = Scenario(design, assumptions=context.assumptions), _about(design, context.events)
    return History(scenario, events, context.now, None, deployed=True)


def _design(region: LambdaRegion) -> Design:
    queues = [_reachable(state.queue, region) for state in region.sqs.service.states.values()]
    mappings = {mapped.settings.name: mapped.settings for mapped in region.polled.values()}
    mappings |= {mapped.settings.name: mapped.settings for mapped in region.mappings.values()}
    functions = [_fitting(function, queues, list(mappings.values())) for function in region.deployments.values()]
    return Design(queues, functions, mappings.values(), Account(region.concurrency))


def _reachable(queue: Queue, region: LambdaRegion) -> Queue:
    """Return a queue without the settings that may name missing queues."""
    redrive, known = queue.redrive, region.sqs.service.states
    if redrive is not None and redrive.dead_letter_queue not in known:
        queue = attrs.evolve(queue, redrive=None)
    return attrs.evolve(queue, redrive_allow=None) if isinstance(queue.redrive_allow, RedriveAllow) else queue


def _fitting(function: Function, queues: Sequence[Queue], mappings: Sequence[EventSourceMapping]) -> Function:
    polled = [mapping.queue for mapping in mappings if mapping.function == function.name]
    shortest = min((queue.visibility_timeout for queue in queues if queue.name in polled), default=function.timeout)
    return attrs.evolve(function, timeout=max(1, min(function.timeout, shortest)))


def _about(design: Design, events: list[Event]) -> tuple[Event, ...]:
    """Return the events about queues and functions of a design, with their causes renumbered if any are left out."""
    names = frozenset([*(queue.name for queue in design.queues), *(function.name for function in design.functions)])
    known = [_named(event) <= names for event in events]
    if all(known):
        return tuple(events)
    indexes = {index: number for number, index in enumerate(index for index, kept in enumerate(known) if kept)}
    kept = [event for event, keep in zip(events, known, strict=True) if keep]
    return tuple(attrs.evolve(event, cause=None if event.cause is None else indexes.get(event.cause)) for event in kept)


def _named(event: Event) -> frozenset[str]:
    names = [getattr(event, field, None) for field in ("queue", "function", "target")]
    return frozenset(name for name in names if isinstance(name, str))


# The backend ----------------------------------------------------------------------------------------------------------

ASSUMED = Assumptions(cold_start=0)
"""The assumptions inside `aws()`: those of simulations, but cold starts take no time."""


@attrs.frozen(eq=False)
class Backend:
    """SQS, Lambda and time behind one `MockAws`."""

    sqs: Sqs
    lambda_api: LambdaApi
    waits: Waits

    @classmethod
    def new(cls, latency: int, change: int | None) -> Backend:
        """Return an empty backend.

        `latency`: milliseconds that each call takes, 0 for none. `change`: those that a change of a mapping takes.
        """
        assumed = attrs.evolve(ASSUMED, call_latency=latency) if latency else ASSUMED
        if change is not None:
            assumed = attrs.evolve(assumed, mapping_change=change, mapping_change_least=change)
        context = SimulationContext(EventQueue(0), RandomStreams(0), NO_FAULTS, assumed)
        sqs = Sqs(Accounts(context))
        waits = Waits(sqs, latency)
        return cls(sqs, LambdaApi(sqs, waits), waits)

    def close(self) -> None:
        """End all handlers and threads, and remove unpacked code."""
        self.waits.threads.close()
        self.lambda_api.close()

    def turn(self) -> AbstractContextManager[object]:
        """Return the lock with which real threads take turns."""
        return self.waits.turn()

    def call_lambda(self, operation: str, parameters: Mapping[str, object], *, region: str) -> Mapping[str, object]:
        """Carry out an operation of Lambda after the latency of a call; a synchronous invocation takes its time."""
        with self.turn():
            self.waits.pass_latency()
            return self.lambda_api.call(operation, parameters, region=region)

    def services(self, region: str) -> ServiceCalls:
        """Return other services for this world, without any resource; moto has to be installed."""

        def send(parameters: Mapping[str, object], home: str, cause: int | None) -> None:
            del cause
            self.sqs.call("SendMessage", parameters, region=home)

        def pass_time() -> None:
            with self.turn():
                self.waits.pass_latency()

        accounts = self.sqs.accounts
        return ServiceCalls(accounts.context, accounts.region(ACCOUNT, region).service, send, pass_time)

    def run_until_idle(self, limit: int) -> int:
        """Take steps until nothing is busy; return the milliseconds that passed. Raises `Livelock`."""
        event_queue, since = self.sqs.accounts.context.event_queue, self.sqs.now
        while self.lambda_api.busy():
            due = event_queue.next_due()
            if due > since + limit:
                event_queue.now = since + limit
                raise Livelock(f"not idle after {limit / 1000:g} s: {'; '.join(self.lambda_api.busy())}")
            event_queue.take()()
            while event_queue.next_due() <= event_queue.now:
                event_queue.take()()
        return event_queue.now - since
