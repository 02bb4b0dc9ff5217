"""For how long a run is worth watching: until everything is over, and in some designs until a dead letter is gone.

In a standard dead-letter queue the retention counts from the sending (DLQ-9). One that keeps messages no longer than
their source lets them expire early, hours or days after everything else is over. A run lasts until then, which costs
nothing, as nothing happens meanwhile: but only if each message that is polled for can leave its queue for a dead-letter
queue. One that goes round until its retention ends would do so for days.

A design that leaves both periods as AWS has them, at four days, has not chosen: what its retries take of them is
minutes, and each such design would be accused of that. It is not waited for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, Queue
from chaosqs.model.fault import FaultPlan
from chaosqs.model.horizon import bound
from chaosqs.model.workload import Load

_USUAL = Queue("usual").retention_period  # seconds (RT-1)


def run_length(
    design: Design,
    workload: Sequence[Load],
    behaviours: Mapping[str, Behaviour],
    faults: FaultPlan | None = None,
    assumptions: Assumptions | None = None,
) -> int:
    """Return how many seconds a run has to last to show what can go wrong: `horizon`, or longer."""
    known = bound(design, workload, behaviours, faults or FaultPlan(), assumptions or Assumptions())
    kept = _kept_briefly(design)
    return ceil(max(known.seconds, known.last_arrival + known.plan + known.sending + kept + 1 if kept else 0))


def _kept_briefly(design: Design) -> int:
    """Return the longest retention, in seconds, of a dead-letter queue from which messages expire early; 0: of none."""
    polled = {mapping.queue for mapping in design.mappings if mapping.enabled}
    sources = [design.queue(name) for name in sorted(polled)]
    if any(source.redrive is None for source in sources):
        return 0
    pairs = [
        (source, design.queue(source.redrive.dead_letter_queue))
        for source in sources
        if source.redrive and not source.fifo
    ]
    return max((target.retention_period for source, target in pairs if _is_brief(source, target)), default=0)


def _is_brief(source: Queue, target: Queue) -> bool:
    chosen = (source.retention_period, target.retention_period) != (_USUAL, _USUAL)
    return chosen and target.retention_period <= source.retention_period
