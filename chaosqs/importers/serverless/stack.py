"""A Serverless Framework file → the CloudFormation template that the framework would deploy, as far as it matters here.

That is: functions, the mappings of their `sqs` events, queues of Lift's constructs, and the file's own resources. All
nodes keep the lines at which they are written.
"""

import json
import re
from collections.abc import Iterator, Mapping

import attrs

from chaosqs.importers.cloudformation.markup import (
    Entry,
    Items,
    Leaf,
    Node,
    Table,
    described,
    merged,
    shortened,
    text_of,
    whole_number,
)
from chaosqs.importers.cloudformation.scope import EMPTY, FUNCTION, KINDS, LAYER, MAPPING, QUEUE
from chaosqs.importers.cloudformation.services import KINDS as SERVICE_KINDS
from chaosqs.importers.serverless.variables import Variables, text_at, unknown
from chaosqs.model.json import Json

_TIMEOUT, _MEMORY = 6, 1024  # the framework's defaults
_RUNTIME = "nodejs, the framework's default"
FUNCTION_KEYS: Mapping[str, str] = {
    "timeout": "Timeout",
    "memorySize": "MemorySize",
    "runtime": "Runtime",
    "handler": "Handler",
    "reservedConcurrency": "ReservedConcurrentExecutions",
    "layers": "Layers",
}
"""CloudFormation's properties of functions, by the framework's keys."""
EVENT_KEYS: Mapping[str, str] = {
    "arn": "EventSourceArn",
    "batchSize": "BatchSize",
    "enabled": "Enabled",
    "maximumBatchingWindow": "MaximumBatchingWindowInSeconds",
}
"""CloudFormation's properties of mappings, by the framework's keys of an `sqs` event."""
_OTHER_EVENT_KEYS = ("functionResponseType", "filterPatterns", "maximumConcurrency", "provisionedPollerConfig")
_INHERITED = ("timeout", "memorySize", "runtime", "layers")
"""Keys of a function that the provider has defaults for."""
_SECTIONS = ("Parameters", "Mappings", "Conditions", "Outputs")


@attrs.define(eq=False)
class Stack:
    """The template of a file, part by part."""

    variables: Variables
    resources: dict[str, Entry] = attrs.field(factory=dict[str, Entry])
    sections: dict[str, Table] = attrs.field(factory=dict[str, Table])
    """Other sections of the template, by name."""
    keys: dict[str, tuple[str, ...]] = attrs.field(factory=dict[str, tuple[str, ...]])
    """Keys that lead to a resource's settings in the file, by logical id."""
    events: dict[str, str] = attrs.field(factory=dict[str, str])
    """Names of events in sentences, by the logical ids of their mappings."""
    other_events: dict[str, list[str]] = attrs.field(factory=dict[str, list[str]])
    """Sentences on events that are not queues, by function name."""
    lift_events: dict[str, list[Node]] = attrs.field(factory=dict[str, list[Node]])
    """Events of Lift's queues, by the names of functions that their constructs name as workers."""
    left_out: dict[str, None] = attrs.field(factory=dict[str, None])
    """Sentences on what is not read, in order."""
    provider: Table = EMPTY

    def template(self) -> Table:
        """Return the template."""
        root = self.variables.root
        self.provider = _table(self.variables.at(root, "provider"))
        for name, entry, keys in self._parts(root, "constructs"):
            self._construct(name, entry, keys)
        for name, entry, keys in self._parts(root, "functions"):
            self._function(name, entry, keys)
        for name, entry, _ in self._parts(root, "layers"):
            self._layer(name, entry)
        self._say_plugins()
        syntax = self.provider.get("variableSyntax")
        if syntax is not None:
            self._leave_out("variableSyntax", syntax.line, "is not applied: variables are read as ${…}")
        self._resources(self.variables.at(root, "resources"), ("resources",))
        for name in [name for name, entry in self.resources.items() if not _text(entry.node, "Type")]:
            self._leave_out(f"resource {name}", self.resources.pop(name).line, "has no Type")
        resources = Table(self.resources, root.line)
        sections = {"Resources": resources, **self.sections}
        return Table({name: Entry(table, table.line) for name, table in sections.items()}, root.line)

    def _leave_out(self, what: str, line: int, why: str) -> None:
        self.left_out[f"{self.variables.where(line)}: {what} is left out: it {why}"] = None

    def _parts(self, root: Table, section: str) -> Iterator[tuple[str, Entry, tuple[str, ...]]]:
        """Yield the named parts of a section, which is a table or a list of tables, with the keys that lead to them."""
        found = self.variables.at(root, section)
        groups: list[tuple[Node | None, tuple[str, ...]]] = [(found, (section,))]
        if isinstance(found, Items):
            groups = [(self.variables.resolve(node), (section, str(index))) for index, node in enumerate(found.nodes)]
        for node, keys in groups:
            match node:
                case Table(entries=entries):
                    for name, entry in entries.items():
                        yield name, entry, (*keys, name)
                case Leaf() if node.value is None:
                    pass
                case Leaf() | Items():
                    why = node.unknown if isinstance(node, Leaf) else ""
                    self._leave_out(f"a part of {section}", node.line, why or f"is {described(node)}, not a mapping")
                case None:
                    pass

    # Functions --------------------------------------------------------------------------------------------------------

    def _function(self, name: str, entry: Entry, keys: tuple[str, ...]) -> None:
        found = self.variables.resolve(entry.node)
        if not isinstance(found, Table):
            why = found.unknown if isinstance(found, Leaf) else ""
            self._leave_out(f"function {name}", entry.line, why or f"is {described(found)}, not a mapping")
            return
        logical = f"{_normal(name)}LambdaFunction"
        condition = _condition(self.variables.at(found, "condition"), entry.line)
        self._add(logical, FUNCTION, self._properties(name, found, entry.line), entry.line, condition)
        self.keys[logical] = keys
        events = self.variables.at(found, "events")
        for index, node in enumerate(events.nodes if isinstance(events, Items) else ()):
            self._event(name, logical, node, (*keys, "events", str(index)), condition)
        for node in self.lift_events.get(name, ()):
            self._event(name, logical, node, (), condition)
        if events is not None and not isinstance(events, Items):
            why = events.unknown if isinstance(events, Leaf) else ""
            self.left_out[
                f"{self.variables.where(entry.line)}: events of {name} are left out: {why or 'they are no list'}"
            ] = None

    def _properties(self, name: str, function: Table, line: int) -> dict[str, Entry]:
        general = {key: entry for key in _INHERITED if (entry := self.provider.get(key))}
        own = {key: entry for key, entry in function.entries.items() if not _is_null(entry.node)}
        both = {key: entry for key, entry in {**general, **own}.items() if key in FUNCTION_KEYS}
        given = self.variables.expanded(Table(both, line))
        written = _without_nulls(_table(given))
        properties = {theirs: entry for key, theirs in FUNCTION_KEYS.items() if (entry := written.get(key))}
        defaults: dict[str, Node] = {
            "Timeout": Leaf(f"{_TIMEOUT}, the framework's default", _TIMEOUT, line),
            "MemorySize": Leaf(f"{_MEMORY}, the framework's default", _MEMORY, line),
            "Runtime": _leaf(_RUNTIME, line),
        }
        if "image" in own:
            defaults = {**defaults, "PackageType": _leaf("Image", line), "Runtime": _leaf("that of an image", line)}
        module = self.variables.at(function, "module")
        amount = self.variables.at(function, "provisionedConcurrency")
        extra: dict[str, Node] = {
            "FunctionName": _leaf(name, line),
            "Code": module if module is not None else _leaf(".", line),
            "Environment": _tabled({"Variables": self._environment(function, line)}, line),
        }
        if amount is not None:
            extra["ProvisionedConcurrencyConfig"] = _tabled({"ProvisionedConcurrentExecutions": amount}, line)
        added = {key: Entry(node, line) for key, node in {**defaults, **extra}.items() if key not in properties}
        return {**properties, **added}

    def _environment(self, function: Table, line: int) -> Node:
        found = EMPTY
        for table in (self.provider, function):
            entry = table.get("environment")
            node = self.variables.expanded(entry.node) if entry else EMPTY
            if isinstance(node, Table):
                found = Table({**found.entries, **node.entries}, line)
            elif isinstance(node, Leaf) and node.unknown:
                self._leave_out("environment", entry.line if entry else line, node.unknown)
        return found

    # Events -----------------------------------------------------------------------------------------------------------

    def _event(self, name: str, logical: str, node: Node, keys: tuple[str, ...], condition: dict[str, Entry]) -> None:
        found = self.variables.resolve(node)
        if not isinstance(found, Table) or not found.entries:
            kind = found.text if isinstance(found, Leaf) else described(found)
            why = found.unknown if isinstance(found, Leaf) else ""
            self.other_events.setdefault(name, []).append(self._sentence(name, kind, found.line, why))
            return
        for kind, entry in found.entries.items():
            if kind == "sqs":
                self._mapping(name, logical, entry, (*keys, "sqs"), condition)
            elif "sqs" in kind.lower():
                self.left_out[self._sentence(name, kind, entry.line, "a plugin makes it")] = None
            else:
                self.other_events.setdefault(name, []).append(self._sentence(name, kind, entry.line, ""))

    def _sentence(self, name: str, kind: str, line: int, why: str) -> str:
        event = f"{self.variables.where(line)}: event {shortened(kind, 40)} of {name}"
        return f"{event} is left out: {why or 'it is not an SQS queue'}"

    def _mapping(
        self, name: str, logical: str, entry: Entry, keys: tuple[str, ...], condition: dict[str, Entry]
    ) -> None:
        found = self.variables.expanded(entry.node)
        line = entry.line
        if not isinstance(found, Table) or "arn" not in found.entries:
            found = Table({"arn": Entry(found, line)}, line)
        found = _without_nulls(found)
        properties = {ours: value for key, ours in EVENT_KEYS.items() if (value := found.get(key))}
        properties["FunctionName"] = Entry(_call("Ref", logical, line), line)
        properties |= dict(_settings(found))
        others = [key for key in found.entries if key not in {*EVENT_KEYS, *_OTHER_EVENT_KEYS}]
        if others:
            self._leave_out(
                f"{', '.join(map(shortened, others))} of an event of {name}", line, "is not the framework's"
            )
        base = f"{_normal(name)}EventSourceMappingSQS{_alphanumeric(_hint(found.get('arn')))}"
        unique, number = base, 1
        while unique in self.resources:
            number += 1
            unique = f"{base}{number}"
        self._add(unique, MAPPING, properties, line, condition)
        self.keys[unique] = keys
        self.events[unique] = f"event sqs of {name}"

    def _add(
        self, name: str, kind: str, properties: dict[str, Entry], line: int, more: Mapping[str, Entry] = {}
    ) -> None:
        entries = {"Type": Entry(_leaf(kind, line), line), "Properties": Entry(Table(properties, line), line), **more}
        self.resources[name] = Entry(Table(entries, line), line)

    def _layer(self, name: str, entry: Entry) -> None:
        path = self.variables.at(entry.node, "path")
        if path is not None:
            self._add(f"{_normal(name)}LambdaLayer", LAYER, {"Content": Entry(path, entry.line)}, entry.line)

    # Lift's queues ----------------------------------------------------------------------------------------------------

    def _construct(self, name: str, entry: Entry, keys: tuple[str, ...]) -> None:
        found = self.variables.resolve(entry.node)
        kind = text_at(self.variables, found, "type")
        if kind != "queue" or not isinstance(found, Table):
            self._leave_out(f"construct {name} ({kind or 'of no type'})", entry.line, "is not a queue")
            return
        line, base = entry.line, _alphanumeric(name)
        queue, dead = f"{base}Queue", f"{base}Dlq"
        self.variables.constructs |= {
            f"{name}.queueArn": _attribute(queue, "Arn", line),
            f"{name}.queueUrl": _call("Ref", queue, line),
            f"{name}.dlqArn": _attribute(dead, "Arn", line),
            f"{name}.dlqUrl": _call("Ref", dead, line),
        }
        worker = self.variables.at(found, "worker")
        named = worker.text if isinstance(worker, Leaf) else ""
        function = self.variables.at(self.variables.root, "functions", named) if named else worker
        self._lift_queues(name, found, _table(function), line)
        event = {
            "arn": Entry(_attribute(queue, "Arn", line), line),
            "batchSize": Entry(Leaf("1, Lift's default", 1, line), line),
        }
        for key, theirs in _LIFT_EVENT.items():
            given = found.get(key)
            if given is not None:
                event[theirs] = given
        event["functionResponseType"] = Entry(_leaf("ReportBatchItemFailures", line), line)
        events = Items((Table({"sqs": Entry(Table(event, line), line)}, line),), line)
        if named:
            self.lift_events.setdefault(named, []).extend(events.nodes)
        else:
            own = Table({**_table(worker).entries, "events": Entry(events, line)}, line)
            self._function(f"{name}Worker", Entry(own, line), (*keys, "worker"))
        for part, logical in (("queue", queue), ("dlq", dead)):
            extended = self.variables.at(found, "extensions", part)
            if extended is not None:
                self._extend(logical, Entry(extended, extended.line))
        for other in found.entries:
            if other not in _LIFT_READ:
                self._leave_out(f"{shortened(other)} of construct {name}", found.entries[other].line, "is not read")

    def _lift_queues(self, name: str, construct: Table, worker: Table, line: int) -> None:
        """Add the queue of a construct and its dead-letter queue; Lift does not look at the provider's timeout."""
        base = _alphanumeric(name)
        fifo = text_at(self.variables, construct, "fifo") == "true"
        prefix = f"{self._service()}-{self.variables.stage()}-{name}"
        timeout = _number(self.variables.at(worker, "timeout"), _TIMEOUT)
        window = _number(self.variables.at(construct, "maxBatchingWindow"), 0)
        visibility = 6 * timeout + window if timeout is not None and window is not None else None
        shown = f"{visibility}, of Lift: 6 times the worker's timeout"
        retries = construct.get("maxRetries")
        policy = {
            "deadLetterTargetArn": Entry(_attribute(f"{base}Dlq", "Arn", line), line),
            "maxReceiveCount": Entry(
                self.variables.expanded(retries.node) if retries else Leaf("3, Lift's default", 3, line),
                retries.line if retries else line,
            ),
        }
        own: dict[str, Node] = {
            "VisibilityTimeout": Leaf(shown, visibility, line)
            if visibility is not None
            else unknown("is six times a timeout that is not known", line),
            "RedrivePolicy": Table(policy, line),
        }
        delay = self.variables.at(construct, "delay")
        if delay is not None:
            own["DelaySeconds"] = delay
        if fifo:
            own["ContentBasedDeduplication"] = _leaf("true", line)
        kept: dict[str, Node] = {"MessageRetentionPeriod": Leaf("1209600, Lift's default", 1209600, line)}
        for logical, named, properties in ((f"{base}Queue", prefix, own), (f"{base}Dlq", f"{prefix}-dlq", kept)):
            properties["QueueName"] = _leaf(f"{named}.fifo" if fifo else named, line)
            if fifo:
                properties["FifoQueue"] = _leaf("true", line)
            self._add(logical, QUEUE, {key: Entry(node, line) for key, node in properties.items()}, line)

    def _service(self) -> str:
        root = self.variables.root
        return text_at(self.variables, root, "service") or text_at(self.variables, root, "service", "name")

    # Plugins and resources --------------------------------------------------------------------------------------------

    def _say_plugins(self) -> None:
        found = self.variables.at(self.variables.root, "plugins")
        found = self.variables.at(found, "modules") if isinstance(found, Table) else found
        for node in found.nodes if isinstance(found, Items) else ():
            value = self.variables.resolve(node)
            name = value.text if isinstance(value, Leaf) else ""
            if re.search(r"sqs|sns|queue", name) and not re.search(r"offline|local", name):
                self._leave_out(f"plugin {shortened(name, 60)}", node.line, "may make queues, and is not read")

    def _resources(self, node: Node | None, keys: tuple[str, ...]) -> None:
        """Add the file's own resources: a template, or a list of templates; later parts win."""
        match node:
            case Items(nodes=nodes):
                for index, part in enumerate(nodes):
                    self._resources(self.variables.resolve(part), (*keys, str(index)))
            case Table():
                self._sections(node, keys)
            case Leaf() if node.unknown or node.value is not None:
                self._leave_out(
                    "a part of resources", node.line, node.unknown or f"is {described(node)}, not a mapping"
                )
            case _:
                pass

    def _sections(self, table: Table, keys: tuple[str, ...]) -> None:
        for name, entry in self._entries(table, "Resources"):
            self._resource(name, entry, (*keys, "Resources", name, "Properties"))
        for name in _SECTIONS:
            section = self.variables.expanded(Table(dict(self._entries(table, name)), table.line))
            if isinstance(section, Table) and section.entries:
                self.sections[name] = merged(self.sections.get(name, EMPTY), section)
        for name, entry in self._entries(table, "extensions"):
            self._extend(name, entry)
        for name, entry in table.entries.items():
            if name.startswith("Fn::") or name == "Transform":
                self._leave_out(name, entry.line, "is a transform that this reader does not apply")

    def _entries(self, table: Table, name: str) -> Iterator[tuple[str, Entry]]:
        found = self.variables.at(table, name)
        if isinstance(found, Leaf) and found.unknown:
            self._leave_out(name, table.entries[name].line, found.unknown)
        yield from found.entries.items() if isinstance(found, Table) else ()

    def _resource(self, name: str, entry: Entry, keys: tuple[str, ...]) -> None:
        found = self.variables.resolve(entry.node)
        if not isinstance(found, Table):
            why = found.unknown if isinstance(found, Leaf) else ""
            self._leave_out(f"resource {name}", entry.line, why or f"is {described(found)}, not a mapping")
            return
        known = self.resources.get(name)
        kind = text_at(self.variables, found, "Type") or (_text(known.node, "Type") if known else "")
        if kind in KINDS or kind in SERVICE_KINDS:
            found = _table(self.variables.expanded(found))
        if known is not None:
            found = _replaced(_table(known.node), found)
        self.keys.setdefault(name, keys)
        self.resources[name] = Entry(found, known.line if known else entry.line)

    def _extend(self, name: str, entry: Entry) -> None:
        known = self.resources.get(name)
        found = self.variables.expanded(entry.node)
        if known is None or not isinstance(found, Table):
            self._leave_out(f"extension of {name}", entry.line, "is of a resource that this reader does not have")
            return
        self.resources[name] = Entry(_replaced(_table(known.node), found), known.line)


_LIFT_EVENT = {
    "batchSize": "batchSize",
    "maxBatchingWindow": "maximumBatchingWindow",
    "maxConcurrency": "maximumConcurrency",
}
"""Keys of an `sqs` event, by those of Lift's queues."""
_LIFT_READ = {
    *_LIFT_EVENT,
    *("type", "worker", "maxRetries", "fifo", "delay", "alarm", "encryption", "encryptionKey", "encryptionKeyArn"),
    "extensions",
}


def _settings(event: Table) -> Iterator[tuple[str, Entry]]:
    """Yield the properties of a mapping that CloudFormation nests deeper than the framework."""
    response, limit = event.get("functionResponseType"), event.get("maximumConcurrency")
    if response is not None:
        yield "FunctionResponseTypes", Entry(Items((response.node,), response.line), response.line)
    if limit is not None:
        yield "ScalingConfig", Entry(Table({"MaximumConcurrency": limit}, limit.line), limit.line)
    patterns, pollers = event.get("filterPatterns"), event.get("provisionedPollerConfig")
    if patterns is not None:
        nodes = patterns.node.nodes if isinstance(patterns.node, Items) else (patterns.node,)
        filters = Items(tuple(_tabled({"Pattern": _pattern(node)}, node.line) for node in nodes), patterns.line)
        yield "FilterCriteria", Entry(_tabled({"Filters": filters}, patterns.line), patterns.line)
    if pollers is not None:
        node = pollers.node
        if isinstance(node, Table):
            entries = {f"{key[:1].upper()}{key[1:]}": entry for key, entry in node.entries.items()}
            node = Table(entries, node.line)
        yield "ProvisionedPollerConfig", Entry(node, pollers.line)


def _pattern(node: Node) -> Node:
    """Return a filter pattern as its JSON text."""
    if isinstance(node, Leaf):
        return node
    doubts = list(_unknowns(node))
    text = json.dumps(_plain(node), ensure_ascii=False)
    return unknown(doubts[0], node.line) if doubts else _leaf(text, node.line)


def _plain(node: Node) -> Json:
    match node:
        case Leaf(value=value):
            return value
        case Items(nodes=nodes):
            return [_plain(part) for part in nodes]
        case Table(entries=entries):
            return {name: _plain(entry.node) for name, entry in entries.items()}


def _unknowns(node: Node) -> Iterator[str]:
    match node:
        case Leaf(unknown=reason):
            yield from filter(None, [reason])
        case Items(nodes=nodes):
            for part in nodes:
                yield from _unknowns(part)
        case Table(entries=entries):
            for entry in entries.values():
                yield from _unknowns(entry.node)


# Nodes ----------------------------------------------------------------------------------------------------------------


def _table(node: Node | None) -> Table:
    return node if isinstance(node, Table) else EMPTY


def _leaf(text: str, line: int) -> Leaf:
    return Leaf(text, text, line)


def _tabled(nodes: Mapping[str, Node], line: int) -> Table:
    return Table({name: Entry(node, line) for name, node in nodes.items()}, line)


def _call(name: str, argument: str, line: int) -> Table:
    return _tabled({name: _leaf(argument, line)}, line)


def _attribute(logical: str, name: str, line: int) -> Table:
    return _call("Fn::GetAtt", f"{logical}.{name}", line)


def _condition(node: Node | None, line: int) -> dict[str, Entry]:
    return {} if node is None else {"Condition": Entry(node, line)}


def _text(node: Node, key: str) -> str:
    entry = node.get(key) if isinstance(node, Table) else None
    return (text_of(entry.node) or "") if entry else ""


def _without_nulls(table: Table) -> Table:
    """Return a table without the keys that are set to null: the framework takes its defaults for them."""
    kept = {name: entry for name, entry in table.entries.items() if not _is_null(entry.node)}
    return Table(kept, table.line)


def _is_null(node: Node) -> bool:
    return isinstance(node, Leaf) and node.value is None


def _number(node: Node | None, default: int) -> int | None:
    return default if node is None else whole_number(node)


def _replaced(general: Table, special: Table) -> Table:
    """Return a resource with parts of another one: its properties one by one, all else as a whole."""
    entries = {**general.entries, **special.entries}
    both = [table.get("Properties") for table in (general, special)]
    if all(both):
        properties = [_table(entry.node).entries for entry in both if entry]
        entries["Properties"] = Entry(Table({**properties[0], **properties[1]}, general.line), general.line)
    return Table(entries, general.line)


def _normal(name: str) -> str:
    """Return a function's name as the framework has it in logical ids."""
    return f"{name[:1].upper()}{name[1:]}".replace("-", "Dash").replace("_", "Underscore")


def _alphanumeric(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", text)


def _hint(entry: Entry | None) -> str:
    """Return the text in an ARN that the framework names a mapping after."""
    match entry.node if entry else None:
        case Leaf(text=text):
            return text.rsplit(":", 1)[-1]
        case Items(nodes=nodes):
            return _hint(Entry(nodes[0], 0)) if nodes else ""
        case Table(entries=entries):
            return _hint(next(iter(entries.values()), None)).partition(".")[0]
        case None:
            return ""
