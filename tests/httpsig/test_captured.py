"""Requests that GoToSocial, Hollo and Takahe really sent, as `tests/vectors` keeps them.

The file holds parsed bodies; each sender's way of writing JSON is found again by trying the few
there are against the Content-Length, so that the digest is checked over the bytes that were sent.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from fedi_letter.httpsig.message import Message
from fedi_letter.httpsig.refusal import Refusal, SignatureRefused
from fedi_letter.httpsig.verify import Scheme, claim, verify
from tests.httpsig.peers import ORIGIN, VECTORS, peer, with_body, with_line


@dataclass(frozen=True)
class Capture:
    """One recorded request and the hour it came."""

    message: Message
    received_at: datetime


def ways_to_write(document: Any) -> Iterator[bytes]:
    """JSON as Python's, as most others' and as Go's encoder writes it."""
    yield json.dumps(document).encode()
    compact = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    yield compact.encode()
    escaped = compact.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    yield escaped.encode()


def captures() -> Iterator[Capture]:
    """Every record whose body could be written again to its length."""
    text = (VECTORS / "inbox-from-real-servers.jsonl").read_text(encoding="utf-8")
    for line in text.splitlines():
        record = json.loads(line)
        length = int(record["headers"]["Content-Length"])
        bodies = [body for body in ways_to_write(record["body"]) if len(body) == length]
        assert bodies, record["path"]
        headers = tuple(record["headers"].items())
        yield Capture(
            Message("POST", record["path"], headers, bodies[0]),
            datetime.fromisoformat(record["t"]),
        )


ALL = tuple(captures())
SIGNED = tuple(capture for capture in ALL if capture.message.values("signature"))


def reason_of(message: Message, received_at: datetime, origin: str = ORIGIN) -> Refusal:
    """Why this is refused."""
    with pytest.raises(SignatureRefused) as refused:
        claim(message, origin=origin, received_at=received_at)
    return refused.value.reason


def test_each_signed_capture_makes_a_claim() -> None:
    claims = [claim(c.message, origin=ORIGIN, received_at=c.received_at) for c in SIGNED]
    assert len(claims) == 47
    assert {asserted.scheme for asserted in claims} == {Scheme.CAVAGE}
    assert Counter(asserted.statement.algorithm for asserted in claims) == {
        "hs2019": 18,
        "rsa-sha256": 29,
    }
    assert {
        "https://gts.test/users/alice/main-key",
        "https://hollo.test/@holly#main-key",
        "https://takahe.test/@tina@takahe.test/#main-key",
    } <= {asserted.key_id for asserted in claims}


def test_the_instant_is_that_of_their_date() -> None:
    for capture in SIGNED:
        asserted = claim(capture.message, origin=ORIGIN, received_at=capture.received_at)
        assert abs(asserted.instant - capture.received_at) <= timedelta(seconds=5)


def test_the_unsigned_ones_are_refused_as_such() -> None:
    unsigned = [capture for capture in ALL if capture not in SIGNED]
    assert len(unsigned) == 4
    for capture in unsigned:
        assert reason_of(capture.message, capture.received_at) is Refusal.UNSIGNED


def test_none_of_them_was_meant_for_another_server() -> None:
    for capture in SIGNED:
        reason = reason_of(capture.message, capture.received_at, "https://other.test")
        assert reason is Refusal.WRONG_HOST


def test_none_of_them_outlives_twelve_hours() -> None:
    for capture in SIGNED:
        late = capture.received_at + timedelta(hours=12, minutes=1)
        assert reason_of(capture.message, late) is Refusal.STALE


def test_none_of_them_bears_another_body() -> None:
    for capture in SIGNED:
        altered = with_body(capture.message, capture.message.body + b" ")
        assert reason_of(altered, capture.received_at) is Refusal.DIGEST_MISMATCH
        stripped = with_line(capture.message, "Digest", None)
        assert reason_of(stripped, capture.received_at) is Refusal.DIGEST_MISSING


def test_a_stranger_s_key_proves_none_of_them() -> None:
    stranger = peer("stranger")
    for capture in SIGNED:
        asserted = claim(capture.message, origin=ORIGIN, received_at=capture.received_at)
        key = type(stranger)(stranger.owner, asserted.key_id, stranger.material).public
        with pytest.raises(SignatureRefused) as refused:
            verify(asserted, capture.message, key, origin=ORIGIN)
        assert refused.value.reason is Refusal.SIGNATURE_MISMATCH
