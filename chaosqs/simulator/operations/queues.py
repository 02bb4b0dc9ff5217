"""Queues themselves: created, deleted, found, listed, configured, purged."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping, Sequence

from chaosqs.simulator.operations.errors import error, invalid, invalid_value, no_such_queue
from chaosqs.simulator.operations.hosted import Hosted
from chaosqs.simulator.operations.parameters import Parameters, integer, text, text_map, texts
from chaosqs.simulator.operations.policies import check_policies
from chaosqs.simulator.operations.queue_attributes import queue_attributes
from chaosqs.simulator.operations.region import Region
from chaosqs.simulator.operations.settings import check, defaults, merged, queue_of
from chaosqs.simulator.operations.tags import check_tags

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_FIFO_NAME = re.compile(r"[A-Za-z0-9_-]{1,75}\.fifo")
_PURGE_EVERY = 60_000
_MOST_LISTED = 1000


def create_queue(region: Region, parameters: Parameters) -> dict[str, object]:
    """Create a queue, or return the URL of the one that is there with the same attributes (DQ-2)."""
    name, given = text(parameters, "QueueName"), text_map(parameters, "Attributes")
    fifo = _check_name(name, given.get("FifoQueue"))
    assert name is not None
    check(given, fifo=fifo)
    tags = check_tags({}, text_map(parameters, "tags"))
    policies = check_policies(region, region.address(name), given, fifo=fifo)
    settings = merged(defaults(fifo=fifo), {**given, **policies})
    existing = region.queues.get(name)
    if existing is not None:
        _check_same(existing, {**given, **policies})
        return {"QueueUrl": existing.address.url}
    deleted = region.deleted_at.get(name)
    if deleted is not None and region.now < deleted + region.world.recreate_after:  # DQ-1
        message = "You must wait 60 seconds after deleting a queue before you can create another with the same name."
        raise error("QueueDeletedRecently", message)
    hosted = region.host(queue_of(name, settings), settings)
    hosted.tags = tags
    region.relink()
    return {"QueueUrl": hosted.address.url}


def _check_name(name: str | None, fifo: str | None) -> bool:
    """Raise what is wrong with a queue's name; tell whether it is a FIFO queue's (FF-1)."""
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


def _check_same(existing: Hosted, given: Mapping[str, str]) -> None:
    """Refuse to create a queue anew with other attributes; those that are not given do not matter (DQ-2)."""
    for name, value in given.items():
        if existing.settings.get(name, "") != value:
            raise error(
                "QueueNameExists",
                f"A queue already exists with the same name and a different value for attribute {name}",
            )


def delete_queue(region: Region, parameters: Parameters) -> dict[str, object]:
    """Delete a queue with all that is in it. Assumed: at once, not within 60 seconds (DQ-1)."""
    hosted = region.find(parameters)
    home = region.world.regions[hosted.address.account, hosted.address.region]
    home.service.purge(hosted.line)
    del home.queues[hosted.address.name]
    home.deleted_at[hosted.address.name] = region.now
    home.relink()
    return {}


def get_queue_url(region: Region, parameters: Parameters) -> dict[str, object]:
    """Return the URL of a queue by name, of another account where that is given."""
    name = text(parameters, "QueueName")
    if not name:
        raise invalid("Value for parameter QueueName is invalid. Reason: Must specify a queue name.")
    owner = text(parameters, "QueueOwnerAWSAccountId") or region.account
    home = region if owner == region.account else region.world.regions.get((owner, region.name))
    if home is None or name not in home.queues:
        raise no_such_queue()
    return {"QueueUrl": home.queues[name].address.url}


def list_queues(region: Region, parameters: Parameters) -> dict[str, object]:
    """List queues by name, up to 1,000, or `MaxResults` a page."""
    prefix = text(parameters, "QueueNamePrefix") or ""
    return page(sorted(name for name in region.queues if name.startswith(prefix)), region, parameters, "QueueUrls")


def list_dead_letter_source_queues(region: Region, parameters: Parameters) -> dict[str, object]:
    """List the queues that have this one as their dead-letter queue."""
    hosted = region.find(parameters)
    names = [name for name, other in region.queues.items() if _targets(other, hosted)]
    answer = page(sorted(names), region, parameters, "queueUrls")
    return {"queueUrls": [], **answer}


def _targets(source: Hosted, target: Hosted) -> bool:
    return f'"{target.address.arn}"' in source.settings.get("RedrivePolicy", "")


def page(names: Sequence[str], region: Region, parameters: Parameters, key: str) -> dict[str, object]:
    """Return one page of URLs, with a token for the next one where there is one and pages were asked for."""
    most = integer(parameters, "MaxResults")
    if most is not None and not 1 <= most <= _MOST_LISTED:
        raise invalid_value(most, "MaxResults", f"MaxResults must be an integer between 1 and {_MOST_LISTED}.")
    token = text(parameters, "NextToken")
    after = "" if token is None else _read_token(token)
    left = [name for name in names if name > after]
    shown = left[: most or _MOST_LISTED]
    answer: dict[str, object] = {key: [region.queues[name].address.url for name in shown]} if shown else {}
    if most is not None and len(left) > len(shown):
        answer["NextToken"] = b64encode(shown[-1].encode()).decode()
    return answer


def _read_token(token: str) -> str:
    try:
        return b64decode(token.encode(), validate=True).decode()
    except (Error, ValueError):
        raise invalid("Invalid or expired next token.") from None


def get_queue_attributes(region: Region, parameters: Parameters) -> dict[str, object]:
    """Return the attributes that are asked for, all of them strings."""
    hosted = region.find(parameters)
    found = queue_attributes(hosted, texts(parameters, "AttributeNames"), region.world.epoch)
    return {"Attributes": found} if found else {}


def set_queue_attributes(region: Region, parameters: Parameters) -> dict[str, object]:
    """Change attributes. Assumed: they hold at once, not within 60 seconds or 15 minutes (RT-3)."""
    hosted, given = region.find(parameters), text_map(parameters, "Attributes")
    check(given, fifo=hosted.fifo)
    home = region.world.regions[hosted.address.account, hosted.address.region]
    policies = check_policies(home, hosted.address, given, fifo=hosted.fifo)
    hosted.settings = merged(hosted.settings, {**given, **policies})
    hosted.modified_at = region.now
    home.relink()
    return {}


def purge_queue(region: Region, parameters: Parameters) -> dict[str, object]:
    """Remove all messages. Assumed: at once, not within 60 seconds (PQ-1, PQ-3)."""
    hosted = region.find(parameters)
    if not may_purge(hosted, region.now):
        message = f"Only one PurgeQueue operation on {hosted.address.name} is allowed every 60 seconds."
        raise error("PurgeQueueInProgress", message)
    hosted.purged_at = region.now
    region.service_of(hosted).purge(hosted.line)
    return {}


def may_purge(hosted: Hosted, now: int) -> bool:
    """Tell whether the latest purge is long enough ago (PQ-2)."""
    return hosted.purged_at is None or now >= hosted.purged_at + _PURGE_EVERY
