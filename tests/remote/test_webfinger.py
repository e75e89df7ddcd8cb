"""From a handle to an actor id (A1, A2, T47, T55)."""

from typing import Any

import pytest

from fedi_letter.activitypub.vocabulary import ACTIVITY_JSON, LD_JSON
from fedi_letter.remote.client import Client, FetchFailed, FetchProblem
from fedi_letter.remote.webfinger import HandleUnusable
from tests.internet import Internet
from tests.remote.pages import Document, Site, json_page, redirect

ADA = "https://far.example/users/ada"
QUESTION = "/.well-known/webfinger?resource=acct:ada@far.example"


def jrd(subject: Any = "acct:ada@far.example", href: Any = ADA, kind: Any = LD_JSON) -> Document:
    """A JRD with one link to an actor."""
    page = {"rel": "http://webfinger.net/rel/profile-page", "href": "https://far.example/@ada"}
    return {"subject": subject, "links": [page, {"rel": "self", "type": kind, "href": href}]}


def serve(internet: Internet, document: Document, kind: str = "application/jrd+json") -> None:
    """Let far.example answer the question about ada."""
    internet.serve("far.example", Site({QUESTION: json_page(document, kind)}))


@pytest.mark.parametrize("handle", ["@ada@far.example", "ada@far.example", " @ada@FAR.example "])
@pytest.mark.parametrize("kind", [LD_JSON, ACTIVITY_JSON])
async def test_a_handle_leads_to_its_actor(
    client: Client, internet: Internet, handle: str, kind: str
) -> None:
    serve(internet, jrd(kind=kind))
    assert await client.webfinger(handle) == ADA


async def test_the_answer_may_come_as_plain_json(client: Client, internet: Internet) -> None:
    serve(internet, jrd(), "application/json; charset=utf-8")
    assert await client.webfinger("@ada@far.example") == ADA


@pytest.mark.parametrize(
    "handle",
    [
        "",
        "@",
        "ada",
        "@ada",
        "@ada@",
        "@@far.example",
        "a@b@c",
        "@ada@far.example/evil?x",
        "@ada@far.example#x",
        "@a da@far.example",
        "@ada@ada:pw@far.example",
        "@ada@far.example.",
        "@ada@ex%61mple.org",
        "@ada@127.1",
        "@ada@far.example:99999",
        "https://far.example/@ada",
    ],
)
async def test_what_is_no_handle_is_refused_before_anybody_is_asked(
    client: Client, internet: Internet, handle: str
) -> None:
    with pytest.raises(HandleUnusable):
        await client.webfinger(handle)
    assert internet.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "10.0.0.1:8080", "nas.local"])
async def test_a_handle_on_a_private_host_is_refused_before_anybody_is_asked(
    client: Client, internet: Internet, host: str
) -> None:
    with pytest.raises(FetchFailed) as caught:
        await client.webfinger(f"@a@{host}")
    assert caught.value.problem is FetchProblem.BLOCKED_ADDRESS
    assert internet.requests == []


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"subject": "acct:ada@far.example"},
        jrd() | {"links": {"rel": "self"}},
        jrd() | {"links": [None, "self", {"rel": "self"}]},
        jrd(subject=None),
        jrd(subject="https://far.example/users/ada"),
        jrd(subject="acct:ada"),
        jrd(subject="acct:bob@far.example"),
        jrd(href=None),
        jrd(href="https://far.example."),
        jrd(href="data:application/json,{}"),
        jrd(kind=None),
        jrd(kind="text/html"),
        jrd(kind="application/activity+json; charset=utf-8"),
        jrd(subject="acct:ada@other.example", href="https://third.example/ada"),
    ],
)
async def test_an_answer_that_names_no_actor_of_the_handle_is_refused(
    client: Client, internet: Internet, document: Document
) -> None:
    serve(internet, document)
    with pytest.raises(HandleUnusable):
        await client.webfinger("@ada@far.example")


async def test_a_handle_may_live_on_another_host_than_its_actor(
    client: Client, internet: Internet
) -> None:
    social = "https://social.far.example"
    internet.serve("far.example", Site({QUESTION: redirect(social + QUESTION)}))
    document = jrd(href=f"{social}/users/ada")
    internet.serve("social.far.example", Site({QUESTION: json_page(document, "application/json")}))
    assert await client.webfinger("@ada@far.example") == f"{social}/users/ada"


@pytest.mark.parametrize(
    "target", ["https://127.0.0.1" + QUESTION, "http://far.example/", "data:,"]
)
async def test_an_answer_that_points_into_our_network_is_refused(
    client: Client, internet: Internet, target: str
) -> None:
    internet.serve("far.example", Site({QUESTION: redirect(target)}))
    with pytest.raises(FetchFailed) as caught:
        await client.webfinger("@ada@far.example")
    assert caught.value.problem is FetchProblem.BLOCKED_ADDRESS
    assert len(internet.requests) == 1


async def test_a_page_in_html_is_no_answer(client: Client, internet: Internet) -> None:
    serve(internet, jrd(), "text/html")
    with pytest.raises(FetchFailed) as caught:
        await client.webfinger("@ada@far.example")
    assert caught.value.problem is FetchProblem.WRONG_TYPE
