"""Which deliveries go out now: what is due, to whom one may, and in which order.

What is claimed is the caller's until its lease is over. Laws:

1. About one object, one host gets our activities in the order we made them: a Delete can never
   overtake the Create (interop B9).
2. A server that rests is not called.
3. Some of those who asked and wait for an answer go before those who are told news, and these by
   how long they have been due.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    bindparam,
    case,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from fedi_letter.store import outbox, tables
from fedi_letter.store.deliveries import Delivery
from fedi_letter.store.origins import origins
from fedi_letter.store.statements import claimable, walk_the_index

ANSWERS_AMONG = 500
"""So many of what became due last are looked through for answers."""

_TABLE, _OUTBOX = tables.deliveries, tables.outbox
_NOW = bindparam("now", type_=_TABLE.c.due_at.type)


def claim(connection: Connection, now: datetime, limit: int, lease: timedelta) -> list[Delivery]:
    """Take deliveries that are due, whose server is not held back: answers, then the longest due.

    Answers (see `claim_answers`) are a tenth at most. Never one while an earlier activity about the
    same object waits for the same host.
    """
    walk_the_index(connection)
    rows = _take_answers(connection, now, limit // 10, lease)
    rows += _take(connection, _longest_due, now, lease, most=limit - len(rows))
    return _claimed(connection, rows)


def claim_answers(
    connection: Connection, now: datetime, limit: int, lease: timedelta
) -> list[Delivery]:
    """The same, but only what one person alone is sent, such as an Accept: they wait for it.

    It looks among what became due last, so that what it costs does not hang on how much is due.
    """
    walk_the_index(connection)
    return _claimed(connection, _take_answers(connection, now, limit, lease))


def _claimed(connection: Connection, rows: list[Any]) -> list[Delivery]:
    rows.sort(key=_number)
    known = origins(connection, {row[4] for row in rows})
    sent = outbox.bodies(connection, {row[1] for row in rows})
    found = []
    for id, outbox_id, about, inbox, host, attempts in rows:
        uri, type, body = sent[outbox_id]
        claimed = (id, outbox_id, uri, type, about, body, inbox, host, attempts, known[host])
        found.append(Delivery(*claimed))
    return found


def _take_answers(connection: Connection, now: datetime, most: int, lease: timedelta) -> list[Any]:
    # Asked first: in one statement PostgreSQL walks through everything that is due for them.
    ids = sorted(connection.execute(_ANSWERS, {"now": now}).scalars())[:most]
    return _take(connection, _with_ids, now, lease, ids=ids) if ids else []


def _take(
    connection: Connection,
    which: Callable[[], Select[Any]],
    now: datetime,
    lease: timedelta,
    **named: object,
) -> list[Any]:
    claiming = _claiming(connection.dialect.name, which)
    return list(connection.execute(claiming, {"now": now, "until": now + lease, **named}))


@cache
def _claiming(dialect: str, which: Callable[[], Select[Any]]) -> ReturningUpdate[Any]:
    due = which().where(_due(), _welcome(), _next_in_line())
    return (
        update(_TABLE)
        .where(_TABLE.c.id.in_(claimable(dialect, due)))
        .values(
            lease_until=bindparam("until", type_=_TABLE.c.lease_until.type),
            attempts=_TABLE.c.attempts + 1,
        )
        .returning(
            _TABLE.c.id,
            _TABLE.c.outbox_id,
            _TABLE.c.object_uri,
            _TABLE.c.inbox,
            _TABLE.c.host,
            (_TABLE.c.attempts - 1).label("attempts"),
        )
    )


def _longest_due() -> Select[Any]:
    in_order = select(_TABLE.c.id).order_by(_TABLE.c.due_at, _TABLE.c.id)
    return in_order.limit(bindparam("most", type_=Integer))


def _with_ids() -> Select[Any]:
    return select(_TABLE.c.id).where(_TABLE.c.id.in_(bindparam("ids", expanding=True)))


def _number(row: Row[Any]) -> int:
    return int(row[0])


def _due() -> ColumnElement[bool]:
    free = or_(_TABLE.c.lease_until.is_(None), _TABLE.c.lease_until <= _NOW)
    return _TABLE.c.settled_at.is_(None) & (_TABLE.c.due_at <= _NOW) & free


def _welcome() -> ColumnElement[bool]:
    """Whether the server is not held back."""
    server = tables.origins
    held = select(server.c.host).where(server.c.host == _TABLE.c.host, server.c.held_until > _NOW)
    return held.limit(1).scalar_subquery().is_(None)


def _next_in_line() -> ColumnElement[bool]:
    """Whether no earlier activity about the same object waits for the same host."""
    earlier = _TABLE.alias("earlier")
    before = select(earlier.c.id).where(
        earlier.c.host == _TABLE.c.host,
        earlier.c.object_uri == _TABLE.c.object_uri,
        earlier.c.outbox_id < _TABLE.c.outbox_id,
        earlier.c.settled_at.is_(None),
    )
    return before.limit(1).scalar_subquery().is_(None)


def _among_the_newest() -> Select[Any]:
    newest = (
        select(_TABLE.c.id, _TABLE.c.outbox_id)
        .where(_due(), _welcome(), _next_in_line())
        .order_by(_TABLE.c.due_at.desc(), _TABLE.c.id.desc())
        .limit(ANSWERS_AMONG)
        .subquery()
    )
    to_one = _OUTBOX.c.public.is_(False)
    return select(newest.c.id).join(_OUTBOX, _OUTBOX.c.id == newest.c.outbox_id).where(to_one)


_ANSWERS = _among_the_newest()


def next_due(connection: Connection) -> datetime | None:
    """Answer when `claim` will next find something; None when nothing is open.

    What is leased comes back when the lease is over, what is held when its server is tried again.
    """
    held = select(tables.origins.c.held_until).where(tables.origins.c.host == _TABLE.c.host)
    leased = _later(_TABLE.c.due_at, _TABLE.c.lease_until)
    query = select(func.min(_later(leased, held.scalar_subquery())))
    due: datetime | None = connection.execute(
        query.where(_TABLE.c.settled_at.is_(None), _next_in_line())
    ).scalar_one()
    return due


def _later(one: ColumnElement[Any], other: Any) -> ColumnElement[Any]:
    """Answer the later of two instants, of which the other may be null."""
    return case((other > one, other), else_=one)
