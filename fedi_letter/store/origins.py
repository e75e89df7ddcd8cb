"""What we learnt of each server we deliver to: how it wants signatures, and whether it answers.

The rules of the circuit breaker are `activitypub.delivery`'s; here its memory.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, Connection, bindparam, or_, select, update

from fedi_letter.store import tables
from fedi_letter.store.statements import columns_of, insert_into, many, one


@dataclass(frozen=True)
class Origin:
    """A server by its host (with port when not the default)."""

    host: str
    signature_scheme: str | None = None
    scheme_learnt_at: datetime | None = None
    failures: int = 0
    first_failure_at: datetime | None = None
    held_until: datetime | None = None
    failing_days: int = 0
    last_failing_at: datetime | None = None
    dead_since: datetime | None = None


_TABLE = tables.origins
_COLUMNS = columns_of(_TABLE, Origin)
_HOSTS: BindParameter[str] = bindparam("hosts", expanding=True)
_OF_HOSTS = select(*_COLUMNS).where(_TABLE.c.host.in_(_HOSTS))


def origin(connection: Connection, host: str) -> Origin:
    """Answer what we know of the server; a server never met is one without a fault."""
    known = one(connection, select(*_COLUMNS).where(_TABLE.c.host == host), Origin)
    return Origin(host) if known is None else known


def origins(connection: Connection, hosts: Collection[str]) -> dict[str, Origin]:
    """Answer what we know of each of these servers, those never met included."""
    found = many(connection, _OF_HOSTS, Origin, {"hosts": list(hosts)})
    return {host: Origin(host) for host in hosts} | {row.host: row for row in found}


def put_origin(connection: Connection, origin: Origin) -> None:
    """Remember all of this about the server."""
    values = vars(origin)
    connection.execute(
        insert_into(connection, _TABLE)
        .values(values)
        .on_conflict_do_update(index_elements=["host"], set_=values)
    )


def put_origins(connection: Connection, known: Collection[Origin]) -> None:
    """Remember all of this about several servers, in the order of their names."""
    if not known:
        return
    statement = insert_into(connection, _TABLE)
    fresh = {name: statement.excluded[name] for name in vars(next(iter(known)))}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["host"], set_=fresh),
        [vars(row) for row in sorted(known, key=lambda row: row.host)],
    )


def learn_scheme(connection: Connection, host: str, scheme: str, now: datetime) -> None:
    """Remember which signatures the server accepts, without touching its breaker."""
    values = {"signature_scheme": scheme, "scheme_learnt_at": now}
    connection.execute(
        insert_into(connection, _TABLE)
        .values(host=host, **values)
        .on_conflict_do_update(index_elements=["host"], set_=values)
    )


def revive(connection: Connection, host: str) -> bool:
    """Deliver again to a server that has just spoken to us; False when it had no fault."""
    return bool(revive_all(connection, [host]))


def revive_all(connection: Connection, hosts: Collection[str]) -> list[str]:
    """Deliver again to servers that have just spoken to us; answers those that had a fault."""
    return sorted(connection.execute(_REVIVE, {"hosts": list(hosts)}).scalars())


_FAULTY = or_(
    _TABLE.c.dead_since.is_not(None),
    _TABLE.c.held_until.is_not(None),
    _TABLE.c.failures > 0,
    _TABLE.c.failing_days > 0,
)
_REVIVE = (
    update(_TABLE)
    .where(_TABLE.c.host.in_(_HOSTS), _FAULTY)
    .values(
        failures=0,
        first_failure_at=None,
        held_until=None,
        failing_days=0,
        last_failing_at=None,
        dead_since=None,
    )
    .returning(_TABLE.c.host)
)


def troubled(connection: Connection, now: datetime, limit: int = 500) -> list[Origin]:
    """Answer the servers that are held back now or given up, by name."""
    query = select(*_COLUMNS).where(
        or_(_TABLE.c.dead_since.is_not(None), _TABLE.c.held_until > now)
    )
    return many(connection, query.order_by(_TABLE.c.host).limit(limit), Origin)
