"""Simulated servers judge signatures by themselves, each as strictly as its kind does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from fedi_letter.demo.dialects import DIALECTS, NOVEL
from fedi_letter.demo.microblogs import MASTODON
from fedi_letter.demo.misdeeds import Mallory
from fedi_letter.demo.people import Person
from fedi_letter.demo.server import Trouble
from fedi_letter.demo.shapes import Note
from fedi_letter.demo.signing import Scheme, Style
from fedi_letter.demo.wire import Sent
from tests.clock import Clock
from tests.fediverse import Fediverse

FIRST_KNOCK = {name: dialect.knocks[0] for name, dialect in DIALECTS.items()}


@pytest.fixture
def mallory(fediverse: Fediverse) -> Mallory:
    return fediverse.mallory()


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_reply_in_every_dialect_is_proven_by_its_receiver(
    fediverse: Fediverse, ada: Person, letter: Note, dialect: str
) -> None:
    alice = fediverse.actor("alice@far.example", dialect)
    deed = await alice.reply(letter.uri, "I sign.")
    [received] = ada.server.received
    assert deed.status == 202
    assert received.problem is None
    assert received.scheme is FIRST_KNOCK[dialect]
    assert received.key_id == alice.account.key_id
    assert received.activity == deed.activity


@pytest.mark.parametrize("dialect", ["wordpress", "ghost"])
async def test_a_server_that_prefers_rfc_9421_knocks_again_in_cavage(
    fediverse: Fediverse, dialect: str
) -> None:
    ada = fediverse.actor("ada@gts.example", "gotosocial")
    letter = (await ada.post("Dear all")).note
    assert letter
    alice = fediverse.actor("alice@far.example", dialect)
    await alice.reply(letter.uri, "I sign.")
    await alice.reply(letter.uri, "And again.")
    tries = [(received.status, received.scheme) for received in ada.server.received]
    assert tries == [(401, None), (202, Scheme.CAVAGE), (202, Scheme.CAVAGE)]


async def test_a_server_of_rfc_9421_alone_refuses_cavage(fediverse: Fediverse) -> None:
    ada = fediverse.actor("ada@novel.example", NOVEL)
    letter = (await ada.post("Dear all")).note
    assert letter
    old = fediverse.actor("alice@far.example", "mastodon")
    new = fediverse.actor("bob@wp.example", "wordpress")
    assert (await old.reply(letter.uri, "I sign.")).status == 401
    assert (await new.reply(letter.uri, "I sign.")).status == 202


async def test_a_locked_server_shows_its_actors_to_signed_requests_only(
    fediverse: Fediverse, ada: Person
) -> None:
    alice = fediverse.actor("alice@gts.example", "gotosocial")
    courier = ada.server.courier
    unsigned, _, _ = await courier.get(alice.uri, None)
    signed, _, _ = await courier.get(alice.uri, ada.server.instance.signer)
    key, _, stub = await courier.get(alice.account.key_id, None)
    assert (unsigned, signed, key) == (401, 200, 200)
    assert b"publicKeyPem" in stub
    assert b"inbox" not in stub


async def test_what_mallory_sends_is_refused_and_nothing_comes_of_it(
    fediverse: Fediverse, ada: Person, letter: Note, mallory: Mallory
) -> None:
    alice = fediverse.actor("alice@far.example")
    deed = await alice.reply(letter.uri, "I sign.")
    assert deed.note
    elsewhere = fediverse.server("other.example").shared_inbox
    before = len(ada.notifications)
    sent: dict[str, Sent] = {
        "forged": await mallory.forge(alice.uri, letter.uri),
        "forged key id": await mallory.forge_key_id(alice, letter.uri),
        "redirected key": await mallory.forge_by_redirect(alice.uri, letter.uri),
        "altered": await mallory.alter(deed, "I sign", "I resign"),
        "altered and digested": await mallory.alter(deed, "I sign", "I resign", redigest=True),
        "unsigned": await mallory.unsigned(letter.uri),
        "stale": await mallory.stale(letter.uri, timedelta(hours=13)),
        "future": await mallory.stale(letter.uri, timedelta(hours=-13)),
        "digest unsigned": await mallory.digest_unsigned(letter.uri),
        "host unsigned": await mallory.host_unsigned(letter.uri),
        "two keys": await mallory.duplicate_parameters(letter.uri),
        "replayed elsewhere": await mallory.replay(deed, elsewhere),
        "replayed elsewhere as signed": await mallory.replay(deed, elsewhere, keep_host=True),
        "owner claimed": await mallory.forge_ownership(alice.uri, letter.uri),
        "storm": (await mallory.delete_storm(ada.account.inbox, 1))[0],
    }
    assert {name: one.status for name, one in sent.items()} == dict.fromkeys(sent, 401)
    assert len(ada.notifications) == before


async def test_each_misdeed_is_wrong_in_one_way_only(
    ada: Person, letter: Note, mallory: Mallory
) -> None:
    """The same hands, doing nothing wrong, are let in: the refusals above are not accidents."""
    honest = await mallory.stale(letter.uri, timedelta(0))
    own = await mallory.forge(mallory.uri, letter.uri)
    assert (honest.status, own.status) == (202, 202)
    assert len(ada.notifications) == 2


async def test_a_server_that_judges_nobody_notes_what_it_could_not_prove(
    fediverse: Fediverse, mallory: Mallory
) -> None:
    ada = fediverse.actor("ada@takahe.example", "takahe")
    letter = (await ada.post("Dear all")).note
    assert letter
    assert (await mallory.unsigned(letter.uri)).status == 202
    assert ada.server.received[-1].problem == "the request is not signed"


async def test_a_rotated_key_is_fetched_again_once(
    fediverse: Fediverse, ada: Person, letter: Note
) -> None:
    alice = fediverse.actor("alice@far.example")
    await alice.reply(letter.uri, "I sign.")
    await alice.rotate_key()
    fetched = len(alice.server.fetched)
    assert (await alice.reply(letter.uri, "Still me.")).status == 202
    assert alice.server.fetched[fetched:].count(alice.uri) == 1


async def test_an_old_date_is_judged_by_the_simulated_clock(
    fediverse: Fediverse, ada: Person, letter: Note, clock: Clock
) -> None:
    alice = fediverse.actor("alice@far.example")
    deed = await alice.reply(letter.uri, "I sign.")
    clock.advance(timedelta(hours=13))
    assert (await alice.again(deed)).status == 401
    assert (await alice.again(deed, signed_anew=True)).status == 202


async def test_an_rfc_9421_signature_ages_by_the_simulated_clock_too(
    fediverse: Fediverse, ada: Person, letter: Note, clock: Clock
) -> None:
    alice = fediverse.actor("alice@wp.example", "wordpress")
    deed = await alice.reply(letter.uri, "I sign.")
    clock.advance(timedelta(hours=13))
    assert (await alice.again(deed)).status == 401


async def test_a_body_over_the_kinds_limit_is_refused(fediverse: Fediverse, letter: Note) -> None:
    ada = fediverse.actor("ada@takahe.example", "takahe")
    bob = fediverse.actor("bob@far.example")
    assert (await bob.mention(ada.uri, "a" * 1_000)).status == 202
    assert (await bob.mention(ada.uri, "a" * 60_000)).status == 400


async def test_an_ailing_server_says_so_and_recovers(
    fediverse: Fediverse, ada: Person, letter: Note
) -> None:
    alice = fediverse.actor("alice@far.example")
    await alice.reply(letter.uri, "I sign.")
    ada.server.inbox_trouble = Trouble(503, (("retry-after", "120"),))
    assert (await alice.reply(letter.uri, "Hello?")).status == 503
    ada.server.inbox_trouble = None
    assert (await alice.reply(letter.uri, "Hello.")).status == 202


async def test_a_server_that_wants_more_under_the_signature_gets_it(
    fediverse: Fediverse, ada: Person, letter: Note
) -> None:
    """Pleroma signs the length; a receiver that demands it is satisfied by nobody else."""
    wanted = (*MASTODON.strictness.must_cover, "content-length")
    strict = replace(MASTODON, strictness=replace(MASTODON.strictness, must_cover=wanted))
    eve = fediverse.actor("eve@strict.example", strict)
    pleroma = fediverse.actor("alice@pleroma.example", "pleroma")
    mastodon = fediverse.actor("bob@far.example")
    assert (await pleroma.mention(eve.uri, "Hello")).status == 202
    assert (await mastodon.mention(eve.uri, "Hello")).status == 401
    assert Style().covers_post != pleroma.server.dialect.style.covers_post
