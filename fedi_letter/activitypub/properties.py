"""Single properties of untrusted JSON, each bounded and cleaned; nothing here raises.

ActivityStreams lets every property be missing, a value, an object or a list; these functions know
that and nothing else.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from fedi_letter.activitypub.uris import origin_of

MOST_MEMBERS: Final = 1_000
_LONGEST_ID: Final = 2_048
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}")
_UNFIT = re.compile(r"[\x00-\x20\x7f]")
_QUOTE_PROPERTIES: Final = ("quote", "quoteUrl", "quoteUri", "_misskey_quote")


def identifier(value: Any) -> str | None:
    """Answer a non-empty string fit to be an id: no spaces, no control characters, <= 2,048."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID:
        return None
    return None if _UNFIT.search(value) else value


def members(value: Any) -> tuple[str | Mapping[str, Any], ...]:
    """Answer the strings and objects in a property, whether single or listed; at most 1,000."""
    listed = value[:MOST_MEMBERS] if isinstance(value, list) else (value,)
    return tuple(member for member in listed if isinstance(member, str | Mapping))


def mappings(value: Any) -> tuple[Mapping[str, Any], ...]:
    """Answer only the embedded objects of a property."""
    return tuple(member for member in members(value) if isinstance(member, Mapping))


def references(value: Any) -> tuple[str, ...]:
    """Answer the ids in a property given as strings or `{id}`, single or listed."""
    found = (
        identifier(member if isinstance(member, str) else member.get("id"))
        for member in members(value)
    )
    return tuple(uri for uri in found if uri is not None)


def reference(value: Any) -> str | None:
    """Answer the first id in a property, or None.

    >>> reference([{"id": "https://a.example/1"}])
    'https://a.example/1'
    """
    return next(iter(references(value)), None)


def known(value: Any, words: frozenset[str]) -> str | None:
    """Answer the first type among `words`, else the first type at all, else None."""
    types = [member for member in members(value) if isinstance(member, str) and member]
    return next((word for word in types if word in words), types[0][:200] if types else None)


def text(value: Any, longest: int) -> str | None:
    """Answer a string cut to `longest` characters and without NUL, which no database keeps."""
    return value[:longest].replace("\x00", "") if isinstance(value, str) else None


def instant(value: Any) -> datetime | None:
    """Answer an ISO 8601 instant in UTC, or None; without a zone it is taken for UTC."""
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        read = datetime.fromisoformat(value)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def endpoint(value: Any) -> str | None:
    """Answer a URL one may post to, or None."""
    uri = reference(value)
    return uri if uri is not None and origin_of(uri) is not None else None


def page(value: Any) -> str | None:
    """Answer the first http(s) address for people: a string, or a Link with `href`."""
    for member in members(value):
        href = identifier(member if isinstance(member, str) else member.get("href"))
        if href is not None and origin_of(href) is not None:
            return href
    return None


def spoken(document: Mapping[str, Any], longest: int) -> tuple[str | None, str]:
    """Answer language and content: `contentMap`'s first entry names the language, if any does."""
    content = text(document.get("content"), longest)
    by_language = document.get("contentMap")
    first = next(iter(by_language.items()), None) if isinstance(by_language, Mapping) else None
    if first is None:
        return _language(document.get("language")), content or ""
    return _language(first[0]), content or text(first[1], longest) or ""


def hrefs(tags: tuple[Mapping[str, Any], ...], type_: str) -> tuple[str, ...]:
    """Answer where the tags of one type point."""
    found = (identifier(tag.get("href")) for tag in tags if tag.get("type") == type_)
    return tuple(href for href in found if href is not None)


def quotes(document: Mapping[str, Any], tags: tuple[Mapping[str, Any], ...]) -> tuple[str, ...]:
    """Answer what a post quotes, in five dialects (FEP-044f, FEP-e232, Misskey, Fedibird)."""
    named = [uri for key in _QUOTE_PROPERTIES for uri in references(document.get(key))]
    linked = [
        href
        for tag in tags
        if str(tag.get("mediaType", "")).startswith(
            ("application/activity+json", "application/ld+json")
        )
        for href in hrefs((tag,), "Link")
    ]
    return tuple(dict.fromkeys((*named, *linked)))


def _language(value: Any) -> str | None:
    """Answer a language tag (BCP 47) that says something, or None."""
    if not isinstance(value, str) or not _LANGUAGE.fullmatch(value) or value.lower() == "und":
        return None
    return value
