"""What can go wrong between us and the database, as a small tree; knows no table."""

from enum import StrEnum


class Trouble(StrEnum):
    """Why the database could not serve us."""

    LOCKED = "locked"
    FULL = "full"
    LOST = "lost"
    DAMAGED = "damaged"
    CONFLICTING = "conflicting"


class StoreError(Exception):
    """Any refusal of the store."""


class DatabaseUnavailable(StoreError):
    """The database cannot serve us now; the web answers 503 with Retry-After."""

    def __init__(self, reason: Trouble, detail: str) -> None:
        super().__init__(f"the database is unavailable ({reason}): {detail}")
        self.reason = reason
        self.detail = detail


class WroteWhileReading(StoreError):
    """A function given to `read` tried to write: a mistake of ours, never of a visitor."""


class UnsupportedDatabase(StoreError):
    """The database URL names something other than a SQLite file or PostgreSQL."""


class Conflict(StoreError):
    """The row is not in the state the caller believed it in; answered 409 to an admin."""


class SettingChanged(StoreError):
    """A setting that must never change disagrees with what the database remembers."""

    def __init__(self, name: str, stored: str, configured: str) -> None:
        super().__init__(
            f"{name} is {configured!r} but this letter was published under {stored!r}; "
            f"set it back, or start with an empty database"
        )
        self.name = name
        self.stored = stored
        self.configured = configured


class OriginChanged(SettingChanged):
    """The origin is part of every id we ever published."""


class UsernameChanged(SettingChanged):
    """The username is part of the actor's id, which other servers keep for ever."""
