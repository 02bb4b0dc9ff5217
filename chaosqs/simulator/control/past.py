"""What has happened in a world, as a history: the same value that simulations give, so that invariants judge it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue, RedriveAllow
from chaosqs.model.event import Event
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.simulator.control.region import ASSUMED, LambdaRegion


def history(region: LambdaRegion, events: list[Event]) -> History:
    """Return the history of one Region up to now; what is about others is left out.

    The design is the deployment as it stands, with queues and functions that were deleted. A function whose timeout was
    raised above its queue's visibility timeout, which AWS does not look at (EC-11), has the latter in it. No run of it
    is ever drained: there may always come more.
    """
    for mapped in region.mappings.values():
        if mapped.poller is not None:
            mapped.poller.stop()
    design = _design(region)
    return History(Scenario(design, assumptions=ASSUMED), _about(design, events), region.now, None)


def _design(region: LambdaRegion) -> Design:
    queues = [_reachable(line.queue, region) for line in region.sqs.service.lines.values()]
    mappings = {mapped.settings.name: mapped.settings for mapped in region.polled.values()}
    mappings |= {mapped.settings.name: mapped.settings for mapped in region.mappings.values()}
    functions = [_fitting(function, queues, list(mappings.values())) for function in region.deployments.values()]
    return Design(queues, functions, mappings.values(), Account(region.concurrency))


def _reachable(queue: Queue, region: LambdaRegion) -> Queue:
    """Return a queue without what would name queues that are not there."""
    redrive, known = queue.redrive, region.sqs.service.lines
    if redrive is not None and redrive.dead_letter_queue not in known:
        queue = attrs.evolve(queue, redrive=None)
    return attrs.evolve(queue, redrive_allow=None) if isinstance(queue.redrive_allow, RedriveAllow) else queue


def _fitting(function: Function, queues: Sequence[Queue], mappings: Sequence[EventSourceMapping]) -> Function:
    polled = [mapping.queue for mapping in mappings if mapping.function == function.name]
    shortest = min((queue.visibility_timeout for queue in queues if queue.name in polled), default=function.timeout)
    return attrs.evolve(function, timeout=max(1, min(function.timeout, shortest)))


def _about(design: Design, events: list[Event]) -> tuple[Event, ...]:
    """Return the events that are about queues and functions of a design; causes are places, so all stay if one goes."""
    names = frozenset([*(queue.name for queue in design.queues), *(function.name for function in design.functions)])
    known = [_named(event) <= names for event in events]
    if all(known):
        return tuple(events)
    places = {place: number for number, place in enumerate(place for place, kept in enumerate(known) if kept)}
    kept = [event for event, keep in zip(events, known, strict=True) if keep]
    return tuple(attrs.evolve(event, cause=None if event.cause is None else places.get(event.cause)) for event in kept)


def _named(event: Event) -> frozenset[str]:
    names = [getattr(event, field, None) for field in ("queue", "function", "target")]
    return frozenset(name for name in names if isinstance(name, str))
