"""How we are found: WebFinger, host-meta and NodeInfo documents.

Must not know HTTP; a missing parameter is the web's answer to give.
"""

from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from fedi_letter.activitypub.uris import INSTANCE_USERNAME, Uris
from fedi_letter.activitypub.vocabulary import ACTIVITY_JSON, ACTIVITYSTREAMS, JRD_JSON

PROFILE_PAGE: Final = "http://webfinger.net/rel/profile-page"
NODEINFO_VERSIONS: Final = ("2.1", "2.0")
_NODEINFO_SCHEMA: Final = "http://nodeinfo.diaspora.software/ns/schema/"


def jrd(uris: Uris, resource: str) -> dict[str, Any] | None:
    """Answer the WebFinger document for a resource, or None when it is not ours (RFC 7033 §4.4).

    Known are `acct:` in any case, the actors' ids, the profile page, and the origin itself, which
    stands for the server's own actor (FEP-d556).
    """
    name = _account(uris, resource)
    if name == uris.username or resource in (uris.actor, uris.profile):
        return _letter_jrd(uris)
    if name == INSTANCE_USERNAME or resource == uris.instance_actor:
        return _instance_jrd(uris, f"acct:{INSTANCE_USERNAME}@{uris.host}")
    if resource in (uris.page, uris.origin):
        return _instance_jrd(uris, uris.page)
    return None


def host_meta_xml(uris: Uris) -> str:
    """Answer the XRD that says where WebFinger is (RFC 6415 §3), asked after a 404."""
    template = quoteattr(_webfinger_template(uris))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">\n'
        f'  <Link rel="lrdd" type="{JRD_JSON}" template={template}/>\n'
        "</XRD>\n"
    )


def host_meta_json(uris: Uris) -> dict[str, Any]:
    """Answer the same as JSON (RFC 6415 appendix A)."""
    return {"links": [{"rel": "lrdd", "type": JRD_JSON, "template": _webfinger_template(uris)}]}


def nodeinfo_index(uris: Uris) -> dict[str, Any]:
    """Answer where NodeInfo is, and the server's own actor (FEP-f1d5, FEP-2677)."""
    links = [
        {"rel": _NODEINFO_SCHEMA + version, "href": f"{uris.origin}/nodeinfo/{version}"}
        for version in NODEINFO_VERSIONS
    ]
    application = {"rel": f"{ACTIVITYSTREAMS}#Application", "href": uris.instance_actor}
    return {"links": [*links, application]}


def nodeinfo(
    version: str,
    *,
    software_version: str,
    local_posts: int,
    active_users: int = 1,
    metadata: Mapping[str, Any] | None = None,
) -> dict[str, Any] | None:
    """Answer the NodeInfo document of one version, `2.0` or `2.1`; None for any other."""
    if version not in NODEINFO_VERSIONS:
        return None
    return {
        "version": version,
        "software": {"name": "fedi-letter", "version": software_version},
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": ["atom1.0"]},
        "openRegistrations": False,
        "usage": {
            "users": {"total": 1, "activeMonth": active_users, "activeHalfyear": active_users},
            "localPosts": local_posts,
            "localComments": 0,
        },
        "metadata": dict(metadata or {}),
    }


def nodeinfo_type(version: str) -> str:
    """Answer the media type of a NodeInfo document, whose profile names the schema."""
    return f'application/json; profile="{_NODEINFO_SCHEMA}{version}#"; charset=utf-8'


def _account(uris: Uris, resource: str) -> str | None:
    """Answer the user part of `acct:user@host`, in any case, when the host is ours."""
    scheme, colon, rest = resource.partition(":")
    address = rest if colon and scheme.lower() == "acct" else resource
    user, at, host = address.removeprefix("@").rpartition("@")
    return user.lower() if at and host.lower() == uris.host else None


def _letter_jrd(uris: Uris) -> dict[str, Any]:
    """Answer the document of the letter's actor."""
    return {
        "subject": f"acct:{uris.username}@{uris.host}",
        "aliases": [uris.profile, uris.actor],
        "links": [
            {"rel": PROFILE_PAGE, "type": "text/html", "href": uris.profile},
            # Peers compare the type as a string: a charset here would break discovery.
            {"rel": "self", "type": ACTIVITY_JSON, "href": uris.actor},
        ],
    }


def _instance_jrd(uris: Uris, subject: str) -> dict[str, Any]:
    """Answer the document of the server's own actor."""
    rels = ("self", f"{ACTIVITYSTREAMS}#Service")
    return {
        "subject": subject,
        "aliases": [uris.instance_actor],
        "links": [{"rel": rel, "type": ACTIVITY_JSON, "href": uris.instance_actor} for rel in rels],
    }


def _webfinger_template(uris: Uris) -> str:
    """Answer the URI template of our WebFinger endpoint."""
    return f"{uris.origin}/.well-known/webfinger?resource={{uri}}"
