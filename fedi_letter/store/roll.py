"""The public roll, as pages and exports show it (law 5: nothing that was not public is in it)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from fedi_letter.letter.model import EndorsementState, SignatoryState, Visibility, Way
from fedi_letter.store import tables
from fedi_letter.store.actors import searchable
from fedi_letter.store.endorsements import PUBLIC
from fedi_letter.store.statements import within

AnyRow = Row[*tuple[Any, ...]]

PAGE = 500


@dataclass(frozen=True)
class RollEntry:
    """One signatory as anyone may see them.

    `statement`, `html` and the post's own `url` are there only when the newest standing post was
    addressed to everybody openly and its author's server does not hide it from visitors; otherwise
    they are empty and `url` is the person's profile.
    """

    number: int
    handle: str
    actor: str
    name: str
    via: tuple[Way, ...]
    statement: str
    html: str
    language: str | None
    signed_at: datetime
    revision: int
    url: str
    indexable: bool
    hides_public: bool
    hides_unlisted: bool


_PLACES, _ACTORS = tables.signatories, tables.actors
_ACTS, _REVISIONS = tables.endorsements, tables.revisions


def roll_page(
    connection: Connection,
    letter_id: int,
    after: int,
    limit: int,
    search: str | None = None,
) -> list[RollEntry]:
    """Answer the listed with a number above `after`, lowest first, found by name or handle."""
    query = (
        _listed(
            letter_id,
            search,
            _PLACES.c.number,
            _PLACES.c.person_uri,
            _PLACES.c.signed_at,
            _REVISIONS.c.number.label("revision"),
            _ACTORS.c.handle,
            _ACTORS.c.name,
            _ACTORS.c.url,
            _ACTORS.c.indexable,
            _ACTORS.c.hides_public,
            _ACTORS.c.hides_unlisted,
        )
        .where(_PLACES.c.number > after)
        .order_by(_PLACES.c.number)
        .limit(limit)
    )
    rows = connection.execute(query).all()
    acts = _public_acts(connection, letter_id, [row.person_uri for row in rows])
    return [_entry(row, acts.get(row.person_uri, [])) for row in rows]


def roll_entry(connection: Connection, letter_id: int, number: int) -> RollEntry | None:
    """Answer whoever is listed under this number."""
    page = roll_page(connection, letter_id, number - 1, 1)
    return page[0] if page and page[0].number == number else None


def roll_total(connection: Connection, letter_id: int, search: str | None = None) -> int:
    """Answer how many are listed, or how many of them the search finds."""
    if search:
        return _count(connection, _listed(letter_id, search, func.count()))
    # A large roll is counted from an index alone; the few suspended are found from theirs, each
    # looked up on the roll, since the other way round the whole roll would be walked.
    here = (_PLACES.c.letter_id == letter_id) & (_PLACES.c.state == SignatoryState.LISTED)
    listed = select(func.count()).select_from(_PLACES).where(here)
    on_it = select(_PLACES.c.id).where(here, _PLACES.c.person_uri == _ACTORS.c.uri)
    hidden = select(func.count()).select_from(_ACTORS).where(_ACTORS.c.suspended, on_it.exists())
    return _count(connection, listed) - _count(connection, hidden)


def _count(connection: Connection, query: Select[Any]) -> int:
    total: int = connection.execute(query).scalar_one()
    return total


def roll_stream(
    connection: Connection, letter_id: int, page_size: int = PAGE
) -> Iterator[RollEntry]:
    """Answer the whole roll, lowest number first, never more than a page of it in memory."""
    after = 0
    while page := roll_page(connection, letter_id, after, page_size):
        yield from page
        after = page[-1].number


def listed_on(connection: Connection, letter_id: int, domain: str) -> list[str]:
    """Answer the ids of the listed whose account lives on this domain or below it."""
    query = _listed(letter_id, None, _PLACES.c.person_uri).where(within(_ACTORS.c.host, domain))
    return list(connection.execute(query.order_by(_PLACES.c.number)).scalars())


def _listed(letter_id: int, search: str | None, *columns: Any) -> Select[Any]:
    """Those whose names may be shown; suspended accounts are hidden until their server relents."""
    query = (
        select(*columns)
        .select_from(_PLACES)
        .join(_ACTORS, _ACTORS.c.uri == _PLACES.c.person_uri)
        .join(_REVISIONS, _REVISIONS.c.id == _PLACES.c.revision_id)
        .where(
            _PLACES.c.letter_id == letter_id,
            _PLACES.c.state == SignatoryState.LISTED,
            _ACTORS.c.suspended.is_(False),
        )
    )
    if search:
        query = query.where(_ACTORS.c.search.contains(searchable(search), autoescape=True))
    return query


def _public_acts(
    connection: Connection, letter_id: int, persons: Sequence[str]
) -> dict[str, list[AnyRow]]:
    """Answer the standing public acts of these people, newest first.

    Sorted here: asked to sort, SQLite would rather walk every standing act in order.
    """
    query = select(
        _ACTS.c.id,
        _ACTS.c.person_uri,
        _ACTS.c.way,
        _ACTS.c.visibility,
        _ACTS.c.statement,
        _ACTS.c.html,
        _ACTS.c.language,
        _ACTS.c.url,
        _ACTS.c.post_uri,
        _ACTS.c.post_gone,
    ).where(
        _ACTS.c.letter_id == letter_id,
        _ACTS.c.person_uri.in_(persons),
        _ACTS.c.state == EndorsementState.STANDING,
        _ACTS.c.visibility.in_(PUBLIC),
    )
    acts: dict[str, list[AnyRow]] = defaultdict(list)
    for row in sorted(connection.execute(query), key=lambda row: -int(row.id)):
        acts[row.person_uri].append(row)
    return acts


def _entry(row: AnyRow, acts: Sequence[AnyRow]) -> RollEntry:
    ways = {Way(act.way) for act in acts}
    post = next((act for act in acts if act.way != Way.BOOST and not act.post_gone), None)
    shown = post is not None and post.visibility == Visibility.PUBLIC and not row.hides_public
    profile = row.url or row.person_uri
    return RollEntry(
        number=row.number,
        handle=row.handle,
        actor=row.person_uri,
        name=row.name,
        via=tuple(way for way in Way if way in ways),
        statement=post.statement if post is not None and shown else "",
        html=post.html if post is not None and shown else "",
        language=post.language if post is not None and shown else None,
        signed_at=row.signed_at,
        revision=row.revision,
        url=(post.url or post.post_uri or profile) if post is not None and shown else profile,
        indexable=row.indexable,
        hides_public=row.hides_public,
        hides_unlisted=row.hides_unlisted,
    )
