"""What AWS refuses when a design is deployed: each rule with its range and its id in the behaviour ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import attrs

from chaosqs.errors import InvalidDesign, Problem
from chaosqs.model.event_filter import InvalidPattern, parse
from chaosqs.model.resources import (
    DEDUPLICATION_SCOPES,
    ERAS,
    FIFO_THROUGHPUT_LIMITS,
    PERMISSIONS,
    Account,
    Era,
    EventSourceMapping,
    Function,
    Queue,
)
from chaosqs.model.values import Checks

_QUEUE_NAME = r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo"
_FUNCTION_NAME = r"[A-Za-z0-9_-]{1,64}"
_UNRESERVED_MINIMUM = 100


@attrs.frozen
class Parts:
    """All that a design consists of."""

    queues: tuple[Queue, ...]
    functions: tuple[Function, ...]
    mappings: tuple[EventSourceMapping, ...]
    account: Account
    era: Era


def refuse_invalid(design: Parts) -> None:
    """Raise `InvalidDesign` with everything that is wrong, if anything is."""
    problems = list(problems_of(design))
    if problems:
        raise InvalidDesign(problems)


def problems_of(design: Parts) -> Iterator[Problem]:
    """All that AWS would refuse: first each part alone, then the parts together."""
    for index, queue in enumerate(design.queues):
        yield from _queue_problems(Checks(f"queues[{index}]"), queue)
    for index, function in enumerate(design.functions):
        yield from _function_problems(Checks(f"functions[{index}]"), function)
    for index, mapping in enumerate(design.mappings):
        yield from _mapping_problems(Checks(f"mappings[{index}]"), mapping)
    yield from _account_problems(Checks("account"), design.account)
    whole = Checks("")
    whole.one_of("era", design.era, ERAS)
    _check_names(whole, design)
    _check_redrive(whole, design)
    _check_mappings(whole, design)
    _check_concurrency(whole, design)
    yield from whole.problems


def _queue_problems(checks: Checks, queue: Queue) -> list[Problem]:
    checks.name("name", queue.name, _QUEUE_NAME, "must be 1 to 80 letters, digits, - and _, or end in .fifo", "FF-1")
    checks.whole("visibility_timeout", queue.visibility_timeout, 0, 43_200, "seconds", "VT-1")
    checks.whole("retention_period", queue.retention_period, 60, 1_209_600, "seconds", "RT-1")
    checks.whole("delay", queue.delay, 0, 900, "seconds", "DL-1")
    checks.whole("receive_wait_time", queue.receive_wait_time, 0, 20, "seconds", "RX-3")
    checks.whole("maximum_message_size", queue.maximum_message_size, 1024, 1_048_576, "bytes", "SZ-2")
    if queue.redrive is not None:
        checks.whole("redrive.max_receive_count", queue.redrive.max_receive_count, 1, 1000, "deliveries", "DLQ-1")
    _check_fifo(checks, queue)
    allow = queue.redrive_allow
    if allow is not None:
        checks.one_of("redrive_allow.permission", allow.permission, PERMISSIONS, "DLQ-17")
        sources = len(allow.source_queues)
        if (allow.permission == "byQueue") != (1 <= sources <= 10):  # noqa: PLR2004 - the rule's own figures
            checks.refuse(
                "redrive_allow.source_queues",
                allow.source_queues,
                "must name 1 to 10 queues with permission 'byQueue' and none without",
                "DLQ-17",
            )
    return checks.problems


def _check_fifo(checks: Checks, queue: Queue) -> None:
    if queue.fifo != str(queue.name).endswith(".fifo"):
        checks.refuse(
            "fifo", queue.fifo, f"must agree with the name {queue.name!r}: only FIFO queues end in .fifo", "FF-1"
        )
    checks.flag("content_based_deduplication", queue.content_based_deduplication)
    checks.one_of("deduplication_scope", queue.deduplication_scope, DEDUPLICATION_SCOPES, "FF-7")
    checks.one_of("fifo_throughput_limit", queue.fifo_throughput_limit, FIFO_THROUGHPUT_LIMITS, "FF-8")
    if queue.fifo_throughput_limit == "perMessageGroupId" and queue.deduplication_scope != "messageGroup":
        checks.refuse(
            "fifo_throughput_limit", queue.fifo_throughput_limit, "needs deduplication_scope 'messageGroup'", "FF-8"
        )
    if queue.fifo:
        return
    for field, value, default, rule in (
        ("content_based_deduplication", queue.content_based_deduplication, False, "FF-4"),
        ("deduplication_scope", queue.deduplication_scope, "queue", "FF-7"),
        ("fifo_throughput_limit", queue.fifo_throughput_limit, "perQueue", "FF-8"),
    ):
        if value != default:
            checks.refuse(field, value, "is for FIFO queues only", rule)


def _function_problems(checks: Checks, function: Function) -> list[Problem]:
    checks.name("name", function.name, _FUNCTION_NAME, "must be 1 to 64 letters, digits, - and _")
    checks.whole("timeout", function.timeout, 1, 900, "seconds", "LX-1")
    checks.whole("memory", function.memory, 128, 10_240, "MB", "LX-3")
    if function.reserved_concurrency is not None:
        checks.whole("reserved_concurrency", function.reserved_concurrency, 0, None, "executions", "LC-3")
    provisioned = checks.whole(
        "provisioned_concurrency", function.provisioned_concurrency, 0, None, "environments", "LC-9"
    )
    reserved = function.reserved_concurrency
    if provisioned and isinstance(reserved, int) and function.provisioned_concurrency > reserved:
        checks.refuse(
            "provisioned_concurrency",
            function.provisioned_concurrency,
            f"must be at most reserved_concurrency {reserved}",
            "LC-9",
        )
    return checks.problems


def _mapping_problems(checks: Checks, mapping: EventSourceMapping) -> list[Problem]:
    batch = checks.whole("batch_size", mapping.batch_size, 1, 10_000, "messages", "EC-1")
    window = checks.whole("maximum_batching_window", mapping.maximum_batching_window, 0, 300, "seconds", "EC-2")
    if batch and window and mapping.batch_size > 10 and mapping.maximum_batching_window == 0:  # noqa: PLR2004 - the rule's own figure
        checks.refuse(
            "maximum_batching_window",
            0,
            f"must be at least 1 second for batch_size {mapping.batch_size} (over 10)",
            "EC-3",
        )
    if mapping.maximum_concurrency is not None:
        checks.whole("maximum_concurrency", mapping.maximum_concurrency, 2, 1000, "invocations", "EC-5")  # MC-5
    checks.flag("report_batch_item_failures", mapping.report_batch_item_failures)
    checks.flag("enabled", mapping.enabled)
    _check_filters(checks, mapping.filters)
    if mapping.provisioned_pollers is not None:
        _check_pollers(checks, mapping.provisioned_pollers)
        if mapping.maximum_concurrency is not None:
            checks.refuse("maximum_concurrency", mapping.maximum_concurrency, "excludes provisioned_pollers", "MC-6")
    return checks.problems


def _check_pollers(checks: Checks, pollers: tuple[int, ...]) -> None:
    if len(pollers) != 2:  # noqa: PLR2004 - a pair
        return checks.refuse("provisioned_pollers", pollers, "must be a pair (minimum, maximum)", "EC-6")
    low = checks.whole("provisioned_pollers[0]", pollers[0], 2, 200, "pollers", "EC-6")
    high = checks.whole("provisioned_pollers[1]", pollers[1], 2, 10_000, "pollers", "EC-6")  # PM-2
    if low and high and pollers[0] > pollers[1]:
        checks.refuse("provisioned_pollers", pollers, "must have a minimum of at most the maximum", "EC-6")
    return None


def _check_filters(checks: Checks, filters: Sequence[object]) -> None:
    if len(filters) > 10:  # noqa: PLR2004 - the rule's own figure
        checks.refuse("filters", len(filters), "must be at most 10 patterns", "EC-8")
    for index, pattern in enumerate(filters):
        if not isinstance(pattern, str) or len(pattern) > 4096:  # noqa: PLR2004 - the rule's own figure
            checks.refuse(f"filters[{index}]", pattern, "must be JSON text of at most 4,096 characters", "EC-8")
        else:
            _check_pattern(checks, f"filters[{index}]", pattern)


def _check_pattern(checks: Checks, field: str, pattern: str) -> None:
    try:
        parse(pattern)
    except InvalidPattern as error:
        checks.refuse(field, pattern, str(error).removesuffix(" (EC-24)"), "EC-24")


def _account_problems(checks: Checks, account: Account) -> list[Problem]:
    if checks.whole("concurrency", account.concurrency, 1, None, "executions", "LC-2"):
        checks.whole("other_traffic", account.other_traffic, 0, account.concurrency, "executions", "LC-2")
    return checks.problems


def _check_names(checks: Checks, design: Parts) -> None:
    for kind, names in (
        ("queues", [queue.name for queue in design.queues]),
        ("functions", [function.name for function in design.functions]),
    ):
        for name, count in Counter(names).items():
            if count > 1:
                checks.refuse(kind, name, f"must have names of their own: {count} of them have this one")
    for name, count in Counter(mapping.name for mapping in design.mappings).items():  # EC-17: each pair is welcome
        if count > 1:
            checks.refuse("mappings", name, f"must be at most one for a queue and a function, not {count}", "EC-13")


def _check_redrive(checks: Checks, design: Parts) -> None:
    queues = {queue.name: queue for queue in design.queues}
    for index, queue in enumerate(design.queues):
        if queue.redrive is None:
            continue
        path, name = f"queues[{index}].redrive.dead_letter_queue", queue.redrive.dead_letter_queue
        target = queues.get(name)
        if target is None:
            checks.refuse(path, name, "must name a queue of the design", "DLQ-13")
        elif target.name == queue.name:
            checks.refuse(path, name, "must be another queue", "DLQ-1")
        elif target.fifo != queue.fifo:
            checks.refuse(
                path, name, f"must be a {'FIFO' if queue.fifo else 'standard'} queue, as {queue.name} is", "DLQ-12"
            )
        elif target.redrive_allow is not None and not _allows(target, queue.name):
            checks.refuse(path, name, f"does not allow {queue.name} as a source (its redrive_allow)", "DLQ-17")


def _allows(target: Queue, source: str) -> bool:
    allow = target.redrive_allow
    return allow is None or allow.permission == "allowAll" or source in allow.source_queues


def _check_mappings(checks: Checks, design: Parts) -> None:
    queues = {queue.name: queue for queue in design.queues}
    functions = {function.name: function for function in design.functions}
    for index, mapping in enumerate(design.mappings):
        path = f"mappings[{index}]"
        queue, function = queues.get(mapping.queue), functions.get(mapping.function)
        if queue is None:
            checks.refuse(f"{path}.queue", mapping.queue, "must name a queue of the design", "EC-12")
        if function is None:
            checks.refuse(f"{path}.function", mapping.function, "must name a function of the design")
        if queue is not None and queue.fifo and _whole(mapping.batch_size) and mapping.batch_size > 10:  # noqa: PLR2004 - the rule's own figure
            checks.refuse(
                f"{path}.batch_size",
                mapping.batch_size,
                "must be a whole number from 1 to 10 messages for a FIFO queue",
                "EC-1",
            )
        if queue is not None and queue.fifo and mapping.maximum_batching_window != 0:
            checks.refuse(
                f"{path}.maximum_batching_window", mapping.maximum_batching_window, "must be 0 for a FIFO queue", "EC-4"
            )  # EQ-4
        if mapping.provisioned_pollers is not None and design.era in ERAS[:-1]:
            checks.refuse(
                f"{path}.provisioned_pollers",
                mapping.provisioned_pollers,
                f"needs era '2025-11', not {design.era!r}",
                "EC-6",
            )
        if queue is not None and function is not None:
            _check_visibility(checks, path, queue, function)


def _check_visibility(checks: Checks, path: str, queue: Queue, function: Function) -> None:
    visibility, timeout = queue.visibility_timeout, function.timeout
    if _whole(visibility) and _whole(timeout) and visibility < timeout:
        checks.refuse(
            path,
            None,
            f"Queue visibility timeout: {visibility} seconds is less than Function timeout: {timeout} seconds",
            "EC-11",
        )


def _check_concurrency(checks: Checks, design: Parts) -> None:
    reserved = [function.reserved_concurrency for function in design.functions if _whole(function.reserved_concurrency)]
    total = sum(amount or 0 for amount in reserved)
    if reserved and _whole(design.account.concurrency) and total > design.account.concurrency - _UNRESERVED_MINIMUM:
        checks.refuse(
            "functions[].reserved_concurrency",
            total,
            f"in total must leave {_UNRESERVED_MINIMUM} of the account's {design.account.concurrency} unreserved",
            "LC-4",
        )


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
