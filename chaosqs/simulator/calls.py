"""What real handlers ask of SQS: their boto3 calls reach the queues of the run, take virtual time, and are recorded.

A call takes its time first and has its effect then, so an invocation that ends meanwhile has not made it. What it has
deleted stays deleted, whatever becomes of its batch (EF-4).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

import attrs

from chaosqs.machine.identity import uuid
from chaosqs.machine.recursion import trace_header
from chaosqs.model.event import Event
from chaosqs.simulator.disguise import current
from chaosqs.simulator.door.tracing import traced
from chaosqs.simulator.execution import Execution
from chaosqs.simulator.operations import Sqs, Wait
from chaosqs.simulator.operations.parameters import Parameters
from chaosqs.simulator.service import Service


@attrs.define(eq=False)
class Causes:
    """Names who made a call as the cause of what it did, where nothing nearer is the cause."""

    record: Callable[[Event], int]
    cause: int | None = None

    def __call__(self, event: Event) -> int:
        """Record an event."""
        if self.cause is not None and event.cause is None:
            event = attrs.evolve(event, cause=self.cause)
        return self.record(event)


@attrs.define(eq=False)
class Calls:
    """Answers the calls of handlers: a `Waiter` of the boto3 door."""

    sqs: Sqs
    causes: Causes

    @classmethod
    def of(cls, service: Service, messages: int) -> Calls:
        """Return what answers for the queues of a run; `messages`: how many its workload sends."""
        causes = Causes(service.record)
        service.record = causes
        return cls(Sqs.of(service, messages), causes)

    def call(self, operation: str, parameters: Parameters, *, region: str) -> Parameters:
        """Carry out an operation. Whatever the Region and the account of the client, the design's queues are meant."""
        del region
        execution = _caller()
        parameters = _addressed(parameters)
        if execution is None:  # a module that asks while it is imported
            result = self.sqs.call(operation, parameters)
            return result.nothing() if isinstance(result, Wait) else result
        execution.call()
        self.causes.cause = execution.invocation.place
        try:
            result = self.sqs.call(operation, traced(operation, parameters, _trace(execution)))
        finally:
            self.causes.cause = None
        return execution.answer(result) if isinstance(result, Wait) else result

    def sleep(self, seconds: float) -> None:
        """Let the handler sleep that waits for its next attempt."""
        execution = _caller()
        if execution is not None:
            execution.sleep(seconds)

    def jitter(self) -> float:
        """Return the chance by which botocore shortens such a sleep."""
        execution = _caller()
        return 0.5 if execution is None else execution.chance.random()

    def epoch(self) -> float:
        """Return the virtual time, in seconds since 1970."""
        return (self.sqs.epoch + self.sqs.now) / 1000


@contextmanager
def door(calls: Calls) -> Generator[None]:
    """Let boto3 and botocore reach the run, where they are installed."""
    try:
        from chaosqs.simulator.door import sdk  # noqa: PLC0415 - boto3 is an extra
        from chaosqs.simulator.door.door import Door  # noqa: PLC0415
    except ModuleNotFoundError:
        yield
        return
    with sdk.opened(Door(calls)):
        yield


def _caller() -> Execution | None:
    here = current()
    assert here is None or isinstance(here, Execution)
    return here


def _addressed(parameters: Parameters) -> Parameters:
    """Leave of a queue's URL its name: the handler may have it from a deployment in another account or Region."""
    url = parameters.get("QueueUrl")
    return {**parameters, "QueueUrl": url.rstrip("/").rpartition("/")[2]} if isinstance(url, str) else parameters


def _trace(execution: Execution) -> str:
    """Return the trace header that the SDK passes on with what the handler sends (LX-16)."""
    request, number = execution.invocation.request, execution.invocation.number
    messages = (receipt.message for receipt in request.receipts)
    return trace_header(uuid(b"invocation", number), messages, request.mapping.function)
