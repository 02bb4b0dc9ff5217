"""For how long a run is worth watching."""

import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.model.history import History
from chaosqs.model.liveness import liveness_deadline, redrive_loop, run_length
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate

FAILING = {"worker": Behaviour(poison=(0,))}
LOAD = [Burst("orders", 1, at=5)]
DAY = 86_400


def design(source: int, target: int, *, polled: bool = False, end: str = "", redrive: bool = True) -> Design:
    """Return a design whose queues keep messages for a number of seconds."""
    queues = [
        Queue(f"orders{end}", retention_period=source, redrive=Redrive(f"dlq{end}", 2) if redrive else None),
        Queue(f"dlq{end}", retention_period=target),
    ]
    mappings = [EventSourceMapping(f"orders{end}", "worker"), *[EventSourceMapping(f"dlq{end}", "worker")] * polled]
    return Design(queues, [Function("worker")], mappings)


@pytest.mark.parametrize(("source", "target"), [(4 * DAY, DAY), (3_600, 3_600), (14 * DAY, 4 * DAY)])
def test_DLQ_9_a_run_lasts_until_a_dead_letter_is_gone(source: int, target: int) -> None:
    """Where the dead-letter queue keeps messages no longer than its source: from the sending on."""
    assert run_length(design(source, target), LOAD, FAILING) == 5 + target + 1


@pytest.mark.parametrize(
    "usual",
    [
        design(4 * DAY, 14 * DAY),
        design(4 * DAY, 4 * DAY),
        design(4 * DAY, DAY, redrive=False),
        design(4 * DAY, DAY, end=".fifo"),
    ],
    ids=["kept longer", "nobody chose", "no dead letters", "a FIFO queue counts anew (DLQ-10)"],
)
def test_otherwise_a_run_ends_when_everything_must_be_over(usual: Design) -> None:
    """Nothing more can happen to a dead letter."""
    load = [Burst(usual.queues[0].name, 1, at=5)]
    assert run_length(usual, load, FAILING) == liveness_deadline(usual, load, FAILING)


def test_where_messages_may_go_round_for_days_nobody_waits() -> None:
    """Some queue without a redrive policy would fill the history with its retries."""
    endless = Design(
        [*design(4 * DAY, DAY).queues, Queue("returns")],
        [Function("worker")],
        [EventSourceMapping("orders", "worker"), EventSourceMapping("returns", "worker")],
    )
    assert run_length(endless, LOAD, FAILING) == liveness_deadline(endless, LOAD, FAILING)


def test_a_run_is_never_shorter_than_everything_takes() -> None:
    """Also where the retention of dead letters is."""
    brief = design(3_600, 60)
    assert run_length(brief, [Burst("orders", 200)], FAILING) >= liveness_deadline(
        brief, [Burst("orders", 200)], FAILING
    )


def test_where_messages_only_go_round_a_run_shows_four_rounds() -> None:
    """However many they are: in a loop of redrive policies each round is like the one before."""
    looped = Design(
        [Queue("orders", redrive=Redrive("dlq", 1)), Queue("dlq", redrive=Redrive("orders", 1))],
        [Function("worker")],
        [EventSourceMapping("orders", "worker"), EventSourceMapping("dlq", "worker")],
    )
    assert {run_length(looped, [Burst("orders", count)], FAILING) for count in (1, 100, 10_000)} == {4 * 60}
    assert redrive_loop(looped, "orders") == ("orders", "dlq")
    assert redrive_loop(design(60, 60), "orders") == ()
    healthy = {"worker": Behaviour()}
    assert run_length(looped, LOAD, healthy) == liveness_deadline(looped, LOAD, healthy)


def test_DLQ_1_more_receives_than_a_run_waits_for_are_not_waited_for_one_by_one() -> None:
    """With 1,000 receives granted a run lasts for 100 visibility timeouts, not for 100 timeouts a message."""
    queues = [Queue("orders", redrive=Redrive("dlq", 1000)), Queue("dlq")]
    patient = Design(queues, [Function("worker")], [EventSourceMapping("orders", "worker")])
    assert run_length(patient, [Burst("orders", 60)], FAILING) == 100 * 30


def test_LX_16_a_run_lasts_until_the_guard_stops_dead_letters_that_are_sent_back() -> None:
    """Where code that polls the dead-letter queue has a variable with the source's URL: 17 rounds of 2 receives."""
    looping = Design(
        design(4 * DAY, 14 * DAY).queues,
        [Function("worker"), Function("again")],
        [EventSourceMapping("orders", "worker"), EventSourceMapping("dlq", "again")],
    )
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"
    code = {"again": Behaviour(handler="app:handler", environment={"SOURCE": url})}
    assert run_length(looping, LOAD, code) == 5 + 17 * (2 * 30 + 3) + 1
    other = {"again": Behaviour(handler="app:handler", environment={"SOURCE": f"{url}-2"})}
    assert run_length(looping, LOAD, other) == liveness_deadline(looping, LOAD, other)


@pytest.mark.parametrize(
    "failing",
    [
        Behaviour(poison=(0, 1, 2)),
        Behaviour(error_rate=1),
        Behaviour(seconds_per_batch=3),
        Behaviour(error_rate=1, spread=1),
    ],
    ids=["poison", "always an error", "always a timeout", "an error, whatever it takes"],
)
def test_a_run_ends_where_all_that_is_left_fails_again_and_again(failing: Behaviour) -> None:
    """Once each message came back 22 times, although the run was to last longer; it has not drained."""
    history = _endless(failing)
    assert history.ended_at_ms < 23 * 30_000
    assert {len(own) for own in history.deliveries.values()} == {23}
    assert history.drained_at_ms is None


@pytest.mark.parametrize(
    ("failing", "faults"),
    [
        (Behaviour(error_rate=0.9), FaultPlan()),
        (Behaviour(seconds_per_batch=2.9, spread=1), FaultPlan()),
        (Behaviour(error_rate=1), FaultPlan(windows=[Window("error", scope="", start=0, seconds=999)])),
    ],
    ids=["errors by chance", "timeouts by chance", "a fault that lasts"],
)
def test_a_run_goes_on_where_something_new_may_happen(failing: Behaviour, faults: FaultPlan) -> None:
    """Some message may yet succeed, or the plan is not over: the run lasts as long as it was to last, or is done."""
    history = _endless(failing, faults)
    assert history.drained_at_ms is not None or history.ended_at_ms >= 999_000


def _endless(failing: Behaviour, faults: FaultPlan | None = None) -> History:
    """Return a run of 1,000 seconds of three messages in a queue without a redrive policy."""
    queue, function = Queue("orders", visibility_timeout=30), Function("worker", timeout=3)
    forever = Design([queue], [function], [EventSourceMapping("orders", "worker", batch_size=1)])
    return simulate(
        Scenario(forever, [Burst("orders", 3)], {"worker": failing}, faults or FaultPlan(), seed=1, until=1000)
    )
