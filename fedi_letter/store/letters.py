"""The letter itself: what must never change about it, the ids it answers to, its revisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, func, insert, select, update

from fedi_letter.store import tables
from fedi_letter.store.errors import Conflict, OriginChanged, UsernameChanged
from fedi_letter.store.statements import changed, columns_of, insert_into, many, one


@dataclass(frozen=True)
class Letter:
    """A letter as remembered; its ids are for ever."""

    id: int
    slug: str
    origin: str
    username: str
    actor_uri: str
    object_uri: str
    page_url: str
    created_at: datetime
    published_at: datetime | None
    retracted_at: datetime | None
    roll_version: int


@dataclass(frozen=True)
class Stamp:
    """Is another one whenever anything the public may read of a letter changed, but for tallies."""

    created_at: datetime
    retracted_at: datetime | None
    roll_version: int
    revision: int | None
    """The number of the newest revision."""
    change: int | None
    """The number of the last change on the ledger: what is approved or held moves it too."""
    sent: int | None
    """The number of the last public activity: what is published, changed or deleted moves it."""


class RevisionKind(StrEnum):
    """Whether readers are told."""

    REVISION = "revision"
    TYPO = "typo"


@dataclass(frozen=True)
class Translation:
    """One language of a revision: the exact source, its hash, and what it renders to."""

    language: str
    position: int
    title: str
    source: bytes
    sha256: str
    html: str


@dataclass(frozen=True)
class Revision:
    """The n-th publication of the letter; `version` is the count readers know."""

    id: int
    letter_id: int
    number: int
    version: int
    kind: RevisionKind
    note: str | None
    sha256: str
    published_at: datetime
    translations: tuple[Translation, ...] = ()


_LETTER = columns_of(tables.letters, Letter)
_TRANSLATION = columns_of(tables.translations, Translation)
_REVISION = [column for column in tables.revisions.c]


def remember_letter(
    connection: Connection,
    *,
    slug: str,
    origin: str,
    username: str,
    actor_uri: str,
    object_uri: str,
    page_url: str,
    now: datetime,
) -> Letter:
    """Answer the letter called `slug`, put on record at its first start.

    Raises OriginChanged or UsernameChanged when the settings disagree with what was published.
    """
    connection.execute(
        insert_into(connection, tables.letters)
        .values(
            slug=slug,
            origin=origin,
            username=username,
            actor_uri=actor_uri,
            object_uri=object_uri,
            page_url=page_url,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["slug"])
    )
    known = one(connection, select(*_LETTER).where(tables.letters.c.slug == slug), Letter)
    if known is None:
        raise Conflict(f"the letter {slug!r} was deleted while it was being remembered")
    if known.origin != origin:
        raise OriginChanged("ORIGIN", known.origin, origin)
    if known.username != username:
        raise UsernameChanged("USERNAME", known.username, username)
    return known


def the_letter(connection: Connection) -> Letter | None:
    """Answer the letter of this server (the oldest, should there be several)."""
    return one(connection, select(*_LETTER).order_by(tables.letters.c.id).limit(1), Letter)


def letter(connection: Connection, letter_id: int) -> Letter | None:
    """Answer a letter by its number in this database."""
    return one(connection, _BY_ID, Letter, {"letter_id": letter_id})


def stamp(connection: Connection, letter_id: int) -> Stamp | None:
    """Answer where the letter stands, in one statement: this is asked all the time."""
    return one(connection, _STAMP, Stamp, {"letter_id": letter_id})


_OF_LETTER: BindParameter[int] = bindparam("letter_id")
_BY_ID = select(*_LETTER).where(tables.letters.c.id == _OF_LETTER)
_STAMP = select(
    tables.letters.c.created_at,
    tables.letters.c.retracted_at,
    tables.letters.c.roll_version,
    select(func.max(tables.revisions.c.number))
    .where(tables.revisions.c.letter_id == _OF_LETTER)
    .scalar_subquery()
    .label("revision"),
    select(func.max(tables.ledger.c.id))
    .where(tables.ledger.c.letter_id == _OF_LETTER)
    .scalar_subquery()
    .label("change"),
    select(func.max(tables.outbox.c.id))
    .where(tables.outbox.c.letter_id == _OF_LETTER, tables.outbox.c.public.is_(True))
    .scalar_subquery()
    .label("sent"),
).where(tables.letters.c.id == _OF_LETTER)


def retract(connection: Connection, letter_id: int, now: datetime) -> bool:
    """Mark the letter deleted by its authors; False when it was already, or never published."""
    table = tables.letters
    return changed(
        connection,
        update(table)
        .where(table.c.id == letter_id, table.c.retracted_at.is_(None))
        .where(table.c.published_at.is_not(None))
        .values(retracted_at=now),
    )


def add_targets(connection: Connection, letter_id: int, kinds: Mapping[str, str]) -> None:
    """Add ids under which servers name the letter: uri -> object, page, create or companion."""
    if not kinds:
        return
    connection.execute(
        insert_into(connection, tables.letter_targets).on_conflict_do_nothing(),
        [{"uri": uri, "letter_id": letter_id, "kind": kind} for uri, kind in kinds.items()],
    )


def targets(connection: Connection, letter_id: int) -> frozenset[str]:
    """Answer every id under which a server may name the letter (law 2)."""
    table = tables.letter_targets
    query = select(table.c.uri).where(table.c.letter_id == letter_id)
    return frozenset(connection.execute(query).scalars())


def add_revision(
    connection: Connection,
    letter_id: int,
    kind: RevisionKind,
    note: str | None,
    sha256: str,
    translations: Sequence[Translation],
    now: datetime,
) -> Revision:
    """Put the next revision on record; its number follows the last, its version if it is no typo.

    Raises Conflict when there is no such letter.
    """
    _lock(connection, letter_id, now)
    last = current_revision(connection, letter_id)
    version = 1 if last is None else last.version + (kind is RevisionKind.REVISION)
    values: dict[str, Any] = {
        "letter_id": letter_id,
        "number": 1 if last is None else last.number + 1,
        "version": version,
        "kind": kind,
        "note": note,
        "sha256": sha256,
        "published_at": now,
    }
    revision_id = connection.execute(
        insert(tables.revisions).values(values).returning(tables.revisions.c.id)
    ).scalar_one()
    ordered = tuple(sorted(translations, key=lambda translation: translation.position))
    if ordered:
        connection.execute(
            insert(tables.translations),
            [{"revision_id": revision_id, **vars(translation)} for translation in ordered],
        )
    return Revision(id=revision_id, translations=ordered, **values)


def _lock(connection: Connection, letter_id: int, now: datetime) -> None:
    """Make other writers of this letter wait for us, and note its first publication."""
    table = tables.letters
    first = func.coalesce(table.c.published_at, now)
    statement = update(table).where(table.c.id == letter_id).values(published_at=first)
    if not changed(connection, statement):
        raise Conflict(f"there is no letter {letter_id}")


def current_revision(connection: Connection, letter_id: int) -> Revision | None:
    """Answer the newest revision with its translations, first language first."""
    table = tables.revisions
    query = select(*_REVISION).where(table.c.letter_id == letter_id)
    return _whole(connection, one(connection, query.order_by(table.c.number.desc()), _revision))


def revision(connection: Connection, letter_id: int, number: int) -> Revision | None:
    """Answer the revision with this number, with its translations."""
    table = tables.revisions
    query = select(*_REVISION).where(table.c.letter_id == letter_id, table.c.number == number)
    return _whole(connection, one(connection, query, _revision))


def revisions(connection: Connection, letter_id: int) -> list[Revision]:
    """Answer every revision, newest first, without the translations."""
    return many(connection, _REVISIONS, _revision, {"letter_id": letter_id})


_REVISIONS = (
    select(*_REVISION)
    .where(tables.revisions.c.letter_id == _OF_LETTER)
    .order_by(tables.revisions.c.number.desc())
)


def revision_at(connection: Connection, letter_id: int, instant: datetime) -> int | None:
    """Answer the id of the revision that stood at that instant; the first one before there was any.

    None only while the letter is not published.
    """
    table = tables.revisions
    query = select(table.c.id).where(table.c.letter_id == letter_id)
    then = query.where(table.c.published_at <= instant).order_by(table.c.number.desc()).limit(1)
    found: int | None = connection.execute(then).scalar_one_or_none()
    if found is not None:
        return found
    return connection.execute(query.order_by(table.c.number).limit(1)).scalar_one_or_none()


def roll_changed(connection: Connection, letter_id: int) -> None:
    """Let the roll's version grow; other writers of this letter wait from here until we commit."""
    connection.execute(_ROLL_CHANGED, {"letter_id": letter_id})


_ROLL_CHANGED = (
    update(tables.letters)
    .where(tables.letters.c.id == _OF_LETTER)
    .values(roll_version=tables.letters.c.roll_version + 1)
)


def roll_version(connection: Connection, letter_id: int) -> int:
    """Answer the number that grows whenever the public roll would look different; 0 if unknown."""
    query = select(tables.letters.c.roll_version).where(tables.letters.c.id == letter_id)
    return connection.execute(query).scalar_one_or_none() or 0


def _revision(*, kind: str, **columns: Any) -> Revision:
    return Revision(kind=RevisionKind(kind), **columns)


def _whole(connection: Connection, bare: Revision | None) -> Revision | None:
    if bare is None:
        return None
    table = tables.translations
    query = select(*_TRANSLATION).where(table.c.revision_id == bare.id).order_by(table.c.position)
    found = tuple(many(connection, query, Translation))
    return Revision(**{**vars(bare), "translations": found})
