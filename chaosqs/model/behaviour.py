"""The behaviour of a function: a model of durations and failures, or the user's real handler."""

from collections.abc import Iterable, Mapping

import attrs

from chaosqs.model.values import Checks, concise_repr

LAYERS = "PYTHONPATH"
"""Environment variable with the directories of a function's layers, which Lambda has in /opt/python."""


def _numbers(items: Iterable[int]) -> tuple[int, ...]:
    return tuple(items)


_NO_VARIABLES: Mapping[str, str] = {}


def _ordered(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: variables[name] for name in sorted(variables)}


@attrs.frozen(repr=False)
class Behaviour:
    """The behaviour of one function. The default succeeds after 50 ms, whatever the batch."""

    seconds_per_message: float = 0
    """Seconds that each message of a batch adds."""
    seconds_per_batch: float = 0.05
    """Seconds that each invocation takes in addition."""
    spread: float = 0
    """Standard deviation of the logarithm of log-normal durations around the seconds above; 0 to 3. 0: exact."""
    error_rate: float = 0
    """Share of the invocations that fail; 0 to 1. The seed decides which. With seed 0 all fail if the rate is above
    one half, and none otherwise."""
    poison: tuple[int, ...] = attrs.field(default=(), converter=_numbers)
    """Numbers of the messages on which the handler always fails, counted from 0 in the order of sending."""
    raises: str = "RuntimeError"
    """Error type of a failure that neither hangs nor crashes (LX-7)."""
    hangs: bool = False
    """True if a failure is a hang: the function timeout ends it (LX-9)."""
    goes_on_after_failure: bool = False
    """True if the handler, on a FIFO queue with partial batch responses, reports poison messages alone, and works on
    the others of the batch, which breaks their order (PB-15). False: it stops at the first failure, and reports that
    message and all after it, as AWS advises."""
    crashes: bool = False
    """True if a failure is a crash: the execution environment is gone (LX-14)."""
    memory_scales: bool = False
    """True if the times above are those of one whole vCPU (1,769 MB), and less memory makes everything slower in
    proportion: 14 times as slow with 128 MB (LX-3). Assumed: more than one vCPU makes nothing faster."""
    response_bytes: int = 0
    """Size of the function's response, in bytes; over 6,291,556 it is an error instead (LX-5)."""
    handler: str | None = None
    """`package.module:function`: real code instead of this model; the other fields are then ignored. As in Lambda, a
    slash may stand for a dot.

    Each execution environment imports the project's own modules for itself, as its initialisation and in virtual time.
    Their globals last while the environment is warm, and are gone with it. A module is the project's if its file lies
    under `code`, or else under the directory from which the handler's top-level module is imported, and not among
    installed packages; all other modules are shared. If a run leaves something in these that changes the next run,
    `simulate(verify=True)` raises `NotDeterministic`."""
    code: str = ""
    """Directory of the function's code, which Lambda would have as /var/task; the handler is imported from there.
    Empty: it is imported from `sys.path`."""
    inline: str = ""
    """Source of the handler's module `index`, where a template has it inline; in place of `code`."""
    environment: Mapping[str, str] = attrs.field(default=_NO_VARIABLES, converter=_ordered, hash=False)
    """Environment variables of the function's configuration. They cannot replace those that Lambda reserves."""

    setup: str = ""
    """A function that prepares each run of real code, `path.py:name`: data for other services, and `chaosqs.stub`."""

    __repr__ = concise_repr

    def always_fails(self, message: int, timeout: int, copy_of: int | None = None) -> bool:
        """Return True if a modelled function with a timeout fails on a message each time.

        A copy fails as its original does. False where chance decides.
        """
        poisonous = (message if copy_of is None else copy_of) in self.poison
        timed_out = not self.spread and self.seconds_per_batch + self.seconds_per_message >= timeout
        return poisonous or timed_out or self.error_rate >= 1


def check_behaviour(checks: Checks, behaviour: Behaviour) -> None:
    """Note the problems of a behaviour."""
    checks.number("seconds_per_message", behaviour.seconds_per_message, 0, 86_400, "seconds")
    checks.number("seconds_per_batch", behaviour.seconds_per_batch, 0, 86_400, "seconds")
    checks.number("spread", behaviour.spread, 0, 3)
    checks.number("error_rate", behaviour.error_rate, 0, 1)
    for index, message in enumerate(behaviour.poison):
        checks.whole(f"poison[{index}]", message, 0, None, "(the number of a message)")
    checks.whole("response_bytes", behaviour.response_bytes, 0, None, "bytes", "LX-5")
    checks.flag("memory_scales", behaviour.memory_scales)
    checks.flag("hangs", behaviour.hangs)
    checks.flag("crashes", behaviour.crashes)
    checks.flag("goes_on_after_failure", behaviour.goes_on_after_failure)
    if behaviour.hangs is True and behaviour.crashes is True:
        checks.refuse("hangs", behaviour.hangs, "excludes crashes: a failure looks like one of them")
    if behaviour.handler is not None:
        checks.name("handler", behaviour.handler, r"[\w./-]+:\w+", "must be `package.module:function`")
    if behaviour.inline and (behaviour.code or not (behaviour.handler or "").startswith("index:")):
        checks.refuse("inline", None, "must have a handler index:NAME, and no directory of code beside it")
    if behaviour.setup:
        checks.name("setup", behaviour.setup, r"(?s).+\.py:\w+", "must be `path.py:name`")
    for name, value in behaviour.environment.items():
        field = f"environment[{name!r}]"
        if checks.name(field, name, r"[A-Za-z][A-Za-z0-9_]+", "must be called by a letter, then letters, digits and _"):
            checks.name(field, value, r"(?s).*", "must be text")
