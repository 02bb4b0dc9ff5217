"""ReceiveMessage: at once, or as a wait (RX-1 … RX-5)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import attrs

from chaosqs.machine.message import Receipt
from chaosqs.model.event import Received, ReceivedNothing
from chaosqs.simulator.operations.errors import error, invalid_value
from chaosqs.simulator.operations.hosted import Hosted
from chaosqs.simulator.operations.parameters import Parameters, integer, text, texts
from chaosqs.simulator.operations.presenting import Wanted, present, wanted
from chaosqs.simulator.operations.region import Region
from chaosqs.simulator.operations.throttling import admit, check_key
from chaosqs.simulator.operations.waiting import Wait

_MOST = 10
_LONGEST_WAIT = 20
_LONGEST_VISIBILITY = 43_200
_LONGEST_ATTEMPT_ID = 128


@attrs.frozen(eq=False)
class Poll:
    """A receive that was checked and may be carried out."""

    region: Region
    hosted: Hosted
    maximum: int
    visibility_timeout: int | None
    """Milliseconds, or None: the queue's (VT-2)."""
    wait: int
    """Milliseconds; 0: a short poll."""
    attempt_id: str
    wanted: Wanted
    since: int


def receive_message(region: Region, parameters: Parameters) -> dict[str, object] | Wait:
    """Receive up to ten messages, at once where there are any; else answer with a `Wait` for a long poll."""
    hosted = region.find(parameters)
    admit(region, hosted, "ReceiveMessage")
    check_key(region, hosted)
    poll = _poll(region, hosted, parameters)
    store, quota = hosted.line.machine.store, hosted.line.machine.in_flight_quota
    if not poll.wait and not hosted.fifo and store.in_flight >= quota:  # IF-2; long polls and FIFO: IF-3, IF-4
        raise error("OverLimit", f"Too many messages in flight: {quota}.")
    found = _attempt(poll)
    if found is not None:
        return found
    if not poll.wait:
        return _nothing(poll)
    nothing = partial(_nothing, poll)
    return Wait(region.now + poll.wait, region.service_of(hosted), hosted.line, partial(_attempt, poll), nothing)


def _poll(region: Region, hosted: Hosted, parameters: Parameters) -> Poll:
    maximum = integer(parameters, "MaxNumberOfMessages")
    if maximum is not None and not 1 <= maximum <= _MOST:  # RX-1
        raise invalid_value(maximum, "MaxNumberOfMessages", f"Must be between 1 and {_MOST}, if provided.")
    wait = integer(parameters, "WaitTimeSeconds")
    if wait is not None and not 0 <= wait <= _LONGEST_WAIT:  # RX-3
        raise invalid_value(wait, "WaitTimeSeconds", f"Must be >= 0 and <= {_LONGEST_WAIT}, if provided.")
    timeout = integer(parameters, "VisibilityTimeout")
    if timeout is not None and not 0 <= timeout <= _LONGEST_VISIBILITY:  # VT-5
        raise invalid_value(timeout, "VisibilityTimeout", f"Must be >= 0 and <= {_LONGEST_VISIBILITY}, if provided.")
    return Poll(
        region,
        hosted,
        1 if maximum is None else maximum,
        None if timeout is None else timeout * 1000,
        (hosted.line.queue.receive_wait_time if wait is None else wait) * 1000,
        _attempt_id(hosted, parameters),
        wanted(
            texts(parameters, "AttributeNames", "MessageSystemAttributeNames"),
            texts(parameters, "MessageAttributeNames"),
        ),
        region.now,
    )


def _attempt_id(hosted: Hosted, parameters: Parameters) -> str:
    attempt_id = text(parameters, "ReceiveRequestAttemptId") or ""
    if attempt_id and not hosted.fifo:
        reason = "The request include parameter that is not valid for this queue type."
        raise invalid_value(attempt_id, "ReceiveRequestAttemptId", reason)
    if len(attempt_id) > _LONGEST_ATTEMPT_ID:  # FF-20
        reason = "ReceiveRequestAttemptId can only include alphanumeric and punctuation characters. 1 to 128 in length."
        raise invalid_value(attempt_id, "ReceiveRequestAttemptId", reason)
    return attempt_id


def _attempt(poll: Poll) -> dict[str, object] | None:
    """Receive now; return the answer, or None where nothing is there."""
    hosted, region = poll.hosted, poll.region
    service, line, now = region.service_of(hosted), hosted.line, region.now
    receipts = _repeated(poll)
    if not receipts:
        maximum = service.wanted(line, poll.maximum)
        chance = region.world.chance(line.queue.name, line.receives, short=not poll.wait)
        receipts = service.take(line, maximum, visibility_timeout=poll.visibility_timeout, chance=chance)
        if poll.attempt_id and receipts:
            hosted.ordered.attempts.note(poll.attempt_id, receipts, now=now)
    if not receipts:
        return None
    _record(poll, receipts)
    return {"Messages": [present(hosted, receipt, poll.wanted, region.world.epoch) for receipt in receipts]}


def _repeated(poll: Poll) -> list[Receipt]:
    """Return the messages of an attempt that is repeated, or none (FF-20)."""
    if not poll.attempt_id:
        return []
    hosted, service = poll.hosted, poll.region.service_of(poll.hosted)
    receipts = hosted.ordered.repeat(poll.attempt_id, now=poll.region.now, visibility_timeout=poll.visibility_timeout)
    if receipts:
        service.wake_at(hosted.line, receipts[0].message.visible_at)
    return receipts


def _record(poll: Poll, receipts: Sequence[Receipt]) -> None:
    """Record the receive as one by no mapping: poller 0 of nobody."""
    service, messages = poll.region.service_of(poll.hosted), [receipt.message for receipt in receipts]
    place = service.record(
        Received(
            at=poll.region.now,
            cause=messages[0].last_event,
            queue=poll.hosted.line.queue.name,
            mapping="",
            poller=0,
            messages=tuple(message.number for message in messages),
            receive_counts=tuple(message.receive_count for message in messages),
            visible_at=messages[0].visible_at,
            fault="",
        )
    )
    for message in messages:
        message.last_event = place


def _nothing(poll: Poll) -> dict[str, object]:
    now, line, since = poll.region.now, poll.hosted.line, poll.since
    event = ReceivedNothing(now, None, line.queue.name, "", 0, 1, since, now - since)
    poll.region.service_of(poll.hosted).record(event)
    return {}
