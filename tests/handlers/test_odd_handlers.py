"""One runtime for handlers: whichever way one is run, the verdict is the same, and this process stays as it was."""

from __future__ import annotations

import asyncio
import concurrent.futures.thread as pools
import decimal
import gc
import locale
import logging
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from itertools import product
from pathlib import Path

import attrs
import boto3
import pytest

import chaosqs
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, Function
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.handlers import odd_handlers
from tests.handlers.jobs import DESIGN, verdict_on
from tests.handlers.odd_handlers import ODD, TIMEOUT

SLOW = ("runs_asyncio_without_a_pause", "spins_too_long", "has_too_many_threads")
"""Handlers that take seconds of real time: they have less virtual time, and one door; `make deep` has the others."""


def design(name: str) -> Design:
    return attrs.evolve(DESIGN, functions=[Function("worker", timeout=1 if name in SLOW else TIMEOUT)])


def simulated(name: str) -> History:
    return simulate(scenario(name))


def searched(name: str) -> History:
    return simulate(scenario(name), verify=True)


def scenario(name: str) -> Scenario:
    behaviours = {"worker": Behaviour(handler=f"tests.handlers.odd_handlers:{name}")}
    return Scenario(design(name), [Burst("orders", 1)], behaviours)


def mocked(name: str) -> History:
    with chaosqs.aws(design(name), passthrough="moto") as world:  # simulations have it by themselves
        world.function("worker", getattr(odd_handlers, name))
        sqs = boto3.client("sqs", "us-east-1")  # pyright: ignore[reportUnknownMemberType] - its other services are not typed
        sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="orders")["QueueUrl"], MessageBody="one")
        before = process()
        world.advance(20)
        assert process() == before, "between the handler's stretches and after"
        return world.history()


DOORS = [searched, mocked]
"""A search simulates twice and compares, so it is the door of `simulate`, too; that alone is for what is slow."""


def loop_of_policy() -> object:
    """Return what asyncio keeps for this thread, if it was used."""
    policy: object = vars(asyncio.events).get("_event_loop_policy")
    kept: object = getattr(policy, "_local", None)
    return None if policy is None else (policy, dict(vars(kept)))


def process() -> dict[str, object]:
    """Return what of this process a handler may change."""
    umask = os.umask(0)
    os.umask(umask)
    return {
        "variables": dict(os.environ),
        "directory": Path.cwd(),
        "umask": umask,
        "signals": [signal.getsignal(number) for number in signal.valid_signals()],
        "hooks": (sys.gettrace(), sys.getprofile(), threading.gettrace(), threading.getprofile(), sys.excepthook),
        "recursion": sys.getrecursionlimit(),
        "logging": (logging.root.level, logging.root.handlers.copy(), logging.root.filters.copy()),
        "disabled": logging.root.manager.disable,
        "records": (logging.getLoggerClass(), logging.getLogRecordFactory(), logging.getLevelName(5)),
        "captured": vars(logging)["_warnings_showwarning"],
        "decimals": decimal.getcontext().prec,
        "python": (sys.getswitchinterval(), sys.get_int_max_str_digits(), sys.dont_write_bytecode, gc.get_threshold()),
        "imports": (sys.argv.copy(), sys.meta_path.copy(), threading.excepthook),
        "streams": (sys.stdin, sys.stdout, sys.stderr),
        "path": sys.path.copy(),
        "warnings": list(warnings.filters),
        "locale": locale.setlocale(locale.LC_ALL),
        "zone": (time.tzname, time.timezone),
        "chance": random.getstate(),
        "timeout": socket.getdefaulttimeout(),
        "collects": gc.isenabled(),
        "threads": (threading.enumerate(), len(list(vars(pools)["_threads_queues"]))),
        "loop": (asyncio.events._get_running_loop(), loop_of_policy()),
        "hooks of generators": sys.get_asyncgen_hooks(),
        "timer": signal.getitimer(signal.ITIMER_REAL),
    }


VISITS = [
    pytest.param(name, verdict, door, marks=pytest.mark.deep if name in SLOW else (), id=f"{name}-{door.__name__}")
    for (name, verdict), door in product(ODD.items(), DOORS)
] + [pytest.param(name, ODD[name], simulated, id=f"{name}-simulated") for name in SLOW]


@pytest.mark.parametrize(("name", "verdict", "door"), VISITS)
def test_a_handler_has_one_verdict(name: str, verdict: str, door: Callable[[str], History]) -> None:
    """Through every door; and nothing that it did to the process is left, whatever became of it."""
    before = process()
    if verdict.startswith("refused"):
        with pytest.raises(BaseException) as caught:  # noqa: PT011 - its type is looked at
            door(name)
        assert f"refused {type(caught.value).__name__}" == verdict
    else:
        assert verdict_on(door(name)) == verdict
    assert process() == before


def test_there_are_enough_of_them() -> None:
    """The table is one of many kinds."""
    assert len(ODD) >= 40


def test_programs_see_nothing_of_what_handlers_have_set() -> None:
    """Python passes on to them what C knows of the environment."""
    simulated("changes_variables")
    mocked("changes_variables")
    shown = subprocess.run(["env"], capture_output=True, text=True, check=True).stdout
    assert "CHAOSQS_ODD=" not in shown
    assert "\nPATH=" in f"\n{shown}"
