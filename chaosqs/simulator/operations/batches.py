"""What all batches have in common: one to ten entries with ids of their own, each judged alone (BT-1 … BT-5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from chaosqs.simulator.operations.errors import ApiError, error, missing
from chaosqs.simulator.operations.parameters import Parameters, sequence, structure, text

_MOST = 10
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


def check_batch(parameters: Parameters, kind: str) -> list[Parameters]:
    """Return the entries of a batch; raise what fails the whole request."""
    entries = [structure(entry) for entry in sequence(parameters, "Entries")]
    if not entries:
        raise error("EmptyBatchRequest", f"There should be at least one {kind} in the request.")
    if len(entries) > _MOST:
        message = f"Maximum number of entries per request are {_MOST}. You have sent {len(entries)}."
        raise error("TooManyEntriesInBatchRequest", message)
    seen: dict[str, None] = {}
    for place, entry in enumerate(entries, start=1):
        name = text(entry, "Id")
        if name is None:
            raise missing(f"{kind}.{place}.Id")
        if not _ID.fullmatch(name):
            raise error(
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores."
                " It can be at most 80 letters long.",
            )
        if name in seen:
            raise error("BatchEntryIdsNotDistinct", f"Id {name} repeated.")
        seen[name] = None
    return entries


def by_entry(entries: Sequence[Parameters], one: Callable[[int, Parameters], dict[str, object]]) -> dict[str, object]:
    """Carry out each entry, counted from 1; what raises an error becomes an entry of `Failed`."""
    successful: list[dict[str, object]] = []
    failed: list[dict[str, object]] = []
    for place, entry in enumerate(entries, start=1):
        try:
            successful.append({"Id": entry["Id"], **one(place, entry)})
        except ApiError as refused:
            failed.append(_failure(entry["Id"], refused))
    return {key: found for key, found in (("Successful", successful), ("Failed", failed)) if found}


def _failure(name: object, refused: ApiError) -> dict[str, object]:
    return {"Id": name, "SenderFault": refused.sender_fault, "Code": refused.code, "Message": refused.message}
