"""The public roll, as pages and exports show it (law 5: nothing that was not public is in it)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Integer, Row, Select, bindparam, func, select

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
_OF_LETTER: BindParameter[int] = bindparam("letter_id")


def roll_page(
    connection: Connection,
    letter_id: int,
    after: int,
    limit: int,
    search: str | None = None,
) -> list[RollEntry]:
    """Answer the listed with a number above `after`, lowest first, found by name or handle."""
    query = _found(_ROLL_PAGE, search)
    rows = connection.execute(query, {"letter_id": letter_id, "after": after, "most": limit}).all()
    acts = _public_acts(connection, letter_id, [row.person_uri for row in rows])
    return [_entry(row, acts.get(row.person_uri, [])) for row in rows]


def roll_entry(connection: Connection, letter_id: int, number: int) -> RollEntry | None:
    """Answer whoever is listed under this number."""
    page = roll_page(connection, letter_id, number - 1, 1)
    return page[0] if page and page[0].number == number else None


def roll_total(connection: Connection, letter_id: int, search: str | None = None) -> int:
    """Answer how many are listed, or how many of them the search finds."""
    of_letter = {"letter_id": letter_id}
    if search:
        return _count(connection, _found(_ALL, search), of_letter)
    return _count(connection, _TOTAL, of_letter) - _count(connection, _HIDDEN, of_letter)


def _count(connection: Connection, query: Select[Any], values: dict[str, Any]) -> int:
    total: int = connection.execute(query, values).scalar_one()
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
    query = _listed(_PLACES.c.person_uri).where(within(_ACTORS.c.host, domain))
    found = connection.execute(query.order_by(_PLACES.c.number), {"letter_id": letter_id})
    return list(found.scalars())


def _listed(*columns: Any) -> Select[Any]:
    """Those whose names may be shown; suspended accounts are hidden until their server relents."""
    return (
        select(*columns)
        .select_from(_PLACES)
        .join(_ACTORS, _ACTORS.c.uri == _PLACES.c.person_uri)
        .join(_REVISIONS, _REVISIONS.c.id == _PLACES.c.revision_id)
        .where(
            _PLACES.c.letter_id == _OF_LETTER,
            _PLACES.c.state == SignatoryState.LISTED,
            _ACTORS.c.suspended.is_(False),
        )
    )


def _found(listed: Select[Any], search: str | None) -> Select[Any]:
    """Those of them that a search by name or handle finds; all, where nothing is sought."""
    if not search:
        return listed
    return listed.where(_ACTORS.c.search.contains(searchable(search), autoescape=True))


_ROLL_PAGE = (
    _listed(
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
    .where(_PLACES.c.number > bindparam("after"))
    .order_by(_PLACES.c.number)
    .limit(bindparam("most", type_=Integer))
)
_ALL = _listed(func.count())
# A large roll is counted from an index alone; the few suspended are found from theirs, each looked
# up on the roll, since the other way round the whole roll would be walked.
_HERE = (_PLACES.c.letter_id == _OF_LETTER) & (_PLACES.c.state == SignatoryState.LISTED)
_TOTAL = select(func.count()).select_from(_PLACES).where(_HERE)
_ON_IT = select(_PLACES.c.id).where(_HERE, _PLACES.c.person_uri == _ACTORS.c.uri)
_HIDDEN = select(func.count()).select_from(_ACTORS).where(_ACTORS.c.suspended, _ON_IT.exists())


def _public_acts(
    connection: Connection, letter_id: int, persons: Sequence[str]
) -> dict[str, list[AnyRow]]:
    """Answer the standing public acts of these people, newest first.

    Sorted here: asked to sort, SQLite would rather walk every standing act in order.
    """
    acts: dict[str, list[AnyRow]] = defaultdict(list)
    found = connection.execute(_PUBLIC_ACTS, {"letter_id": letter_id, "persons": list(persons)})
    for row in sorted(found, key=lambda row: -int(row.id)):
        acts[row.person_uri].append(row)
    return acts


_PUBLIC_ACTS = select(
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
    _ACTS.c.letter_id == _OF_LETTER,
    _ACTS.c.person_uri.in_(bindparam("persons", expanding=True)),
    _ACTS.c.state == EndorsementState.STANDING,
    _ACTS.c.visibility.in_(PUBLIC),
)


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
