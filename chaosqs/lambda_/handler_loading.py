"""Loading of handlers by name, in the state of an execution environment, and the context object that they get."""

import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import TypeAlias, TypeGuard

import attrs

from chaosqs.errors import InvalidScenario, Problem
from chaosqs.lambda_.process_state import ProcessState
from chaosqs.model.design import Function
from chaosqs.sqs.api.region import ACCOUNT, REGION

# The context object and the environment variables ---------------------------------------------------------------------


@attrs.frozen
class Identity:
    """The Cognito identity; there is none when a queue is the source."""

    cognito_identity_id: None = None
    cognito_identity_pool_id: None = None


@attrs.frozen
class LambdaContext:
    """The second argument of a handler, with the attributes of the Python runtime."""

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
        print(message, end="")  # noqa: T201 - a handler's output goes to standard output


@attrs.frozen
class FunctionFacts:
    """One version of a function in one execution environment, as its handler sees it."""

    name: str
    arn: str
    """ARN by which the function was invoked."""
    region: str
    memory: int
    """MB (LX-3)."""
    handler: str
    """The handler's name in the function's configuration."""
    root: str
    """The directory of the function's code."""
    environment: int
    """Number of the execution environment."""
    provisioned: bool = False
    version: str = "$LATEST"
    variables: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Environment variables of the function's configuration."""

    def context(self, request_id: str, remaining: Callable[[], int]) -> LambdaContext:
        """Return the context of one invocation; `remaining`: milliseconds until its timeout."""
        return LambdaContext(
            aws_request_id=request_id,
            function_name=self.name,
            function_version=self.version,
            memory_limit_in_mb=str(self.memory),
            invoked_function_arn=self.arn,
            log_stream_name=self._log_stream,
            log_group_name=self._log_group,
            remaining=remaining,
        )

    def environment_variables(self) -> dict[str, str]:
        """Return the variables that Lambda sets in an execution environment (Developer Guide, configuration-envvars).

        A function's own variables cannot replace reserved ones. The trace header is set for each invocation. The
        credentials are invalid ones.
        """
        return {
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            **self.variables,
            "AWS_ACCESS_KEY_ID": "chaosqs",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory),
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_VERSION": self.version,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency" if self.provisioned else "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": self._log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self._log_stream,
            "AWS_REGION": self.region,
            "AWS_SECRET_ACCESS_KEY": "chaosqs",
            "AWS_SESSION_TOKEN": "chaosqs",
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "LAMBDA_TASK_ROOT": self.root,
            "_HANDLER": self.handler,
        }

    @property
    def _log_group(self) -> str:
        return f"/aws/lambda/{self.name}"

    @property
    def _log_stream(self) -> str:
        return f"2025/12/01/[{self.version}]{self.environment:032x}"


def code_root(module: str) -> str:
    """Return the directory from which a module is imported: the parent of its top-level package or module."""
    file: object = getattr(sys.modules.get(module), "__file__", None)
    if not isinstance(file, str):
        return os.getcwd()  # noqa: PTH109 - code without a file has none
    levels = module.count(".") + (os.path.basename(file) == "__init__.py")  # noqa: PTH119 - as text
    for _ in range(levels + 1):
        file = os.path.dirname(file)  # noqa: PTH120 - as text
    return file


# Loading --------------------------------------------------------------------------------------------------------------

Handler: TypeAlias = Callable[[object, object], object]
"""A function of event and context."""

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{4,}")
_LONGEST_ERROR = 200


class LoadError(Exception):
    """Raised when the code of a function cannot be loaded; `kind` is Lambda's own error type."""

    def __init__(self, kind: str, message: str) -> None:
        """Take the error's type and message."""
        super().__init__(message)
        self.kind = kind


def load(function: Function, name: str) -> tuple[str, Handler]:
    """Import the handler of a function by its name, `package.module:function`; return its module's name and itself.

    A module is imported once, as Python does, so replacements that a test made in it hold. Its globals are shared by
    all environments and outlive the run. Raises `InvalidScenario`.
    """
    __tracebackhide__ = True
    module, _, attribute = name.partition(":")
    facts = facts_of(function, name, 1, provisioned=bool(function.provisioned_concurrency))
    state = ProcessState(facts.environment_variables())
    try:
        found: object = getattr(state.imported(module), attribute, None)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _invalid(function, name, f"module {module!r} cannot be imported: {describe(error)}") from error
    if found is None:
        raise _invalid(function, name, f"module {module!r} has no function {attribute!r}")
    if not is_handler(found):
        raise _invalid(function, name, f"{attribute!r} of module {module!r} must be a function of event and context")
    return module, found


def _invalid(function: Function, name: str, must: str) -> InvalidScenario:
    return InvalidScenario([Problem(f"behaviours[{function.name!r}].handler", repr(name), must)])


def is_handler(value: object) -> TypeGuard[Handler]:
    """Return whether a value can be called."""
    return callable(value)


def facts_of(function: Function, handler: str, environment: int, *, provisioned: bool) -> FunctionFacts:
    """Return the facts about a function that a handler sees in one of its environments."""
    module, _, attribute = handler.partition(":")
    return FunctionFacts(
        name=function.name,
        arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.name}",
        region=REGION,
        memory=function.memory,
        handler=f"{module.replace('.', '/')}.{attribute}",
        root=code_root(module),
        environment=environment,
        provisioned=provisioned,
    )


def describe(error: BaseException) -> str:
    """Return an error's type and the first line of its message, without memory addresses, which differ between runs."""
    try:
        text = first_line(str(error))
    except Exception:  # noqa: BLE001 - whatever a handler's own class does
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def first_line(text: str) -> str:
    """Return the first line of an error's message, without memory addresses, cut to 200 characters."""
    lines = text.splitlines() or [""]
    return _ADDRESS.sub("0x…", lines[0])[:_LONGEST_ERROR]
