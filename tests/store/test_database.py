"""The door to the database: reads cannot write, writes are whole or nothing, trouble has a name."""

import asyncio
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from fedi_letter.store import engines
from fedi_letter.store.database import ATTEMPTS, Database, upgrade
from fedi_letter.store.errors import (
    DatabaseUnavailable,
    Trouble,
    UnsupportedDatabase,
    WroteWhileReading,
)
from tests.databases import end_sessions
from tests.store.given import NOW

ADD = text("INSERT INTO chores (name, begun_at) VALUES (:name, :now)")


def _add(connection: Connection, name: str) -> str:
    connection.execute(ADD, {"name": name, "now": NOW.replace(tzinfo=None)})
    return threading.current_thread().name


def _add_and_fail(connection: Connection, name: str) -> None:
    _add(connection, name)
    raise LookupError("changed my mind")


def _names(connection: Connection) -> list[str]:
    return list(connection.execute(text("SELECT name FROM chores ORDER BY name")).scalars())


async def test_what_was_written_is_read(database: Database) -> None:
    await database.write(_add, "ada")
    assert await database.read(_names) == ["ada"]


async def test_a_read_cannot_write(database: Database) -> None:
    with pytest.raises(WroteWhileReading):
        await database.read(_add, "ada")
    assert await database.read(_names) == []


async def test_a_write_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(LookupError):
        await database.write(_add_and_fail, "ada")
    assert await database.read(_names) == []


async def test_our_own_mistakes_are_not_called_trouble_of_the_database(database: Database) -> None:
    await database.write(_add, "ada")
    with pytest.raises(IntegrityError):
        await database.write(_add, "ada")


async def test_ten_writers_at_once_all_get_through(database: Database) -> None:
    names = [f"admin-{number}" for number in range(10)]
    threads = await asyncio.gather(*(database.write(_add, name) for name in names))
    assert await database.read(_names) == names
    if database.is_sqlite:
        assert len(set(threads)) == 1, "SQLite has one writer"


def test_two_processes_may_write_the_same_file(database_url: str) -> None:
    names = [f"admin-{number:02}" for number in range(20)]
    with (
        Database(database_url) as one,
        Database(database_url) as other,
        ThreadPoolExecutor(10) as threads,
    ):
        writers = [one, other] * 10
        list(threads.map(lambda writer, name: writer.write_now(_add, name), writers, names))
        assert one.read_now(_names) == names


def test_a_read_sees_one_moment(database_url: str) -> None:
    with Database(database_url) as database:

        def ask_twice(connection: Connection) -> tuple[list[str], list[str]]:
            before = _names(connection)
            database.write_now(_add, "ada")
            return before, _names(connection)

        assert database.read_now(ask_twice) == ([], [])
        assert database.read_now(_names) == ["ada"]


def test_a_database_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    nowhere = f"sqlite:///{tmp_path / 'no' / 'folder' / 'letter.db'}"
    with Database(nowhere) as database, pytest.raises(DatabaseUnavailable):
        database.read_now(_names)
    silent = "postgresql://nobody@127.0.0.1:1/none"
    with Database(silent) as database, pytest.raises(DatabaseUnavailable) as refused:
        database.read_now(_names)
    assert refused.value.reason is Trouble.LOST


def test_a_file_that_is_no_database_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_bytes(b"this was never a database" * 200)
    url = f"sqlite:///{path}"
    with Database(url) as database, pytest.raises(DatabaseUnavailable) as refused:
        database.read_now(_names)
    assert refused.value.reason is Trouble.DAMAGED
    with pytest.raises(DatabaseUnavailable):
        upgrade(f"sqlite:///{path}")


def test_a_full_disk_is_named(sqlite_url: str) -> None:
    def fill(connection: Connection) -> None:
        connection.execute(text("PRAGMA max_page_count=1"))
        for number in range(10_000):
            _add(connection, f"admin-{number}")

    with Database(sqlite_url) as database:
        with pytest.raises(DatabaseUnavailable) as refused:
            database.write_now(fill)
        assert refused.value.reason is Trouble.FULL
        assert database.read_now(_names) == []


def test_only_what_undoes_a_write_is_kept_in_memory(sqlite_url: str) -> None:
    def temporary(connection: Connection) -> int:
        return int(connection.execute(text("PRAGMA temp_store")).scalar_one())

    in_memory, in_a_file_if_large = 2, 0
    with Database(sqlite_url) as database:
        assert database.write_now(temporary) == in_memory
        assert database.read_now(temporary) == in_a_file_if_large


def test_a_lock_that_is_not_given_back_is_named(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "PATIENCE_SECONDS", 0.05)
    holder = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with Database(sqlite_url) as database:
            with pytest.raises(DatabaseUnavailable) as refused:
                database.write_now(_add, "ada")
            assert refused.value.reason is Trouble.LOCKED
            assert database.read_now(_names) == [], "readers do not wait for writers"
    finally:
        holder.close()


def test_a_deadlock_is_tried_again(postgres_url: str) -> None:
    meeting = threading.Barrier(2)
    tries: list[str] = []

    def cross(connection: Connection, first: str, second: str) -> None:
        touch = text("UPDATE chores SET begun_at = begun_at WHERE name = :name")
        tries.append(first)
        connection.execute(touch, {"name": first})
        if len(tries) <= 2:
            meeting.wait(timeout=30)
        connection.execute(touch, {"name": second})

    with Database(postgres_url) as database, ThreadPoolExecutor(2) as threads:
        database.write_now(_add, "ada")
        database.write_now(_add, "bob")
        one = threads.submit(database.write_now, cross, "ada", "bob")
        other = threads.submit(database.write_now, cross, "bob", "ada")
        one.result(timeout=60)
        other.result(timeout=60)
    assert len(tries) == 3


async def test_connections_that_died_while_nobody_used_them_are_not_noticed(
    postgres_url: str,
) -> None:
    with Database(postgres_url) as database:
        for number in range(3):
            names = [f"{number}-{writer}" for writer in range(8)]
            written = [database.write(_add, name) for name in names]
            read = [database.read(_names) for _ in names]
            await asyncio.gather(*written, *read)
            end_sessions(postgres_url)
        assert len(await database.read(_names)) == 24


def test_a_write_whose_connection_dies_is_made_again_from_the_start(postgres_url: str) -> None:
    tries: list[str] = []

    def dying(connection: Connection) -> None:
        tries.append(_add(connection, "ada"))
        if len(tries) == 1:
            end_sessions(postgres_url)
        _add(connection, "bob")

    with Database(postgres_url) as database:
        database.write_now(dying)
        assert len(tries) == 2
        assert sorted(database.read_now(_names)) == ["ada", "bob"]


def test_a_read_whose_connection_dies_is_not_asked_again(postgres_url: str) -> None:
    """It may have told half of it to somebody already."""
    told: list[str] = []

    def dying(connection: Connection) -> None:
        told.extend(_names(connection))
        end_sessions(postgres_url)
        told.extend(_names(connection))

    with Database(postgres_url) as database:
        database.write_now(_add, "ada")
        with pytest.raises(DatabaseUnavailable) as caught:
            database.read_now(dying)
        assert caught.value.reason is Trouble.LOST
        assert told == ["ada"]
        assert database.read_now(_names) == ["ada"]


def test_a_commit_without_an_answer_is_not_made_again(postgres_url: str) -> None:
    tries: list[str] = []

    def dying_at_the_end(connection: Connection) -> None:
        tries.append(_add(connection, "ada"))
        end_sessions(postgres_url)

    with Database(postgres_url) as database:
        with pytest.raises(DatabaseUnavailable) as caught:
            database.write_now(dying_at_the_end)
        assert caught.value.reason is Trouble.LOST
        assert len(tries) == 1
        assert database.read_now(_names) == [], "and here nothing had been kept"


def test_a_database_that_keeps_ending_us_is_unavailable(postgres_url: str) -> None:
    tries: list[str] = []

    def dying(connection: Connection) -> None:
        tries.append(_add(connection, "ada"))
        end_sessions(postgres_url)
        _add(connection, "bob")

    with Database(postgres_url) as database:
        with pytest.raises(DatabaseUnavailable):
            database.write_now(dying)
        assert len(tries) == ATTEMPTS
        assert database.read_now(_names) == []


@pytest.mark.parametrize("url", ["mysql://host/letter", "sqlite://", "sqlite:///:memory:", "no"])
def test_other_databases_are_refused_with_a_way_out(url: str) -> None:
    with pytest.raises(UnsupportedDatabase):
        Database(url)


@pytest.mark.parametrize("name", ["postgres://h/d", "postgresql://h/d", "postgresql+psycopg://h/d"])
def test_every_spelling_of_postgresql_means_our_driver(name: str) -> None:
    assert engines.parse(name).drivername == "postgresql+psycopg"


def test_nothing_is_opened_before_the_first_question(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'letter.db'}")
    asyncio.run(database.close())
    assert list(tmp_path.iterdir()) == []
