"""The sections of a template → the resources that the importer reads, and the scope of names.

Only queues, functions, their aliases and versions, event source mappings, and what handlers use of other services are
read; other parts are not checked.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

import attrs

from chaosqs.errors import InvalidDesign, Problem
from chaosqs.importers.cloudformation.intrinsics import condition_holds
from chaosqs.importers.cloudformation.markup import Entry, Items, Leaf, Node, Table, described, merged, text_of, truth
from chaosqs.importers.cloudformation.naming import Names, addresses, names_of, published
from chaosqs.importers.cloudformation.scope import (
    EMPTY,
    FUNCTIONS,
    KINDS,
    MAPPING,
    PSEUDO,
    QUEUE,
    SAM_FUNCTION,
    Resource,
    Scope,
)
from chaosqs.importers.cloudformation.services import KINDS as SERVICE_KINDS
from chaosqs.importers.cloudformation.services import SUBSCRIPTION, service_addresses

_SSM = "AWS::SSM::Parameter::"


@attrs.frozen
class Template:
    """The relevant resources of a template, and its names."""

    file: str
    scope: Scope
    resources: tuple[Resource, ...]
    """Resources that are deployed, in the template's order."""
    queues: Names
    functions: Names


def read_sections(
    file: str,
    root: Table,
    parameters: Mapping[str, str],
    exported: Callable[[str], str | None] | None = None,
    taken: Iterable[str] = (),
) -> Template:
    """Return the relevant resources and the names of a template. Raises `InvalidDesign` for malformed sections.

    `exported`: as in `Scope`. `taken`: names that its queues and functions may not have.
    """
    sections = {name: _section(file, root, name) for name in ("Parameters", "Mappings", "Conditions", "Globals")}
    _refuse_unknown_parameters(file, sections["Parameters"], parameters)
    scope = _scope(sections, parameters)
    scope = scope if exported is None else attrs.evolve(scope, exported=exported)
    general = _section(file, sections["Globals"], "Function")
    section = _section(file, root, "Resources")
    unknown = dict.fromkeys(section.entries, "{}, which only a deployment knows")
    kept: list[Resource] = []
    for resource in _resources(file, section, scope):
        if _is_deployed(resource, scope):
            under = resource.kind == SAM_FUNCTION
            own = attrs.evolve(resource, properties=merged(general, resource.properties)) if under else resource
            kept += [own, *(_of_topics(own) if under else ())]
        else:
            unknown[resource.logical_id] = "{}, which its Condition leaves out"
    return with_names(file, scope, kept, unknown, taken)


def _section(file: str, table: Table, name: str) -> Table:
    entry = table.get(name)
    if entry is None:
        return EMPTY
    return _table(file, entry, name)


def _table(file: str, entry: Entry, path: str) -> Table:
    if isinstance(entry.node, Table):
        return entry.node
    raise InvalidDesign([Problem(path, described(entry.node), "must be a mapping", where=f"{file}:{entry.line}")])


def _refuse_unknown_parameters(file: str, section: Table, parameters: Mapping[str, str]) -> None:
    for name in parameters:
        if name not in section.entries and name not in PSEUDO:
            known = ", ".join(section.entries) or "none"
            raise InvalidDesign(f"{file}: has no parameter {name!r}. Its parameters are: {known}.")


def _scope(sections: Mapping[str, Table], given: Mapping[str, str]) -> Scope:
    known: dict[str, Node] = {name: Leaf(value, value, 0) for name, value in {**PSEUDO, **given}.items()}
    unknown: dict[str, str] = {}
    for name, entry in sections["Parameters"].entries.items():
        kind = _field(entry.node, "Type")
        default = entry.node.get("Default") if isinstance(entry.node, Table) else None
        if name not in given and kind.startswith(_SSM):
            unknown[name] = "parameter {}, whose value is in the Parameter Store"
        elif name in given:
            known[name] = _parameter(kind, Leaf(given[name], given[name], entry.line))
        elif default is not None and isinstance(default.node, Leaf):
            known[name] = _parameter(kind, default.node)
        else:
            unknown[name] = "parameter {}, which has no default"
    assumed = frozenset(PSEUDO) - frozenset(given)
    return Scope(known, unknown, assumed, sections["Mappings"], sections["Conditions"])


def _parameter(kind: str, value: Leaf) -> Node:
    """Return a parameter's value; for a list type, split at commas."""
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return Items(tuple(Leaf(part.strip(), part.strip(), value.line) for part in value.text.split(",")), value.line)
    return value


def _field(node: Node, name: str) -> str:
    entry = node.get(name) if isinstance(node, Table) else None
    return (text_of(entry.node) or "") if entry else ""


def _resources(file: str, section: Table, scope: Scope) -> Iterator[Resource]:
    for logical_id, entry in section.entries.items():
        if logical_id.startswith("Fn::"):
            scope.left_out[f"{logical_id} in line {entry.line} is left out: this reader does not expand it"] = None
            continue
        table = _table(file, entry, f"Resources.{logical_id}")
        kind = _field(table, "Type")
        if not kind:
            must = "must say its Type, such as AWS::SQS::Queue"
            raise InvalidDesign([Problem(f"Resources.{logical_id}", "", must, where=f"{file}:{entry.line}")])
        if kind in KINDS:
            properties = table.get("Properties")
            inner = _table(file, properties, f"Resources.{logical_id}.Properties") if properties else EMPTY
            yield Resource(logical_id, kind, inner, entry.line, _field(table, "Condition"), _lenient(table, "Metadata"))
        elif kind in SERVICE_KINDS:
            inner = _lenient(table, "Properties")
            yield Resource(logical_id, kind, inner, entry.line, _field(table, "Condition"))


def _of_topics(function: Resource) -> Iterator[Resource]:
    """Yield what SAM makes of a function's events of topics that go through a queue (`SqsSubscription`).

    For `true` that is a queue with AWS's defaults; in any case a subscription and a mapping.
    """
    for label, entry in _lenient(function.properties, "Events").entries.items():
        event, line, name = entry.node, entry.line, f"{function.logical_id}{label}"
        asked = subscribes(event) if isinstance(event, Table) else None
        if asked is None or not isinstance(event, Table):
            continue
        options = (asked if isinstance(asked, Table) else EMPTY).entries
        if "QueueArn" not in options:
            yield Resource(f"{name}Queue", QUEUE, EMPTY, line)
        queue = options.get("QueueArn") or _call("Fn::GetAtt", f"{name}Queue.Arn", line)
        mapping = {
            "EventSourceArn": queue,
            "FunctionName": _call("Ref", function.logical_id, line),
            **{key: options[key] for key in ("BatchSize", "Enabled") if key in options},
        }
        yield Resource(f"{name}EventSourceMapping", MAPPING, Table(mapping, line), line)
        properties = _lenient(event, "Properties").entries
        kept = {ours: properties[theirs] for theirs, ours in _OF_SUBSCRIPTION.items() if theirs in properties}
        to_queue = {"Protocol": Entry(Leaf("sqs", "sqs", line), line), "Endpoint": queue}
        yield Resource(name, SUBSCRIPTION, Table({**kept, **to_queue}, line), line)


def _call(name: str, argument: str, line: int) -> Entry:
    return Entry(Table({name: Entry(Leaf(argument, argument, line), line)}, line), line)


_OF_SUBSCRIPTION = {"Topic": "TopicArn", "FilterPolicy": "FilterPolicy", "FilterPolicyScope": "FilterPolicyScope"}
"""Properties of a subscription, by those of the event."""


def subscribes(event: Table) -> Table | Leaf | None:
    """Return the `SqsSubscription` of a SAM event of a topic; None if it has none, and Lambda gets the messages."""
    asked = _lenient(event, "Properties").get("SqsSubscription") if _field(event, "Type") == "SNS" else None
    if asked is None or isinstance(asked.node, Items) or (isinstance(asked.node, Leaf) and not truth(asked.node)):
        return None
    return asked.node


def _lenient(table: Table, name: str) -> Table:
    """Return a table in a table; an empty one for anything else."""
    entry = table.get(name)
    return entry.node if entry and isinstance(entry.node, Table) else EMPTY


def _is_deployed(resource: Resource, scope: Scope) -> bool:
    """Return True if a resource's condition holds, or is unknown."""
    outcome = condition_holds(resource.condition, scope) if resource.condition else True
    if isinstance(outcome, bool):
        return outcome
    scope.notes[f"{resource.logical_id}: {outcome.reason}; assumed to be deployed"] = None
    return True


def with_names(
    file: str, scope: Scope, kept: list[Resource], unknown: Mapping[str, str], taken: Iterable[str]
) -> Template:
    """Return resources with the names of their queues and functions, and the values of references to them.

    `unknown`: as in `Scope`. `taken`: as in `read_sections`.
    """
    queues = names_of([resource for resource in kept if resource.kind == QUEUE], scope, taken)
    functions = names_of([resource for resource in kept if resource.kind in FUNCTIONS], scope, taken)
    known = {**scope.known, **addresses(queues, functions, scope)}
    first = attrs.evolve(scope, known=known, unknown={**scope.unknown, **unknown})
    known |= published(kept, first)
    for _ in range(2):  # a name or a value may refer to another resource's
        known |= service_addresses(kept, attrs.evolve(first, known=known))
    return Template(file, attrs.evolve(first, known=known), tuple(kept), queues, functions)
