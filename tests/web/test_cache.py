"""Finished bytes are made once for however many ask, and never go out stale."""

import asyncio
from functools import partial

import pytest

from fedi_letter.web.cache import Cache, Shared


class Workshop:
    """Makes numbered things and lets a test decide when one is finished."""

    def __init__(self) -> None:
        """Nothing was made; the door is open."""
        self.made = 0
        self.begun = asyncio.Event()
        self.door = asyncio.Event()
        self.door.set()

    async def make(self) -> int:
        """The number of this piece, once the door is open."""
        self.made += 1
        mine = self.made
        self.begun.set()
        await self.door.wait()
        return mine


async def break_down() -> int:
    """Fails, as a database may."""
    raise ConnectionError("out of reach")


async def test_a_crowd_asking_for_one_page_has_it_made_once() -> None:
    cache, workshop = Cache[int](9), Workshop()
    answers = await asyncio.gather(*(cache.get("page", workshop.make) for _ in range(100)))
    assert set(answers) == {1}
    assert await cache.get("page", workshop.make) == 1
    assert await cache.get("other", workshop.make) == 2


async def test_the_page_unused_for_longest_makes_room() -> None:
    cache, workshop = Cache[int](2), Workshop()
    assert [await cache.get(key, workshop.make) for key in "ab"] == [1, 2]
    assert await cache.get("a", workshop.make) == 1
    assert await cache.get("c", workshop.make) == 3
    assert await cache.get("a", workshop.make) == 1
    assert await cache.get("b", workshop.make) == 4


async def test_what_weighs_most_takes_most_room() -> None:
    cache = Cache[bytes](100, len)
    made = []

    async def make(size: int) -> bytes:
        made.append(size)
        return bytes(size)

    for size in (40, 50, 60, 40, 200, 40):
        assert len(await cache.get(size, partial(make, size))) == size
    assert made == [40, 50, 60, 40, 200, 40]
    await cache.get(40, partial(make, 40))
    assert made[-2:] == [200, 40]


async def test_a_failure_is_not_kept() -> None:
    cache, workshop = Cache[int](9), Workshop()
    with pytest.raises(ConnectionError):
        await cache.get("page", break_down)
    assert await cache.get("page", workshop.make) == 1


async def test_a_visitor_who_leaves_takes_nothing_from_the_others() -> None:
    cache, workshop = Cache[int](9), Workshop()
    workshop.door.clear()
    leaver = asyncio.create_task(cache.get("page", workshop.make))
    stayer = asyncio.create_task(cache.get("page", workshop.make))
    await workshop.begun.wait()
    leaver.cancel()
    workshop.door.set()
    assert await stayer == 1


async def test_who_asks_after_an_asking_began_gets_a_later_one() -> None:
    workshop = Workshop()
    shared = Shared(workshop.make)
    workshop.door.clear()
    first = asyncio.create_task(shared.ask())
    await workshop.begun.wait()
    later = asyncio.gather(*(shared.ask() for _ in range(50)))
    workshop.door.set()
    assert await first == 1
    assert set(await later) == {2}


async def test_everybody_who_shared_a_failed_asking_hears_of_it() -> None:
    shared = Shared(break_down)
    heard = await asyncio.gather(*(shared.ask() for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in heard] == [ConnectionError] * 3
    with pytest.raises(ConnectionError):
        await shared.ask()
