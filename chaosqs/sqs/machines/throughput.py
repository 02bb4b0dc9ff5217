"""How many calls a second a FIFO queue takes of each action (FF-9, FF-10). Off unless it is asked for."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from chaosqs.model.design import Queue

_NORMAL = 300
"""Calls a second of each action (FF-9)."""
_ELSEWHERE = 2_400
_HIGH: Mapping[str, int] = {
    "us-east-1": 70_000,
    "us-west-2": 70_000,
    "eu-west-1": 70_000,
    "us-east-2": 19_000,
    "eu-central-1": 19_000,
    "ap-south-1": 9_000,
    "ap-southeast-1": 9_000,
    "ap-southeast-2": 9_000,
    "ap-northeast-1": 9_000,
    "eu-west-2": 4_500,
    "sa-east-1": 4_500,
}
"""Calls a second of each action with `perMessageGroupId`, by Region (FF-10; figures of 2026)."""


def limit(queue: Queue, region: str) -> int:
    """Return the calls a second that a FIFO queue takes of each action."""
    return _HIGH.get(region, _ELSEWHERE) if queue.fifo_throughput_limit == "perMessageGroupId" else _NORMAL


@attrs.define(eq=False)
class Throughput:
    """Counts the calls of the present second. Assumed: seconds are counted from the start of virtual time."""

    _second: int = -1
    _calls: dict[str, int] = attrs.field(factory=dict[str, int])

    def admit(self, action: str, most: int, *, now: int) -> bool:
        """Count one call; tell whether it is within the limit (FF-11)."""
        second = now // 1000
        if second != self._second:
            self._second = second
            self._calls.clear()
        calls = self._calls[action] = self._calls.get(action, 0) + 1
        return calls <= most
