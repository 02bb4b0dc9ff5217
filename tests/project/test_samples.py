"""The samples of a project's messages: which files are read, whose they are, and what is said about the others."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest

from chaosqs.errors import InvalidInput
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive, Resource
from chaosqs.model.message import Message
from chaosqs.project.child import Child
from chaosqs.project.discovery import Source
from chaosqs.project.sample_files import found, read
from chaosqs.project.samples import FoundMessages, found_messages
from chaosqs.project.settings import FunctionSettings, Settings

ORDER = {"id": "o-1", "amount": 12.5}
CODE = """
import json, os
import boto3

def charge(event, context):
    for record in event["Records"]:
        order = json.loads(record["body"])
        body = json.dumps({"order": order["id"], "total": order["amount"]})
        boto3.client("sqs").send_message(QueueUrl="https://sqs.eu-west-1.amazonaws.com/1/invoices", MessageBody=body)

def invoice(event, context):
    for record in event["Records"]:
        json.loads(record["body"])["total"]

def bury(event, context):
    pass
"""


def event(*bodies: object, arn: str = "", **fields: object) -> str:
    """Return an event of SQS as text."""
    records = [{"messageId": "1", "body": json.dumps(body), "eventSource": "aws:sqs", **fields} for body in bodies]
    return json.dumps({"Records": [{**record, "eventSourceARN": arn} if arn else record for record in records]})


def project(root: Path, **files: str) -> Path:
    """Write handlers and sample files; `__` in a name is a slash, and each is JSON."""
    (root / "shop.py").write_text(CODE, encoding="utf-8")
    for name, text in files.items():
        path = root / f"{name.replace('__', '/')}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


DESIGN = Design(
    [Queue("orders", redrive=Redrive("dead", 3)), Queue("dead"), Queue("invoices")],
    [Function("charge"), Function("invoice"), Function("bury")],
    [
        EventSourceMapping("orders", "charge"),
        EventSourceMapping("invoices", "invoice"),
        EventSourceMapping("dead", "bury"),
    ],
)


def messages(
    root: Path, settings: Settings | None = None, design: Design = DESIGN, broken: tuple[str, ...] = ()
) -> FoundMessages:
    behaviours = {each.name: Behaviour(handler=f"shop:{each.name}", code=str(root)) for each in design.functions}
    source = Source("shop", root / "template.yaml", design, behaviours)
    return found_messages(source, behaviours, settings or Settings(), Child(root, seconds=0), broken)


def origins(found: FoundMessages) -> dict[str, str]:
    return {name: each.origin for name, each in found.queues.items()}


# Files


def test_an_event_has_bodies_attributes_and_ids(tmp_path: Path) -> None:
    """A record's message attributes, group and deduplication id come with its body; its ARN names the queue."""
    text = event(
        ORDER,
        arn="arn:aws:sqs:eu-west-1:123456789012:orders.fifo",
        attributes={"MessageGroupId": "g", "MessageDeduplicationId": "d", "SenderId": "x"},
        messageAttributes={"kind": {"stringValue": "paid", "dataType": "String", "stringListValues": []}},
    )
    [sample] = read(project(tmp_path, one=text) / "one.json", tmp_path)
    assert sample.message == Message(ORDER, {"kind": "paid"}, "g", "d")
    assert (sample.queue, sample.file) == ("orders.fifo", "one.json")


@pytest.mark.parametrize(
    ("text", "bodies"),
    [
        ('{"id": 1}', ['{"id": 1}']),
        ('[{"id": 1}, "x"]', ['{"id": 1}', "x"]),
        ('"plain"', ["plain"]),
        ('{"messageId": "1", "body": "x"}', ["x"]),
        ('{"MessageId": "1", "Body": "x"}', ["x"]),
        ('{"body": "a field of its own"}', ['{"body": "a field of its own"}']),
    ],
)
def test_other_files_are_bodies(text: str, bodies: list[str], tmp_path: Path) -> None:
    """An object is one body, a list several; a single message is one, too."""
    project(tmp_path, one=text)
    assert [sample.message.body for sample in read(tmp_path / "one.json", tmp_path)] == bodies


def test_a_broken_file_fails_the_functions_without_other_samples(tmp_path: Path) -> None:
    """With file and line; where its queue has samples, and for events of other services, a notice is enough."""
    only = Design([Queue("orders")], [Function("charge")], [EventSourceMapping("orders", "charge")])
    project(tmp_path, events__x='{\n"id": ', events__api='{"httpMethod": "GET"}')
    found = messages(tmp_path, design=only)
    why, advice = found.missing["charge"].split("\n")
    assert why == "orders has no sample messages: events/x.json:2: is not JSON (Expecting value)"
    assert "[tool.chaosqs.functions.charge]" in advice
    assert not messages(project(tmp_path, events__y=event(ORDER)), design=only).missing
    assert not messages(project(tmp_path, events__x="{}", events__y="null"), design=only).missing


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{\n"id": ', "events/x.json:2: is not JSON (Expecting value): not used"),
        ('{"Records": [{"eventSource": "aws:s3"}]}', "events/x.json:1: Records[0] is of S3, not of SQS: not used"),
        ('{"Records": [{"EventSource": "aws:sns"}]}', "events/x.json:1: Records[0] is of SNS, not of SQS: not used"),
        ('{"Records": [{"messageId": "1"}]}', "events/x.json:1: Records[0] has no body: not used"),
        ('{"Records": []}', "events/x.json:1: has no message: not used"),
        ('{\n"Records": {"body": "x"}}', "events/x.json:2: Records is not a list: not used"),
        ('{"Records": [3]}', "events/x.json:1: Records[0] is not an object: not used"),
        ("null", "events/x.json:1: has no message: not used"),
        ('{\n "httpMethod": "GET"}', "events/x.json:2: is an event of an API, not of SQS: not used"),
        ("", "events/x.json:1: is not JSON (Expecting value): not used"),
        ("[" * 100_000, "events/x.json:1: is not JSON"),
    ],
)
def test_what_is_not_a_sample_is_named_with_its_line_and_the_others_are_used(
    text: str, problem: str, tmp_path: Path
) -> None:
    """Nothing breaks; the notice says why."""
    samples = found(project(tmp_path, events__x=text, events__y=event(ORDER)))
    assert [sample.file for sample in samples.samples] == ["events/y.json"]
    assert len(samples.notices) == 1
    assert samples.notices[0].startswith(problem)


def test_samples_lie_in_the_usual_places(tmp_path: Path) -> None:
    """In `events`, at any depth, in `tests/events` and in `event.json`; not in what tools install or build."""
    text = event(ORDER)
    project(tmp_path, event=text, events__a=text, events__deep__b=text, tests__events__c=text, other__d=text)
    project(tmp_path, events__node_modules__e=text)
    assert sorted(sample.file for sample in found(tmp_path).samples) == [
        "event.json",
        "events/a.json",
        "events/deep/b.json",
        "tests/events/c.json",
    ]


# Queues


def test_a_queue_that_a_bucket_notifies_gets_notifications(tmp_path: Path) -> None:
    """Of keys that the filter lets pass; samples of the project come first."""
    rules = [{"Name": "prefix", "Value": "in/"}, {"Name": "Suffix", "Value": " a.csv"}]
    entry = {"Queue": "arn:aws:sqs:us-east-1:123456789012:orders", "Event": "s3:ObjectCreated:*"}
    filtered = {**entry, "Filter": {"S3Key": {"Rules": rules}}}
    properties = {"BucketName": "uploads", "NotificationConfiguration": {"QueueConfigurations": [filtered]}}
    bucket = Resource("AWS::S3::Bucket", "uploads", json.dumps(properties))
    design = attrs.evolve(DESIGN, resources=[bucket])
    result = messages(project(tmp_path), design=design)
    assert origins(result) == {"orders": "notifications of bucket uploads", "dead": "messages of orders"}
    told = [json.loads(sample.body)["Records"][0] for sample in result.queues["orders"].samples]
    assert [each["s3"]["object"]["key"] for each in told] == ["in/object-1+a.csv", "in/object-2+a.csv"]
    assert {(each["eventName"], each["s3"]["bucket"]["name"]) for each in told} == {("ObjectCreated:Put", "uploads")}
    named = messages(project(tmp_path, events__order=event(ORDER)), design=design)
    assert origins(named)["orders"] == "bodies from events/order.json"


def test_a_chain_of_queues_is_found_from_one_file(tmp_path: Path) -> None:
    """The file's name fits one queue; the next one gets what its handler sends, the dead-letter queue the same."""
    result = messages(project(tmp_path, events__order=event(ORDER)))
    assert origins(result) == {
        "orders": "bodies from events/order.json",
        "dead": "messages of orders",
        "invoices": "bodies that charge sends",
    }
    assert result.queues["invoices"].samples == (Message({"order": "o-1", "total": 12.5}),)
    assert result.notices == ()


def test_the_dead_letters_of_code_that_cannot_be_run_are_known(tmp_path: Path) -> None:
    """They are messages of its queue; what it would have sent is not."""
    assert origins(messages(project(tmp_path, events__order=event(ORDER)), broken=("charge",))) == {
        "orders": "bodies from events/order.json",
        "dead": "messages of orders",
    }


def test_the_arn_in_an_event_names_the_queue(tmp_path: Path) -> None:
    """Whatever the file is called."""
    arn = "arn:aws:sqs:eu-west-1:123456789012:invoices"
    result = messages(project(tmp_path, events__order=event({"total": 1}, arn=arn)))
    assert origins(result) == {"invoices": "bodies from events/order.json"}


def test_the_handler_that_accepts_a_sample_gets_it(tmp_path: Path) -> None:
    """Where neither ARN nor name tells, each handler gets the samples alone, and keeps those that it processes."""
    result = messages(project(tmp_path, events__one=event({"total": 1}), events__two=event(ORDER)))
    assert result.queues["orders"].samples == (Message(ORDER),)
    assert result.queues["invoices"].samples == (Message({"total": 1}),)


def test_the_settings_name_files_and_values(tmp_path: Path) -> None:
    """`bodies` goes before everything else, and may be a function or a list in a Python file."""
    project(tmp_path, events__order=event(ORDER), mine=event({"total": 2}))
    (tmp_path / "bodies.py").write_text('def orders():\n    return [{"id": 7, "amount": 1}]\n', encoding="utf-8")
    functions = {
        "charge": FunctionSettings(bodies=("bodies.py:orders",)),
        "invoice": FunctionSettings(bodies=("mine.json",)),
    }
    result = messages(tmp_path, Settings(functions=functions))
    assert result.queues["orders"].samples == (Message({"id": 7, "amount": 1}),)
    assert origins(result)["invoices"] == "bodies from mine.json"


def test_a_strategy_is_drawn_from(tmp_path: Path) -> None:
    """The source has samples drawn from it, and the strategy for more; its identifiers stay as they are."""
    text = "from hypothesis import strategies as st\norders = st.fixed_dictionaries({'id': st.integers(1, 9)})\n"
    (project(tmp_path) / "bodies.py").write_text(text, encoding="utf-8")
    functions = {"charge": FunctionSettings(bodies=("bodies.py:orders",))}
    source = messages(tmp_path, Settings(functions=functions)).sources(DESIGN, tmp_path)["orders"]
    assert all(json.loads(sample.body)["id"] in range(1, 10) for sample in source.samples)
    assert source.others is not None
    assert (source.distinct, source.origin) == (False, "bodies from bodies.py:orders")


@pytest.mark.parametrize(
    ("bodies", "problem"),
    [
        ("none.json", r"\[tool.chaosqs.functions.charge\]: bodies = 'none.json': there is no such file"),
        ("bodies.py:none", "defines no 'none'"),
        ("bodies.py:broken", "bodies.py:broken: raised ZeroDivisionError"),
        ("bodies.py:number", "must be samples, a function that returns them, or a strategy, not 7"),
        ("bad.json", "bad.json:1: is not JSON"),
    ],
)
def test_wrong_settings_are_refused(bodies: str, problem: str, tmp_path: Path) -> None:
    """What the user names has to be right."""
    text = "number = 7\ndef broken():\n    1 / 0\n"
    (project(tmp_path, bad="{") / "bodies.py").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match=problem):
        messages(tmp_path, Settings(functions={"charge": FunctionSettings(bodies=(bodies,))}))


SCHEMA = {"$schema": "x", "type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}


def test_a_json_schema_is_drawn_from(tmp_path: Path) -> None:
    """Where the settings name it; among the events it is no sample."""
    project(tmp_path, order=json.dumps(SCHEMA), events__order=json.dumps(SCHEMA))
    functions = {"charge": FunctionSettings(bodies=("order.json",))}
    result = messages(tmp_path, Settings(functions=functions))
    source = result.sources(DESIGN, tmp_path)["orders"]
    assert all(isinstance(json.loads(sample.body)["id"], int) for sample in source.samples)
    assert len(result.notices) == 1
    assert result.notices[0].startswith("events/order.json:1: is a JSON Schema")


def test_a_schema_that_is_not_read_is_refused(tmp_path: Path) -> None:
    """The error names file and keyword, and says what to do."""
    project(tmp_path, order=json.dumps({**SCHEMA, "allOf": []}))
    with pytest.raises(InvalidInput, match=r"order.json: the JSON Schema has the keyword allOf"):
        messages(tmp_path, Settings(functions={"charge": FunctionSettings(bodies=("order.json",))}))


def test_circles_of_queues_end(tmp_path: Path) -> None:
    """Two handlers that send to each other's queues are run once each."""
    design = attrs.evolve(
        DESIGN, mappings=[EventSourceMapping("orders", "invoice"), EventSourceMapping("invoices", "charge")]
    )
    arn = "arn:aws:sqs:eu-west-1:123456789012:invoices"
    result = messages(project(tmp_path, events__a=event(ORDER, arn=arn)), design=design)
    assert list(result.queues) == ["invoices"]


def test_a_sample_that_its_queue_does_not_take_is_named(tmp_path: Path) -> None:
    """Too large, for instance; the others are used."""
    design = attrs.evolve(
        DESIGN, queues=[attrs.evolve(DESIGN.queues[0], maximum_message_size=1024), *DESIGN.queues[1:]]
    )
    result = messages(project(tmp_path, events__order=event(ORDER, {"id": "x" * 2000})), design=design)
    assert result.queues["orders"].samples == (Message(ORDER),)
    assert any("must have at most 1024 bytes" in notice for notice in result.notices)
