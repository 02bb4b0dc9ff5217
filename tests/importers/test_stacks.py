"""Templates of one project: what one exports another imports; `samconfig.toml`; what SAM makes of a topic's event."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from chaosqs.errors import InvalidDesign
from chaosqs.importers.cloudformation.reader import read_template
from chaosqs.importers.protocol import Imported
from chaosqs.model.design import EventSourceMapping, Redrive
from chaosqs.project.discovery import as_python, read_source
from tests.importers.helpers import Read

SHARED = """
    Resources:
      Dead: {Type: AWS::SQS::Queue, Properties: {MessageRetentionPeriod: 1209600}}
      Orders:
        Type: AWS::SQS::Queue
        Properties:
          VisibilityTimeout: 90
          RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 4}
      Items:
        Type: AWS::DynamoDB::Table
        Properties:
          AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
          KeySchema: [{AttributeName: id, KeyType: HASH}]
      Unused: {Type: AWS::SNS::Topic}
    Outputs:
      Arn: {Value: !GetAtt Orders.Arn, Export: {Name: !Sub "${AWS::StackName}-OrdersArn"}}
      Url: {Value: !Ref Orders, Export: {Name: orders-url}}
      Table: {Value: !Ref Items, Export: {Name: items}}
      Plain: {Value: !Ref Unused}
"""
WORKER = """
    Resources:
      Dead: {Type: AWS::SQS::Queue}
      Worker:
        Type: AWS::Serverless::Function
        Properties:
          Environment: {Variables: {ITEMS: !ImportValue items}}
          Events:
            Batch: {Type: SQS, Properties: {Queue: !ImportValue shop-OrdersArn}}
            Own: {Type: SQS, Properties: {Queue: !GetAtt Dead.Arn}}
"""


def project(root: Path, **templates: str) -> Path:
    """Write templates, each in a directory of its own, and return the project's directory."""
    (root / "pyproject.toml").touch()
    for name, text in templates.items():
        (root / name).mkdir(exist_ok=True)
        (root / name / "template.yaml").write_text(dedent(text), encoding="utf-8")
    return root


def worker(root: Path) -> Imported:
    return read_template(root / "worker" / "template.yaml")


def test_a_queue_of_another_stack_has_its_own_settings(tmp_path: Path) -> None:
    """With its dead-letter queue, which is not the template's own of that logical id; and with their origins."""
    found = worker(project(tmp_path, shared=SHARED, worker=WORKER))
    orders = found.design.queue("Orders")
    assert (orders.visibility_timeout, orders.redrive) == (90, Redrive("Dead-2", 4))
    assert found.design.queue("Dead-2").retention_period == 1_209_600
    assert found.design.queue("Dead").retention_period == 345_600
    assert [each.name for each in found.design.mappings] == ["Orders→Worker", "Dead→Worker"]
    assert found.origins["queues.Orders.visibility_timeout"].file == str(tmp_path / "shared" / "template.yaml")
    assert "queues.Orders" not in found.keys
    assert found.assumptions == ()


def test_what_a_stack_imports_of_other_services_is_there(tmp_path: Path) -> None:
    """The table whose name it imports, and nothing that it does not import."""
    found = worker(project(tmp_path, shared=SHARED, worker=WORKER))
    assert [each.name for each in found.design.resources] == ["Items"]
    assert found.resources["Items"].where == f"{tmp_path / 'shared' / 'template.yaml'}:9"
    assert dict(found.code["Worker"].environment) == {"ITEMS": "Items"}


def test_a_variable_may_name_a_queue_of_another_stack(tmp_path: Path) -> None:
    """It is part of the design with its settings."""
    template = WORKER.replace("ITEMS: !ImportValue items", "URL: !ImportValue orders-url").replace(
        "            Batch: {Type: SQS, Properties: {Queue: !ImportValue shop-OrdersArn}}\n", ""
    )
    found = worker(project(tmp_path, shared=SHARED, worker=template))
    assert found.design.queue("Orders").visibility_timeout == 90
    assert found.assumptions == ()


RETOLD = """
    Resources:
      Waiting:
        Type: AWS::SQS::Queue
        Properties:
          RedrivePolicy: {deadLetterTargetArn: !ImportValue shop-OrdersArn, maxReceiveCount: 7}
    Outputs:
      Arn: {Value: !ImportValue shop-OrdersArn, Export: {Name: again}}
      Own: {Value: !GetAtt Waiting.Arn, Export: {Name: waiting}}
"""


def test_an_imported_value_may_be_exported_again(tmp_path: Path) -> None:
    """It belongs to the stack that has the queue; and a queue of another stack may have imported settings."""
    found = worker(project(tmp_path, shared=SHARED, again=RETOLD, worker=WORKER.replace("shop-OrdersArn", "again")))
    assert found.design.queue("Orders").visibility_timeout == 90
    found = worker(project(tmp_path, worker=WORKER.replace("shop-OrdersArn", "waiting")))
    assert found.design.queue("Waiting").redrive == Redrive("Orders", 7)
    assert found.design.queue("Orders").visibility_timeout == 90
    assert found.assumptions == ()


UNKNOWN: dict[str, Callable[[str], str]] = {
    "nobody exports it": lambda text: text.replace("${AWS::StackName}-OrdersArn", "other"),
    "two stacks may": lambda text: (
        f"{text}      More: {{Value: !GetAtt Dead.Arn, Export: {{Name: !Sub '${{AWS::StackName}}-OrdersArn'}}}}\n"
    ),
    "its template is broken": lambda text: text.replace("Outputs:", "Mappings: []\n    Outputs:"),
    "its value is unknown": lambda text: text.replace("Value: !GetAtt Orders.Arn", "Value: !GetAtt Nobody.Arn"),
}


@pytest.mark.parametrize("change", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_an_import_that_nobody_can_tell_stays_unknown(tmp_path: Path, change: Callable[[str], str]) -> None:
    """It is assumed, as before."""
    found = worker(project(tmp_path, shared=change(SHARED), worker=WORKER))
    assert "is imported from another stack (shop-OrdersArn); assumed a queue" in found.assumptions[0]


def test_other_projects_are_not_read(tmp_path: Path) -> None:
    """Nor are directories of tools; a project is what lies below its pyproject.toml."""
    project(tmp_path / "..", worker=WORKER)
    root = tmp_path / "mine"
    root.mkdir()
    project(tmp_path, shared=SHARED)
    project(root, worker=WORKER, node_modules=SHARED)
    assert "is imported from another stack" in worker(root).assumptions[0]


PARAMETERS = """
    Parameters:
      Wait: {Type: Number}
      Name: {Type: String}
      Key: {Type: String, NoEcho: true}
      Given: {Type: String, Default: here}
      Stored: {Type: "AWS::SSM::Parameter::Value<String>", Default: /shop/name}
    Resources:
      Orders: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Name, VisibilityTimeout: !Ref Wait}}
      Worker:
        Type: AWS::Serverless::Function
        Properties:
          Environment: {Variables: {KEY: !Ref Key, GIVEN: !Ref Given}}
          Events: {Batch: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn}}}
"""
OVERRIDES = {
    "pairs": 'parameter_overrides = "Wait=\\"77\\" Name=orders-dev Key=hidden Given=here Stored=/other"',
    "a list": 'parameter_overrides = ["Wait=77", "Name=\'orders-dev\'", "Key=hidden"]',
    "long": 'parameter_overrides = "ParameterKey=Wait,ParameterValue=77 ParameterKey=Name,ParameterValue=orders-dev"',
}


@pytest.mark.parametrize("text", OVERRIDES.values(), ids=OVERRIDES.keys())
def test_parameters_without_a_default_have_the_values_of_samconfig(tmp_path: Path, text: str) -> None:
    """Secrets stay where they are, as do names in the Parameter Store, and the source is named."""
    root = project(tmp_path, worker=PARAMETERS)
    configuration = f"version = 0.1\n[default.deploy.parameters]\nstack_name = 'shop'\n{text}\n"
    (root / "worker" / "samconfig.toml").write_text(configuration, encoding="utf-8")
    found = worker(root)
    assert found.design.queue("orders-dev").visibility_timeout == 77
    assert dict(found.code["Worker"].environment) == {"KEY": "unknown-KEY", "GIVEN": "here"}
    assert found.given == "Wait = 77, Name = orders-dev from samconfig.toml"
    python = as_python(read_source("worker/template.yaml", base=root, root=root), root)
    assert "# Parameters: Wait = 77, Name = orders-dev from samconfig.toml\n" in python


def test_the_values_of_samconfig_override_defaults(tmp_path: Path) -> None:
    """As `sam deploy` does; one that is the same as the default is not named."""
    root = project(tmp_path, worker=PARAMETERS)
    text = "[default.deploy.parameters]\nparameter_overrides = 'Wait=50 Name=all Given=there'\n"
    (root / "worker" / "samconfig.toml").write_text(text, encoding="utf-8")
    found = worker(root)
    assert found.code["Worker"].environment["GIVEN"] == "there"
    assert found.given == "Wait = 50, Name = all, Given = there from samconfig.toml"


def test_what_a_deployment_sets_comes_before_what_all_commands_set(tmp_path: Path) -> None:
    """And another environment than the default one is not read; neither is a file that is broken."""
    root = project(tmp_path, worker=PARAMETERS)
    (root / "worker" / "samconfig.toml").write_text(
        "[default.global.parameters]\nparameter_overrides = 'Wait=50 Name=all'\n"
        "[default.deploy.parameters]\nparameter_overrides = 'Wait=60'\n"
        "[prod.deploy.parameters]\nparameter_overrides = 'Wait=70'\n",
        encoding="utf-8",
    )
    assert worker(root).design.queue("all").visibility_timeout == 60
    (root / "worker" / "samconfig.toml").write_text("[default", encoding="utf-8")
    assert worker(root).given == ""


TOPIC = """
    Resources:
      News: {{Type: AWS::SNS::Topic}}
      Box: {{Type: AWS::SQS::Queue}}
      Worker:
        Type: AWS::Serverless::Function
        Properties:
          Timeout: {timeout}
          Events:
            News:
              Type: SNS
              Properties: {{Topic: !Ref News, FilterPolicy: {{kind: [paid]}}, SqsSubscription: {asked}}}
            Box: {{Type: SQS, Properties: {{Queue: !GetAtt Box.Arn}}}}
"""


def test_sam_makes_a_queue_for_the_event_of_a_topic(read: Read) -> None:
    """With a subscription that has the event's filter; nothing is left out."""
    found = read(TOPIC.format(timeout=3, asked="true"))
    mappings = {each.queue: each for each in found.design.mappings}
    assert mappings["WorkerNewsQueue"] == EventSourceMapping("WorkerNewsQueue", "Worker")
    assert found.design.queue("WorkerNewsQueue").visibility_timeout == 30
    subscription = next(each for each in found.design.resources if each.type == "AWS::SNS::Subscription")
    assert '"Endpoint": "arn:aws:sqs:us-east-1:123456789012:WorkerNewsQueue"' in subscription.properties
    assert '"FilterPolicy": {"kind": ["paid"]}' in subscription.properties
    assert found.notes == ()


def test_the_event_of_a_topic_may_use_a_queue_of_the_template(read: Read) -> None:
    """With its batch size."""
    text = TOPIC.replace("            Box: {{Type: SQS, Properties: {{Queue: !GetAtt Box.Arn}}}}\n", "")
    asked = "{QueueArn: !GetAtt Box.Arn, QueueUrl: !Ref Box, BatchSize: 4, Enabled: false}"
    (mapping,) = read(text.format(timeout=3, asked=asked)).design.mappings
    assert mapping == EventSourceMapping("Box", "Worker", batch_size=4, enabled=False)


def test_without_a_queue_the_event_of_a_topic_is_left_out(read: Read) -> None:
    assert read(TOPIC.format(timeout=3, asked="false")).notes == (
        "event News of Worker (SNS) is left out: it is not an SQS queue",
    )


def test_the_queue_of_sam_is_too_short_for_a_slow_function(read: Read) -> None:
    """It has AWS's defaults, so AWS refuses the mapping (EC-11)."""
    with pytest.raises(InvalidDesign, match=r"mappings\[1\]: .* 30 seconds is less than .*\(EC-11\)"):
        read(TOPIC.format(timeout=60, asked="true").replace("Box: {Type: AWS::SQS::Queue}", WIDE))


WIDE = "Box: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 60}}"
