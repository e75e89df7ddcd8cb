"""Who waits for somebody's slow server: for a moment everybody, then only he."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, func, select

from fedi_letter.letter.effects import Verdict
from fedi_letter.services.judge import Judgement, Settled
from fedi_letter.services.process import BATCH
from fedi_letter.services.underway import MOST_BYTES, Underway
from fedi_letter.store import tables
from fedi_letter.store.receipts import Receipt, ReceiptState
from tests.trips.arrivals import arrived
from tests.world import HANDLE, LETTER, World

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def receipt(number: int, size: int = 0) -> Receipt:
    """A receipt of which only the number and the size matter."""
    columns: dict[str, object] = dict.fromkeys(Receipt.__dataclass_fields__)
    columns |= {"id": number, "state": ReceiptState.PENDING, "received_at": NOW, "due_at": NOW}
    columns |= {"body": bytes(size)}
    return Receipt(**columns)  # type: ignore[arg-type]  # the others are not looked at


class Gate:
    """Judges even numbers at once, and odd ones when it is opened."""

    def __init__(self) -> None:
        self.is_open = asyncio.Event()

    async def judge(self, one: Receipt) -> Judgement:
        """Answer that nothing follows."""
        if one.id % 2:
            await self.is_open.wait()
        return Settled(one, Verdict.NOTED, "done")


async def test_who_is_judged_at_once_does_not_wait_for_the_others() -> None:
    underway, gate = Underway(patience=0.01), Gate()
    begun = underway.begin([receipt(1), receipt(2), receipt(4)], gate.judge)
    assert [one.receipt.id for one in await underway.ended(begun)] == [2, 4]
    assert await underway.ended([]) == []
    gate.is_open.set()
    assert [one.receipt.id for one in await underway.ended([])] == [1]
    assert underway.is_empty


async def test_the_oldest_of_too_many_are_looked_at_again_later() -> None:
    underway, gate = Underway(patience=0.01, most=2), Gate()
    await underway.ended(underway.begin([receipt(n) for n in (1, 3, 5, 7)], gate.judge))
    given_up = underway.surplus(NOW)
    assert [one.receipt.id for one in given_up] == [1, 3]
    assert underway.surplus(NOW) == []
    gate.is_open.set()
    assert [one.receipt.id for one in await underway.ended([])] == [5, 7]


async def test_many_bytes_are_too_many_like_many_receipts() -> None:
    underway, gate = Underway(patience=0.01), Gate()
    half = MOST_BYTES // 2
    await underway.ended(underway.begin([receipt(n, half) for n in (1, 3, 5)], gate.judge))
    assert [one.receipt.id for one in underway.surplus(NOW)] == [1]
    gate.is_open.set()
    assert [one.receipt.id for one in await underway.ended([])] == [3, 5]


async def test_what_is_given_up_in_the_end_is_named() -> None:
    underway, gate = Underway(patience=0.01), Gate()
    await underway.ended(underway.begin([receipt(1), receipt(3)], gate.judge))
    assert [one.id for one in await underway.close()] == [1, 3]
    assert underway.is_empty


async def test_a_host_that_hangs_keeps_nobody_else_off_the_roll(world: World) -> None:
    ada, eve = world.fediverse.actor("ada@far.example"), world.fediverse.actor("eve@slow.example")
    await ada.boost(LETTER)
    await world.work()
    world.internet.hang("slow.example")
    await eve.reply(LETTER, "I sign")  # her key cannot be fetched while she waits, nor after
    await ada.reply(LETTER, "I sign. Gladly!")
    processor = world.house.worker.processor
    for _ in range(2):
        assert await processor.run_once() > 0
    [entry] = await world.roll()
    assert (entry["handle"], entry["statement"]) == (ada.handle, "Gladly!")
    await processor.close()
    assert await processor.run_once() > 0, "whoever works next finds what was given up"


def open_ones(connection: Connection) -> tuple[int, int]:
    """How many receipts wait, and how many of them somebody holds."""
    columns = tables.receipts.c
    counted = select(func.count(), func.count(columns.lease_until))
    waiting, held = connection.execute(counted.where(columns.settled_at.is_(None))).one()
    return waiting, held


def big_ones(connection: Connection) -> int:
    """How many of the biggest server are settled."""
    columns = tables.receipts.c
    settled = columns.settled_at.is_not(None) & (columns.key_host == BIG)
    return connection.execute(select(func.count()).where(settled)).scalar_one()


BIG = "big.example"


async def test_of_a_wave_little_is_taken_at_once_and_the_biggest_server_is_not_last(
    world: World,
) -> None:
    hosts = [BIG if n % 4 == 0 else f"h{n % 40}.example" for n in range(3 * BATCH)]
    crowd = [world.fediverse.actor(f"p{n}@{host}") for n, host in enumerate(hosts)]
    for person in crowd:
        await person.boost(LETTER)
    processor, database = world.house.worker.processor, world.house.context.database
    most, (waiting, held) = 0, await database.read(open_ones)
    assert (waiting, held) == (len(crowd), 0)
    while waiting:
        assert await processor.run_once() > 0
        waiting, held = await database.read(open_ones)
        most = max(most, held)
        settled = len(crowd) - waiting
        if settled >= 64:
            assert await database.read(big_ones) >= settled // 6
    assert most < 2 * BATCH
    assert len(await world.signed()) == len(crowd)


@pytest.mark.parametrize("steps", [1, 3, 8, 21, 55])
async def test_whoever_is_interrupted_gives_back_what_they_hold(world: World, steps: int) -> None:
    people = [world.fediverse.actor(f"p{n}@h{n}.example") for n in range(6)]
    for person in people:
        await person.follow(HANDLE)
        await person.boost(LETTER)
    processor, database = world.house.worker.processor, world.house.context.database
    for _ in range(2):
        working = asyncio.create_task(processor.run_once())
        for _ in range(steps):
            await asyncio.sleep(0)
        working.cancel()
        await asyncio.wait([working])
    await processor.close()
    _, held = await database.read(open_ones)
    assert held == 0
    await world.work()
    assert len(await world.signed()) == len(people)
    await world.later(timedelta(seconds=5))
    for person in people:
        assert len(arrived(person, "Accept")) == 1
