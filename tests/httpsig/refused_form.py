"""Draft-cavage requests refused for how they are written or when: syntax, algorithm, age."""

from datetime import timedelta

from fedi_letter.httpsig.message import Message
from fedi_letter.httpsig.refusal import Refusal
from tests.httpsig.peers import (
    NOW,
    Cavage,
    date,
    seconds,
    with_line,
    with_lines,
)

PLAIN = Cavage()
MINUTE = timedelta(minutes=1)


def header(*members: str) -> Message:
    """The plain request with a Signature header made of these members."""
    return PLAIN.message(",".join(members))


def changed(old: str, new: str) -> Message:
    """The plain request with its Signature header edited after signing."""
    value = ",".join(PLAIN.parameters())
    assert old in value
    return PLAIN.message(value.replace(old, new))


KEY_ID, ALGORITHM, HEADERS, SIGNATURE = PLAIN.parameters()


UNSIGNED: dict[str, tuple[Refusal, Message]] = {
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
}

SHAPE: dict[str, tuple[Refusal, Message]] = {
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
    "rsa-sha512": (Refusal.UNSUPPORTED_ALGORITHM, Cavage(algorithm="rsa-sha512").message()),
    "hmac-sha256": (Refusal.UNSUPPORTED_ALGORITHM, Cavage(algorithm="hmac-sha256").message()),
    "empty algorithm": (Refusal.UNSUPPORTED_ALGORITHM, Cavage(algorithm="").message()),
}

TIME: dict[str, tuple[Refusal, Message]] = {
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
}
