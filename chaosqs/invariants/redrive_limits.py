"""How many deliveries each queue grants, while operators may change that."""

from __future__ import annotations

import attrs

from chaosqs.model.design import Design
from chaosqs.model.event import Operated


@attrs.define
class RedriveLimits:
    """The max_receive_count of each queue that has a redrive policy, as it stands."""

    counts: dict[str, int]

    @classmethod
    def of(cls, design: Design) -> RedriveLimits:
        """Return what a design says."""
        return cls({queue.name: queue.redrive.max_receive_count for queue in design.queues if queue.redrive})

    def change(self, event: Operated) -> None:
        """Take in what an operator did."""
        if event.setting == "max_receive_count" and event.target in self.counts and event.value.isdigit():
            self.counts[event.target] = int(event.value)
