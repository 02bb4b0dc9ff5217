"""A handler that keeps things in its module, as handlers that cache or deduplicate do."""

from __future__ import annotations

SEEN: list[str] = []
COUNTS: dict[str, list[int]] = {"calls": []}
latest = ""


class Store:
    """An object of the module's own."""

    def __init__(self) -> None:
        self.kept: dict[str, int] = {}


store = Store()


def handler(event: dict[str, list[dict[str, str]]], _: object) -> None:
    """Fail on whatever it has not seen before."""
    global latest  # noqa: PLW0603 - that is what is tested
    new = [record["messageId"] for record in event["Records"] if record["messageId"] not in SEEN]
    SEEN.extend(new)
    COUNTS["calls"].append(len(new))
    store.kept.update(dict.fromkeys(new, 1))
    latest = event["Records"][0]["messageId"]
    if new:
        raise ValueError("never seen before")
