"""Real code that tasks run: each handler is named in a scenario as `benchmarks.power.handlers:<name>`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Event = Mapping[str, Sequence[Mapping[str, str]]]


def reports_the_second(event: Event, _context: object) -> dict[str, list[dict[str, str]]]:
    """Fail on the second message of all, and say so."""
    failed = [record for record in event["Records"] if record["body"].startswith('{"message": 1}')]
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}
