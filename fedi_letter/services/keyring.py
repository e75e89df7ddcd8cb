"""The public keys of others: cached, fetched once however many ask, refetched once on rotation.

1. A key that is on record is used without asking anybody.
2. A key that fails is looked up again at most once in ten minutes, so that a forger cannot make
   us knock at somebody's door (interop T25, T56).
3. A key id that proved false, or names nothing that can be had, is not asked for again for ten
   minutes either.
4. A key that another process saw replaced is forgotten within a second.
5. A server that could not be asked has said nothing: that is never taken for a refusal.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from fedi_letter.activitypub.uris import origin_of
from fedi_letter.httpsig.keys import PublicKey
from fedi_letter.httpsig.refusal import Refusal, SignatureRefused
from fedi_letter.remote.actors import FetchedKey, fetch_key
from fedi_letter.remote.client import FetchFailed, FetchProblem
from fedi_letter.remote.manners import Turns
from fedi_letter.services.context import Context
from fedi_letter.services.freshness import Freshness
from fedi_letter.services.gathering import Gathering
from fedi_letter.services.people import record_of_fetched
from fedi_letter.store import actors, keys
from fedi_letter.store.database import Connection
from fedi_letter.store.keys import Miss, NewKey, StoredKey
from fedi_letter.store.versions import Thing

PATIENCE = timedelta(minutes=10)
REMEMBERED = 20_000
ASKED_AT_ONCE = 64
_FETCH_PROBLEMS = {problem.value: problem for problem in FetchProblem}


def may_pass(failed: FetchFailed) -> bool:
    """Whether asking again later can help.

    401 and 403 count: a server that checks who asks must fetch our key first, and may not have
    managed to yet.
    """
    return failed.is_transient or failed.problem is FetchProblem.FORBIDDEN


class Keyring:
    """Answers public keys by id, from memory, the database or their owner's server."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: OrderedDict[str, PublicKey] = OrderedDict()
        self._asking: dict[str, asyncio.Task[PublicKey]] = {}
        self._freshness = Freshness(context, Thing.KEYS)
        self._slots = asyncio.Semaphore(ASKED_AT_ONCE)
        self._turns = Turns()
        self._rows = Gathering(self._read_keys)
        self._misses = Gathering(self._read_misses)
        self._kept = Gathering(self._keep)

    async def known(self, key_id: str) -> PublicKey | None:
        """Answer the key if it is on record; never asks the network."""
        await self._freshness.check(self._known.clear)
        known = self._recalled(key_id)
        if known is not None:
            return known
        row = await self._rows.ask(key_id)
        if row is None:
            return None
        return self._remember(PublicKey(row.key_id, row.owner, row.material))

    def in_mind(self, key_id: str) -> PublicKey | None:
        """Answer the key if it can be had without asking anybody, not even the database."""
        return self._recalled(key_id) if self._freshness.is_fresh else None

    async def recall(self, key_ids: Collection[str]) -> None:
        """Bring those of the keys to mind that are on record, in one question."""
        await self._freshness.check(self._known.clear)
        missing = [key_id for key_id in key_ids if key_id not in self._known]
        if not missing:
            return
        for row in (await self._context.database.read(keys.keys, missing)).values():
            self._remember(PublicKey(row.key_id, row.owner, row.material))

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
        return known if known is not None else await self.fetch(key_id)

    async def fetch(self, key_id: str) -> PublicKey:
        """Answer the key from its owner's server, once however many ask; raises as `learn` does."""
        task = self._asking.get(key_id)
        if task is None:
            task = asyncio.create_task(self._ask(key_id))
            self._asking[key_id] = task
            task.add_done_callback(lambda done: self._asked(key_id, done))
        # Shielded: one caller's deadline must not cancel what others are waiting for.
        return await asyncio.shield(task)

    async def relearn(self, key: PublicKey) -> PublicKey:
        """Answer the owner's present key after a signature failed with `key`.

        Raises SignatureRefused(signature-mismatch) when the server gave us this very key a short
        while ago; FetchFailed when it could not be asked, now or a short while ago.
        """
        newer = await self.on_record(key)
        if newer.pem != key.pem:
            return newer
        now, write = self._context.clock(), self._context.database.write
        if await write(keys.mark_refetched, key.key_id, now, now - PATIENCE):
            return await self.fetch(key.key_id)
        await self._refuse_useless(key.key_id)
        row = await self._context.database.read(keys.key, key.key_id)
        asked_at = row.refetched_at if row else None
        if row is not None and asked_at is not None and asked_at > row.fetched_at:
            raise FetchFailed(
                FetchProblem.TIMEOUT, None, "no newer key came yet", asked_at + PATIENCE - now
            )
        raise SignatureRefused(
            Refusal.SIGNATURE_MISMATCH, "the key was looked up again a short while ago"
        )

    def _recalled(self, key_id: str) -> PublicKey | None:
        known = self._known.get(key_id)
        if known is not None:
            self._known.move_to_end(key_id)  # whoever came last is forgotten last
        return known

    def _remember(self, key: PublicKey) -> PublicKey:
        self._known[key.key_id] = key
        self._known.move_to_end(key.key_id)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return key

    def _asked(self, key_id: str, task: "asyncio.Task[PublicKey]") -> None:
        self._asking.pop(key_id, None)
        if not task.cancelled():
            task.exception()  # retrieved, in case every caller has gone

    async def _ask(self, key_id: str) -> PublicKey:
        database, until = self._context.database, self._context.clock() + PATIENCE
        await self._refuse_useless(key_id)
        try:
            # First the turn at its server: those who wait for one server take nobody else's slot.
            async with self._turns.turn(origin_of(key_id) or key_id), self._slots:
                fetched = await fetch_key(self._context.client, key_id)
        except SignatureRefused as refused:
            await database.write(keys.put_miss, key_id, str(refused.reason), until)
            raise
        except FetchFailed as failed:
            if not may_pass(failed):
                await database.write(keys.put_miss, key_id, str(failed.problem), until)
            raise
        await self._kept.ask(fetched)
        return self._remember(fetched.key)

    async def _refuse_useless(self, key_id: str) -> None:
        """Raise again what came of asking for this key id a short while ago (law 3)."""
        miss, now = await self._misses.ask(key_id), self._context.clock()
        if miss is None or miss.until - now > PATIENCE:  # the clock was set back since
            return
        why = "this key id proved useless a short while ago"
        if miss.reason in _FETCH_PROBLEMS:
            raise FetchFailed(_FETCH_PROBLEMS[miss.reason], None, why)
        raise SignatureRefused(Refusal(miss.reason), why)

    async def _read_keys(self, key_ids: Sequence[str]) -> Mapping[str, StoredKey]:
        return await self._context.database.read(keys.keys, key_ids)

    async def _read_misses(self, key_ids: Sequence[str]) -> Mapping[str, Miss]:
        return await self._context.database.read(keys.misses, key_ids, self._context.clock())

    async def _keep(self, fetched: Sequence[FetchedKey]) -> Mapping[FetchedKey, None]:
        await self._context.database.write(_store, fetched, self._context.clock())
        return {}


def _store(connection: Connection, fetched: Sequence[FetchedKey], now: datetime) -> None:
    """Store the keys, and their owners as they came with them."""
    found = [NewKey(k.key_id, k.owner, k.pem, k.sha256) for k in (one.key for one in fetched)]
    keys.put_keys(connection, found, now)
    look_new = actors.put_actors(connection, [record_of_fetched(one) for one in fetched], now)
    actors.roll_shows(connection, look_new)
