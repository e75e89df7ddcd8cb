"""Requests that must not be believed: every attack known on draft-cavage readers, and every reason.

Each is signed well but for the one thing its name says; what bovine's own checker accepts is
marked so.
"""

from dataclasses import replace

import pytest

from fedi_letter.httpsig.keys import PublicKey
from fedi_letter.httpsig.message import Message
from fedi_letter.httpsig.refusal import Refusal, SignatureRefused
from fedi_letter.httpsig.verify import claim, verify
from tests.httpsig.peers import (
    NOW,
    ORIGIN,
    Cavage,
    believe,
    peer,
    with_body,
)
from tests.httpsig.refused_content import BODIES, EVIL, PLACE, PROOF
from tests.httpsig.refused_form import PLAIN, SHAPE, TIME, UNSIGNED

KEY = PLAIN.signer.public
ED = peer("ed", "ed25519")
EC = peer("ec", "p-256")
REFUSED = {**UNSIGNED, **SHAPE, **TIME, **BODIES, **PLACE, **PROOF}


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
