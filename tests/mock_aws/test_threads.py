"""Threads and event loops of a test inside `aws()` live in virtual time, in an order that repeats."""

from __future__ import annotations

import asyncio
import queue
import sched
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from types import ModuleType

import pytest
import trio

from chaosqs.errors import Deadlock, EscapedSimulation
from chaosqs.mock_aws.aws import MockAws, aws
from chaosqs.model.history import History
from tests.conformance.lambda_under_test import functions
from tests.conformance.queue_under_test import Got, QueueUnderTest, create


@pytest.fixture
def world() -> Generator[MockAws]:
    with aws() as opened:
        yield opened


@pytest.fixture
def orders(world: MockAws) -> QueueUnderTest:
    return create(world.client(), "orders", {"VisibilityTimeout": "5"})


def beats(orders: QueueUnderTest, message: Got, stop: threading.Event) -> None:
    while not stop.wait(3):
        orders.hide(message, 5)


def test_a_heartbeat_keeps_a_message_hidden(orders: QueueUnderTest) -> None:
    """H11: a thread extends the visibility while the test works; without it the message comes back."""
    orders.send("one")
    stop = threading.Event()
    heart = threading.Thread(target=beats, args=(orders, orders.one(), stop))
    heart.start()
    for _ in range(10):
        time.sleep(3)
        assert orders.bodies() == []
    stop.set()
    heart.join()
    assert not heart.is_alive()
    time.sleep(5)
    assert orders.bodies() == ["one"]


def test_a_consumer_polls_in_a_thread(world: MockAws, orders: QueueUnderTest) -> None:
    """It gets each message when it is sent, while the test sleeps."""
    got: list[tuple[str, float]] = []

    def consume() -> None:
        while len(got) < 3:
            for message in orders.receive(wait=20):
                got.append((message.body, round(world.now)))
                orders.delete(message)

    consumer = threading.Thread(target=consume)
    consumer.start()
    for second in (0, 30, 100):
        time.sleep(second - world.now if second else 0)
        orders.send(f"at {second}")
    consumer.join()
    assert got == [("at 0", 0), ("at 30", 30), ("at 100", 100)]


def test_pools_overlap(world: MockAws) -> None:
    """The futures of a pool are done in the order of virtual time."""
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(time.sleep, [3, 1, 2, 3])) == [None] * 4
        assert world.now == 3
        futures: dict[Future[None], int] = {pool.submit(time.sleep, seconds): seconds for seconds in (9, 5, 7)}
        assert [futures[future] for future in as_completed(futures, timeout=60)] == [5, 7, 9]
    assert world.now == 12


def test_timers_and_schedulers_run_in_virtual_time(world: MockAws) -> None:
    """`threading.Timer`, a cancelled one, and a scheduler on the test's clock."""
    rang: list[tuple[str, float]] = []
    timers = [threading.Timer(seconds, lambda: rang.append(("timer", world.now))) for seconds in (60, 5)]
    for timer in timers:
        timer.start()
    timers[0].cancel()
    events = sched.scheduler(time.monotonic, time.sleep)
    events.enter(3, 0, lambda: rang.append(("scheduler", world.now)))
    events.run()
    time.sleep(100)
    assert rang == [("scheduler", 3), ("timer", 5)]


def test_a_test_waits_for_what_a_function_does(world: MockAws, orders: QueueUnderTest) -> None:
    """Events and queues that a handler sets or fills wake the test at their moment."""
    done, results = threading.Event(), queue.Queue[str]()

    def handler(_: object, __: object) -> None:
        time.sleep(2)
        results.put("worked")
        done.set()

    world.function("worker", handler)
    functions().map(orders)
    time.sleep(60)
    orders.send("one")
    assert done.wait(timeout=30)
    assert results.get(timeout=1) == "worked"
    assert 62 < world.now < 63
    assert not threading.Event().wait(10)
    with pytest.raises(queue.Empty):
        results.get(timeout=10)
    assert 82 < world.now < 83


def test_threads_repeat_themselves() -> None:
    """The history of two runs is the same, event by event."""

    def run() -> History:
        with aws() as world:
            orders = create(world.client(), "orders")

            def work(number: int) -> None:
                for n in range(5):
                    orders.send(f"{number} {n}")
                    for message in orders.receive(1, wait=1):
                        orders.delete(message)

            with ThreadPoolExecutor(4) as pool:
                list(pool.map(work, range(8)))
            return world.history()

    assert run().digest == run().digest


@pytest.mark.parametrize(
    "wait",
    [lambda: threading.Event().wait(), lambda: queue.Queue[int]().get(), lambda: Future[None]().result()],
    ids=["event", "queue", "future"],
)
@pytest.mark.usefixtures("world")
def test_a_wait_for_ever_is_an_error(wait: Callable[[], object]) -> None:
    """It names the place, and does not hang, also while a mapping polls."""
    with pytest.raises(Deadlock, match=r"the test waits at tests/mock_aws/test_threads.py:\d+, and nothing.*\n"):
        wait()


def test_a_wait_for_ever_beside_a_mapping_is_an_error(world: MockAws, orders: QueueUnderTest) -> None:
    """Pollers never come to an end, so the wait has one: 14 days."""
    world.function("worker", lambda _, __: None)
    functions().map(orders)
    with pytest.raises(Deadlock):
        threading.Event().wait()


def test_threads_end_with_the_block() -> None:
    """Whatever they wait for; their `finally` is done, and none of them lives on in real time."""
    ended: list[str] = []

    def works() -> None:
        try:
            time.sleep(10**6)
        finally:
            ended.append("worked")

    before = threading.enumerate()
    with aws():
        thread = threading.Thread(target=works)
        thread.start()
        ThreadPoolExecutor(1).submit(works)
        time.sleep(1)
        assert len(threading.enumerate()) == len(before) + 2
    assert ended == ["worked"] * 2
    assert not thread.is_alive()
    assert threading.enumerate() == before


def test_locals_locks_and_identities_are_those_of_threads(world: MockAws) -> None:
    """Each thread has its own `threading.local` and identity; a lock holds others off while its owner sleeps."""
    local, lock, seen = threading.local(), threading.RLock(), list[tuple[int, float]]()

    def work(number: int) -> int:
        local.number = number
        with lock, lock:
            time.sleep(2)
            seen.append((local.number, world.now))
        return threading.get_ident()

    with ThreadPoolExecutor(3) as pool:
        assert len({*pool.map(work, range(3)), threading.get_ident()}) == 4
    assert seen == [(0, 2), (1, 4), (2, 6)]
    assert not hasattr(local, "number")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_ends_its_thread_only(world: MockAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """`threading.excepthook` gets it, as ever."""
    caught: list[object] = []

    def hook(given: threading.ExceptHookArgs) -> None:
        caught.append(given.exc_value)

    monkeypatch.setattr(threading, "excepthook", hook)

    def fails() -> None:
        raise ValueError("no")

    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    assert str(caught) == "[ValueError('no')]"
    assert world.now == 0


def test_an_interrupt_in_a_thread_reaches_the_test(world: MockAws) -> None:
    """Ctrl-C ends the test, whoever runs at that moment."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    threading.Thread(target=interrupted).start()
    with pytest.raises(KeyboardInterrupt):
        time.sleep(1)
    time.sleep(1)
    assert world.now == 1


TIMER = """
import threading, time
timer = threading.Timer(0.01, lambda: rang.append(time.time()))
timer.start()
"""


def test_real_threads_stay_real() -> None:
    """Those that began before the block, and those that tools start in it."""
    go, gone, ticks = threading.Event(), threading.Event(), list[float]()

    def waits() -> None:
        go.wait()
        ticks.append(time.time())
        gone.set()

    thread = threading.Thread(target=waits)
    thread.start()
    with aws() as world:
        names: dict[str, object] = {"__name__": "pytest_timeout", "rang": ticks}
        exec(TIMER, names)  # noqa: S102 - code of a tool
        go.set()
        assert world.now == 0
    thread.join()
    timer = names["timer"]
    assert isinstance(timer, threading.Timer)
    timer.join()
    assert len(ticks) == 2
    assert min(ticks) > 1_764_547_200 + 1000


def test_worlds_in_threads_have_threads_of_their_own() -> None:
    """Two tests at once, each with threads in its own virtual time."""

    def run(seconds: int) -> float:
        with aws() as world, ThreadPoolExecutor(4) as pool:
            list(pool.map(time.sleep, [seconds] * 8))
            return world.now

    with ThreadPoolExecutor(2) as real:
        assert list(real.map(run, [5, 7])) == [10, 14]


# Event loops ----------------------------------------------------------------------------------------------------------


def test_asyncio_runs_in_virtual_time(world: MockAws, orders: QueueUnderTest) -> None:
    """Sleeps, time limits, and boto3 in threads of the loop."""

    async def consume() -> list[str]:
        return [message.body for message in await asyncio.to_thread(orders.receive, wait=20)]

    async def main() -> list[str]:
        consumer = asyncio.create_task(consume())
        await asyncio.gather(asyncio.sleep(2), asyncio.sleep(3), asyncio.to_thread(time.sleep, 3))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 4)
        await asyncio.to_thread(orders.send, "one")
        return await consumer

    started = world.now
    assert asyncio.run(main()) == ["one"]
    assert world.now - started == pytest.approx(7.008)


def test_a_handler_has_a_loop_of_its_own(world: MockAws) -> None:
    """Also if the test calls it from a coroutine."""
    world.function("worker", lambda _, __: asyncio.run(asyncio.sleep(2, "slept")))

    async def main() -> object:
        return functions().invoke()

    assert asyncio.run(main()) == ("slept", None)
    assert world.now == pytest.approx(2.008)


async def sleeps(library: ModuleType) -> str:
    with aws() as world:
        create(world.client(), "orders").send("one")
        time.sleep(5)  # noqa: ASYNC251 - it is virtual
        assert world.now == pytest.approx(5.016)
        with pytest.raises(EscapedSimulation) as caught:
            await vars(library)["sleep"](1)
    return str(caught.value)


def test_a_loop_around_the_block_may_not_sleep() -> None:
    """`asyncio.sleep` and `trio.sleep` would sleep in real time there: an error says what to do; calls work."""
    for text in (asyncio.run(sleeps(asyncio)), trio.run(sleeps, trio)):
        first, second = text.splitlines()
        assert first.startswith("the test sleeps at tests/mock_aws/test_threads.py:")
        assert "time.sleep" in second
