"""The group commit: receipts that arrive together are stored in one transaction.

1. A row costs ten times more in a transaction of its own. Each `put` returns only when its row is
   durable, so whatever was answered 202 survives a `kill -9`.
2. What waits for the disk is bounded, by number and by bytes, and no house may take it all: see
   `places`. Whoever finds no place is told to come again (503).
3. Whoever comes while the disk is busy waits for the next commit. Those who come at one moment are
   brought together before (see `arrivals`), so that the writer need not wait for more.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from fedi_letter.services.places import Places
from fedi_letter.store import receipts, spooled
from fedi_letter.store.database import Connection, Database, DatabaseUnavailable
from fedi_letter.store.receipts import NewReceipt

log = logging.getLogger(__name__)

BATCH = 256
PLACES = 5_000
PLACES_BYTES = 64_000_000
STRANGERS = ""
"""The house of everything that nobody vouches for: unsigned or refused."""
NEWCOMERS = "?"
"""The house of all whose key is not on record yet: anybody can name any host."""
_ROW_BYTES = 1_000
"""What a row weighs beside its body and its headers."""


class SpoolFull(Exception):
    """More receipts wait for the disk than we are willing to hold in memory; answer 503."""


class Unstorable(Exception):
    """The database cannot hold this receipt; answer 400."""


class _Waiting(NamedTuple):
    row: NewReceipt
    house: str
    size_bytes: int
    wants_id: bool
    stored: "asyncio.Future[Any]"


class Spool:
    """One writer; requests queue their rows and wait for the same commit."""

    def __init__(
        self,
        database: Database,
        *,
        places: int = PLACES,
        size_bytes: int = PLACES_BYTES,
    ) -> None:
        self._database = database
        self._places = Places(places, size_bytes)
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    def has_room(self, house: str, size_bytes: int) -> bool:
        """Whether a receipt of this house and size would be taken now."""
        return self._places.has_room(house, size_bytes + _ROW_BYTES)

    async def put(self, row: NewReceipt, house: str = STRANGERS) -> None:
        """Return when the receipt is on disk; `house` is the host that proved to have sent it.

        Raises SpoolFull, or DatabaseUnavailable when the commit failed.
        """
        stored = asyncio.get_running_loop().create_future()
        self.join(row, house, stored)
        await stored

    async def put_numbered(self, row: NewReceipt, house: str = STRANGERS) -> int:
        """The same, answering the receipt's id; dearer."""
        stored: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.join(row, house, stored, wants_id=True)
        return await stored

    def join(
        self,
        row: NewReceipt,
        house: str,
        stored: "asyncio.Future[Any]",
        *,
        wants_id: bool = False,
    ) -> None:
        """Queue the receipt; `stored` is told its id or None when it is on disk, or what failed.

        Raises SpoolFull.
        """
        size_bytes = len(row.body) + len(row.headers) + _ROW_BYTES
        if not self._places.has_room(house, size_bytes):
            raise SpoolFull
        self._places.take(house, size_bytes)
        self._waiting.append(_Waiting(row, house, size_bytes, wants_id, stored))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # those who were answered together come together
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            try:
                await self._commit(batch)
            except DatabaseUnavailable as unavailable:
                self._fail(batch, unavailable)
            except Exception:
                log.exception("event=spool-failed receipts=%d", len(batch))
                await self._one_by_one(batch)

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        ids = await self._database.write(_store, batch)
        for item, identifier in zip(batch, ids, strict=True):
            self._places.leave(item.house, item.size_bytes)
            if not item.stored.done():  # the peer may have hung up meanwhile
                item.stored.set_result(identifier)

    async def _one_by_one(self, batch: Sequence[_Waiting]) -> None:
        """Store each by itself: what the database cannot hold must not keep the others out."""
        for item in batch:
            try:
                await self._commit([item])
            except DatabaseUnavailable as unavailable:
                self._fail([item], unavailable)
            except Exception as error:
                log.exception("event=receipt-unstorable")
                self._fail([item], Unstorable(str(error)))

    def _fail(self, batch: Sequence[_Waiting], problem: Exception) -> None:
        for item in batch:
            self._places.leave(item.house, item.size_bytes)
            if not item.stored.done():
                item.stored.set_exception(problem)


def _store(connection: Connection, batch: Sequence[_Waiting]) -> list[int | None]:
    """Store all of them, and answer the ids of those who want them in their places."""
    spooled.store(connection, [item.row for item in batch if not item.wants_id])
    numbered = receipts.insert(connection, [item.row for item in batch if item.wants_id])
    ids = iter(numbered)
    return [next(ids) if item.wants_id else None for item in batch]
