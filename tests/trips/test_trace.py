"""Whoever asks what became of a post gets an answer, and what never arrived is fetched."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

from fedi_letter.demo.shapes import Note
from fedi_letter.services.trace import document_of
from tests.internet import Event, Scope
from tests.trips.wire import reply_by, told, verdict
from tests.world import ACTIVITY_JSON, HOST, LETTER, World

Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]


async def lost(world: World, text: str = "I sign.", *, visibility: str = "public") -> Note:
    """A reply by ada that comes while we take nothing in, and is not sent again."""

    async def closed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await world.app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    world.internet.serve(HOST, closed)
    ada = world.fediverse.actor("ada@far.example")
    deed = await ada.reply(LETTER, text, visibility=visibility)
    world.internet.serve(HOST, world.app)
    assert deed.status == 503
    assert deed.note is not None
    return deed.note


async def test_a_boost_that_hollo_never_sent_is_fetched_and_counted(world: World) -> None:
    holly = world.fediverse.actor("holly@far.example", "hollo")
    boost = await holly.boost(LETTER)
    await world.work()
    assert (boost.sent, await world.signed()) == ((), [])
    found = await told(world, boost.id)
    assert found.verdict == "boost: standing (boosted), signatory no. 1 (listed)"
    assert found.fetched == "it never arrived; fetched from its origin now: boosted"
    [entry] = await world.roll()
    assert (entry["handle"], entry["via"]) == (holly.handle, ["boost"])


async def test_what_was_fetched_once_is_not_fetched_again(world: World) -> None:
    holly = world.fediverse.actor("holly@far.example", "hollo")
    boost = await holly.boost(LETTER)
    await told(world, boost.id)
    await world.work()
    asked = world.outbound()
    again = await told(world, boost.id)
    assert again.fetched is None
    assert world.outbound() == asked
    assert len(await world.roll()) == 1


async def test_a_reply_that_was_lost_is_found_by_any_of_its_addresses(world: World) -> None:
    note = await lost(world)
    for uri in (note.page, note.create_uri, note.uri):
        assert (await verdict(world, uri)).startswith(("reply: standing", "noted: duplicate")), uri
    [entry] = await world.roll()
    assert (entry["handle"], entry["via"]) == ("@ada@far.example", ["reply"])


async def test_a_reply_that_was_lost_is_found_by_its_create(world: World) -> None:
    note = await lost(world)
    found = await told(world, note.create_uri)
    assert found.fetched == "it never arrived; fetched from its origin now: clear-phrase"
    assert await world.signed() == ["@ada@far.example"]


async def test_what_comes_late_after_all_counts_once(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    note = await lost(world)
    await told(world, note.page)
    create = reply_by(ada.uri) | {"id": note.create_uri}
    create["object"] |= {"id": note.uri}
    deed = await ada.send(create, [f"https://{HOST}/inbox"])
    assert deed.status == 202
    await world.work()
    [entry] = await world.roll()
    assert entry["via"] == ["reply"]


async def test_a_foreign_post_is_explained_and_counts_for_nothing(world: World) -> None:
    bob = world.fediverse.actor("bob@far.example")
    deed = await bob.post("I sign nothing but my paintings.")
    assert deed.note is not None
    found = await told(world, deed.note.page)
    assert found.fetched == "it never arrived; fetched from its origin now: not-about-us"
    assert await world.signed() == []
    assert found.endorsements == ()


async def test_what_cannot_be_fetched_is_explained(world: World) -> None:
    world.internet.answer(
        "blog.example", 200, headers=(("Content-Type", "text/html"),), body=b"<p>"
    )
    world.internet.answer("gone.example", 410)
    nowhere = {
        "https://nowhere.example/1": "unreachable",
        "https://blog.example/1": "wrong-type",
        "https://gone.example/1": "gone",
        "https://127.0.0.1/1": "blocked-address",
    }
    for uri, why in nowhere.items():
        found = await verdict(world, uri)
        assert found.startswith(f"it never arrived, and its origin gives no answer: {why}"), uri
    assert await world.signed() == []


async def test_a_boost_told_of_by_another_s_server_is_not_believed(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    uri = "https://evil.example/boosts/1"
    boost = {"id": uri, "type": "Announce", "actor": ada.uri, "object": LETTER, "to": "as:Public"}
    headers = (("Content-Type", ACTIVITY_JSON),)
    world.internet.answer("evil.example", 200, headers=headers, body=json.dumps(boost).encode())
    assert await verdict(world, uri) == "noted: foreign-object"
    assert await world.signed() == []


async def test_a_person_is_found_by_handle(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    await ada.reply(LETTER, "I sign.")
    await world.work()
    found = await told(world, ada.handle)
    assert found.verdict == "signatory no. 1: listed"
    assert found.signatory is not None
    assert found.signatory.number == 1


async def test_every_step_is_told(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    deed = await ada.reply(LETTER, "I sign.")
    waiting = document_of(await told(world, deed.id))
    assert waiting["verdict"] == "received, not judged yet"
    await world.work()
    found = document_of(await told(world, deed.id))
    [receipt] = found["receipts"]
    assert receipt["key"] == ada.account.key_id
    assert (receipt["signature"], receipt["verified"]) == ("cavage", True)
    assert (receipt["verdict"], receipt["reason"]) == ("counted", "clear-phrase")
    assert receipt["steps"][-1]["detail"] == "decided: counted (clear-phrase)"
    changes = {(change["subject"], change["after"], change["by"]) for change in receipt["changes"]}
    assert changes == {("endorsement", "standing", "sender"), ("signatory", "listed", "sender")}


async def test_the_words_of_a_private_post_are_never_told(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    deed = await ada.reply(LETTER, "I sign. Between you and me.", visibility="direct")
    await world.work()
    assert deed.note is not None
    for subject in (deed.note.uri, deed.id, ada.uri, ada.handle):
        found = await told(world, subject)
        assert "Between you and me" not in json.dumps(document_of(found))
        assert "Between you and me" not in found.verdict
    found = await told(world, deed.note.uri)
    assert "addressed to direct, never shown" in found.verdict


async def test_a_private_post_that_was_lost_stays_private(world: World) -> None:
    note = await lost(world, "I sign. Between you and me.", visibility="direct")
    found = await told(world, note.uri)
    assert "Between you and me" not in json.dumps(document_of(found))
    assert await world.signed() == []
    assert "Between you and me" not in await world.everything_public()


async def test_asking_does_not_bring_back_who_withdrew(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    deed = await ada.reply(LETTER, "I sign.")
    assert deed.note is not None
    await world.work()
    await ada.reply(LETTER, "I withdraw.")
    await world.work()
    assert await world.signed() == []
    for uri in (deed.note.page, deed.note.uri, deed.id):
        await told(world, uri)
    await world.later(timedelta(days=1))
    assert await world.signed() == []
