"""Compare botocore's service models of SQS and Lambda with what chaosqs answers, and write what differs as a section.

    python -m tools.service_models     print every difference that docs/fidelity/service_models.toml does not list

A member or an enumerated value counts as known if the code that carries out each operation with it contains its name as
a string: the function of the operation, the functions that this one names, and so on.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType

import attrs
import botocore
from botocore.loaders import create_loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from chaosqs.errors import InvalidDesign
from chaosqs.mock_aws.lambda_api import mappings
from chaosqs.mock_aws.lambda_api.api import OPERATIONS as LAMBDA_OPERATIONS
from chaosqs.mock_aws.lambda_api.region import LambdaRegion
from chaosqs.mock_aws.lambda_api.resources import Configuration
from chaosqs.model.design import RECURSIVE_LOOPS, Design, EventSourceMapping, Function, Queue
from chaosqs.sqs.api.parameters import ApiError
from chaosqs.sqs.api.region import Region
from chaosqs.sqs.api.settings import RANGES
from chaosqs.sqs.api.sqs import OPERATIONS as SQS_OPERATIONS
from chaosqs.sqs.api.sqs import Sqs
from chaosqs.sqs.machines.move_task import CANCELLED, CANCELLING, COMPLETED, FAILED, RUNNING
from tools.tables import table

REVIEWED = Path(__file__).parents[1] / "docs" / "fidelity" / "service_models.toml"
SHOWING = {"present", "_present_alias", "_shown"}
"""Functions that make results: the names in them do not count as read."""
KINDS = ("operation", "member", "value", "limit")
TITLES = {"sqs": "SQS", "lambda": "Lambda"}


@attrs.frozen
class Service:
    """The operations that chaosqs answers of one service."""

    operations: Mapping[str, object]
    region: type
    """The class whose methods the operations call."""
    shown: frozenset[str] = frozenset()
    """Names and values that results may have besides those in the code."""


SERVICES = {
    "sqs": Service(SQS_OPERATIONS, Region),
    "lambda": Service(LAMBDA_OPERATIONS, LambdaRegion, frozenset(Configuration().shown).union(RECURSIVE_LOOPS)),
}


@attrs.frozen(order=True)
class Difference:
    """One thing of a service model that chaosqs does not have or has otherwise."""

    service: str
    kind: str
    """One of `KINDS`."""
    shape: str
    """The shape that it belongs to; empty for an operation."""
    name: str
    """The operation, member, value, or range as text."""

    def __str__(self) -> str:
        """Return the difference in plain words."""
        title = TITLES[self.service]
        match self.kind:
            case "operation":
                return f"{title} has the operation {self.name}, which chaosqs does not answer"
            case "member":
                return f"{title} has the field {self.name} of {self.shape}, which chaosqs does not read or show"
            case "value":
                return f"{title} has the value {self.name} of {self.shape}, which chaosqs does not know"
            case _:
                return f"{title} limits {self.shape} otherwise: {self.name}"


@cache
def model(service: str) -> ServiceModel:
    """Return the installed botocore's model of a service."""
    return ServiceModel(create_loader().load_service_model(service, "service-2"), service)


# Strings in the code of an operation ----------------------------------------------------------------------------------


def strings(start: object, region: type, skip: Iterable[str] = ()) -> set[str]:
    """Return the strings in a function's code, in the functions and constants that it names, and in those of these."""
    found, seen, left = set[str](), set[int](), [start]
    while left:
        value = left.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        match value:
            case str():
                found.add(value)
            case tuple() | list() | set() | frozenset():
                left += value
            case Mapping():
                left += [*value, *value.values()]
            case CodeType():
                left += value.co_consts
            case FunctionType() if value.__module__.startswith("chaosqs") and value.__name__ not in skip:
                left += value.__code__.co_consts
                left += _named(value.__code__, value.__globals__, region)
            case _:
                pass
    return found


def _named(code: CodeType, names: Mapping[str, object], region: type) -> Iterator[object]:
    """Yield the globals of the function and methods of the Region that code names."""
    for name in code.co_names:
        if name in names:
            yield names[name]
        elif isinstance(method := vars(region).get(name), FunctionType):
            yield method
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _named(inner, names, region)


STATES: Mapping[str, tuple[str, str, str, set[str]]] = {
    "sqs": (
        "ListMessageMoveTasksResultEntry",
        "Status",
        r"\b[A-Z]{2,}\b",
        {RUNNING, COMPLETED, CANCELLING, CANCELLED, FAILED},
    ),
    "lambda": (
        "EventSourceMappingConfiguration",
        "State",
        r"<code>(\w+)</code>",
        {
            text
            for change in (mappings.create, mappings.update, mappings.delete)
            for text in strings(change, LambdaRegion)
        },
    ),
}
"""Fields whose documentation lists their values: shape, field, pattern of a value, and the values that chaosqs has."""

# What a model has and chaosqs does not --------------------------------------------------------------------------------


def differences() -> list[Difference]:
    """Return all differences, listed in the file or not."""
    return sorted({found for name in SERVICES for found in (*_operations(name), *_shapes(name), *LIMITS[name]())})


def _operations(service: str) -> Iterator[Difference]:
    for name in model(service).operation_names:
        if name not in SERVICES[service].operations:
            yield Difference(service, "operation", "", name)


def _shapes(service: str) -> Iterator[Difference]:
    ours = SERVICES[service]
    name, field, pattern, known = STATES[service]
    states = model(service).shape_for(name)
    assert isinstance(states, StructureShape)
    for state in re.findall(pattern, states.members[field].documentation):
        if state not in known:
            yield Difference(service, "value", f"{name}.{field}", state)
    for name, function in ours.operations.items():
        operation = model(service).operation_model(name)
        read, shown = strings(function, ours.region, SHOWING), strings(function, ours.region) | ours.shown
        for shape, words in ((operation.input_shape, read), (operation.output_shape, shown)):
            if shape is not None:
                yield from _unknown(service, shape, words, frozenset())


def _unknown(service: str, shape: Shape, words: set[str], outer: frozenset[str]) -> Iterator[Difference]:
    """Yield what is not among the words; a member that is not is not entered."""
    if shape.name in outer:
        return
    outer |= {shape.name}
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            if name in words:
                yield from _unknown(service, member, words, outer)
            else:
                yield Difference(service, "member", shape.name, name)
    elif isinstance(shape, ListShape):
        yield from _unknown(service, shape.member, words, outer)
    elif isinstance(shape, MapShape):
        yield from _unknown(service, shape.key, words, outer)
        yield from _unknown(service, shape.value, words, outer)
    for value in shape.metadata.get("enum", ()):
        if value not in words:
            yield Difference(service, "value", shape.name, value)


# Limits ---------------------------------------------------------------------------------------------------------------

_QUEUE, _FUNCTION = Queue("orders", visibility_timeout=43_200), Function("worker")


def _mapped(batch: int = 1, window: int = 1, most: int | None = None, pollers: tuple[int, int] | None = None) -> Design:
    mapping = EventSourceMapping(
        "orders",
        "worker",
        batch_size=batch,
        maximum_batching_window=window,
        maximum_concurrency=most,
        provisioned_pollers=pollers,
    )
    return Design([_QUEUE], [_FUNCTION], [mapping])


DESIGNS: Mapping[str, Callable[[int], Design]] = {
    "BatchSize": lambda value: _mapped(batch=value),
    "MaximumBatchingWindowInSeconds": lambda value: _mapped(window=value),
    "MaximumConcurrency": lambda value: _mapped(most=value),
    "MinimumNumberOfPollers": lambda value: _mapped(pollers=(value, 10_000)),
    "MaximumNumberOfPollers": lambda value: _mapped(pollers=(2, value)),
    "Timeout": lambda value: Design([], [Function("worker", timeout=value)]),
    "MemorySize": lambda value: Design([], [Function("worker", memory=value)]),
}
"""A design with a value in it, for each shape of Lambda that a design checks by itself.

All other limits of Lambda's shapes are applied from the installed model when a request comes in.
"""


def _accepts(design: Callable[[int], Design], value: int) -> bool:
    try:
        design(value)
    except InvalidDesign:
        return False
    return True


def lambda_limits() -> Iterator[Difference]:
    """Yield the shapes whose range in the model is not exactly the one that a design accepts."""
    for shape, design in DESIGNS.items():
        metadata = model("lambda").shape_for(shape).metadata
        low, high = metadata["min"], metadata["max"]
        wrong = [str(value) for value in (low, high) if not _accepts(design, value)]
        wrong += [str(value) for value in (low - 1, high + 1) if _accepts(design, value)]
        if wrong:
            name = f"the model allows {low} to {high}, a design differs at {', '.join(wrong)}"
            yield Difference("lambda", "limit", shape, name)


_DEAD = "arn:aws:sqs:us-east-1:123456789012:dead"
_SEND: Mapping[str, object] = {"QueueUrl": "orders.fifo", "MessageBody": "x", "MessageGroupId": "g"}

REQUESTS: Mapping[tuple[str, str], Callable[[int], tuple[str, Mapping[str, object]]]] = {
    ("AddPermissionRequest", "Label"): lambda value: (
        "AddPermission",
        {"QueueUrl": "orders", "Label": "x" * value, "AWSAccountIds": ["1"], "Actions": ["*"]},
    ),
    ("CreateQueueRequest", "QueueName"): lambda value: ("CreateQueue", {"QueueName": "x" * value}),
    ("ListDeadLetterSourceQueuesRequest", "MaxResults"): lambda value: (
        "ListDeadLetterSourceQueues",
        {"QueueUrl": "dead", "MaxResults": value},
    ),
    ("ListMessageMoveTasksRequest", "MaxResults"): lambda value: (
        "ListMessageMoveTasks",
        {"SourceArn": _DEAD, "MaxResults": value},
    ),
    ("ListQueuesRequest", "MaxResults"): lambda value: ("ListQueues", {"MaxResults": value}),
    ("ReceiveMessageRequest", "MaxNumberOfMessages"): lambda value: (
        "ReceiveMessage",
        {"QueueUrl": "orders", "MaxNumberOfMessages": value},
    ),
    ("ReceiveMessageRequest", "ReceiveRequestAttemptId"): lambda value: (
        "ReceiveMessage",
        {"QueueUrl": "orders.fifo", "ReceiveRequestAttemptId": "x" * value},
    ),
    ("SendMessageBatchRequestEntry", "Id"): lambda value: (
        "SendMessageBatch",
        {"QueueUrl": "orders", "Entries": [{"Id": "x" * value, "MessageBody": "x"}]},
    ),
    ("SendMessageRequest", "DelaySeconds"): lambda value: (
        "SendMessage",
        {"QueueUrl": "orders", "MessageBody": "x", "DelaySeconds": value},
    ),
    ("SendMessageRequest", "MessageBody"): lambda value: (
        "SendMessage",
        {"QueueUrl": "orders", "MessageBody": "x" * value},
    ),
    ("SendMessageRequest", "MessageDeduplicationId"): lambda value: (
        "SendMessage",
        {**_SEND, "MessageDeduplicationId": "x" * value},
    ),
    ("SendMessageRequest", "MessageGroupId"): lambda value: ("SendMessage", {**_SEND, "MessageGroupId": "x" * value}),
    ("StartMessageMoveTaskRequest", "MaxNumberOfMessagesPerSecond"): lambda value: (
        "StartMessageMoveTask",
        {"SourceArn": _DEAD, "MaxNumberOfMessagesPerSecond": value},
    ),
}
"""A request with a value, or with a text of that length, for each field of SQS whose documentation names a maximum."""


def _answers(operation: str, parameters: Mapping[str, object]) -> bool:
    """Return True if SQS accepts a request; `orders` has the dead-letter queue `dead`."""
    sqs, redrive = Sqs(), f'{{"deadLetterTargetArn":"{_DEAD}","maxReceiveCount":1}}'
    sqs.call("CreateQueue", {"QueueName": "dead"})
    sqs.call("CreateQueue", {"QueueName": "orders", "Attributes": {"RedrivePolicy": redrive}})
    fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    sqs.call("CreateQueue", {"QueueName": "orders.fifo", "Attributes": fifo})
    try:
        sqs.call(operation, parameters)
    except ApiError:
        return False
    return True


def _numbers(text: str) -> set[int]:
    return {int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", text)}


def field_limits() -> Iterator[Difference]:
    """Yield the fields of SQS whose maximum here is none of the numbers in their documentation."""
    for (name, field), request in REQUESTS.items():
        shape = model("sqs").shape_for(name)
        assert isinstance(shape, StructureShape)
        numbers = _numbers(shape.members[field].documentation)
        if not any(_answers(*request(number)) and not _answers(*request(number + 1)) for number in numbers):
            text = f"chaosqs's maximum is none of the model's documentation, which names {sorted(numbers)}"
            yield Difference("sqs", "limit", f"{name}.{field}", text)


def sqs_limits() -> Iterator[Difference]:
    """Yield the attributes of a queue whose documentation in the model does not name the limits that chaosqs checks."""
    yield from field_limits()
    shape = model("sqs").shape_for("SetQueueAttributesRequest")
    assert isinstance(shape, StructureShape)
    items = re.findall(r"<li> <p> <code>(\w+)</code> (.*?)</li>", shape.members["Attributes"].documentation, re.DOTALL)
    texts = {name: _numbers(text) for name, text in items}
    for name, limits in RANGES.items():
        if missing := sorted(set(limits) - texts.get(name, set())):
            yield Difference("sqs", "limit", name, f"the model's documentation does not name {missing}")


LIMITS: Mapping[str, Callable[[], Iterator[Difference]]] = {"sqs": sqs_limits, "lambda": lambda_limits}

# The reviewed list ----------------------------------------------------------------------------------------------------


@attrs.frozen
class Entry:
    """Differences that have been looked at, with what chaosqs does and why."""

    service: str
    kind: str
    does: str
    reason: str
    shapes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Without names: every value of the shapes."""

    def lists(self, found: Difference) -> bool:
        """Return True if a difference is one of these."""
        if (self.service, self.kind) != (found.service, found.kind):
            return False
        return found.shape in (self.shapes or ("",)) and (found.name in self.names or not self.names)


def reviewed() -> list[Entry]:
    """Return the entries of the file, in its order."""
    content = tomllib.loads(REVIEWED.read_text(encoding="utf-8"))
    return [
        Entry(
            entry["service"],
            kind,
            entry["does"],
            entry["reason"],
            tuple(entry.get("shapes", ())),
            tuple(entry.get("names", ())),
        )
        for kind in KINDS
        for entry in content.get(kind, ())
    ]


def unlisted(found: Iterable[Difference], entries: Iterable[Entry]) -> list[str]:
    """Return the differences that no entry lists, in plain words."""
    listed = tuple(entries)
    return [str(difference) for difference in found if not any(entry.lists(difference) for entry in listed)]


def outdated(found: Iterable[Difference], entries: Iterable[Entry]) -> list[str]:
    """Return the names and shapes of entries that are no difference any more, in plain words."""
    there = tuple(found)
    return [
        f"{entry.service} {entry.kind} {one}: no difference any more"
        for entry in entries
        for one in (*entry.names, *entry.shapes)
        if not any(entry.lists(difference) and one in (difference.name, difference.shape) for difference in there)
    ]


# The section of docs/fidelity.md --------------------------------------------------------------------------------------

INTRO = (
    "The service models of botocore {version} list every operation, field, enumeration and limit of SQS and Lambda. "
    "`python -m tools.service_models` compares them with chaosqs. A test fails if a new version of botocore has "
    "something that chaosqs does not have and this list does not name. chaosqs answers {sqs} of {all_sqs} operations "
    "of SQS and {lambda_} of {all_lambda} of Lambda; it refuses the others with `UnknownOperationException`. A request "
    "to Lambda is checked against the limits of the installed model. The limits of SQS stand in texts of its model "
    "and are compared with what chaosqs accepts. A field counts as known if the code of each operation contains it."
)
HEAD = ("service", "what", "chaosqs", "why")


def section() -> str:
    """Return the section: what chaosqs does with everything that it lacks or has otherwise."""
    intro = INTRO.format(
        version=botocore.__version__,
        sqs=len(SQS_OPERATIONS),
        all_sqs=len(model("sqs").operation_names),
        lambda_=len(LAMBDA_OPERATIONS),
        all_lambda=len(model("lambda").operation_names),
    )
    return f"{intro}\n\n{table(HEAD, map(_row, reviewed()))}"


def _row(entry: Entry) -> tuple[str, str, str, str]:
    shapes, names = (", ".join(f"`{one}`" for one in some) for some in (entry.shapes, entry.names))
    match entry.kind:
        case "operation":
            what = names
        case "member":
            what = f"{names} of {shapes}"
        case "value":
            what = f"{names or 'all values'} of {shapes}"
        case _:
            what = f"the range of {shapes}: {', '.join(entry.names)}"
    return TITLES[entry.service], what, entry.does, entry.reason


if __name__ == "__main__":
    print("\n".join(unlisted(differences(), reviewed())))
