"""Digest and Content-Digest: all that is understood must match, and something must be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedi_letter.httpsig.bovine_adapter import digest_header
from fedi_letter.httpsig.digest import check_content_digest, check_digest
from fedi_letter.httpsig.refusal import Refusal, SignatureRefused
from tests.httpsig.peers import content_digest, digest

bodies = st.binary(max_size=100)


@given(bodies, bodies)
def test_a_body_has_its_own_digest_and_no_other(body: bytes, other: bytes) -> None:
    for check, write in ((check_digest, digest), (check_content_digest, content_digest)):
        for name in ("sha-256", "sha-512"):
            check(write(body, name), body)
            if other != body:
                with pytest.raises(SignatureRefused) as refused:
                    check(write(body, name), other)
                assert refused.value.reason is Refusal.DIGEST_MISMATCH


@given(bodies, st.booleans())
def test_every_understood_member_must_match(body: bytes, last: bool) -> None:
    good, bad = digest(body), digest(body + b"!", "SHA-512")
    with pytest.raises(SignatureRefused) as refused:
        check_digest(f"{good}, {bad}" if last else f"{bad}, {good}", body)
    assert refused.value.reason is Refusal.DIGEST_MISMATCH
    with pytest.raises(SignatureRefused):
        check_content_digest(
            f"{content_digest(body)}, {content_digest(body + b'!', 'sha-512')}", body
        )


@given(bodies)
def test_what_we_write_is_what_others_compute(body: bytes) -> None:
    assert digest_header(body) == digest(body)


@given(st.text(), bodies)
def test_arbitrary_values_are_refused(value: str, body: bytes) -> None:
    for check in (check_digest, check_content_digest):
        with pytest.raises(SignatureRefused) as refused:
            check(value, body)
        assert refused.value.reason in {
            Refusal.DIGEST_MALFORMED,
            Refusal.DIGEST_UNSUPPORTED,
            Refusal.DIGEST_MISMATCH,
        }


def test_a_repeated_member_of_content_digest_is_refused() -> None:
    with pytest.raises(SignatureRefused) as refused:
        check_content_digest(f"{content_digest(b'')}, {content_digest(b'')}", b"")
    assert refused.value.reason is Refusal.DIGEST_MALFORMED
