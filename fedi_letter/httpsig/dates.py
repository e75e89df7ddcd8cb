"""The one date format of HTTP, read and written without locale and without guessing.

Knows no clock: the instant to write is given.
"""

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
# "UTC" and "+0000" are not IMF-fixdate, yet libraries that format dates by hand write them.
_IMF_FIXDATE = re.compile(
    r"[A-Z][a-z]{2}, ([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4}) "
    r"([0-9]{2}):([0-9]{2}):([0-9]{2}) (?:GMT|UTC|\+0000)"
)


# A busy second brings many requests of one date.
@lru_cache(maxsize=256)
def read_http_date(text: str) -> datetime:
    """The instant a Date header names (RFC 9110 §5.6.7, IMF-fixdate only); ValueError if none.

    >>> read_http_date("Sun, 22 Nov 2026 09:57:29 GMT").isoformat()
    '2026-11-22T09:57:29+00:00'
    """
    found = _IMF_FIXDATE.fullmatch(text)
    if found is None:
        raise ValueError("not an HTTP date")
    day, month, year, hour, minute, second = found.groups()
    if month not in _MONTHS:
        raise ValueError("no such month")
    return datetime(
        int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC
    )


def write_http_date(instant: datetime) -> str:
    """The instant as RFC 9110 §5.6.7 wants it sent; `instant` must be aware.

    >>> write_http_date(datetime(2026, 11, 22, 9, 57, 29, tzinfo=UTC))
    'Sun, 22 Nov 2026 09:57:29 GMT'
    """
    return _written(int(instant.timestamp()))


@lru_cache(maxsize=16)
def _written(second: int) -> str:
    return format_datetime(datetime.fromtimestamp(second, UTC), usegmt=True)
