"""What we send: the exact headers servers ask for, proved by bovine and by our own reader."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from bovine.crypto.http_signature import HttpSignature
from bovine.crypto.signature import Signature
from bovine.crypto.types import CryptographicIdentifier

from fedi_letter.httpsig.message import Headers, Message
from fedi_letter.httpsig.refusal import Refusal, SignatureRefused
from fedi_letter.httpsig.sign import prepared
from fedi_letter.httpsig.verify import Scheme
from tests.httpsig.peers import BODY, NOW, ORIGIN, Peer, believe, content_digest, digest, peer

AP = "application/activity+json"
ALICE = peer()
KEY = ALICE.private
URL = f"{ORIGIN}/inbox"


def post(scheme: Scheme, signer: Peer = ALICE, url: str = URL, body: bytes = BODY) -> Headers:
    return prepared(
        signer.private if signer is not ALICE else KEY,
        scheme,
        method="POST",
        url=url,
        body=body,
        content_type=AP,
        accept=None,
        now=NOW,
    )()


def get(scheme: Scheme, url: str = URL) -> Headers:
    return prepared(
        KEY, scheme, method="GET", url=url, body=None, content_type=None, accept=AP, now=NOW
    )()


def bovine_believes(method: str, target: str, headers: Headers, pem: str) -> bool:
    """bovine's own reading and verification of a draft-cavage request."""
    lines = {name.lower(): value for name, value in headers}
    parsed = Signature.from_signature_header(lines["signature"])  # type: ignore[no-untyped-call]
    signature = HttpSignature()  # type: ignore[no-untyped-call]  # bovine: no annotations
    for name in parsed.fields:
        value = f"{method} {target}" if name == "(request-target)" else lines[name]
        signature.with_field(name, value)  # type: ignore[no-untyped-call]
    signer = CryptographicIdentifier.from_pem(pem, ALICE.owner)
    return bool(signature.verify_with_identity(signer, parsed.signature) == ALICE.owner)


def test_a_post_carries_what_mastodon_misskey_and_takahe_ask_for() -> None:
    headers = post(Scheme.CAVAGE)
    assert headers[:-1] == (
        ("Host", "letter.test"),
        ("Date", "Sun, 22 Nov 2026 10:00:00 GMT"),
        ("Digest", digest(BODY)),
        ("Content-Type", AP),
    )
    name, value = headers[-1]
    assert name == "Signature"
    assert re.fullmatch(
        f'keyId="{re.escape(ALICE.key_id)}",algorithm="rsa-sha256",'
        r'headers="\(request-target\) host date digest content-type",signature="[A-Za-z0-9+/=]+"',
        value,
    )


def test_a_fetch_carries_what_authorized_fetch_asks_for() -> None:
    headers = get(Scheme.CAVAGE)
    assert [name for name, _ in headers] == ["Host", "Date", "Accept", "Signature"]
    assert 'headers="(request-target) host date accept"' in headers[-1][1]


def test_rfc_9421_is_mastodons_profile() -> None:
    headers = dict(post(Scheme.RFC9421))
    assert headers["Content-Digest"] == content_digest(BODY)
    assert headers["Signature-Input"] == (
        'sig1=("@method" "@target-uri" "content-digest")'
        f';created={int(NOW.timestamp())};keyid="{ALICE.key_id}";alg="rsa-v1_5-sha256"'
    )
    assert headers["Signature"].startswith("sig1=:")
    assert list(headers) == [
        "Host",
        "Date",
        "Content-Type",
        "Content-Digest",
        "Signature-Input",
        "Signature",
    ]


def test_never_both_families_at_once() -> None:
    assert "Signature-Input" not in dict(post(Scheme.CAVAGE))
    assert "Digest" not in dict(post(Scheme.RFC9421))


@pytest.mark.parametrize("target", ["/inbox", "/inbox?page=1", "/inbox/%C3%A9?q=a%20b", "/"])
@pytest.mark.parametrize("scheme", Scheme)
def test_we_believe_what_we_sign(scheme: Scheme, target: str) -> None:
    url = ORIGIN + target
    for method, headers, body in (
        ("POST", post(scheme, url=url), BODY),
        ("POST", post(scheme, url=url, body=b""), b""),
        ("GET", get(scheme, url=url), b""),
    ):
        message = Message(method, target, headers, body)
        asserted = believe(message, ALICE.public)
        assert (asserted.scheme, asserted.instant) == (scheme, NOW)


@pytest.mark.parametrize("kind", ["ed25519", "p-256"])
def test_other_keys_sign_by_rfc_9421(kind: str) -> None:
    other = peer(kind, kind)
    believe(Message("POST", "/inbox", post(Scheme.RFC9421, other), BODY), other.public)


@pytest.mark.parametrize("kind", ["ed25519", "p-256"])
def test_other_keys_do_not_sign_by_draft_cavage(kind: str) -> None:
    with pytest.raises(SignatureRefused) as refused:
        post(Scheme.CAVAGE, peer(kind, kind))
    assert refused.value.reason is Refusal.UNSUPPORTED_ALGORITHM


def test_bovine_believes_what_we_sign() -> None:
    pem = ALICE.public.pem
    headers = post(Scheme.CAVAGE, url=f"{URL}?page=1")
    assert bovine_believes("post", "/inbox?page=1", headers, pem)
    assert bovine_believes("get", "/inbox", get(Scheme.CAVAGE), pem)
    assert not bovine_believes("post", "/inbox", headers, pem)
    assert not bovine_believes("get", "/inbox", get(Scheme.CAVAGE), peer("bob").public.pem)


@pytest.mark.parametrize(
    ("url", "host", "target"),
    [
        ("https://Far.Example/inbox", "far.example", "/inbox"),
        ("https://far.example:443/inbox", "far.example", "/inbox"),
        ("http://far.example:80", "far.example", "/"),
        ("https://far.example:8443/inbox", "far.example:8443", "/inbox"),
        ("http://127.0.0.1:4001/i", "127.0.0.1:4001", "/i"),
        ("http://[::1]:4001/i", "[::1]:4001", "/i"),
        ("https://far.example?a=b", "far.example", "/?a=b"),
        ("https://far.example/a?b=c?d#e?f", "far.example", "/a?b=c?d"),
    ],
)
def test_host_and_target_are_those_of_the_url(url: str, host: str, target: str) -> None:
    headers = get(Scheme.CAVAGE, url)
    assert dict(headers)["Host"] == host
    assert bovine_believes("get", target, headers, ALICE.public.pem)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://far.example/",
        "file:///etc/passwd",
        "/inbox",
        "",
        "https://",
        "https://user@far.example/",
        "https://far.example:port/",
        "https://far.example:99999/",
        "https://far.example/a b",
        "https://far.example/\n",
        "https://far.example/é",
        "https://[::1/",
        "https://far.example\\@evil.example/",
        "https://far.example\\evil.example/",
    ],
)
@pytest.mark.parametrize("scheme", Scheme)
def test_a_url_that_cannot_be_sent_is_not_signed(scheme: Scheme, url: str) -> None:
    with pytest.raises(SignatureRefused) as refused:
        get(scheme, url)
    assert refused.value.reason is Refusal.MALFORMED_TARGET


def test_the_date_is_gmt_whatever_zone_now_is_in() -> None:
    east = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    headers = prepared(
        KEY,
        Scheme.CAVAGE,
        method="GET",
        url=URL,
        body=None,
        content_type=None,
        accept=AP,
        now=east,
    )()
    assert headers == get(Scheme.CAVAGE)
    assert (
        datetime.strptime(dict(headers)["Date"], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
        == NOW
    )
