"""The letter's side and the peers' side, written apart, understand each other in every dialect."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fedi_letter.activitypub.documents import encode, update
from fedi_letter.demo.dialects import DIALECTS
from fedi_letter.demo.people import Person
from fedi_letter.demo.presence import Deed
from fedi_letter.demo.wire import PUBLIC
from fedi_letter.httpsig.verify import Scheme
from fedi_letter.letter.intents import (
    AccountDeleted,
    BlockedUs,
    Boosted,
    Followed,
    Moved,
    PostDeleted,
    Posted,
    ProfileChanged,
    Quoted,
    Reacted,
    Relation,
    Reported,
    Undid,
)
from fedi_letter.letter.model import Visibility
from tests.clock import Clock
from tests.demo.desk import URIS, Desk
from tests.fediverse import Fediverse
from tests.internet import Internet

Act = Callable[[Person], Awaitable[Deed | None]]


@pytest.fixture
def internet(clock: Clock) -> Internet:
    return Internet(clock)


@pytest.fixture
def peers(internet: Internet, clock: Clock) -> Fediverse:
    return Fediverse(internet, clock)


@pytest.fixture
def desk(internet: Internet, peers: Fediverse, clock: Clock) -> Desk:
    return Desk(internet, peers, clock)


async def edited(person: Person) -> Deed | None:
    deed = await person.reply(URIS.page, "I sign.")
    assert deed.note
    return await person.edit(deed.note, "I do not sign.")


async def deleted(person: Person) -> Deed | None:
    deed = await person.reply(URIS.page, "I sign.")
    assert deed.note
    return await person.delete(deed.note)


async def unfollowed(person: Person) -> Deed | None:
    await person.follow(URIS.actor)
    return await person.unfollow(URIS.actor)


async def unliked(person: Person) -> Deed | None:
    return await person.unlike(await person.like(URIS.letter))


async def renamed(person: Person) -> Deed | None:
    await person.follow(URIS.actor)
    return await person.rename("New name")


async def left(person: Person) -> Deed | None:
    await person.follow(URIS.actor)
    return await person.delete_account()


async def moved(person: Person) -> Deed | None:
    await person.follow(URIS.actor)
    return await person.move_to(Person(person.server, "other"))


ACTS: list[tuple[Act, type[Any]]] = [
    (lambda person: person.follow(URIS.actor), Followed),
    (unfollowed, Undid),
    (lambda person: person.reply(URIS.letter, "I sign."), Posted),
    (edited, Posted),
    (deleted, PostDeleted),
    (lambda person: person.mention(URIS.actor, "I sign."), Posted),
    (lambda person: person.like(URIS.letter), Reacted),
    (unliked, Undid),
    (lambda person: person.quote(URIS.letter, "Look"), Quoted),
    (lambda person: person.block(URIS.actor), BlockedUs),
    (renamed, ProfileChanged),
    (moved, Moved),
    (left, AccountDeleted),
]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_every_act_in_every_dialect_is_proven_and_understood(
    peers: Fediverse, desk: Desk, dialect: str
) -> None:
    for act, expected in ACTS:
        user = "alice" if act in (moved, left) else "bea"
        person = peers.actor(f"{user}@far.example", dialect)
        deed = await act(person)
        heard = await desk.hear()
        assert deed
        assert isinstance(heard.wants, expected), f"{deed.activity} became {heard.wants}"
        assert (heard.actor, heard.key_id) == (person.uri, person.account.key_id)
        assert heard.scheme.value == person.server.dialect.knocks[0].value


@pytest.mark.parametrize(
    "dialect", [name for name, dialect in DIALECTS.items() if dialect.can_flag]
)
async def test_every_report_is_proven_and_understood(
    peers: Fediverse, desk: Desk, dialect: str
) -> None:
    await peers.actor("alice@far.example", dialect).flag(URIS.letter, "spam")
    heard = await desk.hear()
    assert isinstance(heard.wants, Reported)
    assert "spam" in heard.wants.comment


@pytest.mark.parametrize(
    "dialect", [name for name, dialect in DIALECTS.items() if dialect.boost_reaches_author]
)
async def test_every_boost_is_proven_and_understood(
    peers: Fediverse, desk: Desk, dialect: str
) -> None:
    alice = peers.actor("alice@far.example", dialect)
    boost = await alice.boost(URIS.page)
    heard = await desk.hear()
    assert isinstance(heard.wants, Boosted)
    assert heard.wants.visibility.is_public
    assert heard.wants.activity_uri == boost.id
    undo = await alice.unboost(boost)
    if undo.sent:
        undone = (await desk.hear()).wants
        assert isinstance(undone, Undid)
        assert undone.activity_uri == boost.id


@pytest.mark.parametrize("visibility", list(Visibility))
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_every_audience_is_read_as_it_was_meant(
    peers: Fediverse, desk: Desk, dialect: str, visibility: Visibility
) -> None:
    alice = peers.actor("alice@far.example", dialect)
    await alice.reply(URIS.letter, "I sign.", visibility=visibility, language="fr")
    wants = (await desk.hear()).wants
    assert isinstance(wants, Posted)
    private = (Visibility.FOLLOWERS, Visibility.DIRECT)
    read = wants.visibility
    assert read == visibility or (read in private and visibility in private)
    assert (wants.relation, wants.text) == (Relation.REPLY_TO_LETTER, "I sign.")
    states = alice.server.dialect.states_language
    assert wants.language == ("fr" if states else None)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_what_the_letter_sends_is_proven_by_every_kind_of_server(
    peers: Fediverse, desk: Desk, dialect: str
) -> None:
    """Each takes one of our two schemes at least, so that a second knock always helps."""
    alice = peers.actor("alice@far.example", dialect)
    await alice.follow(URIS.actor)
    alice.account.following.add(URIS.actor)
    note = {
        "id": URIS.update("1"),
        "type": "Note",
        "attributedTo": URIS.actor,
        "content": "<p>News</p>",
        "to": [PUBLIC],
        "cc": [URIS.followers],
        "published": "2026-11-22T12:00:00Z",
        "updated": "2026-11-22T12:00:01Z",
    }
    body = encode(update(URIS, "2", note))
    understood = {scheme.value for scheme in alice.server.dialect.strictness.schemes}
    for scheme in Scheme:
        status = await desk.deliver(alice.account.inbox, body, scheme)
        received = alice.server.received[-1]
        judges = alice.server.dialect.strictness.refuses
        assert status == (202 if scheme.value in understood or not judges else 401)
        assert received.scheme == (scheme.value if scheme.value in understood else None)
    assert alice.timeline[URIS.update("1")].html == "<p>News</p>"
