"""Who wants ActivityPub, and what is ActivityPub."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedi_letter.activitypub.negotiation import is_activity_type, wants_activity

PROFILE = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'


@pytest.mark.parametrize(
    "accept",
    [
        "application/activity+json",
        "Application/Activity+JSON",
        PROFILE,
        PROFILE.replace("; ", ";"),
        f"application/activity+json, {PROFILE}",
        f"{PROFILE}; q=0.9, application/json;q=0.5",
        "application/activity+json, text/html;q=0.1",
        "text/html, application/activity+json",
        'application/ld+json; profile="https://x.example https://www.w3.org/ns/activitystreams"',
        "application/activity+json; charset=utf-8",
        "application/ld+json; profile=https://www.w3.org/ns/activitystreams",
    ],
)
def test_servers_want_activitypub(accept: str) -> None:
    """T4: either type, named outright."""
    assert wants_activity(accept)


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        "*/*",
        "application/*",
        "application/json",
        "application/ld+json",
        'application/ld+json; profile="https://x.example"',
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "text/html, application/activity+json;q=0.5",
        "application/activity+json;q=0",
        "application/activity+json;q=x",
        "application/activity+json;q=nan",
        "application/activity+jsonx",
        'text/html; a="application/activity+json, application/activity+json"',
    ],
)
def test_people_want_a_page(accept: str | None) -> None:
    """A wildcard means a page; so does preferring one."""
    assert not wants_activity(accept)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/activity+json",
        "application/activity+json; charset=utf-8",
        'application/activity+json;charset="UTF-8"',
        PROFILE,
        f"{PROFILE}; charset=utf-8",
    ],
)
def test_activitypub_answers(content_type: str) -> None:
    """The two types, with or without saying UTF-8."""
    assert is_activity_type(content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/html",
        "application/json",
        "application/ld+json",
        'application/ld+json; profile="https://x.example"',
        "application/activity+json; charset=utf-16",
        "image/png",
        "text/plain; application/activity+json",
    ],
)
def test_anything_else_is_not_read(content_type: str) -> None:
    """T50: an uploaded file must not pass for an object."""
    assert not is_activity_type(content_type)


@given(st.text(max_size=200))
def test_no_header_breaks_it(header: str) -> None:
    """Whatever is sent, there is an answer."""
    assert wants_activity(header) in (True, False)
    assert is_activity_type(header) in (True, False)


def test_a_hostile_header_costs_little() -> None:
    """Quotes and commas without end."""
    for header in ('"' * 100_000, '"\\' * 50_000, ",;=" * 50_000, "a;b=" * 50_000):
        assert not wants_activity(header)
