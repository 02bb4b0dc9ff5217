from __future__ import annotations

import re

import pytest

from chaosqs.errors import InvalidDesign
from chaosqs.model.design import EventSourceMapping, Function, Queue, Redrive
from tests.importers.helpers import Read

MAPPING = """
    Parameters:
      Stage: {Type: String, Default: dev}
      Open: {Type: String}
      QueueArn: {Type: String}
      FunctionArn: {Type: String}
    Resources:
      Orders:
        Type: AWS::SQS::Queue
        Properties: {QueueName: !Sub 'orders-${Stage}', VisibilityTimeout: 900}
      Opened:
        Type: AWS::SQS::Queue
        Properties: {QueueName: !Sub 'opened-${Open}', VisibilityTimeout: 900}
      Worker:
        Type: AWS::Serverless::Function
        Properties: {FunctionName: !Sub 'worker-${Stage}', Timeout: 60}
      Unnamed:
        Type: AWS::Lambda::Function
        Properties: {FunctionName: !Sub 'unnamed-${Open}'}
      Version: {Type: 'AWS::Lambda::Version', Properties: {FunctionName: !Ref Worker}}
      Alias: {Type: 'AWS::Lambda::Alias', Properties: {FunctionName: !GetAtt Worker.Arn, Name: live}}
      Nested: {Type: 'AWS::CloudFormation::Stack'}
      Mapping:
        Type: AWS::Lambda::EventSourceMapping
        Properties:
          EventSourceArn: QUEUE
          FunctionName: FUNCTION
"""


def _mapping(queue: str = "!GetAtt Orders.Arn", function: str = "!Ref Worker") -> str:
    return MAPPING.replace("QUEUE", queue).replace("FUNCTION", function)


@pytest.mark.parametrize(
    "written",
    [
        "!GetAtt Orders.Arn",
        "!GetAtt [Orders, Arn]",
        "{'Fn::GetAtt': [Orders, Arn]}",
        "!Sub '${Orders.Arn}'",
        "!Sub 'arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:orders-${Stage}'",
        "!Sub 'arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${Orders.QueueName}'",
        "!Join [':', [arn, aws, sqs, !Ref 'AWS::Region', !Ref 'AWS::AccountId', !GetAtt Orders.QueueName]]",
        "arn:aws:sqs:us-east-1:123456789012:orders-dev",
    ],
)
def test_a_queue_is_found_by_every_form_of_its_arn(read: Read, written: str) -> None:
    """GetAtt, Sub, Join and a literal ARN mean the same queue, and nothing is assumed."""
    imported = read(_mapping(queue=written))
    assert imported.design.mappings == (EventSourceMapping("orders-dev", "worker-dev"),)
    assert imported.assumptions == ()


@pytest.mark.parametrize(
    "written",
    [
        "!Ref Worker",
        "!GetAtt Worker.Arn",
        "worker-dev",
        "worker-dev:live",
        "arn:aws:lambda:us-east-1:123456789012:function:worker-dev",
        "123456789012:function:worker-dev:3",
        "!Sub '${Worker.Arn}:live'",
        "!Ref Alias",
        "!Ref Version",
        "!GetAtt Version.FunctionArn",
        "!Ref Worker.Alias",
        "!Ref Worker.Version",
    ],
)
def test_a_function_is_found_by_name_arn_alias_and_version(read: Read, written: str) -> None:
    """Whatever `FunctionName` may be leads to the function."""
    imported = read(_mapping(function=written))
    assert imported.design.functions == (Function("worker-dev", timeout=60),)
    assert imported.assumptions == ()


def test_names_that_are_open_lead_to_the_queue_all_the_same(read: Read) -> None:
    """An ARN built from the same unknown parameter as the name means that queue; it is called by its logical id."""
    imported = read(_mapping("!Sub 'arn:aws:sqs:x:y:opened-${Open}'", "!Sub 'unnamed-${Open}'"))
    assert imported.design.mappings == (EventSourceMapping("Opened", "Unnamed"),)
    assert imported.assumptions == (
        "Opened: QueueName refers to parameter Open, which has no default; named Opened",
        "Unnamed: FunctionName refers to parameter Open, which has no default; named Unnamed",
    )


@pytest.mark.parametrize(
    ("written", "name", "reason"),
    [
        ("!Ref QueueArn", "QueueArn", "refers to parameter QueueArn, which has no default"),
        ("!ImportValue 'shop:orders'", "orders", "is imported from another stack (shop:orders)"),
        (
            "!GetAtt Nested.Outputs.Queue",
            "Nested-Outputs-Queue",
            "refers to Nested.Outputs.Queue, which only a deployment knows",
        ),
        (
            "arn:aws:sqs:eu-west-1:210987654321:far",
            "far",
            "is arn:aws:sqs:eu-west-1:210987654321:far, outside the template",
        ),
        (
            "'{{resolve:ssm:/shop/queue:1}}'",
            "shop-queue",
            "is looked up when it is deployed ({{resolve:ssm:/shop/queue:1}})",
        ),
        ("!ImportValue [a]", "queue", "is imported from another stack"),
    ],
)
def test_a_queue_outside_the_template_is_assumed(read: Read, written: str, name: str, reason: str) -> None:
    """It gets AWS's defaults, the visibility timeout that EC-11 demands, and a name; sentences say so."""
    imported = read(_mapping(queue=written))
    assert imported.design.queues == (Queue(name, visibility_timeout=60),)
    assert imported.assumptions == (
        f"Mapping: EventSourceArn {reason}; assumed a queue {name} with AWS's defaults",
        f"{name}: AWS demands a visibility timeout of at least the function's timeout; assumed 60",
    )


def test_an_arn_of_another_account_is_taken_for_the_queue_of_that_name(read: Read) -> None:
    """A literal ARN with the name of the template's queue means that queue, and a sentence says so."""
    imported = read(_mapping(queue="arn:aws:sqs:eu-west-1:210987654321:orders-dev"))
    assert [queue.name for queue in imported.design.queues] == ["orders-dev"]
    assert imported.assumptions == (
        (
            "Mapping: EventSourceArn is arn:aws:sqs:eu-west-1:210987654321:orders-dev;"
            " taken for the template's queue of that name"
        ),
    )


def test_two_references_to_one_queue_outside_are_one_queue(read: Read) -> None:
    """What is imported twice under one name is one queue, and a name that is taken gets a number."""
    second = (
        "      Again:\n        Type: AWS::Lambda::EventSourceMapping\n"
        "        Properties: {EventSourceArn: %s, FunctionName: %s}\n"
    )
    template = _mapping("!ImportValue orders-dev") + second % ("!ImportValue orders-dev", "legacy")
    design = read(template + second.replace("Again", "More") % ("!ImportValue shared", "legacy")).design
    assert [mapping.name for mapping in design.mappings] == [
        "orders-dev-2→worker-dev",
        "orders-dev-2→legacy",
        "shared→legacy",
    ]


@pytest.mark.parametrize(
    ("queue", "function", "said"),
    [
        (
            "[a]",
            "!Ref Worker",
            "mappings.Mapping = a list: must be the ARN of an SQS queue, such as !GetAtt Orders.Arn",
        ),
        (
            "orders",
            "!Ref Worker",
            "mappings.Mapping = 'orders': must be the ARN of an SQS queue, such as !GetAtt Orders.Arn",
        ),
        (
            "!GetAtt Orders.Arn",
            "{a: b}",
            "mappings.Mapping = a mapping: must be the name or the ARN of a Lambda function",
        ),
        (
            "!GetAtt Orders.Arn",
            "!Ref AWS::NoValue",
            "mappings.Mapping: must be the name or the ARN of a Lambda function",
        ),
    ],
)
def test_what_is_no_reference_is_refused(read: Read, queue: str, function: str, said: str) -> None:
    """A mapping needs the ARN of a queue, and the name or ARN of a function; anything else is a problem."""
    with pytest.raises(InvalidDesign, match=re.escape(said)):
        read(_mapping(queue, function))


def test_a_function_outside_the_template_is_assumed(read: Read) -> None:
    """It gets AWS's defaults and a name after what refers to it."""
    imported = read(_mapping(function="!Ref FunctionArn"))
    assert imported.design.functions == (Function("FunctionArn"),)
    assert imported.assumptions == (
        (
            "Mapping: FunctionName refers to parameter FunctionArn, which has no default;"
            " assumed a function FunctionArn with AWS's defaults"
        ),
    )
    literal = read(_mapping(function="arn:aws:lambda:us-east-1:123456789012:function:legacy:live"))
    assert literal.design.functions == (Function("legacy"),)


def test_a_dead_letter_queue_outside_the_template_is_assumed(read: Read) -> None:
    """The design stays complete: the dead-letter queue is of its source's type, with AWS's defaults."""
    imported = read("""
        Parameters: {DlqArn: {Type: String}}
        Resources:
          Orders:
            Type: AWS::SQS::Queue
            Properties:
              FifoQueue: true
              RedrivePolicy: {deadLetterTargetArn: !Ref DlqArn, maxReceiveCount: 3}
          Worker:
            Type: AWS::Serverless::Function
            Properties: {Events: {Batch: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn}}}}
    """)
    assert imported.design.queues == (Queue("Orders.fifo", redrive=Redrive("DlqArn.fifo", 3)), Queue("DlqArn.fifo"))
    assert imported.assumptions == (
        (
            "Orders.fifo: deadLetterTargetArn refers to parameter DlqArn, which has no default;"
            " assumed a queue DlqArn.fifo with AWS's defaults"
        ),
    )


def test_a_mapping_without_a_visible_source_is_judged_by_its_properties(read: Read) -> None:
    """An unknown source is a queue, unless the mapping has what only streams and brokers have."""
    template = _mapping(queue="!Ref QueueArn") + (
        "      Stream:\n        Type: AWS::Lambda::EventSourceMapping\n        Properties:"
        " {EventSourceArn: !Ref Open, FunctionName: !Ref Worker, StartingPosition: LATEST}\n"
        "      Kafka:\n        Type: AWS::Lambda::EventSourceMapping\n        Properties: {FunctionName: !Ref Worker}\n"
    )
    imported = read(template)
    assert [mapping.queue for mapping in imported.design.mappings] == ["QueueArn"]
    assert "event source Stream of worker-dev is left out: it is not an SQS queue" in imported.notes
    assert "event source Kafka of worker-dev is left out: it is not an SQS queue" in imported.notes


def test_names_are_unique_and_valid(read: Read) -> None:
    """A second queue of one name, and one with a name that AWS refuses, are called by their logical ids."""
    imported = read(
        """
        Resources:
          A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: orders}}
          B: {Type: 'AWS::SQS::Queue', Properties: {QueueName: orders}}
          C: {Type: 'AWS::SQS::Queue', Properties: {QueueName: D}}
          D: {Type: 'AWS::SQS::Queue', Properties: {QueueName: 'no name'}}
          LONG:
            Type: AWS::Serverless::Function
            Properties:
              FunctionName: [list]
              Events:
                A: {Type: SQS, Properties: {Queue: !GetAtt A.Arn}}
                B: {Type: SQS, Properties: {Queue: !GetAtt B.Arn}}
                C: {Type: SQS, Properties: {Queue: !GetAtt C.Arn}}
                D: {Type: SQS, Properties: {Queue: !GetAtt D.Arn}}
    """.replace("LONG", "L" * 100)
    )
    long = "L" * 64
    assert [queue.name for queue in imported.design.queues] == ["orders", "B", "D", "D-2"]
    assert [function.name for function in imported.design.functions] == [long]
    assert imported.assumptions == (
        "B: QueueName orders is taken by another one; named B",
        "D: QueueName 'no name' is not a valid name; named D-2",
        f"{'L' * 100}: FunctionName a list is not a valid name; named {long}",
    )
