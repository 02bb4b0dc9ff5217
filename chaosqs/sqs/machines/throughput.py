"""Limits on the calls a second of each action to a FIFO queue (FF-9, FF-10). Off unless asked for."""

from collections.abc import Mapping

import attrs

from chaosqs.model.design import Queue

_NORMAL_LIMIT = 300
"""Calls a second of each action without high throughput (FF-9)."""
_HIGH_LIMITS: Mapping[str, int] = {
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
_HIGH_LIMIT_ELSEWHERE = 2_400


def limit(queue: Queue, region: str) -> int:
    """Return the maximum calls a second of each action to a FIFO queue."""
    high = queue.fifo_throughput_limit == "perMessageGroupId"
    return _HIGH_LIMITS.get(region, _HIGH_LIMIT_ELSEWHERE) if high else _NORMAL_LIMIT


@attrs.define(eq=False)
class Throughput:
    """Counts the calls of the current second. Assumed: seconds are counted from the start of virtual time."""

    _second: int = -1
    _calls: dict[str, int] = attrs.field(factory=dict[str, int])

    def admit(self, action: str, most: int, *, now: int) -> bool:
        """Count one call; return True if it is within the limit (FF-11)."""
        second = now // 1000
        if second != self._second:
            self._second = second
            self._calls.clear()
        calls = self._calls[action] = self._calls.get(action, 0) + 1
        return calls <= most
