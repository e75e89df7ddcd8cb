"""The words of ActivityStreams and its neighbours as constants; no behaviour."""

from typing import Any, Final

ACTIVITYSTREAMS: Final = "https://www.w3.org/ns/activitystreams"
SECURITY: Final = "https://w3id.org/security/v1"
PUBLIC: Final = f"{ACTIVITYSTREAMS}#Public"
PUBLIC_SYNONYMS: Final = frozenset((PUBLIC, "as:Public", "Public"))

ACTIVITY_JSON: Final = "application/activity+json"
LD_JSON: Final = f'application/ld+json; profile="{ACTIVITYSTREAMS}"'
JRD_JSON: Final = "application/jrd+json"
XRD_XML: Final = "application/xrd+xml"

ACTOR_TYPES: Final = frozenset(("Person", "Service", "Application", "Group", "Organization"))
POST_TYPES: Final = frozenset(("Note", "Article", "Page", "Question", "Event", "Answer"))
LIKE_TYPES: Final = frozenset(("Like", "EmojiReact"))
ACTIVITY_TYPES: Final = frozenset(
    (
        *("Accept", "Add", "Announce", "Block", "Create", "Delete", "Dislike", "EmojiReact"),
        *("Flag", "Follow", "Like", "Move", "QuoteRequest", "Reject", "Remove", "Undo"),
        *("Update", "View"),
    )
)

# Terms are spelt out because Takahe reads a context URL it does not know as an empty context,
# and then loses every term in it.
ACTOR_TERMS: Final[dict[str, Any]] = {
    "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
    "alsoKnownAs": {"@id": "as:alsoKnownAs", "@type": "@id"},
    "movedTo": {"@id": "as:movedTo", "@type": "@id"},
    "toot": "http://joinmastodon.org/ns#",
    "discoverable": "toot:discoverable",
    "indexable": "toot:indexable",
    "featured": {"@id": "toot:featured", "@type": "@id"},
    "schema": "http://schema.org#",
    "PropertyValue": "schema:PropertyValue",
    "value": "schema:value",
    "webfinger": "https://purl.archive.org/socialweb/webfinger#webfinger",
}
OBJECT_TERMS: Final[dict[str, Any]] = {
    "Hashtag": "as:Hashtag",
    "sensitive": "as:sensitive",
    "gts": "https://gotosocial.org/ns#",
    "interactionPolicy": {"@id": "gts:interactionPolicy", "@type": "@id"},
    "canQuote": {"@id": "gts:canQuote", "@type": "@id"},
    "automaticApproval": {"@id": "gts:automaticApproval", "@type": "@id"},
}
QUOTE_TERMS: Final[dict[str, Any]] = {
    "gts": "https://gotosocial.org/ns#",
    "QuoteRequest": "https://w3id.org/fep/044f#QuoteRequest",
    "QuoteAuthorization": "https://w3id.org/fep/044f#QuoteAuthorization",
    "interactingObject": {"@id": "gts:interactingObject", "@type": "@id"},
    "interactionTarget": {"@id": "gts:interactionTarget", "@type": "@id"},
}
