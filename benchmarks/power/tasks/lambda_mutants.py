"""Mutants of Lambda: the number of executions, and the use of their environments."""

from __future__ import annotations

import attrs

from benchmarks.power.mutation import Mutation, mutant
from benchmarks.power.task import pipeline
from chaosqs.lambda_.invocation import Invocation, InvocationOutcome, Lambda
from chaosqs.lambda_.machines.concurrency import Environment, Environments, Executions, Rate, _Pool, _Share
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Account, Function, Queue
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

# pyright: reportPrivateUsage=false

# The original functions, for defects that wrap them.
_end, _share = Executions.end, Executions._share
_end_invocation = Lambda._end
_give_back = Environments.give_back


def _environments_not_kept(self: Environments, environment: Environment, *, now: int, reusable: bool) -> None:
    _give_back(self, environment, now=now, reusable=reusable)
    self.forget_idle()


def _other_traffic_ignored(
    self: Executions, function: Function, unreserved: _Pool, shared_growth: Rate | None
) -> _Share:
    unreserved.size = self.design.account.concurrency
    return _share(self, function, unreserved, shared_growth)


def _provisioned_environment_lost(self: Environments, environment: Environment, *, now: int, reusable: bool) -> None:
    if reusable or not environment.provisioned:
        _give_back(self, environment, now=now, reusable=reusable)


def _reservation_shared(self: Executions, function: Function, unreserved: _Pool, shared_growth: Rate | None) -> _Share:
    return _share(self, attrs.evolve(function, reserved_concurrency=None), unreserved, shared_growth)


def _slot_given_back_twice(
    self: Executions, function: str, environment: Environment, *, now: int, reusable: bool
) -> None:
    _end(self, function, environment, now=now, reusable=reusable)
    self._shares[function].pool.running -= not reusable
    self._shares[function].pool.on_demand -= not reusable


def _slot_leaked_after_timeout(
    self: Executions, function: str, environment: Environment, *, now: int, reusable: bool
) -> None:
    _end(self, function, environment, now=now, reusable=reusable)
    self._shares[function].pool.running += not reusable
    self._shares[function].pool.on_demand += not reusable


def _slot_leaked_on_error(self: Lambda, invocation: Invocation, outcome: InvocationOutcome) -> None:
    _end_invocation(self, invocation, outcome)
    pool = self.executions._shares[invocation.request.mapping.function].pool
    pool.running += outcome.outcome == "raised"
    pool.on_demand += outcome.outcome == "raised"


TASKS = (
    mutant(
        "environments-not-kept",  # LX-13
        "An environment is thrown away after its invocation, so that every invocation starts cold.",
        Mutation(Environments, "give_back", _environments_not_kept),
        "conservation",
        Scenario(pipeline(function=Function("worker", timeout=5, reserved_concurrency=2))),
    ),
    mutant(
        "other-traffic-ignored",  # LC-2
        "Functions without a reservation get what the account's other traffic uses, too.",
        Mutation(Executions, "_share", _other_traffic_ignored),
        "concurrency-within-its-limits",
        Scenario(
            pipeline(Queue("orders", visibility_timeout=30), account=Account(concurrency=10, other_traffic=8)),
            [Burst("orders", 3, over=1)],
            {"worker": Behaviour(seconds_per_batch=1)},
        ),
    ),
    mutant(
        "provisioned-environment-lost",  # LC-9
        "A provisioned environment is not provisioned again after a crash or a timeout.",
        Mutation(Environments, "give_back", _provisioned_environment_lost),
        "drains-after-healing",
        Scenario(
            pipeline(function=Function("worker", timeout=5, reserved_concurrency=2, provisioned_concurrency=2)),
            [Burst("orders", 1)],
            {"worker": Behaviour()},
            FaultPlan(messages=[["timeout", "timeout"]]),
        ),
        given=True,
    ),
    mutant(
        "reservation-shared",  # LC-3
        "A function with a reservation runs in what is unreserved, like all others.",
        Mutation(Executions, "_share", _reservation_shared),
        "concurrency-within-its-limits",
        Scenario(
            pipeline(Queue("orders", visibility_timeout=30), Function("worker", timeout=5, reserved_concurrency=2)),
            [Burst("orders", 3, over=1)],
            {"worker": Behaviour(seconds_per_batch=1)},
        ),
    ),
    mutant(
        "slot-given-back-twice",  # LX-14
        "An invocation that crashed or timed out gives its execution back twice, so that others get one too many.",
        Mutation(Executions, "end", _slot_given_back_twice),
        "concurrency-within-its-limits",
        Scenario(
            pipeline(Queue("orders", visibility_timeout=30), Function("worker", timeout=5, reserved_concurrency=2))
        ),
    ),
    mutant(
        "slot-leaked-after-timeout",  # LX-9, LX-14
        "The execution of an invocation that crashed or timed out is not given back.",
        Mutation(Executions, "end", _slot_leaked_after_timeout),
        "concurrency-within-its-limits",
        Scenario(
            pipeline(Queue("orders", visibility_timeout=30), Function("worker", timeout=5, reserved_concurrency=2))
        ),
    ),
    mutant(
        "slot-leaked-on-error",  # LX-7
        "The execution of an invocation that raised is not given back.",
        Mutation(Lambda, "_end", _slot_leaked_on_error),
        "drains-after-healing",
        Scenario(
            pipeline(Queue("orders", visibility_timeout=30), Function("worker", timeout=5, reserved_concurrency=1)),
            [Burst("orders", 1)],
            {"worker": Behaviour()},
            FaultPlan(messages=[["error"]]),
        ),
        given=True,
    ),
)
