"""Texts that AWS puts in place of references to deployed queues, functions, aliases and versions."""

from collections.abc import Iterable, Mapping

from chaosqs.importers.cloudformation.intrinsics import resolve
from chaosqs.importers.cloudformation.markup import Leaf, text_of
from chaosqs.importers.cloudformation.naming import Names, function_in
from chaosqs.importers.cloudformation.resource import ALIAS, VERSION, Resource
from chaosqs.importers.cloudformation.scope import Scope


def arn(service: str, rest: str, scope: Scope) -> str:
    """Return the ARN of a resource in the given or assumed account and Region."""
    values = [scope.known[f"AWS::{name}"] for name in ("Partition", "Region", "AccountId")]
    partition, region, account = (text_of(value) or "" for value in values)
    return f"arn:{partition}:{service}:{region}:{account}:{rest}"


def addresses(queues: Names, functions: Names, scope: Scope) -> Mapping[str, Leaf]:
    """Return the values of Ref and GetAtt for queues and functions, by reference: `Orders`, `Orders.Arn`."""
    known: dict[str, str] = {}
    for name, queue in queues.of.items():
        own = arn("sqs", queue, scope)
        _, _, _, region, account, _ = own.split(":", 5)
        url = f"https://sqs.{region}.amazonaws.com/{account}/{queue}"
        known |= {name: url, f"{name}.QueueUrl": url, f"{name}.Arn": own, f"{name}.QueueName": queue}
    for name, function in functions.of.items():
        own = arn("lambda", f"function:{function}", scope)
        # `Worker.Alias` and `Worker.Version` are SAM's, for a function with AutoPublishAlias
        known |= {
            name: function,
            f"{name}.Arn": own,
            f"{name}.Alias": f"{own}:live",
            f"{name}.Version": f"{own}:1",
        }
    return {name: Leaf(text, text, 0) for name, text in known.items()}


def published(resources: Iterable[Resource], scope: Scope) -> Mapping[str, Leaf]:
    """Return the values of Ref and GetAtt for aliases and versions of functions, by reference."""
    known: dict[str, str] = {}
    for resource in resources:
        function = function_published_by(resource, scope)
        if function is None:
            continue
        name, own = resource.logical_id, arn("lambda", f"function:{function}", scope)
        known[name] = f"{own}:{'1' if resource.kind == VERSION else 'live'}"
        known |= {f"{name}.{attribute}": known[name] for attribute in ("AliasArn", "FunctionArn")}
        known[f"{name}.Version"] = "1"
    return {name: Leaf(text, text, 0) for name, text in known.items()}


def function_published_by(resource: Resource, scope: Scope) -> str | None:
    """Return the function of an alias or a version; None for other resources, or if the template does not tell."""
    entry = resource.properties.get("FunctionName") if resource.kind in {ALIAS, VERSION} else None
    value = resolve(entry.node, scope) if entry else None
    return function_in(value.text) if isinstance(value, Leaf) else None
