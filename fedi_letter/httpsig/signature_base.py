"""What an RFC 9421 signature signs, rebuilt from a request that came to us (§2.5).

Narrower than the RFC where nobody on the fediverse goes: no component has parameters (`;sf`,
`;key`, `;req` …), and responses are not read. What is left is read as strictly as
`http-message-signatures` reads it, which the tests hold against this; it is here because that
library takes ten times as long as the signature's own mathematics.

Knows no keys and no policy: `rfc9421` asks whether anybody signed these bytes.
"""

import re

from fedi_letter.httpsig.address import address_of
from fedi_letter.httpsig.message import Message
from fedi_letter.httpsig.refusal import Refusal, SignatureRefused
from fedi_letter.httpsig.statement import Statement

# RFC 3986 §3.3 and §3.4: what a request line may say, and no `#`.
_CHARS = r"A-Za-z0-9._~!$&'()*+,;=:@/\-"
_ESCAPED = r"%[0-9A-Fa-f]{2}"
_TARGET = re.compile(rf"/(?:[{_CHARS}]|{_ESCAPED})*(?:\?(?:[{_CHARS}?]|{_ESCAPED})*)?")
_METHOD = re.compile(r"[!-~]+")
_FIELD = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_DERIVED = frozenset({"@method", "@target-uri", "@authority", "@scheme", "@request-target"})
_DERIVED |= {"@path", "@query"}


def signature_base(statement: Statement, message: Message, origin: str) -> bytes:
    """The lines that are signed (§2.5); the target lies under `origin`, whatever `Host` says.

    Raises SignatureRefused(signature-mismatch) for what has no signature base: a component that
    is repeated, unknown, parametrised or not in the message, and values no line can hold.
    """
    covered = statement.covered
    if len(set(covered)) != len(covered):
        raise _mismatch("a component is covered twice")
    if not _TARGET.fullmatch(message.target) or not _METHOD.fullmatch(message.method):
        raise _mismatch("the target is no url")
    lines = [f'"{name}": {_value(name, message, origin)}' for name in covered]
    lines.append(f'"@signature-params": {statement.parameters}')
    try:
        return "\n".join(lines).encode("ascii")
    except UnicodeEncodeError:
        raise _mismatch("a covered value beyond ASCII") from None


def _value(name: str, message: Message, origin: str) -> str:
    return _derived(name, message, origin) if name in _DERIVED else _field(name, message)


def _derived(name: str, message: Message, origin: str) -> str:
    """§2.2; the target is never decoded or tidied up: other bytes are another target."""
    target = message.target
    path, _, query = target.partition("?")
    match name:
        case "@method":
            return message.method
        case "@target-uri":
            return origin + target
        case "@request-target":
            return target
        case "@path":
            return path
        case "@query":
            return "?" + query
        case "@scheme":
            return address_of(origin).scheme
        case _:
            return address_of(origin).authority


def _field(name: str, message: Message) -> str:
    """§2.1; the lines of one field joined, which §2.1 forbids for Set-Cookie alone."""
    values = message.values(name)
    if not values or not _FIELD.fullmatch(name) or (name == "set-cookie" and len(values) > 1):
        raise _mismatch("a covered component is not there or cannot be read")
    value = ", ".join(values)
    if not value.replace("\t", " ").isprintable():
        # a line break would begin a line of its own, which nobody signed
        raise _mismatch("a control character in a covered value")
    return value


def _mismatch(detail: str) -> SignatureRefused:
    return SignatureRefused(Refusal.SIGNATURE_MISMATCH, detail)
