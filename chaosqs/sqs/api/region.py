"""Queues as SQS's API has them: those of one account in one Region, and all accounts and Regions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import attrs

from chaosqs.faults.injector import NO_FAULTS
from chaosqs.kernel.context import RandomStreams, SimulationContext
from chaosqs.kernel.event_queue import EventQueue
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.design import ACCOUNT_ID, REGION_NAME, Queue
from chaosqs.sqs.api.parameters import Address, Parameters, error, from_url, no_such_queue, required_text
from chaosqs.sqs.api.settings import queue_of, settings_of
from chaosqs.sqs.machines.fifo_queue import FifoQueue
from chaosqs.sqs.machines.move_task import MoveTask
from chaosqs.sqs.machines.queue_machine import CALM, Chance
from chaosqs.sqs.machines.throughput import Throughput, limit
from chaosqs.sqs.service import Numbers, QueueState, Service


@attrs.define(eq=False)
class QueueResource:
    """One queue."""

    address: Address
    state: QueueState
    number: int
    """Number among all queues of a run, from all accounts and Regions; its receipt handles contain it."""
    settings: dict[str, str]
    """Settable attributes, as strings."""
    created_at: int
    modified_at: int
    tags: dict[str, str] = attrs.field(factory=dict[str, str])
    purged_at: int | None = None
    throughput: Throughput = attrs.field(factory=Throughput)

    @property
    def fifo(self) -> bool:
        """True for a FIFO queue."""
        return self.state.queue.fifo

    @property
    def ordered(self) -> FifoQueue:
        """The machine of a FIFO queue; fails an assertion for a standard queue."""
        machine = self.state.machine
        assert isinstance(machine, FifoQueue)
        return machine


ACCOUNT, REGION = ACCOUNT_ID, REGION_NAME
"""The account and the Region of a design."""
EPOCH = 1_764_547_200_000
"""Moment 0 of virtual time as AWS's clocks show it: 1 December 2025, 0:00 UTC, in milliseconds since 1970."""


class ChanceOf(Protocol):
    """Draws the random choices of one receive (RX-4, OR-1)."""

    def __call__(self, queue: str, receives: int, *, short: bool) -> Chance:
        """Return the choices for the queue's next receive after `receives`; `short`: it is a short poll."""
        ...


def calm(queue: str, receives: int, *, short: bool) -> Chance:
    """Return the choices of a receive if all is calm."""
    del queue, receives, short
    return CALM


def _calm_context() -> SimulationContext:
    return SimulationContext(EventQueue(0), RandomStreams(0), NO_FAULTS, Assumptions())


@attrs.define(eq=False)
class Accounts:
    """All accounts and Regions, and their shared state."""

    context: SimulationContext = attrs.field(factory=_calm_context)
    chance: ChanceOf = calm
    fifo_limits: bool = False
    """True if FIFO queues refuse calls over their throughput (FF-9 … FF-11)."""
    keys: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """KMS keys that cannot be used, each with the shape of the error (`KmsDisabled` …)."""
    numbers: Numbers = attrs.field(factory=Numbers)
    queues: int = 0
    """Number of queues made so far, of which each gets a number."""
    tasks: int = 0
    regions: dict[tuple[str, str], Region] = attrs.field(factory=dict[tuple[str, str], "Region"])

    def region(self, account: str, name: str) -> Region:
        """Return one account's part of one Region; it is created on first use."""
        region = self.regions.get((account, name))
        if region is None:
            service = Service(self.context, numbers=self.numbers)
            region = self.regions[account, name] = Region(self, account, name, service)
        return region

    def adopt(self, service: Service, account: str, name: str) -> None:
        """Take over the queues of a design, with their messages."""
        region = self.regions[account, name] = Region(self, account, name, service)
        service.numbers = self.numbers
        for queue in [state.queue for state in service.states.values()]:
            region.host(queue)


@attrs.define(eq=False)
class Region:
    """One account's part of one Region."""

    accounts: Accounts
    account: str
    name: str
    service: Service
    queues: dict[str, QueueResource] = attrs.field(factory=dict[str, QueueResource])
    deleted_at: dict[str, int] = attrs.field(factory=dict[str, int])
    tasks: list[MoveTask] = attrs.field(factory=list[MoveTask])
    """Message move tasks, in the order of their starts."""

    @property
    def now(self) -> int:
        """The present moment, in milliseconds of virtual time."""
        return self.accounts.context.now

    def address(self, name: str) -> Address:
        """Return the address of a queue of this name here."""
        return Address(self.name, self.account, name)

    def host(self, queue: Queue, settings: dict[str, str] | None = None) -> QueueResource:
        """Add a queue: a new one if `settings` are given, else one of the design's."""
        address = self.address(queue.name)
        state = self.service.open(queue) if settings is not None else self.service.states[queue.name]
        self.accounts.queues += 1
        known = settings_of(queue, address) if settings is None else settings
        resource = QueueResource(address, state, self.accounts.queues, known, self.now, self.now)
        self.queues[queue.name] = resource
        return resource

    def find(self, parameters: Parameters) -> QueueResource:
        """Return the queue that a request is about, after everything due by now was done."""
        address = from_url(required_text(parameters, "QueueUrl"), region=self.name, account=self.account)
        home = self if address.account == self.account else self.accounts.regions.get((address.account, self.name))
        resource = None if home is None else home.queues.get(address.name)
        if home is None or resource is None:
            raise no_such_queue()
        home.service.catch_up(resource.state)
        return resource

    def service_of(self, resource: QueueResource) -> Service:
        """Return the service that has a queue: another account's if the URL named that account."""
        return self.accounts.regions[resource.address.account, resource.address.region].service

    def relink(self) -> None:
        """Apply the redrive policies again, after a queue was added, deleted or changed.

        Assumed: while the dead-letter queue of a policy does not exist, the policy has no effect. A change of the
        deduplication scope is shown and has none: the scope that a queue was made with stays in force (FF-7, seen).
        """
        for resource in self.queues.values():
            queue = queue_of(resource.address.name, resource.settings)
            queue = attrs.evolve(queue, deduplication_scope=resource.state.queue.deduplication_scope)
            if queue.redrive is not None and queue.redrive.dead_letter_queue not in self.queues:
                queue = attrs.evolve(queue, redrive=None)
            if queue != resource.state.queue:
                self.service.configure(resource.state, queue)


# Refusals of any call: a FIFO queue's throughput, a KMS key that cannot be used ---------------------------------------


def admit(region: Region, resource: QueueResource, action: str) -> None:
    """Refuse a call over a FIFO queue's throughput, if the accounts have `fifo_limits` (FF-9 … FF-11)."""
    if not region.accounts.fifo_limits or not resource.fifo:
        return
    most = limit(resource.state.queue, resource.address.region)
    if not resource.throughput.admit(action, most, now=region.now):
        raise error("RequestThrottled", "Rate exceeded")


def check_key(region: Region, resource: QueueResource) -> None:
    """Refuse a send or a receive if the queue's KMS key cannot be used (EN-1)."""
    key = resource.settings.get("KmsMasterKeyId", "")
    shape = region.accounts.keys.get(key)
    if shape is not None:
        raise error(shape, f"The KMS key {key} cannot be used.")
