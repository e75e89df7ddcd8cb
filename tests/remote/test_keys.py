"""Whose key it is: every server's honest shape, and every way to claim a key that is not one's own
(C2.7, T26, F2)."""

import pytest

from fedi_letter.activitypub.vocabulary import ACTIVITY_JSON
from fedi_letter.httpsig.keys import generate_rsa_pem, load_private_key, load_public_key
from fedi_letter.httpsig.refusal import Refusal, SignatureRefused
from fedi_letter.remote.actors import fetch_actor, fetch_key
from fedi_letter.remote.client import Client, FetchFailed, FetchProblem
from tests.internet import Internet
from tests.remote.pages import Document, Page, Site, actor, json_page, key_document, redirect

ADA = "https://far.example/users/ada"
MALLORY = "https://evil.example/users/mallory"


@pytest.fixture(scope="module")
def other_pem() -> str:
    """Another public key than the one the pages show."""
    return load_private_key("unused", generate_rsa_pem()).public_pem


async def refusal(client: Client, key_id: str) -> Refusal:
    """Answer why the key is proved false."""
    with pytest.raises(SignatureRefused) as caught:
        await fetch_key(client, key_id)
    return caught.value.reason


def serve(internet: Internet, documents: dict[str, Document]) -> None:
    """Serve each document at its url, on whatever host that is."""
    sites: dict[str, dict[str, Page]] = {}
    for url, document in documents.items():
        host, _, path = url.removeprefix("https://").partition("/")
        sites.setdefault(host, {})["/" + path] = json_page(document)
    for host, pages in sites.items():
        internet.serve(host, Site(pages))


async def test_a_key_inside_its_owners_document_costs_one_fetch(
    client: Client, internet: Internet
) -> None:
    serve(internet, {ADA: actor(ADA)})
    fetched = await fetch_key(client, f"{ADA}#main-key")
    assert (fetched.key.key_id, fetched.key.owner) == (f"{ADA}#main-key", ADA)
    assert fetched.actor.uri == ADA
    assert ADA.encode() in fetched.actor_body
    assert len(internet.requests) == 1


async def test_gotosocials_stub_at_a_key_path_leads_to_the_whole_actor(
    client: Client, internet: Internet
) -> None:
    key_id = f"{ADA}/main-key"
    whole = actor(ADA, key_id=key_id)
    stub = {name: whole[name] for name in ("@context", "id", "type", "publicKey")}
    serve(internet, {key_id: stub, ADA: whole})
    fetched = await fetch_key(client, key_id)
    assert (fetched.key.key_id, fetched.actor.uri) == (key_id, ADA)
    assert [seen.url for seen in internet.requests] == [key_id, ADA]


async def test_a_key_served_alone_leads_to_its_owner(client: Client, internet: Internet) -> None:
    key_id = "https://far.example/keys/7"
    serve(internet, {key_id: key_document(key_id, ADA), ADA: actor(ADA, key_id=key_id)})
    fetched = await fetch_key(client, key_id)
    assert (fetched.key.key_id, fetched.key.owner, fetched.actor.uri) == (key_id, ADA, ADA)


async def test_the_key_is_what_the_owner_lists_not_what_the_key_page_shows(
    client: Client, internet: Internet, other_pem: str
) -> None:
    key_id = "https://far.example/keys/7"
    listed = actor(ADA, key_id=key_id)
    serve(internet, {key_id: key_document(key_id, ADA, other_pem), ADA: listed})
    fetched = await fetch_key(client, key_id)
    material = listed["publicKey"]["publicKeyPem"]
    assert fetched.key == load_public_key(key_id, ADA, material)


async def test_one_of_several_keys_is_found(client: Client, internet: Internet) -> None:
    document = actor(ADA)
    document["publicKey"] = [key_document(f"{ADA}#old", ADA), document["publicKey"]]
    serve(internet, {ADA: document})
    assert (await fetch_key(client, f"{ADA}#old")).key.key_id == f"{ADA}#old"


async def test_a_key_page_that_redirects_to_another_actor_proves_nothing(
    client: Client, internet: Internet
) -> None:
    # GHSA-8863-8468-7hq7: an open redirect on ada's server hands mallory's key to ada's id.
    mallory = "https://far.example/users/mallory"
    pages = {
        "/users/ada": redirect(mallory),
        "/users/mallory": json_page(actor(mallory, key_id=f"{ADA}#main-key")),
    }
    internet.serve("far.example", Site(pages))
    assert await refusal(client, f"{ADA}#main-key") is Refusal.KEY_NOT_OWNED
    assert [seen.url for seen in internet.requests] == [ADA]


async def test_a_key_page_that_redirects_to_another_host_proves_nothing(
    client: Client, internet: Internet
) -> None:
    internet.serve("far.example", Site({"/users/ada": redirect(MALLORY)}))
    serve(internet, {MALLORY: actor(MALLORY, key_id=f"{ADA}#main-key")})
    assert await refusal(client, f"{ADA}#main-key") is Refusal.KEY_NOT_OWNED
    assert internet.requests_to("evil.example") == []


async def test_a_page_at_the_key_id_about_somebody_else_proves_nothing(
    client: Client, internet: Internet
) -> None:
    other = "https://far.example/users/bob"
    serve(internet, {ADA: actor(other, key_id=f"{ADA}#main-key"), other: actor(other)})
    assert await refusal(client, f"{ADA}#main-key") is Refusal.KEY_NOT_OWNED


@pytest.mark.parametrize("key_id", [f"{MALLORY}#main-key", "https://evil.example/keys/1"])
async def test_a_key_that_names_an_owner_elsewhere_is_not_theirs(
    client: Client, internet: Internet, key_id: str
) -> None:
    # The hole of a validator that believes `owner`: anybody could speak as ada.
    documents = {
        MALLORY: actor(MALLORY, owner=ADA),
        "https://evil.example/keys/1": key_document("https://evil.example/keys/1", ADA),
        ADA: actor(ADA),
    }
    serve(internet, documents)
    assert await refusal(client, key_id) is Refusal.KEY_NOT_OWNED
    assert internet.requests_to("far.example") == []


async def test_an_owner_that_does_not_list_the_key_back_does_not_own_it(
    client: Client, internet: Internet
) -> None:
    key_id = "https://far.example/uploads/key"
    serve(internet, {key_id: key_document(key_id, ADA), ADA: actor(ADA)})
    assert await refusal(client, key_id) is Refusal.KEY_NOT_OWNED


async def test_an_owner_whose_document_is_another_actors_does_not_own_it(
    client: Client, internet: Internet
) -> None:
    key_id = "https://far.example/keys/7"
    other = actor("https://far.example/users/bob", key_id=key_id, owner=ADA)
    serve(internet, {key_id: key_document(key_id, ADA), ADA: other})
    assert await refusal(client, key_id) is Refusal.KEY_NOT_OWNED


async def test_an_owner_that_calls_the_key_somebody_elses_does_not_own_it(
    client: Client, internet: Internet
) -> None:
    key_id = "https://far.example/keys/7"
    whole = actor(ADA, key_id=key_id, owner="https://far.example/users/bob")
    serve(internet, {key_id: key_document(key_id, ADA), ADA: whole})
    assert await refusal(client, key_id) is Refusal.KEY_NOT_OWNED


async def test_an_owner_almost_spelt_like_the_actor_does_not_own_it(
    client: Client, internet: Internet
) -> None:
    serve(internet, {ADA: actor(ADA, owner=ADA + "/"), ADA + "/": actor(ADA, owner=ADA + "/")})
    assert await refusal(client, f"{ADA}#main-key") is Refusal.KEY_NOT_OWNED


async def test_a_key_that_its_document_does_not_name_is_nobodys(
    client: Client, internet: Internet
) -> None:
    serve(internet, {ADA: actor(ADA)})
    assert await refusal(client, f"{ADA}#rotated-away") is Refusal.KEY_NOT_OWNED


async def test_a_weak_key_is_unusable_whoever_owns_it(client: Client, internet: Internet) -> None:
    document = actor(ADA)
    document["publicKey"]["publicKeyPem"] = "-----BEGIN PUBLIC KEY-----\nnonsense\n"
    serve(internet, {ADA: document})
    assert await refusal(client, f"{ADA}#main-key") is Refusal.KEY_UNUSABLE


@pytest.mark.parametrize(
    "page", [Page(410), json_page({"id": ADA, "type": "Tombstone"})], ids=["410", "tombstone"]
)
async def test_a_deleted_owner_takes_the_key_along(
    client: Client, internet: Internet, page: Page
) -> None:
    internet.serve("far.example", Site({"/users/ada": page}))
    assert await refusal(client, f"{ADA}#main-key") is Refusal.KEY_GONE


async def test_a_key_page_that_outlives_its_owner_is_gone_too(
    client: Client, internet: Internet
) -> None:
    key_id = "https://far.example/keys/7"
    pages = {"/keys/7": json_page(key_document(key_id, ADA)), "/users/ada": Page(410)}
    internet.serve("far.example", Site(pages))
    assert await refusal(client, key_id) is Refusal.KEY_GONE


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (404, FetchProblem.NOT_FOUND),
        (403, FetchProblem.FORBIDDEN),
        (500, FetchProblem.SERVER_ERROR),
    ],
)
async def test_a_hiccup_proves_nothing_against_a_key(
    client: Client, internet: Internet, status: int, problem: FetchProblem
) -> None:
    internet.answer("far.example", status)
    with pytest.raises(FetchFailed) as caught:
        await fetch_key(client, f"{ADA}#main-key")
    assert caught.value.problem is problem


async def test_a_key_host_that_times_out_can_be_asked_again(
    client: Client, internet: Internet
) -> None:
    internet.time_out("far.example")
    with pytest.raises(FetchFailed) as caught:
        await fetch_key(client, f"{ADA}#main-key")
    assert caught.value.is_transient


@pytest.mark.parametrize(
    "key_id",
    ["https://127.0.0.1/users/ada#main-key", "http://far.example/users/ada#main-key", "ada", ""],
)
async def test_a_key_id_that_may_not_be_called_is_not_called(
    client: Client, internet: Internet, key_id: str
) -> None:
    with pytest.raises(FetchFailed) as caught:
        await fetch_key(client, key_id)
    assert caught.value.problem is FetchProblem.BLOCKED_ADDRESS
    assert internet.requests == []


async def test_an_actor_restructured_by_json_ld_is_malformed(
    client: Client, internet: Internet
) -> None:
    serve(internet, {ADA: actor(ADA) | {"@reverse": {}}})
    with pytest.raises(FetchFailed) as caught:
        await fetch_key(client, f"{ADA}#main-key")
    assert caught.value.problem is FetchProblem.MALFORMED


async def test_an_actor_is_fetched_by_its_id(client: Client, internet: Internet) -> None:
    serve(internet, {ADA: actor(ADA)})
    fetched = await fetch_actor(client, ADA)
    assert (fetched.actor.uri, fetched.actor.inbox) == (ADA, f"{ADA}/inbox")


async def test_an_id_that_redirects_to_another_actor_is_not_that_actor(
    client: Client, internet: Internet
) -> None:
    bob = "https://far.example/users/bob"
    pages = {"/users/ada": redirect(bob), "/users/bob": json_page(actor(bob))}
    internet.serve("far.example", Site(pages))
    with pytest.raises(FetchFailed) as caught:
        await fetch_actor(client, ADA)
    assert caught.value.problem is FetchProblem.WRONG_ID


async def test_a_note_is_no_actor(client: Client, internet: Internet) -> None:
    body = b'{"id":"https://far.example/users/ada","type":"Note"}'
    internet.answer("far.example", 200, headers=(("content-type", ACTIVITY_JSON),), body=body)
    with pytest.raises(FetchFailed) as caught:
        await fetch_actor(client, ADA)
    assert caught.value.problem is FetchProblem.MALFORMED
