"""How far our activities have come: per update, per host, and all that is open; for admins.

Laws held here:

1. What was announced is what arrived, what waits and what was given up, each with its reason: every
   count of one report is taken from one snapshot, so that the sums balance.
2. A report costs what the activities it shows cost, however much was sent before them: what is
   shown is found by the outbox, what is open by the index of open rows.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Select, case, func, literal_column, select

from fedi_letter.store import tables
from fedi_letter.store.deliveries import DeliveryState
from fedi_letter.store.statements import many

LATELY = timedelta(minutes=1)
"""How far back the rate of a fan-out is looked at."""
ANSWERS_AT_MOST = 1_000
NO_REASON = "unknown"


class Wait(StrEnum):
    """Why an open delivery has not arrived yet."""

    DUE = "due"
    RETRYING = "retrying"
    HELD = "held"


@dataclass(frozen=True)
class Waiting:
    """What is open: due now, due later, or held because its server rests."""

    due: int = 0
    retrying: int = 0
    held: int = 0
    oldest_due_at: datetime | None = None
    next_due_at: datetime | None = None

    @property
    def total(self) -> int:
        """All that is still to come."""
        return self.due + self.retrying + self.held


NOTHING_WAITS = Waiting()


@dataclass(frozen=True)
class Headway:
    """How far some deliveries have come; `reasons` says why how many were given up."""

    delivered: int = 0
    waiting: Waiting = NOTHING_WAITS
    reasons: Mapping[str, int] = field(default_factory=dict)
    settled_lately: int = 0

    @property
    def given_up(self) -> int:
        """Those that will never arrive."""
        return sum(self.reasons.values())

    @property
    def settled(self) -> int:
        """Those that are done with."""
        return self.delivered + self.given_up

    @property
    def announced(self) -> int:
        """All there ever were."""
        return self.settled + self.waiting.total


@dataclass(frozen=True)
class ActivityProgress:
    """How one activity of ours is getting on."""

    activity_uri: str
    type: str
    object_uri: str
    created_at: datetime
    headway: Headway

    def time_left(self, now: datetime) -> timedelta | None:
        """How long what is due now takes at the rate of the last minute; None if that is nothing.

        What waits for a retry or for a resting server is not in it: it comes when it comes.
        """
        due, lately = self.headway.waiting.due, self.headway.settled_lately
        if not due:
            return timedelta(0)
        if not lately:
            return None
        seen_for = min(LATELY, max(now - self.created_at, timedelta(seconds=1)))
        return seen_for * (due / lately)


@dataclass(frozen=True)
class HostProgress:
    """How one server takes what we send; `rests_until` is set while it is left alone."""

    host: str
    delivered: int
    waiting: int
    given_up: int
    rests_until: datetime | None


@dataclass(frozen=True)
class Report:
    """The newest updates, the newest answers to single people, and all that is open."""

    updates: tuple[ActivityProgress, ...]
    answers: Headway
    hosts: tuple[HostProgress, ...]
    open: Waiting


_TABLE, _OUTBOX, _ORIGINS = tables.deliveries, tables.outbox, tables.origins
_ABOUT = (_OUTBOX.c.activity_uri, _OUTBOX.c.type, _OUTBOX.c.object_uri, _OUTBOX.c.created_at)
# Written out: a database that is given the value later cannot know that its small index will do.
_GIVEN_UP = _TABLE.c.state == literal_column(f"'{DeliveryState.GIVEN_UP}'")


def report(
    connection: Connection,
    letter_id: int,
    now: datetime,
    *,
    limit: int = 20,
    hosts: int = 50,
    object_uri: str | None = None,
) -> Report:
    """Answer how the newest updates (about one object) are getting on, newest first.

    Hosts are those of the updates under way, or of the newest. Seven questions, whatever the number
    of updates, hosts and deliveries.
    """
    shown = connection.execute(_newest(letter_id, limit, object_uri)).all()
    answers = connection.execute(_answers(letter_id)).scalars().all()
    waits = _waits(connection, now)
    known = _headways(connection, [*(row.id for row in shown), *answers], waits, now)
    under_way = [row.id for row in shown if row.id in waits] or [row.id for row in shown[:1]]
    return Report(
        updates=tuple(
            ActivityProgress(
                row.activity_uri, row.type, row.object_uri, row.created_at, known[row.id]
            )
            for row in shown
        ),
        answers=_together([known[each] for each in answers]),
        hosts=tuple(_by_host(connection, under_way, now, hosts)),
        open=_all_of(waits.values()),
    )


def still_open(connection: Connection, now: datetime) -> Waiting:
    """Answer what is open altogether."""
    return _all_of(_waits(connection, now).values())


def given_up(connection: Connection) -> dict[str, int]:
    """Answer how many deliveries were ever given up, and why."""
    reason = _TABLE.c.last_outcome
    query = select(reason, func.count()).where(_GIVEN_UP).group_by(reason)
    return {reason or NO_REASON: count for reason, count in connection.execute(query)}


def _newest(letter_id: int, limit: int, object_uri: str | None) -> Select[Any]:
    query = select(_OUTBOX.c.id, *_ABOUT).where(
        _OUTBOX.c.letter_id == letter_id, _OUTBOX.c.public.is_(True)
    )
    if object_uri is not None:
        query = query.where(_OUTBOX.c.object_uri == object_uri)
    return query.order_by(_OUTBOX.c.id.desc()).limit(limit)


def _answers(letter_id: int) -> Select[Any]:
    """The newest activities that were for one person alone: an Accept and the like."""
    query = select(_OUTBOX.c.id).where(
        _OUTBOX.c.letter_id == letter_id, _OUTBOX.c.public.is_(False)
    )
    return query.order_by(_OUTBOX.c.id.desc()).limit(ANSWERS_AT_MOST)


def _headways(
    connection: Connection, outbox_ids: Sequence[int], waits: Mapping[int, Waiting], now: datetime
) -> dict[int, Headway]:
    """Answer how far each of these activities has come.

    Those delivered are the many: they are what is left when the few others are taken off.
    """
    these = _TABLE.c.outbox_id.in_(outbox_ids)
    all_of = select(_TABLE.c.outbox_id, func.count()).where(these).group_by(_TABLE.c.outbox_id)
    announced = {each: count for each, count in connection.execute(all_of)}
    reasons: dict[int, dict[str, int]] = {}
    key = (_TABLE.c.outbox_id, _TABLE.c.last_outcome)
    lost = select(*key, func.count()).where(these, _GIVEN_UP).group_by(*key)
    for each, reason, count in connection.execute(lost):
        reasons.setdefault(each, {})[reason or NO_REASON] = count
    lately = _settled_lately(connection, [each for each in outbox_ids if each in waits], now)
    return {
        each: _headway(
            announced.get(each, 0),
            waits.get(each, NOTHING_WAITS),
            reasons.get(each, {}),
            lately.get(each, 0),
        )
        for each in outbox_ids
    }


def _headway(announced: int, waiting: Waiting, reasons: dict[str, int], lately: int) -> Headway:
    return Headway(announced - waiting.total - sum(reasons.values()), waiting, reasons, lately)


def _settled_lately(
    connection: Connection, under_way: Collection[int], now: datetime
) -> dict[int, int]:
    query = (
        select(_TABLE.c.outbox_id, func.count())
        .where(_TABLE.c.outbox_id.in_(under_way), _TABLE.c.settled_at > now - LATELY)
        .group_by(_TABLE.c.outbox_id)
    )
    return {each: count for each, count in connection.execute(query)}


def _waits(connection: Connection, now: datetime) -> dict[int, Waiting]:
    """Answer what is open and what it waits for, per activity."""
    # Set apart, or SQLite reads every row there is in the order of the grouping.
    rows = select(_TABLE.c.outbox_id, _TABLE.c.host, _TABLE.c.due_at)
    still = rows.where(_TABLE.c.settled_at.is_(None)).cte("still").prefix_with("MATERIALIZED")
    resting = (_ORIGINS.c.host == still.c.host) & (_ORIGINS.c.held_until > now)
    wait = case(
        (_ORIGINS.c.host.is_not(None), Wait.HELD),
        (still.c.due_at <= now, Wait.DUE),
        else_=Wait.RETRYING,
    ).label("wait")
    query = (
        select(still.c.outbox_id, wait, func.count(), func.min(still.c.due_at))
        .outerjoin_from(still, _ORIGINS, resting)
        .group_by(still.c.outbox_id, "wait")
    )
    found: dict[int, dict[str, tuple[int, datetime]]] = {}
    for outbox_id, kind, count, first_due_at in connection.execute(query):
        found.setdefault(outbox_id, {})[kind] = (count, first_due_at)
    return {each: _waiting(kinds) for each, kinds in found.items()}


def _waiting(kinds: Mapping[str, tuple[int, datetime]]) -> Waiting:
    due, due_at = kinds.get(Wait.DUE, (0, None))
    retrying, retried_at = kinds.get(Wait.RETRYING, (0, None))
    held, _ = kinds.get(Wait.HELD, (0, None))
    return Waiting(due, retrying, held, oldest_due_at=due_at, next_due_at=retried_at)


def _all_of(waits: Collection[Waiting]) -> Waiting:
    return Waiting(
        due=sum(wait.due for wait in waits),
        retrying=sum(wait.retrying for wait in waits),
        held=sum(wait.held for wait in waits),
        oldest_due_at=_first(wait.oldest_due_at for wait in waits),
        next_due_at=_first(wait.next_due_at for wait in waits),
    )


def _together(parts: Collection[Headway]) -> Headway:
    reasons: Counter[str] = Counter()
    for part in parts:
        reasons.update(part.reasons)
    return Headway(
        delivered=sum(part.delivered for part in parts),
        waiting=_all_of([part.waiting for part in parts]),
        reasons=dict(reasons),
        settled_lately=sum(part.settled_lately for part in parts),
    )


def _first(instants: Iterable[datetime | None]) -> datetime | None:
    return min((instant for instant in instants if instant is not None), default=None)


def _by_host(
    connection: Connection, outbox_ids: Collection[int], now: datetime, limit: int
) -> list[HostProgress]:
    """Answer how each server takes these activities, those with most trouble first."""
    counts = {
        state: func.sum(case((_TABLE.c.state == state, 1), else_=0)) for state in DeliveryState
    }
    waiting, given_up = counts[DeliveryState.WAITING], counts[DeliveryState.GIVEN_UP]
    worst = (
        select(
            _TABLE.c.host,
            counts[DeliveryState.DELIVERED].label("delivered"),
            waiting.label("waiting"),
            given_up.label("given_up"),
        )
        .where(_TABLE.c.outbox_id.in_(outbox_ids))
        .group_by(_TABLE.c.host)
        .order_by((waiting + given_up).desc(), _TABLE.c.host)
        .limit(limit)
        .subquery()
    )
    resting = (_ORIGINS.c.host == worst.c.host) & (_ORIGINS.c.held_until > now)
    query = select(worst, _ORIGINS.c.held_until.label("rests_until")).outerjoin_from(
        worst, _ORIGINS, resting
    )
    troubles = worst.c.waiting + worst.c.given_up
    return many(connection, query.order_by(troubles.desc(), worst.c.host), HostProgress)
