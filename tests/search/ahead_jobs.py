"""Jobs that share fixed tasks with a second process; they run in a worker, which has one thread and may fork."""

import json
import os
import signal
import weakref
from collections.abc import Callable
from functools import partial

from chaosqs import Burst, Design, EventSourceMapping, Function, Queue, Scenario
from chaosqs.errors import InvalidScenario
from chaosqs.model.history import History
from chaosqs.search import ahead
from chaosqs.simulation import run
from chaosqs.simulation.run import simulate

_DESIGN = Design([Queue("orders")], [Function("worker")], [EventSourceMapping("orders", "worker")])
SCENARIOS = [Scenario(_DESIGN, [Burst("orders", count)]) for count in range(1, 13)]


def _shared(tasks: list[Callable[[], History]], *, second: bool = True) -> str:
    """Return the digests of all histories, or errors, and whether the second process was there at first, and after all.

    It may end by itself before, when there is nothing left to do.
    """
    ahead.FORKS[0] = second
    done = list[str]()
    with ahead.ahead(tasks) as work:
        first = work.shared
        for index in range(len(tasks)):
            try:
                history = work.history(index)
                done.append("" if history is None else history.digest)
            except InvalidScenario as error:
                done.append(str(error))
        return json.dumps([done, first, work.shared])


def simulates_in_two(_: str) -> str:
    return _shared([partial(simulate, each) for each in SCENARIOS])


def simulates_alone(_: str) -> str:
    return _shared([partial(simulate, each) for each in SCENARIOS], second=False)


def raises_in_both(_: str) -> str:
    def wrong() -> History:
        raise InvalidScenario("wrong")

    return _shared([partial(simulate, SCENARIOS[0]), wrong])


def is_stuck_in_the_second(_: str) -> str:
    own, (begun, begins) = os.getpid(), os.pipe()

    def waits() -> History:
        os.read(begun, 1)
        return simulate(SCENARIOS[0])

    def stuck() -> History:
        os.write(begins, b".")
        while os.getpid() != own:
            pass
        return simulate(SCENARIOS[1])

    setattr(ahead, "_LONGEST_WAIT", 0.05)  # noqa: B010 - it is private
    return _shared([waits, stuck])


def ends_the_second(_: str) -> str:
    own, (begun, begins) = os.getpid(), os.pipe()

    def waits() -> History:
        os.read(begun, 1)
        return simulate(SCENARIOS[0])

    def ends() -> History:
        os.write(begins, b".")
        if os.getpid() != own:
            os.kill(os.getpid(), signal.SIGKILL)
        return simulate(SCENARIOS[1])

    setattr(ahead, "_LONGEST_WAIT", 1_000)  # noqa: B010 - it is private
    return _shared([waits, ends])


def collects_garbage(_: str) -> str:
    """Return whether a cycle is there after a run, and whether it is after one that finds the process grown."""

    class Cycle:
        def __init__(self) -> None:
            self.own = self

    kept, there = weakref.ref(Cycle()), list[bool]()
    for grown in (1 << 60, -(1 << 60)):
        run.__dict__["_GARBAGE"] = grown
        simulate(SCENARIOS[0])
        there.append(kept() is not None)
    return json.dumps(there)
