"""Raw deliveries to our inbox and what became of each; claimed, judged, settled, and kept.

A receipt is open (`pending`, or `waiting` for another try) until it is settled for good.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    Update,
    bindparam,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy import insert as insert_row

from fedi_letter.letter.effects import Verdict
from fedi_letter.store import tables
from fedi_letter.store.statements import (
    changed,
    columns_of,
    many,
    one,
    touched,
)

REFUSED_KEPT = timedelta(days=7)
DONE_KEPT = timedelta(days=90)
UNKNOWN_ACCOUNT = "unknown-account"
"""The reason of a receipt by which a server told us of an account that we never met."""

Step = tuple[datetime, str, str]
"""One entry of a receipt's trail: when, which step, what came of it."""


class ReceiptState(StrEnum):
    """Where a receipt stands."""

    PENDING = "pending"
    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to look at it."""
        return self in (ReceiptState.PENDING, ReceiptState.WAITING)


class NewReceipt(NamedTuple):
    """A delivery as it came; `headers` is a JSON list of [name, value] in order."""

    received_at: datetime
    target: str
    headers: str
    body: bytes
    scheme: str | None = None
    key_id: str | None = None
    key_host: str | None = None
    activity_type: str | None = None
    activity_uri: str | None = None
    actor_uri: str | None = None
    object_uri: str | None = None
    state: ReceiptState = ReceiptState.PENDING
    verified_by: str | None = None
    verdict: Verdict | None = None
    reason: str | None = None
    detail: str | None = None
    lease_until: datetime | None = None
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Receipt:
    """A receipt on record; `verified_by` is the hash of the key that proved it."""

    id: int
    received_at: datetime
    target: str
    headers: str
    body: bytes
    scheme: str | None
    key_id: str | None
    key_host: str | None
    activity_type: str | None
    activity_uri: str | None
    actor_uri: str | None
    object_uri: str | None
    state: ReceiptState
    verified_by: str | None
    verdict: Verdict | None
    reason: str | None
    detail: str | None
    trail: tuple[Step, ...]
    attempts: int
    due_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True)
class Count:
    """How many receipts came to the same end."""

    state: ReceiptState
    verdict: Verdict | None
    reason: str | None
    count: int


_TABLE = tables.receipts
_COLUMNS = columns_of(_TABLE, Receipt)
_SETTLE = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("receipt_id"), _TABLE.c.settled_at.is_(None))
    .values(
        {name: bindparam(name) for name in ("state", "verdict", "reason", "detail", "settled_at")}
    )
    .values(lease_until=None, trail=_TABLE.c.trail + bindparam("lines", type_=Text))
)
_STILL_OPEN = (
    select(_TABLE.c.id)
    .where(_TABLE.c.id.in_(bindparam("ids", expanding=True)), _TABLE.c.settled_at.is_(None))
    .order_by(_TABLE.c.id)
    .with_for_update()
)


def insert(connection: Connection, rows: Sequence[NewReceipt]) -> list[int]:
    """Store a batch in one statement and answer the ids in the order given."""
    if not rows:
        return []
    statement = insert_row(_TABLE).returning(_TABLE.c.id, sort_by_parameter_order=True)
    return list(connection.execute(statement, [_values_of(row) for row in rows]).scalars())


def _values_of(row: NewReceipt) -> dict[str, Any]:
    """Answer the columns of a new receipt; the id and the attempts are the database's."""
    values = row._asdict()
    values["trail"] = lines_of(values.pop("steps"))
    values["due_at"] = row.received_at
    values["settled_at"] = None if row.state.is_open else row.received_at
    return values


def release(connection: Connection, receipt_id: int) -> bool:
    """Give a claimed receipt back at once; False when it is settled."""
    return changed(connection, _open(receipt_id).values(lease_until=None))


def postpone(connection: Connection, receipt_id: int, due_at: datetime, step: Step) -> bool:
    """Try again at `due_at` and note why; False when it was settled meanwhile."""
    return changed(
        connection,
        _open(receipt_id).values(
            state=ReceiptState.WAITING,
            due_at=due_at,
            lease_until=None,
            trail=_TABLE.c.trail + lines_of((step,)),
        ),
    )


@dataclass(frozen=True)
class Ending:
    """How a receipt is closed for good, as `done` or `refused`."""

    receipt_id: int
    state: ReceiptState
    verdict: Verdict | None
    reason: str | None
    detail: str | None
    steps: tuple[Step, ...] = ()


def settle(
    connection: Connection,
    receipt_id: int,
    *,
    state: ReceiptState,
    verdict: Verdict | None,
    reason: str | None,
    detail: str | None,
    now: datetime,
    steps: Sequence[Step] = (),
) -> bool:
    """Close the receipt for good, as `done` or `refused`; False when somebody else did."""
    ending = Ending(receipt_id, ReceiptState(state), verdict, reason, detail, tuple(steps))
    return changed(connection, _SETTLE, _closing(ending, now))


def still_open(connection: Connection, receipt_ids: Sequence[int]) -> set[int]:
    """Answer which of them are open; until the transaction ends, nobody else settles those."""
    return set(connection.execute(_STILL_OPEN, {"ids": sorted(receipt_ids)}).scalars())


def settle_all(connection: Connection, endings: Sequence[Ending], now: datetime) -> None:
    """Close many; one that somebody else has closed meanwhile stays as it is."""
    if endings:
        connection.execute(_SETTLE, [_closing(ending, now) for ending in endings])


def _closing(ending: Ending, now: datetime) -> dict[str, Any]:
    return {
        "receipt_id": ending.receipt_id,
        "state": ending.state,
        "verdict": ending.verdict,
        "reason": ending.reason,
        "detail": ending.detail,
        "settled_at": now,
        "lines": lines_of(ending.steps),
    }


def reopen(connection: Connection, receipt_id: int, now: datetime, step: Step) -> bool:
    """Have a refused receipt judged again, at an admin's wish; False when it is not refused."""
    return changed(
        connection,
        update(_TABLE)
        .where(_TABLE.c.id == receipt_id, _TABLE.c.state == ReceiptState.REFUSED)
        .values(
            state=ReceiptState.PENDING,
            verdict=None,
            reason=None,
            detail=None,
            settled_at=None,
            due_at=now,
            trail=_TABLE.c.trail + lines_of((step,)),
        ),
    )


def verified(
    connection: Connection,
    receipt_id: int,
    key_sha256: str,
    *,
    activity_type: str | None = None,
    activity_uri: str | None = None,
    actor_uri: str | None = None,
    object_uri: str | None = None,
) -> bool:
    """Note which key proved the receipt, and what it speaks of where that is now known better.

    Gives up the lease, so that it is judged at once; False when it was settled meanwhile.
    """
    known = {
        "activity_type": activity_type,
        "activity_uri": activity_uri,
        "actor_uri": actor_uri,
        "object_uri": object_uri,
    }
    better = {name: value for name, value in known.items() if value is not None}
    return changed(
        connection, _open(receipt_id).values(verified_by=key_sha256, lease_until=None, **better)
    )


def receipt(connection: Connection, receipt_id: int) -> Receipt | None:
    """Answer one receipt."""
    return one(connection, select(*_COLUMNS).where(_TABLE.c.id == receipt_id), receipt_of)


def by_uri(connection: Connection, uri: str, limit: int) -> list[Receipt]:
    """Answer the receipts that speak of this activity, object or actor, newest first."""
    speaks = or_(
        _TABLE.c.activity_uri == uri, _TABLE.c.object_uri == uri, _TABLE.c.actor_uri == uri
    )
    # Two questions, for what is still open is not in the indexes by id: see `traffic.receipts`.
    newest = select(*_COLUMNS).where(speaks).order_by(_TABLE.c.id.desc()).limit(limit)
    found = [
        *many(connection, newest.where(_TABLE.c.settled_at.is_(None)), receipt_of),
        *many(connection, newest.where(_TABLE.c.settled_at.is_not(None)), receipt_of),
    ]
    return sorted(found, key=lambda receipt: receipt.id, reverse=True)[:limit]


def recent(
    connection: Connection,
    limit: int,
    before: int | None = None,
    state: ReceiptState | None = None,
) -> list[Receipt]:
    """Answer the newest receipts, from below the id `before`."""
    query = select(*_COLUMNS).order_by(_TABLE.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_TABLE.c.id < before)
    if state is not None:
        query = query.where(_TABLE.c.state == state)
    return many(connection, query, receipt_of)


def counts(connection: Connection) -> list[Count]:
    """Answer how many receipts came to each end."""
    end = (_TABLE.c.state, _TABLE.c.verdict, _TABLE.c.reason)
    query = select(*end, func.count().label("count")).group_by(*end).order_by(*end)
    return many(connection, query, _count)


def oldest_pending(connection: Connection) -> datetime | None:
    """Answer when the oldest open receipt arrived: how far behind we are."""
    return _earliest(connection, _TABLE.c.received_at)


def next_due(connection: Connection) -> datetime | None:
    """Answer when `claim` will next find something; None when all receipts are settled."""
    leased = _TABLE.c.lease_until > _TABLE.c.due_at
    return _earliest(connection, case((leased, _TABLE.c.lease_until), else_=_TABLE.c.due_at))


def _earliest(connection: Connection, column: ColumnElement[Any]) -> datetime | None:
    query = select(func.min(column)).where(_TABLE.c.settled_at.is_(None))
    earliest: datetime | None = connection.execute(query).scalar_one()
    return earliest


def purge(connection: Connection, now: datetime, limit: int) -> int:
    """Delete at most `limit` receipts past their time and answer how many.

    Refused ones are kept a week, and so are the farewells of strangers, which come by the ten
    thousand and are nobody's evidence; settled ones ninety days, and as long as an endorsement, a
    report or the ledger points at them, for they are its evidence.
    """
    idle = or_(_TABLE.c.state == ReceiptState.REFUSED, _TABLE.c.reason == UNKNOWN_ACCOUNT)
    refused = idle & (_TABLE.c.settled_at < now - REFUSED_KEPT)
    done = (_TABLE.c.state == ReceiptState.DONE) & (_TABLE.c.settled_at < now - DONE_KEPT)
    evidence = or_(
        *(
            exists().where(table.c.receipt_id == _TABLE.c.id)
            for table in (tables.endorsements, tables.ledger, tables.reports)
        )
    )
    old = select(_TABLE.c.id).where(or_(refused, done & ~evidence)).limit(limit)
    return touched(connection, delete(_TABLE).where(_TABLE.c.id.in_(old.scalar_subquery())))


def _open(receipt_id: int) -> Update:
    return update(_TABLE).where(_TABLE.c.id == receipt_id, _TABLE.c.settled_at.is_(None))


def lines_of(steps: Sequence[Step]) -> str:
    """Answer steps of a trail as they are kept, a line each."""
    return "".join(
        json.dumps([at.isoformat(), step, detail], ensure_ascii=False) + "\n"
        for at, step, detail in steps
    )


def receipt_of(*, state: str, verdict: str | None, trail: str, **columns: Any) -> Receipt:
    """Answer a receipt from its columns."""
    steps = tuple(
        (datetime.fromisoformat(at), step, detail)
        for at, step, detail in map(json.loads, trail.splitlines())
    )
    ending = None if verdict is None else Verdict(verdict)
    return Receipt(state=ReceiptState(state), verdict=ending, trail=steps, **columns)


def _count(*, state: str, verdict: str | None, **columns: Any) -> Count:
    ending = None if verdict is None else Verdict(verdict)
    return Count(state=ReceiptState(state), verdict=ending, **columns)
