"""No invocation has a message that matches none of its mapping's filters (FL-1, FL-2).

Only messages of the workload are judged: a history has no bodies of messages that clients send. Filters on other keys
than `body` are not judged: a history has no event records.
"""

from functools import lru_cache

from chaosqs.invariants.verdicts import Invariant, judged, listed, message_text, not_applicable, unique
from chaosqs.model.event_filter import Match, Pattern, matches, parse
from chaosqs.model.events import FilteredOut, InvocationStarted
from chaosqs.model.history import History
from chaosqs.model.verdict import Verdict, Violation
from chaosqs.model.workload import as_sent

NAME = "filtered-never-delivered"


def judge(history: History) -> Verdict:
    """Blame each invocation with a message that should have been filtered out."""
    filters = {
        mapping.name: mapping.filters
        for mapping in history.scenario.design.mappings
        if mapping.enabled and mapping.filters
    }
    if not filters:
        return not_applicable(NAME, "no mapping that polls has a filter")
    sent = as_sent(history.scenario.workload)  # copies that producers send again have higher numbers
    dropped = sum(len(event.messages) for _, event in history.each(FilteredOut))
    violations = [
        _violation(index, event, message)
        for index, event in history.each(InvocationStarted)
        if event.mapping in filters
        for message in event.messages
        if message < len(sent) and passes(filters[event.mapping], sent[message].body(message)) is False
    ]
    return judged(NAME, violations, dropped, f"every message matched a filter of {listed(unique(filters))}")


@lru_cache(maxsize=64)
def _patterns(filters: tuple[str, ...]) -> tuple[Pattern, ...]:
    return tuple(parse(pattern) for pattern in filters)


def passes(filters: tuple[str, ...], body: str) -> bool | None:
    """Return whether a message passes some filters; None: it depends on more than its body."""
    patterns = _patterns(filters)
    if any(pattern.others for pattern in patterns):
        return None
    return matches(patterns, body) is Match.MATCHED


def _violation(index: int, event: InvocationStarted, message: int) -> Violation:
    text = f"{message_text(message)} was given to {event.function} although it matches no filter of {event.mapping}."
    queue = event.mapping.partition("→")[0]
    return Violation(NAME, text, event.at, queue, (message,), (index,))


FILTERED_NEVER_DELIVERED = Invariant(
    name=NAME,
    title="filtered never delivered",
    statement="No invocation has a message that matches none of its mapping's filters.",
    applies="To designs with a mapping that polls and has filters; exercised by messages that match none.",
    unit="messages filtered out",
    default=True,
    judge=judge,
    internal=True,
)
