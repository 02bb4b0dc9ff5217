"""Virtual time on trio: order, ends, deadlocks, livelocks, and errors that keep their identity."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio

from chaosqs.errors import Deadlock, Livelock
from chaosqs.kernel.clock import VirtualClock
from chaosqs.kernel.event_queue import EventQueue, HoldingEventQueue


def _clock(event_queue: EventQueue, until: int | None = None, most_steps: int = 1000) -> VirtualClock:
    done = lambda: until is None and event_queue.next_due() == float("inf")  # noqa: E731 - over when nothing is left
    return VirtualClock(event_queue, until, done, lambda: "poller 3 waits for a message", most_steps)


def _on_trio(clock: VirtualClock) -> None:
    trio.run(clock.run, clock=clock)


Drive = Callable[[VirtualClock], None]
DRIVERS = pytest.mark.parametrize("drive", [VirtualClock.drive, _on_trio], ids=["alone", "on trio"])
"""A run in which nothing awaits needs no trio, and is the same on it."""


@DRIVERS
def test_steps_run_in_the_order_of_their_moments_then_of_their_making(drive: Drive) -> None:
    """Where all is calm, nothing but moment and sequence decides."""
    event_queue, seen = EventQueue(0), list[tuple[int, str]]()
    for name, due in (("b", 20), ("a", 10), ("c", 20), ("d", 20)):
        event_queue.at(due, lambda name=name: seen.append((event_queue.now, name)))  # type: ignore[misc]
    clock = _clock(event_queue)
    drive(clock)
    assert seen == [(10, "a"), (20, "b"), (20, "c"), (20, "d")]


def test_the_seed_decides_ties_and_only_ties() -> None:
    """Some seed runs the entries of one moment in another order; moments stay in order."""

    def order(seed: int) -> list[int]:
        event_queue, seen = EventQueue(seed), list[int]()
        for number in range(6):
            event_queue.at(5, lambda number=number: seen.append(number))  # type: ignore[misc]
        event_queue.at(1, lambda: seen.append(-1))
        clock = _clock(event_queue)
        trio.run(clock.run, clock=clock)
        return seen

    assert order(0) == [-1, 0, 1, 2, 3, 4, 5]
    orders = {tuple(order(seed)) for seed in range(20)}
    assert len(orders) > 10
    assert all(found[0] == -1 and sorted(found[1:]) == [0, 1, 2, 3, 4, 5] for found in orders)


def test_trio_deadlines_are_honoured_between_steps() -> None:
    """A task that sleeps with trio wakes at its moment of virtual time."""
    event_queue, seen = EventQueue(0), list[tuple[str, float]]()
    clock = _clock(event_queue, until=5000)
    event_queue.at(1000, lambda: seen.append(("step", event_queue.now / 1000)))
    event_queue.at(3000, lambda: seen.append(("step", event_queue.now / 1000)))

    async def sleeper() -> None:
        await trio.sleep(2)
        seen.append(("task", round(trio.current_time(), 6)))

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sleeper)
            await clock.run()

    trio.run(main, clock=clock)
    assert seen == [("step", 1.0), ("task", 2.0), ("step", 3.0)]
    assert event_queue.now == 5000


def test_a_step_may_start_a_task_which_then_has_its_turn() -> None:
    """The clock stops taking steps until the task that a step woke waits again."""
    event_queue, seen = EventQueue(0), list[str]()
    clock = _clock(event_queue)

    async def main() -> None:
        async with trio.open_nursery() as nursery:

            async def task() -> None:
                seen.append("task")
                await trio.lowlevel.checkpoint()
                seen.append("task again")

            def start() -> None:
                nursery.start_soon(task)
                clock.wake_others()

            event_queue.at(1, start)
            event_queue.at(1, lambda: seen.append("next step"))
            await clock.run()

    trio.run(main, clock=clock)
    assert seen == ["task", "task again", "next step"]


@DRIVERS
def test_an_error_in_a_step_ends_the_run_as_itself(drive: Drive) -> None:
    """Not as an internal error of trio's."""
    event_queue = EventQueue(0)
    empty: list[int] = []
    event_queue.at(1, empty.pop)  # type: ignore[arg-type]
    clock = _clock(event_queue)
    with pytest.raises(IndexError):
        drive(clock)


@DRIVERS
def test_a_deadlock_names_who_waits(drive: Drive) -> None:
    """Nothing left to happen, and not done: an error, never a hang."""
    event_queue = EventQueue(0)
    clock = VirtualClock(event_queue, None, lambda: False, lambda: "poller 3 waits for a message")
    with pytest.raises(Deadlock, match="poller 3 waits for a message"):
        drive(clock)


@DRIVERS
def test_a_livelock_names_who_keeps_going(drive: Drive) -> None:
    """A run without end is ended, and says so."""
    event_queue = EventQueue(0)

    def again() -> None:
        event_queue.at(event_queue.now, again)

    again()
    clock = _clock(event_queue)
    with pytest.raises(Livelock, match="1001 steps by 0 s and no end: poller 3"):
        drive(clock)


@DRIVERS
def test_a_run_with_an_end_lasts_exactly_so_long(drive: Drive) -> None:
    """Steps at the end still happen, later ones do not."""
    event_queue, seen = EventQueue(0), list[int]()
    for due in (10, 20, 21):
        event_queue.at(due, lambda due=due: seen.append(due))  # type: ignore[misc]
    clock = _clock(event_queue, until=20)
    drive(clock)
    assert (seen, event_queue.now) == ([10, 20], 20)


def test_tasks_that_sleep_until_one_moment_wake_in_the_order_in_which_they_fell_asleep() -> None:
    """trio would run them in one pass, in an order of its own."""
    for _ in range(5):
        event_queue, seen = EventQueue(0), list[tuple[int, int]]()
        clock = _clock(event_queue, until=100_000)

        async def sleeper(
            number: int, event_queue: EventQueue = event_queue, seen: list[tuple[int, int]] = seen
        ) -> None:
            for _ in range(3):
                await trio.sleep(1.1)
                seen.append((event_queue.now, number))

        async def main(clock: VirtualClock = clock, sleeper: Callable[[int], Awaitable[None]] = sleeper) -> None:
            async with trio.open_nursery() as nursery:
                for number in range(8):
                    nursery.start_soon(sleeper, number)
                    await trio.lowlevel.checkpoint()
                await clock.run()

        trio.run(main, clock=clock)
        assert seen == [(moment, number) for moment in (1100, 2200, 3300) for number in range(8)]


def test_a_task_that_is_held_wakes_between_other_steps_and_deadlines_of_trio() -> None:
    """The clock waits for no step that is held, and for every deadline in between."""
    event_queue = HoldingEventQueue(
        seed=0, hold=lambda task, step, _: 9 if (task, step) == ("a", 1) else 0, longest=1000
    )
    seen = list[tuple[int, str]]()
    clock = _clock(event_queue, until=2000)
    event_queue.at(100, lambda: seen.append((event_queue.now, "held")), "a")
    event_queue.at(500, lambda: seen.append((event_queue.now, "step")), "b")

    async def sleeper() -> None:
        await trio.sleep(0.8)
        seen.append((event_queue.now, "deadline"))

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sleeper)
            await clock.run()

    trio.run(main, clock=clock)
    assert seen == [(500, "step"), (800, "deadline"), (1100, "held")]
