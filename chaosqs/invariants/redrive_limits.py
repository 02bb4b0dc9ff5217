"""The deliveries that each queue grants, which operators may change during a run."""

from __future__ import annotations

import attrs

from chaosqs.model.design import Design
from chaosqs.model.event import Operated


@attrs.define
class RedriveLimits:
    """The current max_receive_count of each queue that has a redrive policy."""

    counts: dict[str, int]

    @classmethod
    def of(cls, design: Design) -> RedriveLimits:
        """Return the limits of a design."""
        return cls({queue.name: queue.redrive.max_receive_count for queue in design.queues if queue.redrive})

    def change(self, event: Operated) -> None:
        """Apply an operator's change, if it concerns a limit."""
        if event.setting == "max_receive_count" and event.target in self.counts and event.value.isdigit():
            self.counts[event.target] = int(event.value)
