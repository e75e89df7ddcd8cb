"""The admins' commands: the review queue, the roll, the blocks."""

import getpass
from typing import Annotated

import typer

from fedi_letter.app import House
from fedi_letter.cli.house import with_house
from fedi_letter.cli.output import instant, print_json, print_table, refuse, say, say_if_cut
from fedi_letter.letter.moderation import Move
from fedi_letter.services import blocking, moderate
from fedi_letter.services.moderate import Reviewed
from fedi_letter.services.refusals import ModerationRefused
from fedi_letter.store import moderation, roll
from fedi_letter.store import reports as report_rows
from fedi_letter.store.moderation import Block, QueueItem
from fedi_letter.store.reports import Report
from fedi_letter.store.roll import RollEntry
from fedi_letter.web.roll import entry_document

Json = Annotated[bool, typer.Option("--json", help="one JSON document for programs")]
Ids = Annotated[list[int], typer.Argument(help="ids shown by queue list")]
Why = Annotated[str | None, typer.Option("--reason", help="why; kept in the ledger")]
People = Annotated[list[str], typer.Argument(help="handles or actor ids")]

LISTED_AT_MOST = 10_000

queue = typer.Typer(help="The review queue.", no_args_is_help=True)
signatories = typer.Typer(help="The roll.", no_args_is_help=True)
block = typer.Typer(help="Domains and actors that are not heard.", no_args_is_help=True)


def me() -> str:
    """Answer who is at the keyboard, for the ledger."""
    return f"admin:{getpass.getuser()}"


@queue.command("list")
def queue_list(json: Json = False) -> None:
    """List what waits for review, oldest first, and why."""

    async def work(house: House) -> list[QueueItem]:
        context = house.context
        return await context.database.read(moderation.queue, context.letter_id, LISTED_AT_MOST)

    found = with_house(work)
    say_if_cut(found, LISTED_AT_MOST)
    if json:
        print_json([_queue_document(item) for item in found])
        return
    print_table(
        "review queue",
        ("id", "kind", "who", "reasons", "text", "waiting since"),
        [(i.id, i.kind, i.handle, ", ".join(i.reasons), i.text, i.received_at) for i in found],
    )


@queue.command("accept")
def queue_accept(ids: Ids, reason: Why = None) -> None:
    """Count these as signatures."""
    _review(ids, Move.ACCEPT, reason)


@queue.command("comment")
def queue_comment(ids: Ids, reason: Why = None) -> None:
    """Let these stand as conversation, not as signatures."""
    _review(ids, Move.COMMENT, reason)


@queue.command("reject")
def queue_reject(ids: Ids, reason: Why = None) -> None:
    """Neither show nor count these."""
    _review(ids, Move.REJECT, reason)


@queue.command("undo")
def queue_undo(
    action: Annotated[int, typer.Argument(help="the number an earlier command printed")],
) -> None:
    """Take back an earlier action.

    What has changed since is left as it is, and named.
    """

    async def work(house: House) -> Reviewed:
        try:
            return await moderate.undo(house.context, action, by=me())
        except ModerationRefused as refused:
            refuse(str(refused))

    _say_reviewed(with_house(work), "undone")


def _review(ids: list[int], move: Move, reason: str | None) -> None:
    async def work(house: House) -> Reviewed:
        return await moderate.review(house.context, ids, move, reason=reason, by=me())

    _say_reviewed(with_house(work), {"accept": "accepted", "reject": "rejected"}.get(move, "done"))


def _say_reviewed(reviewed: Reviewed, did: str) -> None:
    if reviewed.action_id is not None:
        say(f"action {reviewed.action_id}: {len(reviewed.done)} {did}")
        say(f"take it back with: fedi-letter queue undo {reviewed.action_id}")
    if reviewed.refused:
        refuse(*(f"{subject}: {why}" for subject, why in reviewed.refused))


def _queue_document(item: QueueItem) -> dict[str, object]:
    return {
        "id": item.id,
        "kind": item.kind,
        "actor": item.actor,
        "handle": item.handle,
        "text": item.text,
        "reasons": list(item.reasons),
        "received_at": instant(item.received_at),
        "state": item.state,
    }


@queue.command("reports")
def queue_reports(json: Json = False) -> None:
    """List what people reported, newest first.

    Reports about the letter or its posts; nothing follows from them by itself.
    """

    async def work(house: House) -> list[Report]:
        context = house.context
        return await context.database.read(report_rows.reports, context.letter_id, LISTED_AT_MOST)

    found = with_house(work)
    say_if_cut(found, LISTED_AT_MOST)
    if json:
        print_json(
            [
                {
                    "id": one.id,
                    "actor": one.actor_uri,
                    "comment": one.comment,
                    "objects": list(one.objects),
                    "received_at": instant(one.received_at),
                }
                for one in found
            ]
        )
        return
    print_table(
        "reports",
        ("id", "by", "comment", "about", "received"),
        [(r.id, r.actor_uri, r.comment, "\n".join(r.objects), r.received_at) for r in found],
    )


@signatories.command("list")
def signatories_list(
    search: Annotated[str | None, typer.Option(help="part of a name or handle")] = None,
    json: Json = False,
) -> None:
    """List the public roll, oldest first."""

    async def work(house: House) -> list[RollEntry]:
        context = house.context
        return await context.database.read(
            roll.roll_page, context.letter_id, 0, LISTED_AT_MOST, search
        )

    found = with_house(work)
    say_if_cut(found, LISTED_AT_MOST)
    if json:
        print_json([entry_document(entry) for entry in found])
        return
    print_table(
        "signatories",
        ("no.", "name", "handle", "via", "signed", "revision"),
        [(e.number, e.name, e.handle, ", ".join(e.via), e.signed_at, e.revision) for e in found],
    )


@signatories.command("remove")
def signatories_remove(people: People, reason: Why = None) -> None:
    """Take people off the roll.

    They cannot come back by signing again; see restore.
    """

    async def work(house: House) -> Reviewed:
        return await moderate.remove(house.context, people, reason=reason, by=me())

    _say_reviewed(with_house(work), "removed")


@signatories.command("restore")
def signatories_restore(people: People, reason: Why = None) -> None:
    """End the removal of people.

    Whoever still has a reply or boost that stands is listed again, under their old number.
    """

    async def work(house: House) -> Reviewed:
        return await moderate.restore(house.context, people, reason=reason, by=me())

    _say_reviewed(with_house(work), "restored")


@block.command("add")
def block_add(
    subject: Annotated[str, typer.Argument(help="a domain, a handle or an actor id")],
    reason: Why = None,
) -> None:
    """Block a domain (with all below it) or an actor.

    Nothing of theirs is heard but what takes something back, and nothing is sent to them; their
    signatures leave the roll until the block is removed. Nothing is destroyed.
    """

    async def work(house: House) -> Reviewed:
        try:
            return await blocking.add(house.context, subject, reason=reason, by=me())
        except ModerationRefused as refused:
            refuse(str(refused))

    done = with_house(work)
    say(f"blocked {subject}; {len(done.done)} signatures left the roll")


@block.command("remove")
def block_remove(
    subject: Annotated[str, typer.Argument(help="a domain, a handle or an actor id")],
) -> None:
    """End a block.

    What it took off the roll comes back, and so do the followers it passed over.
    """

    async def work(house: House) -> Reviewed:
        try:
            return await blocking.remove(house.context, subject, by=me())
        except ModerationRefused as refused:
            refuse(str(refused))

    done = with_house(work)
    say(f"unblocked {subject}; {len(done.done)} signatures came back")


@block.command("list")
def block_list(json: Json = False) -> None:
    """List the blocks."""

    async def work(house: House) -> list[Block]:
        return await house.context.database.read(moderation.blocks)

    found = with_house(work)
    if json:
        print_json(
            [
                {
                    "kind": one.kind,
                    "subject": one.subject,
                    "reason": one.reason,
                    "by": one.made_by,
                    "created_at": instant(one.created_at),
                }
                for one in found
            ]
        )
        return
    print_table(
        "blocks",
        ("kind", "subject", "reason", "by", "since"),
        [(b.kind, b.subject, b.reason or "", b.made_by, b.created_at) for b in found],
    )
