"""The user's own handler: found by its name, and what it returned or raised put into Lambda's terms.

It is imported once, as Python imports it, so what a test has replaced in its module holds. What it keeps in its module
is shared by all environments and outlives the run, as it outlives an invocation in a warm environment.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from importlib import import_module

import attrs

from chaosqs.errors import InvalidScenario, Problem
from chaosqs.lambda_.invocation import CRASHED, RESPONSE_LIMIT, TOO_LARGE, InvocationOutcome
from chaosqs.lambda_.machines.partial_batch import LISTED, judge, judge_error
from chaosqs.model.design import Function
from chaosqs.sqs.api.region import ACCOUNT, REGION

# The context object that Lambda hands to a handler, with the attributes of the Python runtime. -----------------------


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


# ---------------------------------------------------------------------------------------------------------------------

Call = Callable[[object, object], object]
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{4,}")
_LONGEST_ERROR = 200
_SPOILT = ("PB-10", "EF-2")
"""The rules of a batch that failed as a whole because there was no answer."""


@attrs.frozen
class Handler:
    """A function of the user's that takes an event and a context."""

    module: str
    call: Call
    awaits: bool
    """Whether it is an `async def`."""


def load(function: str, name: str) -> Handler:
    """Import the handler of a function by its name, `package.module:function`; raise `InvalidScenario`."""
    module, _, attribute = name.partition(":")
    try:
        found: object = getattr(import_module(module), attribute, None)
    except Exception as error:
        raise _invalid(function, name, f"module {module!r} cannot be imported: {describe(error)}") from error
    if found is None:
        raise _invalid(function, name, f"module {module!r} has no function {attribute!r}")
    if not callable(found):
        raise _invalid(function, name, f"{attribute!r} of module {module!r} must be a function of event and context")
    return Handler(module, found, inspect.iscoroutinefunction(found))


def _invalid(function: str, name: str, must: str) -> InvalidScenario:
    return InvalidScenario([Problem(f"behaviours[{function!r}].handler", repr(name), must)])


def returned(value: object, duration: int, messages: Mapping[str, int], *, reporting: bool) -> InvocationOutcome:
    """Return how an invocation went whose handler has returned; `messages`: the number of each message by its id."""
    ids = tuple(messages)
    outcome = judge(value, ids, reporting=reporting)
    if outcome.all_failed and outcome.rule in _SPOILT:
        return InvocationOutcome(
            "raised", duration, rule=outcome.rule, error=f"Runtime.MarshalError: {type(value).__name__}"
        )
    if _size(value) > RESPONSE_LIMIT:
        return InvocationOutcome("raised", duration, rule="LX-5", error=TOO_LARGE)
    failed = outcome.failed if reporting else _unread(value, ids)
    return InvocationOutcome("succeeded", duration, tuple(messages[name] for name in failed), rule=outcome.rule)


def _unread(value: object, ids: tuple[str, ...]) -> tuple[str, ...]:
    """Return the messages that a handler reports as failed to a mapping that does not look (EF-2)."""
    outcome = judge(value, ids, reporting=True)
    return outcome.failed if outcome.rule in (LISTED, "PB-12") else ()


def raised(error: BaseException, duration: int, *, reporting: bool) -> InvocationOutcome:
    """Return how an invocation went whose handler has raised (LX-7), or has ended its process (LX-14)."""
    if isinstance(error, Exception):
        rule = judge_error((), reporting=reporting).rule
        return InvocationOutcome("raised", duration, rule=rule, error=describe(error))
    return InvocationOutcome("crashed", duration, error=f"{CRASHED}: {describe(error)}")


def describe(error: BaseException) -> str:
    """Return an error as its type and the first line of its message, without what differs from run to run."""
    states = str(error).splitlines() or [""]
    text = _ADDRESS.sub("0x…", states[0])[:_LONGEST_ERROR]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _size(value: object) -> int:
    if value is None:
        return 0
    return len(value) if isinstance(value, bytes) else len(json.dumps(value, default=str))
