"""Which open receipts a worker takes next, so that everybody's turn comes.

1. A receipt is held by one worker at a time, for as long as its lease; whoever dies loses it.
2. The oldest come first, but a server that fills more than a quarter of a batch while others wait
   leaves half of the batch to them: a flood delays nobody else by more than a batch.
3. Of a server of which the worker has enough in hand it takes no more, however old.
4. However many servers wait, some are taken by age alone: nobody waits for those before them in the
   alphabet, or for those whose keys cannot be had.
5. A clock that is set back strands nothing: what was never put off is due whatever its hour says,
   and a lease that reaches further than any we give is no lease.
"""

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache
from itertools import zip_longest
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Connection,
    Integer,
    Select,
    bindparam,
    func,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from fedi_letter.store import tables
from fedi_letter.store.receipts import Receipt, ReceiptState, receipt_of
from fedi_letter.store.statements import claimable, columns_of, many, walk_the_index

MOST_HOSTS = 50
"""How many servers are looked at one by one while one floods; of the rest, the oldest come."""

CLOCKS_DIFFER = timedelta(minutes=1)
"""By less than this: a lease given a moment after we looked at our clock is one, too."""

_TABLE = tables.receipts
_COLUMNS = columns_of(_TABLE, Receipt)
_OPEN = _TABLE.c.settled_at.is_(None)


def claim(
    connection: Connection,
    now: datetime,
    limit: int,
    lease: timedelta,
    busy: Collection[str] = (),
    crowd: int | None = None,
) -> list[Receipt]:
    """Take open receipts that are due and nobody holds, for as long as `lease`; in order of age.

    Of the servers that are `busy` none is taken: who asks has enough of theirs in hand. With
    `crowd`, no more than so many are taken of those that would fill a quarter or more.
    """
    walk_the_index(connection)
    when = {"now": now, "until": now + lease, "beyond": now + lease + CLOCKS_DIFFER}
    crowding = _crowding(connection, when, limit, always=crowd is not None) - set(busy)
    if not (crowding or busy):
        return _take(connection, _OLDEST, {**when, "most": limit})
    share = limit // 2 if crowding else limit
    first = _of_others(connection, when, crowding | set(busy), share)
    taken = _take(connection, _NAMED, {**when, "ids": first}) if first else []
    left = limit - len(taken)
    most = {**when, "most": left if crowd is None or not crowding else min(left, crowd)}
    if not busy:
        taken += _take(connection, _OLDEST, most)
    elif crowding:
        taken += _take(connection, _OLDEST_OF, {**most, "hosts": list(crowding)})
    return sorted(taken, key=lambda receipt: receipt.id)


_NOW = bindparam("now", type_=_TABLE.c.due_at.type)
_UNTIL = bindparam("until", type_=_TABLE.c.lease_until.type)
_BEYOND = bindparam("beyond", type_=_TABLE.c.lease_until.type)
_FREE = or_(
    _TABLE.c.lease_until.is_(None), _TABLE.c.lease_until <= _NOW, _TABLE.c.lease_until > _BEYOND
)
_DUE = select(_TABLE.c.id).where(
    _OPEN, or_(_TABLE.c.due_at <= _NOW, _TABLE.c.state == ReceiptState.PENDING), _FREE
)
_OLDEST = _DUE.order_by(_TABLE.c.due_at, _TABLE.c.id).limit(bindparam("most", type_=Integer))
_OLDEST_BUT = _OLDEST.where(
    or_(_TABLE.c.key_host.is_(None), _TABLE.c.key_host.not_in(bindparam("hosts", expanding=True)))
)
_OLDEST_OF = _OLDEST.where(_TABLE.c.key_host.in_(bindparam("hosts", expanding=True)))
_NAMED = _DUE.where(_TABLE.c.id.in_(bindparam("ids", expanding=True)))
_HOSTS_OF_OLDEST = _OLDEST.with_only_columns(_TABLE.c.key_host)


def _take(connection: Connection, due: Select[Any], values: dict[str, Any]) -> list[Receipt]:
    taken = many(connection, _taking(connection.dialect.name, due), receipt_of, values)
    return sorted(taken, key=lambda receipt: receipt.id)


@cache
def _taking(dialect: str, due: Select[Any]) -> ReturningUpdate[Any]:
    return (
        update(_TABLE)
        .where(_TABLE.c.id.in_(claimable(dialect, due)))
        .values(lease_until=_UNTIL, attempts=_TABLE.c.attempts + 1)
        .returning(*_COLUMNS)
    )


def _crowding(
    connection: Connection, when: dict[str, Any], limit: int, *, always: bool
) -> set[str]:
    """The servers that fill a batch; if not `always`, none while all that is due fits into one."""
    hosts = connection.execute(_HOSTS_OF_OLDEST, {**when, "most": limit}).scalars().all()
    if len(hosts) < limit and not always:
        return set()
    return {host for host, count in Counter(hosts).items() if host and count * 4 > limit}


def _of_others(
    connection: Connection, when: dict[str, Any], aside: set[str], limit: int
) -> list[int]:
    """The oldest receipts of servers not set aside: as many of each, or half of them by age."""
    open_hosts = connection.execute(_HOSTS, {"most": MOST_HOSTS}).scalars().all()
    by_age: list[int] = []
    if len(open_hosts) == MOST_HOSTS:
        most = {**when, "most": (limit + 1) // 2, "hosts": list(aside)}
        by_age = list(connection.execute(_OLDEST_BUT, most).scalars())
    hosts = [host for host in open_hosts if host not in aside]
    width = 1 << max(len(hosts) - 1, 0).bit_length()  # few widths, since each is compiled once
    named = {f"host_{number}": host for number, host in zip_longest(range(width), hosts)}
    each = max(1, limit // (len(hosts) + 1))
    of_each = connection.execute(_some_of_each(width), {**when, **named, "each": each}).scalars()
    return list(dict.fromkeys((*by_age, *of_each)))[:limit]


@cache
def _some_of_each(count: int) -> CompoundSelect[Any]:
    """The oldest due receipts of so many servers, and of whoever's key names no server."""
    which = [_TABLE.c.key_host == bindparam(f"host_{number}") for number in range(count)]
    parts = [
        select(
            _DUE.where(of_one)
            .order_by(_TABLE.c.due_at, _TABLE.c.id)
            .limit(bindparam("each", type_=Integer))
            .subquery()
        )
        for of_one in (_TABLE.c.key_host.is_(None), *which)
    ]
    return union_all(*parts)


def _leaps() -> Select[Any]:
    """Servers with open receipts, found by leaps through the index: a flood is one leap."""
    first = select(func.min(_TABLE.c.key_host).label("host")).where(_OPEN)
    hosts = first.cte("hosts", recursive=True)
    beyond = _TABLE.alias("beyond")
    following = select(func.min(beyond.c.key_host)).where(
        beyond.c.settled_at.is_(None), beyond.c.key_host > hosts.c.host
    )
    leap = select(following.scalar_subquery()).where(hosts.c.host.is_not(None))
    hosts = hosts.union_all(leap)
    return (
        select(hosts.c.host)
        .where(hosts.c.host.is_not(None))
        .limit(bindparam("most", type_=Integer))
    )


_HOSTS = _leaps()
