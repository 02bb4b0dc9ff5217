"""The design under test. It checks itself and all its parts when it is created, as AWS does on deployment."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal, TypeAlias, TypeVar, get_args

import attrs

from chaosqs.errors import InvalidDesign, Problem
from chaosqs.model.event_filter import InvalidPattern, parse
from chaosqs.model.values import Checks, concise_repr, strings

# Queues, functions and mappings ---------------------------------------------------------------------------------------
#
# Plain values in AWS's terms, with AWS's defaults. They do not check themselves: the `Design` that has them does.

PAYLOAD_LIMIT = 6 * 1024 * 1024
"""Maximum bytes of an invocation's payload (EP-4, EP-9, LX-5; the exact number is not documented, EP-8)."""

ONE_CPU = 1769
"""Megabytes of memory that give a function one whole vCPU (LX-3)."""

Era: TypeAlias = Literal["2018-06", "2023-11", "2025-11"]
"""A set of scaling rules for pollers, named for the month in which AWS introduced it (ES-2, PM-2)."""
ERAS: tuple[Era, ...] = get_args(Era)
DEFAULT_ERA: Era = "2025-11"

DeduplicationScope: TypeAlias = Literal["queue", "messageGroup"]
"""Scope within which a deduplication id is unique (FF-7)."""
FifoThroughputLimit: TypeAlias = Literal["perQueue", "perMessageGroupId"]
"""Scope of a FIFO queue's throughput limit (FF-8)."""
Permission: TypeAlias = Literal["allowAll", "denyAll", "byQueue"]
"""Queues that may use a queue as their dead-letter queue (DLQ-17)."""
DEDUPLICATION_SCOPES: tuple[DeduplicationScope, ...] = get_args(DeduplicationScope)
FIFO_THROUGHPUT_LIMITS: tuple[FifoThroughputLimit, ...] = get_args(FifoThroughputLimit)
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

RecursiveLoop: TypeAlias = Literal["Terminate", "Allow"]
"""Reaction of Lambda to a recursive loop: it drops the next invocation of the function, or does nothing (LX-20)."""
RECURSIVE_LOOPS: tuple[RecursiveLoop, ...] = get_args(RecursiveLoop)
MOST_PASSES = 16
"""Invocations of one function in a chain of messages after which Lambda sees a loop (LX-16 says about 16)."""


ACCOUNT_ID, REGION_NAME = "123456789012", "us-east-1"
"""The account and the Region of every design: they stand in ARNs and queue URLs."""


@attrs.frozen(repr=False)
class Account:
    """The account and Region that the design shares with other functions."""

    concurrency: int = 1000
    """Maximum concurrent executions of all functions together; at least 1 (LC-2)."""
    other_traffic: int = 0
    """Executions that functions outside the design occupy all the time; 0 to `concurrency`."""

    __repr__ = concise_repr


@attrs.frozen(repr=False)
class Redrive:
    """The redrive policy of a queue: messages that were received too often go to a dead-letter queue (DLQ-1)."""

    dead_letter_queue: str
    """Name of the dead-letter queue: a queue of the same type, in the same design (DLQ-12, DLQ-13)."""
    max_receive_count: int
    """Deliveries that a message gets; the receive after the last one moves it; 1 to 1,000 (DLQ-1 … DLQ-3)."""

    __repr__ = concise_repr


@attrs.frozen(repr=False)
class RedriveAllow:
    """A queue's policy on the queues that may use it as their dead-letter queue (DLQ-17)."""

    permission: Permission = "allowAll"
    """`allowAll`, `denyAll` or `byQueue`."""
    source_queues: tuple[str, ...] = attrs.field(default=(), converter=strings)
    """With `byQueue`: the names of the permitted queues, 1 to 10."""

    __repr__ = concise_repr


def _named_fifo(queue: Queue) -> bool:
    return str(queue.name).endswith(".fifo")


@attrs.frozen(repr=False)
class Queue:
    """An SQS queue."""

    name: str
    """1 to 80 letters, digits, `-` and `_`; a FIFO queue's name ends in `.fifo` (FF-1)."""
    visibility_timeout: int = 30
    """Seconds that a received message stays hidden; 0 to 43,200 (VT-1)."""
    retention_period: int = 345_600
    """Seconds that a message is kept; 60 to 1,209,600 (RT-1)."""
    delay: int = 0
    """Seconds that a new message stays hidden; 0 to 900 (DL-1)."""
    receive_wait_time: int = 0
    """Seconds that a receive without a wait time of its own waits for a message; 0 (short polling) to 20 (RX-3)."""
    maximum_message_size: int = 1_048_576
    """Bytes of body and attributes that one message may have; 1,024 to 1,048,576 (SZ-2)."""
    redrive: Redrive | None = None
    """The redrive policy; None: messages are delivered until their retention ends."""
    fifo: bool = attrs.field(default=attrs.Factory(_named_fifo, takes_self=True), repr=False)
    """True for a FIFO queue; follows from the name (FF-1)."""
    content_based_deduplication: bool = False
    """FIFO only: the SHA-256 of the body serves as deduplication id (FF-4)."""
    deduplication_scope: DeduplicationScope = "queue"
    """FIFO only: `queue` or `messageGroup` (FF-7)."""
    fifo_throughput_limit: FifoThroughputLimit = "perQueue"
    """FIFO only: `perQueue`, or `perMessageGroupId` with deduplication per message group (FF-8)."""
    redrive_allow: RedriveAllow | None = None
    """The queues that may use this one as their dead-letter queue; None: all (DLQ-17)."""

    __repr__ = concise_repr


@attrs.frozen(repr=False)
class Function:
    """A Lambda function."""

    name: str
    """1 to 64 letters, digits, `-` and `_`."""
    timeout: int = 3
    """Seconds after which Lambda ends an invocation; 1 to 900 (LX-1)."""
    memory: int = 128
    """Memory in MB; 128 to 10,240 (LX-3)."""
    reserved_concurrency: int | None = None
    """Executions set aside for this function, which are also its maximum; 0 switches it off; None: it shares the
    account's unreserved executions (LC-3, LC-5)."""
    provisioned_concurrency: int = 0
    """Execution environments kept initialised; at most `reserved_concurrency` where that is set (LC-9)."""
    recursive_loop: RecursiveLoop = "Terminate"
    """`Terminate`: Lambda drops an invocation that comes from a loop through the function (LX-16); `Allow`: it runs."""

    __repr__ = concise_repr


@attrs.frozen(repr=False)
class EventSourceMapping:
    """Lambda's pollers between a queue and a function."""

    queue: str
    """Name of the queue that is polled."""
    function: str
    """Name of the function that is invoked."""
    batch_size: int = 10
    """Maximum messages of one invocation; 1 to 10,000, FIFO 1 to 10 (EC-1)."""
    maximum_batching_window: int = 0
    """Seconds that a batch may wait to fill; 0 to 300; over 0 for a batch size over 10, 0 for FIFO (EC-2 … EC-4)."""
    maximum_concurrency: int | None = None
    """Concurrent invocations at which the mapping stops receiving; 2 to 1,000; None: no limit (EC-5, MC-1)."""
    report_batch_item_failures: bool = False
    """True if the mapping reads from the function's answer which messages failed (EC-7, PB-1)."""
    filters: tuple[str, ...] = attrs.field(default=(), converter=strings)
    """Filter patterns as JSON text; a message that matches none is deleted unseen; at most 10 (EC-8, FL-2)."""
    enabled: bool = True
    """True if the mapping polls (EC-22)."""
    provisioned_pollers: tuple[int, int] | None = None
    """(minimum, maximum) of provisioned pollers, 2–200 and 2–10,000; excludes `maximum_concurrency` (EC-6)."""

    __repr__ = concise_repr

    @cached_property  # every event of a mapping has its name
    def name(self) -> str:
        """Name of the mapping in reports and metrics: `orders→worker`."""
        return f"{self.queue}→{self.function}"


@attrs.frozen(repr=False)
class Resource:
    """A resource of a service other than SQS and Lambda, in the terms of CloudFormation."""

    type: str
    """CloudFormation's resource type: `AWS::DynamoDB::Table`."""
    name: str
    """Name, id or ARN that code uses for it: what `Ref` of the resource gives in CloudFormation."""
    properties: str = "{}"
    """CloudFormation's properties of the resource as a JSON object, without functions such as `Ref`."""

    __repr__ = concise_repr


# Rules by which AWS refuses a design ----------------------------------------------------------------------------------

_QUEUE_NAME = r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo"
_FUNCTION_NAME = r"[A-Za-z0-9_-]{1,64}"
_UNRESERVED_MINIMUM = 100


@attrs.frozen
class Parts:
    """The contents of a design that is not checked yet."""

    queues: tuple[Queue, ...]
    functions: tuple[Function, ...]
    mappings: tuple[EventSourceMapping, ...]
    account: Account
    era: Era
    resources: tuple[Resource, ...] = ()


def refuse_invalid(design: Parts) -> None:
    """Raise `InvalidDesign` with all problems of a design, if it has any."""
    problems = list(problems_of(design))
    if problems:
        raise InvalidDesign(problems)


def problems_of(design: Parts) -> Iterator[Problem]:
    """Yield the reasons for which AWS would refuse a design: first of each part alone, then of the parts together."""
    for index, queue in enumerate(design.queues):
        yield from _queue_problems(Checks(f"queues[{index}]"), queue)
    for index, function in enumerate(design.functions):
        yield from _function_problems(Checks(f"functions[{index}]"), function)
    for index, mapping in enumerate(design.mappings):
        yield from _mapping_problems(Checks(f"mappings[{index}]"), mapping)
    for index, resource in enumerate(design.resources):
        yield from _resource_problems(Checks(f"resources[{index}]"), resource)
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
        least, most = (1, 10) if allow.permission == "byQueue" else (0, 0)
        if not least <= len(allow.source_queues) <= most:
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
    checks.one_of("recursive_loop", function.recursive_loop, RECURSIVE_LOOPS, "LX-20")
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


def _resource_problems(checks: Checks, resource: Resource) -> list[Problem]:
    must = "must be a resource type of CloudFormation, as AWS::DynamoDB::Table"
    checks.name("type", resource.type, r"\w+(::\w+)+", must)
    checks.name("name", resource.name, r"(?s).+", "must not be empty")
    try:
        valid = isinstance(json.loads(resource.properties), dict)
    except (ValueError, RecursionError):
        valid = False
    if not valid:
        checks.refuse("properties", resource.properties[:60], "must be a JSON object, as text")
    return checks.problems


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
    for name, count in Counter(mapping.name for mapping in design.mappings).items():  # EC-17: other pairs are valid
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


# The design -----------------------------------------------------------------------------------------------------------


def _queues(items: Iterable[Queue]) -> tuple[Queue, ...]:
    return tuple(items)


def _functions(items: Iterable[Function]) -> tuple[Function, ...]:
    return tuple(items)


def _resources(items: Iterable[Resource]) -> tuple[Resource, ...]:
    return tuple(items)


def _mappings(items: Iterable[EventSourceMapping]) -> tuple[EventSourceMapping, ...]:
    return tuple(items)


@attrs.frozen(repr=False)
class Design:
    """Queues, functions and mappings as one deployment. Raises `InvalidDesign` with all that AWS would refuse."""

    queues: tuple[Queue, ...] = attrs.field(converter=_queues)
    functions: tuple[Function, ...] = attrs.field(default=(), converter=_functions)
    mappings: tuple[EventSourceMapping, ...] = attrs.field(default=(), converter=_mappings)
    account: Account = Account()
    era: Era = DEFAULT_ERA
    """Scaling rules of the pollers: `2018-06`, `2023-11` or `2025-11` (ES-1 … ES-3, PM-*)."""
    resources: tuple[Resource, ...] = attrs.field(default=(), converter=_resources)
    """Resources of other services, such as tables and topics. They exist when a run begins. Only real handlers and
    messages that other services pass on to queues need them."""

    __repr__ = concise_repr

    def __attrs_post_init__(self) -> None:
        """Raise `InvalidDesign` where AWS would refuse the design."""
        refuse_invalid(Parts(self.queues, self.functions, self.mappings, self.account, self.era, self.resources))

    def queue(self, name: str) -> Queue:
        """Return the queue of that name. Raises KeyError."""
        return _by_name(self.queues)[name]

    def function(self, name: str) -> Function:
        """Return the function of that name. Raises KeyError."""
        return _by_name(self.functions)[name]

    def mappings_of(self, function: str) -> tuple[EventSourceMapping, ...]:
        """Return the mappings that invoke a function, in the design's order."""
        return tuple(mapping for mapping in self.mappings if mapping.function == function)

    def unreserved_concurrency(self) -> int:
        """Return the number of executions that functions without a reservation share (LC-3).

        The account's other traffic reduces it, but never below what is provisioned for these functions (LC-9).
        """
        reserved = sum(function.reserved_concurrency or 0 for function in self.functions)
        unreserved = [function for function in self.functions if function.reserved_concurrency is None]
        provisioned = sum(function.provisioned_concurrency for function in unreserved)
        return max(provisioned, self.account.concurrency - reserved - self.account.other_traffic)

    def concurrency_limit(self, function: str) -> int:
        """Return the maximum executions of a function: its reservation, or what is unreserved (LC-2, LC-3)."""
        reserved = self.function(function).reserved_concurrency
        return self.unreserved_concurrency() if reserved is None else reserved

    def maximum_concurrency_fits(self, function: str) -> bool:
        """Return True if each mapping of a function has a maximum concurrency, and all maxima fit at once (MC-3).

        Functions without a reservation share executions, so the mappings of all of them count, and executions that are
        provisioned for one of them are not available to the others (LC-9). If True, throttling dead-letters nothing
        (MC-4).
        """
        sharing = [self.function(function)]
        if sharing[0].reserved_concurrency is None:
            sharing = [other for other in self.functions if other.reserved_concurrency is None]
        needed = 0
        for other in sharing:
            limits = [mapping.maximum_concurrency for mapping in self.mappings_of(other.name) if mapping.enabled]
            if None in limits:
                return False
            needed += max(other.provisioned_concurrency, sum(limit or 0 for limit in limits))
        return needed <= self.concurrency_limit(function)


_Part = TypeVar("_Part", Queue, Function)


def _by_name(parts: tuple[_Part, ...]) -> Mapping[str, _Part]:
    return {part.name: part for part in parts}
