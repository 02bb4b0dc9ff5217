"""An event source mapping as Lambda has it, and its state (EC-21)."""

from __future__ import annotations

import attrs

from chaosqs.esm.mapping import Mapping
from chaosqs.mock_aws.lambda_api.resources import Deployed, Version
from chaosqs.model.design import EventSourceMapping
from chaosqs.sqs.api.queue_resource import QueueResource

SETTLED = ("Enabled", "Disabled")
"""The states that a mapping stays in; all others pass."""


@attrs.define(eq=False)
class Mapped:
    """One event source mapping of a queue."""

    uuid: str
    arn: str
    resource: QueueResource
    function: Deployed
    qualifier: str
    """A version or an alias, or empty (EC-25)."""
    settings: EventSourceMapping
    modified_at: int
    state: str = "Creating"
    metrics: tuple[str, ...] = ()
    """Which metrics are published (EC-9)."""
    poller: Mapping | None = None
    """What polls, while it is enabled."""
    pollers: int = 0
    """How many pollers it had before it was configured anew."""
    former: list[Mapping] = attrs.field(factory=list[Mapping])
    """What polled before it was configured anew, and may still carry batches."""

    @property
    def version(self) -> Version:
        """The version that it invokes at present."""
        version = self.function.find(self.qualifier)
        assert version is not None, self.qualifier
        return version

    @property
    def carried(self) -> int:
        """How many batches are in its pollers' hands."""
        now = 0 if self.poller is None else self.poller.carried
        return now + sum(poller.carried for poller in self.former)
