"""Limits on executions: reserved, unreserved and provisioned concurrency, rates, and execution environments.

=====  ===============================================  ======================================================
LC-3   a reservation is full                            `ReservedFunctionConcurrentInvocationLimitExceeded`
LC-2   what the account has unreserved is full          `ConcurrentInvocationLimitExceeded`
LC-8   10 × its reservation a second                    `ReservedFunctionInvocationRateLimitExceeded`
LC-8   10 × the account's concurrency a second          `FunctionInvocationRateLimitExceeded`
LC-6   1,000 new environments of a function in 10 s     `FunctionInvocationRateLimitExceeded`
LC-7   until 2023-11: an account's 3,000, +500 a min    `ConcurrentInvocationLimitExceeded`
=====  ===============================================  ======================================================

Assumed: the reasons belong to the limits that their names suggest (LC-13), a refused request does not count, and
requests of functions with a reservation do not count against the account's rate.
"""

import attrs

from chaosqs.lambda_.machines.asynchronous import pause
from chaosqs.model.alternative import RateLimitedFront
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.design import ERAS, Design, Function
from chaosqs.model.time import MINUTE, milliseconds

# Rates that Lambda allows, as token buckets: each refills continuously, up to its width -------------------------------
#
# Assumed: the amount documented for a period may come all at once, after a period in which nothing came (LC-6, LC-8).

REQUESTS = 10
"""Requests a second for each execution that a function may have (LC-8)."""
_SECOND = 1000
_NEW_ENVIRONMENTS = 1000  # of one function in `_ENVIRONMENTS_PERIOD` (LC-6)
_ENVIRONMENTS_PERIOD = 10 * _SECOND
_BURST = 3000  # LC-7; Assumed: the burst of the largest Regions
_BURST_GROWTH = 500  # a minute (LC-7)


@attrs.define(eq=False)
class Rate:
    """A token bucket: `refill` tokens come in each `period` of milliseconds, and at most `width` are saved up."""

    width: int
    refill: int
    period: int
    _level: int = attrs.field(init=False)
    """Tokens in the bucket, in units of 1/`period` token."""
    _filled_at: int = 0

    def __attrs_post_init__(self) -> None:
        """Start with a full bucket."""
        self._level = self.width * self.period

    def allows(self, *, now: int) -> bool:
        """Refill the bucket; return True if it has a token."""
        level = self._level + (now - self._filled_at) * self.refill
        self._level, self._filled_at = min(level, self.width * self.period), now
        return self._level >= self.period

    def take(self) -> None:
        """Remove a token that `allows` has found."""
        self._level -= self.period


def requests(concurrency: int) -> Rate:
    """Return the rate of requests for a number of executions (LC-8)."""
    return Rate(concurrency * REQUESTS, concurrency * REQUESTS, _SECOND)


def new_environments() -> Rate:
    """Return the rate at which one function gets new environments; unused ones are not saved up (LC-6)."""
    return Rate(_NEW_ENVIRONMENTS, _NEW_ENVIRONMENTS, _ENVIRONMENTS_PERIOD)


def burst() -> Rate:
    """Return the rate at which all functions of an account together got new environments until 2023-11 (LC-7)."""
    return Rate(_BURST, _BURST_GROWTH, MINUTE)


# The rate limiter in front of a function, and the retries of its clients ----------------------------------------------

_LIMITER_PERIOD = 1_000_000
"""Milliseconds in which a rate given in thousandths of a request a second is a whole number of requests."""


@attrs.define(eq=False)
class RateLimiter:
    """The rate limiter in front of one function."""

    settings: RateLimitedFront
    _bucket: Rate = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Start with a full bucket."""
        self._bucket = Rate(self.settings.burst, round(self.settings.requests_per_second * 1000), _LIMITER_PERIOD)

    def admits(self, *, now: int) -> bool:
        """Count a request and return True if it goes through; else the answer is 429."""
        if not self._bucket.allows(now=now):
            return False
        self._bucket.take()
        return True

    def pause(self, attempt: int, share: float) -> int | None:
        """Return the milliseconds until a client retries after `attempt` failures; None: it gives up."""
        if attempt > self.settings.retries:
            return None
        first, limit = milliseconds(self.settings.retry_pause), milliseconds(self.settings.retry_pause_limit)
        return pause(attempt, first, limit, share)


# Execution environments of one function: the most recently used is used next; idle ones expire (LX-13) ----------------


@attrs.define(eq=False)
class Environment:
    """One execution environment; it handles one invocation at a time (LC-1)."""

    number: int
    """Number among the environments of its function, from 1."""
    provisioned: bool
    new: bool
    """True if its first invocation has to wait for its initialisation (LX-12)."""
    reset: bool = False
    """True if a crash or a timeout ended its last invocation: the next one initialises it again (LX-14)."""
    idle_since: int = 0
    generation: int = 0
    """Number of redeployments of its function before it was made."""


@attrs.define(eq=False)
class Environments:
    """All environments of one function."""

    provisioned: int
    """Number of environments that are kept initialised (LC-9); they are ready when a run begins."""
    lifetime: int
    """Assumed: milliseconds without an invocation after which an environment expires; provisioned ones never do."""
    _made: int = 0
    _idle: list[Environment] = attrs.field(factory=list[Environment])
    """Idle environments that are not provisioned, least recently used first."""
    _ready: list[Environment] = attrs.field(factory=list[Environment])
    """Idle provisioned environments."""
    _busy: list[Environment] = attrs.field(factory=list[Environment])
    """Provisioned environments with a running invocation."""
    _generation: int = 0

    def __attrs_post_init__(self) -> None:
        """Make the provisioned environments."""
        self.provision(self.provisioned)

    def provision(self, count: int) -> None:
        """Set the number of provisioned environments; beyond it idle ones go and busy ones lose the status (LC-9)."""
        self.provisioned = count
        more = count - len(self._ready) - len(self._busy)
        self._ready[:0] = [self._make(provisioned=True) for _ in range(more)]
        del self._ready[: max(0, -more)]
        while len(self._busy) > count:
            self._busy.pop().provisioned = False

    @property
    def ready(self) -> int:
        """Number of idle provisioned environments."""
        return len(self._ready)

    @property
    def busy(self) -> int:
        """Number of provisioned environments with a running invocation."""
        return len(self._busy)

    def warm(self, *, now: int) -> bool:
        """Remove expired environments; return True if one that is not provisioned is idle."""
        if self._idle and now - self._idle[-1].idle_since > self.lifetime:
            self._idle.clear()  # the last one is the most recently used, so all others have expired, too
        return bool(self._idle)

    def take_ready(self) -> Environment:
        """Take the most recently used provisioned environment."""
        self._busy.append(self._ready.pop())
        return self._busy[-1]

    def take(self, *, now: int) -> Environment:
        """Take the most recently used idle environment, or make a new one (LX-13)."""
        return self._idle.pop() if self.warm(now=now) else self._make(provisioned=False)

    def forget_idle(self) -> None:
        """Remove all idle environments except provisioned ones, as Lambda may at any time (LX-13)."""
        self._idle.clear()

    def renew(self) -> None:
        """Replace all environments, as a deployment does: idle ones go now, busy ones after their invocation.

        Assumed: as many are provisioned anew at once, and busy ones are no longer provisioned (LC-9).
        """
        self._generation += 1
        self._idle.clear()
        self._ready.clear()
        while self._busy:
            self._busy.pop().provisioned = False
        self.provision(self.provisioned)

    def give_back(self, environment: Environment, *, now: int, reusable: bool) -> None:
        """Take an environment back after an invocation; the next initialises it again unless `reusable` (LX-14)."""
        if environment.generation != self._generation:
            return
        environment.new, environment.reset, environment.idle_since = False, not reusable, now
        (self._ready if environment.provisioned else self._idle).append(environment)
        if environment.provisioned:
            self._busy.remove(environment)

    def _make(self, *, provisioned: bool) -> Environment:
        self._made += 1
        return Environment(self._made, provisioned, new=not provisioned, generation=self._generation)


# Executions and their limits ------------------------------------------------------------------------------------------

RESERVED = "ReservedFunctionConcurrentInvocationLimitExceeded"
UNRESERVED = "ConcurrentInvocationLimitExceeded"
RESERVED_RATE = "ReservedFunctionInvocationRateLimitExceeded"
RATE = "FunctionInvocationRateLimitExceeded"
"""The four reasons of a throttle, as Lambda names them (LC-12, LC-13)."""

_DEFAULTS = Assumptions()


@attrs.frozen
class Refused:
    """A refused invocation: no execution is free, or requests come too often (LC-11)."""

    reason: str
    running: int
    """Busy executions, out of `limit`."""
    limit: int
    by_rate: bool = False
    """True if an execution is free and only a rate is exceeded, for a moment (LC-6, LC-8)."""


@attrs.define(eq=False)
class _Pool:
    """The executions under one limit: those of a reservation, or all unreserved ones."""

    size: int
    requests: Rate
    reason: str
    rate_reason: str
    running: int = 0
    on_demand: int = 0
    """Running executions outside the provisioned environments."""
    provisioned: int = 0
    """Executions of `size` that are set aside for provisioned environments (LC-9, LC-10)."""

    def refuse(self, reason: str, *, by_rate: bool) -> Refused:
        """Return a refusal whose limit leaves out idle provisioned environments."""
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
    """Rate at which its provisioned environments may be used; None if it has none."""

    def may_use_ready(self, *, now: int) -> bool:
        """Return True if a provisioned environment is free. Assumed: over their request rate they count as busy."""
        rate = self.ready_requests
        free = self.environments.ready > 0 and self.pool.running < self.pool.size  # a redeployment may shrink the pool
        return rate is not None and free and rate.allows(now=now)


@attrs.define(eq=False)
class Executions:
    """The executions of all functions of a design, and their environments.

    The mappings of a function with provisioned concurrency invoke the version that has it. For a mapping that asks for
    `$LATEST`, the provisioned concurrency would be unusable (LC-9, LC-10).
    """

    design: Design
    assumptions: Assumptions = _DEFAULTS
    running: dict[str, int] = attrs.field(factory=dict[str, int])
    """Number of busy executions of each function."""
    _shares: dict[str, _Share] = attrs.field(factory=dict[str, _Share])

    def __attrs_post_init__(self) -> None:
        """Start with nothing running and with the provisioned environments only."""
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
        """Return why a function cannot have one more execution, or None if it can (LC-3, LC-5, LC-6, LC-8).

        A function that can never have one does not stop the receives of its mappings (ES-12).
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
        """Return the refusal of a function while others hold all unreserved executions of the account (LC-2).

        None for a function with a reservation or an idle provisioned environment: others cannot use these (LC-3, LC-9).
        """
        share = self._shares[function]
        pool = share.pool
        if pool.reason != UNRESERVED or share.may_use_ready(now=now):
            return None
        return Refused(UNRESERVED, pool.size, pool.size)

    def forget_idle(self, function: str) -> None:
        """Remove the idle environments of a function, except provisioned ones (LC-9, LX-13)."""
        self._shares[function].environments.forget_idle()

    def start(self, function: str, *, now: int) -> Environment:
        """Take one execution that `refuse` has not refused: in a provisioned, an idle or a new environment (LX-13)."""
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
        """Release an execution. Unless `reusable`, its environment is initialised again at the next one (LX-14)."""
        share = self._shares[function]
        self.running[function] -= 1
        share.pool.running -= 1
        share.pool.on_demand -= not environment.provisioned
        share.environments.give_back(environment, now=now, reusable=reusable)

    def redeploy(self, design: Design) -> None:
        """Apply a changed design: limits change at once; running invocations keep their environments."""
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
        """Deploy a function anew: running invocations keep their environments, later ones get new ones."""
        share = self._shares[function]
        share.pool.on_demand += share.environments.busy
        share.environments.renew()

    def limit(self, function: str) -> int:
        """Return the maximum number of executions that a function can have."""
        return self._shares[function].pool.size
