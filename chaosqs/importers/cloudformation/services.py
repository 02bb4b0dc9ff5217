"""Resources of other services that handlers use: their names and addresses, and their values in a design.

A resource without a written name gets its logical id as its name, as queues do. `Ref` and `GetAtt` give what AWS would
give in the design's account.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping

import attrs

from chaosqs.importers.cloudformation.intrinsics import resolve
from chaosqs.importers.cloudformation.markup import Items, Leaf, Node, Table, text_of
from chaosqs.importers.cloudformation.naming import arn
from chaosqs.importers.cloudformation.scope import Absent, Resource, Scope, Unknown
from chaosqs.importers.protocol import Written
from chaosqs.model import design
from chaosqs.model.json import Json

# Addresses: what `Ref` and `GetAtt` give ------------------------------------------------------------------------------

_TABLE, _SIMPLE_TABLE, _GLOBAL_TABLE = (
    "AWS::DynamoDB::Table",
    "AWS::Serverless::SimpleTable",
    "AWS::DynamoDB::GlobalTable",
)
_BUCKET, _PARAMETER = "AWS::S3::Bucket", "AWS::SSM::Parameter"
_TOPIC, SUBSCRIPTION = "AWS::SNS::Topic", "AWS::SNS::Subscription"
_RULE = "AWS::Events::Rule"


@attrs.frozen
class _Addressing:
    """Rules by which the addresses of a resource type are made."""

    name_key: str
    """Property with the name."""
    service: str
    """Service, as in ARNs."""
    rest: str
    """The rest of the ARN, with `{}` for the name."""
    ref_is_arn: bool = False
    """True if `Ref` gives the ARN, False if it gives the name."""
    name_attribute: str = "Name"
    """Attribute for `GetAtt` that gives the name."""


_ADDRESSING: Mapping[str, _Addressing] = {
    _TABLE: _Addressing("TableName", "dynamodb", "table/{}"),
    _SIMPLE_TABLE: _Addressing("TableName", "dynamodb", "table/{}"),
    _GLOBAL_TABLE: _Addressing("TableName", "dynamodb", "table/{}"),
    _BUCKET: _Addressing("BucketName", "s3", "{}"),
    _TOPIC: _Addressing("TopicName", "sns", "{}", ref_is_arn=True, name_attribute="TopicName"),
    SUBSCRIPTION: _Addressing("", "sns", "{}", ref_is_arn=True),
    _PARAMETER: _Addressing("Name", "ssm", "parameter/{}"),
    # AWS's ARN ends in six random characters more; without them it means the same secret
    "AWS::SecretsManager::Secret": _Addressing("Name", "secretsmanager", "secret:{}", ref_is_arn=True),
    "AWS::Logs::LogGroup": _Addressing("LogGroupName", "logs", "log-group:{}"),
    "AWS::Events::EventBus": _Addressing("Name", "events", "event-bus/{}"),
    _RULE: _Addressing("Name", "events", "rule/{}"),
    "AWS::Kinesis::Stream": _Addressing("Name", "kinesis", "stream/{}"),
    "AWS::KinesisFirehose::DeliveryStream": _Addressing("DeliveryStreamName", "firehose", "deliverystream/{}"),
    "AWS::StepFunctions::StateMachine": _Addressing("StateMachineName", "states", "stateMachine:{}", ref_is_arn=True),
    "AWS::Serverless::StateMachine": _Addressing("Name", "states", "stateMachine:{}", ref_is_arn=True),
}
_CDK_NOTIFICATIONS = "Custom::S3BucketNotifications"
KINDS = frozenset({*_ADDRESSING, _CDK_NOTIFICATIONS})
"""The types of other services that the importer reads."""


def service_addresses(resources: Iterable[Resource], scope: Scope) -> Mapping[str, Leaf]:
    """Return the values of Ref and GetAtt for resources of other services, by reference: `Orders`, `Orders.Arn`."""
    known: dict[str, str] = {}
    for resource in resources:
        addressing = _ADDRESSING.get(resource.kind)
        if addressing is not None:
            found = _attributes(resource, addressing, scope)
            known |= {f"{resource.logical_id}{name}": value for name, value in found.items()}
    return {name: Leaf(text, text, 0) for name, text in known.items()}


def _attributes(resource: Resource, addressing: _Addressing, scope: Scope) -> dict[str, str]:
    """Return the value of `Ref` under "", and that of `GetAtt` for each attribute under `.Attribute`."""
    name = _name(resource, addressing, scope)
    own = arn(addressing.service, addressing.rest.format(name.removeprefix("/")), scope)
    if resource.kind == _BUCKET:
        own = f"arn:{text_of(scope.known['AWS::Partition']) or 'aws'}:s3:::{name}"
    ref = own if addressing.ref_is_arn else name
    attributes = {"": ref, ".Arn": own, ".Id": ref, f".{addressing.name_attribute}": name}
    match resource.kind:
        case "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable":
            attributes[".StreamArn"] = f"{own}/stream/2025-12-01T00:00:00.000"
        case "AWS::S3::Bucket":
            region = text_of(scope.known["AWS::Region"]) or ""
            attributes[".DomainName"] = f"{name}.s3.amazonaws.com"
            attributes[".RegionalDomainName"] = f"{name}.s3.{region}.amazonaws.com"
        case "AWS::SNS::Topic":
            attributes[".TopicArn"] = own
        case "AWS::SSM::Parameter":
            attributes |= {f".{key}": text for key in ("Type", "Value") if (text := _text(resource, key, scope))}
        case _:
            pass
    return attributes


def _name(resource: Resource, addressing: _Addressing, scope: Scope) -> str:
    """Return the written name, or one that is made from the logical id if none can be told."""
    written = _text(resource, addressing.name_key, scope) if addressing.name_key else ""
    if written:
        return written
    if resource.kind == _BUCKET:
        return re.sub(r"[^a-z0-9]+", "-", resource.logical_id.lower()).strip("-").ljust(3, "0")
    is_fifo = resource.kind == _TOPIC and _text(resource, "FifoTopic", scope) == "true"
    return f"{resource.logical_id}.fifo" if is_fifo else resource.logical_id


def _text(resource: Resource, key: str, scope: Scope) -> str:
    entry = resource.properties.get(key)
    value = resolve(entry.node, scope) if entry else Absent()
    return "" if isinstance(value, Absent | Unknown) else text_of(value) or ""


# Values in a design ---------------------------------------------------------------------------------------------------

_REQUIRED: Mapping[str, tuple[str, ...]] = {
    _TABLE: ("KeySchema", "AttributeDefinitions"),
    _GLOBAL_TABLE: ("KeySchema", "AttributeDefinitions"),
    SUBSCRIPTION: ("TopicArn", "Protocol"),
    _PARAMETER: ("Type", "Value"),
}
"""Properties without which AWS refuses a resource, and of which no value can be assumed."""


def service_resources(resources: Iterable[Resource], scope: Scope, file: str) -> tuple[design.Resource, ...]:
    """Return the resources of other services in a design's terms; those that are incomplete are noted and left out."""
    found: list[design.Resource] = []
    everything = tuple(resources)
    notifications = _cdk_notifications(everything, scope)
    for resource in everything:
        if resource.kind not in _ADDRESSING:
            continue
        properties = _properties(resource, scope)
        who = f"{file}:{resource.line}: {resource.logical_id} ({resource.kind})"
        if resource.kind == _PARAMETER and resource.properties.get("Value") and "Value" not in properties:
            properties["Value"] = value = f"unknown-{resource.logical_id}"
            scope.left_out[f"{who}: only a deployment knows its Value; it is set to {value}"] = None
        unknown = [path for path in _unknown(resource.properties, scope) if path not in properties]
        problem = _problem(resource, properties)
        name = text_of(scope.known[resource.logical_id]) or resource.logical_id
        scope.written[name] = Written(f"{resource.logical_id} ({resource.kind})", f"{file}:{resource.line}", problem)
        if problem:
            scope.left_out[f"{who} is left out: {problem}"] = None
            continue
        if unknown:
            scope.left_out[f"{who}: only a deployment knows its {_listed(unknown)}: left out"] = None
        addressing = _ADDRESSING[resource.kind]
        if addressing.name_key:
            properties.setdefault(addressing.name_key, _name(resource, addressing, scope))
        if resource.kind == _BUCKET and name in notifications:
            properties["NotificationConfiguration"] = notifications[name]
        found.append(_in_design(resource.kind, name, properties))
    return tuple(found)


def _problem(resource: Resource, properties: dict[str, Json]) -> str:
    """Return the reason why a resource cannot be made, as a clause; empty if it can."""
    required = _REQUIRED.get(resource.kind, ())
    missing = [key for key in required if not properties.get(key)]
    if missing:
        known = resource.properties.get(missing[0]) is None or missing[0] in properties
        return f"it has no {missing[0]}" if known else f"only a deployment knows its {missing[0]}"
    if "KeySchema" in required:
        defined = _names(properties["AttributeDefinitions"])
        unknown = [name for name in _names(properties["KeySchema"]) if name not in defined]
        return f"its KeySchema names {unknown[0]}, and its AttributeDefinitions do not" if unknown else ""
    return ""


def _names(attributes: Json) -> list[str]:
    entries = attributes if isinstance(attributes, list) else []
    return [str(entry.get("AttributeName")) if isinstance(entry, dict) else str(entry) for entry in entries]


def _cdk_notifications(resources: Iterable[Resource], scope: Scope) -> Mapping[str, Json]:
    """Return the notifications of buckets, by the bucket's name, which the CDK sets by a resource of its own.

    That resource has the form of S3's API, and the result that of CloudFormation.
    """
    found: dict[str, Json] = {}
    for resource in resources:
        if resource.kind == _CDK_NOTIFICATIONS:
            properties = _properties(resource, scope)
            wanted = properties.get("NotificationConfiguration")
            configurations = wanted.items() if isinstance(wanted, dict) else ()
            found[str(properties.get("BucketName"))] = {
                kind: [_notification(kind, entry, event) for entry, event in _with_events(value)]
                if kind.endswith("Configurations")
                else value
                for kind, value in configurations
            }
    return found


def _with_events(entries: Json) -> list[tuple[dict[str, Json], Json]]:
    """Return each configuration with each of its events."""
    found: list[tuple[dict[str, Json], Json]] = []
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict):
            events = entry.get("Events")
            found += [(entry, event) for event in (events if isinstance(events, list) else [])]
    return found


def _notification(kind: str, entry: dict[str, Json], event: Json) -> Json:
    target = kind.removesuffix("Configurations")
    asked: dict[str, Json] = {"Event": event, target: entry.get(f"{target}Arn")}
    key = entry.get("Filter")
    rules = key.get("Key") if isinstance(key, dict) else None
    if isinstance(rules, dict):
        asked["Filter"] = {"S3Key": {"Rules": rules.get("FilterRules")}}
    return asked


def _properties(resource: Resource, scope: Scope) -> dict[str, Json]:
    value = plain(resource.properties, scope)
    return value if isinstance(value, dict) else {}


def plain(node: Node, scope: Scope) -> Json:
    """Return a node as JSON. Parts that only a deployment knows are left out; a single value of this kind is None."""
    value = resolve(node, scope)
    match value:
        case Leaf(value=scalar):
            return scalar
        case Items(nodes=nodes):
            parts = [plain(part, scope) for part in nodes]
            return [part for part in parts if part is not None]
        case Table(entries=entries):
            fields = {name: plain(entry.node, scope) for name, entry in entries.items()}
            return {name: field for name, field in fields.items() if field is not None}
        case Absent() | Unknown():
            return None


def _unknown(node: Node, scope: Scope, path: str = "") -> Iterator[str]:
    """Yield the paths of the parts that only a deployment knows: `BillingMode`, `Subscription[0].Endpoint`."""
    match resolve(node, scope):
        case Unknown():
            yield path
        case Items(nodes=nodes):
            for index, part in enumerate(nodes):
                yield from _unknown(part, scope, f"{path}[{index}]")
        case Table(entries=entries):
            for name, entry in entries.items():
                yield from _unknown(entry.node, scope, f"{path}.{name}" if path else name)
        case Leaf() | Absent():
            pass


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _in_design(kind: str, name: str, properties: dict[str, Json]) -> design.Resource:
    """Return a resource; tables of SAM and global tables become plain tables."""
    if kind == _SIMPLE_TABLE:
        kind, properties = _TABLE, _simple_table(properties)
    elif kind == _GLOBAL_TABLE:
        kind, properties = _TABLE, {**properties, "BillingMode": "PAY_PER_REQUEST"}
    return design.Resource(kind, name, json.dumps(properties, sort_keys=True, ensure_ascii=False))


def _simple_table(properties: dict[str, Json]) -> dict[str, Json]:
    """Return the properties of the table that SAM makes of a simple one."""
    key = properties.pop("PrimaryKey", None)
    written = key if isinstance(key, dict) else {}
    name, kind = written.get("Name", "id"), str(written.get("Type", "String"))
    billing: dict[str, Json] = {} if "ProvisionedThroughput" in properties else {"BillingMode": "PAY_PER_REQUEST"}
    return {
        **properties,
        **billing,
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind[:1]}],
        "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}],
    }
