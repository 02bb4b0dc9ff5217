"""Lambda as a test wants to speak of it, through a real client; its types are not among those of the stubs."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from operator import methodcaller
from textwrap import dedent
from typing import TYPE_CHECKING, TypeGuard

import attrs
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from chaosqs.mock_aws.aws import MockAws
from tests.conformance.clients import call, client_of
from tests.conformance.queue_under_test import QueueUnderTest, create

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

ROLE = "arn:aws:iam::123456789012:role/worker"


@attrs.define
class Worker:
    """A handler that notes what it gets, and does with it what the test says."""

    then: Callable[[list[str]], object] = lambda _: None
    batches: list[list[str]] = attrs.field(factory=list[list[str]])
    records: list[dict[str, object]] = attrs.field(factory=list[dict[str, object]])

    def __call__(self, event: object, context: object) -> object:
        del context
        found = dictionaries(fields(event)["Records"])
        self.records.extend(found)
        self.batches.append([str(record["body"]) for record in found])
        return self.then([str(record["messageId"]) for record in found])

    @property
    def bodies(self) -> list[str]:
        return [body for batch in self.batches for body in batch]

    def counts(self) -> list[str]:
        return [str(fields(record["attributes"])["ApproximateReceiveCount"]) for record in self.records]


@attrs.frozen
class LambdaUnderTest:
    client: object

    def __call__(self, operation: str, **parameters: object) -> dict[str, object]:
        answer = fields(call(self.client, operation, **parameters))
        assert answer.pop("ResponseMetadata")
        return answer

    def map(self, queue: QueueUnderTest, name: str = "worker", /, **parameters: object) -> str:
        """Create a mapping; return its UUID."""
        created = self("create_event_source_mapping", EventSourceArn=queue.arn, FunctionName=name, **parameters)
        return str(created["UUID"])

    def state(self, uuid: str) -> object:
        return self("get_event_source_mapping", UUID=uuid)["State"]

    def create(self, source: str, name: str = "worker", **parameters: object) -> dict[str, object]:
        given = {"Runtime": "python3.13", "Role": ROLE, "Handler": "index.handler", **parameters}
        return self("create_function", FunctionName=name, Code={"ZipFile": package(index=source)}, **given)

    def invoke(self, event: object = None, name: str = "worker", **parameters: object) -> tuple[object, object]:
        """Return the payload, and what the header says of an error."""
        given = {} if event is None else {"Payload": json.dumps(event)}
        answer = self("invoke", FunctionName=name, **given, **parameters)
        payload = answer["Payload"]
        text = getattr(payload, "read")().decode()  # noqa: B009 - its type is not known
        return json.loads(text) if text else None, answer.get("FunctionError")

    def refuses(self, code: str, operation: str, **parameters: object) -> str:
        """Expect an error; return its message."""
        with pytest.raises(ClientError) as caught:
            self(operation, **parameters)
        error = caught.value.response.get("Error", {})
        assert error.get("Code") == code, error
        return error.get("Message", "")


def functions(region: str | None = None, *, validating: bool = True) -> LambdaUnderTest:
    # One session for all: each reads the model of Lambda anew, which takes longer than a test.
    given: dict[str, object] = {} if region is None else {"region_name": region}
    if not validating:
        given["config"] = Config(parameter_validation=False)
    return LambdaUnderTest(methodcaller("client", "lambda", **given)(boto3))


def fields(value: object) -> dict[str, object]:
    assert _is_fields(value), value
    return value


def dictionaries(value: object) -> list[dict[str, object]]:
    assert _is_list(value), value
    return [fields(item) for item in value]


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _is_fields(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def package(**modules: str) -> bytes:
    """Return a zip with modules."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, source in modules.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.py", (2025, 12, 1, 0, 0, 0)), dedent(source))
    return content.getvalue()


def queue_of(name: str = "orders", attributes: Mapping[QueueAttributeNameType, str] | None = None) -> QueueUnderTest:
    return create(client_of(boto3.Session()), name, attributes)


def connected(
    world: MockAws,
    worker: Worker,
    queue: QueueUnderTest,
    *,
    timeout: int = 3,
    reserved: int | None = None,
    **mapping: object,
) -> str:
    """Deploy a worker behind a queue and wait until it polls; return the mapping's UUID."""
    world.function("worker", worker, timeout=timeout, reserved_concurrency=reserved)
    uuid = functions().map(queue, **mapping)
    world.advance(60)
    assert functions().state(uuid) == "Enabled"
    return uuid
