"""What real handlers see of time, chance and threads: the module that knows the real ones, and it covers them.

While a run with real handlers lasts, functions of `time`, `datetime`, `random`, `uuid`, `os` and `threading` are
replaced. Each replacement asks whether it is called from within an invocation; everywhere else, other threads too, it
does what it replaces. Names that a handler has imported from these modules are replaced as well, in all modules of its
package. Where the real functions show local time, a handler sees UTC, as in Lambda.

Not covered: what libraries outside of its package have imported by name before (`escapes` sees some of it), generators
of numbers that were made without a seed while a module was imported, and the zone that `timestamp` and `astimezone` of
a date without one take from the machine.
"""

from __future__ import annotations

import asyncio.events
import calendar
import datetime as dt  # noqa: TID251 - to stand for it is the job of this module
import os
import random  # noqa: TID251 - as above
import sys
import threading
import time  # noqa: TID251 - as above
import uuid  # noqa: TID251 - as above
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import Protocol, TypeAlias

# Classes that stand for `datetime` and `date`, make instances of those, and recognise them as their own. -------------

Moment = Callable[[], float | None]
"""Returns the virtual time in seconds since 1970, or None where the real one is to be seen."""


def covered_datetime(moment: Moment) -> object:
    """Return what shows virtual time as `datetime`; local time is UTC there."""
    real = dt.datetime

    def now(tz: dt.tzinfo | None = None) -> dt.datetime:
        found = moment()
        return real.now(tz) if found is None else shown(found, tz)

    def fromtimestamp(seconds: float, tz: dt.tzinfo | None = None) -> dt.datetime:
        return real.fromtimestamp(seconds, tz) if moment() is None else shown(seconds, tz)

    def shown(seconds: float, tz: dt.tzinfo | None) -> dt.datetime:
        found = real.fromtimestamp(seconds, tz or dt.UTC)
        return found if tz else found.replace(tzinfo=None)

    def today() -> dt.datetime:
        return now()

    def utcnow() -> dt.datetime:
        return now(dt.UTC).replace(tzinfo=None)

    return _stand_in(real, now=now, utcnow=utcnow, today=today, fromtimestamp=fromtimestamp)


def covered_date(moment: Moment) -> object:
    """Return what shows virtual time as `date`; local time is UTC there."""
    real = dt.date

    def today() -> dt.date:
        found = moment()
        return real.today() if found is None else dt.datetime.fromtimestamp(found, dt.UTC).date()

    def fromtimestamp(seconds: float) -> dt.date:
        return real.fromtimestamp(seconds) if moment() is None else dt.datetime.fromtimestamp(seconds, dt.UTC).date()

    return _stand_in(real, today=today, fromtimestamp=fromtimestamp)


def _stand_in(real: type, **own: object) -> object:
    def make(cls: type, *arguments: object, **options: object) -> object:
        return real.__new__(real if cls is stand_in else cls, *arguments, **options)

    members = {name: staticmethod(function) for name, function in own.items() if callable(function)}
    stand_in = _StandIn(real.__name__, (real,), {**members, "__new__": make, "__module__": "datetime"})
    return stand_in


class _StandIn(type):
    """The class of classes whose instances are those of the class that they stand for."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.__mro__[1])

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.__mro__[1])


# ---------------------------------------------------------------------------------------------------------------------

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


class Original(Protocol):
    """A function as it was."""

    def __call__(self, *arguments: object, **options: object) -> object:
        """Call it."""
        ...


_Target: TypeAlias = ModuleType | type
Patch: TypeAlias = tuple[_Target, str, object]
"""What is replaced: an attribute of a module or a class, by something."""

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
def worn(epoch: int, more: Iterable[Patch] = ()) -> Generator[Callable[[str], None]]:
    """Cover time, chance and threads for the length of a `with` block; `epoch`: milliseconds since 1970 at moment 0.

    What it yields covers, besides, the names that the modules around a handler's module have imported. `more`: what
    else is to be replaced.
    """
    patches = [*_patches(epoch), *more]
    covers = {id(vars(owner)[name]): cover for owner, name, cover in patches}
    undo: list[Patch] = [(owner, name, vars(owner)[name]) for owner, name, _ in patches]
    for owner, name, cover in patches:
        setattr(owner, name, cover)
    try:
        yield lambda module: undo.extend(_cover_names(module, covers))
    finally:
        while undo:
            setattr(*undo.pop())


def _cover_names(module: str, covers: dict[int, object]) -> Iterator[Patch]:
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


def _patches(epoch: int) -> Iterator[Patch]:
    yield time, "sleep", _sleep(time.sleep)
    for name in ("monotonic", "perf_counter", "process_time", "thread_time"):
        yield time, name, _clock(vars(time)[name], lambda now: now / 1000)
        yield time, f"{name}_ns", _clock(vars(time)[f"{name}_ns"], lambda now: now * 1_000_000)
    yield time, "time", _clock(time.time, lambda now: (epoch + now) / 1000)
    yield time, "time_ns", _clock(time.time_ns, lambda now: (epoch + now) * 1_000_000)
    yield from _posix_clocks(epoch)
    yield from _calendars(epoch)
    moment = _moment(epoch)
    yield dt, "datetime", covered_datetime(moment)
    yield dt, "date", covered_date(moment)
    for name in random.__all__:
        if name[0].islower():
            yield random, name, _chance(name, vars(random)[name])
    yield random.Random, "seed", _seed(vars(random.Random)["seed"])
    yield random, "_urandom", _bytes(os.urandom)
    yield os, "urandom", _bytes(os.urandom)  # and so uuid.uuid4
    yield uuid, "uuid1", _uuid1(epoch)
    original = vars(threading.Thread)["start"]
    yield threading.Thread, "start", refused("starts a thread (threading.Thread.start)", original)
    for owner in (asyncio, asyncio.events):
        original = vars(owner)["new_event_loop"]
        yield owner, "new_event_loop", refused("starts an event loop of asyncio (asyncio.new_event_loop)", original)


def _moment(epoch: int) -> Callable[[], float | None]:
    def moment() -> float | None:
        here = _here.get()
        return None if here is None else (epoch + here.read_clock()) / 1000

    return moment


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


def _posix_clocks(epoch: int) -> Iterator[Patch]:
    """Cover `clock_gettime`, where there is one: `CLOCK_REALTIME` counts from 1970, all others from the start."""
    for name, unit in (("clock_gettime", 1000), ("clock_gettime_ns", 1 / 1_000_000)):
        original: Original | None = vars(time).get(name)
        if original is not None:
            yield time, name, _posix_clock(original, epoch, unit)


def _posix_clock(original: Original, epoch: int, unit: float) -> object:
    def read(clock: int, /) -> object:
        here = _here.get()
        if here is None:
            return original(clock)
        now = here.read_clock() + (epoch if clock == time.CLOCK_REALTIME else 0)
        return now / unit if unit > 1 else now * 1_000_000

    return read


def _calendars(epoch: int) -> Iterator[Patch]:
    """Cover what turns moments into dates and back: within an invocation, all in UTC."""
    moment, utc = _moment(epoch), time.gmtime

    def parts(original: Original) -> object:
        def read(seconds: float | None = None, /) -> object:
            now = moment()
            return original(seconds) if now is None else utc(now if seconds is None else seconds)

        return read

    def text(original: Original, *, given: int) -> object:
        def write(*arguments: object) -> object:
            now = moment()
            return original(*arguments) if now is None or len(arguments) > given else original(*arguments, utc(now))

        return write

    def text_of_seconds(original: Original, asctime: Original) -> object:
        def write(seconds: float | None = None, /) -> object:
            now = moment()
            return original(seconds) if now is None else asctime(utc(now if seconds is None else seconds))

        return write

    def seconds_of(original: Callable[[time.struct_time], float]) -> object:
        def read(date: time.struct_time, /) -> float:
            return original(date) if moment() is None else float(calendar.timegm(date))

        return read

    yield time, "gmtime", parts(vars(time)["gmtime"])
    yield time, "localtime", parts(vars(time)["localtime"])
    yield time, "asctime", text(vars(time)["asctime"], given=0)
    yield time, "strftime", text(vars(time)["strftime"], given=1)
    yield time, "ctime", text_of_seconds(vars(time)["ctime"], vars(time)["asctime"])
    yield time, "mktime", seconds_of(time.mktime)


def _chance(name: str, original: Original) -> object:
    def draw(*arguments: object, **options: object) -> object:
        here = _here.get()
        if here is None:
            return original(*arguments, **options)
        method: Original = getattr(here.chance, name)
        return method(*arguments, **options)

    return draw


def _bytes(original: Callable[[int], bytes]) -> object:
    def urandom(size: int, /) -> bytes:
        here = _here.get()
        return original(size) if here is None else here.chance.randbytes(size)

    return urandom


def _seed(original: Original) -> object:
    """Give a generator that an invocation makes without a seed one of the invocation's own."""

    def seed(self: object, a: object = None, version: int = 2) -> object:
        here = _here.get()
        return original(self, here.chance.getrandbits(64) if a is None and here is not None else a, version)

    return seed


def _uuid1(epoch: int) -> object:
    original = uuid.uuid1

    def uuid1(node: int | None = None, clock_seq: int | None = None) -> uuid.UUID:
        here = _here.get()
        if here is None:
            return original(node, clock_seq)
        ticks = (epoch + here.read_clock()) * 10_000 + _GREGORIAN
        node = here.chance.getrandbits(48) if node is None else node
        sequence = here.chance.getrandbits(14) if clock_seq is None else clock_seq
        moment = ticks & 0xFFFFFFFF, ticks >> 32 & 0xFFFF, ticks >> 48 & 0x0FFF
        return uuid.UUID(fields=(*moment, sequence >> 8 & 0x3F, sequence & 0xFF, node), version=1)

    return uuid1


_GREGORIAN = 0x01B21DD213814000
"""From the first day of that calendar to 1970, in 100 ns: what such ids count from."""


def refused(what: str, original: Original) -> Original:
    """Return what ends the run where an invocation calls it; `what`: what that does, for the error."""

    def call(*arguments: object, **options: object) -> object:
        here = _here.get()
        if here is not None:
            here.refuse(what)
        return original(*arguments, **options)

    return call
