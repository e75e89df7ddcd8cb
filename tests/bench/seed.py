"""Thousands of followers and signatories, written straight into the tables.

By the product's own table definitions, so that columns that have defaults may come and go.
"""

import itertools
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, select, update

from fedi_letter.store import tables
from tests.bench.letter import Letter
from tests.bench.people import loopback

BATCH = 5_000
NET = 2
TLS_NET = 3
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
DOCUMENT = b'{"type":"Person","summary":"' + b"x" * 600 + b'"}'

Row = dict[str, Any]


def inboxes(count: int, *, hosts: int, port: int, tls: bool = False) -> Iterator[tuple[str, str]]:
    """Answer so many inboxes, each with its host, spread evenly over loopback hosts."""
    scheme, net = ("https", TLS_NET) if tls else ("http", NET)
    for number in range(count):
        host = f"{loopback(number % hosts, net=net)}:{port}"
        yield f"{scheme}://{host}/inbox/{number}", host


def follow(letter: Letter, places: Iterable[tuple[str, str]]) -> None:
    """Let somebody follow the letter from each of these inboxes."""
    engine = _engine(letter)
    with engine.begin() as connection:
        letter_id = _letter_id(connection)
        rows = (
            {
                "letter_id": letter_id,
                "actor_uri": f"{inbox}/owner",
                "inbox": inbox,
                "host": host,
                "state": "live",
                "since": BEGINNING,
            }
            for inbox, host in places
        )
        _insert(connection, tables.followers, rows)
    engine.dispose()


def sign(letter: Letter, count: int) -> None:
    """Put so many people on the roll, who replied a minute after each other and have no inbox."""
    engine = _engine(letter)
    with engine.begin() as connection:
        letter_id = _letter_id(connection)
        revision_id = connection.execute(select(tables.revisions.c.id)).scalars().first()
        assert revision_id is not None
        owner = {"letter_id": letter_id, "revision_id": revision_id}
        numbers = range(1, count + 1)
        _insert(connection, tables.actors, (_actor(number) for number in numbers))
        _insert(connection, tables.endorsements, (_act(number, owner) for number in numbers))
        _insert(connection, tables.signatories, (_place(number, owner) for number in numbers))
        connection.execute(update(tables.letters).values(next_number=count + 1, roll_version=count))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()


def _engine(letter: Letter) -> Engine:
    url = letter.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    return create_engine(url)


def _letter_id(connection: Connection) -> int:
    identifier: int = connection.execute(select(tables.letters.c.id)).scalar_one()
    return identifier


def _insert(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    iterator = iter(rows)
    while batch := list(itertools.islice(iterator, BATCH)):
        connection.execute(table.insert(), batch)


def _uri(number: int) -> str:
    return f"https://server{number % 997}.example/users/person{number}"


def _actor(number: int) -> Row:
    host, handle = f"server{number % 997}.example", f"@person{number}@server{number % 997}.example"
    return {
        "uri": _uri(number),
        "host": host,
        "handle": handle,
        "nature": "person",
        "name": f"Person {number}",
        "search": f"{handle} person {number}",
        "url": f"https://{host}/@person{number}",
        "inbox": None,
        "suspended": False,
        "indexable": True,
        "hides_public": False,
        "hides_unlisted": False,
        "state": "live",
        "document": DOCUMENT,
        "fetched_at": _at(number),
        "first_seen_at": _at(number),
    }


def _act(number: int, owner: Row) -> Row:
    post = f"https://server{number % 997}.example/posts/{number}"
    return {
        **owner,
        "actor_uri": _uri(number),
        "person_uri": _uri(number),
        "way": "reply",
        "state": "standing",
        "reasons": "[]",
        "activity_uri": f"{post}/activity",
        "post_uri": post,
        "url": post,
        "target_uri": "seeded",
        "visibility": "public",
        "phrase": "i sign",
        "language": "en",
        "statement": f"Statement of person {number}.",
        "text": f"I sign. Statement of person {number}.",
        "html": f"<p>I sign. Statement of person {number}.</p>",
        "received_at": _at(number),
        "receipt_id": 0,
        "post_gone": False,
        "keep": False,
    }


def _place(number: int, owner: Row) -> Row:
    return {
        **owner,
        "person_uri": _uri(number),
        "number": number,
        "salt": number.to_bytes(16),
        "state": "listed",
        "signed_at": _at(number),
        "updated_at": _at(number),
    }


def _at(number: int) -> datetime:
    return BEGINNING + timedelta(minutes=number)
