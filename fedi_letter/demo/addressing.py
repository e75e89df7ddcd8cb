"""To whom each kind of server addresses a post or a boost, for each visibility (AP §5.6, §6).

Knows spellings and order only; no people, no keys.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from fedi_letter.demo.wire import PUBLIC


class Visibility(StrEnum):
    """The four audiences a fediverse post can have."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    FOLLOWERS = "followers"
    DIRECT = "direct"


@dataclass(frozen=True)
class Audience:
    """Whom a post is for: its visibility, the author's followers, the people named."""

    visibility: Visibility
    followers: str
    people: tuple[str, ...]


Addressed = tuple[list[str], list[str]]
"""The `to` and the `cc`."""
Addressing = Callable[[Audience], Addressed]


def usual(audience: Audience) -> Addressed:
    """As Mastodon, Misskey, Pleroma, WordPress and Ghost address posts, and most of them boosts.

    >>> usual(Audience(Visibility.DIRECT, "https://a/followers", ("https://b/ada",)))
    (['https://b/ada'], [])
    """
    people = list(audience.people)
    match audience.visibility:
        case Visibility.PUBLIC:
            return [PUBLIC], [audience.followers, *people]
        case Visibility.UNLISTED:
            return [audience.followers], [PUBLIC, *people]
        case Visibility.FOLLOWERS:
            return [audience.followers], people
        case Visibility.DIRECT:
            return people, []


def takahe(audience: Audience) -> Addressed:
    """`as:Public`, and followers are not named in a public post (seen 2026-11-22)."""
    people = list(audience.people)
    match audience.visibility:
        case Visibility.PUBLIC:
            return ["as:Public"], people
        case Visibility.UNLISTED:
            return [], ["as:Public", *people]
        case Visibility.FOLLOWERS:
            return [audience.followers], people
        case Visibility.DIRECT:
            return people, []


def takahe_boost(audience: Audience) -> Addressed:
    """Public and nobody else (seen 2026-11-22)."""
    to, cc = takahe(audience)
    return to, [uri for uri in cc if uri not in audience.people]


def hollo(audience: Audience) -> Addressed:
    """Those mentioned stand beside Public in `to` (seen 2026-11-22)."""
    to, cc = usual(audience)
    named = [uri for uri in audience.people if uri not in to]
    public_reply = audience.visibility is Visibility.PUBLIC and named
    rest = [] if public_reply else [uri for uri in cc if uri not in named]
    return to + named, rest


def gotosocial_boost(audience: Audience) -> Addressed:
    """A public boost goes to the followers, with Public in `cc` (seen 2026-11-22)."""
    if audience.visibility is Visibility.PUBLIC:
        return [audience.followers], [*audience.people, PUBLIC]
    return usual(audience)


def pleroma_boost(audience: Audience) -> Addressed:
    """Everybody stands in `to`; there is no `cc`."""
    to, cc = usual(audience)
    return [*cc, *to], []
