"""Each single thing that a fault plan says, as stories name it, and the plan without it."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from chaosqs.model.faults import OK, Action, FaultPlan


def without_one(plan: FaultPlan) -> Iterator[tuple[str, FaultPlan]]:
    """Yield each fault, action and pause of a plan with the plan that lacks it alone."""
    for message, receives in enumerate(plan.messages):
        for index, kind in enumerate(receives):
            if kind != OK:
                less = (*receives[:index], OK, *receives[index + 1 :])
                messages = (*plan.messages[:message], less, *plan.messages[message + 1 :])
                text = f"{kind} at receive {index + 1} of message {message + 1}"
                yield text, attrs.evolve(plan, messages=messages)
    for message, kind in enumerate(plan.sends):
        if kind != OK:
            sends = (*plan.sends[:message], OK, *plan.sends[message + 1 :])
            yield f"{kind} of message {message + 1}", attrs.evolve(plan, sends=sends)
    for index, window in enumerate(plan.windows):
        scope = f" on {window.scope}" if window.scope else ""
        text = f"{window.kind}{scope} from {window.start:g} s for {window.seconds:g} s"
        yield text, attrs.evolve(plan, windows=(*plan.windows[:index], *plan.windows[index + 1 :]))
    for index, action in enumerate(plan.actions):
        yield _act(action), attrs.evolve(plan, actions=(*plan.actions[:index], *plan.actions[index + 1 :]))
    for index, pause in enumerate(plan.pauses):
        text = f"{pause.task} held from its step {pause.step:,} for {pause.steps:,} steps of others"
        yield text, attrs.evolve(plan, pauses=(*plan.pauses[:index], *plan.pauses[index + 1 :]))


def _act(action: Action) -> str:
    change = f" {action.setting} to {action.value}" if action.setting else ""
    return f"{action.kind}{change} of {action.target} at {action.at:g} s"
