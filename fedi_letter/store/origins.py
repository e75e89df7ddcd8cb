"""What we learnt of each server we deliver to: how it wants signatures, and whether it answers.

The rules of the circuit breaker are `activitypub.delivery`'s; here its memory.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, Connection, and_, bindparam, case, or_, select, update

from fedi_letter.activitypub.delivery import BREAKER_FAILURES
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
_BREAKER = ("failures", "first_failure_at", "held_until")
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


def put_origins(connection: Connection, known: Collection[Origin], now: datetime) -> None:
    """Remember all of this about several servers, in the order of their names.

    Where another process had a server rest meanwhile, one more failure does not end the rest; only
    a success does, and that no rest that the server asked for.
    """
    if not known:
        return
    statement = insert_into(connection, _TABLE)
    fresh, old = statement.excluded, _TABLE.c
    ends_earlier = or_(fresh.held_until.is_(None), fresh.held_until < old.held_until)
    outlasts = or_(fresh.failures > 0, old.failures < BREAKER_FAILURES)
    rests = (old.held_until > now) & ends_earlier & outlasts
    values = {
        name: case((rests, old[name]), else_=fresh[name]) if name in _BREAKER else fresh[name]
        for name in vars(next(iter(known)))
    }
    connection.execute(
        statement.on_conflict_do_update(index_elements=["host"], set_=values),
        [vars(row) for row in sorted(known, key=lambda row: row.host)],
    )


def revive_all(connection: Connection, hosts: Collection[str]) -> list[str]:
    """Deliver again to these servers, whatever was wrong; answers those that had a fault."""
    return sorted(connection.execute(_REVIVE, {"hosts": list(hosts)}).scalars())


def hear(connection: Connection, hosts: Collection[str], now: datetime) -> list[str]:
    """The same for servers that have just spoken to us, but for those that asked for their rest."""
    return sorted(connection.execute(_HEAR, {"hosts": list(hosts), "now": now}).scalars())


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
_ASKED_FOR = and_(
    _TABLE.c.dead_since.is_(None),  # who was given up and speaks is alive, above all else
    _TABLE.c.held_until > bindparam("now", type_=_TABLE.c.held_until.type),
    _TABLE.c.failures < BREAKER_FAILURES,
)
_HEAR = _REVIVE.where(or_(_TABLE.c.held_until.is_(None), ~_ASKED_FOR))


def troubled(connection: Connection, now: datetime, limit: int = 500) -> list[Origin]:
    """Answer the servers that are held back now or given up, by name."""
    query = select(*_COLUMNS).where(
        or_(_TABLE.c.dead_since.is_not(None), _TABLE.c.held_until > now)
    )
    return many(connection, query.order_by(_TABLE.c.host).limit(limit), Origin)
