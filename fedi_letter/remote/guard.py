"""Which addresses and urls may be called at all: no stranger may aim us at our own network.

Pure: it opens nothing and resolves nothing, and must not know what is being fetched or why.

1. Only global unicast addresses are called. Everything that loops back, is private, shared,
   reserved or multicast is refused, and so is everything that carries an IPv4 address inside an
   IPv6 one: the outer address looks harmless while a translator delivers to the inner one (T54).
2. A name proves nothing: it may resolve to any address, and to another one a second later. The
   transport therefore asks `refuse_address` about the very address it connects to (interop C11).
3. A url is refused when two parsers could disagree about its host.
"""

import ipaddress
import re
from enum import StrEnum
from functools import lru_cache
from urllib.parse import urlsplit

from fedi_letter.activitypub.uris import origin_of

MAX_URL_CHARACTERS = 2048

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class GuardReason(StrEnum):
    """Why nothing is sent there."""

    ODD_URL = "odd-url"
    NOT_HTTPS = "not-https"
    LOCAL_NAME = "local-name"
    UNSPECIFIED = "unspecified-address"
    LOOPBACK = "loopback-address"
    PRIVATE = "private-address"
    SHARED = "shared-address"
    LINK_LOCAL = "link-local-address"
    MULTICAST = "multicast-address"
    EMBEDS_IPV4 = "address-embedding-ipv4"
    RESERVED = "reserved-address"


class GuardRefused(Exception):
    """The guard forbids this url or address; `reason` says why, `detail` names it."""

    def __init__(self, reason: GuardReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


# Written out, though `ipaddress` knows most of it: its idea of "global" has changed between Python
# releases, and this list is the one the tests hold. The first network that matches decides.
_REFUSED: tuple[tuple[GuardReason, tuple[str, ...]], ...] = (
    (GuardReason.UNSPECIFIED, ("0.0.0.0/8", "::/128")),
    (GuardReason.LOOPBACK, ("127.0.0.0/8", "::1/128")),
    (GuardReason.PRIVATE, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")),
    (GuardReason.SHARED, ("100.64.0.0/10",)),
    (GuardReason.LINK_LOCAL, ("169.254.0.0/16", "fe80::/10", "fec0::/10")),
    (GuardReason.MULTICAST, ("224.0.0.0/4", "ff00::/8")),
    (
        GuardReason.EMBEDS_IPV4,
        (
            "::ffff:0:0/96",  # v4-mapped
            "::ffff:0:0:0/96",  # v4-translated (SIIT)
            "::/96",  # v4-compatible
            "64:ff9b::/96",  # NAT64
            "64:ff9b:1::/48",  # NAT64 of a private network
            "2001::/32",  # Teredo
            "2002::/16",  # 6to4
        ),
    ),
    (
        GuardReason.RESERVED,
        (
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "198.51.100.0/24",
            "203.0.113.0/24",
            "2001:db8::/32",
            "3fff::/20",
            "192.88.99.0/24",  # 6to4 relays
            "198.18.0.0/15",  # benchmarks
            "240.0.0.0/4",  # future use, and broadcast
            "2001::/23",  # protocol assignments
            "5f00::/16",  # segment routing
            "100::/64",  # discard
        ),
    ),
)
_REFUSED_NETWORKS: tuple[tuple[GuardReason, _Network], ...] = tuple(
    (reason, ipaddress.ip_network(network)) for reason, networks in _REFUSED for network in networks
)
# All of IPv6 that was ever handed out for use in public lies in here.
_GLOBAL_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")

# No spaces, control signs, backslashes, quotes or signs beyond ASCII: on those, parsers disagree.
# What numbers may pose as an address is `origin_of`'s to refuse.
_PLAIN_URL = re.compile(r"https?://[!#-;=?-\[\]_a-z~]+")
# Names that mean "near me" whatever the resolver says.
_LOCAL_SUFFIXES = (".localhost", ".local", ".internal", ".home.arpa")


def refuse_address(address: str | IPAddress) -> GuardReason | None:
    """Why this address must not be connected to, or None for a public one (interop C11, T54).

    Text that is no address at all is refused too. An IPv6 zone (`fe80::1%eth0`) is understood.

    >>> refuse_address("127.0.0.1")
    <GuardReason.LOOPBACK: 'loopback-address'>
    >>> refuse_address("::ffff:127.0.0.1")
    <GuardReason.EMBEDS_IPV4: 'address-embedding-ipv4'>
    >>> refuse_address("1.1.1.1") is None
    True
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return GuardReason.RESERVED
    for reason, network in _REFUSED_NETWORKS:
        if ip.version == network.version and ip in network:
            return reason
    if not ip.is_global or (ip.version == 6 and ip not in _GLOBAL_UNICAST_V6):
        return GuardReason.RESERVED
    return None


# A wave is first expected and then sent.
@lru_cache(maxsize=4096)
def refuse_url(url: str, *, allow_private: bool) -> GuardReason | None:
    """Why no request may be sent to this url, or None (interop C11, C12, T47, T53).

    Only plain absolute https urls pass, with any port and without userinfo. With `allow_private`
    (laboratory only) http and local hosts pass as well; odd urls never do.

    >>> refuse_url("http://far.example/actor", allow_private=False)
    <GuardReason.NOT_HTTPS: 'not-https'>
    >>> refuse_url("https://127.0.0.1/actor", allow_private=False)
    <GuardReason.LOOPBACK: 'loopback-address'>
    >>> refuse_url("https://far.example:8443/actor", allow_private=False) is None
    True
    """
    origin = (
        origin_of(url) if len(url) <= MAX_URL_CHARACTERS and _PLAIN_URL.fullmatch(url) else None
    )
    if origin is None:
        return GuardReason.ODD_URL
    parts = urlsplit(origin)
    if parts.scheme != "https" and not allow_private:
        return GuardReason.NOT_HTTPS
    return None if allow_private else _refuse_host(parts.hostname or "")


def _refuse_host(host: str) -> GuardReason | None:
    try:
        return refuse_address(ipaddress.ip_address(host))
    except ValueError:
        is_local = "." not in host or host.endswith(_LOCAL_SUFFIXES)
    return GuardReason.LOCAL_NAME if is_local else None
