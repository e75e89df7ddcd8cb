"""More arrives than the disk can take: nobody crowds out the others, and nothing grows for ever."""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, event

from fedi_letter.demo.people import Person
from fedi_letter.httpsig.message import Message
from fedi_letter.services import receive
from fedi_letter.services.keyring import ASKED_AT_ONCE, Keyring
from fedi_letter.services.receive import ASKING_PER_HOUSE, FAREWELLS_AT_ONCE, IN_HAND, Intake
from fedi_letter.services.spool import Spool, SpoolFull, Unstorable
from fedi_letter.store import receipts
from fedi_letter.store.database import Database
from tests.store.given import receipt
from tests.trips.wire import Way, bytes_of, reply_by, signed_headers
from tests.waiting import until
from tests.world import World, open_world


async def crowd(spool: Spool, houses: list[str], size_bytes: int = 10) -> Counter[str]:
    """How many of those who come at once, in this order, each house gets in."""
    rows = [receipt(number)._replace(body=b"x" * size_bytes) for number in range(len(houses))]
    puts = (spool.put(row, house) for row, house in zip(rows, houses, strict=True))
    outcomes = await asyncio.gather(*puts, return_exceptions=True)
    assert all(outcome is None or isinstance(outcome, SpoolFull) for outcome in outcomes)
    return Counter(
        house for house, outcome in zip(houses, outcomes, strict=True) if outcome is None
    )


async def test_a_flood_leaves_places_for_everybody_else(database: Database) -> None:
    taken = await crowd(Spool(database, places=20), ["flood"] * 500 + ["a", "b", "b"])
    assert taken == {"flood": 10, "a": 1, "b": 2}


async def test_a_flood_of_large_bodies_is_held_by_its_bytes(database: Database) -> None:
    spool = Spool(database, size_bytes=100_000)
    taken = await crowd(spool, ["flood"] * 50 + ["a"], size_bytes=9_000)
    assert taken["flood"] == 5
    assert taken["a"] == 1


async def test_places_are_free_again_when_what_stood_there_is_stored(database: Database) -> None:
    spool = Spool(database, places=4)
    for _ in range(5):
        assert await crowd(spool, ["a"] * 3) == {"a": 2}
    stored = await database.read(receipts.recent, 100)
    assert len(stored) == 10


async def test_what_cannot_be_stored_keeps_nothing_else_out(postgres_url: str) -> None:
    with Database(postgres_url) as database:
        spool = Spool(database)
        rows = [receipt(1), receipt(2)._replace(target="/inbox\x00"), receipt(3)]
        outcomes = await asyncio.gather(*map(spool.put, rows), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [type(None), Unstorable, type(None)]


async def test_the_numbers_of_those_who_want_one_are_theirs(database: Database) -> None:
    spool = Spool(database)
    puts = [
        spool.put_numbered(receipt(number)) if number % 3 else spool.put(receipt(number))
        for number in range(20)
    ]
    for number, identifier in enumerate(await asyncio.gather(*puts)):
        if identifier is not None:
            stored = await database.read(receipts.receipt, identifier)
            assert stored is not None
            assert stored.body == f"body {number}".encode()


async def letters(world: World, handle: str, count: int) -> list[Message]:
    """So many posts of somebody who is known already."""
    person = world.fediverse.actor(handle)
    assert (await person.follow("@letter@letter.example")).status == 202
    messages = []
    for number in range(count):
        body = bytes_of(reply_by(person.uri, number))
        headers = signed_headers(world, person.account.signer, body, Way())
        messages.append(Message("POST", "/inbox", headers, body))
    return messages


async def test_a_flooding_server_is_told_to_come_again_while_others_are_heard(
    world: World,
) -> None:
    house = world.house
    intake = replace_spool(world, Spool(house.context.database, places=20))
    flooding = await letters(world, "mallory@flood.example", 41)
    others = await letters(world, "ada@far.example", 4)
    # their keys are in mind from now on, so that all the rest are looked at in one go
    for first in (flooding.pop(), others.pop()):
        assert (await intake.accept(first)).status == 202
    answers = await asyncio.gather(*map(intake.accept, [*flooding, *others]))
    flood, other = answers[:40], answers[40:]
    told = Counter(answer.status for answer in flood)
    assert told[202] >= 7, "while half of the places are free, all but those of the other server"
    assert told[503] >= 1
    assert all(answer.retry_after for answer in flood if answer.status == 503)
    assert [answer.status for answer in other] == [202] * 3


def replace_spool(world: World, spool: Spool, in_hand: int = IN_HAND) -> Intake:
    """The inbox of this letter with another spool behind it."""
    house = world.house
    keyring = Keyring(house.context)
    return Intake(
        house.context, keyring=keyring, blocklist=house.blocklist, spool=spool, in_hand=in_hand
    )


async def test_while_the_database_hangs_only_so_many_wait_for_it(
    postgres_url: str, letter_keys: Path
) -> None:
    async with open_world(postgres_url, letter_keys) as world:
        intake = replace_spool(world, Spool(world.house.context.database), in_hand=8)
        people = [world.fediverse.actor(f"ada@s{number}.example") for number in range(20)]
        messages = [first_letter(world, person) for person in people]
        with psycopg.connect(postgres_url) as hanging:
            hanging.execute("LOCK TABLE keys IN ACCESS EXCLUSIVE MODE")
            told = [asyncio.create_task(intake.accept(message)) for message in messages]
            turned_away = [await one for one in itertools.islice(asyncio.as_completed(told), 12)]
            assert {(one.status, one.retry_after) for one in turned_away} == {(503, 30)}
            assert sum(not one.done() for one in told) == 8
        answers = await asyncio.gather(*told)
        assert Counter(one.status for one in answers) == {503: 12, 202: 8}
        assert (await intake.accept(first_letter(world, people[0]))).status == 202


@pytest.mark.parametrize("kind", ["x" * 200, "Cre\x00ate"])
async def test_an_odd_type_is_kept_like_any_other(world: World, kind: str) -> None:
    ada = world.fediverse.actor("ada@far.example")
    body = bytes_of({**reply_by(ada.uri), "type": kind})
    headers = signed_headers(world, ada.account.signer, body, Way())
    assert (await world.request("POST", "/inbox", headers=headers, body=body)).status == 202


async def test_newcomers_beyond_the_few_asked_about_are_taken_and_judged_later(
    world: World,
) -> None:
    """A forgery among them is told 202 as well, and then refused like any other."""
    intake = replace_spool(world, Spool(world.house.context.database))
    *honest, victim = [
        world.fediverse.actor(f"p{n}@flood.example") for n in range(3 * ASKING_PER_HOUSE)
    ]
    mallory = world.fediverse.actor("mallory@far.example").account.signer
    forger = replace(mallory, key_id=victim.account.signer.key_id)
    sent = [(person, person.account.signer) for person in honest] + [(victim, forger)]
    messages = []
    for person, signer in sent:
        body = bytes_of(reply_by(person.uri))
        messages.append(Message("POST", "/inbox", signed_headers(world, signer, body, Way()), body))
    told = await asyncio.gather(*map(intake.accept, messages))
    assert [answer.status for answer in told] == [202] * len(sent)
    await world.work()
    signatories = {entry["actor"] for entry in await world.roll()}
    assert signatories == {person.uri for person in honest}
    ends = await world.house.context.database.read(receipts.counts)
    assert {(end.state, end.reason, end.count) for end in ends if end.state == "refused"} == {
        ("refused", "signature-mismatch", 1)
    }


async def test_what_a_flooding_server_sends_on_comes_in_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it trickles in: look-ups and commits are shared, and each is kept and judged."""
    monkeypatch.setattr(receive, "TIDE_SECONDS", 1.0)  # a slow machine trickles more slowly
    intake = replace_spool(world, Spool(world.house.context.database))
    people = [world.fediverse.actor(f"p{n}@flood.example") for n in range(ASKING_PER_HOUSE + 31)]
    messages = [first_letter(world, person) for person in people]
    too_many, later = messages[: ASKING_PER_HOUSE + 1], messages[ASKING_PER_HOUSE + 1 :]
    await asyncio.gather(*map(intake.accept, too_many))
    with insertions() as counted:
        trickling = []
        for message in later:
            trickling.append(asyncio.create_task(intake.accept(message)))
            await asyncio.sleep(0.002)
        told = await asyncio.gather(*trickling)
    assert [answer.status for answer in told] == [202] * len(later)
    assert len(counted) < len(later) / 2
    await world.work()
    assert {entry["actor"] for entry in await world.roll()} == {person.uri for person in people}


async def test_farewells_do_not_wait_for_the_tide(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a few are dealt with at a time: those of a flooding server would keep all others out."""
    monkeypatch.setattr(receive, "TIDE_SECONDS", 3_600.0)
    intake = replace_spool(world, Spool(world.house.context.database))
    people = [world.fediverse.actor(f"p{n}@flood.example") for n in range(ASKING_PER_HOUSE + 1)]
    await asyncio.gather(*(intake.accept(first_letter(world, person)) for person in people))
    leaving = [world.fediverse.actor(f"q{n}@flood.example") for n in range(FAREWELLS_AT_ONCE + 1)]
    told = await asyncio.gather(*(intake.accept(farewell(world, person)) for person in leaving))
    assert [answer.status for answer in told] == [202] * len(leaving)


def first_letter(world: World, person: Person) -> Message:
    """The reply of somebody who was never heard of."""
    return signed(world, person, reply_by(person.uri))


def farewell(world: World, person: Person) -> Message:
    """What a server tells everybody when one of its accounts is gone."""
    gone = {"id": f"{person.uri}#delete", "actor": person.uri, "object": person.uri}
    return signed(world, person, {"type": "Delete", **gone})


def signed(world: World, person: Person, activity: dict[str, Any]) -> Message:
    """The activity as a request of this person's server."""
    body = bytes_of(activity)
    return Message(
        "POST", "/inbox", signed_headers(world, person.account.signer, body, Way()), body
    )


@contextlib.contextmanager
def insertions() -> Iterator[list[str]]:
    """The statements by which receipts are stored meanwhile."""
    found: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO receipts"):
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def test_keys_of_a_server_that_hangs_keep_nobody_else_s_waiting(world: World) -> None:
    keyring = Keyring(world.house.context)
    ada = world.fediverse.actor("ada@far.example")
    world.internet.hang("slow.example")
    uris = [f"https://slow.example/users/{n}#main-key" for n in range(2 * ASKED_AT_ONCE)]
    waiting = [asyncio.create_task(keyring.learn(uri)) for uri in uris]
    await until(lambda: begun(world), lambda count: count > 0)
    known = await asyncio.wait_for(keyring.learn(ada.account.signer.key_id), 5)
    assert known.owner == ada.uri
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)


async def begun(world: World) -> int:
    """Answer how many requests have reached the server that hangs."""
    return len(world.internet.requests_to("slow.example"))
