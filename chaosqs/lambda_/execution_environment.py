"""Execution environments of real code: the context that handlers get, the import of their modules, and its errors."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from typing import Protocol, TypeAlias, TypeGuard

import attrs

from chaosqs.errors import SimulationError
from chaosqs.lambda_.output import text_of
from chaosqs.lambda_.process_state import Loggers, ProcessState
from chaosqs.lambda_.project_modules import CodeRoot, Modules, inline_root, root_at, root_of
from chaosqs.lambda_.threads import Threads
from chaosqs.model.behaviour import LAYERS, Behaviour
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


# Names of handlers ----------------------------------------------------------------------------------------------------

Handler: TypeAlias = Callable[[object, object], object]
"""A function of event and context."""


@attrs.frozen
class HandlerName:
    """The name of a handler."""

    path: str
    """The module as the function's configuration has it; slashes and dots mean the same (`package/module`)."""
    function: str

    @classmethod
    def of(cls, behaviour: Behaviour) -> HandlerName:
        """Read the name of a behaviour that is real code: `package.module:function`."""
        module, _, function = (behaviour.handler or "").partition(":")
        return cls(module.replace(".", "/"), function)

    @property
    def module(self) -> str:
        """Name by which Python imports the module."""
        return self.path.replace("/", ".")

    def __str__(self) -> str:
        """Return the name as it stands in the function's configuration: `package/module.function`."""
        return f"{self.path}.{self.function}"


def root_for(behaviour: Behaviour) -> CodeRoot:
    """Return the root of the code of a behaviour that is real code."""
    layers = [path for path in behaviour.environment.get(LAYERS, "").split(os.pathsep) if path]
    code = inline_root(behaviour.inline) if behaviour.inline else behaviour.code
    return root_at(code, layers) if code else root_of(HandlerName.of(behaviour).module, layers)


def facts_of(
    function: Function, behaviour: Behaviour, root: CodeRoot, environment: int, *, provisioned: bool
) -> FunctionFacts:
    """Return the facts about a function that a handler sees in one of its environments."""
    return FunctionFacts(
        name=function.name,
        arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.name}",
        region=REGION,
        memory=function.memory,
        handler=str(HandlerName.of(behaviour)),
        root=root.path,
        environment=environment,
        provisioned=provisioned,
        variables=behaviour.environment,
    )


# The import: the initialisation of an execution environment (LX-12) ---------------------------------------------------

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{4,}")
_LONGEST_ERROR = 200
_NOT_TWO = "not enough values to unpack (expected 2, got 1)"
HANDLER_NOT_FOUND = "Runtime.HandlerNotFound"


class LoadError(Exception):
    """Raised when the code of a function cannot be loaded; `kind` is Lambda's own error type, or the exception's."""

    def __init__(self, kind: str, message: str) -> None:
        """Take the error's type and message."""
        super().__init__(message)
        self.kind = kind


def imported(handler: HandlerName) -> Handler:
    """Import the module of a handler, and return the handler; raise `LoadError` as Lambda's Python runtime does."""
    module = handler.path
    if not module:
        raise LoadError("Runtime.MalformedHandlerName", f"Bad handler '{handler.function}': {_NOT_TWO}")
    if handler.module.partition(".")[0] in sys.builtin_module_names:
        raise LoadError("Runtime.BuiltInModuleConflict", f"Cannot use built-in module {module} as a handler module")
    try:
        found: object = getattr(import_module(handler.module), handler.function)
    except SimulationError:
        raise
    except ImportError as error:
        raise LoadError("Runtime.ImportModuleError", f"Unable to import module '{module}': {error}") from error
    except SyntaxError as error:
        raise LoadError("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {error}") from error
    except AttributeError as error:
        if error.obj is not sys.modules.get(handler.module) or error.name != handler.function:
            raise LoadError("AttributeError", text_of(error)) from error
        message = f"Handler '{handler.function}' missing on module '{module}'"
        raise LoadError(HANDLER_NOT_FOUND, message) from error
    except Exception as error:
        raise LoadError(type(error).__name__, text_of(error)) from error
    if not is_handler(found):
        raise LoadError(HANDLER_NOT_FOUND, f"Handler '{handler.function}' missing on module '{module}'")
    return found


def is_handler(value: object) -> TypeGuard[Handler]:
    """Return whether a value can be called."""
    return callable(value)


class Code(Protocol):
    """The code of a function in one execution environment."""

    def active(self) -> AbstractContextManager[None]:
        """Return the context manager around each stretch in which the code runs."""
        ...

    def handler(self) -> Handler:
        """Import the module and return the handler; raise `LoadError`."""
        ...


@attrs.define(eq=False)
class ImportedCode:
    """Code whose modules are imported for one environment."""

    name: HandlerName
    root: CodeRoot
    _modules: Modules = attrs.field(init=False)
    _loggers: Loggers = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with nothing imported."""
        self._modules, self._loggers = Modules(self.root), Loggers(self.root)

    @contextmanager
    def active(self) -> Generator[None]:
        """Let the environment's modules be the imported ones, and its loggers those of the process."""
        with self._modules.active(), self._loggers.active():
            yield

    def handler(self) -> Handler:
        """Import the module and return the handler; raise `LoadError`."""
        return imported(self.name)


def code_of(behaviour: Behaviour, root: CodeRoot) -> Callable[[], Code]:
    """Return the function that begins a process with the code of a behaviour."""
    name = HandlerName.of(behaviour)
    return lambda: ImportedCode(name, root)


@attrs.define(eq=False)
class ExecutionEnvironment:
    """The process of one execution environment: the code that it has imported, and its state."""

    begin: Callable[[], Code]
    """Returns the code of a new process, with nothing imported yet."""
    facts: FunctionFacts
    trace: str = ""
    """Trace header of the invocation."""
    threads: Threads = attrs.field(factory=Threads)
    """Threads other than the one that calls the handler."""
    _state: ProcessState = attrs.field(init=False)
    _code: Code = attrs.field(init=False)
    _handler: Handler | None = None
    _failed: bool = False
    """True once an import failed or was ended: the process is gone."""

    def __attrs_post_init__(self) -> None:
        """Begin the process."""
        self._renew()

    def _renew(self) -> None:
        variables = self.facts.environment_variables()
        self._code, self._state, self._failed = self.begin(), ProcessState(variables), False

    @property
    def is_loaded(self) -> bool:
        """True once the code is imported."""
        return self._handler is not None

    @contextmanager
    def active(self) -> Generator[None]:
        """Surround one stretch in which code of this environment runs."""
        if self._failed:
            self._renew()
        self._state.set_variable("_X_AMZN_TRACE_ID", self.trace)
        with self._code.active(), self._state.active():
            yield

    def close(self) -> None:
        """End all threads, as the run is over."""
        if self.threads.alive:
            with self.active():
                self.threads.close()

    def load(self) -> Handler:
        """Import the code unless that is done, and return the handler; raise `LoadError`."""
        if self._handler is None:
            try:
                self._handler = self._code.handler()
            except BaseException:
                self._failed = True
                raise
        return self._handler


# Errors ---------------------------------------------------------------------------------------------------------------


def describe(error: BaseException) -> str:
    """Return an error's type and the first line of its message, without memory addresses, which differ between runs."""
    text = first_line(text_of(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def first_line(text: str) -> str:
    """Return the first line of an error's message, without memory addresses, cut to 200 characters."""
    lines = text.splitlines() or [""]
    return _ADDRESS.sub("0x…", lines[0])[:_LONGEST_ERROR]
