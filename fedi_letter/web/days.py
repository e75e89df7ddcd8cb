"""Instants as people and as programs read them; pure."""

from datetime import UTC, datetime

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def day(moment: datetime) -> str:
    """The day in UTC as a person writes it.

    >>> day(datetime(2024, 11, 26, 23, 59, tzinfo=UTC))
    '26 November 2024'
    """
    moment = moment.astimezone(UTC)
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}"


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC, to the second.

    >>> instant(datetime(2024, 11, 26, 8, 0, 5, 123, tzinfo=UTC))
    '2024-11-26T08:00:05Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
