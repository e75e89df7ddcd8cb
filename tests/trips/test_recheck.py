"""The sweep: what others' servers did not tell us is found out by looking (interop C8)."""

from datetime import timedelta

from fedi_letter.demo.people import Person
from fedi_letter.demo.server import Trouble
from fedi_letter.demo.shapes import Note
from tests.trips.looks import everybody, handles, is_nowhere, note_of, queue
from tests.world import HANDLE, LETTER, World

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


async def signer(world: World, handle: str = "ada@far.example") -> tuple[Person, Note]:
    """Somebody who signed by a reply, and their post."""
    ada = world.fediverse.actor(handle)
    note = note_of(await ada.reply(LETTER, "I sign. Platypus."))
    await world.work()
    assert ada.handle in await world.signed()
    return ada, note


async def test_t40_a_reply_missing_once_is_kept_and_missing_twice_is_withdrawn(
    world: World,
) -> None:
    ada, note = await signer(world)
    del ada.account.notes[note.uri]  # its server answers 404
    await world.later(DAY)
    assert await world.signed() == [ada.handle]
    await world.later(timedelta(hours=1))
    assert await world.signed() == [ada.handle]
    await world.later(DAY)
    assert await world.signed() == []
    await is_nowhere(world, "Platypus", ada.handle, note.uri)


async def test_t40_on_every_kind_of_server_a_reply_deleted_in_silence_is_withdrawn(
    world: World,
) -> None:
    people = everybody(world)
    notes = {ada: note_of(await ada.reply(LETTER, "I sign.")) for ada in people.values()}
    await world.work()
    for ada, note in notes.items():
        await ada.delete(note, tell=False)  # its server answers 410
    await world.later(DAY)
    assert await world.signed() == handles(people.values())
    await world.later(DAY)
    assert await world.signed() == []


async def test_t40_what_is_there_again_at_the_second_look_was_never_missing(world: World) -> None:
    ada, note = await signer(world)
    for _ in range(3):
        kept = ada.account.notes.pop(note.uri)
        await world.later(DAY)
        ada.account.notes[note.uri] = kept
        await world.later(DAY)
    assert await world.signed() == [ada.handle]


async def test_t40_a_refusal_or_trouble_at_the_origin_changes_nothing(world: World) -> None:
    ada, _ = await signer(world)
    for status in (401, 403, 429, 500, 502, 503):
        ada.server.trouble = Trouble(status)
        await world.later(DAY)
        await world.later(DAY)
        assert await world.signed() == [ada.handle], status
    world.internet.unplug(ada.server.host)
    for _ in range(4):
        await world.later(WEEK)
    assert await world.signed() == [ada.handle]


async def test_t40_trouble_between_two_absences_neither_counts_nor_forgives(world: World) -> None:
    ada, note = await signer(world)
    del ada.account.notes[note.uri]
    await world.later(DAY)
    ada.server.trouble = Trouble(503)
    await world.later(DAY)
    assert await world.signed() == [ada.handle]
    ada.server.trouble = None
    await world.later(DAY)
    assert await world.signed() == []


async def test_posts_are_looked_at_daily_and_after_a_week_weekly(world: World) -> None:
    _, note = await signer(world)
    looks = []
    for _ in range(21):
        before = world.outbound().count(note.uri)
        await world.later(DAY)
        looks.append(world.outbound().count(note.uri) - before)
    assert looks == [1] * 7 + ([0] * 6 + [1]) * 2


async def test_an_edit_we_were_not_told_of_is_found(world: World) -> None:
    ada, note = await signer(world)
    bob, other = await signer(world, "bob@near.example")
    note.text, note.updated = "I sign. Wombat.", world.clock()
    other.text, other.updated = "I do not sign this.", world.clock()
    await world.later(DAY)
    [entry] = await world.roll()
    assert (entry["handle"], entry["statement"]) == (ada.handle, "Wombat.")
    await is_nowhere(world, bob.handle)
    assert await queue(world) == []


async def test_a_boost_that_its_server_does_not_serve_stands(world: World) -> None:
    people = [ada for ada in everybody(world).values() if ada.server.dialect.boost_reaches_author]
    for ada in people:
        await ada.boost(LETTER)  # asked for a boost by its id, these servers answer 404
    await world.work()
    for _ in range(4):
        await world.later(DAY)
    assert set(await world.signed()) == set(handles(people))


async def test_a_boost_whose_server_says_that_it_is_gone_is_withdrawn(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    boost = await ada.boost(LETTER)
    await world.work()
    ada.server.vanished.add(boost.id)
    await world.later(DAY)
    assert await world.signed() == [ada.handle]
    await world.later(DAY)
    assert await world.signed() == []


async def test_who_asked_to_be_kept_is_not_looked_for(world: World) -> None:
    ada, note = await signer(world)
    await ada.mention(HANDLE, "keep", visibility="direct")
    await world.work()
    await ada.delete(note, tell=False)
    for _ in range(4):
        await world.later(DAY)
    assert await world.signed() == [ada.handle]
    assert world.outbound().count(note.uri) == 0


async def test_a_missing_reply_of_somebody_who_also_boosted_leaves_the_boost(world: World) -> None:
    ada, note = await signer(world)
    await ada.boost(LETTER)
    await ada.delete(note, tell=False)
    await world.later(DAY)
    await world.later(DAY)
    [entry] = await world.roll()
    assert (entry["number"], entry["via"], entry["statement"]) == (1, ["boost"], "")
