"""Draft-cavage requests refused for what they bind: body, host, target, headers, the proof."""

from dataclasses import replace
from datetime import timedelta

from fedi_letter.httpsig.message import Message
from fedi_letter.httpsig.refusal import Refusal
from tests.httpsig.peers import (
    BODY,
    NOW,
    Cavage,
    content_digest,
    date,
    digest,
    peer,
    seconds,
    with_body,
    with_line,
    with_lines,
)
from tests.httpsig.refused_form import ALGORITHM, HEADERS, KEY_ID, PLAIN, changed, header

EVIL = b'{"type":"Follow","actor":"https://far.test/users/victim"}'
ONLY_CONTENT_DIGEST = Cavage(
    headers={"Digest": None, "Content-Digest": content_digest(BODY)},
    covered="(request-target) host date content-digest",
)
FETCH = Cavage(method="GET", target="/x", body=b"", covered="(request-target) host date")
UNSIGNED_DIGEST = "(request-target) host date"


def redirected(message: Message, method: str | None = None, target: str | None = None) -> Message:
    """The same lines and body under another request line."""
    return Message(
        method or message.method, target or message.target, message.headers, message.body
    )


BODIES: dict[str, tuple[Refusal, Message]] = {
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
}

PLACE: dict[str, tuple[Refusal, Message]] = {
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
}

PROOF: dict[str, tuple[Refusal, Message]] = {
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
