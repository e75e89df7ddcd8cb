"""A PostgreSQL that keeps its word: as the tests' own server, but durable and on a disk."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.machine import on_cores
from tests.databases import Postgres, running

DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
    "max_connections": "100",
    "listen_addresses": "",
}


@contextlib.contextmanager
def durable_postgres(core: int) -> Iterator[Postgres]:
    """A server on this core for the time of the block."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-pg-") as programs,
        tempfile.TemporaryDirectory(prefix="bench-pg-") as folder,
        on_cores(core),
        running(Path(programs), Path(folder), DURABLE) as server,
    ):
        yield server
