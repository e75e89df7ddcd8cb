"""How the letter is at this moment, in a few numbers from one snapshot; for metrics and the doctor.

Each is counted from what is open, by the small indexes of open rows, or from an index alone: asking
costs the same after a year.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, text

from fedi_letter.store import followers, headway, moderation, roll, tables
from fedi_letter.store.headway import Waiting
from fedi_letter.store.receipts import ReceiptState


@dataclass(frozen=True)
class Spool:
    """Receipts that nobody has settled: pending, or waiting for a key or another try."""

    pending: int = 0
    waiting: int = 0
    oldest_pending_at: datetime | None = None
    oldest_waiting_at: datetime | None = None


@dataclass(frozen=True)
class Vitals:
    """What there is to do, and what there is."""

    spool: Spool
    deliveries: Waiting
    given_up: dict[str, int]
    hosts_resting: int
    hosts_dead: int
    signatories: int
    followers: int
    held_for_review: int


@dataclass(frozen=True)
class Housing:
    """Where the rows live: its clock on PostgreSQL; its file and how it is written on SQLite."""

    now: datetime | None = None
    journal_mode: str | None = None
    file: str | None = None


_RECEIPTS, _ORIGINS = tables.receipts, tables.origins


def vitals(connection: Connection, letter_id: int, now: datetime) -> Vitals:
    """Answer how the letter is."""
    resting = select(func.count()).select_from(_ORIGINS).where(_ORIGINS.c.held_until > now)
    dead = select(func.count()).select_from(_ORIGINS).where(_ORIGINS.c.dead_since.is_not(None))
    return Vitals(
        spool=spool(connection),
        deliveries=headway.still_open(connection, now),
        given_up=headway.given_up(connection),
        hosts_resting=connection.execute(resting).scalar_one(),
        hosts_dead=connection.execute(dead).scalar_one(),
        signatories=roll.roll_total(connection, letter_id),
        followers=followers.total(connection, letter_id),
        held_for_review=moderation.queue_total(connection, letter_id),
    )


def spool(connection: Connection) -> Spool:
    """Answer how many receipts are open, and since when."""
    state = _RECEIPTS.c.state
    query = select(state, func.count(), func.min(_RECEIPTS.c.received_at))
    found = {
        state: (count, oldest)
        for state, count, oldest in connection.execute(
            query.where(_RECEIPTS.c.settled_at.is_(None)).group_by(state)
        )
    }
    pending, pending_since = found.get(ReceiptState.PENDING, (0, None))
    waiting, waiting_since = found.get(ReceiptState.WAITING, (0, None))
    return Spool(pending, waiting, pending_since, waiting_since)


def housing(connection: Connection) -> Housing:
    """Answer where the rows live."""
    if connection.dialect.name == "postgresql":
        return Housing(now=connection.execute(select(func.clock_timestamp())).scalar_one())
    mode = connection.execute(text("PRAGMA journal_mode")).scalar_one()
    [(_, _, file)] = [
        row for row in connection.execute(text("PRAGMA database_list")) if row[1] == "main"
    ]
    return Housing(journal_mode=mode, file=file)
