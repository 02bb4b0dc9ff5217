"""Every operation of Lambda that a queue's consumer needs, as a function of parameters in botocore's shapes."""

from chaosqs.simulator.control.control import Control
from chaosqs.simulator.control.errors import LambdaError

__all__ = ["Control", "LambdaError"]
