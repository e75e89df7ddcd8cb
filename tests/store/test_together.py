"""Changes that wait for the same disk: committed together, and yet each by itself."""

import asyncio
import threading
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text

from fedi_letter.store import engines
from fedi_letter.store.database import Database
from fedi_letter.store.errors import DatabaseUnavailable
from fedi_letter.store.together import MOST_AT_ONCE, Together
from tests.store.given import NOW

ADD = text("INSERT INTO chores (name, begun_at) VALUES (:name, :now)")


def add(connection: Connection, name: str) -> str:
    """Add a row and answer its name."""
    connection.execute(ADD, {"name": name, "now": NOW.isoformat()})
    return name


def add_and_fail(connection: Connection, name: str) -> None:
    """Add a row and think better of it."""
    add(connection, name)
    raise LookupError(name)


def names(connection: Connection) -> list[str]:
    """Answer the rows there are."""
    return list(connection.execute(text("SELECT name FROM chores ORDER BY name")).scalars())


async def test_what_fails_takes_nothing_of_the_others_along(sqlite_url: str) -> None:
    with Database(sqlite_url) as database:
        outcomes = await asyncio.gather(
            database.write(add, "a"),
            database.write(add_and_fail, "b"),
            database.write(add, "c"),
            database.write(add, "a"),
            database.write(add, "d"),
            return_exceptions=True,
        )
        assert [outcomes[n] for n in (0, 2, 4)] == ["a", "c", "d"]
        assert isinstance(outcomes[1], LookupError)
        assert "UNIQUE" in str(outcomes[3])
        assert await database.read(names) == ["a", "c", "d"]


def test_those_who_wait_share_one_commit_and_are_told_after_it(sqlite_url: str) -> None:
    engine = engines.writer(engines.parse(sqlite_url), 1)
    commits: list[int] = []
    event.listen(engine, "commit", lambda _: commits.append(1))
    gate = threading.Event()
    together = Together(engine, lambda error: error)
    first = together.submit(lambda _: gate.wait(30))
    rest = [together.submit(partial(add, name=f"{n:03}")) for n in range(MOST_AT_ONCE)]
    assert not any(one.done() for one in rest)
    gate.set()
    assert first.result(30)
    assert [one.result(30) for one in rest] == [f"{n:03}" for n in range(MOST_AT_ONCE)]
    together.close()
    assert len(commits) == 2
    engine.dispose()


def test_a_disk_without_room_keeps_none_and_says_so_to_all(sqlite_url: str) -> None:
    """SQLite then gives up the whole transaction by itself, savepoints and all."""
    with Database(sqlite_url) as database:
        database.write_now(add, "before")

        def fill(connection: Connection) -> None:
            connection.execute(text("PRAGMA max_page_count = 1"))
            connection.execute(
                text("INSERT INTO chores SELECT hex(randomblob(30)), begun_at FROM chores")
            )
            connection.execute(
                text(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)"
                    " INSERT INTO chores SELECT 'row ' || i, '' FROM n"
                )
            )

        with pytest.raises(DatabaseUnavailable, match="full"):
            database.write_now(fill)
        assert database.read_now(names) == ["before"]


def test_nothing_can_be_asked_for_after_the_end(tmp_path: Path) -> None:
    engine = engines.writer(engines.parse(f"sqlite:///{tmp_path / 'x.db'}"), 1)
    together = Together(engine, lambda error: error)
    together.close()
    with pytest.raises(RuntimeError):
        together.submit(lambda _: None)
    engine.dispose()
