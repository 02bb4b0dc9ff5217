"""What a function does with a batch: a model of durations and failures, or the user's real handler."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from chaosqs.model.values import Checks, concise_repr


def _numbers(items: Iterable[int]) -> tuple[int, ...]:
    return tuple(items)


@attrs.frozen(repr=False)
class Behaviour:
    """How one function behaves. The default succeeds after 50 ms, whatever the batch."""

    seconds_per_message: float = 0
    """Time that each message of a batch adds."""
    seconds_per_batch: float = 0.05
    """Time that each invocation takes besides."""
    spread: float = 0
    """0: durations are exact; s: log-normal around them, with s the standard deviation of the logarithm; 0 to 3."""
    error_rate: float = 0
    """Share of the invocations that fail; 0 to 1. Which ones is a matter of the seed: with seed 0 all where the rate
    is above one half, none otherwise."""
    poison: tuple[int, ...] = attrs.field(default=(), converter=_numbers)
    """Numbers of the messages on which the handler always fails, counted from 0 in the order of sending."""
    raises: str = "RuntimeError"
    """The error type that a failure shows, where it neither hangs nor crashes (LX-7)."""
    hangs: bool = False
    """A failure looks like a hang: the function timeout ends it (LX-9)."""
    crashes: bool = False
    """A failure looks like a crash: the execution environment is gone (LX-14)."""
    memory_scales: bool = False
    """True: the times above are those of one whole vCPU (1,769 MB), and with less memory all takes longer in
    proportion: 14 times as long with 128 MB (LX-3). Assumed: more than one vCPU makes nothing faster."""
    response_bytes: int = 0
    """Size of what the function returns; over 6,291,556 bytes it is an error instead (LX-5)."""
    handler: str | None = None
    """`package.module:function`: real code instead of this model; then the other fields say nothing.

    Its module is imported once in a process: what it keeps in its globals is shared by all environments of a run, and
    outlives the run, as it outlives an invocation in a warm environment. Where a run leaves something there that
    changes the next one, `simulate(verify=True)` raises `NotDeterministic`: make such things in the handler."""

    __repr__ = concise_repr


def check_behaviour(checks: Checks, behaviour: Behaviour) -> None:
    """Note what is wrong with a behaviour."""
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
    if behaviour.hangs is True and behaviour.crashes is True:
        checks.refuse("hangs", behaviour.hangs, "excludes crashes: a failure looks like one of them")
    if behaviour.handler is not None:
        checks.name("handler", behaviour.handler, r"[\w.]+:\w+", "must be `package.module:function`")
