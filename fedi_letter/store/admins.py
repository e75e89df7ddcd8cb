"""Who may log in to the admin pages, and who is logged in; secrets are kept as hashes alone."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from fedi_letter.store import tables
from fedi_letter.store.statements import changed, columns_of, insert_into, many, one, touched


@dataclass(frozen=True)
class Admin:
    """Someone who may log in; `credential` is a hash whose form the web layer knows."""

    name: str
    credential: str
    created_at: datetime


@dataclass(frozen=True)
class Session:
    """Someone who is logged in; `digest` is the SHA-256 of their cookie's secret."""

    digest: str
    admin: str
    created_at: datetime
    expires_at: datetime


_ADMINS, _SESSIONS = tables.admins, tables.sessions


def add(connection: Connection, name: str, credential: str, now: datetime) -> bool:
    """Let somebody log in; False when the name is taken."""
    return changed(
        connection,
        insert_into(connection, _ADMINS)
        .values(name=name, credential=credential, created_at=now)
        .on_conflict_do_nothing(index_elements=["name"]),
    )


def replace(connection: Connection, name: str, credential: str) -> bool:
    """Give an admin a new credential and end their sessions; False for nobody of that name."""
    connection.execute(delete(_SESSIONS).where(_SESSIONS.c.admin == name))
    statement = update(_ADMINS).where(_ADMINS.c.name == name)
    return changed(connection, statement.values(credential=credential))


def remove(connection: Connection, name: str) -> bool:
    """Let them log in no more, and end their sessions; False for nobody of that name."""
    connection.execute(delete(_SESSIONS).where(_SESSIONS.c.admin == name))
    return changed(connection, delete(_ADMINS).where(_ADMINS.c.name == name))


def admin(connection: Connection, name: str) -> Admin | None:
    """Answer the admin of this name."""
    query = select(*columns_of(_ADMINS, Admin)).where(_ADMINS.c.name == name)
    return one(connection, query, Admin)


def admins(connection: Connection) -> list[Admin]:
    """Answer everybody who may log in, by name."""
    return many(connection, select(*columns_of(_ADMINS, Admin)).order_by(_ADMINS.c.name), Admin)


def open_session(connection: Connection, session: Session) -> None:
    """Remember that somebody logged in."""
    connection.execute(insert(_SESSIONS).values(vars(session)))


def session(connection: Connection, digest: str, now: datetime) -> Session | None:
    """Answer the session if it is not over and its admin may still log in."""
    query = (
        select(*columns_of(_SESSIONS, Session))
        .join(_ADMINS, _ADMINS.c.name == _SESSIONS.c.admin)
        .where(_SESSIONS.c.digest == digest, _SESSIONS.c.expires_at > now)
    )
    return one(connection, query, Session)


def close_session(connection: Connection, digest: str) -> bool:
    """End a session; False when there is none."""
    return changed(connection, delete(_SESSIONS).where(_SESSIONS.c.digest == digest))


def purge_sessions(connection: Connection, now: datetime) -> int:
    """Forget the sessions that are over; answers how many."""
    return touched(connection, delete(_SESSIONS).where(_SESSIONS.c.expires_at <= now))
