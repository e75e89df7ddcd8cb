"""The examples RFC 9421 prints (appendix B.2 to B.4) under the public keys of appendix B.1."""

from datetime import UTC, datetime

import pytest

from fedi_letter.httpsig import rfc9421
from fedi_letter.httpsig.keys import PublicKey, load_public_key
from fedi_letter.httpsig.message import Message
from fedi_letter.httpsig.refusal import Refusal, SignatureRefused
from fedi_letter.httpsig.verify import claim, verify
from tests.httpsig.peers import (
    VECTORS,
)

RFC_NOW = datetime(2021, 4, 20, 2, 7, 55, tzinfo=UTC)
RFC_BODY = b'{"hello": "world"}'
RFC_LINES = (
    ("Host", "example.com"),
    ("Date", "Tue, 20 Apr 2021 02:07:55 GMT"),
    ("Content-Type", "application/json"),
    (
        "Content-Digest",
        "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHW"
        "XvJwew==:",
    ),
    ("Content-Length", "18"),
)
CLIENT_CERT = (
    ":MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMM"
    "EkxBIEludGVybWVkaWF0ZSBDQTAeFw0yMDAxMTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAMMAkJDMFkw"
    "EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8YnXXfaUgmnMtOXU/IncWalRhebrXmckC8vdgJ1p5Be5F/3YC8OthxM4+k1M"
    "6aEAEFcGzkJiNy6J84y7uzo9M6NyMHAwCQYDVR0TBAIwADAfBgNVHSMEGDAWgBRm3WjLa38lbEYCuiCPct0ZaSED2DAO"
    "BgNVHQ8BAf8EBAMCBsAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0RAQH/BBMwEYEPYmRjQGV4YW1wbGUuY29tMAoG"
    "CCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/Di6YK0Q6bMjeSkC3dFCOOB8TAiEAx/kHSB4urmiZ0NX5r5XarmPk"
    "0wmuydBVoU4hBVZ1yhk=:"
)


def rfc_key(name: str) -> PublicKey:
    pem = (VECTORS / f"{name}.pem").read_text(encoding="ascii")
    return load_public_key(name, "https://example.com/", pem)


def rfc_message(*more: tuple[str, str]) -> Message:
    return Message("POST", "/foo?param=Value&Pet=dog", (*RFC_LINES, *more), RFC_BODY)


B23 = rfc_message(
    (
        "Signature-Input",
        'sig-b23=("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" '
        '"content-length");created=1618884473;keyid="test-key-rsa-pss"',
    ),
    (
        "Signature",
        "sig-b23=:bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeG"
        "t683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNm"
        "vKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5"
        "f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==:",
    ),
)
B26 = rfc_message(
    (
        "Signature-Input",
        'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length")'
        ';created=1618884473;keyid="test-key-ed25519"',
    ),
    (
        "Signature",
        "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WP"
        "pBKRCw==:",
    ),
)
B3 = rfc_message(
    ("Client-Cert", CLIENT_CERT),
    (
        "Signature-Input",
        'ttrp=("@path" "@query" "@method" "@authority" "client-cert");created=1618884473'
        ';keyid="test-key-ecc-p256"',
    ),
    (
        "Signature",
        "ttrp=:xVMHVpawaAC/0SbHrKRs9i8I3eOs5RtTMGCWXm/9nvZzoHsIg6Mce9315T6xoklyy0yzhD9ah4JHRwMLOgmi"
        "zw==:",
    ),
)
B4 = Message(
    "GET",
    "/demo?name1=Value1&Name2=value2",
    (
        ("Host", "example.org"),
        ("Date", "Fri, 15 Jul 2022 14:24:55 GMT"),
        ("Accept", "application/json"),
        ("Accept", "*/*"),
        (
            "Signature-Input",
            'transform=("@method" "@path" "@authority" "accept");created=1618884473'
            ';keyid="test-key-ed25519"',
        ),
        (
            "Signature",
            "transform=:ZT1kooQsEHpZ0I1IjCqtQppOmIqlJPeo7DHR3SoMn0s5JZ1eRGS0A+vyYP9t/LXlh5QMFFQ6cp"
            "Lt2m0pmj3NDA==:",
        ),
    ),
    b"",
)


def test_the_rfcs_full_coverage_example_is_believed() -> None:
    key = rfc_key("test-key-rsa-pss")
    asserted = claim(B23, origin="https://example.com", received_at=RFC_NOW)
    verify(asserted, B23, key, origin="https://example.com")
    assert asserted.instant == datetime(2021, 4, 20, 2, 7, 53, tzinfo=UTC)


VECTOR_CASES = {
    "B.2.3": (B23, "test-key-rsa-pss", "https://example.com"),
    "B.2.6": (B26, "test-key-ed25519", "https://example.com"),
    "B.3": (B3, "test-key-ecc-p256", "https://service.internal.example"),
    "B.4": (B4, "test-key-ed25519", "https://example.org"),
}


@pytest.mark.parametrize(
    ("message", "key", "origin"), VECTOR_CASES.values(), ids=VECTOR_CASES.keys()
)
def test_the_rfcs_examples_verify_and_their_neighbours_do_not(
    message: Message, key: str, origin: str
) -> None:
    rfc9421.verify(rfc9421.read(message), message, rfc_key(key), origin)
    with pytest.raises(SignatureRefused) as refused:
        rfc9421.verify(rfc9421.read(message), message, rfc_key(key), "https://example.net")
    assert refused.value.reason is Refusal.SIGNATURE_MISMATCH


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (B26, Refusal.REQUEST_TARGET_NOT_COVERED),
        (B3, Refusal.DIGEST_NOT_COVERED),
        (B4, Refusal.REQUEST_TARGET_NOT_COVERED),
    ],
    ids=["B.2.6", "B.3", "B.4"],
)
def test_valid_examples_that_cover_too_little_for_us_are_refused(
    message: Message, reason: Refusal
) -> None:
    with pytest.raises(SignatureRefused) as refused:
        claim(message, origin="https://example.com", received_at=RFC_NOW)
    assert refused.value.reason is reason


def test_the_rfcs_pkcs1_key_is_read() -> None:
    assert "BEGIN PUBLIC KEY" in rfc_key("test-key-rsa").pem
