"""Blocks: a domain with everything below it, or one actor, is not heard and not spoken to.

Blocking hides first: signatures leave the roll as one action that unblocking takes back, and
followers are passed over until then. Nothing is destroyed, because hasty blocks happen.
"""

from fedi_letter.activitypub.uris import OddUri, host_of
from fedi_letter.letter.moderation import decide_remove
from fedi_letter.services.context import Context
from fedi_letter.services.moderate import BLOCK, Reviewed, Stroke, person_called, undo_action
from fedi_letter.services.refusals import ModerationRefused
from fedi_letter.store import actors, deliveries, followers, ledger, moderation, roll
from fedi_letter.store.database import Connection
from fedi_letter.store.moderation import BlockKind

REASON = "blocked"


async def add(context: Context, subject: str, *, reason: str | None, by: str) -> Reviewed:
    """Block a domain, a handle or an actor id; raises ModerationRefused if it already is."""
    return await context.database.write(_add, context, subject, reason, by)


async def remove(context: Context, subject: str, *, by: str) -> Reviewed:
    """End a block and undo what it did to the roll; raises ModerationRefused if there is none."""
    return await context.database.write(_remove, context, subject, by)


def _add(
    connection: Connection, context: Context, subject: str, reason: str | None, by: str
) -> Reviewed:
    kind, named = _named(connection, subject)
    if not moderation.add_block(connection, kind, named, reason, by, context.clock()):
        raise ModerationRefused(f"{named} is blocked already; see fedi-letter block list")
    stroke = Stroke(connection, context, BLOCK, named, by)
    for person in _listed(connection, context, kind, named):
        stroke.carry_out(person, person, decide_remove)
    _silence(connection, context, kind, named)
    return stroke.result()


def _remove(connection: Connection, context: Context, subject: str, by: str) -> Reviewed:
    kind, named = _named(connection, subject)
    if not moderation.remove_block(connection, named):
        raise ModerationRefused(f"{named} is not blocked; see fedi-letter block list")
    _hear_again(connection, context, kind, named)
    action_id = ledger.latest_action(connection, context.letter_id, BLOCK, named)
    if action_id is None:
        return Reviewed(None)
    return undo_action(connection, context, action_id, by)


def _named(connection: Connection, subject: str) -> tuple[BlockKind, str]:
    """Answer what is meant: a url is an actor's id, `@` makes a handle, all else is a domain."""
    if subject.startswith(("http://", "https://")):
        return BlockKind.ACTOR, subject
    if "@" in subject:
        person = person_called(connection, subject)
        if person is None:
            raise ModerationRefused(f"we never met {subject}; block their actor id or their domain")
        return BlockKind.ACTOR, person
    try:
        return BlockKind.DOMAIN, host_of(f"https://{subject}/")
    except OddUri:
        raise ModerationRefused(f"{subject} is no domain, handle or actor id") from None


def _listed(connection: Connection, context: Context, kind: BlockKind, named: str) -> list[str]:
    if kind is BlockKind.DOMAIN:
        return roll.listed_on(connection, context.letter_id, named)
    return [named] if actors.actor(connection, named) is not None else []


def _silence(connection: Connection, context: Context, kind: BlockKind, named: str) -> None:
    """Nobody there is told anything any more.

    What is on its way to a domain is stopped when its turn comes, where every inbox is asked about.
    """
    if kind is BlockKind.DOMAIN:
        followers.drop_by_domain(connection, context.letter_id, named, REASON)
        return
    followers.drop(connection, context.letter_id, named, REASON)
    known = actors.actor(connection, named)
    if known is not None and known.inbox is not None:
        deliveries.abandon(connection, context.clock(), REASON, inbox=known.inbox)


def _hear_again(connection: Connection, context: Context, kind: BlockKind, named: str) -> None:
    """Followers we dropped ourselves do not know it, so they would wait for us in vain."""
    if kind is BlockKind.DOMAIN:
        followers.readmit_by_domain(connection, context.letter_id, named, REASON)
        return
    followers.readmit(connection, context.letter_id, named, REASON)
