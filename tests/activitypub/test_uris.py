"""Our ids are minted and parsed as inverses, and nobody's host passes for another's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedi_letter.activitypub.uris import (
    OddUri,
    Place,
    PlaceKind,
    Uris,
    host_of,
    origin_of,
    same_origin,
)

LETTER = Uris("https://letter.example", "letter")
IDENTIFIERS = st.from_regex(r"[0-9A-Za-z]{1,26}", fullmatch=True)
NAMED = (
    *(PlaceKind.UPDATE, PlaceKind.UPDATE_REPLIES, PlaceKind.UPDATE_LIKES),
    *(PlaceKind.UPDATE_SHARES, PlaceKind.ACTIVITY, PlaceKind.STAMP),
)
PLACES = st.one_of(
    st.sampled_from([kind for kind in PlaceKind if kind not in (*NAMED, PlaceKind.REVISION)]).map(
        Place
    ),
    st.builds(Place, st.sampled_from(NAMED), IDENTIFIERS),
    st.builds(Place, st.just(PlaceKind.REVISION), st.integers(1, 10**9).map(str)),
)
OURS = st.builds(
    Uris,
    st.sampled_from(("https://letter.example", "http://127.0.0.1:8000", "https://[::1]:8443")),
    st.from_regex(r"[a-z0-9_]{1,8}([.-][a-z0-9_]{1,4})?", fullmatch=True).filter(
        lambda name: name != "instance.actor"
    ),
)


@given(OURS, PLACES)
def test_what_is_minted_parses_back_to_itself(uris: Uris, place: Place) -> None:
    """`parse(mint(x)) == x` for every place there is."""
    assert uris.parse(uris.mint(place)) == place


@given(st.text(max_size=60))
def test_only_what_is_minted_parses(tail: str) -> None:
    """Whatever parses is spelt exactly as we would spell it."""
    uri = f"https://letter.example/{tail}"
    place = LETTER.parse(uri)
    assert place is None or LETTER.mint(place) == uri


def test_the_uris_are_those_on_the_wire() -> None:
    """The spelling others have stored must never change."""
    assert LETTER.handle == "@letter@letter.example"
    assert LETTER.actor == "https://letter.example/actors/letter"
    assert LETTER.key_id == "https://letter.example/actors/letter#main-key"
    assert LETTER.inbox == "https://letter.example/actors/letter/inbox"
    assert LETTER.shared_inbox == "https://letter.example/inbox"
    assert LETTER.instance_actor == "https://letter.example/actors/instance.actor"
    assert LETTER.instance_key_id == "https://letter.example/actors/instance.actor#main-key"
    assert LETTER.letter == "https://letter.example/letters/letter"
    assert LETTER.page == "https://letter.example/"
    assert LETTER.profile == "https://letter.example/@letter"
    assert LETTER.revision(3) == "https://letter.example/letters/letter/revisions/3"
    assert LETTER.update("01J") == "https://letter.example/updates/01J"
    assert LETTER.activity("01J") == "https://letter.example/activities/01J"
    assert LETTER.parse(LETTER.likes(LETTER.update("01J"))) == Place(PlaceKind.UPDATE_LIKES, "01J")
    assert LETTER.parse(LETTER.shares(LETTER.letter)) == Place(PlaceKind.LETTER_SHARES)


@pytest.mark.parametrize(
    "uri",
    [
        "https://letter.example",
        "https://letter.example/updates/",
        "https://letter.example/updates/01J/",
        "https://letter.example/updates/01J?x",
        "https://letter.example/updates/../x",
        "https://letter.example/letters/letter/revisions/0",
        "https://letter.example/letters/letter/revisions/03",
        "https://letter.example.evil.example/inbox",
        "http://letter.example/inbox",
        "https://letter.example/actors/other",
        "",
    ],
)
def test_what_we_never_mint_is_not_ours(uri: str) -> None:
    """Near misses parse to nothing."""
    assert LETTER.parse(uri) is None


@pytest.mark.parametrize(
    "place",
    [
        Place(PlaceKind.UPDATE),
        Place(PlaceKind.UPDATE, "a/b"),
        Place(PlaceKind.UPDATE, "a\n"),
        Place(PlaceKind.REVISION, "0"),
        Place(PlaceKind.ACTOR, "x"),
    ],
)
def test_an_id_of_another_shape_is_not_minted(place: Place) -> None:
    """An id that would not parse back is refused when minting."""
    with pytest.raises(ValueError, match="no uri for"):
        LETTER.mint(place)


@pytest.mark.parametrize(
    ("origin", "username"),
    [
        ("https://letter.example/", "letter"),
        ("https://Letter.example", "letter"),
        ("https://letter.example:443", "letter"),
        ("letter.example", "letter"),
        ("https://letter.example", "Letter"),
        ("https://letter.example", "a@b"),
        ("https://letter.example", "a/b"),
        ("https://letter.example", ""),
        ("https://letter.example", "instance.actor"),
    ],
)
def test_an_unfit_origin_or_username_is_refused(origin: str, username: str) -> None:
    """What could not be minted and parsed back never becomes a letter."""
    with pytest.raises(ValueError, match=r"origin|username"):
        Uris(origin, username)


@pytest.mark.parametrize(
    ("uri", "origin"),
    [
        ("https://example.org", "https://example.org"),
        ("HTTPS://EXAMPLE.org:443/a?b#c", "https://example.org"),
        ("http://example.org:80", "http://example.org"),
        ("https://example.org:80/", "https://example.org:80"),
        ("http://127.0.0.1:4001/ada", "http://127.0.0.1:4001"),
        ("http://[0:0:0:0:0:0:0:1]:4001/", "http://[::1]:4001"),
        ("https://bücher.example/", "https://xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example"),
        ("https://my_host.internal/", "https://my_host.internal"),
    ],
)
def test_one_origin_has_one_spelling(uri: str, origin: str) -> None:
    """Case, default ports and punycode fall away."""
    assert origin_of(uri) == origin


@pytest.mark.parametrize(
    "uri",
    [
        "https://ex%61mple.org/",
        "https://example.org./",
        "https://a@example.org/",
        "https://a:b@example.org/",
        "https://example.org@evil.example/",
        "https://example.org\\@evil.example/",
        "https://example.org\n.evil.example/",
        "https:// example.org/",
        "https://example.org:/",
        "https://example.org:0/",
        "https://example.org:65536/",
        "https://example.org:８０/",
        "https://example..org/",
        "https:///path",
        "https:example.org",
        "//example.org/",
        "ftp://example.org/",
        "urn:uuid:0f2b3c",
        "https://ｅxample.org/",
        "https://example。org/",
        "https://exam\u00adple.org/",
        "https://exam\u200bple.org/",
        "https://faß.example/",
        "https://xn--example.org/",
        "https://xn--a-ecp.example/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://127.0.0.01/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://[::1]x/",
        "https://-a.example/",
        "https://" + "a" * 64 + ".example/",
        "https://" + "a." * 127 + "example/",
        "https://example.org/" + "a" * 5000,
        "",
    ],
)
def test_an_odd_host_has_no_origin(uri: str) -> None:
    """User info, percent signs, dots at the end, disguised numbers, unstable Unicode (T53)."""
    assert origin_of(uri) is None
    with pytest.raises(OddUri):
        host_of(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "https://exаmple.org/",  # noqa: RUF100  the second a is Cyrillic
        "https://ex%61mple.org/",
        "https://example.org./",
        "https://a@b/",
        "https://example.org@b/",
        "http://example.org/",
        "https://example.org:8443/",
    ],
)
def test_no_disguise_equals_the_real_host(uri: str) -> None:
    """T53: none of these shares an origin with example.org."""
    assert not same_origin(uri, "https://example.org/")
    assert not same_origin("https://example.org/", uri)


def test_a_host_in_another_script_is_shown_as_punycode() -> None:
    """A lookalike is a host of its own and looks like it (interop C12)."""
    assert host_of("https://ex\u0430mple.org/") == "xn--exmple-4nf.org"


@given(st.text(max_size=80))
def test_an_origin_is_its_own_origin(text: str) -> None:
    """Whatever is let through is canonical, and nothing raises."""
    for uri in (text, f"https://{text}", f"https://{text}/x"):
        origin = origin_of(uri)
        assert origin is None or origin_of(origin) == origin
        assert origin is None or (origin.isascii() and "%" not in origin and "@" not in origin)
