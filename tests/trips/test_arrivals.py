"""Those who knock at the same moment are looked at together and answered each for itself."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from fedi_letter.activitypub.reading import Malformed
from fedi_letter.demo.people import Person
from fedi_letter.httpsig.keys import PublicKey
from fedi_letter.httpsig.message import Message
from fedi_letter.httpsig.verify import Claim
from fedi_letter.services import blocking
from fedi_letter.services.arrivals import TOGETHER, Arrival, Arrivals
from fedi_letter.services.keyring import Keyring
from fedi_letter.store import receipts
from tests.trips.wire import Way, bytes_of, reply_by, signed_headers
from tests.world import ORIGIN, World

LETTER = "@letter@letter.example"
MARA = "mara"


class Desk:
    """A reception that keeps in a list, and makes a mistake with whoever is called so."""

    def __init__(self, key: PublicKey | None, *, mistaken_about: str = "nobody") -> None:
        self.key_in_mind = key
        self.mistaken_about = mistaken_about
        self.kept: list[Arrival] = []

    def key(self, arrival: Arrival, claimed: Claim) -> PublicKey | None:
        """The same for everybody."""
        return self.key_in_mind

    def keep(self, arrival: Arrival, key: PublicKey, stored: "asyncio.Future[Any]") -> bool:
        """Keep it, on a disk that needs no time."""
        if self.mistaken_about.encode() in arrival.message.body:
            raise ZeroDivisionError
        self.kept.append(arrival)
        stored.set_result(None)
        return True


def signed(world: World, person: Person, number: int = 1, text: str = "I sign.") -> Message:
    """A reply as it reaches the inbox."""
    body = bytes_of(reply_by(person.uri, number, text))
    return Message(
        "POST", "/inbox", signed_headers(world, person.account.signer, body, Way()), body
    )


async def key_of(world: World, person: Person) -> PublicKey:
    """The public key of somebody who has been here."""
    assert (await person.follow(LETTER)).status == 202
    key = await Keyring(world.house.context).known(person.account.signer.key_id)
    assert key is not None
    return key


async def test_everybody_at_once_is_told_what_becomes_of_their_own(world: World) -> None:
    ada, eve = world.fediverse.actor("ada@far.example"), world.fediverse.actor("eve@far.example")
    for person in (ada, eve):
        assert (await person.follow(LETTER)).status == 202
    newcomer = world.fediverse.actor("newcomer@new.example")
    true = [signed(world, ada, number) for number in range(TOGETHER + 10)]
    forged = [replace(signed(world, eve), headers=true[0].headers)]
    altered = [replace(signed(world, eve, 2), body=bytes_of(reply_by(eve.uri, 2, "I do not.")))]
    key_id = ada.account.signer.key_id
    body = bytes_of(reply_by(ada.uri, 999))
    as_ada = signed_headers(world, replace(eve.account.signer, key_id=key_id), body, Way())
    forged.append(Message("POST", "/inbox", as_ada, body))
    unsigned = [Message("POST", "/inbox", (("Host", "letter.example"),), b"{}")]
    no_json = [replace(signed(world, eve, 3), body=b"[1, 2")]
    first_time = [signed(world, newcomer)]
    messages = [*true[:9], *forged, *altered, *unsigned, *no_json, *first_time, *true[9:]]
    answers = await asyncio.gather(*map(world.house.intake.accept, messages))
    told = Counter((answer.status, answer.reason) for answer in answers)
    assert told == {
        (202, None): len(true) + 1,
        (401, "digest-mismatch"): 2,
        (401, "signature-mismatch"): 1,
        (401, "unsigned"): 1,
        (400, "not-json"): 1,
    }
    stored = await world.house.context.database.read(receipts.recent, 200)
    bodies = Counter(bytes(row.body) for row in stored)
    assert all(bodies[message.body] == 1 for message in (*true, *first_time))


async def test_who_is_blocked_is_refused_among_others_too(world: World) -> None:
    ada, eve = world.fediverse.actor("ada@far.example"), world.fediverse.actor("eve@raid.example")
    for person in (ada, eve):
        assert (await person.follow(LETTER)).status == 202
    await blocking.add(world.house.context, "raid.example", reason="raids", by=MARA)
    world.clock.advance(timedelta(seconds=2))
    messages = [signed(world, person, number) for number in (1, 2) for person in (ada, eve)]
    answers = await asyncio.gather(*map(world.house.intake.accept, messages))
    assert [answer.status for answer in answers] == [202, 403] * 2


async def test_a_mistake_of_ours_about_one_is_nobody_else_s(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    desk = Desk(await key_of(world, ada), mistaken_about="oops")
    arrivals = Arrivals(ORIGIN, desk)
    messages = [signed(world, ada, 1), signed(world, ada, 2, "oops"), signed(world, ada, 3)]
    messages.append(replace(messages[0], body=b"no json"))
    now = world.clock()
    outcomes = await asyncio.gather(
        *(arrivals.take(message, now) for message in messages), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [
        type(None),
        ZeroDivisionError,
        type(None),
        Malformed,
    ]
    assert [arrival.message for arrival in desk.kept] == [messages[0], messages[2]]


TURNS = 5
"""So often the loop goes round and only then has somebody waited for something else."""


async def turns() -> None:
    """Let the loop go round a few times; no timer runs out meanwhile."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def test_who_comes_alone_waits_for_no_timer(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    desk = Desk(await key_of(world, ada))
    arrivals, now = Arrivals(ORIGIN, desk), world.clock()
    for number in (1, 2):
        coming = asyncio.create_task(arrivals.take(signed(world, ada, number), now))
        await turns()
        assert coming.done()
        assert len(desk.kept) == number


async def test_who_comes_turn_by_turn_is_looked_at_together(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    desk = Desk(await key_of(world, ada))
    arrivals, now = Arrivals(ORIGIN, desk), world.clock()
    messages = [signed(world, ada, number) for number in range(2 * TOGETHER)]
    seen: list[int] = []
    coming = []
    for message in messages:
        coming.append(asyncio.create_task(arrivals.take(message, now)))
        await asyncio.sleep(0)
        seen.append(len(desk.kept))
    await asyncio.gather(*coming)
    assert [arrival.message for arrival in desk.kept] == messages
    # all at once when so many are here, although every turn brings one more
    assert sorted(set(seen)) in ([0, TOGETHER], [0, TOGETHER, 2 * TOGETHER])


async def test_more_than_go_together_are_looked_at_in_turns(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    desk = Desk(await key_of(world, ada))
    arrivals, now = Arrivals(ORIGIN, desk), world.clock()
    messages = [signed(world, ada, number) for number in range(2 * TOGETHER + 3)]
    coming = [asyncio.create_task(arrivals.take(each, now)) for each in messages]
    kept = []
    while not all(one.done() for one in coming):
        await asyncio.sleep(0)
        kept.append(len(desk.kept))
    assert sorted(set(kept)) == [0, TOGETHER, 2 * TOGETHER, len(messages)]
    assert [arrival.message for arrival in desk.kept] == messages


async def test_who_hangs_up_meanwhile_disturbs_nobody(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    arrivals = Arrivals(ORIGIN, Desk(None))
    now = world.clock()
    gone, here = (
        asyncio.create_task(arrivals.take(signed(world, ada, number), now)) for number in (1, 2)
    )
    await asyncio.sleep(0)
    gone.cancel()
    arrival = await here
    assert arrival is not None
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_each_key_gives_its_own_answer_and_is_asked_once(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    key = await key_of(world, ada)
    arrival = await Arrivals(ORIGIN, Desk(None)).take(signed(world, ada), world.clock())
    assert arrival is not None
    assert arrival.hold_to(key) is None
    # the key of somebody else says no, and the first one still says yes
    other = await key_of(world, world.fediverse.actor("eve@far.example"))
    wrong = replace(other, key_id=key.key_id)
    failure = arrival.hold_to(wrong)
    assert failure is not None
    assert str(failure.reason) == "signature-mismatch"
    assert arrival.hold_to(wrong) is failure, "kept, and not found out again"
    assert arrival.hold_to(key) is None
