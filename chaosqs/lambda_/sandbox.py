"""The sandbox of handlers: replacements for time, random numbers and threads. Only this module uses the real ones.

While handlers run, functions of `time`, `datetime`, `random`, `uuid`, `os` and `threading` are replaced. Called from
anywhere but an invocation, other threads included, a replacement calls the original. A module that an execution
environment imports gets the replacements; in the package of a test's own callable, imported names are replaced. Where
the real functions show local time, a handler sees UTC, as in Lambda. A test inside `aws()` sees virtual time too, in
its own time zone (`clocks`), and real random numbers; names are replaced in all modules that are not of a library.

Not replaced: names that shared libraries imported before (`guards` sees some of their calls), random number generators
that these made without a seed, and the machine's time zone in `timestamp` and `astimezone` of a date without a zone.
"""

import atexit
import calendar
import copyreg
import datetime as dt  # noqa: TID251 - to replace it is the job of this module
import os
import random  # noqa: TID251 - as above
import ssl
import sys
import time  # noqa: TID251 - as above
import uuid  # noqa: TID251 - as above
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from types import ModuleType
from typing import TypeAlias

import attrs

from chaosqs.kernel.context import turns
from chaosqs.lambda_.clocks import participant
from chaosqs.lambda_.event_loop import loop_patches
from chaosqs.lambda_.guards import Original, Patch, current, guards, is_theirs
from chaosqs.lambda_.http_connections import http_patches
from chaosqs.lambda_.project_modules import namespace
from chaosqs.lambda_.threads import thread_patches

Source: TypeAlias = random.Random
"""Source of the random numbers of one invocation."""


def source(seed: int) -> Source:
    """Return a source of random numbers that depend on the seed only."""
    return random.Random(seed)


_ONE_AT_A_TIME = turns()
_MISSING = object()
"""Stands for an attribute that an owner does not have without its replacement."""


@attrs.define(eq=False)
class Sandbox:
    """The replacements of one run; `epoch`: milliseconds since 1970 at moment 0."""

    epoch: int
    _patches: list[Patch] = attrs.field(factory=list[Patch])

    @contextmanager
    def __call__(self, *modules: str) -> Generator[None]:
        """Put the replacements in place for a `with` block; only one sandbox of all threads is active at a time.

        Names that the packages of the given modules have imported are replaced, too.
        """
        with _ONE_AT_A_TIME:
            if not self._patches and not _TESTS.blocks:
                self._patches.extend(_all_patches(self.epoch))
            undo: list[Patch] = []
            by_original = _TESTS.by_original if _TESTS.blocks else _put(self._patches, undo)
            try:
                for module in modules:
                    undo.extend(_patch_names(_around(module), by_original))
                yield
            finally:
                _restore(undo)


def _put(patches: Iterable[Patch], undo: list[Patch]) -> dict[int, object]:
    """Put replacements in place; return them by the identity of what they replace."""
    by_original: dict[int, object] = {}
    for owner, name, patch in patches:
        original = vars(owner).get(name, _MISSING)
        by_original.setdefault(id(original), patch)
        undo.append((owner, name, original))
        setattr(owner, name, patch)
    return by_original


def _restore(undo: list[Patch]) -> None:
    """Put the originals back."""
    while undo:
        owner, name, original = undo.pop()
        if original is _MISSING:
            delattr(owner, name)
        else:
            setattr(owner, name, original)


def _all_patches(epoch: int) -> list[Patch]:
    return [*_patches(epoch), *guards(), *thread_patches(), *loop_patches(), *http_patches()]


@attrs.define(eq=False)
class _Tests:
    """The replacements that stay in place while any block of `aws()` is open."""

    blocks: int = 0
    """Number of open blocks."""
    by_original: dict[int, object] = attrs.field(factory=dict[int, object])
    _undo: list[Patch] = attrs.field(factory=list[Patch])
    _known: frozenset[str] = frozenset()
    """The modules that were loaded before the first block."""
    _unregister: Callable[[], None] | None = None
    """Undoes `_register_reducers`."""

    @contextmanager
    def opened(self, epoch: int) -> Generator[None]:
        """Put the replacements in place for a `with` block; blocks of several threads may overlap."""
        with _ONE_AT_A_TIME:
            if not self.blocks:
                self._put_all(epoch)
            self.blocks += 1
        try:
            yield
        finally:
            with _ONE_AT_A_TIME:
                self.blocks -= 1
                if not self.blocks:
                    self._restore_all()

    def _put_all(self, epoch: int) -> None:
        self._known = frozenset(sys.modules)
        self.by_original = _put(_all_patches(epoch), self._undo)
        self._undo.extend(_patch_names(_own_modules(), self.by_original))
        self._unregister = _register_reducers()

    def _restore_all(self) -> None:
        """Restore all; names that modules have imported within the blocks become the originals, too."""
        if self._unregister is not None:
            self._unregister()
        originals = {id(vars(owner)[name]): original for owner, name, original in self._undo}
        _restore(self._undo)
        for _ in _patch_names([sys.modules[name] for name in sys.modules.keys() - self._known], originals):
            pass


_TESTS = _Tests()


def virtual_for_tests(epoch: int) -> AbstractContextManager[None]:
    """Let code that `clocks.enter` has marked see virtual time for a `with` block."""
    return _TESTS.opened(epoch)


def _patch_names(modules: Iterable[ModuleType], patches: dict[int, object]) -> Iterator[Patch]:
    for around in modules:
        for name, value in tuple(namespace(around).items()):
            if id(value) in patches:
                setattr(around, name, patches[id(value)])
                yield around, name, value


_LIBRARIES: set[str] = set()
"""Names of modules that are known to be libraries: to look at all anew takes too long."""


def _own_modules() -> list[ModuleType]:
    """Return the loaded modules that are the user's, with the program itself."""
    loaded = [(name, sys.modules[name]) for name in sorted(sys.modules.keys() - _LIBRARIES)]
    own = {name: module for name, module in loaded if _is_own(module)}
    _LIBRARIES.update(name for name, _ in loaded if name not in own)
    return list(own.values())


def _is_own(module: ModuleType) -> bool:
    known = namespace(module)
    file = known.get("__file__")
    return is_theirs(file) if isinstance(file, str) else known.get("__name__") == "__main__"


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
    yield random, "_urandom", _bytes(vars(os)["urandom"])
    yield os, "urandom", _bytes(vars(os)["urandom"])  # and so uuid.uuid4
    for owner, name in ((os, "getrandom"), (ssl, "RAND_bytes")):
        if hasattr(owner, name):
            yield owner, name, _bytes(vars(owner)[name])
    yield os, "times", _times(os.times)
    yield uuid, "uuid1", _uuid1(epoch)
    yield atexit, "register", _at_exit(vars(atexit)["register"])


def _moment(epoch: int) -> Callable[[], float | None]:
    def moment() -> float | None:
        caller = participant()
        return None if caller is None else (epoch + caller.read_clock()) / 1000

    return moment


def _sleep(original: Callable[[float], None]) -> object:
    def sleep(seconds: float, /) -> None:
        caller = participant()
        if caller is None:
            original(seconds)
        elif seconds < 0:
            raise ValueError("sleep length must be non-negative")
        else:
            caller.sleep(seconds)

    return sleep


def _clock(original: Callable[[], float], show: Callable[[int], float]) -> object:
    def read() -> float:
        caller = participant()
        return original() if caller is None else show(caller.read_clock())

    return read


def _posix_clocks(epoch: int) -> Iterator[Patch]:
    """Replace `clock_gettime`, if it exists: `CLOCK_REALTIME` counts from 1970, others from the start of the run."""
    for name, unit in (("clock_gettime", 1000), ("clock_gettime_ns", 1 / 1_000_000)):
        original: Original | None = vars(time).get(name)
        if original is not None:
            yield time, name, _posix_clock(original, epoch, unit)


def _posix_clock(original: Original, epoch: int, unit: float) -> object:
    def read(clock: int, /) -> object:
        caller = participant()
        if caller is None:
            return original(clock)
        now = caller.read_clock() + (epoch if clock == time.CLOCK_REALTIME else 0)
        return now / unit if unit > 1 else now * 1_000_000

    return read


def _calendars(epoch: int) -> Iterator[Patch]:
    """Replace the conversions between moments and dates: within an invocation, all are in UTC."""
    moment, utc, local = _moment(epoch), time.gmtime, time.localtime

    def zoned(seconds: float) -> time.struct_time:
        return local(seconds) if current() is None else utc(seconds)

    def parts(original: Original) -> object:
        def read(seconds: float | None = None, /) -> object:
            now = moment()
            if now is None:
                return original(seconds)
            return (original if current() is None else utc)(now if seconds is None else seconds)

        return read

    def text(original: Original, *, given: int) -> object:
        def write(*arguments: object) -> object:
            now = moment()
            return original(*arguments) if now is None or len(arguments) > given else original(*arguments, zoned(now))

        return write

    def text_of_seconds(original: Original, asctime: Original) -> object:
        def write(seconds: float | None = None, /) -> object:
            now = moment()
            return original(seconds) if now is None else asctime(zoned(now if seconds is None else seconds))

        return write

    yield time, "gmtime", parts(vars(time)["gmtime"])
    yield time, "localtime", parts(vars(time)["localtime"])
    yield time, "asctime", text(vars(time)["asctime"], given=0)
    yield time, "strftime", text(vars(time)["strftime"], given=1)
    yield time, "ctime", text_of_seconds(vars(time)["ctime"], vars(time)["asctime"])
    yield time, "mktime", _mktime(time.mktime)


def _mktime(original: Callable[[time.struct_time], float]) -> object:
    def read(date: time.struct_time, /) -> float:
        return original(date) if current() is None else float(calendar.timegm(date))

    return read


def _chance(name: str, original: Original) -> object:
    def draw(*arguments: object, **options: object) -> object:
        invoked = current()
        if invoked is None:
            return original(*arguments, **options)
        method: Original = getattr(invoked.chance, name)
        return method(*arguments, **options)

    return draw


def _at_exit(original: Original) -> object:
    """Forget functions for the end of the process: an execution environment never ends by itself."""

    def register(function: object, *arguments: object, **options: object) -> object:
        return original(function, *arguments, **options) if current() is None else function

    return register


def _times(original: Callable[[], os.times_result]) -> object:
    def times() -> os.times_result:
        caller = participant()
        if caller is None:
            return original()
        seconds = caller.read_clock() / 1000
        return os.times_result((seconds, 0.0, 0.0, 0.0, seconds))

    return times


def _bytes(original: Original) -> object:
    def urandom(size: int, *flags: object) -> object:
        invoked = current()
        return original(size, *flags) if invoked is None else invoked.chance.randbytes(size)

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
    """Return a replacement of `datetime` that shows virtual time; the local time of handlers is UTC."""
    real = dt.datetime

    def now(tz: dt.tzinfo | None = None) -> dt.datetime:
        found = moment()
        return real.now(tz) if found is None else fromtimestamp(found, tz)

    def fromtimestamp(seconds: float, tz: dt.tzinfo | None = None) -> dt.datetime:
        if current() is None or tz is not None:
            return real.fromtimestamp(seconds, tz)
        return real.fromtimestamp(seconds, dt.UTC).replace(tzinfo=None)

    def today() -> dt.datetime:
        return now()

    def utcnow() -> dt.datetime:
        return now(dt.UTC).replace(tzinfo=None)

    return _replacement(real, now=now, utcnow=utcnow, today=today, fromtimestamp=fromtimestamp)


def _date(moment: _Moment) -> object:
    """Return a replacement of `date` that shows virtual time; the local time of handlers is UTC."""
    real, real_time = dt.date, dt.datetime

    def today() -> dt.date:
        found = moment()
        return real.today() if found is None else fromtimestamp(found)

    def fromtimestamp(seconds: float) -> dt.date:
        if current() is None:
            return real.fromtimestamp(seconds)
        return real_time.fromtimestamp(seconds, dt.UTC).date()

    return _replacement(real, today=today, fromtimestamp=fromtimestamp)


@attrs.frozen
class _Named:
    """Stands for a class of `datetime` in pickles, which look it up by its name and refuse a replaced one."""

    real: type

    def __call__(self, *arguments: object) -> dt.date:
        """Make an instance, for a copy in this process."""
        made: object = type.__call__(self.real, *arguments)
        assert isinstance(made, dt.date)
        return made

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Find the class where the pickle is read."""
        return getattr, (_Home(), self.real.__name__)


class _Home:
    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return import_module, ("datetime",)


def _reduced(date: dt.date) -> tuple[_Named, tuple[object, ...]]:
    """Return how a date is pickled while its class is replaced."""
    found = date.__reduce__()
    assert isinstance(found, tuple)
    return _Named(type(date)), found[1]


_DATES = (dt.datetime, dt.date)


def _register_reducers() -> Callable[[], None]:
    """Let dates be pickled while their classes are replaced; return the function that undoes it."""
    before = {date: copyreg.dispatch_table.get(date) for date in _DATES}
    for date in _DATES:
        copyreg.pickle(date, _reduced)

    def undo() -> None:
        for date, reducer in before.items():
            copyreg.dispatch_table.pop(date, None)
            if reducer is not None:  # that of freezegun
                copyreg.dispatch_table[date] = reducer

    return undo


def _replacement(real: type, **functions: object) -> object:
    def make(cls: type, *arguments: object, **options: object) -> object:
        return real.__new__(real if cls is replacement else cls, *arguments, **options)

    members = {name: staticmethod(function) for name, function in functions.items() if callable(function)}
    own = type(real)  # that of freezegun's is not `type`
    kind = _Replacement if own is type else type("_Replacement", (_Replacement, own), {})
    replacement = kind(
        real.__name__, (real,), {**members, "__new__": make, "__module__": "datetime", "_chaosqs_replaced": real}
    )
    return replacement


class _Replacement(type):
    """Metaclass of replacement classes: their instances and subclasses are those of the class that they replace.

    They are equal to it, so that libraries find them in tables by type that they made before: pydantic's of schemas,
    those of `functools.singledispatch`. So are the replacements of other runs.
    """

    def __instancecheck__(cls, instance: object) -> bool:
        real = _replaced(cls)
        return type.__instancecheck__(cls, instance) if real is None else isinstance(instance, real)

    def __subclasscheck__(cls, subclass: type) -> bool:
        real = _replaced(cls)
        return type.__subclasscheck__(cls, subclass) if real is None else issubclass(subclass, real)

    def __eq__(cls, other: object) -> bool:
        return isinstance(other, type) and _real(other) is _real(cls)

    def __hash__(cls) -> int:
        return type.__hash__(_real(cls))


def _replaced(replacement: type) -> type | None:
    """Return the class that a class replaces; None: it is one of the user's."""
    real: object = vars(replacement).get("_chaosqs_replaced")
    return real if isinstance(real, type) else None


def _real(kind: type) -> type:
    return _replaced(kind) or kind
