"""All rows of the seeds and of the published measurements, as one table."""

from __future__ import annotations

from chaosqs.model.events import InvocationStarted, Received, Throttled
from tests.calibration import figures as f
from tests.calibration.designs import middle
from tests.calibration.figures import Figure

_A1 = "100 messages at once, ~20 s each, BS 1, RC 5, +60/min"
_A2 = "new mapping, RC 3, BS 10, flood"
_C1 = "300 messages over 3.5 s, 1 s each, BS 10, no RC, VT 15, MRC 1, +60/min"
_C2 = "as C1 with RC 1, VT 300"
_C3 = "as C1 with BS 1, RC 1, VT 110"
_C4 = "11 messages at once, 1 s each, BS 1, RC 1, VT 30, +300/min"
_C7 = "50 ms, constant traffic, 5 % of the invocations throw, +300/min"
_C8 = "100,000 messages at once, BS 1, 0.57 s, +60/min"
_C9 = "FIFO, one group, 300 messages over 3.5 s, 1 s each, BS 10, VT 15, MRC 1, +60/min"
_C10 = "FIFO, five groups, 300 messages over 3.5 s, 1 s each, BS 1, RC 1, VT 3, MRC 1, +60/min"

ROWS: tuple[Figure, ...] = (
    Figure("A1", _A1, "throttles", "~200", 120, 300, lambda: middle(f.a1(), "functions", "worker", "Throttles")),
    Figure("A1", _A1, "processed", "100", 100, 100, lambda: middle(f.a1(), "messages", "processed")),
    Figure("A1", _A1, "executions", "5", 5, 5, lambda: middle(f.a1(), "functions", "worker", "ConcurrentExecutions")),
    Figure("A1", _A1, "drained after (s)", "≥ 400", 400, 600, lambda: middle(f.a1(), "drained_at")),
    Figure("A2", _A2, "messages in the first wave", "50", 50, 50, lambda: f.a2(Received)),
    Figure("A2", _A2, "batches that run", "3", 3, 3, lambda: f.a2(InvocationStarted)),
    Figure("A2", _A2, "batches throttled", "2", 2, 2, lambda: f.a2(Throttled)),
    Figure("A3", "mapping enabled, RC 1, flood", "first receives", "5", 5, 5, f.a3),
    Figure(
        "A4",
        "flood, MRC 3, RC 2 against RC 30",
        "P(DLQ) at RC 2 less at RC 30",
        "falls with RC",
        0.05,
        1,
        lambda: f.share_dead_lettered() - f.share_dead_lettered(reserved=30),
    ),
    Figure(
        "A5",
        "flood of 200, RC 2, MRC 1, VT 60 against VT 30",
        "dead-lettered, as a share",
        "falls with VT",
        0.05,
        0.7,
        lambda: f.dead_lettered(receives=1, visibility=60) / f.dead_lettered(receives=1),
    ),
    Figure(
        "A5",
        "flood of 200, RC 2, VT 30, MRC 2 against MRC 1",
        "dead-lettered, as a share",
        "falls with MRC",
        0.05,
        0.7,
        lambda: f.dead_lettered(receives=2) / f.dead_lettered(receives=1),
    ),
    Figure("A5", "flood of 300, RC 1, VT 6 × timeout, MRC 5", "dead-lettered", "> 0", 0.5, 60, f.mitigated, slow=True),
    Figure("A6", "VT 1440, retention 345,600, always fails, no DLQ", "attempts", "240", 239, 241, f.a6),
    Figure("A7", "poison among steady traffic", "falls of the oldest age", "a sawtooth", 2, 60, f.a7),
    Figure("A8", "VT = timeout, handler up to it", "executions of one message", "≥ 2", 2, 5, f.a8),
    Figure("A9", "256 KB messages, BS 10,000", "largest batch", "23", 23, 23, lambda: f.a9(256)),
    Figure("A10", "deep backlog, +60/min", "after 1 minute", "65", 58.5, 71.5, lambda: f.after_minutes(30_000, 1)),
    Figure("A10", "deep backlog, +60/min", "after 2 minutes", "125", 112.5, 137.5, lambda: f.after_minutes(30_000, 2)),
    Figure("A11", "BS 5, third message fails", "messages that return", "5", 5, 5, lambda: f.a11(5, 2)),
    Figure("A11", "BS 10, seventh message fails", "messages that return", "10", 10, 10, lambda: f.a11(10, 6)),
    Figure(
        "A12",
        "backlog, 20 % of the invocations fail",
        "concurrency against none failing",
        "fewer",
        0.1,
        0.6,
        lambda: f.concurrency_with_errors(0.2) / f.concurrency_with_errors(0),
    ),
    Figure("A13", "RC 3, load", "throttles", "> 0", 6, 60, lambda: f.throttles(3, 60)),
    Figure("A13", "RC 5, a burst of 5", "throttles", "0", 0, 0, lambda: f.throttles(5, 5)),
    Figure(
        "A14",
        "BS 100, W 1 against W 10",
        "latency at W 10 less at W 1 (s)",
        "grows with W",
        5,
        12,
        lambda: f.window_delay(10) - f.window_delay(1),
    ),
    Figure("A15", "fails for ever, MRC 4", "deliveries", "4", 4, 4, f.a15),
    Figure("A16", "4 messages, half of the servers asked", "short poll finds", "not all", 2, 2, lambda: f.a16(0)),
    Figure("A16", "4 messages, half of the servers asked", "long poll finds", "all", 4, 4, lambda: f.a16(1)),
    Figure(
        "A17",
        "maximum concurrency 3",
        "throttles",
        "0",
        0,
        0,
        lambda: middle(f.a17(capped=True), "functions", "worker", "Throttles"),
    ),
    Figure(
        "A17",
        "RC 3 instead",
        "throttles",
        "> 0",
        10,
        80,
        lambda: middle(f.a17(capped=False), "functions", "worker", "Throttles"),
    ),
    Figure("C1", _C1, "drained after (s)", "26–31", 22, 36, lambda: middle(f.c1(), "drained_at")),
    Figure(
        "C1", _C1, "executions", "19", 14, 26, lambda: middle(f.c1(), "functions", "worker", "ConcurrentExecutions")
    ),
    Figure("C1", _C1, "mean batch", "7.8", 6.5, 9.3, lambda: f.mean_batch(f.c1())),
    Figure("C1", _C1, "throttles", "0", 0, 0, lambda: middle(f.c1(), "functions", "worker", "Throttles")),
    Figure("C1", _C1, "dead-lettered", "0", 0, 0, lambda: middle(f.c1(), "messages", "dead_lettered")),
    Figure("C2", _C2, "drained after (s)", "322–345", 305, 365, lambda: middle(f.c2(), "drained_at")),
    Figure("C2", _C2, "dead-lettered", "0, 0, 10", 0, 20, lambda: middle(f.c2(), "messages", "dead_lettered")),
    Figure("C2", _C2, "in flight", "80–120", 60, 140, lambda: f.flight(f.c2())),
    Figure("C3", _C3, "drained after (s)", "431–450", 395, 485, lambda: middle(f.c3(), "drained_at")),
    Figure("C3", _C3, "dead-lettered", "0, 0, 2", 0, 8, lambda: middle(f.c3(), "messages", "dead_lettered")),
    Figure("C3", _C3, "in flight", "~10", 5, 15, lambda: f.flight(f.c3())),
    Figure("C4", _C4, "throttles", "14", 7, 30, lambda: middle(f.c4(), "functions", "worker", "Throttles")),
    Figure("C4", _C4, "drained after (s)", "all processed", 11, 25, lambda: middle(f.c4(), "drained_at")),
    Figure("C5", "idle queue, 2021", "empty receives a minute", "15", 14.5, 15.5, f.c5),
    Figure("C6", "warm, one at a time", "P50 (ms)", "16.2", 10, 30, lambda: f.percentile(0.5)),
    Figure("C6", "warm, one at a time", "P90 (ms)", "33.8", 20, 60, lambda: f.percentile(0.9)),
    Figure("C6", "warm, one at a time", "P99 (ms)", "105", 60, 250, lambda: f.percentile(0.99)),
    Figure(
        "C7",
        _C7,
        "concurrency against none failing",
        "16 of 60",
        0.15,
        0.40,
        lambda: f.c7(0.05)[0] / f.c7(0)[0],
        slow=True,
    ),
    Figure(
        "C7", _C7, "throughput against none failing", "25 %", 0.12, 0.40, lambda: f.c7(0.05)[1] / f.c7(0)[1], slow=True
    ),
    Figure("C9", _C9, "drained after (s)", "302", 299, 308, lambda: middle(f.c9(), "drained_at")),
    Figure("C9", _C9, "invocations", "31", 30, 34, lambda: middle(f.c9(), "functions", "worker", "Invocations")),
    Figure("C9", _C9, "executions", "1", 1, 1, lambda: middle(f.c9(), "functions", "worker", "ConcurrentExecutions")),
    Figure("C9", _C9, "dead-lettered", "0", 0, 0, lambda: middle(f.c9(), "messages", "dead_lettered")),
    Figure("C9", _C9, "in flight", "10", 0, 10, lambda: f.flight(f.c9(), "orders.fifo")),
    Figure("C10", _C10, "dead-lettered", "230", 180, 270, lambda: middle(f.c10(), "messages", "dead_lettered")),
    Figure("C10", _C10, "in flight", "5", 4, 5, lambda: f.flight(f.c10(), "orders.fifo")),
    *(
        Figure(
            "C8",
            _C8,
            f"instances after {minutes} min",
            str(seen),
            seen * 0.9,
            seen * 1.1,
            lambda minutes=minutes: f.after_minutes(100_000, minutes),  # type: ignore[misc]
            slow=True,
        )
        for minutes, seen in enumerate((7, 67, 127, 185, 261, 330))
    ),
    Figure(
        "C8",
        _C8,
        "drained after (min)",
        "5.5",
        5.5 * 0.92,
        5.5 * 1.08,
        lambda: (f.deep_backlog(100_000, "2018-06").drained_at_ms or 0) / 60_000,
        slow=True,
    ),
)
