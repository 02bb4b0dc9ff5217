from __future__ import annotations

from chaosqs.model.explanation import Origin
from tests.importers.helpers import Read


def test_origins_name_file_line_property_and_value(read: Read) -> None:
    """Every value that stands in the template says where, in the words of the template; AWS's defaults say nothing."""
    origins = read("""
        Parameters:
          Reserved: {Type: Number, Default: 2}
        Globals:
          Function:
            Timeout: 10
        Resources:
          Orders:
            Type: AWS::SQS::Queue
            Properties:
              QueueName: orders
              VisibilityTimeout: "60"
              RedrivePolicy:
                deadLetterTargetArn: !GetAtt Failed.Arn
                maxReceiveCount: 4
          Failed: {Type: 'AWS::SQS::Queue'}
          Worker:
            Type: AWS::Serverless::Function
            Properties:
              ReservedConcurrentExecutions: !Ref Reserved
              Events:
                Batch:
                  Type: SQS
                  Properties:
                    Queue: !GetAtt Orders.Arn
                    BatchSize: 5
                    FunctionResponseTypes:
                      - ReportBatchItemFailures
                    ProvisionedPollerConfig:
                      MinimumPollers: 3
    """).origins
    assert {path: str(origin) for path, origin in origins.items()} == {
        "queues.orders.name": "template.yaml:10 QueueName: orders",
        "queues.orders.visibility_timeout": "template.yaml:11 VisibilityTimeout: 60",
        "queues.orders.redrive.dead_letter_queue": "template.yaml:13 deadLetterTargetArn: Failed",
        "queues.orders.redrive.max_receive_count": "template.yaml:14 maxReceiveCount: 4",
        "functions.Worker.timeout": "template.yaml:5 Timeout: 10",
        "functions.Worker.reserved_concurrency": "template.yaml:19 ReservedConcurrentExecutions: 2",
        "mappings.orders→Worker.queue": "template.yaml:24 Queue: orders",
        "mappings.orders→Worker.batch_size": "template.yaml:25 BatchSize: 5",
        "mappings.orders→Worker.report_batch_item_failures": (
            "template.yaml:26 FunctionResponseTypes: ReportBatchItemFailures"
        ),
        "mappings.orders→Worker.provisioned_pollers": (
            "template.yaml:28 ProvisionedPollerConfig: MinimumPollers 3, MaximumPollers 200"
        ),
    }
    assert origins["functions.Worker.timeout"] == Origin("template.yaml", 5, "Timeout: 10")


def test_assumed_batching_windows_give_way(read: Read) -> None:
    """A window that cannot be told does not make a large batch invalid: AWS demands at least one second (EC-3)."""
    imported = read("""
        Parameters: {Window: {Type: Number}}
        Resources:
          Orders: {Type: 'AWS::SQS::Queue'}
          Worker:
            Type: AWS::Serverless::Function
            Properties:
              Events:
                Batch:
                  Type: SQS
                  Properties:
                    Queue: !GetAtt Orders.Arn
                    BatchSize: 50
                    MaximumBatchingWindowInSeconds: !Ref Window
    """)
    assert imported.design.mappings[0].maximum_batching_window == 1
    assert imported.assumptions == (
        (
            "Orders→Worker: MaximumBatchingWindowInSeconds refers to parameter Window, which has no default;"
            " assumed AWS's default 0"
        ),
        "Orders→Worker: AWS demands a batching window for a batch size over 10; assumed 1",
    )


def test_lists_and_policies_that_cannot_be_told_are_assumed_away(read: Read) -> None:
    """Filters, response types, events and policies that cannot be told count as not written, and sentences say so."""
    assumptions = read("""
        Parameters: {Open: {Type: String}}
        Resources:
          Orders:
            Type: AWS::SQS::Queue
            Properties:
              RedrivePolicy: !Ref Open
              RedriveAllowPolicy: {redrivePermission: byQueue, sourceQueueArns: [!Ref Open]}
          Failing:
            Type: AWS::SQS::Queue
            Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Orders.Arn}}
          Worker:
            Type: AWS::Serverless::Function
            Properties:
              Events:
                Failing: {Type: SQS, Properties: {Queue: !GetAtt Failing.Arn}}
                Gone: !Ref AWS::NoValue
                Open: !If [Open, 1, 2]
                Batch:
                  Type: SQS
                  Properties:
                    Queue: !GetAtt Orders.Arn
                    FunctionResponseTypes: [!Ref Open, !Ref AWS::NoValue]
                    FilterCriteria: {Filters: [{Pattern: '{"body": [1]}'}, {Pattern: !Ref Open}]}
          Unseen:
            Type: AWS::Serverless::Function
            Properties: {Events: !Ref Open}
    """).assumptions
    has_none = "refers to parameter Open, which has no default"
    assert assumptions == (
        "event Open of Worker depends on condition Open, which the template does not have; assumed not to be there",
        f"Unseen: Events {has_none}; assumed no events",
        f"Orders→Worker: FunctionResponseTypes {has_none}; assumed not to report batch item failures",
        f"Orders→Worker: a pattern of FilterCriteria {has_none}; assumed no filters",
        "Failing: RedrivePolicy has no maxReceiveCount; assumed 10",
        f"Orders: RedrivePolicy {has_none}; assumed no redrive",
        f"Orders: sourceQueueArns {has_none}; assumed that all queues may use it",
    )
