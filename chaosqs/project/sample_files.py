"""Sample messages in files of a project: Lambda events of SQS, or bodies.

A file may be an event whose `Records` are of SQS; one body, which is any other JSON object; or a list of bodies. An
event of another service is not used, and neither is a file that is not JSON; a notice names each of them with its line.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import attrs

from chaosqs.errors import InvalidInput
from chaosqs.model.json import Json
from chaosqs.model.message import Message
from chaosqs.project.wording import first_line, relative_to
from chaosqs.strategies.schema import is_schema

PATTERNS = ("events/**/*.json", "tests/events/**/*.json", "test/events/**/*.json", "event.json")
"""Files in which a project's samples are looked for, relative to its root and to the directory of a template."""
_MOST_FILES = 200
_MOST_BYTES = 4_000_000
_SKIPPED = ("node_modules", ".aws-sam", ".git", ".venv", "venv", "cdk.out", ".serverless")
_SERVICES = {"aws:s3": "S3", "aws:sns": "SNS", "aws:dynamodb": "DynamoDB", "aws:kinesis": "Kinesis", "aws:ses": "SES"}
_API = ("httpMethod", "routeKey", "requestContext", "methodArn")
"""Fields of events of API Gateway and of load balancers."""


@attrs.frozen
class Sample:
    """A message that a file shows."""

    message: Message
    file: str
    """The file, relative to the root directory."""
    queue: str = ""
    """Name of the queue in its `eventSourceARN`; empty if it has none."""


@attrs.frozen
class Samples:
    """The samples of some files."""

    samples: tuple[Sample, ...]
    notices: tuple[str, ...]
    """A line for each file that is not used, with the reason."""
    broken: tuple[str, ...] = ()
    """The lines of those that nobody could use, such as a file that is not JSON."""


class OtherEvent(InvalidInput):
    """A file is fine, and has no sample: it is empty, a schema, or of another service."""


def found(root: Path, *others: Path) -> Samples:
    """Return the samples in the files of a project that look like events; `others`: further directories."""
    samples, notices, broken = list[Sample](), list[str](), list[str]()
    for path in list(dict.fromkeys(_paths(root, *others)))[:_MOST_FILES]:
        try:
            samples += read(path, root)
        except InvalidInput as error:
            notices.append(f"{error}: not used")
            broken += [] if isinstance(error, OtherEvent) else [str(error)]
    return Samples(tuple(samples), tuple(notices), tuple(broken))


def _paths(*directories: Path) -> Iterator[Path]:
    for directory in dict.fromkeys(directories):
        for pattern in PATTERNS:
            for path in sorted(directory.glob(pattern)):
                if path.is_file() and not any(part in _SKIPPED for part in path.relative_to(directory).parts):
                    yield path


def read(path: Path, root: Path) -> list[Sample]:
    """Return the samples in a file. Raises `InvalidInput` with file, line and reason if it has none."""
    name, text = relative_to(root, path), _text(path, relative_to(root, path))
    document = document_in(path, root)
    if is_schema(document):
        raise OtherEvent(f"{name}:1: is a JSON Schema, which `bodies` of a function's settings may name")
    samples = [Sample(message, name, queue) for message, queue in _messages(document, name, text)]
    if not samples:
        raise OtherEvent(f"{name}:1: has no message")
    return samples


def document_in(path: Path, root: Path) -> Json:
    """Return the JSON document in a file. Raises `InvalidInput` with file, line and reason if there is none."""
    name = relative_to(root, path)
    try:
        document: Json = json.loads(_text(path, name))
    except json.JSONDecodeError as error:
        raise InvalidInput(f"{name}:{error.lineno}: is not JSON ({error.msg})") from None
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{name}:1: is not JSON ({first_line(error)})") from None
    return document


def _text(path: Path, name: str) -> str:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InvalidInput(f"{name}:1: is larger than {_MOST_BYTES:,} bytes")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{name}:1: cannot be read ({first_line(error)})") from None


def _messages(document: Json, name: str, text: str) -> Iterator[tuple[Message, str]]:
    """Yield the messages of a file, each with the name of its queue."""
    match document:
        case {"Records": list(records)}:
            line = _line(text, '"Records"')
            for index, record in enumerate(records):
                yield _of_record(record, f"{name}:{line}: Records[{index}]")
        case {"Records": _}:
            line = _line(text, '"Records"')
            raise InvalidInput(f"{name}:{line}: Records is not a list")
        case dict() if any(field in document for field in _API):
            raise OtherEvent(f"{name}:{_line(text, *_API)}: is an event of an API, not of SQS")
        case {"body": str(), "messageId": _}:
            yield _of_record(document, f"{name}:1")
        case dict() if document.keys() >= {"Body", "MessageId"}:
            yield _of_record({**document, "body": document["Body"]}, f"{name}:1")
        case list():
            are_records = all(isinstance(each, dict) and "messageId" in each for each in document)
            for index, each in enumerate(document):
                yield _of_record(each, f"{name}:1: [{index}]") if are_records else (Message(each), "")
        case _:
            yield from [] if document is None else [(Message(document), "")]


def _line(text: str, *words: str) -> int:
    """Return the number of the line that has the first of some words."""
    places = [place for word in words if (place := text.find(word)) >= 0]
    return text.count("\n", 0, min(places, default=0)) + 1


def _of_record(record: Json, where: str) -> tuple[Message, str]:
    """Return the message of a record of Lambda's event, or of a message as boto3 receives it; and its queue's name."""
    if not isinstance(record, dict):
        raise InvalidInput(f"{where} is not an object")
    service = record.get("eventSource", record.get("EventSource", "aws:sqs"))
    body = record.get("body")
    if service != "aws:sqs":
        shown = _SERVICES.get(str(service), str(service))
        raise OtherEvent(f"{where} is of {shown}, not of SQS")
    if not isinstance(body, str) or not body:
        raise InvalidInput(f"{where} has no body")
    system, attributes = record.get("attributes"), record.get("messageAttributes", record.get("MessageAttributes"))
    system = system if isinstance(system, dict) else {}
    arn = str(record.get("eventSourceARN") or "")
    try:
        message = Message(
            body,
            attributes if isinstance(attributes, dict) else {},
            group=str(system.get("MessageGroupId") or ""),
            deduplication_id=str(system.get("MessageDeduplicationId") or ""),
        )
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {first_line(error)}") from None
    return message, arn.rpartition(":")[2]
