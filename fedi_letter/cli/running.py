"""The commands that run: serve, web, worker, migrate."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import Iterator
from typing import Annotated

import typer
import uvicorn

from fedi_letter.app import House, asgi, ensure_published, work
from fedi_letter.cli.house import migrate, opened, run, settings
from fedi_letter.cli.output import progress, refuse, say
from fedi_letter.files import FilesRefused
from fedi_letter.settings import Settings
from fedi_letter.store.copying import copy
from fedi_letter.store.errors import StoreError
from fedi_letter.web.metrics import metrics_alone

Host = Annotated[str, typer.Option(help="address to listen on; 0.0.0.0 for all")]
Port = Annotated[int, typer.Option(help="port to listen on", min=0, max=65535)]
MetricsPort = Annotated[
    int | None,
    typer.Option(help="also show /metrics on this port of this machine", min=1, max=65535),
]

STOPPING_SECONDS = 5
METRICS_HOST = "127.0.0.1"


def serve(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Run everything in one process.

    Brings the database to this version's schema, makes the keys if there are none, publishes the
    letter if it never was, answers visitors and servers, judges what arrives and delivers.
    """
    found = settings()
    migrate(found)
    run(_web(found, host, port, everything=True))


def web(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Run the pages and the inbox alone, without the worker.

    Any number of them on PostgreSQL, beside at least one worker; run migrate first.
    """
    run(_web(settings(), host, port, everything=False))


def worker(metrics_port: MetricsPort = None) -> None:
    """Run the worker alone: judge, deliver, look again.

    Any number of them on PostgreSQL; run migrate first. Publishes the letter if it never was. What
    a worker counts is its own: to have it scraped, give each one on a machine its own port.
    """
    run(_worker(settings(), metrics_port))


def migrate_command(
    from_: Annotated[str | None, typer.Option("--from", help="database to move from")] = None,
    to: Annotated[str | None, typer.Option(help="database to move to, without a letter")] = None,
) -> None:
    """Bring the database to this version's schema, or move a letter to another database.

    Safe to repeat, and safe to start in several processes at once: they take turns.

    With --from and --to, copies the whole letter from one database (sqlite:///… or postgresql://…)
    into another that has none, reads every table back and compares. Stop serve, web and worker
    first, and set FEDI_LETTER_DATABASE_URL afterwards. It is moved whole or not at all; the
    database it comes from stays as it is.
    """
    found = settings()
    if from_ is None and to is None:
        migrate(found)
        say("the database has this version's schema")
        return
    if from_ is None or to is None:
        raise typer.BadParameter("--from and --to go together")
    _move(from_, to)


def _move(source: str, target: str) -> None:
    with progress("moving rows") as bar:
        task = bar.task_ids[0]
        try:
            moved = copy(
                source, target, lambda done, total: bar.update(task, completed=done, total=total)
            )
        except StoreError as refused:
            refuse(f"not moved: {refused}")
    for one in moved:
        say(f"{one.rows:>9} {one.table:<16} sha256 {one.sha256}")
    say("every table was read back and is the same; set FEDI_LETTER_DATABASE_URL to the new one")


class _Server(uvicorn.Server):
    """Ends in order: the house is closed after the last request, whatever signal came."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ask for an orderly end instead of raising the signal anew, which would skip it."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)


class _Metered(uvicorn.Server):
    """Leaves the signals to the worker, which it must not outlive."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def _web(found: Settings, host: str, port: int, *, everything: bool) -> None:
    async with opened(found) as house:
        if everything:
            await _publish_if_new(house, found)
        _settle_in()
        server = _Server(
            uvicorn.Config(
                asgi(house, with_worker=everything),
                host=host,
                port=port,
                interface="asgi3",
                loop="none",
                http="httptools",
                lifespan="on",
                log_level=found.log_level,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # nobody asks for the client's address but the metrics
                timeout_graceful_shutdown=STOPPING_SECONDS,
            )
        )
        say(f"the letter is at {house.context.uris.page} and as {house.context.uris.handle}")
        await server.serve()
        if not server.started:
            refuse(f"cannot listen on {host}:{port}; is something else running there?")


async def _worker(found: Settings, metrics_port: int | None) -> None:
    async with opened(found) as house:
        await _publish_if_new(house, found)
        _settle_in()
        working = asyncio.create_task(_working(house, found, metrics_port))
        loop = asyncio.get_running_loop()
        for stop in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(stop, working.cancel)
        say(f"working for {house.context.uris.handle}")
        with contextlib.suppress(asyncio.CancelledError):
            await working


async def _working(house: House, found: Settings, metrics_port: int | None) -> None:
    if metrics_port is None:
        await work(house)
        return
    app = metrics_alone(house.context, house.metrics_token)
    server = _Metered(
        uvicorn.Config(
            app,
            host=METRICS_HOST,
            port=metrics_port,
            loop="none",
            lifespan="off",
            log_level=found.log_level,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=STOPPING_SECONDS,
        )
    )
    async with asyncio.TaskGroup() as both:
        both.create_task(work(house))
        await server.serve()
        if not server.started:
            refuse(f"cannot listen on {METRICS_HOST}:{metrics_port}; is something running there?")


def _settle_in() -> None:
    """Have the collector of garbage leave alone what is here for good.

    It would walk through every module and table again and again: 45 of the 700 microseconds that a
    delivery costs beside its signature.
    """
    gc.collect()
    gc.freeze()


async def _publish_if_new(house: House, found: Settings) -> None:
    try:
        if await ensure_published(house, found):
            say("published the letter: revision 1")
    except FilesRefused as refused:
        refuse(*refused.problems)
