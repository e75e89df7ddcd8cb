"""One activity on its way to one inbox: enqueued with the activity, settled, given up, reported.

Laws held here:

1. One activity goes to one inbox once, however often it is enqueued.
2. What is settled for good is never settled again.

Which of them go out now, and in which order, is decided in `dispatch`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    exists,
    func,
    literal,
    select,
    union_all,
    update,
)

from fedi_letter.letter.model import SignatoryState
from fedi_letter.store import tables
from fedi_letter.store.actors import ActorState
from fedi_letter.store.followers import FollowerState
from fedi_letter.store.origins import Origin
from fedi_letter.store.statements import insert_into, touched


class DeliveryState(StrEnum):
    """Where a delivery stands; only a waiting one is open."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given-up"


class Delivery(NamedTuple):
    """A claimed delivery with all it takes to send it; `attempts` counts those before this one."""

    id: int
    outbox_id: int
    activity_uri: str
    type: str
    object_uri: str
    body: bytes
    inbox: str
    host: str
    attempts: int
    origin: Origin


class Settlement(NamedTuple):
    """What became of an attempt: delivered, given up, or waiting until `due_at`."""

    id: int
    state: DeliveryState
    outcome: str
    status: int | None = None
    due_at: datetime | None = None
    attempts: int | None = None
    """Set when the attempt was never made, so that it does not count."""


_TABLE, _OUTBOX = tables.deliveries, tables.outbox
_FOLLOWERS, _PLACES, _ACTORS = tables.followers, tables.signatories, tables.actors
_NOW = bindparam("now", type_=_TABLE.c.due_at.type)
_FILLED = ("outbox_id", "inbox", "host", "object_uri", "state", "due_at", "created_at")


def enqueue(
    connection: Connection,
    outbox_id: int,
    object_uri: str,
    inboxes: Sequence[tuple[str, str]],
    due_at: datetime,
    now: datetime,
) -> int:
    """Send an activity to these (inbox, host); answers how many were not enqueued before."""
    if not inboxes:
        return 0
    common = {
        "outbox_id": outbox_id,
        "object_uri": object_uri,
        "state": DeliveryState.WAITING,
        "due_at": due_at,
        "created_at": now,
    }
    rows = [{"inbox": inbox, "host": host, **common} for inbox, host in inboxes]
    return touched(
        connection,
        insert_into(connection, _TABLE)
        .values(rows)
        .on_conflict_do_nothing(index_elements=["outbox_id", "inbox"]),
    )


def enqueue_audience(
    connection: Connection,
    letter_id: int,
    outbox_id: int,
    object_uri: str,
    due_at: datetime,
    now: datetime,
) -> int:
    """Send an activity to every follower and every listed signatory; answers how many inboxes.

    One statement: shared inboxes preferred, each inbox once, servers given up left out. In the
    order of the inboxes, so that every index grows at its end or near its last place: for 50,000 on
    PostgreSQL that saves a fifth, and to look out for conflicts where there can be none another.
    """
    audience = union_all(_followers(letter_id), _listed(letter_id)).subquery()
    dead = exists().where(
        tables.origins.c.host == audience.c.host, tables.origins.c.dead_since.is_not(None)
    )
    rows = (
        select(
            literal(outbox_id),
            audience.c.inbox,
            func.min(audience.c.host),
            literal(object_uri),
            literal(str(DeliveryState.WAITING)),
            literal(due_at, _TABLE.c.due_at.type),
            literal(now, _TABLE.c.created_at.type),
        )
        .where(~dead)
        .group_by(audience.c.inbox)
        .order_by(audience.c.inbox)
    )
    statement = insert_into(connection, _TABLE).from_select(list(_FILLED), rows)
    if _is_enqueued(connection, outbox_id):
        statement = statement.on_conflict_do_nothing(index_elements=["outbox_id", "inbox"])
    return touched(connection, statement)


def _is_enqueued(connection: Connection, outbox_id: int) -> bool:
    """Whether an activity goes to anybody yet; nobody else sees one that is not committed."""
    query = select(_TABLE.c.id).where(_TABLE.c.outbox_id == outbox_id).limit(1)
    return connection.execute(query).first() is not None


def _followers(letter_id: int) -> Select[Any]:
    return select(
        func.coalesce(_FOLLOWERS.c.shared_inbox, _FOLLOWERS.c.inbox).label("inbox"),
        _FOLLOWERS.c.host.label("host"),
    ).where(_FOLLOWERS.c.letter_id == letter_id, _FOLLOWERS.c.state == FollowerState.LIVE)


def _listed(letter_id: int) -> Select[Any]:
    return (
        select(
            func.coalesce(_ACTORS.c.shared_inbox, _ACTORS.c.inbox).label("inbox"),
            _ACTORS.c.host.label("host"),
        )
        .join_from(_PLACES, _ACTORS, _ACTORS.c.uri == _PLACES.c.person_uri)
        .where(_PLACES.c.letter_id == letter_id, _PLACES.c.state == SignatoryState.LISTED)
        .where(_ACTORS.c.state == ActorState.LIVE, _ACTORS.c.inbox.is_not(None))
        .where(_ACTORS.c.blocks_us.is_(False))
    )


def settle_batch(connection: Connection, results: Sequence[Settlement], now: datetime) -> int:
    """Note what became of claimed deliveries; answers how many were still open.

    Nearly all end alike, and those are written together: row by row each would cost a search.
    """
    alike: dict[tuple[DeliveryState, str, int | None], list[int]] = {}
    waiting: list[Settlement] = []
    for result in sorted(results, key=lambda result: result.id):
        if result.state is DeliveryState.WAITING:
            waiting.append(result)
        else:
            alike.setdefault((result.state, result.outcome, result.status), []).append(result.id)
    return _settle(connection, alike, now) + _wait_on(connection, waiting)


_SETTLE = (
    update(_TABLE)
    .where(_TABLE.c.id.in_(bindparam("ids", expanding=True)), _TABLE.c.settled_at.is_(None))
    .values(
        state=bindparam("new_state"),
        last_outcome=bindparam("new_outcome"),
        last_status=bindparam("new_status"),
        settled_at=_NOW,
        lease_until=None,
    )
)
_WAIT_ON = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("delivery_id"), _TABLE.c.settled_at.is_(None))
    .values(
        state=DeliveryState.WAITING,
        last_outcome=bindparam("new_outcome"),
        last_status=bindparam("new_status"),
        due_at=func.coalesce(bindparam("new_due_at", type_=_TABLE.c.due_at.type), _TABLE.c.due_at),
        attempts=func.coalesce(
            bindparam("new_attempts", type_=_TABLE.c.attempts.type), _TABLE.c.attempts
        ),
        lease_until=None,
    )
)


def _settle(
    connection: Connection,
    alike: Mapping[tuple[DeliveryState, str, int | None], Collection[int]],
    now: datetime,
) -> int:
    total = 0
    for (state, outcome, status), ids in alike.items():
        values = {"new_state": state, "new_outcome": outcome, "new_status": status}
        total += touched(connection, _SETTLE, {"ids": ids, "now": now, **values})
    return total


def _wait_on(connection: Connection, results: Sequence[Settlement]) -> int:
    if not results:
        return 0
    rows = [
        {
            "delivery_id": result.id,
            "new_outcome": result.outcome,
            "new_status": result.status,
            "new_due_at": result.due_at,
            "new_attempts": result.attempts,
        }
        for result in results
    ]
    return connection.execute(_WAIT_ON, rows).rowcount


def abandon(
    connection: Connection,
    now: datetime,
    outcome: str,
    *,
    inbox: str | None = None,
    host: str | None = None,
) -> int:
    """Give up whatever waits for an inbox or a host; answers how many, 0 when neither is named."""
    named = [
        column == value
        for column, value in ((_TABLE.c.inbox, inbox), (_TABLE.c.host, host))
        if value is not None
    ]
    if not named:
        return 0
    return touched(
        connection,
        update(_TABLE)
        .where(_TABLE.c.settled_at.is_(None), *named)
        .values(
            state=DeliveryState.GIVEN_UP, last_outcome=outcome, settled_at=now, lease_until=None
        ),
    )
