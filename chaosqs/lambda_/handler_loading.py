"""Tests whether the handler of a function can be loaded, before anything is simulated.

The handler's module is imported as in a run: in a sandbox, in an environment of its own, which is thrown away. Nothing
is served. An import that waits or makes a call is not followed beyond that, as its end depends on the run.
"""

from __future__ import annotations

import ast
import os
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from chaosqs.errors import InvalidScenario, Problem, SimulationError
from chaosqs.kernel.event_queue import EventQueue
from chaosqs.lambda_.execution_environment import (
    HANDLER_NOT_FOUND,
    ExecutionEnvironment,
    HandlerName,
    LoadError,
    code_of,
    describe,
    facts_of,
    root_for,
)
from chaosqs.lambda_.guards import importer, is_theirs, shown
from chaosqs.lambda_.handler_runtime import HandlerTask, current_task
from chaosqs.lambda_.invocation import Invocation, Request
from chaosqs.lambda_.machines.concurrency import Environment
from chaosqs.lambda_.project_modules import CodeRoot
from chaosqs.lambda_.sandbox import Sandbox
from chaosqs.lambda_.threads import Ended
from chaosqs.lambda_.watch import watched
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import EventSourceMapping, Function
from chaosqs.sqs.api.region import EPOCH
from chaosqs.wire import stubs
from chaosqs.wire.http import HttpRequest, Reply
from chaosqs.wire.stubs import ClientCall

_loads: set[tuple[Function, str | None, str, tuple[tuple[str, str], ...]]] = set()
"""Functions and behaviours whose code could be loaded in this process."""


def require(function: Function, behaviour: Behaviour) -> None:
    """Raise `InvalidScenario` if the handler of a function can never be loaded. Code that could is not tried again."""
    __tracebackhide__ = True
    key = function, behaviour.handler, behaviour.code or behaviour.inline, tuple(behaviour.environment.items())
    if key in _loads:
        return
    reason = _attempt(function, behaviour)
    if reason:
        raise InvalidScenario([Problem(f"behaviours[{function.name!r}].handler", repr(behaviour.handler), reason)])
    _loads.add(key)


def probe(function: Function, behaviour: Behaviour) -> str:
    """Return why the handler of a function cannot be loaded, in two lines with file and line; empty if it can be.

    It can be if its import comes to its first wait or call, whatever becomes of it then.
    """
    reason = _attempt(function, behaviour)
    return reason and f"{behaviour.handler}: {reason}"


def definition(behaviour: Behaviour) -> str:
    """Return file and line where the handler is defined: `app/charge.py:12`. The file is read, and not run."""
    root, name = root_for(behaviour), HandlerName.of(behaviour)
    file, line = root.file_of(name.module), 1
    with suppress(OSError, SyntaxError, ValueError):
        for node in ast.parse(Path(file).read_bytes()).body:
            named = node.targets if isinstance(node, ast.Assign) else []
            names = [each.id for each in named if isinstance(each, ast.Name)]
            names += [node.name] if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else []
            line = node.lineno if name.function in names else line
    return shown(file, line)


def _attempt(function: Function, behaviour: Behaviour) -> str:
    """Import the handler in an environment that is thrown away; return why that fails, or an empty text."""
    root = root_for(behaviour)
    facts = facts_of(function, behaviour, root, 1, provisioned=bool(function.provisioned_concurrency))
    environment = ExecutionEnvironment(code_of(behaviour, root), facts)
    caught: list[BaseException] = []

    def load() -> None:
        try:
            environment.load()
        except Ended:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever the module raises
            caught.append(error)

    task = HandlerTask(_invocation(function), EventQueue(0), environment.active, _ignore)
    with watched(), Sandbox(EPOCH)(), _unanswered():
        try:
            task.start(load)
        finally:
            task.close()
    if task.failure is not None:  # the import was suspended, so nothing was raised
        caught = [task.failure]
    if not caught:
        return ""
    (error,) = caught
    if isinstance(task.failure, KeyboardInterrupt):
        raise task.failure
    return _reason(behaviour, root, error, task.failed_at)


def _invocation(function: Function) -> Invocation:
    request = Request(EventSourceMapping("", function.name), 0, None, (), ())
    environment = Environment(1, provisioned=False, new=True)
    return Invocation(request, 0, 0, environment, 0, 0, function.timeout * 1000, None, _ignore)


def _ignore(*_: object) -> None: ...


# Calls of the import: none gets an answer -----------------------------------------------------------------------------


class _Unanswered:
    def call(self, operation: str, parameters: Mapping[str, object], *, region: str) -> Mapping[str, object]:
        del operation, parameters, region
        return _wait()

    def sleep(self, seconds: float) -> None:
        del seconds
        _wait()

    def jitter(self) -> float:
        return 0.5

    def epoch(self) -> float:
        return EPOCH / 1000

    def refuse(self, call: str, why: str) -> NoReturn:
        raise SimulationError(f"{call}: {why}")

    def requested(self, request: HttpRequest, answer: Callable[[], Reply], seconds: float | None) -> Reply:
        raise NotImplementedError  # there are no stubs

    def stubbed(self, call: ClientCall, answer: Callable[[], object]) -> object:
        raise NotImplementedError  # as above


def _wait() -> Mapping[str, object]:
    task = current_task() or importer()
    return task.response(_ignore) if isinstance(task, HandlerTask) else {}


def _request(call: str, why: str) -> NoReturn:
    _wait()
    raise SimulationError(f"{call}: {why}")


@contextmanager
def _unanswered() -> Generator[None]:
    with stubs.opened(stubs.Stubs(_Unanswered(), _request)):
        try:
            from chaosqs.wire import botocore_hook as sdk  # noqa: PLC0415 - boto3 is an extra
            from chaosqs.wire.transport import Transport  # noqa: PLC0415
        except ModuleNotFoundError:
            yield
            return

        def answer(*_: object) -> None:
            _wait()

        with sdk.opened(Transport(_Unanswered(), others=answer)):
            yield


# Reasons --------------------------------------------------------------------------------------------------------------


def _reason(behaviour: Behaviour, root: CodeRoot, error: BaseException, site: str) -> str:
    """Return the two lines of an error: what is wrong, and where with what to do.

    `site`: where the code was suspended by an error that ends the run; empty if it was not.
    """
    name = HandlerName.of(behaviour)
    module = f"module {name.module!r}"
    cause = error.__cause__ if isinstance(error, LoadError) and error.__cause__ is not None else error
    if isinstance(error, LoadError) and error.kind == HANDLER_NOT_FOUND:
        if isinstance(cause, AttributeError):
            what = f"{module} has no function {name.function!r}"
        else:
            what = f"{name.function!r} of {module} must be a function of event and context"
        return f"{what}\n{shown(root.file_of(name.module), 1)}: name one of its functions after the colon"
    where, line = _place(cause, root.file_of(name.module))
    what = f"{module} cannot be imported: {describe(cause)}"
    match cause:
        case ModuleNotFoundError(name=str(missing)) if f"{name.module}.".startswith(f"{missing}."):
            return f"{what}\nit is looked for in {root.path}{'' if behaviour.code else ' and the rest of sys.path'}"
        case ModuleNotFoundError(name=str(missing)):
            return f"{what}\n{where}: install the package of {missing!r} where this runs, or add it to {root.path}"
        case KeyError(args=(str(variable),)) if line == _VARIABLE:
            return f"{what}\n{where}: set the variable {variable} in the function's environment (Behaviour.environment)"
        case SimulationError():
            return f"{what}\n{site or where}: do that in the handler, not at import"
        case _:
            return f"{what}\n{where}: {line}"


_VARIABLE = "os.environ"
"""Stands for the line where code asks for an environment variable that is not set."""


def _place(error: BaseException, file: str) -> tuple[str, str]:
    """Return file and line where the user's own code raised an error, and the text of that line.

    `file`: the handler's, if no line of it is known.
    """
    if isinstance(error, SyntaxError) and error.filename is not None:
        return shown(error.filename, error.lineno or 1), (error.text or "").strip()
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if is_theirs(frame.filename)]
    if not own:
        return shown(file, 1), "no line of it could be run"
    inner = frames[-1]
    asks = inner.name == "__getitem__" and inner.filename in (os.__file__, "<frozen os>")
    return shown(own[-1].filename, own[-1].lineno or 1), _VARIABLE if asks else own[-1].line or ""
