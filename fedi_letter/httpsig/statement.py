"""What a signature says of itself, in one form for both schemes: the ground the policy stands on.

Knows neither syntax nor keys; `cavage` and `rfc9421` fill it in.
"""

from typing import NamedTuple


class Statement(NamedTuple):
    """One signature, parsed and not yet believed.

    `covered` are the signed components in order: lower-case header names, and `(request-target)`
    or `@method` and their like. `created` is the *signed* time of signing in seconds since 1970,
    kept as the text that was signed; `expires` likewise, signed or not, since it can only shorten.
    """

    key_id: str
    algorithm: str | None
    covered: tuple[str, ...]
    created: str | None
    expires: str | None
    signature: bytes
    parameters: str = ""
    """RFC 9421: what `"@signature-params"` says, which is signed with the components."""
