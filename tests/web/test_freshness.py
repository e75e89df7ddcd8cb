"""An answer is kept as long as agreed and asked for again behind it; it outlives no trouble."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from fedi_letter.web.freshness import AT_ONCE, Fresh, Freshness

GOOD = timedelta(seconds=1)
USABLE = timedelta(seconds=3)


class Source:
    """What is asked: a number that a test sets, a count of askings, a clock to turn either way."""

    def __init__(self) -> None:
        """Nobody asked yet."""
        self.value = 1
        self.asked = 0
        self.broken = False
        self.now = datetime(2026, 11, 25, tzinfo=UTC)

    async def answer(self) -> int:
        """The number of now."""
        self.asked += 1
        if self.broken:
            raise ConnectionError("out of reach")
        return self.value

    def clock(self) -> datetime:
        """The time of the test."""
        return self.now

    def fresh(self, freshness: Freshness | None = None) -> Fresh[int]:
        """What is under test, asking this."""
        return Fresh(self.answer, self.clock, freshness or Freshness(GOOD, USABLE))


async def settle() -> None:
    """Let whatever goes on behind come to its end."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_good_answer_is_given_without_asking() -> None:
    source = Source()
    fresh = source.fresh()
    assert fresh.now() is None
    assert await fresh.ask() == 1
    source.value = 2
    assert (fresh.now(), await fresh.ask(), source.asked) == (1, 1, 1)


async def test_a_usable_answer_is_given_while_the_next_is_asked_for() -> None:
    source = Source()
    fresh = source.fresh()
    await fresh.ask()
    source.value, source.now = 2, source.now + GOOD
    assert {fresh.now() for _ in range(100)} == {1}
    await settle()
    assert (fresh.now(), source.asked) == (2, 2)


async def test_an_old_answer_is_given_to_nobody() -> None:
    source = Source()
    fresh = source.fresh()
    await fresh.ask()
    source.value, source.now = 2, source.now + USABLE
    assert fresh.now() is None
    assert set(await asyncio.gather(*(fresh.ask() for _ in range(50)))) == {2}
    assert source.asked == 2


async def test_a_clock_set_back_keeps_nothing_alive() -> None:
    source = Source()
    fresh = source.fresh()
    await fresh.ask()
    source.value, source.now = 2, source.now - timedelta(hours=1)
    assert fresh.now() is None
    assert await fresh.ask() == 2


async def test_trouble_is_told_once_the_last_answer_is_too_old() -> None:
    source = Source()
    fresh = source.fresh()
    await fresh.ask()
    source.broken, source.now = True, source.now + GOOD
    assert await fresh.ask() == 1
    await settle()
    assert await fresh.ask() == 1
    source.now += USABLE
    with pytest.raises(ConnectionError):
        await fresh.ask()
    source.broken = False
    assert await fresh.ask() == 1


async def test_the_same_answer_stays_the_same_object() -> None:
    source = Source()
    source.value = int("1000000000")
    fresh = source.fresh()
    first = await fresh.ask()
    source.value, source.now = int("1000000000"), source.now + USABLE
    assert await fresh.ask() is first


async def test_where_every_request_asks_each_sees_what_was_written_before_it() -> None:
    source = Source()
    fresh = source.fresh(Freshness(AT_ONCE, AT_ONCE))
    for value in range(5):
        source.value = value
        assert await fresh.ask() == value
        assert fresh.now() is None


async def test_an_answer_that_took_long_is_asked_for_less_often() -> None:
    source = Source()
    slow = source.fresh(Freshness(AT_ONCE, AT_ONCE, rests=10**12))
    await slow.ask()
    source.now += timedelta(seconds=1)
    assert await slow.ask() == 1
    assert source.asked == 1
