"""Terraform directories: resources, expressions, modules, code, and what cannot be read."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from textwrap import dedent

import pytest

from chaosqs.errors import InvalidDesign
from chaosqs.importers.protocol import Imported, NoDesign
from chaosqs.importers.registry import TERRAFORM, importer_of
from chaosqs.importers.terraform.reader import read_directory
from chaosqs.importers.terraform.syntax import parse_file
from chaosqs.model.design import Redrive
from chaosqs.model.explanation import Origin

WORKER = """
resource "aws_lambda_function" "worker" {
  function_name = "worker"
  handler       = "app.handler"
  runtime       = "python3.13"
}
resource "aws_lambda_event_source_mapping" "orders" {
  event_source_arn = aws_sqs_queue.orders.arn
  function_name    = aws_lambda_function.worker.arn
}
"""


@pytest.fixture(autouse=True)
def _in_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(*texts: str, **files: str) -> Imported:
    """Read `main.tf`, made of texts, and other files; `__` in a name stands for `/`, and the last `_` for a dot."""
    Path("main.tf").write_text("".join(map(dedent, texts)), encoding="utf-8")
    for name, text in files.items():
        path = Path(".".join(name.replace("__", "/").rsplit("_", 1)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    return read_directory(Path())


def with_timeout(expression: str, more: str = "", **files: str) -> Imported:
    """Read a queue whose visibility timeout is written in some way."""
    queue = f'resource "aws_sqs_queue" "orders" {{\n  visibility_timeout_seconds = {expression}\n}}\n'
    return read(queue, WORKER, more, **files)


def test_resources_have_their_values_and_awss_defaults() -> None:
    """All attributes of a queue, a function and a mapping that a design has."""
    found = read("""
        resource "aws_sqs_queue" "orders" {
          name                        = "orders.fifo"
          fifo_queue                  = true
          visibility_timeout_seconds  = 180
          message_retention_seconds   = 86400
          delay_seconds               = 5
          receive_wait_time_seconds   = 20
          max_message_size            = 2048
          content_based_deduplication = true
          deduplication_scope         = "messageGroup"
          fifo_throughput_limit       = "perMessageGroupId"
          redrive_policy = jsonencode({
            deadLetterTargetArn = aws_sqs_queue.dead.arn
            maxReceiveCount     = 4
          })
        }
        resource "aws_sqs_queue" "dead" {
          name       = "dead.fifo"
          fifo_queue = true
        }
        resource "aws_lambda_function" "worker" {
          function_name                  = "worker"
          timeout                        = 30
          memory_size                    = 256
          reserved_concurrent_executions = 7
        }
        resource "aws_lambda_event_source_mapping" "orders" {
          event_source_arn                   = aws_sqs_queue.orders.arn
          function_name                      = aws_lambda_function.worker.function_name
          batch_size                         = 5
          function_response_types            = ["ReportBatchItemFailures"]
          enabled                            = false
          scaling_config {
            maximum_concurrency = 3
          }
          filter_criteria {
            filter {
              pattern = jsonencode({ body = { kind = ["a"] } })
            }
          }
        }
    """)
    orders, dead = found.design.queues
    (worker,), (mapping,) = found.design.functions, found.design.mappings
    assert (orders.name, orders.visibility_timeout, orders.retention_period) == ("orders.fifo", 180, 86400)
    assert (orders.delay, orders.receive_wait_time, orders.maximum_message_size) == (5, 20, 2048)
    assert (orders.fifo, orders.content_based_deduplication, orders.deduplication_scope) == (True, True, "messageGroup")
    assert (orders.fifo_throughput_limit, orders.redrive) == ("perMessageGroupId", Redrive("dead.fifo", 4))
    assert (dead.visibility_timeout, dead.retention_period) == (30, 345_600)
    assert (worker.timeout, worker.memory, worker.reserved_concurrency) == (30, 256, 7)
    assert (mapping.batch_size, mapping.report_batch_item_failures, mapping.enabled) == (5, True, False)
    assert (mapping.maximum_concurrency, mapping.filters) == (3, ('{"body":{"kind":["a"]}}',))
    assert found.origins["queues.orders.fifo.redrive.max_receive_count"] == Origin("main.tf", 15, "maxReceiveCount: 4")
    assert found.origins["functions.worker.timeout"] == Origin("main.tf", 24, "timeout: 30")
    assert not found.assumptions
    assert not found.notes


def test_minus_one_reserves_nothing_and_provisioned_concurrency_is_added() -> None:
    """-1 is Terraform's way to say that nothing is reserved."""
    found = read(
        'resource "aws_sqs_queue" "orders" {}',
        WORKER.replace("runtime  ", "reserved_concurrent_executions = -1\n  runtime  "),
        """
        resource "aws_lambda_provisioned_concurrency_config" "worker" {
          function_name                     = aws_lambda_function.worker.function_name
          qualifier                         = aws_lambda_function.worker.version
          provisioned_concurrent_executions = 4
        }
        """,
    )
    assert found.design.functions[0].reserved_concurrency is None
    assert found.design.functions[0].provisioned_concurrency == 4


def test_pollers_a_batching_window_and_an_alias() -> None:
    """A mapping may be on an alias of the function."""
    found = read(
        'resource "aws_sqs_queue" "orders" {}',
        WORKER.replace("aws_lambda_function.worker.arn", "aws_lambda_alias.live.arn").replace(
            "\n}\n",
            "\n  batch_size = 100\n  maximum_batching_window_in_seconds = 2\n"
            "  provisioned_poller_config {\n    minimum_pollers = 3\n    maximum_pollers = 9\n  }\n}\n",
        ),
        'resource "aws_lambda_alias" "live" {\n name = "live"\n'
        " function_name = aws_lambda_function.worker.function_name\n function_version = 1\n}\n",
    )
    (mapping,) = found.design.mappings
    assert (mapping.function, mapping.batch_size, mapping.maximum_batching_window) == ("worker", 100, 2)
    assert mapping.provisioned_pollers == (3, 9)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("60", 60),
        ('"60"', 60),
        ("10 * 6 + 2", 62),
        ("(1 + 2) * 30", 90),
        ("100 - 30 - 10", 60),
        ("121 % 61", 60),
        ("var.seconds", 45),
        ("var.seconds * 6", 270),
        ('"${var.seconds}"', 45),
        ("local.seconds", 90),
        ("local.queues.orders.seconds", 91),
        ('local.queues["orders"]["seconds"]', 91),
        ('lookup(local.queues.orders, "seconds", 4)', 91),
        ('lookup(local.queues.orders, "other", 44)', 44),
        ('var.stage == "dev" ? 41 : 42', 41),
        ("var.on && !false ? 43 : 44", 43),
        ("1 > 2 || 2 <= 1 ? 43 : 44", 44),
        ("coalesce(null, 47)", 47),
        ("try(local.queues.missing.seconds, 48)", 48),
        ('tonumber("49")', 49),
        ("max(1, 50, 7)", 50),
        ("min([51, 52]...)", 51),
        ("length(concat([1, 2], [3])) * 20", 60),
        ('merge({ a = 1 }, { a = 53 })["a"]', 53),
        ("element([54, 55], 3)", 55),
        ("[for each in [1, 2, 3] : each * 20 if each > 2][0]", 60),
        ("{ for name, one in local.queues : upper(name) => one.seconds }.ORDERS", 91),
        ("sum(local.queues[*].orders.seconds)", 91),
        ('tonumber(join("", ["5", "6"]))', 56),
        ('tonumber(format("%d%s", 5, "7"))', 57),
        ("ceil(57.2)", 58),
        ("jsondecode(jsonencode({ a = [59] })).a[0]", 59),
        ('split(",", "61,62")[1]', 62),
        ("aws_lambda_function.worker.timeout * 21", 63),
        ('keys({ b = 1, a = 2 })[0] == "a" ? 64 : 65', 64),
    ],
)
def test_expressions_have_their_values(expression: str, value: int) -> None:
    """Variables with defaults, locals, operators and functions are evaluated."""
    found = with_timeout(
        expression,
        """
        variable "seconds" {
          type    = number
          default = 45
        }
        variable "stage" { default = "dev" }
        variable "on" { default = true }
        locals {
          seconds = var.seconds * 2 # doubled
          queues = {
            orders = { seconds = 91 },
          }
        }
        """,
    )
    assert found.design.queues[0].visibility_timeout == value
    assert not [each for each in found.assumptions if "timeout" in each]


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("var.missing", "refers to variable missing, which has no default"),
        ("var.missing * 6", "refers to variable missing, which has no default"),
        ("var.missing ? 1 : 2", "refers to variable missing, which has no default"),
        ("timestamp()", "uses timestamp, which is not evaluated"),
        ("provider::own::seconds(3)", "uses provider::own::seconds, which is not evaluated"),
        ('max("a")', "uses max with what does not fit"),
        ("1 / 0", "uses / with what is not a number"),
        ("data.aws_ssm_parameter.seconds.value", "refers to data.aws_ssm_parameter.seconds.value"),
        ("local.loop", "refers to local.loop, which depends on itself"),
        ("nothing", "refers to nothing, which has no value"),
        ('"%{ if true }60%{ endif }"', "has a part that is not text"),
    ],
)
def test_what_is_unknown_is_said_and_gets_the_default(expression: str, reason: str) -> None:
    """An unknown function is an unknown value, never an error."""
    found = with_timeout(
        expression,
        'variable "missing" {}\ndata "aws_ssm_parameter" "seconds" { name = "x" }\n'
        "locals {\n  loop = local.pool\n  pool = local.loop\n}\n",
    )
    assert found.design.queues[0].visibility_timeout == 30
    (said,) = [each for each in found.assumptions if "visibility_timeout_seconds" in each]
    assert said.startswith("orders: visibility_timeout_seconds ")
    assert said.endswith("; assumed AWS's default 30")
    if "%{" not in expression:
        assert reason in said


def test_origins_tell_the_expression_and_where_its_values_come_from() -> None:
    """A default of a variable is told apart from a value of a file with variables."""
    found = with_timeout(
        "var.seconds * var.times",
        'variable "seconds" { default = 10 }\nvariable "times" { default = 1 }\n',
        terraform_tfvars="times = 6\n",
    )
    assert found.origins["queues.orders.visibility_timeout"] == Origin(
        "main.tf",
        2,
        "visibility_timeout_seconds: 60, from var.seconds * var.times"
        " (default of variable seconds, main.tf:14; given in terraform.tfvars:1)",
    )
    assert found.given == "variables from terraform.tfvars"


def test_files_with_variables() -> None:
    """`terraform.tfvars` and `*.auto.tfvars` are read, the last one wins; secrets and other files are left alone."""
    Path("z.auto.tfvars").write_text("seconds = 62\n", encoding="utf-8")
    found = with_timeout(
        "var.seconds + var.secret",
        'variable "seconds" {}\nvariable "secret" {\n  default = 1\n  sensitive = true\n}\n',
        terraform_tfvars="seconds = 61\nsecret = 100\n",
        prod_tfvars="seconds = 63\n",
    )
    assert found.design.queues[0].visibility_timeout == 63
    assert found.notes == ("prod.tfvars is not read: Terraform takes it only with -var-file",)


def test_redrive_policies_of_each_form() -> None:
    """As an encoded object, as a heredoc, as a resource of its own, and with an unknown part."""
    dead = 'resource "aws_sqs_queue" "dead" {}\n'
    heredoc = """
        resource "aws_sqs_queue" "orders" {
          redrive_policy = <<-EOT
            {"deadLetterTargetArn": "${aws_sqs_queue.dead.arn}", "maxReceiveCount": 3}
          EOT
        }
        """
    own = """
        resource "aws_sqs_queue" "orders" {}
        resource "aws_sqs_queue_redrive_policy" "orders" {
          queue_url      = aws_sqs_queue.orders.id
          redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn, maxReceiveCount = 3 })
        }
        """
    for text in (heredoc, own):
        assert read(text, dead, WORKER).design.queues[0].redrive == Redrive("dead", 3)
    unknown = read(heredoc.replace(": 3", ": ${var.count}"), dead, WORKER, 'variable "count" {}\n')
    assert unknown.design.queues[0].redrive == Redrive("dead", 10)
    assert any("maxReceiveCount refers to variable count" in each for each in unknown.assumptions)


def test_unknown_queues_are_told_apart_by_their_expressions() -> None:
    """Two maps of names without a value are two queues, and an instance of `for_each` is no other one."""
    found = read("""
        variable "queues" {}
        resource "aws_lambda_function" "worker" {
          for_each      = { orders = 10, billing = 20 }
          function_name = "worker-${each.key}"
          timeout       = each.value
        }
        resource "aws_lambda_event_source_mapping" "each" {
          for_each         = toset(["orders", "billing"])
          event_source_arn = var.queues[each.key].arn
          function_name    = aws_lambda_function.worker[each.value].arn
        }
    """)
    assert len({mapping.queue for mapping in found.design.mappings}) == 2
    assert [(each.name, each.timeout) for each in found.design.functions] == [
        ("worker-orders", 10),
        ("worker-billing", 20),
    ]


def test_counts_and_conditions() -> None:
    """`count = 0` leaves a resource out; an unknown one is said, and one instance assumed."""
    found = read(
        """
        variable "on" {}
        resource "aws_sqs_queue" "orders" {
          count = 2
          name  = "orders-${count.index}"
        }
        resource "aws_sqs_queue" "none" {
          count = 0
          name  = "none"
        }
        """,
        WORKER.replace("aws_sqs_queue.orders.arn", "aws_sqs_queue.orders[1].arn\n  count = var.on ? 1 : 0"),
    )
    assert [queue.name for queue in found.design.queues] == ["orders-1"]
    (said,) = found.assumptions
    assert said.endswith(".orders: count refers to variable on, which has no default; assumed one instance")


def test_dynamic_blocks_are_expanded() -> None:
    """Blocks that a `dynamic` block makes count as written."""
    found = read(
        'resource "aws_sqs_queue" "orders" {}',
        WORKER.replace(
            "\n}\n",
            '\n  dynamic "scaling_config" {\n    for_each = [7]\n    content {\n'
            "      maximum_concurrency = scaling_config.value\n    }\n  }\n}\n",
        ),
    )
    assert found.design.mappings[0].maximum_concurrency == 7


def test_modules_of_the_tree_have_their_inputs_and_outputs() -> None:
    """A module is read with the inputs of each call; its outputs are values of the caller."""
    found = read(
        """
        module "orders" {
          source  = "./modules/queue"
          name    = "orders"
          options = { seconds = 70 }
        }
        module "billing" {
          source = "./modules/queue"
          name   = "billing"
        }
        """,
        WORKER.replace("aws_sqs_queue.orders.arn", "module.orders.arn"),
        WORKER.replace('"worker"', '"biller"')
        .replace("lambda_function.worker", "lambda_function.biller")
        .replace('mapping" "orders', 'mapping" "billing')
        .replace("aws_sqs_queue.orders.arn", "module.billing.queue.arn"),
        modules__queue__main_tf="""
        variable "name" {}
        variable "options" {
          type    = object({ seconds = optional(number, 80) })
          default = {}
        }
        resource "aws_sqs_queue" "this" {
          name                       = "${var.name}-queue"
          visibility_timeout_seconds = var.options.seconds
        }
        output "arn" { value = aws_sqs_queue.this.arn }
        output "queue" { value = aws_sqs_queue.this }
        """,
    )
    assert {queue.name: queue.visibility_timeout for queue in found.design.queues} == {
        "orders-queue": 70,
        "billing-queue": 80,
    }
    origin = found.origins["queues.orders-queue.visibility_timeout"]
    assert origin.file == str(Path("modules/queue/main.tf"))
    assert origin.line == 9


def test_modules_of_the_registry_by_their_documented_inputs() -> None:
    """`terraform-aws-modules/sqs` and `lambda` are known, without their files."""
    found = read(
        """
        module "orders" {
          source  = "terraform-aws-modules/sqs/aws"
          version = "~> 4.0"
          name                       = "orders"
          visibility_timeout_seconds = 66
          create_dlq                 = true
          redrive_policy             = { maxReceiveCount = 3 }
        }
        module "worker" {
          source        = "terraform-aws-modules/lambda/aws"
          function_name = "worker"
          handler       = "app.handler"
          runtime       = "python3.13"
          timeout       = 11
          source_path   = "${path.module}/src"
          event_source_mapping = {
            sqs = {
              event_source_arn = module.orders.queue_arn
              batch_size       = 4
              scaling_config   = { maximum_concurrency = 5 }
            }
          }
        }
    """,
        src__app_py="def handler(event, context):\n    return None\n",
    )
    orders, dead = found.design.queues
    assert (orders.visibility_timeout, orders.redrive, dead.name) == (66, Redrive("orders-dlq", 3), "orders-dlq")
    (worker,), (mapping,) = found.design.functions, found.design.mappings
    assert (worker.timeout, mapping.batch_size, mapping.maximum_concurrency) == (11, 4, 5)
    assert found.origins["functions.worker.timeout"] == Origin(
        "main.tf", 10, "timeout: 11, from var.timeout (module.worker in main.tf:15)"
    )
    assert found.code["worker"].handler == "app:handler"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ('"git::https://example.com/queue.git"', "is not in the tree"),
        ('"./nowhere"', "./nowhere is not there"),
        ('"./"', "./ calls itself"),
        ("var.missing", "its source is not a text"),
    ],
)
def test_modules_that_are_not_read_are_said(source: str, why: str) -> None:
    """Their outputs are unknown: a queue of one is assumed, under the name of the output."""
    found = read(
        f'module "orders" {{\n  source = {source}\n}}\n',
        WORKER.replace("aws_sqs_queue.orders.arn", "module.orders.arn"),
    )
    assert found.design.queues[0].name == "module-orders-arn"
    (said,) = found.notes
    assert said.startswith("module.orders is not read (main.tf:1): ")
    assert said.endswith(why)


@pytest.mark.parametrize(
    "filename",
    [
        "data.archive_file.code.output_path",
        '"${path.module}/code.zip"',
        '"code.zip"',
    ],
)
@pytest.mark.parametrize("source", ['source_dir = "${path.module}/src"', 'source_file = "src/app.py"'])
def test_handlers_are_bound_through_archives(filename: str, source: str) -> None:
    """The code of a function is where its archive is made from."""
    found = read(
        'resource "aws_sqs_queue" "orders" {}',
        WORKER.replace("runtime  ", f"filename = {filename}\n  runtime  "),
        f'data "archive_file" "code" {{\n  type = "zip"\n  {source}\n  output_path = "${{path.module}}/code.zip"\n}}\n',
        src__app_py="def handler(event, context):\n    return None\n",
    )
    code = found.code["worker"]
    assert (code.handler, code.root, code.modelled) == ("app:handler", Path("src").resolve(), "")


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        ('filename = "code.zip"', "its code code.zip is not there"),
        ("filename = var.missing", "its Code refers to variable missing, which has no default"),
        ('s3_bucket = "b"\n  s3_key = "k.zip"', "its code is in S3 (k.zip)"),
        ('image_uri = "example.com/worker:1"', "it is a container image"),
    ],
)
def test_other_code_is_modelled_and_said(attributes: str, why: str) -> None:
    """Without the files of a handler its function is modelled, with the reason."""
    found = read(
        'resource "aws_sqs_queue" "orders" {}',
        WORKER.replace("runtime  ", f"{attributes}\n  runtime  "),
        'variable "missing" {}\n',
    )
    assert found.code["worker"].modelled == why


def test_variables_of_functions() -> None:
    """References have the values of the design's account; an unknown one gets a placeholder, with file and line."""
    found = read(
        'resource "aws_sqs_queue" "orders" {\n  name = "orders"\n}\nresource "aws_sqs_queue" "next" {}\n',
        'resource "aws_lambda_function" "worker" {\n'
        '  function_name = "worker"\n  environment {\n    variables = {\n'
        "      NEXT = aws_sqs_queue.next.url\n      TABLE = aws_dynamodb_table.t.name\n      SIZE = 3\n    }\n  }\n}\n",
        WORKER[WORKER.index('resource "aws_lambda_event') :],
        'resource "aws_dynamodb_table" "t" {}\n',
    )
    code = found.code["worker"]
    assert code.environment == {
        "NEXT": "https://sqs.us-east-1.amazonaws.com/123456789012/next",
        "TABLE": "unknown-TABLE",
        "SIZE": "3",
    }
    (note,) = code.notes
    assert note.startswith("main.tf:10: TABLE refers to aws_dynamodb_table.t.name")
    assert [queue.name for queue in found.design.queues] == ["orders", "next"]


def test_mappings_on_other_services_are_left_out() -> None:
    """A table's stream is no queue, also where its ARN is unknown."""
    stream = WORKER[WORKER.index('resource "aws_lambda_event') :].replace('" "orders', '" "table')
    found = read(
        'resource "aws_sqs_queue" "orders" {}\nresource "aws_dynamodb_table" "t" {}\n',
        WORKER,
        stream.replace("aws_sqs_queue.orders.arn", "aws_dynamodb_table.t.stream_arn"),
    )
    assert len(found.design.mappings) == 1
    assert found.notes == ("event source table of worker is left out: it is not an SQS queue",)


def test_paths_are_those_of_the_directory_from_anywhere() -> None:
    """Code of a module in the tree is found from another working directory, too."""
    code = 'data "archive_file" "code" {\n source_dir = "${path.module}/src"\n output_path = "code.zip"\n}\n'
    worker = WORKER.replace("runtime  ", "filename = data.archive_file.code.output_path\n  runtime  ")
    files = {
        "infra/main.tf": 'module "worker" {\n  source = "./worker"\n}\n',
        "infra/worker/main.tf": 'resource "aws_sqs_queue" "orders" {}\n' + worker + code,
        "infra/worker/src/app.py": "def handler(event, context):\n    return None\n",
    }
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    for path in (Path("infra"), Path("infra").resolve(), Path("infra/main.tf")):
        assert read_directory(path).code["worker"].root == Path("infra/worker/src").resolve()


# What cannot be read --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ('resource "a" "b" {\n  x = \n}\n', 2, "expected a value"),
        ('x = "abc\n', 1, "a text has no end"),
        ("a {\n  x = 1\n  x = 2\n}\n", 3, "x is set twice"),
        ("a {\n", 2, "the block a has no '}'"),
        ("}\n", 1, "there is a '}' too many"),
        ("x = <<EOT\nabc\n", 1, "a heredoc has no end"),
        ("\n\nx = [1, 2\ny = 3\n", 4, "expected ']'"),
        ('x = "\\q"\n', 1, "unknown escape \\q"),
        ("x = 1 +\n", 1, "expected a value"),
        (f"x = {'[' * 100}\n", 1, "is nested more than 60 levels deep"),
    ],
)
def test_mistakes_of_syntax_have_file_and_line(text: str, line: int, why: str) -> None:
    """One line says where a file is not HCL."""
    with pytest.raises(InvalidDesign) as error:
        parse_file(text, "broken.tf", 1000)
    assert str(error.value) == f"broken.tf:{line}: is not valid HCL: {why}"


def test_a_broken_file_is_said_and_others_are_read() -> None:
    """So are files of another encoding, huge ones, and those in JSON."""
    Path("latin.tf").write_bytes(b'x = "\xe9"\n')
    Path("huge.tf").write_text("#" * 1_000_001, encoding="utf-8")
    Path("more.tf.json").write_text("{}", encoding="utf-8")
    found = with_timeout("60", broken_tf="oops\n}\n")
    assert found.design.queues[0].visibility_timeout == 60
    assert found.notes == (
        "broken.tf:1: is not valid HCL: expected a name; the file is left out",
        "huge.tf is not read: it has more than 1,000,000 bytes",
        "latin.tf is not read: it is not UTF-8",
        "more.tf.json is not read: this reader does not take Terraform's JSON",
    )


def test_a_directory_without_a_mapping_is_no_design() -> None:
    """The message says what to give, and what was not read."""
    with pytest.raises(NoDesign) as error:
        read('resource "aws_sqs_queue" "orders" {}', broken_tf="}\n")
    lines = str(error.value).splitlines()
    assert lines[0].startswith(".: maps no SQS queue to a Lambda function. Give the directory ")
    assert lines[1].startswith("broken.tf:1: is not valid HCL")


def test_what_aws_would_refuse_has_file_and_line() -> None:
    """The words are Terraform's."""
    with pytest.raises(InvalidDesign) as error:
        with_timeout('"soon"')
    assert str(error.value) == (
        "main.tf:2: queues.orders.visibility_timeout = 'soon': must be a whole number (visibility_timeout_seconds)"
    )
    with pytest.raises(InvalidDesign, match=r"main\.tf:2: mappings\[0\]: Queue visibility timeout: 2 seconds"):
        with_timeout("2")


@pytest.mark.parametrize(
    "bomb",
    [
        "locals {\n  a0 = [1, 1]\n"
        + "".join(f"  a{n} = concat(local.a{n - 1}, local.a{n - 1})\n" for n in range(1, 60))
        + "}\n",
        "locals {\n  a0 = 2\n" + "".join(f"  a{n} = local.a{n - 1} * local.a{n - 1}\n" for n in range(1, 60)) + "}\n",
        "locals {\n  a0 = [1]\n"
        + "".join(f"  a{n} = jsonencode([local.a{n - 1}, local.a{n - 1}])\n" for n in range(1, 60))
        + "}\n",
        "locals {\n  a0 = [1]\n"
        + "".join(f"  a{n} = {{ x = local.a{n - 1}, y = local.a{n - 1} }}\n" for n in range(1, 60))
        + "}\n",
        "locals {\n  a0 = 1\n" + "".join(f"  a{n} = local.a{n - 1}\n" for n in range(1, 60)) + "}\n",
        "locals {\n  a59 = [for i in range(2000) : [for j in range(2000) : i * j]]\n}\n",
    ],
)
def test_bombs_end_soon(bomb: str) -> None:
    """Lists that double, long chains and large loops end with a value, an unknown one, or a message."""
    with suppress(InvalidDesign):
        assert with_timeout("try(local.a59 + 59, 60)", bomb).design.queues[0].visibility_timeout in {30, 60}


# The project ----------------------------------------------------------------------------------------------------------


def test_a_directory_stands_for_its_files() -> None:
    """Of each directory the file with the mapping is found, and modules that others call are not."""
    for name, text in {
        "a.tf": 'module "m" {\n  source = "./modules/m"\n}\n',
        "main.tf": WORKER,
        "modules/m/main.tf": WORKER,
    }.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    files = [Path(name).resolve() for name in ("a.tf", "main.tf", "modules/m/main.tf")]
    assert TERRAFORM.units is not None
    assert [path.name for path in TERRAFORM.units(files)] == ["main.tf"]
    assert importer_of(Path()) is TERRAFORM
    Path("empty").mkdir()
    assert importer_of(Path("empty")) is not TERRAFORM
    assert importer_of(Path("main.tf")) is TERRAFORM


def test_json_text_with_unknown_parts_of_texts_stays_unknown() -> None:
    """A policy whose text is not JSON is said, not guessed."""
    found = read(
        'resource "aws_sqs_queue" "orders" {\n  redrive_policy = "${var.policy}-${var.policy}"\n}\n',
        WORKER,
        'variable "policy" {}\n',
    )
    assert found.design.queues[0].redrive is None
    assert json.dumps(found.assumptions).count("redrive_policy refers to variable policy") == 1
