"""Trip (a), second half, with the network: who sent a receipt, and what do they want?

1. The signature is judged by the receipt's arrival time, however long the key took to fetch.
2. The signer speaks for itself only. What it forwards of others is fetched from its origin and
   only that copy is used (interop C3); what cannot be fetched again is ignored.
3. Trouble of the network is never a verdict: the receipt waits and is tried again for a day.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from fedi_letter.activitypub.interpret import (
    Dereference,
    Ignored,
    IgnoredReason,
    Ours,
    interpret,
    interpret_post,
)
from fedi_letter.activitypub.reading import (
    Activity,
    Malformed,
    Post,
    read_activity,
    read_actor,
    read_json,
    read_post,
)
from fedi_letter.activitypub.uris import same_origin
from fedi_letter.httpsig.keys import PublicKey
from fedi_letter.httpsig.message import Message
from fedi_letter.httpsig.refusal import SignatureRefused
from fedi_letter.httpsig.verify import Claim, claim, verify
from fedi_letter.letter.effects import Verdict
from fedi_letter.letter.intents import AccountDeleted, Intent, Moved, PostDeleted, ProfileChanged
from fedi_letter.remote.actors import fetch_actor
from fedi_letter.remote.client import FetchFailed, FetchProblem
from fedi_letter.services.context import Context
from fedi_letter.services.keyring import Keyring, may_pass
from fedi_letter.services.people import record_of, record_of_fetched
from fedi_letter.store import actors, letters
from fedi_letter.store.actors import ActorRecord, ActorState
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


class Passed(StrEnum):
    """Why nothing follows from what was sent truthfully, beside `IgnoredReason`."""

    FORWARDED = "forwarded"
    MOVE_NOT_CONFIRMED = "move-not-confirmed"
    STILL_AT_ORIGIN = "still-at-origin"


@dataclass(frozen=True)
class _Wish:
    actor_uri: str
    intent: Intent | Ignored | Passed
    profiles: tuple[ActorRecord, ...] = ()
    steps: tuple[str, ...] = ()


async def ours(context: Context) -> Ours:
    """Answer the set of ids by which servers name the letter and its updates."""
    targets = await context.database.read(letters.targets, context.letter_id)
    return Ours(context.uris, targets)


class Judge:
    """Answers what a receipt means; asks the network, never writes what follows."""

    def __init__(self, context: Context, keyring: Keyring) -> None:
        self._context = context
        self._keyring = keyring

    async def judge(self, receipt: Receipt) -> Judgement:
        """Answer the wish behind a receipt, or why there is none, or when to look again."""
        try:
            return await self._judge(receipt)
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

    async def _judge(self, receipt: Receipt) -> Judgement:
        if receipt.scheme == FETCHED:
            return await self._conclude(receipt, await self._read_fetched(receipt), None)
        try:
            key = await self._signer(receipt)
        except (SignatureRefused, FetchFailed) as failed:
            return await self._farewell(receipt, failed)
        activity = read_activity(read_json(receipt.body))
        if activity.actor == key.owner:
            wish = await self._own_wish(activity)
        else:
            wish = await self._forwarded_wish(activity)
        proved = replace(receipt, verified_by=receipt.verified_by or key.sha256)
        return await self._conclude(proved, wish, activity, is_late=receipt.verified_by is None)

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
            if answer.is_gone or (_is_missing(answer) and receipt.attempts > 1):
                digest = _digest_of(activity)
                return Judged(receipt, activity.actor, AccountDeleted(), digest, steps=("gone",))
            if _is_missing(answer):
                due_at = self._context.clock() + timedelta(minutes=30)
                return Postponed(receipt, due_at, str(answer.problem), answer.detail)
            raise
        raise failed

    async def _own_wish(self, activity: Activity) -> _Wish:
        """What the signer wants for itself."""
        wish = interpret(activity, await ours(self._context))
        match wish:
            case Dereference():
                return await self._dereferenced(activity, wish)
            case Moved():
                return await self._move(activity.actor, wish)
            case ProfileChanged():
                return await self._profile(activity, wish)
            case _:
                return _Wish(activity.actor, wish)

    async def _dereferenced(self, activity: Activity, wish: Dereference) -> _Wish:
        if not same_origin(wish.uri, activity.actor):
            return _Wish(activity.actor, Ignored(IgnoredReason.FOREIGN_OBJECT))
        fetched = await self._context.client.get_document(wish.uri)
        intent = await self._posted(
            read_post(fetched.document), activity.actor, activity.id, edited=wish.edited
        )
        return _Wish(activity.actor, intent, steps=(f"fetched {wish.uri}",))

    async def _posted(
        self, post: Post, actor_uri: str, activity_uri: str | None, *, edited: bool
    ) -> Intent | Ignored:
        return interpret_post(
            post,
            await ours(self._context),
            actor=actor_uri,
            activity_uri=activity_uri,
            edited=edited,
        )

    async def _move(self, actor_uri: str, moved: Moved) -> _Wish:
        """The new home must name the old one, or anybody could inherit a signature."""
        fetched = await fetch_actor(self._context.client, moved.new_actor)
        if actor_uri not in fetched.actor.also_known_as:
            return _Wish(actor_uri, Passed.MOVE_NOT_CONFIRMED)
        return _Wish(actor_uri, moved, (record_of_fetched(fetched),), ("new home confirmed",))

    async def _profile(self, activity: Activity, changed: ProfileChanged) -> _Wish:
        if activity.object is not None and activity.object.get("inbox"):
            actor = read_actor(activity.object)
            if actor.uri == activity.actor:
                body = json.dumps(activity.object, ensure_ascii=False).encode()
                return _Wish(activity.actor, changed, (record_of(actor, body),))
        fetched = await fetch_actor(self._context.client, activity.actor)
        return _Wish(activity.actor, changed, (record_of_fetched(fetched),))

    async def _forwarded_wish(self, activity: Activity) -> _Wish:
        """What somebody else's server passed on: only the origin's own copy counts."""
        match activity.type:
            case "Create" | "Update" if activity.object_uri:
                return await self._refetched_post(activity.object_uri, activity.type == "Update")
            case "Delete" if activity.object_uri:
                return await self._refetched_delete(activity.actor, activity.object_uri)
            case "Announce" if activity.id and "#" not in activity.id:
                return await self._refetched_activity(activity.id)
            case _:
                return _Wish(activity.actor, Passed.FORWARDED)

    async def _refetched_post(self, uri: str, edited: bool) -> _Wish:
        fetched = await self._context.client.get_document(uri)
        post = read_post(fetched.document)
        author = post.attributed_to[0] if post.attributed_to else ""
        intent = await self._posted(post, author, None, edited=edited)
        return _Wish(author, intent, steps=(f"fetched {uri} from its origin",))

    async def _refetched_activity(self, uri: str) -> _Wish:
        fetched = await self._context.client.get_document(uri)
        activity = read_activity(fetched.document)
        if not same_origin(uri, activity.actor) or activity.type != "Announce":
            return _Wish(activity.actor, Ignored(IgnoredReason.FOREIGN_OBJECT))
        wish = interpret(activity, await ours(self._context))
        intent = Passed.FORWARDED if isinstance(wish, Dereference) else wish
        return _Wish(activity.actor, intent, steps=(f"fetched {uri} from its origin",))

    async def _refetched_delete(self, actor_uri: str, uri: str) -> _Wish:
        """FEP-4f05: a forwarded Delete is true only when the origin says so too."""
        if not same_origin(actor_uri, uri):
            return _Wish(actor_uri, Ignored(IgnoredReason.FOREIGN_OBJECT))
        try:
            await self._context.client.get_document(uri)
        except FetchFailed as answer:
            if not (answer.is_gone or _is_missing(answer)):
                raise
            gone = AccountDeleted() if uri == actor_uri else PostDeleted(uri)
            return _Wish(actor_uri, gone, steps=(f"{uri} is gone at its origin",))
        return _Wish(actor_uri, Passed.STILL_AT_ORIGIN)

    async def _read_fetched(self, receipt: Receipt) -> _Wish:
        """A post or boost that never arrived, which we fetched ourselves (`trace`)."""
        document = read_json(receipt.body)
        identifier = str(document.get("id"))
        match document.get("type"):
            case "Announce":
                return await self._refetched_activity(identifier)
            case "Create":
                identifier = read_activity(document).object_uri or identifier
            case _:
                pass
        return await self._refetched_post(identifier, edited=False)

    async def _conclude(
        self,
        receipt: Receipt,
        wish: _Wish,
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
            profiles += await self._profile_of(wish)
        digest = None if activity is None else _digest_of(activity)
        return Judged(receipt, wish.actor_uri, wish.intent, digest, profiles, wish.steps, is_late)

    async def _profile_of(self, wish: _Wish) -> tuple[ActorRecord, ...]:
        """A profile for whoever acts, fetched when none is on record or it is a day old."""
        if isinstance(wish.intent, AccountDeleted | PostDeleted):
            return ()
        known = await self._context.database.read(actors.actor, wish.actor_uri)
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


def _is_missing(answer: FetchFailed) -> bool:
    return answer.problem is FetchProblem.NOT_FOUND
