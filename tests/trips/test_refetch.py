"""What somebody passes on of others is believed from its origin alone (interop C3, C11)."""

import json
from datetime import timedelta

import pytest

from fedi_letter.demo.signing import Signer
from fedi_letter.demo.wire import Document
from tests.trips.wire import gets, post, reason, reply_by, told, verdict
from tests.world import ACTIVITY_JSON, ACTOR, LETTER, World

AP = (("Content-Type", ACTIVITY_JSON),)


async def test_t28_a_forwarded_delete_is_true_when_the_origin_says_so(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    bob = world.fediverse.actor("bob@relay.example", "hollo")
    deed = await ada.reply(LETTER, "I sign.")
    assert deed.note is not None
    await world.work()
    passed_on = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{deed.note.uri}#delete",
        "type": "Delete",
        "actor": ada.uri,
        "object": deed.note.uri,
    }
    assert (await post(world, bob, passed_on)).status == 202
    await world.work()
    assert await world.signed() == [ada.handle]
    assert await verdict(world, passed_on["id"]) == "noted: still-at-origin"

    await ada.delete(deed.note, tell=False)
    assert (await post(world, bob, passed_on)).status == 202
    await world.work()
    assert await world.signed() == []


async def test_t28_a_forwarded_reply_counts_as_its_origin_has_it(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    bob = world.fediverse.actor("bob@relay.example", "hollo")
    deed = await ada.reply(LETTER, "I do not sign.")
    assert deed.note is not None
    deed.note.text = "I sign."
    lie: Document = json.loads(deed.body)
    lie["object"]["content"] = "<p>I withdraw, and you are fools.</p>"
    assert (await post(world, bob, lie)).status == 202
    await world.work()
    shown = await world.everything_public()
    assert "fools" not in shown


async def test_t28_a_forwarded_boost_is_asked_for_at_its_origin(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    bob = world.fediverse.actor("bob@relay.example", "hollo")
    boost = await ada.boost(LETTER, visibility="public")
    invented = {**boost.activity, "id": f"{ada.uri}/statuses/404/activity"}
    assert (await post(world, bob, invented)).status == 202
    fragment = {**boost.activity, "id": f"{ada.uri}#boost/1"}
    assert (await post(world, bob, fragment)).status == 202
    await world.work()
    [entry] = await world.roll()
    assert (entry["handle"], entry["via"]) == (ada.handle, ["boost"])
    assert (await verdict(world, invented["id"])).startswith("refused: fetch-not-found")
    assert await verdict(world, fragment["id"]) == "noted: forwarded"


async def forwarded(world: World, uri: str) -> str:
    """What becomes of a post at `uri` that bob passes on as ada's."""
    bob = world.fediverse.actor("bob@relay.example", "hollo")
    create = reply_by("https://far.example/users/ada")
    create["id"], create["object"] = f"{uri}#create", uri
    assert (await post(world, bob, create)).status == 202
    await world.work()
    assert await world.signed() == []
    return await verdict(world, create["id"])


def note_of_ada(uri: str) -> bytes:
    """Ada's signature as a document at any address."""
    note = reply_by("https://far.example/users/ada")["object"]
    return json.dumps({**note, "id": uri}).encode()


async def test_t49_a_document_that_names_another_address_is_not_taken(world: World) -> None:
    world.fediverse.actor("ada@far.example")
    elsewhere = note_of_ada("https://far.example/users/ada/statuses/1")
    world.internet.answer("evil.example", 200, headers=AP, body=elsewhere)
    found = await forwarded(world, "https://evil.example/users/ada/statuses/1")
    assert found.startswith("refused: fetch-wrong-id")


async def test_t49_a_document_of_another_origin_speaks_for_nobody_here(world: World) -> None:
    world.fediverse.actor("ada@far.example")
    uri = "https://evil.example/users/ada/statuses/1"
    world.internet.answer("evil.example", 200, headers=AP, body=note_of_ada(uri))
    assert await forwarded(world, uri) == "noted: foreign-object"


async def test_t50_an_uploaded_file_is_no_document(world: World) -> None:
    wide = ("text/plain", "application/json", "application/ld+json", "text/html", "image/png", "")
    for number, media_type in enumerate(wide):
        uri = f"https://far.example/uploads/{number}"
        headers = (("Content-Type", media_type),)
        world.internet.answer("far.example", 200, headers=headers, body=note_of_ada(uri))
        assert (await forwarded(world, uri)).startswith("refused: fetch-wrong-type"), media_type


async def test_t50_an_uploaded_file_is_no_key(world: World) -> None:
    mallory = world.fediverse.mallory()
    body = json.dumps(mallory.server.document(mallory.account)).encode()
    plain = (("Content-Type", "application/json"),)
    world.internet.answer("evil.example", 200, headers=plain, body=body)
    assert (await post(world, mallory, reply_by(mallory.uri))).status == 401
    assert (await verdict(world, mallory.uri)).startswith("refused: fetch-wrong-type")


async def test_t51_a_redirect_does_not_move_a_document_to_another_host(world: World) -> None:
    uri = "https://a.example/x"
    world.internet.answer("a.example", 302, headers=(("Location", "https://b.example/x"),))
    world.internet.answer("b.example", 200, headers=AP, body=note_of_ada(uri))
    assert (await forwarded(world, uri)).startswith("refused: fetch-foreign-redirect")
    assert world.internet.requests_to("b.example") == []


async def test_t52_nobody_widens_another_s_private_reply(world: World) -> None:
    ada, mallory = world.fediverse.actor("ada@far.example"), world.fediverse.mallory()
    deed = await ada.reply(LETTER, "I sign. For your eyes only.", visibility="direct")
    await world.work()
    assert (await mallory.widen(deed.activity["object"], LETTER)).status == 202
    stolen = {**deed.activity["object"], "attributedTo": mallory.uri, "to": [ACTOR]}
    assert (await mallory.widen(stolen, LETTER)).status == 202
    await world.work()
    assert await world.signed() == []
    assert "For your eyes only" not in await world.everything_public()


async def test_t52_an_id_taken_first_keeps_nobody_off_the_roll(world: World) -> None:
    mallory = world.fediverse.mallory()
    ada = world.fediverse.actor("ada@far.example", "hollo")
    boost = await ada.boost(LETTER)  # seen elsewhere by mallory; Hollo does not tell us
    create = reply_by(ada.uri)
    squatted = {**boost.activity, "actor": mallory.uri}
    assert (await post(world, mallory, squatted)).status == 202
    assert (await post(world, mallory, {**create, "actor": mallory.uri})).status == 202
    await world.work()
    assert (await post(world, ada, boost.activity)).status == 202
    assert (await post(world, ada, create)).status == 202
    await world.work()
    [entry] = [entry for entry in await world.roll() if entry["handle"] == ada.handle]
    assert entry["via"] == ["reply", "boost"]


LAN = (
    "https://127.0.0.1/users/ada",
    "https://10.1.2.3/users/ada",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/users/ada",
    "https://[::ffff:127.0.0.1]/users/ada",
    "https://[64:ff9b::7f00:1]/users/ada",
    "https://2130706433/users/ada",
    "https://0x7f.1/users/ada",
    "https://localhost/users/ada",
    "https://printer.local/users/ada",
    "http://far.example/users/ada",
    "https://inside.example/users/ada",
)


async def test_t54_no_key_id_aims_us_at_our_own_network(world: World) -> None:
    world.internet.resolve("inside.example", "10.0.0.5")
    mallory = world.fediverse.mallory()
    for address in LAN:
        signer = Signer(f"{address}#main-key", mallory.account.pair)
        answer = await post(world, signer, reply_by(address))
        assert (answer.status, reason(answer).partition(":")[0]) == (401, "fetch-failed"), address
        assert (await verdict(world, address)).startswith("refused: fetch-blocked-address")
    await world.later(timedelta(hours=1))
    assert await world.signed() == []
    assert world.internet.requests == []


async def test_t54_no_actor_or_post_aims_us_at_our_own_network(world: World) -> None:
    world.internet.resolve("inside.example", "10.0.0.5")
    mallory = world.fediverse.mallory()
    for address in LAN:
        create = reply_by(address)
        assert (await post(world, mallory, create)).status == 202, address
        await world.work()
        found = await verdict(world, str(create["id"]))
        assert found.startswith(("refused: fetch-blocked-address", "refused: no-actor")), address
    assert await world.signed() == []
    assert {url.split("/")[2] for url in world.outbound()} == {"evil.example"}


async def test_t54_a_name_may_not_turn_into_our_network_later(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    world.internet.time_out("far.example")
    assert (await post(world, ada, reply_by(ada.uri))).status == 202
    asked = len(gets(world, "far.example"))
    world.fediverse.restore("far.example")
    world.internet.resolve("far.example", "192.168.0.1")
    await world.later(timedelta(hours=1))
    assert (await verdict(world, ada.uri)).startswith("refused: fetch-blocked-address")
    assert len(gets(world, "far.example")) == asked


@pytest.mark.parametrize("inside", ["https://127.0.0.1/u", "http://far.example/u", "data:,x"])
async def test_t55_a_redirect_does_not_lead_into_our_network(world: World, inside: str) -> None:
    mallory = world.fediverse.mallory()
    url = "https://evil.example/users/door"
    mallory.server.redirects[url] = inside
    signer = Signer(f"{url}#main-key", mallory.account.pair)
    assert (await post(world, signer, reply_by(url))).status == 401
    create = reply_by(url)
    create["object"] = url
    assert (await post(world, mallory, create)).status == 202
    await world.work()
    assert await world.signed() == []
    assert {url.split("/")[2] for url in world.outbound()} == {"evil.example"}


async def test_t55_nor_does_a_handle(world: World) -> None:
    world.internet.answer("evil.example", 302, headers=(("Location", "https://10.0.0.1/w"),))
    found = await told(world, "@ada@evil.example")
    assert found.verdict.startswith("this handle cannot be looked up: blocked-address")
    for handle in ("@ada@127.0.0.1", "@ada@localhost", "@ada@[::1]"):
        assert "cannot be looked up" in (await told(world, handle)).verdict
    assert {url.split("/")[2] for url in world.outbound()} == {"evil.example"}


async def test_t56_a_redirect_to_itself_ends(world: World) -> None:
    mallory = world.fediverse.mallory()
    url = "https://evil.example/users/loop"
    mallory.server.redirects[url] = url
    signer = Signer(f"{url}#main-key", mallory.account.pair)
    assert (await post(world, signer, reply_by(url))).status == 401
    create = reply_by("https://evil.example/users/else")
    create["object"] = url
    assert (await post(world, mallory, create)).status == 202
    await world.work()
    assert (await verdict(world, str(create["id"]))).startswith("refused: fetch-too-many-redirects")
    assert gets(world, "evil.example").count(url) == 1 + 4
