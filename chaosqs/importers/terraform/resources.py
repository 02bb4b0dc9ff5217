"""Makes resources, as CloudFormation names them, of Terraform's, with the values of their attributes."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import attrs

from chaosqs.importers.cloudformation.markup import Entry, Items, Leaf, Node, Table, shortened
from chaosqs.importers.cloudformation.scope import ALIAS, FUNCTION, MAPPING, QUEUE, Resource, Unknown
from chaosqs.importers.terraform.expressions import Evaluator, Found
from chaosqs.importers.terraform.syntax import Block, Expression
from chaosqs.importers.terraform.values import Encoded, Frame, Instance, Names, Value, read_json, text_of

_QUEUE_FIELDS = {
    "name": "QueueName",
    "fifo_queue": "FifoQueue",
    "visibility_timeout_seconds": "VisibilityTimeout",
    "message_retention_seconds": "MessageRetentionPeriod",
    "delay_seconds": "DelaySeconds",
    "receive_wait_time_seconds": "ReceiveMessageWaitTimeSeconds",
    "max_message_size": "MaximumMessageSize",
    "content_based_deduplication": "ContentBasedDeduplication",
    "deduplication_scope": "DeduplicationScope",
    "fifo_throughput_limit": "FifoThroughputLimit",
    "redrive_policy": "RedrivePolicy",
    "redrive_allow_policy": "RedriveAllowPolicy",
}
_FUNCTION_FIELDS = {
    "function_name": "FunctionName",
    "timeout": "Timeout",
    "memory_size": "MemorySize",
    "reserved_concurrent_executions": "ReservedConcurrentExecutions",
    "handler": "Handler",
    "runtime": "Runtime",
    "package_type": "PackageType",
    "layers": "Layers",
}
_MAPPING_FIELDS = {
    "event_source_arn": "EventSourceArn",
    "function_name": "FunctionName",
    "batch_size": "BatchSize",
    "maximum_batching_window_in_seconds": "MaximumBatchingWindowInSeconds",
    "function_response_types": "FunctionResponseTypes",
    "enabled": "Enabled",
    "starting_position": "StartingPosition",
    "topics": "Topics",
    "queues": "Queues",
}
_ALIAS_FIELDS = {"function_name": "FunctionName"}
READ: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "aws_sqs_queue": (QUEUE, _QUEUE_FIELDS),
    "aws_lambda_function": (FUNCTION, _FUNCTION_FIELDS),
    "aws_lambda_event_source_mapping": (MAPPING, _MAPPING_FIELDS),
    "aws_lambda_alias": (ALIAS, _ALIAS_FIELDS),
    "aws_lambda_provisioned_concurrency_config": (ALIAS, _ALIAS_FIELDS),
    "aws_lambda_function_recursion_config": ("", {"recursive_loop": "RecursiveLoop"}),
    "aws_sqs_queue_redrive_policy": ("", {"redrive_policy": "RedrivePolicy"}),
    "aws_sqs_queue_redrive_allow_policy": ("", {"redrive_allow_policy": "RedriveAllowPolicy"}),
    "archive_file": ("", {}),
    "aws_s3_object": ("", {}),
    "aws_s3_bucket_object": ("", {}),
}
"""Types of resources and data sources that are read: CloudFormation's type, and its property by attribute."""
NAMED = frozenset({"name", "function_name", "fifo_queue"})
_POLICIES = frozenset({"redrive_policy", "redrive_allow_policy"})


@attrs.define
class Settings:
    """Resources that belong to another one: policies of queues, archives of code."""

    found: list[Instance]
    evaluator: Evaluator

    def of(self, address: str) -> Iterator[Instance]:
        """Yield the resources that set something of a queue or a function."""
        for each in self.found:
            kind = each.block.labels[0]
            key = "queue_url" if kind.startswith("aws_sqs_queue_") else "function_name"
            if READ[kind][0] or not READ[kind][1] or key not in each.block.attributes:
                continue
            own = text_of(self.evaluator.attribute(each, key))
            known = ("id", "url") if key == "queue_url" else ("function_name", "arn")
            if own and own in {self.evaluator.addresses.get(f"{address}.{name}") for name in known}:
                yield each

    def code(self, packed: str) -> str:
        """Return the directory that an archive or an object of S3 is made from, by its path or key; else empty."""
        for each in self.found:
            kind = each.block.labels[0]
            names = ("output_path", "source_dir", "source_file") if kind == "archive_file" else ("key", "source")
            if kind != "archive_file" and not kind.startswith("aws_s3_"):
                continue
            own, *others = (self.text(each, name) for name in names)
            if not own or os.path.normpath(own) != os.path.normpath(packed):
                continue
            if kind != "archive_file":
                return self.code(others[0]) if others[0] != packed else ""
            return others[0] or os.path.dirname(others[1])  # noqa: PTH120 - a text
        return ""

    def text(self, of: Instance, name: str) -> str:
        """Return an attribute as text, or what tells it apart."""
        value = self.evaluator.attribute(of, name) if name in of.block.attributes else ""
        return value.hint if isinstance(value, Unknown) else text_of(value) or ""


@attrs.define
class Translation:
    """Makes a resource of CloudFormation from one of Terraform."""

    root: Path
    evaluator: Evaluator
    of: Instance
    logical_id: str
    settings: Settings | None = None

    def resource(self, only: frozenset[str] | None = None) -> Resource | None:
        """Return the resource, or only some of its attributes; None if it belongs to another one."""
        kind, fields = READ[self.of.block.labels[0]]
        if not kind or self.of.block.kind == "data":
            return None
        line = self.of.frame.line or self.of.block.line
        entries = self.entries(self.of, {key: fields[key] for key in fields if only is None or key in only})
        if self.settings is not None:
            more: Mapping[str, Callable[[dict[str, Entry]], None]] = {
                QUEUE: self.add_settings,
                FUNCTION: self.add_function,
                MAPPING: self.add_mapping,
                ALIAS: self.add_provisioned,
            }
            more[kind](entries)
        return Resource(self.logical_id, kind, Table(entries, line), line)

    # Values

    def entries(self, of: Instance, fields: Mapping[str, str]) -> dict[str, Entry]:
        """Return the properties of a resource, without those that are null."""
        entries = dict[str, Entry]()
        for name, key in fields.items():
            expression = of.block.attributes.get(name)
            found = self.evaluator.found(expression, of.frame, of.names) if expression is not None else None
            if expression is None or found is None or found.value is None:
                continue
            line = of.frame.line or expression.line
            if name in _POLICIES:
                found = attrs.evolve(found, value=self.policy(expression, found.value, of))
            node = self.node(found.value, line, _shown(expression, found))
            entries[key] = Entry(node if of.frame.line else _with_lines(node, expression), line)
        return entries

    def policy(self, expression: Expression, value: Value, of: Instance) -> Value:
        """Return a policy as a mapping, also if a part of its text is unknown."""
        if isinstance(value, Encoded):
            return value.value
        if not isinstance(value, Unknown) or expression.kind != "template":
            return value
        parts, text = list[Value](), ""
        for part in expression.parts:
            found = self.evaluator.value(part, of.frame, of.names)
            known = text_of(found)
            if known is None:
                known = f"\0{len(parts)}" if text.endswith('"') else f'"\0{len(parts)}"'
                parts.append(found)
            text += known
        try:
            return _filled(read_json(text.replace("\0", "\\u0000")), parts)
        except ValueError:
            return value

    def node(self, value: Value, line: int, shown: str = "") -> Node:  # noqa: PLR0911 - one for each kind of value
        """Return a value as a node; an unknown one has its expression as text."""
        match value:
            case dict():
                table = {key: Entry(self.node(each, line), line) for key, each in value.items()}
                return Table(table, line)
            case list():
                return Items(tuple(self.node(each, line) for each in value), line)
            case None | str():
                return Leaf(value or "", value, line)
            case bool() | int() | float():
                return Leaf(shown or text_of(value) or "", value, line)
            case Encoded():
                text = text_of(value)
                return Leaf(text, text, line) if text is not None else self.node(value.value, line)
            case Unknown(reason=reason, hint=hint):
                return Leaf(hint, hint, line, reason)
            case Instance() | Frame():
                address = getattr(value, "address", "") or getattr(value, "path", "")
                return self.node(Unknown(f"refers to {address}, which is not a value", address), line)

    # Blocks in the resource

    def nested(self, kind: str) -> list[Instance]:
        """Return the blocks of a kind in the resource, also those that a `dynamic` block makes."""
        return [*self.nested_in(self.of, kind)]

    def nested_in(self, of: Instance, kind: str) -> Iterator[Instance]:
        """Yield the blocks of a kind in a block."""
        for block in of.block.blocks:
            if block.kind == kind:
                yield attrs.evolve(of, block=block)
            elif block.kind == "dynamic" and block.labels == (kind,):
                yield from self.dynamic(of, block, kind)

    def dynamic(self, of: Instance, block: Block, kind: str) -> Iterator[Instance]:
        """Yield the blocks that a `dynamic` block makes; one, if it is unknown for what."""
        content = next((each for each in block.blocks if each.kind == "content"), None)
        each = block.attributes.get("for_each")
        value = self.evaluator.value(each, of.frame, of.names) if each is not None else None
        name = block.attributes.get("iterator")
        iterator = name.name if name is not None else kind
        pairs: Iterable[tuple[Value, Value]]
        match value:
            case dict():
                pairs = [*value.items()]
            case list():
                pairs = enumerate(value)
            case Unknown():
                self.evaluator.notes[f"{of.address}: the for_each of {kind} {value.reason}; assumed one"] = None
                pairs = [(value, value)]
            case _:
                pairs = []
        for key, one in list(pairs)[:100]:
            if content is not None:
                yield attrs.evolve(of, block=content, names=_with_each(of.names, iterator, key, one))

    def add_nested(self, entries: dict[str, Entry], kind: str, key: str, fields: Mapping[str, str]) -> None:
        """Add the values of a block in the resource as one property."""
        for each in self.nested(kind)[:1]:
            line = self.of.frame.line or each.block.line
            entries[key] = Entry(Table(self.entries(each, fields), line), line)

    # Kinds

    def add_settings(self, entries: dict[str, Entry]) -> None:
        """Add what other resources set of a queue or function."""
        for each in self.settings.of(self.of.address) if self.settings is not None else ():
            entries.update(self.entries(each, READ[each.block.labels[0]][1]))

    def add_function(self, entries: dict[str, Entry]) -> None:
        """Add code and variables; -1 reserves nothing."""
        self.add_settings(entries)
        reserved = entries.get("ReservedConcurrentExecutions")
        if reserved is not None and isinstance(reserved.node, Leaf) and reserved.node.value in (-1, "-1"):
            del entries["ReservedConcurrentExecutions"]
        self.add_nested(entries, "environment", "Environment", {"variables": "Variables"})
        code = self.code()
        if code is not None:
            entries["Code"] = code

    def code(self) -> Entry | None:
        """Return where the code of a function is."""
        attributes = self.of.block.attributes
        if "image_uri" in attributes and self.evaluator.attribute(self.of, "image_uri") is not None:
            return self.entry({"ImageUri": "image"}, attributes["image_uri"])
        for name in ("filename", "s3_key"):
            packed = self.settings.text(self.of, name) if self.settings is not None else ""
            directory = self.settings.code(packed) if self.settings is not None and packed else ""
            if directory:
                return self.entry(self.relative(directory), attributes[name])
            if packed and name == "filename":
                value = self.evaluator.attribute(self.of, name)
                return self.entry(value if isinstance(value, Unknown) else self.relative(packed), attributes[name])
        return (
            self.entry({"S3Key": self.evaluator.attribute(self.of, "s3_key")}, attributes["s3_key"])
            if ("s3_key" in attributes)
            else None
        )

    def entry(self, value: Value, expression: Expression) -> Entry:
        """Return a property with the line of an expression."""
        line = self.of.frame.line or expression.line
        return Entry(self.node(value, line), line)

    def relative(self, path: str) -> str:
        """Return a path as it is seen from the directory."""
        return os.path.relpath(self.root / path, self.root)

    def add_mapping(self, entries: dict[str, Entry]) -> None:
        """Add the blocks of a mapping, and what tells a mapping on a stream from one on a queue."""
        self.add_nested(entries, "scaling_config", "ScalingConfig", {"maximum_concurrency": "MaximumConcurrency"})
        pollers = {"minimum_pollers": "MinimumPollers", "maximum_pollers": "MaximumPollers"}
        self.add_nested(entries, "provisioned_poller_config", "ProvisionedPollerConfig", pollers)
        self.add_nested(entries, "self_managed_event_source", "SelfManagedEventSource", {})
        line = self.of.frame.line or self.of.block.line
        for criteria in self.nested("filter_criteria")[:1]:
            patterns = [self.entries(each, {"pattern": "Pattern"}) for each in self.nested_in(criteria, "filter")]
            filters = Items(tuple(Table(each, line) for each in patterns), line)
            entries["FilterCriteria"] = Entry(Table({"Filters": Entry(filters, line)}, line), line)
        source = self.evaluator.attribute(self.of, "event_source_arn")
        if isinstance(source, Unknown) and _OTHER_SOURCE.match(source.hint):
            entries["StartingPosition"] = Entry(Leaf("", "", line), line)

    def add_provisioned(self, entries: dict[str, Entry]) -> None:
        """Add provisioned concurrency."""
        name, key = "provisioned_concurrent_executions", "ProvisionedConcurrentExecutions"
        if name in self.of.block.attributes:
            line = self.of.frame.line or self.of.block.line
            entries["ProvisionedConcurrencyConfig"] = Entry(Table(self.entries(self.of, {name: key}), line), line)


_OTHER_SOURCE = re.compile(r'(module\.[\w-]+(\["?[^\]]*"?\])?\.)*aws_(?!sqs_queue\b)')
"""The expression of an event source that is of another service."""


def _with_each(names: Names, iterator: str, key: Value, value: Value) -> Names:
    each: Value = {"key": key, "value": value}
    return {**names, iterator: each}


def _filled(value: Value, parts: list[Value]) -> Value:
    """Return a value with its placeholders replaced by the parts that they stand for."""
    match value:
        case dict():
            return {key: _filled(each, parts) for key, each in value.items()}
        case list():
            return [_filled(each, parts) for each in value]
        case str() if re.fullmatch("\0[0-9]+", value):
            return parts[int(value[1:])]
        case _:
            return value


def _with_lines(node: Node, expression: Expression) -> Node:
    """Return a mapping with the lines of its keys, if the expression writes it out."""
    if expression.kind == "call" and expression.name == "jsonencode" and expression.parts:
        expression = expression.parts[0]
    if not isinstance(node, Table) or expression.kind != "object":
        return node
    lines = {key.name or str(key.value): key.line for key in expression.parts[::2]}
    entries = {key: attrs.evolve(entry, line=lines.get(key, entry.line)) for key, entry in node.entries.items()}
    return Table(entries, node.line)


def _shown(expression: Expression, found: Found) -> str:
    """Return a number or truth value with the expression and the sources that it comes from."""
    text = text_of(found.value)
    if text is None or expression.kind == "literal":
        return text or ""
    sources = f" ({'; '.join(found.sources)})" if found.sources else ""
    return f"{text}, from {shortened(expression.text, 60)}{sources}"


# Words ----------------------------------------------------------------------------------------------------------------

WORDS = {
    key: name
    for fields in (_QUEUE_FIELDS, _FUNCTION_FIELDS, _MAPPING_FIELDS, {"recursive_loop": "RecursiveLoop"})
    for name, key in fields.items()
} | {"QueueName": "name", "MaximumConcurrency": "maximum_concurrency", "FilterCriteria": "filter_criteria"}
