"""Media types: who wants ActivityPub, and whether an answer is ActivityPub.

Must not know what is being served or fetched.
"""

import re
from dataclasses import dataclass
from typing import Final

from fedi_letter.activitypub.vocabulary import ACTIVITYSTREAMS

_PARAMETER = re.compile(r';\s*([^=;\s]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;,\s]*)')
_RANGE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_LONGEST_HEADER: Final = 2_000


@dataclass(frozen=True)
class _MediaType:
    """One media type or range with its parameters, everything but the profile in lower case."""

    name: str
    profile: str | None
    quality: float


def wants_activity(accept_header: str | None) -> bool:
    """Whether a client prefers ActivityPub to a page (AP §3.2, RFC 9110 §12.5.1).

    Only one of the two ActivityPub types, named outright, says so; a wildcard means a page.
    A tie goes to ActivityPub, since no browser names these types.

    >>> wants_activity("application/activity+json, text/html;q=0.1")
    True
    >>> wants_activity("text/html,application/xhtml+xml,*/*;q=0.8")
    False
    """
    offered = [
        _media_type(part) for part in _RANGE.findall((accept_header or "")[:_LONGEST_HEADER])
    ]
    activity = max((one.quality for one in offered if _is_activity(one)), default=0.0)
    pages = max((one.quality for one in offered if one.name == "text/html"), default=0.0)
    return activity > 0 and activity >= pages


def is_activity_type(content_type: str) -> bool:
    """Whether an answer of this type may be read as ActivityPub (interop T50).

    Plain JSON and JSON-LD without the profile are refused: a file somebody uploaded could be
    served as such. A `charset` other than UTF-8 is refused too.

    >>> is_activity_type("application/activity+json; charset=utf-8")
    True
    >>> is_activity_type("application/ld+json")
    False
    """
    charset = next((v for k, v in _parameters(content_type) if k == "charset"), "utf-8")
    return _is_activity(_media_type(content_type)) and charset.lower() in ("utf-8", "utf8")


def _is_activity(media: _MediaType) -> bool:
    """Whether a type is one of the two of ActivityPub; the profile may be one of several."""
    if media.name == "application/ld+json":
        return ACTIVITYSTREAMS in (media.profile or "").split()
    return media.name == "application/activity+json"


def _media_type(text: str) -> _MediaType:
    """Read one media type; a senseless quality counts as none."""
    parameters = dict(_parameters(text))
    try:
        quality = float(parameters.get("q", "1"))
    except ValueError:
        quality = 0.0
    name = text.partition(";")[0].strip().lower()
    return _MediaType(name, parameters.get("profile"), quality if 0 <= quality <= 1 else 0.0)


def _parameters(text: str) -> list[tuple[str, str]]:
    """Answer the parameters of a media type, unquoted, names in lower case."""
    return [
        (name.lower(), value[1:-1] if value.startswith('"') else value)
        for name, value in _PARAMETER.findall(text[:_LONGEST_HEADER])
    ]
