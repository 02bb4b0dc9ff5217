"""Queues: create, delete, find, list, configure, purge; with their tags, permissions and redrive policies."""

import json
import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterable, Mapping, Sequence

from chaosqs.sqs.api.parameters import (
    Address,
    ApiError,
    Parameters,
    error,
    from_arn,
    integer,
    invalid,
    invalid_value,
    is_map,
    missing,
    no_such_queue,
    required_text,
    sequence,
    structure,
    text,
    text_map,
    texts,
)
from chaosqs.sqs.api.queue_attributes import queue_attributes
from chaosqs.sqs.api.region import EPOCH, QueueResource, Region
from chaosqs.sqs.api.settings import check, compact, defaults, invalid_attribute, merged, normalized, queue_of

# TagQueue, UntagQueue, ListQueueTags ----------------------------------------------------------------------------------

_MOST = 50
_LONGEST_KEY = 128


def tag_queue(region: Region, parameters: Parameters) -> dict[str, object]:
    """Add tags to a queue, or change them."""
    resource, given = region.find(parameters), text_map(parameters, "Tags")
    if not given:
        raise missing("Tags")
    resource.tags = check_tags(resource.address.name, resource.tags, given)
    return {}


def untag_queue(region: Region, parameters: Parameters) -> dict[str, object]:
    """Remove tags from a queue; keys that it does not have are ignored."""
    resource, keys = region.find(parameters), texts(parameters, "TagKeys")
    _check_keys(keys or [""])
    for key in keys:
        resource.tags.pop(key, None)
    return {}


def list_queue_tags(region: Region, parameters: Parameters) -> dict[str, object]:
    """Return the tags of a queue."""
    tags = region.find(parameters).tags
    return {"Tags": dict(tags)} if tags else {}


def check_tags(name: str, tags: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of a queue with new ones added; raise if the result has more than 50 (texts: as in moto)."""
    _check_keys(given)
    result = {**tags, **given}
    if len(result) > _MOST:
        raise invalid(f"Too many tags added for queue {name}.")
    return result


def _check_keys(keys: Iterable[str]) -> None:
    if not all(1 <= len(key) <= _LONGEST_KEY for key in keys):
        raise invalid(f"Tag keys must be between 1 and {_LONGEST_KEY} characters in length.")


# AddPermission and RemovePermission: statements of the queue's policy, stored and shown, never enforced ---------------

_MOST_ACTIONS = 7
_ACTIONS = (
    "*",
    "ChangeMessageVisibility",
    "DeleteMessage",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "SendMessage",
)
_OWN_ACTIONS = (
    "AddPermission",
    "CancelMessageMoveTask",
    "CreateQueue",
    "DeleteQueue",
    "ListMessageMoveTasks",
    "ListQueueTags",
    "ListQueues",
    "RemovePermission",
    "SetQueueAttributes",
    "StartMessageMoveTask",
    "TagQueue",
    "UntagQueue",
)
"""Actions that only the queue's owner may call."""


def add_permission(region: Region, parameters: Parameters) -> dict[str, object]:
    """Add a statement that allows accounts to call actions."""
    resource, label = region.find(parameters), required_text(parameters, "Label")
    accounts, actions = texts(parameters, "AWSAccountIds"), texts(parameters, "Actions")
    _check_grant(accounts, actions)
    if not _NAME.fullmatch(label):
        reason = (
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length."  # Assumed wording
        )
        raise invalid_value(label, "Label", reason)
    statements = _statements(resource)
    if any(statement.get("Sid") == label for statement in statements):
        raise invalid_value(label, "Label", "Already exists.")
    statement: dict[str, object] = {
        "Sid": label,
        "Effect": "Allow",
        "Principal": {"AWS": _one_or_many([f"arn:aws:iam::{account}:root" for account in accounts])},
        "Action": _one_or_many([f"SQS:{action}" for action in actions]),
        "Resource": resource.address.arn,
    }
    _store(resource, [*statements, statement])
    return {}


def _check_grant(accounts: Sequence[str], actions: Sequence[str]) -> None:
    """Refuse accounts and actions that no permission may name; the texts and their order are those of moto."""
    if not actions:
        raise missing("Actions")
    if not accounts:
        raise invalid_value("[]", "PrincipalId", "Unable to verify.")
    if len(actions) > _MOST_ACTIONS:
        raise error("OverLimit", f"{len(actions)} Actions were found, maximum allowed is {_MOST_ACTIONS}.")
    for action in actions:
        if action in _OWN_ACTIONS:
            raise invalid_value(f"SQS:{action}", "ActionName", "Only the queue owner is allowed to invoke this action.")
        if action not in _ACTIONS:
            reason = "Please refer to the appropriate WSDL for a list of valid actions. "
            raise invalid_value(f"SQS:{action}", "ActionName", reason)


def remove_permission(region: Region, parameters: Parameters) -> dict[str, object]:
    """Remove the statement of a label."""
    resource, label = region.find(parameters), required_text(parameters, "Label")
    statements = _statements(resource)
    left = [statement for statement in statements if statement.get("Sid") != label]
    if len(left) == len(statements):
        raise invalid_value(label, "Label", "can't find label.")
    _store(resource, left)
    return {}


def _statements(resource: QueueResource) -> list[Parameters]:
    policy: object = json.loads(resource.settings.get("Policy", "{}"))
    fields = structure(policy)
    statements = fields.get("Statement")
    return [structure(statements)] if is_map(statements) else [structure(s) for s in sequence(fields, "Statement")]


def _store(resource: QueueResource, statements: Sequence[Parameters]) -> None:
    if not statements:
        resource.settings.pop("Policy", None)
        return
    policy = structure(json.loads(resource.settings.get("Policy", "{}")))
    identity = {"Version": "2008-10-17", "Id": f"{resource.address.arn}/SQSDefaultPolicy"}
    resource.settings["Policy"] = compact({**identity, **policy, "Statement": list(statements)})


def _one_or_many(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


# Policies: attributes that are JSON, read and checked (DLQ-1, DLQ-12 … DLQ-17) ----------------------------------------

_MOST_RECEIVES = 1000
_MOST_SOURCES = 10
_MOST_DIGITS = 9
_CANNOT = "Amazon SQS can't create the redrive allow policy. "


def check_policies(region: Region, own: Address, given: Mapping[str, str], *, fifo: bool) -> dict[str, str]:
    """Return the policies among new attributes, as SQS will show them; raise `ApiError` for an invalid one."""
    found: dict[str, str] = {}
    if given.get("RedrivePolicy"):
        found["RedrivePolicy"] = _redrive(region, own, given["RedrivePolicy"], fifo=fifo)
    if given.get("RedriveAllowPolicy"):
        found["RedriveAllowPolicy"] = _redrive_allow(given["RedriveAllowPolicy"])
    if given.get("Policy") and not _object(given["Policy"]):
        raise invalid_attribute("Policy")
    return found


def _redrive(region: Region, own: Address, given: str, *, fifo: bool) -> str:
    fields = _object(given)
    if fields is None:
        raise _bad_redrive(given, "Redrive policy is not a valid JSON map.")
    for name in ("deadLetterTargetArn", "maxReceiveCount"):
        if name not in fields:
            raise _bad_redrive(given, f"Redrive policy does not contain mandatory attribute: {name}.")
    if len(fields) > len(("deadLetterTargetArn", "maxReceiveCount")):
        raise _bad_redrive(given, "Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount].")
    target = from_arn(str(fields["deadLetterTargetArn"]))
    if target is None:
        raise _bad_redrive(given, "Invalid value for deadLetterTargetArn.")
    count = _count(fields["maxReceiveCount"])
    if count is None:
        value = fields["maxReceiveCount"]
        reason = (
            f"Invalid value for maxReceiveCount: {value}, valid values are from 1 to {_MOST_RECEIVES} both inclusive."
        )
        raise _bad_redrive(given, reason)
    _check_target(region, own, target, given, fifo=fifo)
    return compact({"deadLetterTargetArn": target.arn, "maxReceiveCount": count})


def _check_target(region: Region, own: Address, target: Address, given: str, *, fifo: bool) -> None:
    if (target.region, target.account) != (own.region, own.account):  # DLQ-13
        raise _bad_redrive(given, "Dead-letter target owner should be same as the source.")
    resource = region.queues.get(target.name)
    if resource is None and target.name != own.name:
        raise _bad_redrive(given, "Dead letter target does not exist.")
    if target.name.endswith(".fifo") != fifo:  # DLQ-12
        raise _bad_redrive(given, "Dead-letter queue must be same type of queue as the source.")
    allow = None if resource is None else resource.state.queue.redrive_allow
    if allow is None or allow.permission == "allowAll":
        return
    if allow.permission == "denyAll" or own.name not in allow.source_queues:  # DLQ-17
        raise _bad_redrive(given, "The dead-letter queue's redrive allow policy does not permit this source queue.")


def _bad_redrive(given: str, reason: str) -> ApiError:
    return invalid_value(given, "RedrivePolicy", reason)


def _count(value: object) -> int | None:
    """Return a maximum receive count given as a number or as digits, or None if it is out of range (DLQ-1)."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    digits = str(value)
    count = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS else 0
    return count if 1 <= count <= _MOST_RECEIVES else None


def _redrive_allow(given: str) -> str:
    fields = _object(given)
    if fields is None:
        raise _bad_allow(given, "Redrive allow policy is not a valid JSON map.")
    permission, sources = fields.get("redrivePermission"), sequence(fields, "sourceQueueArns")
    if permission not in ("allowAll", "denyAll", "byQueue"):
        raise _bad_allow(given, _CANNOT + "The redrivePermission must be allowAll, denyAll or byQueue.")
    if sources and permission != "byQueue":
        raise _bad_allow(
            given, _CANNOT + "To specify one or more source queue ARNs, you must set redrivePermission to byQueue."
        )
    if permission == "byQueue":
        _check_sources(given, sources)
    return compact(fields)


def _check_sources(given: str, sources: Sequence[object]) -> None:
    if not sources:
        raise _bad_allow(
            given, _CANNOT + "When redrivePermission is byQueue, you must specify one or more source queue ARNs."
        )
    if len(sources) > _MOST_SOURCES:
        raise _bad_allow(given, _CANNOT + f"You can specify up to {_MOST_SOURCES} source queue ARNs.")
    if any(from_arn(str(source)) is None for source in sources):
        raise _bad_allow(given, _CANNOT + "Each source must be the ARN of a queue.")


def _bad_allow(given: str, reason: str) -> ApiError:
    return invalid_value(given, "RedriveAllowPolicy", reason)


def _object(given: str) -> Parameters | None:
    """Return the fields of a JSON object, or None if the text is not one."""
    try:
        value: object = json.loads(given)
    except (ValueError, RecursionError):
        return None
    return structure(value) if is_map(value) else None


# Operations on queues -------------------------------------------------------------------------------------------------

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_FIFO_NAME = re.compile(r"[A-Za-z0-9_-]{1,75}\.fifo")
_PURGE_EVERY = 60_000
_RECREATE_AFTER = 60_000
"""Milliseconds after which the name of a deleted queue is free again (DQ-1)."""
_MOST_LISTED = 1000


def create_queue(region: Region, parameters: Parameters) -> dict[str, object]:
    """Create a queue, or return the URL of the existing one with the same attributes (DQ-2)."""
    name, given = text(parameters, "QueueName"), normalized(text_map(parameters, "Attributes"))
    fifo = _check_name(name, given.get("FifoQueue"))
    assert name is not None
    check(given, fifo=fifo)
    tags = check_tags(name, {}, text_map(parameters, "tags"))
    policies = check_policies(region, region.address(name), given, fifo=fifo)
    settings = merged(defaults(fifo=fifo), {**given, **policies})
    existing = region.queues.get(name)
    if existing is not None:
        _check_same(existing, {**given, **policies})
        return {"QueueUrl": existing.address.url}
    deleted = region.deleted_at.get(name)
    if deleted is not None and region.now < deleted + _RECREATE_AFTER:  # DQ-1
        message = "You must wait 60 seconds after deleting a queue before you can create another with the same name."
        raise error("QueueDeletedRecently", message)
    resource = region.host(queue_of(name, settings), settings)
    resource.tags = tags
    region.relink()
    return {"QueueUrl": resource.address.url}


def _check_name(name: str | None, fifo: str | None) -> bool:
    """Return whether a name is that of a FIFO queue (FF-1); raise `ApiError` for an invalid name."""
    if name is None:
        raise invalid("Value for parameter QueueName is invalid. Reason: Must specify a queue name.")
    if not name:
        raise invalid("Queue name cannot be empty")
    if fifo == "true" and not _FIFO_NAME.fullmatch(name):
        raise invalid(
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores,"
            " must end with .fifo suffix and be 1 to 80 in length."
        )
    if fifo == "false":
        raise error("InvalidAttributeName", "Unknown Attribute FifoQueue.")
    if fifo is None and not _NAME.fullmatch(name):
        raise invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
    return fifo is not None


def _check_same(existing: QueueResource, given: Mapping[str, str]) -> None:
    """Refuse to create an existing queue with other values of the given attributes (DQ-2)."""
    for name, value in given.items():
        if existing.settings.get(name, "") != value:
            raise error(
                "QueueNameExists",
                f"A queue already exists with the same name and a different value for attribute {name}",
            )


def delete_queue(region: Region, parameters: Parameters) -> dict[str, object]:
    """Delete a queue with all its messages. Assumed: at once, not within 60 seconds (DQ-1)."""
    resource = region.find(parameters)
    home = region.accounts.regions[resource.address.account, resource.address.region]
    home.service.purge(resource.state)
    del home.queues[resource.address.name]
    home.deleted_at[resource.address.name] = region.now
    home.relink()
    return {}


def get_queue_url(region: Region, parameters: Parameters) -> dict[str, object]:
    """Return the URL of a queue by name, of another account if the request names one."""
    name = text(parameters, "QueueName")
    if not name:
        raise invalid("Value for parameter QueueName is invalid. Reason: Must specify a queue name.")
    owner = text(parameters, "QueueOwnerAWSAccountId") or region.account
    home = region if owner == region.account else region.accounts.regions.get((owner, region.name))
    if home is None or name not in home.queues:
        raise no_such_queue()
    return {"QueueUrl": home.queues[name].address.url}


def list_queues(region: Region, parameters: Parameters) -> dict[str, object]:
    """List queues by name, up to 1,000, or `MaxResults` a page."""
    prefix = text(parameters, "QueueNamePrefix") or ""
    return page(sorted(name for name in region.queues if name.startswith(prefix)), region, parameters, "QueueUrls")


def list_dead_letter_source_queues(region: Region, parameters: Parameters) -> dict[str, object]:
    """List the queues that have this one as their dead-letter queue."""
    resource = region.find(parameters)
    names = [name for name, other in region.queues.items() if _targets(other, resource)]
    return {"queueUrls": [], **page(sorted(names), region, parameters, "queueUrls")}


def _targets(source: QueueResource, target: QueueResource) -> bool:
    return f'"{target.address.arn}"' in source.settings.get("RedrivePolicy", "")


def page(names: Sequence[str], region: Region, parameters: Parameters, key: str) -> dict[str, object]:
    """Return one page of URLs, with a token if the request asks for pages and there is a next one."""
    most = integer(parameters, "MaxResults")
    if most is not None and not 1 <= most <= _MOST_LISTED:
        raise invalid_value(most, "MaxResults", f"MaxResults must be an integer between 1 and {_MOST_LISTED}.")
    token = text(parameters, "NextToken")
    after = "" if token is None else _read_token(token)
    left = [name for name in names if name > after]
    shown = left[: most or _MOST_LISTED]
    response: dict[str, object] = {key: [region.queues[name].address.url for name in shown]} if shown else {}
    if most is not None and len(left) > len(shown):
        response["NextToken"] = b64encode(shown[-1].encode()).decode()
    return response


def _read_token(token: str) -> str:
    try:
        return b64decode(token.encode(), validate=True).decode()
    except (Error, ValueError):
        raise invalid("Invalid or expired next token.") from None


def get_queue_attributes(region: Region, parameters: Parameters) -> dict[str, object]:
    """Return the requested attributes, all of them strings."""
    resource = region.find(parameters)
    found = queue_attributes(resource, texts(parameters, "AttributeNames"), EPOCH)
    return {"Attributes": found} if found else {}


def set_queue_attributes(region: Region, parameters: Parameters) -> dict[str, object]:
    """Change attributes. Assumed: they hold at once, not within 60 seconds or 15 minutes (RT-3).

    Assumed: a request without any attribute is refused like one without the parameter.
    """
    resource, given = region.find(parameters), normalized(text_map(parameters, "Attributes"))
    if not given:
        raise missing("Attribute.Name")
    check(given, fifo=resource.fifo)
    home = region.accounts.regions[resource.address.account, resource.address.region]
    policies = check_policies(home, resource.address, given, fifo=resource.fifo)
    resource.settings = merged(resource.settings, {**given, **policies})
    resource.modified_at = region.now
    home.relink()
    return {}


def purge_queue(region: Region, parameters: Parameters) -> dict[str, object]:
    """Remove all messages. Assumed: at once, not within 60 seconds (PQ-1, PQ-3)."""
    resource = region.find(parameters)
    if not may_purge(resource, region.now):
        message = f"Only one PurgeQueue operation on {resource.address.name} is allowed every 60 seconds."
        raise error("PurgeQueueInProgress", message)
    resource.purged_at = region.now
    region.service_of(resource).purge(resource.state)
    return {}


def may_purge(resource: QueueResource, now: int) -> bool:
    """Return whether the latest purge is at least 60 seconds ago (PQ-2)."""
    return resource.purged_at is None or now >= resource.purged_at + _PURGE_EVERY
