"""What real handlers see of time, chance and threads: the only module that knows the real ones, and it covers them.

While a run with real handlers lasts, functions of `time`, `datetime`, `random`, `os` and `threading` are replaced.
Each replacement asks whether it is called from within an invocation; everywhere else, other threads too, it does what
it replaces. Names that a handler has imported from these modules are replaced as well, in all modules of its package.
Where the real functions show local time, a handler sees UTC, as in Lambda.

Not covered: `process_time` and `thread_time`, child processes, sockets, generators of numbers that the handler made
itself without a seed, and what libraries outside of its package have imported by name before.
"""

from __future__ import annotations

import asyncio.events
import datetime as dt  # noqa: TID251 - to cover it is the job of this module
import os
import random  # noqa: TID251 - as above
import sys
import threading
import time  # noqa: TID251 - as above
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import Protocol, TypeAlias

Source: TypeAlias = random.Random
"""Where the random numbers of one invocation come from."""


class Here(Protocol):
    """An invocation of real code, as what it calls sees it."""

    chance: Source

    def sleep(self, seconds: float) -> None:
        """Suspend this invocation."""
        ...

    def read_clock(self) -> int:
        """Return the milliseconds since the start of the run."""
        ...

    def refuse(self, what: str) -> None:
        """End the run, as the handler does what cannot be simulated; raise `SimulationError`."""
        ...


class _Function(Protocol):
    def __call__(self, *arguments: object, **options: object) -> object: ...


_Target: TypeAlias = ModuleType | type
_Patch: TypeAlias = tuple[_Target, str, object]

_here: ContextVar[Here | None] = ContextVar("chaosqs_invocation", default=None)


def enter(here: Here) -> None:
    """Take what runs in this context for the code of an invocation."""
    _here.set(here)


def current() -> Here | None:
    """Return the invocation whose code asks, or None."""
    return _here.get()


def source(seed: int) -> Source:
    """Return random numbers that depend on nothing but a seed."""
    return random.Random(seed)


@contextmanager
def worn(epoch: int) -> Generator[Callable[[str], None]]:
    """Cover time, chance and threads for the length of a `with` block; `epoch`: milliseconds since 1970 at moment 0.

    What it yields covers, besides, the names that the modules around a handler's module have imported.
    """
    patches = list(_patches(epoch))
    covers = {id(vars(owner)[name]): cover for owner, name, cover in patches}
    undo: list[_Patch] = [(owner, name, vars(owner)[name]) for owner, name, _ in patches]
    for owner, name, cover in patches:
        setattr(owner, name, cover)
    try:
        yield lambda module: undo.extend(_cover_names(module, covers))
    finally:
        while undo:
            setattr(*undo.pop())


def _cover_names(module: str, covers: dict[int, object]) -> Iterator[_Patch]:
    for around in _around(module):
        for name, value in tuple(vars(around).items()):
            if id(value) in covers:
                setattr(around, name, covers[id(value)])
                yield around, name, value


def _around(name: str) -> Iterable[ModuleType]:
    """Return the loaded modules of a module's top-level package, or of its directory where it has no package."""
    root, dot, _ = name.partition(".")
    if dot:
        return [module for known, module in tuple(sys.modules.items()) if f"{known}.".startswith(f"{root}.")]
    folder = _folder(sys.modules[name])
    return [module for module in tuple(sys.modules.values()) if _folder(module) == folder]


def _folder(module: ModuleType) -> str:
    path: object = getattr(module, "__file__", None)
    return path.rpartition(os.sep)[0] if isinstance(path, str) else repr(module)


# What is covered --------------------------------------------------------------------------------------------------


def _patches(epoch: int) -> Iterator[_Patch]:
    yield time, "sleep", _sleep(time.sleep)
    for name in ("monotonic", "perf_counter"):
        yield time, name, _clock(vars(time)[name], lambda now: now / 1000)
        yield time, f"{name}_ns", _clock(vars(time)[f"{name}_ns"], lambda now: now * 1_000_000)
    yield time, "time", _clock(time.time, lambda now: (epoch + now) / 1000)
    yield time, "time_ns", _clock(time.time_ns, lambda now: (epoch + now) * 1_000_000)
    for name in ("gmtime", "localtime"):
        yield time, name, _calendar(vars(time)[name], epoch)
    yield dt, "datetime", _covered_datetime(epoch)
    yield dt, "date", _covered_date(epoch)
    for name in random.__all__:
        if name[0].islower():
            yield random, name, _chance(name, vars(random)[name])
    yield random, "_urandom", _bytes(os.urandom)
    yield os, "urandom", _bytes(os.urandom)  # and so uuid.uuid4
    yield threading.Thread, "start", _refused("starts a thread", vars(threading.Thread)["start"])
    for owner in (asyncio, asyncio.events):
        yield owner, "new_event_loop", _refused("starts an event loop of asyncio", vars(owner)["new_event_loop"])


def _sleep(original: Callable[[float], None]) -> object:
    def sleep(seconds: float, /) -> None:
        here = _here.get()
        if here is None:
            original(seconds)
        elif seconds < 0:
            raise ValueError("sleep length must be non-negative")
        else:
            here.sleep(seconds)

    return sleep


def _clock(original: Callable[[], float], show: Callable[[int], float]) -> object:
    def read() -> float:
        here = _here.get()
        return original() if here is None else show(here.read_clock())

    return read


def _calendar(original: _Function, epoch: int) -> object:
    def read(seconds: float | None = None) -> object:
        here = _here.get()
        if here is None or seconds is not None:
            return original(seconds)
        return time.gmtime((epoch + here.read_clock()) / 1000)

    return read


def _chance(name: str, original: _Function) -> object:
    def draw(*arguments: object, **options: object) -> object:
        here = _here.get()
        if here is None:
            return original(*arguments, **options)
        method: _Function = getattr(here.chance, name)
        return method(*arguments, **options)

    return draw


def _bytes(original: Callable[[int], bytes]) -> object:
    def urandom(size: int, /) -> bytes:
        here = _here.get()
        return original(size) if here is None else here.chance.randbytes(size)

    return urandom


def _refused(what: str, original: _Function) -> object:
    def call(*arguments: object, **options: object) -> object:
        here = _here.get()
        if here is not None:
            here.refuse(what)
        return original(*arguments, **options)

    return call


# Dates: classes that stand for the real ones, make instances of those, and recognise them as their own ------------


def _covered_datetime(epoch: int) -> object:
    real = dt.datetime

    def now(tz: dt.tzinfo | None = None) -> dt.datetime:
        here = _here.get()
        if here is None:
            return real.now(tz)
        moment = real.fromtimestamp((epoch + here.read_clock()) / 1000, tz or dt.UTC)
        return moment if tz else moment.replace(tzinfo=None)

    def today() -> dt.datetime:
        return now()

    def utcnow() -> dt.datetime:
        return now(dt.UTC).replace(tzinfo=None)

    return _stand_in(real, {"now": staticmethod(now), "utcnow": staticmethod(utcnow), "today": staticmethod(today)})


def _covered_date(epoch: int) -> object:
    real = dt.date

    def today() -> dt.date:
        here = _here.get()
        moment = None if here is None else dt.datetime.fromtimestamp((epoch + here.read_clock()) / 1000, dt.UTC)
        return real.today() if moment is None else moment.date()

    return _stand_in(real, {"today": staticmethod(today)})


def _stand_in(real: type, own: dict[str, object]) -> object:
    def make(cls: type, *arguments: object, **options: object) -> object:
        del cls
        return real(*arguments, **options)

    return _StandIn(real.__name__, (real,), own | {"__new__": make, "__module__": "datetime"})


class _StandIn(type):
    """The class of classes whose instances are those of the class that they stand for."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.__mro__[1])

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.__mro__[1])
