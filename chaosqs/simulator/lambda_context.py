"""The context object that Lambda hands to a handler, with the attributes of the Python runtime."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from chaosqs.model.design import Function
from chaosqs.simulator.operations.region import ACCOUNT, REGION


@attrs.frozen
class Identity:
    """The Cognito identity; nobody has one when a queue is the source."""

    cognito_identity_id: None = None
    cognito_identity_pool_id: None = None


@attrs.frozen
class LambdaContext:
    """The second argument of a handler."""

    aws_request_id: str
    function_name: str
    memory_limit_in_mb: str
    """MB, as text: the runtime takes it from an environment variable."""
    invoked_function_arn: str
    log_stream_name: str
    """One for each execution environment."""
    log_group_name: str
    _remaining: Callable[[], int] = attrs.field(alias="remaining", repr=False)
    function_version: str = "$LATEST"
    identity: Identity = Identity()
    client_context: None = None
    tenant_id: None = None

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds of virtual time until the function timeout ends the invocation; at least 0."""
        return max(0, self._remaining())

    def log(self, message: object) -> None:
        """Print a message."""
        print(message, end="")  # noqa: T201 - a handler's output goes where it would go


def context(function: Function, request_id: str, environment: int, remaining: Callable[[], int]) -> LambdaContext:
    """Return the context of one invocation."""
    return LambdaContext(
        aws_request_id=request_id,
        function_name=function.name,
        memory_limit_in_mb=str(function.memory),
        invoked_function_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.name}",
        log_stream_name=f"2025/12/01/[$LATEST]{environment:032x}",
        log_group_name=f"/aws/lambda/{function.name}",
        remaining=remaining,
    )
