"""Requests that must not be believed: every attack known on draft-cavage readers, and every reason.

Each is signed well but for the one thing its name says; what bovine's own checker accepts is
marked so.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from fedi_letter.httpsig.keys import PublicKey
from fedi_letter.httpsig.message import Message
from fedi_letter.httpsig.refusal import Refusal, SignatureRefused
from fedi_letter.httpsig.verify import claim, verify
from tests.httpsig.peers import (
    BODY,
    NOW,
    ORIGIN,
    Cavage,
    believe,
    content_digest,
    date,
    digest,
    peer,
    seconds,
    with_body,
    with_line,
    with_lines,
)

EVIL = b'{"type":"Follow","actor":"https://far.test/users/victim"}'
PLAIN = Cavage()
KEY = PLAIN.signer.public
ED = peer("ed", "ed25519")
EC = peer("ec", "p-256")
MINUTE = timedelta(minutes=1)
ONLY_CONTENT_DIGEST = Cavage(
    headers={"Digest": None, "Content-Digest": content_digest(BODY)},
    covered="(request-target) host date content-digest",
)
FETCH = Cavage(method="GET", target="/x", body=b"", covered="(request-target) host date")
UNSIGNED_DIGEST = "(request-target) host date"


def header(*members: str) -> Message:
    """The plain request with a Signature header made of these members."""
    return PLAIN.message(",".join(members))


def changed(old: str, new: str) -> Message:
    """The plain request with its Signature header edited after signing."""
    value = ",".join(PLAIN.parameters())
    assert old in value
    return PLAIN.message(value.replace(old, new))


def redirected(message: Message, method: str | None = None, target: str | None = None) -> Message:
    """The same lines and body under another request line."""
    return Message(
        method or message.method, target or message.target, message.headers, message.body
    )


KEY_ID, ALGORITHM, HEADERS, SIGNATURE = PLAIN.parameters()

REFUSED: dict[str, tuple[Refusal, Message]] = {
    "no signature": (Refusal.UNSIGNED, with_line(PLAIN.message(), "Signature", None)),
    "only an authorization header": (
        Refusal.UNSIGNED,
        with_line(
            with_line(PLAIN.message(), "Signature", None),
            "Authorization",
            "Signature " + ",".join(PLAIN.parameters()),
        ),
    ),
    "only a signature-input": (
        Refusal.UNSIGNED,
        with_line(
            with_line(PLAIN.message(), "Signature", None), "Signature-Input", 'a=("@method")'
        ),
    ),
    # shape
    "empty signature": (Refusal.MALFORMED_SIGNATURE, PLAIN.message("")),
    "garbage": (Refusal.MALFORMED_SIGNATURE, PLAIN.message("keyId=,=;")),
    "trailing comma": (Refusal.MALFORMED_SIGNATURE, header(*PLAIN.parameters(), "")),
    "unclosed quote": (Refusal.MALFORMED_SIGNATURE, PLAIN.message('keyId="https://far.test')),
    "escaped quote": (Refusal.MALFORMED_SIGNATURE, changed('keyId="', 'keyId="\\"')),
    "too long": (Refusal.MALFORMED_SIGNATURE, header(*PLAIN.parameters(), f'x="{"y" * 8192}"')),
    "no keyId": (Refusal.MALFORMED_SIGNATURE, header(ALGORITHM, HEADERS, SIGNATURE)),
    "empty keyId": (Refusal.MALFORMED_SIGNATURE, header('keyId=""', HEADERS, SIGNATURE)),
    "no signature parameter": (Refusal.MALFORMED_SIGNATURE, header(KEY_ID, ALGORITHM, HEADERS)),
    "signature not base64": (
        Refusal.MALFORMED_SIGNATURE,
        header(KEY_ID, ALGORITHM, HEADERS, 'signature="!!"'),
    ),
    "a header covered twice": (
        Refusal.MALFORMED_SIGNATURE,
        Cavage(covered="(request-target) host date digest date").message(),
    ),
    "an unknown pseudo-header": (
        Refusal.MALFORMED_SIGNATURE,
        Cavage(covered="(request-target) (status) host date digest").message(),
    ),
    "nothing covered": (
        Refusal.MALFORMED_SIGNATURE,
        header(KEY_ID, ALGORITHM, 'headers=" "', SIGNATURE),
    ),
    "sixty-five headers covered": (
        Refusal.MALFORMED_SIGNATURE,
        Cavage(covered=" ".join(f"x-{n}" for n in range(65))).message(),
    ),
    "created covered and not given": (
        Refusal.MALFORMED_SIGNATURE,
        Cavage(covered="(request-target) (created) host date digest").message(),
    ),
    "headers left out": (
        Refusal.MALFORMED_SIGNATURE,  # the default is `(created)`, which is not given either
        header(KEY_ID, ALGORITHM, SIGNATURE),
    ),
    "created is no number": (
        Refusal.MALFORMED_SIGNATURE,
        Cavage(created='"now"', covered="(request-target) (created) host digest").message(),
    ),
    "expires is no number": (Refusal.MALFORMED_SIGNATURE, Cavage(expires='"never"').message()),
    "a line break in a covered value": (
        Refusal.MALFORMED_SIGNATURE,
        Cavage(headers={"Content-Type": "a/b\nx-more: c"}).message(),
    ),
    "a covered value that is not bytes": (
        Refusal.MALFORMED_SIGNATURE,
        with_line(PLAIN.message(), "Content-Type", "application/\u2603"),
    ),
    "two signature headers": (
        Refusal.DUPLICATE_SIGNATURE,
        with_lines(PLAIN.message(), ("signature", ",".join(PLAIN.parameters()))),
    ),
    "keyId twice (bovine: last wins)": (
        Refusal.DUPLICATE_SIGNATURE,
        header('keyId="https://far.test/users/victim#main-key"', *PLAIN.parameters()),
    ),
    "keyId twice in another case": (
        Refusal.DUPLICATE_SIGNATURE,
        header(*PLAIN.parameters(), 'KeyID="https://far.test/users/victim#main-key"'),
    ),
    "headers twice": (
        Refusal.DUPLICATE_SIGNATURE,
        header(*PLAIN.parameters(), 'headers="(request-target)"'),
    ),
    # algorithm
    "rsa-sha512": (Refusal.UNSUPPORTED_ALGORITHM, Cavage(algorithm="rsa-sha512").message()),
    "hmac-sha256": (Refusal.UNSUPPORTED_ALGORITHM, Cavage(algorithm="hmac-sha256").message()),
    "empty algorithm": (Refusal.UNSUPPORTED_ALGORITHM, Cavage(algorithm="").message()),
    # body
    "a body without digest": (
        Refusal.DIGEST_MISSING,
        Cavage(headers={"Digest": None}, covered=UNSIGNED_DIGEST).message(),
    ),
    "digest covered and not sent": (
        Refusal.DIGEST_MISSING,
        with_line(PLAIN.message(), "Digest", None),
    ),
    "digest not covered": (
        Refusal.DIGEST_NOT_COVERED,
        Cavage(covered=UNSIGNED_DIGEST).message(),
    ),
    "body exchanged, its digest not covered": (
        Refusal.DIGEST_NOT_COVERED,
        with_line(
            with_body(Cavage(covered=UNSIGNED_DIGEST).message(), EVIL), "Digest", digest(EVIL)
        ),
    ),
    "PUT with any body (bovine: accepted)": (
        Refusal.DIGEST_MISSING,
        Cavage(method="PUT", headers={"Digest": None}, covered=UNSIGNED_DIGEST).message(),
    ),
    "PATCH with an uncovered digest (bovine: accepted)": (
        Refusal.DIGEST_NOT_COVERED,
        Cavage(method="PATCH", covered=UNSIGNED_DIGEST).message(),
    ),
    "DELETE without a digest (bovine: accepted)": (
        Refusal.DIGEST_MISSING,
        Cavage(method="DELETE", body=b"", covered=UNSIGNED_DIGEST).message(),
    ),
    "GET with a body": (Refusal.DIGEST_MISSING, with_body(FETCH.message(), EVIL)),
    "a method in small letters, which signs the same": (
        Refusal.MALFORMED_TARGET,
        replace(FETCH, method="get").message(),
    ),
    "body altered": (Refusal.DIGEST_MISMATCH, with_body(PLAIN.message(), EVIL)),
    "body exchanged, Content-Digest signed, unsigned Digest added (bovine: ACCEPTED)": (
        Refusal.DIGEST_MISMATCH,
        with_lines(with_body(ONLY_CONTENT_DIGEST.message(), EVIL), ("Digest", digest(EVIL))),
    ),
    "body exchanged, Digest signed, unsigned Content-Digest added": (
        Refusal.DIGEST_MISMATCH,
        with_lines(with_body(PLAIN.message(), EVIL), ("Content-Digest", content_digest(EVIL))),
    ),
    "right sha-256 beside a wrong sha-512": (
        Refusal.DIGEST_MISMATCH,
        Cavage(headers={"Digest": f"{digest(BODY)},{digest(EVIL, 'SHA-512')}"}).message(),
    ),
    "unsigned Content-Digest that is wrong": (
        Refusal.DIGEST_MISMATCH,
        with_lines(PLAIN.message(), ("Content-Digest", content_digest(EVIL))),
    ),
    "digest of an algorithm unknown": (
        Refusal.DIGEST_UNSUPPORTED,
        Cavage(headers={"Digest": "md5=XUFAKrxLKna5cZ2REBfFkg=="}).message(),
    ),
    "digest without value": (
        Refusal.DIGEST_MALFORMED,
        Cavage(headers={"Digest": "SHA-256"}).message(),
    ),
    "digest not base64": (
        Refusal.DIGEST_MALFORMED,
        Cavage(headers={"Digest": "SHA-256=*"}).message(),
    ),
    "one algorithm twice": (
        Refusal.DIGEST_MALFORMED,
        Cavage(headers={"Digest": f"{digest(BODY)},{digest(BODY, 'sha-256')}"}).message(),
    ),
    # time
    "no date": (
        Refusal.DATE_MISSING,
        Cavage(headers={"Date": None}, covered="(request-target) host digest").message(),
    ),
    "date not covered": (
        Refusal.DATE_MISSING,
        Cavage(covered="(request-target) host digest").message(),
    ),
    "created given and not covered": (
        Refusal.DATE_MISSING,
        Cavage(created=seconds(), covered="(request-target) host digest").message(),
    ),
    "date covered and not sent": (
        Refusal.DATE_MISSING,
        with_line(PLAIN.message(), "Date", None),
    ),
    "date in another form": (
        Refusal.DATE_MALFORMED,
        Cavage(headers={"Date": NOW.isoformat()}).message(),
    ),
    "a month there is none of": (
        Refusal.DATE_MALFORMED,
        Cavage(headers={"Date": "Sun, 22 Nob 2026 10:00:00 GMT"}).message(),
    ),
    "the thirtieth of February": (
        Refusal.DATE_MALFORMED,
        Cavage(headers={"Date": "Sun, 30 Feb 2026 10:00:00 GMT"}).message(),
    ),
    "thirteen hours old": (
        Refusal.STALE,
        Cavage(headers={"Date": date(NOW - timedelta(hours=13))}).message(),
    ),
    "a minute past twelve hours": (
        Refusal.STALE,
        Cavage(headers={"Date": date(NOW - timedelta(hours=12) - MINUTE)}).message(),
    ),
    "created long ago under a fresh date": (
        Refusal.STALE,
        Cavage(
            created=seconds(NOW - timedelta(days=1)),
            covered="(request-target) (created) host date digest",
        ).message(),
    ),
    "date long ago under a fresh created": (
        Refusal.STALE,
        Cavage(
            created=seconds(),
            headers={"Date": date(NOW - timedelta(days=1))},
            covered="(request-target) (created) host date digest",
        ).message(),
    ),
    "dated an hour and a minute ahead": (
        Refusal.FROM_THE_FUTURE,
        Cavage(headers={"Date": date(NOW + timedelta(hours=1) + MINUTE)}).message(),
    ),
    "dated a day ahead under a fresh created": (
        Refusal.FROM_THE_FUTURE,
        Cavage(
            created=seconds(),
            headers={"Date": date(NOW + timedelta(days=1))},
            covered="(request-target) (created) host date digest",
        ).message(),
    ),
    "created a day ahead (bovine: accepted)": (
        Refusal.FROM_THE_FUTURE,
        Cavage(
            created=seconds(NOW + timedelta(days=1)),
            covered="(request-target) (created) host date digest",
        ).message(),
    ),
    "created in the year 33658": (
        Refusal.FROM_THE_FUTURE,
        Cavage(created="999999999999", covered="(request-target) (created) host digest").message(),
    ),
    "expired past the grace (bovine: accepted)": (
        Refusal.EXPIRED,
        Cavage(
            expires=seconds(NOW - timedelta(hours=1) - MINUTE),
            covered="(request-target) (expires) host date digest",
        ).message(),
    ),
    "expired, though the expiry is unsigned": (
        Refusal.EXPIRED,
        Cavage(expires=seconds(NOW - timedelta(hours=2))).message(),
    ),
    # where to
    "host not covered (bovine: accepted)": (
        Refusal.HOST_NOT_COVERED,
        with_line(Cavage(covered="(request-target) date digest").message(), "Host", "evil.example"),
    ),
    "signed for another host, replayed to us (bovine: accepted)": (
        Refusal.WRONG_HOST,
        Cavage(headers={"Host": "other.example"}).message(),
    ),
    "another port": (Refusal.WRONG_HOST, Cavage(headers={"Host": "letter.test:8443"}).message()),
    "the port of plain http": (
        Refusal.WRONG_HOST,
        Cavage(headers={"Host": "letter.test:80"}).message(),
    ),
    "our host as a prefix": (
        Refusal.WRONG_HOST,
        Cavage(headers={"Host": "letter.test.evil.example"}).message(),
    ),
    "our host with a dot": (Refusal.WRONG_HOST, Cavage(headers={"Host": "letter.test."}).message()),
    "host covered and not sent": (
        Refusal.WRONG_HOST,
        with_line(PLAIN.message(), "Host", None),
    ),
    "host twice, ours first": (
        Refusal.WRONG_HOST,
        with_lines(PLAIN.message(), ("Host", "evil.example")),
    ),
    "target not covered": (
        Refusal.REQUEST_TARGET_NOT_COVERED,
        Cavage(covered="host date digest").message(),
    ),
    "an absolute target": (
        Refusal.MALFORMED_TARGET,
        Cavage(target="https://letter.test/inbox").message(),
    ),
    "a target without its slash": (
        Refusal.MALFORMED_TARGET,
        Cavage(target=".evil.test/").message(),
    ),
    # headers
    "a covered header that is not there": (
        Refusal.COVERED_HEADER_MISSING,
        Cavage(covered="(request-target) host date digest x-gone").message(),
    ),
    "date twice": (Refusal.DUPLICATE_HEADER, with_lines(PLAIN.message(), ("Date", date()))),
    "digest twice": (
        Refusal.DUPLICATE_HEADER,
        with_lines(PLAIN.message(), ("digest", digest(BODY))),
    ),
    "content-type twice": (
        Refusal.DUPLICATE_HEADER,
        with_lines(PLAIN.message(), ("Content-Type", "text/html")),
    ),
    # the proof
    "a signed header altered": (
        Refusal.SIGNATURE_MISMATCH,
        with_line(PLAIN.message(), "Content-Type", "text/html"),
    ),
    "another method": (Refusal.SIGNATURE_MISMATCH, redirected(PLAIN.message(), method="PUT")),
    "another path": (
        Refusal.SIGNATURE_MISMATCH,
        redirected(PLAIN.message(), target="/actors/instance.actor/inbox"),
    ),
    "a query appended to a signed POST (bovine: accepted)": (
        Refusal.SIGNATURE_MISMATCH,
        redirected(PLAIN.message(), target="/inbox?page=1"),
    ),
    "a signed query dropped": (
        Refusal.SIGNATURE_MISMATCH,
        redirected(Cavage(target="/inbox?page=1").message(), target="/inbox"),
    ),
    "a signed query of a fetch exchanged": (
        Refusal.SIGNATURE_MISMATCH,
        redirected(replace(FETCH, target="/x?page=1").message(), target="/x?page=2"),
    ),
    "the signature of another message": (
        Refusal.SIGNATURE_MISMATCH,
        header(KEY_ID, ALGORITHM, HEADERS, replace(PLAIN, target="/x").parameters()[-1]),
    ),
    "a truncated signature": (
        Refusal.SIGNATURE_MISMATCH,
        header(KEY_ID, ALGORITHM, HEADERS, 'signature="AAAA"'),
    ),
    "signed by mallory in alice's name": (
        Refusal.SIGNATURE_MISMATCH,
        Cavage(signer=replace(peer("mallory"), key_id=PLAIN.signer.key_id)).message(),
    ),
    "fewer headers claimed than signed": (
        Refusal.SIGNATURE_MISMATCH,
        changed(" content-type", ""),
    ),
    "created exchanged": (
        Refusal.SIGNATURE_MISMATCH,
        Cavage(
            created=seconds(NOW - timedelta(hours=2)),
            covered="(request-target) (created) host date digest",
        ).message(
            ",".join(
                Cavage(
                    created=seconds(NOW - timedelta(hours=3)),
                    covered="(request-target) (created) host date digest",
                ).parameters()
            ).replace(seconds(NOW - timedelta(hours=3)), seconds(NOW - timedelta(hours=2)))
        ),
    ),
    "ed25519 as bovine signs it: multibase under rsa-sha256": (
        Refusal.MALFORMED_SIGNATURE,
        header(KEY_ID, ALGORITHM, HEADERS, 'signature="z5TyqTxFSDnKv9yVTyMLMuBKB3cBh-_"'),
    ),
}


@pytest.mark.parametrize(("reason", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(reason: Refusal, message: Message) -> None:
    with pytest.raises(SignatureRefused) as refused:
        believe(message, KEY)
    assert refused.value.reason is reason


WRONG_KEYS: dict[str, tuple[Refusal, Cavage, PublicKey]] = {
    "a key of another id": (Refusal.KEY_MISMATCH, PLAIN, peer("bob").public),
    "rsa-sha256 with ed25519": (Refusal.UNSUPPORTED_ALGORITHM, Cavage(signer=ED), ED.public),
    "rsa-sha256 with p-256": (Refusal.UNSUPPORTED_ALGORITHM, Cavage(signer=EC), EC.public),
    "an RSA signature, an ed25519 key": (
        Refusal.SIGNATURE_MISMATCH,
        Cavage(algorithm="hs2019"),
        replace(ED.public, key_id=PLAIN.signer.key_id),
    ),
    "an RSA signature, a p-256 key": (
        Refusal.SIGNATURE_MISMATCH,
        Cavage(algorithm="hs2019"),
        replace(EC.public, key_id=PLAIN.signer.key_id),
    ),
    "a stored key that is none": (
        Refusal.KEY_UNUSABLE,
        PLAIN,
        PublicKey(PLAIN.signer.key_id, PLAIN.signer.owner, "-----BEGIN PUBLIC KEY-----"),
    ),
}


@pytest.mark.parametrize(("reason", "request_", "key"), WRONG_KEYS.values(), ids=WRONG_KEYS.keys())
def test_refused_for_its_key(reason: Refusal, request_: Cavage, key: PublicKey) -> None:
    with pytest.raises(SignatureRefused) as refused:
        believe(request_.message(), key)
    assert refused.value.reason is reason


def test_a_claim_vouches_for_its_own_message_only() -> None:
    message, other = PLAIN.message(), replace(PLAIN, target="/x").message()
    asserted = claim(message, origin=ORIGIN, received_at=NOW)
    verify(asserted, PLAIN.message(), KEY, origin=ORIGIN)  # an equal one will do
    with pytest.raises(SignatureRefused) as refused:
        verify(asserted, with_body(message, EVIL), KEY, origin=ORIGIN)
    assert refused.value.reason is Refusal.SIGNATURE_MISMATCH
    with pytest.raises(SignatureRefused):
        verify(asserted, other, KEY, origin=ORIGIN)


def test_every_reason_of_this_package_is_tried() -> None:
    tried = {reason for reason, *_ in [*REFUSED.values(), *WRONG_KEYS.values()]}
    elsewhere = {
        Refusal.METHOD_NOT_COVERED,  # RFC 9421 has it: test_rfc9421
        Refusal.KEY_NOT_OWNED,  # these two belong to whoever fetches keys
        Refusal.KEY_GONE,
    }
    assert tried | elsewhere == set(Refusal)


def test_a_refusal_quotes_nothing_a_stranger_sent() -> None:
    for _, message in REFUSED.values():
        with pytest.raises(SignatureRefused) as refused:
            believe(message, KEY)
        assert "far.test" not in str(refused.value)
        assert "evil" not in str(refused.value)
