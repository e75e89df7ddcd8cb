"""People take their signature back: by deleting, editing, undoing, leaving, or by saying so."""

from datetime import timedelta

import pytest

from fedi_letter.services.publish import retract
from tests.trips.looks import (
    announce_of,
    create_of,
    deed_is_nowhere,
    everybody,
    handles,
    is_nowhere,
    note_of,
    queue,
    send,
    total,
)
from tests.world import HANDLE, INBOX, LETTER, World


async def test_deleting_the_reply_withdraws_on_every_kind_of_server(world: World) -> None:
    people = everybody(world)
    deeds = {ada: await ada.reply(LETTER, "I sign. Platypus.") for ada in people.values()}
    await world.work()
    assert await world.signed() == handles(people.values())
    for ada, deed in deeds.items():
        await ada.delete(note_of(deed))
    await world.work()
    assert await world.signed() == []
    for ada, deed in deeds.items():
        await deed_is_nowhere(world, ada, deed)


async def test_editing_the_reply_to_a_refusal_withdraws_and_editing_back_signs(
    world: World,
) -> None:
    people = everybody(world)
    notes = {ada: note_of(await ada.reply(LETTER, "I sign.")) for ada in people.values()}
    await world.work()
    for ada, note in notes.items():
        await ada.edit(note, "I do not sign this. Platypus.")
    await world.work()
    assert await world.signed() == []
    await is_nowhere(world, "Platypus", *handles(notes))
    assert await queue(world) == []
    for ada, note in notes.items():
        await ada.edit(note, "I sign after all.")
    await world.work()
    assert {entry["handle"] for entry in await world.roll()} == set(handles(notes))
    assert min(entry["number"] for entry in await world.roll()) == len(notes) + 1


async def test_undoing_the_boost_withdraws_wherever_it_reaches_us(world: World) -> None:
    people = everybody(world)
    deeds = {ada: await ada.boost(LETTER) for ada in people.values()}
    await world.work()
    for ada, deed in deeds.items():
        await ada.unboost(deed)
    await world.work()
    # Takahe tells nobody but the booster's followers, who are not us
    tina = people["takahe"]
    assert await world.signed() == [tina.handle]
    assert await total(world, "shares") == 1
    await tina.mention(HANDLE, "withdraw", visibility="direct")
    await world.work()
    assert await world.signed() == []


async def test_t30_an_undo_that_overtakes_its_announce_leaves_nothing_signed(
    world: World,
) -> None:
    ada = world.fediverse.actor("ada@far.example")
    boost = announce_of(ada)
    await ada.undo(boost, [INBOX])
    await world.work()
    await send(ada, boost)
    await world.work()
    assert await world.signed() == []
    assert await total(world, "shares") == 0
    await send(ada, announce_of(ada, number=2))
    await world.work()
    assert await world.signed() == [ada.handle]


async def test_a_delete_that_overtakes_its_reply_leaves_nothing_signed(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    create = create_of(ada, "I sign")
    delete = ada.write("Delete", f"{ada.uri}#delete/1", object=create["object"]["id"])
    await send(ada, delete)
    await world.later(timedelta(hours=1))
    await send(ada, create)
    await world.work()
    assert await world.signed() == []
    assert await queue(world) == []


async def test_t32_reply_and_boost_then_undone_boost_is_still_signed(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    await ada.reply(LETTER, "I sign")
    boost = await ada.boost(LETTER)
    await world.work()
    assert [entry["via"] for entry in await world.roll()] == [["reply", "boost"]]
    await ada.unboost(boost)
    await world.work()
    [entry] = await world.roll()
    assert (entry["number"], entry["via"]) == (1, ["reply"])
    assert await total(world, "shares") == 0


async def test_t33_delete_then_redraft_is_signed(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    old = note_of(await ada.reply(LETTER, "I sing"))
    await ada.edit(old, "I sign. Once.")
    await ada.delete(old)
    await ada.reply(LETTER, "I sign. Twice.")
    await world.work()
    assert [entry["statement"] for entry in await world.roll()] == ["Twice."]


async def test_t33_redraft_that_overtakes_the_delete_is_signed(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    old = note_of(await ada.reply(LETTER, "I sign. Once."))
    await world.work()
    await ada.reply(LETTER, "I sign. Twice.")
    await ada.delete(old)
    await world.work()
    [entry] = await world.roll()
    assert (entry["number"], entry["statement"]) == (1, "Twice.")
    await is_nowhere(world, "Once.", old.uri)


async def test_t34_nobody_takes_back_what_somebody_else_did(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    bob = world.fediverse.actor("bob@far.example")
    mallory, neighbour = world.fediverse.mallory(), world.fediverse.mallory("eve@far.example")
    boost = await ada.boost(LETTER)
    reply = await bob.reply(LETTER, "I sign")
    await world.work()
    for villain in (mallory, neighbour):
        await villain.undo_of(boost)
        await send(villain, villain.write("Undo", f"{villain.uri}#undo", object=boost.id))
        await villain.delete_of(reply)
        await villain.mention(HANDLE, "withdraw @bob@far.example", visibility="direct")
    await world.work()
    assert await world.signed() == [ada.handle, bob.handle]


async def test_t35_an_undo_that_names_only_an_id_withdraws(world: World) -> None:
    lain = world.fediverse.actor("lain@pleroma.example", "pleroma")
    boost = await lain.boost(LETTER)
    await world.work()
    assert await world.signed() == [lain.handle]
    undo = await lain.unboost(boost)
    assert undo.activity["object"] == boost.id
    await world.work()
    assert await world.signed() == []
    assert await total(world, "shares") == 0


@pytest.mark.parametrize("kept", [("id",), ("type", "object"), ("id", "type", "actor", "object")])
async def test_an_undo_in_each_of_its_shapes_withdraws(world: World, kept: tuple[str, ...]) -> None:
    ada = world.fediverse.actor("ada@far.example")
    boost = (await ada.boost(LETTER)).activity
    await world.work()
    shape = {name: boost[name] for name in kept}
    await send(ada, ada.write("Undo", f"{boost['id']}#undo", object=shape))
    await world.work()
    assert await world.signed() == []


@pytest.mark.parametrize(
    "word", ["withdraw", "I withdraw my signature.", "Ich ziehe zurück", "撤回します"]
)
async def test_t41_the_word_withdraw_in_private_cancels_all_that_a_signer_did(
    world: World, word: str
) -> None:
    ada = world.fediverse.actor("ada@far.example")
    bob = world.fediverse.actor("bob@far.example")
    reply = await ada.reply(LETTER, "I sign. Platypus.")
    boost = await ada.boost(LETTER)
    await bob.reply(LETTER, "I sign")
    await world.work()
    farewell = await ada.mention(HANDLE, word, visibility="direct")
    await world.work()
    assert await world.signed() == [bob.handle]
    for deed in (reply, boost):
        await deed_is_nowhere(world, ada, deed)
    await is_nowhere(world, farewell.id, note_of(farewell).uri)
    assert await queue(world) == []


@pytest.mark.parametrize("visibility", ["public", "unlisted", "followers", "direct"])
async def test_a_withdrawal_is_heard_however_it_is_addressed(world: World, visibility: str) -> None:
    ada = world.fediverse.actor("ada@far.example")
    await ada.reply(LETTER, "I sign")
    await world.work()
    await ada.reply(LETTER, "withdraw", visibility=visibility)
    await world.work()
    assert await world.signed() == []
    assert await queue(world) == []


async def test_who_signs_again_after_withdrawing_gets_a_number_never_used_before(
    world: World,
) -> None:
    ada = world.fediverse.actor("ada@far.example")
    bob = world.fediverse.actor("bob@far.example")
    first = await ada.boost(LETTER)
    await world.work()
    farewell = await ada.mention(HANDLE, "withdraw", visibility="direct")
    await world.work()
    await bob.boost(LETTER)
    await world.work()
    await ada.reply(LETTER, "I sign")
    await world.work()
    found = [(entry["handle"], entry["number"]) for entry in await world.roll()]
    assert found == [(bob.handle, 2), (ada.handle, 3)]
    # neither an old boost nor an old farewell is heard a second time
    await ada.again(farewell, signed_anew=True)
    await ada.again(first, signed_anew=True)
    await world.work()
    assert [(entry["number"], entry["via"]) for entry in await world.roll()] == [
        (2, ["boost"]),
        (3, ["reply"]),
    ]


async def test_the_word_keep_lets_a_signature_survive_the_post(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    bob = world.fediverse.actor("bob@far.example")
    notes = {one: note_of(await one.reply(LETTER, "I sign.")) for one in (ada, bob)}
    await world.work()
    await ada.mention(HANDLE, "keep my signature", visibility="direct")
    await world.work()
    for one, note in notes.items():
        await one.delete(note)
    await world.work()
    assert await world.signed() == [ada.handle]
    await ada.mention(HANDLE, "withdraw", visibility="direct")
    await world.work()
    assert await world.signed() == []


async def test_what_a_kept_post_said_goes_with_the_post(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    reply = await ada.reply(LETTER, "I sign. Platypus.")
    await world.work()
    assert "Platypus" in await world.everything_public()
    await ada.mention(HANDLE, "keep", visibility="direct")
    await ada.delete(note_of(reply))
    await world.work()
    [entry] = await world.roll()
    assert (entry["handle"], entry["statement"], entry["via"]) == (ada.handle, "", ["reply"])
    public = await world.everything_public()
    assert "Platypus" not in public
    assert note_of(reply).uri not in public


async def test_t42_a_deleted_account_is_gone_from_everywhere_by_its_cached_key(
    world: World,
) -> None:
    ada = world.fediverse.actor("ada@far.example", name="Ada Platypus")
    deed = await ada.reply(LETTER, "I sign. Ornithorhynchus.")
    await ada.follow(HANDLE)
    await world.work()
    assert await world.signed() == [ada.handle]
    asked = len(world.outbound())
    farewell = await ada.delete_account()
    assert farewell is not None
    assert farewell.status == 202
    await world.work()
    assert await world.signed() == []
    assert world.outbound()[asked:] == []
    await deed_is_nowhere(world, ada, deed)
    await is_nowhere(world, "Platypus", "Ornithorhynchus")
    assert (await world.document(f"{LETTER}/replies"))["totalItems"] == 0


async def test_t16_a_deleted_letter_keeps_its_roll_but_for_those_who_say_so(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    bob = world.fediverse.actor("bob@misskey.example", "misskey")
    eve = world.fediverse.actor("eve@near.example")
    pat = world.fediverse.actor("pat@late.example")
    replies = [await one.reply(LETTER, "I sign") for one in (ada, bob)]
    boost = await eve.boost(LETTER)
    await world.work()
    await retract(world.house.context)
    await world.work()
    for one, reply in zip((ada, bob), replies, strict=True):
        await one.delete(note_of(reply))
    await eve.unboost(boost)
    await send(pat, announce_of(pat))
    await world.work()
    for _ in range(3):
        await world.later(timedelta(days=3))
    assert await world.signed() == [ada.handle, bob.handle, eve.handle]
    await bob.mention(HANDLE, "withdraw", visibility="direct")
    await eve.delete_account()
    await world.work()
    assert await world.signed() == [ada.handle]
