from __future__ import annotations

import os
from pathlib import Path

import pytest

from chaosqs.errors import InvalidDesign, Problem
from chaosqs.importers.cloudformation.reader import read_template
from tests.importers.helpers import Read, with_timeout


def _refusal(read: Read, text: str) -> InvalidDesign:
    with pytest.raises(InvalidDesign) as caught:
        read(text)
    return caught.value


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("template.yaml", "", "template.yaml: is empty. Give a"),
        ("template.yaml", "# nothing\n", "template.yaml: is empty. Give a"),
        (
            "template.yaml",
            "a: 1\nb: [1, 2\n",
            "template.yaml:3: is neither YAML nor JSON: while parsing a flow sequence",
        ),
        ("template.yaml", "a: \x01\n", "template.yaml: is neither YAML nor JSON: "),
        ("t.json", '{"a": 1,\n "b" 2}', "t.json:2: is neither YAML nor JSON: "),
        ("template.yaml", "a\n", "template.yaml: holds no mapping with Resources. Give a"),
        ("template.yaml", "- a\n", "template.yaml: holds no mapping with Resources. Give a"),
        ("template.yaml", "a: 1\n---\nb: 1\n", "template.yaml:2: a second YAML document begins here."),
        ("template.yaml", "Parameters: {}\n", "template.yaml: has no Resources section"),
        ("template.yaml", "Fn::Transform: {}\n", "template.yaml: is put together by a transform"),
        ("serverless.yml", "service: shop\nprovider: {name: aws}\n", "serverless.yml: is a Serverless Framework file"),
        ("main.tf", 'resource "a" "b" {}', "main.tf: is Terraform, and this reader takes CloudFormation."),
        ("main.tf.json", "{}", "main.tf.json: is Terraform, and this reader takes CloudFormation."),
        ("plan.json", '{"terraform_version": "1.11"}', "plan.json: is Terraform's output"),
        ("template.yaml", "Resources: []\n", "template.yaml:1: Resources = a list: must be a mapping"),
        ("template.yaml", "Resources:\n  A: 1\n", "template.yaml:2: Resources.A = 1: must be a mapping"),
        (
            "template.yaml",
            "Resources:\n  A: {}\n",
            "template.yaml:2: Resources.A: must say its Type, such as AWS::SQS::Queue",
        ),
        (
            "template.yaml",
            "Resources:\n  A:\n    Type: AWS::SQS::Queue\n    Properties: null\n",
            "template.yaml:4: Resources.A.Properties = null: must be a mapping",
        ),
        ("template.yaml", "Globals: []\nResources: {}\n", "template.yaml:1: Globals = a list: must be a mapping"),
        ("template.yaml", "Resources: {}\n", "template.yaml: maps no SQS queue to a Lambda function. Give the"),
        (
            "template.yaml",
            "Resources:\n  A: 1\n  A: 2\n",
            "template.yaml:3: A stands twice in one mapping, first in line 2.",
        ),
        ("template.yaml", "? [a]\n: b\n", "template.yaml:1: the key of a mapping must be a name"),
        ("template.yaml", "a:\n  <<: 1\n", "template.yaml:2: << must merge a mapping, or a list of mappings."),
        ("template.yaml", "a: *b\n", "template.yaml:1: *b names nothing that is complete above it."),
    ],
)
def test_a_file_that_is_no_template_says_what_to_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, said: str
) -> None:
    """Each wrong file is refused in one to three lines that name the file, the line where known, and the way out."""
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(text, encoding="utf-8")
    with pytest.raises(InvalidDesign) as caught:
        read_template(Path(name))
    assert str(caught.value).startswith(said)
    assert len(str(caught.value).splitlines()) <= 3


def test_a_missing_file_a_directory_and_an_unreadable_one_are_refused(tmp_path: Path) -> None:
    """What cannot be opened is refused with the reason; a directory names a template in it."""
    with pytest.raises(InvalidDesign, match="there is no such file"):
        read_template(tmp_path / "missing.yaml")
    with pytest.raises(InvalidDesign, match="cannot be read"):
        read_template(Path("a\0b"))
    with pytest.raises(InvalidDesign, match=r"is a directory. Give a .*cdk.out\)\.$"):
        read_template(tmp_path)
    (tmp_path / "Shop.template.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InvalidDesign, match=r"It contains .*Shop\.template\.json\."):
        read_template(tmp_path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom the file's mode keeps out")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    """A file that may not be read is refused with the system's reason."""
    path = tmp_path / "template.yaml"
    path.touch(mode=0o000)
    with pytest.raises(InvalidDesign, match="Permission denied"):
        read_template(path)


def test_text_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    """Templates are UTF-8, with or without a byte order mark."""
    path = tmp_path / "template.yaml"
    path.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(InvalidDesign, match=r"template.yaml:2: is not UTF-8 text"):
        read_template(path)
    path.write_bytes(with_timeout("40").encode("utf-8-sig"))
    assert read_template(path).design.queue("Orders").visibility_timeout == 40


def test_a_parameter_that_the_template_does_not_have_is_refused(read: Read) -> None:
    """A misspelt parameter is no silent default."""
    with pytest.raises(InvalidDesign, match=r"has no parameter 'Stag'. Its parameters are: Stage\."):
        read(with_timeout("1", "Parameters: {Stage: {Type: String}}"), parameters={"Stag": "x"})


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("abc", "'abc'"),
        ("[1]", "a list"),
        ("{a: 1}", "a mapping"),
        ("true", "True"),
        ("1.5", "1.5"),
        ("null", "null"),
        ("''", "''"),
    ],
)
def test_a_value_of_a_wrong_kind_is_a_problem_with_its_line(read: Read, written: str, value: str) -> None:
    """The problem names the field of the design, what was given, what would be right, and file and line."""
    (problem,) = _refusal(read, with_timeout(written)).problems
    assert problem == Problem(
        "queues.Orders.visibility_timeout",
        value,
        "must be a whole number (VisibilityTimeout)",
        where="template.yaml:5",
    )


def test_all_problems_are_listed_at_once(read: Read) -> None:
    """An error lists every wrong value, not the first only."""
    refusal = _refusal(
        read,
        """
        Resources:
          Orders:
            Type: AWS::SQS::Queue
            Properties:
              FifoQueue: maybe
              DeduplicationScope: [queue]
              RedrivePolicy: '[unclosed'
              RedriveAllowPolicy:
                sourceQueueArns: [orders]
          Failed:
            Type: AWS::SQS::Queue
            Properties:
              RedrivePolicy: {deadLetterTargetArn: !Ref Orders, maxReceiveCount: 1}
              RedriveAllowPolicy: [1]
          Worker:
            Type: AWS::Serverless::Function
            Properties:
              ProvisionedConcurrencyConfig: 3
              Events:
                A:
                  Type: SQS
                  Properties:
                    Queue: !GetAtt Orders.Arn
                    FunctionResponseTypes: [ReportEverything]
                    FilterCriteria: {Filters: [{Pattern: {body: []}}]}
                    Enabled: sometimes
                B: {Type: SQS, Properties: {Queue: !GetAtt Failed.Arn, FunctionResponseTypes: ReportBatchItemFailures}}
                C: {Type: SQS, Properties: {Queue: !Ref Orders}}
                D: text
        """,
    )
    url = "'https://sqs.us-east-1.amazonaws.com/123456789012/Orders'"
    an_arn = "must be the ARN of an SQS queue, such as !GetAtt Orders.Arn"
    json_text = "must be a mapping or its JSON text"
    assert [str(problem).removeprefix("template.yaml:") for problem in refusal.problems] == [
        "5: queues.Orders.fifo = 'maybe': must be true or false (FifoQueue)",
        "6: queues.Orders.deduplication_scope = a list: must be a text (DeduplicationScope)",
        f"7: queues.Orders.redrive = '[unclosed': {json_text} (RedrivePolicy)",
        "9: queues.Orders.redrive_allow.source_queues = 'orders': must be ARNs of SQS queues",
        f"13: queues.Failed.redrive = {url}: {an_arn} (deadLetterTargetArn)",
        f"14: queues.Failed.redrive_allow = a list: {json_text} (RedriveAllowPolicy)",
        "18: functions.Worker.provisioned_concurrency = 3: must be a mapping (ProvisionedConcurrencyConfig)",
        (
            "24: mappings.Orders→Worker.report_batch_item_failures = 'ReportEverything':"
            " must be ReportBatchItemFailures (FunctionResponseTypes)"
        ),
        "25: mappings.Orders→Worker.filters = a mapping: must be JSON text (Pattern)",
        "26: mappings.Orders→Worker.enabled = 'sometimes': must be true or false (Enabled)",
        (
            "27: mappings.Failed→Worker.report_batch_item_failures = 'ReportBatchItemFailures':"
            " must be a list (FunctionResponseTypes)"
        ),
        f"28: functions.Worker.events.C = {url}: {an_arn} (Queue)",
        "29: functions.Worker.events.D = 'text': must be a mapping with Type and Properties",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "VisibilityTimeout: 60",
            "VisibilityTimeout: 50000",
            "template.yaml:6: queues[0].visibility_timeout = 50000: must be",
        ),
        (
            "VisibilityTimeout: 60",
            "VisibilityTimeout: 20",
            "template.yaml:6: mappings[0]: Queue visibility timeout: 20 seconds",
        ),
        (
            "VisibilityTimeout: 60",
            "DelaySeconds: 0",
            "template.yaml:14: mappings[0]: Queue visibility timeout: 30 seconds",
        ),
        (
            "QueueName: orders",
            "QueueName: orders.fifo",
            "template.yaml:5: queues[0].fifo = False: must agree with the name",
        ),
        (
            "BatchSize: 5",
            "BatchSize: 11",
            "template.yaml:19: mappings[0].maximum_batching_window = 0: must be at least 1",
        ),
        (
            "BatchSize: 5",
            "ScalingConfig: {MaximumConcurrency: 1}",
            "template.yaml:22: mappings[0].maximum_concurrency = 1: must",
        ),
        (
            "BatchSize: 5",
            "FilterCriteria: {Filters: [{Pattern: x}]}",
            "template.yaml:22: mappings[0].filters[0] = 'x': Invalid",
        ),
        (
            "BatchSize: 5",
            "ProvisionedPollerConfig: {MinimumPollers: 1}",
            "template.yaml:22: mappings[0].provisioned_pollers[0] = 1",
        ),
        (
            "maxReceiveCount: 3",
            "maxReceiveCount: 0",
            "template.yaml:9: queues[0].redrive.max_receive_count = 0: must be",
        ),
        (
            "Timeout: 40",
            "ReservedConcurrentExecutions: 950",
            "template.yaml:14: functions[].reserved_concurrency = 950: in total",
        ),
        (
            "Timeout: 40",
            "RecursiveLoop: Deny",
            "template.yaml:14: functions.Worker.recursive_loop = 'Deny': must be 'Terminate' or 'Allow'",
        ),
        ("Failed: 1", "Failed: 1", ""),
    ],
)
def test_what_aws_would_refuse_names_file_and_line(read: Read, old: str, new: str, said: str) -> None:
    """A design that AWS would refuse is refused with the line of the property, or of the part where it has none."""
    template = """
        Resources:
          Orders:
            Type: AWS::SQS::Queue
            Properties:
              QueueName: orders
              VisibilityTimeout: 60
              RedrivePolicy:
                deadLetterTargetArn: !GetAtt Failed.Arn
                maxReceiveCount: 3
          Failed: {Type: 'AWS::SQS::Queue'}
          Worker:
            Type: AWS::Serverless::Function
            Properties:
              Timeout: 40
              MemorySize: 128
              Events:
                Other: {Type: Api}
                Again: {Type: Api}
                Batch:
                  Type: SQS
                  Properties:
                    BatchSize: 5
                    Queue: !GetAtt Orders.Arn
    """
    if not said:
        assert read(template).design.queue("orders").visibility_timeout == 60
    else:
        assert str(_refusal(read, template.replace(old, new))).startswith(said)


def test_two_mappings_of_one_queue_and_function_are_refused_with_their_line(read: Read) -> None:
    """AWS takes one mapping for a queue and a function (EC-13); the problem names a line."""
    refusal = _refusal(
        read,
        """
        Resources:
          Orders: {Type: 'AWS::SQS::Queue'}
          Worker:
            Type: AWS::Serverless::Function
            Properties:
              Events:
                One: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn}}
                Two: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn}}
        """,
    )
    assert str(refusal).startswith("template.yaml:8: mappings = 'Orders→Worker': must be at most one")
