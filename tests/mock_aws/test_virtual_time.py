# ruff: noqa: DTZ002, DTZ005, DTZ006, DTZ011, DTZ012 - what shows local time is under test
"""Inside `aws()` the test is one more participant: its clocks are the world's, and its sleeps pass in it."""

from __future__ import annotations

import calendar
import copy
import copyreg
import datetime as dt
import importlib
import logging
import multiprocessing
import pickle
import random
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path
from time import monotonic, sleep

import pytest

from chaosqs.lambda_ import clocks
from chaosqs.mock_aws.aws import MockAws, aws
from tests.conformance.queue_under_test import create

EPOCH = 1_764_547_200
CLOCKS = ("monotonic", "perf_counter", "process_time", "thread_time", "time")


def never(seconds: float) -> None:
    raise AssertionError(f"slept {seconds} s of real time")


@pytest.fixture
def no_real_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", never)


@pytest.fixture
def world() -> Generator[MockAws]:
    with aws() as opened:
        yield opened


@pytest.mark.usefixtures("no_real_sleep")
def test_a_sleep_of_the_test_moves_the_world(world: MockAws) -> None:
    """H11: a message with a visibility of a second is back after 1.5, and no real time passes."""
    queue = create(world.client(), "orders", {"VisibilityTimeout": "1"})
    queue.send("one")
    assert queue.bodies() == ["one"]
    assert queue.bodies() == []
    time.sleep(1.5)
    assert queue.bodies() == ["one"]
    time.sleep(3600)
    assert world.now == pytest.approx(3601.54)


def test_functions_run_while_the_test_sleeps(world: MockAws) -> None:
    """Mappings poll, and functions run and overlap."""
    ended: list[float] = []

    def handler(_: object, __: object) -> None:
        time.sleep(2)
        ended.append(time.time())

    queue = create(world.client(), "orders")
    world.function("worker", handler)
    chaosqs_map(queue.arn)
    time.sleep(60)
    for body in "ab":
        queue.send(body)
    time.sleep(1)
    assert ended == []
    time.sleep(2)
    assert len(ended) == 2
    assert ended[1] - ended[0] < 1


def chaosqs_map(arn: str) -> None:
    import boto3

    client: object = getattr(boto3, "client")("lambda")  # noqa: B009 - its other services are not typed
    getattr(client, "create_event_source_mapping")(EventSourceArn=arn, FunctionName="worker", BatchSize=1)  # noqa: B009


@pytest.mark.parametrize("name", CLOCKS)
def test_the_clocks_of_the_test_show_virtual_time(world: MockAws, name: str) -> None:
    """Seconds and nanoseconds; all but `time` count from the beginning of the block."""
    world.advance(2.5)
    start = EPOCH if name == "time" else 0
    assert vars(time)[name]() == start + 2.5
    assert vars(time)[f"{name}_ns"]() == (start + 2.5) * 1e9


def test_dates_of_the_test_show_virtual_time(world: MockAws) -> None:
    """Of the module and of names that were imported before; in the test's own time zone."""
    world.advance(24 * 3600 + 1)
    moment = dt.datetime.fromtimestamp(EPOCH + 24 * 3600 + 1, dt.UTC)
    assert datetime.now(dt.UTC) == dt.datetime.now(dt.UTC) == moment
    assert vars(dt.datetime)["utcnow"].__func__() == moment.replace(tzinfo=None)
    assert datetime.now().timestamp() == dt.datetime.today().timestamp() == time.time() == world.time
    assert date.today() == dt.date.today() == moment.astimezone().date()
    assert type(datetime.now()) is type(moment)
    assert isinstance(moment, datetime)


def test_dates_can_be_copied_and_pickled() -> None:
    """In the block, and their pickles are read after it."""
    with aws():
        dates = [datetime.now(), datetime.now(dt.UTC), date.today()]
        assert pickle.loads(pickle.dumps(dates)) == copy.deepcopy(dates) == dates  # noqa: S301 - our own
        pickles = [pickle.dumps(dates, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    assert all(pickle.loads(pickled) == dates for pickled in pickles)  # noqa: S301 - as above
    assert pickle.dumps(dates) != pickles[pickle.DEFAULT_PROTOCOL]


def test_calendars_show_virtual_time_in_the_tests_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Handlers see UTC, the test sees its own zone, as ever."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        with aws() as world:
            seen: list[object] = []
            world.function("worker", lambda _, __: seen.extend([time.localtime().tm_hour, datetime.now().hour]))
            world.advance(1)
            assert time.gmtime().tm_hour == 0
            assert time.localtime().tm_hour == datetime.now().hour == 9
            assert time.strftime("%d.%m.%Y %H:%M:%S") == "01.12.2025 09:00:01"
            assert time.ctime() == time.asctime() == "Mon Dec  1 09:00:01 2025"
            assert time.mktime(time.localtime()) == calendar.timegm(time.gmtime()) == EPOCH + 1
            assert time.localtime(0).tm_hour == datetime.fromtimestamp(0).hour == 9
            assert date.fromtimestamp(EPOCH) == date(2025, 12, 1)
            assert time.clock_gettime(time.CLOCK_REALTIME) == EPOCH + 1
            assert time.clock_gettime_ns(time.CLOCK_MONOTONIC) == 1_000_000_000
            invoke()
            assert seen == [0, 0]
    finally:
        monkeypatch.undo()
        time.tzset()


def invoke() -> None:
    import boto3

    client: object = getattr(boto3, "client")("lambda")  # noqa: B009 - its other services are not typed
    getattr(client, "invoke")(FunctionName="worker")  # noqa: B009


def test_a_name_imported_from_time_is_replaced(world: MockAws) -> None:
    """In all modules that are not libraries."""
    sleep(3600)
    assert world.now == monotonic() == 3600


def test_a_loop_that_polls_the_clock_ends(world: MockAws) -> None:
    """As in handlers, 1,000 readings take a millisecond."""
    while time.time() < EPOCH + 0.25:
        pass
    assert world.now == 0.25
    assert monotonic() == 0.25


def test_log_records_of_the_test_have_virtual_time(world: MockAws, caplog: pytest.LogCaptureFixture) -> None:
    """They stand beside those of the functions."""
    world.advance(5)
    logging.getLogger("test").warning("now")
    assert caplog.records[-1].created == EPOCH + 5


def test_chance_and_identifiers_of_the_test_are_real(world: MockAws) -> None:
    """A test that seeds them repeats them; nothing of the world depends on them."""
    random.seed(7)
    first = random.random()
    random.seed(7)
    assert random.random() == first
    assert uuid.uuid4() != uuid.uuid4()
    assert world.now == 0


# Restored -------------------------------------------------------------------------------------------------------------


def real() -> list[object]:
    return [
        *(vars(time)[name] for name in dir(time) if callable(vars(time)[name])),
        *(dt.datetime, dt.date, datetime, date, sleep, monotonic),
        *(vars(random)[name] for name in random.__all__),
        vars(threading.Thread)["start"],
    ]


def test_everything_is_real_again_after_the_block() -> None:
    """After one block, after nested ones, after blocks that end in another order, after an error."""
    before = real()
    with aws():
        assert real() != before
        with aws():
            time.sleep(1)
        assert real() != before
    assert real() == before
    first, second = aws(), aws()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert real() == before
    with pytest.raises(RuntimeError), aws():
        raise RuntimeError
    assert real() == before
    assert abs(time.time() - EPOCH) > 1000
    assert clocks.participant() is None


LATE = """
from datetime import UTC, datetime
from time import sleep, time

def look():
    sleep(2)
    return time(), datetime.now(UTC).timestamp()
"""


def test_a_module_imported_in_the_block_keeps_nothing_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It sees virtual time in the block, and real time after it."""
    (tmp_path / "chaosqs_late.py").write_text(LATE, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with aws():
        late: dict[str, object] = vars(importlib.import_module("chaosqs_late"))
        look = late["look"]
        assert callable(look)
        assert look() == (EPOCH + 2, EPOCH + 2)
    assert (late["sleep"], late["time"], late["datetime"]) == (time.sleep, time.time, dt.datetime)
    del sys.modules["chaosqs_late"]


class Frozen(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, REAL)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, REAL)


REAL = dt.datetime


class FrozenDate(dt.datetime, metaclass=Frozen):
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> FrozenDate:
        return cls(2020, 1, 1, tzinfo=tz)


def test_a_block_in_frozen_time_shows_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """As that of freezegun, whose classes have a metaclass: the world's time in the block, the frozen one after it."""
    monkeypatch.setattr(dt, "datetime", FrozenDate)
    monkeypatch.setitem(copyreg.dispatch_table, REAL, str)
    with aws():
        assert dt.datetime.now(dt.UTC).timestamp() == EPOCH
        assert isinstance(REAL(2020, 1, 1), dt.datetime)
    assert dt.datetime.now().year == 2020
    assert copyreg.dispatch_table[REAL] is str


def test_a_block_that_cannot_be_opened_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one is as good as ever."""
    with monkeypatch.context() as broken:
        broken.delattr(time, "sleep")
        with pytest.raises(AttributeError), aws():
            pass
    with aws() as world:
        time.sleep(1)
        assert world.now == 1


def test_nested_blocks_have_times_of_their_own() -> None:
    """The test lives in the inner one while that is open."""
    with aws() as outer:
        time.sleep(5)
        with aws() as inner:
            time.sleep(1)
            assert (outer.now, inner.now, time.monotonic()) == (5, 1, 1)
        assert time.monotonic() == 5
        time.sleep(1)
        assert (outer.now, inner.now) == (6, 1)


@pytest.mark.usefixtures("no_real_sleep")
def test_blocks_in_threads_have_times_of_their_own() -> None:
    """And a thread outside of any block keeps real time."""

    def slept(seconds: int) -> tuple[float, float]:
        with aws() as world:
            for _ in range(20):
                time.sleep(seconds)
            return world.now, time.monotonic()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(slept, range(1, 5))) == [(20 * n, 20 * n) for n in range(1, 5)]
        assert abs(pool.submit(time.time).result() - EPOCH) > 1000


world_of_a_fixture = pytest.fixture(aws().fixture)


@pytest.mark.parametrize("seconds", [1, 2])
def test_a_fixture_gives_each_test_a_time_of_its_own(world_of_a_fixture: MockAws, seconds: int) -> None:
    """The test sees it, although the block began in the fixture."""
    time.sleep(seconds)
    assert world_of_a_fixture.now == time.monotonic() == seconds


# What keeps the real clock --------------------------------------------------------------------------------------------


def test_programs_are_waited_for_in_real_time(world: MockAws) -> None:
    """The wait neither hangs nor moves the world."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.2)"]) as program:
        assert program.wait(timeout=30) == 0
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run([sys.executable, "-c", "import time; time.sleep(30)"], timeout=0.2, check=False)
    near, far = multiprocessing.Pipe()
    with near, far:
        assert not near.poll(0.01)
    assert world.now == 0


@pytest.mark.parametrize("name", ["_pytest.runner", "pytest_timeout", "hypothesis.core", "urllib3.util.retry"])
def test_tools_and_what_waits_for_the_network_read_the_real_clock(world: MockAws, name: str) -> None:
    """As they measure the test itself, or wait for something real."""
    names: dict[str, object] = {"__name__": name}
    exec("import time, datetime\nnow, day = time.time(), datetime.datetime.now().timestamp()", names)  # noqa: S102
    assert abs(float(str(names["now"])) - world.time) > 1000
    assert abs(float(str(names["day"])) - world.time) > 1000
