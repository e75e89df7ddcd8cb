"""Deliveries that go out again because a person says so, whatever was decided of them before.

1. What something newer about the same object has overtaken stays given up: after its Delete a text
   would be back, after its next version an old one would stand for good.
2. What is in hand is left to whoever has it, or it would go out twice.
3. The servers concerned are asked again at once, even those that rest or were given up.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, exists, or_, select, update

from fedi_letter.store import origins, tables
from fedi_letter.store.deliveries import DeliveryState

_TABLE, _OUTBOX = tables.deliveries, tables.outbox


def retry(
    connection: Connection,
    now: datetime,
    *,
    host: str | None = None,
    activity_uri: str | None = None,
) -> int:
    """Send again now what waits or was given up, of one host or activity or all; answers how many.

    Those who failed before have all their tries again.
    """
    open_again = or_(
        _TABLE.c.state == DeliveryState.WAITING,
        (_TABLE.c.state == DeliveryState.GIVEN_UP) & ~_overtaken(),
    )
    is_free = or_(_TABLE.c.lease_until.is_(None), _TABLE.c.lease_until <= now)
    statement = update(_TABLE).where(open_again, is_free)
    if host is not None:
        statement = statement.where(_TABLE.c.host == host)
    if activity_uri is not None:
        of_activity = select(_OUTBOX.c.id).where(_OUTBOX.c.activity_uri == activity_uri)
        statement = statement.where(_TABLE.c.outbox_id.in_(of_activity))
    again = statement.values(
        state=DeliveryState.WAITING, attempts=0, due_at=now, lease_until=None, settled_at=None
    )
    hosts = connection.execute(again.returning(_TABLE.c.host)).scalars().all()
    origins.revive_all(connection, set(hosts))
    return len(hosts)


def _overtaken() -> ColumnElement[bool]:
    newer, arrival = _OUTBOX.alias("newer"), _TABLE.alias("arrival")
    has_arrived = (
        exists()
        .where(
            arrival.c.outbox_id == newer.c.id,
            arrival.c.inbox == _TABLE.c.inbox,
            arrival.c.state == DeliveryState.DELIVERED,
        )
        .correlate(newer, _TABLE)
    )
    return (
        exists()
        .where(
            newer.c.object_uri == _TABLE.c.object_uri,
            newer.c.id > _TABLE.c.outbox_id,
            or_(newer.c.type == "Delete", has_arrived),
        )
        .correlate(_TABLE)
    )
