"""Threads and event loops of handlers run as tasks in virtual time, in an order that repeats."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import attrs
import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.events import Effect, InvocationEnded
from chaosqs.model.faults import FaultPlan
from chaosqs.model.history import History
from chaosqs.model.json import to_json
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate

HEADER = """
import asyncio, concurrent.futures, contextvars, queue, threading, time
from concurrent.futures import ThreadPoolExecutor
import boto3, chaosqs

def send(text):
    boto3.client("sqs").send_message(QueueUrl="https://sqs/1/done", MessageBody=text)

def work(number):
    time.sleep(0.1 * number)
    chaosqs.record("worked", number=number)
    return number
"""
DESIGN = Design(
    [Queue("orders", visibility_timeout=30), Queue("done")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker", batch_size=1)],
)


class Code:
    """Runs the body of a handler."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count = folder, 0

    def scenario(self, body: str, count: int = 1, top: str = "", fault: str = "ok") -> Scenario:
        self.count += 1
        module = f"chaosqs_threads_{self.folder.name.replace('-', '_')}_{self.count}"
        statements = textwrap.indent(textwrap.dedent(body), "    ")
        text = f"{HEADER}{textwrap.dedent(top)}\ndef handler(event, context):\n{statements}\n"
        (self.folder / f"{module}.py").write_text(text, encoding="utf-8")
        behaviours = {"worker": Behaviour(handler=f"{module}:handler")}
        return Scenario(DESIGN, [Burst("orders", count, over=count - 1)], behaviours, FaultPlan([(fault,)]), until=20)

    def run(self, body: str, count: int = 1, top: str = "", fault: str = "ok") -> History:
        return simulate(self.scenario(body, count, top, fault), verify=True)

    def end(self, body: str, top: str = "") -> InvocationEnded:
        return ends(self.run(body, top=top))[0]


def ends(history: History) -> list[InvocationEnded]:
    return [event for event in history.events if isinstance(event, InvocationEnded)]


def effects(history: History) -> list[tuple[str, tuple[tuple[str, object], ...]]]:
    return [(event.name, event.values) for event in history.events if isinstance(event, Effect)]


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Code:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return Code(tmp_path)


BODIES = {
    "a pool overlaps": (
        "with ThreadPoolExecutor(4) as pool:\n  assert list(pool.map(work, [3, 1, 2])) == [3, 1, 2]",
        300,
    ),
    "a pool of one does not": ("with ThreadPoolExecutor(1) as pool:\n  list(pool.map(work, [3, 1, 2]))", 600),
    "as_completed": (
        (
            "with ThreadPoolExecutor() as pool:\n"
            "  asked = [pool.submit(work, n) for n in (3, 1, 2)]\n"
            "  assert [each.result() for each in concurrent.futures.as_completed(asked)] == [1, 2, 3]"
        ),
        300,
    ),
    "wait with a time limit": (
        (
            "pool = ThreadPoolExecutor()\n"
            "asked = [pool.submit(work, n) for n in (1, 9)]\n"
            "done, left = concurrent.futures.wait(asked, timeout=0.2)\n"
            "assert (len(done), len(left)) == (1, 1)"
        ),
        200,
    ),
    "a result with a time limit": (
        (
            "pool = ThreadPoolExecutor()\n"
            "try: pool.submit(work, 9).result(timeout=0.25)\n"
            "except TimeoutError: pass\n"
            "else: raise AssertionError"
        ),
        250,
    ),
    "an exception of a pool": (
        "with ThreadPoolExecutor() as pool:\n  assert isinstance(pool.submit(int, 'x').exception(), ValueError)",
        0,
    ),
    "an initializer": (
        (
            "here = threading.local()\n"
            "def begin(): here.value = 7\n"
            "with ThreadPoolExecutor(2, initializer=begin) as pool:\n"
            "  assert list(pool.map(lambda _: here.value, range(4))) == [7] * 4\n"
            "assert not hasattr(here, 'value')"
        ),
        0,
    ),
    "a cancelled future": (
        (
            "pool = ThreadPoolExecutor(1)\n"
            "first, second = pool.submit(work, 1), pool.submit(work, 1)\n"
            "time.sleep(0.05)\n"
            "assert second.cancel()\n"
            "pool.shutdown(wait=True, cancel_futures=True)"
        ),
        100,
    ),
    "threads and join": (
        (
            "each = [threading.Thread(target=work, args=(n,), daemon=True) for n in (1, 2)]\n"
            "for one in each: one.start()\n"
            "each[1].join(timeout=0.15)\n"
            "assert (each[0].is_alive(), each[1].is_alive()) == (False, True)\n"
            "each[1].join()\n"
            "assert not each[1].is_alive()"
        ),
        200,
    ),
    "a thread that fails": ("one = threading.Thread(target=lambda: 1 / 0)\none.start(); one.join()", 0),
    "a thread of _thread": (
        (
            "import _thread\n"
            "done = threading.Event()\n"
            "_thread.start_new_thread(lambda: (time.sleep(0.1), done.set()), ())\n"
            "assert done.wait(3)"
        ),
        100,
    ),
    "a lock": (
        (
            "lock = threading.Lock()\n"
            "def hold(_):\n"
            "  with lock: time.sleep(0.1)\n"
            "with ThreadPoolExecutor(3) as pool: list(pool.map(hold, range(3)))\n"
            "assert not lock.locked()"
        ),
        300,
    ),
    "a lock with a time limit": (
        (
            "lock = threading.RLock()\n"
            "def hold():\n"
            "  with lock, lock: time.sleep(1)\n"
            "threading.Thread(target=hold).start(); time.sleep(0)\n"
            "assert not lock.acquire(timeout=0.3)"
        ),
        300,
    ),
    "an event that nobody sets": ("assert not threading.Event().wait(0.4)", 400),
    "a condition": (
        (
            "ready, items = threading.Condition(), []\n"
            "def produce():\n"
            "  time.sleep(0.2)\n"
            "  with ready: items.append(1); ready.notify()\n"
            "threading.Thread(target=produce).start()\n"
            "with ready: assert ready.wait_for(lambda: items, timeout=2)"
        ),
        200,
    ),
    "a semaphore": (
        (
            "few = threading.BoundedSemaphore(2)\n"
            "def enter(_):\n"
            "  with few: time.sleep(0.1)\n"
            "with ThreadPoolExecutor(4) as pool: list(pool.map(enter, range(4)))"
        ),
        200,
    ),
    "a barrier": (
        (
            "gate = threading.Barrier(3)\n"
            "def meet(n): time.sleep(n / 10); return gate.wait()\n"
            "with ThreadPoolExecutor(3) as pool: assert sorted(pool.map(meet, range(3))) == [0, 1, 2]"
        ),
        200,
    ),
    "a timer": (
        "fired = threading.Event()\nthreading.Timer(0.3, fired.set).start()\nassert fired.wait()",
        300,
    ),
    "queues": (
        (
            "asked, answers = queue.Queue(1), queue.SimpleQueue()\n"
            "def serve():\n"
            "  while (n := asked.get()) is not None: answers.put(work(n)); asked.task_done()\n"
            "threading.Thread(target=serve, daemon=True).start()\n"
            "for n in (1, 1, 1): asked.put(n)\n"
            "asked.join()\n"
            "assert [answers.get(timeout=1) for _ in range(3)] == [1, 1, 1]\n"
            "try: asked.get(timeout=0.2)\n"
            "except queue.Empty: pass"
        ),
        None,
    ),
    "names and numbers": (
        (
            "names = []\n"
            "def note(): names.append((threading.current_thread().name, threading.get_ident() != main))\n"
            "main = threading.get_ident()\n"
            "one = threading.Thread(target=note); one.start(); one.join()\n"
            "assert names == [('Thread-1 (note)', True)], names\n"
            "assert threading.current_thread() is threading.main_thread()\n"
            "assert threading.active_count() == 1"
        ),
        0,
    ),
    "a context of its own": (
        (
            "value = contextvars.ContextVar('value', default=0)\n"
            "value.set(1)\n"
            "with ThreadPoolExecutor() as pool: assert pool.submit(value.get).result() == 0"
        ),
        0,
    ),
    "calls of boto3": (
        "with ThreadPoolExecutor(8) as pool: list(pool.map(send, map(str, range(8))))",
        16,
    ),
    "asyncio": (
        (
            "async def one(n): await asyncio.sleep(n / 10); return n\n"
            "async def main(): return await asyncio.gather(*map(one, (3, 1, 2)))\n"
            "assert asyncio.run(main()) == [3, 1, 2]"
        ),
        300,
    ),
    "asyncio with limits": (
        (
            "async def main():\n"
            "  try: await asyncio.wait_for(asyncio.sleep(9), 0.2)\n"
            "  except TimeoutError: pass\n"
            "  async with asyncio.TaskGroup() as group: group.create_task(asyncio.sleep(0.1))\n"
            "  both = {asyncio.create_task(asyncio.sleep(n / 10)) for n in (1, 9)}\n"
            "  done, left = await asyncio.wait(both, timeout=0.2)\n"
            "  assert (len(done), len(left)) == (1, 1)\n"
            "asyncio.run(main())"
        ),
        500,
    ),
    "asyncio with threads": (
        (
            "async def main():\n"
            "  await asyncio.gather(asyncio.to_thread(work, 2), asyncio.to_thread(work, 1), asyncio.sleep(0.1))\n"
            "asyncio.run(main())"
        ),
        200,
    ),
    "asyncio that blocks": ("async def main(): time.sleep(0.2); send('x')\nasyncio.run(main())", 208),
    "an event loop by hand": (
        (
            "loop = asyncio.new_event_loop()\n"
            "asyncio.set_event_loop(loop)\n"
            "loop.run_until_complete(asyncio.sleep(0.1))\n"
            "loop.close()"
        ),
        100,
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_H12_what_waits_overlaps_in_virtual_time(name: str, code: Code) -> None:
    """Twice the same, event by event; the milliseconds are those of the longest path."""
    body, expected = BODIES[name]
    end = code.end(body)
    assert (end.outcome, end.error) == ("succeeded", "")
    if expected is not None:
        assert abs(end.duration - expected) <= 10, end.duration


HANGS = {
    "a lock taken twice": "lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "a thread that never ends": (
        "threading.Thread(target=threading.Event().wait).start(); threading.enumerate()[1].join()"
    ),
    "a queue that nobody fills": "queue.SimpleQueue().get()",
    "a future that nobody sets": "concurrent.futures.Future().result()",
    "a barrier of two": "threading.Barrier(2).wait()",
    "two locks, two orders": (
        "a, b = threading.Lock(), threading.Lock()\n"
        "def both(x, y):\n"
        "  with x: time.sleep(0.1); y.acquire()\n"
        "with ThreadPoolExecutor(2) as pool: pool.submit(both, a, b); pool.submit(both, b, a)"
    ),
    "asyncio that waits for nothing": "asyncio.run(asyncio.Event().wait())",
    "asyncio that never sleeps": "async def main():\n  while True: await asyncio.sleep(0)\nasyncio.run(main())",
    "a lock that is tried again and again": (
        "lock = threading.Lock(); lock.acquire()\nwhile not lock.acquire(False): pass"
    ),
}


@pytest.mark.parametrize("name", HANGS)
def test_LX_9_what_waits_for_ever_ends_by_the_function_timeout(name: str, code: Code) -> None:
    """In virtual time, so the test does not hang either."""
    end = code.end(HANGS[name])
    assert (end.outcome, end.duration) == ("timed_out", 5000)


def test_LX_12_threads_that_are_left_go_on_in_the_next_invocation(code: Code) -> None:
    """Between invocations the environment is frozen; their effects belong to the invocation in which they happen."""
    history = code.run(
        "threading.Thread(target=late).start(); time.sleep(0.1)",
        count=3,
        top="def late():\n    for n in range(3):\n        time.sleep(0.15)\n        chaosqs.record('late', n=n)\n",
    )
    assert [event.invocation for event in history.events if isinstance(event, Effect)] == [2, 3, 3]
    assert {end.duration for end in ends(history)} == {100}


def test_threads_of_an_environment_that_dies_are_gone(code: Code) -> None:
    """They do nothing more."""
    history = code.run(
        "threading.Thread(target=late).start(); time.sleep(99)",
        top="def late():\n    time.sleep(6)\n    chaosqs.record('late')\n",
        count=2,
    )
    assert [end.outcome for end in ends(history)][:2] == ["timed_out", "timed_out"]
    assert effects(history) == []


def test_a_death_strikes_at_a_call_of_a_thread(code: Code) -> None:
    """The steps of all threads count, in their order."""
    body = "with ThreadPoolExecutor(2) as pool: list(pool.map(work, (2, 1)))"
    history = code.run(body, fault="crash:3")
    assert ends(history)[0].outcome == "crashed"
    assert effects(history) == []
    assert effects(code.run(body, fault="crash:4")) == [("worked", (("number", 1),))]


PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import attrs
from chaosqs.model.json import from_json
from chaosqs.model.scenario import Scenario
from chaosqs.simulation.run import simulate
one = from_json(Scenario, open(sys.argv[2]).read())
for seed in range(3):
    print(simulate(attrs.evolve(one, seed=seed)).digest)
"""


def test_another_process_gives_the_same_digests(code: Code, tmp_path: Path) -> None:
    """Whatever the addresses of threads and futures are, by which Python orders their sets."""
    one = code.scenario(
        "asyncio.run(main())\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "  asked = {pool.submit(work, 1) for _ in range(20)}\n"
        "  for each in concurrent.futures.as_completed(asked): send(str(each.result()))\n"
        "  done, _ = concurrent.futures.wait(asked)\n"
        "  for each in done: chaosqs.record('in order', n=[*asked].index(each))\n",
        top=(
            "async def main():\n"
            "  done, _ = await asyncio.wait({asyncio.create_task(asyncio.sleep(0.1)) for _ in range(20)})\n"
            "  for each in done: chaosqs.record('task', name=each.get_name())\n"
        ),
        count=3,
    )
    (tmp_path / "one.json").write_text(to_json(one), encoding="utf-8")
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "FILLER": "x" * 4711}
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), str(tmp_path / "one.json")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    here = [simulate(attrs.evolve(one, seed=seed)).digest for seed in range(3)]
    assert done.stdout.split() == here
    assert len(set(here)) == 3
