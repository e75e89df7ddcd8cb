"""Many machines: procrastinate, on the same PostgreSQL, carries the units to any number of workers.

The only module that knows the queue. Laws held here:

1. The queue wakes workers and has them take turns; what is due stands in our own tables. A job
   carries nothing but its name, and with every job lost the next tick, five seconds later, does
   the same work.
2. One job does all that is due, and at most one of a kind waits (its queueing lock), so that jobs
   never pile up. A process runs one drain of a kind at a time; several processes share what is
   due by passing over each other's rows.
3. What is periodic is put into the queue by whichever worker comes first, once for all of them.
4. No job is kept or tried again: finished, failed or left by a dead worker, it is deleted. A retry
   would meet the queueing lock of the next one, and the tick is a retry already.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status
from psycopg_pool import AsyncConnectionPool

from fedi_letter.services.context import Bell, Context
from fedi_letter.store import chores
from fedi_letter.store.engines import has_spoken
from fedi_letter.worker.ending import end, ending
from fedi_letter.worker.units import Unit, Worker, drain

log = logging.getLogger(__name__)

TICK = "* * * * * */5"
"""Every five seconds: what became due with time, and what a lost job or ring would have done."""
EVERY_MINUTE = "* * * * *"
EVERY_TEN_MINUTES = "*/10 * * * *"

RINGS_AT_MOST_EVERY_SECONDS = 0.05
"""However fast receipts come in, this is how often a process looks whether a job waits."""
FETCH_POLL_SECONDS = 1.0
"""A notification that comes while a worker asks for a job is lost to it; it then asks again."""
DEAD_AFTER_SECONDS = 30
GRACE_SECONDS = 5.0
OPENING_SECONDS = 5.0
CONNECTIONS = 4
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 4.0


class Job(StrEnum):
    """What can be asked of the workers; also the name of each job's queueing lock."""

    JUDGE = "judge"
    DELIVER = "deliver"
    SWEEP = "sweep"
    TIDY = "tidy"
    BURY = "bury"


class Line(StrEnum):
    """The queues: a process serves each by itself, so that none waits for another's long job."""

    RECEIPTS = "receipts"
    DELIVERIES = "deliveries"
    CHORES = "chores"


_AT_ONCE = {Line.RECEIPTS: 1, Line.DELIVERIES: 1, Line.CHORES: 3}


@dataclass(frozen=True)
class _Plan:
    """In which queue a job is, when it is due by the clock, and whether only one may run at all."""

    line: Line
    due: str
    is_alone: bool = False


_PLANS = {
    Job.JUDGE: _Plan(Line.RECEIPTS, TICK),
    Job.DELIVER: _Plan(Line.DELIVERIES, TICK),
    Job.SWEEP: _Plan(Line.CHORES, EVERY_MINUTE, is_alone=True),
    Job.TIDY: _Plan(Line.CHORES, EVERY_TEN_MINUTES, is_alone=True),
    Job.BURY: _Plan(Line.CHORES, EVERY_MINUTE),
}


class QueueLost(Exception):
    """A part of procrastinate's worker ended by itself: the database went away."""


async def work(worker: Worker, conninfo: str) -> None:
    """Do what the queue asks of this process, and pass on its bells, until cancelled.

    Then what is under way may end within five seconds; nothing new is begun. When the database
    goes away, comes back to it.
    """
    leaving = asyncio.Event()
    working = asyncio.create_task(
        _again_and_again(lambda: _work(worker, conninfo, is_leaving=leaving.is_set))
    )
    try:
        await asyncio.shield(working)
    finally:
        leaving.set()
        await end(working)


async def relay(context: Context, conninfo: str) -> None:
    """Pass the bells of this process on to the workers, wherever they run, until cancelled."""

    async def pass_on() -> None:
        async with _opened(conninfo, connections=1) as app:
            await _pass_on(app, context)

    await ending(_again_and_again(pass_on))


async def hand_over(context: Context, conninfo: str) -> None:
    """Tell the workers once what this process rang for, before it ends; if it cannot, they will
    find it themselves a little later.
    """
    rung = [job for bell, job in _bells(context) if bell.is_rung]
    if not rung:
        return
    try:
        async with _opened(conninfo, connections=1) as app:
            for job in rung:
                await _ask_for(app, job)
    except (ConnectorException, TimeoutError) as error:
        log.warning("event=queue-lost problem=%s", _told(error))


def _bells(context: Context) -> tuple[tuple[Bell, Job], ...]:
    return (context.receipts_bell, Job.JUDGE), (context.deliveries_bell, Job.DELIVER)


async def _again_and_again(do: Callable[[], Awaitable[None]]) -> None:
    """Do it anew, after a pause that grows, whenever it fails: the database will come back."""
    loop = asyncio.get_running_loop()
    pause = FIRST_PAUSE_SECONDS
    while True:
        began = loop.time()
        try:
            # In a task of its own: before Python 3.13 a TaskGroup that fails leaves the task around
            # it marked as cancelled, and ours would be taken for one that was told to end.
            await asyncio.ensure_future(do())
        except Exception as error:
            log.warning("event=queue-lost problem=%s", _told(error))
        if _is_told_to_end():
            return
        held = loop.time() - began > LONGEST_PAUSE_SECONDS
        pause = FIRST_PAUSE_SECONDS if held else min(2 * pause, LONGEST_PAUSE_SECONDS)
        await asyncio.sleep(pause)


def _is_told_to_end() -> bool:
    """Whether this task was cancelled, even if a failure at the same moment came out instead."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _told(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


async def _without_transactions(connection: Any) -> None:
    await connection.set_autocommit(True)


async def _check(connection: Any) -> None:
    if has_spoken(connection.fileno()):
        await AsyncConnectionPool.check_connection(connection)


def _pool(**settings: Any) -> AsyncConnectionPool:
    """Make the pool that procrastinate asks for, but without its two habits that cost most.

    Each of its statements stands for itself, so a transaction around it is two more round trips;
    and to ask each connection beforehand whether it lives is one more, where it is enough to ask
    those that have something to say.
    """
    return AsyncConnectionPool(**{**settings, "check": _check, "configure": _without_transactions})


@contextlib.asynccontextmanager
async def _opened(conninfo: str, connections: int) -> AsyncIterator[App]:
    connector = PsycopgConnector(
        pool_factory=_pool,
        conninfo=conninfo,
        min_size=1,
        max_size=connections,
        timeout=OPENING_SECONDS,
    )
    try:
        async with asyncio.timeout(OPENING_SECONDS):
            await connector.open_async()
        yield App(connector=connector)
    finally:
        await connector.close_async()


async def _pass_on(app: App, context: Context) -> None:
    async with asyncio.TaskGroup() as bells:
        for bell, job in _bells(context):
            bell.ring()  # nobody knows what was rung while there was no queue
            bells.create_task(ending(_listen(app, bell, job)))


async def _listen(app: App, bell: Bell, job: Job) -> None:
    while True:
        await bell.wait()
        await _ask_for(app, job)
        await asyncio.sleep(RINGS_AT_MOST_EVERY_SECONDS)


async def _ask_for(app: App, job: Job) -> None:
    """Put the job into the queue, unless one waits there already.

    One that waits has not begun, so it will find all that is committed by now. Looking first
    spares PostgreSQL's log an error for each time that one does.
    """
    if await app.job_manager.list_jobs_async(queueing_lock=job, status=Status.TODO.value):
        return
    with contextlib.suppress(AlreadyEnqueued):
        await app.configure_task(
            job, queue=_PLANS[job].line, queueing_lock=job, allow_unknown=True
        ).defer_async()


async def _work(worker: Worker, conninfo: str, is_leaving: Callable[[], bool]) -> None:
    async with _opened(conninfo, CONNECTIONS) as app, asyncio.TaskGroup() as parts:
        units = {
            Job.JUDGE: worker.judge,
            Job.DELIVER: worker.deliver,
            Job.SWEEP: _written_down(worker.context, Job.SWEEP, worker.sweep),
            Job.TIDY: _written_down(worker.context, Job.TIDY, worker.tidy),
            Job.BURY: _burial(app),
        }
        for line in Line:
            served = App(connector=app.connector)
            # One of the three is enough to see what is due by the clock.
            _register(served, units, is_leaving, keeps_time=line is Line.CHORES)
            parts.create_task(ending(_serve(served, line)))
        parts.create_task(ending(_pass_on(app, worker.context)))


async def _serve(app: App, line: Line) -> None:
    await app.run_worker_async(
        queues=[line],
        name=line,
        concurrency=_AT_ONCE[line],
        fetch_job_polling_interval=FETCH_POLL_SECONDS,
        shutdown_graceful_timeout=GRACE_SECONDS,
        stalled_worker_timeout=DEAD_AFTER_SECONDS,
        delete_jobs="always",
        install_signal_handlers=False,
    )
    raise QueueLost(line)


def _register(
    app: App, units: Mapping[Job, Unit], is_leaving: Callable[[], bool], *, keeps_time: bool
) -> None:
    for job, unit in units.items():
        plan = _PLANS[job]
        task = app.task(
            name=job,
            queue=plan.line,
            queueing_lock=job,
            lock=job if plan.is_alone else None,
        )(_task(unit, is_leaving))
        if keeps_time:
            app.periodic(cron=plan.due)(task)


def _task(unit: Unit, is_leaving: Callable[[], bool]) -> Callable[[int], Awaitable[None]]:
    async def run(timestamp: int = 0) -> None:  # when it was due, if a clock asked for it
        await drain(unit, is_leaving)

    return run


def _written_down(context: Context, job: Job, unit: Unit) -> Unit:
    """Answer the unit as one that leaves word of its beginning: by that the doctor sees that
    somebody works. Whose turn it is, the queue says.
    """

    async def begun() -> int:
        await context.database.write(chores.begin, job, timedelta(), context.clock())
        return await unit()

    return begun


def _burial(app: App) -> Unit:
    """Answer the unit that deletes the jobs of dead workers, or a sweep left by one would be the
    last: while its job is there, no other gets the lock.
    """

    async def bury() -> int:
        manager = app.job_manager
        left = list(await manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER_SECONDS))
        for job in left:
            log.warning("event=job-left-by-a-dead-worker job=%s", job.task_name)
            await manager.finish_job(job, Status.FAILED, delete_job=True)
        await manager.prune_stalled_workers(DEAD_AFTER_SECONDS)
        return len(left)

    return bury
