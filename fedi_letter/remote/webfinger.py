"""From a handle to the url to ask, and from the answer to the actor: WebFinger without the network.

Values in, values out; what is wrong is a `HandleUnusable` with a sentence. It must not know who
asks.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fedi_letter.activitypub.uris import host_of, origin_of
from fedi_letter.activitypub.vocabulary import ACTIVITY_JSON, JRD_JSON, LD_JSON

ACCEPT_JRD = f"{JRD_JSON}, application/json"
_MOST_LINKS = 100
# The grammar of Mastodon's usernames (interop A2); the host is judged as part of the url.
_HANDLE = re.compile(r"@?(?P<name>\w+(?:[.-]+\w+)*)@(?P<host>[^@\s/?#\\]+)", re.ASCII)
_ACTOR_TYPES = frozenset({ACTIVITY_JSON, LD_JSON})


class HandleUnusable(Exception):
    """The text is no handle, or what its server answered names no actor of it."""


def split_handle(handle: str) -> tuple[str, str]:
    """Answer (username, punycode host with its port) of `@user@host`; raises HandleUnusable.

    >>> split_handle("@Ada@Far.Example:8443")
    ('Ada', 'far.example:8443')
    """
    match = _HANDLE.fullmatch(handle.strip())
    origin = match and origin_of(f"https://{match['host']}")
    if match is None or origin is None:
        raise HandleUnusable(f"{handle[:100]!r} is not a handle; write it as @name@host")
    return match["name"], host_of(origin)


def question(handle: str, scheme: str) -> str:
    """Answer the url that tells about the handle (RFC 7033 §4); raises HandleUnusable.

    >>> question("@ada@far.example", "https")
    'https://far.example/.well-known/webfinger?resource=acct:ada@far.example'
    """
    name, host = split_handle(handle)
    resource = quote(f"acct:{name}@{host}", safe=":@")
    return f"{scheme}://{host}/.well-known/webfinger?resource={resource}"


def actor_in(document: Mapping[str, Any], handle: str) -> str:
    """Answer the actor id in a JRD about `handle` (RFC 7033 §4.4); raises HandleUnusable.

    The account must bear the asked name, and either it or the actor must be on the host that was
    asked: a handle may live on another name than its actor (interop A2), but a host that owns
    neither has nothing to say. Whether the actor answers to the handle, its own document tells.
    """
    name, host = split_handle(handle)
    subject_name, subject_host = _subject(document)
    actor = _self_link(document)
    owns_either = host in (subject_host, host_of(actor))
    if subject_name.lower() != name.lower() or not owns_either:
        raise HandleUnusable(f"the answer is about @{subject_name}@{subject_host}")
    return actor


def _subject(document: Mapping[str, Any]) -> tuple[str, str]:
    subject = document.get("subject")
    if not isinstance(subject, str) or not subject.startswith("acct:"):
        raise HandleUnusable("the answer does not say which account it is about")
    return split_handle(subject.removeprefix("acct:"))


def _self_link(document: Mapping[str, Any]) -> str:
    links = document.get("links")
    for link in links[:_MOST_LINKS] if isinstance(links, list) else ():
        if not isinstance(link, dict) or link.get("rel") != "self":
            continue
        href = link.get("href")
        is_usable = isinstance(href, str) and origin_of(href) is not None
        if is_usable and link.get("type") in _ACTOR_TYPES:
            return str(href)
    raise HandleUnusable("the answer names no actor")
