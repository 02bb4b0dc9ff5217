"""Classes that stand for `datetime` and `date`, make instances of those, and recognise them as their own."""

from __future__ import annotations

import datetime as dt  # noqa: TID251 - to stand for it is the job of this module
from collections.abc import Callable

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
