"""What the stories about the store begin with: a letter, people, acts of support, receipts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from fedi_letter.letter.model import EndorsementState, Nature, Reason, Visibility, Way
from fedi_letter.store import actors, endorsements, letters, signatories
from fedi_letter.store.actors import ActorRecord
from fedi_letter.store.endorsements import NewEndorsement, PostText
from fedi_letter.store.letters import Revision, RevisionKind, Translation
from fedi_letter.store.receipts import NewReceipt
from fedi_letter.store.signatories import Enrolment

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
ADA = "https://far.example/users/ada"
BOB = "https://near.example:8443/users/bob"
LETTER = "https://letter.example/letters/letter"


def the_letter(connection: Connection, /, **changes: Any) -> letters.Letter:
    """The letter as its first start remembers it."""
    known = {
        "slug": "letter",
        "origin": "https://letter.example",
        "username": "letter",
        "actor_uri": "https://letter.example/actors/letter",
        "object_uri": LETTER,
        "page_url": "https://letter.example/",
        "now": NOW,
    }
    return letters.remember_letter(connection, **{**known, **changes})


def translation(language: str = "en", position: int = 0) -> Translation:
    """One language of a revision."""
    source = f"# Title in {language}".encode()
    return Translation(language, position, f"Title in {language}", source, "0" * 64, "<p>x</p>")


def a_revision(
    connection: Connection, letter_id: int, kind: RevisionKind = RevisionKind.REVISION
) -> Revision:
    """One more revision, in two languages."""
    both = [translation("de", 1), translation("en", 0)]
    return letters.add_revision(connection, letter_id, kind, "why", "1" * 64, both, NOW)


def record(uri: str = ADA, **changes: Any) -> ActorRecord:
    """A person as their server describes them."""
    host = uri.split("/")[2]
    name = uri.rsplit("/", 1)[1]
    plain = ActorRecord(
        uri=uri,
        host=host,
        handle=f"@{name}@{host}",
        nature=Nature.PERSON,
        name=name.title(),
        url=f"https://{host}/@{name}",
        inbox=f"{uri}/inbox",
        shared_inbox=f"https://{host}/inbox",
        followers_uri=f"{uri}/followers",
        suspended=False,
        indexable=True,
        hides_public=False,
        hides_unlisted=True,
        published_at=None,
        document=b"{}",
    )
    return replace(plain, **changes)


def a_person(connection: Connection, uri: str = ADA, /, **changes: Any) -> None:
    """Somebody we met."""
    meet(connection, record(uri, **changes), NOW)


def meet(connection: Connection, fetched: ActorRecord, now: datetime) -> None:
    """Somebody as their server now describes them."""
    actors.roll_shows(connection, actors.put_actors(connection, [fetched], now))


def act(letter_id: int, person: str = ADA, number: int = 1, **changes: Any) -> NewEndorsement:
    """A public reply that signs; `post` replaces what it says."""
    plain = NewEndorsement(
        letter_id=letter_id,
        actor_uri=person,
        person_uri=person,
        way=Way.REPLY,
        state=EndorsementState.STANDING,
        reasons=(Reason.CLEAR_PHRASE,),
        activity_uri=f"{person}/posts/{number}/activity",
        post_uri=f"{person}/posts/{number}",
        target_uri=LETTER,
        post=words("I sign. For the painters."),
        received_at=NOW,
        revision_id=1,
        receipt_id=1,
    )
    return replace(plain, **changes)


def words(text: str, visibility: Visibility = Visibility.PUBLIC, **changes: Any) -> PostText:
    """What a post says, to whom."""
    plain = PostText(
        visibility=visibility,
        phrase="I sign",
        language="en",
        statement=text,
        text=text,
        html=f"<p>{text}</p>",
        text_sha256="2" * 64,
    )
    return replace(plain, **changes)


def a_signatory(
    connection: Connection,
    letter_id: int,
    uri: str = ADA,
    /,
    *,
    endorsed: bool = True,
    **changes: Any,
) -> int:
    """Somebody on the roll by a public reply; answers their number."""
    a_person(connection, uri, **changes)
    if endorsed:
        endorsements.record(connection, [act(letter_id, uri)])
    [place] = signatories.enrol(connection, letter_id, [enrolment(uri)], NOW)
    return place.number


def enrolment(uri: str = ADA, **changes: Any) -> Enrolment:
    """Somebody to be put on the roll."""
    plain = Enrolment(person_uri=uri, revision_id=1, salt=b"salt", signed_at=NOW)
    return replace(plain, **changes)


def receipt(number: int = 1, **changes: Any) -> NewReceipt:
    """A delivery as it came."""
    plain = NewReceipt(
        received_at=NOW + number * timedelta(seconds=1),
        target="/inbox",
        headers="[]",
        body=f"body {number}".encode(),
        activity_uri=f"{ADA}/activities/{number}",
        actor_uri=ADA,
        object_uri=LETTER,
    )
    return plain._replace(**changes)
