"""How deliveries are getting on: per activity, per host, and one by one; for admins."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, func, select

from fedi_letter.store import tables
from fedi_letter.store.deliveries import DeliveryState
from fedi_letter.store.statements import many


@dataclass(frozen=True)
class ActivityProgress:
    """How one activity of ours is getting on."""

    activity_uri: str
    type: str
    object_uri: str
    created_at: datetime
    delivered: int
    waiting: int
    given_up: int
    last_settled_at: datetime | None


@dataclass(frozen=True)
class HostProgress:
    """How one server takes what we send."""

    host: str
    delivered: int
    waiting: int
    given_up: int


@dataclass(frozen=True)
class DeliveryLine:
    """One delivery as it stands."""

    id: int
    activity_uri: str
    object_uri: str
    inbox: str
    host: str
    state: DeliveryState
    attempts: int
    due_at: datetime
    last_status: int | None
    last_outcome: str | None
    settled_at: datetime | None


_TABLE, _OUTBOX = tables.deliveries, tables.outbox


def _in(state: DeliveryState) -> Any:
    return func.sum(case((_TABLE.c.state == state, 1), else_=0))


_TALLY = (
    _in(DeliveryState.DELIVERED).label("delivered"),
    _in(DeliveryState.WAITING).label("waiting"),
    _in(DeliveryState.GIVEN_UP).label("given_up"),
)


def report(
    connection: Connection, limit: int = 50, object_uri: str | None = None
) -> list[ActivityProgress]:
    """Answer how the newest activities (about one object) are getting on, newest first."""
    query = (
        select(
            _OUTBOX.c.activity_uri,
            _OUTBOX.c.type,
            _OUTBOX.c.object_uri,
            _OUTBOX.c.created_at,
            *_TALLY,
            func.max(_TABLE.c.settled_at).label("last_settled_at"),
        )
        .join_from(_TABLE, _OUTBOX, _OUTBOX.c.id == _TABLE.c.outbox_id)
        .group_by(_OUTBOX.c.id)
        .order_by(_OUTBOX.c.id.desc())
        .limit(limit)
    )
    if object_uri is not None:
        query = query.where(_OUTBOX.c.object_uri == object_uri)
    return many(connection, query, ActivityProgress)


def by_host(connection: Connection, limit: int = 500) -> list[HostProgress]:
    """Answer how each server takes what we send, those with most trouble first."""
    waiting, given_up = _in(DeliveryState.WAITING), _in(DeliveryState.GIVEN_UP)
    query = (
        select(_TABLE.c.host, *_TALLY)
        .group_by(_TABLE.c.host)
        .order_by((waiting + given_up).desc(), _TABLE.c.host)
        .limit(limit)
    )
    return many(connection, query, HostProgress)


def counts(connection: Connection) -> dict[DeliveryState, int]:
    """Answer how many deliveries are in each state."""
    query = select(_TABLE.c.state, func.count()).group_by(_TABLE.c.state)
    found = {DeliveryState(state): count for state, count in connection.execute(query)}
    return {state: found.get(state, 0) for state in DeliveryState}


def listing(
    connection: Connection,
    limit: int,
    states: Collection[DeliveryState] | None = None,
    before: int | None = None,
) -> list[DeliveryLine]:
    """Answer the newest deliveries, from below the id `before`."""
    query = (
        select(
            _TABLE.c.id,
            _OUTBOX.c.activity_uri,
            _TABLE.c.object_uri,
            _TABLE.c.inbox,
            _TABLE.c.host,
            _TABLE.c.state,
            _TABLE.c.attempts,
            _TABLE.c.due_at,
            _TABLE.c.last_status,
            _TABLE.c.last_outcome,
            _TABLE.c.settled_at,
        )
        .join_from(_TABLE, _OUTBOX, _OUTBOX.c.id == _TABLE.c.outbox_id)
        .order_by(_TABLE.c.id.desc())
        .limit(limit)
    )
    if states is not None:
        query = query.where(_TABLE.c.state.in_(states))
    if before is not None:
        query = query.where(_TABLE.c.id < before)
    return many(connection, query, _line)


def _line(*, state: str, **columns: Any) -> DeliveryLine:
    return DeliveryLine(state=DeliveryState(state), **columns)
