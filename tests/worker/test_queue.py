"""Many machines: what one process stores another is told of, and periodic work is done once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from psycopg.abc import Query

from fedi_letter.app import House, hand_over, open_house, pass_on, work
from fedi_letter.demo.site import site
from fedi_letter.store import chores, dispatch
from tests.databases import Postgres, end_sessions
from tests.internet import Event, Scope
from tests.trips.arrivals import crowd, post
from tests.waiting import beside, until
from tests.world import ACTOR, LETTER, SOON, World, open_world

LOG_OF_JOBS = """
CREATE TABLE jobs_made (task text, due text);
CREATE TABLE jobs_gone (task text);
CREATE FUNCTION note_job() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO jobs_made VALUES (NEW.task_name, NEW.args ->> 'timestamp'); RETURN NEW;
    END IF;
    INSERT INTO jobs_gone VALUES (OLD.task_name); RETURN OLD;
END $$;
CREATE TRIGGER note_job AFTER INSERT OR DELETE ON procrastinate_jobs
    FOR EACH ROW EXECUTE FUNCTION note_job();
"""
A_DEAD_WORKERS_SWEEP = """
WITH dead AS (
    INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')
    RETURNING id
)
INSERT INTO procrastinate_jobs (queue_name, task_name, lock, status, worker_id)
    SELECT 'chores', 'sweep', 'sweep', 'doing', id FROM dead
"""


class Queue:
    """The queue as an administrator of the database sees it."""

    def __init__(self, url: str) -> None:
        self._url = url

    def tell(self, query: Query) -> None:
        """Carry something out."""
        with psycopg.connect(self._url) as connection:
            connection.execute(query)

    async def ask(self, query: Query) -> list[tuple[str, ...]]:
        """Answer rows."""
        with psycopg.connect(self._url) as connection:
            return connection.execute(query).fetchall()

    async def waiting(self) -> list[str]:
        """Answer the jobs that wait for a worker."""
        query = "SELECT task_name FROM procrastinate_jobs WHERE status = 'todo' ORDER BY task_name"
        return [name for (name,) in await self.ask(query)]

    async def done(self) -> set[str]:
        """Answer which jobs were ever done, where they are logged."""
        return {name for (name,) in await self.ask("SELECT task FROM jobs_gone")}

    async def sweeps_ended(self) -> int:
        """Answer how many sweeps there have been, where they are logged."""
        return len(await self.ask("SELECT task FROM jobs_gone WHERE task = 'sweep'"))


@pytest_asyncio.fixture
async def world(postgres_url: str, letter_keys: Path) -> AsyncIterator[World]:
    """A published letter on PostgreSQL."""
    async with open_world(postgres_url, letter_keys) as opened:
        yield opened


@contextlib.asynccontextmanager
async def machine(world: World) -> AsyncIterator[House]:
    """Another process of the same letter, a worker at work."""
    async with (
        open_house(world.settings, transport=world.internet, clock=world.clock) as house,
        beside(work(house)),
    ):
        yield house


async def test_what_one_process_receives_another_judges_and_answers(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    async with machine(world), beside(pass_on(world.house)):
        await ada.reply(LETTER, "I sign")
        await until(world.signed, lambda signed: signed == [ada.handle])
        await ada.follow(ACTOR)
        await until(lambda: accepted(world), lambda count: count == 1)


async def accepted(world: World) -> int:
    """Answer how many follows of ada's server were accepted."""
    world.clock.advance(SOON)
    received = world.fediverse.server("far.example").received
    return sum(one.activity["type"] == "Accept" for one in received)


async def test_a_receipt_calls_a_worker_at_once_and_ten_call_it_once(
    world: World, postgres_url: str
) -> None:
    queue = Queue(postgres_url)
    async with beside(pass_on(world.house)):
        await until(queue.waiting, lambda jobs: jobs == ["deliver", "judge"])
        queue.tell("DELETE FROM procrastinate_jobs")
        await world.fediverse.actor("ada0@far.example").reply(LETTER, "I sign")
        await until(queue.waiting, lambda jobs: jobs == ["judge"])
        for number in range(1, 10):
            await world.fediverse.actor(f"ada{number}@far.example").reply(LETTER, "I sign")
        await until(lambda: unheard(world), lambda is_unheard: not is_unheard)
    assert await queue.waiting() == ["judge"]
    async with machine(world):
        await until(world.signed, lambda signed: len(signed) == 10)


async def unheard(world: World) -> bool:
    """Answer whether something was stored that no worker has been told of."""
    return world.house.context.receipts_bell.is_rung


async def test_a_process_that_ends_says_what_is_left_to_do(world: World, postgres_url: str) -> None:
    await post(world)
    await hand_over(world.house)
    assert await Queue(postgres_url).waiting() == ["deliver"]


async def test_what_is_periodic_is_done_once_by_however_many_workers(
    world: World, postgres_url: str
) -> None:
    queue = Queue(postgres_url)
    queue.tell(LOG_OF_JOBS)
    async with machine(world), machine(world), machine(world):
        await until(queue.done, {"sweep", "tidy", "bury", "judge", "deliver"}.issubset)
    made = await queue.ask("SELECT task, due FROM jobs_made WHERE due IS NOT NULL")
    assert len(made) == len(set(made))
    begun = await world.house.context.database.read(chores.last_begun)
    assert begun == world.clock(), "the doctor sees by this that somebody works"


async def test_a_sweep_left_by_a_dead_worker_is_not_the_last(
    world: World, postgres_url: str
) -> None:
    """The dead one's job holds the lock under which sweeps take turns."""
    queue = Queue(postgres_url)
    queue.tell(LOG_OF_JOBS)
    queue.tell(A_DEAD_WORKERS_SWEEP)
    async with machine(world):
        await until(queue.sweeps_ended, lambda count: count == 2)
    # what else was put off as the worker ended is not the dead one's
    left = await queue.ask("SELECT id FROM procrastinate_jobs WHERE task_name = 'sweep'")
    assert left == []


async def test_a_worker_told_to_end_finishes_what_it_has_begun(world: World) -> None:
    [ada] = await crowd(world, 1)
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow(
        scope: Scope,
        receive: Callable[[], Awaitable[Event]],
        send: Callable[[Event], Awaitable[None]],
    ) -> None:
        begun.set()
        await may_end.wait()
        await site(ada.server)(scope, receive, send)

    world.internet.serve(ada.server.host, slow)
    await post(world)
    world.clock.advance(SOON)
    async with open_house(world.settings, transport=world.internet, clock=world.clock) as house:
        working = asyncio.create_task(work(house))
        await begun.wait()
        working.cancel()
        may_end.set()
        await asyncio.wait([working])
    assert len(ada.timeline) == 1
    assert await world.house.context.database.read(dispatch.next_due) is None


async def test_a_restarted_database_is_survived_by_web_and_worker(
    world: World, postgres: Postgres
) -> None:
    ada = world.fediverse.actor("ada@far.example")
    async with machine(world), beside(pass_on(world.house)):
        reply = await ada.reply(LETTER, "I sign")
        await until(world.signed, lambda signed: signed == [ada.handle])
        await asyncio.to_thread(postgres.stop)
        try:
            assert reply.note is not None
            refused = await ada.delete(reply.note)
            ready = await world.request("GET", "/readyz")
        finally:
            await asyncio.to_thread(postgres.start)
        assert refused is not None
        assert (refused.status, ready.status) == (503, 503)
        assert (await ada.again(refused, signed_anew=True)).status == 202
        await until(world.signed, lambda signed: signed == [])


async def test_a_queue_whose_idle_connections_died_goes_on(
    world: World, postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Had a job's end met a dead one, the next of its kind would wait for it for ever."""
    queue = Queue(postgres_url)
    async with beside(pass_on(world.house)):
        await until(queue.waiting, lambda jobs: jobs == ["deliver", "judge"])
        for number in range(3):
            queue.tell("DELETE FROM procrastinate_jobs")
            await asyncio.to_thread(end_sessions, postgres_url)
            await world.fediverse.actor(f"ada{number}@far.example").reply(LETTER, "I sign")
            await until(queue.waiting, lambda jobs: jobs == ["judge"])
    assert "queue-lost" not in caplog.text


def _includes(handle: str) -> Callable[[list[str]], bool]:
    return lambda signed: handle in signed


async def test_a_worker_that_lost_the_database_works_on(world: World, postgres: Postgres) -> None:
    """Not once only, and not by a part of it: `work` itself must outlive every loss."""
    people = [world.fediverse.actor(f"{name}@far.example") for name in ("ada", "bo")]
    async with machine(world) as house:
        working = asyncio.create_task(work(house))
        try:
            for person in people:
                await person.reply(LETTER, "I sign")
                await until(world.signed, _includes(person.handle))
                await asyncio.to_thread(postgres.stop)
                await asyncio.to_thread(postgres.start)
            assert not working.done()
        finally:
            working.cancel()
            await asyncio.wait([working])
