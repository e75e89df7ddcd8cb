"""How we are found."""

from typing import Any
from xml.etree import ElementTree

import pytest

from fedi_letter.activitypub.discovery import (
    host_meta_json,
    host_meta_xml,
    jrd,
    nodeinfo,
    nodeinfo_index,
    nodeinfo_type,
)
from fedi_letter.activitypub.uris import Uris

URIS = Uris("https://letter.example:8443", "letter")


def link(document: dict[str, Any], rel: str) -> dict[str, Any]:
    """The one link of a relation."""
    (found,) = (one for one in document["links"] if one["rel"] == rel)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    "resource",
    [
        "acct:letter@letter.example:8443",
        "acct:LETTER@LETTER.example:8443",
        "ACCT:letter@letter.example:8443",
        "acct:@letter@letter.example:8443",
        "letter@letter.example:8443",
        "https://letter.example:8443/actors/letter",
        "https://letter.example:8443/@letter",
    ],
)
def test_the_letters_actor_is_found(resource: str) -> None:
    """T1: canonical lower-case subject; the type of `self` is compared as a string by peers."""
    document = jrd(URIS, resource)
    assert document is not None
    assert document["subject"] == "acct:letter@letter.example:8443"
    assert link(document, "self") == {
        "rel": "self",
        "type": "application/activity+json",
        "href": "https://letter.example:8443/actors/letter",
    }
    assert link(document, "http://webfinger.net/rel/profile-page")["href"] == URIS.profile
    assert set(document["aliases"]) == {URIS.actor, URIS.profile}


@pytest.mark.parametrize(
    ("resource", "subject"),
    [
        ("https://letter.example:8443/", "https://letter.example:8443/"),
        ("https://letter.example:8443", "https://letter.example:8443/"),
        (URIS.instance_actor, "acct:instance.actor@letter.example:8443"),
        (
            "acct:instance.actor@letter.example:8443",
            "acct:instance.actor@letter.example:8443",
        ),
    ],
)
def test_the_servers_own_actor_is_found(resource: str, subject: str) -> None:
    """FEP-d556; GoToSocial wants WebFinger of whoever signs our GETs."""
    document = jrd(URIS, resource)
    assert document is not None
    assert document["subject"] == subject
    assert link(document, "self")["href"] == URIS.instance_actor


@pytest.mark.parametrize(
    "resource",
    [
        "",
        "acct:",
        "acct:letter",
        "acct:other@letter.example:8443",
        "acct:letter@letter.example",
        "acct:letter@other.example",
        "https://other.example/",
        "mailto:letter@letter.example:8443",
        "@",
    ],
)
def test_nobody_else_is_found(resource: str) -> None:
    """T2: the web answers 404."""
    assert jrd(URIS, resource) is None


def test_host_meta_says_where_webfinger_is() -> None:
    """As XML and as JSON, with the same template."""
    template = "https://letter.example:8443/.well-known/webfinger?resource={uri}"
    root = ElementTree.fromstring(host_meta_xml(URIS))
    (found,) = root
    assert root.tag == "{http://docs.oasis-open.org/ns/xri/xrd-1.0}XRD"
    assert found.attrib["rel"] == "lrdd"
    assert found.attrib["template"] == template
    assert host_meta_json(URIS)["links"][0]["template"] == template


def test_nodeinfo_of_both_versions() -> None:
    """Takahe asks for 2.0 and asks again when there is only 2.1; FEP-2677 names the actor."""
    index = nodeinfo_index(URIS)
    application = link(index, "https://www.w3.org/ns/activitystreams#Application")
    assert application["href"] == URIS.instance_actor
    for version in ("2.0", "2.1"):
        schema = f"http://nodeinfo.diaspora.software/ns/schema/{version}"
        assert link(index, schema)["href"] == f"https://letter.example:8443/nodeinfo/{version}"
        document = nodeinfo(version, software_version="0.1.0", local_posts=3)
        assert document is not None
        assert document["version"] == version
        assert document["software"] == {"name": "fedi-letter", "version": "0.1.0"}
        assert document["protocols"] == ["activitypub"]
        assert document["openRegistrations"] is False
        assert document["usage"]["localPosts"] == 3
        assert f'profile="{schema}#"' in nodeinfo_type(version)
    assert nodeinfo("1.0", software_version="0.1.0", local_posts=3) is None
