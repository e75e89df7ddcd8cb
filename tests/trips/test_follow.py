"""People follow the letter, and stop; each Follow is answered, and nobody learns who follows."""

from datetime import timedelta

from fedi_letter.demo.dialects import DIALECTS
from fedi_letter.demo.server import Trouble
from fedi_letter.services import updates
from tests.trips.arrivals import arrived, crowd, follower, followers_total, posted
from tests.world import ACTOR, HANDLE, INBOX, LETTER, World


async def test_t11_follow_twice_is_one_follower_and_two_accepts(world: World) -> None:
    ada = world.fediverse.actor("ada@pleroma.example", "pleroma")
    first = await ada.follow(HANDLE)
    second = await ada.follow(HANDLE)
    assert (first.status, second.status) == (202, 202)
    assert first.id != second.id
    await world.work()
    accepts = arrived(ada, "Accept")
    assert [accept.activity["object"]["id"] for accept in accepts] == [first.id, second.id]
    assert accepts[0].activity["id"] != accepts[1].activity["id"]
    assert await followers_total(world) == 1
    # Pleroma undoes by the bare id, and of the newest Follow: that is the one on record
    await ada.unfollow(HANDLE)
    await world.work()
    assert await followers_total(world) == 0


async def test_t11_a_follow_delivered_twice_is_one_follower(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    deed = await ada.follow(HANDLE)
    await ada.again(deed)
    await ada.again(deed, signed_anew=True)
    await world.work()
    assert await followers_total(world) == 1
    assert ACTOR in ada.account.following


async def test_b7_the_accept_embeds_the_whole_follow_and_comes_two_seconds_later(
    world: World,
) -> None:
    tina = world.fediverse.actor("tina@takahe.example", "takahe")
    deed = await tina.follow(HANDLE)
    asked_at = world.clock()
    await world.house.worker.run_until_idle()
    assert posted(world, "takahe.example") == []
    world.clock.advance(timedelta(seconds=2))
    await world.house.worker.run_until_idle()
    [accept] = arrived(tina, "Accept")
    assert accept.at - asked_at == timedelta(seconds=2)
    assert accept.activity["object"] == deed.activity
    assert accept.activity["to"] == [tina.uri]
    assert tina.account.inbox.endswith(accept.path)
    assert ACTOR in tina.account.following


async def test_b7_every_kind_of_server_gets_an_accept_it_understands(world: World) -> None:
    people = [world.fediverse.actor(f"ada@{name}.example", name) for name in DIALECTS]
    for person in people:
        assert (await person.follow(HANDLE)).status == 202
    await world.work()
    waiting = [person.handle for person in people if ACTOR not in person.account.following]
    assert waiting == []
    assert await followers_total(world) == len(DIALECTS)
    for person in people:
        await person.unfollow(HANDLE)
    await world.work()
    assert await followers_total(world) == 0


async def test_b7_an_undo_without_the_follows_id_is_understood(world: World) -> None:
    ada = await follower(world, "ada@far.example")
    bare = {"type": "Follow", "actor": ada.uri, "object": ACTOR}
    undo = ada.write("Undo", f"{ada.uri}#undo/1", object=bare)
    assert (await ada.send(undo, [INBOX])).status == 202
    await world.work()
    assert await followers_total(world) == 0
    await updates.post(world.house.context, "Nobody hears this.")
    await world.work()
    assert arrived(ada, "Create") == []


async def test_who_unfollowed_may_follow_again(world: World) -> None:
    ada = await follower(world, "ada@far.example")
    await ada.unfollow(HANDLE)
    await world.work()
    await ada.follow(HANDLE)
    await world.work()
    assert await followers_total(world) == 1
    assert len(arrived(ada, "Accept")) == 2


async def test_nobody_can_unfollow_for_somebody_else(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    deed = await ada.follow(HANDLE)
    await world.work()
    await world.fediverse.mallory().undo_of(deed)
    await world.work()
    assert await followers_total(world) == 1


async def test_a_follow_of_somebody_else_is_not_accepted(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    other = ada.write("Follow", f"{ada.uri}#follow/1", object="https://elsewhere.example/users/eve")
    await ada.send(other, [INBOX])
    await world.work()
    assert await followers_total(world) == 0
    assert arrived(ada) == []


async def test_who_follows_is_nobodys_business(world: World) -> None:
    ada = await follower(world, "ada@far.example")
    shown = await world.everything_public()
    assert ada.handle not in shown
    assert ada.uri not in shown
    page = await world.document(f"{ACTOR}/followers?page=1")
    assert page["totalItems"] == 1
    assert not page.get("orderedItems")


async def test_c10_who_blocks_the_letter_is_told_nothing_more(world: World) -> None:
    ada = await follower(world, "ada@far.example")
    await ada.block(HANDLE)
    await world.work()
    assert await followers_total(world) == 0
    await updates.post(world.house.context, "Hello.")
    await world.work()
    assert arrived(ada, "Create") == []


async def test_c10_who_blocks_the_letter_is_not_told_what_waits_for_them_either(
    world: World,
) -> None:
    ada, _ = await crowd(world, 2)
    ada.server.inbox_trouble = Trouble(503)
    await updates.post(world.house.context, "Hello.")
    await world.work()
    ada.server.inbox_trouble = None
    await ada.block(HANDLE)
    await world.later(timedelta(hours=1))
    taken = {one.path for one in arrived(ada.server, "Create") if one.status == 202}
    assert taken == {"/users/p1/inbox"}


async def test_c10_who_signed_and_blocks_the_letter_keeps_the_signature_and_is_told_nothing(
    world: World,
) -> None:
    ada = world.fediverse.actor("ada@far.example")
    await ada.reply(LETTER, "I sign")
    await world.work()
    block = await ada.block(HANDLE)
    await world.work()
    await updates.post(world.house.context, "Hello.")
    await ada.rename("Ada L.")
    await world.work()
    assert await world.signed() == [ada.handle]
    assert arrived(ada, "Create") == []
    await updates.post(world.house.context, "Still not.")
    await world.work()
    assert arrived(ada, "Create") == []
    await ada.unblock(block)
    await world.work()
    await updates.post(world.house.context, "Hello again.")
    await world.work()
    assert [note.activity["object"]["content"] for note in arrived(ada, "Create")] == [
        "<p>Hello again.</p>"
    ]


async def test_c10_who_blocked_and_follows_again_is_told_again(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    await ada.reply(LETTER, "I sign")
    await ada.block(HANDLE)
    await world.work()
    await ada.follow(HANDLE)
    await ada.unfollow(HANDLE)
    await world.work()
    await updates.post(world.house.context, "Hello.")
    await world.work()
    assert len(arrived(ada, "Create")) == 1, "as it is sent to everybody on the roll"


async def test_c9_a_deleted_account_follows_no_more(world: World) -> None:
    ada = await follower(world, "ada@far.example")
    bob = await follower(world, "bob@far.example")
    await ada.delete_account()
    await world.work()
    assert await followers_total(world) == 1
    await updates.post(world.house.context, "Hello.")
    await world.work()
    assert list(bob.timeline) == [arrived(bob, "Create")[0].activity["object"]["id"]]
