"""Alternatives to an event source mapping for SQS: other ways to bring messages to a function, for comparisons.

An alternative replaces the mappings of one function. Times are in seconds. Alternatives are small models: the docstring
of each lists what is not modelled.
"""

from typing import TypeAlias

import attrs

from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.values import Checks, concise_repr

TERMINATE, ALLOW = "Terminate", "Allow"


@attrs.frozen(repr=False)
class SelfPolling:
    """A function that receives messages itself, processes and deletes them, and invokes itself again.

    Each invocation of a chain receives up to 10 messages at a time (RX-1), as long as `reserve` seconds of its timeout
    are left; then it invokes itself asynchronously. A receive that finds nothing within `wait_time` ends the chain. A
    schedule starts the chains. A failure ends the invocation: the messages that it has not deleted become visible again
    when their visibility timeout ends. Lambda retries the event after 1 and after 2 minutes; a throttled event after
    1 s, doubling to 5 minutes, for 6 hours (Lambda Developer Guide, invocation-async-error-handling).

    Not modelled: handlers that catch the error of one message and go on, extended visibility, the jitter of Lambda's
    retries, their slowdown by a long queue of events, events that Lambda delivers twice, failures of the lock.
    """

    queue: str
    """Name of the queue that the function polls. No mapping may bring it messages from another queue."""
    function: str
    chains: int = 1
    """Number of chains that run side by side; 1 to 1,000. In a chain one invocation follows another."""
    delete: str = "each"
    """`each`: a message is deleted as soon as it is processed; `batch`: all messages of one receive, together."""
    reserve: float = 10
    """Seconds of the timeout that must be left for another receive; with less the function invokes itself. 0 to 900."""
    wait_time: int = 20
    """Seconds that a receive waits for messages; 0 to 20 (RX-3). Assumed: 0 queries all servers, too (RX-4)."""
    schedule: float = 60
    """Seconds between two starts by the schedule, the first at 0; 60 (EventBridge's minimum) to 86,400."""
    lock: bool = True
    """True if each chain holds a lock, so that the schedule starts only the missing chains. Without the lock every
    start adds `chains` more, as a plain schedule does."""
    recursive_loop: str = TERMINATE
    """`Terminate`, Lambda's default: Lambda drops the next invocation after about 16 in one chain (LX-16), and the
    schedule starts a new chain. `Allow`: a chain goes on."""

    __repr__ = concise_repr


@attrs.frozen(repr=False)
class RateLimitedFront:
    """An API in front of the function: clients push each message as one request, and the front limits their rate.

    The limit is API Gateway's token bucket (API Gateway Developer Guide, api-gateway-request-throttling); requests over
    the limit get 429. The client gets 500 for a throttle by Lambda, 502 for a failed invocation, and 504 for one that
    takes longer than `integration_timeout`; the function then works on. After each of these the client pushes again,
    with growing pauses and full jitter. After `retries` it gives up: the message is lost to the caller, which knows
    that, even if a late invocation has processed the message.

    Not modelled: API Gateway's limits as the best-effort limits that they are, usage plans and caches, the network,
    clients that limit one another or stop waiting, and 4xx answers that clients would not retry.
    """

    function: str
    requests_per_second: float = 10_000
    """Requests per second that refill the bucket; 0.001 to 1,000,000. AWS's default for an account is 10,000."""
    burst: int = 5_000
    """Size of the bucket: requests at once; 1 to 1,000,000. AWS's default for an account is 5,000."""
    retries: int = 3
    """Number of times that a client pushes a message again; 0 to 1,000."""
    retry_pause: float = 1
    """Ceiling in seconds of the random pause before a client pushes again; doubles each time. 0.001 to 3,600."""
    retry_pause_limit: float = 20
    """Largest value of that ceiling, in seconds; `retry_pause` to 86,400. AWS's SDKs use 20."""
    integration_timeout: float = 29
    """Seconds that the front waits for the function; 0.05 to 300. API Gateway's default is 29."""

    __repr__ = concise_repr


@attrs.frozen(repr=False)
class Stream:
    """A stream like Kinesis, whose shards Lambda reads in order, with one batch in flight per shard.

    The MD5 of a record's partition key selects its shard; the key is the message group, or the message's number without
    a group. Lambda polls a shard once a second, reads on at once while there are more records, at 2 MB a second at
    most, and sends at most 6 MB, in Base64, to one invocation. A failed batch is retried and blocks its shard until it
    succeeds, its records are too old, or `maximum_retry_attempts` is reached; a throttled batch is retried until its
    records are too old (Lambda Developer Guide, with-kinesis and kinesis-on-failure-destination).

    Assumed: the pauses between two attempts are those of the assumption `throttle_retry`.

    Not modelled: a shard's write limit (1 MB or 1,000 records a second), other readers of the same shard, enhanced
    fan-out, batching windows, a parallelisation factor over 1, partial batch responses, resharding, starting positions.
    """

    function: str
    shards: int
    """Number of shards, and so of invocations that may run at once; 1 to 10,000."""
    batch_size: int = 100
    """Maximum records of one invocation; 1 to 10,000."""
    maximum_retry_attempts: int = -1
    """Retries after a function error; 0 to 10,000. -1: until the records are too old. Halving does not count."""
    maximum_record_age: int = -1
    """Seconds after which a record is given up; 60 to 604,800. -1: only after the retention period."""
    bisect_batch_on_function_error: bool = False
    """True if a failed batch is split into halves, which are tried one after the other."""
    on_failure_destination: bool = False
    """True if records given up are reported to a queue or topic and count as dead-lettered; else as discarded."""
    retention_period: int = 86_400
    """Seconds that the stream keeps a record; 86,400 (a day) to 31,536,000."""

    __repr__ = concise_repr


Alternative: TypeAlias = SelfPolling | RateLimitedFront | Stream
"""A replacement for a function's event source mappings."""

KINDS: dict[str, type[SelfPolling | RateLimitedFront | Stream]] = {
    "self_polling": SelfPolling,
    "rate_limited_front": RateLimitedFront,
    "stream": Stream,
}
"""The kinds of alternatives by their names in files."""


def check_alternative(checks: Checks, alternative: Alternative) -> None:
    """Note the problems of an alternative, except those of its queue and function."""
    match alternative:
        case SelfPolling():
            _check_self_polling(checks, alternative)
        case RateLimitedFront():
            _check_front(checks, alternative)
        case Stream():
            _check_stream(checks, alternative)


def _check_self_polling(checks: Checks, given: SelfPolling) -> None:
    checks.whole("chains", given.chains, 1, 1_000, "chains")
    checks.one_of("delete", given.delete, ("each", "batch"))
    checks.number("reserve", given.reserve, 0, 900, "seconds")
    checks.whole("wait_time", given.wait_time, 0, 20, "seconds", "RX-3")
    checks.number("schedule", given.schedule, 60, 86_400, "seconds")
    checks.flag("lock", given.lock)
    checks.one_of("recursive_loop", given.recursive_loop, (TERMINATE, ALLOW), "LX-16")


def _check_front(checks: Checks, given: RateLimitedFront) -> None:
    checks.number("requests_per_second", given.requests_per_second, 0.001, 1_000_000, "requests a second")
    checks.whole("burst", given.burst, 1, 1_000_000, "requests")
    checks.whole("retries", given.retries, 0, 1_000)
    if checks.number("retry_pause", given.retry_pause, 0.001, 3_600, "seconds"):
        checks.number("retry_pause_limit", given.retry_pause_limit, given.retry_pause, 86_400, "seconds")
    checks.number("integration_timeout", given.integration_timeout, 0.05, 300, "seconds")


def _check_stream(checks: Checks, given: Stream) -> None:
    checks.whole("shards", given.shards, 1, 10_000, "shards")
    checks.whole("batch_size", given.batch_size, 1, 10_000, "records")
    checks.whole("maximum_retry_attempts", given.maximum_retry_attempts, -1, 10_000, "(-1: no limit)")
    if given.maximum_record_age != -1:
        checks.whole("maximum_record_age", given.maximum_record_age, 60, 604_800, "seconds, or -1")
    checks.flag("bisect_batch_on_function_error", given.bisect_batch_on_function_error)
    checks.flag("on_failure_destination", given.on_failure_destination)
    checks.whole("retention_period", given.retention_period, 86_400, 31_536_000, "seconds")


# Replacing a function's mappings in a scenario ------------------------------------------------------------------------


def replaced(design: Design, alternative: Alternative) -> tuple[EventSourceMapping, ...]:
    """Return the mappings that an alternative replaces."""
    return design.mappings_of(alternative.function)


def taken_over(design: Design, alternative: Alternative) -> tuple[str, ...]:
    """Return the queues whose messages go to the alternative instead; none where it polls its queue itself."""
    if isinstance(alternative, SelfPolling):
        return ()
    return tuple(dict.fromkeys(mapping.queue for mapping in replaced(design, alternative)))


def with_replacement(scenario: Scenario, alternative: Alternative) -> Scenario:
    """Return the scenario without the mappings that an alternative replaces."""
    gone = replaced(scenario.design, alternative)
    mappings = [mapping for mapping in scenario.design.mappings if mapping not in gone]
    return attrs.evolve(scenario, design=attrs.evolve(scenario.design, mappings=mappings))


def check_replacement(checks: Checks, scenario: Scenario, alternative: Alternative) -> None:
    """Note the problems of an alternative, and the reasons why it cannot be used in a scenario."""
    check_alternative(checks, alternative)
    functions = [function.name for function in scenario.design.functions]
    if alternative.function not in functions:
        known = ", ".join(functions) or "it has none"
        checks.refuse("function", alternative.function, f"must name a function of the design: {known}")
        return
    if isinstance(alternative, SelfPolling):
        _check_polled(checks, scenario.design, alternative)
    else:
        _check_taken_over(checks, scenario.design, alternative)
    if any(behaviour.handler is not None for behaviour in scenario.behaviours.values()):
        checks.refuse("function", alternative.function, "must stand in a scenario whose handlers are models")
    if scenario.faults != FaultPlan():
        checks.refuse("function", alternative.function, "must stand in a scenario without faults: they affect mappings")


def _check_polled(checks: Checks, design: Design, alternative: SelfPolling) -> None:
    queues = [queue.name for queue in design.queues]
    if alternative.queue not in queues:
        known = ", ".join(queues) or "it has none"
        checks.refuse("queue", alternative.queue, f"must name a queue of the design: {known}")
    others = [mapping.name for mapping in replaced(design, alternative) if mapping.queue != alternative.queue]
    if others:
        checks.refuse("function", alternative.function, f"must not be invoked by another mapping: {', '.join(others)}")


def _check_taken_over(checks: Checks, design: Design, alternative: Alternative) -> None:
    queues = taken_over(design, alternative)
    if not queues:
        checks.refuse("function", alternative.function, "must have a mapping: what its queue gets is brought to it")
    shared = [mapping.name for mapping in design.mappings if mapping.queue in queues]
    shared = [name for name in shared if name not in {mapping.name for mapping in replaced(design, alternative)}]
    if shared:
        checks.refuse("function", alternative.function, f"must not share its queue with {', '.join(shared)}")
    moved = [queue.name for queue in design.queues if queue.redrive and queue.redrive.dead_letter_queue in queues]
    if moved:
        checks.refuse("function", alternative.function, f"must not work off the dead letters of {', '.join(moved)}")
