"""The public roll: paged, searched, and nothing on it that was not public."""

import pytest
from sqlalchemy import Connection

from fedi_letter.letter.model import (
    EndorsementState,
    SignatoryState,
    Visibility,
    Way,
)
from fedi_letter.store import (
    endorsements,
    roll,
    signatories,
)
from fedi_letter.store.database import Database
from tests.store import given
from tests.store.given import ADA, BOB, DAY, NOW

LISTED, WITHDRAWN, REMOVED = SignatoryState


def _people(count: int) -> list[str]:
    return [f"https://server-{number % 3}.example/users/p{number:03}" for number in range(count)]


def _enrol(database: Database, letter_id: int, uri: str, *, restored: bool = False) -> int:
    fresh = given.enrolment(uri, salt=b"fresh salt", signed_at=NOW + DAY, restored=restored)
    [place] = database.write_now(signatories.enrol, letter_id, [fresh], NOW + DAY)
    return place.number


def _strike(
    database: Database,
    letter_id: int,
    uri: str = ADA,
    *,
    before: SignatoryState = LISTED,
    after: SignatoryState = WITHDRAWN,
) -> int:
    return database.write_now(
        signatories.strike, letter_id, uri, before=before, after=after, now=NOW + DAY
    )


def test_the_roll_is_paged_by_number_without_gap_or_repetition(
    database: Database, letter_id: int
) -> None:
    people = _people(7)
    for uri in people:
        database.write_now(given.a_signatory, letter_id, uri)
    _strike(database, letter_id, people[2])
    first = database.read_now(roll.roll_page, letter_id, 0, 3)
    second = database.read_now(roll.roll_page, letter_id, first[-1].number, 3)
    assert [entry.number for entry in first + second] == [1, 2, 4, 5, 6, 7]
    assert database.read_now(roll.roll_page, letter_id, 7, 3) == []
    assert database.read_now(roll.roll_total, letter_id) == 6

    def stream(connection: Connection) -> list[int]:
        return [entry.number for entry in roll.roll_stream(connection, letter_id, 2)]

    assert database.read_now(stream) == [1, 2, 4, 5, 6, 7]
    assert database.read_now(roll.roll_entry, letter_id, 3) is None
    fourth = database.read_now(roll.roll_entry, letter_id, 4)
    assert fourth is not None
    assert fourth.actor == people[3]


def test_an_entry_says_how_and_what_someone_signed(database: Database, letter_id: int) -> None:
    database.write_now(given.a_revision, letter_id)
    database.write_now(given.a_signatory, letter_id)
    boost = given.act(letter_id, number=2, way=Way.BOOST, post_uri=None)
    newer = given.act(letter_id, number=3, post=given.words("Again!", url="https://far.example/3"))
    database.write_now(endorsements.record, [boost, newer])
    [entry] = database.read_now(roll.roll_page, letter_id, 0, 9)
    assert entry.handle == "@ada@far.example"
    assert entry.via == (Way.REPLY, Way.BOOST)
    assert (entry.statement, entry.language) == ("Again!", "en")
    assert (entry.url, entry.revision) == ("https://far.example/3", 1)
    assert entry.signed_at == NOW


@pytest.mark.parametrize(
    ("visibility", "hides_public", "shown"),
    [
        (Visibility.PUBLIC, False, True),
        (Visibility.PUBLIC, True, False),
        (Visibility.UNLISTED, False, False),
    ],
)
def test_a_name_may_be_shown_where_the_words_may_not(
    database: Database, letter_id: int, visibility: Visibility, hides_public: bool, shown: bool
) -> None:
    database.write_now(given.a_signatory, letter_id, ADA, endorsed=False, hides_public=hides_public)
    act = given.act(letter_id, post=given.words("secret words", visibility))
    database.write_now(endorsements.record, [act])
    [entry] = database.read_now(roll.roll_page, letter_id, 0, 9)
    assert entry.name == "Ada"
    assert entry.via == (Way.REPLY,)
    assert (entry.statement == "secret words") is shown
    assert ("secret" in entry.html) is shown
    assert (entry.url == act.post_uri) is shown
    assert shown or entry.url == "https://far.example/@ada"


@pytest.mark.parametrize("visibility", [Visibility.FOLLOWERS, Visibility.DIRECT])
@pytest.mark.parametrize("state", list(EndorsementState))
def test_what_is_not_public_never_shows(
    database: Database, letter_id: int, visibility: Visibility, state: EndorsementState
) -> None:
    database.write_now(given.a_signatory, letter_id, ADA, endorsed=False)
    act = given.act(letter_id, state=state, post=given.words("secret words", visibility))
    database.write_now(endorsements.record, [act])
    [entry] = database.read_now(roll.roll_page, letter_id, 0, 9)
    assert entry.via == ()
    assert "secret" not in repr(entry)
    assert act.post_uri not in (entry.url, *entry.via)
    assert database.read_now(endorsements.approved_replies, letter_id, 9) == []
    assert database.read_now(endorsements.approved_total, letter_id) == 0


@pytest.mark.parametrize(
    "state", [each for each in EndorsementState if each is not EndorsementState.STANDING]
)
def test_what_does_not_stand_is_not_on_the_roll(
    database: Database, letter_id: int, state: EndorsementState
) -> None:
    database.write_now(given.a_signatory, letter_id, ADA, endorsed=False)
    database.write_now(endorsements.record, [given.act(letter_id, state=state)])
    [entry] = database.read_now(roll.roll_page, letter_id, 0, 9)
    assert (entry.via, entry.statement) == ((), "")


def test_a_suspended_account_is_hidden_while_it_is(database: Database, letter_id: int) -> None:
    database.write_now(given.a_signatory, letter_id, ADA, suspended=True)
    assert database.read_now(roll.roll_page, letter_id, 0, 9) == []
    assert database.read_now(roll.roll_total, letter_id) == 0
    database.write_now(given.a_person)
    assert database.read_now(roll.roll_total, letter_id) == 1


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ZOË", ["Zoë"]),
        ("near.EXAMPLE", ["Bob 100%"]),
        ("100%", ["Bob 100%"]),
        ("1%0", []),
        ("_", []),
        ("a", ["Zoë", "Bob 100%"]),
        ("", ["Zoë", "Bob 100%"]),
    ],
)
def test_the_roll_is_searched_by_name_and_handle(
    database: Database, letter_id: int, search: str, found: list[str]
) -> None:
    database.write_now(given.a_signatory, letter_id, ADA, name="Zoë")
    database.write_now(given.a_signatory, letter_id, BOB, name="Bob 100%")
    page = database.read_now(roll.roll_page, letter_id, 0, 9, search)
    assert [entry.name for entry in page] == found
    assert database.read_now(roll.roll_total, letter_id, search) == len(found)


def test_the_listed_of_a_domain_are_found_below_it_too(database: Database, letter_id: int) -> None:
    hosts = ["a.example", "x.a.example", "x.a.example:80", "a.example:81", "ba.example", "a.ex"]
    people = [f"https://{host}/users/ada" for host in hosts]
    for uri in people:
        database.write_now(given.a_signatory, letter_id, uri)
    assert database.read_now(roll.listed_on, letter_id, "A.example") == people[:4]
    _strike(database, letter_id, people[0])
    assert database.read_now(roll.listed_on, letter_id, "a.example") == people[1:4]


def test_the_listed_are_reached_at_each_inbox_once(database: Database, letter_id: int) -> None:
    for uri in (ADA, "https://far.example/users/eve"):
        database.write_now(given.a_signatory, letter_id, uri)
    database.write_now(given.a_signatory, letter_id, BOB, shared_inbox=None)
    struck = "https://gone.example/users/x"
    database.write_now(given.a_signatory, letter_id, struck)
    _strike(database, letter_id, struck)
    inboxes = database.read_now(signatories.signatory_inboxes, letter_id)
    assert sorted(inboxes) == [
        ("https://far.example/inbox", "far.example"),
        (f"{BOB}/inbox", "near.example:8443"),
    ]
