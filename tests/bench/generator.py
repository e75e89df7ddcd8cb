"""Asks a server as fast as it answers: finished bytes over kept connections, a closed loop.

It must not be what is measured, so it forms and parses next to nothing; `Outcome.cpu_share` says
how much of its core it used, and `tests.bench.inbox` shows its rate against constant bytes.
"""

import asyncio
import gc
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import quantiles
from typing import cast

import uvloop

from tests.bench.machine import on_cores
from tests.bench.wire import end_of_message

CONNECTIONS = 64
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Outcome:
    """What came back: how many answers of each status, how long each took, in seconds."""

    elapsed: float
    statuses: Counter[int]
    latencies: list[float] = field(repr=False)
    cpu_share: float
    lost: int

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.elapsed

    def rate_of(self, status: int) -> float:
        """Answers of this status per second."""
        return self.statuses[status] / self.elapsed

    def percentile_ms(self, percent: int) -> float:
        """How many milliseconds this share of the answers took at most."""
        return quantiles(self.latencies, n=100)[percent - 1] * 1000


class _Run:
    """What the connections share: the requests left, the clock, and what came back."""

    def __init__(self, requests: Iterator[bytes], seconds: float, per_second: float | None) -> None:
        self.began_at = time.perf_counter()
        self.ended_at = self.began_at
        self.statuses: Counter[int] = Counter()
        self.latencies: list[float] = []
        self.lost = 0
        self._requests = requests
        self._ends_at = self.began_at + seconds
        self._gap = 1 / per_second if per_second else 0.0
        self._next_at = self.began_at

    def take(self) -> bytes | None:
        """Answer the next request; None when the time or the requests are over."""
        if time.perf_counter() > self._ends_at:
            return None
        return next(self._requests, None)

    def slot(self) -> float:
        """Answer when the next request is to leave: now, or by the rate asked for."""
        now = time.perf_counter()
        if not self._gap:
            return now
        self._next_at += self._gap
        return self._next_at

    def note(self, status: int, sent_at: float) -> None:
        """Count one answer."""
        self.ended_at = time.perf_counter()
        self.latencies.append(self.ended_at - sent_at)
        self.statuses[status] += 1


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, run: _Run, loop: asyncio.AbstractEventLoop) -> None:
        self.done: asyncio.Future[None] = loop.create_future()
        self._run = run
        self._loop = loop
        self._buffer = b""
        self._sent_at = 0.0
        self._is_waiting = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        # uvloop's transports are such by shape, not by class
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        """Take the answer, and send the next request when it is whole."""
        self._buffer = self._buffer + data if self._buffer else data
        end = end_of_message(self._buffer)
        if not end:
            return
        self._run.note(int(self._buffer[9:12]), self._sent_at)
        self._buffer = self._buffer[end:]
        self._is_waiting = False
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        """The server hung up, or we did at the end."""
        if self._is_waiting:
            self._run.lost += 1
        if not self.done.done():
            self.done.set_result(None)

    def _next(self) -> None:
        request = self._run.take()
        if request is None:
            self._transport.close()
            return
        self._sent_at = self._run.slot()
        wait = self._sent_at - time.perf_counter()
        if wait > 0:
            self._loop.call_later(wait, self._send, request)
        else:
            self._send(request)

    def _send(self, request: bytes) -> None:
        self._is_waiting = True
        self._transport.write(request)


async def _drive(
    port: int, requests: Iterator[bytes], seconds: float, per_second: float | None
) -> _Run:
    loop = asyncio.get_running_loop()
    run = _Run(requests, seconds, per_second)
    connections: list[_Connection] = []
    for _ in range(CONNECTIONS):
        _, connection = await loop.create_connection(
            lambda: _Connection(run, loop), "127.0.0.1", port
        )
        connections.append(connection)
    waiting = [connection.done for connection in connections]
    await asyncio.wait(waiting, timeout=seconds + PATIENCE_SECONDS)
    return run


def drive(
    port: int,
    requests: Iterator[bytes],
    *,
    core: int,
    seconds: float,
    per_second: float | None = None,
) -> Outcome:
    """Send these requests from one core until they or the seconds are over.

    With `per_second` requests leave at that rate at most, and an answer's time counts from when its
    request was to leave, so that a server that stalls cannot hide it.
    """
    gc.collect()
    gc.disable()
    busy, began = time.process_time(), time.perf_counter()
    try:
        with on_cores(core), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            run = runner.run(_drive(port, requests, seconds, per_second))
    finally:
        gc.enable()
    share = (time.process_time() - busy) / (time.perf_counter() - began)
    elapsed = max(run.ended_at - run.began_at, 1e-9)
    return Outcome(elapsed, run.statuses, run.latencies, share, run.lost)
