"""The effect of an invocation's end on the messages of its batch: which are deleted, which stay in the queue.

=====  =======================================================  ==============
PB-1   an empty `batchItemFailures`                             all succeeded
PB-2   `batchItemFailures` is null                              all succeeded
PB-3   an empty response or object                              all succeeded
PB-4   null                                                     all succeeded
PB-5   not JSON                                                 all failed
PB-6   an item's `itemIdentifier` is an empty string            all failed
PB-7   … is null                                                all failed
PB-8   … has another name                                       all failed
PB-9   … is not in the batch                                    all failed
PB-10  an exception or a timeout                                all failed
PB-11  other keys, and no `batchItemFailures`                   all succeeded
PB-12  an id is listed twice (Assumed: it counts once)          the listed fail
PB-17  JSON of another shape (Assumed)                          all failed
10.3   ids of the batch                                         the listed fail
EF-2   `ReportBatchItemFailures` is off, whatever is returned   all succeeded
EF-2   … and the function raised or timed out                   all failed
=====  =======================================================  ==============

Sources contradict each other on PB-8, PB-11 and PB-17: `Assumptions` have their other ends (`as_assumed`).

Where several items are wrong, the first one decides the rule. FIFO queues have no rule of their own (PB-15).
"""

import json
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NoReturn

import attrs

from chaosqs.model.json import Json

LISTED = "10.3"
"""Rule of a well-formed list of failures: the first sentence of the ledger's section 10.3."""


@attrs.frozen
class Outcome:
    """The outcome of a batch; messages that are not in `failed` are deleted."""

    all_failed: bool
    """True if every message stays in the queue."""
    failed: tuple[str, ...]
    """Ids of the messages that stay, in the order of the batch."""
    rule: str
    """Id of the rule that decided."""


def judge_payload(payload: str, message_ids: Sequence[str], *, reporting: bool) -> Outcome:
    """Return the outcome of the text of a function's response, from any runtime.

    The Python runtime writes NaN and infinities as they are, which is not JSON (PB-5).
    """
    if not reporting:
        return Outcome(all_failed=False, failed=(), rule="EF-2")
    if not payload.strip():
        return _succeeded("PB-3")
    try:
        response: Json = json.loads(payload, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return _failed(message_ids, "PB-5")
    return _judge_response(response, message_ids)


def judge_error(message_ids: Sequence[str], *, reporting: bool) -> Outcome:
    """Return the outcome of an exception, a crash or a timeout: the whole batch fails."""
    return _failed(message_ids, "PB-10" if reporting else "EF-2")


_UNREAD = ("PB-5", "PB-6", "PB-7", "PB-8", "PB-9", "PB-17")
_LIKE = 0.7
"""Similarity from which another key is taken for `batchItemFailures` misspelt; 1 is equal."""
_SHOWN = 120
"""Characters of an answer that are kept."""


def misread(payload: str, outcome: Outcome) -> str:
    """Return the beginning of an answer that is read otherwise than it was meant, or an empty string.

    An answer without `batchItemFailures` (PB-11) was meant as a report if one of its keys is much like that, or speaks
    of failures.
    """
    if outcome.rule == "PB-11":
        return payload[:_SHOWN] if any(map(_is_like_a_report, _keys(payload))) else ""
    return payload[:_SHOWN] if outcome.rule in _UNREAD else ""


def speaks_of_failures(answer: str) -> bool:
    """Return True for an answer of another shape that was meant as a report: it is a list, or it names failures."""
    text = answer.strip().lower()
    return "fail" in text or "itemidentifier" in text or (text.startswith("[") and text != "[]")


def _keys(payload: str) -> list[str]:
    response: Json = json.loads(payload)
    return list(response) if isinstance(response, dict) else []


def _is_like_a_report(key: str) -> bool:
    name = key.lower()
    return "fail" in name or SequenceMatcher(None, name, "batchitemfailures").ratio() >= _LIKE


def _judge_response(response: Json, message_ids: Sequence[str]) -> Outcome:
    if response is None:
        return _succeeded("PB-4")
    if not isinstance(response, dict):
        return _failed(message_ids, "PB-17")
    if "batchItemFailures" not in response:
        return _succeeded("PB-11" if response else "PB-3")
    return _judge_items(response["batchItemFailures"], message_ids)


def _judge_items(items: Json, message_ids: Sequence[str]) -> Outcome:
    if items is None:
        return _succeeded("PB-2")
    if not isinstance(items, list):
        return _failed(message_ids, "PB-17")
    if not items:
        return _succeeded("PB-1")
    batch = frozenset(message_ids)
    listed: dict[str, None] = {}
    for item in items:
        name, rule = _identifier(item, batch)
        if rule:
            return _failed(message_ids, rule)
        listed[name] = None
    failed = tuple(name for name in message_ids if name in listed)
    return Outcome(len(failed) == len(message_ids), failed, "PB-12" if len(listed) < len(items) else LISTED)


def _identifier(item: Json, batch: frozenset[str]) -> tuple[str, str]:
    """Return the message id that an item names, and the rule that an invalid item breaks, or an empty string."""
    if not isinstance(item, dict) or "itemIdentifier" not in item:
        return "", "PB-8"
    name = item["itemIdentifier"]
    if name is None:
        return "", "PB-7"
    if name == "":
        return "", "PB-6"
    return (name, "") if isinstance(name, str) and name in batch else ("", "PB-9")


def _succeeded(rule: str) -> Outcome:
    return Outcome(all_failed=False, failed=(), rule=rule)


def _failed(message_ids: Sequence[str], rule: str) -> Outcome:
    return Outcome(all_failed=True, failed=tuple(message_ids), rule=rule)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
