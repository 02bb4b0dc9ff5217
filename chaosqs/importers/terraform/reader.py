"""A directory of Terraform or OpenTofu files → a design, with the origins of its values.

Queues, functions and mappings become resources as CloudFormation names them, with their values; the rest is what
`chaosqs.importers.cloudformation` makes of resources. Nothing is executed, and nothing is fetched.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import attrs

from chaosqs.errors import InvalidDesign
from chaosqs.importers.cloudformation.assembly import assemble
from chaosqs.importers.cloudformation.markup import Leaf, shortened
from chaosqs.importers.cloudformation.reading import Reading
from chaosqs.importers.cloudformation.references import References
from chaosqs.importers.cloudformation.scope import PSEUDO, Scope
from chaosqs.importers.cloudformation.sections import Template, with_names
from chaosqs.importers.protocol import Code, Imported, NoDesign
from chaosqs.importers.terraform.expressions import Evaluator, addresses_of
from chaosqs.importers.terraform.resources import NAMED, READ, WORDS, Settings, Translation
from chaosqs.importers.terraform.syntax import MAXIMUM_SIZE, Block, parse_file
from chaosqs.importers.terraform.values import Frame, Input, Instance, Names, Value

SUFFIXES = (".tf", ".tofu")
_MAXIMUM_MODULES = 10
"""Levels of modules that call modules."""


def read_directory(path: Path) -> Imported:
    """Read a directory, or the directory of a file.

    Raises `NoDesign` for one without a mapping from an SQS queue to a function, and `InvalidDesign` with file and line
    for values of a wrong kind and everything that AWS would refuse to deploy.
    """
    directory = path if path.is_dir() else path.parent
    try:
        return _Reader(directory, path).read()
    except RecursionError:
        raise InvalidDesign(f"{directory}: its expressions are nested too deeply. Nest fewer.") from None


# Files ----------------------------------------------------------------------------------------------------------------


@attrs.define
class _Files:
    """The files that were read, as if they were one text: a line counts through all of them."""

    names: list[str] = attrs.field(factory=list[str])
    starts: list[int] = attrs.field(factory=list[int])
    lines: int = 1
    left_out: dict[str, None] = attrs.field(factory=dict[str, None])
    """Sentences on files that are not read."""
    _directories: dict[Path, dict[tuple[str, ...], Block]] = attrs.field(
        factory=dict[Path, dict[tuple[str, ...], Block]]
    )

    def place(self, line: int) -> tuple[str, int]:
        """Return the file and the line in it."""
        index = max((at for at, start in enumerate(self.starts) if start <= line), default=-1)
        return (self.names[index], line - self.starts[index] + 1) if index >= 0 else ("", line)

    def where(self, line: int) -> str:
        """Return file and line as reports show them."""
        file, own = self.place(line)
        return f"{file}:{own}"

    def known(self, text: str, name: str) -> dict[tuple[str, ...], Block]:
        """Return the blocks of a module that is known without its files."""
        key = Path(name)
        if key not in self._directories:
            self._directories[key] = dict(_keyed(self.parsed(text, name).blocks))
        return self._directories[key]

    def parsed(self, text: str, name: str) -> Block:
        """Return the blocks of a text. Raises `InvalidDesign` for a mistake."""
        self.names.append(name)
        self.starts.append(self.lines)
        self.lines += text.count("\n") + 1
        return parse_file(text, name, self.starts[-1])

    def file(self, path: Path) -> Block | None:
        """Return the blocks of a file; None, and a sentence, if it cannot be read."""
        try:
            if path.stat().st_size > MAXIMUM_SIZE:
                self.left_out[f"{path} is not read: it has more than {MAXIMUM_SIZE:,} bytes"] = None
                return None
            return self.parsed(path.read_text(encoding="utf-8-sig"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror or "it cannot be read"
            self.left_out[f"{path} is not read: {why}"] = None
        except InvalidDesign as error:
            self.left_out[f"{error}; the file is left out"] = None
        return None

    def directory(self, directory: Path) -> dict[tuple[str, ...], Block]:
        """Return the blocks of a directory by kind and labels."""
        if directory not in self._directories:
            found = dict[tuple[str, ...], Block]()
            for path in files_of(directory):
                body = self.file(path)
                for key, block in _keyed(body.blocks if body is not None else ()):
                    found.setdefault(key, block)
            for path in sorted(directory.glob("*.tf.json")):
                self.left_out[f"{path} is not read: this reader does not take Terraform's JSON"] = None
            self._directories[directory] = found
        return self._directories[directory]


def is_terraform(path: Path) -> bool:
    """Return True for a file, and for a directory that has Terraform files. Never raises."""
    try:
        return not path.is_dir() or bool(files_of(path))
    except OSError:
        return False


def files_of(directory: Path) -> list[Path]:
    """Return the Terraform files of a directory."""
    return sorted(each for each in directory.iterdir() if each.name.endswith(SUFFIXES) and each.is_file())


_LABELS = {"resource": 2, "data": 2, "variable": 1, "output": 1, "module": 1}


def _keyed(blocks: Iterable[Block]) -> Iterator[tuple[tuple[str, ...], Block]]:
    for block in blocks:
        if block.kind == "locals":
            for name, expression in block.attributes.items():
                yield ("local", name), Block("local", (name,), expression.line, {"value": expression}, ())
        elif len(block.labels) == _LABELS.get(block.kind):
            yield (block.kind, *block.labels), block


# Reading --------------------------------------------------------------------------------------------------------------


@attrs.define
class _Reader:
    """Reads one directory, and the modules that it calls."""

    root: Path
    given: Path
    """The path that was given: the directory, or a file in it."""
    files: _Files = attrs.field(factory=_Files)
    chains: dict[Frame, tuple[Path, ...]] = attrs.field(factory=dict[Frame, tuple[Path, ...]])
    """The directories that lead to a module."""

    def read(self) -> Imported:
        """Return the design of the directory."""
        frame, given = self.root_module()
        evaluator = Evaluator(str(self.root / "main.tf"), self.files.where, self.called)
        found = list(_instances(frame, evaluator))
        ids = _logical_ids(found)
        named = with_names(str(self.root), _scope(), [], {}, ())
        for _ in range(2):  # a name may have another one in it
            own = [Translation(self.root, evaluator, each, ids[each.address]).resource(NAMED) for each in found]
            named = with_names(str(self.root), _scope(), [each for each in own if each], {}, ())
            evaluator.again(_addresses(found, ids, named))
            found = list(_instances(frame, evaluator))
        settings = Settings(found, evaluator)
        whole = [Translation(self.root, evaluator, each, ids[each.address], settings).resource() for each in found]
        template = with_names(str(self.root), _scope(), [each for each in whole if each], {}, ())
        reading = Reading(str(self.root / "main.tf"), template.scope, place=self.files.place)
        return self.imported(template, reading, evaluator, given)

    def imported(self, template: Template, reading: Reading, evaluator: Evaluator, given: str) -> Imported:
        """Return the design with what is to be said about it, in Terraform's words."""
        try:
            design, code = assemble(References(template, reading))
        except NoDesign:
            raise NoDesign(self.without_mapping()) from None
        except InvalidDesign as error:
            problems = [attrs.evolve(each, must=_in_words(each.must)) for each in error.problems]
            raise InvalidDesign(problems or str(error)) from None
        return Imported(
            design,
            {path: attrs.evolve(origin, text=_in_words(origin.text)) for path, origin in reading.origins.items()},
            assumptions=tuple(map(_in_words, (*reading.assumptions, *template.scope.notes, *evaluator.notes))),
            notes=tuple(map(_in_words, (*reading.left_out, *self.files.left_out))),
            code={name: _code_in_words(each) for name, each in code.items()},
            given=given,
        )

    def without_mapping(self) -> str:
        """Return the message for a directory that maps no queue to a function."""
        more = "".join(f"\n{each}" for each in list(self.files.left_out)[:2])
        wanted = "Give the directory that has, or whose modules have, the aws_lambda_event_source_mapping."
        return f"{self.given}: maps no SQS queue to a Lambda function. {wanted}{more}"

    # Modules

    def root_module(self) -> tuple[Frame, str]:
        """Return the module of the directory with the values of its `.tfvars`, and these as a clause for headers."""
        blocks = self.files.directory(self.root)
        inputs, shown = dict[str, Input](), list[str]()
        nowhere = Frame("", self.root, {})
        for path in sorted(self.root.glob("*.tfvars"), key=lambda each: (each.name != "terraform.tfvars", each.name)):
            if path.name != "terraform.tfvars" and not path.name.endswith(".auto.tfvars"):
                self.files.left_out[f"{path} is not read: Terraform takes it only with -var-file"] = None
                continue
            body = self.files.file(path)
            if body is not None:
                inputs |= {name: Input(each, nowhere, {}, "given") for name, each in body.attributes.items()}
                shown.append(path.name)
        for path in sorted(self.root.glob("*.tfvars.json")):
            self.files.left_out[f"{path} is not read: this reader does not take Terraform's JSON"] = None
        frame = Frame("", self.root, blocks, inputs)
        self.chains[frame] = (self.root.resolve(),)
        return frame, f"variables from {', '.join(shown)}" if shown else ""

    def called(self, block: Block, caller: Frame, path: str, names: Names) -> Frame:
        """Return a module that a block calls; one that cannot be read has no resources and unknown outputs."""
        source = block.attributes.get("source")
        text = source.value if source is not None and isinstance(source.value, str) else ""
        inputs = {
            name: Input(expression, caller, names, path.rstrip(".")) for name, expression in block.attributes.items()
        }
        known = _REGISTRY_MODULES.get(text.removeprefix("registry.terraform.io/"))
        if known is not None:
            blocks = self.files.known(known, text)
            frame = Frame(path, caller.directory, blocks, inputs, line=block.line)
            self.chains[frame] = self.chains[caller]
            return frame
        directory = Path(os.path.normpath(caller.directory / text))
        why = self.refused(text, directory, caller)
        if why:
            self.files.left_out[f"{path.rstrip('.')} is not read ({self.files.where(block.line)}): {why}"] = None
            return Frame(path, directory, {}, inputs, unread=why)
        frame = Frame(path, directory, self.files.directory(directory), inputs, line=caller.line)
        self.chains[frame] = (*self.chains[caller], directory.resolve())
        return frame

    def refused(self, source: str, directory: Path, caller: Frame) -> str:
        """Return the reason why a module cannot be read; empty if it can."""
        if not source.startswith(("./", "../")):
            return f"its source {shortened(source, 60)} is not in the tree" if source else "its source is not a text"
        if not directory.is_dir():
            return f"{shortened(source, 60)} is not there"
        if directory.resolve() in self.chains[caller]:
            return f"{shortened(source, 60)} calls itself"
        return f"it is more than {_MAXIMUM_MODULES} levels deep" if len(self.chains[caller]) > _MAXIMUM_MODULES else ""


_MAXIMUM_RESOURCES = 1_000


def _scope() -> Scope:
    return Scope({name: Leaf(value, value, 0) for name, value in PSEUDO.items()}, {}, frozenset())


def _instances(frame: Frame, evaluator: Evaluator) -> Iterator[Instance]:
    """Yield the instances of all resources that are read, in the order of the files, then those of modules."""
    for amount, each in enumerate(_walk(frame, evaluator), start=1):
        if amount > _MAXIMUM_RESOURCES:
            raise InvalidDesign(f"{evaluator.file}: has more than {_MAXIMUM_RESOURCES:,} resources; fewer are read")
        yield each


def _walk(frame: Frame, evaluator: Evaluator) -> Iterator[Instance]:
    for key in frame.blocks:
        if key[0] in {"resource", "data"} and key[1] in READ:
            yield from (each for each in _flat(evaluator.instances(frame, key)) if isinstance(each, Instance))
    for key in frame.blocks:
        if key[0] == "module":
            for each in _flat(evaluator.instances(frame, key)):
                if isinstance(each, Frame):
                    yield from _walk(each, evaluator)


def _flat(value: Value) -> list[Value]:
    return [*value.values()] if isinstance(value, dict) else value if isinstance(value, list) else [value]


def _logical_ids(found: Iterable[Instance]) -> dict[str, str]:
    """Return a short unique name of each instance by its address: `worker-orders` in module `worker`.

    Queues, functions and aliases come before what has no name of its own.
    """
    ids, taken = dict[str, str](), set[str]()
    for each in sorted(found, key=lambda each: each.block.labels[0] not in {"aws_sqs_queue", "aws_lambda_function"}):
        short = re.sub(r"(^|\.)(module|data|aws_\w+|archive_file)\.", r"\1", each.address).replace("[0]", "")
        name = base = re.sub(r"[^\w-]+", "-", short).strip("-") or "resource"
        kind, number = each.block.labels[0].rpartition("_")[2], 1
        while name in taken:
            name = f"{base}-{kind}" if number == 1 else f"{base}-{kind}-{number}"
            number += 1
        taken.add(name)
        ids[each.address] = name
    return ids


def _addresses(found: Iterable[Instance], ids: Mapping[str, str], template: Template) -> dict[str, str]:
    addresses = dict[str, str]()
    for each in found:
        logical_id = ids[each.address]
        for names, is_queue in ((template.queues.of, True), (template.functions.of, False)):
            if logical_id in names:
                addresses |= addresses_of(each.address, names[logical_id], is_queue=is_queue)
    for each in found:
        if each.block.labels[0] == "aws_lambda_alias":
            arn = template.scope.known.get(f"{ids[each.address]}.AliasArn")
            addresses |= {f"{each.address}.arn": arn.text} if isinstance(arn, Leaf) else {}
    return addresses


# Modules of the registry ----------------------------------------------------------------------------------------------
#
# `terraform-aws-modules/sqs` and `terraform-aws-modules/lambda`, as far as designs need them, written from their
# documented inputs and outputs. They are not fetched.

_QUEUE_INPUTS = (
    "visibility_timeout_seconds",
    "message_retention_seconds",
    "delay_seconds",
    "receive_wait_time_seconds",
    "max_message_size",
    "content_based_deduplication",
    "deduplication_scope",
    "fifo_throughput_limit",
)
_DLQ_INPUTS = [name for name in _QUEUE_INPUTS if name != "max_message_size"]

_SQS = f"""
{"".join(f'variable "{name}" {{ default = null }}' + chr(10) for name in _QUEUE_INPUTS)}
{"".join(f'variable "dlq_{name}" {{ default = null }}' + chr(10) for name in _DLQ_INPUTS)}
variable "create" {{ default = true }}
variable "name" {{ default = null }}
variable "use_name_prefix" {{ default = false }}
variable "fifo_queue" {{ default = false }}
variable "redrive_policy" {{ default = {{}} }}
variable "create_dlq" {{ default = false }}
variable "dlq_name" {{ default = null }}
locals {{
  suffix   = var.fifo_queue ? ".fifo" : ""
  bare     = var.name == null ? "queue" : trimsuffix(var.name, ".fifo")
  bare_dlq = var.dlq_name == null ? "${{local.bare}}-dlq" : trimsuffix(var.dlq_name, ".fifo")
  defaults = var.create_dlq ? {{ deadLetterTargetArn = aws_sqs_queue.dlq[0].arn, maxReceiveCount = 5 }} : {{}}
  redrive  = merge(local.defaults, var.redrive_policy)
}}
resource "aws_sqs_queue" "this" {{
  count      = var.create ? 1 : 0
  name       = "${{local.bare}}${{local.suffix}}"
  fifo_queue = var.fifo_queue ? true : null
{"".join(f"  {name} = var.{name}" + chr(10) for name in _QUEUE_INPUTS)}
  redrive_policy = length(local.redrive) > 0 ? jsonencode(local.redrive) : null
}}
resource "aws_sqs_queue" "dlq" {{
  count      = var.create && var.create_dlq ? 1 : 0
  name       = "${{local.bare_dlq}}${{local.suffix}}"
  fifo_queue = var.fifo_queue ? true : null
{"".join(f"  {name} = var.dlq_{name} != null ? var.dlq_{name} : var.{name}" + chr(10) for name in _DLQ_INPUTS)}
}}
output "queue_arn" {{ value = aws_sqs_queue.this[0].arn }}
output "queue_id" {{ value = aws_sqs_queue.this[0].id }}
output "queue_url" {{ value = aws_sqs_queue.this[0].url }}
output "queue_name" {{ value = aws_sqs_queue.this[0].name }}
output "dead_letter_queue_arn" {{ value = aws_sqs_queue.dlq[0].arn }}
output "dead_letter_queue_id" {{ value = aws_sqs_queue.dlq[0].id }}
output "dead_letter_queue_url" {{ value = aws_sqs_queue.dlq[0].url }}
output "dead_letter_queue_name" {{ value = aws_sqs_queue.dlq[0].name }}
"""

_FUNCTION_INPUTS = [
    "function_name",
    "handler",
    "runtime",
    "timeout",
    "memory_size",
    "reserved_concurrent_executions",
    "package_type",
]

_LAMBDA = f"""
{"".join(f'variable "{name}" {{ default = null }}' + chr(10) for name in _FUNCTION_INPUTS)}
variable "create" {{ default = true }}
variable "create_function" {{ default = true }}
variable "environment_variables" {{ default = {{}} }}
variable "source_path" {{ default = null }}
variable "local_existing_package" {{ default = null }}
variable "image_uri" {{ default = null }}
variable "layers" {{ default = null }}
variable "provisioned_concurrent_executions" {{ default = -1 }}
variable "event_source_mapping" {{ default = {{}} }}
data "archive_file" "code" {{
  output_path = "source_path"
  source_dir  = try(tostring(var.source_path), tostring(var.source_path[0]), tostring(var.source_path[0].path), null)
}}
resource "aws_lambda_function" "this" {{
  count = var.create && var.create_function ? 1 : 0
{"".join(f"  {name} = var.{name}" + chr(10) for name in _FUNCTION_INPUTS)}
  image_uri = var.image_uri
  layers    = var.layers
  filename  = var.source_path != null ? "source_path" : var.local_existing_package
  environment {{
    variables = var.environment_variables
  }}
}}
resource "aws_lambda_provisioned_concurrency_config" "this" {{
  count                             = var.provisioned_concurrent_executions > -1 ? 1 : 0
  function_name                     = aws_lambda_function.this[0].function_name
  provisioned_concurrent_executions = var.provisioned_concurrent_executions
}}
resource "aws_lambda_event_source_mapping" "this" {{
  for_each                           = var.event_source_mapping
  function_name                      = aws_lambda_function.this[0].arn
  event_source_arn                   = try(each.value.event_source_arn, null)
  batch_size                         = try(each.value.batch_size, null)
  maximum_batching_window_in_seconds = try(each.value.maximum_batching_window_in_seconds, null)
  enabled                            = try(each.value.enabled, null)
  starting_position                  = try(each.value.starting_position, null)
  function_response_types            = try(each.value.function_response_types, null)
  dynamic "scaling_config" {{
    for_each = try([each.value.scaling_config], [])
    content {{
      maximum_concurrency = try(scaling_config.value.maximum_concurrency, null)
    }}
  }}
  dynamic "filter_criteria" {{
    for_each = try([each.value.filter_criteria], [])
    content {{
      dynamic "filter" {{
        for_each = try(flatten([filter_criteria.value]), [])
        content {{
          pattern = try(filter.value.pattern, null)
        }}
      }}
    }}
  }}
}}
output "lambda_function_arn" {{ value = aws_lambda_function.this[0].arn }}
output "lambda_function_name" {{ value = aws_lambda_function.this[0].function_name }}
output "lambda_function_qualified_arn" {{ value = aws_lambda_function.this[0].qualified_arn }}
"""

_REGISTRY_MODULES: Mapping[str, str] = {
    "terraform-aws-modules/sqs/aws": _SQS,
    "terraform-aws-modules/lambda/aws": _LAMBDA,
}
"""HCL of the modules by their sources."""


# Words ----------------------------------------------------------------------------------------------------------------

_WORD = re.compile(rf"(^|: |its |no |\()({'|'.join(WORDS)})(?=[ ):;]|$)")


def _in_words(sentence: str) -> str:
    """Return a sentence with Terraform's names of attributes in place of CloudFormation's."""
    named = _WORD.sub(lambda found: found[1] + WORDS[found[2]], sentence)
    return named.replace("the template's", "the directory's").replace("the template", "the directory")


def _code_in_words(code: Code) -> Code:
    return attrs.evolve(code, modelled=_in_words(code.modelled), notes=tuple(map(_in_words, code.notes)))


# Files that stand for a directory -------------------------------------------------------------------------------------

_CALL = re.compile(r'\bsource\s*=\s*"(\.{1,2}/[^"\n]*)"')
_MAPPING_TYPE = "aws_lambda_event_source_mapping"


def units_of(paths: Sequence[Path]) -> Sequence[Path]:
    """Return one of the files of each directory, without the directories that others call as modules."""
    texts = {path: _text_of_file(path) for path in paths}
    called = {
        Path(os.path.normpath(path.parent / source)) for path, text in texts.items() for source in _CALL.findall(text)
    }
    kept = dict[Path, Path]()
    for path in sorted(paths, key=lambda each: _MAPPING_TYPE not in texts[each]):  # the file with the mapping, if any
        if path.parent not in called:
            kept.setdefault(path.parent, path)
    return [path for path in paths if path in kept.values()]


def _text_of_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:MAXIMUM_SIZE]
    except OSError:
        return ""
