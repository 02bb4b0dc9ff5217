"""Serverless Framework files: variables, functions, `sqs` events, resources, Lift's queues; bad files; patches."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from chaosqs.errors import InvalidDesign
from chaosqs.importers.protocol import Imported, NoDesign
from chaosqs.importers.registry import CLOUDFORMATION, SERVERLESS, importer_of
from chaosqs.importers.serverless.reader import patch_of, read_serverless
from chaosqs.model.design import EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.design_changes import design_after
from chaosqs.model.explanation import Change, ResourceKind, SettingPath, Value
from chaosqs.project.discovery import discover

SHOP = """\
service: shop
provider:
  name: aws
  runtime: python3.13
  environment: {LEVEL: info, TABLE: '${env:TABLE}'}
custom:
  limit: 7
  limits: {dev: 11, prod: 12}
functions:
  charge:
    handler: src/app.handler
    reservedConcurrency: 2
    environment: {LEVEL: debug, QUEUE: !Ref Orders}
    events:
      - sqs:
          arn: !GetAtt Orders.Arn
resources:
  Resources:
    Orders:
      Type: AWS::SQS::Queue
      Properties:
        QueueName: ${self:service}-${sls:stage}-orders
        VisibilityTimeout: 36
        RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
    Dead:
      Type: AWS::SQS::Queue
"""
ORDERS = "shop-dev-orders"


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a directory of its own, so that messages name files as users do."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(text: str, options: Mapping[str, str] | None = None, **files: str) -> Imported:
    """Read a file; `files` are beside it, with `_` for the dot of their suffix."""
    for name, content in files.items():
        Path(name.replace("_", ".")).write_text(dedent(content), encoding="utf-8")
    Path("serverless.yml").write_text(dedent(text), encoding="utf-8")
    return read_serverless(Path("serverless.yml"), options=options or {})


def shop(old: str = "", new: str = "") -> Imported:
    assert old in SHOP
    return read(SHOP.replace(old, new) if old else SHOP)


def with_timeout(variable: str, **files: str) -> Imported:
    """Return the shop with the timeout of its function written as a variable."""
    return read(SHOP.replace("reservedConcurrency: 2", f"timeout: {variable}"), None, **files)


def seconds(imported: Imported) -> int:
    return imported.design.functions[0].timeout


# What is read ---------------------------------------------------------------------------------------------------------


def test_functions_events_and_resources_become_a_design() -> None:
    """With the framework's defaults: 6 seconds, 1,024 MB, batches of 10."""
    found = shop()
    assert found.design.queues == (
        Queue(ORDERS, visibility_timeout=36, redrive=Redrive("Dead", max_receive_count=3)),
        Queue("Dead"),
    )
    assert found.design.functions == (Function("charge", timeout=6, memory=1024, reserved_concurrency=2),)
    assert found.design.mappings == (EventSourceMapping(ORDERS, "charge"),)
    origins = {path: str(origin) for path, origin in found.origins.items()}
    assert origins["functions.charge.reserved_concurrency"] == "serverless.yml:12 reservedConcurrency: 2"
    assert origins["functions.charge.timeout"] == "serverless.yml:10 timeout: 6, the framework's default"
    assert origins[f"queues.{ORDERS}.visibility_timeout"] == "serverless.yml:23 VisibilityTimeout: 36"


def test_settings_of_an_event_are_read() -> None:
    """Each is the property of the mapping that the framework makes of it."""
    event = """\
          arn: !GetAtt Orders.Arn
          batchSize: 20
          maximumBatchingWindow: 5
          maximumConcurrency: 4
          functionResponseType: ReportBatchItemFailures
          filterPatterns:
            - body: {kind: [new, {numeric: [">", 5]}]}
          enabled: false
"""
    assert shop("          arn: !GetAtt Orders.Arn\n", event).design.mappings == (
        EventSourceMapping(
            ORDERS,
            "charge",
            batch_size=20,
            maximum_batching_window=5,
            maximum_concurrency=4,
            report_batch_item_failures=True,
            filters=('{"body": {"kind": ["new", {"numeric": [">", 5]}]}}',),
            enabled=False,
        ),
    )
    pollers = (
        "          arn: !GetAtt Orders.Arn\n          provisionedPollerConfig: {minimumPollers: 3, maximumPollers: 9}\n"
    )
    assert shop("          arn: !GetAtt Orders.Arn\n", pollers).design.mappings[0].provisioned_pollers == (3, 9)


@pytest.mark.parametrize(
    ("arn", "queue"),
    [
        ("!GetAtt Orders.Arn", ORDERS),
        ("{Fn::GetAtt: [Orders, Arn]}", ORDERS),
        ("!Sub 'arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:${self:service}-dev-orders'", ORDERS),
        ("{Fn::Join: [':', [arn, aws, sqs, {Ref: AWS::Region}, {Ref: AWS::AccountId}, shop-dev-orders]]}", ORDERS),
        ("arn:aws:sqs:${aws:region}:${aws:accountId}:shop-${sls:stage}-orders", ORDERS),
        ("arn:aws:sqs:eu-west-1:123456789012:elsewhere", "elsewhere"),
        ("{Fn::ImportValue: billing-queue}", "billing-queue"),
        ("${cf:billing-dev.QueueArn}", "billing-dev-QueueArn"),
        ("${ssm:/billing/queue}", "billing-queue"),
    ],
)
def test_a_queue_is_known_by_its_arn(arn: str, queue: str) -> None:
    """As a reference, as text, or from another stack, whose queue is assumed."""
    found = shop("!GetAtt Orders.Arn", arn)
    assert [each.queue for each in found.design.mappings] == [queue]
    said = "event sqs of charge: arn "
    assert any(each.startswith(said) for each in found.assumptions) == (queue != ORDERS)


def test_an_event_may_be_an_arn_alone() -> None:
    """The short form has no settings."""
    event = "      - sqs:\n          arn: !GetAtt Orders.Arn"
    found = shop(event, "      - sqs: arn:aws:sqs:eu-west-1:123456789012:elsewhere")
    assert [each.queue for each in found.design.mappings] == ["elsewhere"]


def test_code_and_variables_of_functions_are_found(directory: Path) -> None:
    """Relative to the file; an unknown variable of the environment is said."""
    (directory / "src").mkdir()
    (directory / "src" / "app.py").write_text("def handler(event, context): ...\n", encoding="utf-8")
    code = shop().code["charge"]
    assert (code.handler, code.root) == ("src.app:handler", directory)
    assert code.environment == {
        "LEVEL": "debug",
        "TABLE": "unknown-TABLE",
        "QUEUE": f"https://sqs.us-east-1.amazonaws.com/123456789012/{ORDERS}",
    }
    assert code.notes == (
        "serverless.yml:5: TABLE is ${env:TABLE}, which is not read from the environment; it is set to unknown-TABLE",
    )


@pytest.mark.parametrize(
    ("runtime", "said"),
    [("runtime: nodejs22.x", "its Runtime is nodejs22.x"), ("architecture: arm64", "its Runtime is nodejs, the fr")],
)
def test_other_runtimes_are_modelled(runtime: str, said: str) -> None:
    """Without a runtime, the framework takes Node.js."""
    assert shop("runtime: python3.13", runtime).code["charge"].modelled.startswith(said)


def test_resources_may_be_lists_and_files() -> None:
    """Later parts win; an origin names the file that has it."""
    start, _, resources = SHOP.partition("resources:\n")
    text = f"{start}resources:\n  - ${{file(queues.yml)}}\n"
    text += "  - extensions:\n      Dead: {Properties: {DelaySeconds: 9}}\n"
    found = read(text, queues_yml=resources)
    assert [(queue.name, queue.delay) for queue in found.design.queues] == [(ORDERS, 0), ("Dead", 9)]
    assert str(found.origins[f"queues.{ORDERS}.visibility_timeout"]) == "queues.yml:6 VisibilityTimeout: 36"
    with pytest.raises(InvalidDesign, match=r"^queues\.yml:6: .*'soon'.*must be a whole number"):
        read(text, queues_yml=resources.replace("36", "soon"))


def test_functions_may_be_lists_and_files() -> None:
    """As resources; each function may be a file, too."""
    head, functions = SHOP.split("functions:\n")
    functions, _, resources = functions.partition("resources:\n")
    text = f"{head}functions:\n  - ${{file(some.yml)}}\n  - other: ${{file(one.json):a.b}}\nresources:\n{resources}"
    other = (
        '{"a": {"b": {"handler": "x.y", "timeout": 5, "events": [{"sqs": {"arn": {"Fn::GetAtt": ["Dead", "Arn"]}}}]}}}'
    )
    found = read(text, some_yml=functions, one_json=other)
    assert [(each.name, each.timeout) for each in found.design.functions] == [("charge", 6), ("other", 5)]
    assert str(found.origins["functions.other.timeout"]) == "one.json:1 timeout: 5"


def test_resources_override_what_the_framework_makes() -> None:
    """Extensions, and resources of the same logical id."""
    more = """\
  extensions:
    ChargeLambdaFunction: {Properties: {ReservedConcurrentExecutions: 5}}
    NoSuchThing: {Properties: {}}
  Resources:
    ChargeEventSourceMappingSQSOrders: {Properties: {BatchSize: 3}}
    ApiGatewayRestApi: {Properties: {Name: shop}}
"""
    found = shop("  Resources:\n", more)
    assert found.design.functions[0].reserved_concurrency == 5
    assert found.design.mappings[0].batch_size == 3
    assert found.notes == (
        "serverless.yml:20: extension of NoSuchThing is left out: it is of a resource that this reader does not have",
        "serverless.yml:23: resource ApiGatewayRestApi is left out: it has no Type",
    )


def test_a_queue_may_be_exported_by_another_file_of_the_project(directory: Path) -> None:
    """Each is read with its own variables, and an origin names the file that has the value."""
    (directory / "pyproject.toml").touch()
    for name in ("queues", "worker"):
        (directory / name).mkdir()
    head, _, resources = SHOP.partition("functions:\n")
    resources = resources.partition("resources:\n")[2]
    (directory / "queues" / "all.yml").write_text(resources, encoding="utf-8")
    export = "  - Outputs: {Q: {Value: !GetAtt Orders.Arn, Export: {Name: '${self:service}-queue'}}}\n"
    text = f"{head}resources:\n  - ${{file(all.yml)}}\n{export}"
    (directory / "queues" / "serverless.yml").write_text(text, encoding="utf-8")
    path = directory / "worker" / "serverless.yml"
    text = SHOP.partition("resources:\n")[0].replace("!GetAtt Orders.Arn", "!ImportValue shop-queue")
    path.write_text(
        text.replace("service: shop", "service: worker").replace(", QUEUE: !Ref Orders", ""), encoding="utf-8"
    )
    found = read_serverless(path)
    assert found.design.queues[0] == Queue(ORDERS, visibility_timeout=36, redrive=Redrive("Dead", max_receive_count=3))
    origin = found.origins[f"queues.{ORDERS}.visibility_timeout"]
    assert str(origin) == f"{directory / 'queues' / 'all.yml'}:6 VisibilityTimeout: 36"


# Variables ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("${self:custom.limit}", 7),
        ("${self:custom.limits.${sls:stage}}", 11),
        ("${self:custom.limits.${opt:stage, 'prod'}}", 12),
        ("${self:custom.limits.${opt:stage, self:provider.stage}}", 11),
        ("${self:custom.none, self:custom.limit}", 7),
        ("${self:custom.none, ${self:custom.limit}}", 7),
        ("${opt:seconds, 8}", 8),
        ("${env:SECONDS, '9'}", 9),
        ("${param:seconds, 13}", 13),
        ("${file(limits.yml):seconds.0}", 14),
        ("${file(limits.yml):own}", 7),
        ("${file(./${self:service}.json):seconds}", 15),
        ("${file(none.yml):seconds, 16}", 16),
        ("${file(limits.js):seconds, 17}", 17),
        ("${ssm:/seconds, '18'}", 18),
        ("${self:functions.charge.memorySize, 19}", 19),
    ],
)
def test_a_variable_has_its_value(variable: str, value: int) -> None:
    """Of the file, of another one, or of a fallback."""
    files = {"limits_yml": "seconds: [14]\nown: ${self:custom.limit}\n", "shop_json": '{"seconds": 15}'}
    assert seconds(with_timeout(variable, **files)) == value


@pytest.mark.parametrize(
    ("variable", "reason"),
    [
        ("${env:SECONDS}", "is ${env:SECONDS}, which is not read from the environment"),
        ("${opt:seconds}", "refers to option --seconds, which is not given"),
        ("${param:seconds}", "refers to parameter seconds, which has no default"),
        ("${self:custom.none}", "refers to custom.none, which the file does not have"),
        ("${file(none.yml):a}", "comes from ${file(none.yml):a}, and there is no such file"),
        ("${file(a.js):b}", "is ${file(a.js):b}, which is code, and is not executed"),
        ("${file(a.toml):b}", "is ${file(a.toml):b}, which is neither YAML nor JSON"),
        ("${cf:shop.Seconds}", "is ${cf:shop.Seconds}, an output of another stack"),
        ("${ssm:/seconds}", "is ${ssm:/seconds}, which is in the Parameter Store"),
        ("${sls:instanceId}", "is ${sls:instanceId}, which only a deployment knows"),
        ("${mine:seconds}", "is ${mine:seconds}, which this reader does not know"),
        ("${self:functions.charge.timeout}", "is ${self:functions.charge.timeout}, which refers to itself"),
    ],
)
def test_what_files_do_not_tell_is_said(variable: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real environment is not read, and nothing is executed."""
    monkeypatch.setenv("SECONDS", "9")
    found = with_timeout(variable, a_js="module.exports = {b: 1}", a_toml="b = 1")
    assert f"charge: Timeout {reason}; assumed AWS's default 3" in found.assumptions


def test_options_and_parameters_are_those_of_the_stage() -> None:
    """`params` and `stages` have values for stages, with a default."""
    text = SHOP.replace("reservedConcurrency: 2", "timeout: ${param:seconds}\n    memorySize: ${param:memory}")
    text += "params: {default: {seconds: 5}, prod: {seconds: 6}}\nstages: {default: {params: {memory: 256}}}\n"
    for options, expected in (({}, 5), ({"stage": "prod"}, 6)):
        found = read(text.replace("VisibilityTimeout: 36", "VisibilityTimeout: 60"), options).design
        assert [(each.timeout, each.memory) for each in found.functions] == [(expected, 256)]
        assert found.queues[0].name == f"shop-{options.get('stage', 'dev')}-orders"


def test_cycles_and_fallbacks_are_told() -> None:
    """Each with its line."""
    found = with_timeout("${self:custom.a, ${env:B, 4}}")
    assert (
        "serverless.yml:12: ${env:B, 4} is ${env:B}, which is not read from the environment; its fallback is used"
        in (found.assumptions)
    )
    found = shop("  limit: 7", "  limit: ${self:custom.other}\n  other: ${self:custom.limit}")
    assert found.assumptions == ("no stage is given: assumed dev, the framework's default",)
    text = SHOP.replace("  limit: 7", "  limit: ${self:custom.other}\n  other: ${self:custom.limit}")
    found = read(text.replace("reservedConcurrency: 2", "timeout: ${self:custom.limit}"))
    cycle = "${self:custom.limit} → ${self:custom.other} → ${self:custom.limit} is a cycle: its value is unknown"
    assert any(cycle in each for each in found.assumptions)


# Plugins --------------------------------------------------------------------------------------------------------------

LIFT = """\
service: shop
provider: {name: aws, runtime: python3.13, timeout: 20}
plugins: [serverless-lift, serverless-sqs-thing]
constructs:
  jobs:
    type: queue
    worker: {handler: worker.handler, timeout: 10}
    maxBatchingWindow: 2
  site: {type: static-website, path: public}
functions:
  publish:
    handler: publish.handler
    environment: {QUEUE_URL: '${construct:jobs.queueUrl}'}
    events: [{http: 'POST /jobs'}]
"""


def test_a_queue_of_lift_is_read() -> None:
    """With its worker and defaults; other constructs and plugins are said as not read."""
    found = read(LIFT)
    assert found.design.queues == (
        Queue("shop-dev-jobs", visibility_timeout=62, redrive=Redrive("shop-dev-jobs-dlq", max_receive_count=3)),
        Queue("shop-dev-jobs-dlq", retention_period=1_209_600),
    )
    assert found.design.functions == (Function("jobsWorker", timeout=10, memory=1024),)
    assert found.design.mappings == (
        EventSourceMapping(
            "shop-dev-jobs", "jobsWorker", batch_size=1, maximum_batching_window=2, report_batch_item_failures=True
        ),
    )
    assert found.notes == (
        "serverless.yml:9: construct site (static-website) is left out: it is not a queue",
        "serverless.yml:3: plugin serverless-sqs-thing is left out: it may make queues, and is not read",
    )
    fifo = read(
        LIFT.replace("    maxBatchingWindow: 2", "    fifo: true\n    maxRetries: 5\n    batchSize: 4\n    delay: 3")
    )
    assert fifo.design.queues[0] == Queue(
        "shop-dev-jobs.fifo",
        visibility_timeout=60,
        delay=3,
        content_based_deduplication=True,
        redrive=Redrive("shop-dev-jobs-dlq.fifo", max_receive_count=5),
    )


def test_a_queue_of_lift_may_have_a_function_of_the_file_and_extensions() -> None:
    """Its visibility timeout follows from that function's timeout."""
    text = LIFT.replace("{handler: worker.handler, timeout: 10}", "publish").replace(
        "    maxBatchingWindow: 2", "    extensions: {queue: {Properties: {MessageRetentionPeriod: 600}}}"
    )
    found = read(text.replace("handler: publish.handler", "handler: publish.handler\n    timeout: 4"))
    assert found.design.functions == (Function("publish", timeout=4, memory=1024),)
    assert found.design.queues[0].visibility_timeout == 24
    assert found.design.queues[0].retention_period == 600
    assert [each.batch_size for each in found.design.mappings] == [1]


def test_null_is_the_default() -> None:
    """In a function, its event and the provider."""
    text = SHOP.replace("reservedConcurrency: 2", "timeout: null").replace(
        "  name: aws\n", "  name: aws\n  memorySize: null\n"
    )
    text = text.replace(
        "          arn: !GetAtt Orders.Arn\n", "          arn: !GetAtt Orders.Arn\n          batchSize: null\n"
    )
    design = read(text).design
    assert (design.functions, design.mappings) == (
        (Function("charge", timeout=6, memory=1024),),
        (EventSourceMapping(ORDERS, "charge"),),
    )


# Bad files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "serverless.yml: is empty"),
        ("- a\n", "serverless.yml:1: is not a mapping"),
        ("service: shop\n\tprovider: aws\n", "serverless.yml:2: is neither YAML nor JSON"),
        ("service: a\nservice: b\n", "serverless.yml:2: service stands twice in one mapping, first in line 1"),
        ("service: shop\nprovider: {name: google}\n", "serverless.yml: its provider is google, not aws"),
        ("service: shop\nprovider: aws\nfunctions: 5\n", "serverless.yml: maps no SQS queue to a function"),
        (SHOP.replace("36", "3"), "serverless.yml:23: "),
        (
            SHOP.replace("    events:\n      - sqs:\n          arn", "    events:\n      sqs"),
            "serverless.yml: maps no SQS",
        ),
        (SHOP.replace("reservedConcurrency: 2", "timeout: soon"), "serverless.yml:12: "),
        (SHOP.replace("!GetAtt Orders.Arn", "orders"), "serverless.yml:16: "),
    ],
)
def test_a_bad_file_is_refused_in_few_lines(text: str, said: str) -> None:
    """With its name, and its line where there is one."""
    with pytest.raises(InvalidDesign) as refused:
        read(text)
    lines = str(refused.value).splitlines()
    assert lines[0].startswith(said)
    assert len(lines) <= 3


def test_bombs_are_refused() -> None:
    """Variables may stand for far more than their text, and refer to one another without end."""
    rows = ["  a0: [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"  a{n}: [" + ", ".join([f"'${{self:custom.a{n - 1}}}'"] * 10) + "]" for n in range(1, 9)]
    wide = SHOP.replace("  limit: 7", "\n".join(rows)).replace("LEVEL: info", "LEVEL: '${self:custom.a8}'")
    with pytest.raises(InvalidDesign, match=r"^serverless\.yml:\d+: holds more than 500,000 values"):
        read(wide)
    rows = [f"  b{n}: ${{self:custom.b{n + 1}}}" for n in range(60)]
    deep = SHOP.replace("  limit: 7", "\n".join(rows)).replace("LEVEL: info", "LEVEL: '${self:custom.b0}'")
    with pytest.raises(InvalidDesign, match=r"^serverless\.yml:\d+: more than 40 variables refer to one another"):
        read(deep)
    long = [f"  c{n}: ${{self:custom.c{n - 1}}}${{self:custom.c{n - 1}}}" for n in range(1, 30)]
    text = SHOP.replace("  limit: 7", "\n".join(["  c0: xxxxxxxx", *long]))
    found = read(text.replace("LEVEL: debug", "LEVEL: '${self:custom.c29}'"))
    assert "is a text of more than 20,000 characters" in found.code["charge"].notes[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\xff\xfe", "part.yml:1: is not UTF-8 text"), (b"a:\n\tb: 1\n", "part.yml:2: is neither YAML nor JSON")],
)
def test_a_bad_included_file_is_named(content: bytes, said: str) -> None:
    """It is in the file that the message names."""
    Path("part.yml").write_bytes(content)
    with pytest.raises(InvalidDesign, match=f"^{re.escape(said)}"):
        with_timeout("${file(part.yml):a}")


# Finding the files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["serverless.yml", "serverless.yaml", "services/shop/serverless.yml"])
def test_files_are_found_by_themselves(directory: Path, name: str) -> None:
    """In the project's directory, and below it where that has none."""
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SHOP, encoding="utf-8")
    assert [source.name for source in discover(directory).sources] == [name]


def test_code_is_not_executed_and_its_package_is_read(directory: Path) -> None:
    """What `sls package` wrote is a template of CloudFormation."""
    (directory / "serverless.ts").write_text("throw 1", encoding="utf-8")
    with pytest.raises(NoDesign, match=r"serverless\.ts: is code, which is not executed\. Run `sls package`"):
        read_serverless(Path("serverless.ts"))
    package = directory / ".serverless" / "cloudformation-template-update-stack.json"
    package.parent.mkdir()
    package.write_text(
        '{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}, "F": {"Type": "AWS::Lambda::Function"}, "M": {"Type":'
        ' "AWS::Lambda::EventSourceMapping", "Properties": {"EventSourceArn": {"Fn::GetAtt": ["Q", "Arn"]},'
        ' "FunctionName": {"Ref": "F"}}}}}',
        encoding="utf-8",
    )
    found = read_serverless(Path("serverless.ts"))
    assert [each.name for each in found.design.mappings] == ["Q→F"]
    assert found.assumptions[-1].startswith("serverless.ts is code, which is not executed: .serverless/")


def test_files_are_told_from_templates() -> None:
    """A template of SAM may have any name, and a file of the framework, too."""
    for name, text, importer in (
        ("shop.yml", SHOP, SERVERLESS),
        ("serverless.yml", "Resources: {}\n", CLOUDFORMATION),
        ("serverless.yaml", SHOP, SERVERLESS),
        ("shop.json", '{"service": "shop", "provider": {}}', SERVERLESS),
        ("stack.json", '{"Resources": {"a": {"provider": 1, "service": 2}}}', CLOUDFORMATION),
        ("template.yaml", "AWSTemplateFormatVersion: 1\n", CLOUDFORMATION),
    ):
        Path(name).write_text(text, encoding="utf-8")
        assert importer_of(Path(name)) is importer


# Patches --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "attribute", "before", "after", "line"),
    [
        ("function", "charge", "reserved_concurrency", 2, 5, "    reservedConcurrency: 5"),
        ("function", "charge", "timeout", 6, 5, "    timeout: 5"),
        ("mapping", f"{ORDERS}→charge", "batch_size", 10, 1, "          batchSize: 1"),
        (
            "mapping",
            f"{ORDERS}→charge",
            "report_batch_item_failures",
            False,
            True,
            "          functionResponseType: ReportBatchItemFailures",
        ),
        ("queue", ORDERS, "visibility_timeout", 36, 180, "        VisibilityTimeout: 180"),
    ],
)
def test_changes_become_patches(  # noqa: PLR0917
    kind: ResourceKind, name: str, attribute: str, before: Value, after: Value, line: str
) -> None:
    """`git apply` takes the patch, and the patched file is the changed design."""
    design, path = shop().design, Path("serverless.yml")
    change = Change(SettingPath(kind, name, attribute), before, after)
    patch = patch_of(path, design, [change], "serverless.yml")
    assert [each for each in patch.splitlines() if each.startswith("+ ")] == [f"+{line}"]
    git = shutil.which("git")
    assert git is not None
    subprocess.run([git, "apply", "-"], input=patch.encode(), check=True)
    assert read_serverless(path).design == design_after(design, name, attribute, after)


def test_there_is_no_patch_of_another_file() -> None:
    """Nor of a value that a variable gives."""
    start, _, resources = SHOP.partition("resources:\n")
    design = read(f"{start}resources: ${{file(queues.yml)}}\n", queues_yml=resources).design
    change = Change(SettingPath("queue", ORDERS, "visibility_timeout"), 36, 180)
    assert not patch_of(Path("serverless.yml"), design, [change], "serverless.yml")
