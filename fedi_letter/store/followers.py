"""Who gets what the letter publishes; a follower who left stays on record as dropped."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Update,
    bindparam,
    func,
    or_,
    select,
    text,
    update,
)

from fedi_letter.store import tables
from fedi_letter.store.statements import (
    changed,
    columns_of,
    insert_into,
    many,
    one,
    touched,
    within,
)


class FollowerState(StrEnum):
    """Whether we deliver to them."""

    LIVE = "live"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Follower:
    """A follower; `host` is that of the inbox, `follow_uri` the id of their newest Follow."""

    id: int
    letter_id: int
    actor_uri: str
    follow_uri: str | None
    inbox: str
    shared_inbox: str | None
    host: str
    state: FollowerState
    reason: str | None
    since: datetime
    failing_days: int


_TABLE = tables.followers
_COLUMNS = columns_of(_TABLE, Follower)
# Written as in the index, or SQLite does not see that the index will do; and gathered first, or
# both databases look up each of a hundred inboxes twice among all who follow. Nested, because
# sqlite3 counts no rows of a statement that begins with WITH.
_FAILING = (
    select(_TABLE.c.id, _TABLE.c.inbox, _TABLE.c.shared_inbox)
    .where(text("followers.failing_days > 0"))
    .cte("failing", nesting=True)
    .prefix_with("MATERIALIZED")
)
_SOMEBODY_FAILS = select(_FAILING.c.id).limit(1)
_INBOXES: BindParameter[str] = bindparam("inboxes", expanding=True)
_FORGET = (
    update(_TABLE)
    .where(
        _TABLE.c.id.in_(
            select(_FAILING.c.id).where(
                or_(_FAILING.c.inbox.in_(_INBOXES), _FAILING.c.shared_inbox.in_(_INBOXES))
            )
        )
    )
    .values(failing_days=0, last_failing_at=None)
)


def add(
    connection: Connection,
    letter_id: int,
    *,
    actor_uri: str,
    follow_uri: str | None,
    inbox: str,
    shared_inbox: str | None,
    host: str,
    now: datetime,
) -> bool:
    """Remember the follower, or their newest Follow; whether they did not follow before.

    A repeated Follow is answered again but counted once (interop B7).
    """
    known = by_actor(connection, letter_id, actor_uri)
    follows = known is not None and known.state is FollowerState.LIVE
    values = {
        "follow_uri": follow_uri,
        "inbox": inbox,
        "shared_inbox": shared_inbox,
        "host": host,
        "state": FollowerState.LIVE,
        "reason": None,
        "failing_days": 0,
        "last_failing_at": None,
        "since": known.since if known is not None and follows else now,
    }
    connection.execute(
        insert_into(connection, _TABLE)
        .values(letter_id=letter_id, actor_uri=actor_uri, **values)
        .on_conflict_do_update(index_elements=["letter_id", "actor_uri"], set_=values)
    )
    return not follows


def drop(connection: Connection, letter_id: int, actor_uri: str, reason: str) -> bool:
    """Deliver to them no more; False when they did not follow."""
    return changed(
        connection,
        update(_TABLE)
        .where(_TABLE.c.letter_id == letter_id, _TABLE.c.actor_uri == actor_uri)
        .where(_live())
        .values(state=FollowerState.DROPPED, reason=reason),
    )


def drop_by_inbox(connection: Connection, inbox: str, reason: str) -> int:
    """Drop everybody reached at this inbox, their own or their server's; answers how many."""
    return touched(
        connection,
        update(_TABLE)
        .where(_live(), _reached_at([inbox]))
        .values(state=FollowerState.DROPPED, reason=reason),
    )


def drop_by_domain(connection: Connection, letter_id: int, domain: str, reason: str) -> int:
    """Drop everybody whose account lives on this domain or below it; answers how many."""
    return touched(
        connection,
        update(_TABLE)
        .where(_TABLE.c.letter_id == letter_id, _live(), within(_TABLE.c.host, domain))
        .values(state=FollowerState.DROPPED, reason=reason),
    )


def readmit(connection: Connection, letter_id: int, actor_uri: str, reason: str) -> bool:
    """Deliver again to a follower who was dropped for this reason, and no other."""
    return changed(
        connection,
        _readmitted(letter_id, reason).where(_TABLE.c.actor_uri == actor_uri),
    )


def readmit_by_domain(connection: Connection, letter_id: int, domain: str, reason: str) -> int:
    """The same for everybody whose account lives on this domain or below it; answers how many."""
    return touched(connection, _readmitted(letter_id, reason).where(within(_TABLE.c.host, domain)))


def by_actor(connection: Connection, letter_id: int, actor_uri: str) -> Follower | None:
    """Answer a follower, live or dropped."""
    query = select(*_COLUMNS).where(
        _TABLE.c.letter_id == letter_id, _TABLE.c.actor_uri == actor_uri
    )
    return one(connection, query, _follower)


def total(connection: Connection, letter_id: int) -> int:
    """Answer how many follow the letter."""
    query = select(func.count()).select_from(_TABLE).where(_TABLE.c.letter_id == letter_id, _live())
    return connection.execute(query).scalar_one()


def page(connection: Connection, letter_id: int, after: int, limit: int) -> list[Follower]:
    """Answer those who follow, from above the id `after`."""
    query = select(*_COLUMNS).where(_TABLE.c.letter_id == letter_id, _live(), _TABLE.c.id > after)
    return many(connection, query.order_by(_TABLE.c.id).limit(limit), _follower)


def note_failing_day(connection: Connection, inbox: str, now: datetime) -> int:
    """Count today among the days on which this inbox refused us; answers how many there were.

    However often it refuses in one day (UTC), the day counts once; 0 when nobody is reached there.
    """
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    new_day = or_(_TABLE.c.last_failing_at.is_(None), _TABLE.c.last_failing_at < today)
    there = (_live(), _reached_at([inbox]))
    connection.execute(
        update(_TABLE)
        .where(*there, new_day)
        .values(failing_days=_TABLE.c.failing_days + 1, last_failing_at=now)
    )
    query = select(func.coalesce(func.max(_TABLE.c.failing_days), 0)).where(*there)
    days: int = connection.execute(query).scalar_one()
    return days


def note_delivered(connection: Connection, inboxes: Collection[str]) -> int:
    """Forget the failing days of inboxes that took a delivery; answers how many had some.

    Few have any: those are looked through, by an index that holds no others, rather than asking for
    each of the inboxes in turn; where there are none, the inboxes are not even named.
    """
    if connection.execute(_SOMEBODY_FAILS).first() is None:
        return 0
    return touched(connection, _FORGET, {"inboxes": list(inboxes)})


def _readmitted(letter_id: int, reason: str) -> Update:
    dropped = (_TABLE.c.state == FollowerState.DROPPED) & (_TABLE.c.reason == reason)
    return (
        update(_TABLE)
        .where(_TABLE.c.letter_id == letter_id, dropped)
        .values(state=FollowerState.LIVE, reason=None)
    )


def _live() -> ColumnElement[bool]:
    return _TABLE.c.state == FollowerState.LIVE


def _reached_at(inboxes: Collection[str]) -> ColumnElement[bool]:
    return or_(_TABLE.c.inbox.in_(inboxes), _TABLE.c.shared_inbox.in_(inboxes))


def _follower(*, state: str, **columns: Any) -> Follower:
    return Follower(state=FollowerState(state), **columns)
