"""Why a signature was not believed: one exception, and a closed list of reasons.

Knows nothing of HTTP answers; which status a refusal earns is decided in `web`.
"""

from enum import StrEnum


class Refusal(StrEnum):
    """The reasons, each safe to log and to count by; none quotes what a stranger sent."""

    UNSIGNED = "unsigned"
    MALFORMED_SIGNATURE = "malformed-signature"
    DUPLICATE_SIGNATURE = "duplicate-signature"
    UNSUPPORTED_ALGORITHM = "unsupported-algorithm"
    DIGEST_MISSING = "digest-missing"
    DIGEST_NOT_COVERED = "digest-not-covered"
    DIGEST_MALFORMED = "digest-malformed"
    DIGEST_UNSUPPORTED = "digest-unsupported"
    DIGEST_MISMATCH = "digest-mismatch"
    DATE_MISSING = "date-missing"
    DATE_MALFORMED = "date-malformed"
    STALE = "stale"
    FROM_THE_FUTURE = "from-the-future"
    EXPIRED = "expired"
    HOST_NOT_COVERED = "host-not-covered"
    WRONG_HOST = "wrong-host"
    METHOD_NOT_COVERED = "method-not-covered"
    REQUEST_TARGET_NOT_COVERED = "request-target-not-covered"
    MALFORMED_TARGET = "malformed-target"
    COVERED_HEADER_MISSING = "covered-header-missing"
    DUPLICATE_HEADER = "duplicate-header"
    KEY_UNUSABLE = "key-unusable"
    KEY_MISMATCH = "key-mismatch"
    SIGNATURE_MISMATCH = "signature-mismatch"
    # Judged by those who fetch keys; listed here so that there is one vocabulary of refusal.
    KEY_NOT_OWNED = "key-not-owned"
    KEY_GONE = "key-gone"


class SignatureRefused(Exception):
    """Who spoke is not proved; `reason` says why, `detail` is a line for our own log."""

    def __init__(self, reason: Refusal, detail: str) -> None:
        """Keep the reason for programs and the detail, never shown to strangers, for people."""
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
