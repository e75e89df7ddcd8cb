"""Who signs: people, not machines; one person once, wherever they live and whatever their name."""

from datetime import timedelta

import pytest

from fedi_letter.demo.people import Person
from fedi_letter.services.moderate import remove
from tests.trips.looks import (
    announce_of,
    create_of,
    everybody,
    handles,
    is_nowhere,
    note_of,
    queue,
    send,
    total,
)
from tests.world import ACTOR, HANDLE, LETTER, World


@pytest.mark.parametrize("kind", ["Service", "Application", "Group", "Organization"])
async def test_only_people_sign(world: World, kind: str) -> None:
    bot = world.fediverse.actor("bot@far.example", kind=kind, name="Platypus")
    await bot.reply(LETTER, "I sign")
    await bot.mention(HANDLE, "I sign")
    await bot.boost(LETTER)
    await world.work()
    assert await world.signed() == []
    assert await queue(world) == []
    await is_nowhere(world, bot.handle, "Platypus")
    assert await total(world, "shares") == 1


async def test_a_bot_that_becomes_a_person_can_sign(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example", kind="Service")
    await ada.reply(LETTER, "I sign")
    await world.work()
    assert await world.signed() == []
    ada.account.kind = "Person"
    await ada.rename("Ada, in person")
    await ada.reply(LETTER, "I sign")
    await world.work()
    assert await world.signed() == [ada.handle]


async def test_a_new_name_refreshes_the_row(world: World) -> None:
    people = everybody(world)
    for ada in people.values():
        await ada.reply(LETTER, "I sign.")
    await world.work()
    for ada in people.values():
        await ada.rename("Countess of Lovelace")
    await world.work()
    assert {entry["name"] for entry in await world.roll()} == {"Countess of Lovelace"}
    assert "Countess of Lovelace" in await world.page("/signatories")
    assert [entry["number"] for entry in await world.roll()] == list(range(1, len(people) + 1))


async def test_nobody_renames_somebody_else(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example", name="Ada")
    eve = world.fediverse.mallory("eve@far.example")
    await ada.reply(LETTER, "I sign")
    await world.work()
    document = ada.server.document(ada.account) | {"name": "Platypus"}
    await send(eve, eve.write("Update", f"{eve.uri}#1", object=document))
    await send(eve, eve.write("Delete", f"{eve.uri}#2", object=ada.uri))
    await world.work()
    assert [entry["name"] for entry in await world.roll()] == ["Ada"]


async def test_a_suspended_account_is_hidden_and_comes_back_under_its_number(
    world: World,
) -> None:
    ada = world.fediverse.actor("ada@far.example")
    bob = world.fediverse.actor("bob@near.example")
    await ada.reply(LETTER, "I sign. Platypus.")
    await bob.reply(LETTER, "I sign.")
    await world.work()
    await ada.suspend()
    await world.work()
    assert await world.signed() == [bob.handle]
    await is_nowhere(world, ada.handle, "Platypus", ada.uri)
    await ada.boost(LETTER)
    await world.work()
    assert await world.signed() == [bob.handle]
    ada.account.suspended = False
    await ada.rename("Ada again")
    await world.work()
    found = [(entry["number"], entry["handle"]) for entry in await world.roll()]
    assert found == [(1, ada.handle), (2, bob.handle)]


async def moved(world: World) -> tuple[Person, Person]:
    """Somebody who signed and then moved to another server."""
    old = world.fediverse.actor("ada@old.example")
    new = world.fediverse.actor("ada@new.example", "gotosocial")
    await old.reply(LETTER, "I sign. Platypus.")
    await world.work()
    await old.move_to(new)
    await world.work()
    return old, new


async def test_who_moves_takes_the_signature_along(world: World) -> None:
    _, new = await moved(world)
    [entry] = await world.roll()
    assert (entry["number"], entry["handle"], entry["actor"]) == (1, new.handle, new.uri)
    await new.reply(LETTER, "I sign, still.")
    await world.work()
    [entry] = await world.roll()
    assert (entry["number"], entry["handle"]) == (1, new.handle)


async def test_who_signed_with_both_accounts_and_then_moves_counts_once(world: World) -> None:
    old = world.fediverse.actor("ada@old.example")
    new = world.fediverse.actor("ada@new.example")
    await new.boost(LETTER)
    await world.work()
    await old.reply(LETTER, "I sign")
    await world.work()
    assert await world.signed() == [new.handle, old.handle]
    await old.move_to(new)
    await world.work()
    [entry] = await world.roll()
    assert (entry["number"], entry["handle"]) == (1, new.handle)
    assert entry["via"] == ["reply", "boost"]


async def test_who_moved_before_signing_with_the_old_account_counts_once(world: World) -> None:
    old, new = await moved(world)
    await old.boost(LETTER)
    await new.boost(LETTER)
    await world.work()
    assert await world.signed() == [new.handle]


async def test_a_move_that_the_new_home_does_not_confirm_changes_nothing(world: World) -> None:
    thief = world.fediverse.actor("thief@old.example")
    ada = world.fediverse.actor("ada@new.example")
    await thief.reply(LETTER, "I sign")
    await ada.reply(LETTER, "I sign")
    await world.work()
    await thief.move_to(ada, confirmed=False)
    await world.work()
    assert await world.signed() == [thief.handle, ada.handle]
    await thief.mention(HANDLE, "withdraw", visibility="direct")
    await world.work()
    assert await world.signed() == [ada.handle]


async def test_the_old_account_may_be_closed_after_the_move(world: World) -> None:
    old, new = await moved(world)
    await old.delete_account()
    await world.work()
    for _ in range(3):
        await world.later(timedelta(days=1))
    assert await world.signed() == [new.handle]
    await new.mention(HANDLE, "withdraw", visibility="direct")
    await world.work()
    assert await world.signed() == []
    await new.reply(LETTER, "I sign")
    await world.work()
    assert [entry["number"] for entry in await world.roll()] == [2]


async def test_a_post_from_before_the_move_can_still_be_deleted(world: World) -> None:
    old = world.fediverse.actor("ada@old.example")
    new = world.fediverse.actor("ada@new.example")
    note = note_of(await old.reply(LETTER, "I sign"))
    await world.work()
    await old.move_to(new)
    await world.work()
    await old.delete(note)
    await world.work()
    assert await world.signed() == []


async def test_who_moves_back_counts_once(world: World) -> None:
    old, new = await moved(world)
    await new.boost(LETTER)
    await world.work()
    old.account.moved_to = None
    await new.move_to(old)
    await world.work()
    assert await world.signed() == [old.handle]
    await new.boost(LETTER)
    await old.boost(LETTER)
    await world.work()
    [entry] = await world.roll()
    assert (entry["number"], entry["handle"]) == (1, old.handle)


async def test_a_removal_moves_along(world: World) -> None:
    old = world.fediverse.actor("eve@old.example")
    new = world.fediverse.actor("eve@new.example")
    await old.reply(LETTER, "I sign")
    await world.work()
    await remove(world.house.context, [old.handle], reason="hoax", by="admin:root")
    await old.move_to(new)
    await world.work()
    await new.reply(LETTER, "I sign")
    await new.boost(LETTER)
    await world.work()
    assert await world.signed() == []


async def test_who_was_removed_does_not_come_back_by_deleting_and_signing_again(
    world: World,
) -> None:
    eve = world.fediverse.actor("eve@far.example")
    note = note_of(await eve.reply(LETTER, "I sign"))
    await world.work()
    await remove(world.house.context, [eve.handle], reason="hoax", by="admin:root")
    await eve.delete(note)
    await eve.reply(LETTER, "I sign")
    await eve.boost(LETTER)
    await eve.mention(HANDLE, "withdraw", visibility="direct")
    await eve.mention(HANDLE, "I sign")
    await world.work()
    assert await world.signed() == []
    await is_nowhere(world, eve.handle)


async def test_likes_and_reactions_are_counted_and_taken_back(world: World) -> None:
    people = everybody(world)
    deeds = {ada: await ada.like(LETTER) for ada in people.values()}
    await people["pleroma"].like(LETTER, "🎨")
    await world.work()
    assert await total(world, "likes") == len(people)
    assert (await world.document(LETTER))["likes"]["totalItems"] == len(people)
    for ada, deed in deeds.items():
        await ada.unlike(deed)
    await world.work()
    # one of the two reactions from Pleroma was the one counted, and it was taken back
    assert await total(world, "likes") == 0
    await is_nowhere(world, *handles(people.values()))


async def test_a_like_taken_back_before_it_arrives_is_not_counted(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    like = ada.write("Like", f"{ada.uri}#likes/1", object=LETTER)
    await send(ada, ada.write("Undo", f"{ada.uri}#likes/1/undo", object=like))
    await world.work()
    await send(ada, like)
    await world.work()
    assert await total(world, "likes") == 0


async def test_followers_are_counted_once_and_may_leave_and_return(world: World) -> None:
    people = everybody(world)
    for ada in people.values():
        await ada.follow(HANDLE)
        await ada.follow(HANDLE)
    await world.work()
    assert (await world.document(f"{ACTOR}/followers"))["totalItems"] == len(people)
    assert {name for name, ada in people.items() if ACTOR in ada.account.following} == set(people)
    for ada in people.values():
        await ada.unfollow(HANDLE)
    await world.work()
    assert (await world.document(f"{ACTOR}/followers"))["totalItems"] == 0
    for ada in people.values():
        await ada.follow(HANDLE)
    await world.work()
    assert (await world.document(f"{ACTOR}/followers"))["totalItems"] == len(people)


async def test_an_undo_that_names_a_follow_by_its_id_alone_is_understood(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    follow = await ada.follow(HANDLE)
    await world.work()
    await send(ada, ada.write("Undo", f"{follow.id}#undo", object=follow.id))
    await world.work()
    assert (await world.document(f"{ACTOR}/followers"))["totalItems"] == 0


async def test_who_blocks_us_is_told_nothing_more_and_keeps_the_signature(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    await ada.follow(HANDLE)
    await ada.reply(LETTER, "I sign")
    await world.work()
    await ada.block(HANDLE)
    await world.work()
    assert (await world.document(f"{ACTOR}/followers"))["totalItems"] == 0
    assert await world.signed() == [ada.handle]


async def test_hostile_names_are_text_wherever_they_are_shown(world: World) -> None:
    eve = world.fediverse.actor("eve@far.example", name='<script>alert("x")</script>')
    await eve.reply(LETTER, 'I sign. <img src=x onerror="alert(1)">')
    await world.work()
    for url in ("/", "/signatories"):
        page = await world.page(url)
        assert "<script" not in page
        assert "<img" not in page
    assert await world.signed() == [eve.handle]


async def test_two_people_of_one_name_on_two_servers_are_two(world: World) -> None:
    people = [world.fediverse.actor(f"ada@{host}.example", name="Ada") for host in ("a", "b")]
    for number, ada in enumerate(people, start=1):
        await send(ada, create_of(ada, "I sign", number))
        await send(ada, announce_of(ada, number + 10))
    await world.work()
    assert await world.signed() == handles(people)


async def test_an_account_that_has_moved_cannot_take_the_new_one_elsewhere(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    grown = world.fediverse.actor("ada@near.example")
    thief = world.fediverse.actor("thief@evil.example")
    await ada.boost(LETTER)
    await world.work()
    await ada.move_to(grown)
    await world.work()
    await grown.reply(LETTER, "I sign.")
    await world.work()
    await ada.move_to(thief)
    await world.work()
    assert await world.signed() == [grown.handle]
