from __future__ import annotations

import pytest

from chaosqs.simulator.operations.sqs import Sqs


@pytest.fixture
def sqs() -> Sqs:
    return Sqs()
