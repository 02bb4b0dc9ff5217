"""Who may execute: reserved, unreserved and provisioned concurrency, and the rates at which both may be used.

=====  ===============================================  ======================================================
LC-3   a reservation is full                            `ReservedFunctionConcurrentInvocationLimitExceeded`
LC-2   what the account has unreserved is full          `ConcurrentInvocationLimitExceeded`
LC-8   10 × its reservation a second                    `ReservedFunctionInvocationRateLimitExceeded`
LC-8   10 × the account's concurrency a second          `FunctionInvocationRateLimitExceeded`
LC-6   1,000 new environments of a function in 10 s     `FunctionInvocationRateLimitExceeded`
LC-7   until 2023-11: an account's 3,000, +500 a min    `ConcurrentInvocationLimitExceeded`
=====  ===============================================  ======================================================

Assumed: the names themselves tell which is which (LC-13), a request that is refused does not count, and the rate of
the functions with a reservation is not part of the account's.
"""

from __future__ import annotations

import attrs

from chaosqs.lambda_.machines.environments import Environment, Environments
from chaosqs.lambda_.machines.invocation_rate import Rate, burst, new_environments, requests
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.design import ERAS, Design, Function

RESERVED = "ReservedFunctionConcurrentInvocationLimitExceeded"
UNRESERVED = "ConcurrentInvocationLimitExceeded"
RESERVED_RATE = "ReservedFunctionInvocationRateLimitExceeded"
RATE = "FunctionInvocationRateLimitExceeded"
"""The reasons of a throttle, as Lambda names them (LC-12, LC-13)."""

_DEFAULTS = Assumptions()


@attrs.frozen
class Refused:
    """No execution is free, or they are asked for too often (LC-11)."""

    reason: str
    running: int
    """Executions that are busy, of `limit`."""
    limit: int
    by_rate: bool = False
    """Whether there is room, and there will be leave to use it in a moment (LC-6, LC-8)."""


@attrs.define(eq=False)
class _Pool:
    """Executions that one limit holds for: those of a reservation, or all that are unreserved."""

    size: int
    requests: Rate
    reason: str
    rate_reason: str
    running: int = 0
    on_demand: int = 0
    """Those that run beyond the provisioned environments."""
    provisioned: int = 0
    """How much of its size is set aside for these (LC-9, LC-10)."""

    def refuse(self, reason: str, *, by_rate: bool) -> Refused:
        """Say how full the pool is for those who have no part in idle provisioned environments."""
        limit = self.size - self.provisioned + self.running - self.on_demand
        return Refused(reason, self.running, limit, by_rate)


@attrs.define(eq=False)
class _Share:
    """One function's part in a pool."""

    pool: _Pool
    environments: Environments
    growth: Rate
    growth_reason: str
    ready_requests: Rate | None
    """How often its provisioned environments may be used; None where it has none."""

    def may_use_ready(self, *, now: int) -> bool:
        """Tell whether a provisioned environment is free. Assumed: those that were asked too often are as busy ones."""
        rate = self.ready_requests
        free = self.environments.ready > 0 and self.pool.running < self.pool.size  # a redeployment may leave too many
        return rate is not None and free and rate.allows(now=now)


@attrs.define(eq=False)
class Executions:
    """The executions of all functions of a design, and their environments.

    The mappings of a function with provisioned concurrency invoke the version that has it, unless they say that it
    is `$LATEST` they want: then what is provisioned is as good as gone (LC-9, LC-10).
    """

    design: Design
    assumptions: Assumptions = _DEFAULTS
    running: dict[str, int] = attrs.field(factory=dict[str, int])
    """Executions of each function that are busy."""
    _shares: dict[str, _Share] = attrs.field(factory=dict[str, _Share])

    def __attrs_post_init__(self) -> None:
        """Start with nothing running and no environment but those that are provisioned."""
        design = self.design
        unreserved = _Pool(design.unreserved_concurrency(), requests(design.account.concurrency), UNRESERVED, RATE)
        shared_growth = burst() if design.era == ERAS[0] else None
        for function in design.functions:
            self.running[function.name] = 0
            self._shares[function.name] = self._share(function, unreserved, shared_growth)

    def _share(self, function: Function, unreserved: _Pool, shared_growth: Rate | None) -> _Share:
        reserved, provisioned = function.reserved_concurrency, function.provisioned_concurrency
        pool = unreserved if reserved is None else _Pool(reserved, requests(reserved), RESERVED, RESERVED_RATE)
        pool.provisioned += provisioned
        environments = Environments(provisioned, self.assumptions.environment_lifetime)
        growth, reason = (new_environments(), RATE) if shared_growth is None else (shared_growth, UNRESERVED)
        return _Share(pool, environments, growth, reason, requests(provisioned) if provisioned else None)

    def refuse(self, function: str, *, now: int) -> Refused | None:
        """Return why a function cannot have one more execution, or None where it can (LC-3, LC-5, LC-6, LC-8).

        Where it never can, receives go on all the same (ES-12).
        """
        share = self._shares[function]
        pool, rate = share.pool, share.ready_requests
        if rate is not None and share.may_use_ready(now=now):
            return None
        if pool.on_demand >= pool.size - pool.provisioned:
            asked_too_often = share.environments.ready > 0 and pool.running < pool.size
            return pool.refuse(pool.rate_reason if asked_too_often else pool.reason, by_rate=asked_too_often)
        if not pool.requests.allows(now=now):
            return pool.refuse(pool.rate_reason, by_rate=True)
        if not (share.environments.warm(now=now) or share.growth.allows(now=now)):
            return pool.refuse(share.growth_reason, by_rate=True)
        return None

    def refuse_unreserved(self, function: str, *, now: int) -> Refused | None:
        """Return how a function is refused while others hold all that the account has unreserved (LC-2).

        None for one with a reservation, or with an idle provisioned environment: nobody takes these (LC-3, LC-9).
        """
        share = self._shares[function]
        pool = share.pool
        if pool.reason != UNRESERVED or share.may_use_ready(now=now):
            return None
        return Refused(UNRESERVED, pool.size, pool.size)

    def forget_idle(self, function: str) -> None:
        """Let the idle environments of a function go; provisioned ones stay (LC-9, LX-13)."""
        self._shares[function].environments.forget_idle()

    def start(self, function: str, *, now: int) -> Environment:
        """Take one execution that `refuse` has not refused, in the environment that is best (LX-13)."""
        share = self._shares[function]
        rate = share.ready_requests if share.may_use_ready(now=now) else None
        self.running[function] += 1
        share.pool.running += 1
        if rate is not None:
            rate.take()
            return share.environments.take_ready()
        share.pool.on_demand += 1
        share.pool.requests.take()
        environment = share.environments.take(now=now)
        if environment.new:
            share.growth.take()
        return environment

    def end(self, function: str, environment: Environment, *, now: int, reusable: bool) -> None:
        """Give an execution back; after a crash or a timeout its environment starts anew (LX-14)."""
        share = self._shares[function]
        self.running[function] -= 1
        share.pool.running -= 1
        share.pool.on_demand -= not environment.provisioned
        share.environments.give_back(environment, now=now, reusable=reusable)

    def redeploy(self, design: Design) -> None:
        """Follow a deployment that has changed: limits change at once, what runs goes on in the environment it has."""
        before, busy = self._shares, dict(self.running)
        self.design, self._shares = design, {}
        self.__attrs_post_init__()
        for name, share in self._shares.items():
            old = before.get(name)
            if old is not None:
                old.environments.provision(share.environments.provisioned)
                share.environments, share.growth = old.environments, old.growth
            self.running[name] = running = busy.get(name, 0)
            share.pool.running += running
            share.pool.on_demand += running - share.environments.busy

    def renew(self, function: str) -> None:
        """Deploy a function anew: what runs goes on in the environment it has, what starts gets a new one."""
        share = self._shares[function]
        share.pool.on_demand += share.environments.busy
        share.environments.renew()

    def limit(self, function: str) -> int:
        """Return the executions that a function can have at the most."""
        return self._shares[function].pool.size
