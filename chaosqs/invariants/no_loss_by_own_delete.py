"""No message is gone because the code deleted it by itself although its invocation then failed.

What code deletes stays deleted, whatever becomes of its batch (EF-4). Code that deletes each message once its work is
done may do so. Code that deletes a message and then fails on it, or still has work to do when it is stopped, loses it.
So does code that purges a queue that a mapping polls: all messages go that no function has succeeded on (PQ-1).

A failed batch shows neither. So a message counts as lost if the code fails on it alone, or if, run alone, the code
deleted it while it had more to do (`History.alone`); until that is known the verdict is unsettled. No fault excuses a
loss: an execution environment may die at any moment (LX-14).
"""

from collections.abc import Iterator

from chaosqs.invariants.verdicts import Invariant, judged, message_text, not_applicable, unsettled
from chaosqs.model.delivery import Ending
from chaosqs.model.events import Deleted, InvocationEnded, InvocationStarted
from chaosqs.model.history import History
from chaosqs.model.verdict import Verdict, Violation

NAME = "no-loss-by-own-delete"
_PURGED = "PurgeQueue"  # `Deleted.fault` of a purge


def judge(history: History) -> Verdict:
    """Blame each delete by code whose invocation then failed on the message."""
    if not any(history.is_real(mapping.function) for mapping in history.scenario.design.mappings):
        return not_applicable(NAME, "no function is real code")
    exercised, violations, candidates = 0, list[Violation](), list[Violation]()
    unknown: list[tuple[str, int]] = []
    for message, index, end_index in _own_deletes(history):
        exercised += 1
        end = None if end_index is None else history.events[end_index]
        if end_index is None or not isinstance(end, InvocationEnded) or not _fails(history, end, message):
            continue
        lost = _is_lost(history, end, message)
        violation = _violation(history, message, index, end_index, end)
        if lost is None:
            unknown.append((end.mapping, message))
            candidates.append(violation)
        elif lost:
            violations.append(violation)
    for index, purge in _purges(history):
        exercised += len(purge.messages)
        gone = [message for message in purge.messages if not _is_processed(history, message)]
        violations += [_purged(history, index, purge, message) for message in gone]
    if candidates and not violations:
        return unsettled(NAME, candidates, exercised, unknown)
    return judged(NAME, violations, exercised, "no function deleted a message of its own batch")


def _own_deletes(history: History) -> Iterator[tuple[int, int, int | None]]:
    """Yield message, index of the delete, and index of the end of the invocation that had the message by then."""
    running: dict[int, tuple[int, int]] = {}
    ends = {end.invocation: index for index, end in history.each(InvocationEnded)}
    for index, event in history.besides_throttles:
        match event:
            case InvocationStarted():
                running.update((message, (event.invocation, index)) for message in event.messages)
            case InvocationEnded():
                for message in event.messages:
                    running.pop(message, None)
            case Deleted(mapping="", fault="") if event.cause is None or _by_code(history, event.cause):
                for message in event.messages:
                    if message in running and message not in event.stayed:
                        yield message, index, ends.get(running[message][0])
            case _:
                pass


def _by_code(history: History, cause: int) -> bool:
    return isinstance(history.events[cause], InvocationStarted)


def _purges(history: History) -> Iterator[tuple[int, Deleted]]:
    """Yield each purge of a polled queue by code, with its index."""
    polled = {mapping.queue for mapping in history.scenario.design.mappings if mapping.enabled}
    for index, event in history.each(Deleted):
        by_code = event.cause is not None and _by_code(history, event.cause)
        if event.fault == _PURGED and event.queue in polled and by_code:
            yield index, event


def _is_processed(history: History, message: int) -> bool:
    return any(delivery.ending is Ending.PROCESSED for delivery in history.deliveries.get(message, ()))


def _fails(history: History, end: InvocationEnded, message: int) -> bool:
    """Return True if an invocation failed on a message, and none succeeded on it."""
    if _is_processed(history, message):
        return False
    return end.outcome != "succeeded" or message in end.failed


def _is_lost(history: History, end: InvocationEnded, message: int) -> bool | None:
    """Return whether the message was deleted before its work was done; None: nothing shows it."""
    if not end.fault and history.fails_alone(end.mapping, message):
        return True
    tried = history.alone.get((end.mapping, message))
    return None if tried is None else tried.failed or tried.deleted_early


def _purged(history: History, index: int, purge: Deleted, message: int) -> Violation:
    assert purge.cause is not None, "a purge by code has its invocation as its cause"
    start = history.events[purge.cause]
    assert isinstance(start, InvocationStarted), f"{purge.cause} is noted as the invocation of a purge, but is {start}"
    text = (
        f"{message_text(message)} is gone from {purge.queue}: {start.function} purged the queue, and no function had "
        "succeeded on the message."  # PQ-1
    )
    return Violation(NAME, text, purge.at, purge.queue, (message,), (purge.cause, index))


def _violation(history: History, message: int, index: int, end_index: int, end: InvocationEnded) -> Violation:
    deleted = history.events[index]
    assert isinstance(deleted, Deleted), f"{index} is noted as a delete, but is {deleted}"
    then = {
        "raised": f"raised {end.error or 'an error'}",
        "timed_out": "timed out",
        "crashed": "crashed",
        "succeeded": "reported it as failed",
    }[end.outcome]
    fault = f" ({end.fault})" if end.fault else ""
    text = (
        f"{message_text(message)} is gone from {deleted.queue}: {end.function} deleted it by itself and then "
        f"{then}{fault}; a failed batch does not bring it back."  # EF-4
    )
    return Violation(NAME, text, end.at, deleted.queue, (message,), (index, end_index))


NO_LOSS_BY_OWN_DELETE = Invariant(
    name=NAME,
    title="no loss by own delete",
    statement="No message is gone because code deleted it by itself, or purged its queue, before its work was done.",
    applies="To designs with functions that are real code; exercised when code deletes a message of its own batch, or "
    "purges a queue that a mapping polls.",
    unit="messages deleted by code",
    default=True,
    judge=judge,
)
