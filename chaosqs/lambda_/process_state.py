"""Process state of execution environments, kept apart: in Lambda each environment is a process of its own.

Environment variables, working directory, umask, signal handlers, trace hooks, recursion limit, locale, time zone,
standard streams, arguments, warning filters, import path and hooks, decimal context, loggers and the settings of
`logging`, `gc` and `sys` are those of the environment while its handler runs. At all other times they are the caller's.

Not kept apart: the contents of files, attributes of shared modules (`builtins`), and threads' own settings.
`project_modules` keeps modules apart.
"""

import asyncio.events
import decimal
import gc
import locale
import logging
import os
import signal
import socket
import sys
import threading
import time  # noqa: TID251 - its time zone is put back
import warnings
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from operator import attrgetter
from typing import TypeAlias, TypeGuard, TypeVar

import attrs

from chaosqs.lambda_.project_modules import CodeRoot

Setting = TypeVar("Setting")
_Change: TypeAlias = Callable[[], object]
_PutBack: TypeAlias = Callable[[], _Change | None]
"""Restores a setting and returns a function that applies the change again; None if there was no change."""
_Variables: TypeAlias = dict[str | bytes, str | bytes]
"""Environment variables as `os.environ` stores them: encoded."""


def _encoded(variables: Mapping[str, str]) -> _Variables:
    return {os.environ.encodekey(name): os.environ.encodevalue(value) for name, value in variables.items()}


@attrs.define(eq=False)
class ProcessState:
    """The state of one execution environment: Lambda's settings, and the changes by its code."""

    _given: _Variables = attrs.field(converter=_encoded)
    """Environment variables that Lambda sets, in addition to those of the caller."""
    _edited: dict[str | bytes, str | bytes | None] = attrs.field(factory=dict[str | bytes, "str | bytes | None"])
    """Environment variables that code of the environment has set; None: removed."""
    _changes: tuple[_Change, ...] = ()
    """Changes of other settings by code of the environment."""

    @contextmanager
    def active(self) -> Generator[None]:
        """Replace the caller's state by the environment's within a `with` block."""
        settings = [keep() for keep in _SETTINGS]
        callers = _environ()
        before = self._variables(callers)
        _replace_environ(before.copy(), self._edited)
        for change in self._changes:
            with suppress(OSError, RecursionError):
                change()
        try:
            yield
        finally:
            own = _environ()
            if own != before:
                names = {**own, **before}
                self._edited.update({name: own.get(name) for name in names if own.get(name) != before.get(name)})
            _replace_environ(callers, self._edited)
            self._changes = tuple([again for put_back in settings if (again := put_back()) is not None])

    def _variables(self, callers: _Variables) -> _Variables:
        variables = callers | self._given
        for name, value in self._edited.items():
            if value is None:
                variables.pop(name, None)
            else:
                variables[name] = value
        return variables

    def set_variable(self, name: str, value: str) -> None:
        """Set a variable that Lambda sets for each invocation."""
        self._given.update(_encoded({name: value}))


# Environment variables ------------------------------------------------------------------------------------------------


def _environ() -> _Variables:
    data: object = vars(os.environ)["_data"]
    assert _is_variables(data)
    return data


def _is_variables(value: object) -> TypeGuard[_Variables]:
    return isinstance(value, dict)


def _replace_environ(variables: _Variables, edited: Iterable[str | bytes]) -> None:
    """Replace all variables at once. There is no public way; one by one takes longer than most handlers do.

    Child processes and C libraries see only `putenv`, so the edited variables are set by it, too.
    """
    vars(os.environ)["_data"] = variables
    for name in edited:
        value = variables.get(name)
        if value is None:
            os.unsetenv(os.fsdecode(name))
        else:
            os.putenv(os.fsdecode(name), os.fsdecode(value))


# All other settings ---------------------------------------------------------------------------------------------------


def _setting(read: Callable[[], Setting], write: Callable[[Setting], object]) -> Callable[[], _PutBack]:
    def keep() -> _PutBack:
        before = read()

        def put_back() -> _Change | None:
            after = read()
            if after == before:
                return None
            with suppress(OSError):
                write(before)
            return partial(write, after)

        return put_back

    return keep


def _attribute(owner: object, name: str) -> Callable[[], _PutBack]:
    return _setting(lambda: vars(owner)[name], lambda value: setattr(owner, name, value))


def _list(found: Callable[[], list[Setting]]) -> Callable[[], _PutBack]:
    """Keep the contents of a list, not the object: others have references to it."""
    return _setting(lambda: found().copy(), lambda value: found().__setitem__(slice(None), value))


def _working_directory() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - compared often, so a string
    except FileNotFoundError:
        return ""


def _umask() -> int:
    mask = os.umask(0o77)  # a file that another thread makes just now gets too few permissions, not too many
    os.umask(mask)
    return mask


_SIGNALS = tuple(sorted(number for number in signal.valid_signals() if number < getattr(signal, "SIGRTMIN", 64)))
_HANDLER_OF: Callable[[int], object] = vars(import_module("_signal"))["getsignal"]
"""Same as `signal.getsignal`, but ten times as fast: it does not convert numbers to constants."""


def _signal_handlers() -> list[object]:
    if threading.get_ident() != threading.main_thread().ident:
        return []  # only the main thread may set them
    return list(map(_HANDLER_OF, _SIGNALS))


def _handle_signals(handlers: list[object]) -> None:
    for number, handler, now in zip(_SIGNALS, handlers, _signal_handlers(), strict=False):
        if handler != now and (callable(handler) or isinstance(handler, int)):
            signal.signal(number, handler)


def _filter_warnings(filters: list[object]) -> None:
    with warnings.catch_warnings():  # whose end drops what Python remembers of the filters
        pass
    vars(warnings)["filters"][:] = filters


def _event_loop() -> tuple[object, dict[str, object]] | None:
    """Return the policy of asyncio and what it keeps of the event loop of this thread; None if it is not used yet."""
    policy: object = _ASYNCIO["_event_loop_policy"]
    if policy is None:
        return None
    local: object = getattr(policy, "_local", None)
    return policy, vars(local).copy() if local is not None else {}


_ASYNCIO = vars(asyncio.events)


def _set_event_loop(state: tuple[object, dict[str, object]] | None) -> None:
    setattr(asyncio.events, "_event_loop_policy", None if state is None else state[0])  # noqa: B010 - it is private
    local: object = None if state is None else getattr(state[0], "_local", None)
    if state is not None and local is not None:
        vars(local).clear()
        vars(local).update(state[1])


def _read_zone_again(_: object) -> None:
    if hasattr(time, "tzset"):
        time.tzset()


_RARE = ("_loggerClass", "_logRecordFactory", "lastResort", "_warnings_showwarning")
_RARE_OF = attrgetter(*_RARE)
_LEVELS: dict[int, str] = vars(logging)["_levelToName"]
_LEVELS_BY_NAME: dict[str, int] = vars(logging)["_nameToLevel"]
_DECIMAL = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")  # its traps are not kept
_DECIMAL_OF = attrgetter(*_DECIMAL)
_Rare: TypeAlias = tuple[
    Iterable[object],
    dict[int, str],
    dict[str, int],
    Iterable[object],
    list[str],
    tuple[int, int, int],
    float,
    int,
    bool,
]


def _rarely_changed() -> _Rare:
    """Return settings that few handlers change. They are read at once, because each handler pays for the reading."""
    return (
        _RARE_OF(logging),
        _LEVELS.copy(),
        _LEVELS_BY_NAME.copy(),
        _DECIMAL_OF(decimal.getcontext()),
        sys.argv.copy(),
        gc.get_threshold(),
        sys.getswitchinterval(),
        sys.get_int_max_str_digits(),
        sys.dont_write_bytecode,
    )


def _set_rarely_changed(settings: _Rare) -> None:
    of_logging, levels, by_name, of_decimal, sys.argv[:], thresholds, interval, digits, compiled = settings
    for name, value in zip(_RARE, of_logging, strict=True):
        setattr(logging, name, value)
    for name, value in zip(_DECIMAL, of_decimal, strict=True):
        setattr(decimal.getcontext(), name, value)
    _LEVELS.clear()
    _LEVELS.update(levels)
    _LEVELS_BY_NAME.clear()
    _LEVELS_BY_NAME.update(by_name)
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(interval)
    sys.set_int_max_str_digits(digits)
    sys.dont_write_bytecode = compiled


def _set_profiler(profiler: object) -> None:
    """Set a profiler; that of `cProfile` is no function up to Python 3.11, and sets itself."""
    enable: object = getattr(profiler, "enable", None)
    if callable(enable):
        enable()
    else:
        vars(sys)["setprofile"](profiler)


_SETTINGS = (
    _setting(sys.gettrace, sys.settrace),
    _setting(vars(sys)["getprofile"], _set_profiler),
    _attribute(threading, "_trace_hook"),
    _attribute(threading, "_profile_hook"),
    _setting(sys.getrecursionlimit, sys.setrecursionlimit),
    _setting(_working_directory, os.chdir),
    _setting(_umask, os.umask),
    _setting(_signal_handlers, _handle_signals),
    _setting(partial(locale.setlocale, locale.LC_ALL), partial(locale.setlocale, locale.LC_ALL)),
    _setting(lambda: (time.tzname, time.timezone), _read_zone_again),
    _setting(_event_loop, _set_event_loop),
    _setting(gc.isenabled, lambda enabled: gc.enable() if enabled else gc.disable()),
    _setting(socket.getdefaulttimeout, socket.setdefaulttimeout),
    *(_attribute(sys, name) for name in ("stdin", "stdout", "stderr", "excepthook", "displayhook", "unraisablehook")),
    _list(lambda: sys.path),
    _list(partial(getattr, sys, "meta_path")),
    _attribute(threading, "excepthook"),
    _attribute(warnings, "showwarning"),
    _setting(lambda: list[object](warnings.filters), _filter_warnings),
    _setting(lambda: logging.root.level, logging.root.setLevel),
    _list(lambda: logging.root.handlers),
    _list(lambda: logging.root.filters),
    _setting(lambda: logging.root.manager.disable, logging.disable),
    _setting(_rarely_changed, _set_rarely_changed),
)


# Loggers --------------------------------------------------------------------------------------------------------------
#
# Python has one table of loggers a process, so a logger that each environment sets up would get one more handler from
# each. Loggers named after shared modules (`botocore.client`) are shared as these are. All others are the environment's
# while its code runs, and the caller's at all other times.

_loggers: dict[str, logging.Logger | logging.PlaceHolder] = logging.root.manager.loggerDict
_callers: dict[CodeRoot, tuple[tuple[int, str], Sequence[str]]] = {}
"""State of the table, and the names of the caller's own loggers in it."""


@attrs.define(eq=False)
class Loggers:
    """The loggers of one environment."""

    root: CodeRoot
    _own: dict[str, logging.Logger | logging.PlaceHolder] = attrs.field(
        factory=dict[str, "logging.Logger | logging.PlaceHolder"]
    )

    @contextmanager
    def active(self) -> Generator[None]:
        """Let this environment's loggers be in the table within a `with` block."""
        hidden = {name: _loggers.pop(name) for name in self._names_of_caller()}
        _loggers.update(self._own)
        before = len(_loggers)
        try:
            yield
        finally:
            names = list(self._own) if len(_loggers) == before else self._names()
            self._own = {name: _loggers.pop(name) for name in names}
            _loggers.update(hidden)
            _callers[self.root] = _state(), list(hidden)

    def _names_of_caller(self) -> Sequence[str]:
        state, names = _callers.get(self.root, ((0, ""), ()))
        return names if state == _state() else self._names()

    def _names(self) -> list[str]:
        """Return the names of loggers in the table that no shared module has."""
        return [name for name in _loggers if not self._is_shared(name.partition(".")[0])]

    def _is_shared(self, top: str) -> bool:
        return top in sys.modules and not self.root.contains(top, sys.modules[top])


def _state() -> tuple[int, str]:
    """Return a value that changes with each new logger."""
    return len(_loggers), next(reversed(_loggers), "")
