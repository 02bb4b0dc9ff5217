"""Handlers that do what handlers rarely do, and the verdict on each: the same through every door.

A verdict is `processed`, `reported` and the rule by which messages of the batch failed, `raised` or `crashed` and the
type of the error, `timed out`, or `refused` and the type of the error that ends the run.
"""

from __future__ import annotations

import _thread
import asyncio
import contextlib
import decimal
import faulthandler
import functools
import gc
import io
import locale
import logging
import multiprocessing
import os
import platform
import random
import resource
import secrets
import select
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import TypedDict, TypeVar

import boto3
import trio

TIMEOUT = 2
"""Seconds after which the function is ended."""
ODD: dict[str, str] = {}
"""The verdict on each handler, by its name in this module."""

Odd = TypeVar("Odd")


Handler = Callable[["Event", object], object]


class Record(TypedDict):
    messageId: str


class Event(TypedDict):
    Records: list[Record]


def verdict(expected: str) -> Callable[[Odd], Odd]:
    """Enter a handler into the table."""

    def enter(handler: Odd) -> Odd:
        ODD[getattr(handler, "__name__")] = expected  # noqa: B009 - untyped
        return handler

    return enter


# Its shape ------------------------------------------------------------------------------------------------------------


@verdict("raised Runtime.MarshalError")
async def is_async(_event: Event, _context: object) -> None:
    await asyncio.sleep(0)


@verdict("raised Runtime.MarshalError")
def is_a_generator(_event: Event, _context: object) -> Iterator[int]:
    yield 1


@verdict("raised TypeError")
def takes_an_event_only(_event: Event) -> None: ...


@verdict("raised TypeError")
def takes_three(_event: Event, _context: object, more: object) -> None: ...


def _wrapped(handler: Handler) -> Handler:
    @functools.wraps(handler)
    def wrapper(event: Event, context: object) -> object:
        return handler(event, context)

    return wrapper


@verdict("processed")
@_wrapped
def is_decorated(_event: Event, _context: object) -> None: ...


class _Callable:
    def __call__(self, _event: Event, _context: object) -> None:
        time.sleep(0.1)


def _with_a_setting(setting: int, _event: Event, _context: object) -> None:
    time.sleep(setting)


is_an_instance, is_partial = _Callable(), functools.partial(_with_a_setting, 1)
is_a_lambda: Handler = lambda _, __: None  # noqa: E731 - it is the point
ODD.update(is_an_instance="processed", is_partial="processed", is_a_lambda="processed")


# What it returns ------------------------------------------------------------------------------------------------------


@verdict("processed")
def returns_none(_event: Event, _context: object) -> None:
    return None


@verdict("raised Runtime.MarshalError")
def returns_a_set(_event: Event, _context: object) -> object:
    return {1, 2}


@verdict("reported PB-5")
def returns_bytes(_event: Event, _context: object) -> object:
    return b"\xff"


@verdict("processed")
def returns_json_as_bytes(_event: Event, _context: object) -> object:
    return b'{"batchItemFailures": []}'


@verdict("reported PB-5")
def returns_nan(_event: Event, _context: object) -> object:
    return {"batchItemFailures": [], "mean": float("nan")}


@verdict("raised Runtime.MarshalError")
def returns_itself_in_a_circle(_event: Event, _context: object) -> object:
    circle: list[object] = []
    circle.append(circle)
    return circle


@verdict("raised Function.ResponseSizeTooLarge")
def returns_too_much(_event: Event, _context: object) -> object:
    return "x" * 6_291_555


@verdict("raised Runtime.MarshalError")
def returns_a_date(_event: Event, _context: object) -> object:
    return {"batchItemFailures": [], "at": datetime.now(UTC)}


@verdict("reported PB-17")
def returns_text(_event: Event, _context: object) -> object:
    return "done"


@verdict("processed")
def reports_nothing(_event: Event, _context: object) -> object:
    return {"batchItemFailures": []}


@verdict("reported 10.3")
def reports_its_message(event: Event, _context: object) -> object:
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}


@verdict("reported PB-9")
def reports_a_stranger(_event: Event, _context: object) -> object:
    return {"batchItemFailures": [{"itemIdentifier": "nobody"}]}


@verdict("reported PB-8")
def reports_under_another_name(event: Event, _context: object) -> object:
    return {"batchItemFailures": [{"messageId": record["messageId"]} for record in event["Records"]]}


@verdict("processed")
def reports_null(_event: Event, _context: object) -> object:
    return {"batchItemFailures": None}


# What it raises -------------------------------------------------------------------------------------------------------


@verdict("raised KeyError")
def raises(_event: Event, _context: object) -> None:
    raise KeyError("order")


@verdict("raised ExceptionGroup")
def raises_a_group(_event: Event, _context: object) -> None:
    raise ExceptionGroup("several", [KeyError("a"), ValueError("b")])


class _Silent(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@verdict("crashed Runtime.ExitError")
def raises_without_words(_event: Event, _context: object) -> None:
    raise _Silent


@verdict("crashed Runtime.ExitError")
def raises_no_exception(_event: Event, _context: object) -> None:
    raise BaseException("out")  # noqa: TRY002 - it is the point


@verdict("crashed Runtime.ExitError")
def raises_system_exit(_event: Event, _context: object) -> None:
    raise SystemExit


@verdict("crashed Runtime.ExitError")
def exits(_event: Event, _context: object) -> None:
    sys.exit(3)


@verdict("crashed Runtime.ExitError")
def exits_at_once(_event: Event, _context: object) -> None:
    os._exit(0)


@verdict("crashed Runtime.ExitError")
def exits_and_catches_it(_event: Event, _context: object) -> None:
    with contextlib.suppress(BaseException):
        os._exit(4)


@verdict("crashed Runtime.ExitError")
def exits_in_a_pool(_event: Event, _context: object) -> None:
    with ThreadPoolExecutor(2) as pool:
        pool.submit(os._exit, 5)


@verdict("crashed Runtime.ExitError")
def exits_after_a_change(_event: Event, _context: object) -> None:
    os.environ["CHAOSQS_ODD"] = "changed"
    os.chdir("/")
    sys.exit("out")


@verdict("crashed Runtime.ExitError")
def presses_stop(_event: Event, _context: object) -> None:
    raise KeyboardInterrupt


@verdict("raised RecursionError")
def recurses(event: Event, context: object) -> None:
    recurses(event, context)


@verdict("raised MemoryError")
def runs_out_of_memory(_event: Event, _context: object) -> None:
    raise MemoryError


@verdict("raised StopIteration")
def stops_iterating(_event: Event, _context: object) -> None:
    next(iter(()))


# Its time -------------------------------------------------------------------------------------------------------------


@verdict("processed")
def sleeps_for_nothing(_event: Event, _context: object) -> None:
    time.sleep(0)


@verdict("processed")
def sleeps(_event: Event, _context: object) -> None:
    time.sleep(1)


@verdict("timed out")
def sleeps_too_long(_event: Event, _context: object) -> None:
    time.sleep(60)


@verdict("timed out")
def sleeps_again_when_ended(_event: Event, _context: object) -> None:
    try:
        time.sleep(60)
    finally:
        time.sleep(1)


@verdict("raised ValueError")
def sleeps_backwards(_event: Event, _context: object) -> None:
    time.sleep(-1)


def _spin(clock: Callable[[], float]) -> None:
    end = clock() + 0.05
    while clock() < end:
        pass


@verdict("processed")
def spins_on_time(_event: Event, _context: object) -> None:
    _spin(time.time)


@verdict("processed")
def spins_on_monotonic(_event: Event, _context: object) -> None:
    _spin(time.monotonic)


@verdict("processed")
def spins_on_perf_counter(_event: Event, _context: object) -> None:
    _spin(time.perf_counter)


@verdict("processed")
def spins_on_datetime(_event: Event, _context: object) -> None:
    _spin(lambda: datetime.now(UTC).timestamp())


@verdict("timed out")
def spins_too_long(_event: Event, _context: object) -> None:
    while time.monotonic_ns():
        pass


@verdict("processed")
def asks_how_long_it_has(_event: Event, context: object) -> None:
    time.sleep(0.5)
    remaining = getattr(context, "get_remaining_time_in_millis")()  # noqa: B009 - untyped
    assert remaining == TIMEOUT * 1000 - 500, remaining


@verdict("processed")
def works_until_its_time_is_nearly_over(_event: Event, context: object) -> None:
    while getattr(context, "get_remaining_time_in_millis")() > 500:  # noqa: B009 - untyped
        time.sleep(0.3)


# Chance ---------------------------------------------------------------------------------------------------------------


def _sleep_by(number: float) -> None:
    time.sleep(number / 1000)


@verdict("processed")
def draws(_event: Event, _context: object) -> None:
    _sleep_by(random.random() + random.Random().random() + random.SystemRandom().random())


@verdict("processed")
def makes_a_uuid(_event: Event, _context: object) -> None:
    _sleep_by(uuid.uuid4().int % 100)


@verdict("processed")
def draws_bytes(_event: Event, _context: object) -> None:
    _sleep_by(sum(os.urandom(3)))


@verdict("processed")
def draws_secrets(_event: Event, _context: object) -> None:
    _sleep_by(len(secrets.token_hex(4)) + secrets.randbelow(100))


@verdict("processed")
def seeds(_event: Event, _context: object) -> None:
    random.seed(7)
    assert random.random() == random.Random(7).random()


# The process ----------------------------------------------------------------------------------------------------------


@verdict("processed")
def reads_lambdas_variables(_event: Event, _context: object) -> None:
    assert os.environ["AWS_REGION"] == os.environ["AWS_DEFAULT_REGION"] == "us-east-1"
    assert os.environ["AWS_LAMBDA_FUNCTION_NAME"] == "worker"
    assert os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert os.environ["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert os.environ["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/worker"
    assert os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
    assert os.environ["AWS_EXECUTION_ENV"].startswith("AWS_Lambda_python3.")
    assert os.environ["_HANDLER"] == "tests/handlers/odd_handlers.reads_lambdas_variables"
    assert os.environ["_X_AMZN_TRACE_ID"].startswith("Root=1-")
    assert Path(os.environ["LAMBDA_TASK_ROOT"], "tests", "handlers", "odd_handlers.py").is_file()
    assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR"} <= set(os.environ)


@verdict("raised KeyError")
def reads_a_variable_that_nobody_set(_event: Event, _context: object) -> None:
    os.environ["CHAOSQS_TABLE_NAME"]


@verdict("processed")
def changes_variables(_event: Event, _context: object) -> None:
    os.environ["CHAOSQS_ODD"] = "changed"
    os.environ.pop("PATH", None)
    time.sleep(0.1)
    assert os.environ["CHAOSQS_ODD"] == "changed"
    assert "PATH" not in os.environ


@verdict("processed")
def changes_the_directory(_event: Event, _context: object) -> None:
    os.chdir("/")
    time.sleep(0.1)
    assert Path.cwd() == Path("/")


@verdict("processed")
def changes_the_umask(_event: Event, _context: object) -> None:
    os.umask(0o77)
    time.sleep(0.1)
    assert os.umask(0o77) == 0o77


@verdict("processed")
def handles_a_signal(_event: Event, _context: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(0.1)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def _nothing(*_: object) -> None: ...


@verdict("processed")
def traces(_event: Event, _context: object) -> None:
    sys.settrace(_nothing)
    sys.setprofile(_nothing)
    threading.settrace(_nothing)
    time.sleep(0.1)


@verdict("processed")
def changes_the_recursion_limit(_event: Event, _context: object) -> None:
    sys.setrecursionlimit(5000)
    time.sleep(0.1)
    assert sys.getrecursionlimit() == 5000


@verdict("processed")
def configures_logging(_event: Event, _context: object) -> None:
    logging.basicConfig(level=logging.DEBUG, force=True)
    logging.disable(logging.INFO)
    logging.getLogger().addFilter(lambda _: True)
    logging.getLogger(__name__).warning("as configured")


class _Record(logging.LogRecord):
    pass


@verdict("processed")
def changes_settings_of_logging(_event: Event, _context: object) -> None:
    logging.setLoggerClass(type("Own", (logging.Logger,), {}))
    logging.setLogRecordFactory(_Record)
    logging.addLevelName(5, "TRACE")
    logging.captureWarnings(capture=True)
    time.sleep(0.1)
    assert logging.getLevelName(5) == "TRACE"


@verdict("processed")
def changes_settings_of_python(_event: Event, _context: object) -> None:
    decimal.getcontext().prec = 3
    gc.set_threshold(1)
    sys.setswitchinterval(0.5)
    sys.set_int_max_str_digits(0)
    sys.argv.append("--odd")
    sys.meta_path.append(sys.meta_path[-1])
    sys.dont_write_bytecode = not sys.dont_write_bytecode
    threading.excepthook = _nothing
    time.sleep(0.1)
    assert decimal.getcontext().prec == 3


@verdict("processed")
def prints(_event: Event, _context: object) -> None:
    print("hello")  # noqa: T201 - it is the point
    print("hello", file=sys.stderr)  # noqa: T201 - it is the point


@verdict("processed")
def replaces_its_output(_event: Event, _context: object) -> None:
    sys.stdout = io.StringIO()
    print("into the void")  # noqa: T201 - it is the point


@verdict("processed")
def changes_the_rest(_event: Event, _context: object) -> None:
    sys.path.insert(0, "/opt/python")
    sys.excepthook = _nothing
    warnings.simplefilter("ignore")
    socket.setdefaulttimeout(3)
    locale.setlocale(locale.LC_ALL, "C")
    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()
    gc.disable()
    time.sleep(0.1)
    assert time.tzname[0] == "JST"


@verdict("processed")
def reads_and_writes_a_file(_event: Event, _context: object) -> None:
    path = Path("/tmp/chaosqs-odd-handler")  # noqa: S108 - where Lambda has room
    path.write_text("written", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "written"
    path.unlink()


# What would be outside ------------------------------------------------------------------------------------------------


@verdict("refused EscapedSimulation")
def swallows_the_refusal(_event: Event, _context: object) -> None:
    with contextlib.suppress(Exception):
        os.fork()


@verdict("refused EscapedSimulation")
def swallows_everything_for_ever(_event: Event, _context: object) -> None:
    while True:
        with contextlib.suppress(BaseException):
            os.fork()


@verdict("refused EscapedSimulation")
def starts_a_process_in_a_pool(_event: Event, _context: object) -> None:
    with ProcessPoolExecutor(1) as pool:
        pool.submit(int)


@verdict("refused EscapedSimulation")
def has_a_pool_of_processes(_event: Event, _context: object) -> None:
    multiprocessing.get_context("fork").Process(target=print).start()


@verdict("refused EscapedSimulation")
def kills_itself(_event: Event, _context: object) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@verdict("refused EscapedSimulation")
def raises_a_signal(_event: Event, _context: object) -> None:
    signal.raise_signal(signal.SIGTERM)


@verdict("refused EscapedSimulation")
def waits_for_a_signal(_event: Event, _context: object) -> None:
    signal.pause()


@verdict("refused EscapedSimulation")
def stops_in_a_debugger(_event: Event, _context: object) -> None:
    breakpoint()  # noqa: T100 - it is the point


@verdict("raised EOFError")
def asks_its_user(_event: Event, _context: object) -> None:
    input("order? ")


@verdict("timed out")
def selects_for_long(_event: Event, _context: object) -> None:
    select.select([], [], [], 1000)


@verdict("refused EscapedSimulation")
def selects_a_socket(_event: Event, _context: object) -> None:
    one, other = socket.socketpair()
    with one, other:
        select.select([one], [], [], 1000)


@verdict("refused EscapedSimulation")
def connects_in_asyncio(_event: Event, _context: object) -> None:
    asyncio.run(asyncio.wait_for(asyncio.open_connection("127.0.0.1", 9), 1))


@verdict("refused EscapedSimulation")
def runs_a_program_in_asyncio(_event: Event, _context: object) -> None:
    async def start() -> None:
        await asyncio.create_subprocess_exec("true")

    asyncio.run(start())


@verdict("refused EscapedSimulation")
def runs_trio(_event: Event, _context: object) -> None:
    trio.run(trio.sleep, 1)


@verdict("processed")
def ignores_interrupts(_event: Event, _context: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    time.sleep(0.1)


# Threads and event loops ----------------------------------------------------------------------------------------------


@verdict("processed")
def starts_a_thread(_event: Event, _context: object) -> None:
    threading.Thread(target=print).start()


@verdict("processed")
def starts_a_thread_by_its_number(_event: Event, _context: object) -> None:
    _thread.start_new_thread(print, ())
    time.sleep(0.1)


@verdict("processed")
def has_a_pool(_event: Event, _context: object) -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(int).result() == 0


@verdict("processed")
def takes_what_completes(_event: Event, _context: object) -> None:
    def late(seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    with ThreadPoolExecutor(3) as pool:
        done = [each.result() for each in as_completed([pool.submit(late, seconds) for seconds in (0.9, 0.3, 0.6)])]
    assert done == [0.3, 0.6, 0.9]


@verdict("processed")
def has_a_pool_of_multiprocessing_with_threads(_event: Event, _context: object) -> None:
    began = time.monotonic()
    with ThreadPool(4) as pool:
        pool.map(time.sleep, [0.5] * 8)
    assert 1 <= time.monotonic() - began < 1.3


@verdict("raised TimeoutError")
def has_a_pool_of_multiprocessing_that_is_late(_event: Event, _context: object) -> None:
    with ThreadPool(1) as pool:
        pool.apply_async(time.sleep, (99,)).get(timeout=0.5)


@verdict("timed out")
def swallows_whatever_ends_it(_event: Event, _context: object) -> None:
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(99)


@verdict("refused EscapedSimulation")
def becomes_nobody(_event: Event, _context: object) -> None:
    os.setuid(65534)


@verdict("refused EscapedSimulation")
def adds_an_audit_hook(_event: Event, _context: object) -> None:
    def heard(event: str, arguments: tuple[object, ...]) -> None:
        del event, arguments

    sys.addaudithook(heard)


@verdict("refused EscapedSimulation")
def limits_its_files(_event: Event, _context: object) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


@verdict("processed")
def watches_itself(_event: Event, _context: object) -> None:
    faulthandler.enable()
    faulthandler.dump_traceback_later(0.01, exit=True)
    faulthandler.disable()


@verdict("timed out")
def selects_for_a_while(_event: Event, _context: object) -> None:
    with selectors.DefaultSelector() as selector:
        selector.select(1000)


@verdict("processed")
def asks_for_its_platform(_event: Event, _context: object) -> None:
    assert platform.platform()


@verdict("processed")
def has_a_pool_that_overlaps(_event: Event, _context: object) -> None:
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(time.sleep, [0.5] * 8))
    assert time.monotonic() - began < 0.6


@verdict("raised ZeroDivisionError")
def has_a_pool_whose_work_fails(_event: Event, _context: object) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map((1).__floordiv__, [1, 0]))


@verdict("timed out")
def has_a_pool_that_takes_too_long(_event: Event, _context: object) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(time.sleep, [60, 60]))


@verdict("processed")
def leaves_a_thread_behind(_event: Event, _context: object) -> None:
    threading.Thread(target=time.sleep, args=(60,)).start()


@verdict("processed")
def leaves_a_pool_behind(_event: Event, _context: object) -> None:
    ThreadPoolExecutor().submit(time.sleep, 60)


@verdict("timed out")
def waits_for_a_lock_that_it_holds(_event: Event, _context: object) -> None:
    lock = threading.Lock()
    with lock, lock:
        pass


@verdict("timed out")
def locks_itself_out(_event: Event, _context: object) -> None:
    one, other = threading.Lock(), threading.Lock()

    def take(first: threading.Lock, second: threading.Lock) -> None:
        with first:
            time.sleep(0.1)
            second.acquire()

    with ThreadPoolExecutor(2) as pool:
        pool.submit(take, one, other)
        pool.submit(take, other, one)


@verdict("processed")
def has_a_thread_that_fails(_event: Event, _context: object) -> None:
    thread = threading.Thread(target=lambda: dict[str, int]()["order"])
    thread.start()
    thread.join()


@verdict("processed")
def has_a_thread_that_exits(_event: Event, _context: object) -> None:
    thread = threading.Thread(target=sys.exit)
    thread.start()
    thread.join()


@verdict("raised RuntimeError")
def has_too_many_threads(_event: Event, _context: object) -> None:
    for _ in range(2000):
        threading.Thread(target=time.sleep, args=(1,)).start()


@verdict("processed")
def has_a_heartbeat(_event: Event, _context: object) -> None:
    over, beats = threading.Event(), list[float]()

    def beat() -> None:
        while not over.wait(0.2):
            beats.append(time.time())

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    time.sleep(1.1)
    over.set()
    thread.join()
    assert len(beats) == 5


@verdict("processed")
def asks_sqs_in_a_pool(_event: Event, _context: object) -> None:
    sqs = boto3.client("sqs")  # pyright: ignore[reportUnknownMemberType] - its other services are not typed
    url = sqs.get_queue_url(QueueName="done")["QueueUrl"]
    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(sqs.send_message, QueueUrl=url, MessageBody=str(n)) for n in range(4)]:
            assert "MessageId" in each.result()


@verdict("processed")
def runs_asyncio(_event: Event, _context: object) -> None:
    async def main() -> None:
        await asyncio.gather(*(asyncio.sleep(0.5) for _ in range(10)))

    asyncio.run(main())


@verdict("timed out")
def runs_asyncio_for_ever(_event: Event, _context: object) -> None:
    asyncio.run(asyncio.Event().wait())


@verdict("timed out")
def runs_asyncio_without_a_pause(_event: Event, _context: object) -> None:
    async def main() -> None:
        while True:  # noqa: ASYNC110 - it is the point
            await asyncio.sleep(0)

    asyncio.run(main())


@verdict("raised TimeoutError")
def runs_asyncio_with_a_limit(_event: Event, _context: object) -> None:
    asyncio.run(asyncio.wait_for(asyncio.sleep(60), 0.5))


@verdict("processed")
def keeps_an_event_loop(_event: Event, _context: object) -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(asyncio.sleep(0.5))


@verdict("processed")
def runs_a_pool_in_asyncio(_event: Event, _context: object) -> None:
    async def main() -> None:
        await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.5) for _ in range(4)))

    asyncio.run(main())


# What it meets --------------------------------------------------------------------------------------------------------


@verdict("refused EscapedSimulation")
def runs_a_program(_event: Event, _context: object) -> None:
    subprocess.run(["true"], check=True)


@verdict("refused EscapedSimulation")
def opens_a_connection(_event: Event, _context: object) -> None:
    with socket.socket() as one:
        one.connect(("127.0.0.1", 9))


@verdict("processed")
def asks_sqs(_event: Event, _context: object) -> None:
    sqs = boto3.client("sqs")  # pyright: ignore[reportUnknownMemberType] - its other services are not typed
    url = sqs.get_queue_url(QueueName="done")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="done")
    assert len(sqs.receive_message(QueueUrl=url).get("Messages", [])) == 1


@verdict("raised QueueDoesNotExist")
def asks_for_a_queue_that_is_not_there(_event: Event, _context: object) -> None:
    boto3.client("sqs").get_queue_url(QueueName="nowhere")  # pyright: ignore[reportUnknownMemberType] - as above


@verdict("processed")
def asks_s3(_event: Event, _context: object) -> None:
    boto3.client("s3").list_buckets()  # pyright: ignore[reportUnknownMemberType] - as above


@verdict("raised UnknownServiceError")
def asks_a_service_that_is_none(_event: Event, _context: object) -> None:
    boto3.Session().client("nonsense")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType, reportUnknownMemberType]
