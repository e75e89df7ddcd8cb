"""Which documents are believed, and what is said of the others (T49, T50, T51, T55, T56)."""

import json
from datetime import timedelta

import pytest

from fedi_letter.activitypub.vocabulary import ACTIVITY_JSON, LD_JSON
from fedi_letter.httpsig.keys import PrivateKey, PublicKey
from fedi_letter.httpsig.message import Message
from fedi_letter.httpsig.verify import claim, verify
from fedi_letter.remote.client import Client, FetchFailed, FetchProblem
from tests.clock import Clock
from tests.internet import Internet
from tests.remote.pages import Document, Site, json_page, note, redirect

NOTE = "https://far.example/notes/1"


async def problem(client: Client, url: str = NOTE) -> FetchProblem:
    """Answer why this url gives no document."""
    with pytest.raises(FetchFailed) as caught:
        await client.get_document(url)
    return caught.value.problem


async def test_a_document_at_its_own_url_is_believed(client: Client, internet: Internet) -> None:
    internet.serve("far.example", Site({"/notes/1": json_page(note(NOTE))}))
    fetched = await client.get_document(NOTE)
    assert fetched.url == NOTE
    assert fetched.document == note(NOTE)
    assert json.loads(fetched.body) == note(NOTE)


async def test_a_fetch_is_signed_by_the_instance_actor_and_names_the_product(
    client: Client, internet: Internet, clock: Clock, instance_key: PrivateKey
) -> None:
    internet.serve("far.example", Site({"/notes/1?a=b%20c": json_page(note(NOTE + "?a=b%20c"))}))
    await client.get_document(NOTE + "?a=b%20c#part")
    (seen,) = internet.requests
    assert seen.url == NOTE + "?a=b%20c"
    assert seen.value("accept") == f"{ACTIVITY_JSON}, {LD_JSON}"
    assert "https://letter.example/" in (seen.value("user-agent") or "")
    message = Message("GET", "/notes/1?a=b%20c", seen.headers, b"")
    read = claim(message, origin="https://far.example", received_at=clock())
    assert read.key_id == instance_key.key_id
    key = PublicKey(read.key_id, "https://letter.example/", instance_key.public_pem)
    verify(read, message, key, origin="https://far.example")


@pytest.mark.parametrize(
    "content_type",
    [
        ACTIVITY_JSON,
        "Application/Activity+JSON; charset=utf-8",
        LD_JSON,
        'application/ld+json; charset=utf-8; profile="https://www.w3.org/ns/activitystreams"',
        "application/ld+json;profile=https://www.w3.org/ns/activitystreams",
    ],
)
async def test_the_two_activity_types_are_read(
    client: Client, internet: Internet, content_type: str
) -> None:
    internet.serve("far.example", Site({"/notes/1": json_page(note(NOTE), content_type)}))
    assert (await client.get_document(NOTE)).document["type"] == "Note"


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/html",
        "application/json",
        "application/ld+json",
        'application/ld+json; profile="https://evil.example/"',
        "application/ld+json; charset=https://www.w3.org/ns/activitystreams",
        "application/activity+json-not",
        "",
    ],
)
async def test_no_other_type_is_read_because_it_may_be_somebodys_upload(
    client: Client, internet: Internet, content_type: str
) -> None:
    internet.serve("far.example", Site({"/notes/1": json_page(note(NOTE), content_type)}))
    assert await problem(client) is FetchProblem.WRONG_TYPE


@pytest.mark.parametrize(
    "named",
    [
        "https://evil.example/notes/1",
        "https://far.example/notes/2",
        "https://far.example/notes/1?x",
        "http://far.example/notes/1",
        "https://far.example.evil.example/notes/1",
        None,
        ["https://far.example/notes/1"],
        {"id": NOTE},
    ],
)
async def test_a_document_of_another_id_is_refused(
    client: Client, internet: Internet, named: object
) -> None:
    document: Document = note(NOTE) | {"id": named}
    internet.serve("far.example", Site({"/notes/1": json_page(document)}))
    assert await problem(client) is FetchProblem.WRONG_ID


async def test_a_last_slash_is_no_other_id(client: Client, internet: Internet) -> None:
    internet.serve("far.example", Site({"/notes/1": json_page(note(NOTE + "/"))}))
    assert (await client.get_document(NOTE)).document["id"] == NOTE + "/"


@pytest.mark.parametrize(
    ("status", "expected", "is_transient", "is_gone"),
    [
        (204, FetchProblem.WRONG_TYPE, False, False),
        (304, FetchProblem.REDIRECTED, False, False),
        (400, FetchProblem.REFUSED, False, False),
        (401, FetchProblem.FORBIDDEN, False, False),
        (403, FetchProblem.FORBIDDEN, False, False),
        (404, FetchProblem.NOT_FOUND, False, False),
        (406, FetchProblem.REFUSED, False, False),
        (408, FetchProblem.SERVER_ERROR, True, False),
        (410, FetchProblem.GONE, False, True),
        (429, FetchProblem.RATE_LIMITED, True, False),
        (500, FetchProblem.SERVER_ERROR, True, False),
        (503, FetchProblem.SERVER_ERROR, True, False),
    ],
)
async def test_each_status_has_one_meaning(
    client: Client,
    internet: Internet,
    *,
    status: int,
    expected: FetchProblem,
    is_transient: bool,
    is_gone: bool,
) -> None:
    internet.answer("far.example", status)
    with pytest.raises(FetchFailed) as caught:
        await client.get_document(NOTE)
    failed = caught.value
    assert (failed.problem, failed.status) == (expected, status)
    assert (failed.is_transient, failed.is_gone) == (is_transient, is_gone)


async def test_a_tombstone_at_its_own_id_says_gone(client: Client, internet: Internet) -> None:
    tombstone = {"id": NOTE, "type": "Tombstone"}
    internet.serve("far.example", Site({"/notes/1": json_page(tombstone)}))
    with pytest.raises(FetchFailed) as caught:
        await client.get_document(NOTE)
    assert caught.value.problem is FetchProblem.TOMBSTONE
    assert caught.value.is_gone


async def test_nobody_can_declare_another_id_deleted(client: Client, internet: Internet) -> None:
    internet.serve("evil.example", Site({"/x": json_page({"id": NOTE, "type": "Tombstone"})}))
    assert await problem(client, "https://evil.example/x") is FetchProblem.WRONG_ID


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"note"',
        b"{",
        b'{"id": NaN}',
        b'{"id": "https://far.example/notes/1", "id": "https://far.example/notes/1"}',
        b'{"id":' + b"[" * 100 + b"]" * 100 + b"}",
        b"\xff\xfe{}",
    ],
)
async def test_what_is_no_sound_json_object_is_malformed(
    client: Client, internet: Internet, body: bytes
) -> None:
    internet.answer("far.example", 200, headers=(("content-type", ACTIVITY_JSON),), body=body)
    assert await problem(client) is FetchProblem.MALFORMED


async def test_a_document_over_a_megabyte_is_too_large(client: Client, internet: Internet) -> None:
    body = json.dumps(note(NOTE) | {"content": "x" * 1_000_000}).encode()
    internet.answer("far.example", 200, headers=(("content-type", ACTIVITY_JSON),), body=body)
    assert await problem(client) is FetchProblem.TOO_LARGE


async def test_a_redirect_within_the_origin_is_followed_and_signed_anew(
    client: Client, internet: Internet, clock: Clock
) -> None:
    pages = {"/@ada/1": redirect("/notes/1"), "/notes/1": json_page(note(NOTE))}
    internet.serve("far.example", Site(pages))
    fetched = await client.get_document("https://far.example/@ada/1")
    assert fetched.url == NOTE
    first, second = internet.requests
    assert first.value("signature") != second.value("signature")
    claim(
        Message("GET", "/notes/1", second.headers, b""),
        origin="https://far.example",
        received_at=clock(),
    )


async def test_a_redirect_cannot_move_a_document_to_another_origin(
    client: Client, internet: Internet
) -> None:
    # T51, both ways round: neither origin may speak for the other.
    internet.serve("a.example", Site({"/x": redirect("https://b.example/x")}))
    internet.serve("b.example", Site({"/x": json_page(note("https://a.example/x"))}))
    assert await problem(client, "https://a.example/x") is FetchProblem.FOREIGN_REDIRECT
    assert internet.requests_to("b.example") == []


@pytest.mark.parametrize(
    "target",
    [
        "https://127.0.0.1/notes/1",
        "https://[::1]/notes/1",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/notes/1",
        "http://far.example/notes/1",
        "file:///etc/passwd",
        "data:application/activity+json,{}",
        "https://far.example@evil.example/",
        "//127.0.0.1/notes/1",
        "https://[half",
    ],
)
async def test_a_redirect_to_where_nobody_may_go_is_refused(
    client: Client, internet: Internet, target: str
) -> None:
    internet.serve("far.example", Site({"/notes/1": redirect(target)}))
    assert await problem(client) is FetchProblem.BLOCKED_ADDRESS
    assert len(internet.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_itself_ends_after_three(
    client: Client, internet: Internet, status: int
) -> None:
    internet.serve("far.example", Site({"/notes/1": redirect(NOTE, status)}))
    assert await problem(client) is FetchProblem.TOO_MANY_REDIRECTS
    assert len(internet.requests) == 1 + 3


async def test_a_redirect_without_a_target_is_no_document(
    client: Client, internet: Internet
) -> None:
    internet.answer("far.example", 302)
    assert await problem(client) is FetchProblem.REDIRECTED


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/x", "http://far.example/x", "https://a@far.example/x", "nonsense"]
)
async def test_a_url_the_guard_refuses_is_never_asked(
    client: Client, internet: Internet, url: str
) -> None:
    internet.answer("far.example", 200)
    assert await problem(client, url) is FetchProblem.BLOCKED_ADDRESS
    assert internet.requests == []


async def test_a_name_that_resolves_to_our_own_network_is_refused(
    client: Client, internet: Internet
) -> None:
    internet.serve("inside.example", Site({"/x": json_page(note("https://inside.example/x"))}))
    internet.resolve("inside.example", "10.0.0.7")
    assert await problem(client, "https://inside.example/x") is FetchProblem.BLOCKED_ADDRESS
    assert internet.requests == []


async def test_a_pasted_page_leads_to_the_document_it_is_about(
    client: Client, internet: Internet
) -> None:
    pages = {"/@ada/1": json_page(note(NOTE)), "/notes/1": json_page(note(NOTE))}
    internet.serve("far.example", Site(pages))
    found = await client.discover("https://far.example/@ada/1")
    assert found.url == NOTE


async def test_a_pasted_page_about_nothing_is_malformed(client: Client, internet: Internet) -> None:
    internet.serve("far.example", Site({"/page": json_page({"type": "Note"})}))
    with pytest.raises(FetchFailed) as caught:
        await client.discover("https://far.example/page")
    assert caught.value.problem is FetchProblem.MALFORMED


async def test_a_pasted_page_cannot_vouch_for_another_hosts_document(
    client: Client, internet: Internet
) -> None:
    forged = note(NOTE) | {"content": "forged"}
    internet.serve("evil.example", Site({"/page": json_page(forged)}))
    internet.serve("far.example", Site({"/notes/1": json_page(note(NOTE))}))
    found = await client.discover("https://evil.example/page")
    assert found.document["content"] == "<p>I sign</p>"


async def test_a_retry_after_is_handed_on(client: Client, internet: Internet) -> None:
    internet.answer("far.example", 429, headers=(("Retry-After", "120"),))
    with pytest.raises(FetchFailed) as caught:
        await client.get_document(NOTE)
    assert caught.value.retry_after == timedelta(seconds=120)
