"""What the authors chose: which acts sign, what a plain reply is, who is admitted at once."""

from pathlib import Path

from fedi_letter.letter.moderation import Move
from fedi_letter.services.moderate import review
from tests.trips.looks import is_nowhere, note_of, queue, queued, total
from tests.world import LETTER, open_world


async def test_where_only_replies_sign_a_boost_is_counted_as_a_share(
    database_url: str, letter_keys: Path
) -> None:
    async with open_world(database_url, letter_keys, sign_by="reply") as world:
        ada = world.fediverse.actor("ada@far.example")
        bob = world.fediverse.actor("bob@far.example")
        await ada.reply(LETTER, "I sign")
        await bob.boost(LETTER)
        await world.work()
        assert await world.signed() == [ada.handle]
        assert await total(world, "shares") == 1


async def test_where_only_boosts_sign_a_reply_signs_nothing(
    database_url: str, letter_keys: Path
) -> None:
    async with open_world(database_url, letter_keys, sign_by="boost") as world:
        ada = world.fediverse.actor("ada@far.example")
        bob = world.fediverse.actor("bob@far.example")
        await ada.reply(LETTER, "I sign")
        await bob.boost(LETTER)
        await world.work()
        assert await world.signed() == [bob.handle]
        assert await queue(world) == []


async def test_where_plain_replies_sign_doubt_is_still_for_a_human(
    database_url: str, letter_keys: Path
) -> None:
    async with open_world(database_url, letter_keys, plain_replies="sign") as world:
        ada = world.fediverse.actor("ada@far.example")
        eve = world.fediverse.actor("eve@far.example")
        pat = world.fediverse.actor("pat@far.example")
        await ada.reply(LETTER, "Art is work.")
        await eve.reply(LETTER, "I do not sign.")
        await pat.reply(LETTER, "Should I sign this?")
        await world.work()
        [entry] = await world.roll()
        assert (entry["handle"], entry["statement"]) == (ada.handle, "Art is work.")
        assert await queued(world) == {eve.handle: "held", pat.handle: "held"}


async def test_where_plain_replies_are_comments_they_are_shown_after_review_and_never_counted(
    database_url: str, letter_keys: Path
) -> None:
    async with open_world(database_url, letter_keys, plain_replies="comment") as world:
        ada = world.fediverse.actor("ada@far.example")
        deed = await ada.reply(LETTER, "Have you thought of the platypus?")
        await world.work()
        await is_nowhere(world, "platypus", ada.handle, note_of(deed).uri)
        [item] = await queue(world)
        context = world.house.context
        refused = await review(context, [item.id], Move.ACCEPT, reason=None, by="admin:root")
        assert refused.done == ()
        await review(context, [item.id], Move.COMMENT, reason=None, by="admin:root")
        assert "platypus" in await world.page()
        assert await world.signed() == []


async def test_where_admission_is_held_every_signature_waits(
    database_url: str, letter_keys: Path
) -> None:
    async with open_world(database_url, letter_keys, admission="hold") as world:
        ada = world.fediverse.actor("ada@far.example")
        bob = world.fediverse.actor("bob@far.example")
        await ada.reply(LETTER, "I sign. Platypus.")
        await bob.boost(LETTER)
        await world.work()
        assert await world.signed() == []
        await is_nowhere(world, "Platypus", ada.handle, bob.handle)
        items = await queue(world)
        assert {item.handle for item in items} == {ada.handle, bob.handle}
        ids = [item.id for item in items]
        await review(world.house.context, ids, Move.ACCEPT, reason=None, by="admin:root")
        assert set(await world.signed()) == {ada.handle, bob.handle}
