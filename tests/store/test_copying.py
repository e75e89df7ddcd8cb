"""Moving a letter: nobody outside can tell, nothing is moved by half, nothing is overwritten."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from fedi_letter.store import tables
from fedi_letter.store.copying import CopyRefused, copy
from fedi_letter.store.database import Database, is_current, upgrade
from tests.trips.arrivals import follower, post
from tests.world import ACTOR, LETTER, World, open_world

SURFACES = (
    "/",
    "/signatories",
    "/signatories.json",
    "/signatories.csv",
    "/feed.atom",
    LETTER,
    f"{LETTER}/replies",
    f"{LETTER}/shares",
    ACTOR,
    f"{ACTOR}/outbox?page=1",
    f"{ACTOR}/followers",
)


def unheard(_done: int, _in_all: int) -> None:
    """Nobody watches."""


async def surfaces(world: World) -> dict[str, bytes]:
    """Answer everything the world can read, byte for byte, as page and as document."""
    accepts = ("text/html", "application/activity+json")
    return {
        f"{url} {accept}": (await world.request("GET", url, headers=(("Accept", accept),))).body
        for url in SURFACES
        for accept in accepts
    }


async def lived(world: World) -> None:
    """Let a few things happen: signatures, one withdrawn, a boost, a follower, an update."""
    ada, bob, eve = (world.fediverse.actor(f"{name}@far.example") for name in ("ada", "bob", "eve"))
    await follower(world, "fay@near.example")
    await ada.reply(LETTER, "I sign. Für die Bienen ☠️")
    deed = await bob.reply(LETTER, "I sign")
    await eve.boost(LETTER)
    await world.work()
    assert deed.note is not None
    await bob.delete(deed.note)
    await post(world)
    await world.work()


@pytest.fixture(params=["to-postgresql", "to-sqlite"])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """A migrated database to move from, and an empty one of the other kind to move to."""
    if request.param == "to-sqlite":
        return request.getfixturevalue("postgres_url"), f"sqlite:///{tmp_path / 'moved.db'}"
    return request.getfixturevalue("sqlite_url"), request.getfixturevalue("empty_postgres_url")


async def test_after_a_move_nobody_outside_can_tell(
    way: tuple[str, str], letter_keys: Path
) -> None:
    source, target = way
    async with open_world(source, letter_keys) as world:
        await lived(world)
        before, clock = await surfaces(world), world.clock
    moved = copy(source, target, unheard)
    assert {one.table for one in moved} == set(tables.metadata.tables)
    async with open_world(target, letter_keys, clock=clock) as world:
        assert await surfaces(world) == before
        assert [entry["number"] for entry in await world.roll()] == [1, 3]
        await world.fediverse.actor("gil@other.example").reply(LETTER, "I sign")
        await world.work()
        assert [entry["number"] for entry in await world.roll()] == [1, 3, 4]
    with pytest.raises(CopyRefused, match="already"):
        copy(source, target, unheard)


async def test_the_source_stays_as_it_was(
    sqlite_url: str, empty_postgres_url: str, letter_keys: Path
) -> None:
    async with open_world(sqlite_url, letter_keys) as world:
        await lived(world)
    before = stored(sqlite_url)
    told: list[tuple[int, int]] = []
    moved = copy(sqlite_url, empty_postgres_url, lambda *how_far: told.append(how_far))
    assert stored(sqlite_url) == before
    total = sum(one.rows for one in moved)
    assert told[-1] == (total, total)
    assert told == sorted(told)


def stored(sqlite_url: str) -> bytes:
    """Answer the bytes of the file."""
    return Path(sqlite_url.removeprefix("sqlite:///")).read_bytes()


async def test_a_letter_in_use_is_not_moved(way: tuple[str, str], letter_keys: Path) -> None:
    """What came in during the move would stay behind."""
    source, target = way
    async with open_world(source, letter_keys) as world:
        with pytest.raises(CopyRefused, match="stop serve"):
            copy(source, target, unheard)
        assert await world.roll() == []


def test_an_old_schema_is_not_moved(tmp_path: Path, empty_postgres_url: str) -> None:
    old = f"sqlite:///{tmp_path / 'old.db'}"
    upgrade(old)
    with Database(old) as database:
        database.write_now(_grow_old)
    with pytest.raises(CopyRefused, match="migrate"):
        copy(old, empty_postgres_url, unheard)


def _grow_old(connection: Connection) -> None:
    connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path, empty_postgres_url: str) -> None:
    missing = tmp_path / "missing.db"
    with pytest.raises(CopyRefused, match="there is no file"):
        copy(f"sqlite:///{missing}", empty_postgres_url, unheard)
    assert not missing.exists()
    with pytest.raises(CopyRefused, match="same"):
        copy(empty_postgres_url, empty_postgres_url, unheard)


async def test_what_cannot_be_moved_whole_is_not_moved_at_all(
    sqlite_url: str, empty_postgres_url: str, letter_keys: Path
) -> None:
    """PostgreSQL keeps to the lengths that SQLite only writes down."""
    async with open_world(sqlite_url, letter_keys) as world:
        await lived(world)
        await world.house.context.database.write(_spoil)
    with pytest.raises(CopyRefused, match="cannot hold"):
        copy(sqlite_url, empty_postgres_url, unheard)
    with Database(empty_postgres_url) as database:
        assert not database.read_now(is_current)


def _spoil(connection: Connection) -> None:
    """The last table to be copied, so that everything else was."""
    last = tables.metadata.sorted_tables[-1].name
    assert last == "versions"
    connection.execute(text("INSERT INTO versions VALUES (:long, 1)"), {"long": "x" * 61})
