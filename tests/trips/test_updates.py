"""The authors say something, change it, take it back; and take the letter itself back."""

import json
from datetime import timedelta

import pytest

from fedi_letter.services import updates
from fedi_letter.services.publish import publish, publish_first, retract
from fedi_letter.services.refusals import PublicationRefused
from tests.trips.arrivals import arrived, english, first_create, follower, one_of_each, status_of
from tests.world import (
    ACTIVITY_JSON,
    ACTOR,
    HANDLE,
    LETTER,
    PAGE,
    World,
)


async def test_an_update_is_posted_edited_and_deleted_in_every_timeline(world: World) -> None:
    people = await one_of_each(world)
    posted = await updates.post(world.house.context, "A **thousand** of us. #ArtIsWork")
    await world.work()
    for name, person in people.items():
        entry = person.timeline[posted.object_uri]
        assert "<strong>thousand</strong>" in entry.html, name
        assert (entry.title, entry.warning, entry.language) == (None, None, "en"), name
        assert entry.url == posted.object_uri
    edited = await updates.edit(world.house.context, posted.id, "Two thousand of us.")
    await world.work()
    assert edited.object_uri == posted.object_uri
    for name, person in people.items():
        entry = person.timeline[posted.object_uri]
        assert entry.html == "<p>Two thousand of us.</p>", name
        assert entry.updated is not None
        assert entry.updated > entry.document["published"]
    served = await world.document(posted.object_uri)
    assert served["content"] == "<p>Two thousand of us.</p>"
    await updates.delete(world.house.context, posted.id)
    await world.work()
    assert {name: dict(person.timeline) for name, person in people.items()} == {
        name: {} for name in people
    }


async def test_an_address_in_an_update_is_a_link_everywhere(world: World) -> None:
    people = await one_of_each(world)
    text = "Read https://press.example/a_b?c=1&d=2#e, or `https://code.example`."
    update = await updates.post(world.house.context, text)
    await world.work()
    href = "https://press.example/a_b?c=1&amp;d=2#e"
    for name, person in people.items():
        entry = person.timeline[update.object_uri]
        assert f'Read <a href="{href}">{href}</a>, or <code>' in entry.html, name
        assert entry.document["tag"] == []


async def test_the_list_of_updates_tells_what_became_of_each(world: World) -> None:
    context = world.house.context
    first = await updates.post(context, "First.")
    await updates.edit(context, first.id, "First, edited.")
    second = await updates.post(context, "Second.")
    await updates.delete(context, second.id)
    listed = {update.id: update for update in await updates.listing(context)}
    assert (listed[first.id].text, listed[first.id].state) == ("First, edited.", "live")
    assert (listed[second.id].text, listed[second.id].state) == (None, "deleted")


@pytest.mark.parametrize("text", ["", "   \n ", "\x00"])
async def test_an_update_without_words_is_refused(world: World, text: str) -> None:
    with pytest.raises(PublicationRefused):
        await updates.post(world.house.context, text)
    assert await updates.listing(world.house.context) == []


async def test_t14_two_edits_in_one_second_are_two_activities_in_order(world: World) -> None:
    ada = await follower(world, "ada@far.example")
    context = world.house.context
    update = await updates.post(context, "One.")
    await updates.edit(context, update.id, "Two.")
    await updates.edit(context, update.id, "Three.")
    await publish(context, english("# Two\n\nTwo."), typo=True)
    await publish(context, english("# Three\n\nThree."), typo=True)
    await world.work()
    for uri in (update.object_uri, LETTER):
        changes = [
            received.activity
            for received in arrived(ada, "Update")
            if received.activity["object"]["id"] == uri
        ]
        assert len(changes) == 2
        assert changes[0]["id"] != changes[1]["id"]
        before, after = (change["object"] for change in changes)
        assert before["published"] < before["updated"] < after["updated"]
    assert ada.timeline[update.object_uri].html == "<p>Three.</p>"


async def test_t16_what_we_delete_is_gone_for_good_and_the_roll_is_frozen(world: World) -> None:
    ada = await follower(world, "ada@far.example")
    reply = await ada.reply(LETTER, "I sign. Art is work.")
    bob = world.fediverse.actor("bob@pleroma.example", "pleroma")
    boost = await bob.boost(LETTER)
    await world.work()
    update = await updates.post(world.house.context, "Soon gone.")
    await world.work()
    roll = await world.roll()
    assert len(roll) == 2
    create, _ = await first_create(world)

    await updates.delete(world.house.context, update.id)
    assert await retract(world.house.context) == 2
    await world.work()
    for person in (ada, bob):
        deleted = [one.activity["object"] for one in arrived(person, "Delete")]
        assert {"id": LETTER, "type": "Tombstone"} in deleted
    assert list(ada.timeline) == []

    assert reply.note is not None
    await ada.delete(reply.note)
    await bob.unboost(boost)
    await world.work()
    assert await world.roll() == roll

    for url in (LETTER, PAGE, update.object_uri):
        answer = await world.request("GET", url, headers=(("Accept", ACTIVITY_JSON),))
        assert answer.status == 410
        tombstone = json.loads(answer.body)
        assert tombstone["type"] == "Tombstone"
        assert tombstone["id"] == (LETTER if url == PAGE else url)
    for url in (PAGE, update.object_uri):
        assert await status_of(world, url, "text/html") == 410
    assert await status_of(world, create["id"]) == 410
    # The actor is alive, and never answers what would delete it elsewhere (interop B14).
    assert await status_of(world, ACTOR) == 200
    assert (await world.document(f"{ACTOR}/featured")).get("orderedItems", []) == []
    feed = (await world.request("GET", "/feed.atom")).body.decode()
    assert "Soon gone." not in feed


async def test_t16_a_deleted_id_is_never_used_again(world: World) -> None:
    context = world.house.context
    update = await updates.post(context, "Soon gone.")
    await updates.delete(context, update.id)
    for again in (updates.edit(context, update.id, "Back."), updates.delete(context, update.id)):
        with pytest.raises(PublicationRefused, match="deleted already"):
            await again
    with pytest.raises(PublicationRefused, match="no update"):
        await updates.edit(context, "01ARZ3NDEKTSV4RRFFQ69G5FAV", "Who?")
    with pytest.raises(PublicationRefused, match="no id"):
        await updates.delete(context, "../letters/letter")
    await retract(context)
    with pytest.raises(PublicationRefused, match="taken down"):
        await publish(context, english("# Another\n\nText."))
    with pytest.raises(PublicationRefused, match="taken down"):
        await retract(context)
    assert not await publish_first(context, [english("# Another\n\nText.")])
    world.clock.advance(timedelta(days=365))
    assert await status_of(world, LETTER) == 410
    assert await status_of(world, update.object_uri) == 410


async def test_after_we_took_the_letter_down_a_persons_own_word_still_withdraws(
    world: World,
) -> None:
    ada = world.fediverse.actor("ada@far.example")
    await ada.reply(LETTER, "I sign.")
    await world.work()
    await retract(world.house.context)
    await world.work()
    await ada.mention(HANDLE, "I withdraw", visibility="direct")
    await world.work()
    assert await world.signed() == []


async def test_what_postgresql_cannot_hold_is_left_out(world: World) -> None:
    update = await updates.post(world.house.context, "Nothing\x00 hidden.")
    assert (await world.document(update.object_uri))["content"] == "<p>Nothing hidden.</p>"
    edited = await updates.edit(world.house.context, update.id, "Still\x00 nothing.")
    assert edited.text == "Still nothing."
