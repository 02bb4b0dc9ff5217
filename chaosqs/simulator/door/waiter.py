"""The one thing that differs between a test that drives time and a simulation that is driven by it: how to wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Waiter(Protocol):
    """Answers calls in virtual time, on behalf of whoever made them."""

    def call(self, operation: str, parameters: Mapping[str, object], *, region: str) -> Mapping[str, object]:
        """Carry out an operation of SQS; a long poll returns when it has its answer. Raises `ApiError`."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let the caller sleep: what botocore does between two attempts."""
        ...

    def jitter(self) -> float:
        """Return the chance, from 0 to 1, by which botocore shortens a sleep between two attempts."""
        ...

    def epoch(self) -> float:
        """Return the time as AWS's clocks have it, in seconds since 1970."""
        ...
