"""The execution environments of one function: the one that was used last is used next, and idle ones go (LX-13)."""

from __future__ import annotations

import attrs


@attrs.define(eq=False)
class Environment:
    """One execution environment; it handles one invocation at a time (LC-1)."""

    number: int
    """Which one of its function it is, from 1."""
    provisioned: bool
    new: bool
    """Whether its first invocation has to wait for its initialisation (LX-12)."""
    reset: bool = False
    """Whether a crash or a timeout ended its last invocation: the next one initialises it again (LX-14)."""
    idle_since: int = 0
    generation: int = 0
    """How many deployments its function had before it was made."""


@attrs.define(eq=False)
class Environments:
    """All environments of one function."""

    provisioned: int
    """How many are kept initialised (LC-9); they are ready when a run begins."""
    lifetime: int
    """Assumed: milliseconds without an invocation after which one goes; those that are provisioned stay."""
    _made: int = 0
    _idle: list[Environment] = attrs.field(factory=list[Environment])
    """In the order in which they were last used."""
    _ready: list[Environment] = attrs.field(factory=list[Environment])
    """The provisioned ones that are idle."""
    _busy: list[Environment] = attrs.field(factory=list[Environment])
    """The provisioned ones that have an invocation."""
    _generation: int = 0

    def __attrs_post_init__(self) -> None:
        """Initialise what is provisioned."""
        self.provision(self.provisioned)

    def provision(self, count: int) -> None:
        """Have so many provisioned: idle ones go first, and busy ones beyond it are none from now on (LC-9)."""
        self.provisioned = count
        more = count - len(self._ready) - len(self._busy)
        self._ready[:0] = [self._make(provisioned=True) for _ in range(more)]
        del self._ready[: max(0, -more)]
        while len(self._busy) > count:
            self._busy.pop().provisioned = False

    @property
    def ready(self) -> int:
        """How many provisioned ones are idle."""
        return len(self._ready)

    @property
    def busy(self) -> int:
        """How many provisioned ones have an invocation."""
        return len(self._busy)

    def warm(self, *, now: int) -> bool:
        """Tell whether one that is not provisioned is idle."""
        if self._idle and now - self._idle[-1].idle_since > self.lifetime:
            self._idle.clear()  # the last one was used last, so all others have been idle for longer
        return bool(self._idle)

    def take_ready(self) -> Environment:
        """Take the provisioned one that was used last."""
        self._busy.append(self._ready.pop())
        return self._busy[-1]

    def take(self, *, now: int) -> Environment:
        """Take the idle one that was used last, or a new one (LX-13)."""
        return self._idle.pop() if self.warm(now=now) else self._make(provisioned=False)

    def forget_idle(self) -> None:
        """Let all idle ones go but those that are provisioned: Lambda recycles them when it likes (LX-13)."""
        self._idle.clear()

    def renew(self) -> None:
        """Begin anew, as after a deployment: what is idle goes, and what is busy goes after its invocation.

        Assumed: as many are provisioned again at once; busy ones are none from now on (LC-9).
        """
        self._generation += 1
        self._idle.clear()
        self._ready.clear()
        while self._busy:
            self._busy.pop().provisioned = False
        self.provision(self.provisioned)

    def give_back(self, environment: Environment, *, now: int, reusable: bool) -> None:
        """Take one back after an invocation; after a crash or a timeout it starts anew (LX-14)."""
        if environment.generation != self._generation:
            return
        environment.new, environment.reset, environment.idle_since = False, not reusable, now
        (self._ready if environment.provisioned else self._idle).append(environment)
        if environment.provisioned:
            self._busy.remove(environment)

    def _make(self, *, provisioned: bool) -> Environment:
        self._made += 1
        return Environment(self._made, provisioned, new=not provisioned, generation=self._generation)
