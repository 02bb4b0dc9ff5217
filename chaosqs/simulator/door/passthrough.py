"""Other services, answered by moto where the user asks for it; and moto kept away from ours while a world is open.

moto is not a dependency: it is imported when a world asks for it, and minded when somebody else has imported it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse


@contextmanager
def moto() -> Generator[Callable[[AWSPreparedRequest], AWSResponse | None]]:
    """Start moto for the time of a `with` block; yield what answers a request of another service."""
    from moto import mock_aws  # noqa: PLC0415 - where it is not asked for, it need not be installed
    from moto.core.models import botocore_stubber  # noqa: PLC0415

    def answer(request: AWSPreparedRequest) -> AWSResponse | None:
        return botocore_stubber("before-send", request)

    with mock_aws():
        yield answer


@contextmanager
def moto_leaves_ours_alone() -> Generator[None]:
    """Take SQS and Lambda out of moto's hands where it is loaded: it would answer before a request gets to the door."""
    if "moto.core.config" not in sys.modules:
        yield
        return
    from moto.core.config import default_user_config  # noqa: PLC0415 - only where somebody else has imported it

    passed_on = default_user_config.setdefault("core", {}).setdefault("passthrough", {}).setdefault("services", [])
    passed_on.extend(_OURS)
    try:
        yield
    finally:
        for service in _OURS:
            passed_on.remove(service)


_OURS = ("awslambda", "lambda", "sqs")  # moto has called Lambda by both names
