"""Every operation of SQS, as a function of parameters in botocore's shapes; `Sqs.call` is the way in."""

from chaosqs.simulator.operations.region import ACCOUNT, REGION
from chaosqs.simulator.operations.sqs import Sqs
from chaosqs.simulator.operations.waiting import Wait

__all__ = ["ACCOUNT", "REGION", "Sqs", "Wait"]
