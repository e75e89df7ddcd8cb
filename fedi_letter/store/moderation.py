"""What waits for an admin, and whom we do not hear: the review queue and the blocks."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select

from fedi_letter.letter.model import EndorsementState, Nature, Reason, Visibility, Way
from fedi_letter.store import tables, versions
from fedi_letter.store.statements import (
    changed,
    columns_of,
    insert_into,
    many,
    one,
    unpacked,
)
from fedi_letter.store.versions import Thing

WAITING = (EndorsementState.HELD, EndorsementState.PRIVATE)


@dataclass(frozen=True)
class QueueItem:
    """One act of support with all an admin needs to decide it; private ones included."""

    id: int
    kind: Way
    actor: str
    handle: str
    name: str
    host: str
    nature: Nature
    text: str
    phrase: str | None
    language: str | None
    reasons: tuple[Reason, ...]
    visibility: Visibility
    state: EndorsementState
    post_uri: str | None
    url: str | None
    account_since: datetime | None
    first_seen_at: datetime | None
    received_at: datetime


class BlockKind(StrEnum):
    """What a block names."""

    DOMAIN = "domain"
    ACTOR = "actor"


@dataclass(frozen=True)
class Block:
    """A domain (with everything below it) or one actor that is not heard."""

    id: int
    kind: BlockKind
    subject: str
    reason: str | None
    made_by: str
    created_at: datetime


@dataclass(frozen=True)
class BlockedSubjects:
    """Every block, ready to be asked in memory."""

    domains: frozenset[str]
    actors: frozenset[str]

    def covers(self, host: str, actor_uri: str | None = None) -> bool:
        """Whether the host, a domain above it, or the actor is blocked."""
        return actor_uri in self.actors or not self.domains.isdisjoint(domains_of(host))


@lru_cache(maxsize=4096)
def domains_of(host: str) -> tuple[str, ...]:
    """Answer the domains whose block covers this host: itself and those above, with its port and
    without.

    >>> domains_of("a.Example.org:8443")
    ('a.example.org:8443', 'a.example.org', 'example.org:8443', 'example.org', 'org:8443', 'org')
    """
    name, colon, port = host.lower().rpartition(":")
    if not port.isdigit():  # no port at all, or a bare IPv6 address in its brackets
        name, colon, port = host.lower(), "", ""
    labels = name.split(".")
    parents = (".".join(labels[start:]) for start in range(len(labels)))
    if not colon:
        return tuple(parents)
    return tuple(domain for parent in parents for domain in (f"{parent}:{port}", parent))


def queue(connection: Connection, letter_id: int, limit: int, after: int = 0) -> list[QueueItem]:
    """Answer what waits for an admin, oldest first, from above the id `after`."""
    query = _queue(letter_id).where(_ACTS.c.id > after)
    return many(connection, query.order_by(_ACTS.c.id).limit(limit), _item)


def queue_item(connection: Connection, endorsement_id: int) -> QueueItem | None:
    """Answer one act as the queue shows it, in whatever state it is now."""
    return one(connection, _items().where(_ACTS.c.id == endorsement_id), _item)


def queue_total(connection: Connection, letter_id: int) -> int:
    """Answer how many acts wait for an admin."""
    waits = (_ACTS.c.letter_id == letter_id) & _ACTS.c.state.in_(WAITING)
    return connection.execute(select(func.count()).select_from(_ACTS).where(waits)).scalar_one()


_ACTS, _ACTORS, _BLOCKS = tables.endorsements, tables.actors, tables.blocks
_BLOCK = columns_of(_BLOCKS, Block)


def _items() -> Any:
    return select(
        _ACTS.c.id,
        _ACTS.c.way.label("kind"),
        _ACTS.c.actor_uri.label("actor"),
        func.coalesce(_ACTORS.c.handle, _ACTS.c.actor_uri).label("handle"),
        func.coalesce(_ACTORS.c.name, "").label("name"),
        func.coalesce(_ACTORS.c.host, "").label("host"),
        func.coalesce(_ACTORS.c.nature, Nature.PERSON).label("nature"),
        _ACTS.c.text,
        _ACTS.c.phrase,
        _ACTS.c.language,
        _ACTS.c.reasons,
        _ACTS.c.visibility,
        _ACTS.c.state,
        _ACTS.c.post_uri,
        _ACTS.c.url,
        _ACTORS.c.published_at.label("account_since"),
        _ACTORS.c.first_seen_at,
        _ACTS.c.received_at,
    ).join_from(_ACTS, _ACTORS, _ACTORS.c.uri == _ACTS.c.actor_uri, isouter=True)


def _queue(letter_id: int) -> Any:
    return _items().where(_ACTS.c.letter_id == letter_id, _ACTS.c.state.in_(WAITING))


def _item(
    *, kind: str, nature: str, reasons: str, visibility: str, state: str, **columns: Any
) -> QueueItem:
    return QueueItem(
        kind=Way(kind),
        nature=Nature(nature),
        reasons=unpacked(reasons, Reason),
        visibility=Visibility(visibility),
        state=EndorsementState(state),
        **columns,
    )


def add_block(
    connection: Connection,
    kind: BlockKind,
    subject: str,
    reason: str | None,
    made_by: str,
    now: datetime,
) -> bool:
    """Block a domain or an actor; False when it is blocked already."""
    versions.grow(connection, Thing.BLOCKS)
    statement = insert_into(connection, _BLOCKS).values(
        kind=kind,
        subject=_subject(kind, subject),
        reason=reason,
        made_by=made_by,
        created_at=now,
    )
    return changed(connection, statement.on_conflict_do_nothing(index_elements=["subject"]))


def remove_block(connection: Connection, subject: str) -> bool:
    """Hear the domain or actor again; False when it was not blocked."""
    versions.grow(connection, Thing.BLOCKS)
    named = {_subject(kind, subject) for kind in BlockKind}
    return changed(connection, delete(_BLOCKS).where(_BLOCKS.c.subject.in_(named)))


def blocks(connection: Connection) -> list[Block]:
    """Answer every block, in the order of their subjects."""
    return many(connection, select(*_BLOCK).order_by(_BLOCKS.c.subject), _block)


def is_blocked(connection: Connection, host: str, actor_uri: str | None = None) -> bool:
    """Whether the host (its port included, if any), a domain above it, or the actor is blocked."""
    subjects = [*domains_of(host), *([actor_uri] if actor_uri else [])]
    return bool(blocked_among(connection, subjects))


def blocked_among(connection: Connection, subjects: Collection[str]) -> frozenset[str]:
    """Answer those of these domains and actors that are blocked by name."""
    return frozenset(connection.execute(_BLOCKED, {"subjects": list(subjects)}).scalars())


_BLOCKED = select(_BLOCKS.c.subject).where(
    _BLOCKS.c.subject.in_(bindparam("subjects", expanding=True))
)


def blocked_subjects(connection: Connection) -> BlockedSubjects:
    """Answer every block, to be kept in memory."""
    rows = connection.execute(select(_BLOCKS.c.kind, _BLOCKS.c.subject)).all()
    return BlockedSubjects(
        domains=frozenset(subject for kind, subject in rows if kind == BlockKind.DOMAIN),
        actors=frozenset(subject for kind, subject in rows if kind == BlockKind.ACTOR),
    )


def _subject(kind: BlockKind, subject: str) -> str:
    return subject.strip().lower().strip(".") if kind is BlockKind.DOMAIN else subject.strip()


def _block(*, kind: str, **columns: Any) -> Block:
    return Block(kind=BlockKind(kind), **columns)
