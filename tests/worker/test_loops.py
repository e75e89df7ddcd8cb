"""One machine: the loops of a process, and of a second one on the same SQLite file."""

from pathlib import Path

from fedi_letter.app import open_house, work
from fedi_letter.demo.people import Person
from tests.trips.arrivals import arrived, crowd, post
from tests.waiting import beside, until
from tests.world import LETTER, SOON, open_world


async def test_two_workers_on_one_sqlite_file_do_everything_once(
    sqlite_url: str, letter_keys: Path
) -> None:
    """Allowed, though the second makes nothing faster."""
    async with (
        open_world(sqlite_url, letter_keys) as world,
        open_house(world.settings, transport=world.internet, clock=world.clock) as second,
    ):
        people = await crowd(world, 4)
        async with beside(work(world.house)), beside(work(second)):
            await post(world)
            world.clock.advance(SOON)
            for person in people:
                await person.reply(LETTER, "I sign")
            await until(world.signed, lambda signed: len(signed) == len(people))
            await until(lambda: _told(people[0]), lambda count: count >= len(people))
        await world.work()
        assert len(arrived(people[0], "Create")) == len(people)
        assert [entry["number"] for entry in await world.roll()] == [1, 2, 3, 4]


async def _told(one: Person) -> int:
    return len(arrived(one, "Create"))
