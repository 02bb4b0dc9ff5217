from __future__ import annotations

import pytest

from chaosqs.sqs.api.sqs import Sqs


@pytest.fixture
def sqs() -> Sqs:
    return Sqs()
