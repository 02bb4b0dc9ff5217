"""The resources of a design, made in its other services: tables, topics, buckets, parameters and more.

Each known type of CloudFormation becomes requests of the service's own API, checked by botocore's model. Types that are
not listed here are left out: code can call their services, and finds them empty.
"""

import gzip
import json
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import TypeAlias
from urllib.parse import unquote_plus

import attrs
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, create_request_object, prepare_request_dict
from botocore.exceptions import ParamValidationError
from botocore.loaders import create_loader
from botocore.model import ServiceModel, StructureShape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from chaosqs.errors import InvalidDesign, Problem
from chaosqs.model.design import Resource
from chaosqs.sqs.api.region import REGION
from chaosqs.wire.other_services import Delivery, OtherServices
from chaosqs.wire.transport import Json, scope

_Object: TypeAlias = dict[str, Json]
_Answer: TypeAlias = Callable[[AWSPreparedRequest], AWSResponse | None]


@attrs.frozen
class _Request:
    """One request that makes a resource, or a part of it."""

    operation: str
    parameters: Mapping[str, object]


@attrs.frozen
class _Type:
    """A type of resource that is made."""

    service: str
    """Name of its service, as `boto3.client` takes it."""
    requests: Callable[[str, _Object], Iterator[_Request]]
    """Returns the requests for a name and properties."""


class _RefusedError(Exception):
    """A resource that its service refuses, and moto does not."""


def make(resources: Sequence[Resource], answer: _Answer) -> None:
    """Make resources; raise `InvalidDesign` that names the first one that its service refuses."""
    for known in TYPES:
        for resource in resources:
            if resource.type == known:
                _make(resource, TYPES[known], answer)


def refusals(resources: Sequence[Resource]) -> dict[str, str]:
    """Return the reasons why services refuse some of the resources, by name."""
    services, refused = OtherServices(_drop), dict[str, str]()

    def answer(request: AWSPreparedRequest) -> AWSResponse | None:
        services.load(request)
        return services.answer(request, 0)

    for known in TYPES:
        for resource in resources:
            try:
                make([resource] if resource.type == known else [], answer)
            except InvalidDesign as error:
                refused[resource.name] = error.problems[0].must.partition(" cannot be made: ")[2]
    services.close()
    return refused


def _drop(_: Delivery) -> None: ...


def _make(resource: Resource, known: _Type, answer: _Answer) -> None:
    properties: _Object = json.loads(resource.properties)
    try:
        for request in known.requests(resource.name, properties):
            refused = _refusal(known.service, request, answer)
            if refused:
                raise _invalid(resource, refused)
    except _RefusedError as error:
        raise _invalid(resource, str(error)) from None
    except ParamValidationError as error:
        raise _invalid(resource, str(error).splitlines()[-1]) from None
    except (AttributeError, KeyError, TypeError) as error:
        raise _invalid(resource, f"{type(error).__name__} {error} in its properties") from None


def _invalid(resource: Resource, why: str) -> InvalidDesign:
    return InvalidDesign([Problem("resources", repr(resource.name), f"{resource.type} cannot be made: {why}")])


# Objects that messages tell of: notifications of S3 are sent because there is an object -------------------------------

_TINY = {
    "gif": "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7",
    "jpg": (
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP//////////////////////////////////////////////////////////////////"
        "////////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAI"
        "AQEAAD8AN//Z"
    ),
    "png": ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="),
}
"""Images of one pixel."""
_TEXTS = {
    "csv": b"id,name\n1,one\n",
    "json": b"{}",
    "jsonl": b"{}\n",
    "ndjson": b"{}\n",
    "txt": b"text\n",
    "xml": b"<a/>",
}


def objects_of(bodies: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield bucket and key of each object that bodies of messages tell of, each once.

    They are notifications of S3 and events of EventBridge about S3, also in envelopes of SNS, and objects with the
    fields `bucket` and `key`. Keys of notifications are URL-encoded (S3 User Guide, notification-content-structure).
    """
    found: dict[tuple[str, str], None] = {}
    for body in bodies:
        with suppress(ValueError, RecursionError):
            document: Json = json.loads(body)
            found.update(dict.fromkeys(_named(document)))
    yield from found


def _named(value: Json) -> Iterator[tuple[str, str]]:
    match value:
        case {"s3": {"bucket": {"name": str(bucket)}, "object": {"key": str(key)}}}:
            yield bucket, unquote_plus(key)
        case {"bucket": {"name": str(bucket)}, "object": {"key": str(key)}} | {"bucket": str(bucket), "key": str(key)}:
            yield bucket, key
        case dict():
            for each in value.values():
                yield from _named(each)
        case list():
            for each in value:
                yield from _named(each)
        case str() if value.startswith("{"):
            with suppress(ValueError):
                yield from _named(json.loads(value))
        case _:
            pass


def put(objects: Iterable[tuple[str, str]], known: Sequence[Resource], answer: _Answer) -> None:
    """Put objects with made-up contents into buckets, which are made if the design has none of that name."""
    buckets = {resource.name for resource in known if resource.type == "AWS::S3::Bucket"}
    for bucket, key in objects:
        with suppress(ParamValidationError):  # a bucket's name that AWS would refuse
            if bucket not in buckets:
                buckets.add(bucket)
                _refusal("s3", _Request("CreateBucket", {"Bucket": bucket}), answer)
            _refusal("s3", _Request("PutObject", {"Bucket": bucket, "Key": key, "Body": contents(key)}), answer)


def contents(key: str) -> bytes:
    """Return small valid contents for the suffix of a key."""
    suffix = key.rpartition(".")[2].lower().replace("jpeg", "jpg")
    if suffix == "gz":
        return gzip.compress(contents(key.rpartition(".")[0]), mtime=0)
    return b64decode(_TINY[suffix]) if suffix in _TINY else _TEXTS.get(suffix, b"chaosqs")


# Requests without a client: a client would read the user's configuration ----------------------------------------------


@cache
def _model(service: str) -> ServiceModel:
    return ServiceModel(create_loader().load_service_model(service, "service-2"), service)


def _refusal(service: str, request: _Request, answer: _Answer) -> str:
    """Send a request; return the message of the error, or an empty string."""
    model = _model(service)
    operation = model.operation_model(request.operation)
    made = create_serializer(model.protocol).serialize_to_request(request.parameters, operation)
    prepare_request_dict(made, f"https://{model.endpoint_prefix}.{REGION}.amazonaws.com", {})
    prepared = create_request_object(made).prepare()
    prepared.headers["Authorization"] = scope(model.signing_name, REGION)
    response = answer(prepared)
    if response is None:
        return f"moto does not implement {request.operation}"
    if response.status_code < 300:  # noqa: PLR2004 - HTTP's own classes
        return ""
    found = {"headers": response.headers, "status_code": response.status_code, "body": response.content}
    shape = operation.output_shape or StructureShape("Nothing", {"type": "structure", "members": {}})
    parsed: Mapping[str, Mapping[str, object]] = create_parser(model.protocol).parse(found, shape)
    return f"{parsed['Error'].get('Code', '')}: {parsed['Error'].get('Message', '')}"


# The types ------------------------------------------------------------------------------------------------------------


def _picked(properties: _Object, *names: str) -> _Object:
    return {name: properties[name] for name in names if name in properties}


def _objects(value: Json) -> list[_Object]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _object(value: Json) -> _Object:
    return value if isinstance(value, dict) else {}


def _texts(values: _Object) -> _Object:
    """Return attributes as the APIs take them: text, truths and objects as JSON."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def _table(name: str, properties: _Object) -> Iterator[_Request]:
    """Make a table. Its capacity is not simulated, so it is on demand."""
    asked: _Object = {"TableName": name, "BillingMode": "PAY_PER_REQUEST"}
    asked |= _picked(properties, "AttributeDefinitions", "KeySchema")
    for indexes in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        found = [_picked(index, "IndexName", "KeySchema", "Projection") for index in _objects(properties.get(indexes))]
        asked |= {indexes: list(found)} if found else {}
    streams = _object(properties.get("StreamSpecification"))
    if streams:
        asked["StreamSpecification"] = {"StreamEnabled": True, **_picked(streams, "StreamViewType")}
    yield _Request("CreateTable", asked)


def _simple_table(name: str, properties: _Object) -> Iterator[_Request]:
    """Make SAM's table with one key."""
    key = {"Name": "id", "Type": "String", **_object(properties.get("PrimaryKey"))}
    kind = str(key["Type"])[:1]
    yield from _table(
        name,
        {
            "AttributeDefinitions": [{"AttributeName": key["Name"], "AttributeType": kind}],
            "KeySchema": [{"AttributeName": key["Name"], "KeyType": "HASH"}],
        },
    )


def _topic(name: str, properties: _Object) -> Iterator[_Request]:
    picked = _texts(_picked(properties, "FifoTopic", "ContentBasedDeduplication", "FifoThroughputScope"))
    attributes: _Object = {name: value for name, value in picked.items() if value != "false"}  # to moto it is a truth
    yield _Request("CreateTopic", {"Name": name.rpartition(":")[2], "Attributes": attributes})
    for subscription in _objects(properties.get("Subscription")):
        yield from _subscription(name, {**subscription, "TopicArn": name})


def _subscription(_: str, properties: _Object) -> Iterator[_Request]:
    """Subscribe a queue that is known. Nothing else that can subscribe is simulated."""
    if properties.get("Protocol") != "sqs" or "Endpoint" not in properties:
        return
    attributes = _texts(_picked(properties, "FilterPolicyScope", "FilterPolicy"))
    if str(properties.get("RawMessageDelivery")).lower() == "true":
        attributes["RawMessageDelivery"] = "true"
    yield _Request("Subscribe", {**_picked(properties, "TopicArn", "Protocol", "Endpoint"), "Attributes": attributes})


def _bucket(name: str, properties: _Object) -> Iterator[_Request]:
    yield _Request("CreateBucket", {"Bucket": name})
    versioning = _object(properties.get("VersioningConfiguration"))
    if versioning:
        yield _Request("PutBucketVersioning", {"Bucket": name, "VersioningConfiguration": versioning})
    wanted = _object(properties.get("NotificationConfiguration"))
    found: _Object = {}
    for kind in ("Queue", "Topic"):
        known = [entry for entry in _objects(wanted.get(f"{kind}Configurations")) if kind in entry]
        entries = [_notification(kind, entry) for entry in known]
        found |= {f"{kind}Configurations": list(entries)} if entries else {}
    if wanted.get("EventBridgeConfiguration"):
        found["EventBridgeConfiguration"] = {}
    if found:
        yield _Request("PutBucketNotificationConfiguration", {"Bucket": name, "NotificationConfiguration": found})


def _notification(kind: str, entry: _Object) -> _Object:
    if str(entry[kind]).endswith(".fifo"):  # S3 User Guide, notification-how-to-event-types-and-destinations
        raise _RefusedError(f"S3 cannot notify a FIFO {kind.lower()}, as {str(entry[kind]).rpartition(':')[2]}")
    asked: _Object = {f"{kind}Arn": entry[kind], "Events": [entry["Event"]]}
    rules = _objects(_object(_object(entry.get("Filter")).get("S3Key")).get("Rules"))
    if rules:
        # moto takes small letters only; S3 itself answers with `Prefix`
        lower: list[Json] = [{**rule, "Name": str(rule.get("Name")).lower()} for rule in rules]
        asked["Filter"] = {"Key": {"FilterRules": lower}}
    return asked


def _parameter(name: str, properties: _Object) -> Iterator[_Request]:
    yield _Request("PutParameter", {"Name": name, "Type": "String", **_picked(properties, "Type", "Value")})


def _secret(name: str, properties: _Object) -> Iterator[_Request]:
    """Make a secret; one that AWS would generate is the text `chaosqs`, under its key if it has a template."""
    generated = _object(properties.get("GenerateSecretString"))
    text = properties.get("SecretString", "chaosqs")
    if generated.get("SecretStringTemplate"):
        template: _Object = json.loads(str(generated["SecretStringTemplate"]))
        text = json.dumps({**template, str(generated.get("GenerateStringKey", "password")): "chaosqs"})
    yield _Request("CreateSecret", {"Name": str(properties.get("Name", name)), "SecretString": text})


def _bus(name: str, _: _Object) -> Iterator[_Request]:
    yield _Request("CreateEventBus", {"Name": name})


def _rule(name: str, properties: _Object) -> Iterator[_Request]:
    """Make a rule that passes events on to queues. Schedules are workloads of a scenario."""
    if "EventPattern" not in properties:
        return
    rule = {"Name": name.rpartition("|")[2], **_picked(properties, "EventBusName", "State")}
    yield _Request("PutRule", {**rule, "EventPattern": _texts(properties)["EventPattern"]})
    targets = [
        _picked(target, "Id", "Arn", "Input", "InputPath", "InputTransformer", "SqsParameters")
        for target in _objects(properties.get("Targets"))
        if ":sqs:" in str(target.get("Arn"))
    ]
    if targets:
        yield _Request("PutTargets", {"Rule": rule["Name"], "Targets": list(targets), **_picked(rule, "EventBusName")})


def _stream(name: str, _: _Object) -> Iterator[_Request]:
    yield _Request("CreateStream", {"StreamName": name, "ShardCount": 1})


def _log_group(name: str, _: _Object) -> Iterator[_Request]:
    yield _Request("CreateLogGroup", {"logGroupName": name})


TYPES: Mapping[str, _Type] = {
    "AWS::DynamoDB::Table": _Type("dynamodb", _table),
    "AWS::Serverless::SimpleTable": _Type("dynamodb", _simple_table),
    "AWS::SNS::Topic": _Type("sns", _topic),
    "AWS::SNS::Subscription": _Type("sns", _subscription),
    "AWS::S3::Bucket": _Type("s3", _bucket),
    "AWS::SSM::Parameter": _Type("ssm", _parameter),
    "AWS::SecretsManager::Secret": _Type("secretsmanager", _secret),
    "AWS::Events::EventBus": _Type("events", _bus),
    "AWS::Events::Rule": _Type("events", _rule),
    "AWS::Kinesis::Stream": _Type("kinesis", _stream),
    "AWS::Logs::LogGroup": _Type("logs", _log_group),
}
"""The types of resources that are made, by CloudFormation's names, in the order in which they are made."""
