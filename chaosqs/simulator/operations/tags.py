"""TagQueue, UntagQueue, ListQueueTags."""

from __future__ import annotations

from collections.abc import Mapping

from chaosqs.simulator.operations.errors import invalid, missing
from chaosqs.simulator.operations.parameters import Parameters, text_map, texts
from chaosqs.simulator.operations.region import Region

_MOST = 50


def tag_queue(region: Region, parameters: Parameters) -> dict[str, object]:
    """Add tags to a queue, or change them."""
    hosted, given = region.find(parameters), text_map(parameters, "Tags")
    if not given:
        raise missing("Tags")
    hosted.tags = check_tags(hosted.tags, given)
    return {}


def untag_queue(region: Region, parameters: Parameters) -> dict[str, object]:
    """Remove tags from a queue; what it does not have is ignored."""
    hosted, keys = region.find(parameters), texts(parameters, "TagKeys")
    if not keys:
        raise invalid("Tag keys can't be empty.")
    for key in keys:
        hosted.tags.pop(key, None)
    return {}


def list_queue_tags(region: Region, parameters: Parameters) -> dict[str, object]:
    """Return the tags of a queue."""
    tags = region.find(parameters).tags
    return {"Tags": dict(tags)} if tags else {}


def check_tags(tags: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return tags with new ones among them; raise where that are more than 50 (Assumed text)."""
    result = {**tags, **given}
    if len(result) > _MOST:
        raise invalid(f"Too many tags added for queue: at most {_MOST} are allowed.")
    return result
