"""Trip (a), second half, with the network: who sent a receipt, and what do they want?

1. The signature is judged by the receipt's arrival time, however long the key took to fetch.
2. Trouble of the network is never a verdict: the receipt waits and is tried again for a day.

What the believed sender wants is the business of `wishes`.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fedi_letter.activitypub.interpret import Ignored, Ours
from fedi_letter.activitypub.reading import (
    Activity,
    Malformed,
    read_activity,
    read_json,
)
from fedi_letter.httpsig.keys import PublicKey
from fedi_letter.httpsig.message import Message
from fedi_letter.httpsig.refusal import SignatureRefused
from fedi_letter.httpsig.verify import Claim, claim, verify
from fedi_letter.letter.effects import Verdict
from fedi_letter.letter.intents import AccountDeleted, Intent, PostDeleted
from fedi_letter.remote.actors import fetch_actor
from fedi_letter.remote.client import FetchFailed
from fedi_letter.services.context import Context
from fedi_letter.services.gathering import Gathering
from fedi_letter.services.keyring import Keyring, may_pass
from fedi_letter.services.people import record_of_fetched
from fedi_letter.services.wishes import (
    Passed,
    Wish,
    fetched_wish,
    forwarded_wish,
    is_missing,
    ours,
    own_wish,
)
from fedi_letter.store import actors
from fedi_letter.store.actors import Actor, ActorRecord, ActorState
from fedi_letter.store.receipts import Receipt

GIVE_UP_AFTER = timedelta(hours=24)
WAITS = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 300, 900, 1800, 3600))
PROFILE_FRESH_FOR = timedelta(days=1)
FETCHED = "fetched"
"""The scheme of a receipt that we fetched from its origin ourselves, so nobody signed it."""


@dataclass(frozen=True)
class Judged:
    """A verified wish, ready to be decided on."""

    receipt: Receipt
    actor_uri: str
    intent: Intent
    digest: str | None
    """Two receipts with the same digest are the same act delivered twice; None never is."""
    profiles: tuple[ActorRecord, ...] = ()
    steps: tuple[str, ...] = ()
    is_proved_late: bool = False
    """Whether the key came only now; `receipt.verified_by` names it, and is not yet on record."""


@dataclass(frozen=True)
class Settled:
    """A receipt of which nothing follows."""

    receipt: Receipt
    verdict: Verdict
    reason: str
    detail: str | None = None


@dataclass(frozen=True)
class Postponed:
    """A receipt that waits for somebody's server."""

    receipt: Receipt
    due_at: datetime
    reason: str
    detail: str | None = None


Judgement = Judged | Settled | Postponed


@dataclass(frozen=True)
class Known:
    """What was read for a whole batch at once: the letter's ids, and the actors who speak in it."""

    ours: Ours
    actors: Mapping[str, Actor]


class Judge:
    """Answers what a receipt means; asks the network, never writes what follows."""

    def __init__(self, context: Context, keyring: Keyring) -> None:
        self._context = context
        self._keyring = keyring
        self._met: Gathering[str, Actor] = Gathering(self._read_actors)

    async def recall(self, batch: Collection[Receipt]) -> Known:
        """Read what the judgements of a batch have in common, in three questions."""
        uris = {receipt.actor_uri for receipt in batch if receipt.actor_uri}
        await self._keyring.recall({receipt.key_id for receipt in batch if receipt.key_id})
        met = await self._context.database.read(actors.actors, uris)
        return Known(await ours(self._context), met)

    async def _read_actors(self, uris: Sequence[str]) -> Mapping[str, Actor]:
        return await self._context.database.read(actors.actors, uris)

    async def judge(self, receipt: Receipt, known: Known) -> Judgement:
        """Answer the wish behind a receipt, or why there is none, or when to look again."""
        try:
            return await self._judge(receipt, known)
        except SignatureRefused as refused:
            return Settled(receipt, Verdict.REFUSED, str(refused.reason), refused.detail)
        except Malformed as malformed:
            return Settled(receipt, Verdict.REFUSED, str(malformed.reason), malformed.detail)
        except FetchFailed as failed:
            return self._wait_or_give_up(receipt, failed)

    def _wait_or_give_up(self, receipt: Receipt, failed: FetchFailed) -> Judgement:
        now = self._context.clock()
        wait = WAITS[min(max(receipt.attempts, 1), len(WAITS)) - 1]
        if failed.retry_after is not None:
            wait = max(wait, min(failed.retry_after, timedelta(hours=6)))
        due_at = now + wait
        if may_pass(failed) and due_at <= receipt.received_at + GIVE_UP_AFTER:
            return Postponed(receipt, due_at, str(failed.problem), failed.detail)
        return Settled(receipt, Verdict.REFUSED, f"fetch-{failed.problem}", failed.detail)

    async def _judge(self, receipt: Receipt, known: Known) -> Judgement:
        if receipt.scheme == FETCHED:
            wish = await fetched_wish(self._context, receipt.body)
            return await self._conclude(receipt, wish, known, None)
        try:
            key = await self._signer(receipt)
        except (SignatureRefused, FetchFailed) as failed:
            return await self._farewell(receipt, failed)
        activity = read_activity(read_json(receipt.body))
        if activity.actor == key.owner:
            wish = await own_wish(self._context, activity, known.ours)
        else:
            wish = await forwarded_wish(self._context, activity)
        proved = replace(receipt, verified_by=receipt.verified_by or key.sha256)
        is_late = receipt.verified_by is None
        return await self._conclude(proved, wish, known, activity, is_late=is_late)

    async def _signer(self, receipt: Receipt) -> PublicKey:
        """Answer the key that signed, and with it who did."""
        origin = self._context.uris.origin
        message = Message("POST", receipt.target, _headers(receipt), receipt.body)
        claimed = claim(message, origin=origin, received_at=receipt.received_at)
        key = await self._keyring.learn(claimed.key_id)
        if receipt.verified_by is not None:
            return key
        try:
            verify(claimed, message, key, origin=origin)
        except SignatureRefused as refused:
            return await self._newer_key(claimed, message, refused)
        return key

    async def _newer_key(
        self, claimed: Claim, message: Message, refused: SignatureRefused
    ) -> PublicKey:
        """Answer the key that verifies after the one on record did not; raises `refused`."""
        old = await self._keyring.learn(claimed.key_id)
        try:
            newer = await self._keyring.relearn(old)
        except SignatureRefused:
            raise refused from None
        verify(claimed, message, newer, origin=self._context.uris.origin)
        return newer

    async def _farewell(
        self, receipt: Receipt, failed: SignatureRefused | FetchFailed
    ) -> Judgement:
        """A deleted account's key is gone with it: its origin's own word replaces the signature.

        Only a 410 (or a tombstone) says so at once; a 404 must still be there at the next look
        (interop C9).
        """
        activity = read_activity(read_json(receipt.body))
        if activity.type != "Delete" or activity.object_uri != activity.actor:
            raise failed
        try:
            await self._context.client.get_document(activity.actor)
        except FetchFailed as answer:
            if answer.is_gone or (is_missing(answer) and receipt.attempts > 1):
                digest = _digest_of(activity)
                return Judged(receipt, activity.actor, AccountDeleted(), digest, steps=("gone",))
            if is_missing(answer):
                due_at = self._context.clock() + timedelta(minutes=30)
                return Postponed(receipt, due_at, str(answer.problem), answer.detail)
            raise
        raise failed

    async def _conclude(
        self,
        receipt: Receipt,
        wish: Wish,
        known: Known,
        activity: Activity | None,
        *,
        is_late: bool = False,
    ) -> Judgement:
        if isinstance(wish.intent, Passed):
            return Settled(receipt, Verdict.NOTED, str(wish.intent))
        if isinstance(wish.intent, Ignored):
            return Settled(receipt, Verdict.NOTED, str(wish.intent.reason))
        profiles = wish.profiles
        if not any(profile.uri == wish.actor_uri for profile in profiles):
            profiles += await self._profile_of(wish, known)
        digest = None if activity is None else _digest_of(activity)
        return Judged(receipt, wish.actor_uri, wish.intent, digest, profiles, wish.steps, is_late)

    async def _profile_of(self, wish: Wish, batch: Known) -> tuple[ActorRecord, ...]:
        """A profile for whoever acts, fetched when none is on record or it is a day old."""
        if isinstance(wish.intent, AccountDeleted | PostDeleted):
            return ()
        known = batch.actors.get(wish.actor_uri)
        if known is None:  # perhaps met since, with the key
            known = await self._met.ask(wish.actor_uri)
        now = self._context.clock()
        if (
            known is not None
            and known.state is ActorState.LIVE
            and now - known.fetched_at < PROFILE_FRESH_FOR
        ):
            return ()
        try:
            fetched = await fetch_actor(self._context.client, wish.actor_uri)
        except FetchFailed:
            if known is None:
                raise
            return ()  # an old profile is better than none
        return (record_of_fetched(fetched),)


def _digest_of(activity: Activity) -> str | None:
    """What makes two deliveries the same act (interop C5).

    The id alone would lose Takahe's edits, which all carry one id; so what it is about counts too.
    A Follow has none: whoever asks again waits for our Accept.
    """
    if activity.type == "Follow":
        return None
    about = activity.document.get("object")
    facts = [activity.actor, activity.id, activity.type, about]
    if activity.id is None:
        facts.append(activity.document.get("published"))
    canonical = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def _headers(receipt: Receipt) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(value)) for name, value in json.loads(receipt.headers))
