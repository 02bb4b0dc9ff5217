"""Invoke through a real client: what comes back, what is refused, what a handler may do."""

from __future__ import annotations

import json
import os
import random
import time
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from chaosqs.errors import SimulationError
from chaosqs.mock_aws.aws import MockAws
from tests.conformance.clients import call, client_of
from tests.conformance.conftest import EXACT
from tests.conformance.lambda_under_test import LambdaUnderTest, fields, functions, queue_of
from tests.conformance.queue_under_test import QueueUnderTest

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

    from chaosqs.lambda_.execution_environment import Handler


def deployed(world: MockAws, handler: Handler, timeout: int = 3) -> LambdaUnderTest:
    world.function("worker", handler, timeout=timeout)
    return functions()


def no_retries() -> LambdaUnderTest:
    config = Config(retries={"mode": "standard", "total_max_attempts": 1})
    return LambdaUnderTest(call(boto3.Session(region_name="us-east-1"), "client", service_name="lambda", config=config))


def echo(event: object, _: object) -> object:
    return event


def test_what_a_handler_returns_is_the_payload(world: MockAws) -> None:
    aws_lambda = deployed(world, echo)
    assert aws_lambda.invoke({"text": "hällo"}) == ({"text": "hällo"}, None)
    answer = aws_lambda("invoke", FunctionName="worker")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")


def test_LX_10_no_return_value_is_null(world: MockAws) -> None:
    assert deployed(world, lambda _, __: None).invoke() == (None, None)


def test_LX_07_LX_08_an_exception_is_an_answer_with_an_error(world: MockAws) -> None:
    def raises(_: object, __: object) -> object:
        raise KeyError("name")

    payload, error = deployed(world, raises).invoke()
    body = fields(payload)
    assert error == "Unhandled"
    assert (body["errorType"], body["errorMessage"]) == ("KeyError", "'name'")
    assert 'raise KeyError("name")' in str(body["stackTrace"])
    assert "simulator" not in str(body["stackTrace"])


@EXACT
def test_LX_09_a_timeout_ends_a_handler(world: MockAws) -> None:
    ends: list[float] = []

    def hangs(event: object, _: object) -> object:
        try:
            time.sleep(60)
        finally:
            ends.append(world.now)
        return event

    payload, error = deployed(world, hangs, timeout=4).invoke()
    body = fields(payload)
    assert error == "Unhandled"
    assert body["errorType"] == "Sandbox.Timedout"
    assert str(body["errorMessage"]).endswith("Error: Task timed out after 4.00 seconds")
    assert (ends, world.now) == ([4], 4)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("import nowhere", "Runtime.ImportModuleError"),
        ("x = 1", "Runtime.HandlerNotFound"),
        ("def handler(", "Runtime.UserCodeSyntaxError"),
        ("def handler(event, context):\n    return {1, 2}", "Runtime.MarshalError"),
        ("async def handler(event, context): ...", "Runtime.MarshalError"),
        ("def handler(event, context):\n    raise SystemExit", "Runtime.ExitError"),
        ("def handler(event, context):\n    raise SystemExit(3)", "Runtime.ExitError"),
        ("raise KeyError('TABLE_NAME')", "KeyError"),
        ("raise SystemExit(3)", "Runtime.ExitError"),
    ],
)
def test_code_that_fails_by_itself(world: MockAws, source: str, kind: str) -> None:
    functions().create(source)
    payload, error = functions().invoke()
    assert (fields(payload)["errorType"], error) == (kind, "Unhandled")
    assert kind in world.logs("worker")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("async def handler(event, context): ...", "Object of type coroutine is not JSON serializable"),
        ("def handler(event, context):\n    yield", "Object of type generator is not JSON serializable"),
        ("def handler(event, context):\n    raise SystemExit(3)", "Error: Runtime exited with error: exit status 3"),
        ("def handler(event, context):\n    exit()", "Error: Runtime exited without providing a reason"),
    ],
)
@pytest.mark.usefixtures("world")
def test_errors_of_the_runtime_have_lambdas_text(source: str, says: str) -> None:
    functions().create(source)
    message = str(fields(functions().invoke()[0])["errorMessage"])
    assert message.endswith(says)
    assert message.startswith(("Unable to marshal response: ", "RequestId: "))


@pytest.mark.usefixtures("world")
def test_stack_traces_show_lambdas_paths() -> None:
    functions().create("def handler(event, context):\n    raise ValueError('no')")
    assert '"/var/task/index.py", line 2, in handler' in str(fields(functions().invoke()[0])["stackTrace"])


def test_decimals_are_numbers(world: MockAws) -> None:
    assert deployed(world, lambda _, __: Decimal("1.5")).invoke() == (1.5, None)


def test_LX_05_a_response_has_a_limit(world: MockAws) -> None:
    payload, error = deployed(world, lambda _, __: "x" * 6_291_555).invoke()
    assert (fields(payload)["errorType"], error) == ("Function.ResponseSizeTooLarge", "Unhandled")
    assert deployed(world, lambda _, __: "x" * 6_291_554).invoke()[1] is None


def test_LX_05_LX_06_events_have_limits(world: MockAws) -> None:
    aws_lambda = deployed(world, echo)
    large = json.dumps("x" * 1_048_576)
    aws_lambda.refuses(
        "RequestTooLargeException", "invoke", FunctionName="worker", InvocationType="Event", Payload=large
    )
    assert aws_lambda("invoke", FunctionName="worker", Payload=large)["StatusCode"] == 200
    aws_lambda.refuses("RequestTooLargeException", "invoke", FunctionName="worker", Payload=json.dumps("x" * 6_291_456))


def test_LX_11_what_is_no_json_is_refused(world: MockAws) -> None:
    """LX-11."""
    deployed(world, echo).refuses("InvalidRequestContentException", "invoke", FunctionName="worker", Payload="{")


def test_a_dry_run_runs_nothing(world: MockAws) -> None:
    aws_lambda = deployed(world, echo)
    assert aws_lambda("invoke", FunctionName="worker", InvocationType="DryRun")["StatusCode"] == 204
    assert world.logs("worker") == ""


@EXACT
def test_LX_18_asynchronous_invocations_are_tried_three_times(world: MockAws) -> None:
    moments: list[float] = []

    def fails(event: object, _: object) -> object:
        moments.append(world.now)
        raise ValueError(event)

    aws_lambda = deployed(world, fails)
    answer = aws_lambda("invoke", FunctionName="worker", InvocationType="Event", Payload="{}")
    assert answer["StatusCode"] == 202
    assert moments == []
    world.advance(600)
    assert moments == [0, 60, 180]


def test_LX_21_retries_and_age_are_settings(world: MockAws) -> None:
    """Shown as they are set; an event that would be older at its next attempt is given up."""
    moments: list[float] = []

    def fails(_: object, __: object) -> object:
        moments.append(world.now)
        raise ValueError("no")

    aws_lambda = deployed(world, fails)
    latest = "arn:aws:lambda:us-east-1:123456789012:function:worker:$LATEST"
    missing = f"The function {latest} doesn't have an EventInvokeConfig"
    for operation in ("get", "delete"):
        name = f"{operation}_function_event_invoke_config"
        assert aws_lambda.refuses("ResourceNotFoundException", name, FunctionName="worker") == missing
    put = aws_lambda("put_function_event_invoke_config", FunctionName="worker", MaximumRetryAttempts=1)
    assert (put["FunctionArn"], put["MaximumRetryAttempts"]) == (latest, 1)
    assert put["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}
    assert "MaximumEventAgeInSeconds" not in put
    start = world.now
    aws_lambda("invoke", FunctionName="worker", InvocationType="Event", Payload="{}")
    world.advance(600)
    assert [round(moment - start) for moment in moments] == [0, 60]
    moments.clear()
    changed = aws_lambda("update_function_event_invoke_config", FunctionName="worker", MaximumEventAgeInSeconds=60)
    assert (changed["MaximumRetryAttempts"], changed["MaximumEventAgeInSeconds"]) == (1, 60)
    aws_lambda("put_function_event_invoke_config", FunctionName="worker", MaximumEventAgeInSeconds=100)
    start = world.now
    aws_lambda("invoke", FunctionName="worker", InvocationType="Event", Payload="{}")
    world.advance(600)
    assert [round(moment - start) for moment in moments] == [0, 60]
    got = aws_lambda("get_function_event_invoke_config", FunctionName="worker")
    listed = aws_lambda("list_function_event_invoke_configs", FunctionName="worker")
    assert listed == {"FunctionEventInvokeConfigs": [got]}
    aws_lambda("delete_function_event_invoke_config", FunctionName="worker")
    assert aws_lambda("list_function_event_invoke_configs", FunctionName="worker") == {"FunctionEventInvokeConfigs": []}


@pytest.mark.parametrize(
    ("setting", "code", "says"),
    [
        (
            {},
            "InvalidParameterValueException",
            "You must specify at least one of error handling or destination setting.",
        ),
        ({"MaximumRetryAttempts": 3}, "ValidationException", "less than or equal to 2"),
        (
            {
                "DestinationConfig": {
                    "OnFailure": {"Destination": "arn:aws:lambda:us-east-1:123456789012:function:worker"}
                }
            },
            "InvalidParameterValueException",
            "You can't specify the function as a destination for itself.",
        ),
        (
            {"DestinationConfig": {"OnSuccess": {"Destination": "arn:aws:sns:us-east-1:123456789012:topic"}}},
            "UnknownOperationException",
            "which is no queue",
        ),
    ],
)
def test_LX_21_bad_settings_are_refused_and_change_nothing(
    world: MockAws, setting: dict[str, object], code: str, says: str
) -> None:
    aws_lambda = deployed(world, echo)
    put = "put_function_event_invoke_config"
    assert says in aws_lambda.refuses(code, put, FunctionName="worker", **setting)
    assert aws_lambda.refuses("ResourceNotFoundException", put, FunctionName="nobody", MaximumRetryAttempts=0) == (
        "The function doesn't exist."
    )
    assert aws_lambda("list_function_event_invoke_configs", FunctionName="worker") == {"FunctionEventInvokeConfigs": []}


def test_LX_22_LX_23_what_failed_goes_to_its_queues(world: MockAws) -> None:
    """The event to the dead-letter queue, with the error in attributes; a record to the destination."""
    ids: list[str] = []

    def fails(_: object, context: object) -> object:
        ids.append(str(getattr(context, "aws_request_id", "")))
        raise ValueError("no such order")

    letters, records = queue_of("letters"), queue_of("records")
    aws_lambda = deployed(world, fails)
    aws_lambda("update_function_configuration", FunctionName="worker", DeadLetterConfig={"TargetArn": letters.arn})
    destination = {"OnFailure": {"Destination": records.arn}}
    given = {"MaximumRetryAttempts": 0, "DestinationConfig": destination}
    aws_lambda("put_function_event_invoke_config", FunctionName="worker", **given)
    aws_lambda("invoke", FunctionName="worker", InvocationType="Event", Payload='{"id": 7}')
    world.run_until_idle()
    (letter,) = letters.client.receive_message(QueueUrl=letters.url, MessageAttributeNames=["All"])["Messages"]
    found = {name: each.get("StringValue") for name, each in letter.get("MessageAttributes", {}).items()}
    assert letter.get("Body") == '{"id": 7}'
    assert found == {"RequestID": ids[0], "ErrorCode": "200", "ErrorMessage": "no such order"}
    (record,) = [fields(json.loads(str(each.get("Body")))) for each in _received(records)]
    context = fields(record["requestContext"])
    assert (context["condition"], context["approximateInvokeCount"]) == ("RetriesExhausted", 1)
    assert (context["requestId"], str(context["functionArn"])[-15:]) == (ids[0], ":worker:$LATEST")
    assert record["requestPayload"] == {"id": 7}
    assert fields(record["responseContext"])["functionError"] == "Unhandled"
    assert fields(record["responsePayload"])["errorType"] == "ValueError"


def _received(queue: QueueUnderTest) -> list[MessageTypeDef]:
    return queue.client.receive_message(QueueUrl=queue.url).get("Messages", [])


def test_LX_22_LX_23_what_succeeds_or_finds_no_queue_is_no_dead_letter(world: MockAws) -> None:
    """A success is recorded by its own destination; a record for a queue that is gone is dropped."""
    letters, records = queue_of("letters"), queue_of("records")
    aws_lambda = deployed(world, echo)
    aws_lambda("update_function_configuration", FunctionName="worker", DeadLetterConfig={"TargetArn": letters.arn})
    destination = {"OnSuccess": {"Destination": records.arn}}
    aws_lambda("put_function_event_invoke_config", FunctionName="worker", DestinationConfig=destination)
    aws_lambda("invoke", FunctionName="worker", InvocationType="Event", Payload='{"id": 7}')
    world.run_until_idle()
    (record,) = [fields(json.loads(str(each.get("Body")))) for each in _received(records)]
    assert fields(record["requestContext"])["condition"] == "Success"
    assert record["responsePayload"] == {"id": 7}
    assert fields(record["responseContext"]) == {"statusCode": 200, "executedVersion": "$LATEST"}
    records.client.delete_queue(QueueUrl=records.url)
    aws_lambda("invoke", FunctionName="worker", InvocationType="Event", Payload="{}")
    world.run_until_idle()
    assert _received(letters) == []


def test_LX_21_a_throttled_event_is_given_up_when_it_is_too_old(world: MockAws) -> None:
    """Without an answer of the function in its record, as it never ran."""

    def slow(_: object, __: object) -> None:
        time.sleep(100)

    records = queue_of("records")
    aws_lambda = deployed(world, slow, timeout=120)
    aws_lambda("put_function_concurrency", FunctionName="worker", ReservedConcurrentExecutions=1)
    given = {"MaximumEventAgeInSeconds": 60, "DestinationConfig": {"OnFailure": {"Destination": records.arn}}}
    aws_lambda("put_function_event_invoke_config", FunctionName="worker", **given)
    for _ in range(2):
        aws_lambda("invoke", FunctionName="worker", InvocationType="Event", Payload="{}")
    world.run_until_idle()
    (record,) = [fields(json.loads(str(each.get("Body")))) for each in _received(records)]
    assert fields(record["requestContext"])["condition"] == "EventAgeExceeded"
    assert "responsePayload" not in record


def test_LX_24_a_function_that_is_off_gets_no_attempt(world: MockAws) -> None:
    letters, records = queue_of("letters"), queue_of("records")
    aws_lambda = deployed(world, echo)
    aws_lambda("update_function_configuration", FunctionName="worker", DeadLetterConfig={"TargetArn": letters.arn})
    aws_lambda("put_function_concurrency", FunctionName="worker", ReservedConcurrentExecutions=0)
    destination = {"OnFailure": {"Destination": records.arn}}
    aws_lambda("put_function_event_invoke_config", FunctionName="worker", DestinationConfig=destination)
    aws_lambda("invoke", FunctionName="worker", InvocationType="Event", Payload="{}")
    world.advance(1)
    (record,) = [fields(json.loads(str(each.get("Body")))) for each in _received(records)]
    context = fields(record["requestContext"])
    assert (context["condition"], context["approximateInvokeCount"]) == ("ZeroReservedConcurrency", 0)
    assert len(_received(letters)) == 1


def test_the_tail_of_the_log_comes_along(world: MockAws) -> None:
    def prints(event: object, _: object) -> object:
        print("hello")  # noqa: T201 - that is what is tested
        return event

    answer = deployed(world, prints)("invoke", FunctionName="worker", LogType="Tail")
    tail = b64decode(str(answer["LogResult"])).decode()
    assert tail.splitlines()[1] == "hello"
    assert tail == world.logs("worker")


@pytest.mark.parametrize(("reserved", "reason"), [(0, "ReservedFunctionConcurrentInvocationLimitExceeded")])
def test_LC_05_LC_11_LC_12_LC_15_reserved_zero_is_off(world: MockAws, reserved: int, reason: str) -> None:
    """Throttled once, with a reason and a time to try again at; Lambda itself does not try again."""
    world.function("worker", echo, reserved_concurrency=reserved)
    with pytest.raises(ClientError) as caught:
        no_retries()("invoke", FunctionName="worker")
    response = fields(caught.value.response)
    assert response["Error"] == {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}
    assert response["Reason"] == reason
    assert fields(response["ResponseMetadata"])["HTTPStatusCode"] == 429
    assert "retry-after" in fields(fields(response["ResponseMetadata"])["HTTPHeaders"])
    found = world.history().summary()["functions"]["worker"]
    assert (found["Throttles"], found["Invocations"], found["Errors"]) == (1, 0, 0)  # LC-14


def test_LC_13_one_function_waits_for_another_that_is_busy(world: MockAws) -> None:
    """A handler that invokes: the client's retries outlast an invocation that holds the one execution."""

    def outer(_: object, __: object) -> object:
        functions()("invoke", FunctionName="inner", InvocationType="Event", Payload="{}")
        time.sleep(0.1)
        return functions().invoke({}, "inner")[0]

    def inner(_: object, __: object) -> object:
        time.sleep(1)
        return world.now

    world.function("inner", inner, reserved_concurrency=1)
    world.function("outer", outer, timeout=30)
    answer, error = functions().invoke({}, "outer")
    assert error is None
    assert isinstance(answer, float)
    assert answer > 2
    assert world.history().summary()["functions"]["inner"]["Throttles"] >= 1


@EXACT
def test_invocations_overlap_by_what_they_wait(world: MockAws) -> None:
    """Each occupies its execution for the virtual time that its handler takes."""
    order: list[tuple[str, float]] = []

    def handler(event: object, _: object) -> object:
        name, seconds = str(fields(event)["name"]), int(str(fields(event)["seconds"]))
        order.append((f"{name} begins", world.now))
        time.sleep(seconds)
        order.append((f"{name} ends", world.now))
        return None

    aws_lambda = deployed(world, handler)
    for name, seconds in (("long", 2), ("short", 1)):
        payload = json.dumps({"name": name, "seconds": seconds})
        aws_lambda("invoke", FunctionName="worker", InvocationType="Event", Payload=payload)
    world.advance(5)
    assert order == [("long begins", 0), ("short begins", 0), ("short ends", 1), ("long ends", 2)]
    assert world.history().summary()["functions"]["worker"]["ConcurrentExecutions"] == 2


@EXACT
def test_a_handler_polls_in_virtual_time(world: MockAws) -> None:
    queue = queue_of()

    def handler(_: object, __: object) -> object:
        client = client_of(boto3.Session())
        found = client.receive_message(QueueUrl=queue.url, WaitTimeSeconds=20).get("Messages", [])
        return [message.get("Body") for message in found]

    aws_lambda = deployed(world, handler, timeout=30)
    queue.send("late", delay=7)
    assert aws_lambda.invoke() == (["late"], None)
    assert world.now == 7


@EXACT
def test_handlers_see_the_worlds_time_and_chance(world: MockAws) -> None:
    def handler(_: object, context: object) -> object:
        time.sleep(0.5)
        return [time.time(), random.random(), getattr(context, "get_remaining_time_in_millis")()]  # noqa: B009 - untyped

    (first, _), (second, _) = (deployed(world, handler).invoke() for _ in range(2))
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert first[0] == 1_764_547_200.5
    assert first[1] != second[1]
    assert first[2] == 2500


def test_handlers_may_start_threads(world: MockAws) -> None:
    """They are part of the invocation."""

    def handler(_: object, __: object) -> object:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(int, "7").result()

    assert deployed(world, handler).invoke()[0] == 7


def test_handlers_may_not_start_processes(world: MockAws) -> None:
    """It is said, and nothing hangs."""

    def handler(_: object, __: object) -> object:
        return os.fork()

    aws_lambda = deployed(world, handler)
    with pytest.raises(SimulationError, match="starts a process"):
        aws_lambda.invoke()
