"""AddPermission and RemovePermission: statements of the queue's policy, stored and shown, never enforced."""

from __future__ import annotations

import json
from collections.abc import Sequence

from chaosqs.simulator.operations.errors import error, invalid_value, missing
from chaosqs.simulator.operations.hosted import Hosted
from chaosqs.simulator.operations.parameters import Parameters, is_map, required_text, sequence, structure, texts
from chaosqs.simulator.operations.region import Region
from chaosqs.simulator.operations.settings import compact

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


def add_permission(region: Region, parameters: Parameters) -> dict[str, object]:
    """Add a statement that lets accounts call actions."""
    hosted, label = region.find(parameters), required_text(parameters, "Label")
    accounts, actions = texts(parameters, "AWSAccountIds"), texts(parameters, "Actions")
    for name, given in (("AWSAccountIds", accounts), ("Actions", actions)):
        if not given:
            raise missing(name)
    for action in actions:
        if action not in _ACTIONS:
            reason = "Please refer to the appropriate WSDL for a list of valid actions. "
            raise invalid_value(f"SQS:{action}", "ActionName", reason)
    if len(actions) > _MOST_ACTIONS:
        raise error("OverLimit", f"{len(actions)} Actions were found, maximum allowed is {_MOST_ACTIONS}.")
    statements = _statements(hosted)
    if any(statement.get("Sid") == label for statement in statements):
        raise invalid_value(label, "Label", "Already exists.")
    statement: dict[str, object] = {
        "Sid": label,
        "Effect": "Allow",
        "Principal": {"AWS": _one_or_many([f"arn:aws:iam::{account}:root" for account in accounts])},
        "Action": _one_or_many([f"SQS:{action}" for action in actions]),
        "Resource": hosted.address.arn,
    }
    _store(hosted, [*statements, statement])
    return {}


def remove_permission(region: Region, parameters: Parameters) -> dict[str, object]:
    """Remove the statement of a label."""
    hosted, label = region.find(parameters), required_text(parameters, "Label")
    statements = _statements(hosted)
    left = [statement for statement in statements if statement.get("Sid") != label]
    if len(left) == len(statements):
        raise invalid_value(label, "Label", "can't find label.")
    _store(hosted, left)
    return {}


def _statements(hosted: Hosted) -> list[Parameters]:
    policy: object = json.loads(hosted.settings.get("Policy", "{}"))
    fields = structure(policy)
    statements = fields.get("Statement")
    return [structure(statements)] if is_map(statements) else [structure(s) for s in sequence(fields, "Statement")]


def _store(hosted: Hosted, statements: Sequence[Parameters]) -> None:
    if not statements:
        hosted.settings.pop("Policy", None)
        return
    policy = structure(json.loads(hosted.settings.get("Policy", "{}")))
    identity = {"Version": "2008-10-17", "Id": f"{hosted.address.arn}/SQSDefaultPolicy"}
    hosted.settings["Policy"] = compact({**identity, **policy, "Statement": list(statements)})


def _one_or_many(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values
