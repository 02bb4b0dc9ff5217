"""Mutants of the harness itself, each with the self-test that must fail while the mutant is on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import import_module

from benchmarks.power.harness import harness_mutant
from benchmarks.power.mutation import Mutation
from chaosqs.faults.injector import FaultInjector
from chaosqs.invariants import drains_after_healing, no_second_processing, verdicts
from chaosqs.kernel.schedule import Pauses
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.delivery import Delivery
from chaosqs.model.faults import OK, FaultPlan
from chaosqs.model.history import History
from chaosqs.model.liveness import liveness_deadline
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict
from chaosqs.search import oracle, simplicity
from chaosqs.search.finding import Tally
from chaosqs.search.oracle import Oracle
from chaosqs.simulation import run

_verdict = Tally.verdict


def _banned_kinds_strike(self: FaultPlan, message: int, receive: int) -> str:
    receives = self.messages[message] if message < len(self.messages) else ()
    return receives[receive - 1] if receive <= len(receives) else OK


def _digest_ignores_the_end(self: History) -> str:
    return hashlib.blake2b(repr((self.events, self.ended_at_ms)).encode(), digest_size=16).hexdigest()


def _digest_ignores_time(self: History) -> str:
    names = [type(event).__name__ for event in self.events]
    return f"{names} {self.ended_at_ms} {self.drained_at_ms}"


def _every_fault_is_needed(_scenario: Scenario, _plan: FaultPlan, _oracle: Oracle) -> bool:
    return True


def _faults_excuse_nothing(_history: History, _first: Delivery, _second: Delivery) -> str:
    return ""


def _faults_weigh_nothing(_plan: FaultPlan) -> int:
    return 0


def _healing_forgotten(_self: FaultInjector, _now: int) -> bool:
    return False


def _liveness_bound_too_short(*arguments: object) -> int:
    return liveness_deadline(*arguments) // 2  # type: ignore[arg-type]


def _neighbours_are_blamed(verdict: Verdict, _queue: str | None) -> Verdict:
    return verdict


def _never_exercised_holds(self: Tally, invariant: str) -> Verdict:
    found = _verdict(self, invariant)
    idle = found.status is Status.NOT_EXERCISED
    return Verdict(invariant, Status.HOLDS) if idle else found


def _replay_ignores_pauses(_self: Pauses, _task: str, _step: int, _taken: int) -> int:
    return 0


def _shrinker_believes_the_first_world(_oracle: Oracle, variants: list[Scenario], _limit: int) -> Scenario | None:
    return variants[0] if variants else None


def _shrinker_never_steps(
    scenario: Scenario, _oracle: Oracle, _given: Mapping[str, Behaviour], _simulations: int
) -> Scenario:
    return scenario


def _stories_count_from_zero(message: int) -> str:
    return f"Message {message:,}"


def _verify_compares_nothing(_first: History, _second: History) -> None:
    return


TASKS = (
    harness_mutant(
        "banned-kinds-strike",
        "A fault kind that a plan bans strikes all the same.",
        Mutation(FaultPlan, "outcome", _banned_kinds_strike),
        "tests/model/test_faults.py::test_banned_kind_is_as_good_as_absent",
    ),
    harness_mutant(
        "digest-ignores-the-end",
        "The digest of a history leaves out when the run was drained.",
        Mutation(History, "digest", property(_digest_ignores_the_end)),
        "tests/model/test_history.py::test_digest_is_a_fingerprint_of_all_events",
    ),
    harness_mutant(
        "digest-ignores-time",
        "The digest of a history leaves out when things happened, so two different runs pass for one.",
        Mutation(History, "digest", property(_digest_ignores_time)),
        "tests/model/test_digest.py",
    ),
    harness_mutant(
        "every-fault-is-needed",
        "An explanation calls each fault of a plan needed, without trying to leave it out.",
        Mutation(import_module("chaosqs.explain.explain"), "_holds_with", _every_fault_is_needed),
        "tests/explain/test_explain.py::test_faults_that_do_not_matter_are_left_out",
    ),
    harness_mutant(
        "faults-excuse-nothing",
        "A fault from outside excuses no second delivery, so sound designs are accused.",
        Mutation(no_second_processing, "excuse", _faults_excuse_nothing),
        "tests/invariants/test_no_second_processing.py::test_faults_excuse",
    ),
    harness_mutant(
        "faults-weigh-nothing",
        "The order of scenarios does not count faults, so a story with one passes for as calm as one without.",
        Mutation(simplicity, "_faults", _faults_weigh_nothing),
        "tests/search/test_shrink.py::test_the_order_is_the_one_that_is_stated",
    ),
    harness_mutant(
        "healing-forgotten",
        "Faults go on striking after the moment at which the plan heals.",
        Mutation(FaultInjector, "_is_healed", _healing_forgotten),
        "tests/faults/test_faults.py",
    ),
    harness_mutant(
        "liveness-bound-too-short",
        "The liveness check waits for half the time that the design may need.",
        Mutation(drains_after_healing, "liveness deadline", _liveness_bound_too_short),
        "tests/invariants/test_drains_after_healing.py",
    ),
    harness_mutant(
        "neighbours-are-blamed",
        "Violations about messages of other queues count for this mapping.",
        Mutation(oracle, "attributed", _neighbours_are_blamed),
        "tests/search/test_search.py::test_only_violations_of_the_mapping_count",
    ),
    harness_mutant(
        "never-exercised-holds",
        "A tally calls a promise kept although no case could have broken it.",
        Mutation(Tally, "verdict", _never_exercised_holds),
        "tests/search/test_tally.py",
    ),
    harness_mutant(
        "replay-ignores-pauses",
        "A replay takes no notice of the pauses of its plan.",
        Mutation(Pauses, "hold", _replay_ignores_pauses),
        "tests/search/test_schedules.py::test_what_a_policy_did_replays_as_pauses",
    ),
    harness_mutant(
        "shrinker-believes-the-first-world",
        "The shrinker takes the first world it looks at, whether that violates anything or not.",
        Mutation(import_module("chaosqs.search.shrink"), "_violating", _shrinker_believes_the_first_world),
        "tests/search/test_shrink.py::test_faults_shrink_to_one",
    ),
    harness_mutant(
        "shrinker-never-steps",
        "The shrinker takes no step downhill, so faults and messages stay that nobody needs.",
        Mutation(import_module("chaosqs.search.shrink"), "_downhill", _shrinker_never_steps),
        "tests/search/test_downhill.py",
    ),
    harness_mutant(
        "stories-count-from-zero",
        "Sentences call the first message number 0, as the model does.",
        Mutation(verdicts, "message_text", _stories_count_from_zero),
        "tests/invariants/test_wording.py::test_messages_are_numbered_from_one",
    ),
    harness_mutant(
        "verify-compares-nothing",
        "`verify` runs a scenario twice and does not look at the difference.",
        Mutation(run, "_compare", _verify_compares_nothing),
        "tests/lambda_/test_guards.py::test_a_module_that_remembers_the_run_before_is_not_deterministic",
    ),
)
