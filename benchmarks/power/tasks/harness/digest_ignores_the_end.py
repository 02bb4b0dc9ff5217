"""The digest of a history leaves out when the run was drained."""

from __future__ import annotations

import hashlib

from benchmarks.power.harness import harness_mutant
from benchmarks.power.mutation import Mutation
from chaosqs.model.history import History


def _digest(self: History) -> str:
    return hashlib.blake2b(repr((self.events, self.ended_at_ms)).encode(), digest_size=16).hexdigest()


TASK = harness_mutant(
    name="digest-ignores-the-end",
    why="The digest of a history leaves out when the run was drained.",
    switch=Mutation(History, "digest", property(_digest)),
    self_test="tests/model/test_history.py::test_digest_is_a_fingerprint_of_all_events",
)
