"""The code, the variables and the resources of a template: what handlers find, and what has to be modelled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from chaosqs.importers.cloudformation.reader import read_template
from chaosqs.importers.protocol import Code, Imported
from chaosqs.model.design import ACCOUNT_ID, REGION_NAME
from chaosqs.model.json import from_json, to_json
from tests.importers.helpers import Read

SAM = """
Resources:
  Orders: {{Type: 'AWS::SQS::Queue'}}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
{properties}
      Events:
        Batch: {{Type: SQS, Properties: {{Queue: !GetAtt Orders.Arn}}}}
{more}
"""
PYTHON = "Runtime: python3.12\nHandler: app.handler\nCodeUri: src/"


def write(path: str, text: str = "") -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def sam(properties: str, more: str = "") -> str:
    def indented(text: str, width: int) -> str:
        return "\n".join(" " * width + line for line in dedent(text).strip("\n").splitlines())

    return SAM.format(properties=indented(properties, 6), more=indented(more, 2))


def code(imported: Imported, function: str = "Worker") -> Code:
    return imported.code[function]


def variables(read: Read, lines: str, more: str = "") -> Code:
    """Return the code of a function whose variables are written in these lines."""
    write("src/app.py")
    inner = "\n".join(f"    {line}" for line in dedent(lines).strip("\n").splitlines())
    return code(read(sam(f"{PYTHON}\nEnvironment:\n  Variables:\n{inner}", more)))


def test_a_sam_function_is_bound_to_its_file(read: Read, tmp_path: Path) -> None:
    """`Handler` and `CodeUri`, which is relative to the template, lead to the Python function."""
    write("src/app.py", "raise SystemExit('import runs no code')")
    found = code(read(sam(PYTHON)))
    assert (found.handler, found.root, found.modelled) == ("app:handler", tmp_path / "src", "")
    assert found.alias == "Worker"


@pytest.mark.parametrize(
    ("handler", "file", "bound"),
    [
        ("src/handlers/app.handler", "src/handlers/app.py", "src.handlers.app:handler"),
        ("src.handlers.app.handler", "src/handlers/app.py", "src.handlers.app:handler"),
        ("package.handler", "package/__init__.py", "package:handler"),
        ("charge-order.handler", "charge-order.py", "charge-order:handler"),
    ],
)
def test_handlers_are_named_as_lambdas_runtime_imports_them(read: Read, handler: str, file: str, bound: str) -> None:
    """A `/` is a `.`; a package and a name with a dash are modules, too."""
    write(file)
    assert code(read(sam(f"Runtime: python3.12\nHandler: {handler}\nCodeUri: ."))).handler == bound


MODELLED = {
    "another language": ("Runtime: nodejs20.x\nHandler: app.handler\nCodeUri: src/", "its Runtime is nodejs20.x"),
    "an image": ("PackageType: Image\nHandler: app.handler", "it is a container image"),
    "inline code of another module": (
        "Runtime: python3.12\nHandler: app.handler\nInlineCode: 'x = 1'",
        "its inline code is the module index, and its Handler is app.handler",
    ),
    "inline code that is unknown": (
        "Runtime: python3.12\nHandler: index.handler\nInlineCode: !Ref Elsewhere",
        "its inline code refers to Elsewhere, which the template does not have",
    ),
    "inline code of another kind": (
        "Runtime: python3.12\nHandler: index.handler\nInlineCode: [x]",
        "its inline code is not text",
    ),
    "inline code of another language": (
        "Runtime: nodejs20.x\nHandler: index.handler\nInlineCode: 'x = 1'",
        "its Runtime is nodejs20.x",
    ),
    "in S3": (
        "Runtime: python3.12\nHandler: app.handler\nCodeUri: s3://bucket/key.zip",
        "its code is in S3 (s3://bucket/key.zip)",
    ),
    "in S3, as a table": (
        "Runtime: python3.12\nHandler: app.handler\nCodeUri: {Bucket: bucket, Key: key.zip}",
        "its code is in S3 (key.zip)",
    ),
    "no directory": ("Runtime: python3.12\nHandler: app.handler\nCodeUri: gone/", "its code gone/ is not there"),
    "a file": ("Runtime: python3.12\nHandler: app.handler\nCodeUri: app.zip", "its code app.zip is not a directory"),
    "no module": ("Runtime: python3.12\nHandler: other.handler\nCodeUri: src", "src/other.py is not there"),
    "no handler": ("Runtime: python3.12\nCodeUri: src", "it has no Handler"),
    "an odd handler": (
        "Runtime: python3.12\nHandler: handler\nCodeUri: src",
        "its Handler 'handler' is not module.function",
    ),
    "no code": ("Runtime: python3.12\nHandler: app.handler", "app.py is not there"),
    "unknown code": (
        "Runtime: python3.12\nHandler: app.handler\nCodeUri: !Ref Elsewhere",
        "its CodeUri refers to Elsewhere, which the template does not have",
    ),
}


@pytest.mark.parametrize(("properties", "reason"), MODELLED.values(), ids=MODELLED.keys())
def test_code_that_is_not_there_is_modelled_for_a_reason(read: Read, properties: str, reason: str) -> None:
    """The reason is a clause about the function, and no handler is named."""
    write("src/app.py")
    write("app.zip")
    found = code(read(sam(properties)))
    assert (found.handler, found.root, found.modelled) == ("", None, reason)


@pytest.mark.parametrize("written", ["InlineCode: 'x = 1'", "InlineCode: !Sub 'x = ${One}'"])
def test_inline_code_of_sam_is_the_module_index(read: Read, written: str) -> None:
    """It has no directory; parameters in it have their values."""
    sections = "Parameters: {One: {Type: Number, Default: 1}}\n"
    found = code(read(sections + sam(f"Runtime: python3.12\nHandler: index.handler\n{written}")))
    assert (found.handler, found.root, found.inline, found.modelled) == ("index:handler", None, "x = 1", "")


def test_code_without_a_directory_is_beside_a_sam_template(read: Read, tmp_path: Path) -> None:
    """As `sam build` takes it."""
    write("app.py")
    found = code(read(sam("Runtime: python3.12\nHandler: app.handler")))
    assert (found.handler, found.root) == ("app:handler", tmp_path)


def test_globals_apply_to_code_and_variables(read: Read) -> None:
    """The function's own entries win, one by one."""
    write("src/app.py")
    general = """
        Globals:
          Function:
            Runtime: python3.12
            CodeUri: src/
            Environment: {Variables: {LEVEL: INFO, STAGE: dev}}
    """
    own = "Handler: app.handler\nEnvironment: {Variables: {STAGE: prod, RETRIES: 3, DEBUG: true}}"
    found = code(read(dedent(general) + sam(own)))
    assert found.handler == "app:handler"
    assert found.environment == {"LEVEL": "INFO", "STAGE": "prod", "RETRIES": "3", "DEBUG": "true"}


MORE = """
Table: {Type: 'AWS::DynamoDB::Table', Properties: {KeySchema: [{AttributeName: id, KeyType: HASH}],
  AttributeDefinitions: [{AttributeName: id, AttributeType: S}]}}
Bucket: {Type: 'AWS::S3::Bucket'}
Topic: {Type: 'AWS::SNS::Topic', Properties: {TopicName: alarms}}
Setting: {Type: 'AWS::SSM::Parameter', Properties: {Name: /shop/limit, Type: String, Value: '7'}}
Secret: {Type: 'AWS::SecretsManager::Secret', Properties: {Name: api-key}}
Out: {Type: 'AWS::SQS::Queue', Properties: {QueueName: out}}
Api: {Type: 'AWS::Serverless::Api'}
"""
HERE = f"{REGION_NAME}:{ACCOUNT_ID}"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("!Ref Out", f"https://sqs.{REGION_NAME}.amazonaws.com/{ACCOUNT_ID}/out"),
        ("!GetAtt Out.Arn", f"arn:aws:sqs:{HERE}:out"),
        ("!GetAtt Out.QueueName", "out"),
        ("!Ref Table", "Table"),
        ("!GetAtt Table.Arn", f"arn:aws:dynamodb:{HERE}:table/Table"),
        ("!Ref Bucket", "bucket"),
        ("!GetAtt Bucket.Arn", "arn:aws:s3:::bucket"),
        ("!Ref Topic", f"arn:aws:sns:{HERE}:alarms"),
        ("!GetAtt Topic.TopicName", "alarms"),
        ("!Ref Setting", "/shop/limit"),
        ("!GetAtt Setting.Value", "7"),
        ("!Ref Secret", f"arn:aws:secretsmanager:{HERE}:secret:api-key"),
        ("!Ref Worker", "Worker"),
        ("!Sub '${Table}-${AWS::Region}'", f"Table-{REGION_NAME}"),
        ("!Join [':', [!Ref Table, x]]", "Table:x"),
    ],
)
def test_references_are_what_aws_would_give(read: Read, written: str, value: str) -> None:
    """In the account and the Region of every design."""
    assert variables(read, f"VALUE: {written}", MORE).environment == {"VALUE": value}


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("!Sub 'https://${Api}.example'", "refers to Api, which only a deployment knows"),
        ("!ImportValue shop-table", "is imported from another stack (shop-table)"),
        ("'{{resolve:ssm:/shop/limit}}'", "is looked up when it is deployed ({{resolve:ssm:/shop/limit}})"),
        ("!Ref Nobody", "refers to Nobody, which the template does not have"),
        ("[a, b]", "is a list and must be text"),
        ("", "is null and must be text"),
    ],
)
def test_a_variable_that_is_unknown_gets_a_placeholder_and_a_note(read: Read, written: str, reason: str) -> None:
    """The note has file and line, and names the placeholder."""
    found = variables(read, f"VALUE: {written}", MORE)
    assert found.environment == {"VALUE": "unknown-VALUE"}
    assert found.notes == (f"template.yaml:11: VALUE {reason}; it is set to unknown-VALUE",)


def test_a_variable_that_aws_refuses_is_left_out(read: Read) -> None:
    """With a note: a scenario would be invalid with it."""
    found = variables(read, "1ST: a\nOK: b")
    assert found.environment == {"OK": "b"}
    assert found.notes == ("template.yaml:11: variable '1ST' is left out: AWS refuses its name",)


def test_a_queue_that_a_variable_names_is_part_of_the_design(read: Read) -> None:
    """A handler sends there, whether or not a mapping polls it; one outside the template is assumed."""
    write("src/app.py")
    other = f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT_ID}/elsewhere"
    own = f"{PYTHON}\nEnvironment: {{Variables: {{OUT: !Ref Out, OTHER: '{other}'}}}}"
    imported = read(sam(own, MORE))
    assert [queue.name for queue in imported.design.queues] == ["Orders", "out", "elsewhere"]
    assert imported.assumptions == (
        "Worker: a variable names queue elsewhere, outside the template; assumed AWS's defaults for it",
    )


def resources(imported: Imported) -> Mapping[str, Mapping[str, object]]:
    """Return the properties of the design's resources, by name."""
    return {each.name: json.loads(each.properties) for each in imported.design.resources}


def test_resources_of_other_services_are_part_of_the_design(read: Read) -> None:
    """Their names are what `Ref` gives, and their properties are plain JSON, which survives a file."""
    write("src/app.py")
    more = """
        Subscription:
          Type: AWS::SNS::Subscription
          Properties: {TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Orders.Arn, RawMessageDelivery: true}
    """
    imported = read(sam(PYTHON, MORE + dedent(more)))
    topic = f"arn:aws:sns:{HERE}:alarms"
    assert [(each.type, each.name) for each in imported.design.resources][:3] == [
        ("AWS::DynamoDB::Table", "Table"),
        ("AWS::S3::Bucket", "bucket"),
        ("AWS::SNS::Topic", topic),
    ]
    found = resources(imported)
    assert found["/shop/limit"] == {"Name": "/shop/limit", "Type": "String", "Value": "7"}
    assert found["Table"]["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert found[f"arn:aws:sns:{HERE}:Subscription"] == {
        "TopicArn": topic,
        "Protocol": "sqs",
        "Endpoint": f"arn:aws:sqs:{HERE}:Orders",
        "RawMessageDelivery": True,
    }
    assert from_json(type(imported.design), to_json(imported.design)) == imported.design


def test_a_notification_of_the_cdk_belongs_to_its_bucket(read: Read) -> None:
    """The CDK sets it by a resource of its own, in the form of S3's API."""
    more = """
        Notifications:
          Type: Custom::S3BucketNotifications
          Properties:
            BucketName: !Ref Bucket
            NotificationConfiguration:
              QueueConfigurations:
                - {Events: ['s3:ObjectCreated:*'], QueueArn: !GetAtt Orders.Arn,
                   Filter: {Key: {FilterRules: [{Name: prefix, Value: in/}]}}}
    """
    found = resources(read(sam(PYTHON, MORE + dedent(more))))
    assert found["bucket"]["NotificationConfiguration"] == {
        "QueueConfigurations": [
            {
                "Event": "s3:ObjectCreated:*",
                "Queue": f"arn:aws:sqs:{HERE}:Orders",
                "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "in/"}]}},
            }
        ]
    }


def test_tables_of_sam_and_global_tables_are_plain_tables(read: Read) -> None:
    """With the key that SAM gives them, and capacity on demand."""
    write("src/app.py")
    more = """
        Simple: {Type: 'AWS::Serverless::SimpleTable'}
        Keyed: {Type: 'AWS::Serverless::SimpleTable', Properties: {PrimaryKey: {Name: pk, Type: Number}}}
        World: {Type: 'AWS::DynamoDB::GlobalTable', Properties: {KeySchema: [{AttributeName: id, KeyType: HASH}],
          AttributeDefinitions: [{AttributeName: id, AttributeType: S}], Replicas: [{Region: us-east-1}]}}
    """
    imported = read(sam(PYTHON, more))
    assert {each.type for each in imported.design.resources} == {"AWS::DynamoDB::Table"}
    found = resources(imported)
    assert found["Simple"]["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert found["Keyed"]["AttributeDefinitions"] == [{"AttributeName": "pk", "AttributeType": "N"}]
    assert found["World"]["BillingMode"] == "PAY_PER_REQUEST"


def test_a_table_without_a_key_is_left_out_with_file_and_line(read: Read) -> None:
    """It makes no design invalid: other functions can be judged."""
    write("src/app.py")
    imported = read(sam(PYTHON, "Broken: {Type: 'AWS::DynamoDB::Table', Properties: [1]}"))
    assert imported.design.resources == ()
    assert imported.notes == ("template.yaml:11: Broken (AWS::DynamoDB::Table) is left out: it has no KeySchema",)


def test_keys_that_are_not_defined_leave_a_table_out(read: Read) -> None:
    """As AWS refuses it; the note names the attribute."""
    write("src/app.py")
    more = """
        Odd: {Type: 'AWS::DynamoDB::Table', Properties: {KeySchema: [{AttributeName: pk, KeyType: HASH}],
          AttributeDefinitions: [{AttributeName: id, AttributeType: S}]}}
    """
    imported = read(sam(PYTHON, more))
    assert imported.design.resources == ()
    (note,) = imported.notes
    assert note.endswith("is left out: its KeySchema names pk, and its AttributeDefinitions do not")


def test_a_parameter_whose_value_is_unknown_is_there(read: Read) -> None:
    """Code that asks for it gets a placeholder, and a note says so."""
    write("src/app.py")
    more = "Url: {Type: 'AWS::SSM::Parameter', Properties: {Type: String, Value: !GetAtt Api.Url}}"
    imported = read(sam(PYTHON, more))
    assert resources(imported) == {"Url": {"Name": "Url", "Type": "String", "Value": "unknown-Url"}}
    assert imported.notes == (
        "template.yaml:11: Url (AWS::SSM::Parameter): only a deployment knows its Value; it is set to unknown-Url",
    )


def test_properties_that_only_a_deployment_knows_are_noted(read: Read) -> None:
    """One line a resource, with file and line; the rest of the resource is there."""
    write("src/app.py")
    more = """
        Topic: {Type: 'AWS::SNS::Topic', Properties: {FifoTopic: !ImportValue fifo,
          Subscription: [{Protocol: sqs, Endpoint: !GetAtt Other.Arn}], Tags: [{Key: a, Value: !Ref Missing}]}}
    """
    imported = read(sam(PYTHON, more))
    assert resources(imported)["arn:aws:sns:us-east-1:123456789012:Topic"]["Subscription"] == [{"Protocol": "sqs"}]
    (note,) = imported.notes
    unknown = "FifoTopic, Subscription[0].Endpoint and Tags[0].Value"
    assert note == f"template.yaml:11: Topic (AWS::SNS::Topic): only a deployment knows its {unknown}: left out"


def test_layers_are_noted(read: Read) -> None:
    """Their packages have to be installed where the tests run."""
    write("src/app.py")
    found = code(read(sam(f"{PYTHON}\nLayers: [!Ref Shared, 'arn:aws:lambda:eu-west-1:1:layer:x']")))
    assert found.notes == (
        "Worker: layers are not read: install the packages of Shared, arn:aws:lambda:eu-west-1:1:layer:x for the tests",
    )


def test_the_packages_of_layers_that_are_there_are_on_the_path(read: Read, tmp_path: Path) -> None:
    """From `python` in the layer's directory, or from what `sam build` would move there."""
    write("src/app.py")
    write("layers/shared/python/shared/__init__.py")
    write("layers/built/money.py")
    more = """
        Shared: {Type: 'AWS::Serverless::LayerVersion', Properties: {ContentUri: layers/shared}}
        Built: {Type: 'AWS::Serverless::LayerVersion', Properties: {ContentUri: layers/built},
          Metadata: {BuildMethod: python3.12}}
        Gone: {Type: 'AWS::Serverless::LayerVersion', Properties: {ContentUri: layers/gone}}
    """
    found = code(read(sam(f"{PYTHON}\nLayers: [!Ref Shared, !Ref Built, !Ref Gone]", more)))
    assert found.environment == {"PYTHONPATH": f"{tmp_path}/layers/shared/python:{tmp_path}/layers/built"}
    assert found.notes == ("Worker: layers are not read: install the packages of Gone for the tests",)


CDK = {
    "Type": "AWS::Lambda::Function",
    "Properties": {
        "Code": {"S3Bucket": {"Fn::Sub": "cdk-assets-${AWS::AccountId}"}, "S3Key": "abc123.zip"},
        "Handler": "app.handler",
        "Runtime": "python3.12",
        "Environment": {"Variables": {"TABLE": {"Ref": "TableCD117FA1"}}},
    },
    "Metadata": {"aws:cdk:path": "Shop/Worker", "aws:asset:path": "asset.abc123", "aws:asset:property": "Code"},
}


@pytest.mark.parametrize("metadata", [True, False])
def test_a_cdk_function_is_bound_to_its_asset(tmp_path: Path, *, metadata: bool) -> None:
    """By the metadata beside it, or by the asset's hash where metadata is switched off."""
    document = {
        "Resources": {
            "Queue4A7E3555": {"Type": "AWS::SQS::Queue"},
            "TableCD117FA1": {"Type": "AWS::DynamoDB::GlobalTable"},
            "Worker91C1A4C3": CDK if metadata else {key: value for key, value in CDK.items() if key != "Metadata"},
            "Mapping": {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "EventSourceArn": {"Fn::GetAtt": ["Queue4A7E3555", "Arn"]},
                    "FunctionName": {"Ref": "Worker91C1A4C3"},
                },
            },
        }
    }
    template = write(str(tmp_path / "cdk.out/Shop.template.json"), json.dumps(document))
    write(str(tmp_path / "cdk.out/asset.abc123/app.py"))
    found = code(read_template(template), "Worker91C1A4C3")
    assert (found.handler, found.root) == ("app:handler", tmp_path / "cdk.out/asset.abc123")
    assert found.environment == {"TABLE": "TableCD117FA1"}


def test_the_cdks_images_and_lost_assets_are_modelled(tmp_path: Path) -> None:
    """An asset with a Dockerfile is an image; an asset that is not there is in S3."""
    mapping = {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {"EventSourceArn": {"Fn::GetAtt": ["Q", "Arn"]}, "FunctionName": {"Ref": "F"}},
    }
    image = {**CDK, "Metadata": {"aws:asset:path": "asset.abc123", "aws:asset:dockerfile-path": "Dockerfile"}}
    lost = {key: value for key, value in CDK.items() if key != "Metadata"}
    for function, reason in ((image, "it is a container image"), (lost, "its code is in S3 (abc123.zip)")):
        document = {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}, "F": function, "M": mapping}}
        template = write(str(tmp_path / "Shop.template.json"), json.dumps(document))
        assert code(read_template(template), "F").modelled == reason


def test_a_function_outside_the_template_is_modelled(read: Read) -> None:
    """The template does not say where its code is."""
    imported = read("""
        Resources:
          Orders: {Type: 'AWS::SQS::Queue'}
          Mapping:
            Type: AWS::Lambda::EventSourceMapping
            Properties: {EventSourceArn: !GetAtt Orders.Arn, FunctionName: elsewhere}
    """)
    assert code(imported, "elsewhere").modelled == "it is not in template.yaml"
