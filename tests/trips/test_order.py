"""What belongs together is judged in any order, by any worker: the outcome is the same."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from fedi_letter.app import House, open_house
from fedi_letter.store import receipts
from tests.trips.wire import verdict
from tests.world import LETTER, SOON, World


@contextlib.asynccontextmanager
async def second_worker(world: World) -> AsyncIterator[House]:
    """The same letter in another process."""
    settings = world.settings
    async with open_house(settings, transport=world.internet, clock=world.clock) as house:
        yield house


async def judged_backwards(world: World) -> None:
    """Have what waits judged by two workers, the newest first."""
    waiting = await world.house.context.database.read(receipts.recent, 100)
    async with second_worker(world) as other:
        workers = (other.worker.processor, world.house.worker.processor)
        for turn, receipt in enumerate(each for each in waiting if each.state.is_open):
            await workers[turn % 2].run_one(receipt.id)
    await world.work()


async def test_an_undo_judged_before_its_boost_takes_it_back(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    boost = await ada.boost(LETTER)
    await ada.unboost(boost)
    await judged_backwards(world)
    assert await world.signed() == []
    assert "undone" in await verdict(world, boost.id) or "noted" in await verdict(world, boost.id)


async def test_a_delete_judged_before_its_reply_takes_it_back(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    reply = await ada.reply(LETTER, "I sign.")
    assert reply.note is not None
    await ada.delete(reply.note)
    await judged_backwards(world)
    assert await world.signed() == []


async def test_an_edit_judged_before_its_reply_has_the_last_word(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    reply = await ada.reply(LETTER, "I sign. First words.")
    assert reply.note is not None
    world.clock.advance(SOON)
    await ada.edit(reply.note, "I sign. Last words.")
    await judged_backwards(world)
    [entry] = await world.roll()
    assert entry["statement"] == "Last words."


@pytest.mark.parametrize("people", [30])
async def test_two_workers_at_once_count_everybody_once(world: World, people: int) -> None:
    crowd = [world.fediverse.actor(f"p{n}@h{n % 4}.example") for n in range(people)]
    for person in crowd:
        reply = await person.reply(LETTER, "I sign.")
        await person.again(reply)
        boost = await person.boost(LETTER)
        if person is crowd[0]:
            assert reply.note is not None
            await person.delete(reply.note)
            await person.unboost(boost)
    async with second_worker(world) as other:
        await asyncio.gather(
            world.house.worker.processor.run_once(), other.worker.processor.run_once()
        )
        await asyncio.gather(
            world.house.worker.processor.run_once(), other.worker.processor.run_once()
        )
    await world.work()
    assert sorted(await world.signed()) == sorted(person.handle for person in crowd[1:])
