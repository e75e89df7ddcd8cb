"""The outside of a body, read cheaply before anybody is believed: who, what, about what.

It decides nothing: what stands inside is read by `reading`, once the sender is known.
"""

from typing import Any, NamedTuple

import msgspec

from fedi_letter.activitypub import properties
from fedi_letter.activitypub.reading import Malformed, MalformedReason
from fedi_letter.activitypub.vocabulary import ACTIVITY_TYPES


class Envelope(NamedTuple):
    """The outside of an activity, read before anybody is believed; every field may be missing."""

    type: str | None
    activity_uri: str | None
    actor_uri: str | None
    object_uri: str | None


class _Outside(msgspec.Struct):
    """What `envelope` looks at; the object stays raw so that nothing deep is built."""

    type: Any = None
    id: Any = None
    actor: Any = None
    object: msgspec.Raw = msgspec.Raw(b"null")


class _Named(msgspec.Struct):
    """An embedded thing of which only the id matters."""

    id: Any = None


class _Usual(msgspec.Struct):
    """The same for the way nearly everybody writes it, read in one go."""

    type: str
    id: str
    actor: str
    object: str | _Named


_USUAL = msgspec.json.Decoder(_Usual)


def envelope(body: bytes) -> Envelope:
    """Answer type, id, actor and object id of a body, cheaply.

    Raises `Malformed` when the body is not a JSON object. Duplicate keys are not looked for: a body
    that has them is refused later by `read_json`, before anything is believed.

    >>> envelope(b'{"type":"Follow","actor":{"id":"https://a.example/u"},"object":"x"}').actor_uri
    'https://a.example/u'
    """
    try:
        usual = _USUAL.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _unusual(body)
    inside = usual.object
    return Envelope(
        type=usual.type[:200] or None,
        activity_uri=properties.identifier(usual.id),
        actor_uri=properties.identifier(usual.actor),
        object_uri=properties.identifier(inside.id if isinstance(inside, _Named) else inside),
    )


def _unusual(body: bytes) -> Envelope:
    try:
        outside = msgspec.json.decode(body, type=_Outside)
        embedded: Any = outside.object
        if bytes(outside.object).lstrip().startswith(b"{"):
            embedded = {"id": msgspec.json.decode(outside.object, type=_Named).id}
        else:
            embedded = msgspec.json.decode(outside.object)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as problem:
        raise Malformed(MalformedReason.NOT_JSON, f"not a JSON object: {problem}") from None
    return Envelope(
        type=properties.known(outside.type, ACTIVITY_TYPES),
        activity_uri=properties.identifier(outside.id),
        actor_uri=properties.reference(outside.actor),
        object_uri=properties.reference(embedded),
    )
