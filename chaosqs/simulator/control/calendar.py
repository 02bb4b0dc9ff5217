"""Moments as Lambda writes them: years, months and days out of milliseconds since 1970."""

from __future__ import annotations

_DAY = 86_400_000
_HOUR, _MINUTE, _SECOND = 3_600_000, 60_000, 1000
_DAYS_BEFORE_1970 = 719_468  # since 1 March of the year 0
_DAYS_OF_400_YEARS = 146_097
_DAYS_OF_4_YEARS, _DAYS_OF_100_YEARS, _YEAR = 1460, 36_524, 365
_JANUARY = 10  # the months of a year that begins in March, counted from 0


def text(milliseconds: int, zone: str) -> str:
    """Return a moment as `2025-12-01T00:00:00.000` with a time zone's name behind, which has to be UTC's."""
    days, rest = divmod(milliseconds, _DAY)
    year, month, day = _date(days)
    hours, minutes = rest // _HOUR, rest % _HOUR // _MINUTE
    seconds, fraction = rest % _MINUTE // _SECOND, rest % _SECOND
    return f"{year:04d}-{month:02d}-{day:02d}T{hours:02d}:{minutes:02d}:{seconds:02d}.{fraction:03d}{zone}"


def _date(days: int) -> tuple[int, int, int]:
    """Return year, month and day of a day since 1970; the years are counted from March, so leap days come last."""
    era, day = divmod(days + _DAYS_BEFORE_1970, _DAYS_OF_400_YEARS)
    years = (day - day // _DAYS_OF_4_YEARS + day // _DAYS_OF_100_YEARS - day // (_DAYS_OF_400_YEARS - 1)) // _YEAR
    day -= _YEAR * years + years // 4 - years // 100
    month = (5 * day + 2) // 153
    day_of_month = day - (153 * month + 2) // 5 + 1
    in_new_year = month >= _JANUARY
    return era * 400 + years + in_new_year, month - 9 if in_new_year else month + 3, day_of_month
