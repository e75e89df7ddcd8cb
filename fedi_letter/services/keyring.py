"""The public keys of others: cached, fetched once however many ask, refetched once on rotation.

1. A key that is on record is used without asking anybody.
2. A key that fails is looked up again at most once in ten minutes, so that a forger cannot make
   us knock at somebody's door (interop T25, T56).
3. A key id that proved false is not asked for again for ten minutes either.
"""

import asyncio
from collections import OrderedDict
from datetime import timedelta

from fedi_letter.httpsig.keys import PublicKey
from fedi_letter.httpsig.refusal import Refusal, SignatureRefused
from fedi_letter.remote.actors import FetchedKey, fetch_key
from fedi_letter.services.context import Context
from fedi_letter.services.people import record_of_fetched
from fedi_letter.store import actors, keys
from fedi_letter.store.database import Connection

PATIENCE = timedelta(minutes=10)
REMEMBERED = 20_000
ASKED_AT_ONCE = 64


class Keyring:
    """Answers public keys by id, from memory, the database or their owner's server."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: OrderedDict[str, PublicKey] = OrderedDict()
        self._asking: dict[str, asyncio.Task[PublicKey]] = {}
        self._slots = asyncio.Semaphore(ASKED_AT_ONCE)

    async def known(self, key_id: str) -> PublicKey | None:
        """Answer the key if it is on record; never asks the network."""
        if key_id in self._known:
            self._known.move_to_end(key_id)
            return self._known[key_id]
        row = await self._context.database.read(keys.key, key_id)
        if row is None:
            return None
        return self._remember(PublicKey(row.key_id, row.owner, row.material))

    async def on_record(self, key: PublicKey) -> PublicKey:
        """Answer the key as the database has it: another process may have learnt a newer one."""
        row = await self._context.database.read(keys.key, key.key_id)
        return (
            key if row is None else self._remember(PublicKey(row.key_id, row.owner, row.material))
        )

    async def learn(self, key_id: str) -> PublicKey:
        """Answer the key, asking its owner's server if need be.

        Raises SignatureRefused when what came back proves that the key is not what it claims,
        FetchFailed when the server could not be asked.
        """
        known = await self.known(key_id)
        return known if known is not None else await self._ask_once(key_id)

    async def relearn(self, key: PublicKey) -> PublicKey:
        """Answer the owner's present key after a signature failed with `key`.

        Raises SignatureRefused(signature-mismatch) when the server was asked a short while ago.
        """
        newer = await self.on_record(key)
        if newer.pem != key.pem:
            return newer
        now = self._context.clock()
        allowed = await self._context.database.write(
            keys.mark_refetched, key.key_id, now, now - PATIENCE
        )
        if not allowed:
            raise SignatureRefused(
                Refusal.SIGNATURE_MISMATCH, "the key was looked up again a short while ago"
            )
        return await self._ask_once(key.key_id)

    def _remember(self, key: PublicKey) -> PublicKey:
        self._known[key.key_id] = key
        self._known.move_to_end(key.key_id)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return key

    async def _ask_once(self, key_id: str) -> PublicKey:
        task = self._asking.get(key_id)
        if task is None:
            task = asyncio.create_task(self._ask(key_id))
            self._asking[key_id] = task
            task.add_done_callback(lambda done: self._asked(key_id, done))
        # Shielded: one caller's deadline must not cancel what others are waiting for.
        return await asyncio.shield(task)

    def _asked(self, key_id: str, task: "asyncio.Task[PublicKey]") -> None:
        self._asking.pop(key_id, None)
        if not task.cancelled():
            task.exception()  # retrieved, in case every caller has gone

    async def _ask(self, key_id: str) -> PublicKey:
        database, now = self._context.database, self._context.clock()
        miss = await database.read(keys.miss, key_id, now)
        if miss is not None:
            raise SignatureRefused(
                Refusal(miss.reason), "this key id proved false a short while ago"
            )
        try:
            async with self._slots:
                fetched = await fetch_key(self._context.client, key_id)
        except SignatureRefused as refused:
            await database.write(keys.put_miss, key_id, str(refused.reason), now + PATIENCE)
            raise
        await database.write(self._store, fetched)
        return self._remember(fetched.key)

    def _store(self, connection: Connection, fetched: FetchedKey) -> None:
        now = self._context.clock()
        key = fetched.key
        keys.put_key(connection, key.key_id, key.owner, key.pem, key.sha256, now)
        actors.put_actor(connection, record_of_fetched(fetched), now)
