"""The sandbox of handlers: replacements for time, random numbers and threads. Only this module uses the real ones.

While handlers run, functions of `time`, `datetime`, `random`, `uuid`, `os` and `threading` are replaced. Called from
anywhere but an invocation, other threads included, a replacement calls the original. Names that a handler has imported
from these modules are replaced as well, in all modules of its package. Where the real functions show local time, a
handler sees UTC, as in Lambda.

Not replaced: names that libraries outside of its package imported before (`guards` sees some of their calls), random
number generators that an import made without a seed, and the machine's time zone in `timestamp` and `astimezone` of a
date without a zone.
"""

import calendar
import datetime as dt  # noqa: TID251 - to replace it is the job of this module
import os
import random  # noqa: TID251 - as above
import sys
import time  # noqa: TID251 - as above
import uuid  # noqa: TID251 - as above
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TypeAlias

import attrs

from chaosqs.kernel.context import turns
from chaosqs.lambda_.guards import Original, Patch, current, guards

Source: TypeAlias = random.Random
"""Source of the random numbers of one invocation."""


def source(seed: int) -> Source:
    """Return a source of random numbers that depend on the seed only."""
    return random.Random(seed)


_ONE_AT_A_TIME = turns()


@attrs.define(eq=False)
class Sandbox:
    """The replacements of one run; `epoch`: milliseconds since 1970 at moment 0."""

    epoch: int
    _patches: list[Patch] = attrs.field(factory=list[Patch])

    @contextmanager
    def __call__(self, *modules: str) -> Generator[Callable[[str], None]]:
        """Put the replacements in place for a `with` block; only one sandbox of all threads is active at a time.

        Imported names are replaced in the packages of the given modules. The yielded function adds another module.
        """
        with _ONE_AT_A_TIME:
            if not self._patches:
                self._patches.extend([*_patches(self.epoch), *guards()])
            by_original = {id(vars(owner)[name]): patch for owner, name, patch in self._patches}
            undo: list[Patch] = [(owner, name, vars(owner)[name]) for owner, name, _ in self._patches]
            for owner, name, patch in self._patches:
                setattr(owner, name, patch)
            try:
                for module in modules:
                    undo.extend(_patch_names(module, by_original))
                yield lambda module: undo.extend(_patch_names(module, by_original))
            finally:
                while undo:
                    setattr(*undo.pop())


def _patch_names(module: str, patches: dict[int, object]) -> Iterator[Patch]:
    for around in _around(module):
        for name, value in tuple(vars(around).items()):
            if id(value) in patches:
                setattr(around, name, patches[id(value)])
                yield around, name, value


def _around(name: str) -> Iterable[ModuleType]:
    """Return the loaded modules of a module's top-level package, or of its directory if it has no package."""
    root, dot, _ = name.partition(".")
    if dot:
        return [module for known, module in tuple(sys.modules.items()) if f"{known}.".startswith(f"{root}.")]
    folder = _folder(sys.modules[name])
    return [module for module in tuple(sys.modules.values()) if _folder(module) == folder]


def _folder(module: ModuleType) -> str:
    path: object = getattr(module, "__file__", None)
    return path.rpartition(os.sep)[0] if isinstance(path, str) else f"<{getattr(module, '__name__', '')}>"


# Replacements ---------------------------------------------------------------------------------------------------------


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
    yield dt, "datetime", _datetime(moment)
    yield dt, "date", _date(moment)
    for name in random.__all__:
        if name[0].islower():
            yield random, name, _chance(name, vars(random)[name])
    yield random.Random, "seed", _seed(vars(random.Random)["seed"])
    yield random, "_urandom", _bytes(os.urandom)
    yield os, "urandom", _bytes(os.urandom)  # and so uuid.uuid4
    yield uuid, "uuid1", _uuid1(epoch)


def _moment(epoch: int) -> Callable[[], float | None]:
    def moment() -> float | None:
        invoked = current()
        return None if invoked is None else (epoch + invoked.read_clock()) / 1000

    return moment


def _sleep(original: Callable[[float], None]) -> object:
    def sleep(seconds: float, /) -> None:
        invoked = current()
        if invoked is None:
            original(seconds)
        elif seconds < 0:
            raise ValueError("sleep length must be non-negative")
        else:
            invoked.sleep(seconds)

    return sleep


def _clock(original: Callable[[], float], show: Callable[[int], float]) -> object:
    def read() -> float:
        invoked = current()
        return original() if invoked is None else show(invoked.read_clock())

    return read


def _posix_clocks(epoch: int) -> Iterator[Patch]:
    """Replace `clock_gettime`, if it exists: `CLOCK_REALTIME` counts from 1970, others from the start of the run."""
    for name, unit in (("clock_gettime", 1000), ("clock_gettime_ns", 1 / 1_000_000)):
        original: Original | None = vars(time).get(name)
        if original is not None:
            yield time, name, _posix_clock(original, epoch, unit)


def _posix_clock(original: Original, epoch: int, unit: float) -> object:
    def read(clock: int, /) -> object:
        invoked = current()
        if invoked is None:
            return original(clock)
        now = invoked.read_clock() + (epoch if clock == time.CLOCK_REALTIME else 0)
        return now / unit if unit > 1 else now * 1_000_000

    return read


def _calendars(epoch: int) -> Iterator[Patch]:
    """Replace the conversions between moments and dates: within an invocation, all are in UTC."""
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
        invoked = current()
        if invoked is None:
            return original(*arguments, **options)
        method: Original = getattr(invoked.chance, name)
        return method(*arguments, **options)

    return draw


def _bytes(original: Callable[[int], bytes]) -> object:
    def urandom(size: int, /) -> bytes:
        invoked = current()
        return original(size) if invoked is None else invoked.chance.randbytes(size)

    return urandom


def _seed(original: Original) -> object:
    """Seed a generator that an invocation makes without a seed from the invocation's random numbers."""

    def seed(self: object, a: object = None, version: int = 2) -> object:
        invoked = current()
        return original(self, invoked.chance.getrandbits(64) if a is None and invoked is not None else a, version)

    return seed


def _uuid1(epoch: int) -> object:
    original = uuid.uuid1

    def uuid1(node: int | None = None, clock_seq: int | None = None) -> uuid.UUID:
        invoked = current()
        if invoked is None:
            return original(node, clock_seq)
        ticks = (epoch + invoked.read_clock()) * 10_000 + _GREGORIAN
        node = invoked.chance.getrandbits(48) if node is None else node
        sequence = invoked.chance.getrandbits(14) if clock_seq is None else clock_seq
        moment = ticks & 0xFFFFFFFF, ticks >> 32 & 0xFFFF, ticks >> 48 & 0x0FFF
        return uuid.UUID(fields=(*moment, sequence >> 8 & 0x3F, sequence & 0xFF, node), version=1)

    return uuid1


_GREGORIAN = 0x01B21DD213814000
"""Time from the first day of the Gregorian calendar, from which UUIDs of version 1 count, to 1970; in 100 ns."""


# Dates ----------------------------------------------------------------------------------------------------------------

_Moment = Callable[[], float | None]
"""Returns the virtual time in seconds since 1970; None outside of an invocation."""


def _datetime(moment: _Moment) -> object:
    """Return a replacement of `datetime` that shows virtual time; its local time is UTC."""
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

    return _replacement(real, now=now, utcnow=utcnow, today=today, fromtimestamp=fromtimestamp)


def _date(moment: _Moment) -> object:
    """Return a replacement of `date` that shows virtual time; its local time is UTC."""
    real = dt.date

    def today() -> dt.date:
        found = moment()
        return real.today() if found is None else dt.datetime.fromtimestamp(found, dt.UTC).date()

    def fromtimestamp(seconds: float) -> dt.date:
        return real.fromtimestamp(seconds) if moment() is None else dt.datetime.fromtimestamp(seconds, dt.UTC).date()

    return _replacement(real, today=today, fromtimestamp=fromtimestamp)


def _replacement(real: type, **own: object) -> object:
    def make(cls: type, *arguments: object, **options: object) -> object:
        return real.__new__(real if cls is replacement else cls, *arguments, **options)

    members = {name: staticmethod(function) for name, function in own.items() if callable(function)}
    replacement = _Replacement(real.__name__, (real,), {**members, "__new__": make, "__module__": "datetime"})
    return replacement


class _Replacement(type):
    """Metaclass of replacement classes: their instances and subclasses are those of the class that they replace."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.__mro__[1])

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.__mro__[1])
