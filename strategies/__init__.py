"""Hypothesis strategies for everything a scenario is made of.

Imported as `chaosqs.strategies`, never by the name of this directory.
"""

from chaosqs.model.liveness import liveness_deadline
from chaosqs.strategies.behaviours import behaviours
from chaosqs.strategies.designs import designs
from chaosqs.strategies.faults import fault_plans
from chaosqs.strategies.messages import MessageSource
from chaosqs.strategies.scenarios import scenarios
from chaosqs.strategies.workloads import workloads

__all__ = ["MessageSource", "behaviours", "designs", "fault_plans", "liveness_deadline", "scenarios", "workloads"]
