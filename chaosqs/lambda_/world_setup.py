"""The setup of a world: a user's function that prepares each run, and the stubs that it gives.

It is called once for each run, before time starts: with the queues and the resources of the design, by clients of
boto3. Its calls take no time.
"""

from __future__ import annotations

import inspect
import os
import traceback
from collections.abc import Callable
from functools import lru_cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from chaosqs.errors import InvalidInput, InvalidScenario, SimulationError
from chaosqs.wire.stubs import current


def stub(target: str, response: object) -> None:
    """Answer an operation of AWS, or HTTP requests, in a world.

    ::

        chaosqs.stub("bedrock-runtime:InvokeModel", {"body": b"yes"})
        chaosqs.stub("GET https://api.example.com/rates", {"EUR": 1.08})
        chaosqs.stub("POST https://api.example.com/orders/*", lambda request: (201, {"order": request.json()["id"]}))

    For an operation, `response` is the result as boto3 returns it, or a function that gets the call's parameters and
    returns the result, or raises botocore's errors. For requests it is a body (text, bytes, JSON), `(status, body)` or
    `(status, body, headers)`; or a function that gets an `HttpRequest` and returns one of these, or raises an `OSError`
    as a connection does. In the URL, and as the method, `*` stands for anything. Every query is answered.

    A stubbed call takes the time of a call, may have faults, and is in the history. Use `stub` in a setup function
    (`[tool.chaosqs]`, `setup`) or in the block of `chaosqs.aws()`; anywhere else it raises `InvalidInput`, and so it
    does for another target.
    """
    stubs = current()
    if stubs is None:
        raise InvalidInput(
            "chaosqs.stub() needs a world: call it in a setup function or within chaosqs.aws()\n"
            'name the setup function in pyproject.toml: [tool.chaosqs] setup = "tests/world.py:prepare"'
        )
    stubs.add(target, response)


def prepare(setup: str) -> None:
    """Call a setup function, `path.py:name`; raise `InvalidScenario` in two lines: what is wrong, file and line."""
    path, _, name = setup.rpartition(":")
    function: object = getattr(_module(path), name, None)
    if not callable(function):
        raise _invalid(setup, f"{path} has no function {name!r}", f"{path}:1")
    line = f"{path}:{getattr(getattr(function, '__code__', None), 'co_firstlineno', 1)}"
    if not _takes_nothing(function):
        raise _invalid(setup, f"{name} must take no argument", line)
    try:
        result: object = function()
    except SimulationError as error:  # it tells what is not answered, and what to do
        raise _invalid(setup, str(error).partition("\n")[0], _place(error, path)) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a user's function raises
        raise _invalid(setup, f"{name} raises {_described(error)}", _place(error, path)) from None
    if inspect.isgenerator(result) or inspect.isasyncgen(result) or inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()  # nobody awaits it
        kind = "a generator" if inspect.isgenerator(result) else "an async one"
        raise _invalid(setup, f"{name} must be a plain function, not {kind}", line)


@lru_cache(maxsize=16)
def _module(path: str) -> ModuleType:
    if not Path(path).is_file():
        raise _invalid(path, "there is no such file", path)
    spec = spec_from_file_location(f"chaosqs_setup_{abs(hash(path))}", path)
    if spec is None or spec.loader is None:
        raise _invalid(path, "is not a Python file", path)
    module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a user's module raises
        raise _invalid(path, f"cannot be imported: {_described(error)}", _place(error, path)) from None
    return module


def _takes_nothing(function: Callable[[], object]) -> bool:
    try:
        inspect.signature(function).bind()
    except TypeError:
        return False
    return True


def _described(error: BaseException) -> str:
    """Return an exception in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def _place(error: BaseException, path: str) -> str:
    """Return file and line of the last frame in a file."""
    if isinstance(error, SyntaxError) and error.lineno:
        return f"{path}:{error.lineno}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return f"{path}:{frames[-1].lineno if frames else 1}"


def _invalid(setup: str, why: str, where: str) -> InvalidScenario:
    here = os.getcwd() + os.sep  # noqa: PTH109 - as text
    return InvalidScenario(f"setup = {setup.removeprefix(here)!r}: {why.replace(here, '')}\n{where.removeprefix(here)}")
