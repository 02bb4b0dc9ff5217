"""How long the calls of a poller take: medians that are assumed, and a spread that luck draws from."""

from __future__ import annotations

import attrs

from chaosqs.model.assumptions import Assumptions
from chaosqs.simulator.crew import Poller
from chaosqs.simulator.luck import Luck, site

_RECEIVE, _INVOKE, _DELETE, _RETRY = map(
    site, ("receive latency", "invoke latency", "delete latency", "throttle retry")
)


@attrs.frozen
class Latency:
    """The latencies of one run; all in milliseconds, at least 1."""

    luck: Luck
    assumptions: Assumptions

    def receive(self, poller: Poller) -> int:
        """From SQS's answer to a receive to the poller."""
        return self._around(self.assumptions.receive_latency, _RECEIVE, poller)

    def invoke(self, poller: Poller) -> int:
        """From the poller to the first line of the handler."""
        return self._around(self.assumptions.invoke_latency, _INVOKE, poller)

    def delete(self, poller: Poller) -> int:
        """From the end of the handler to the deletion of its batch."""
        return self._around(self.assumptions.delete_latency, _DELETE, poller)

    def pause(self, poller: Poller) -> int:
        """Between two attempts with a throttled batch. Assumed: doubles each time, with full jitter (ES-10)."""
        first, limit = self.assumptions.throttle_retry, self.assumptions.throttle_retry_limit
        ceiling = min(limit, first << min(poller.attempts - 1, 20))
        return max(1, round(ceiling * self.luck.fraction(_RETRY ^ poller.site, poller.receives, poller.attempts)))

    def _around(self, median: int, kind: int, poller: Poller) -> int:
        spread = self.assumptions.latency_spread / 100
        return max(1, round(self.luck.around(median, spread, kind ^ poller.site, poller.receives)))
