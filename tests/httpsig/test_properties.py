"""Laws that hold for every request: what is signed is believed, what is changed is refused, and
nothing a stranger writes makes anything but a claim or a refusal."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedi_letter.httpsig.dates import read_http_date, write_http_date
from fedi_letter.httpsig.message import Headers, Message
from fedi_letter.httpsig.refusal import SignatureRefused
from fedi_letter.httpsig.sign import prepared
from fedi_letter.httpsig.verify import Claim, Scheme, claim, verify
from tests.httpsig.peers import BODY, NOW, ORIGIN, Cavage, believe, peer

ALICE = peer()
KEY = ALICE.private
schemes = st.sampled_from(Scheme)
methods = st.sampled_from(["GET", "POST"])
segments = st.text("abcXYZ019-._~@%20"[:-3], max_size=12)
targets = st.builds(
    lambda path, query: "/" + "/".join(path) + (f"?{query}" if query else ""),
    st.lists(segments, max_size=4),
    segments,
)
instants = st.datetimes(
    min_value=datetime(1971, 1, 1),  # noqa: DTZ001  # hypothesis wants naive bounds
    max_value=datetime(9000, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda instant: instant.replace(microsecond=0))


def signed(scheme: Scheme, method: str, target: str, body: bytes, now: datetime) -> Message:
    headers = prepared(
        KEY,
        scheme,
        method=method,
        url=ORIGIN + target,
        body=body if method == "POST" else None,
        content_type="application/activity+json" if method == "POST" else None,
        accept="application/activity+json" if method == "GET" else None,
        now=now,
    )()
    return Message(method, target, headers, body if method == "POST" else b"")


@given(schemes, methods, targets, st.binary(max_size=300), instants)
def test_what_is_signed_is_believed(
    scheme: Scheme, method: str, target: str, body: bytes, now: datetime
) -> None:
    message = signed(scheme, method, target, body, now)
    asserted = believe(message, ALICE.public, received_at=now)
    assert (asserted.scheme, asserted.key_id, asserted.instant) == (scheme, ALICE.key_id, now)


@given(schemes, st.integers(-48 * 3600, 48 * 3600))
def test_a_signature_counts_from_twelve_hours_back_to_one_ahead(
    scheme: Scheme, seconds_ahead: int
) -> None:
    message = signed(scheme, "POST", "/inbox", BODY, NOW + timedelta(seconds=seconds_ahead))
    if -12 * 3600 <= seconds_ahead <= 3600:
        believe(message, ALICE.public)
    else:
        with pytest.raises(SignatureRefused):
            believe(message, ALICE.public)


def edited(text: str, position: int, character: str) -> str:
    """The text with one character exchanged for another."""
    at = position % len(text)
    new = character if character != text[at] else chr(ord(character) ^ 1)
    return text[:at] + new + text[at + 1 :]


COVERED = {
    Scheme.CAVAGE: ("host", "date", "digest", "content-type"),
    Scheme.RFC9421: ("content-digest",),
}
SIGNED = {scheme: signed(scheme, "POST", "/inbox?page=1", BODY, NOW) for scheme in Scheme}
visible = st.characters(min_codepoint=0x20, max_codepoint=0x7E)


@given(schemes, st.data())
def test_any_changed_covered_byte_is_refused(scheme: Scheme, data: st.DataObject) -> None:
    message = SIGNED[scheme]
    part = data.draw(st.sampled_from(["method", "target", "body", *COVERED[scheme]]))
    position, character = data.draw(st.integers(0, 500)), data.draw(visible)

    def change(text: str) -> str:
        return edited(text, position, character)

    changed = Message(
        change(message.method) if part == "method" else message.method,
        change(message.target) if part == "target" else message.target,
        tuple(
            (name, change(value) if name.lower() == part else value)
            for name, value in message.headers
        ),
        change(message.body.decode()).encode() if part == "body" else message.body,
    )
    assert changed != message
    with pytest.raises(SignatureRefused):
        believe(changed, ALICE.public)


@given(schemes, st.integers(0, 2047))
def test_any_changed_bit_of_the_signature_is_refused(scheme: Scheme, bit: int) -> None:
    message = SIGNED[scheme]
    believe(message, ALICE.public)
    value = dict(message.headers)["Signature"]
    mark = ":" if scheme is Scheme.RFC9421 else '"'
    head, encoded, tail = value.rsplit(mark, 2)
    raw = bytearray(base64.b64decode(encoded))
    raw[bit // 8] ^= 1 << bit % 8
    forged = mark.join([head, base64.b64encode(raw).decode(), tail])
    headers = tuple((n, forged if n == "Signature" else v) for n, v in message.headers)
    with pytest.raises(SignatureRefused):
        believe(Message(message.method, message.target, headers, BODY), ALICE.public)


def outcome(message: Message) -> Claim | SignatureRefused:
    """A claim, believed or not, or a refusal; any other exception fails the test by itself."""
    try:
        asserted = claim(message, origin=ORIGIN, received_at=NOW)
        verify(asserted, message, ALICE.public, origin=ORIGIN)
    except SignatureRefused as refused:
        return refused
    return asserted


anything = st.text(max_size=80) | st.text(visible, max_size=80)
names = st.sampled_from(
    ["Signature", "Signature-Input", "Digest", "Content-Digest", "Date", "Host"]
)


@given(
    st.lists(st.tuples(names | anything, anything), max_size=8).map(tuple),
    anything | st.sampled_from(["GET", "POST"]),
    anything.map("/".__add__) | anything,
    st.binary(max_size=20),
)
def test_arbitrary_headers_make_a_refusal_and_nothing_else(
    headers: Headers, method: str, target: str, body: bytes
) -> None:
    assert isinstance(outcome(Message(method, target, headers, body)), SignatureRefused)


def splice(text: str, position: int, length: int, new: str) -> str:
    at = position % (len(text) + 1)
    return text[:at] + new + text[at + length :]


edits = st.builds(
    lambda position, length, new: lambda text: splice(text, position, length, new),
    st.integers(0, 900),
    st.integers(0, 6),
    st.text(max_size=3) | st.sampled_from(['"', ",", ";", "=", "(", ")", ":", " ", "\\", "\r\n"]),
)


@settings(max_examples=300)
@given(schemes, st.integers(0, 5), st.lists(edits, min_size=1, max_size=4))
def test_well_made_headers_gone_wrong_make_a_claim_or_a_refusal(
    scheme: Scheme, which: int, changes: list[Callable[[str], str]]
) -> None:
    message = SIGNED[scheme]
    at = which % len(message.headers)
    name, value = message.headers[at]
    for change in changes:
        value = change(value)
    headers = (*message.headers[:at], (name, value), *message.headers[at + 1 :])
    result = outcome(Message(message.method, message.target, headers, message.body))
    if isinstance(result, Claim):
        assert result.key_id == ALICE.key_id


@given(st.permutations(["(request-target)", "host", "date", "digest", "content-type"]))
def test_the_order_of_covered_headers_is_free(order: list[str]) -> None:
    believe(Cavage(covered=" ".join(order)).message(), ALICE.public)


@given(instants)
def test_dates_read_back_as_written(instant: datetime) -> None:
    assert read_http_date(write_http_date(instant)) == instant
