"""Sentences call the first message number 0, as the model does."""

from __future__ import annotations

from benchmarks.power.harness import harness_mutant
from benchmarks.power.mutation import Mutation
from chaosqs.invariants import verdicts


def _message_text(message: int) -> str:
    return f"Message {message:,}"


TASK = harness_mutant(
    name="stories-count-from-zero",
    why="Sentences call the first message number 0, as the model does.",
    switch=Mutation(verdicts, "message_text", _message_text),
    self_test="tests/invariants/test_wording.py::test_messages_are_numbered_from_one",
)
