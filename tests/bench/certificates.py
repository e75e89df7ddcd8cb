"""An authority for the length of a run, and a certificate for each loopback host.

The worker trusts it by SSL_CERT_FILE alone, as it would trust any other authority of its machine:
what it checks is not weakened.
"""

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY = "authority.crt"


def make(folder: Path, addresses: Iterable[str]) -> None:
    """Make the authority and `ADDRESS.pem`, with its key, for each host; P-256, as is usual."""
    folder.mkdir(parents=True)
    authority_key, host_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    name = _name("bench authority")
    authority = (
        _draft(name, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False
        )
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(authority_key, SHA256())
    )
    (folder / AUTHORITY).write_bytes(authority.public_bytes(Encoding.PEM))
    key_pem = host_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for address in addresses:
        draft = _draft(name, host_key.public_key(), address).add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
        pem = draft.sign(authority_key, SHA256()).public_bytes(Encoding.PEM)
        (folder / f"{address}.pem").write_bytes(pem + key_pem)


def _draft(
    issuer: x509.Name, key: ec.EllipticCurvePublicKey, address: str | None = None
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    subject = issuer if address is None else _name(address)
    draft = (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )
    if address is None:
        return draft
    named = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    return (
        draft.add_extension(named, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
