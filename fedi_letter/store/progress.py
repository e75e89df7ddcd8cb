"""Deliveries one by one, and how many are in each state; for admins and for programs."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from fedi_letter.store import tables
from fedi_letter.store.deliveries import DeliveryState
from fedi_letter.store.statements import many


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
