"""The group commit: receipts that arrive together are stored in one transaction.

A row costs ten times more in a transaction of its own. Each `put` returns only when its row is
durable, so whatever was answered 202 survives a `kill -9`.
"""

import asyncio
from dataclasses import dataclass

from fedi_letter.store import receipts
from fedi_letter.store.database import Database, DatabaseUnavailable
from fedi_letter.store.receipts import NewReceipt

BATCH = 500


class SpoolFull(Exception):
    """More receipts wait for the disk than we are willing to hold in memory; answer 503."""


@dataclass(frozen=True)
class _Waiting:
    row: NewReceipt
    stored: "asyncio.Future[int]"


class Spool:
    """One writer; requests queue their rows and wait for the same commit."""

    def __init__(self, database: Database, *, limit: int = 5_000) -> None:
        self._database = database
        self._limit = limit
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def put(self, row: NewReceipt) -> int:
        """Answer the receipt's id once it is on disk.

        Raises SpoolFull, or DatabaseUnavailable when the commit failed.
        """
        if len(self._waiting) >= self._limit:
            raise SpoolFull
        stored: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(row, stored))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await stored

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            try:
                ids = await self._database.write(receipts.insert, [item.row for item in batch])
            except DatabaseUnavailable as unavailable:
                for item in batch:
                    _fail(item.stored, unavailable)
                continue
            for item, identifier in zip(batch, ids, strict=True):
                if not item.stored.done():  # the peer may have hung up meanwhile
                    item.stored.set_result(identifier)


def _fail(stored: "asyncio.Future[int]", problem: Exception) -> None:
    if not stored.done():
        stored.set_exception(problem)
