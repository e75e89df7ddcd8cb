"""Whatever a stranger writes into an answer or an id, one known error comes of it, or a result."""

import contextlib
import json
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedi_letter.activitypub.vocabulary import ACTIVITY_JSON
from fedi_letter.httpsig.keys import PrivateKey
from fedi_letter.httpsig.refusal import SignatureRefused
from fedi_letter.remote.actors import fetch_actor, fetch_key
from fedi_letter.remote.answers import LONGEST_RETRY_AFTER, retry_after
from fedi_letter.remote.client import Client, FetchFailed
from fedi_letter.remote.transport import WireResponse
from fedi_letter.remote.webfinger import HandleUnusable
from tests.clock import Clock
from tests.internet import Internet
from tests.remote.pages import actor

ADA = "https://far.example/users/ada"

_slow_is_fine = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_targets = st.text(alphabet="htps:/.@%#?[]\\ far.exmpl017\n~é", max_size=24) | st.text(max_size=12)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just(ADA),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
_names = st.sampled_from(["id", "type", "inbox", "publicKey", "owner", "publicKeyPem", "@context"])


def client_on(internet: Internet, key: PrivateKey) -> Client:
    """Answer a client on this network."""
    return Client(internet, key=key, user_agent="x", clock=Clock(), allow_private=False)


@_slow_is_fine
@given(target=_targets)
async def test_any_redirect_target_ends_in_a_known_failure(
    instance_key: PrivateKey, target: str
) -> None:
    internet = Internet(Clock())
    internet.answer("far.example", 302, headers=(("Location", target),))
    client = client_on(internet, instance_key)
    with contextlib.suppress(FetchFailed):
        await client.get_document(ADA)
    await client.close()
    assert {seen.host for seen in internet.requests} == {"far.example"}


@_slow_is_fine
@given(identifier=_targets | _targets.map(ADA.__add__))
async def test_any_id_ends_in_a_known_failure(instance_key: PrivateKey, identifier: str) -> None:
    internet = Internet(Clock())
    internet.answer("far.example", 404)
    client = client_on(internet, instance_key)
    with contextlib.suppress(FetchFailed, SignatureRefused):
        await fetch_key(client, identifier)
    with contextlib.suppress(FetchFailed):
        await fetch_actor(client, identifier)
    with contextlib.suppress(FetchFailed, HandleUnusable):
        await client.webfinger(f"@ada@{identifier}")
    await client.close()


@_slow_is_fine
@given(changes=st.dictionaries(_names, _values, min_size=1))
async def test_any_document_gives_an_owned_key_or_a_known_failure(
    instance_key: PrivateKey, changes: dict[str, object]
) -> None:
    internet = Internet(Clock())
    body = json.dumps(actor(ADA) | changes).encode()
    internet.answer("far.example", 200, headers=(("content-type", ACTIVITY_JSON),), body=body)
    client = client_on(internet, instance_key)
    with contextlib.suppress(FetchFailed, SignatureRefused):
        fetched = await fetch_key(client, f"{ADA}#main-key")
        assert (fetched.key.owner, fetched.actor.uri) == (ADA, ADA)
    await client.close()


@given(value=st.text() | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,3} [A-Z][a-z]{2} [0-9]{1,6} .*"))
def test_any_retry_after_is_nothing_or_at_most_a_day(value: str) -> None:
    wait = retry_after(WireResponse(503, (("Retry-After", value),), b""), Clock()())
    assert wait is None or timedelta(0) <= wait <= LONGEST_RETRY_AFTER
