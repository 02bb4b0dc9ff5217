"""An event source mapping as Lambda's API has it, and its state (EC-21)."""

from __future__ import annotations

import attrs

from chaosqs.esm.mapping import Mapping
from chaosqs.mock_aws.lambda_api.resources import Deployed, Version
from chaosqs.model.design import EventSourceMapping
from chaosqs.sqs.api.queue_resource import QueueResource

SETTLED = ("Enabled", "Disabled")
"""The lasting states of a mapping; all others are temporary."""


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
    """Published metrics (EC-9)."""
    poller: Mapping | None = None
    """The mapping that polls, while enabled."""
    pollers: int = 0
    """Number of pollers that have stopped; new ones are numbered from there."""
    former: list[Mapping] = attrs.field(factory=list[Mapping])
    """Mappings that have stopped polling and may still carry batches."""

    @property
    def version(self) -> Version:
        """The version that the mapping invokes at present."""
        version = self.function.find(self.qualifier)
        assert version is not None, self.qualifier
        return version

    @property
    def carried(self) -> int:
        """Number of batches that its pollers carry."""
        now = 0 if self.poller is None else self.poller.carried
        return now + sum(poller.carried for poller in self.former)
