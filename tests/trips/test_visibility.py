"""What was not addressed to everybody is shown to nobody, whatever it says (law 5, interop C6)."""

import logging
from typing import Any

import pytest

from fedi_letter.letter.moderation import Move
from fedi_letter.services.moderate import review
from tests.trips.looks import (
    announce_of,
    create_of,
    deed_is_nowhere,
    everybody,
    handles,
    is_nowhere,
    note_of,
    queue,
    queued,
    send,
    total,
)
from tests.world import ACTOR, HANDLE, LETTER, World

PUBLIC_URI = "https://www.w3.org/ns/activitystreams#Public"


@pytest.mark.parametrize("visibility", ["direct", "followers"])
async def test_t36_a_private_reply_is_absent_from_every_public_surface(
    world: World, caplog: pytest.LogCaptureFixture, visibility: str
) -> None:
    caplog.set_level(logging.DEBUG)
    deeds = {}
    for ada in everybody(world).values():
        await ada.follow(HANDLE)
        deeds[ada] = await ada.reply(LETTER, "I sign. Platypus.", visibility=visibility)
    await world.work()
    assert await world.signed() == []
    for ada, deed in deeds.items():
        await deed_is_nowhere(world, ada, deed)
        note = note_of(deed)
        for word in (note.uri, note.page, deed.id, ada.handle):
            assert word not in caplog.text
    assert "Platypus" not in caplog.text
    assert await queued(world) == dict.fromkeys(handles(deeds), "private")


async def test_t36_an_admin_cannot_make_a_private_reply_count(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    deed = await ada.reply(LETTER, "I sign. Platypus.", visibility="direct")
    await world.work()
    [item] = await queue(world)
    for move in (Move.ACCEPT, Move.COMMENT):
        refused = await review(world.house.context, [item.id], move, reason=None, by="admin:root")
        assert refused.done == ()
    await deed_is_nowhere(world, ada, deed)


async def test_a_private_mention_or_plain_reply_is_nowhere_either(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    bob = world.fediverse.actor("bob@far.example")
    deeds = [
        (ada, await ada.mention(HANDLE, "I sign. Platypus.", visibility="direct")),
        (bob, await bob.reply(LETTER, "Between us: wombat.", visibility="followers")),
    ]
    await world.work()
    for person, deed in deeds:
        await deed_is_nowhere(world, person, deed)
    await is_nowhere(world, "Platypus", "wombat")


async def test_t37_a_boost_for_followers_is_for_admins_only(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    deed = await ada.boost(LETTER, visibility="followers")
    await world.work()
    assert await world.signed() == []
    assert await total(world, "shares") == 0
    await deed_is_nowhere(world, ada, deed)
    [item] = await queue(world)
    assert (item.kind, item.state) == ("boost", "private")


@pytest.mark.parametrize("public", [PUBLIC_URI, "as:Public", "Public"])
@pytest.mark.parametrize("as_list", [True, False])
async def test_t38_public_is_public_in_each_spelling(
    world: World, public: str, as_list: bool
) -> None:
    ada = world.fediverse.actor("ada@far.example")
    bob = world.fediverse.actor("bob@far.example")
    to: Any = [public] if as_list else public
    await send(ada, create_of(ada, "I sign. Aloud.", to=to, cc=None))
    await send(bob, announce_of(bob, to=to, cc=[]))
    await world.work()
    found = {entry["handle"]: entry["statement"] for entry in await world.roll()}
    assert found == {ada.handle: "Aloud.", bob.handle: ""}


async def test_t39_without_any_address_it_is_private(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    bob = world.fediverse.actor("bob@far.example")
    reply = await send(ada, create_of(ada, "I sign. Platypus.", to=None, cc=None))
    boost = announce_of(bob)
    boost = {name: value for name, value in boost.items() if name not in ("to", "cc")}
    boosted = await send(bob, boost)
    await world.work()
    assert await world.signed() == []
    assert await queued(world) == {ada.handle: "private", bob.handle: "private"}
    await deed_is_nowhere(world, ada, reply)
    await deed_is_nowhere(world, bob, boosted)
    await is_nowhere(world, "Platypus")


async def test_what_the_post_says_of_its_audience_counts_and_not_what_its_envelope_says(
    world: World,
) -> None:
    ada = world.fediverse.actor("ada@far.example")
    create = create_of(ada, "I sign. Platypus.", to=[ACTOR], cc=[])
    deed = await send(ada, {**create, "to": [PUBLIC_URI]})
    await world.work()
    assert await world.signed() == []
    await deed_is_nowhere(world, ada, deed)
    await is_nowhere(world, "Platypus")


async def test_an_unlisted_reply_shows_the_name_and_not_the_text(world: World) -> None:
    people = everybody(world)
    deeds = {}
    for ada in people.values():
        deeds[ada] = await ada.reply(LETTER, "I sign. Platypus.", visibility="unlisted")
    await world.work()
    found = {entry["handle"]: (entry["statement"], entry["url"]) for entry in await world.roll()}
    assert found == {ada.handle: ("", ada.account.profile) for ada in people.values()}
    await is_nowhere(world, "Platypus")


async def test_a_server_that_hides_its_posts_from_visitors_is_obeyed(world: World) -> None:
    ada = world.fediverse.actor("ada@gts.example", "gotosocial")
    document = ada.server.document(ada.account) | {"hidesToPublicFromUnauthedWeb": True}
    note = note_of(await ada.reply(LETTER, "I sign. Platypus."))
    await world.work()
    assert "Platypus" in await world.everything_public()
    document.pop("@context")
    update = ada.write("Update", f"{ada.uri}#profile", object=document, to=[PUBLIC_URI])
    await send(ada, update)
    await world.work()
    [entry] = await world.roll()
    assert (entry["handle"], entry["statement"]) == (ada.handle, "")
    await is_nowhere(world, "Platypus", note.page)


@pytest.mark.parametrize("visibility", ["followers", "direct"])
async def test_a_narrowed_audience_takes_name_and_text_away_at_once(
    world: World, visibility: str
) -> None:
    people = everybody(world)
    deeds = {ada: await ada.reply(LETTER, "I sign. Platypus.") for ada in people.values()}
    await world.work()
    assert len(await world.signed()) == len(people)
    for ada, deed in deeds.items():
        await ada.edit(note_of(deed), visibility=visibility)
    await world.work()
    assert await world.signed() == []
    for ada, deed in deeds.items():
        await deed_is_nowhere(world, ada, deed)


async def test_a_widened_audience_signs_under_a_new_number(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    note = note_of(await ada.reply(LETTER, "I sign. Platypus.", visibility="direct"))
    await world.work()
    await ada.edit(note, visibility="public")
    await world.work()
    [entry] = await world.roll()
    assert (entry["handle"], entry["statement"]) == (ada.handle, "Platypus.")
    await ada.edit(note, visibility="followers")
    await world.work()
    await is_nowhere(world, ada.handle, "Platypus")
    await ada.edit(note, visibility="public")
    await world.work()
    assert [entry["number"] for entry in await world.roll()] == [2]


async def test_a_public_boost_beside_a_private_reply_shows_the_boost_alone(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    note = note_of(await ada.reply(LETTER, "I sign. Platypus.", visibility="direct"))
    await ada.boost(LETTER)
    await world.work()
    [entry] = await world.roll()
    assert (entry["via"], entry["statement"]) == (["boost"], "")
    await is_nowhere(world, "Platypus", note.uri, note.page)


async def test_t44_every_public_reply_is_in_the_first_page_and_never_a_private_one(
    world: World,
) -> None:
    crowd = [world.fediverse.actor(f"ada{number}@far.example") for number in range(12)]
    shown = []
    for number, ada in enumerate(crowd):
        visibility = ("public", "unlisted", "followers", "direct")[number % 4]
        note = note_of(await ada.reply(LETTER, "I sign.", visibility=visibility))
        if number % 4 < 2:
            shown.append(note.uri)
    await world.work()
    replies = (await world.document(LETTER))["replies"]
    assert sorted(replies["first"]["items"]) == sorted(shown)
    assert replies["totalItems"] == len(shown)
