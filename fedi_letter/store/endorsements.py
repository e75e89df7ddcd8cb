"""Acts of support, one row each: put on record, edited, turned from state to state, looked after.

Who changes one has `actors.roll_shows` told of the person; the `journal` does so at its end.
What is not public is on record too, for admins; nothing here decides what may be shown except
`approved_replies`, which answers public posts alone (law 5).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Update, bindparam, func, insert, select, update

from fedi_letter.letter.model import EndorsementState, Reason, Visibility, Way
from fedi_letter.store import tables
from fedi_letter.store.actors import ActorState
from fedi_letter.store.statements import (
    changed,
    columns_of,
    many,
    one,
    packed,
    touched,
    unpacked,
)

PUBLIC = tuple(visibility for visibility in Visibility if visibility.is_public)
OVER = (EndorsementState.WITHDRAWN, EndorsementState.REJECTED)
APPROVED = (EndorsementState.STANDING, EndorsementState.COMMENT)


@dataclass(frozen=True)
class PostText:
    """What a post says and to whom; all of it is replaced when the post is edited."""

    visibility: Visibility
    phrase: str | None = None
    language: str | None = None
    statement: str = ""
    text: str = ""
    html: str = ""
    text_sha256: str = ""
    url: str | None = None
    published_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class NewEndorsement:
    """An act of support to put on record, with the evidence it came by."""

    letter_id: int
    actor_uri: str
    person_uri: str
    way: Way
    state: EndorsementState
    reasons: tuple[Reason, ...]
    activity_uri: str | None
    post_uri: str | None
    target_uri: str
    post: PostText
    received_at: datetime
    revision_id: int
    receipt_id: int
    key_sha256: str | None = None
    actor_document_id: int | None = None
    next_check_at: datetime | None = None


@dataclass(frozen=True)
class StoredEndorsement:
    """An act of support on record, whole; for admins, `trace` and the sweep."""

    id: int
    letter_id: int
    actor_uri: str
    person_uri: str
    way: Way
    state: EndorsementState
    reasons: tuple[Reason, ...]
    activity_uri: str | None
    post_uri: str | None
    url: str | None
    target_uri: str
    visibility: Visibility
    phrase: str | None
    language: str | None
    statement: str
    text: str
    html: str
    text_sha256: str
    published_at: datetime | None
    updated_at: datetime | None
    received_at: datetime
    revision_id: int
    receipt_id: int
    key_sha256: str | None
    actor_document_id: int | None
    keep: bool
    reviewed_by: str | None
    reviewed_at: datetime | None
    next_check_at: datetime | None
    missing_since: datetime | None
    checks: int


@dataclass(frozen=True)
class ApprovedReply:
    """A reply that may be named to anyone; `id` is the cursor of the next page."""

    id: int
    post_uri: str


_TABLE = tables.endorsements
_COLUMNS = columns_of(_TABLE, StoredEndorsement)
_INSERT = insert(_TABLE).returning(_TABLE.c.id, sort_by_parameter_order=True)
_BY_ID = select(*_COLUMNS).where(_TABLE.c.id == bindparam("endorsement_id"))


def record(connection: Connection, acts: Sequence[NewEndorsement]) -> list[int]:
    """Put acts of support on record and answer their ids, in the order given."""
    if not acts:
        return []
    return list(connection.execute(_INSERT, [_values(act) for act in acts]).scalars())


def _values(act: NewEndorsement) -> dict[str, Any]:
    values = {**vars(act), **vars(act.post), "reasons": packed(act.reasons)}
    del values["post"]
    return {**values, "keep": False, "post_gone": False}


def revise(
    connection: Connection,
    endorsement_id: int,
    *,
    before: EndorsementState,
    after: EndorsementState,
    reasons: Sequence[Reason],
    post: PostText,
    receipt_id: int,
    key_sha256: str | None = None,
) -> bool:
    """Replace the text by its edited form and change the state.

    False when the state is no longer `before`. The receipt of the earlier form stays on record in
    the ledger; an edit also makes an earlier review void.
    """
    values = {**vars(post), "reasons": packed(reasons), "receipt_id": receipt_id}
    if key_sha256 is not None:
        values["key_sha256"] = key_sha256
    statement = _in_state(endorsement_id, before).values(
        **values, state=after, reviewed_by=None, reviewed_at=None, missing_since=None
    )
    return changed(connection, statement)


def turn(
    connection: Connection,
    endorsement_id: int,
    before: EndorsementState,
    after: EndorsementState,
    *,
    reasons: Sequence[Reason] | None = None,
    reviewed_by: str | None = None,
    now: datetime | None = None,
) -> bool:
    """Change the state from `before` to `after`; False when it is no longer `before`.

    `reviewed_by` and `now` say which admin decided. What is over is looked after no more.
    """
    values: dict[str, Any] = {"state": after}
    if reasons is not None:
        values["reasons"] = packed(reasons)
    if reviewed_by is not None:
        values |= {"reviewed_by": reviewed_by, "reviewed_at": now}
    if after in OVER:
        values |= {"next_check_at": None, "missing_since": None}
    return changed(connection, _in_state(endorsement_id, before).values(values))


def erase_text(connection: Connection, endorsement_ids: Collection[int]) -> int:
    """Purge what withdrawn or rejected posts said, keeping the row; answers how many."""
    return touched(
        connection,
        update(_TABLE)
        .where(_TABLE.c.id.in_(endorsement_ids), _TABLE.c.state.in_(OVER))
        .values(text="", html="", statement="", phrase=None),
    )


def unsay(connection: Connection, endorsement_ids: Collection[int]) -> int:
    """Purge what deleted posts said and where they were, leaving the state; answers how many."""
    gone = {"text": "", "html": "", "statement": "", "phrase": None, "text_sha256": "", "url": None}
    return touched(
        connection,
        update(_TABLE).where(_TABLE.c.id.in_(endorsement_ids)).values(**gone, post_gone=True),
    )


def keep(connection: Connection, endorsement_ids: Collection[int]) -> int:
    """Let deleting the post withdraw these no longer; answers how many are on record."""
    return touched(
        connection,
        update(_TABLE)
        .where(_TABLE.c.id.in_(endorsement_ids))
        .values(keep=True, next_check_at=None, missing_since=None),
    )


def endorsement(connection: Connection, endorsement_id: int) -> StoredEndorsement | None:
    """Answer one act of support."""
    return one(connection, _BY_ID, _endorsement, {"endorsement_id": endorsement_id})


def of_person(connection: Connection, letter_id: int, person_uri: str) -> list[StoredEndorsement]:
    """Answer everything this person ever did for the letter, oldest first."""
    query = select(*_COLUMNS).where(
        _TABLE.c.letter_id == letter_id, _TABLE.c.person_uri == person_uri
    )
    return many(connection, query.order_by(_TABLE.c.id), _endorsement)


def find_for_undo(
    connection: Connection, actor_uri: str, activity_uri: str
) -> StoredEndorsement | None:
    """Answer what this actor did by that activity: an Undo may name nothing but its id."""
    query = select(*_COLUMNS).where(
        _TABLE.c.activity_uri == activity_uri, _TABLE.c.actor_uri == actor_uri
    )
    return one(connection, query.order_by(_TABLE.c.id.desc()).limit(1), _endorsement)


def by_uri(connection: Connection, uri: str, limit: int = 50) -> list[StoredEndorsement]:
    """Answer the acts of support with this activity id, post id or page, newest first."""
    found = select(_TABLE.c.id).where(_TABLE.c.activity_uri == uri)
    found_post = select(_TABLE.c.id).where(_TABLE.c.post_uri == uri)
    found_page = select(_TABLE.c.id).where(_TABLE.c.url == uri)
    query = select(*_COLUMNS).where(_TABLE.c.id.in_(found.union(found_post, found_page)))
    return many(connection, query.order_by(_TABLE.c.id.desc()).limit(limit), _endorsement)


def due_for_check(connection: Connection, now: datetime, limit: int) -> list[StoredEndorsement]:
    """Answer acts whose post should be looked at again, longest overdue first (interop C8)."""
    query = select(*_COLUMNS).where(_TABLE.c.next_check_at <= now, _TABLE.c.keep.is_(False))
    return many(connection, query.order_by(_TABLE.c.next_check_at).limit(limit), _endorsement)


def checked(
    connection: Connection,
    endorsement_id: int,
    *,
    checks_before: int,
    missing_since: datetime | None,
    next_check_at: datetime | None,
) -> bool:
    """Note the result of a look at the post; False when somebody else looked meanwhile."""
    return changed(
        connection,
        update(_TABLE)
        .where(_TABLE.c.id == endorsement_id, _TABLE.c.checks == checks_before)
        .where(_TABLE.c.state.not_in(OVER))
        .values(checks=checks_before + 1, missing_since=missing_since, next_check_at=next_check_at),
    )


def approved_replies(
    connection: Connection, letter_id: int, limit: int, before: int | None = None
) -> list[ApprovedReply]:
    """Answer public replies that stand or were approved as comments, newest first.

    Never one that was addressed to fewer than everybody, nor one of an account that is suspended
    or gone.
    """
    found: list[ApprovedReply] = []
    for state in APPROVED:  # one at a time: each walks its index and stops at the limit
        query = _approved(letter_id).where(_TABLE.c.state == state)
        if before is not None:
            query = query.where(_TABLE.c.id < before)
        newest = query.order_by(_TABLE.c.id.desc()).limit(limit)
        found += many(connection, newest, ApprovedReply)
    return sorted(found, key=lambda reply: -reply.id)[:limit]


def approved_total(connection: Connection, letter_id: int) -> int:
    """Answer how many replies `approved_replies` would give in all."""
    found = _approved(letter_id).where(_TABLE.c.state.in_(APPROVED)).subquery()
    return connection.execute(select(func.count()).select_from(found)).scalar_one()


def _approved(letter_id: int) -> Select[Any]:
    actors = tables.actors
    return (
        select(_TABLE.c.id, _TABLE.c.post_uri)
        .join(actors, actors.c.uri == _TABLE.c.actor_uri)
        .where(
            _TABLE.c.letter_id == letter_id,
            _TABLE.c.way == Way.REPLY,
            _TABLE.c.visibility.in_(PUBLIC),
            _TABLE.c.post_uri.is_not(None),
            _TABLE.c.post_gone.is_(False),
            actors.c.suspended.is_(False),
            actors.c.state == ActorState.LIVE,
        )
    )


def counts(connection: Connection, letter_id: int) -> dict[tuple[Way, EndorsementState], int]:
    """Answer how many acts of each kind are in each state."""
    query = (
        select(_TABLE.c.way, _TABLE.c.state, func.count())
        .where(_TABLE.c.letter_id == letter_id)
        .group_by(_TABLE.c.way, _TABLE.c.state)
    )
    rows = connection.execute(query)
    return {(Way(way), EndorsementState(state)): count for way, state, count in rows}


def _in_state(endorsement_id: int, state: EndorsementState) -> Update:
    return update(_TABLE).where(_TABLE.c.id == endorsement_id, _TABLE.c.state == state)


def _endorsement(
    *, way: str, state: str, visibility: str, reasons: str, **columns: Any
) -> StoredEndorsement:
    return StoredEndorsement(
        way=Way(way),
        state=EndorsementState(state),
        visibility=Visibility(visibility),
        reasons=unpacked(reasons, Reason),
        **columns,
    )
