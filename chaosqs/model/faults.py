"""Kinds of faults, fault plans made of them, and the check that a plan fits a design."""

import re
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias, get_args

import attrs

from chaosqs.model.values import Checks, concise_repr, strings

# Kinds of faults ------------------------------------------------------------------------------------------------------

OK = "ok"
"""The outcome of a call in which nothing goes wrong."""
FAULT_POINT = "fault_point"
"""The kind of a fault in the user's own code; an outcome names its site too: `fault_point:charge-card`."""

STEPPED = ("crash", "out_of_memory", "timeout", "slow")
"""Kinds that may be injected inside of real code. An outcome may name the call or wait of the code, from 1: `crash:2`.

Code with fewer calls and waits gets the fault at its end: after its work and before its response. Without a number
`timeout` and `slow` happen there, `crash` and `out_of_memory` at the second call or wait.
"""
_USUAL_STEPS = {"crash": 2, "out_of_memory": 2}

InjectionPoint: TypeAlias = Literal[
    "send", "poll", "receive", "hold", "invoke", "handler", "point", "call", "response", "delete", "mapping"
]
Scope: TypeAlias = Literal["queue", "function", "mapping"]


@attrs.frozen
class FaultKind:
    """A kind of fault."""

    name: str
    injection_point: InjectionPoint
    """Place of the injection: send, poll (a receive before it is answered), receive (its answer), hold (a batch
    that a poller holds), invoke, handler, point (a fault point in user code), call (of user code to another service),
    response, delete, mapping (its state)."""
    effect: str
    """Effect of the fault, in a sentence."""
    rule: str
    """Id of the ledger rule by which AWS may behave so."""
    scopes: tuple[Scope, ...] = ("queue", "function", "mapping")
    """Kinds of names that may be the scope of a window of this kind."""
    keyed: bool = True
    """True if it may be the outcome of one message's send or receive; otherwise it occurs in windows only."""
    standard_only: bool = False
    """True if it cannot happen on FIFO queues."""

    @property
    def is_named(self) -> bool:
        """True if a plan names the fault point or call, too: `fault_point:charge`, `failed_call:dynamodb:PutItem`."""
        return self.injection_point in {"point", "call"}


_QUEUE: tuple[Scope, ...] = ("queue",)
_MAPPING: tuple[Scope, ...] = ("mapping",)

KINDS: tuple[FaultKind, ...] = (
    FaultKind(
        "throttled",
        "invoke",
        "Lambda answers 429 although the design has room: others took the capacity.",
        "LC-11",
    ),
    FaultKind(
        "service_error",
        "invoke",
        "Lambda answers 500; the poller gives the batch up until its visibility ends.",
        "LX-11",
    ),
    FaultKind("error", "handler", "The handler raises; nothing of the batch is deleted.", "LX-7"),
    FaultKind("slow", "handler", "The handler takes until 1 ms before the function timeout, then succeeds.", "LX-1"),
    FaultKind("timeout", "handler", "The handler hangs; the function timeout ends it.", "LX-9"),
    FaultKind(
        "crash", "handler", "The execution environment dies half-way; real code at any of its calls and waits.", "LX-14"
    ),
    FaultKind(
        "lost_receive", "receive", "SQS counts the receive and hides the messages; the poller never sees them.", "RX-8"
    ),
    FaultKind(
        "lost_response",
        "response",
        "The function succeeds, but the poller never learns it and deletes nothing.",
        "EP-13",
    ),
    FaultKind("lost_delete", "delete", "The delete after a success gets lost; the messages come back.", "EF-5"),
    # Producers
    FaultKind("lost_send", "send", "The request gets lost; the producer sends again a second later.", "OR-4", _QUEUE),
    FaultKind("failed_send", "send", "SQS answers 503; the producer sends again after its back-off.", "OR-4", _QUEUE),
    FaultKind(
        "lost_send_response",
        "send",
        "SQS takes the message, the producer never learns it and sends it again: a second message on a standard queue, "
        "none on a FIFO queue within five minutes.",
        "OR-4",
        _QUEUE,
    ),
    FaultKind("late_send", "send", "SQS takes the message, but receives find it only 5 seconds later.", "OR-1", _QUEUE),
    FaultKind(
        "outage",
        "send",
        "Producers cannot reach the queue; what they have to send arrives all at once when the window ends.",
        "OR-4",
        _QUEUE,
        keyed=False,
    ),
    # Receives
    FaultKind(
        "failed_receive",
        "poll",
        "The receive fails or its request gets lost, nothing is received; the poller tries again a second later.",
        "EF-8",
    ),
    FaultKind("empty_receive", "poll", "The receive comes back empty although messages wait.", "RX-4"),
    FaultKind("short_receive", "poll", "The receive returns one message, however many wait.", "RX-2"),
    FaultKind(
        "out_of_order",
        "poll",
        "The receive skips the oldest messages, up to 1,000, and returns the newest, newest first.",
        "OR-1",
        standard_only=True,
    ),
    FaultKind(
        "duplicate",
        "receive",
        "A replica missed the receive: the messages are visible again at once, and another receive gets them too.",
        "OR-4",
        standard_only=True,
    ),
    FaultKind("slow_receive", "receive", "The answer takes 5 seconds, while the visibility timeout runs.", "EP-10"),
    FaultKind(
        "quota_full",
        "poll",
        "The quota of messages in flight is used up: receives find nothing until the window ends.",
        "IF-3",
        _QUEUE,
        keyed=False,
    ),
    # Pollers
    FaultKind(
        "restart",
        "hold",
        "The poller restarts with a batch in hand; the messages come back when their visibility ends.",
        "EP-13",
    ),
    FaultKind(
        "stall",
        "hold",
        "The poller holds its batch for 10 seconds, or until the window ends, before it invokes.",
        "EP-10",
    ),
    FaultKind(
        "disabled",
        "mapping",
        "The mapping is disabled, and enabled when the window ends.",
        "EC-23",
        _MAPPING,
        keyed=False,
    ),
    FaultKind("scale_down", "mapping", "The mapping scales down to its fewest pollers.", "ES-5", _MAPPING, keyed=False),
    # Lambda
    FaultKind(
        "lost_invoke",
        "invoke",
        "The request never reaches Lambda; the poller invokes again a second later.",
        "EP-13",
    ),
    FaultKind(
        "account_full",
        "invoke",
        "Other functions hold the account's unreserved concurrency: 429 for functions without a reservation.",
        "LC-2",
    ),
    FaultKind(
        "cold_start",
        "invoke",
        "No warm environment is left; the initialisation of a new one takes 9 seconds.",
        "LX-12",
    ),
    FaultKind("brown_out", "handler", "A dependency is slow: the handler takes ten times as long.", "LX-1"),
    FaultKind("out_of_memory", "handler", "The handler runs out of memory and is killed.", "LX-14"),
    FaultKind("init_failure", "handler", "The function's initialisation fails; its handler never runs.", "LX-12"),
    FaultKind(
        "malformed_response",
        "handler",
        "The handler does its work and returns a failure list that Lambda cannot read: with partial batch responses "
        "all messages count as failed, without them the list is ignored.",
        "PB-8",
    ),
    FaultKind(
        "throttled_call",
        "call",
        "Another service throttles a call of the handler, and each attempt that the client makes.",
        "LX-7",
    ),
    FaultKind(
        "failed_call",
        "call",
        "Another service answers a call of the handler, and each attempt that the client makes, with 500.",
        "LX-7",
    ),
    FaultKind("slow_call", "call", "Another service takes up to 5 seconds longer for a call of the handler.", "LX-1"),
    FaultKind(
        "lost_call_response",
        "call",
        "A call of the handler to another service has its effect; the connection breaks, and the client tries again.",
        "OR-4",
    ),
    FaultKind(FAULT_POINT, "point", "A `chaosqs.fault_point` in the user's handler returns True.", "LX-7"),
    # Deletes
    FaultKind(
        "failed_delete",
        "delete",
        "SQS answers the delete with an error; the poller repeats it once, a second later.",
        "EF-5",
    ),
    FaultKind("partial_delete", "delete", "Only the first half of the batch is deleted.", "EF-5"),
    FaultKind("slow_delete", "delete", "The delete takes effect only after 5 seconds.", "EF-7"),
    FaultKind(
        "lost_delete_response", "delete", "The delete takes effect, the poller never learns it and repeats it.", "RH-7"
    ),
    FaultKind(
        "reappear",
        "delete",
        "A replica missed the delete: the messages are there again a second later.",
        "RH-10",
        standard_only=True,
    ),
)
"""Every kind of fault, in the order in which reports list them; `ok` is none of them."""

KIND_NAMES = tuple(kind.name for kind in KINDS)
_BY_NAME = {kind.name: kind for kind in KINDS}


def kind_of(outcome: str) -> FaultKind | None:
    """Return the kind that an outcome names (`fault_point:charge-card`, `crash:2`); None for `ok` and unknown ones."""
    name, colon, _ = outcome.partition(":")
    known = _BY_NAME.get(name)
    if colon and not step_of(outcome) and (known is None or not known.is_named):
        return None
    return known


def is_of_call(outcome: str, call: str) -> bool:
    """Return whether an outcome is a fault of a call (`dynamodb:PutItem`), its service (`dynamodb`) or all (`*`)."""
    known, wanted = kind_of(outcome), outcome.partition(":")[2]
    named = wanted in {"*", call, call.partition(":")[0]}
    return named and known is not None and known.injection_point == "call"


def step_of(outcome: str) -> int:
    """Return the number of the call or wait that an outcome names (`crash:2`); 0 if it names none."""
    name, _, step = outcome.partition(":")
    return int(step) if name in STEPPED and re.fullmatch(_STEP, step) else 0


def injection_step(outcome: str) -> int:
    """Return the number of the call or wait at which a fault is injected into real code; 0: at the end of the code."""
    return step_of(outcome) or _USUAL_STEPS.get(outcome, 0)


def with_step(kind: str, step: int) -> str:
    """Return the outcome of a kind that is injected at a call or wait of the code: `crash:2`; 0: at the usual one."""
    return f"{kind}:{step}" if step else kind


def outcome_text(outcome: str) -> str:
    """Return an outcome as reports have it: `crash at call or wait 2` for `crash:2`."""
    name, _, step = outcome.partition(":")
    return f"{name} at call or wait {step}," if step_of(outcome) else outcome


_STEP = r"[1-9][0-9]{0,5}"


# Fault plans ----------------------------------------------------------------------------------------------------------
#
# A plan is data, keyed by message and by window, so that it shrinks. The simulator asks it once per injection point.
# A missing entry means that nothing goes wrong. So a plan may be longer than the run, and removing an entry never
# changes the meaning of another.


ActionKind: TypeAlias = Literal["redeploy", "purge", "redrive", "change"]
ACTIONS: tuple[ActionKind, ...] = get_args(ActionKind)
"""Actions of an operator: deploy a function again, purge a queue, redrive a dead-letter queue, change a setting."""


@attrs.frozen(repr=False)
class Window:
    """A fault that is injected into every call of its injection point for some time."""

    kind: str
    scope: str
    """Name of the queue, function or mapping (`orders→worker`) that it applies to; empty: all."""
    start: float
    """Seconds after the start of the run."""
    seconds: float
    """Length of the window, in seconds."""

    __repr__ = concise_repr


@attrs.frozen(repr=False)
class Action:
    """An action of an operator at a time of the run."""

    kind: ActionKind
    target: str
    """`redeploy`: a function; `purge`: a queue; `redrive`: a dead-letter queue; `change`: any of them, or a mapping."""
    at: float
    """Seconds after the start of the run."""
    setting: str = ""
    """For `change`: the name of the setting: `visibility_timeout`, `reserved_concurrency`, `batch_size`, `enabled` …"""
    value: int | bool | None = None
    """For `change`: the new value."""

    __repr__ = concise_repr


@attrs.frozen(repr=False)
class Pause:
    """A pause of one task, during which other tasks take a number of steps."""

    task: str
    """The task that pauses: a poller (`orders→worker/3`), or an invocation of real code by its number (`worker#12`)."""
    step: int
    """The step before which the task pauses, counted from 1."""
    steps: int
    """Steps that other tasks take first, 1 or more; a pause ends after `Assumptions.longest_pause` at the latest."""

    __repr__ = concise_repr


def _outcomes(messages: Iterable[Iterable[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(receives) for receives in messages)


def _windows(items: Iterable[Window]) -> tuple[Window, ...]:
    return tuple(items)


def _actions(items: Iterable[Action]) -> tuple[Action, ...]:
    return tuple(items)


def _pauses(items: Iterable[Pause]) -> tuple[Pause, ...]:
    return tuple(items)


@attrs.frozen(repr=False)
class FaultPlan:
    """All faults of one run."""

    messages: tuple[tuple[str, ...], ...] = attrs.field(default=(), converter=_outcomes)
    """For each message, by number, the outcomes of its receives in order: `ok` or the name of a fault kind, for
    real code perhaps with a step (`crash:2`). The first message of a batch that has an outcome for an injection point
    decides it for the batch."""
    windows: tuple[Window, ...] = attrs.field(default=(), converter=_windows)
    banned: tuple[str, ...] = attrs.field(default=(), converter=strings)
    """Kinds that are ignored when the plan is read."""
    heal_at: float | None = None
    """Seconds after which nothing goes wrong any more; None: faults end with the plan's own entries."""
    sends: tuple[str, ...] = attrs.field(default=(), converter=strings)
    """For each message, by number, the outcome of its send."""
    actions: tuple[Action, ...] = attrs.field(default=(), converter=_actions)
    """Actions of operators; those of one time in this order. Those from `heal_at` on are not carried out."""
    pauses: tuple[Pause, ...] = attrs.field(default=(), converter=_pauses)

    __repr__ = concise_repr

    def outcome(self, message: int, receive: int) -> str:
        """Return the fault of a message's n-th receive (from 1), or `ok`."""
        receives = self.messages[message] if message < len(self.messages) else ()
        kind = receives[receive - 1] if 0 < receive <= len(receives) else OK
        return OK if self.bans(kind) else kind

    def bans(self, outcome: str) -> bool:
        """Return whether an outcome or its kind is ignored when the plan is read."""
        return bool(self.banned) and (outcome in self.banned or outcome.partition(":")[0] in self.banned)

    def send_outcome(self, message: int) -> str:
        """Return the fault of a message's send, or `ok`."""
        kind = self.sends[message] if message < len(self.sends) else OK
        return OK if kind in self.banned else kind

    @property
    def ends_at(self) -> float:
        """Seconds until all windows and actions are over, at most `heal_at`; faults of single messages do not count."""
        ends = [window.start + window.seconds for window in self.windows if not self.bans(window.kind)]
        last = max([*ends, *(action.at for action in self.actions)], default=0.0)
        return last if self.heal_at is None else min(last, self.heal_at)


# Checking a plan ------------------------------------------------------------------------------------------------------

_POINT_NAME = r"fault_point:[\w.-]{1,80}"
_CALL_NAME = rf"({'|'.join(kind.name for kind in KINDS if kind.injection_point == 'call')}):(\*|[\w.-]+(:\w+)?)"
_NAMES = tuple(kind.name for kind in KINDS if not kind.is_named)
_OF_SENDS = tuple(kind.name for kind in KINDS if kind.keyed and kind.injection_point == "send")
_OF_RECEIVES = tuple(kind.name for kind in KINDS if kind.keyed and kind.injection_point != "send" and not kind.is_named)
_TARGETS = {
    "redeploy": ("function",),
    "purge": ("queue",),
    "redrive": ("queue",),
    "change": ("queue", "function", "mapping"),
}

Named = Mapping[str, tuple[str, ...]]
"""The names of a design's queues, functions and mappings, by `queue`, `function` and `mapping`."""


def check_plan(
    checks: Checks, plan: FaultPlan, *, queues: Iterable[str], functions: Iterable[str], mappings: Iterable[str]
) -> None:
    """Note what is wrong with a fault plan for a design with these queues, functions and mappings."""
    named = {"queue": tuple(queues), "function": tuple(functions), "mapping": tuple(mappings)}
    _check_outcomes(checks, plan)
    for index, window in enumerate(plan.windows):
        _check_window(checks, f"windows[{index}]", window, named)
    for index, action in enumerate(plan.actions):
        _check_action(checks, f"actions[{index}]", action, named)
    for index, pause in enumerate(plan.pauses):
        _check_pause(checks, f"pauses[{index}]", pause, (*named["mapping"], *named["function"]))
    for index, kind in enumerate(plan.banned):
        if not _is_named(kind):
            checks.one_of(f"banned[{index}]", kind, KIND_NAMES)
    if plan.heal_at is not None:
        checks.number("heal_at", plan.heal_at, 0, unit="seconds")


def _is_named(kind: object) -> bool:
    """Return whether an outcome is a kind with the name of a fault point or a call, or with a step of the code."""
    return isinstance(kind, str) and (
        re.fullmatch(f"{_POINT_NAME}|{_CALL_NAME}", kind) is not None or step_of(kind) > 0
    )


def _check_outcomes(checks: Checks, plan: FaultPlan) -> None:
    for message, receives in enumerate(plan.messages):
        for index, kind in enumerate(receives):
            if not _is_named(kind):
                checks.one_of(f"messages[{message}][{index}]", kind, (OK, *_OF_RECEIVES))
    for message, kind in enumerate(plan.sends):
        checks.one_of(f"sends[{message}]", kind, (OK, *_OF_SENDS))


def _check_window(checks: Checks, path: str, window: Window, named: Named) -> None:
    known = kind_of(window.kind)
    if known is None or (known.is_named and not _is_named(window.kind)):
        checks.one_of(f"{path}.kind", window.kind, _NAMES)
    elif window.scope:
        checks.one_of(f"{path}.scope", window.scope, tuple(name for kind in known.scopes for name in named[kind]))
    checks.number(f"{path}.start", window.start, 0, unit="seconds")
    checks.number(f"{path}.seconds", window.seconds, 0, unit="seconds")


def _check_action(checks: Checks, path: str, action: Action, named: Named) -> None:
    checks.number(f"{path}.at", action.at, 0, unit="seconds")
    if not checks.one_of(f"{path}.kind", action.kind, ACTIONS):
        return
    checks.one_of(
        f"{path}.target", action.target, tuple(name for kind in _TARGETS[action.kind] for name in named[kind])
    )
    if (action.kind == "change") != bool(action.setting):
        must = "must name the setting that changes" if action.kind == "change" else "is for changes only"
        checks.refuse(f"{path}.setting", action.setting, must)


def _check_pause(checks: Checks, path: str, pause: Pause, tasks: tuple[str, ...]) -> None:
    if re.split(r"[/#]", pause.task)[0] not in tasks:
        names = " or ".join(map(repr, tasks)) or "a mapping"
        checks.refuse(f"{path}.task", pause.task, f"must name a poller or an invocation of {names}")
    checks.whole(f"{path}.step", pause.step, 1, None)
    checks.whole(f"{path}.steps", pause.steps, 1, None)
