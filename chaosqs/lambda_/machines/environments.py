"""The execution environments of one function: the most recently used is used next; idle ones expire (LX-13)."""

from __future__ import annotations

import attrs


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
