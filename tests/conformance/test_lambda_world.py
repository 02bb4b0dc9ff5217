"""Logs and histories of functions, and the end of all work, in `aws()`."""

from __future__ import annotations

import json
import logging
import threading
import time
from contextvars import Context

import boto3
import pytest

from chaosqs.errors import InvalidInput, Livelock, SimulationError
from chaosqs.invariants.registry import check
from chaosqs.mock_aws.aws import MockAws, aws
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from tests.conformance.clients import client_of
from tests.conformance.conftest import EXACT
from tests.conformance.lambda_under_test import Worker, connected, functions, queue_of
from tests.conformance.queue_under_test import QueueUnderTest

DESIGN = Design(
    [Queue("orders", redrive=Redrive("dead", 2)), Queue("dead")],
    [Function("worker", timeout=10, reserved_concurrency=5)],
    [EventSourceMapping("orders", "worker", batch_size=1)],
)


@EXACT
def test_logs_are_those_of_lambda(world: MockAws) -> None:
    def handler(event: object, _: object) -> None:
        print("printed", end="")  # noqa: T201 - that is what is tested
        logging.getLogger("handler").warning("logged %s", event)
        time.sleep(0.25)

    world.function("worker", handler)
    functions().invoke({})
    start, printed, end, report = world.logs("worker").splitlines()
    assert start.startswith("START RequestId: ")
    assert start.endswith(" Version: $LATEST")
    identity = start.split()[2]
    assert printed == f"printed[WARNING]\t2025-12-01T00:00:00.000Z\t{identity}\tlogged {{}}"
    assert end == f"END RequestId: {identity}"
    assert "\tDuration: 250.00 ms\tBilled Duration: 250 ms\tMemory Size: 128 MB\t" in report


MADE = "import time\nprint('made')\ntime.sleep({})\ndef handler(event, context):\n    print('ran')\n    {}"
LATE = "INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout"
BROKEN = "INIT_REPORT Init Duration: 0.00 ms\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError"
ENDS = {
    "an import that takes time": (
        MADE.format(2, "time.sleep(0.3)"),
        ["made", "START", "ran", "END", "300.00 2300 Init Duration: 2000.00 ms"],
        ["START", "ran", "END", "300.00 300"],
    ),
    "an import that takes too long": (
        MADE.format(11, ""),
        ["made", LATE, "made", "START", "ran", "END", "11000.00 11000"],
        ["START", "ran", "END", "0.00 1"],
    ),
    "a timeout": (
        MADE.format(0, "time.sleep(99)"),
        ["made", "START", "ran", "Task", "END", "15000.00 15000 Init Duration: 0.00 ms Status: timeout"],
        ["made", "START", "ran", "Task", "END", "15000.00 15000 Status: timeout"],
    ),
    "an exit": (
        MADE.format(0, "import os; os._exit(1)"),
        [
            "made",
            "START",
            "ran",
            "[ERROR]",
            "END",
            "0.00 1 Init Duration: 0.00 ms Status: error Error Type: Runtime.ExitError",
        ],
        ["made", "START", "ran", "[ERROR]", "END", "0.00 1 Status: error Error Type: Runtime.ExitError"],
    ),
    "an import that fails": (
        "import nothing_of_the_kind",
        [BROKEN, "START", "[ERROR]", "END", "0.00 1 Status: error Error Type: Runtime.ImportModuleError"],
        ["START", "[ERROR]", "END", "0.00 1 Status: error Error Type: Runtime.ImportModuleError"],
    ),
}


@pytest.mark.parametrize(("code", "first", "second"), ENDS.values(), ids=ENDS.keys())
def test_lx_12_lx_14_the_report_says_what_an_initialisation_took(
    world: MockAws, code: str, first: list[str], second: list[str]
) -> None:
    """Only that of a new environment before its invocation: one that was repeated or reset counts as duration."""
    functions().create(code, Timeout=15)
    for expected in (first, second):
        before = len(world.logs("worker").splitlines())
        functions().invoke()
        assert [told(line) for line in world.logs("worker").splitlines()[before:]] == expected


def told(line: str) -> str:
    """Return what matters of a line of the log: of a report its durations and its end."""
    if not line.startswith("REPORT"):
        words = line.split()
        return line if line.startswith("INIT") else "Task" if "Task timed out" in line else words[0]
    fields = dict(field.split(": ", 1) for field in line.split("\t") if ": " in field)
    durations = f"{fields['Duration'].removesuffix(' ms')} {fields['Billed Duration'].removesuffix(' ms')}"
    return " ".join([durations, *(f"{name}: {fields[name]}" for name in (*_REPORTED,) if name in fields)])


_REPORTED = "Init Duration", "Status", "Error Type"


def test_a_traceback_is_logged(world: MockAws) -> None:
    functions().create("def handler(event, context):\n    raise ValueError('no')")
    functions().invoke()
    states = world.logs("worker").splitlines()
    assert states[1:3] == ["[ERROR] ValueError: no", "Traceback (most recent call last):"]
    assert '"/var/task/index.py", line 2' in states[3]


def test_logs_of_nobody(world: MockAws) -> None:
    with pytest.raises(InvalidInput, match="no function is called 'nobody'"):
        world.logs("nobody")


@EXACT
def test_a_world_that_never_is_idle_says_who_is_busy(world: MockAws) -> None:
    def fails(_: list[str]) -> None:
        raise ValueError("always")

    queue = queue_of()
    connected(world, Worker(fails), queue)
    queue.send("one")
    with pytest.raises(Livelock, match=r"not idle after 120 s: .*orders"):
        world.run_until_idle(120)
    assert world.now == 180


def test_an_idle_world_takes_no_time(world: MockAws) -> None:
    connected(world, Worker(), queue_of())
    assert world.run_until_idle() == 0


def test_run_until_idle_waits_for_asynchronous_invocations(world: MockAws) -> None:
    world.function("worker", lambda _, __: time.sleep(2))
    functions()("invoke", FunctionName="worker", InvocationType="Event", Payload="{}")
    assert world.run_until_idle() == 2


def test_the_mappings_of_a_design_poll_at_once() -> None:
    worker = Worker(lambda _: time.sleep(1))
    with aws(DESIGN) as world:
        world.function("worker", worker)
        client = client_of(boto3.Session())
        queue = QueueUnderTest(client, client.get_queue_url(QueueName="orders")["QueueUrl"])
        for number in range(5):
            queue.send(str(number))
        assert world.run_until_idle() == pytest.approx(1, abs=0.1)
        history = world.history()
    assert len(worker.batches) == 5
    assert history.scenario.design == DESIGN
    assert check(history) == ()
    assert history.summary()["functions"]["worker"]["ConcurrentExecutions"] == 5


def test_worlds_repeat_themselves() -> None:
    def run() -> str:
        with aws(DESIGN) as world:
            world.function("worker", Worker(lambda _: time.sleep(1)))
            client = client_of(boto3.Session())
            url = client.get_queue_url(QueueName="orders")["QueueUrl"]
            for number in range(20):
                client.send_message(QueueUrl=url, MessageBody=str(number))
            world.run_until_idle()
            return world.history().digest + world.logs("worker")

    assert run() == run()


def test_a_world_may_close_while_handlers_wait() -> None:
    ended: list[str] = []

    def handler(_: object, __: object) -> None:
        try:
            time.sleep(100)
        finally:
            ended.append("ended")

    with aws() as world:
        world.function("worker", handler, timeout=900)
        functions()("invoke", FunctionName="worker", InvocationType="Event", Payload="{}")
        world.advance(1)
        assert ended == []
    assert ended == ["ended"]


def test_a_handler_that_waits_stays_in_its_thread(world: MockAws) -> None:
    """It is said, not endured."""
    caught: list[BaseException] = []

    def elsewhere() -> None:
        try:
            world.advance(10)
        except SimulationError as error:
            caught.append(error)

    world.function("worker", lambda _, __: time.sleep(5), timeout=60)
    functions()("invoke", FunctionName="worker", InvocationType="Event", Payload="{}")
    world.advance(1)
    thread = threading.Thread(target=elsewhere)
    Context().run(thread.start)  # a real one, as it is none of the test's
    thread.join()
    assert "the thread in which it began" in str(caught)


def test_LX_16_LX_17_a_recursive_loop_is_cut(world: MockAws) -> None:
    """The SDK passes the trace on; after 16 passes the batch is refused, and dead-lettered in the end."""
    dead = queue_of("dead")
    queue = queue_of("orders", {"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1})})
    sent: list[str] = []

    def again(_: list[str]) -> None:
        sent.append(client_of(boto3.Session()).send_message(QueueUrl=queue.url, MessageBody="again")["MessageId"])

    connected(world, Worker(again), queue)
    queue.send("first")
    world.run_until_idle()
    assert len(sent) == 16
    assert dead.one().message_id == sent[-1]


def test_LX_20_a_loop_goes_on_where_its_function_allows_it(world: MockAws) -> None:
    """It ends when the code ends it; the history's design has the setting."""
    queue, sent = queue_of("orders"), list[str]()

    def again(_: list[str]) -> None:
        if len(sent) < 25:
            sent.append(client_of(boto3.Session()).send_message(QueueUrl=queue.url, MessageBody="again")["MessageId"])

    connected(world, Worker(again), queue)
    functions()("put_function_recursion_config", FunctionName="worker", RecursiveLoop="Allow")
    queue.send("first")
    world.run_until_idle()
    assert len(sent) == 25
    assert world.history().scenario.design.function("worker").recursive_loop == "Allow"


@pytest.mark.parametrize(
    ("setting", "field"),
    [({"timeout": 901}, "timeout"), ({"memory": 64}, "memory"), ({"reserved_concurrency": -1}, "reserved_concurrency")],
)
def test_what_aws_would_refuse_is_refused(world: MockAws, setting: dict[str, int], field: str) -> None:
    with pytest.raises(InvalidInput, match=field):
        world.function("worker", Worker(), **setting)  # type: ignore[arg-type] # each is a number


def test_moto_answers_for_others_only() -> None:
    with aws(passthrough="moto") as world:
        world.function("worker", lambda event, _: event)
        assert functions().invoke({"one": 1}) == ({"one": 1}, None)
