"""The service models of the installed botocore have nothing that neither chaosqs nor docs/fidelity knows."""

from __future__ import annotations

import gzip
import json
import re
from importlib.resources import files

import pytest
from botocore.model import ServiceModel

from chaosqs.mock_aws.lambda_api.rest import readable
from tests.conformance.lambda_under_test import fields
from tools import service_models
from tools.service_models import Difference, Entry, differences, outdated, reviewed, strings, unlisted

PATHS = {"sqs": "sqs/2012-11-05", "lambda": "lambda/2015-03-31"}
Json = dict[str, object]


def test_nothing_is_new() -> None:
    """Each operation, field, value and limit that chaosqs lacks or has otherwise is listed, with a reason."""
    assert unlisted(differences(), reviewed()) == [], "mend these, or list them in docs/fidelity/service_models.toml"


def test_the_list_names_differences_only() -> None:
    """An entry goes when chaosqs learns what it names."""
    assert outdated(differences(), reviewed()) == []
    assert [entry for entry in reviewed() if not (entry.does and entry.reason.endswith("."))] == []


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Json]:
    """The raw models of a newer botocore, for a test to change; the comparison sees them."""
    models: dict[str, Json] = {
        name: json.loads(gzip.decompress(files("botocore").joinpath(f"data/{path}/service-2.json.gz").read_bytes()))
        for name, path in PATHS.items()
    }

    def model(service: str) -> ServiceModel:
        return ServiceModel(models[service], service)

    monkeypatch.setattr(service_models, "model", model)
    return models


def at(model: Json, *path: str) -> Json:
    """Return the part of a model at a path."""
    value: object = model
    for name in path:
        value = fields(value)[name]
    return fields(value)


def test_a_new_operation_is_named(changed: dict[str, Json]) -> None:
    """As a line of plain words."""
    operations = at(changed["sqs"], "operations")
    operations["PeekMessage"] = {**at(operations, "PurgeQueue"), "name": "PeekMessage"}
    assert unlisted(differences(), reviewed()) == ["SQS has the operation PeekMessage, which chaosqs does not answer"]


def test_a_new_field_is_named(changed: dict[str, Json]) -> None:
    """Of a request, of a result, and inside of another field."""
    text = {"shape": "String"}
    at(changed["lambda"], "shapes", "CreateEventSourceMappingRequest", "members")["Priority"] = text
    at(changed["lambda"], "shapes", "ScalingConfig", "members")["Share"] = text
    at(changed["sqs"], "shapes", "SendMessageResult", "members")["Shard"] = text
    assert unlisted(differences(), reviewed()) == [
        "Lambda has the field Priority of CreateEventSourceMappingRequest, which chaosqs does not read or show",
        "Lambda has the field Share of ScalingConfig, which chaosqs does not read or show",
        "SQS has the field Shard of SendMessageResult, which chaosqs does not read or show",
    ]


def test_a_new_value_is_named(changed: dict[str, Json]) -> None:
    """A type of response, and an attribute of a service."""
    for service, shape, value in (
        ("lambda", "FunctionResponseType", "ReportProgress"),
        ("sqs", "QueueAttributeName", "Priority"),
    ):
        found = at(changed[service], "shapes", shape)
        found["enum"] = [*service_models.model(service).shape_for(shape).metadata["enum"], value]
    assert unlisted(differences(), reviewed()) == [
        "Lambda has the value ReportProgress of FunctionResponseType, which chaosqs does not know",
        "SQS has the value Priority of QueueAttributeName, which chaosqs does not know",
    ]


def test_a_new_state_is_named(changed: dict[str, Json]) -> None:
    """Of mappings and of move tasks: the models list them in the documentation only."""
    for service, shape, field, old, new in (
        ("lambda", "EventSourceMappingConfiguration", "State", "<code>Deleting</code>", "<code>Paused</code>"),
        ("sqs", "ListMessageMoveTasksResultEntry", "Status", "COMPLETED", "PAUSED"),
    ):
        member = at(changed[service], "shapes", shape, "members", field)
        member["documentation"] = str(member["documentation"]).replace(old, f"{old}, {new}")
    assert unlisted(differences(), reviewed()) == [
        "Lambda has the value Paused of EventSourceMappingConfiguration.State, which chaosqs does not know",
        "SQS has the value PAUSED of ListMessageMoveTasksResultEntry.Status, which chaosqs does not know",
    ]


def test_a_new_limit_is_named(changed: dict[str, Json]) -> None:
    """Of a setting that designs check, of an attribute of queues, and of a field of a request."""
    at(changed["lambda"], "shapes", "MaximumConcurrency")["max"] = 5000
    attributes = at(changed["sqs"], "shapes", "SetQueueAttributesRequest", "members", "Attributes")
    attributes["documentation"] = str(attributes["documentation"]).replace("1,048,576", "4,194,304")
    most = at(changed["sqs"], "shapes", "ReceiveMessageRequest", "members", "MaxNumberOfMessages")
    most["documentation"] = "Valid values: 1 to 20. Default: 1."
    assert unlisted(differences(), reviewed()) == [
        "Lambda limits MaximumConcurrency otherwise: the model allows 2 to 5000, a design differs at 5000",
        "SQS limits MaximumMessageSize otherwise: the model's documentation does not name [1048576]",
        (
            "SQS limits ReceiveMessageRequest.MaxNumberOfMessages otherwise: chaosqs's maximum is none of the model's "
            "documentation, which names [1, 20]"
        ),
    ]


def test_an_entry_that_is_no_difference_any_more_is_named() -> None:
    """By its name or by its shape."""
    entry = Entry("sqs", "member", "ignored", "It is.", ("Old",), ("Gone",))
    assert outdated([], [entry]) == [
        "sqs member Gone: no difference any more",
        "sqs member Old: no difference any more",
    ]
    assert outdated([Difference("sqs", "member", "Old", "Gone")], [entry]) == []


def test_an_entry_without_names_lists_every_value_of_its_shapes() -> None:
    """And of no other shape or service."""
    entry = Entry("lambda", "value", "returned as given", "It is.", ("Runtime",))
    assert entry.lists(Difference("lambda", "value", "Runtime", "python4.0"))
    assert not entry.lists(Difference("lambda", "value", "State", "python4.0"))
    assert not entry.lists(Difference("sqs", "value", "Runtime", "python4.0"))


def test_strings_follow_functions_and_constants() -> None:
    """What a function names counts as its own, and what makes results can be left out."""
    service = service_models.SERVICES["lambda"]
    function = service.operations["CreateEventSourceMapping"]
    assert {"BatchSize", "StartingPosition", "UUID"} <= strings(function, service.region)
    assert "UUID" not in strings(function, service.region, service_models.SHOWING)
    assert strings(("a", {"b": ["c"]}), service.region) == {"a", "b", "c"}


def test_the_patterns_of_lambda_can_be_read() -> None:
    """Requests are checked against them: one in a syntax that Python does not know would fail each request."""
    lambda_ = service_models.model("lambda")
    shapes = [lambda_.shape_for(name) for name in lambda_.shape_names]
    patterns = [str(shape.metadata["pattern"]) for shape in shapes if "pattern" in shape.metadata]
    assert [pattern for pattern in patterns if not re.compile(readable(pattern)).pattern] == []
    assert re.fullmatch(readable(r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)"), "Größe 1")
