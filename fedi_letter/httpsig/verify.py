"""One policy over both schemes: whom does a request come from, and may we believe it?

1. A request with `Signature-Input` is RFC 9421 and nothing else; there is no falling back, or an
   attacker would choose the weaker reader.
2. Signed must be: the target, our own host, a time, and, wherever there may be a body, its digest.
3. Every digest header present must match the body, signed or not.
4. A signature counts from twelve hours before to one hour after the moment of arrival; an expiry
   is heeded with an hour's grace.
5. Covered headers that can have one value have one.

`claim` needs no key and no network and is asked first; `verify` needs the key. That the key
belongs to whom the activity names is asked by those who fetched it. Replays are not seen here: the
same bytes twice are the same activity twice, and are dropped by its id. Nothing is logged, and
nothing but SignatureRefused is raised.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import assert_never

from fedi_letter.httpsig import cavage, rfc9421
from fedi_letter.httpsig.dates import read_http_date
from fedi_letter.httpsig.digest import check_content_digest, check_digest
from fedi_letter.httpsig.keys import PublicKey
from fedi_letter.httpsig.message import Message
from fedi_letter.httpsig.refusal import Refusal, SignatureRefused
from fedi_letter.httpsig.statement import Statement

MAX_AGE = timedelta(hours=12)
CLOCK_SKEW = timedelta(hours=1)

_MAX_AGE_SECONDS = MAX_AGE.total_seconds()
_CLOCK_SKEW_SECONDS = CLOCK_SKEW.total_seconds()

_SINGLE_VALUED = frozenset({"host", "date", "digest", "content-type", "content-length"})


class Scheme(StrEnum):
    """The two ways a request is signed on the fediverse."""

    CAVAGE = "cavage"
    RFC9421 = "rfc9421"


# Not frozen: one is made for every request, and that would double what making it costs.
@dataclass(slots=True)
class Claim:
    """A request whose signature is in order but for the key: who it says it is, and when.

    Nothing in it is ever changed. `instant` is the signed time. `message` and `statement` are what
    `verify` will hold the key to.
    """

    scheme: Scheme
    key_id: str
    instant: datetime
    statement: Statement = field(repr=False)
    message: Message = field(repr=False)


def claim(message: Message, *, origin: str, received_at: datetime) -> Claim:
    """Everything that can be judged without the key: shape, coverage, host, age, digest.

    `origin` is our public one, such as `https://letter.example`; `received_at` is when the
    request arrived, which may be long before it is judged.

    Raises SignatureRefused with any reason but key-unusable, key-mismatch, signature-mismatch
    and those of fetching. Obeys draft-cavage-12 §2 and RFC 9421 §3.2.
    """
    _check_request_line(message)
    scheme = _scheme_of(message)
    match scheme:
        case Scheme.RFC9421:
            statement = rfc9421.read(message)
            rfc9421.check_coverage(statement, message)
            digest_headers: tuple[str, ...] = ("content-digest",)
        case Scheme.CAVAGE:
            statement = cavage.read(message)
            cavage.check_coverage(statement, message, origin)
            digest_headers = ("digest", "content-digest")
        case _:
            assert_never(scheme)
    _check_repeats(statement, message)
    instant = _signed_time(statement, message, received_at)
    _check_body(statement, message, digest_headers)
    return Claim(scheme, statement.key_id, instant, statement, message)


def verify(claim: Claim, message: Message, key: PublicKey, *, origin: str) -> None:
    """Whether this key made the signature of this claim; returns when it did.

    `message` is the one the claim was made of, `origin` the same as there.

    Raises SignatureRefused: key-mismatch, key-unusable, unsupported-algorithm,
    covered-header-missing, malformed-signature, signature-mismatch.
    """
    if claim.message is not message and claim.message != message:
        raise SignatureRefused(Refusal.SIGNATURE_MISMATCH, "the claim is of another message")
    if key.key_id != claim.key_id:
        raise SignatureRefused(Refusal.KEY_MISMATCH, "the key is not the one named")
    match claim.scheme:
        case Scheme.RFC9421:
            rfc9421.verify(claim.statement, message, key, origin)
        case Scheme.CAVAGE:
            cavage.verify(claim.statement, message, key)
        case _:
            assert_never(claim.scheme)


def _check_request_line(message: Message) -> None:
    if not message.target.startswith("/"):
        # "https://us" + ".evil.example/" would be another host's target.
        raise SignatureRefused(Refusal.MALFORMED_TARGET, "the target is not a path")
    if not message.method.isupper():
        # draft-cavage signs the method in lower case: `get` and `GET` would be one signature.
        raise SignatureRefused(Refusal.MALFORMED_TARGET, "the method is not in upper case")


def _scheme_of(message: Message) -> Scheme:
    if not message.values("signature"):
        raise SignatureRefused(Refusal.UNSIGNED, "no Signature header")
    return Scheme.RFC9421 if message.values("signature-input") else Scheme.CAVAGE


def _check_repeats(statement: Statement, message: Message) -> None:
    for name in message.repeated & _SINGLE_VALUED:
        if name in statement.covered:
            raise SignatureRefused(Refusal.DUPLICATE_HEADER, f"{name} is there twice")


def _signed_time(statement: Statement, message: Message, received_at: datetime) -> datetime:
    """The signed time, after every time the signature names has been held against the window."""
    arrival = received_at.timestamp()
    expires = arrival if statement.expires is None else float(statement.expires)
    if expires < arrival - _CLOCK_SKEW_SECONDS:
        raise SignatureRefused(Refusal.EXPIRED, "the signature has expired")
    times: list[float] = []
    if statement.created is not None:
        times.append(float(statement.created))
    if "date" in statement.covered:
        times.append(_date(message).timestamp())
    if not times:
        raise SignatureRefused(Refusal.DATE_MISSING, "neither date nor (created) is signed")
    if min(times) < arrival - _MAX_AGE_SECONDS:
        raise SignatureRefused(Refusal.STALE, "signed too long ago")
    if max(times) > arrival + _CLOCK_SKEW_SECONDS:
        raise SignatureRefused(Refusal.FROM_THE_FUTURE, "signed in the future")
    return datetime.fromtimestamp(times[0], UTC)


def _date(message: Message) -> datetime:
    value = message.value("date")
    if value is None:
        raise SignatureRefused(Refusal.DATE_MISSING, "date is covered and not there")
    try:
        return read_http_date(value)
    except ValueError:
        raise SignatureRefused(Refusal.DATE_MALFORMED, "date is not an HTTP date") from None


def _check_body(statement: Statement, message: Message, digest_headers: tuple[str, ...]) -> None:
    """Rule 2 and 3 for the body; `digest_headers` are those that bind one in this scheme."""
    digest = message.value("digest")
    content_digest = message.value("content-digest")
    if message.body or message.method not in ("GET", "HEAD"):
        if digest is None and content_digest is None:
            raise SignatureRefused(Refusal.DIGEST_MISSING, "a body without a digest")
        if not any(name in statement.covered and message.values(name) for name in digest_headers):
            raise SignatureRefused(Refusal.DIGEST_NOT_COVERED, "the digest is unsigned")
    if digest is not None:
        check_digest(digest, message.body)
    if content_digest is not None:
        check_content_digest(content_digest, message.body)
