"""chaosqs: will this SQS → Lambda design lose, delay, repeat or dead-letter messages, and what story shows it?

Names are imported on first use, because pytest imports this package at every start, for its plugin.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chaosqs import invariants
    from chaosqs.errors import EscapedSimulation, InvalidDesign, InvalidScenario, InvariantViolated
    from chaosqs.invariants.custom import invariant, not_applicable, not_exercised
    from chaosqs.invariants.registry import check
    from chaosqs.lambda_.world_setup import stub
    from chaosqs.mock_aws.aws import aws
    from chaosqs.model.alternative import RateLimitedFront, SelfPolling, Stream
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
        Resource,
    )
    from chaosqs.model.explanation import Origin
    from chaosqs.model.faults import Action, FaultPlan, Pause, Window
    from chaosqs.model.figures import Figures
    from chaosqs.model.history import History
    from chaosqs.model.message import Message
    from chaosqs.model.scenario import Scenario
    from chaosqs.model.workload import Burst, Steady
    from chaosqs.project.assertion import assert_holds
    from chaosqs.project.comparing import compare
    from chaosqs.project.exhaust import exhaust
    from chaosqs.project.exploration import explore
    from chaosqs.report.comparison import Comparison
    from chaosqs.simulation.run import simulate
    from chaosqs.user_code import fault_point, record, sometimes
    from chaosqs.wire.http import HttpRequest

__version__ = "0.1.0"

__all__ = [
    "Account",
    "Action",
    "Assumptions",
    "Behaviour",
    "Burst",
    "Comparison",
    "Design",
    "EscapedSimulation",
    "EventSourceMapping",
    "FaultPlan",
    "Figures",
    "Function",
    "History",
    "HttpRequest",
    "InvalidDesign",
    "InvalidScenario",
    "InvariantViolated",
    "Message",
    "Origin",
    "Pause",
    "Queue",
    "RateLimitedFront",
    "Redrive",
    "RedriveAllow",
    "Resource",
    "Scenario",
    "SelfPolling",
    "Steady",
    "Stream",
    "Window",
    "assert_holds",
    "aws",
    "check",
    "compare",
    "exhaust",
    "explore",
    "fault_point",
    "invariant",
    "invariants",
    "not_applicable",
    "not_exercised",
    "record",
    "simulate",
    "sometimes",
    "stub",
]

_HOMES = {
    "chaosqs.errors": ("EscapedSimulation", "InvalidDesign", "InvalidScenario", "InvariantViolated"),
    "chaosqs.project.exploration": ("explore",),
    "chaosqs.invariants.custom": ("invariant", "not_applicable", "not_exercised"),
    "chaosqs.invariants.registry": ("check",),
    "chaosqs.model.alternative": ("RateLimitedFront", "SelfPolling", "Stream"),
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
        "Resource",
    ),
    "chaosqs.model.explanation": ("Origin",),
    "chaosqs.model.faults": ("Action", "FaultPlan", "Pause", "Window"),
    "chaosqs.model.figures": ("Figures",),
    "chaosqs.model.history": ("History",),
    "chaosqs.model.message": ("Message",),
    "chaosqs.model.scenario": ("Scenario",),
    "chaosqs.model.workload": ("Burst", "Steady"),
    "chaosqs.report.comparison": ("Comparison",),
    "chaosqs.project.assertion": ("assert_holds",),
    "chaosqs.project.comparing": ("compare",),
    "chaosqs.project.exhaust": ("exhaust",),
    "chaosqs.mock_aws.aws": ("aws",),
    "chaosqs.lambda_.world_setup": ("stub",),
    "chaosqs.simulation.run": ("simulate",),
    "chaosqs.user_code": ("fault_point", "record", "sometimes"),
    "chaosqs.wire.http": ("HttpRequest",),
}


def __getattr__(name: str) -> object:
    """Import a public name from its module."""
    if name == "invariants":
        return import_module("chaosqs.invariants")
    for home, names in _HOMES.items():
        if name in names:
            found = globals()[name] = getattr(import_module(home), name)
            return found
    message = f"module 'chaosqs' has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
