"""What a fault plan must be to fit a design: every name known, every window with a beginning and an end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from chaosqs.model.fault import ACTIONS, FAULT_POINT, KIND_NAMES, KINDS, OK, Action, FaultPlan, Pause, Window, kind_of
from chaosqs.model.values import Checks

_SITE = r"fault_point:[\w.-]{1,80}"
_NAMES = tuple(name for name in KIND_NAMES if name != FAULT_POINT)
_OF_SENDS = tuple(kind.name for kind in KINDS if kind.keyed and kind.boundary == "send")
_OF_RECEIVES = tuple(kind.name for kind in KINDS if kind.keyed and kind.boundary not in {"send", "point"})
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
    for place, window in enumerate(plan.windows):
        _check_window(checks, f"windows[{place}]", window, named)
    for place, action in enumerate(plan.actions):
        _check_action(checks, f"actions[{place}]", action, named)
    for place, pause in enumerate(plan.pauses):
        _check_pause(checks, f"pauses[{place}]", pause, (*named["mapping"], *named["function"]))
    for place, kind in enumerate(plan.banned):
        if not _is_site(kind):
            checks.one_of(f"banned[{place}]", kind, KIND_NAMES)
    if plan.heal_at is not None:
        checks.number("heal_at", plan.heal_at, 0, unit="seconds")


def _is_site(kind: object) -> bool:
    return isinstance(kind, str) and re.fullmatch(_SITE, kind) is not None


def _check_outcomes(checks: Checks, plan: FaultPlan) -> None:
    for message, receives in enumerate(plan.messages):
        for place, kind in enumerate(receives):
            if not _is_site(kind):
                checks.one_of(f"messages[{message}][{place}]", kind, (OK, *_OF_RECEIVES))
    for message, kind in enumerate(plan.sends):
        checks.one_of(f"sends[{message}]", kind, (OK, *_OF_SENDS))


def _check_window(checks: Checks, path: str, window: Window, named: Named) -> None:
    known = kind_of(window.kind)
    if known is None or window.kind == FAULT_POINT:
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
