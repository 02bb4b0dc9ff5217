from __future__ import annotations

from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive, RedriveAllow
from tests.importers.helpers import Read


def test_every_property_of_a_sam_template_is_read(read: Read) -> None:
    """Each property of a queue, function and SQS event that a design has a field for reaches that field."""
    template = """
        Transform: AWS::Serverless-2016-10-31
        Resources:
          Orders:
            Type: AWS::SQS::Queue
            Properties:
              QueueName: orders
              VisibilityTimeout: 180
              MessageRetentionPeriod: 86400
              DelaySeconds: 5
              ReceiveMessageWaitTimeSeconds: 20
              MaximumMessageSize: 2048
              RedrivePolicy:
                deadLetterTargetArn: !GetAtt Failed.Arn
                maxReceiveCount: 5
          Failed:
            Type: AWS::SQS::Queue
            Properties:
              RedriveAllowPolicy:
                redrivePermission: byQueue
                sourceQueueArns: [!GetAtt Orders.Arn]
          Worker:
            Type: AWS::Serverless::Function
            Properties:
              FunctionName: worker
              Timeout: 30
              MemorySize: 512
              ReservedConcurrentExecutions: 20
              RecursiveLoop: Allow
              ProvisionedConcurrencyConfig:
                ProvisionedConcurrentExecutions: 4
              Events:
                Batch:
                  Type: SQS
                  Properties:
                    Queue: !GetAtt Orders.Arn
                    BatchSize: 100
                    MaximumBatchingWindowInSeconds: 5
                    Enabled: false
                    FunctionResponseTypes: [ReportBatchItemFailures]
                    ScalingConfig:
                      MaximumConcurrency: 12
                    FilterCriteria:
                      Filters:
                        - Pattern: '{"body": {"kind": ["order"]}}'
    """
    assert read(template).design == Design(
        queues=(
            Queue("orders", 180, 86_400, 5, 20, 2048, Redrive("Failed", 5)),
            Queue("Failed", redrive_allow=RedriveAllow("byQueue", ("orders",))),
        ),
        functions=(Function("worker", 30, 512, 20, 4, "Allow"),),
        mappings=(
            EventSourceMapping(
                "orders",
                "worker",
                batch_size=100,
                maximum_batching_window=5,
                maximum_concurrency=12,
                report_batch_item_failures=True,
                filters=('{"body": {"kind": ["order"]}}',),
                enabled=False,
            ),
        ),
    )


def test_a_fifo_queue_keeps_its_attributes(read: Read) -> None:
    """A FIFO queue without a name is called after its logical id with `.fifo`; its deduplication settings are read."""
    design = read("""
        Resources:
          Orders:
            Type: AWS::SQS::Queue
            Properties:
              FifoQueue: true
              ContentBasedDeduplication: "true"
              DeduplicationScope: messageGroup
              FifoThroughputLimit: perMessageGroupId
          Worker:
            Type: AWS::Lambda::Function
          Mapping:
            Type: AWS::Lambda::EventSourceMapping
            Properties: {EventSourceArn: !GetAtt Orders.Arn, FunctionName: !Ref Worker}
    """).design
    assert design.queues == (
        Queue(
            "Orders.fifo",
            content_based_deduplication=True,
            deduplication_scope="messageGroup",
            fifo_throughput_limit="perMessageGroupId",
        ),
    )


def test_policies_may_be_json_text(read: Read) -> None:
    """A redrive policy written as JSON text, also through Sub, is read as the mapping that it is."""
    imported = read(
        """
        Resources:
          Orders:
            Type: AWS::SQS::Queue
            Properties:
              RedrivePolicy: !Sub '{"deadLetterTargetArn": "${Failed.Arn}", "maxReceiveCount": "7"}'
          Failed:
            Type: AWS::SQS::Queue
            Properties:
              RedriveAllowPolicy: '{"redrivePermission": "denyAll"}'
          Quarantine:
            Type: AWS::SQS::Queue
          Worker:
            Type: AWS::Serverless::Function
            Properties:
              Events:
                A: {Type: SQS, Properties: {Queue: !GetAtt Quarantine.Arn}}
                B: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn}}
    """.replace("denyAll", "allowAll")
    )
    assert imported.design.queue("Orders").redrive == Redrive("Failed", 7)
    assert imported.design.queue("Failed").redrive_allow == RedriveAllow("allowAll")
    assert str(imported.origins["queues.Orders.redrive.max_receive_count"]) == "template.yaml:5 maxReceiveCount: 7"


def test_provisioned_pollers_have_awss_defaults(read: Read) -> None:
    """Of `ProvisionedPollerConfig` either number may be missing (EC-6), and an empty one means none."""
    template = """
        Resources:
          Orders: {Type: 'AWS::SQS::Queue'}
          Worker:
            Type: AWS::Serverless::Function
            Properties:
              Events:
                Batch: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn, ProvisionedPollerConfig: %s}}
    """
    assert read(template % "{MinimumPollers: 3}").design.mappings[0].provisioned_pollers == (3, 200)
    assert read(template % "{MaximumPollers: 9}").design.mappings[0].provisioned_pollers == (2, 9)
    assert read(template % "{}").design.mappings[0].provisioned_pollers is None


def test_dead_letter_queues_are_followed_and_others_left_out(read: Read) -> None:
    """A dead-letter queue's own dead-letter queue belongs to the design; a queue that nobody maps does not."""
    design = read("""
        Resources:
          Unmapped: {Type: 'AWS::SQS::Queue'}
          Last: {Type: 'AWS::SQS::Queue'}
          Failed:
            Type: AWS::SQS::Queue
            Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Last.Arn, maxReceiveCount: 1}}
          Orders:
            Type: AWS::SQS::Queue
            Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Failed.Arn, maxReceiveCount: 2}}
          Idle: {Type: 'AWS::Lambda::Function'}
          Worker: {Type: 'AWS::Lambda::Function'}
          Mapping:
            Type: AWS::Lambda::EventSourceMapping
            Properties: {EventSourceArn: !GetAtt Orders.Arn, FunctionName: !Ref Worker}
    """).design
    assert [queue.name for queue in design.queues] == ["Last", "Failed", "Orders"]
    assert [function.name for function in design.functions] == ["Worker"]


def test_globals_stand_below_each_function(read: Read) -> None:
    """SAM's Globals give what a function does not say itself; mappings merge deeply, scalars are overridden."""
    imported = read("""
        Globals:
          Function:
            Timeout: 20
            MemorySize: 256
            ProvisionedConcurrencyConfig:
              ProvisionedConcurrentExecutions: 2
        Resources:
          Orders: {Type: 'AWS::SQS::Queue'}
          Worker:
            Type: AWS::Serverless::Function
            Properties:
              MemorySize: 1024
              ProvisionedConcurrencyConfig:
                Comment: merged
              Events:
                Batch: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn}}
          Plain: {Type: 'AWS::Lambda::Function'}
          Mapping:
            Type: AWS::Lambda::EventSourceMapping
            Properties: {EventSourceArn: !GetAtt Orders.Arn, FunctionName: !Ref Plain}
    """)
    assert imported.design.functions == (Function("Worker", 20, 1024, None, 2), Function("Plain"))
    assert str(imported.origins["functions.Worker.timeout"]) == "template.yaml:3 Timeout: 20"
    assert str(imported.origins["functions.Worker.memory"]) == "template.yaml:12 MemorySize: 1024"


def test_anchors_and_merge_keys_are_followed(read: Read) -> None:
    """YAML's anchors, aliases and `<<` are read; what a mapping says itself wins, and lines are those of the anchor."""
    imported = read("""
        Shared: &shared
          VisibilityTimeout: 60
          DelaySeconds: 7
        More: &more {DelaySeconds: 9, ReceiveMessageWaitTimeSeconds: 11}
        Resources:
          Orders:
            Type: AWS::SQS::Queue
            Properties:
              <<: [*shared, *more]
              VisibilityTimeout: 90
          Worker:
            Type: AWS::Serverless::Function
            Properties:
              Events: {Batch: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn}}}
    """)
    assert imported.design.queues == (Queue("Orders", 90, delay=7, receive_wait_time=11),)
    assert str(imported.origins["queues.Orders.delay"]) == "template.yaml:3 DelaySeconds: 7"


def test_a_resource_whose_condition_is_false_is_left_out(read: Read) -> None:
    """Resources under a false condition are not deployed; under one that cannot be told, they are assumed to be."""
    template = """
        Parameters:
          Both: {Type: String, Default: 'false'}
          Open: {Type: String}
        Conditions:
          HasBoth: !Equals [!Ref Both, true]
          IsOpen: !Equals [!Ref Open, true]
        Resources:
          Orders: {Type: 'AWS::SQS::Queue'}
          One: {Type: 'AWS::Lambda::Function', Condition: IsOpen}
          Two: {Type: 'AWS::Lambda::Function', Condition: HasBoth}
          First:
            Type: AWS::Lambda::EventSourceMapping
            Properties: {EventSourceArn: !GetAtt Orders.Arn, FunctionName: !Ref One}
          Second:
            Type: AWS::Lambda::EventSourceMapping
            Condition: HasBoth
            Properties: {EventSourceArn: !GetAtt Orders.Arn, FunctionName: !Ref Two}
    """
    imported = read(template)
    assert [function.name for function in imported.design.functions] == ["One"]
    assert imported.assumptions == (
        (
            "One: depends on condition IsOpen, which refers to parameter Open, which has no default;"
            " assumed to be deployed"
        ),
    )
    both = read(template, parameters={"Both": "true"}).design
    assert [function.name for function in both.functions] == ["One", "Two"]


def test_what_is_left_out_is_said(read: Read) -> None:
    """Other events of the design's functions, and concurrency that other functions reserve, are named."""
    imported = read("""
        Resources:
          Orders: {Type: 'AWS::SQS::Queue'}
          Table: {Type: 'AWS::DynamoDB::Table'}
          Worker:
            Type: AWS::Serverless::Function
            Properties:
              Events:
                Batch: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn}}
                Api: {Type: HttpApi}
          Stream:
            Type: AWS::Lambda::EventSourceMapping
            Properties: {EventSourceArn: !GetAtt Table.StreamArn, FunctionName: !Ref Worker, StartingPosition: LATEST}
          Report:
            Type: AWS::Lambda::Function
            Properties: {ReservedConcurrentExecutions: 30}
          Other:
            Type: AWS::Serverless::Function
            Properties: {Events: {Api: {Type: HttpApi}}}
    """)
    assert imported.assumptions == ()
    assert imported.notes == (
        "event Api of Worker (HttpApi) is left out: it is not an SQS queue",
        "event source Stream of Worker is left out: it is not an SQS queue",
        "Report is left out: no SQS queue invokes it, and its 30 reserved executions count as free",
        "template.yaml:3: Table (AWS::DynamoDB::Table) is left out: it has no KeySchema",
    )
