"""Public keys of others, as their servers publish them; an old key stays on record as evidence."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import BindParameter, Connection, Insert, bindparam, delete, or_, select, update

from fedi_letter.store import tables, versions
from fedi_letter.store.statements import (
    changed,
    columns_of,
    insert_for,
    insert_into,
    many,
    one,
    touched,
)
from fedi_letter.store.versions import Thing


@dataclass(frozen=True)
class StoredKey:
    """A public key; `material` is PEM."""

    key_id: str
    owner: str
    material: str
    fetched_at: datetime
    refetched_at: datetime | None


@dataclass(frozen=True)
class PastKey:
    """A key as it was once published, found by the hash an endorsement carries."""

    key_id: str
    owner: str
    material: str
    sha256: str
    fetched_at: datetime


@dataclass(frozen=True)
class Miss:
    """A key id that proved useless; not asked again before `until`."""

    key_id: str
    reason: str
    until: datetime


_KEYS, _HISTORY, _MISSES = tables.keys, tables.key_history, tables.key_misses
_COLUMNS = columns_of(_KEYS, StoredKey)
_KEY_IDS: BindParameter[str] = bindparam("key_ids", expanding=True)
_BY_IDS = select(*_COLUMNS).where(_KEYS.c.key_id.in_(_KEY_IDS))


@dataclass(frozen=True)
class NewKey:
    """A public key as just fetched; `material` is PEM, `sha256` its hash."""

    key_id: str
    owner: str
    material: str
    sha256: str


def put_keys(connection: Connection, fetched: Collection[NewKey], now: datetime) -> None:
    """Remember keys as just fetched; an earlier one of the same id moves to the history.

    In the order of their ids, so that two batches cannot wait on each other.
    """
    latest = {row.key_id: row for row in fetched}
    if not latest:
        return
    ordered = [latest[key_id] for key_id in sorted(latest)]
    known = keys(connection, latest.keys())
    if any(row.key_id in known and _differ(row, known[row.key_id]) for row in ordered):
        versions.grow(connection, Thing.KEYS)
    present, past = _insertions(connection.dialect.name)
    rows = [{**vars(row), "fetched_at": now} for row in ordered]
    connection.execute(past, rows)
    for row in rows:
        del row["sha256"]
    connection.execute(present, rows)
    connection.execute(_FOUND, {"key_ids": list(latest)})


_FOUND = delete(_MISSES).where(_MISSES.c.key_id.in_(_KEY_IDS))


def _differ(fetched: NewKey, known: StoredKey) -> bool:
    return (fetched.owner, fetched.material) != (known.owner, known.material)


@cache
def _insertions(dialect: str) -> tuple[Insert, Insert]:
    """The statements that put keys beside each other, and into the history."""
    present, past = insert_for(dialect, _KEYS), insert_for(dialect, _HISTORY)
    fresh = {name: present.excluded[name] for name in ("owner", "material", "fetched_at")}
    return (
        present.on_conflict_do_update(index_elements=["key_id"], set_=fresh),
        past.on_conflict_do_nothing(index_elements=["key_id", "sha256"]),
    )


def key(connection: Connection, key_id: str) -> StoredKey | None:
    """Answer the key under exactly this id."""
    return one(connection, select(*_COLUMNS).where(_KEYS.c.key_id == key_id), StoredKey)


def keys(connection: Connection, key_ids: Collection[str]) -> dict[str, StoredKey]:
    """Answer those of the keys that we know, by id."""
    found = many(connection, _BY_IDS, StoredKey, {"key_ids": list(key_ids)})
    return {row.key_id: row for row in found}


def keys_of(connection: Connection, owner: str) -> list[StoredKey]:
    """Answer the keys of one actor."""
    query = select(*_COLUMNS).where(_KEYS.c.owner == owner).order_by(_KEYS.c.key_id)
    return many(connection, query, StoredKey)


def past_key(connection: Connection, sha256: str) -> PastKey | None:
    """Answer the key with this hash, present or replaced: what an endorsement was verified by."""
    query = select(*columns_of(_HISTORY, PastKey)).where(_HISTORY.c.sha256 == sha256)
    return one(connection, query.order_by(_HISTORY.c.id).limit(1), PastKey)


def mark_refetched(connection: Connection, key_id: str, now: datetime, not_since: datetime) -> bool:
    """Take the one chance to fetch a key anew after a failed verification.

    False when it was taken after `not_since`, or the key is unknown (interop T25). One taken in
    the future was taken before the clock was set back, and counts for nothing.
    """
    taken = _KEYS.c.refetched_at
    rested = or_(taken.is_(None), taken <= not_since, taken > now)
    return changed(
        connection,
        update(_KEYS).where(_KEYS.c.key_id == key_id, rested).values(refetched_at=now),
    )


def put_miss(connection: Connection, key_id: str, reason: str, until: datetime) -> None:
    """Remember that this key id is useless until then."""
    values = {"reason": reason, "until": until}
    connection.execute(
        insert_into(connection, _MISSES)
        .values(key_id=key_id, **values)
        .on_conflict_do_update(index_elements=["key_id"], set_=values)
    )


def misses(connection: Connection, key_ids: Collection[str], now: datetime) -> dict[str, Miss]:
    """Answer why these key ids must not be asked now; those that may be are left out."""
    asked = {"key_ids": list(key_ids), "now": now}
    return {row.key_id: row for row in many(connection, _STILL_USELESS, Miss, asked)}


_STILL_USELESS = select(*columns_of(_MISSES, Miss)).where(
    _MISSES.c.key_id.in_(_KEY_IDS),
    _MISSES.c.until > bindparam("now", type_=_MISSES.c.until.type),
)


def purge_misses(connection: Connection, now: datetime) -> int:
    """Forget the misses that are over; answers how many."""
    return touched(connection, delete(_MISSES).where(_MISSES.c.until <= now))
