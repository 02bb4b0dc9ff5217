"""For how long a run is worth watching."""

import attrs
import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.model.liveness import liveness_deadline, redrive_loop, run_length
from chaosqs.model.scenario import Scenario
from chaosqs.model.time import milliseconds
from chaosqs.model.workload import Burst
from chaosqs.search.simplicity import ending
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


FAILS = {
    "poison": Behaviour(poison=(0, 1, 2)),
    "always an error": Behaviour(error_rate=1),
    "always a timeout": Behaviour(seconds_per_batch=3),
    "an error, whatever it takes": Behaviour(error_rate=1, spread=1),
}
MAY_SUCCEED = {
    "errors by chance": Behaviour(error_rate=0.9),
    "timeouts by chance": Behaviour(seconds_per_batch=2.9, spread=1),
}


@pytest.mark.parametrize("failing", FAILS.values(), ids=FAILS)
def test_a_run_ends_where_all_that_is_left_fails_again_and_again(failing: Behaviour) -> None:
    """Once each message came back 22 times, although other work might have lasted longer; it has not drained."""
    scenario = _beside_other_work(failing)
    history = simulate(scenario)
    assert scenario.until is not None
    assert history.ended_at_ms < 24 * 30_000 < milliseconds(scenario.until)
    assert {len(history.deliveries[number]) for number in range(3)} == {23}
    assert history.drained_at_ms is None


@pytest.mark.parametrize("failing", FAILS.values(), ids=FAILS)
def test_a_run_goes_on_to_an_end_that_the_user_gave(failing: Behaviour) -> None:
    """It may be about how often the messages come back."""
    scenario = attrs.evolve(_beside_other_work(failing), until=1490)
    history = simulate(scenario)
    assert history.ended_at_ms == 1_490_000
    assert {len(history.deliveries[number]) for number in range(3)} == {50}


@pytest.mark.parametrize("failing", MAY_SUCCEED.values(), ids=MAY_SUCCEED)
def test_a_run_goes_on_where_a_message_may_yet_succeed(failing: Behaviour) -> None:
    """It lasts as long as it was to last, or is done."""
    scenario = _beside_other_work(failing)
    history = simulate(scenario)
    assert scenario.until is not None
    assert history.drained_at_ms is not None or history.ended_at_ms == milliseconds(scenario.until)


def test_a_run_goes_on_while_a_fault_lasts() -> None:
    """What comes after it may be new."""
    window = Window("error", scope="orders", start=0, seconds=999)
    history = simulate(_beside_other_work(Behaviour(error_rate=1), FaultPlan(windows=[window])))
    assert history.ended_at_ms >= 999_000


def _beside_other_work(failing: Behaviour, faults: FaultPlan | None = None) -> Scenario:
    """Return three messages in a queue without a redrive policy, and some in another queue, which may take long."""
    design = Design(
        [Queue("orders", visibility_timeout=30), Queue("films", visibility_timeout=300)],
        [Function("worker", timeout=3), Function("cutter", timeout=100, reserved_concurrency=1)],
        [EventSourceMapping("orders", "worker", batch_size=1), EventSourceMapping("films", "cutter", batch_size=1)],
    )
    behaviours = {"worker": failing, "cutter": Behaviour(seconds_per_message=10)}
    load = [Burst("orders", 3), Burst("films", 5)]
    return ending(Scenario(design, load, behaviours, faults or FaultPlan(), seed=1))
