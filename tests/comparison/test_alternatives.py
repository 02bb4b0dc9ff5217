"""Alternatives to event source mappings: the fate of messages, seen through `compare`."""

from __future__ import annotations

import attrs
import pytest

from chaosqs.comparison.machines.shard import shard_of
from chaosqs.comparison.run import journey
from chaosqs.model.alternative import Alternative, RateLimitedFront, SelfPolling, Stream
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import Deleted, InvocationEnded, InvocationStarted, Received, Throttled
from chaosqs.model.figures import Figures, Happened
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Load, Steady
from chaosqs.project.comparing import compare

SECOND = Behaviour(seconds_per_message=1, seconds_per_batch=0)


def scenario(
    *loads: Load,
    behaviour: Behaviour = SECOND,
    reserved: int | None = 5,
    timeout: int = 60,
    visibility: int = 100,
    seed: int = 0,
    receives: int | None = None,
    until: float | None = None,
) -> Scenario:
    """Return ten messages at once, or some loads, for a function with a mapping."""
    redrive = None if receives is None else Redrive("dlq", receives)
    design = Design(
        [Queue("orders", visibility_timeout=visibility, retention_period=7_200, redrive=redrive), Queue("dlq")],
        [Function("worker", timeout=timeout, reserved_concurrency=reserved)],
        [EventSourceMapping("orders", "worker")],
    )
    return Scenario(design, loads or [Burst("orders", 10)], {"worker": behaviour}, seed=seed, until=until)


def figures(given: Scenario, alternative: Alternative) -> Figures:
    """Return the column of an alternative, and prove that nothing vanishes in it."""
    found = compare(given, [alternative]).columns[1]
    lost = found.lost_to_the_caller or 0
    fates = found.processed + found.dead_lettered + found.discarded + found.remaining + lost
    assert fates >= found.sent
    return found


ALTERNATIVES: tuple[Alternative, ...] = (
    SelfPolling("orders", "worker", chains=3),
    RateLimitedFront("worker", 3, burst=4, retries=6),
    Stream("worker", 3, batch_size=4),
)
EACH = pytest.mark.parametrize("alternative", ALTERNATIVES, ids=lambda value: type(value).__name__)


@EACH
@pytest.mark.parametrize("seed", [0, 7])
def test_the_same_arguments_give_the_same_run(alternative: Alternative, seed: int) -> None:
    """The same table and the same fingerprint of all that happened, twice."""
    given = scenario(Steady("orders", 5, 20), behaviour=Behaviour(0.5, spread=0.4, error_rate=0.1), seed=seed)
    first, second = compare(given, [alternative]), compare(given, [alternative])
    assert first == second
    assert str(first) == str(second)


@EACH
def test_the_seed_and_the_alternative_show_in_the_fingerprint(alternative: Alternative) -> None:
    """Another seed is another run."""
    one, other = (figures(scenario(seed=seed), alternative) for seed in (1, 2))
    assert one.digest != other.digest


@EACH
def test_nothing_exceeds_the_functions_concurrency(alternative: Alternative) -> None:
    """Reserved concurrency holds for every way to invoke a function."""
    found = figures(scenario(Burst("orders", 30), reserved=2, seed=3), alternative)
    assert found.concurrent_executions <= 2
    assert found.throttles > 0


@EACH
def test_the_accounts_concurrency_is_shared(alternative: Alternative) -> None:
    """A function without a reservation gets what other traffic leaves."""
    given = scenario(Burst("orders", 30), reserved=None, seed=3)
    crowded = attrs.evolve(given.design, account=Account(concurrency=101, other_traffic=100))
    found = figures(attrs.evolve(given, design=crowded), alternative)
    assert found.concurrent_executions == 1
    assert found.throttles > 0


@EACH
def test_a_run_that_is_cut_off_says_what_is_left(alternative: Alternative) -> None:
    """Nothing that is not processed vanishes from the figures."""
    found = figures(scenario(Burst("orders", 100), until=5), alternative)
    assert found.drained_at is None
    assert found.processed + found.remaining + (found.lost_to_the_caller or 0) == 100
    assert found.remaining > 0


@EACH
def test_an_empty_workload_is_over_at_once(alternative: Alternative) -> None:
    """Nobody waits for what does not come."""
    given = attrs.evolve(scenario(), workload=())
    found = figures(given, alternative)
    assert (found.sent, found.drained_at, found.longest_wait) == (0, 0, None)


@EACH
def test_other_mappings_of_the_design_go_on(alternative: Alternative) -> None:
    """The alternative replaces the mappings of its function, and only those."""
    given = scenario()
    design = attrs.evolve(
        given.design,
        queues=(*given.design.queues, Queue("returns")),
        functions=(*given.design.functions, Function("other")),
        mappings=(*given.design.mappings, EventSourceMapping("returns", "other")),
    )
    both = attrs.evolve(given, design=design, workload=(*given.workload, Burst("returns", 5)))
    assert figures(both, alternative).processed == 15


# Self-polling


def test_a_chain_receives_ten_at_a_time_and_deletes_each() -> None:
    """One chain works its messages off one after another, each deleted as soon as it is done (RX-1)."""
    done = journey(scenario(Burst("orders", 12)), SelfPolling("orders", "worker"))
    received = [len(event.messages) for event in done.history.events if isinstance(event, Received)]
    deleted = [event.messages for event in done.history.events if isinstance(event, Deleted)]
    assert received == [10, 2]
    assert deleted == [(number,) for number in range(12)]


def test_a_batch_is_deleted_together_where_it_says_so() -> None:
    """After the last of its messages."""
    done = journey(scenario(), SelfPolling("orders", "worker", delete="batch"))
    assert [len(event.messages) for event in done.history.events if isinstance(event, Deleted)] == [10]


def test_it_invokes_itself_before_its_timeout() -> None:
    """With less than `reserve` left it receives nothing more: 30 messages of a second are three invocations of 15 s."""
    done = journey(scenario(Burst("orders", 30), timeout=15), SelfPolling("orders", "worker", reserve=10))
    ends = [event for event in done.history.events if isinstance(event, InvocationEnded)]
    assert [event.outcome for event in ends] == ["succeeded"] * 3
    assert done.history.drained_at_ms is not None
    assert done.history.drained_at_ms < 32_000


def test_a_consumer_that_dies_leaves_messages_that_come_back() -> None:
    """They return after their visibility timeout; the chain goes on after Lambda's first retry, a minute later."""
    found = figures(scenario(timeout=5, visibility=90), SelfPolling("orders", "worker", reserve=1, schedule=3600))
    assert found.processed == 10
    assert found.longest_wait is not None
    assert found.longest_wait > 90
    assert found.lost_to_the_caller is None


def test_a_timeout_between_the_work_and_its_deletion_repeats_the_work() -> None:
    """Of ten seconds of work a timeout of 8 leaves nothing deleted, where the batch is deleted together."""
    given = scenario(timeout=8, visibility=90, until=600)
    assert figures(given, SelfPolling("orders", "worker", delete="batch")).processed_twice >= 7
    assert figures(given, SelfPolling("orders", "worker", delete="each")).processed_twice <= 1


def test_a_poisoned_message_takes_those_behind_it_along() -> None:
    """The handler does not catch: each try ends the invocation before the rest of the receive had its turn."""
    poisoned = Behaviour(seconds_per_message=1, seconds_per_batch=0, poison=(3,))
    found = figures(scenario(behaviour=poisoned, receives=2, visibility=70), SelfPolling("orders", "worker"))
    assert (found.processed, found.dead_lettered, found.dead_lettered_by_throttling) == (3, 7, 0)
    assert found.throttles == 0


@pytest.mark.parametrize("how", ["hangs", "crashes"])
def test_hangs_and_crashes_end_an_invocation_too(how: str) -> None:
    """As they do with a mapping."""
    behaviour = Behaviour(1, 0, poison=(0,), hangs=how == "hangs", crashes=how == "crashes")
    given = scenario(Burst("orders", 1), behaviour=behaviour, receives=1)
    ends = [
        event.outcome
        for event in journey(given, SelfPolling("orders", "worker", schedule=60)).history.events
        if isinstance(event, InvocationEnded)
    ]
    assert ends[0] == ("timed_out" if how == "hangs" else "crashed")


def test_an_error_rate_fails_receives() -> None:
    """The failure shows at the last message of a receive; the others are done."""
    failing = Behaviour(1, 0, error_rate=1)
    found = figures(scenario(behaviour=failing, receives=1, visibility=70), SelfPolling("orders", "worker"))
    assert (found.processed, found.dead_lettered) == (9, 1)


def test_LX_16_the_guard_ends_a_chain_and_the_schedule_starts_it_again() -> None:
    """With one receive an invocation, 16 invocations are a chain; `Allow` lets it go on."""
    given = scenario(Burst("orders", 200), behaviour=Behaviour(0.1, 0), timeout=3)
    guarded = figures(given, SelfPolling("orders", "worker", reserve=3))
    allowed = figures(given, SelfPolling("orders", "worker", reserve=3, recursive_loop="Allow"))
    assert guarded.drained_at is not None
    assert allowed.drained_at is not None
    assert guarded.drained_at > 60 > allowed.drained_at


def test_LX_20_a_function_that_allows_loops_lets_its_chains_go_on() -> None:
    """The setting of the design's function counts like that of the alternative."""
    given = scenario(Burst("orders", 200), behaviour=Behaviour(0.1, 0), timeout=3)
    functions = [attrs.evolve(each, recursive_loop="Allow") for each in given.design.functions]
    allowing = attrs.evolve(given, design=attrs.evolve(given.design, functions=functions))
    polling = SelfPolling("orders", "worker", reserve=3)
    assert figures(allowing, polling) == figures(given, attrs.evolve(polling, recursive_loop="Allow"))


def test_without_a_lock_the_schedule_adds_chains() -> None:
    """Up to the function's concurrency, where they are throttled."""
    given = scenario(Burst("orders", 500), reserved=3)
    polling = SelfPolling("orders", "worker", recursive_loop="Allow")
    locked, plain = figures(given, polling), figures(given, attrs.evolve(polling, lock=False))
    assert (locked.concurrent_executions, locked.throttles) == (1, 0)
    assert plain.concurrent_executions == 3
    assert plain.throttles > 0


def test_more_chains_than_the_function_can_run_end_all_the_same() -> None:
    """Chains that look in vain, more each minute than ever end, do not keep a run alive."""
    polling = SelfPolling("orders", "worker", chains=20, lock=False)
    found = figures(scenario(Steady("orders", 1, 300), reserved=1), polling)
    assert found.processed == 300


def test_a_late_message_wakes_a_long_poll_or_waits_for_the_schedule() -> None:
    """A chain that finds nothing for 20 s ends; the next start finds what came meanwhile."""
    woken = figures(scenario(Burst("orders", 1, at=10)), SelfPolling("orders", "worker"))
    late = figures(scenario(Burst("orders", 1, at=30)), SelfPolling("orders", "worker"))
    assert woken.longest_wait is not None
    assert late.longest_wait is not None
    assert woken.longest_wait < 1.1
    assert 31 < late.longest_wait < 31.5


def test_short_receives_end_a_chain_at_once() -> None:
    """With a wait time of 0 one invocation a minute looks."""
    done = journey(scenario(Burst("orders", 1, at=130)), SelfPolling("orders", "worker", wait_time=0))
    starts = [event.at for event in done.history.events if isinstance(event, InvocationStarted)]
    assert [at // 60_000 for at in starts] == [0, 1, 2, 3]


# Rate-limited front


def test_429s_are_pushed_again_until_they_get_through() -> None:
    """Patient clients lose nothing, and wait."""
    found = figures(scenario(seed=1), RateLimitedFront("worker", 1, burst=2, retries=50))
    assert (found.processed, found.lost_to_the_caller) == (10, 0)
    assert found.rate_limited is not None
    assert found.rate_limited > 8


def test_clients_that_give_up_lose_their_messages() -> None:
    """Without a retry only the burst gets through."""
    found = figures(scenario(), RateLimitedFront("worker", 1, burst=2, retries=0))
    assert (found.processed, found.lost_to_the_caller, found.rate_limited) == (2, 8, 8)


def test_a_throttle_of_lambdas_comes_back_as_an_error() -> None:
    """The front lets all through, the function runs one: the rest are throttles, not 429s of the front."""
    done = journey(scenario(reserved=1), RateLimitedFront("worker", retries=0))
    throttled = [event.messages for event in done.history.events if isinstance(event, Throttled)]
    assert throttled == [(number,) for number in range(1, 10)]
    assert [note.message for note in done.notes if note.what is Happened.GIVEN_UP] == list(range(1, 10))


def test_a_function_error_is_pushed_again_too() -> None:
    """A poisoned message is tried as often as its client pushes it, then it is lost."""
    poisoned = Behaviour(0.1, poison=(4,))
    found = figures(scenario(behaviour=poisoned, reserved=None), RateLimitedFront("worker", retries=2))
    assert (found.invocations, found.processed, found.lost_to_the_caller) == (12, 9, 1)


def test_a_front_that_stops_waiting_makes_duplicates() -> None:
    """After 504 the function works on; the client pushes again, and the work is done twice."""
    slow = Behaviour(seconds_per_message=10)
    given = scenario(Burst("orders", 1), behaviour=slow)
    found = figures(given, RateLimitedFront("worker", retries=1, integration_timeout=5))
    assert (found.invocations, found.processed_twice, found.lost_to_the_caller) == (2, 1, 1)


# Stream


def key_of(shard: int, shards: int) -> int:
    """Return the lowest message number whose own key belongs to a shard."""
    return next(number for number in range(1000) if shard_of(str(number), shards) == shard)


def test_no_more_invocations_than_shards_run_at_once() -> None:
    """One batch in flight a shard, whatever the function could take."""
    assert figures(scenario(Burst("orders", 60), reserved=None), Stream("worker", 3)).concurrent_executions == 3


def test_a_shard_is_worked_off_in_order() -> None:
    """Each shard's records, batch by batch, in the order in which they were put."""
    done = journey(scenario(Burst("orders", 40), seed=5), Stream("worker", 2, batch_size=3))
    ended = [event for event in done.history.events if isinstance(event, InvocationEnded)]
    for shard in (0, 1):
        seen = [number for event in ended for number in event.messages if shard_of(str(number), 2) == shard]
        assert seen == sorted(seen)
        assert len(seen) > 10


def test_a_message_group_is_a_partition_key() -> None:
    """All of a group go to one shard, so one group is one invocation at a time."""
    found = figures(scenario(Burst("orders", 20, groups=1)), Stream("worker", 5, batch_size=2))
    assert (found.processed, found.concurrent_executions) == (20, 1)


def test_a_poisoned_record_blocks_its_shard_and_only_its_shard() -> None:
    """For a day, by default: then it is discarded, and the others of its shard have waited for it."""
    poison = key_of(0, 2)
    given = scenario(Burst("orders", 20), behaviour=Behaviour(0.1, poison=(poison,)))
    blocked = [number for number in range(20) if shard_of(str(number), 2) == 0]
    early = figures(attrs.evolve(given, until=3600), Stream("worker", 2, batch_size=100))
    assert early.processed == 20 - len(blocked)
    assert early.remaining == len(blocked)
    late = figures(given, Stream("worker", 2, batch_size=100))
    assert (late.processed, late.discarded) == (20 - len(blocked), len(blocked))


def test_halving_and_a_failure_destination_cost_one_record_only() -> None:
    """The poisoned record goes to the destination, all others are processed."""
    given = scenario(Burst("orders", 20), behaviour=Behaviour(0.1, poison=(7,)))
    stream = Stream(
        "worker", 2, maximum_retry_attempts=1, bisect_batch_on_function_error=True, on_failure_destination=True
    )
    found = figures(given, stream)
    assert (found.processed, found.dead_lettered, found.discarded) == (19, 1, 0)
    assert found.dead_lettered_by_throttling == 0


def test_without_a_destination_what_is_given_up_is_discarded() -> None:
    """And nobody is told: the whole batch, where it is not halved."""
    given = scenario(Burst("orders", 20), behaviour=Behaviour(0.1, poison=(7,)))
    found = figures(given, Stream("worker", 1, maximum_retry_attempts=0))
    assert (found.processed, found.dead_lettered, found.discarded) == (0, 0, 20)


def test_throttling_alone_brings_records_to_the_destination() -> None:
    """Retries do not count throttles, but their age does: what the function never saw was lost by throttling."""
    stream = Stream("worker", 1, maximum_record_age=60, on_failure_destination=True)
    found = figures(scenario(reserved=0), stream)
    assert (found.processed, found.dead_lettered, found.dead_lettered_by_throttling) == (0, 10, 10)
    assert found.invocations == 0


def test_an_idle_shard_is_polled_once_a_second() -> None:
    """A record waits for the next poll, and with seed 0 half a second."""
    found = figures(scenario(Burst("orders", 1, at=2)), Stream("worker", 1))
    assert found.longest_wait is not None
    assert 1.5 < found.longest_wait < 2.0
