"""What a url becomes on the wire: the Host header and the request target.

Knows nothing of DNS or of which hosts may be called.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from fedi_letter.httpsig.refusal import Refusal, SignatureRefused

_DEFAULT_PORTS = {"http": 80, "https": 443}
# urlsplit drops tabs and line breaks in silence: what would be signed were not what is sent.
_SENDABLE_URL = re.compile(r"https?://[!-~]+")


@dataclass(frozen=True, slots=True)
class Address:
    """`authority` is lower-case and carries the port only when it is not the scheme's own."""

    scheme: str
    authority: str
    target: str


def address_of(url: str) -> Address:
    """Where a request for this url goes; the fragment is not sent.

    Refuses with `malformed-target` what no request line can say: other schemes than http(s),
    blanks and controls, letters beyond ASCII, user names, ports that are none.

    >>> address_of("https://Far.example:443/inbox?page=1#top")
    Address(scheme='https', authority='far.example', target='/inbox?page=1')
    """
    if not _SENDABLE_URL.fullmatch(url):
        raise SignatureRefused(Refusal.MALFORMED_TARGET, "not a plain http(s) url")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise SignatureRefused(Refusal.MALFORMED_TARGET, "host or port of a url is none") from None
    if not host or "@" in parts.netloc or "\\" in url:
        raise SignatureRefused(Refusal.MALFORMED_TARGET, "no plain host in a url")
    if ":" in host:
        host = f"[{host}]"
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        host = f"{host}:{port}"
    query = url.partition("#")[0].partition("?")
    return Address(parts.scheme, host, (parts.path or "/") + query[1] + query[2])


@lru_cache(maxsize=16)
def own_authorities(origin: str) -> frozenset[str]:
    """The Host values that mean us: our authority, with and without the scheme's default port.

    >>> sorted(own_authorities("https://letter.example"))
    ['letter.example', 'letter.example:443']
    """
    address = address_of(origin)
    with_default = f"{address.authority}:{_DEFAULT_PORTS[address.scheme]}"
    bare = re.sub(r"^\[[^]]*\]", "", address.authority)
    return frozenset({address.authority} if ":" in bare else {address.authority, with_default})
