"""A broken consumer: it skips what it has begun, although the invocation that had begun it died (LX-14, EF-3)."""

from __future__ import annotations

import attrs

from chaosqs.model.history import History
from chaosqs.simulation.alone import attempts
from tests.known_bad.known_bad import KnownBad
from tests.known_bad.publish_that_is_not_checked import handled

MESSAGE = ("orders→worker", 0)


def cut_off(handler: str) -> History:
    """One message; its first invocation dies before it publishes. What it should do is known from a run of its own."""
    history = handled(handler, "crash:3", 1)
    outcome = attempts(history, [MESSAGE])[MESSAGE].run()
    assert outcome is not None
    return attrs.evolve(history, alone={MESSAGE: outcome})


KNOWN_BAD = KnownBad(
    breaks="no-work-half-done",
    says="Message N counts as processed without sns Publish: worker had begun it when it crashed at 0.28 s, "
    "and skipped it at 30.0 s.",
    bad_history=lambda: cut_off("begins_and_skips"),
    near_miss=lambda: cut_off("begins_again"),
)
