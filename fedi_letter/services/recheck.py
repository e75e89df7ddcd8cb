"""The sweep: asks origins whether what stands on the roll is still there (interop C8).

Some servers never tell us that a post was deleted or a boost undone. So each act is looked at
again every day for a week and then every week: twice 404 or 410, a day apart, is a withdrawal; a
changed post is an edit; refusals and trouble change nothing. Three absences say nothing:

1. A boost's 404: not every server serves its boosts under their ids. A 410 is a server that did.
2. That of a post of somebody who has moved house since: the old account may be closed.
3. Any, once the authors took the letter down: the roll is frozen (interop B12).
"""

import asyncio
import hashlib
import logging
from datetime import datetime, timedelta

from fedi_letter.activitypub.interpret import Ignored, Ours, interpret_post
from fedi_letter.activitypub.reading import Malformed, read_post
from fedi_letter.letter.decide import decide, decide_missing
from fedi_letter.letter.effects import Decision
from fedi_letter.letter.intents import Posted
from fedi_letter.letter.model import Way
from fedi_letter.remote.client import Fetched, FetchFailed, FetchProblem
from fedi_letter.services.apply import apply
from fedi_letter.services.context import Context
from fedi_letter.services.scene import Overtaken, Scene
from fedi_letter.services.wishes import ours
from fedi_letter.store import endorsements, letters, receipts, signatories
from fedi_letter.store.database import Connection
from fedi_letter.store.endorsements import StoredEndorsement
from fedi_letter.store.errors import Conflict
from fedi_letter.store.journal import Journal

log = logging.getLogger(__name__)

BATCH = 50
SECOND_LOOK = timedelta(hours=24)
WEEKLY = timedelta(days=7)
DAILY_LOOKS = 7
"""Looked at daily for a week, when most minds change, then weekly."""


class Rechecker:
    """Looks again at what is due."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def run_once(self) -> int:
        """Look at one batch; answers how many acts were looked at."""
        context = self._context
        due = await context.database.read(_due, context)
        if not due:
            return 0
        letter = await ours(context)
        await asyncio.gather(*(self._look(act, letter) for act in due))
        return len(due)

    async def _look(self, act: StoredEndorsement, letter: Ours) -> None:
        write = self._context.database.write
        try:
            fetched = await self._context.client.get_document(_address(act))
            edited = _edit_of(act, fetched, letter)
            await write(_still_there, self._context, act, edited)
        except Malformed:
            await write(_unclear, self._context, act)
        except FetchFailed as failed:
            await write(_missing if _tells(act, failed) else _unclear, self._context, act)
        except (Overtaken, Conflict):
            log.info("event=recheck-overtaken endorsement=%d", act.id)


def _due(connection: Connection, context: Context) -> list[StoredEndorsement]:
    letter = letters.letter(connection, context.letter_id)
    if letter is None or letter.retracted_at is not None:
        return []
    return endorsements.due_for_check(connection, context.clock(), BATCH)


def _address(act: StoredEndorsement) -> str:
    address = act.activity_uri if act.way is Way.BOOST else act.post_uri
    assert address is not None  # noqa: S101 - only acts with an address are ever due
    return address


def _tells(act: StoredEndorsement, failed: FetchFailed) -> bool:
    """Whether this answer says that the person took the act back."""
    if act.person_uri != act.actor_uri:
        return False
    is_missing = failed.problem is FetchProblem.NOT_FOUND and act.way is not Way.BOOST
    return failed.is_gone or is_missing


def _edit_of(act: StoredEndorsement, fetched: Fetched, letter: Ours) -> Posted | None:
    """Answer the post as it is now if that differs from what is on record, else None."""
    if act.way is Way.BOOST:
        return None
    posted = interpret_post(
        read_post(fetched.document),
        letter,
        actor=act.actor_uri,
        activity_uri=act.activity_uri,
        edited=True,
    )
    if isinstance(posted, Ignored) or not isinstance(posted, Posted):
        return None
    same_text = hashlib.sha256(posted.text.encode()).hexdigest() == act.text_sha256
    return None if same_text and posted.visibility is act.visibility else posted


def _still_there(
    connection: Connection, context: Context, act: StoredEndorsement, edited: Posted | None
) -> None:
    now = context.clock()
    _note(connection, act, now, missing_since=None)
    if edited is None:
        return
    standing = signatories.standings(connection, act.letter_id, {act.person_uri})[act.person_uri]
    decision = decide(standing, edited, context.policy, context.phrasebook, now)
    _carry_out(connection, context, act, decision)


def _missing(connection: Connection, context: Context, act: StoredEndorsement) -> None:
    now = context.clock()
    standing = signatories.standings(connection, act.letter_id, {act.person_uri})[act.person_uri]
    decision = decide_missing(standing, act.id, act.missing_since, now)
    _note(connection, act, now, missing_since=act.missing_since or now)
    _carry_out(connection, context, act, decision)
    if decision.effects:
        log.info("event=recheck endorsement=%d reason=%s", act.id, decision.reason)


def _unclear(connection: Connection, context: Context, act: StoredEndorsement) -> None:
    """A refusal or trouble at the origin: nothing changes, not even what was missing before."""
    _note(connection, act, context.clock(), missing_since=act.missing_since)


def _note(
    connection: Connection, act: StoredEndorsement, now: datetime, missing_since: datetime | None
) -> None:
    daily = act.checks + 1 < DAILY_LOOKS or missing_since is not None
    endorsements.checked(
        connection,
        act.id,
        checks_before=act.checks,
        missing_since=missing_since,
        next_check_at=now + (SECOND_LOOK if daily else WEEKLY),
    )


def _carry_out(
    connection: Connection, context: Context, act: StoredEndorsement, decision: Decision
) -> None:
    now = context.clock()
    scene = Scene(
        context=context,
        letter_id=act.letter_id,
        actor_uri=act.actor_uri,
        person_uri=act.person_uri,
        made_by="sweep",
        at=now,
        received_at=now,
        receipt=receipts.receipt(connection, act.receipt_id),
    )
    journal = Journal(connection, act.letter_id, now)
    apply(journal, scene, decision.effects)
    journal.write()
