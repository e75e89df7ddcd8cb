"""What readers of each kind of server see of a post that arrived (interop A8).

Pure. The letter's authors look at this to know how a revision reads elsewhere.
"""

from collections.abc import Mapping
from html import escape
from typing import Any

from fedi_letter.demo.accounts import Entry
from fedi_letter.demo.dialect import Dialect, Reading
from fedi_letter.demo.wire import Document

_READABLE = ("Note", "Article", "Question", "Page", "Event")


def entry_of(dialect: Dialect, post: Document) -> Entry | None:
    """The post as its readers see it; None when this kind of server drops it.

    Mastodon shows an Article's name, summary and link, never its content; GoToSocial and others
    fold the content behind the name.
    """
    kind = str(post.get("type"))
    if kind not in _READABLE:
        return None
    if kind == "Article" and dialect.reads_articles is Reading.NOTHING:
        return None
    linked = kind != "Note" and dialect.reads_articles is Reading.LINK
    return Entry(
        uri=str(post["id"]),
        kind=kind,
        author=str(post.get("attributedTo")),
        title=_text(post, "name"),
        warning=None if linked else _text(post, "summary") or _text(post, "name"),
        html=_link(post) if linked else _text(post, "content") or "",
        language=_language(post),
        url=_url(post),
        updated=post.get("updated"),
        document=post,
    )


def _link(post: Document) -> str:
    parts = (_text(post, "name"), _text(post, "summary"), _url(post))
    title, summary, url = (escape(part or "", quote=False) for part in parts)
    return f'<h2>{title}</h2><p>{summary}</p><p><a href="{url}">{url}</a></p>'


def _text(post: Mapping[str, Any], name: str) -> str | None:
    """The property, or the first of its translations."""
    value = post.get(name)
    if isinstance(value, str) and value:
        return value
    translations = post.get(f"{name}Map")
    if isinstance(translations, dict) and translations:
        return str(next(iter(translations.values())))
    return None


def _language(post: Mapping[str, Any]) -> str | None:
    """As Mastodon guesses it: the first key of the first map there is."""
    for name in ("contentMap", "nameMap", "summaryMap"):
        translations = post.get(name)
        if isinstance(translations, dict) and translations:
            return str(next(iter(translations)))
    return None


def _url(post: Mapping[str, Any]) -> str | None:
    url = post.get("url")
    candidates = url if isinstance(url, list) else [url]
    for candidate in candidates:
        found = candidate.get("href") if isinstance(candidate, dict) else candidate
        if isinstance(found, str):
            return found
    return None
