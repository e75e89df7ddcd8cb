"""Signing what we send, in the scheme the other side understands.

Knows no network: it answers the headers to send, all of those the signature binds. The client
must send them unchanged, and the url's path and query as they are written in it.
"""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache, partial
from typing import assert_never

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from fedi_letter.httpsig import rfc9421
from fedi_letter.httpsig.address import Address, address_of
from fedi_letter.httpsig.bovine_adapter import digest_header, signature_header, signing_string
from fedi_letter.httpsig.dates import write_http_date
from fedi_letter.httpsig.keys import PrivateKey
from fedi_letter.httpsig.message import Headers
from fedi_letter.httpsig.refusal import Refusal, SignatureRefused
from fedi_letter.httpsig.verify import Scheme


def prepared(
    key: PrivateKey,
    scheme: Scheme,
    *,
    method: str,
    url: str,
    body: bytes | None,
    content_type: str | None,
    accept: str | None,
    now: datetime,
) -> Callable[[], Headers]:
    """What signs, when called, and answers every header that this request must carry.

    They are Host, Date, digest, type or Accept, signature.
    draft-cavage covers all of them and `(request-target)` (what Mastodon, Misskey and Takahe ask
    for, together); RFC 9421 covers `@method @target-uri` and, with a body, `content-digest`
    (Mastodon's profile). `now` is an aware datetime; `body` None means there is none, while b""
    is digested and signed.

    To prepare many and then sign them is cheaper than one after the other: an RSA signature leaves
    nothing of our code in the processor's caches.

    Raises SignatureRefused: malformed-target when the url is none that can be sent as it stands,
    unsupported-algorithm for draft-cavage with a key other than RSA.
    """
    address = address_of(url)
    plain = [("Host", address.authority), ("Date", write_http_date(now))]
    # In this order Mastodon itself signs; some verifiers were only ever tried with it.
    types = [("Content-Type", content_type), ("Accept", accept)]
    given = [(name, value) for name, value in types if value is not None]
    match scheme:
        case Scheme.CAVAGE:
            digest = [] if body is None else [("Digest", _digest(body))]
            return _cavage(key, method, address, (*plain, *digest, *given))
        case Scheme.RFC9421:
            return partial(_rfc9421, key, method, address, (*plain, *given), body, now)
        case _:
            assert_never(scheme)


# One body goes to thousands of inboxes, so it is digested once; few are under way together.
_digest = lru_cache(maxsize=8)(digest_header)


def _cavage(
    key: PrivateKey, method: str, address: Address, headers: Headers
) -> Callable[[], Headers]:
    if not isinstance(key.material, RSAPrivateKey):
        raise SignatureRefused(
            Refusal.UNSUPPORTED_ALGORITHM, "draft-cavage is signed with RSA keys only"
        )
    fields = [
        ("(request-target)", f"{method.lower()} {address.target}"),
        *((name.lower(), value) for name, value in headers),
    ]
    covered = " ".join(name for name, _ in fields)
    return partial(
        _signed_cavage, key.key_id, key.material, headers, covered, signing_string(fields)
    )


def _signed_cavage(
    key_id: str, material: RSAPrivateKey, headers: Headers, covered: str, signed: str
) -> Headers:
    return (*headers, ("Signature", signature_header(key_id, material, covered, signed)))


def _rfc9421(
    key: PrivateKey,
    method: str,
    address: Address,
    headers: Headers,
    body: bytes | None,
    now: datetime,
) -> Headers:
    url = f"{address.scheme}://{address.authority}{address.target}"
    return (*headers, *rfc9421.sign(key, method=method, url=url, body=body, now=now))
