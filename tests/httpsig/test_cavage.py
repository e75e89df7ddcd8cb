"""draft-cavage requests that must be believed, each a way some server really signs."""

import base64
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from fedi_letter.httpsig.message import Message
from fedi_letter.httpsig.verify import Claim, Scheme
from tests.httpsig.peers import (
    BODY,
    NOW,
    Cavage,
    believe,
    content_digest,
    date,
    digest,
    peer,
    seconds,
    with_lines,
)

ED = peer("ed", "ed25519")
EC = peer("ec", "p-256")
SHORT = "(request-target) host digest"
GET = "(request-target) host date"

ACCEPTED = {
    "mastodon": Cavage(),
    "gotosocial, hs2019 over RSA": Cavage(
        algorithm="hs2019", covered="(request-target) host date digest"
    ),
    "no algorithm, as takahe": Cavage(algorithm=None),
    "algorithm in capitals": Cavage(algorithm="RSA-SHA256"),
    "pleroma signs the length": Cavage(
        headers={"Content-Length": str(len(BODY))},
        covered="(request-target) content-length date digest host",
    ),
    "mastodon synchronisation header": Cavage(
        headers={"Collection-Synchronization": 'collectionId="x", digest="y"'},
        covered="(request-target) host date digest collection-synchronization",
    ),
    "discourse: created, expires and date": Cavage(
        created=seconds(),
        expires=seconds(NOW + timedelta(minutes=5)),
        covered="(request-target) (created) (expires) host date digest",
    ),
    "created without a date": Cavage(
        algorithm="hs2019",
        created=seconds(),
        covered="(request-target) (created) host digest",
        headers={"Date": None},
    ),
    "created in quotes": Cavage(
        algorithm="hs2019", created=f'"{seconds()}"', covered="(request-target) host date digest"
    ),
    "expires with a fraction": Cavage(expires=f"{seconds(NOW + timedelta(hours=1))}.25"),
    "ed25519 by hs2019": Cavage(signer=ED, algorithm="hs2019"),
    "ed25519 without algorithm": Cavage(signer=ED, algorithm=None),
    "p-256 by hs2019": Cavage(signer=EC, algorithm="hs2019"),
    "headers in capitals": Cavage(covered="(request-target) Host Date Digest"),
    "digest in small letters": Cavage(headers={"Digest": digest(BODY, "sha-256")}),
    "sha-512 alone": Cavage(headers={"Digest": digest(BODY, "SHA-512")}),
    "two digests": Cavage(
        headers={"Digest": f"{digest(BODY, 'SHA-512')},{digest(BODY, 'SHA-256')}"}
    ),
    "an unknown digest beside": Cavage(headers={"Digest": f"unixsum=30637, {digest(BODY)}"}),
    "content-digest instead of digest": Cavage(
        headers={"Digest": None, "Content-Digest": content_digest(BODY)},
        covered="(request-target) host date content-digest",
    ),
    "content-digest beside digest": Cavage(headers={"Content-Digest": content_digest(BODY)}),
    "host in capitals": Cavage(headers={"Host": "Letter.Test"}),
    "host with the default port": Cavage(headers={"Host": "letter.test:443"}),
    "twelve hours late": Cavage(headers={"Date": date(NOW - timedelta(hours=12))}),
    "an hour early": Cavage(headers={"Date": date(NOW + timedelta(hours=1))}),
    "expired within the grace": Cavage(expires=seconds(NOW - timedelta(minutes=59))),
    "an empty body": Cavage(body=b"", headers={"Digest": digest(b"")}),
    "a query, signed": Cavage(target="/inbox?page=1"),
    "a percent-encoded target": Cavage(target="/inbox/%C3%A9"),
    "a fetch": Cavage(method="GET", target="/letters/letter", body=b"", covered=GET),
    "a fetch with its query": Cavage(
        method="GET", target="/x/replies?page=2", body=b"", covered=GET
    ),
    "an old mastodon's fetch without its query": Cavage(
        method="GET", target="/x/replies?page=2", signed_target="/x/replies", body=b"", covered=GET
    ),
    "a fetch with an empty body's digest": Cavage(
        method="GET", body=b"", headers={"Digest": digest(b"")}, covered=f"{GET} digest"
    ),
}


@pytest.mark.parametrize("request_", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_believed(request_: Cavage) -> None:
    asserted = believe(request_.message(), request_.signer.public)
    assert asserted.scheme is Scheme.CAVAGE
    assert asserted.key_id == request_.signer.key_id


@pytest.mark.parametrize("separator", [", ", " , ", ",\t"])
def test_blanks_around_commas_do_no_harm(separator: str) -> None:
    request = Cavage()
    believe(request.message(separator.join(request.parameters())), request.signer.public)


def test_parameter_names_in_any_case_and_unknown_ones_are_read() -> None:
    request = Cavage()
    value = ",".join(['opaque="x"', *request.parameters()])
    message = request.message(value.replace("keyId=", "KEYID ="))
    assert believe(message, request.signer.public).key_id == request.signer.key_id


def test_a_der_encoded_ecdsa_signature_is_read_too() -> None:
    request = Cavage(signer=EC, algorithm="hs2019")
    assert isinstance(EC.material, EllipticCurvePrivateKey)
    der = EC.material.sign(request.signing_string().encode(), ECDSA(SHA256()))
    encoded = base64.b64encode(der).decode()
    parameters = [*request.parameters()[:-1], f'signature="{encoded}"']
    believe(request.message(",".join(parameters)), EC.public)


def test_key_ids_with_a_path_are_kept_as_they_are() -> None:
    alice = peer()
    key_id = "https://far.test/users/alice/main-key"
    gts = type(alice)(alice.owner, key_id, alice.material)
    assert believe(Cavage(signer=gts).message(), gts.public).key_id == key_id


def test_the_instant_is_the_signed_one() -> None:
    signed_at = NOW - timedelta(minutes=7)
    by_date = Cavage(headers={"Date": date(signed_at)})
    by_created = Cavage(
        created=seconds(signed_at), covered="(request-target) (created) host date digest"
    )
    unsigned = Cavage(created=seconds(signed_at))
    key = by_date.signer.public
    assert believe(by_date.message(), key).instant == signed_at
    assert believe(by_created.message(), key).instant == signed_at
    assert believe(unsigned.message(), key).instant == NOW


def test_age_is_judged_by_arrival_not_by_today() -> None:
    request = Cavage()
    week_later_processed = believe(request.message(), request.signer.public, received_at=NOW)
    assert week_later_processed.instant == NOW


def test_values_are_the_bytes_that_came() -> None:
    agent = "naïve".encode().decode("latin-1")
    request = Cavage(
        headers={"User-Agent": "naïve"}, covered="(request-target) host date digest user-agent"
    )
    signed = request.message()
    arrived = Message(
        signed.method,
        signed.target,
        tuple((n, agent if n == "User-Agent" else v) for n, v in signed.headers),
        signed.body,
    )
    assert isinstance(believe(arrived, request.signer.public), Claim)


def test_lines_that_are_not_covered_may_be_added_on_the_way() -> None:
    request = Cavage()
    message = with_lines(request.message(), ("X-Forwarded-For", "192.0.2.1"), ("Via", "1.1 x"))
    believe(message, request.signer.public)
