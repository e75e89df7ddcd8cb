"""RFC 9421: what Mastodon and others send, and what must be refused.

The signer here is http-message-signatures used as any peer would use it.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from http_message_signatures import (
    ContentDigest,
    HTTPMessageSigner,
    HTTPSignatureAlgorithm,
    MappingKeyResolver,
    algorithms,
)

from fedi_letter.httpsig.message import Message
from fedi_letter.httpsig.refusal import Refusal, SignatureRefused
from fedi_letter.httpsig.verify import Scheme
from tests.httpsig.peers import (
    BODY,
    NOW,
    Cavage,
    Peer,
    believe,
    content_digest,
    date,
    digest,
    peer,
    with_body,
    with_line,
    with_lines,
)

EVIL = b'{"type":"Delete"}'
ED = peer("ed", "ed25519")
EC = peer("ec", "p-256")
MASTODON = ("@method", "@target-uri", "content-digest")
V15 = algorithms.RSA_V1_5_SHA256


class _AsGiven(ContentDigest):
    """A peer who writes the digest itself, rightly or wrongly."""

    @classmethod
    def prepare(cls, headers: object, body: bytes | None, *, use_existing_digest: bool) -> None:
        """Nothing to prepare."""


class _Signer(HTTPMessageSigner):
    content_digest_class = _AsGiven


@dataclass
class _Outgoing:
    method: str
    url: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Signed:
    """A request signed with RFC 9421, before it is sent."""

    signer: Peer = field(default_factory=peer)
    algorithm: type[HTTPSignatureAlgorithm] = V15
    method: str = "POST"
    url: str = "https://letter.test/inbox"
    target: str = "/inbox"
    body: bytes = BODY
    covered: tuple[str, ...] = MASTODON
    headers: dict[str, str] = field(default_factory=dict)
    created: datetime = NOW
    more: dict[str, Any] = field(default_factory=dict)

    def message(self) -> Message:
        lines = {"Host": "letter.test", "Date": date(), **self.headers}
        if self.body and "Content-Digest" not in lines:
            lines["Content-Digest"] = content_digest(self.body)
        outgoing = _Outgoing(self.method, self.url, lines)
        _Signer(
            signature_algorithm=self.algorithm,
            key_resolver=MappingKeyResolver(
                public_keys={}, private_keys={self.signer.key_id: self.signer.material}
            ),
        ).sign(
            outgoing,
            key_id=self.signer.key_id,
            created=self.created,
            label="sig1",
            covered_component_ids=self.covered,
            **self.more,
        )
        return Message(self.method, self.target, tuple(lines.items()), self.body)


FETCH = Signed(
    method="GET",
    url="https://letter.test/x?page=2",
    target="/x?page=2",
    body=b"",
    covered=("@method", "@target-uri"),
)

ACCEPTED = {
    "mastodon": Signed(),
    "alg left out": Signed(more={"include_alg": False}),
    "rsa-pss-sha512": Signed(algorithm=algorithms.RSA_PSS_SHA512),
    "rsa-pss-sha512, alg left out": Signed(
        algorithm=algorithms.RSA_PSS_SHA512, more={"include_alg": False}
    ),
    "ed25519": Signed(signer=ED, algorithm=algorithms.ED25519),
    "p-256": Signed(signer=EC, algorithm=algorithms.ECDSA_P256_SHA256),
    "authority and path": Signed(covered=("@method", "@authority", "@path", "content-digest")),
    "authority and request-target": Signed(
        covered=("@method", "@authority", "@request-target", "content-digest")
    ),
    "sha-512": Signed(headers={"Content-Digest": content_digest(BODY, "sha-512")}),
    "two digests": Signed(
        headers={"Content-Digest": f"{content_digest(BODY)}, {content_digest(BODY, 'sha-512')}"}
    ),
    "an unknown digest beside": Signed(
        headers={"Content-Digest": f"{content_digest(BODY)}, unixsum=:AAAA:"}
    ),
    "date signed too": Signed(covered=(*MASTODON, "date")),
    "expires ahead": Signed(more={"expires": NOW + timedelta(minutes=5)}),
    "nonce and tag": Signed(more={"nonce": "n", "tag": "t"}),
    "twelve hours late": Signed(created=NOW - timedelta(hours=12)),
    "an hour early": Signed(created=NOW + timedelta(hours=1)),
    "a host header that a proxy changed": Signed(headers={"Host": "10.0.0.7:8000"}),
    "a digest header that matches": Signed(headers={"Digest": digest(BODY)}),
    "a fetch": FETCH,
    "a fetch by authority, path and query": replace(
        FETCH, covered=("@method", "@authority", "@path", "@query")
    ),
}


@pytest.mark.parametrize("request_", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_believed(request_: Signed) -> None:
    asserted = believe(request_.message(), request_.signer.public)
    assert (asserted.scheme, asserted.key_id) == (Scheme.RFC9421, request_.signer.key_id)
    assert asserted.instant == request_.created


def test_the_label_may_be_any() -> None:
    message = Signed().message()
    for name in ("Signature", "Signature-Input"):
        value = message.value(name.lower())
        assert value is not None
        message = with_line(message, name, value.replace("sig1=", "other=", 1))
    believe(message, Signed().signer.public)


PLAIN = Signed()
KEY = PLAIN.signer.public
SIGNED = PLAIN.message()
INPUT = SIGNED.value("signature-input") or ""
VALUE = SIGNED.value("signature") or ""


def parts(signature_input: str, signature: str = VALUE) -> Message:
    """The plain request under other signature headers."""
    return with_line(with_line(SIGNED, "Signature-Input", signature_input), "Signature", signature)


REFUSED: dict[str, tuple[Refusal, Message]] = {
    "created ten years ago (bovine: accepted)": (
        Refusal.STALE,
        Signed(created=NOW - timedelta(days=3650)).message(),
    ),
    "created thirteen hours ago": (
        Refusal.STALE,
        Signed(created=NOW - timedelta(hours=13)).message(),
    ),
    "created two hours ahead": (
        Refusal.FROM_THE_FUTURE,
        Signed(created=NOW + timedelta(hours=2)).message(),
    ),
    "a stale date signed beside": (
        Refusal.STALE,
        Signed(
            covered=(*MASTODON, "date"), headers={"Date": date(NOW - timedelta(days=1))}
        ).message(),
    ),
    "expired (bovine: accepted)": (
        Refusal.EXPIRED,
        Signed(
            created=NOW - timedelta(hours=3), more={"expires": NOW - timedelta(hours=2)}
        ).message(),
    ),
    "no created (bovine: accepted)": (
        Refusal.DATE_MISSING,
        parts('sig1=("@method" "@target-uri" "content-digest");keyid="k"'),
    ),
    "created is no integer": (
        Refusal.MALFORMED_SIGNATURE,
        parts('sig1=("@method" "@target-uri");created="now";keyid="k"'),
    ),
    "created before 1970": (
        Refusal.MALFORMED_SIGNATURE,
        parts('sig1=("@method" "@target-uri");created=-1;keyid="k"'),
    ),
    "covers only the method (bovine: accepted)": (
        Refusal.REQUEST_TARGET_NOT_COVERED,
        Signed(covered=("@method",)).message(),
    ),
    "covers nothing (bovine: accepted)": (
        Refusal.METHOD_NOT_COVERED,
        with_lines(Signed(covered=()).message(), ("Digest", digest(BODY))),
    ),
    "method not covered": (
        Refusal.METHOD_NOT_COVERED,
        Signed(covered=("@target-uri", "content-digest")).message(),
    ),
    "host not covered": (
        Refusal.HOST_NOT_COVERED,
        Signed(covered=("@method", "@path", "content-digest")).message(),
    ),
    "query not covered": (
        Refusal.REQUEST_TARGET_NOT_COVERED,
        replace(FETCH, covered=("@method", "@authority", "@path")).message(),
    ),
    "digest not covered": (
        Refusal.DIGEST_NOT_COVERED,
        Signed(covered=("@method", "@target-uri")).message(),
    ),
    "only the old Digest covered": (
        Refusal.DIGEST_NOT_COVERED,
        Signed(
            covered=("@method", "@target-uri", "digest"), headers={"Digest": digest(BODY)}
        ).message(),
    ),
    "only one member of the digest covered": (
        Refusal.DIGEST_NOT_COVERED,
        Signed(covered=("@method", "@target-uri", '"content-digest";key="sha-256"')).message(),
    ),
    "no digest at all": (
        Refusal.DIGEST_MISSING,
        with_line(Signed(covered=("@method", "@target-uri")).message(), "Content-Digest", None),
    ),
    "body altered": (Refusal.DIGEST_MISMATCH, with_body(SIGNED, EVIL)),
    "body exchanged, unsigned Digest added (bovine: accepted)": (
        Refusal.DIGEST_MISMATCH,
        with_lines(with_body(SIGNED, EVIL), ("Digest", digest(EVIL))),
    ),
    "body exchanged, second Content-Digest added": (
        Refusal.DIGEST_MALFORMED,
        with_lines(with_body(SIGNED, EVIL), ("Content-Digest", content_digest(EVIL))),
    ),
    "content-digest of an algorithm unknown": (
        Refusal.DIGEST_UNSUPPORTED,
        Signed(headers={"Content-Digest": "unixsum=:AAAA:"}).message(),
    ),
    "content-digest in the old form": (
        Refusal.DIGEST_MALFORMED,
        with_line(SIGNED, "Content-Digest", digest(BODY, "sha-256")),
    ),
    "content-digest that is a string": (
        Refusal.DIGEST_MALFORMED,
        with_line(SIGNED, "Content-Digest", 'sha-256="x"'),
    ),
    "content-digest that is a list": (
        Refusal.DIGEST_MALFORMED,
        with_line(SIGNED, "Content-Digest", "sha-256=(:AAAA:)"),
    ),
    "content-digest beyond ascii": (
        Refusal.DIGEST_MALFORMED,
        with_line(SIGNED, "Content-Digest", "\u2603"),
    ),
    "for another host": (
        Refusal.SIGNATURE_MISMATCH,
        Signed(url="https://other.example/inbox").message(),
    ),
    "for another host, by authority": (
        Refusal.SIGNATURE_MISMATCH,
        Signed(
            url="https://other.example/inbox",
            covered=("@method", "@authority", "@path", "content-digest"),
        ).message(),
    ),
    "for plain http": (
        Refusal.SIGNATURE_MISMATCH,
        Signed(url="http://letter.test/inbox").message(),
    ),
    "another path": (
        Refusal.SIGNATURE_MISMATCH,
        Message("POST", "/x", SIGNED.headers, SIGNED.body),
    ),
    "a query appended": (
        Refusal.SIGNATURE_MISMATCH,
        Message("POST", "/inbox?x=1", SIGNED.headers, SIGNED.body),
    ),
    "a fetch's query dropped": (
        Refusal.SIGNATURE_MISMATCH,
        Message("GET", "/x", FETCH.message().headers, b""),
    ),
    "another method": (
        Refusal.SIGNATURE_MISMATCH,
        Message("PUT", "/inbox", SIGNED.headers, SIGNED.body),
    ),
    "a target that glues on to our origin": (
        Refusal.MALFORMED_TARGET,
        Signed(
            url="https://letter.test.evil.example/inbox", target=".evil.example/inbox"
        ).message(),
    ),
    "a target that is no url": (
        Refusal.SIGNATURE_MISMATCH,
        Message("POST", "/in box%zz", SIGNED.headers, SIGNED.body),
    ),
    "alg is a shared secret (bovine: accepted)": (
        Refusal.UNSUPPORTED_ALGORITHM,
        parts(INPUT.replace("rsa-v1_5-sha256", "hmac-sha256")),
    ),
    "alg is no string": (
        Refusal.UNSUPPORTED_ALGORITHM,
        parts(INPUT.replace('"rsa-v1_5-sha256"', "1")),
    ),
    "alg contradicts the key": (
        Refusal.UNSUPPORTED_ALGORITHM,
        parts(INPUT.replace("rsa-v1_5-sha256", "ed25519")),
    ),
    "alg of the other padding": (
        Refusal.SIGNATURE_MISMATCH,
        parts(INPUT.replace("rsa-v1_5-sha256", "rsa-pss-sha512")),
    ),
    "created exchanged": (
        Refusal.SIGNATURE_MISMATCH,
        parts(INPUT.replace(str(int(NOW.timestamp())), str(int(NOW.timestamp()) - 60))),
    ),
    "a parameter unknown to the RFC": (Refusal.MALFORMED_SIGNATURE, parts(INPUT + ";zone=1")),
    "a covered header that is not there": (
        Refusal.SIGNATURE_MISMATCH,
        parts(INPUT.replace('"content-digest"', '"content-digest" "x-gone"')),
    ),
    "no keyid (bovine: KeyError)": (
        Refusal.MALFORMED_SIGNATURE,
        parts(f'sig1=("@method" "@target-uri");created={int(NOW.timestamp())}'),
    ),
    "two signatures (bovine: ValueError)": (
        Refusal.DUPLICATE_SIGNATURE,
        parts(
            f"{INPUT}, {INPUT.replace('sig1', 'sig2')}", f"{VALUE}, {VALUE.replace('sig1', 'sig2')}"
        ),
    ),
    "two signatures on two lines": (
        Refusal.DUPLICATE_SIGNATURE,
        with_lines(SIGNED, ("Signature", VALUE.replace("sig1", "sig2"))),
    ),
    "one label twice": (Refusal.DUPLICATE_SIGNATURE, parts(f"{INPUT}, {INPUT}")),
    "keyid twice": (
        Refusal.DUPLICATE_SIGNATURE,
        parts(INPUT + ';keyid="https://far.test/users/victim#main-key"'),
    ),
    "labels differ (bovine: KeyError)": (
        Refusal.MALFORMED_SIGNATURE,
        parts(INPUT, VALUE.replace("sig1", "sig2")),
    ),
    "garbage (bovine: ValueError)": (Refusal.MALFORMED_SIGNATURE, parts("%%%")),
    "empty input": (Refusal.DUPLICATE_SIGNATURE, parts("")),
    "empty signature": (Refusal.DUPLICATE_SIGNATURE, parts(INPUT, "")),
    "a bare item (bovine: TypeError)": (Refusal.MALFORMED_SIGNATURE, parts("sig1=1")),
    "a component that is no string": (
        Refusal.MALFORMED_SIGNATURE,
        parts(f'sig1=(1 "@method");created={int(NOW.timestamp())};keyid="k"'),
    ),
    "signature is a string": (Refusal.MALFORMED_SIGNATURE, parts(INPUT, 'sig1="AAAA"')),
    "beyond ascii": (Refusal.MALFORMED_SIGNATURE, parts(INPUT + "é")),
    "too long": (Refusal.MALFORMED_SIGNATURE, parts(INPUT + f';tag="{"x" * 8192}"')),
    "a cavage signature beside: no falling through": (
        Refusal.MALFORMED_SIGNATURE,
        with_lines(Cavage().message(), ("Signature-Input", INPUT)),
    ),
    "a cavage signature under an empty input": (
        Refusal.DUPLICATE_SIGNATURE,
        with_lines(Cavage().message(), ("Signature-Input", "")),
    ),
    "date twice and covered": (
        Refusal.DUPLICATE_HEADER,
        with_lines(Signed(covered=(*MASTODON, "date")).message(), ("Date", date())),
    ),
}


@pytest.mark.parametrize(("reason", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(reason: Refusal, message: Message) -> None:
    with pytest.raises(SignatureRefused) as refused:
        believe(message, KEY)
    assert refused.value.reason is reason


def test_a_key_of_another_kind_is_refused() -> None:
    with pytest.raises(SignatureRefused) as refused:
        believe(SIGNED, replace(ED.public, key_id=KEY.key_id))
    assert refused.value.reason is Refusal.UNSUPPORTED_ALGORITHM
