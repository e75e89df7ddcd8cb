"""What cannot be proved yet waits; what was taken in survives us (interop C1, T18, T25)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fedi_letter.app import House, open_house
from fedi_letter.demo.server import Trouble
from fedi_letter.services.receive import LEASE
from fedi_letter.services.trace import document_of
from tests.internet import Scope
from tests.trips.wire import gets, post, reply_by, told, verdict
from tests.world import LETTER, World

FAR = "far.example"
HOUR = timedelta(hours=1)


def unreachable(world: World) -> None:
    """Let every request to far.example run into a timeout."""
    world.internet.time_out(FAR)


def back(world: World) -> None:
    """Let far.example answer again."""
    world.fediverse.restore(FAR)


async def test_t18_who_cannot_be_asked_now_is_asked_within_a_minute(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    answer = await arrives_while_unreachable(world)
    assert answer == 202
    await world.house.worker.run_until_idle()
    asked = len(gets(world, FAR))
    assert await world.signed() == []
    assert (await verdict(world, ada.uri)).startswith("received, not judged yet")
    back(world)
    world.clock.advance(timedelta(minutes=1))
    await world.house.worker.run_until_idle()
    assert len(gets(world, FAR)) == asked + 1
    assert await world.signed() == [ada.handle]


async def arrives_while_unreachable(world: World) -> int:
    """Ada's reply comes in while her server does not answer us; the status it gets."""
    ada = world.fediverse.actor("ada@far.example")
    unreachable(world)
    return (await post(world, ada, reply_by(ada.uri))).status


async def test_t18_who_comes_back_within_a_day_is_counted(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    assert await arrives_while_unreachable(world) == 202
    for _ in range(22):
        await world.later(HOUR)
    assert await world.signed() == []
    asked = len(gets(world, FAR))
    assert 22 <= asked <= 60
    back(world)
    await world.later(HOUR)
    [entry] = await world.roll()
    assert entry["handle"] == ada.handle
    assert entry["signed_at"].startswith("2026-11-22T12:00")  # when it arrived, not when proved


async def test_t18_after_a_day_it_is_refused_and_says_why(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    assert await arrives_while_unreachable(world) == 202
    for _ in range(25):
        await world.later(HOUR)
    assert (await verdict(world, ada.uri)).startswith("refused: fetch-timeout")
    back(world)
    asked = len(gets(world, FAR))
    await world.later(24 * HOUR)
    assert await world.signed() == []
    assert len(gets(world, FAR)) == asked


async def test_t18_a_server_that_checks_who_asks_may_take_its_time(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    for status in (401, 403, 503):
        ada.server.trouble = Trouble(status)
        assert (await post(world, ada, reply_by(ada.uri, number=status))).status == 202
        await world.later(timedelta(minutes=10))
    assert await world.signed() == []
    ada.server.trouble = None
    await world.later(2 * HOUR)
    assert await world.signed() == [ada.handle]


async def test_t18_a_forgery_is_refused_even_if_proved_late(world: World) -> None:
    ada, mallory = world.fediverse.actor("ada@far.example"), world.fediverse.mallory()
    unreachable(world)
    create = reply_by(ada.uri)
    stolen = type(ada.account.signer)(ada.account.key_id, mallory.account.pair)
    assert (await post(world, stolen, create)).status == 202
    back(world)
    await world.later(HOUR)
    assert await world.signed() == []
    assert (await verdict(world, str(create["id"]))).startswith("refused: signature-mismatch")


async def test_t25_a_new_key_is_fetched_once(world: World) -> None:
    ada, mallory = world.fediverse.actor("ada@far.example"), world.fediverse.mallory()
    await ada.reply(LETTER, "I sign.")
    await world.work()
    await ada.rotate_key()
    asked = len(gets(world, FAR))
    assert (await ada.boost(LETTER)).status == 202
    await world.work()
    assert len(gets(world, FAR)) == asked + 1
    [entry] = await world.roll()
    assert entry["via"] == ["reply", "boost"]

    assert (await mallory.forge_key_id(ada, LETTER)).status == 401
    world.clock.advance(timedelta(minutes=9))
    assert (await mallory.forge_key_id(ada, LETTER)).status == 401
    assert len(gets(world, FAR)) == asked + 1
    world.clock.advance(timedelta(minutes=2))
    assert (await mallory.forge_key_id(ada, LETTER)).status == 401
    assert len(gets(world, FAR)) == asked + 2


async def test_t25_a_new_key_that_cannot_be_had_yet_is_waited_for(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    await ada.reply(LETTER, "I sign.")
    await world.work()
    await ada.rotate_key()
    unreachable(world)
    boost = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{ada.uri}/boosts/1",
        "type": "Announce",
        "actor": ada.uri,
        "object": LETTER,
        "to": ["https://www.w3.org/ns/activitystreams#Public"],
    }
    assert (await post(world, ada, boost)).status == 202
    asked = len(gets(world, FAR))
    await world.work()
    for _ in range(8):  # each takes a little longer than its minute
        await world.later(timedelta(minutes=1))
    assert len(gets(world, FAR)) == asked
    back(world)
    await world.later(HOUR)
    [entry] = await world.roll()
    assert entry["via"] == ["reply", "boost"]


@asynccontextmanager
async def neighbour(world: World) -> AsyncIterator[House]:
    """Another process on the same database, as after a crash or beside the first."""
    async with open_house(world.settings, transport=world.internet, clock=world.clock) as second:
        yield second


async def test_what_was_answered_202_outlives_the_process(world: World) -> None:
    ada, bob = world.fediverse.actor("ada@far.example"), world.fediverse.actor("bob@far.example")
    assert (await bob.reply(LETTER, "I sign.")).status == 202  # proved before the answer
    assert await arrives_while_unreachable(world) == 202  # stored as it came, not proved yet
    back(world)
    async with neighbour(world) as second:
        world.clock.advance(timedelta(minutes=1))
        await second.worker.run_until_idle()
    assert sorted(await world.signed()) == [ada.handle, bob.handle]


async def test_a_process_that_dies_while_asking_loses_nothing(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    asked = asyncio.Event()

    async def silent(scope: Scope, *_: object) -> None:
        asked.set()
        await asyncio.get_running_loop().create_future()

    world.internet.serve(FAR, silent)
    peer = asyncio.create_task(post(world, ada, reply_by(ada.uri)))
    await asked.wait()
    peer.cancel()
    await asyncio.wait([peer])
    back(world)
    async with neighbour(world) as second:
        assert await second.worker.processor.run_once() == 0  # the dead one's lease runs
        world.clock.advance(LEASE)
        await second.worker.run_until_idle()
    assert await world.signed() == [ada.handle]


async def test_a_key_learnt_by_one_process_serves_the_others(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    await ada.reply(LETTER, "I sign.")
    await world.work()
    await ada.rotate_key()
    await ada.boost(LETTER)
    asked = len(gets(world, FAR))
    async with neighbour(world) as second:
        await second.worker.run_until_idle()
    [entry] = await world.roll()
    assert entry["via"] == ["reply", "boost"]
    assert len(gets(world, FAR)) == asked


async def test_whoever_proves_it_late_leaves_the_key_as_evidence(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    assert await arrives_while_unreachable(world) == 202
    back(world)
    await world.later(HOUR)
    found = await explained(world, ada.uri)
    assert found == [True]


async def explained(world: World, uri: str) -> list[bool]:
    """Whether each delivery by that actor is on record as proved."""
    document = document_of(await told(world, uri))
    return [receipt["verified"] for receipt in document["receipts"]]
