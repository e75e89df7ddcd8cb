"""http-message-signatures verifying a request: a second opinion on our reading of RFC 9421."""

from dataclasses import dataclass
from datetime import timedelta

from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    MappingKeyResolver,
)

from fedi_letter.httpsig.keys import PublicKey
from fedi_letter.httpsig.message import Headers, Message
from fedi_letter.httpsig.rfc9421 import ALGORITHMS


@dataclass(frozen=True)
class _Lines:
    lines: Headers

    def items(self) -> Headers:
        """Header lines in order, repeated names kept."""
        return self.lines


@dataclass(frozen=True)
class _Request:
    method: str
    url: str
    headers: _Lines


class _Verifier(HTTPMessageVerifier):
    def validate_created_and_expires(
        self, sig_input: object, max_age: timedelta | None = None
    ) -> None:
        """Times are another question."""


def is_signed(message: Message, key: PublicKey, origin: str) -> bool:
    """Whether the library believes that this key signed the message, whatever it covers."""
    request = _Request(message.method, origin + message.target, _Lines(message.headers))
    resolver = MappingKeyResolver(public_keys={key.key_id: key.loaded.material}, private_keys={})
    for choice in ALGORITHMS[key.kind]:
        try:
            _Verifier(signature_algorithm=choice, key_resolver=resolver).verify(
                request, max_age=None
            )
        except HTTPMessageSignaturesException:
            continue
        return True
    return False
