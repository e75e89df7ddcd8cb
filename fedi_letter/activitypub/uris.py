"""Our own ids: minted here and parsed here, exact inverses; and the origin of anybody's id.

Must not know what is stored under an id nor how it is served.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address

INSTANCE_USERNAME = "instance.actor"

_USERNAME = re.compile(r"[a-z0-9_]+(?:[.-]+[a-z0-9_]+)*")
_IDENTIFIER = re.compile(r"[0-9A-Za-z]+")
_NUMBER = re.compile(r"[1-9][0-9]{0,9}")
_UNSAFE = re.compile(r"[\x00-\x20\\\x7f]")
_URI = re.compile(r"(https?)://([^/?#]*)(?:[/?#].*)?", re.IGNORECASE | re.DOTALL)
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_LONGEST_URI = 4096


class OddUri(ValueError):
    """A URI without an origin we are willing to reason about."""


class PlaceKind(StrEnum):
    """What one of our URIs names."""

    ACTOR = "actor"
    KEY = "key"
    INBOX = "inbox"
    OUTBOX = "outbox"
    FOLLOWERS = "followers"
    FOLLOWING = "following"
    FEATURED = "featured"
    SHARED_INBOX = "shared-inbox"
    INSTANCE_ACTOR = "instance-actor"
    INSTANCE_KEY = "instance-key"
    INSTANCE_INBOX = "instance-inbox"
    INSTANCE_OUTBOX = "instance-outbox"
    INSTANCE_FOLLOWERS = "instance-followers"
    INSTANCE_FOLLOWING = "instance-following"
    LETTER = "letter"
    PAGE = "page"
    PROFILE = "profile"
    LETTER_REPLIES = "letter-replies"
    LETTER_LIKES = "letter-likes"
    LETTER_SHARES = "letter-shares"
    REVISION = "revision"
    UPDATE = "update"
    UPDATE_REPLIES = "update-replies"
    UPDATE_LIKES = "update-likes"
    UPDATE_SHARES = "update-shares"
    ACTIVITY = "activity"
    STAMP = "stamp"


@dataclass(frozen=True)
class Place:
    """One place of ours; `id` is the ULID of an update, activity or stamp, or a revision number."""

    kind: PlaceKind
    id: str | None = None


_WITH_ID: tuple[tuple[PlaceKind, str, re.Pattern[str]], ...] = (
    (PlaceKind.REVISION, "/letters/{username}/revisions/{id}", _NUMBER),
    (PlaceKind.UPDATE, "/updates/{id}", _IDENTIFIER),
    (PlaceKind.UPDATE_REPLIES, "/updates/{id}/replies", _IDENTIFIER),
    (PlaceKind.UPDATE_LIKES, "/updates/{id}/likes", _IDENTIFIER),
    (PlaceKind.UPDATE_SHARES, "/updates/{id}/shares", _IDENTIFIER),
    (PlaceKind.ACTIVITY, "/activities/{id}", _IDENTIFIER),
    (PlaceKind.STAMP, "/stamps/{id}", _IDENTIFIER),
)

_WITHOUT_ID: dict[PlaceKind, str] = {
    PlaceKind.ACTOR: "/actors/{username}",
    PlaceKind.KEY: "/actors/{username}#main-key",
    PlaceKind.INBOX: "/actors/{username}/inbox",
    PlaceKind.OUTBOX: "/actors/{username}/outbox",
    PlaceKind.FOLLOWERS: "/actors/{username}/followers",
    PlaceKind.FOLLOWING: "/actors/{username}/following",
    PlaceKind.FEATURED: "/actors/{username}/featured",
    PlaceKind.SHARED_INBOX: "/inbox",
    PlaceKind.INSTANCE_ACTOR: f"/actors/{INSTANCE_USERNAME}",
    PlaceKind.INSTANCE_KEY: f"/actors/{INSTANCE_USERNAME}#main-key",
    PlaceKind.INSTANCE_INBOX: f"/actors/{INSTANCE_USERNAME}/inbox",
    PlaceKind.INSTANCE_OUTBOX: f"/actors/{INSTANCE_USERNAME}/outbox",
    PlaceKind.INSTANCE_FOLLOWERS: f"/actors/{INSTANCE_USERNAME}/followers",
    PlaceKind.INSTANCE_FOLLOWING: f"/actors/{INSTANCE_USERNAME}/following",
    PlaceKind.LETTER: "/letters/{username}",
    PlaceKind.LETTER_REPLIES: "/letters/{username}/replies",
    PlaceKind.LETTER_LIKES: "/letters/{username}/likes",
    PlaceKind.LETTER_SHARES: "/letters/{username}/shares",
    PlaceKind.PAGE: "/",
    PlaceKind.PROFILE: "/@{username}",
}


@dataclass(frozen=True)
class Uris:
    """Every URI of one letter at one origin; `ValueError` when origin or username is unfit."""

    origin: str
    username: str

    def __post_init__(self) -> None:
        """Refuse what could never be minted and parsed back."""
        if origin_of(self.origin) != self.origin:
            raise ValueError(
                f"origin {self.origin!r} must be scheme://host[:port], lower case, without a path"
            )
        if not _USERNAME.fullmatch(self.username) or self.username == INSTANCE_USERNAME:
            raise ValueError(
                f"username {self.username!r} must be like letter or open-letter.2: a-z 0-9 _ . -"
            )

    def mint(self, place: Place) -> str:
        """Answer the URI of a place; `ValueError` when its id has a shape we never give out."""
        plain = _WITHOUT_ID.get(place.kind)
        if plain is not None and place.id is None:
            return self.origin + plain.format(username=self.username)
        for kind, template, shape in _WITH_ID:
            if kind is place.kind and place.id is not None and shape.fullmatch(place.id):
                return self.origin + template.format(username=self.username, id=place.id)
        raise ValueError(f"no uri for {place}")

    def parse(self, uri: str) -> Place | None:
        """Answer what one of our URIs names, or None when it is not one we mint.

        >>> Uris("https://letter.example", "letter").parse("https://letter.example/updates/01J")
        Place(kind=<PlaceKind.UPDATE: 'update'>, id='01J')
        """
        if not uri.startswith(self.origin + "/"):
            return None
        path = uri[len(self.origin) :]
        known = _known_paths(self.username).get(path)
        if known is not None:
            return Place(known)
        for kind, template, shape in _WITH_ID:
            before, _, after = template.format(username=self.username, id="\n").partition("\n")
            middle = path.removeprefix(before).removesuffix(after)
            if path == before + middle + after and shape.fullmatch(middle):
                return Place(kind, middle)
        return None

    @property
    def host(self) -> str:
        """The authority, with the port when it is not the scheme's default."""
        return self.origin.partition("://")[2]

    @property
    def handle(self) -> str:
        """`@letter@host`, as people type it."""
        return f"@{self.username}@{self.host}"

    @property
    def actor(self) -> str:
        """The id of the letter's actor."""
        return self.mint(Place(PlaceKind.ACTOR))

    @property
    def key_id(self) -> str:
        """The id of the letter actor's key."""
        return self.mint(Place(PlaceKind.KEY))

    @property
    def inbox(self) -> str:
        """The letter actor's own inbox."""
        return self.mint(Place(PlaceKind.INBOX))

    @property
    def shared_inbox(self) -> str:
        """The inbox of the whole server."""
        return self.mint(Place(PlaceKind.SHARED_INBOX))

    @property
    def outbox(self) -> str:
        """The letter actor's outbox."""
        return self.mint(Place(PlaceKind.OUTBOX))

    @property
    def followers(self) -> str:
        """The letter actor's followers collection."""
        return self.mint(Place(PlaceKind.FOLLOWERS))

    @property
    def following(self) -> str:
        """The letter actor's following collection."""
        return self.mint(Place(PlaceKind.FOLLOWING))

    @property
    def featured(self) -> str:
        """The letter actor's pinned objects."""
        return self.mint(Place(PlaceKind.FEATURED))

    @property
    def instance_actor(self) -> str:
        """The id of the Application that signs our GETs."""
        return self.mint(Place(PlaceKind.INSTANCE_ACTOR))

    @property
    def instance_key_id(self) -> str:
        """The id of the instance actor's key."""
        return self.mint(Place(PlaceKind.INSTANCE_KEY))

    @property
    def instance_inbox(self) -> str:
        """The instance actor's inbox."""
        return self.mint(Place(PlaceKind.INSTANCE_INBOX))

    @property
    def letter(self) -> str:
        """The id of the letter object."""
        return self.mint(Place(PlaceKind.LETTER))

    @property
    def page(self) -> str:
        """The human page of the letter."""
        return self.mint(Place(PlaceKind.PAGE))

    @property
    def profile(self) -> str:
        """The human page of the actor."""
        return self.mint(Place(PlaceKind.PROFILE))

    def update(self, id: str) -> str:
        """The id of one update to the followers."""
        return self.mint(Place(PlaceKind.UPDATE, id))

    def activity(self, id: str) -> str:
        """The id of one activity of ours."""
        return self.mint(Place(PlaceKind.ACTIVITY, id))

    def stamp(self, id: str) -> str:
        """The id of one permission to quote (FEP-044f)."""
        return self.mint(Place(PlaceKind.STAMP, id))

    def revision(self, number: int) -> str:
        """The page of the n-th published text of the letter."""
        return self.mint(Place(PlaceKind.REVISION, str(number)))

    def replies(self, object_uri: str) -> str:
        """The replies collection of the letter or of an update."""
        return f"{object_uri}/replies"

    def likes(self, object_uri: str) -> str:
        """The likes collection of the letter or of an update."""
        return f"{object_uri}/likes"

    def shares(self, object_uri: str) -> str:
        """The shares collection of the letter or of an update."""
        return f"{object_uri}/shares"


@lru_cache(maxsize=16)
def _known_paths(username: str) -> dict[str, PlaceKind]:
    """Answer the paths that carry no id, each with what it names."""
    return {path.format(username=username): kind for kind, path in _WITHOUT_ID.items()}


@lru_cache(maxsize=4096)
def origin_of(uri: str) -> str | None:
    """Answer scheme, punycode host and port of an http(s) URI, or None for anything odd.

    Two URIs belong together only when this is equal for both (FEP-fe34). Refused are user info,
    percent signs, trailing dots, numbers posing as addresses, and hosts that Unicode's mapping
    (UTS-46) would turn into another host.

    >>> origin_of("HTTPS://Example.ORG:443/users/ada")
    'https://example.org'
    >>> origin_of("https://example.org@evil.example/") is None
    True
    """
    if len(uri) > _LONGEST_URI or _UNSAFE.search(uri):
        return None
    matched = _URI.fullmatch(uri)
    if matched is None:
        return None
    scheme = matched[1].lower()
    host, port = _split_port(matched[2])
    host = _canonical_host(host)
    if not host or (port is not None and not (_PORT.fullmatch(port) and int(port) < 65536)):
        return None
    shown = "" if port is None or port == _DEFAULT_PORTS[scheme] else f":{port}"
    return f"{scheme}://{host}{shown}"


def host_of(uri: str) -> str:
    """Answer the punycode host, with its port when not the scheme's default.

    Raises `OddUri` when `origin_of` would answer None.

    >>> host_of("http://127.0.0.1:4001/ada")
    '127.0.0.1:4001'
    """
    origin = origin_of(uri)
    if origin is None:
        raise OddUri(f"no usable host in {uri[:200]!r}; expected http(s)://host/…")
    return origin.partition("://")[2]


def same_origin(a: str, b: str) -> bool:
    """Whether both have one and the same usable origin.

    >>> same_origin("https://a.example/1", "https://a.example./1")
    False
    """
    origin = origin_of(a)
    return origin is not None and origin == origin_of(b)


def _split_port(authority: str) -> tuple[str, str | None]:
    """Part host from port; an empty port stays visible so that it can be refused."""
    bracket = authority.find("]") + 1 if authority.startswith("[") else 0
    host, colon, port = authority[bracket:].partition(":")
    return authority[:bracket] + host, port if colon else None


# The same few thousand hosts are asked about several times for every delivery and every receipt.
@lru_cache(maxsize=4096)
def _canonical_host(host: str) -> str:
    """Answer the host as the network writes it, or an empty string when it is not usable."""
    if "%" in host:  # an escaped letter, or the zone of an address that means something here only
        return ""
    if host.startswith("[") and host.endswith("]"):
        try:
            return f"[{IPv6Address(host[1:-1]).compressed}]"
        except AddressValueError:
            return ""
    labels = [_canonical_label(label) for label in host.lower().split(".")]
    if not all(labels) or len(".".join(labels)) > 253:
        return ""
    # A last label that is a number makes browsers and resolvers read the whole as an IPv4 address.
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(".".join(labels)))
        except AddressValueError:
            return ""
    return ".".join(labels)


def _canonical_label(label: str) -> str:
    """Answer the label in ASCII, or an empty string when it is not stable under mapping."""
    if label.isascii():
        if not _LABEL.fullmatch(label):
            return ""
        return label if not label.startswith("xn--") or _is_punycode(label) else ""
    if not _is_stable(label):
        return ""
    encoded = "xn--" + label.encode("punycode").decode("ascii")
    return encoded if _LABEL.fullmatch(encoded) else ""


def _is_punycode(label: str) -> bool:
    """Whether an ASCII label stands for a stable Unicode label and for nothing else."""
    try:
        decoded = label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, OverflowError):
        return False
    return (
        not decoded.isascii()
        and _is_stable(decoded)
        and (label[4:] == decoded.encode("punycode").decode("ascii"))
    )


def _is_stable(label: str) -> bool:
    """Whether Unicode's compatibility and case mapping leave the label as it is."""
    mapped = unicodedata.normalize("NFKC", label).casefold()
    return (
        mapped == label
        and all(
            character == "-" or unicodedata.category(character)[0] in "LMN" for character in label
        )
        and unicodedata.category(label[0])[0] != "M"
    )
