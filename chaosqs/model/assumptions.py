"""Assumptions where AWS documents nothing: named parameters, each with a range and a reason. Searches may draw them.

Every default is pinned by published measurements (`docs/fidelity.md` lists which).
"""

from collections.abc import Iterator

import attrs

from chaosqs.model.values import Checks, concise_repr


def _assumed(default: int, low: int, high: int, unit: str, why: str) -> int:
    metadata: dict[str, object] = {"low": low, "high": high, "unit": unit, "why": why}
    result: int = attrs.field(default=default, metadata=metadata)
    return result


@attrs.frozen(repr=False)
class Assumptions:
    """The assumptions about AWS that a run rests on; times in milliseconds."""

    receive_latency: int = _assumed(
        6, 1, 100, "ms", "Median from a message's arrival to the poller that waits for it (C6)."
    )
    invoke_latency: int = _assumed(
        8, 1, 100, "ms", "Median from the poller to the first line of the handler, warm (C6)."
    )
    delete_latency: int = _assumed(8, 1, 100, "ms", "Median of DeleteMessageBatch.")
    latency_spread: int = _assumed(90, 0, 200, "%", "Standard deviation of the logarithm of these latencies (C6).")
    cold_start: int = _assumed(
        250, 0, 10_000, "ms", "Median of the initialisation of a new execution environment (LX-15)."
    )
    environment_lifetime: int = _assumed(
        600_000,
        60_000,
        7_200_000,
        "ms",
        "Time without an invocation after which an execution environment goes: minutes to hours are seen (LX-13).",
    )
    call_latency: int = _assumed(
        8, 1, 1_000, "ms", "Median of a call that a real handler makes to SQS; as that of DeleteMessageBatch."
    )
    delivery_latency: int = _assumed(
        30,
        1,
        10_000,
        "ms",
        "Median from a call to another service, such as a publish to a topic, to the message in the queue behind it.",
    )
    send_retry: int = _assumed(
        1_000, 100, 60_000, "ms", "Pause of a producer after a send that failed, or whose answer got lost."
    )
    receive_retry: int = _assumed(1_000, 100, 60_000, "ms", "Pause of a poller after a receive that failed (EF-8).")
    delete_retry: int = _assumed(
        1_000,
        100,
        60_000,
        "ms",
        "Pause of a poller before it repeats a delete: once, if at all (EF-5); and an invocation whose answer "
        "it never got (EP-13).",
    )
    long_poll: int = _assumed(
        20_000,
        1_000,
        20_000,
        "ms",
        "Wait time of the pollers' receives: 15 empty ones a minute from 5 pollers (EP-2, C5).",
    )
    low_traffic_wait: int = _assumed(
        0, 0, 20_000, "ms", "Time after its latest message for which a batching window stays open at least (EP-6)."
    )
    throttle_retry: int = _assumed(
        6_000,
        100,
        10_000,
        "ms",
        "Ceiling of the first pause after a throttle; it doubles each time, with full jitter (A1, C2, C3, C4).",
    )
    throttle_retry_limit: int = _assumed(
        12_000, 1_000, 120_000, "ms", "Largest ceiling of that pause (A1, C2, C3, C4)."
    )
    last_retry: int = _assumed(
        0,
        0,
        60_000,
        "ms",
        "Time before the end of visibility at which a throttled batch is retried once more, if its pause would end "
        "later; 0: it is given up instead. No measurement tells: values up to 1 s bring C10 nearer (204 to 212 of the "
        "230, with 0 187), and let more messages be both processed and dead-lettered.",
    )
    throttle_reaction: int = _assumed(
        5_000,
        0,
        30_000,
        "ms",
        "Time from the first throttle until a mapping stops growing as if there were none, and begins to let pollers "
        "go (C2, C3); why bursts on reservations of 8 and more lose messages.",
    )
    rate_retry: int = _assumed(
        1_000,
        100,
        2_000,
        "ms",
        "Pause after a throttle by a rate: what Retry-After says, which counts whole seconds (LC-8, LC-11).",
    )
    partial_receives: int = _assumed(
        40,
        0,
        100,
        "%",
        "Share of receives of standard queues that return fewer messages than they could, any number being as likely "
        "(RX-2, EP-7); those of FIFO queues do not come short (C9).",
    )
    held_batches: int = _assumed(
        8,
        5,
        50,
        "batches",
        "Pollers up to which a mapping grows while it is throttled, once it has reacted (A1, C2, C3).",
    )
    receive_after_giving_up: int = _assumed(
        1,
        0,
        1,
        "(0: no, 1: yes)",
        "1 if a poller that gave up its throttled batch receives again, unless the mapping has more than "
        "`held_batches`; 0 if it goes, as one whose batch is done does, and growth replaces it (C10).",
    )
    throttled_growth: int = _assumed(
        1_000, 100, 60_000, "ms", "Time between two steps of growth while a mapping is throttled (C2, C3, C4)."
    )
    idle_reduction: int = _assumed(
        300_000, 60_000, 3_600_000, "ms", "Time without a message after which a mapping goes down to 2 pollers (ES-5)."
    )
    mapping_change: int = _assumed(
        35_000,
        1,
        120_000,
        "ms",
        "Longest time until a change of a mapping holds (EC-21); on AWS the wait for it never took longer than 35 s.",
    )
    mapping_change_least: int = _assumed(
        1_000,
        1,
        120_000,
        "ms",
        "Shortest time until a change of a mapping holds; one longer than the longest has no effect.",
    )
    let_go_on_error: int = _assumed(
        0, 0, 100, "%", "Share of the failed invocations that cost the mapping a poller, however many it has (C7)."
    )
    let_go_in_proportion: int = _assumed(
        16,
        0,
        1_000,
        "‰",
        "Share of its pollers that each failed invocation costs the mapping in addition, together at most one poller "
        "(C7): half as many errors then leave 1.4 times as many pollers, and not twice as many.",
    )
    other_answers_fail: int = _assumed(
        0,
        0,
        1,
        "(0: no, 1: yes)",
        "1 if an answer with other keys than batchItemFailures makes the whole batch fail; as far as is known, it is "
        "read like an empty one (PB-3, PB-11).",
    )
    other_shapes_fail: int = _assumed(
        1,
        0,
        1,
        "(0: no, 1: yes)",
        "1 if an answer whose items have another key (recorded), or that is JSON of another shape, fails the whole "
        "batch; 0 if it is read like an empty one, as one field report says (PB-8, PB-17).",
    )
    cut_off_messages_wait: int = _assumed(
        0,
        0,
        1,
        "(0: no, 1: yes)",
        "1 if messages of a FIFO group that did not fit into one payload with an earlier one that fails wait until "
        "they are visible again; 0 if their poller goes on with them (EQ-6).",
    )
    metadata_filters: int = _assumed(
        1,
        0,
        1,
        "(0: no, 1: yes)",
        "1 if a filter on other keys than body tests the message's event record, as one of AWS's tables says; 0 if it "
        "matches no message, as another text says that only body is supported (FL-4, FL-7).",
    )
    moved_messages_wait: int = _assumed(
        1,
        0,
        1,
        "(0: no, 1: yes)",
        "1 if a message that a redrive policy moves waits for the delay of the dead-letter queue, as a sent one does; "
        "one field report says that it comes at once (DL-7).",
    )
    longest_pause: int = _assumed(
        1_000,
        0,
        60_000,
        "ms",
        "Time for which a pause of the fault plan holds a task back at most: latency of a call on AWS's side has no "
        "upper bound, and code may stand still for as long.",
    )

    __repr__ = concise_repr


def nearer_to_measured(assumptions: Assumptions) -> Iterator[Assumptions]:
    """Yield copies of the assumptions, each with one changed value set back to its default."""
    for field in attrs.fields(Assumptions):
        usual = field.default
        if isinstance(usual, int) and getattr(assumptions, field.name) != usual:
            yield attrs.evolve(assumptions, **{field.name: usual})


def check_assumptions(checks: Checks, assumptions: Assumptions) -> None:
    """Note each assumption that is out of its range."""
    for field in attrs.fields(Assumptions):
        value: object = getattr(assumptions, field.name)
        low, high, unit = (field.metadata[key] for key in ("low", "high", "unit"))
        checks.whole(field.name, value, low, high, unit)
