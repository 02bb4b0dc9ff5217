"""The words for messages, functions, queues and limits; names of users are made visible and bounded."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from chaosqs.model.event import Throttled
from chaosqs.model.scenario import Scenario
from chaosqs.report.text import named, numbers, shown

_REASONS = {
    "ReservedFunctionConcurrentInvocationLimitExceeded": "reserved concurrency",
    "ConcurrentInvocationLimitExceeded": "unreserved concurrency of the account",
}
"""What Lambda's reasons mean that come with a limit (LC-12)."""
_GROWTH = 1000
"""New environments that a function gets in 10 s: one with fewer executions cannot ask for more (LC-6)."""


@attrs.define
class Voice:
    """Speaks of messages within one step: with their noun first, by number then, as `it` where that is clear."""

    scenario: Scenario
    _last: tuple[int, ...] = ()

    def of(self, messages: Sequence[int]) -> str:
        """Return the words for messages: `messages 1–5`, later `1–5`, or `it` for the one just mentioned."""
        before, self._last = self._last, tuple(messages)
        if not before:
            return named(messages)
        return "it" if len(messages) == 1 and before == self._last else numbers(messages)

    def noun(self, messages: Sequence[int]) -> str:
        """Return the words for messages with their noun, or `it`."""
        words = self.of(messages)
        return words if words == "it" else named(messages)

    def function(self, name: str) -> str:
        """Return the name of a function where there are several, `the function` otherwise."""
        return name_text(name) if len(self.scenario.design.functions) > 1 else "the function"

    def count(self, queue: str, receives: int) -> str:
        """Return a receive count with its limit: `receive count 1 of 2`."""
        limit = self.maximum(queue)
        return f"receive count {receives:,} of {limit:,}" if limit else f"receive count {receives:,}"

    def maximum(self, queue: str) -> int | None:
        """Return the max_receive_count of a queue, where it has one."""
        redrives = [known.redrive for known in self.scenario.design.queues if known.name == queue]
        return redrives[0].max_receive_count if redrives and redrives[0] else None


def name_text(name: str) -> str:
    """Return a user's name as stories print it."""
    return shown(name, 40)


def mapping_text(mapping: str) -> str:
    """Return the name of a mapping as stories print it: `orders → worker`."""
    return " → ".join(name_text(part.strip()) for part in mapping.split("→", 1))


def title_of(invariant: str) -> str:
    """Return the name of an invariant as stories print it: dashes become spaces, but for words that need theirs."""
    spaced = shown(invariant, 60).replace("-", " ")
    for word in ("dead letter", "at least once", "exactly once"):
        spaced = spaced.replace(word, word.replace(" ", "-"))
    return spaced


def limit_text(throttled: Throttled) -> str:
    """Return why Lambda throttled: `429, reserved concurrency 2`."""
    if throttled.fault:
        return f"429, fault: {name_text(throttled.fault)}"
    known = _REASONS.get(throttled.reason)
    return f"429, {known} {throttled.limit:,}" if known else f"429, {_rate_text(throttled)}"


def _rate_text(throttled: Throttled) -> str:
    """Return which rate was exceeded while there was room (LC-6, LC-8); both may have the same reason."""
    match throttled.reason:
        case "ReservedFunctionInvocationRateLimitExceeded" if throttled.limit == 1:
            return "over 10 requests a second for its only execution"
        case "ReservedFunctionInvocationRateLimitExceeded":
            return f"over 10 requests a second for each of its {throttled.limit:,} executions"
        case "FunctionInvocationRateLimitExceeded":
            growth = f", or over {_GROWTH:,} new ones in 10 s" if throttled.limit > _GROWTH else ""
            return f"over 10 requests a second for each execution of the account{growth}"
        case reason:
            return name_text(reason)


def busy_text(messages: Sequence[int], noun: str = "message") -> str:
    """Return which messages occupy the executions: `busy with 1 and 2`, or `busy with 23 messages`."""
    return f"busy with {numbers(messages, noun)}"


def verb(messages: Sequence[int], plural: str) -> str:
    """Return a verb in the number of its messages: `run` or `runs`, `are` or `is`."""
    if len(messages) != 1:
        return plural
    return "is" if plural == "are" else f"{plural}s"


def fault_text(fault: str) -> str:
    """Return the fault behind an event in brackets, or nothing where there is none."""
    return f" (fault: {name_text(fault)})" if fault else ""
