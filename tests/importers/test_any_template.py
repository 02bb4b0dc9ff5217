from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosqs.errors import InvalidDesign
from chaosqs.importers.cloudformation.reader import read_template
from chaosqs.importers.protocol import Imported

Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]


def words(text: str) -> list[str]:
    return text.split()


TEXTS = words("a 30 true Yes Open Given M AWS::Region Orders.Arn ${Orders.Arn} ${Open}-${Open} ${Given}")
ARNS = words("arn:aws:sqs:us-east-1:123456789012:x arn:aws:sqs:a:b:x.fifo arn:aws:kinesis:a:b:c")
KEYS = words("""
    Ref Fn::GetAtt Fn::Sub Fn::If Fn::Join Fn::Select Fn::Split Fn::FindInMap Fn::ImportValue Fn::Equals Fn::Not
    Condition maxReceiveCount deadLetterTargetArn redrivePermission sourceQueueArns MaximumConcurrency Filters Pattern
    MinimumPollers Type Properties Queue BatchSize Default DefaultValue ProvisionedConcurrentExecutions
""")
PROPERTIES = {
    "AWS::SQS::Queue": (
        "QueueName FifoQueue VisibilityTimeout DelaySeconds RedrivePolicy RedriveAllowPolicy DeduplicationScope"
    ),
    "AWS::Lambda::Function": "FunctionName Timeout ReservedConcurrentExecutions ProvisionedConcurrencyConfig",
    "AWS::Serverless::Function": "FunctionName Timeout MemorySize Events",
    "AWS::Lambda::Alias": "FunctionName Name ProvisionedConcurrencyConfig",
    "AWS::Lambda::EventSourceMapping": (
        "EventSourceArn FunctionName BatchSize MaximumBatchingWindowInSeconds ScalingConfig FilterCriteria Enabled"
        " FunctionResponseTypes ProvisionedPollerConfig"
    ),
}

texts = st.sampled_from(TEXTS + ARNS)
scalars = st.none() | st.booleans() | st.integers(-1, 1000) | st.floats() | texts | st.text(max_size=5)
values: st.SearchStrategy[Value] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=2),
    max_leaves=8,
)
WORKING: dict[str, Value] = {
    "Orders": {"Type": "AWS::SQS::Queue"},
    "Worker": {"Type": "AWS::Lambda::Function"},
    "Mapping": {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {"EventSourceArn": {"Fn::GetAtt": "Orders.Arn"}, "FunctionName": {"Ref": "Worker"}},
    },
}


@st.composite
def resources(draw: st.DrawFn) -> Value:
    kind = draw(st.sampled_from(sorted(PROPERTIES)))
    properties = draw(st.dictionaries(st.sampled_from(words(PROPERTIES[kind])), values, max_size=4))
    resource: dict[str, Value] = {"Type": kind, "Properties": properties}
    return resource | {"Condition": "Yes"} if draw(st.booleans()) else resource


@st.composite
def templates(draw: st.DrawFn) -> Value:
    named = draw(st.dictionaries(st.sampled_from(["Orders", "Worker", "Mapping", "Other"]), resources(), max_size=3))
    return {
        "Parameters": {"Given": {"Type": "String", "Default": draw(values)}, "Open": {"Type": "String"}},
        "Mappings": {"M": {"a": {"a": draw(values)}}},
        "Conditions": {"Yes": draw(values)},
        "Globals": {"Function": draw(st.dictionaries(st.sampled_from(["Timeout", "Events"]), values, max_size=1))},
        "Resources": WORKING | named,
    }


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any") / "template.json"


def outcome(path: Path) -> Imported | InvalidDesign:
    try:
        return read_template(path)
    except InvalidDesign as error:
        return error


@given(template=templates())
def test_any_template_is_a_design_or_refused(path: Path, template: Value) -> None:
    """Whatever stands where: it becomes a design or `InvalidDesign` that says where, never another error."""
    path.write_text(json.dumps(template), encoding="utf-8")
    match outcome(path):
        case Imported(origins=origins):
            assert all((origin.file, origin.line) == (str(path), 1) for origin in origins.values())
        case InvalidDesign() as error:
            assert str(error).startswith(f"{path}:")
            assert all(problem.where for problem in error.problems)


@given(text=st.text())
def test_any_text_is_a_design_or_refused(path: Path, text: str) -> None:
    """Whatever a file contains, the only error is `InvalidDesign`."""
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InvalidDesign):
        read_template(path)
