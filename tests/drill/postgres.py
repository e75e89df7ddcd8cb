"""A PostgreSQL server of one's own for a drill: on a disk of any size, stopped and started at will.

Durable against the death of its processes, unlike the one of the tests, and as fast otherwise.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from psycopg import sql

from tests.databases import SPEED, Postgres, running

SETTINGS = SPEED | {"synchronous_commit": "on", "max_connections": "200", "autovacuum": "on"}
NAME = "letter"


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """Run a server whose data and socket are in `folder`, with an empty database in it."""
    with (
        tempfile.TemporaryDirectory(prefix="letter-pg-") as programs,
        running(Path(programs), folder, SETTINGS) as server,
    ):
        server.tell(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))
        yield server
