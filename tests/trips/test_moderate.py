"""Admins decide, change their minds and block."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from fedi_letter.demo.people import Person
from fedi_letter.demo.server import Trouble
from fedi_letter.letter.moderation import Move
from fedi_letter.services import blocking, updates
from fedi_letter.services.moderate import Reviewed, remove, restore, review, undo
from fedi_letter.services.refusals import ModerationRefused
from fedi_letter.store import moderation
from fedi_letter.store.moderation import QueueItem
from tests.trips.arrivals import arrived, follower, followers_total, posted, recovered
from tests.world import HANDLE, LETTER, World, open_world

MARA, OMAR = "admin:mara", "admin:omar"


async def waiting(world: World) -> list[QueueItem]:
    """What waits for an admin, oldest first."""
    context = world.house.context
    return await context.database.read(moderation.queue, context.letter_id, 1_000)


async def held(
    world: World,
    handle: str = "ada@far.example",
    text: str = "Quite a letter.",
    visibility: str = "public",
) -> tuple[Person, int]:
    """Somebody whose reply waits for an admin, and its number in the queue."""
    person = world.fediverse.actor(handle)
    await person.reply(LETTER, text, visibility=visibility)
    await world.work()
    return person, (await waiting(world))[-1].id


async def decide(world: World, move: Move, *ids: int, by: str = MARA) -> Reviewed:
    """One admin's decision."""
    return await review(world.house.context, ids, move, reason=None, by=by)


async def signatory(world: World, handle: str, *, text: str = "I sign.") -> Person:
    """Somebody on the roll."""
    person = world.fediverse.actor(handle)
    await person.reply(LETTER, text)
    await world.work()
    assert person.handle in await world.signed()
    return person


async def take_back(world: World, done: Reviewed, by: str = MARA) -> Reviewed:
    """Undo an action that did something."""
    assert done.action_id is not None
    return await undo(world.house.context, done.action_id, by=by)


async def comments(world: World) -> list[str]:
    """The posts the letter lists as replies."""
    replies = await world.document(f"{LETTER}/replies")
    items: list[str] = replies["first"]["items"]
    return items


async def numbers(world: World) -> dict[str, int]:
    """The roll's numbers by handle."""
    return {entry["handle"]: entry["number"] for entry in await world.roll()}


async def test_an_accepted_reply_signs_and_undoing_puts_it_back(world: World) -> None:
    ada, id = await held(world)
    assert await world.signed() == []
    assert ada.handle not in await world.everything_public()
    done = await decide(world, Move.ACCEPT, id)
    assert (done.done, done.refused) == ((str(id),), ())
    [entry] = await world.roll()
    assert (entry["handle"], entry["via"]) == (ada.handle, ["reply"])
    assert ada.handle in await world.page("/signatories")
    assert await waiting(world) == []
    assert (await take_back(world, done)).done == (ada.uri,)
    assert await world.signed() == []
    assert [item.id for item in await waiting(world)] == [id]
    await decide(world, Move.ACCEPT, id)
    assert await numbers(world) == {ada.handle: 2}  # no public number is used twice


async def test_a_comment_is_shown_and_never_counted_and_undoing_hides_it(world: World) -> None:
    ada, id = await held(world)
    post = (await waiting(world))[0].post_uri
    done = await decide(world, Move.COMMENT, id)
    assert await comments(world) == [post]
    assert "Quite a letter." in await world.page()
    assert await world.signed() == []
    await take_back(world, done)
    assert await comments(world) == []
    assert ada.handle not in await world.everything_public()
    assert [item.id for item in await waiting(world)] == [id]


async def test_a_rejected_reply_is_shown_nowhere_and_undoing_asks_again(world: World) -> None:
    ada, id = await held(world)
    done = await decide(world, Move.REJECT, id)
    assert await waiting(world) == []
    assert ada.handle not in await world.everything_public()
    await take_back(world, done)
    assert [item.id for item in await waiting(world)] == [id]


async def test_where_every_signature_is_reviewed_a_boost_cannot_stand_as_a_comment(
    database_url: str, letter_keys: Path
) -> None:
    async with open_world(database_url, letter_keys, admission="hold") as world:
        ada = world.fediverse.actor("ada@far.example")
        await ada.boost(LETTER)
        await world.work()
        [item] = await waiting(world)
        done = await decide(world, Move.COMMENT, item.id)
        assert (done.action_id, done.done) == (None, ())
        assert "says nothing" in done.refused[0][1]
        assert (await decide(world, Move.ACCEPT, item.id)).done == (str(item.id),)
        assert await numbers(world) == {ada.handle: 1}


async def test_many_are_decided_in_one_stroke_and_undone_in_one(world: World) -> None:
    people = [await held(world, f"p{number}@far.example") for number in range(4)]
    ids = [id for _, id in people]
    first = await decide(world, Move.REJECT, ids[0])
    stroke = await decide(world, Move.ACCEPT, *ids, 4_711)
    assert stroke.done == tuple(str(id) for id in ids[1:])
    assert [subject for subject, _ in stroke.refused] == [str(ids[0]), "4711"]
    assert len(await world.signed()) == 3
    await take_back(world, stroke, by=OMAR)
    assert await world.signed() == []
    assert [item.id for item in await waiting(world)] == ids[1:]
    with pytest.raises(ModerationRefused, match="undone already"):
        await take_back(world, stroke)
    with pytest.raises(ModerationRefused, match="no action"):
        await undo(world.house.context, 4_711, by=MARA)
    assert (await take_back(world, first)).done


async def test_the_second_admin_is_refused_and_the_first_decision_stands(world: World) -> None:
    ada, id = await held(world)
    both = await asyncio.gather(
        decide(world, Move.ACCEPT, id, by=MARA), decide(world, Move.REJECT, id, by=OMAR)
    )
    [late] = [done for done in both if not done.done]
    [[subject, sentence]] = late.refused
    assert (subject, late.action_id) == (str(id), None)
    assert "already decided" in sentence
    assert (ada.handle in await world.signed()) is bool(both[0].done)


async def test_undoing_leaves_what_changed_since(world: World) -> None:
    ada, id = await held(world)
    done = await decide(world, Move.ACCEPT, id)
    [note] = ada.account.notes.values()
    await ada.delete(note)
    await world.work()
    late = await take_back(world, done)
    assert late.done == ()
    assert "changed since" in late.refused[0][1]
    assert await world.signed() == []


@pytest.mark.parametrize("visibility", ["direct", "followers"])
async def test_t36_what_is_private_can_be_dismissed_and_nothing_else(
    world: World, visibility: str
) -> None:
    ada, id = await held(world, text="I sign, between us.", visibility=visibility)
    for move in (Move.ACCEPT, Move.COMMENT):
        done = await decide(world, move, id)
        assert done.done == ()
        assert "not addressed to the public" in done.refused[0][1]
    shown = await world.everything_public()
    assert ada.handle not in shown
    assert "between us" not in shown
    done = await decide(world, Move.REJECT, id)
    assert done.done == (str(id),)
    await take_back(world, done)
    assert [str(item.state) for item in await waiting(world)] == ["private"]
    assert "between us" not in await world.everything_public()


async def test_law_6_who_was_removed_cannot_come_back_by_signing_again(world: World) -> None:
    ada = await signatory(world, "ada@far.example")
    done = await remove(world.house.context, [ada.handle], reason="spam", by=MARA)
    assert done.done == (ada.handle,)
    [note] = ada.account.notes.values()
    await ada.delete(note)
    await ada.reply(LETTER, "I sign.")
    await ada.boost(LETTER)
    await ada.mention(HANDLE, "I sign.")
    await world.work()
    assert await world.signed() == []
    assert ada.handle not in await world.everything_public()
    for item in await waiting(world):
        accepted = await decide(world, Move.ACCEPT, item.id)
        assert "removed" in accepted.refused[0][1]
    assert await world.signed() == []
    again = await remove(world.house.context, [ada.handle], reason=None, by=OMAR)
    assert "already decided" in again.refused[0][1]


async def test_law_6_a_restored_person_has_the_number_they_had(world: World) -> None:
    ada = await signatory(world, "ada@far.example")
    bob = await signatory(world, "bob@far.example")
    removed = await remove(world.house.context, [ada.uri], reason=None, by=MARA)
    cleo = await signatory(world, "cleo@far.example")
    assert await numbers(world) == {bob.handle: 2, cleo.handle: 3}
    back = await restore(world.house.context, [ada.handle], reason=None, by=MARA)
    assert back.done == (ada.handle,)
    assert await numbers(world) == {ada.handle: 1, bob.handle: 2, cleo.handle: 3}
    assert (await take_back(world, back)).done == (ada.uri,)
    assert await numbers(world) == {bob.handle: 2, cleo.handle: 3}
    assert (await take_back(world, removed)).refused == ()
    assert await numbers(world) == {ada.handle: 1, bob.handle: 2, cleo.handle: 3}


async def test_who_withdrew_while_removed_is_not_listed_when_restored(world: World) -> None:
    ada = await signatory(world, "ada@far.example")
    await remove(world.house.context, [ada.handle], reason=None, by=MARA)
    [note] = ada.account.notes.values()
    await ada.delete(note)
    await world.work()
    await restore(world.house.context, [ada.handle], reason=None, by=MARA)
    assert await world.signed() == []
    await ada.reply(LETTER, "I sign.")
    await world.work()
    assert await world.signed() == [ada.handle]


async def test_only_who_is_on_the_roll_can_be_removed_and_who_was_removed_restored(
    world: World,
) -> None:
    ada = await signatory(world, "ada@far.example")
    done = await remove(
        world.house.context, ["@nobody@far.example", ada.handle], reason=None, by=MARA
    )
    assert done.done == (ada.handle,)
    assert done.refused == (("@nobody@far.example", "not on the roll"),)
    bob = await signatory(world, "bob@far.example")
    kept = await restore(world.house.context, [bob.handle], reason=None, by=MARA)
    assert kept.refused == ((bob.handle, "was not removed"),)


async def test_t61_a_blocked_domain_is_neither_heard_nor_told_until_unblocked(
    world: World,
) -> None:
    context = world.house.context
    ada = await signatory(world, "ada@far.example")
    sub = await signatory(world, "sue@sub.far.example")
    eve = await signatory(world, "eve@notfar.example")
    for person in (ada, sub, eve):
        await person.follow(HANDLE)
    await world.work()
    await blocking.add(context, "Far.Example", reason="raids", by=MARA)
    await world.work()
    assert await numbers(world) == {eve.handle: 3}
    assert await followers_total(world) == 1
    start = len(world.internet.requests)
    for person in (ada, sub):
        assert (await person.like(LETTER)).status == 403
        assert (await person.reply(LETTER, "I sign.")).status == 403
    await updates.post(context, "Not for everybody.")
    await world.work()
    hosts = {seen.host for seen in world.internet.requests[start:] if seen.url in world.outbound()}
    assert hosts == {"notfar.example"}
    with pytest.raises(ModerationRefused, match="blocked already"):
        await blocking.add(context, "far.example", reason=None, by=OMAR)
    back = await blocking.remove(context, "far.example", by=OMAR)
    assert set(back.done) == {ada.uri, sub.uri}
    await world.work()
    assert await numbers(world) == {ada.handle: 1, sub.handle: 2, eve.handle: 3}
    assert await followers_total(world) == 3
    update = await updates.post(context, "For everybody.")
    await world.work()
    for person in (ada, sub, eve):
        assert update.object_uri in person.timeline
    assert (await ada.like(LETTER)).status == 202
    with pytest.raises(ModerationRefused, match="not blocked"):
        await blocking.remove(context, "far.example", by=OMAR)


async def test_who_withdraws_while_blocked_does_not_return_with_the_unblocking(
    world: World,
) -> None:
    context = world.house.context
    ada, bob = world.fediverse.actor("ada@far.example"), world.fediverse.actor("bob@far.example")
    reply, boost = await ada.reply(LETTER, "I sign."), await bob.boost(LETTER)
    await world.work()
    await blocking.add(context, "far.example", reason=None, by=MARA)
    await world.work()
    asked = len(world.outbound())
    assert reply.note is not None
    deleted = await ada.delete(reply.note)
    assert deleted is not None
    assert (deleted.status, (await bob.unboost(boost)).status) == (202, 202)
    await world.work()
    assert world.outbound()[asked:] == []
    await blocking.remove(context, "far.example", by=MARA)
    await world.work()
    assert await world.signed() == []


@pytest.mark.parametrize("by_handle", [True, False])
async def test_t61_a_blocked_actor_is_alone_in_it(world: World, by_handle: bool) -> None:
    context = world.house.context
    ada = await signatory(world, "ada@far.example")
    bob = await signatory(world, "bob@far.example")
    await ada.follow(HANDLE)
    await world.work()
    subject = ada.handle if by_handle else ada.uri
    await blocking.add(context, subject, reason=None, by=MARA)
    await world.work()
    assert await world.signed() == [bob.handle]
    assert await followers_total(world) == 0
    assert (await ada.boost(LETTER)).status == 403
    assert (await bob.boost(LETTER)).status == 202
    await blocking.remove(context, subject, by=MARA)
    await world.work()
    assert await numbers(world) == {ada.handle: 1, bob.handle: 2}
    assert await followers_total(world) == 1


async def test_a_block_of_a_stranger_keeps_them_out(world: World) -> None:
    context = world.house.context
    with pytest.raises(ModerationRefused, match="never met"):
        await blocking.add(context, "@troll@far.example", reason=None, by=MARA)
    with pytest.raises(ModerationRefused, match="no domain"):
        await blocking.add(context, "not a domain", reason=None, by=MARA)
    troll = world.fediverse.actor("troll@far.example")
    await blocking.add(context, troll.uri, reason=None, by=MARA)
    world.clock.advance(timedelta(seconds=3))
    assert (await troll.reply(LETTER, "I sign.")).status == 403
    await world.work()
    assert await world.signed() == []


@pytest.mark.parametrize("subject", ["gts.example", "@ada@gts.example"])
async def test_what_is_on_its_way_to_the_blocked_is_stopped(world: World, subject: str) -> None:
    ada = await follower(world, "ada@gts.example", "gotosocial")
    ada.server.inbox_trouble = Trouble(503)
    await updates.post(world.house.context, "Too late.")
    await world.house.worker.run_until_idle()
    await blocking.add(world.house.context, subject, reason=None, by=MARA)
    recovered(world, ada.server)
    start = len(posted(world, "gts.example"))
    await world.later(timedelta(days=2))
    assert len(posted(world, "gts.example")) == start
    assert arrived(ada, "Create") == []
