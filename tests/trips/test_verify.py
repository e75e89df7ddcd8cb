"""Whoever signs what they send is heard, in the hand of every kind of server (interop T20, T27)."""

import json

from fedi_letter.demo.presence import Deed
from fedi_letter.demo.wire import header
from tests.trips.wire import Way, bytes_of, cavage_by_hand, post, reply_by
from tests.world import ACTOR, HANDLE, INBOX, LETTER, World


async def joins(world: World, dialect: str) -> Deed:
    """Somebody of that dialect signs the letter and follows it; answers the signing reply."""
    ada = world.fediverse.actor("ada@far.example", dialect)
    deed = await ada.reply(LETTER, "I sign.")
    assert deed.status == 202
    follow = await ada.follow(HANDLE)
    assert follow.status == 202
    await world.work()
    assert await world.signed() == [ada.handle]
    assert ada.account.following == {ACTOR}
    return deed


def signature(deed: Deed) -> str:
    """The Signature header as it went out."""
    return header(deed.sent[0].headers, "signature") or ""


def signature_input(deed: Deed) -> str | None:
    """The Signature-Input header, which only RFC 9421 has."""
    return header(deed.sent[0].headers, "signature-input")


async def test_t20_mastodon_signs_with_rsa_sha256_and_a_fragment_key(world: World) -> None:
    deed = await joins(world, "mastodon")
    key_id = "https://far.example/users/ada#main-key"
    assert signature(deed).startswith(f'keyId="{key_id}",algorithm="rsa-sha256"')


async def test_t20_gotosocial_signs_with_hs2019_and_a_path_key(world: World) -> None:
    deed = await joins(world, "gotosocial")
    assert 'keyId="https://far.example/users/ada/main-key",algorithm="hs2019"' in signature(deed)
    assert deed.sent[0].url == INBOX


async def test_t20_pleroma_signs_the_content_length(world: World) -> None:
    deed = await joins(world, "pleroma")
    assert 'headers="(request-target) content-length date digest host"' in signature(deed)


async def test_t20_misskey_is_heard(world: World) -> None:
    deed = await joins(world, "misskey")
    assert 'headers="(request-target) date host digest"' in signature(deed)


async def test_t20_takahe_writes_the_algorithm_last(world: World) -> None:
    deed = await joins(world, "takahe")
    assert signature(deed).endswith(',algorithm="rsa-sha256"')
    assert 'keyId="https://far.example/@ada@far.example/#main-key"' in signature(deed)


async def test_t20_hollo_signs_the_content_type_first_and_uses_our_own_inbox(world: World) -> None:
    deed = await joins(world, "hollo")
    assert 'headers="(request-target) content-type date digest host"' in signature(deed)
    assert deed.sent[0].url == f"{ACTOR}/inbox"


async def test_t20_wordpress_knocks_with_rfc_9421_first(world: World) -> None:
    deed = await joins(world, "wordpress")
    assert (signature_input(deed) or "").startswith("wp=")
    assert 'keyid="https://far.example/?author=2#main-key"' in (signature_input(deed) or "")


async def test_t20_fedify_knocks_with_rfc_9421_first(world: World) -> None:
    deed = await joins(world, "ghost")
    assert '("@method" "@target-uri" "@authority" "host" "date"' in (signature_input(deed) or "")


async def test_t20_a_server_that_knows_only_rfc_9421_is_heard_and_answered(world: World) -> None:
    deed = await joins(world, "novel")
    assert signature_input(deed) is not None


async def test_t20_discourse_signs_created_expires_and_date(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    body = bytes_of(reply_by(ada.uri))
    now = int(world.clock().timestamp())
    covers = ("(request-target)", "(created)", "(expires)", "host", "date", "digest")
    parameters: dict[str, str | int] = {"algorithm": "hs2019", "created": now}
    parameters["expires"] = now + 300
    headers = cavage_by_hand(world, ada.account.signer, body, covers, parameters)
    answer = await world.request("POST", INBOX, headers=headers, body=body)
    assert answer.status == 202
    await world.work()
    assert await world.signed() == [ada.handle]


async def test_t20_the_query_string_may_be_signed(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    answer = await post(world, ada, reply_by(ada.uri), Way(url=f"{INBOX}?from=relay"))
    assert answer.status == 202
    await world.work()
    assert await world.signed() == [ada.handle]


async def test_t20_every_dialect_is_told_of_the_next_version(world: World) -> None:
    dialects = ("mastodon", "gotosocial", "pleroma", "misskey", "takahe", "hollo", "novel")
    people = [world.fediverse.actor(f"ada@{name}.example", name) for name in dialects]
    for person in people:
        await person.follow(HANDLE)
        await person.boost(LETTER)
    await world.work()
    followers = await world.document(f"{ACTOR}/followers")
    assert followers["totalItems"] == len(dialects)
    assert [person.handle for person in people if ACTOR not in person.account.following] == []


async def test_t27_the_actor_may_come_as_an_object(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    create = {**reply_by(ada.uri), "actor": {"id": ada.uri, "type": "Person"}}
    assert (await post(world, ada, create)).status == 202
    bob = world.fediverse.actor("bob@far.example")
    listed = {**reply_by(bob.uri), "actor": [bob.uri]}
    assert (await post(world, bob, listed)).status == 202
    await world.work()
    assert await world.signed() == [ada.handle, bob.handle]


async def test_t27_two_actors_are_nobody(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    bob = world.fediverse.actor("bob@far.example")
    create = {**reply_by(ada.uri), "actor": [ada.uri, bob.uri]}
    assert (await post(world, ada, create)).status == 202
    await world.work()
    assert await world.signed() == []


async def test_an_activity_without_an_address_of_its_own_counts_once(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    create = {**reply_by(ada.uri), "id": "urn:uuid:6f2a4d1e-0000-4000-8000-0123456789ab"}
    for _ in range(3):
        assert (await post(world, ada, create)).status == 202
        await world.work()
    [entry] = await world.roll()
    assert entry["handle"] == ada.handle


async def test_a_peer_that_knocks_twice_is_heard_once(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example", "wordpress")
    deed = await ada.reply(LETTER, "I sign.")
    await world.work()
    knocks = [seen for seen in world.internet.requests_to("letter.example") if seen.url == INBOX]
    assert [json.loads(seen.body)["id"] for seen in knocks] == [deed.id]
    assert await world.signed() == [ada.handle]
