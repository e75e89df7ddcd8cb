"""Writes that wait for the same disk are committed together.

SQLite takes one transaction at a time, and each waits for the disk. Changes that come while one is
under way are therefore put into the next one, each behind a savepoint of its own:

1. A change is kept whole or not at all, whatever becomes of the others.
2. Nobody is told that a change is kept before the disk has it.
3. They are carried out in the order in which they were asked for.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine

MOST_AT_ONCE = 64

Change = Callable[[Connection], Any]


@dataclass
class _Asked:
    """One change, and what came of it."""

    change: Change
    future: "Future[Any]"
    answer: Any = None
    error: Exception | None = field(default=None)

    def tell(self) -> None:
        """Tell who asked."""
        if self.error is None:
            self.future.set_result(self.answer)
        else:
            self.future.set_exception(self.error)


class Together:
    """One thread that writes; `translate` makes our own errors of the driver's."""

    def __init__(self, engine: Engine, translate: Callable[[Exception], Exception]) -> None:
        self._engine = engine
        self._translate = translate
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-write")
        self._lock = threading.Lock()
        self._asked: deque[_Asked] = deque()
        self._is_writing = False

    def submit(self, change: Change) -> "Future[Any]":
        """Have a change carried out; raises RuntimeError when it is closed."""
        asked = _Asked(change, Future())
        with self._lock:
            self._asked.append(asked)
            if not self._is_writing:
                self._thread.submit(self._write)
                self._is_writing = True
        return asked.future

    def close(self) -> None:
        """Wait for what was asked for; nothing can be asked for afterwards."""
        self._thread.shutdown(wait=True)

    def _write(self) -> None:
        while batch := self._next():
            self._commit([one for one in batch if one.future.set_running_or_notify_cancel()])

    def _next(self) -> list[_Asked]:
        with self._lock:
            batch = [self._asked.popleft() for _ in range(min(MOST_AT_ONCE, len(self._asked)))]
            self._is_writing = bool(batch)
            return batch

    def _commit(self, batch: list[_Asked]) -> None:
        try:
            with self._engine.begin() as connection:
                if len(batch) == 1:  # it needs no savepoint to be kept whole or not at all
                    batch[0].answer = batch[0].change(connection)
                else:
                    for one in batch:
                        self._carry_out(connection, one)
        except Exception as error:
            for one in batch:
                one.error = self._translate(error)
        for one in batch:
            one.tell()

    def _carry_out(self, connection: Connection, one: _Asked) -> None:
        savepoint = connection.begin_nested()
        try:
            one.answer = one.change(connection)
        except Exception as error:
            one.error = self._translate(error)
            try:
                savepoint.rollback()
            except Exception:
                # The database has given up the whole transaction: all fail, and for this reason.
                raise error from None
        else:
            savepoint.commit()
