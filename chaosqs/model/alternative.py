"""Other ways to bring messages to a function than an event source mapping for SQS, as values to compare it with.

Each takes the place of the mappings of one function. Times in seconds. They are small models: the docstring of each
says what it leaves out.
"""

from __future__ import annotations

from typing import TypeAlias

import attrs

from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.values import Checks, concise_repr

TERMINATE, ALLOW = "Terminate", "Allow"


@attrs.frozen(repr=False)
class SelfPolling:
    """A function that receives messages itself, works through them, deletes them, and invokes itself again.

    Each invocation of a chain receives up to 10 messages at a time (RX-1), as long as `reserve` seconds of its timeout
    are left; then it invokes itself asynchronously. A receive that finds nothing within `wait_time` ends the chain. A
    schedule starts the chains. A failure ends the invocation: what it has not deleted comes back when its visibility
    ends, and Lambda repeats the event after 1 and after 2 minutes, one that is throttled after 1 s, doubling to 5
    minutes, for 6 hours (Lambda Developer Guide, invocation-async-error-handling).

    Not modelled: handlers that catch the error of one message and go on, extended visibility, the jitter of Lambda's
    retries and how a long queue of events slows them down, events that Lambda delivers twice, the lock's own failures.
    """

    queue: str
    """Name of the queue that it polls; no mapping may bring the function messages of another one."""
    function: str
    chains: int = 1
    """How many invocations follow one another side by side; 1 to 1,000."""
    delete: str = "each"
    """`each`: a message is deleted as soon as it is done; `batch`: all that one receive brought, together."""
    reserve: float = 10
    """Seconds of the timeout that must be left for another receive; with less it invokes itself. 0 to 900."""
    wait_time: int = 20
    """Seconds that a receive waits for messages; 0 to 20 (RX-3). Assumed: it asks all servers even with 0 (RX-4)."""
    schedule: float = 60
    """Seconds between two starts by the schedule, the first at 0; 60 (the least for EventBridge) to 86,400."""
    lock: bool = True
    """Whether each chain holds a lock, so that the schedule starts only those that are missing. Without it every
    start adds `chains` more, as a plain schedule does."""
    recursive_loop: str = TERMINATE
    """`Terminate`, Lambda's default: it drops the next of about 16 invocations in one chain (LX-16), and the schedule
    starts a new one. `Allow`: a chain goes on."""

    __repr__ = concise_repr


@attrs.frozen(repr=False)
class RateLimitedFront:
    """An API in front of the function: clients push each message as one request, and the front limits their rate.

    The limit is API Gateway's token bucket (API Gateway Developer Guide, api-gateway-request-throttling); over it the
    answer is 429. A throttle of Lambda's comes back as 500, a failed invocation as 502, one that takes longer than
    `integration_timeout` as 504 while the function works on. After each of these the client pushes again, later and
    later, with full jitter; after `retries` it gives up: the message is lost to the caller, which knows it, even
    where a late invocation has processed it.

    Not modelled: that API Gateway applies its limits by best effort only, usage plans and caches, the network, clients
    that restrain one another or stop waiting, and 4xx answers that clients would not repeat.
    """

    function: str
    requests_per_second: float = 10_000
    """Requests a second that the bucket refills by; 0.001 to 1,000,000. AWS's default for an account is 10,000."""
    burst: int = 5_000
    """Requests at once: the size of the bucket; 1 to 1,000,000. AWS's default for an account is 5,000."""
    retries: int = 3
    """How often a client pushes a message again; 0 to 1,000."""
    retry_pause: float = 1
    """Seconds of which a client waits a random share before it pushes again; doubles each time. 0.001 to 3,600."""
    retry_pause_limit: float = 20
    """Seconds up to which that doubles; `retry_pause` to 86,400. AWS's SDKs have 20."""
    integration_timeout: float = 29
    """Seconds that the front waits for the function; 0.05 to 300. API Gateway's default is 29."""

    __repr__ = concise_repr


@attrs.frozen(repr=False)
class Stream:
    """A stream like Kinesis's, whose shards Lambda reads in order, one batch in flight a shard.

    A record goes to the shard that the MD5 of its partition key says: its message group, or its own number without
    one. Lambda polls a shard once a second, reads on at once while there is more, at 2 MB a second at the most, and
    sends no more than 6 MB, in Base64, to one invocation. A batch that fails is tried again and blocks its shard, until
    it succeeds, its records are too old, or `maximum_retry_attempts` is over; a throttled one is tried until they are
    too old (Lambda Developer Guide, with-kinesis and kinesis-on-failure-destination).

    Assumed: the pauses between two attempts are those of the assumption `throttle_retry`.

    Not modelled: what a shard can take in (1 MB or 1,000 records a second), other readers of the same shard, enhanced
    fan-out, batching windows, a parallelisation factor over 1, partial batch responses, resharding, starting positions.
    """

    function: str
    shards: int
    """1 to 10,000; no more invocations than shards run at once."""
    batch_size: int = 100
    """Records that one invocation gets at the most; 1 to 10,000."""
    maximum_retry_attempts: int = -1
    """Retries after a function error; 0 to 10,000, -1: until the records are too old. Halving a batch is none."""
    maximum_record_age: int = -1
    """Seconds after which a record is given up; 60 to 604,800, -1: after the retention period only."""
    bisect_batch_on_function_error: bool = False
    """Whether a batch that fails is cut into halves, which are tried one after the other."""
    on_failure_destination: bool = False
    """Whether what is given up is told to a queue or topic: then it counts as dead-lettered, else as discarded."""
    retention_period: int = 86_400
    """Seconds that the stream keeps a record; 86,400 (a day) to 31,536,000."""

    __repr__ = concise_repr


Alternative: TypeAlias = SelfPolling | RateLimitedFront | Stream
"""Something that takes the place of a function's event source mappings."""

KINDS: dict[str, type[SelfPolling | RateLimitedFront | Stream]] = {
    "self_polling": SelfPolling,
    "rate_limited_front": RateLimitedFront,
    "stream": Stream,
}
"""What a file calls each kind."""


def check_alternative(checks: Checks, alternative: Alternative) -> None:
    """Note what is wrong with an alternative, its queue and function apart."""
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


# What an alternative replaces in a scenario: the mappings of its function, and the queues of which it takes over. ----


def replaced(design: Design, alternative: Alternative) -> tuple[EventSourceMapping, ...]:
    """Return the mappings that an alternative takes the place of."""
    return design.mappings_of(alternative.function)


def taken_over(design: Design, alternative: Alternative) -> tuple[str, ...]:
    """Return the queues whose messages go to the alternative instead; none where it polls its queue itself."""
    if isinstance(alternative, SelfPolling):
        return ()
    return tuple(dict.fromkeys(mapping.queue for mapping in replaced(design, alternative)))


def with_replacement(scenario: Scenario, alternative: Alternative) -> Scenario:
    """Return the scenario without the mappings that an alternative takes the place of."""
    gone = replaced(scenario.design, alternative)
    mappings = [mapping for mapping in scenario.design.mappings if mapping not in gone]
    return attrs.evolve(scenario, design=attrs.evolve(scenario.design, mappings=mappings))


def check_replacement(checks: Checks, scenario: Scenario, alternative: Alternative) -> None:
    """Note what is wrong with an alternative, and why it cannot take its place in a scenario."""
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
        checks.refuse("function", alternative.function, "must stand in a scenario without faults: they strike mappings")


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
