"""chaosqs: will this SQS → Lambda design lose, delay, repeat or dead-letter messages, and what story shows it?

Names are imported when they are first used: pytest imports this package at every start, for its plugin.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chaosqs import invariants
    from chaosqs.errors import InvalidDesign, InvalidScenario, InvariantViolated
    from chaosqs.explorer.exploration import explore
    from chaosqs.invariants.registry import check
    from chaosqs.model.assumptions import Assumptions
    from chaosqs.model.behaviour import Behaviour
    from chaosqs.model.design import (
        Account,
        Design,
        EventSourceMapping,
        Function,
        Queue,
        Redrive,
        RedriveAllow,
    )
    from chaosqs.model.fault import FaultPlan, Window
    from chaosqs.model.history import History
    from chaosqs.model.scenario import Scenario
    from chaosqs.model.workload import Burst, Steady
    from chaosqs.simulator.aws import aws
    from chaosqs.simulator.run import simulate

__version__ = "0.1.0"

__all__ = [
    "Account",
    "Assumptions",
    "Behaviour",
    "Burst",
    "Design",
    "EventSourceMapping",
    "FaultPlan",
    "Function",
    "History",
    "InvalidDesign",
    "InvalidScenario",
    "InvariantViolated",
    "Queue",
    "Redrive",
    "RedriveAllow",
    "Scenario",
    "Steady",
    "Window",
    "aws",
    "check",
    "explore",
    "invariants",
    "simulate",
]

_HOMES = {
    "chaosqs.errors": ("InvalidDesign", "InvalidScenario", "InvariantViolated"),
    "chaosqs.explorer.exploration": ("explore",),
    "chaosqs.invariants.registry": ("check",),
    "chaosqs.model.assumptions": ("Assumptions",),
    "chaosqs.model.behaviour": ("Behaviour",),
    "chaosqs.model.design": (
        "Account",
        "Design",
        "EventSourceMapping",
        "Function",
        "Queue",
        "Redrive",
        "RedriveAllow",
    ),
    "chaosqs.model.fault": ("FaultPlan", "Window"),
    "chaosqs.model.history": ("History",),
    "chaosqs.model.scenario": ("Scenario",),
    "chaosqs.model.workload": ("Burst", "Steady"),
    "chaosqs.simulator.aws": ("aws",),
    "chaosqs.simulator.run": ("simulate",),
}


def __getattr__(name: str) -> object:
    """Import a public name from its home."""
    if name == "invariants":
        return import_module("chaosqs.invariants")
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    message = f"module 'chaosqs' has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
