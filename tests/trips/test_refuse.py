"""Who is not who they say they are is refused, told why, and never counted."""

from datetime import timedelta

import pytest

from fedi_letter.demo.people import Person
from fedi_letter.demo.signing import Scheme, Signer
from fedi_letter.demo.wire import Headers, Sent, header
from fedi_letter.services import blocking
from tests.trips.wire import (
    Way,
    bytes_of,
    gets,
    post,
    reason,
    reply_by,
    signed_headers,
    told,
    verdict,
)
from tests.world import INBOX, LETTER, World

VICTIM = "ada@far.example"


async def nothing_counts(world: World) -> None:
    """Work everything off and see that nobody is on the roll, for a day."""
    await world.work()
    assert await world.signed() == []
    await world.later(timedelta(hours=25))
    assert await world.signed() == []


async def test_t21_a_true_signature_does_not_speak_for_another(world: World) -> None:
    ada, mallory = world.fediverse.actor(VICTIM), world.fediverse.mallory()
    sent = await mallory.forge(ada.uri, LETTER)
    assert sent.status == 202  # it could be a true copy, passed on; ada's server is asked
    await nothing_counts(world)
    found = await told(world, ada.uri)
    assert found.verdict.startswith("refused: fetch-not-found")
    assert found.signatory is None


async def test_t21_another_s_key_id_does_not_help(world: World) -> None:
    ada, mallory = world.fediverse.actor(VICTIM), world.fediverse.mallory()
    sent = await mallory.forge_key_id(ada, LETTER)
    assert sent.status == 401
    assert b"signature-mismatch" in sent.answer
    await nothing_counts(world)
    assert (await verdict(world, ada.uri)).startswith("refused: signature-mismatch")


async def test_t21_a_key_that_claims_another_owner_is_not_believed(world: World) -> None:
    ada, mallory = world.fediverse.actor(VICTIM), world.fediverse.mallory()
    sent = await mallory.forge_ownership(ada.uri, LETTER)
    assert sent.status == 401
    assert b"key-not-owned" in sent.answer
    await nothing_counts(world)


async def test_t22_what_was_signed_for_another_host_is_not_for_us(world: World) -> None:
    ada, mallory = world.fediverse.actor(VICTIM), world.fediverse.mallory()
    bob = world.fediverse.actor("bob@other.example")
    theirs = await bob.post("Who else?")
    assert theirs.note is not None
    captured = await ada.reply(theirs.note.uri, "I sign.")
    assert captured.sent[0].url == "https://other.example/inbox"
    assert (await mallory.replay(captured, INBOX)).status == 401
    kept = await mallory.replay(captured, INBOX, keep_host=True)
    assert kept.status == 401
    assert b"wrong-host" in kept.answer
    await nothing_counts(world)


async def test_t22_what_was_signed_for_one_inbox_is_not_for_the_other(world: World) -> None:
    ada, mallory = world.fediverse.actor(VICTIM), world.fediverse.mallory()
    deed = await ada.follow("@letter@letter.example")
    assert deed.sent[0].url != INBOX
    assert (await mallory.replay(deed, INBOX)).status == 401


async def test_t23_another_body_than_the_signed_one_is_refused(world: World) -> None:
    ada, mallory = world.fediverse.actor(VICTIM), world.fediverse.mallory()
    deed = await ada.reply(LETTER, "I do not sign.")
    altered = await mallory.alter(deed, "I do not sign.", "I sign.")
    assert (altered.status, b"digest-mismatch" in altered.answer) == (401, True)
    fitted = await mallory.alter(deed, "I do not sign.", "I sign.", redigest=True)
    assert (fitted.status, b"signature-mismatch" in fitted.answer) == (401, True)
    await nothing_counts(world)


async def test_t23_a_digest_must_be_signed(world: World) -> None:
    mallory = world.fediverse.mallory()
    sent = await mallory.digest_unsigned(LETTER)
    assert (sent.status, b"digest-not-covered" in sent.answer) == (401, True)
    unsigned_host = await mallory.host_unsigned(LETTER)
    assert (unsigned_host.status, b"host-not-covered" in unsigned_host.answer) == (401, True)
    await nothing_counts(world)


@pytest.mark.parametrize(
    ("age", "why"),
    [
        (timedelta(hours=13), b"stale"),
        (timedelta(days=400), b"stale"),
        (timedelta(hours=-2), b"from-the-future"),
    ],
)
async def test_t24_a_signature_of_another_time_is_refused(
    world: World, age: timedelta, why: bytes
) -> None:
    sent = await world.fediverse.mallory().stale(LETTER, age)
    assert (sent.status, why in sent.answer) == (401, True)
    await nothing_counts(world)


@pytest.mark.parametrize("age", [timedelta(hours=11), timedelta(minutes=-50)])
async def test_t24_a_clock_that_is_somewhat_off_is_forgiven(world: World, age: timedelta) -> None:
    ada = world.fediverse.actor(VICTIM)
    assert (await post(world, ada, reply_by(ada.uri), Way(age=age))).status == 202
    await world.work()
    assert await world.signed() == [ada.handle]


async def test_t26_a_key_id_that_leads_to_another_s_document_is_refused(world: World) -> None:
    ada, mallory = world.fediverse.actor(VICTIM), world.fediverse.mallory()
    sent = await mallory.forge_by_redirect(ada.uri, LETTER)
    assert (sent.status, b"key-not-owned" in sent.answer) == (401, True)
    assert gets(world, "far.example") == []
    await nothing_counts(world)


async def test_t26_nor_does_a_redirect_within_one_server_lend_a_key(world: World) -> None:
    ada = world.fediverse.actor(VICTIM)
    mallory = world.fediverse.mallory("mallory@far.example")
    sent = await mallory.forge_by_redirect(ada.uri, LETTER)
    assert (sent.status, b"key-not-owned" in sent.answer) == (401, True)
    await nothing_counts(world)


async def knock(world: World, ada: Person, headers: Headers, body: bytes) -> tuple[int, str]:
    """What an inbox says to these headers as they stand."""
    answer = await world.request("POST", INBOX, headers=headers, body=body)
    return answer.status, reason(answer)


async def test_t48_a_signature_that_is_no_signature_is_refused(world: World) -> None:
    ada = world.fediverse.actor(VICTIM)
    body = bytes_of(reply_by(ada.uri))
    headers = signed_headers(world, ada.account.signer, body, Way())
    rest = tuple(pair for pair in headers if pair[0] != "signature")
    true = header(headers, "signature") or ""
    refused = {
        "unsigned": rest,
        "malformed-signature": (*rest, ("signature", "")),
        "duplicate-signature": (*rest, ("signature", true), ("signature", true)),
    }
    for why, shown in refused.items():
        status, said = await knock(world, ada, shown, body)
        assert (status, said.partition(":")[0]) == (401, why)
    stripped = true.replace('",signature="', '",signatures="')
    assert (await knock(world, ada, (*rest, ("signature", stripped)), body))[0] == 401
    foreign = (*rest, ("signature", true), ("signature-input", "sig1=()"))
    assert (await knock(world, ada, foreign, body))[0] == 401
    await nothing_counts(world)
    found = await told(world, ada.uri)
    assert {one.receipt.verdict for one in found.receipts} == {"refused"}


async def test_t48_two_keys_in_one_signature_are_none(world: World) -> None:
    sent = await world.fediverse.mallory().duplicate_parameters(LETTER)
    assert sent.status == 401
    await nothing_counts(world)


async def test_t48_rfc_9421_wants_its_own_label_and_the_digest(world: World) -> None:
    ada = world.fediverse.actor(VICTIM)
    body = bytes_of(reply_by(ada.uri))
    way = Way(scheme=Scheme.RFC9421, components=("@method", "@target-uri"))
    headers = signed_headers(world, ada.account.signer, body, way)
    plain = tuple(pair for pair in headers if pair[0] not in ("signature", "signature-input"))
    named, value = header(headers, "signature-input") or "", header(headers, "signature") or ""
    relabelled = value.replace("sig1=", "sig2=", 1)
    uncovered = named.replace(' "content-digest"', "")
    assert uncovered != named
    for shown in ((named, relabelled), (uncovered, value), (named, ""), ("", value)):
        pair = (("signature-input", shown[0]), ("signature", shown[1]))
        assert (await knock(world, ada, (*plain, *pair), body))[0] == 401, shown
    await nothing_counts(world)


async def test_t53_a_signature_by_a_name_in_disguise_is_refused_and_nobody_is_asked(
    world: World,
) -> None:
    mallory = world.fediverse.mallory()
    world.fediverse.actor("ada@example.org")
    disguises = (
        "https://exаmple.org/users/ada",  # a Cyrillic letter
        "https://ex%61mple.org/users/ada",
        "https://example.org./users/ada",
        "https://example.org@evil.example/users/ada",
        "https://evil.example\\@example.org/users/ada",
        "https://ｅxample.org/users/ada",
        "https://[::ffff:7f00:1]/users/ada",
        "javascript://example.org/%0aalert(1)",
    )
    for actor in disguises:
        signer = Signer(f"{actor}#main-key", mallory.account.pair)
        body = bytes_of(reply_by("https://example.org/users/ada"))
        headers = tuple(
            (name, value.encode().decode("latin-1"))
            for name, value in signed_headers(world, signer, body, Way())
        )
        answer = await world.request("POST", INBOX, headers=headers, body=body)
        assert answer.status == 401, actor
        assert (await post(world, mallory, reply_by(actor))).status == 202, actor
    await nothing_counts(world)
    assert {url.split("/")[2] for url in world.outbound()} == {"evil.example"}


async def block(world: World, subject: str) -> None:
    """An admin blocks a domain or an actor."""
    await blocking.add(world.house.context, subject, reason=None, by="admin")
    world.clock.advance(timedelta(seconds=3))


async def refusals(world: World, *by: Person) -> list[Sent]:
    """A reply and a boost by each."""
    deeds = [await one.reply(LETTER, "I sign.") for one in by]
    deeds += [await one.boost(LETTER) for one in by]
    return [deed.sent[0] for deed in deeds]


async def test_t61_a_blocked_domain_is_refused_and_its_keys_not_fetched(world: World) -> None:
    await block(world, "far.example")
    ada = world.fediverse.actor(VICTIM)
    below = world.fediverse.actor("bob@social.far.example")
    for sent in await refusals(world, ada, below):
        assert (sent.status, b"blocked" in sent.answer) == (403, True)
    await nothing_counts(world)
    assert world.outbound() == []
    assert (await verdict(world, ada.uri)).startswith("refused: blocked")


async def test_t61_a_blocked_actor_is_refused_and_their_neighbour_heard(world: World) -> None:
    ada, bob = world.fediverse.actor(VICTIM), world.fediverse.actor("bob@far.example")
    await block(world, ada.uri)
    assert [sent.status for sent in await refusals(world, ada)] == [403, 403]
    assert [sent.status for sent in await refusals(world, bob)] == [202, 202]
    await world.work()
    assert await world.signed() == [bob.handle]


async def test_t61_a_copy_passed_on_by_a_friend_is_refused(world: World) -> None:
    ada, bob = world.fediverse.actor(VICTIM), world.fediverse.actor("bob@other.example")
    deed = await ada.reply(LETTER, "I sign.")
    boost = await ada.boost(LETTER)
    assert deed.note is not None
    await block(world, "far.example")
    for forwarded in (deed.activity, boost.activity):
        assert (await post(world, bob, forwarded)).status == 403
    veiled = {**deed.activity, "id": f"{bob.uri}/1", "actor": "https://third.example/u"}
    assert (await post(world, bob, veiled)).status == 202
    await nothing_counts(world)
    assert (await told(world, veiled["id"])).verdict == "refused: blocked"


async def test_t61_what_is_blocked_does_not_come_in_by_asking_for_it(world: World) -> None:
    holly = world.fediverse.actor("holly@far.example", "hollo")
    boost = await holly.boost(LETTER)
    assert boost.sent == ()
    await block(world, "far.example")
    assert (await verdict(world, boost.id)) == "refused: blocked"
    await nothing_counts(world)


async def test_t61_who_is_blocked_after_the_answer_is_not_counted_either(world: World) -> None:
    ada = world.fediverse.actor(VICTIM)
    assert (await ada.reply(LETTER, "I sign.")).status == 202
    await block(world, "far.example")
    await nothing_counts(world)
    assert (await verdict(world, ada.uri)).startswith("refused: blocked")
