"""The product as its users run it: settings in the environment, and the command line.

A copy of a prepared letter costs a file copy (or a PostgreSQL template), so that every repetition
begins from the same state.
"""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.bench.machine import ALL_CORES, on_cores
from tests.bench.processes import (
    LOG_SHOWN,
    STARTS_WITHIN_SECONDS,
    ProcessFailed,
    Running,
    answers,
    running,
)
from tests.databases import Postgres

COMMAND_WITHIN_SECONDS = 120


@dataclass(frozen=True)
class Letter:
    """One letter: where its database is, and under which port the world sees it."""

    folder: Path
    keys: Path
    port: int
    database_url: str
    postgres: Postgres | None = None
    authority: Path | None = None

    @property
    def origin(self) -> str:
        """As the world sees it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Its settings."""
        trusted = {"SSL_CERT_FILE": str(self.authority)} if self.authority else {}
        return {
            "FEDI_LETTER_ORIGIN": self.origin,
            "FEDI_LETTER_DATABASE_URL": self.database_url,
            "FEDI_LETTER_KEYS": str(self.keys),
            "FEDI_LETTER_ALLOW_PRIVATE_ADDRESSES": "true",
            "FEDI_LETTER_LOG_LEVEL": "warning",
            **trusted,
        }

    def run(self, *arguments: str) -> str:
        """Answer what a command prints; raises ProcessFailed with what it said instead."""
        with on_cores(*ALL_CORES):
            done = subprocess.run(
                _command(*arguments),
                cwd=self.folder,
                env={**os.environ, **self.environment},
                capture_output=True,
                text=True,
                timeout=COMMAND_WITHIN_SECONDS,
            )
        if done.returncode != 0:
            raise ProcessFailed(f"fedi-letter {' '.join(arguments)}: {done.stderr[-LOG_SHOWN:]}")
        return done.stdout

    @contextlib.contextmanager
    def web(self, *cores: int, port: int | None = None) -> Iterator[Running]:
        """Run `web` until the block ends; it answers, on these cores, when the block begins.

        It may listen at another port than the one it is known by, as behind a proxy.
        """
        listening = port or self.port
        with self._running("web", ("web", "--port", str(listening)), None) as web:
            web.wait_for(
                lambda: answers(f"http://127.0.0.1:{listening}/healthz"),
                seconds=STARTS_WITHIN_SECONDS,
                what="the server",
            )
            web.pin(*cores)
            yield web

    @contextlib.contextmanager
    def worker(self, *cores: int) -> Iterator[Running]:
        """Run `worker` until the block ends."""
        with self._running("worker", ("worker",), cores) as worker:
            yield worker

    def prepare(self) -> None:
        """Bring the schema up and publish the letter."""
        self.run("migrate")
        with self.worker(*ALL_CORES) as worker:
            worker.wait_for(
                lambda: self.ask("SELECT count(*) FROM revisions") > 0,
                seconds=STARTS_WITHIN_SECONDS,
                what="the first revision",
            )

    def ask(self, query: str) -> int:
        """Answer the one number a query asks for."""
        if self.postgres is not None:
            with psycopg.connect(self.database_url) as connection:
                row = connection.execute(query.encode()).fetchone()
        else:
            with contextlib.closing(sqlite3.connect(self._file, timeout=30)) as opened:
                row = opened.execute(query).fetchone()
        assert row is not None
        return int(row[0])

    def copy(self, folder: Path) -> "Letter":
        """Answer a letter that begins where this one is now; nobody may be using this one."""
        folder.mkdir(parents=True)
        if self.postgres is not None:
            url = self.postgres.copy(self._name, folder.name)
            return replace(self, folder=folder, database_url=url)
        with contextlib.closing(sqlite3.connect(self._file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        copied = folder / "letter.db"
        shutil.copyfile(self._file, copied)
        return replace(self, folder=folder, database_url=f"sqlite:///{copied}")

    def drop(self) -> None:
        """Delete what it holds."""
        if self.postgres is not None:
            self.postgres.drop(self._name)
        shutil.rmtree(self.folder)

    @contextlib.contextmanager
    def copied(self, folder: Path) -> Iterator["Letter"]:
        """A copy for the time of the block."""
        one = self.copy(folder)
        try:
            yield one
        finally:
            one.drop()

    def trusting(self, authority: Path) -> "Letter":
        """The same, started so that it trusts this certificate authority."""
        return replace(self, authority=authority)

    @property
    def _file(self) -> Path:
        return Path(self.database_url.removeprefix("sqlite:///"))

    @property
    def _name(self) -> str:
        return urlsplit(self.database_url).path.removeprefix("/")

    @contextlib.contextmanager
    def _running(
        self, name: str, arguments: Sequence[str], cores: Sequence[int] | None
    ) -> Iterator[Running]:
        command = _command(*arguments)
        with running(
            name, command, folder=self.folder, cores=cores, environment=self.environment
        ) as process:
            yield process


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "fedi_letter.cli.main", *arguments]
