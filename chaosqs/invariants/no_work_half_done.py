"""No message counts as processed although its work was cut off, and skipped when the message came back, or never done.

An invocation may die at any of its calls or waits (LX-14), and its batch comes back (EF-3). Code that marks a message
as begun and skips it when it comes back loses what was not done yet: it succeeds, so the message is deleted (EF-1). So
does code that goes on after a call of it failed, and reports no failure.

A message counts as lost

* if real code had begun it and died, then succeeded without having done anything, and if code that gets the message
  alone does more before its last write, which marks it as done. Code without such a mark, which claims and then acts,
  has chosen to act at most once;
* if real code had begun it and raised an error or reported it, then succeeded without having done anything, and if code
  that gets the message alone has an effect that is missing: whoever can raise can also withdraw the claim;
* if a fault made a call of real code fail, and the code succeeded all the same with less work than it does alone, and
  with no other call that may have told of it.

What it does alone is `History.alone`; until that is known the verdict is unsettled. Judged are messages that were alone
in their batches, if the function got no other one before. No fault excuses a loss.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

import attrs

from chaosqs.invariants.verdicts import Invariant, function_of, judged, listed, message_text, not_applicable, unsettled
from chaosqs.model.delivery import Delivery, Ending, Work, work_of
from chaosqs.model.events import InvocationEnded, InvocationStarted, ServiceCalled
from chaosqs.model.history import Alone, History
from chaosqs.model.time import clock_text
from chaosqs.model.verdict import Verdict, Violation

NAME = "no-work-half-done"


def judge(history: History) -> Verdict:
    """Blame each success on a message whose work was begun before and never done."""
    if not any(history.is_real(mapping.function) for mapping in history.scenario.design.mappings):
        return not_applicable(NAME, "no function is real code")
    exercised, violations, candidates = 0, list[Violation](), list[Violation]()
    unknown: list[tuple[str, int]] = []
    for suspect in _first_messages(history):
        exercised += 1
        if not suspect.lost(history):
            continue
        alone = history.alone.get((suspect.mapping, suspect.message))
        if alone is None:
            unknown.append((suspect.mapping, suspect.message))
            candidates.append(suspect.violation(history, ["the rest of its work"]))
        elif missing := suspect.missing(history, alone):
            violations.append(suspect.violation(history, missing))
    if candidates and not violations:
        return unsettled(NAME, candidates, exercised, unknown)
    return judged(NAME, violations, exercised, "no function succeeded on a message whose work was cut off")


@attrs.frozen
class _Again:
    """A message that a function failed on and then succeeded on, with no other message before."""

    message: int
    mapping: str
    failed: tuple[Delivery, ...]
    success: Delivery
    work: tuple[Work, ...]
    """Work of the invocations that failed."""

    @property
    def done(self) -> Counter[str]:
        """Number of each work done."""
        return Counter(each.what for each in self.work)

    def lost(self, history: History) -> bool:
        """Return True if the invocation that succeeded did nothing, and no fault kept it from that."""
        start = self.success.started
        assert start is not None
        struck = any(call.fault and call.cause == start for _, call in history.each(ServiceCalled))
        return not struck and not work_of(history.events, start)

    def missing(self, history: History, alone: Alone) -> list[str]:
        """Return what was not done: before the mark, or at all if the code itself gave up."""
        end = history.events[self.failed[-1].ended or 0]
        gave_up = isinstance(end, InvocationEnded) and end.outcome in {"raised", "succeeded"} and not end.fault
        return list(Counter(alone.work) - self.done) or list(Counter(alone.effects if gave_up else ()) - self.done)

    def violation(self, history: History, missing: Iterable[str]) -> Violation:
        """Return the violation; `missing`: words for what was not done."""
        last, start = self.failed[-1], self.success.started or 0
        end, again = history.events[last.ended or 0], history.events[start]
        assert isinstance(end, InvocationEnded)
        function = function_of(self.mapping)
        text = (
            f"{message_text(self.message)} counts as processed without {listed(missing)}: {function} had begun it when "
            f"it {_ENDS[end.outcome]} at {clock_text(end.at)}, and skipped it at {clock_text(again.at)}."
        )
        calls = [index for index, call in history.each(ServiceCalled) if call.cause in {last.started, start}]
        ends = [self.success.ended, last.ended, last.started, start]
        indexes = sorted({index for index in [*calls, *ends] if index is not None})
        return Violation(NAME, text, again.at, self.success.queue, (self.message,), tuple(indexes))


_ENDS = {"raised": "failed", "timed_out": "timed out", "crashed": "crashed", "succeeded": "reported it as failed"}


@attrs.frozen
class _WentOn:
    """A message that a function succeeded on at once, although a fault made a call fail."""

    message: int
    mapping: str
    success: Delivery
    call: ServiceCalled
    """The call that failed last."""
    index: int
    """Index of its event."""

    def lost(self, history: History) -> bool:  # noqa: ARG002 - as that of `_Again`
        """Return True: whether there is less work than alone is not known yet."""
        return True

    def missing(self, history: History, alone: Alone) -> list[str]:
        """Return what was not done, unless another call may have told of it."""
        calls = [each for _, each in history.each(ServiceCalled) if each.cause == self.call.cause and not each.error]
        done = [each.what for each in work_of(history.events, self.success.started or 0)]
        others = {*done, *(each.what for each in calls if each.operation in _TELLING)} - {*alone.all_work}
        return [] if others else list(Counter(alone.all_work) - Counter(done))

    def violation(self, history: History, missing: Iterable[str]) -> Violation:
        """Return the violation; `missing`: words for what was not done."""
        function, end = function_of(self.mapping), history.events[self.success.ended or 0]
        where = f" ({self.call.place})" if self.call.place else ""
        text = (
            f"{message_text(self.message)} counts as processed without {listed(missing)}: the call {self.call.what}"
            f"{where} failed at {clock_text(self.call.at)}, and {function} succeeded all the same."
        )
        ends = [self.success.started, self.index, self.success.ended]
        indexes = tuple(index for index in ends if index is not None)
        return Violation(NAME, text, end.at, self.success.queue, (self.message,), indexes)


_TELLING = {"Publish", "PublishBatch", "PutEvents", "PutRecord", "SendEmail", "StartExecution"}
"""Operations that may tell of a failure."""


def _failed(one: Delivery, success: Delivery) -> bool:
    return one.ending in {Ending.FAILED, Ending.REPORTED} and one.mapping == success.mapping


def _first_messages(history: History) -> Iterator[_Again | _WentOn]:
    """Yield the messages that are judged."""
    struck = {call.cause: (index, call) for index, call in history.each(ServiceCalled) if call.fault and call.error}
    for message, known in history.deliveries.items():
        handed = [one for one in known if one.started is not None]
        if not handed or handed[-1].ending is not Ending.PROCESSED:
            continue
        *failed, success = handed
        if not failed and success.started not in struck:
            continue
        if _had_others(history, success, message) or not all(_failed(one, success) for one in failed):
            continue
        if not failed:
            index, call = struck[success.started]
            yield _WentOn(message, success.mapping, success, call, index)
            continue
        work = tuple(each for one in failed for each in work_of(history.events, one.started or 0))
        if work:
            yield _Again(message, success.mapping, tuple(failed), success, work)


def _had_others(history: History, success: Delivery, message: int) -> bool:
    """Return True if the function got another message up to the success, or if a message repeats another one."""
    sent = history.sent.get(message)
    if sent is not None and sent.copy_of is not None:
        return True
    return any(
        start.messages != (message,)
        for index, start in history.each(InvocationStarted)
        if start.mapping == success.mapping and index <= (success.started or 0)
    )


NO_WORK_HALF_DONE = Invariant(
    name=NAME,
    title="no work half done",
    statement="No message counts as processed although its work was cut off, and then skipped or left out.",
    applies="To designs with functions that are real code; exercised when code succeeds on a message that it had begun "
    "and failed on, or although a call failed, before any other message.",
    unit="messages with work cut off",
    default=True,
    judge=judge,
)
